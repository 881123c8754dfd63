//! Which blobs an engine need not be given.

use std::collections::BTreeSet;

use delta_core::digest::BlobDigest;
use delta_core::error::Result;
use delta_core::image::RebuiltImage;
use delta_core::metadata::BaseEntry;
use serde::Deserialize;

use super::{Engine, Inventory, Store};

/// The first API version that says whether a containerd store has all blobs of an image.
const API_WITH_AVAILABLE: (u32, u32) = (1, 48);

impl Engine {
    /// The blobs of `image` that the engine has and accepts an archive without: in the classic store only whole chains from
    /// the lowest layer on, in podman any layer, in the containerd store exactly the blobs of an image that is known to be
    /// complete there and whose manifest the package names.
    ///
    /// # Errors
    /// What the engine's client reports.
    pub fn holds(
        &self,
        image: &RebuiltImage,
        inventory: &Inventory,
        bases: &[BaseEntry],
    ) -> Result<BTreeSet<BlobDigest>> {
        let layers = image.manifests.iter().map(|manifest| manifest.layers.as_slice());
        Ok(match self.store {
            Store::Classic => {
                let chain = |layers: &[(_, BlobDigest)]| {
                    let diff_ids: Vec<_> = layers.iter().map(|(diff_id, _)| *diff_id).collect();
                    layers[..inventory.longest_chain(&diff_ids)].to_vec()
                };
                layers.flat_map(chain).map(|(_, blob)| blob).collect()
            }
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
            if self.is_complete(base.root)? == Some(true) {
                blobs.extend(base.layers.iter().map(|layer| layer.blob));
            }
        }
        Ok(blobs)
    }

    /// Whether a containerd store has every blob of at least one platform's image, and none is half there; `None` where
    /// the engine cannot say.
    pub(super) fn is_complete(&self, id: BlobDigest) -> Result<Option<bool>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Image {
            #[serde(default)]
            manifests: Option<Vec<Manifest>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Manifest {
            available: bool,
            #[serde(default)]
            kind: String,
        }
        if self.store != Store::Containerd || self.api < API_WITH_AVAILABLE {
            return Ok(None);
        }
        let image: Image = self.client.get(&format!("/images/{id}/json?manifests=1"))?;
        let images: Vec<Manifest> = image.manifests.unwrap_or_default();
        Ok(Some(images.iter().any(|manifest| manifest.kind == "image" && manifest.available)))
    }
}
