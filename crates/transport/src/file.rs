//! A file that can be read at any place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::error::{Error, Result};

use crate::nearby;

/// An open file. Reads go through the page cache and not through a memory map, so that they do not count as memory of this
/// process and a file that shrinks is an error and not a signal.
#[derive(Debug)]
pub struct FileBytes {
    file: File,
    length: u64,
}

impl FileBytes {
    /// Opens a regular file.
    ///
    /// # Errors
    /// Environment errors that name the file.
    pub fn open(path: &Path) -> Result<Arc<dyn ReadAt>> {
        let doing = || Error::io(format!("opening {}", path.display()));
        let file = File::open(path).map_err(|error| match nearby::hint(path) {
            Some(hint) if error.kind() == io::ErrorKind::NotFound => doing()(error).with_hint(hint),
            _ => doing()(error),
        })?;
        if !file.metadata().map_err(doing())?.is_file() {
            return Err(Error::usage(format!("{} is no regular file", path.display())));
        }
        Ok(Arc::new(Self::of(file).map_err(doing())?))
    }

    /// Takes over an open file.
    pub(crate) fn of(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }
}

impl ReadAt for FileBytes {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}
