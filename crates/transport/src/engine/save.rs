//! Images and layers out of an engine.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use delta_codec::{ReadAt, Scratch};
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::{Image, Layer};
use delta_core::metadata::BaseEntry;
use delta_core::progress::Progress;

use super::probe::Probe;
use super::{Engine, Inventory, Store, StoredImage};
use crate::source::open_archive;
use crate::spool::TempScratch;
use crate::volume;

impl Engine {
    /// The images that the user named, by one save of all of them, in the order of `names`.
    ///
    /// # Errors
    /// Environment errors when there is no such image or no room, content errors when the engine gives an incomplete
    /// archive.
    pub fn open(&self, names: &[String], scratch: &Arc<TempScratch>, progress: &dyn Progress) -> Result<Vec<Image>> {
        let found = self.find(names)?;
        let size = found.iter().map(|image| image.size).sum();
        volume::require(scratch.folder(), size, "saving the image")?;
        let references: Vec<&str> = names.iter().map(String::as_str).collect();
        let bytes = self.save(&references, Some(size), scratch, progress)?;
        let images =
            open_archive(bytes, &format!("what {} saved of {}", self.label(), names.join(", ")), None, scratch)?;
        names.iter().zip(&found).map(|(name, stored)| self.pick(&images, name, stored)).collect()
    }

    /// The saved image that is this stored one, with the name that was asked for.
    fn pick(&self, images: &[Image], name: &str, stored: &StoredImage) -> Result<Image> {
        let image = images.iter().find(|image| is_stored(image, stored)).cloned();
        let mut image =
            image.ok_or_else(|| Error::content(format!("{} saved another image than {name}", self.label())))?;
        // A name that was asked for is what shall travel, not all the others that the image happens to have.
        let asked = name.parse().ok().filter(|name| stored.names.iter().any(|other| other.full() == as_full(name)));
        if let Some(asked) = asked {
            image.names = vec![asked];
        }
        Ok(image)
    }

    /// The `wanted` layers, from as little as the engine can be made to save.
    ///
    /// # Errors
    /// What the engine's client reports.
    pub fn layers(
        &self,
        wanted: &BTreeSet<DiffId>,
        inventory: &Inventory,
        bases: &[BaseEntry],
        scratch: &Arc<TempScratch>,
        progress: &dyn Progress,
    ) -> Result<Vec<Layer>> {
        let mut found: BTreeMap<DiffId, Layer> = BTreeMap::new();
        for image in covering(wanted, inventory) {
            let here: BTreeSet<DiffId> = image.diff_ids.iter().copied().filter(|id| wanted.contains(id)).collect();
            if here.iter().all(|diff_id| found.contains_key(diff_id)) {
                continue;
            }
            let probe = match self.store {
                Store::Classic => Probe::chain(&image.diff_ids, &here),
                Store::Podman => Some(Probe::layers(here.iter().copied())),
                Store::Containerd => {
                    bases.iter().find(|base| base.root == image.id).map(|base| Probe::blobs(base, &here))
                }
            };
            let images = match probe {
                Some(probe) => self.probed(&probe, scratch, progress).or_else(|error| {
                    progress.detail(format_args!("reading single layers failed, so the whole image is saved: {error}"));
                    self.saved(image, scratch, progress)
                })?,
                None => self.saved(image, scratch, progress)?,
            };
            let layers = images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers);
            found.extend(
                layers.filter(|layer| here.contains(&layer.diff_id)).map(|layer| (layer.diff_id, layer.clone())),
            );
        }
        Ok(found.into_values().collect())
    }

    fn saved(&self, image: &StoredImage, scratch: &Arc<TempScratch>, progress: &dyn Progress) -> Result<Vec<Image>> {
        volume::require(scratch.folder(), image.size, "reading the base image")?;
        let bytes = self.save(&[&image.id.to_string()], Some(image.size), scratch, progress)?;
        open_archive(bytes, &format!("what {} saved of its image {}", self.label(), image.id.short()), None, scratch)
    }

    /// Loads a probe, saves it, and removes it whatever happens.
    fn probed(&self, probe: &Probe, scratch: &Arc<TempScratch>, progress: &dyn Progress) -> Result<Vec<Image>> {
        let archive = probe.archive(self.store)?;
        let id = self.load_archive(&mut |out| out.write_all(&archive).map_err(Error::io("writing a probe")))?;
        let saved = self.save(&[&id.to_string()], None, scratch, progress);
        self.remove(id)?;
        open_archive(saved?, "the saved base layers", None, scratch)
    }

    fn save(
        &self,
        references: &[&str],
        size: Option<u64>,
        scratch: &Arc<TempScratch>,
        progress: &dyn Progress,
    ) -> Result<Arc<dyn ReadAt>> {
        let task = progress.begin(&format!("Reading from {}", self.label()), size);
        let mut arguments = vec!["save"];
        // Several images in one archive must be asked of podman by name.
        if self.client.kind() == super::ClientKind::Podman && references.len() > 1 {
            arguments.push("--multi-image-archive");
        }
        arguments.extend(references);
        self.client.read_from(&arguments, |stdout| {
            let mut file = scratch.create().map_err(Error::io("making a temporary file"))?;
            let mut buffer = vec![0; 256 << 10];
            loop {
                let count = io::Read::read(stdout, &mut buffer).map_err(Error::io("reading from the engine"))?;
                if count == 0 {
                    return file.freeze().map_err(Error::io("writing a temporary file"));
                }
                io::Write::write_all(&mut file, &buffer[..count])
                    .map_err(Error::io(format!("writing into {}", scratch.folder().display())))?;
                task.advance(count as u64);
            }
        })
    }

    /// Removes an image by its ID.
    pub(super) fn remove(&self, id: BlobDigest) -> Result<()> {
        self.client.text(&["rmi", &id.to_string()]).map(|_| ())
    }
}

fn as_full(name: &delta_core::image::ImageName) -> String {
    name.full()
}

fn is_stored(image: &Image, stored: &StoredImage) -> bool {
    image.root.digest == stored.id
        || image.manifests.iter().any(|manifest| BlobDigest::from(manifest.config) == stored.id)
}

/// Few images that together have all wanted layers that the engine has: again and again the one with most of the rest.
fn covering<'a>(wanted: &BTreeSet<DiffId>, inventory: &'a Inventory) -> Vec<&'a StoredImage> {
    let mut left = wanted.clone();
    let mut chosen = Vec::new();
    loop {
        let gain = |image: &&StoredImage| image.diff_ids.iter().filter(|diff_id| left.contains(diff_id)).count();
        let best = inventory
            .images
            .iter()
            .filter(|image| gain(image) > 0)
            .max_by_key(|image| (gain(image), std::cmp::Reverse(image.size)));
        let Some(best) = best else { return chosen };
        left.retain(|diff_id| !best.diff_ids.contains(diff_id));
        chosen.push(best);
    }
}
