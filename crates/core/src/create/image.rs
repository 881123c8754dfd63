//! Which parts of the images travel, and in which form.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{CreateOptions, layout_index};
use crate::digest::DiffId;
use crate::error::{Error, Result};
use crate::image::documents::{LayoutIndex, OCI_INDEX, OCI_MANIFEST, synthesise_index, synthesise_manifest};
use crate::image::{
    BlobCompression, Document, Image, Layer, Manifest, ManifestKind, Platform, Root, layers_of, left_out,
};
use crate::job::choices::{Identity, Method};
use crate::package::metadata::{ImageEntry, LayerBlob, ManifestEntry, document_member};
use crate::package::packed::{Documents, pack};
use crate::package::{MANIFEST, Member};

/// The images with the chosen platforms, in the chosen form. Of a layer that lies near in a base nothing is fetched to measure it.
pub(super) fn chosen(images: &[Image], bases: &[Image], options: &CreateOptions) -> Result<Vec<Image>> {
    let near = near(bases);
    let pick = |image: &Image| {
        let image = of_platforms(image, &options.platforms)?;
        match options.identity {
            Identity::Manifest => Ok(image),
            Identity::Config => uncompressed(&image, &near),
        }
    };
    let mut chosen: Vec<Image> = Vec::new();
    for image in images.iter().map(pick) {
        let image = image?;
        match chosen.iter_mut().find(|known| known.root.digest == image.root.digest) {
            Some(known) => add_names(known, image)?,
            None => chosen.push(image),
        }
    }
    Ok(chosen)
}

/// One image that was given under several names travels once. Its entry of `manifest.json` has only some of them.
fn add_names(image: &mut Image, other: Image) -> Result<()> {
    let known = image.names.len();
    for name in other.names {
        if !image.names.contains(&name) {
            image.names.push(name);
        }
    }
    let is_more = image.names.len() > known;
    if is_more {
        image.docker_manifest = None;
    }
    if is_more || image.layout_index != other.layout_index {
        image.layout_index = layout_index::joined(image, other.layout_index.as_ref())?;
    }
    Ok(())
}

/// Layers of images that can be read without fetching them.
pub(super) fn near(images: &[Image]) -> BTreeMap<DiffId, &Layer> {
    layers_of(images).filter(|layer| !layer.content.is_far()).map(|layer| (layer.diff_id, layer)).collect()
}

fn of_platforms(image: &Image, platforms: &[Platform]) -> Result<Image> {
    let mut image = image.clone();
    if platforms.is_empty() || image.is_artifact() {
        return Ok(image);
    }
    let has = |wanted: &Platform, manifest: &Manifest| manifest.platform.as_ref() == Some(wanted);
    if let Some(absent) = platforms.iter().find(|wanted| !image.manifests.iter().any(|manifest| has(wanted, manifest)))
    {
        let there: Vec<String> =
            image.manifests.iter().filter_map(|manifest| manifest.platform.as_ref()).map(ToString::to_string).collect();
        return Err(Error::usage(format!("{} has no platform {absent}; it has {}", image.label(), there.join(", "))));
    }
    let is_wanted = |manifest: &Manifest| platforms.iter().any(|wanted| has(wanted, manifest));
    let (kept, left): (Vec<_>, Vec<_>) = image.manifests.into_iter().partition(is_wanted);
    let digests = |manifest: &Manifest| (manifest.digest, manifest.config);
    let left = left_out(left.iter().map(digests), kept.iter().map(digests));
    image.manifests = kept;
    image.documents.retain(|digest, _| !left.contains(digest));
    Ok(image)
}

