//! An image, whatever it was read from: documents as bytes, layers that can be read at any place.
//!
//! Sources make [`Image`]s and promise nothing about layer bytes; what a digest check has seen is a [`VerifiedLayer`] or a
//! [`VerifiedBlob`], and sinks take nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::digest::{BlobDigest, DiffId, ImageId};
use crate::error::{Error, Result};

/// A config, manifest or index: bytes that are never written anew, and their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    bytes: Arc<[u8]>,
    digest: BlobDigest,
}

impl Document {
    /// Names `bytes` by their digest.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { digest: BlobDigest::of(&bytes), bytes }
    }

    /// The bytes, as they were found.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the bytes.
    pub const fn digest(&self) -> BlobDigest {
        self.digest
    }
}

/// The name of an image with its tag, as an engine prints it: `app:v2`, `registry.example/team/app:v2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageName(String);

impl ImageName {
    /// The name as it was written, with the tag `latest` where none was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The repository part, without the tag.
    pub fn repository(&self) -> &str {
        self.split().0
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        self.split().1
    }

    /// The name with its registry, as OCI annotations and podman want it: `docker.io/library/app:v2`.
    pub fn full(&self) -> String {
        match self.0.split_once('/') {
            None => format!("docker.io/library/{}", self.0),
            Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => self.0.clone(),
            Some(_) => format!("docker.io/{}", self.0),
        }
    }

    fn split(&self) -> (&str, &str) {
        self.0.rsplit_once(':').unwrap_or((&self.0, "latest"))
    }
}

impl FromStr for ImageName {
    type Err = Error;

    /// Reads `[registry[:port]/]path[:tag]` (OCI distribution-spec, "Pulling manifests").
    fn from_str(text: &str) -> Result<Self> {
        let last = text.rsplit('/').next().unwrap_or_default();
        let named = if last.contains(':') { text.to_owned() } else { format!("{text}:latest") };
        let (repository, tag) = named.rsplit_once(':').unwrap_or_default();
        let plain =
            |extra: &'static str| move |character: char| character.is_ascii_alphanumeric() || extra.contains(character);
        let good_tag = (1..=128).contains(&tag.len()) && tag.chars().all(plain("_.-")) && !tag.starts_with(['.', '-']);
        let good_repository = repository.len() <= 512
            && repository.chars().all(plain("_.-/:"))
            && repository.split('/').all(|part| !part.is_empty() && !part.starts_with(['.', '-', '_', ':']));
        if good_tag && good_repository {
            Ok(Self(named))
        } else {
            Err(Error::usage(format!(
                "expected an image name such as app:v2 or registry.example/app:v2, found `{text}`"
            )))
        }
    }
}

impl TryFrom<String> for ImageName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ImageName> for String {
    fn from(name: ImageName) -> Self {
        name.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The system that an image runs on: `linux/amd64`, `linux/arm/v7`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// The operating system, in Go's spelling.
    pub os: String,
    /// The processor, in Go's spelling.
    pub architecture: String,
    /// The processor's variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(formatter, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [os, architecture, rest @ ..] if rest.len() <= 1 && parts.iter().all(|part| !part.is_empty()) => Ok(Self {
                os: (*os).to_owned(),
                architecture: (*architecture).to_owned(),
                variant: rest.first().map(|variant| (*variant).to_owned()),
            }),
            _ => Err(Error::usage(format!("expected a platform such as linux/amd64, found `{text}`"))),
        }
    }
}

/// How a layer's blob is compressed; told by its first bytes, never by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobCompression {
    /// The blob is the tar stream itself.
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

/// Where a layer's bytes can be read; nothing is promised about them.
pub trait LayerContent: Send + Sync {
    /// The uncompressed tar stream.
    ///
    /// # Errors
    /// When the bytes cannot be read or decompressed.
    fn plain(&self) -> Result<Arc<dyn ReadAt>>;

