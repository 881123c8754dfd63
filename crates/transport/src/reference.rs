//! How users name images: an engine's name, one of containerd, an address in a registry, or a file or folder.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use delta_core::error::{Error, Result};
use delta_core::image::ImageName;

use crate::containerd;
use crate::engine::ClientKind;
use crate::registry::Address;
use crate::system;

/// What a user named as an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// An image of an engine, by name or ID.
    Engine {
        /// The engine that was spelled out.
        kind: Option<ClientKind>,
        /// The name or ID.
        name: String,
    },
    /// An image of a registry.
    Registry(Address),
    /// An image of containerd: `[NAMESPACE/]NAME`, where only containerd tells what is a namespace.
    Containerd(String),
    /// A file or folder.
    Path {
        /// Where it is.
        path: PathBuf,
        /// The one image in it that is meant, by name or tag; all when not given.
        pick: Option<String>,
    },
    /// A word that is the name of a file or folder here, and may be that of an engine's image.
    Either(String),
    /// An archive on standard input.
    Stdin,
}

/// What a user named as the place of an image that is rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A name in the engine or the output.
    Name(ImageName),
    /// A repository of a registry.
    Registry(Address),
    /// `[NAMESPACE/][NAME]` in containerd.
    Containerd(String),
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(text) = text.strip_prefix(containerd::PREFIX) {
            return Ok(Self::Containerd(text.to_owned()));
        }
        if !Address::is_meant(text) {
            return text.parse().map(Self::Name);
        }
        let address: Address = text.parse()?;
        match address.digest() {
            Some(_) => Err(Error::usage(format!("{address} has a digest, which cannot be given to an image"))
                .with_hint("name a tag, or none for the one that the image has")),
            None => Ok(Self::Registry(address)),
        }
    }
}

/// Prefixes of archives with `FILE[:NAME]`.
const ARCHIVES: [&str; 3] = ["docker-archive:", "oci-archive:", "oci:"];

/// Endings of archives.
const ENDINGS: [&str; 6] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2"];

impl FromStr for Reference {
    type Err = Error;

    /// Reads a reference as users of skopeo write them; a bare word is the engine's, and what is written like a path is one.
    fn from_str(text: &str) -> Result<Self> {
        let engine = |kind, name: &str| Self::Engine { kind, name: name.to_owned() };
        if text.is_empty() {
            return Err(Error::usage("expected the name of an image or a path, found nothing"));
        }
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if let Some(name) = text.strip_prefix("docker-daemon:") {
            return Ok(engine(Some(ClientKind::Docker), name));
        }
        if let Some(name) = text.strip_prefix("podman:").or_else(|| text.strip_prefix("containers-storage:")) {
            return Ok(engine(Some(ClientKind::Podman), name));
        }
        if let Some(name) = text.strip_prefix(containerd::PREFIX) {
            return Ok(Self::Containerd(name.to_owned()));
        }
        if Address::is_meant(text) {
            return text.parse().map(Self::Registry);
        }
        if let Some(path) = text.strip_prefix("dir:") {
            return Ok(Self::Path { path: path.into(), pick: None });
        }
        if let Some(rest) = ARCHIVES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
            return Ok(split(rest));
        }
        if text.contains("://") && !Path::new(text).exists() {
            // What may be a password is not told.
            let what = if text.contains('@') { "what is given".to_owned() } else { format!("`{text}`") };
            return Err(Error::usage(format!("{what} is a URL, and no name of an image")).with_hint(
                "fetch a file first, and name it; an image of a registry is named docker://REGISTRY/REPOSITORY:TAG",
            ));
        }
        // What is written like a path is meant as one, even if it is not there: the error will name it.
        if text.starts_with(['/', '.', '~'])
            || text.ends_with('/')
            || system::DRIVE && text.contains('\\')
            || system::drive_bytes(text) > 0
            || ENDINGS.iter().any(|ending| text.ends_with(ending))
        {
            return Ok(Self::Path { path: text.into(), pick: None });
        }
        Ok(if Path::new(text).exists() { Self::Either(text.to_owned()) } else { engine(None, text) })
    }
}

impl Reference {
    /// The path that is read, `-` for standard input; nothing for an image of an engine, a registry or containerd.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Engine { .. } | Self::Registry(_) | Self::Containerd(_) => None,
            Self::Path { path, .. } => Some(path),
            Self::Either(text) => Some(Path::new(text)),
            Self::Stdin => Some(Path::new("-")),
        }
    }

    /// What a file that is made of it may be called, without an ending: `app-v2` for `registry.example/app:v2` and for
    /// `app-v2.tar`; nothing for standard input.
    pub fn stem(&self) -> Option<String> {
        match self {
            Self::Engine { name, .. } | Self::Containerd(name) => stem_of_name(name),
            Self::Registry(address) => stem_of_name(&address.to_string()),
            Self::Path { path, pick: None } => stem_of_path(path),
            Self::Either(text) => stem_of_path(Path::new(text)),
            Self::Path { pick: Some(name), .. } if name.contains([':', '/']) => stem_of_name(name),
            Self::Path { path, pick: Some(tag) } => Some(format!("{}-{tag}", stem_of_path(path)?)),
            Self::Stdin => None,
        }
    }
}

/// The last part of an image's name, with its tag.
pub fn stem_of_name(name: &str) -> Option<String> {
    let last = name.rsplit('/').next().filter(|last| !last.is_empty())?;
    Some(last.replace([':', '@'], "-"))
}

fn stem_of_path(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let name = real.file_name()?.to_str()?;
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).filter(|stem| !stem.is_empty());
    Some(stem.unwrap_or(name).to_owned())
}

/// The longest part that is a file, and behind its colon the name; where none is, what stands before the first colon.
fn split(text: &str) -> Reference {
    let whole = Reference::Path { path: text.into(), pick: None };
    if Path::new(text).exists() {
        return whole;
    }
    let drive = system::drive_bytes(text);
    let mut colons = text.rmatch_indices(':').map(|(at, _)| at).take_while(|at| *at >= drive);
    let named = colons.find(|at| Path::new(&text[..*at]).exists());
    match named.or_else(|| text[drive..].find(':').map(|at| drive + at)) {
        Some(at) => Reference::Path { path: text[..at].into(), pick: Some(text[at + 1..].to_owned()) },
        None => whole,
    }
}

#[cfg(test)]
mod tests;
