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
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
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
mod tests {
    use super::*;

    #[test]
    fn a_file_that_became_shorter_is_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        let bytes = FileBytes::open(&path).unwrap();
        let mut buffer = [0; 20];
        assert_eq!(bytes.read_at(&mut buffer, 4).unwrap(), 6);
        assert_eq!(&buffer[..6], b"456789");
        assert_eq!(bytes.read_at(&mut buffer, 10).unwrap(), 0);
        // What was written behind the end since it was opened does not belong to it.
        std::fs::write(&path, b"0123456789 and more").unwrap();
        assert_eq!(bytes.read_at(&mut buffer, 4).unwrap(), 6);
        std::fs::write(&path, b"01234").unwrap();
        let error = bytes.read_at(&mut buffer, 4).unwrap_err();
        assert_ne!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(error.to_string().contains("file became shorter while it was read"), "{error}");
    }

    #[test]
    fn only_files_have_a_length() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path(), Path::new("/dev/zero")] {
            let error = FileBytes::open(path).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains("is no regular file"), "{error}");
        }
        assert!(!is_pipe(folder.path()) && !is_pipe(Path::new("/dev/null")));
    }
}
