//! Hashes of a layer's blocks, made while all of it is compared with its digest: later a block is compared alone when it is read.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use delta_codec::ReadAt;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::image::LayerContent;
use crate::limits::{BASE_BLOCK, COPY_BUFFER};

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

    /// Reads the blocks from number `first` on that have some of the `length` bytes at `offset`, or as many as are compared at a time.
    fn compare(&self, opened: &dyn ReadAt, first: usize, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = first as u64 * BLOCK_BYTES;
        let wanted = (offset - start + buffer.len() as u64).next_multiple_of(BLOCK_BYTES).min(self.length - start);
        let mut blocks = vec![0; usize::try_from(wanted).unwrap_or(COPY_BUFFER).min(COPY_BUFFER)];
        opened.read_exact_at(&mut blocks, start)?;
        for (number, block) in blocks.chunks(BASE_BLOCK).enumerate() {
            let number = first + number;
            if xxh3_64(block) != self.hashes[number] {
                let at = number as u64 * BLOCK_BYTES;
                return Err(io::Error::other(Error::content(format!("its bytes at {at} are others than they were"))));
            }
            self.compared[number / 64].fetch_or(1 << (number % 64), Ordering::Relaxed);
        }
        let held = &blocks[usize::try_from(offset - start).map_err(io::Error::other)?..];
        let count = held.len().min(buffer.len());
        buffer[..count].copy_from_slice(&held[..count]);
        Ok(count)
    }
}

impl ReadAt for CheckedBytes {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        let buffer = &mut buffer[..count];
        if buffer.is_empty() {
            return Ok(0);
        }
        let opened = self.opened()?;
        let number = |offset: u64| usize::try_from(offset / BLOCK_BYTES).map_err(io::Error::other);
        let last = number(offset + count as u64 - 1)?;
        if (number(offset)?..=last).all(|block| self.is_compared(block)) {
            opened.read_exact_at(buffer, offset)?;
            return Ok(count);
        }
        let mut done = 0;
        while done < count {
            let at = offset + done as u64;
            done += self.compare(opened, number(at)?, &mut buffer[done..], at)?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
