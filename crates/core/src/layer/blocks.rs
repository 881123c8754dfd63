//! Hashes of a layer's blocks, made while all of it is compared with its digest: later a block is compared alone when it is read.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use delta_codec::ReadAt;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::image::LayerContent;
use crate::limits::BASE_BLOCK;

const BLOCK_BYTES: u64 = BASE_BLOCK as u64;

/// Makes the hashes of what is written.
#[derive(Default)]
pub(crate) struct BlockHasher {
    hashes: Vec<u64>,
    partial: Vec<u8>,
}

impl BlockHasher {
    /// One hash for each block; the last may be shorter than the others.
    pub(crate) fn finish(mut self) -> Vec<u64> {
        if !self.partial.is_empty() {
            self.hashes.push(xxh3_64(&self.partial));
        }
        self.hashes
    }
}

impl Write for BlockHasher {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let lacking = if self.partial.is_empty() { 0 } else { BASE_BLOCK - self.partial.len() };
        let (head, rest) = buffer.split_at(lacking.min(buffer.len()));
        self.partial.extend_from_slice(head);
        if self.partial.len() == BASE_BLOCK {
            self.hashes.push(xxh3_64(&self.partial));
            self.partial.clear();
        }
        let (blocks, tail) = rest.as_chunks::<BASE_BLOCK>();
        self.hashes.extend(blocks.iter().map(|block| xxh3_64(block)));
        self.partial.extend_from_slice(tail);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many blocks so many bytes have.
pub(crate) const fn block_count(length: u64) -> u64 {
    length.div_ceil(BLOCK_BYTES)
}

/// The bytes of a layer whose blocks were hashed before. It is opened when it is first read, and a block that is another one than
/// it was is an error of kind content.
pub(crate) struct CheckedBytes {
    content: Arc<dyn LayerContent>,
    opened: OnceLock<Arc<dyn ReadAt>>,
    length: u64,
    hashes: Vec<u64>,
    /// A bit for each block that was compared.
    compared: Vec<AtomicU64>,
}

impl CheckedBytes {
    /// The `length` bytes of `content`, with one hash for each block.
    pub(crate) fn new(content: Arc<dyn LayerContent>, length: u64, hashes: Vec<u64>) -> Self {
        let compared = (0..hashes.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { content, opened: OnceLock::new(), length, hashes, compared }
    }

    fn opened(&self) -> io::Result<&Arc<dyn ReadAt>> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = self.content.plain().map_err(io::Error::other)?;
        if opened.len() != self.length {
            return Err(io::Error::other(Error::content(format!(
                "it has {} bytes, where it had {}",
                opened.len(),
                self.length
            ))));
        }
        Ok(self.opened.get_or_init(|| opened))
    }

    fn is_compared(&self, block: usize) -> bool {
        self.compared[block / 64].load(Ordering::Relaxed) & (1 << (block % 64)) != 0
    }

    /// Compares block number `block` of which some bytes were read at `offset`.
    fn compare(&self, opened: &dyn ReadAt, block: usize, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let start = block as u64 * BLOCK_BYTES;
        let end = (start + BLOCK_BYTES).min(self.length);
        let place = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX).min(buffer.len());
        let held = place(start)..place(end);
        let length = usize::try_from(end - start).map_err(io::Error::other)?;
        if held.len() == length {
            self.require_same(block, &buffer[held])?;
        } else {
            let mut whole = [0; BASE_BLOCK];
            let whole = &mut whole[..length];
            opened.read_exact_at(whole, start)?;
            self.require_same(block, whole)?;
            // What was read before may have been something else.
            let skipped = usize::try_from(offset.saturating_sub(start)).map_err(io::Error::other)?;
            let count = held.len();
            buffer[held].copy_from_slice(&whole[skipped..skipped + count]);
        }
        self.compared[block / 64].fetch_or(1 << (block % 64), Ordering::Relaxed);
        Ok(())
    }

    fn require_same(&self, block: usize, bytes: &[u8]) -> io::Result<()> {
        if xxh3_64(bytes) == self.hashes[block] {
            return Ok(());
        }
        let at = block as u64 * BLOCK_BYTES;
        Err(io::Error::other(Error::content(format!("its bytes at {at} are others than they were"))))
    }
}

impl ReadAt for CheckedBytes {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.available(offset, buffer.len());
        let buffer = &mut buffer[..count];
        if buffer.is_empty() {
            return Ok(0);
        }
        let opened = self.opened()?;
        let number = |offset: u64| usize::try_from(offset / BLOCK_BYTES).map_err(io::Error::other);
        let (first, last) = (number(offset)?, number(offset + count as u64 - 1)?);
        opened.read_exact_at(buffer, offset)?;
        for block in (first..=last).filter(|block| !self.is_compared(*block)) {
            self.compare(opened, block, buffer, offset)?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
