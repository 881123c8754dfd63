//! Files whose parts are made where they lie in them, beside each other.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use delta_codec::{ReadAt, ScratchFile, Slice};

use crate::file::FileBytes;

/// What is held before it is written: a layer comes in small pieces.
const BUFFER: usize = 256 << 10;

/// What a file system reported first, and of which file: who makes a blob says what is made, but not where.
#[derive(Default)]
pub(crate) struct Refused(Mutex<Option<(String, io::Error)>>);

impl Refused {
    /// What was reported, if something was.
    pub(crate) fn take(&self) -> Option<(String, io::Error)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, file: &str, error: &io::Error) {
        let same = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| (file.to_owned(), same));
    }
}

/// A file that is written at many places.
pub(crate) struct PlacedFile {
    bytes: FileBytes,
    name: String,
    refused: Refused,
}

impl PlacedFile {
    /// Gives an empty `file`, which the user knows by that name, its length.
    pub(crate) fn new(file: File, name: String, length: u64) -> io::Result<Self> {
        file.set_len(length)?;
        Ok(Self { bytes: FileBytes::of(file, name.clone())?, name, refused: Refused::default() })
    }

    /// Writes at a place.
    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.bytes.write_all_at(bytes, offset).inspect_err(|error| self.refused.note(&self.name, error))
    }

    /// What the file system reported.
    pub(crate) const fn refused(&self) -> &Refused {
        &self.refused
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

/// A part of a file, on its way to be made.
pub(crate) struct Part {
    file: Arc<PlacedFile>,
    offset: u64,
    length: u64,
    /// How many bytes came.
    count: u64,
    held: Vec<u8>,
}

impl Part {
    /// The `length` bytes from `offset`, of a file that is as long.
    pub(crate) const fn new(file: Arc<PlacedFile>, offset: u64, length: u64) -> Self {
        Self { file, offset, length, count: 0, held: Vec::new() }
    }

    fn put(&mut self) -> io::Result<()> {
        let offset = self.offset + self.count - self.held.len() as u64;
        self.file.write_at(&self.held, offset)?;
        self.held.clear();
        Ok(())
    }
}

impl Write for Part {
    /// What is more than the part is left out, and shows in the digest of what was written.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length - self.count).unwrap_or(usize::MAX);
        let Some(kept) = buffer.get(..left.min(buffer.len())) else { return Ok(buffer.len()) };
        if self.held.len() + kept.len() > BUFFER {
            self.put()?;
        }
        self.count += kept.len() as u64;
        if kept.len() < BUFFER {
            self.held.extend_from_slice(kept);
        } else {
            self.file.write_at(kept, self.offset + self.count - kept.len() as u64)?;
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.put()
    }
}

impl ScratchFile for Part {
    fn freeze(mut self: Box<Self>) -> io::Result<Arc<dyn ReadAt>> {
        self.put()?;
        let part = Slice::new(self.file, self.offset, self.count).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Arc::new(part))
    }
}

/// A file that is written from front to back, and read then.
pub(crate) struct Growing {
    file: BufWriter<File>,
    name: String,
    refused: Arc<Refused>,
}

impl Growing {
    /// A new file.
    pub(crate) fn new(path: &Path, refused: Arc<Refused>) -> io::Result<Self> {
        let name = path.display().to_string();
        let made = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let file = made.inspect_err(|error| refused.note(&name, error))?;
        Ok(Self { file: BufWriter::with_capacity(BUFFER, file), name, refused })
    }

    fn noted<T>(&self, done: io::Result<T>) -> io::Result<T> {
        done.inspect_err(|error| self.refused.note(&self.name, error))
    }
}

impl Write for Growing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let done = self.file.write(buffer);
        self.noted(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.file.flush();
        self.noted(done)
    }
}

impl ScratchFile for Growing {
    fn freeze(mut self: Box<Self>) -> io::Result<Arc<dyn ReadAt>> {
        self.flush()?;
        let (file, _) = self.file.into_parts();
        Ok(Arc::new(FileBytes::of(file, self.name)?))
    }
}

#[cfg(test)]
mod tests;
