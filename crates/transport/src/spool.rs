//! Temporary room on disk.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{ReadAt, Scratch, ScratchFile};
use delta_core::error::{Error, Result};

use crate::file::FileBytes;

const BUFFER: usize = 256 << 10;

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
        Ok(Box::new(TempFile(BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(&self.folder)?))))
    }
}

struct TempFile(BufWriter<File>);

impl Write for TempFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl ScratchFile for TempFile {
    fn freeze(self: Box<Self>) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::new(FileBytes::of(self.0.into_inner().map_err(io::IntoInnerError::into_error)?)?))
    }
}
