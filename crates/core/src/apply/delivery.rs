//! The images of a package, in the form that a sink takes.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::image::documents::{LayoutIndex, OCI_MANIFEST, Pointer, Pointers, read_pointers, synthesise_manifest};
use crate::image::{Document, ImageName, ManifestKind, Platform, RebuiltImage, RebuiltManifest, Root, left_out};
use crate::package::Package;
use crate::package::metadata::{ImageEntry, Index, ManifestEntry, Metadata};

/// How an image is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// All documents and blobs as they were.
    Original,
    /// Uncompressed layers under the manifest that Docker makes for them, for one platform: what Docker's classic store and
    /// podman keep. Config and diff IDs, and with them the image's ID there, are the same.
    Uncompressed(Platform),
}

/// The images, still without blobs. With `platforms`, only manifests of these. Artifacts come as they are, or not at all.
///
/// # Errors
/// Content errors when a document is damaged; usage errors when a platform is not there.
pub fn images(package: &Package, delivery: &Delivery, platforms: &[Platform]) -> Result<Vec<RebuiltImage>> {
    let is_deliverable = |entry: &&ImageEntry| *delivery == Delivery::Original || !entry.is_artifact();
    let image = |entry: &ImageEntry| match delivery {
        Delivery::Original => original(package, entry, platforms),
        Delivery::Uncompressed(platform) => plain(package, entry, platforms.first().unwrap_or(platform)),
    };
    package.metadata().images.iter().filter(is_deliverable).map(image).collect()
}

/// Gives the only image its only name, in what a layout says of it too; artifacts beside it stay as they are.
///
/// # Errors
/// A usage error when there is none or more than one image.
pub fn rename(images: &mut [RebuiltImage], name: &ImageName) -> Result<()> {
    let labels: Vec<String> = images.iter().filter(|image| !image.is_artifact()).map(RebuiltImage::label).collect();
    let meant = images.iter().position(|image| !image.is_artifact() || images.len() == 1);
    let (Some(meant), true) = (meant, labels.len() <= 1) else {
        let (count, labels) = (labels.len(), labels.join(", "));
        return Err(Error::usage(format!("{name} cannot name {count} images: the package brings {labels}")));
    };
    let root = images[meant].root.digest;
    let renamed = |index: &Document| LayoutIndex::read(index)?.renamed(root, name);
    let index = images[meant].layout_index.as_ref().map(renamed).transpose()?;
    images[meant].names = vec![name.clone()];
    images.iter_mut().for_each(|image| image.layout_index.clone_from(&index));
    Ok(())
}

