//! Images into an engine: loaded without a name, looked at, and only then tagged.

use std::collections::BTreeSet;
use std::io::Write;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::{ImageName, ManifestKind, RebuiltImage};
use delta_core::job::progress::Progress;

use super::{Engine, Inventory, Store};
use crate::archive_writer::{Naming, write_archive};

/// An image that an engine has, and that was looked at: only such a one gets names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CheckedImage {
    id: BlobDigest,
}

impl CheckedImage {
    /// An image that the engine had before.
    pub(super) fn held(inventory: &Inventory, id: BlobDigest) -> Option<Self> {
        inventory.with_id(id).map(|image| Self { id: image.id })
    }
}

impl Engine {
    /// The ID that the engine gives to an image: in a containerd store the digest of its manifest or index, else that of
    /// its config.
    pub(crate) fn id_of(&self, image: &RebuiltImage) -> Option<BlobDigest> {
        match self.store {
            Store::Containerd => Some(image.root.digest),
            Store::Classic | Store::Podman => image.manifests.first().map(|manifest| manifest.config.into()),
        }
    }

    /// Loads an image and looks at what came of it. Nothing is left of one that is not what it should be, but for what was
    /// there before.
    ///
    /// # Errors
    /// Environment errors when the engine refuses, content errors when it made another image of it.
    pub(super) fn load(&self, image: &RebuiltImage, progress: &dyn Progress) -> Result<CheckedImage> {
        let expected = self.id_of(image).ok_or_else(|| Error::internal("an image without a manifest"))?;
        let before = self.ids()?;
        let loaded = self.load_and_check(image, expected, &before, progress);
        if loaded.is_err() {
            self.remove_new(expected, &before, progress);
        }
        loaded
    }

    fn load_and_check(
        &self,
        image: &RebuiltImage,
        expected: BlobDigest,
        before: &BTreeSet<BlobDigest>,
        progress: &dyn Progress,
    ) -> Result<CheckedImage> {
        let images = std::slice::from_ref(image);
        let id =
            self.load_archive(before, progress, &mut |out| write_archive(images, Naming::Unnamed, progress, out))?;
        if id != expected {
            self.remove_new(id, before, progress);
            let (expected, found) = (expected.to_string(), id.to_string());
            return Err(Error::Mismatch { what: format!("what {} made of the image", self.label()), expected, found });
        }
        let brought = image.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Image);
        if self.is_complete(id, &brought.map(|manifest| manifest.digest).collect())? == Some(false) {
            return Err(Error::environment(format!("{} loaded the image without all of its blobs", self.label())));
        }
        Ok(CheckedImage { id })
    }

    /// Gives `names` to an image. A name that another image had is taken from it; those are returned, with its ID.
    ///
    /// # Errors
    /// What the engine's client reports.
    pub(super) fn tag(
        &self,
        CheckedImage { id }: CheckedImage,
        names: &[ImageName],
        inventory: &Inventory,
    ) -> Result<Vec<(ImageName, BlobDigest)>> {
        let mut moved = Vec::new();
        for (at, name) in names.iter().enumerate() {
            match inventory.named(name) {
                Some(image) if image.id == id => continue,
                Some(image) => moved.push((name.clone(), image.id)),
                None => {}
            }
            let name = if self.store == Store::Podman { name.full() } else { name.to_string() };
            let tagged = self.client.text(&["tag", &id.to_string(), &name]);
            tagged.map_err(|error| self.untagged(id, &names[at..], &error))?;
        }
        Ok(moved)
    }

    /// The image is whole and stays; the user is told what is left to do.
    fn untagged(&self, id: BlobDigest, names: &[ImageName], error: &Error) -> Error {
        let (program, label) = (self.client.kind().program(), self.label());
        let commands: Vec<String> = names.iter().map(|name| format!("`{program} tag {id} {name}`")).collect();
        Error::environment(format!("{error}; {label} has the whole image as {id}, but not under all of its names"))
            .with_hint(format!("finish with {}, or remove it with `{program} rmi {id}`", commands.join(" and ")))
    }

    /// Lets `write` write an archive into the engine and returns the ID that the engine tells. Of an image that it tells of
    /// and then refuses nothing is left, unless it was there `before`.
    pub(super) fn load_archive(
        &self,
        before: &BTreeSet<BlobDigest>,
        progress: &dyn Progress,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
    ) -> Result<BlobDigest> {
        let arguments = ["load"];
        // The engine goes on for long after it took the last byte.
        let _task = progress.begin(&format!("Loading into {}", self.label()), None);
        let said = self.client.write_to(&arguments, |stdin| write(stdin))?;
        let loaded = loaded_id(&said.stdout);
        // A containerd store tells of a missing blob in the stream of good news.
        let fault = said.stdout.lines().find(|line| line.contains("Error unpacking"));
        match (loaded, fault) {
            (Some(id), None) if said.success => Ok(id),
            (loaded, fault) => {
                if let Some(id) = loaded {
                    self.remove_new(id, before, progress);
                }
                Err(self.client.refused(&arguments, fault.unwrap_or(&said.stderr)))
            }
        }
    }
}

/// The ID in `Loaded image ID: sha256:…` (Docker) or `Loaded image: sha256:…` (podman).
fn loaded_id(stdout: &str) -> Option<BlobDigest> {
    let line = stdout.lines().rev().find(|line| line.starts_with("Loaded image"))?;
    let digest = line.rsplit(' ').next()?;
    let digits = digest.trim_end().rsplit(':').next()?;
    format!("sha256:{digits}").parse().ok()
}

#[cfg(test)]
mod tests;
