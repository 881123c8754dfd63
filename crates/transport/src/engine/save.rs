//! Images and layers out of an engine.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use delta_codec::{ReadAt, Reader, Scratch};
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::{Image, ImageName, Layer, VerifiedBlob, layers_of};
use delta_core::job::progress::Progress;
use delta_core::package::metadata::BaseEntry;
use serde::Deserialize;

use super::holdings::{Descriptor, StoredManifest};
use super::probe::{Named, Probe};
use super::{Engine, Inventory, Store, StoredImage};
use crate::file_system;
use crate::source::open_archive;
use crate::spool::TempScratch;

impl Engine {
    /// The images that the user named, by one save of all of them, in the order of `names`.
    ///
    /// # Errors
    /// Environment errors when there is no such image or no room, content errors when the engine gives an incomplete
    /// archive.
    pub fn open(&self, names: &[String], scratch: &Arc<TempScratch>, progress: &dyn Progress) -> Result<Vec<Image>> {
        let found = self.find(names)?;
        let size = found.iter().map(|image| image.size).sum();
        file_system::require(scratch.folder(), size, "saving the image")?;
        let references: Vec<String> = names.iter().zip(&found).map(|(name, stored)| tagged(name, stored)).collect();
        let references: Vec<&str> = references.iter().map(String::as_str).collect();
        let bytes = self.save(&references, Some(size), scratch, progress)?;
        let images = open_archive(
            bytes,
            &format!("what {} saved of {}", self.label(), names.join(", ")),
            None,
            scratch,
            progress,
        )?;
        names.iter().zip(&found).map(|(name, stored)| self.pick(&images, name, stored)).collect()
    }

    /// The saved image that is this stored one, with the name that was asked for.
    fn pick(&self, images: &[Image], name: &str, stored: &StoredImage) -> Result<Image> {
        let image = images.iter().find(|image| is_stored(image, stored)).cloned();
        let mut image =
            image.ok_or_else(|| Error::content(format!("{} saved another image than {name}", self.label())))?;
        // A name that was asked for is what shall travel, not all the others that the image happens to have.
        if let Some(asked) = asked(name, stored) {
            image.names = vec![asked];
        }
        // What an engine lists is made by it for the archive.
        image.layout_index = None;
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
        let inventory = match self.store {
            Store::Containerd => with_all_layers(inventory, bases),
            Store::Classic | Store::Podman => inventory.clone(),
        };
        for image in covering(wanted, &inventory) {
            let here: BTreeSet<DiffId> = image.diff_ids.iter().copied().filter(|id| wanted.contains(id)).collect();
            let layers = self.layers_of(image, &here, bases, scratch, progress)?;
            found.extend(layers.into_iter().map(|layer| (layer.diff_id, layer)));
        }
        Ok(found.into_values().collect())
    }

    /// The layers that are wanted of one image: by a probe if that gives them, else by saving the image.
    fn layers_of(
        &self,
        image: &StoredImage,
        wanted: &BTreeSet<DiffId>,
        bases: &[BaseEntry],
        scratch: &Arc<TempScratch>,
        progress: &dyn Progress,
    ) -> Result<Vec<Layer>> {
        let probed = match self.store {
            Store::Classic => Probe::chain(&image.diff_ids, wanted).map(Ok),
            Store::Podman => Some(Ok(Probe::layers(wanted.iter().copied()))),
            Store::Containerd => self.probe_for_blobs(image, wanted, bases, scratch, progress).transpose(),
        };
        let probed = probed.map(|probe| {
            let images = self.probed(&probe?, scratch, progress)?;
            let layers = chosen(&images, wanted);
            let got: BTreeSet<DiffId> = layers.iter().map(|layer| layer.diff_id).collect();
            match wanted.difference(&got).next() {
                None => Ok(layers),
                Some(absent) => Err(Error::content(format!("{} saved no layer {}", self.label(), absent.short()))),
            }
        });
        match probed {
            Some(Ok(layers)) => return Ok(layers),
            Some(Err(error)) => {
                progress.detail(format_args!("single layers could not be read, so the whole image is saved: {error}"))
            }
            None => {}
        }
        Ok(chosen(&self.saved(image, scratch, progress)?, wanted))
    }

