//! What the documents of a package say need not stand in its `metadata.json` once more: the feature `implied-1`.

use std::collections::BTreeMap;

use super::{BaseEntry, BlobEntry, FORMAT, ImageEntry, LayerBlob, ListedLayer, ManifestEntry, Metadata, Stored, check};
use crate::digest::BlobDigest;
use crate::error::{Error, Result};
use crate::image::documents::{Pointer, Pointers, read_config, read_pointers};
use crate::image::{BlobCompression, Document, ManifestKind};
use crate::limits::IMPLIED_LAYERS;
use crate::package::features::{IMPLIED, ImageFeature};

/// Gives a document of the package by its digest.
type Documents<'a> = &'a dyn Fn(BlobDigest) -> Result<Document>;

impl Metadata {
    /// The document as it stands in a package: without what the `documents` say.
    ///
    /// # Errors
    /// What reading the documents reports.
    pub(crate) fn stored(&self, documents: Documents<'_>) -> Result<Stored> {
        let whole = self.with(images(&self.images, |manifest| Ok(named(manifest)))?, bases(&self.bases, listed)?);
        let all: Vec<LayerBlob> = layers(&self.images).copied().collect();
        if all.len() > IMPLIED_LAYERS {
            return Ok(whole);
        }
        // Of equal layers the first counts.
        let numbers: BTreeMap<_, _> = all.iter().enumerate().rev().map(|(number, layer)| (layer, number)).collect();
        let mut implied = BTreeMap::new();
        let manifests = images(&self.images, |manifest| {
            let said = Implied::of(manifest, documents)?.filter(|said| said.layers == manifest.layers);
            let Some(said) = said else { return Ok(named(manifest)) };
            add(&mut implied, said.blobs);
            Ok(Vec::new())
        });
        let number = |layer: &LayerBlob| {
            Ok(numbers.get(layer).map_or(ListedLayer::Named(*layer), |number| ListedLayer::Number(*number)))
        };
        let mut short = self.with(manifests?, bases(&self.bases, number)?);
        short.blobs.retain(|blob| implied.get(&blob.digest) != Some(blob));
        if short != whole {
            short.requires.insert(IMPLIED.to_owned());
        }
        Ok(short)
    }
}

impl<L> Metadata<L> {
    /// Whether one member has all documents.
    pub(crate) fn has_packed_documents(&self) -> bool {
        self.requires.contains(ImageFeature::PackedDocuments.name())
    }
}

impl Stored {
    /// All that the package says of itself: with what the `documents` say, and checked.
    ///
    /// # Errors
    /// Content errors for documents that cannot be read, and for what contradicts itself.
    pub(crate) fn completed(&self, documents: Documents<'_>) -> Result<Metadata> {
        let is_short = self.requires.contains(IMPLIED);
        let (mut implied, mut count) = (BTreeMap::new(), 0);
        let images = images(&self.images, |manifest| {
            let said = if is_short && manifest.layers.is_empty() { Implied::of(manifest, documents)? } else { None };
            let Some(said) = said else { return manifest.layers.iter().map(|layer| layer.named(&[])).collect() };
            count += said.layers.len();
            if count > IMPLIED_LAYERS {
                return Err(Error::content(format!("its manifests name more than {IMPLIED_LAYERS} layers")));
            }
            add(&mut implied, said.blobs);
            Ok(said.layers)
        })?;
        let all: Vec<LayerBlob> = if is_short { layers(&images).copied().collect() } else { Vec::new() };
        let bases = bases(&self.bases, |layer| layer.named(&all))?;
        let mut metadata = self.with(images, bases);
        self.blobs.iter().for_each(|listed| drop(implied.remove(&listed.digest)));
        if !implied.is_empty() {
            metadata.blobs.extend(implied.into_values());
            metadata.blobs.sort_by_key(|blob| blob.digest);
        }
        check::check(&metadata)?;
        Ok(metadata)
    }
}

impl ListedLayer {
    /// The layer, which may be the number of one of `all`.
    fn named(&self, all: &[LayerBlob]) -> Result<LayerBlob> {
        match self {
            Self::Named(layer) => Ok(*layer),
            Self::Number(number) => all.get(*number).copied().ok_or_else(|| {
                Error::content(format!("metadata.json lists the layer number {number}; there are {} such", all.len()))
            }),
        }
    }
}

/// What documents say of a manifest.
struct Implied {
    layers: Vec<LayerBlob>,
    /// The compressed blobs, as those that a base has.
    blobs: Vec<BlobEntry>,
}

impl Implied {
    /// `None` for what does not describe an image, or has a config of other layers.
    fn of<L>(manifest: &ManifestEntry<L>, documents: Documents<'_>) -> Result<Option<Self>> {
        if manifest.kind != ManifestKind::Image {
            return Ok(None);
        }
        let Pointers::Manifest { layers: pointers, .. } = read_pointers(&documents(manifest.digest)?)? else {
            return Ok(None);
        };
        let diff_ids = read_config(&documents(manifest.config.into())?)?.diff_ids;
        if diff_ids.len() != pointers.len() {
            return Ok(None);
        }
        let layers = diff_ids.iter().zip(&pointers);
        let layers: Vec<_> = layers.map(|(diff_id, blob)| LayerBlob { diff_id: *diff_id, blob: blob.digest }).collect();
        let compressed = pointers.iter().zip(&layers).filter(|(_, layer)| layer.blob != layer.diff_id.into());
        let blobs = compressed.filter_map(|(pointer, _)| held(pointer)).collect();
        Ok(Some(Self { layers, blobs }))
    }
}