    /// The blob as it is stored.
    ///
    /// # Errors
    /// When the bytes cannot be read.
    fn stored(&self) -> Result<Arc<dyn ReadAt>>;
}

/// One layer of an image in some source.
#[derive(Clone)]
pub struct Layer {
    /// The digest of the uncompressed stream, as the config lists it. For a blob that is no layer of a file system (an
    /// attestation), the digest of the blob.
    pub diff_id: DiffId,
    /// The digest of the blob, as the manifest lists it.
    pub blob: BlobDigest,
    /// The size of the blob in bytes.
    pub blob_size: u64,
    /// How the blob is compressed.
    pub compression: BlobCompression,
    /// The bytes.
    pub content: Arc<dyn LayerContent>,
}

/// What a manifest describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManifestKind {
    /// An image that runs on a platform.
    Image,
    /// Something about an image: provenance, a bill of materials. Its layers are plain files.
    Attestation,
}

/// One manifest that a source holds wholly: its config and all its layers are there.
#[derive(Clone)]
pub struct Manifest {
    /// The digest of the manifest document.
    pub digest: BlobDigest,
    /// The digest of the config document.
    pub config: ImageId,
    /// What the manifest describes.
    pub kind: ManifestKind,
    /// The platform that the config names; `None` for attestations.
    pub platform: Option<Platform>,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
}

/// The document that a name points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Its media type, as whoever points to it says.
    pub media_type: String,
    /// Its digest: the image's ID in a containerd store.
    pub digest: BlobDigest,
    /// Its size in bytes.
    pub size: u64,
    /// Whether the source had no such document and it was made from the config, as Docker 25 and later make it.
    pub synthesised: bool,
}

/// An image in some source: one manifest, or an index of several.
#[derive(Clone)]
pub struct Image {
    /// Its tags; none when it is known by its ID only.
    pub names: Vec<ImageName>,
    /// The manifest or index that the names point to.
    pub root: Root,
    /// Every document that can be reached from the root and is there.
    pub documents: BTreeMap<BlobDigest, Document>,
    /// The manifests that are there wholly, in the order of the index.
    pub manifests: Vec<Manifest>,
    /// The image's entry in the `manifest.json` of a docker-archive, as it was found.
    pub docker_manifest: Option<Box<RawValue>>,
}

impl Image {
    /// How to speak of the image: its first name, else the start of its ID.
    pub fn label(&self) -> String {
        self.names.first().map_or_else(|| self.root.digest.short(), ToString::to_string)
    }
}

/// A layer whose bytes have been seen to hash to its diff ID.
#[derive(Clone)]
pub struct VerifiedLayer {
    diff_id: DiffId,
    bytes: Arc<dyn ReadAt>,
}

impl VerifiedLayer {
    /// Reads all of `bytes` and compares.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with `what` when the bytes are others.
    pub fn check(diff_id: DiffId, bytes: Arc<dyn ReadAt>, what: &str) -> Result<Self> {
        let (found, _) = DiffId::of_reader(&mut Reader::new(&bytes)).map_err(Error::io(format!("reading {what}")))?;
        if found == diff_id {
            Ok(Self { diff_id, bytes })
        } else {
            Err(Error::Mismatch { what: what.to_owned(), expected: diff_id.to_string(), found: found.to_string() })
        }
    }

    /// Names `bytes` by what they hash to.
    ///
    /// # Errors
    /// What reading `what` reports.
    pub fn hash(bytes: Arc<dyn ReadAt>, what: &str) -> Result<Self> {
        let (diff_id, _) = DiffId::of_reader(&mut Reader::new(&bytes)).map_err(Error::io(format!("reading {what}")))?;
        Ok(Self { diff_id, bytes })
    }

    /// The digest that was checked.
    pub const fn diff_id(&self) -> DiffId {
        self.diff_id
    }

