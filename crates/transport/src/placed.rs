//! Files whose parts are made where they lie in them, beside each other.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::{ReadAt, ScratchFile, Slice};

use crate::file::FileBytes;
use crate::refusals::{NotingRefusals, Refusals};

/// A file that is written at many places.
pub(crate) struct PlacedFile {
    bytes: FileBytes,
    name: String,
    refusals: Arc<Refusals>,
}

impl PlacedFile {
    /// Gives an empty `file`, which the user knows by that name, its length.
    pub(crate) fn new(file: File, name: String, length: u64) -> io::Result<Self> {
        file.set_len(length)?;
        Ok(Self { bytes: FileBytes::of(file, name.clone())?, name, refusals: Arc::default() })
    }

    /// Writes at a place.
    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.refusals.noted(&self.name, self.bytes.write_all_at(bytes, offset))
    }

    /// The `length` bytes from `offset`, to be made; the file is as long.
    pub(crate) fn part(self: &Arc<Self>, offset: u64, length: u64) -> NotingRefusals<Part> {
        let part = Part { file: self.clone(), start: offset, end: offset, most: offset + length };
        NotingRefusals::new(part, self.name.clone(), self.refusals.clone())
    }

    /// What the file system reported.
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.refusals
    }
}

impl ReadAt for PlacedFile {
    fn len(&self) -> u64 {
        self.bytes.len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.bytes.read_at(buffer, offset)
    }
}

/// A part of a file: what was written of it, and how far it may go.
pub(crate) struct Part {
    file: Arc<PlacedFile>,
    start: u64,
    end: u64,
    most: u64,
}

impl Write for Part {
    /// What is more than the part is left out, and shows in the digest of what was written.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let left = usize::try_from(self.most - self.end).unwrap_or(usize::MAX);
        let kept = &buffer[..left.min(buffer.len())];
        self.file.bytes.write_all_at(kept, self.end)?;
        self.end += kept.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ScratchFile for NotingRefusals<Part> {
    fn freeze(self: Box<Self>) -> io::Result<Arc<dyn ReadAt>> {
        let (_, Part { file, start, end, .. }) = self.finish()?;
        let part = Slice::new(file, start, end - start).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Arc::new(part))
    }
}

impl ScratchFile for NotingRefusals<File> {
    fn freeze(self: Box<Self>) -> io::Result<Arc<dyn ReadAt>> {
        let (name, file) = self.finish()?;
        Ok(Arc::new(FileBytes::of(file, name)?))
    }
}

#[cfg(test)]
mod tests;
