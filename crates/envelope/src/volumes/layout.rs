//! How a package is cut: into blocks, and these into volumes.

use std::ops::Range;
use std::str::FromStr;

use delta_core::error::{Error, Result};

use crate::limits::{BLOCKS, LEAST_BLOCK, MOST_BLOCK, VOLUMES};

/// What stands before the digests in the header of a volume.
const FIXED: u64 = 96;

/// Headers fill whole sectors, so that a bad one spoils one block and not two.
const SECTOR: u64 = 4_096;

/// How many blocks of parity there are for 100 blocks of data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parity(u64);

impl FromStr for Parity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.strip_suffix('%').unwrap_or(text);
        match digits.parse() {
            Ok(percent @ 1..=100) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Self(percent)),
            _ => Err(Error::usage(format!("expected parity from 1% to 100%, found `{text}`"))),
        }
    }
}

/// How a package is cut. Data blocks are numbered from 0, parity blocks from behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    bytes: u64,
    blocks_per_volume: u64,
    parity: u64,
}

impl Layout {
    /// For a package of `bytes` bytes: volumes of at most `most` bytes, or one that has all data.
    ///
    /// # Errors
    /// Usage errors for an empty package, one that is too long, and volumes that are too small.
    pub fn plan(bytes: u64, most: Option<u64>, Parity(percent): Parity) -> Result<Self> {
        let data = data_blocks(bytes).ok_or_else(|| {
            Error::usage(format!("{bytes} bytes cannot be split: expected 1 to {}", BLOCKS * MOST_BLOCK))
        })?;
        let parity = (data * percent).div_ceil(100);
        let header = header_bytes(data + parity);
        let block = block_bytes(bytes);
        let blocks_per_volume = most.map_or(data, |most| (most.saturating_sub(header) / block).min(data));
        Self::checked(bytes, blocks_per_volume, parity).ok_or_else(|| {
            let least = header + block * (data + parity).div_ceil(VOLUMES - 1);
            let most = most.unwrap_or_default();
            Error::usage(format!(
                "volumes of {most} bytes are too small for {bytes} bytes: there would be more than {VOLUMES}"
            ))
            .with_hint(format!("volumes of {least} bytes would do"))
        })
    }

    /// One that holds together, or nothing.
    pub(super) fn checked(bytes: u64, blocks_per_volume: u64, parity: u64) -> Option<Self> {
        let data = data_blocks(bytes)?;
        let layout = Self { bytes, blocks_per_volume, parity };
        let holds = (1..=data).contains(&blocks_per_volume) && parity <= data && layout.volumes() <= VOLUMES;
        holds.then_some(layout)
    }

    /// The bytes of the package.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes of a block.
    pub fn block_bytes(&self) -> u64 {
        block_bytes(self.bytes)
    }

    /// The blocks of a full volume.
    pub const fn blocks_per_volume(&self) -> u64 {
        self.blocks_per_volume
    }

    /// The blocks of the package itself.
    pub fn data_blocks(&self) -> u64 {
        self.bytes.div_ceil(self.block_bytes())
    }

    /// The blocks of parity.
    pub const fn parity_blocks(&self) -> u64 {
        self.parity
    }

    /// All blocks.
    pub fn blocks(&self) -> u64 {
        self.data_blocks() + self.parity
    }

    /// The volumes that hold the package itself; those of parity come behind them.
    pub fn data_volumes(&self) -> u64 {
        self.data_blocks().div_ceil(self.blocks_per_volume)
    }

    /// All volumes.
    pub fn volumes(&self) -> u64 {
        self.data_volumes() + self.parity.div_ceil(self.blocks_per_volume)
    }

    /// The volumes that may all be lost at once, whichever they are.
    pub fn spare_volumes(&self) -> u64 {
        self.parity / self.blocks_per_volume
    }

    /// The blocks of a volume, which counts from 1.
    pub fn blocks_of(&self, volume: u64) -> Range<u64> {
        let data = self.data_volumes();
        let (first, end, volume) = if volume <= data {
            (0, self.data_blocks(), volume)
        } else {
            (self.data_blocks(), self.blocks(), volume - data)
        };
        let start = first + (volume - 1) * self.blocks_per_volume;
        start.min(end)..(start + self.blocks_per_volume).min(end)
    }

    /// The volume that has a block.
    pub(crate) fn volume_of(&self, block: u64) -> u64 {
        match block.checked_sub(self.data_blocks()) {
            None => block / self.blocks_per_volume + 1,
            Some(parity) => self.data_volumes() + parity / self.blocks_per_volume + 1,
        }
    }

    /// The bytes of a block: only the last one of data may be shorter than the others.
    pub fn bytes_of(&self, block: u64) -> u64 {
        let size = self.block_bytes();
        if block < self.data_blocks() { size.min(self.bytes - block * size) } else { size }
    }

    /// Where a block stands in the file of its volume.
    pub fn place_of(&self, block: u64) -> u64 {
        let first = self.blocks_of(self.volume_of(block)).start;
        self.header_bytes() + (block - first) * self.block_bytes()
    }

    /// The bytes of the header of each volume.
    pub(crate) fn header_bytes(&self) -> u64 {
        header_bytes(self.blocks())
    }

    /// The bytes of the file of a volume.
    pub fn file_bytes(&self, volume: u64) -> u64 {
        self.header_bytes() + self.blocks_of(volume).map(|block| self.bytes_of(block)).sum::<u64>()
    }

    /// The bytes of all files.
    pub fn all_bytes(&self) -> u64 {
        self.volumes() * self.header_bytes() + self.bytes + self.parity * self.block_bytes()
    }
}

/// The smallest power of two with which there are not more blocks than there may be.
fn block_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCKS).max(LEAST_BLOCK).next_power_of_two()
}

fn data_blocks(bytes: u64) -> Option<u64> {
    (1..=BLOCKS * MOST_BLOCK).contains(&bytes).then(|| bytes.div_ceil(block_bytes(bytes)))
}

const fn header_bytes(blocks: u64) -> u64 {
    (FIXED + 32 * blocks).next_multiple_of(SECTOR)
}

#[cfg(test)]
mod tests;
