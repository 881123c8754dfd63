//! Reads back from the medium what was written to it, past the page cache, and names the first block that is other.
//!
//! A stick that lies about its size, or wears out, takes every write and every flush; only its own bytes tell.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::limits::READ_BACK_BLOCK as BLOCK;
use crate::system;

/// What is read at a time; a multiple of every block that direct reading asks for.
const PIECE: usize = 1 << 20;

/// Memory for direct reading must begin where a page does.
const PAGE: usize = 4096;

/// The digests of the blocks of a file, as it was meant.
#[derive(Default)]
pub(super) struct Blocks {
    digests: Vec<u64>,
    begun: Vec<u8>,
}

impl Blocks {
    /// Of a file as it stands, through the page cache.
    fn of(file: &mut File) -> io::Result<Self> {
        let mut blocks = Self::default();
        io::copy(file, &mut blocks)?;
        Ok(blocks)
    }

    /// Where the first block lies that the medium gives back other than it was meant; `path` is the name of the file, if it has one.
    pub(super) fn first_bad(mut self, file: &File, path: Option<&Path>) -> io::Result<Option<u64>> {
        self.end_block();
        let mut found = Self::default();
        read_past_cache(file, path, &mut found)?;
        found.end_block();
        let same = self.digests.iter().zip(&found.digests).take_while(|(meant, found)| meant == found).count();
        let is_whole = same == self.digests.len() && same == found.digests.len();
        Ok((!is_whole).then_some((same * BLOCK) as u64))
    }

    fn end_block(&mut self) {
        if !self.begun.is_empty() {
            self.digests.push(xxh3_64(&self.begun));
            self.begun.clear();
        }
    }
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(BLOCK - self.begun.len()));
            self.begun.extend_from_slice(now);
            if self.begun.len() == BLOCK {
                self.end_block();
            }
            rest = later;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The files of a folder, as they were meant.
pub(super) struct Folder(BTreeMap<PathBuf, Blocks>);

impl Folder {
    /// Of all files in it, as they stand, through the page cache.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for path in files_in(folder)? {
            let blocks = Blocks::of(&mut system::open_no_link(&path)?)?;
            files.insert(path, blocks);
        }
        Ok(Self(files))
    }

    /// The first file, and where in it, that the medium gives back other than it was meant.
    pub(super) fn first_bad(self) -> io::Result<Option<(PathBuf, u64)>> {
        for (path, blocks) in self.0 {
            if let Some(offset) = blocks.first_bad(&system::open_no_link(&path)?, Some(&path))? {
                return Ok(Some((path, offset)));
            }
        }
        Ok(None)
    }
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()? {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    Ok(files)
}

/// Reads a file that was flushed from the medium itself.
fn read_past_cache(file: &File, path: Option<&Path>, out: &mut Blocks) -> io::Result<()> {
    let direct = system::open_past_cache(file, path);
    match direct.and_then(|mut direct| copy_aligned(&mut direct, out)) {
        // Not every file system reads directly; one in memory has no medium.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            *out = Blocks::default();
            io::copy(&mut system::open_again(file, path)?, out).map(|_| ())
        }
        done => done,
    }
}

fn copy_aligned(from: &mut File, to: &mut Blocks) -> io::Result<()> {
    let mut memory = vec![0; PIECE + PAGE];
    let start = memory.as_ptr().align_offset(PAGE).min(PAGE);
    let piece = &mut memory[start..start + PIECE];
    loop {
        match from.read(piece) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&piece[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
