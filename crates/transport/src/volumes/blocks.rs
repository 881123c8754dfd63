//! Which blocks of a set are there and right, and where each is.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;

use delta_core::digest::{BlobDigest, Hasher};
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_envelope::volumes::Set;
use serde::Serialize;

use super::search::Candidate;
use crate::system;

/// What is known of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VolumeState {
    /// Its number.
    pub volume: u64,
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// How many blocks it should have.
    pub blocks: u64,
    /// How many of them are not right.
    pub bad_blocks: u64,
    /// Whether the medium refused to give some.
    pub unreadable: bool,
    /// Whether the file is what was written, to the last byte.
    pub whole: bool,
    /// Whether the file is proved to be the volume, or what is left of it.
    #[serde(skip)]
    pub(super) is_ours: bool,
}

impl VolumeState {
    /// What its blocks suffered, behind the name of its file.
    pub(super) fn damage(&self) -> String {
        let what = if self.unreadable { "cannot be read" } else { "is damaged" };
        format!("{what} in {} of {} blocks", self.bad_blocks, self.blocks)
    }
}

/// Where a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Which of the sources has it.
    pub(super) source: usize,
    pub(super) offset: u64,
}

/// What a look at one file gave.
pub(super) struct Looked {
    /// The blocks of its volume, in their order, and whether each is right.
    pub(super) good: Vec<bool>,
    pub(super) unreadable: bool,
}

/// Compares the blocks of a volume with their digests.
pub(super) fn look(set: &Set, file: &File, volume: u64, advance: &dyn Fn(u64)) -> Result<Looked> {
    let mut looked = Looked { good: Vec::new(), unreadable: false };
    let mut buffer = vec![0; BUFFER];
    for block in set.layout.blocks_of(volume) {
        let (place, bytes) = (set.layout.place_of(block), set.layout.bytes_of(block));
        match digest_of(file, place, bytes, &mut buffer) {
            Ok(digest) => looked.good.push(digest == digest_in(set, block)?),
            Err(error) => {
                looked.unreadable |= error.kind() != io::ErrorKind::UnexpectedEof;
                looked.good.push(false);
            }
        }
        advance(bytes);
    }
    Ok(looked)
}

/// A look at all files of some volumes.
pub(super) struct Survey {
    /// Where each block is, if it is anywhere.
    pub(super) places: Vec<Option<Place>>,
    pub(super) states: Vec<VolumeState>,
}

impl Survey {
    pub(super) fn new(set: &Set) -> Self {
        let layout = &set.layout;
        let state = |volume| VolumeState {
            volume,
            file: None,
            blocks: layout.blocks_of(volume).count() as u64,
            bad_blocks: layout.blocks_of(volume).count() as u64,
            unreadable: false,
            whole: false,
            is_ours: false,
        };
        Self { places: vec![None; set.blocks.len()], states: (1..=layout.volumes()).map(state).collect() }
    }

    /// Looks at a file, which becomes the source of this number.
    pub(super) fn add(
        &mut self,
        set: &Set,
        (source, candidate): (usize, &Candidate),
        progress: &dyn Progress,
    ) -> Result<()> {
        let Some(file) = &candidate.file else { return Ok(()) };
        let task = progress.begin(&format!("Checking {}", candidate.path.display()), Some(candidate.bytes));
        let looked = look(set, file, candidate.volume, &|bytes| task.advance(bytes))?;
        let state = &mut self.states[index(candidate.volume - 1)?];
        for (block, good) in set.layout.blocks_of(candidate.volume).zip(&looked.good) {
            let place = &mut self.places[index(block)?];
            if *good && place.is_none() {
                *place = Some(Place { source, offset: set.layout.place_of(block) });
                state.bad_blocks -= 1;
            }
        }
        let all = looked.good.iter().all(|good| *good);
        let whole = all && candidate.is_named && candidate.bytes == set.layout.file_bytes(candidate.volume);
        if whole || state.file.is_none() {
            state.file = Some(candidate.path.clone());
            state.is_ours = candidate.is_named || candidate.bytes == 0 || looked.good.contains(&true);
        }
        state.whole |= whole;
        state.unreadable |= looked.unreadable;
        Ok(())
    }

    /// How many of the blocks with these numbers are nowhere.
    pub(super) fn lost(&self, blocks: Range<u64>) -> u64 {
        blocks.filter(|block| index(*block).is_ok_and(|block| self.places[block].is_none())).count() as u64
    }
}

const BUFFER: usize = 256 << 10;

/// The digest of bytes of a file. Read past the cache of faults of the medium: what is lost here may still be restored.
fn digest_of(file: &File, offset: u64, bytes: u64, buffer: &mut [u8]) -> io::Result<BlobDigest> {
    let mut hasher = Hasher::new(io::sink());
    let end = offset + bytes;
    let mut at = offset;
    while at < end {
        let count = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        system::read_exact_at(file, &mut buffer[..count], at)?;
        hasher.write_all(&buffer[..count])?;
        at += count as u64;
    }
    Ok(hasher.finish().1.into())
}

pub(super) fn digest_in(set: &Set, block: u64) -> Result<BlobDigest> {
    set.blocks.get(index(block)?).copied().ok_or_else(|| Error::internal(format!("block {block} has no digest")))
}

pub(super) fn index(number: u64) -> Result<usize> {
    usize::try_from(number).map_err(|_| Error::internal(format!("{number} is no number of this machine")))
}