    /// The uncompressed tar stream.
    pub const fn bytes(&self) -> &Arc<dyn ReadAt> {
        &self.bytes
    }
}

/// A blob whose bytes have been seen to hash to its digest.
#[derive(Clone)]
pub struct VerifiedBlob {
    digest: BlobDigest,
    bytes: Arc<dyn ReadAt>,
}

impl VerifiedBlob {
    /// Reads all of `bytes` and compares.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with `what` when the bytes are others.
    pub fn check(digest: BlobDigest, bytes: Arc<dyn ReadAt>, what: &str) -> Result<Self> {
        let (found, _) =
            BlobDigest::of_reader(&mut Reader::new(&bytes)).map_err(Error::io(format!("reading {what}")))?;
        if found == digest {
            Ok(Self { digest, bytes })
        } else {
            Err(Error::Mismatch { what: what.to_owned(), expected: digest.to_string(), found: found.to_string() })
        }
    }

    /// The digest that was checked.
    pub const fn digest(&self) -> BlobDigest {
        self.digest
    }

    /// The bytes.
    pub const fn bytes(&self) -> &Arc<dyn ReadAt> {
        &self.bytes
    }
}

impl From<VerifiedLayer> for VerifiedBlob {
    /// The blob that a layer is when it is stored uncompressed.
    fn from(layer: VerifiedLayer) -> Self {
        Self { digest: layer.diff_id.into(), bytes: layer.bytes }
    }
}

/// An image that is ready for a sink: every document, and the blobs that the sink asked for.
pub struct RebuiltImage {
    /// The names that the image shall get.
    pub names: Vec<ImageName>,
    /// The manifest or index that the names shall point to.
    pub root: Root,
    /// Every document, by digest.
    pub documents: BTreeMap<BlobDigest, Document>,
    /// The manifests that travel, in the order of the index.
    pub manifests: Vec<RebuiltManifest>,
    /// The blobs that the sink lacks, by digest, once each.
    pub blobs: BTreeMap<BlobDigest, VerifiedBlob>,
}

/// One manifest of a [`RebuiltImage`].
pub struct RebuiltManifest {
    /// The digest of the manifest document.
    pub digest: BlobDigest,
    /// The digest of the config document.
    pub config: ImageId,
    /// What the manifest describes.
    pub kind: ManifestKind,
    /// The platform that the config names; `None` for attestations.
    pub platform: Option<Platform>,
    /// The layers, lowest first: diff ID and blob digest.
    pub layers: Vec<(DiffId, BlobDigest)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_a_tag_and_a_registry() {
        let name: ImageName = "app".parse().unwrap();
        assert_eq!((name.as_str(), name.full().as_str()), ("app:latest", "docker.io/library/app:latest"));
        let name: ImageName = "127.0.0.1:5000/team/app:v2".parse().unwrap();
        assert_eq!((name.repository(), name.tag()), ("127.0.0.1:5000/team/app", "v2"));
        assert_eq!(name.full(), "127.0.0.1:5000/team/app:v2");
        assert_eq!("t/tiny:v1".parse::<ImageName>().unwrap().full(), "docker.io/t/tiny:v1");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", ":v1", "app:", "-f", "a b", "../x", "a//b", "app:v1\n", "app:-x"] {
            assert!(text.parse::<ImageName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn platforms_print_as_they_parse() {
        for text in ["linux/amd64", "linux/arm/v7"] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
        }
        assert!("linux".parse::<Platform>().is_err());
    }

    #[test]
    fn a_layer_with_other_bytes_is_never_verified() {
        let bytes: Arc<dyn ReadAt> = Arc::new(b"layer".to_vec());
        assert!(VerifiedLayer::check(DiffId::of(b"layer"), bytes.clone(), "layer 1").is_ok());
        let error = VerifiedLayer::check(DiffId::of(b"other"), bytes, "layer 1").map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("layer 1: expected sha256:"), "{error}");
    }
}
