//! Images whose blobs are made where they lie: nobody makes them in one place and copies them to another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use delta_codec::{Reader, ScratchFile};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::{RebuiltImage, VerifiedBlob};
use delta_core::job::places::Places;

use super::{Bytes, Naming, Sizes, documents, files, header};
use crate::destination::Destination;
use crate::oci_layout::blob_name;
use crate::placed::PlacedFile;
use crate::refusals::{NotingRefusals, Refusals};

/// The blobs that were made.
pub type Made = BTreeMap<BlobDigest, VerifiedBlob>;

/// A block of a tar; what follows a file is filled up to one, and two of zeros are the end.
const BLOCK: u64 = 512;

/// Writes a tar of the images to a destination that is seekable; `make` makes their blobs.
///
/// # Errors
/// What `make` and writing report.
pub(crate) fn write_archive_in_place(
    images: &[RebuiltImage],
    sizes: &Sizes,
    destination: &Destination,
    make: impl FnOnce(&dyn Places) -> Result<Made>,
) -> Result<()> {
    let failed = || Error::io(format!("writing {destination}"));
    let (mut places, mut written, mut end) = (BTreeMap::new(), Vec::new(), 0);
    for (name, bytes) in files(images, Naming::Named, sizes)? {
        let start = end + BLOCK;
        written.push((end, header(&name, bytes.len()).map_err(failed())?.as_bytes().to_vec()));
        end = start + bytes.len().next_multiple_of(BLOCK);
        match bytes {
            Bytes::Document(bytes) => written.push((start, bytes)),
            Bytes::Blob(digest, size) => drop(places.insert(digest, (start, size))),
        }
    }
    destination.write_seekable(end + 2 * BLOCK, |file| {
        let archive = Archive { file: file.clone(), places: Mutex::new(places) };
        let made = make(&archive)?;
        for (digest, (offset, size)) in archive.places.into_inner().unwrap_or_else(PoisonError::into_inner) {
            copy(&made, digest, &mut file.part(offset, size))?;
        }
        written.iter().try_for_each(|(offset, bytes)| file.write_at(bytes, *offset)).map_err(failed())
    })
}

/// The places in an archive that were not taken yet: offset and size.
struct Archive {
    file: Arc<PlacedFile>,
    places: Mutex<BTreeMap<BlobDigest, (u64, u64)>>,
}

impl Places for Archive {
    fn place(&self, blob: BlobDigest) -> io::Result<Option<Box<dyn ScratchFile>>> {
        let place = self.places.lock().unwrap_or_else(PoisonError::into_inner).remove(&blob);
        Ok(place.map(|(offset, size)| Box::new(self.file.part(offset, size)) as Box<dyn ScratchFile>))
    }
}

/// Writes an OCI layout of the images into an empty folder; `make` makes their blobs.
///
/// # Errors
/// What `make` and writing report.
pub(crate) fn write_layout_in_place(
    images: &[RebuiltImage],
    folder: &Path,
    make: impl FnOnce(&dyn Places) -> Result<Made>,
) -> Result<()> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(Error::io(format!("making {}", blobs.display())))?;
    let wanted: BTreeSet<BlobDigest> = images.iter().flat_map(|image| image.wanted().into_keys()).collect();
    let mut documents = documents(images, Naming::Named)?;
    // The empty config of an artifact may be its layer too.
    wanted.iter().for_each(|blob| drop(documents.remove(&blob_name(*blob))));
    let layout = Layout { folder, left: Mutex::new(wanted), refusals: Arc::default() };
    layout.fill(make).map_err(|error| layout.refusals.instead_of(error, |path, refused| failed(path)(refused)))?;
    for (name, bytes) in documents {
        let path = folder.join(name);
        let write = |mut file: File| file.write_all(&bytes);
        File::create_new(&path).and_then(write).map_err(failed(&path.display().to_string()))?;
    }
    Ok(())
}

/// The files of a layout's blobs.
struct Layout<'a> {
    folder: &'a Path,
    /// The blobs that have none yet.
    left: Mutex<BTreeSet<BlobDigest>>,
    refusals: Arc<Refusals>,
}

impl Layout<'_> {
    fn fill(&self, make: impl FnOnce(&dyn Places) -> Result<Made>) -> Result<()> {
        let made = make(self)?;
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner).clone();
        left.into_iter()
            .try_for_each(|digest| copy(&made, digest, &mut self.file(digest).map_err(Error::io("making a blob"))?))
    }

    fn file(&self, blob: BlobDigest) -> io::Result<NotingRefusals<File>> {
        NotingRefusals::create(&self.folder.join(blob_name(blob)), self.refusals.clone())
    }
}

impl Places for Layout<'_> {
    fn place(&self, blob: BlobDigest) -> io::Result<Option<Box<dyn ScratchFile>>> {
        if !self.left.lock().unwrap_or_else(PoisonError::into_inner).remove(&blob) {
            return Ok(None);
        }
        Ok(Some(Box::new(self.file(blob)?)))
    }
}

/// Copies a blob that was not made at its place.
fn copy(made: &Made, digest: BlobDigest, to: &mut dyn Write) -> Result<()> {
    let blob = made_blob(made, digest)?;
    let copied = io::copy(&mut Reader::new(blob.bytes()), to).and_then(|_| to.flush());
    copied.map_err(Error::io(format!("copying the blob {}", digest.short())))
}

/// The blob, which what is written to a file may not lack.
pub(crate) fn made_blob(made: &Made, digest: BlobDigest) -> Result<&VerifiedBlob> {
    made.get(&digest).ok_or_else(|| Error::internal(format!("the blob {digest} was not rebuilt")))
}

fn failed(place: &str) -> impl FnOnce(io::Error) -> Error {
    Error::io(format!("writing {place}"))
}

#[cfg(test)]
mod tests;