/// The entry of a blob that a base has, if its media type says how it is compressed (OCI image-spec, layer.md).
fn held(Pointer { media_type, digest, size, .. }: &Pointer) -> Option<BlobEntry> {
    let compression = match media_type.rsplit(['+', '.']).next()? {
        "gzip" => BlobCompression::Gzip,
        "zstd" => BlobCompression::Zstd,
        _ => return None,
    };
    Some(BlobEntry {
        digest: *digest,
        size: *size,
        compression,
        member: None,
        recreated: None,
        nearest: None,
        whole: None,
    })
}

/// Adds what manifests say of blobs; of one blob, what the first of them says.
fn add(implied: &mut BTreeMap<BlobDigest, BlobEntry>, blobs: Vec<BlobEntry>) {
    for blob in blobs {
        implied.entry(blob.digest).or_insert(blob);
    }
}

/// The layers of all manifests.
fn layers<L>(images: &[ImageEntry<L>]) -> impl Iterator<Item = &L> {
    images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers)
}

fn named(manifest: &ManifestEntry) -> Vec<ListedLayer> {
    manifest.layers.iter().copied().map(ListedLayer::Named).collect()
}

fn listed(layer: &LayerBlob) -> Result<ListedLayer> {
    Ok(ListedLayer::Named(*layer))
}

/// The images with other lists of layers.
fn images<A, B>(
    images: &[ImageEntry<A>],
    mut layers: impl FnMut(&ManifestEntry<A>) -> Result<Vec<B>>,
) -> Result<Vec<ImageEntry<B>>> {
    let mut manifest = |one: &ManifestEntry<A>| {
        let ManifestEntry { digest, config, kind, platform, .. } = one;
        let (digest, config, kind, platform) = (*digest, *config, *kind, platform.clone());
        Ok(ManifestEntry { digest, config, kind, platform, layers: layers(one)? })
    };
    let image = |ImageEntry { names, root, documents, manifests }: &ImageEntry<A>| {
        let (names, root, documents) = (names.clone(), root.clone(), documents.clone());
        let manifests = manifests.iter().map(&mut manifest).collect::<Result<_>>()?;
        Ok(ImageEntry { names, root, documents, manifests })
    };
    images.iter().map(image).collect()
}

/// The bases with other lists of layers.
fn bases<A, B>(bases: &[BaseEntry<A>], layer: impl Fn(&A) -> Result<B>) -> Result<Vec<BaseEntry<B>>> {
    let base = |BaseEntry { names, root, configs, layers }: &BaseEntry<A>| {
        let (names, root, configs) = (names.clone(), *root, configs.clone());
        Ok(BaseEntry { names, root, configs, layers: layers.iter().map(&layer).collect::<Result<_>>()? })
    };
    bases.iter().map(base).collect()
}

impl<A> Metadata<A> {
    /// The same with other images and bases.
    fn with<B>(&self, images: Vec<ImageEntry<B>>, bases: Vec<BaseEntry<B>>) -> Metadata<B> {
        Metadata {
            format: FORMAT,
            requires: self.requires.clone(),
            created_by: self.created_by.clone(),
            method: self.method,
            identity: self.identity,
            compression: self.compression.clone(),
            level: self.level,
            images,
            layout_index: self.layout_index,
            stream: self.stream.clone(),
            bases,
            layers: self.layers.clone(),
            blobs: self.blobs.clone(),
            members: self.members.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::digest::DiffId;

    #[test]
    fn what_no_reader_would_take_from_the_documents_is_listed() {
        let own = BlobDigest::of(b"document");
        let manifest = |layers: usize| json!({"digest": own, "config": own, "kind": "image", "layers": vec![DiffId::of(b"layer"); layers]});
        let stored = |layers: usize| {
            let metadata = json!({
                "format": 1, "requires": [], "created_by": "", "method": "auto", "identity": "manifest",
                "compression": "", "level": 0, "bases": [], "layers": [], "members": [],
                "images": [{
                    "names": [], "root": {"media_type": "", "digest": own, "size": 0, "synthesised": false},
                    "documents": [], "manifests": [manifest(layers)],
                }],
            });
            let read = Stored::parse(&serde_json::to_vec(&metadata).unwrap()).unwrap();
            let named =
                |manifest: &ManifestEntry<ListedLayer>| manifest.layers.iter().map(|one| one.named(&[])).collect();
            let images = images(&read.images, named).unwrap();
            let metadata: Metadata = read.with(images, Vec::new());
            metadata.stored(&|_| Err(Error::content("it is asked for"))).map(|stored| stored.requires.len())
        };
        assert_eq!(stored(IMPLIED_LAYERS).unwrap_err().to_string(), "it is asked for");
        assert_eq!(stored(IMPLIED_LAYERS + 1).unwrap(), 0);
    }
}
