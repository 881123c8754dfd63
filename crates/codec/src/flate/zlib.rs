//! Streams of C zlib: Java's `GZIPOutputStream` (jib), Bazel, Nix, Python, and whatever else calls `deflate`.

use std::io::{self, Write};

use super::libz::{Deflater, Flush};

/// Bytes that zlib gets at a time. Where its window moves could depend on it, so it is the same for all writers.
const INPUT: usize = 32 << 10;

/// What a caller of `deflateInit2` chooses; always in the range that zlib takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Settings {
    pub(super) level: u8,
    pub(super) window_bits: u8,
    pub(super) memory_level: u8,
    pub(super) strategy: u8,
}

impl Settings {
    /// Level 0 to 9, window of 2^9 to 2^15 bytes, memory level 1 to 9, strategy 0 (default) to 4 (fixed codes).
    #[must_use]
    pub fn new(level: u8, window_bits: u8, memory_level: u8, strategy: u8) -> Option<Self> {
        let known = level <= 9 && (9..=15).contains(&window_bits) && (1..=9).contains(&memory_level) && strategy <= 4;
        known.then_some(Self { level, window_bits, memory_level, strategy })
    }

    /// Strategy and level, memory level and window, 4 bits each.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 2] {
        [self.strategy << 4 | self.level, self.memory_level << 4 | self.window_bits]
    }

    /// The settings that [`Self::to_bytes`] gives these bytes for.
    #[must_use]
    pub fn from_bytes([first, second]: [u8; 2]) -> Option<Self> {
        Self::new(first & 15, second & 15, second >> 4, first >> 4)
    }
}

/// Writes the stream of the bytes that are written to it.
pub struct Encoder<W> {
    deflater: Deflater,
    input: Vec<u8>,
    out: W,
}

impl<W: Write> Encoder<W> {
    /// Starts a stream.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(settings: Settings, out: W) -> io::Result<Self> {
        Ok(Self { deflater: Deflater::new(settings)?, input: Vec::with_capacity(INPUT), out })
    }

    /// Ends the stream and gives back where it was written to.
    ///
    /// # Errors
    /// What writing reports.
    pub fn finish(mut self) -> io::Result<W> {
        self.deflater.run(&self.input, Flush::Finish, &mut self.out)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.input.is_empty() && buffer.len() >= INPUT {
            self.deflater.run(&buffer[..INPUT], Flush::More, &mut self.out)?;
            return Ok(INPUT);
        }
        let count = buffer.len().min(INPUT - self.input.len());
        self.input.extend_from_slice(&buffer[..count]);
        if self.input.len() == INPUT {
            self.deflater.run(&self.input, Flush::More, &mut self.out)?;
            self.input.clear();
        }
        Ok(count)
    }

    /// Flushes what is ready; the stream's blocks stay as they are.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
