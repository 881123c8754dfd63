//! What `list` and `info` say about a package, as data.

mod place;
mod shares;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::digest::{BlobDigest, ConfigDigest, DiffId};
use crate::error::Result;
use crate::image::documents::{LayoutEntry, LayoutIndex, read_about, read_config};
use crate::image::{ImageName, ManifestKind, Platform};
use crate::job::choices::{Identity, Method};
use crate::package::Package;
use crate::package::features::LayerCodec;
use crate::package::metadata::{BlobEntry, ImageEntry, ManifestEntry, Metadata, Origin, StreamEntry, Whole};
use shares::Shares;

/// One layer of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerReport {
    /// The digest of the layer.
    pub diff_id: DiffId,
    /// Its size in bytes, unless it was not read.
    pub size: Option<u64>,
    /// What happens to it.
    pub transfer: Transfer,
    /// How it is coded, where it is.
    pub codec: Option<LayerCodec>,
    /// The bytes of the package that belong to it.
    pub package_bytes: u64,
    /// Plain bytes of compressed files in it that are compressed again when it is rebuilt.
    pub recompressed_bytes: u64,
    /// The layers that must be there to rebuild it.
    pub needs: Vec<DiffId>,
    /// Its compressed forms that images name.
    pub blobs: Vec<BlobReport>,
}

/// One compressed form of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlobReport {
    /// The digest of the blob.
    pub digest: BlobDigest,
    /// Its size in bytes.
    pub size: u64,
    /// What happens to it.
    pub transfer: BlobTransfer,
    /// The encoder that makes it again; or where none does, the one that came nearest.
    pub encoder: Option<String>,
    /// The offset of the first byte that the nearest encoder makes otherwise.
    pub differs_at: Option<u64>,
    /// Why it travels as it is.
    pub reason: Option<WholeReason>,
}

/// Why a blob travels as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WholeReason {
    /// No known encoder makes it.
    UnknownEncoder,
    /// That takes no more than its layer and what makes it again.
    Smallest,
    /// Nothing was to be compressed again.
    Asked,
}

impl From<Option<Whole>> for WholeReason {
    fn from(whole: Option<Whole>) -> Self {
        match whole {
            None => Self::UnknownEncoder,
            Some(Whole::Smallest) => Self::Smallest,
            Some(Whole::Asked) => Self::Asked,
        }
    }
}

impl BlobReport {
    /// Why the blob travels as it is, for people.
    pub fn explanation(&self) -> Option<String> {
        Some(match (self.reason?, &self.encoder, self.differs_at) {
            (WholeReason::Smallest, ..) => "which is smallest".to_owned(),
            (WholeReason::Asked, ..) => "because nothing is to be compressed again".to_owned(),
            (WholeReason::UnknownEncoder, Some(encoder), Some(offset)) => {
                format!("because an unknown encoder made it ({encoder} comes nearest, and differs at byte {offset})")
            }
            (WholeReason::UnknownEncoder, ..) => "because an unknown encoder made it".to_owned(),
        })
    }
}

/// What happens to a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobTransfer {
    /// A base has the very same; nothing travels.
    Held,
    /// Its layer is compressed again.
    Recreated,
    /// It travels as it is.
    Whole,
}

impl From<&BlobEntry> for BlobReport {
    fn from(entry: &BlobEntry) -> Self {
        let transfer = match (&entry.recreated, &entry.member) {
            (Some(_), _) => BlobTransfer::Recreated,
            (None, Some(_)) => BlobTransfer::Whole,
            (None, None) => BlobTransfer::Held,
        };
        let made = entry.recreated.as_ref().map(|recreated| recreated.encoder.clone());
        let nearest = entry.nearest.as_ref();
        Self {
            digest: entry.digest,
            size: entry.size,
            transfer,
            encoder: made.or_else(|| nearest.map(|nearest| nearest.encoder.clone())),
            differs_at: nearest.map(|nearest| nearest.differs_at),
            reason: entry.member.as_ref().map(|_| entry.whole.into()),
        }
    }
}

/// What happens to a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transfer {
    /// A base has it at the same place; nothing travels.
    Held,
    /// A base has it at another place, and is read for it where a store asks for it; nothing travels.
    Referred,
    /// It travels as a difference.
    Delta,
    /// It travels whole.
    Whole,
}

