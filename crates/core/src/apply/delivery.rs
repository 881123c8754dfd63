//! The images of a package, in the form that a sink takes.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::image::documents::{OCI_MANIFEST, synthesise_manifest};
use crate::image::{Document, ManifestKind, Platform, RebuiltImage, RebuiltManifest, Root};
use crate::package::Package;
use crate::package::metadata::{ImageEntry, ManifestEntry, Metadata};

/// How an image is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// All documents and blobs as they were.
    Original,
    /// Uncompressed layers under the manifest that Docker makes for them, for one platform: what Docker's classic store and
    /// podman keep. Config and diff IDs, and with them the image's ID there, are the same.
    Uncompressed(Platform),
}

/// The images, still without blobs. With `platforms`, only manifests of these.
///
/// # Errors
/// Content errors when a document is damaged; usage errors when a platform is not there.
pub fn images(package: &Package, delivery: &Delivery, platforms: &[Platform]) -> Result<Vec<RebuiltImage>> {
    let image = |entry: &ImageEntry| match delivery {
        Delivery::Original => original(package, entry, platforms),
        Delivery::Uncompressed(platform) => plain(package, entry, platforms.first().unwrap_or(platform)),
    };
    package.metadata().images.iter().map(image).collect()
}

fn original(package: &Package, entry: &ImageEntry, platforms: &[Platform]) -> Result<RebuiltImage> {
    let wanted = |manifest: &&ManifestEntry| {
        platforms.is_empty() || manifest.platform.as_ref().is_some_and(|platform| platforms.contains(platform))
    };
    let manifests: Vec<RebuiltManifest> = entry.manifests.iter().filter(wanted).map(rebuilt).collect();
    if manifests.is_empty() {
        return Err(no_platform(entry, &platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    let document = |digest| Ok((digest, package.document(digest)?));
    let documents = entry.documents.iter().copied().map(document).collect::<Result<_>>()?;
    Ok(RebuiltImage {
        names: entry.names.clone(),
        root: entry.root.clone(),
        documents,
        manifests,
        blobs: BTreeMap::new(),
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
    Ok(RebuiltImage { names: entry.names.clone(), root, documents, manifests: vec![rebuilt], blobs: BTreeMap::new() })
}

fn plain_manifest(metadata: &Metadata, manifest: &ManifestEntry, config: &Document) -> Result<Document> {
    let size = |diff_id| metadata.layer(diff_id).map(|layer| (diff_id, layer.size));
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
