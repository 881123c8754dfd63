//! An image, whatever it was read from: documents as bytes, layers that can be read at any place.
//!
//! Sources make [`Image`]s and promise nothing about layer bytes; what a digest check has seen is a [`VerifiedLayer`] or a
//! [`VerifiedBlob`], and sinks take nothing else.

pub mod documents;
mod name;
mod platform;
mod tap;
mod unchecked;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Write};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader, ScratchFile};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::digest::{BlobDigest, ConfigDigest, DiffId, Hashed, Hasher};
use crate::error::{Error, Result};
use crate::job::context;
use crate::job::places::Room;
use crate::job::progress::{Counted, Silent, Task};
use crate::limits::COPY_BUFFER;
pub use name::ImageName;
pub use platform::Platform;
use tap::{Beside, Tap};
pub(crate) use unchecked::UncheckedLayer;

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

    /// Whether the bytes must be fetched from somewhere else before they can be read.
    fn is_far(&self) -> bool {
        false
    }
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

/// The plain bytes of layers, where all of them tell: a compressed one does not.
pub(crate) fn plain_bytes(layers: &[&Layer]) -> Option<u64> {
    let size = |layer: &&Layer| (layer.compression == BlobCompression::None).then_some(layer.blob_size);
    layers.iter().map(size).sum()
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
    pub config: ConfigDigest,
    /// What the manifest describes.
    pub kind: ManifestKind,
    /// The platform that the config names; `None` for attestations.
    pub platform: Option<Platform>,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
}

