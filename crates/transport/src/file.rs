//! A file that can be read at any place.

mod fault;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::error::{Error, Result};

use crate::nearby;
use crate::system::{self, Special};
pub use fault::explained;

/// An open file. Reads go through the page cache and not through a memory map, so that they do not count as memory of this
/// process and a file that shrinks is an error and not a signal.
#[derive(Debug)]
pub struct FileBytes {
    file: File,
    length: u64,
    /// As the user knows it.
    name: String,
}

impl FileBytes {
    /// Opens a regular file.
    ///
    /// # Errors
    /// Environment errors that name the file.
    pub fn open(path: &Path) -> Result<Arc<dyn ReadAt>> {
        let doing = || Error::io(format!("opening {}", path.display()));
        let found = std::fs::metadata(path).map_err(|error| {
            let hint = if error.kind() == io::ErrorKind::NotFound { nearby::hint(path) } else { None };
            let error = doing()(error);
            match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        })?;
        if !found.is_file() {
            let hint = "expected a file, a pipe, or `-` for standard input";
            return Err(Error::usage(format!("{} is no regular file", path.display())).with_hint(hint));
        }
        let file = File::open(path).map_err(doing())?;
        Ok(Arc::new(Self::of(file, path.display().to_string()).map_err(doing())?))
    }

    /// Takes over an open file.
    pub(crate) fn of(file: File, name: String) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length, name })
    }

    /// Writes into a file that was opened for it too.
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        system::write_all_at(&self.file, bytes, offset)
    }

    /// Fills the buffer, whatever pieces the system gives.
    fn fill(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match system::read_at(&self.file, &mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fault::note_refused(&self.name, offset + filled as u64, error)),
            }
        }
        Ok(filled)
    }
}

impl ReadAt for FileBytes {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.available(offset, buffer.len());
        let filled = self.fill(&mut buffer[..count], offset)?;
        if filled < count { Err(fault::note_shorter(&self.name, offset + filled as u64)) } else { Ok(count) }
    }
}

/// Whether it has no length and can be read only once, such as the pipe that a shell makes for `<(…)`.
pub fn is_pipe(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| system::special(&found) == Some(Special::Pipe))
}

/// Opens a pipe. A FIFO waits for somebody who writes into it.
///
/// # Errors
/// Environment errors that name it.
pub fn open_pipe(path: &Path) -> Result<File> {
    File::open(path).map_err(Error::io(format!("opening {}", path.display())))
}

#[cfg(test)]
mod tests;
