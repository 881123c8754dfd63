//! Writers that remember that the file system was at fault: who makes what is written says what it is, but not where it goes.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use delta_core::error::Error;

/// What is held before it is written: it comes in small pieces.
pub(crate) const BUFFER: usize = 256 << 10;

/// What a file system reported first, and of which file.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Option<(String, io::Error)>>);

impl Refusals {
    /// What is wrong when making something ended with `error`: what was reported meanwhile, as `say` tells it, where something was.
    pub(crate) fn instead_of(&self, error: Error, say: impl FnOnce(&str, io::Error) -> Error) -> Error {
        self.take().map_or(error, |(file, refused)| say(&file, refused))
    }

    /// Remembers what became of something that was done with a file, if it is the first that failed.
    pub(crate) fn noted<T>(&self, file: &str, done: io::Result<T>) -> io::Result<T> {
        done.inspect_err(|error| {
            let same = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| (file.to_owned(), same));
        })
    }

    /// What was reported first, if something was.
    pub(crate) fn take(&self) -> Option<(String, io::Error)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Writes in large pieces, and notes what is refused.
pub(crate) struct NotingRefusals<W: Write> {
    out: BufWriter<W>,
    /// The file, as the user knows it.
    name: String,
    refusals: Arc<Refusals>,
}

impl<W: Write> NotingRefusals<W> {
    pub(crate) fn new(out: W, name: String, refusals: Arc<Refusals>) -> Self {
        Self { out: BufWriter::with_capacity(BUFFER, out), name, refusals }
    }

    /// Writes what is held, and returns the name and the writer below.
    pub(crate) fn finish(mut self) -> io::Result<(String, W)> {
        self.flush()?;
        Ok((self.name, self.out.into_parts().0))
    }

    /// Lets what is held go nowhere.
    pub(crate) fn discard(self) {
        // Dropping the buffer alone would write it.
        drop(self.out.into_parts());
    }
}

impl NotingRefusals<File> {
    /// A new file, to be written and read.
    pub(crate) fn create(path: &Path, refusals: Arc<Refusals>) -> io::Result<Self> {
        let name = path.display().to_string();
        let made = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        Ok(Self::new(refusals.noted(&name, made)?, name, refusals))
    }
}

impl<W: Write> Write for NotingRefusals<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.refusals.noted(&self.name, self.out.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.refusals.noted(&self.name, self.out.flush())
    }
}

#[cfg(test)]
mod tests;
