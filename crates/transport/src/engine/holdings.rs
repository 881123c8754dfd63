//! Which blobs an engine need not be given.

use std::collections::BTreeSet;

use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::Result;
use delta_core::image::RebuiltImage;
use delta_core::package::metadata::BaseEntry;
use serde::Deserialize;

use super::{Engine, Inventory, Store};

/// The first API version that says whether a containerd store has all blobs of an image.
const API_WITH_AVAILABLE: (u32, u32) = (1, 48);

impl Engine {
    /// The blobs of `image` that the engine has and accepts an archive without: in the classic store only whole chains from
    /// the lowest layer on, in podman any layer, in the containerd store the blobs of an image that is there and whose
    /// manifest the package names. For a containerd store it is a guess where an image is for several platforms, which
    /// loading finds out.
    ///
    /// # Errors
    /// What the engine's client reports.
    pub(crate) fn holds(
        &self,
        image: &RebuiltImage,
        inventory: &Inventory,
        bases: &[BaseEntry],
    ) -> Result<BTreeSet<BlobDigest>> {
        let layers = image.manifests.iter().map(|manifest| manifest.layers.as_slice());
        Ok(match self.store {
            Store::Classic => layers.flat_map(|layers| held_by_chain(layers, inventory)).collect(),
            Store::Podman => {
                let held = inventory.diff_ids();
                layers.flatten().filter(|(diff_id, _)| held.contains(diff_id)).map(|(_, blob)| *blob).collect()
            }
            Store::Containerd => self.complete_blobs(inventory, bases)?,
        })
    }

    fn complete_blobs(&self, inventory: &Inventory, bases: &[BaseEntry]) -> Result<BTreeSet<BlobDigest>> {
        let mut blobs = BTreeSet::new();
        for base in bases.iter().filter(|base| inventory.with_id(base.root).is_some()) {
            let manifests = self.stored_manifests(base.root)?.unwrap_or_default();
            if manifests.iter().any(StoredManifest::is_whole_image) {
                blobs.extend(base.layers.iter().map(|layer| layer.blob));
            }
        }
        Ok(blobs)
    }

    /// Whether a containerd store has every blob of all these manifests of an image; `None` where the engine cannot say.
    pub(super) fn is_complete(&self, id: BlobDigest, manifests: &BTreeSet<BlobDigest>) -> Result<Option<bool>> {
        let Some(stored) = self.stored_manifests(id)? else { return Ok(None) };
        let whole: BTreeSet<BlobDigest> = stored
            .iter()
            .filter(|manifest| manifest.is_whole_image())
            .map(|manifest| manifest.descriptor.digest)
            .collect();
        Ok(Some(manifests.is_subset(&whole)))
    }

    /// What a containerd store says of the manifests of an image; `None` where the engine cannot say.
    pub(super) fn stored_manifests(&self, id: BlobDigest) -> Result<Option<Vec<StoredManifest>>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Image {
            #[serde(default)]
            manifests: Option<Vec<StoredManifest>>,
        }
        if self.store != Store::Containerd || self.api < API_WITH_AVAILABLE {
            return Ok(None);
        }
        let image: Image = self.client.get(&format!("/images/{id}/json?manifests=1"))?;
        Ok(Some(image.manifests.unwrap_or_default()))
    }
}

/// A manifest in a containerd store.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StoredManifest {
    /// Whether everything that it names is there.
    pub(super) available: bool,
    #[serde(default)]
    kind: String,
    /// Its digest and size.
    pub(super) descriptor: Descriptor,
}

/// What names a blob.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Descriptor {
    /// Its digest.
    pub(super) digest: BlobDigest,
    /// Its size in bytes.
    pub(super) size: u64,
}

impl StoredManifest {
    /// Whether it is an image's, and everything that it names is there.
    pub(super) fn is_whole_image(&self) -> bool {
        self.kind == "image" && self.available
    }
}

/// The blobs of a chain's held start, without those that occur again above it: the engine opens the file of every layer
/// whose chain is new, whether or not it has the same bytes elsewhere.
fn held_by_chain(layers: &[(DiffId, BlobDigest)], inventory: &Inventory) -> BTreeSet<BlobDigest> {
    let diff_ids: Vec<DiffId> = layers.iter().map(|(diff_id, _)| *diff_id).collect();
    let (held, new) = layers.split_at(inventory.longest_chain(&diff_ids));
    let new: BTreeSet<BlobDigest> = new.iter().map(|(_, blob)| *blob).collect();
    held.iter().map(|(_, blob)| *blob).filter(|blob| !new.contains(blob)).collect()
}

#[cfg(test)]
mod tests;
