//! The documents of a package must say what its `metadata.json` says, before either is believed.

use std::collections::BTreeSet;

use super::Package;
use super::metadata::{ImageEntry, ManifestEntry};
use crate::digest::{BlobDigest, DiffId};
use crate::error::{Error, Result};
use crate::image::documents::{LayoutIndex, Pointers, read_config, read_pointers};
use crate::image::{ImageName, ManifestKind};
use crate::limits::INDEX_DEPTH;

/// Compares all documents with the metadata.
pub(super) fn check(package: &Package) -> Result<()> {
    package.metadata().images.iter().try_for_each(|image| check_image(package, image))?;
    check_layout_index(package)
}

/// The index of a layout must list every image, as what its root is and under no other names.
fn check_layout_index(package: &Package) -> Result<()> {
    let Some(document) = package.layout_index()? else { return Ok(()) };
    let index = LayoutIndex::read(&document)?;
    package.metadata().images.iter().try_for_each(|image| check_listed(&index, image))
}

fn check_listed(index: &LayoutIndex, image: &ImageEntry) -> Result<()> {
    let fault = |what: &str| Err(Error::content(format!("the index.json of the layout {what} {}", image.root.digest)));
    let mut entries = index.of(image.root.digest).peekable();
    if entries.peek().is_none() {
        return fault("does not list the image");
    }
    for entry in entries {
        if entry.media_type != image.root.media_type && !entry.media_type.is_empty() {
            return fault("gives another media type than metadata.json to");
        }
        let is_known = |name: &ImageName| image.names.iter().any(|known| known.full() == name.full());
        if entry.name().is_some_and(|name| !is_known(&name)) {
            return fault("gives another name than metadata.json to");
        }
    }
    Ok(())
}

fn check_image(package: &Package, image: &ImageEntry) -> Result<()> {
    let root = package.document(image.root.digest)?;
    let found = root.bytes().len() as u64;
    if found != image.root.size {
        let what = format!("the document {}", image.root.digest);
        let (expected, found) = (format!("{} bytes", image.root.size), format!("{found} bytes"));
        return Err(Error::Mismatch { what, expected, found });
    }
    image.documents.iter().try_for_each(|digest| package.document(*digest).map(|_| ()))?;
    let listed: BTreeSet<BlobDigest> = image.documents.iter().copied().collect();
    let mut reached = BTreeSet::new();
    reach(package, &listed, image.root.digest, INDEX_DEPTH, &mut reached)?;
    if let Some(stray) = image.manifests.iter().find(|manifest| !reached.contains(&manifest.digest)) {
        return Err(Error::content(format!("the manifest {} is not one of those that its image lists", stray.digest)));
    }
    image.manifests.iter().try_for_each(|manifest| check_manifest(package, manifest))
}

/// Notes the documents that can be reached from `digest`, as far as they are in the package.
fn reach(
    package: &Package,
    listed: &BTreeSet<BlobDigest>,
    digest: BlobDigest,
    depth: usize,
    reached: &mut BTreeSet<BlobDigest>,
) -> Result<()> {
    if !listed.contains(&digest) || !reached.insert(digest) || depth == 0 {
        return Ok(());
    }
    match read_pointers(&package.document(digest)?)? {
        Pointers::Manifest { .. } => Ok(()),
        Pointers::Index(entries) => {
            entries.iter().try_for_each(|entry| reach(package, listed, entry.digest, depth - 1, reached))
        }
    }
}

/// The config and manifest must say of the layers what the metadata says.
fn check_manifest(package: &Package, entry: &ManifestEntry) -> Result<()> {
    let fault = |what: &str| Err(Error::content(format!("the manifest {}: {what}", entry.digest)));
    let Pointers::Manifest { config, layers } = read_pointers(&package.document(entry.digest)?)? else {
        return fault("it is an index");
    };
    if config.digest != entry.config.into() {
        return fault("it names another config than metadata.json");
    }
    if !layers.iter().map(|layer| layer.digest).eq(entry.layers.iter().map(|layer| layer.blob)) {
        return fault("it names other blobs than metadata.json");
    }
    if entry.kind == ManifestKind::Attestation {
        return Ok(());
    }
    let config = read_config(&package.document(config.digest)?)?;
    let diff_ids: Vec<DiffId> = entry.layers.iter().map(|layer| layer.diff_id).collect();
    if config.diff_ids != diff_ids {
        return fault("its config lists other layers than metadata.json");
    }
    if entry.platform.as_ref().is_some_and(|platform| *platform != config.platform) {
        return fault("its config is of another platform than metadata.json says");
    }
    Ok(())
}
