//! `metadata.json`: what a package holds and what it needs. FORMAT.md describes every field.

mod check;
mod implied;
mod index;
mod layer_blob;
mod recreated;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::{BlobDigest, ConfigDigest, DiffId};
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::image::{BlobCompression, ImageName, ManifestKind, Platform, Root};
use crate::job::choices::{Identity, Method};
use crate::package::features::{Extent, LayerCodec, features};
pub use index::Index;
pub use layer_blob::{LayerBlob, ListedLayer};
pub use recreated::{PlanPlace, Recreated};

/// The version that this program writes, and the highest that it reads.
pub const FORMAT: u32 = 1;

/// The first member of a package as it stands there: what the package's documents say may be left out.
pub(crate) type Stored = Metadata<ListedLayer>;

/// All that a package says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "L: Deserialize<'de>"))]
pub struct Metadata<L = LayerBlob> {
    /// The version of the format.
    pub format: u32,
    /// The features that a reader must know to apply the package.
    pub requires: BTreeSet<String>,
    /// The program that made it.
    pub created_by: String,
    /// The method that was asked for.
    pub method: Method,
    /// Which identity comes back.
    pub identity: Identity,
    /// The compressor of the members, by its name.
    pub compression: String,
    /// The level that was asked for.
    pub level: i32,
    /// The images; none in a package of a file or a tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageEntry<L>>,
    /// The document that a layout of the images has as its `index.json`; without it, that is made of their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout_index: Option<BlobDigest>,
    /// The file or tree; only where there are no images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamEntry>,
    /// The images that the package was made against.
    pub bases: Vec<BaseEntry<L>>,
    /// Every layer of the images once, in an order in which they can be rebuilt.
    pub layers: Vec<LayerEntry>,
    /// Every blob that is not simply a layer, once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<BlobEntry>,
    /// Every other member but the last.
    pub members: Vec<MemberEntry>,
}

/// An image that the package brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "L: Deserialize<'de>"))]
pub struct ImageEntry<L = LayerBlob> {
    /// Its tags.
    pub names: Vec<ImageName>,
    /// The document that the tags point to.
    pub root: Root,
    /// Every document, by digest; each is a member.
    pub documents: Vec<BlobDigest>,
    /// The manifests that travel wholly.
    pub manifests: Vec<ManifestEntry<L>>,
}

impl ImageEntry {
    /// Whether nothing of it is an image: a chart, a signature, a bill of materials.
    pub(crate) fn is_artifact(&self) -> bool {
        self.manifests.iter().all(|manifest| manifest.kind == ManifestKind::Attestation)
    }
}

/// A manifest of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestEntry<L = LayerBlob> {
    /// The digest of the manifest document.
    pub digest: BlobDigest,
    /// The digest of the config document.
    pub config: ConfigDigest,
    /// What it describes.
    pub kind: ManifestKind,
    /// The platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The layers, lowest first; in the document, left out where the manifest and its config say them.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<L>,
}

/// An image that the package was made against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseEntry<L = LayerBlob> {
    /// Its tags on the side of the maker.
    pub names: Vec<ImageName>,
    /// The digest of its manifest or index.
    pub root: BlobDigest,
    /// The digests of its configs.
    pub configs: Vec<ConfigDigest>,
    /// Its layers.
    pub layers: Vec<L>,
}

/// What happens to a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerEntry {
    /// The digest of the layer.
    pub diff_id: DiffId,
    /// Its size in bytes; a layer that a base image has may have been left unread, and is then without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// How it is had; in the document, left out where a base image has it.
    #[serde(default, skip_serializing_if = "Origin::is_held")]
    pub origin: Origin,
}

/// How a layer is had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Origin {
    /// A base image has it; nothing travels.
    #[default]
    Held,
    /// It is rebuilt from members of the package.
    Coded {
        /// How.
        codec: LayerCodec,
        /// The layers that it is coded against, in the order in which they are joined: of base images or earlier in the
        /// list.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bases: Vec<DiffId>,
        /// The members, in the order of the codec.
        members: Vec<String>,
        /// Plain bytes of compressed files inside the layer that are compressed again.
        #[serde(default, skip_serializing_if = "is_zero")]
        recompressed: u64,
    },
}

impl LayerEntry {
    /// Its bytes, as far as they are known: those of a layer that is rebuilt always are.
    pub fn known_size(&self) -> u64 {
        self.size.unwrap_or(0)
    }