/// The documents that go with manifests which are left out: an image that had them would look as if layers of it were lost.
pub(crate) fn left_out(
    left: impl Iterator<Item = (BlobDigest, ConfigDigest)>,
    kept: impl Iterator<Item = (BlobDigest, ConfigDigest)>,
) -> BTreeSet<BlobDigest> {
    let both = |(manifest, config): (BlobDigest, ConfigDigest)| [manifest, config.into()];
    let kept: BTreeSet<BlobDigest> = kept.flat_map(both).collect();
    left.flat_map(both).filter(|digest| !kept.contains(digest)).collect()
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

impl Root {
    /// A document of a source, of the media type that whoever points to it says.
    pub fn of(document: &Document, media_type: String) -> Self {
        Self { media_type, digest: document.digest(), size: document.bytes().len() as u64, synthesised: false }
    }
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
    /// The `index.json` of the layout that it was found in, as far as that lists images which were meant.
    pub layout_index: Option<Document>,
}

impl Image {
    /// Whether nothing of it is an image: a chart, a signature, a bill of materials.
    pub fn is_artifact(&self) -> bool {
        self.manifests.iter().all(|manifest| manifest.kind == ManifestKind::Attestation)
    }

    /// How to speak of the image: its first name, else the start of its ID.
    pub fn label(&self) -> String {
        self.names.first().map_or_else(|| self.root.digest.short(), ToString::to_string)
    }
}

/// The layers of all manifests of `images`, in their order; one that several have comes several times.
pub fn layers_of(images: &[Image]) -> impl Iterator<Item = &Layer> {
    images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers)
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
        Ok(Self::of(diff_id, VerifiedBlob::check(diff_id.into(), bytes, what)?))
    }

    /// The same, while `read` reads the bytes for what else is made of them: what it reads from front to back is read once for both, and for
    /// `beside`, to which all is written. The task hears of every byte.
    pub(crate) fn check_reading<T>(
        diff_id: DiffId,
        bytes: Arc<dyn ReadAt>,
        (what, task): (&str, &dyn Task),
        beside: Beside<'_>,
        read: impl FnOnce(&dyn ReadAt) -> io::Result<T>,
    ) -> Result<(Self, T)> {
        let failed = || Error::io(format!("reading {what}"));
        let tap = Tap::new(&bytes, task, beside);
        let made = read(&tap).map_err(failed())?;
        let found = tap.finish().map_err(failed())?;
        let blob = VerifiedBlob::compared(diff_id.into(), found.into(), bytes, what)?;
        Ok((Self::of(diff_id, blob), made))
    }

    /// As [`Self::check`], and `task` hears of every byte. They are copied to the place of the blob that is this layer, if it has one.
    pub(crate) fn check_placed(
        diff_id: DiffId,
        bytes: Arc<dyn ReadAt>,
        told: (&str, &dyn Task),
        room: Room<'_>,
    ) -> Result<Self> {
        Ok(Self::of(diff_id, VerifiedBlob::check_placed(diff_id.into(), bytes, told, room)?))
    }

    /// Lets `fill` write into the place of the blob that is this layer, else into new room, and compares what it writes on the way.
    pub(crate) fn spool(
        diff_id: DiffId,
        said: (&str, &str),
        room: Room<'_>,
        fill: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
    ) -> Result<Self> {
        Ok(Self::of(diff_id, VerifiedBlob::spool(diff_id.into(), said, room, fill)?))
    }

    /// The layer that is this blob.
    fn of(diff_id: DiffId, blob: VerifiedBlob) -> Self {
        Self { diff_id, bytes: blob.bytes }
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
        Self::check_telling(digest, bytes, (what, &Silent))
    }

    fn check_telling(digest: BlobDigest, bytes: Arc<dyn ReadAt>, (what, task): (&str, &dyn Task)) -> Result<Self> {
        let mut reader = Counted::new(Reader::new(&bytes), task);
        let (found, _) = BlobDigest::of_reader(&mut reader).map_err(Error::io(format!("reading {what}")))?;
        Self::compared(digest, found, bytes, what)
    }

    /// As [`Self::check`], and `task` hears of every byte. They are copied to the place of the blob, if it has one.
    pub(crate) fn check_placed(
        digest: BlobDigest,
        bytes: Arc<dyn ReadAt>,
        (what, task): (&str, &dyn Task),
        room: Room<'_>,
    ) -> Result<Self> {
        let Some(place) = room.place(digest, what)? else { return Self::check_telling(digest, bytes, (what, task)) };
        let doing = format!("copying {what}");
        let (bytes, found) = hashed(place, &doing, &mut |out| {
            let mut reader = BufReader::with_capacity(COPY_BUFFER, Counted::new(Reader::new(&bytes), task));
            io::copy(&mut reader, out).map(|_| ()).map_err(Error::io(doing.clone()))
        })?;
        Self::compared(digest, found.into(), bytes, what)
    }

    /// Lets `fill` write into the place of the blob, else into new room, and compares what it writes on the way.
    pub(crate) fn spool(
        digest: BlobDigest,
        (what, doing): (&str, &str),
        room: Room<'_>,
        fill: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
    ) -> Result<Self> {
        let (bytes, found) = hashed(room.file(digest, doing)?, doing, fill)?;
        Self::compared(digest, found.into(), bytes, what)
    }

    fn compared(digest: BlobDigest, found: BlobDigest, bytes: Arc<dyn ReadAt>, what: &str) -> Result<Self> {
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

/// Lets `fill` write into `file`, and hashes what it writes on the way.
fn hashed(
    file: Box<dyn ScratchFile>,
    doing: &str,
    fill: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
) -> Result<(Arc<dyn ReadAt>, Hashed)> {
    let mut hasher = Hasher::new(file);
    fill(&mut hasher)?;
    let (file, hashed, _) = hasher.finish();
    Ok((context::frozen(file, doing)?, hashed))
}

impl From<VerifiedLayer> for VerifiedBlob {
    /// The blob that a layer is when it is stored uncompressed.
    fn from(layer: VerifiedLayer) -> Self {
        Self { digest: layer.diff_id.into(), bytes: layer.bytes }
    }
}

/// An image that is ready for a sink: every document, and the blobs that the sink asked for.
#[derive(Clone)]
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
    /// What a layout that holds all images of the package has as its `index.json`, where that is not made of their names.
    pub layout_index: Option<Document>,
}

impl RebuiltImage {
    /// Whether nothing of it is an image: a chart, a signature, a bill of materials.
    pub fn is_artifact(&self) -> bool {
        self.manifests.iter().all(|manifest| manifest.kind == ManifestKind::Attestation)
    }

    /// Every blob that it needs, each with the layer that it is.
    pub fn wanted(&self) -> BTreeMap<BlobDigest, DiffId> {
        let layers = self.manifests.iter().flat_map(|manifest| &manifest.layers);
        layers.map(|(diff_id, blob)| (*blob, *diff_id)).collect()
    }

    /// How to speak of the image: its first name, else the start of its ID.
    pub fn label(&self) -> String {
        self.names.first().map_or_else(|| self.root.digest.short(), ToString::to_string)
    }
}

/// One manifest of a [`RebuiltImage`].
#[derive(Clone)]
pub struct RebuiltManifest {
    /// The digest of the manifest document.
    pub digest: BlobDigest,
    /// The digest of the config document.
    pub config: ConfigDigest,
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
    fn a_layer_with_other_bytes_is_never_verified() {
        let bytes: Arc<dyn ReadAt> = Arc::new(b"layer".to_vec());
        assert!(VerifiedLayer::check(DiffId::of(b"layer"), bytes.clone(), "layer 1").is_ok());
        let error = VerifiedLayer::check(DiffId::of(b"other"), bytes, "layer 1").map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("layer 1: expected sha256:"), "{error}");
    }
}