/// The image with its layers uncompressed, under the manifest that Docker makes for them.
fn uncompressed(image: &Image, near: &BTreeMap<DiffId, &Layer>) -> Result<Image> {
    if image
        .manifests
        .iter()
        .flat_map(|manifest| &manifest.layers)
        .all(|layer| layer.compression == BlobCompression::None)
    {
        return Ok(image.clone());
    }
    let mut documents = BTreeMap::new();
    let mut manifests = Vec::new();
    for manifest in image.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Image) {
        let config = image.documents.get(&manifest.config.into());
        let config = config.ok_or_else(|| Error::content(format!("{} lacks its config", image.label())))?;
        let plain = |layer: &Layer| uncompressed_layer(layer, near.get(&layer.diff_id).copied().unwrap_or(layer));
        let layers = manifest.layers.iter().map(plain).collect::<Result<Vec<_>>>()?;
        let sizes: Vec<_> = layers.iter().map(|layer| (layer.diff_id, layer.blob_size)).collect();
        let document = synthesise_manifest(config, &sizes)?;
        manifests.push((
            document.clone(),
            manifest.platform.clone(),
            Manifest { digest: document.digest(), layers, ..manifest.clone() },
        ));
        documents.extend([config.clone(), document].map(|document| (document.digest(), document)));
    }
    let (root, media_type) = match manifests.as_slice() {
        [(only, ..)] => (only.clone(), OCI_MANIFEST),
        several => {
            let entries: Vec<_> =
                several.iter().map(|(document, platform, _)| (document.clone(), platform.clone())).collect();
            (synthesise_index(&entries)?, OCI_INDEX)
        }
    };
    let size = root.bytes().len() as u64;
    let root_entry = Root { media_type: media_type.to_owned(), digest: root.digest(), size, synthesised: true };
    documents.insert(root.digest(), root);
    let manifests = manifests.into_iter().map(|(.., manifest)| manifest).collect();
    let moved = |index: &Document| LayoutIndex::read(index)?.moved(image.root.digest, &root_entry);
    let layout_index = image.layout_index.as_ref().map(moved).transpose()?;
    let names = image.names.clone();
    Ok(Image { names, root: root_entry, documents, manifests, docker_manifest: None, layout_index })
}

/// The layer without its compression, as long as the same one that was `measured`.
fn uncompressed_layer(layer: &Layer, measured: &Layer) -> Result<Layer> {
    let size = measured.content.plain()?.len();
    Ok(Layer { blob: layer.diff_id.into(), blob_size: size, compression: BlobCompression::None, ..layer.clone() })
}

pub(super) fn entry(image: &Image) -> ImageEntry {
    ImageEntry {
        names: image.names.clone(),
        root: image.root.clone(),
        documents: image.documents.keys().copied().collect(),
        manifests: image.manifests.iter().map(manifest_entry).collect(),
    }
}

fn manifest_entry(manifest: &Manifest) -> ManifestEntry {
    let layer = |layer: &Layer| LayerBlob { diff_id: layer.diff_id, blob: layer.blob };
    ManifestEntry {
        digest: manifest.digest,
        config: manifest.config,
        kind: manifest.kind,
        platform: manifest.platform.clone(),
        layers: manifest.layers.iter().map(layer).collect(),
    }
}

/// `manifest.json`, and every document once: mixed to one member where the method has the choice and the compression is to be thorough,
/// else each in its own.
pub(super) fn documents(
    images: &[Image],
    layout_index: Option<&Document>,
    options: &CreateOptions,
) -> Result<Vec<Member>> {
    let documents: Documents = images
        .iter()
        .flat_map(|image| image.documents.values())
        .chain(layout_index)
        .map(|document| (document.digest(), document.clone()))
        .collect();
    let manifest = Member { name: MANIFEST.to_owned(), bytes: Arc::new(docker_manifest(images)?) };
    if options.method == Method::Auto
        && options.compression.is_thorough()
        && let Some(packed) = pack(&documents)
    {
        return Ok(vec![manifest, packed]);
    }
    let member = |document: Document| Member {
        name: document_member(document.digest()),
        bytes: Arc::new(document.bytes().to_vec()),
    };
    Ok([manifest].into_iter().chain(documents.into_values().map(member)).collect())
}

/// The entries as the sources had them; where one had none, in the form of Docker 25 and later.
fn docker_manifest(images: &[Image]) -> Result<Vec<u8>> {
    let mut seen = BTreeSet::new();
    let mut entries: Vec<Box<RawValue>> = Vec::new();
    for image in images {
        match &image.docker_manifest {
            Some(found) => {
                if seen.insert(found.get().to_owned()) {
                    entries.push(found.clone());
                }
            }
            None => {
                for manifest in image.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Image) {
                    entries.push(made_entry(image, manifest)?);
                }
            }
        }
    }
    let text: Vec<&str> = entries.iter().map(|entry| entry.get()).collect();
    Ok(format!("[{}]\n", text.join(",")).into_bytes())
}

fn made_entry(image: &Image, manifest: &Manifest) -> Result<Box<RawValue>> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Entry {
        config: String,
        repo_tags: Option<Vec<String>>,
        layers: Vec<String>,
    }
    let tags: Vec<String> = image.names.iter().map(ToString::to_string).collect();
    let entry = Entry {
        config: document_member(manifest.config.into()),
        repo_tags: (!tags.is_empty()).then_some(tags),
        layers: manifest.layers.iter().map(|layer| document_member(layer.blob)).collect(),
    };
    serde_json::value::to_raw_value(&entry).map_err(|error| Error::internal(error.to_string()))
}
