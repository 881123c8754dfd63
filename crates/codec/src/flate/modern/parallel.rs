//! The blocks of pgzip side by side.

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::ops::Range;

use rayon::prelude::*;

use super::{Encoder, Piece, Settings, TAIL_BYTES};
use crate::ReadAt;
use crate::limits::{COPY_BYTES, PGZIP_HELD_BYTES};

/// Writes to `out` the stream of `plain` with `settings`, as [`Encoder`] does; blocks of pgzip side by side, but for the first one, so that
/// somebody who compares the stream sees soon that it is another.
///
/// # Errors
/// What reading and writing report.
pub fn encode(settings: Settings, plain: &dyn ReadAt, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    match settings.block {
        Some(block) if u64::from(block.get()) <= PGZIP_HELD_BYTES => {
            ParallelStream { settings, block, plain }.encode(out)
        }
        _ => {
            let mut encoder = Encoder::new(settings, out);
            copy(plain, 0..plain.len(), |bytes| encoder.write_all(bytes))?;
            encoder.finish().map(drop)
        }
    }
}

struct ParallelStream<'a> {
    settings: Settings,
    block: NonZeroU32,
    plain: &'a dyn ReadAt,
}

impl ParallelStream<'_> {
    fn encode(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        // The last block has what is left, which may be nothing.
        let count = self.plain.len() / u64::from(self.block.get()) + 1;
        self.write_block(0, &mut *out)?;
        let together = (PGZIP_HELD_BYTES / u64::from(self.block.get())).min(rayon::current_num_threads() as u64).max(1);
        let mut next = 1;
        while next < count {
            let batch: Vec<u64> = (next..count.min(next + together)).collect();
            let make = |number: &u64| self.write_block(*number, Vec::new());
            for block in batch.par_iter().map(make).collect::<Vec<_>>() {
                out.write_all(&block?)?;
            }
            next += batch.len() as u64;
        }
        Ok(())
    }

    fn write_block<W: Write>(&self, number: u64, mut out: W) -> io::Result<W> {
        let (block, length) = (u64::from(self.block.get()), self.plain.len());
        let (start, end) = (number * block, ((number + 1) * block).min(length));
        let is_last = end < (number + 1) * block;
        // A block that is no longer than the tail leaves nothing behind.
        let tail = if block > TAIL_BYTES as u64 { start.min(TAIL_BYTES as u64) } else { 0 };
        let mut dictionary = vec![0; tail as usize];
        self.plain.read_exact_at(&mut dictionary, start - tail)?;
        let mut piece = Piece::new(self.settings, &dictionary);
        copy(self.plain, start..end, |mut bytes| {
            while !bytes.is_empty() {
                if piece.method.is_full() {
                    piece.method.step(&mut piece.blocks, false);
                    piece.blocks.bits.drain(&mut out)?;
                }
                bytes = &bytes[piece.method.fill(bytes)..];
            }
            Ok(())
        })?;
        piece.flush();
        if is_last {
            piece.blocks.end();
        }
        piece.blocks.bits.drain(&mut out)?;
        Ok(out)
    }
}

/// Gives the bytes of `range`, piece by piece.
fn copy(plain: &dyn ReadAt, range: Range<u64>, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut at = range.start;
    while at < range.end {
        let most = usize::try_from(range.end - at).map_or(COPY_BYTES, |left| left.min(COPY_BYTES));
        match plain.read_at(&mut buffer[..most], at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                take(&buffer[..count])?;
                at += count as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
