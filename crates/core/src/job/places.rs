//! Room in which blobs are made where they shall lie, so that nobody copies them there.

use std::io;

use delta_codec::ScratchFile;

use crate::digest::BlobDigest;
use crate::error::{Error, Result};
use crate::job::context::Context;

/// Where wanted blobs go.
pub trait Places: Sync {
    /// Room for a blob that has a place, once; nothing for one that is made in temporary room, or stays where it is. What was written
    /// there is read until the last blob is made, and is something else than the blob when making it failed.
    ///
    /// # Errors
    /// What the place reports.
    fn place(&self, blob: BlobDigest) -> io::Result<Option<Box<dyn ScratchFile>>>;
}

/// No blob has a place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Places for Nowhere {
    fn place(&self, _: BlobDigest) -> io::Result<Option<Box<dyn ScratchFile>>> {
        Ok(None)
    }
}

/// The places of blobs, and temporary room for those without.
#[derive(Clone, Copy)]
pub(crate) struct Room<'a> {
    pub(crate) places: &'a dyn Places,
    pub(crate) context: Context<'a>,
}

impl Room<'_> {
    /// The place of `blob`, if it has one.
    pub(crate) fn place(&self, blob: BlobDigest, doing: &str) -> Result<Option<Box<dyn ScratchFile>>> {
        self.places.place(blob).map_err(Error::io(doing))
    }

    /// The place of `blob`, else temporary room.
    pub(crate) fn file(&self, blob: BlobDigest, doing: &str) -> Result<Box<dyn ScratchFile>> {
        match self.place(blob, doing)? {
            Some(place) => Ok(place),
            None => self.context.file(doing),
        }
    }
}
