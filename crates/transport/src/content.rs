//! What a file or folder is, by what is in it: the question before anything of the user's is replaced.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use delta_codec::compress::{Compression, decoder};
use delta_codec::{Reader, bsdiff, vcdiff};
use delta_core::error::{Error, Result};
use delta_core::package;
use delta_envelope::encryption::is_encrypted;
use delta_envelope::self_contained::is_self_contained;
use delta_envelope::volumes;

use crate::container::Container;
use crate::file::FileBytes;

/// What of ours a file or folder is, as it is called in an error; nothing where it is none of ours, or cannot be read.
pub fn describe(path: &Path) -> Option<&'static str> {
    let content = if path.is_dir() { Content::of_folder(path) } else { Content::of_file(path) };
    content.ok().filter(|content| !matches!(content, Content::Nothing | Content::Other)).map(Content::noun)
}

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A file or folder with nothing in it.
    Nothing,
    /// A package.
    Package,
    /// A volume of a package.
    Volume,
    /// What is encrypted and called like a package or difference: nobody else can tell what it is.
    Encrypted,
    /// VCDIFF or BSDIFF40, compressed or not.
    Difference,
    /// A tar that engines load.
    Archive,
    /// A folder with an OCI layout and nothing else.
    Layout,
    /// Anything else.
    Other,
}

impl Content {
    /// As it is called in an error.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Nothing => "empty",
            Self::Package => "a package",
            Self::Volume => "a volume of a package",
            Self::Encrypted => "an encrypted package",
            Self::Difference => "a difference",
            Self::Archive => "an image archive",
            Self::Layout => "an OCI layout",
            Self::Other => "none of ours",
        }
    }

    /// Looks into a regular file.
    pub(crate) fn of_file(path: &Path) -> Result<Self> {
        let bytes = FileBytes::open(path)?;
        if bytes.is_empty() {
            return Ok(Self::Nothing);
        }
        let first = first(&mut Reader::new(&bytes)).map_err(Error::io(format!("reading {}", path.display())))?;
        if is_self_contained(&bytes)? {
            return Ok(Self::Package);
        }
        if first.starts_with(volumes::MAGIC) {
            return Ok(Self::Volume);
        }
        let is_named = path.extension().is_some_and(|ending| ending == "ddelta" || ending == "delta");
        if is_named && is_encrypted(&bytes)? {
            return Ok(Self::Encrypted);
        }
        let compression = Compression::detect(&first);
        // A package may have been compressed for the journey; what cannot be decompressed is none.
        let plain = decoder(compression, Reader::new(&bytes)).and_then(|mut plain| self::first(&mut plain));
        let plain = plain.unwrap_or_default();
        if is_package(&plain) {
            return Ok(Self::Package);
        }
        if plain.starts_with(&vcdiff::MAGIC[..3]) || plain.starts_with(&bsdiff::MAGIC) {
            return Ok(Self::Difference);
        }
        let is_archive = Container::archive(bytes, "").is_ok_and(|archive| is_image(&archive));
        Ok(if is_archive { Self::Archive } else { Self::Other })
    }

    /// Looks into a folder. One that holds anything besides what an OCI layout has is none.
    pub(crate) fn of_folder(path: &Path) -> Result<Self> {
        let look = || -> io::Result<Self> {
            let names = names(path)?;
            let marked = fs::read(path.join("oci-layout")).is_ok_and(|mark| holds(&mark, b"imageLayoutVersion"));
            let is_of_a_layout = |name: &OsString| {
                let is_folder = fs::metadata(path.join(name)).is_ok_and(|found| found.is_dir());
                LAYOUT.iter().any(|(known, known_folder)| name == known && is_folder == *known_folder)
            };
            let blobs = path.join("blobs");
            Ok(if names.is_empty() {
                Self::Nothing
            } else if marked && names.iter().all(is_of_a_layout) && blobs.is_dir() && only_blobs(&blobs)? {
                Self::Layout
            } else {
                Self::Other
            })
        };
        look().map_err(Error::io(format!("reading {}", path.display())))
    }
}

/// What stands in a layout (OCI image-spec, image-layout.md), in one that is a `docker save` unpacked, and where a tool was
/// interrupted; and whether that is a folder.
const LAYOUT: [(&str, bool); 6] = [
    ("oci-layout", false),
    ("index.json", false),
    ("blobs", true),
    ("manifest.json", false),
    ("repositories", false),
    ("ingest", true),
];

/// The first blocks of a tar: a header and some content.
fn first(bytes: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut first = Vec::new();
    bytes.take(1024).read_to_end(&mut first)?;
    Ok(first)
}

fn is_package(first: &[u8]) -> bool {
    let named = first.strip_prefix(package::METADATA.as_bytes()).is_some_and(|rest| rest.first() == Some(&0));
    named && first.get(512..).is_some_and(|metadata| metadata.starts_with(b"{\"format\":"))
}

fn is_image(archive: &Container) -> bool {
    let has = |name| archive.find(name).is_ok_and(|found| found.is_some());
    has("manifest.json") || (has("oci-layout") && has("index.json"))
}

fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Whether there is nothing but folders of algorithms and files that are called like digests.
fn only_blobs(folder: &Path) -> io::Result<bool> {
    for algorithm in names(folder)? {
        let algorithm = folder.join(algorithm);
        if !fs::symlink_metadata(&algorithm)?.is_dir() {
            return Ok(false);
        }
        let is_digest = |name: &OsString| {
            let is_folder = fs::symlink_metadata(algorithm.join(name)).is_ok_and(|found| found.is_dir());
            !is_folder && name.as_encoded_bytes().iter().all(u8::is_ascii_hexdigit)
        };
        if !names(&algorithm)?.iter().all(is_digest) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests;