impl Transfer {
    /// Whether a base has the layer as it is.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Held | Self::Referred)
    }
}

/// A package as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackageReport {
    /// The version of the format.
    pub format: u32,
    /// The features that a reader must know.
    pub requires: Vec<String>,
    /// The program that made it.
    pub created_by: String,
    /// The method that was asked for.
    pub method: Method,
    /// Which identity comes back.
    pub identity: Identity,
    /// The compressor.
    pub compression: String,
    /// The level.
    pub level: i32,
    /// The size of the package in bytes.
    pub package_bytes: u64,
    /// The size of all layers of its images, uncompressed: about what `docker save` writes; unless one was not read.
    pub image_bytes: Option<u64>,
    /// The size of the layers that no base has, uncompressed.
    pub missing_bytes: u64,
    /// Plain bytes of compressed files that are compressed again when all is rebuilt.
    pub recompressed_bytes: u64,
    /// The size of the layers that are compressed again, uncompressed.
    pub recreated_bytes: u64,
    /// The encoders that compress them.
    pub encoders: BTreeSet<String>,
    /// The size of the layers that travel compressed as they are.
    pub whole_blob_bytes: u64,
    /// These layers in their compressed form, and why.
    pub whole_blobs: Vec<BlobReport>,
    /// The images.
    pub images: Vec<ImageReport>,
    /// The file or tree that it brings instead.
    pub stream: Option<StreamEntry>,
    /// What must be there already.
    pub bases: Vec<BaseReport>,
}

/// One image of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageReport {
    /// Its tags.
    pub names: Vec<ImageName>,
    /// The digest of its manifest or index: its ID in a containerd store.
    pub digest: BlobDigest,
    /// What the layout that it was found in says of it, where that is more than the names.
    pub listed: Vec<ListedReport>,
    /// What it consists of.
    pub manifests: Vec<ManifestReport>,
}

impl ImageReport {
    /// Whether nothing of it is an image: a chart, a signature, a bill of materials.
    pub fn is_artifact(&self) -> bool {
        self.manifests.iter().all(|manifest| manifest.kind == ManifestKind::Attestation)
    }

    /// What the manifests that are no images say that they are.
    pub fn artifact_types(&self) -> Vec<&str> {
        let types: BTreeSet<&str> =
            self.manifests.iter().filter_map(|manifest| manifest.artifact_type.as_deref()).collect();
        types.into_iter().collect()
    }
}

/// What the `index.json` of a layout says of an image in one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedReport {
    /// What the layout calls the image: a tag, or a name with one.
    pub tag: Option<String>,
    /// What it is, where it is no image.
    pub artifact_type: Option<String>,
    /// The platform.
    pub platform: Option<Platform>,
    /// All annotations.
    pub annotations: BTreeMap<String, String>,
}

impl From<&LayoutEntry> for ListedReport {
    fn from(entry: &LayoutEntry) -> Self {
        Self {
            tag: entry.reference().map(str::to_owned),
            artifact_type: entry.artifact_type.clone(),
            platform: entry.platform.clone(),
            annotations: entry.annotations.clone(),
        }
    }
}

/// One manifest of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManifestReport {
    /// The digest of the config: the image's ID in Docker's classic store and podman.
    pub id: ConfigDigest,
    /// What it describes.
    pub kind: ManifestKind,
    /// What it is, where it is no image.
    pub artifact_type: Option<String>,
    /// The platform.
    pub platform: Option<Platform>,
    /// When the image was made.
    pub created: Option<String>,
    /// The number of its layers.
    pub layers: usize,
}

/// An image that must be there already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BaseReport {
    /// Its tags on the side of the maker.
    pub names: Vec<ImageName>,
    /// The digests of its configs.
    pub ids: Vec<ConfigDigest>,
    /// The digest of its manifest or index.
    pub digest: BlobDigest,
}