    /// What bounds rebuilding it.
    pub(crate) fn extent(&self) -> Extent {
        Extent { length: self.known_size(), recompressed: self.origin.recompressed() }
    }
}

impl Origin {
    const fn is_held(&self) -> bool {
        matches!(self, Self::Held)
    }

    /// Plain bytes of compressed files inside the layer that are compressed again when it is rebuilt.
    pub const fn recompressed(&self) -> u64 {
        match self {
            Self::Held => 0,
            Self::Coded { recompressed, .. } => *recompressed,
        }
    }
}

/// A blob that differs from its layer because it is compressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobEntry {
    /// The digest of the blob.
    pub digest: BlobDigest,
    /// Its size in bytes.
    pub size: u64,
    /// How it is compressed.
    pub compression: BlobCompression,
    /// The member that is the blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// How it is made again of its layer. Without this and a member a base image has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recreated: Option<Recreated>,
    /// For a member that no known encoder makes, the one that came nearest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<NearestEncoder>,
    /// Why it is a member, where it is not because no known encoder makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
}

/// Why a blob travels as it is although it might have been made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whole {
    /// That takes no more than its layer and a plan.
    Smallest,
    /// The user does not want anything to be compressed again.
    Asked,
}

impl BlobEntry {
    /// The member that is the blob, or that has its plan.
    pub(crate) fn member_name(&self) -> Option<&str> {
        match (&self.member, self.recreated.as_ref().map(|recreated| &recreated.place)) {
            (Some(name), _) | (None, Some(PlanPlace::Member(name))) => Some(name),
            (None, Some(PlanPlace::Here(_)) | None) => None,
        }
    }
}

/// The encoder that came nearest to a blob that no known one makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearestEncoder {
    /// Its name, for people.
    pub encoder: String,
    /// The offset of the first byte of the blob that it makes otherwise.
    pub differs_at: u64,
}

/// What a package brings instead of images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamEntry {
    /// A file or a tree.
    pub kind: StreamKind,
    /// The only layer: the file's bytes, or the tree as a tar stream.
    pub target: DiffId,
    /// What the target is coded against.
    pub base: DiffId,
    /// The base's size in bytes.
    pub base_size: u64,
    /// What a file is besides its bytes; a tree says it of each entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Facts>,
}

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// One file's bytes.
    File,
    /// A folder with all that is in it, as a tar stream.
    Tree,
}

/// A member of the package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberEntry {
    /// Its name in the tar.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub digest: BlobDigest,
}

/// Only the fields that every version has.
#[derive(Deserialize)]
struct Head {
    format: u32,
    #[serde(default)]
    requires: BTreeSet<String>,
}

impl Stored {
    /// Reads the document of a package that this program can apply. What it says is believed only when it is completed.
    ///
    /// # Errors
    /// Content errors for other versions, unknown required features and what is no such document.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let invalid = |error: serde_json::Error| Error::content(format!("metadata.json is not valid: {error}"));
        let head: Head = serde_json::from_slice(bytes).map_err(invalid)?;
        if head.format != FORMAT {
            return Err(Error::content(format!(
                "the package has format version {}; this program reads version {FORMAT}",
                head.format
            ))
            .with_hint("apply it with the version of docker_delta that made it, or a later one"));
        }
        let known = |feature: &String| features().any(|known| known == feature);
        if let Some(feature) = head.requires.iter().find(|feature| !known(feature)) {
            return Err(Error::content(format!(
                "the package requires the feature `{}`, which this program lacks",
                feature.escape_debug()
            ))
            .with_hint("apply it with the version of docker_delta that made it, or a later one"));
        }
        serde_json::from_slice(bytes).map_err(invalid)
    }

    /// The document as it is stored.
    ///
    /// # Errors
    /// Never for values of this program; an internal error otherwise.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self).map_err(|error| Error::internal(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl Metadata {
    /// The layers that only a base image can give.
    pub(crate) fn base_layers(&self) -> BTreeSet<DiffId> {
        let held = self.bases.iter().flat_map(|base| &base.layers).map(|layer| layer.diff_id);
        held.chain(self.stream.iter().map(|stream| stream.base)).collect()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The name of the member that holds a document.
pub(crate) fn document_member(digest: BlobDigest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
