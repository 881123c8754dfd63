//! The encoder of Go's `compress/flate` up to Go 1.26: docker push, BuildKit, containerd, ko, crane and kaniko.
//!
//! A port of the algorithm of Go (Copyright 2009 and 2016 The Go Authors, BSD-3-Clause; see the file NOTICE).
//! The streams are those that Go writes for whole buffers, as `io.Copy` fills them.

mod blocks;
mod chains;
mod fast;

use std::io::{self, Write};

use self::blocks::{Blocks, STORED_BYTES};
use self::chains::{Chains, Rules};
use self::fast::Fast;
use super::bits::Bits;

/// A level of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(i8);

impl Level {
    /// 0 stores, 1 to 9 search ever longer, -2 has no matches at all; there is no other level.
    #[must_use]
    pub fn new(level: i8) -> Option<Self> {
        matches!(level, -2 | 0..=9).then_some(Self(level))
    }

    /// The number that Go knows it by.
    #[must_use]
    pub fn number(self) -> i8 {
        self.0
    }
}

/// Compresses what is written to it, without a header or trailer. The sizes of the writes do not matter.
pub struct Encoder<W> {
    method: Method,
    blocks: Blocks,
    out: W,
}

/// What becomes of the plain bytes.
enum Method {
    Stored(Box<Block>),
    Literals(Box<Block>),
    Fast(Fast),
    Chains(Chains),
}

impl<W: Write> Encoder<W> {
    /// Writes to `out` what Go writes at `level`.
    pub fn new(level: Level, out: W) -> Self {
        let method = match level.0 {
            0 => Method::Stored(Box::default()),
            -2 => Method::Literals(Box::default()),
            1 => Method::Fast(Fast::new()),
            level => Method::Chains(Chains::new(Rules::of(level))),
        };
        Self { method, blocks: Blocks::new(Bits::new()), out }
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// What writing reports.
    pub fn finish(mut self) -> io::Result<W> {
        self.method.step(&mut self.blocks, true);
        self.blocks.end();
        self.blocks.bits.drain(&mut self.out)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        if !plain.is_empty() && self.method.is_full() {
            self.method.step(&mut self.blocks, false);
            self.blocks.bits.drain(&mut self.out)?;
        }
        Ok(self.method.fill(plain))
    }

    /// Passes on what is compressed already; a flush in the middle of a stream would change it.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Method {
    fn is_full(&self) -> bool {
        match self {
            Self::Stored(block) | Self::Literals(block) => block.filled == STORED_BYTES,
            Self::Fast(fast) => fast.is_full(),
            Self::Chains(chains) => chains.is_full(),
        }
    }

    /// Takes what there is room for, and says how much that was.
    fn fill(&mut self, plain: &[u8]) -> usize {
        match self {
            Self::Stored(block) | Self::Literals(block) => block.fill(plain),
            Self::Fast(fast) => fast.fill(plain),
            Self::Chains(chains) => chains.fill(plain),
        }
    }

    /// Encodes what was filled in; what is not full must be the last.
    fn step(&mut self, blocks: &mut Blocks, last: bool) {
        match self {
            Self::Stored(block) if block.filled > 0 => blocks.stored(block.take()),
            Self::Literals(block) if block.filled > 0 => blocks.literals_or_stored(block.take()),
            Self::Stored(_) | Self::Literals(_) => {}
            Self::Fast(fast) => fast.step(blocks),
            Self::Chains(chains) => chains.step(blocks, last),
        }
    }
}

/// The plain bytes of a block.
struct Block {
    bytes: [u8; STORED_BYTES],
    filled: usize,
}

impl Default for Block {
    fn default() -> Self {
        Self { bytes: [0; STORED_BYTES], filled: 0 }
    }
}

impl Block {
    fn fill(&mut self, plain: &[u8]) -> usize {
        let count = plain.len().min(STORED_BYTES - self.filled);
        self.bytes[self.filled..self.filled + count].copy_from_slice(&plain[..count]);
        self.filled += count;
        count
    }

    fn take(&mut self) -> &[u8] {
        let filled = std::mem::take(&mut self.filled);
        &self.bytes[..filled]
    }
}
