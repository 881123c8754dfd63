//! Temporary room on disk.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{ReadAt, Scratch, ScratchFile};
use delta_core::error::{Error, Result};

use crate::file::FileBytes;
use crate::holes::HoleWriter;

/// Bytes that are held before a file is made for them.
const HELD: usize = 256 << 10;

/// Temporary files that have no name from the start, so that nothing is left of them however the program ends.
#[derive(Debug)]
pub struct TempScratch {
    folder: PathBuf,
}

impl TempScratch {
    /// Room in `folder`, else in `TMPDIR`, else in `/tmp`.
    ///
    /// # Errors
    /// An environment error when the folder cannot be written to.
    pub fn new(folder: Option<&Path>) -> Result<Self> {
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let failed = |error: io::Error| {
            Error::environment(format!("no temporary file can be made in {}: {error}", folder.display()))
                .with_hint("name a folder that can be written to: --temp-dir DIR")
        };
        tempfile::tempfile_in(&folder).map_err(failed)?;
        Ok(Self { folder })
    }

    /// Where the room is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads `source` to its end into a temporary file.
    ///
    /// # Errors
    /// What reading or writing reports while `doing` it.
    pub fn spool(&self, source: &mut dyn Read, doing: &str) -> Result<Arc<dyn ReadAt>> {
        let mut file = self.create().map_err(Error::io(doing))?;
        io::copy(source, &mut file).map_err(Error::io(doing))?;
        file.freeze().map_err(Error::io(doing))
    }
}

impl Scratch for TempScratch {
    fn create(&self) -> io::Result<Box<dyn ScratchFile>> {
        Ok(Box::new(Spilling { folder: self.folder.clone(), store: Store::Held(Vec::new()) }))
    }
}

/// Bytes that are held while they are few, because most are, and a file for each would cost more than all else.
struct Spilling {
    folder: PathBuf,
    store: Store,
}

enum Store {
    Held(Vec<u8>),
    Spilt(HoleWriter),
}

impl Spilling {
    fn file(&mut self) -> io::Result<&mut HoleWriter> {
        if let Store::Held(held) = &self.store {
            let mut file = HoleWriter::new(tempfile::tempfile_in(&self.folder)?);
            file.write_all(held)?;
            self.store = Store::Spilt(file);
        }
        match &mut self.store {
            Store::Spilt(file) => Ok(file),
            Store::Held(_) => Err(io::Error::other("the bytes were not spilt")),
        }
    }
}

impl Write for Spilling {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match &mut self.store {
            Store::Held(held) if held.len() + buffer.len() <= HELD => held.write(buffer),
            _ => self.file()?.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.store {
            Store::Held(_) => Ok(()),
            Store::Spilt(file) => file.flush(),
        }
    }
}

impl ScratchFile for Spilling {
    fn freeze(self: Box<Self>) -> io::Result<Arc<dyn ReadAt>> {
        match self.store {
            Store::Held(held) => Ok(Arc::new(held)),
            Store::Spilt(file) => {
                let name = format!("a temporary file in {}", self.folder.display());
                Ok(Arc::new(FileBytes::of(file.finish()?, name)?))
            }
        }
    }
}

#[cfg(test)]
mod tests;