    /// A probe for blobs of a base whose manifest the package names. Their sizes stand in the manifest, which is read by a
    /// probe too; `None` where the engine does not say how large the manifest is.
    fn probe_for_blobs(
        &self,
        image: &StoredImage,
        wanted: &BTreeSet<DiffId>,
        bases: &[BaseEntry],
        scratch: &Arc<TempScratch>,
        progress: &dyn Progress,
    ) -> Result<Option<Probe>> {
        #[derive(Deserialize)]
        struct Manifest {
            layers: Vec<Descriptor>,
        }
        let Some(base) = bases.iter().find(|base| base.root == image.id) else { return Ok(None) };
        let Some(manifests) = self.stored_manifests(image.id)? else { return Ok(None) };
        let named = |manifest: &StoredManifest| {
            let Descriptor { digest, size } = manifest.descriptor;
            Ok(Named { diff_id: digest.to_string().parse()?, blob: digest, size })
        };
        let manifests: Vec<Named> =
            manifests.iter().filter(|manifest| manifest.available).map(named).collect::<Result<_>>()?;
        let mut sizes = BTreeMap::new();
        let images = self.probed(&Probe::blobs(manifests), scratch, progress)?;
        for layer in layers_of(&images) {
            let manifest = VerifiedBlob::check(layer.blob, layer.content.stored()?, "a manifest of the base image")?;
            let manifest: Manifest = serde_json::from_reader(Reader::new(manifest.bytes()))
                .map_err(|error| Error::content(format!("a manifest of the base image: {error}")))?;
            sizes.extend(manifest.layers.iter().map(|layer| (layer.digest, layer.size)));
        }
        let layers = base.layers.iter().filter(|layer| wanted.contains(&layer.diff_id));
        let named = layers.filter_map(|layer| {
            let size = *sizes.get(&layer.blob)?;
            Some(Named { diff_id: layer.diff_id, blob: layer.blob, size })
        });
        Ok(Some(Probe::blobs(named.collect())))
    }

    fn saved(&self, image: &StoredImage, scratch: &Arc<TempScratch>, progress: &dyn Progress) -> Result<Vec<Image>> {
        file_system::require(scratch.folder(), image.size, "reading the base image")?;
        let bytes = self.save(&[&image.id.to_string()], Some(image.size), scratch, progress)?;
        open_archive(
            bytes,
            &format!("what {} saved of its image {}", self.label(), image.id.short()),
            None,
            scratch,
            progress,
        )
    }

    /// Loads a probe, saves it, and removes it whatever happens.
    fn probed(&self, probe: &Probe, scratch: &Arc<TempScratch>, progress: &dyn Progress) -> Result<Vec<Image>> {
        let archive = probe.archive(self.store)?;
        let before = self.ids()?;
        let write = &mut |out: &mut dyn io::Write| out.write_all(&archive).map_err(Error::io("writing a probe"));
        let id = self.load_archive(&before, progress, write)?;
        let saved = self.save(&[&id.to_string()], None, scratch, progress);
        self.remove_new(id, &before, progress);
        open_archive(saved?, "the saved base layers", None, scratch, progress)
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

    /// Removes an image with all its names, unless it was there `before`. That it fails is only told: what it is done after
    /// matters more.
    pub(super) fn remove_new(&self, id: BlobDigest, before: &BTreeSet<BlobDigest>, progress: &dyn Progress) {
        // Without force an image with names in two repositories stays.
        if !before.contains(&id)
            && let Err(error) = self.client.text(&["rmi", "-f", &id.to_string()])
        {
            progress.detail(format_args!("the image {} could not be removed again: {error}", id.short()));
        }
    }
}

/// The name that was asked for, if it is one and no ID.
fn asked(name: &str, stored: &StoredImage) -> Option<ImageName> {
    name.parse().ok().filter(|name: &ImageName| stored.names.iter().any(|other| other.full() == name.full()))
}

/// The name with its tag: of a bare one `docker save` would save every tag. IDs stay as they are.
fn tagged(name: &str, stored: &StoredImage) -> String {
    asked(name, stored).map_or_else(|| name.to_owned(), |name| name.to_string())
}

fn is_stored(image: &Image, stored: &StoredImage) -> bool {
    image.root.digest == stored.id
        || image.manifests.iter().any(|manifest| BlobDigest::from(manifest.config) == stored.id)
}

/// The layers of these images that are wanted and not empty: a store that lacks a blob may save nothing in its place.
fn chosen(images: &[Image], wanted: &BTreeSet<DiffId>) -> Vec<Layer> {
    let is_there = |layer: &&Layer| wanted.contains(&layer.diff_id) && layer.blob_size > 0;
    layers_of(images).filter(is_there).cloned().collect()
}

/// The inventory with the layers that an engine does not list: those of other platforms, and attestations.
fn with_all_layers(inventory: &Inventory, bases: &[BaseEntry]) -> Inventory {
    let mut inventory = inventory.clone();
    for image in &mut inventory.images {
        let base = bases.iter().filter(|base| base.root == image.id);
        image.diff_ids.extend(base.flat_map(|base| &base.layers).map(|layer| layer.diff_id));
    }
    inventory
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

#[cfg(test)]
mod tests;
