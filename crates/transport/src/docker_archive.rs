//! What `docker save` up to version 24 and podman's docker-archive write: a list in `manifest.json`, no OCI manifest.

use std::collections::BTreeSet;
use std::sync::Arc;

use delta_core::error::{Error, Result};
use delta_core::image::documents::{self, OCI_MANIFEST, read_config, synthesise_manifest};
use delta_core::image::{BlobCompression, Image, Layer, LayerContent, Manifest, ManifestKind, Root};
use delta_core::limits;

use crate::blob::Blob;
use crate::container::Container;
use crate::docker_manifest::DockerEntry;
use crate::pick::Pick;
use crate::sourced_image::SourcedImage;
use crate::spool::TempScratch;

/// The images of these entries, with the names that are meant.
pub(crate) fn images(
    container: &Container,
    entries: &[&DockerEntry],
    pick: &Pick,
    scratch: &Arc<TempScratch>,
) -> Result<Vec<SourcedImage>> {
    entries.iter().map(|entry| image(container, entry, pick, scratch)).collect()
}

fn image(container: &Container, entry: &DockerEntry, pick: &Pick, scratch: &Arc<TempScratch>) -> Result<SourcedImage> {
    let absent = |path: &str| {
        Error::content(format!("it is incomplete: {path} is missing"))
            .with_hint("save the image again, with an engine that has all of it")
    };
    let config_document = container.document(&entry.config)?.ok_or_else(|| absent(&entry.config))?;
    let config = read_config(&config_document)?;
    if config.diff_ids.len() != entry.layers.len() || entry.layers.len() > limits::LAYERS_PER_IMAGE {
        let (listed, there) = (config.diff_ids.len(), entry.layers.len());
        return Err(Error::content(format!("the config lists {listed} layers, manifest.json {there}")));
    }
    let mut layers = Vec::new();
    for (path, diff_id) in entry.layers.iter().zip(&config.diff_ids) {
        let stored = container.find(path)?.ok_or_else(|| absent(path))?;
        let blob = Blob::new(format!("the layer {path}"), stored, scratch.clone())?;
        // The format names layers by what they are uncompressed, so that is the blob too.
        let plain = blob.plain()?;
        let content = Blob::opaque(format!("the layer {path}"), plain.clone(), scratch.clone());
        layers.push(Layer {
            diff_id: *diff_id,
            blob: (*diff_id).into(),
            blob_size: plain.len(),
            compression: BlobCompression::None,
            content: Arc::new(content),
        });
    }
    let sizes: Vec<_> = layers.iter().map(|layer| (layer.diff_id, layer.blob_size)).collect();
    let manifest_document = synthesise_manifest(&config_document, &sizes)?;
    let root = Root {
        media_type: OCI_MANIFEST.to_owned(),
        digest: manifest_document.digest(),
        size: manifest_document.bytes().len() as u64,
        synthesised: true,
    };
    let manifest = Manifest {
        digest: root.digest,
        config: documents::config_digest(&config_document),
        kind: ManifestKind::Image,
        platform: Some(config.platform),
        layers,
    };
    let documents = [config_document, manifest_document].map(|document| (document.digest(), document)).into();
    let names = pick.names(&entry.names);
    let docker_manifest = Some(&entry.raw).filter(|_| names == entry.names).cloned();
    let image = Image { names, root, documents, manifests: vec![manifest], docker_manifest, layout_index: None };
    Ok(SourcedImage { image, tags: BTreeSet::new() })
}

#[cfg(test)]
mod tests;
