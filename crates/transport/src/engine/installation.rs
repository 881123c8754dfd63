//! The order in which an image comes into an engine: what the engine holds is found out, what it lacks is rebuilt, loaded
//! without a name and looked at, and only then it gets its names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use delta_core::apply::{Cost, Wanted, check_bases, measured, needed_bases, rebuild};
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::{ImageName, Layer, RebuiltImage, VerifiedBlob};
use delta_core::job::context::Context;
use delta_core::job::progress::Progress;
use delta_core::package::Package;

use super::load::CheckedImage;
use super::{Engine, Inventory};
use crate::file_system;
use crate::spool::TempScratch;

/// What is needed to bring the images of a package into an engine.
pub struct Installation<'a> {
    engine: &'a Engine,
    inventory: Inventory,
    package: &'a Package,
    bases: Vec<Layer>,
    scratch: &'a Arc<TempScratch>,
    progress: &'a dyn Progress,
}

/// An image that can come into the engine, as far as that can be known before the engine is given anything.
pub struct PlannedImage {
    image: RebuiltImage,
    id: BlobDigest,
    lacking: Wanted,
    held: Option<CheckedImage>,
}

impl PlannedImage {
    /// The image, still without blobs.
    pub const fn image(&self) -> &RebuiltImage {
        &self.image
    }

    /// The ID that the engine gives to it.
    pub const fn id(&self) -> BlobDigest {
        self.id
    }

    /// The blobs that the engine must be given.
    pub const fn lacking(&self) -> &Wanted {
        &self.lacking
    }

    /// Whether the engine has the image, which then only gets its names.
    pub const fn is_there(&self) -> bool {
        self.held.is_some()
    }
}

impl<'a> Installation<'a> {
    /// Asks the engine what it has; `bases` are layers that the user gave besides.
    ///
    /// # Errors
    /// What the engine's client reports.
    pub fn new(
        engine: &'a Engine,
        package: &'a Package,
        bases: Vec<Layer>,
        scratch: &'a Arc<TempScratch>,
        progress: &'a dyn Progress,
    ) -> Result<Self> {
        Ok(Self { engine, inventory: engine.inventory()?, package, bases, scratch, progress })
    }

    /// Looks at everything that can be looked at before the engine is given anything. With `anew`, an image that is there is
    /// loaded once more.
    ///
    /// # Errors
    /// Environment errors when a base or room is missing, and what the engine's client reports.
    pub fn plan(&self, image: RebuiltImage, anew: bool) -> Result<PlannedImage> {
        let metadata = self.package.metadata();
        let id = self.engine.id_of(&image).ok_or_else(|| Error::content("an image without a manifest"))?;
        if let Some(held) = CheckedImage::held(&self.inventory, id).filter(|_| !anew) {
            return Ok(PlannedImage { image, id, lacking: Wanted::new(), held: Some(held) });
        }
        let held = self.engine.holds(&image, &self.inventory, &metadata.bases)?;
        let lacking: Wanted = image.wanted().into_iter().filter(|(blob, _)| !held.contains(blob)).collect();
        let mut there = self.given();
        there.extend(self.inventory.diff_ids_with(&metadata.bases));
        check_bases(metadata, &lacking, &there)?;
        self.require_room(&lacking)?;
        Ok(PlannedImage { image, id, lacking, held: None })
    }

    /// Brings an image into the engine under its names, and returns the names that another image had before, with its ID.
    ///
    /// # Errors
    /// Environment and content errors of rebuilding and of the engine; nothing is left of an image that is not what it
    /// should be.
    pub fn carry_out(&self, planned: PlannedImage) -> Result<Vec<(ImageName, BlobDigest)>> {
        let PlannedImage { mut image, lacking, held, .. } = planned;
        let checked = match held {
            Some(held) => held,
            None => self.load(&mut image, &lacking)?,
        };
        self.engine.tag(checked, &image.names, &self.inventory)
    }

    /// What a containerd store holds is a guess for some images: one that does not come out well is loaded with every layer.
    fn load(&self, image: &mut RebuiltImage, lacking: &Wanted) -> Result<CheckedImage> {
        let (lacks, all) = (lacking.len(), image.wanted().len());
        self.progress.detail(format_args!("{} lacks {lacks} of {all} layers", self.engine.label()));
        self.fill(image, lacking)?;
        let first = self.engine.load(image, self.progress);
        let all = image.wanted();
        match first {
            Err(error) if all != *lacking => {
                self.progress.detail(format_args!("{error}; it is loaded again with every layer"));
                self.fill(image, &all)?;
                self.engine.load(image, self.progress)
            }
            loaded => loaded,
        }
    }

    fn fill(&self, image: &mut RebuiltImage, wanted: &Wanted) -> Result<()> {
        image.blobs = self.rebuild(wanted)?;
        measured(image)
    }

    /// The blobs, with base layers read from what the user gave or else from the engine.
    fn rebuild(&self, wanted: &Wanted) -> Result<BTreeMap<BlobDigest, VerifiedBlob>> {
        let metadata = self.package.metadata();
        let absent: BTreeSet<DiffId> = needed_bases(metadata, wanted).difference(&self.given()).copied().collect();
        let mut bases = self.bases.clone();
        if !absent.is_empty() {
            let read = self.engine.layers(&absent, &self.inventory, &metadata.bases, self.scratch, self.progress)?;
            bases.extend(read);
        }
        self.require_room(wanted)?;
        let context = Context { scratch: self.scratch.as_ref(), progress: self.progress, cache: None };
        rebuild(self.package, wanted, &bases, context)
    }

    fn require_room(&self, wanted: &Wanted) -> Result<()> {
        file_system::require(
            self.scratch.folder(),
            Cost::of(self.package.metadata(), wanted).room(),
            "rebuilding the layers",
        )
    }

    fn given(&self) -> BTreeSet<DiffId> {
        self.bases.iter().map(|layer| layer.diff_id).collect()
    }
}

#[cfg(test)]
mod tests;