fn original(package: &Package, entry: &ImageEntry, platforms: &[Platform]) -> Result<RebuiltImage> {
    let is_artifact = entry.is_artifact();
    let wanted = |manifest: &&ManifestEntry| {
        let is_chosen = |platform| platforms.contains(platform);
        is_artifact || platforms.is_empty() || manifest.platform.as_ref().is_some_and(is_chosen)
    };
    let (kept, left): (Vec<_>, Vec<_>) = entry.manifests.iter().partition(wanted);
    let manifests: Vec<RebuiltManifest> = kept.iter().copied().map(rebuilt).collect();
    if manifests.is_empty() && !is_artifact {
        return Err(no_platform(entry, &platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    let digests = |manifest: &&ManifestEntry| (manifest.digest, manifest.config);
    let left = left_out(left.iter().map(digests), kept.iter().map(digests));
    let document = |digest| Ok((digest, package.document(digest)?));
    let travelling = entry.documents.iter().copied().filter(|digest| !left.contains(digest));
    let documents = travelling.map(document).collect::<Result<_>>()?;
    Ok(RebuiltImage {
        names: entry.names.clone(),
        root: entry.root.clone(),
        documents,
        manifests,
        blobs: BTreeMap::new(),
        layout_index: package.layout_index()?,
    })
}

fn plain(package: &Package, entry: &ImageEntry, platform: &Platform) -> Result<RebuiltImage> {
    let images = || entry.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Image);
    // An image for one platform only is what is meant, whatever the engine runs on.
    let chosen = images().find(|manifest| manifest.platform.as_ref() == Some(platform)).or_else(|| {
        let mut all = images();
        all.next().filter(|_| all.next().is_none())
    });
    let chosen = chosen.ok_or_else(|| no_platform(entry, &platform.to_string()))?;
    let config = package.document(chosen.config.into())?;
    let manifest = plain_manifest(package.metadata(), chosen, &config)?;
    let root = Root {
        media_type: OCI_MANIFEST.to_owned(),
        digest: manifest.digest(),
        size: manifest.bytes().len() as u64,
        synthesised: true,
    };
    let layers = chosen.layers.iter().map(|layer| (layer.diff_id, layer.diff_id.into())).collect();
    let rebuilt = RebuiltManifest { digest: manifest.digest(), layers, ..rebuilt(chosen) };
    let documents = [config, manifest].map(|document| (document.digest(), document)).into();
    Ok(RebuiltImage {
        names: entry.names.clone(),
        root,
        documents,
        manifests: vec![rebuilt],
        blobs: BTreeMap::new(),
        layout_index: None,
    })
}

/// Says in the manifest of an image of uncompressed layers how large those are that it hands over; the package may not know it.
///
/// # Errors
/// Content errors when a document is damaged.
pub fn measured(image: &mut RebuiltImage) -> Result<()> {
    let [manifest] = image.manifests.as_slice() else { return Ok(()) };
    let document = image.documents.get(&manifest.digest).filter(|_| image.root.synthesised);
    let config = image.documents.get(&manifest.config.into());
    let (Some(document), Some(config)) = (document, config) else { return Ok(()) };
    let Pointers::Manifest { layers, .. } = read_pointers(document)? else { return Ok(()) };
    let size = |layer: &Pointer| image.blobs.get(&layer.digest).map_or(layer.size, |blob| blob.bytes().len());
    let sizes: Vec<_> =
        manifest.layers.iter().zip(&layers).map(|((diff_id, _), layer)| (*diff_id, size(layer))).collect();
    if layers.iter().zip(&sizes).all(|(layer, (_, size))| layer.size == *size) {
        return Ok(());
    }
    let made = synthesise_manifest(config, &sizes)?;
    image.documents.remove(&document.digest());
    (image.root.digest, image.root.size) = (made.digest(), made.bytes().len() as u64);
    image.manifests[0].digest = made.digest();
    image.documents.insert(made.digest(), made);
    Ok(())
}

/// The manifest of uncompressed layers. One whose size the package does not know counts nothing, until it is handed over.
fn plain_manifest(metadata: &Metadata, manifest: &ManifestEntry, config: &Document) -> Result<Document> {
    let index = Index::of(metadata);
    let size = |diff_id| index.layer(diff_id).map(|layer| (diff_id, layer.known_size()));
    let layers: Option<Vec<_>> = manifest.layers.iter().map(|layer| size(layer.diff_id)).collect();
    synthesise_manifest(config, &layers.ok_or_else(|| Error::content("metadata.json does not list every layer"))?)
}

fn rebuilt(manifest: &ManifestEntry) -> RebuiltManifest {
    RebuiltManifest {
        digest: manifest.digest,
        config: manifest.config,
        kind: manifest.kind,
        platform: manifest.platform.clone(),
        layers: manifest.layers.iter().map(|layer| (layer.diff_id, layer.blob)).collect(),
    }
}

fn no_platform(entry: &ImageEntry, wanted: &str) -> Error {
    let there = entry.manifests.iter().filter_map(|manifest| manifest.platform.as_ref());
    let there: Vec<String> = there.map(ToString::to_string).collect();
    let name = entry.names.first().map_or_else(|| entry.root.digest.short(), ToString::to_string);
    Error::usage(format!("the package has {name} for {}, not for {wanted}", there.join(", ")))
        .with_hint("choose one of them with --platform")
}
