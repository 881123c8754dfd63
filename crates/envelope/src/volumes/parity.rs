//! Parity: Reed–Solomon blocks over all blocks of a package, made and used a column at a time.
//!
//! The code is that of `reed-solomon-simd` in its form for few parity blocks, which FORMAT.md defines without it. A column has as many
//! bytes of each block as memory allows; what comes out is stored by columns and read by blocks.

use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::{ReadAt, Scratch};
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use reed_solomon_simd::engine::DefaultEngine;
use reed_solomon_simd::rate::{HighRateDecoder, HighRateEncoder, RateDecoder, RateEncoder};

use super::layout::Layout;
use crate::limits::PARITY_MEMORY;

/// Reads bytes of a block at an offset in it, and zeros behind its end.
pub type ReadBlock<'a> = dyn Fn(u64, u64, &mut [u8]) -> io::Result<()> + 'a;

/// Fills the buffer with what `bytes` has at `offset`, and with zeros behind its end: so are blocks read for parity.
///
/// # Errors
/// What `bytes` reports.
pub fn padded(bytes: &dyn ReadAt, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    let (there, beyond) = buffer.split_at_mut(bytes.available(offset, buffer.len()));
    beyond.fill(0);
    bytes.read_exact_at(there, offset)
}

/// The parity blocks of a package, one behind the other.
///
/// # Errors
/// What reading, or the room for them, reports.
pub fn parity_blocks(
    layout: &Layout,
    read: &ReadBlock<'_>,
    scratch: &dyn Scratch,
    progress: &dyn Progress,
) -> Result<Arc<dyn ReadAt>> {
    let mut encoder = HighRateEncoder::new(
        count(layout.data_blocks())?,
        count(layout.parity_blocks())?,
        count(column_bytes(layout))?,
        DefaultEngine::new(),
        None,
    )
    .map_err(fault)?;
    let used: Vec<u64> = (0..layout.data_blocks()).collect();
    let columns = Columns { layout, read, scratch, progress };
    columns.through(&mut encoder, &used, layout.parity_blocks(), ("making parity", "Making parity"))
}

/// The data blocks that are not among the `good` ones, in their order, one behind the other, all of full length. They are to be compared with
/// their digests.
///
/// # Errors
/// An internal error when there are fewer good blocks than the package has; what reading, or the room, reports.
pub fn restored_blocks(
    layout: &Layout,
    good: &[bool],
    read: &ReadBlock<'_>,
    scratch: &dyn Scratch,
    progress: &dyn Progress,
) -> Result<Arc<dyn ReadAt>> {
    let is_good = |block: &u64| usize::try_from(*block).is_ok_and(|block| good.get(block) == Some(&true));
    let lost = (0..layout.data_blocks()).filter(|block| !is_good(block)).count() as u64;
    let data: Vec<u64> = (0..layout.data_blocks()).filter(is_good).collect();
    let parity = (layout.data_blocks()..layout.blocks()).filter(is_good).take(count(lost)?);
    let used: Vec<u64> = data.into_iter().chain(parity).collect();
    let decoder = HighRateDecoder::new(
        count(layout.data_blocks())?,
        count(layout.parity_blocks())?,
        count(column_bytes(layout))?,
        DefaultEngine::new(),
        None,
    )
    .map_err(fault)?;
    let mut restoring = Restoring { decoder, data_blocks: layout.data_blocks() };
    let columns = Columns { layout, read, scratch, progress };
    columns.through(&mut restoring, &used, lost, ("restoring blocks", "Restoring blocks"))
}

/// What blocks are made into others by, a column at a time.
trait Code {
    /// Takes the piece that a block has in the column.
    fn take(&mut self, block: u64, piece: &[u8]) -> Result<()>;

    /// Gives `put` the pieces of the column that are made of those, in their order, and is ready for the next one.
    fn make(&mut self, put: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;
}

impl Code for HighRateEncoder<DefaultEngine> {
    fn take(&mut self, _: u64, piece: &[u8]) -> Result<()> {
        self.add_original_shard(piece).map_err(fault)
    }

    fn make(&mut self, put: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.encode().map_err(fault)?.recovery_iter().try_for_each(put)
    }
}

/// A decoder that knows which blocks are parity.
struct Restoring {
    decoder: HighRateDecoder<DefaultEngine>,
    data_blocks: u64,
}

impl Code for Restoring {
    fn take(&mut self, block: u64, piece: &[u8]) -> Result<()> {
        match block.checked_sub(self.data_blocks) {
            None => self.decoder.add_original_shard(count(block)?, piece),
            Some(parity) => self.decoder.add_recovery_shard(count(parity)?, piece),
        }
        .map_err(fault)
    }

    fn make(&mut self, put: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.decoder.decode().map_err(fault)?.restored_original_iter().try_for_each(|(_, piece)| put(piece))
    }
}

/// The columns of all blocks, one after the other.
struct Columns<'a> {
    layout: &'a Layout,
    read: &'a ReadBlock<'a>,
    scratch: &'a dyn Scratch,
    progress: &'a dyn Progress,
}

impl Columns<'_> {
    /// The blocks, so many, that `code` makes of the `used` ones, one behind the other.
    fn through(
        &self,
        code: &mut dyn Code,
        used: &[u64],
        blocks: u64,
        (doing, title): (&'static str, &str),
    ) -> Result<Arc<dyn ReadAt>> {
        let column = column_bytes(self.layout);
        let task = self.progress.begin(title, Some(self.layout.bytes()));
        let mut out = self.scratch.create().map_err(Error::io(doing))?;
        let mut buffer = vec![0; count(column)?];
        for offset in (0..self.layout.block_bytes()).step_by(count(column)?) {
            for block in used {
                (self.read)(*block, offset, &mut buffer).map_err(Error::io(doing))?;
                code.take(*block, &buffer)?;
                task.advance(column);
            }
            code.make(&mut |piece| out.write_all(piece).map_err(Error::io(doing)))?;
        }
        let columns = out.freeze().map_err(Error::io(doing))?;
        Ok(Arc::new(ByBlock { columns, blocks, column, block: self.layout.block_bytes() }))
    }
}

/// The bytes of a block that are looked at together with those of all others. The code works on 64 bytes at once.
fn column_bytes(layout: &Layout) -> u64 {
    let held = (layout.data_blocks() + layout.parity_blocks().next_power_of_two()).next_power_of_two();
    // All of them are powers of two, so that the columns fill the block.
    (PARITY_MEMORY / held).clamp(64, layout.block_bytes())
}

fn count(number: u64) -> Result<usize> {
    usize::try_from(number).map_err(|_| Error::internal(format!("{number} is no number of this machine")))
}

fn fault(error: reed_solomon_simd::Error) -> Error {
    Error::internal(format!("parity: {error}"))
}

/// What was written by columns, read by blocks.
struct ByBlock {
    columns: Arc<dyn ReadAt>,
    blocks: u64,
    column: u64,
    block: u64,
}

impl ReadAt for ByBlock {
    fn len(&self) -> u64 {
        self.blocks * self.block
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.len() {
            return Ok(0);
        }
        let (block, at) = (offset / self.block, offset % self.block);
        let (column, at) = (at / self.column, at % self.column);
        let piece = usize::try_from(self.column - at).unwrap_or(usize::MAX).min(buffer.len());
        self.columns.read_at(&mut buffer[..piece], (column * self.blocks + block) * self.column + at)
    }
}
