//! Tiles a layer's bytes into entries: a header block, content, padding.
//!
//! Any bytes can be tiled. What is no entry (the end of an archive, damage, a layer that is no tar at all) is an *opaque*
//! entry, which has content only. It is no tar reader: long names and pax records are entries of their own, whose content
//! is the name or the records; sparse files are the bytes that are stored.

mod header;
mod scan;

use std::io;

use delta_codec::ReadAt;
use xxhash_rust::xxh3::Xxh3Default;

use crate::limits::{ENTRIES_PER_LAYER, INDEXED_PATH_BYTES};
pub(crate) use header::*;
pub(crate) use scan::{Piece, Scanner};

/// One entry of a layer. Entries tile the layer in their order, without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it starts in the layer: at its header block, or at its content when it is opaque.
    pub start: u64,
    /// Whether it has a header block.
    pub has_header: bool,
    /// The length of its content in bytes.
    pub length: u64,
    /// The length of the padding behind the content.
    pub padding: u64,
}

impl Entry {
    /// Where its content starts in the layer.
    pub const fn content(&self) -> u64 {
        self.start + if self.has_header { BLOCK as u64 } else { 0 }
    }

    /// The offset of the first byte behind it.
    pub const fn end(&self) -> u64 {
        self.content() + self.length + self.padding
    }

    /// What stands behind the content in every sound archive.
    pub(crate) fn usual_padding(&self) -> Vec<u8> {
        let length = if self.has_header { self.length.wrapping_neg() % BLOCK as u64 } else { 0 };
        vec![0; usize::try_from(length).unwrap_or_default()]
    }
}

/// The entries of a layer with what is needed to find them again: paths and hashes of contents.
#[derive(Debug, Default)]
pub struct TarIndex {
    entries: Vec<Entry>,
    hashes: Vec<u128>,
    paths: Vec<u8>,
    path_ends: Vec<usize>,
}

impl TarIndex {
    /// Reads all of `layer` once.
    ///
    /// # Errors
    /// Only what reading reports.
    pub fn new(layer: &dyn ReadAt) -> io::Result<Self> {
        let mut index = Self::default();
        let mut scanner = Scanner::new(layer, ENTRIES_PER_LAYER);
        let mut described = 0;
        while let Some(Piece { entry, path, describes_next }) = scanner.next()? {
            let mut state = Xxh3Default::new();
            scanner.content(&entry, &mut |piece| {
                state.update(piece);
                Ok(())
            })?;
            index.entries.push(entry);
            index.hashes.push(state.digest128());
            if !describes_next {
                index.name(described, &path);
                described = index.entries.len();
            }
        }
        index.name(described, b"");
        Ok(index)
    }

    /// Adds what is known of the next entry.
    pub(crate) fn push(&mut self, entry: Entry, hash: u128, path: &[u8]) {
        self.entries.push(entry);
        self.hashes.push(hash);
        self.paths.extend_from_slice(path);
        self.path_ends.push(self.paths.len());
    }

    /// The entries, in the order of the layer.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The xxh3 hash of the content of entry `number`; equal contents are to be expected, not believed, when hashes are equal.
    pub fn hash(&self, number: usize) -> u128 {
        self.hashes[number]
    }

    /// What entry `number` can be found by: its path without `./` before and `/` behind. Entries that describe the next one
    /// have its path and a number behind a NUL; opaque entries have none.
    pub fn path(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.path_ends[before]);
        &self.paths[start..self.path_ends[number]]
    }

    /// Gives `path` to the last entry, and to those from `first` on that describe it.
    fn name(&mut self, first: usize, path: &[u8]) {
        let path = path.strip_prefix(b"./").unwrap_or(path);
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let path = &path[..path.len().min(INDEXED_PATH_BYTES)];
        for behind in (0..self.entries.len() - first).rev() {
            self.paths.extend_from_slice(path);
            if behind > 0 {
                self.paths.push(0);
                self.paths.push(u8::try_from(behind).unwrap_or(u8::MAX));
            }
            self.path_ends.push(self.paths.len());
        }
    }
}

/// The entries of `layer` alone, which only reads the headers.
///
/// # Errors
/// Only what reading reports.
pub fn entries(layer: &dyn ReadAt) -> io::Result<Vec<Entry>> {
    let mut scanner = Scanner::new(layer, ENTRIES_PER_LAYER);
    let mut entries = Vec::new();
    while let Some(piece) = scanner.next()? {
        entries.push(piece.entry);
    }
    Ok(entries)
}
