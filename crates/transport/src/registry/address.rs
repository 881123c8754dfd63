//! How users name images in registries.

use std::fmt;
use std::str::FromStr;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::ImageName;

/// What a reference to a registry begins with, as users of skopeo write it.
const SCHEME: &str = "docker://";

/// An image in a registry: `docker://[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<BlobDigest>,
}

impl Address {
    /// Whether a text is meant as one.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// The host, with its port if one was given; Docker's own is `docker.io`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path in the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// What the registry is asked for: the digest, else the tag, else `latest`.
    pub(crate) fn reference(&self) -> String {
        match (self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// The digest that the manifest must have, if one was given.
    pub const fn digest(&self) -> Option<BlobDigest> {
        self.digest
    }

    /// The name that an engine gives to the image: none where only a digest was given.
    pub(crate) fn name(&self) -> Option<ImageName> {
        let tag = match (&self.tag, self.digest) {
            (Some(tag), _) => tag,
            (None, None) => "latest",
            (None, Some(_)) => return None,
        };
        self.named(tag)
    }

    /// The repository's name with another tag, in the short form where Docker has one.
    pub(crate) fn named(&self, tag: &str) -> Option<ImageName> {
        let repository = match self.registry.as_str() {
            "docker.io" => self.repository.strip_prefix("library/").unwrap_or(&self.repository).to_owned(),
            registry => format!("{registry}/{}", self.repository),
        };
        format!("{repository}:{tag}").parse().ok()
    }

    /// The same repository, asked for something else.
    #[must_use]
    pub(crate) fn with_digest(&self, digest: BlobDigest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The same repository, asked for nothing in it.
    #[must_use]
    pub fn without_tag(&self) -> Self {
        Self { tag: None, digest: None, ..self.clone() }
    }

    /// The same repository, asked for a tag.
    #[must_use]
    pub fn with_tag(&self, tag: &str) -> Self {
        Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() }
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let rest = text.strip_prefix(SCHEME).unwrap_or(text);
        let explain = |error: Error| {
            Error::usage(format!("`{text}` names no image in a registry: {error}"))
                .with_hint("expected docker://REGISTRY/REPOSITORY:TAG or docker://REGISTRY/REPOSITORY@sha256:DIGEST")
        };
        // What may be a password is not told.
        if text.contains('@') && !text.contains("@sha") || rest.contains("://") {
            return Err(Error::usage(
                "what is given names no image in a registry: it has a scheme or a user's name in it",
            )
            .with_hint(
                "log in with `docker login` or `podman login`, do without TLS by --plain-http, and name \
                 docker://REGISTRY/REPOSITORY:TAG",
            ));
        }
        let (name, digest) = match rest.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse::<BlobDigest>().map_err(|error| explain(error.into()))?)),
            None => (rest, None),
        };
        // Docker would ask its own registry for an image of that name.
        if is_registry_alone(name) {
            return Err(explain(Error::usage("it names a registry, and no repository in it")));
        }
        let full = name.parse::<ImageName>().map_err(explain)?.full();
        // A full name has a registry, and a tag behind the last colon.
        let (registry, path) = full.split_once('/').unwrap_or(("docker.io", &full));
        let (repository, tag) = path.rsplit_once(':').unwrap_or((path, "latest"));
        let is_tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
        let registry = match registry {
            "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
            registry => registry.to_ascii_lowercase(),
        };
        if let Some(port) = port(&registry).filter(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
            return Err(explain(Error::usage(format!("expected a port from 1 to 65535, found {port}"))));
        }
        let repository = match (registry.as_str(), repository.contains('/')) {
            ("docker.io", false) => format!("library/{repository}"),
            _ => repository.to_owned(),
        };
        // A short name leaves out Docker's own registry, with which it may be too long.
        format!("{registry}/{repository}").parse::<ImageName>().map_err(explain)?;
        Ok(Self { registry, repository, tag: is_tagged.then(|| tag.to_owned()), digest })
    }
}

fn is_registry_alone(name: &str) -> bool {
    let host = name.rsplit_once(':').filter(|_| !name.ends_with(']')).map_or(name, |(host, _)| host);
    !name.contains('/') && (host == "localhost" || host.contains('.') || host.starts_with('['))
}

/// What is behind the host; an IPv6 address has colons in brackets.
fn port(registry: &str) -> Option<&str> {
    registry.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'))
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(formatter, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(formatter, "@{digest}"))
    }
}

#[cfg(test)]
mod tests;
