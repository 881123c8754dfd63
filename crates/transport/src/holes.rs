//! Writes files whose long runs of zeros take no room.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

/// What is written at a time, or left out when all of it is zero. Every file system can have a hole of it.
const BLOCK: usize = 64 << 10;

/// Writes a file from its start and leaves holes where all bytes of a block are zero.
pub(crate) struct HoleWriter {
    file: File,
    block: Vec<u8>,
    length: u64,
}

impl HoleWriter {
    /// A writer into an empty file.
    pub(crate) const fn new(file: File) -> Self {
        Self { file, block: Vec::new(), length: 0 }
    }

    /// Writes what is left and gives the file its length.
    pub(crate) fn finish(mut self) -> io::Result<File> {
        self.put()?;
        self.file.set_len(self.length)?;
        Ok(self.file)
    }

    fn put(&mut self) -> io::Result<()> {
        if self.block.iter().any(|byte| *byte != 0) {
            self.file.seek(SeekFrom::Start(self.length - self.block.len() as u64))?;
            self.file.write_all(&self.block)?;
        }
        self.block.clear();
        Ok(())
    }
}

impl Write for HoleWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK {
            self.put()?;
        }
        let count = (BLOCK - self.block.len()).min(buffer.len());
        self.block.extend_from_slice(&buffer[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
