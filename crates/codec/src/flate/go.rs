//! The encoder of Go's `compress/flate` up to Go 1.26: docker push, BuildKit, containerd, ko, crane and kaniko.
//!
//! A port of the algorithm of Go (Copyright 2009 and 2016 The Go Authors, BSD-3-Clause; see the file NOTICE).
//! The streams are those that Go writes for whole buffers, as `io.Copy` fills them.

mod blocks;
mod chains;
mod checkpoint;
mod fast;
mod parallel;

use std::io::{self, Write};
use std::num::NonZeroU64;

use self::blocks::{Blocks, STORED_BYTES};
use self::chains::{Chains, Rules};
pub use self::checkpoint::Checkpoint;
use self::checkpoint::Marks;
use self::fast::Fast;
pub use self::parallel::{encode, encode_noting};
use super::bits::Bits;
pub use super::level::Level;
use super::window::BYTES as WINDOW;
use crate::ReadAt;

impl Level {
    /// Whether [`Encoder`] can start again in the middle of a stream of this level.
    #[must_use]
    pub const fn has_checkpoints(self) -> bool {
        self.number() >= 4
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
        let method = match level.number() {
            0 => Method::Stored(Box::default()),
            -2 => Method::Literals(Box::default()),
            1 => Method::Fast(Fast::new()),
            level => Method::Chains(Chains::new(Rules::of(level))),
        };
        Self { method, blocks: Blocks::new(Bits::new()), out }
    }

    /// The same, and on levels 4 to 9 notes a [`Checkpoint`] at the first end of a block that is `apart` or more plain bytes behind the
    /// last one.
    pub fn noting(level: Level, apart: NonZeroU64, out: W) -> Self {
        let mut encoder = Self::new(level, out);
        if let Method::Chains(chains) = &mut encoder.method {
            chains.marks = Marks { from: apart.get(), apart: Some(apart.get()), noted: Vec::new() };
        }
        encoder
    }

    /// Goes on where an encoder for the same `plain` bytes and `level` noted `checkpoint`; what is written to it must be those from
    /// [`Checkpoint::continues_at`] on. The stream lacks what was whole bytes already then.
    ///
    /// # Errors
    /// What reading reports; [`io::ErrorKind::InvalidInput`] for a level without checkpoints, and a checkpoint of other bytes, as far as that
    /// shows.
    pub fn resume(level: Level, checkpoint: &Checkpoint, plain: &dyn ReadAt, out: W) -> io::Result<Self> {
        if !level.has_checkpoints() || !checkpoint.fits(plain.len()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the checkpoint is not one of this stream"));
        }
        let mut window = vec![0; WINDOW];
        plain.read_exact_at(&mut window, checkpoint.window())?;
        let (held, count) = checkpoint.held;
        let chains = Chains::resume(Rules::of(level.number()), checkpoint, &window);
        Ok(Self { method: Method::Chains(chains), blocks: Blocks::new(Bits::after(held, count)), out })
    }

    /// What was noted since the last call.
    pub fn take_checkpoints(&mut self) -> Vec<Checkpoint> {
        match &mut self.method {
            Method::Chains(chains) => std::mem::take(&mut chains.marks.noted),
            _ => Vec::new(),
        }
    }

    /// Notes the first end of a block that is `position` or more plain bytes in, and encodes no further.
    fn stop_behind(&mut self, position: u64) {
        if let Method::Chains(chains) = &mut self.method {
            chains.marks = Marks { from: position, apart: None, noted: Vec::new() };
        }
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

#[cfg(test)]
mod tests;