/// The layers in the order of the package.
pub fn layers(metadata: &Metadata) -> Vec<LayerReport> {
    let displaced = place::displaced(metadata);
    let shares = Shares::of(metadata);
    metadata
        .layers
        .iter()
        .map(|layer| {
            let recompressed_bytes = layer.origin.recompressed();
            let (transfer, codec, needs) = match &layer.origin {
                Origin::Held if displaced.contains(&layer.diff_id) => (Transfer::Referred, None, Vec::new()),
                Origin::Held => (Transfer::Held, None, Vec::new()),
                Origin::Coded { codec, bases, .. } if bases.is_empty() => (Transfer::Whole, Some(*codec), Vec::new()),
                Origin::Coded { codec, bases, .. } => (Transfer::Delta, Some(*codec), bases.clone()),
            };
            LayerReport {
                diff_id: layer.diff_id,
                size: layer.size,
                transfer,
                codec,
                package_bytes: shares.bytes_of(layer),
                recompressed_bytes,
                needs,
                blobs: shares.blobs_of(layer.diff_id).iter().copied().map(BlobReport::from).collect(),
            }
        })
        .collect()
}

/// The bytes of all layers, where all are known.
pub fn image_bytes(metadata: &Metadata) -> Option<u64> {
    metadata.layers.iter().map(|layer| layer.size).sum()
}

/// The package as a whole.
///
/// # Errors
/// Content errors when a document is damaged.
pub fn package(package: &Package) -> Result<PackageReport> {
    let metadata = package.metadata();
    let images = images(package)?;
    let bases = metadata.bases.iter().map(|base| BaseReport {
        names: base.names.clone(),
        ids: base.configs.clone(),
        digest: base.root,
    });
    let layers = layers(metadata);
    let blobs = |transfer| move |layer: &&LayerReport| layer.blobs.iter().any(|blob| blob.transfer == transfer);
    let recreated = layers.iter().filter(blobs(BlobTransfer::Recreated));
    let compressed =
        |transfer| layers.iter().flat_map(|layer| &layer.blobs).filter(move |blob| blob.transfer == transfer);
    Ok(PackageReport {
        recreated_bytes: recreated.filter_map(|layer| layer.size).sum(),
        encoders: compressed(BlobTransfer::Recreated).filter_map(|blob| blob.encoder.clone()).collect(),
        whole_blob_bytes: compressed(BlobTransfer::Whole).map(|blob| blob.size).sum(),
        whole_blobs: compressed(BlobTransfer::Whole).cloned().collect(),
        format: metadata.format,
        requires: metadata.requires.iter().cloned().collect(),
        created_by: metadata.created_by.clone(),
        method: metadata.method,
        identity: metadata.identity,
        compression: metadata.compression.clone(),
        level: metadata.level,
        package_bytes: package.size(),
        image_bytes: image_bytes(metadata),
        missing_bytes: layers.iter().filter(|layer| !layer.transfer.is_held()).filter_map(|layer| layer.size).sum(),
        recompressed_bytes: metadata.layers.iter().map(|layer| layer.origin.recompressed()).sum(),
        images,
        stream: metadata.stream.clone(),
        bases: bases.collect(),
    })
}

/// The images of a package.
///
/// # Errors
/// Content errors when a document is damaged.
pub fn images(package: &Package) -> Result<Vec<ImageReport>> {
    let index = package.layout_index()?.as_ref().map(LayoutIndex::read).transpose()?;
    let image = |image: &ImageEntry| {
        Ok(ImageReport {
            names: image.names.clone(),
            digest: image.root.digest,
            listed: index.iter().flat_map(|index| index.of(image.root.digest)).map(ListedReport::from).collect(),
            manifests: image.manifests.iter().map(|entry| manifest(package, entry)).collect::<Result<_>>()?,
        })
    };
    package.metadata().images.iter().map(image).collect()
}

fn manifest(package: &Package, entry: &ManifestEntry) -> Result<ManifestReport> {
    let shown = |text: Option<String>| text.filter(|text| !has_control(text));
    let config = package.document(entry.config.into())?;
    let artifact_type = match entry.kind {
        ManifestKind::Image => None,
        ManifestKind::Attestation => shown(read_about(&package.document(entry.digest)?).artifact_type),
    };
    Ok(ManifestReport {
        id: entry.config,
        kind: entry.kind,
        artifact_type,
        platform: entry.platform.clone(),
        created: shown(read_config(&config).ok().and_then(|config| config.created)),
        layers: entry.layers.len(),
    })
}

/// Texts are shown on terminals, which obey control characters.
fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}
