//! The encoder of klauspost/compress from 1.15.10 on, which is `compress/flate` of Go from 1.27 on, and of pgzip, which is made of
//! it: podman, buildah, skopeo, umoci and apko.
//!
//! A port of the algorithm of klauspost/compress (Copyright 2012 The Go Authors, 2019 Klaus Post; BSD-3-Clause; see the file
//! NOTICE).

mod blocks;
mod chains;
mod estimate;
mod five;
mod four;
mod history;
mod one;
mod parallel;
mod quick;
mod three;
mod two;

use std::io::{self, Write};
use std::num::NonZeroU32;

use self::blocks::Blocks;
use self::chains::Chains;
use self::five::Five;
use self::four::Four;
use self::history::{Find, History};
use self::one::One;
pub use self::parallel::encode;
use self::three::Three;
use self::two::Two;
use super::bits::Bits;
pub use super::level::Level;
use super::tokens::Tokens;

/// The bytes of a block on levels 0 to 6, and of a stored block at most.
const BLOCK_BYTES: usize = 65535;

/// The bytes of a block that has no matches.
const LITERALS_BYTES: usize = 32 << 10;

/// What a block of pgzip may copy from the one before it.
const TAIL_BYTES: usize = 16 << 10;

/// Which stream is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The level.
    pub level: Level,
    /// The version of klauspost/compress.
    pub version: Version,
    /// The plain bytes of a block of pgzip; none for a stream that is made in one piece.
    pub block: Option<NonZeroU32>,
}

/// Versions whose streams are equal, by the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.15.10 to 1.15.14, which differ from the next on levels 7 to 9.
    V1_15_10,
    /// 1.15.15 to 1.17.11.
    V1_15_15,
    /// 1.18.0, which differs from those before on level 4.
    V1_18,
    /// From 1.18.2 on, and Go: the headers of blocks leave out codes that are not used.
    V1_18_2,
}

impl Version {
    /// Every class, the oldest first.
    pub const ALL: [Self; 4] = [Self::V1_15_10, Self::V1_15_15, Self::V1_18, Self::V1_18_2];

    fn exact_sizes(self) -> bool {
        self >= Self::V1_18_2
    }
}

/// What else distinguishes versions, on levels 7 to 9.
#[derive(Clone, Copy)]
struct Quirks {
    /// A longer match that is remembered for the end of the one that was found is looked for as it was up to 1.15.14, and what a match
    /// must save is counted so.
    early: bool,
    /// All bytes in the window are counted to weigh literals, not only 32 KiB of them.
    counts_all: bool,
    /// A byte that was not counted takes one bit, not none.
    unknown_costs_one: bool,
}

/// Compresses what is written to it, without a header or trailer. The sizes of the writes do not matter.
pub struct Encoder<W> {
    settings: Settings,
    piece: Piece,
    /// Of the bytes of `piece`: with blocks, how many come before it is full.
    left: usize,
    /// The end of what was written, when another block may copy from it.
    tail: Vec<u8>,
    out: W,
}

impl<W: Write> Encoder<W> {
    /// Writes to `out` what the programs write with `settings`.
    pub fn new(settings: Settings, out: W) -> Self {
        let left = settings.block.map_or(usize::MAX, |block| block.get() as usize);
        Self { settings, piece: Piece::new(settings, &[]), left, tail: Vec::new(), out }
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// What writing reports.
    pub fn finish(mut self) -> io::Result<W> {
        if self.settings.block.is_some() {
            self.piece.flush();
        } else {
            self.piece.method.step(&mut self.piece.blocks, true);
        }
        self.piece.blocks.end();
        self.piece.blocks.bits.drain(&mut self.out)?;
        Ok(self.out)
    }

    /// Ends a block of pgzip, and starts the next one.
    fn next_block(&mut self, block: NonZeroU32) -> io::Result<()> {
        self.piece.flush();
        self.piece.blocks.bits.drain(&mut self.out)?;
        // A block that is no longer than this leaves nothing behind.
        let tail: &[u8] = if block.get() as usize > TAIL_BYTES { &self.tail } else { &[] };
        self.piece = Piece::new(self.settings, tail);
        self.left = block.get() as usize;
        Ok(())
    }

    fn keep_tail(&mut self, plain: &[u8]) {
        let kept = TAIL_BYTES.saturating_sub(plain.len());
        self.tail.drain(..self.tail.len().saturating_sub(kept));
        self.tail.extend_from_slice(&plain[plain.len().saturating_sub(TAIL_BYTES)..]);
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        if !plain.is_empty() && self.piece.method.is_full() {
            self.piece.method.step(&mut self.piece.blocks, false);
            self.piece.blocks.bits.drain(&mut self.out)?;
        }
        let count = self.piece.method.fill(&plain[..plain.len().min(self.left)]);
        if let Some(block) = self.settings.block {
            self.keep_tail(&plain[..count]);
            self.left -= count;
            if self.left == 0 {
                self.next_block(block)?;
            }
        }
        Ok(count)
    }

    /// Passes on what is compressed already; a flush in the middle of a stream would change it.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What is compressed without a look at anything else: a stream, or a block of pgzip.
struct Piece {
    method: Method,
    blocks: Blocks,
}

impl Piece {
    /// What may copy from `dictionary` as if that stood before it.
    fn new(settings: Settings, dictionary: &[u8]) -> Self {
        let level = settings.level.number();
        let penalty = match level {
            -2 | 0 => 10,
            1..=6 => 7,
            _ => 8,
        };
        Self {
            method: Method::new(settings, dictionary),
            blocks: Blocks::new(Bits::new(), penalty, settings.version.exact_sizes()),
        }
    }

    /// Writes all that came, and fills the last byte with an empty stored block.
    fn flush(&mut self) {
        self.method.step(&mut self.blocks, true);
        self.blocks.stored(&[]);
    }
}

/// What becomes of the plain bytes.
enum Method {
    Stored(Block),
    Literals(Block),
    Fast(Block, Fast),
    Chains(Chains),
}

impl Method {
    fn new(settings: Settings, dictionary: &[u8]) -> Self {
        match settings.level.number() {
            0 => Self::Stored(Block::new(BLOCK_BYTES)),
            -2 => Self::Literals(Block::new(LITERALS_BYTES)),
            level @ 1..=6 => Self::Fast(Block::new(BLOCK_BYTES), Fast::new(level, settings.version, dictionary)),
            level => {
                // pgzip always comes with klauspost/compress.
                let exact_sizes = settings.version.exact_sizes();
                let quirks = Quirks {
                    early: settings.version < Version::V1_15_15,
                    counts_all: !exact_sizes,
                    unknown_costs_one: exact_sizes && settings.block.is_none(),
                };
                let mut chains = Chains::new(level, quirks);
                chains.prime(dictionary);
                Self::Chains(chains)
            }
        }
    }

    fn is_full(&self) -> bool {
        match self {
            Self::Stored(block) | Self::Literals(block) | Self::Fast(block, _) => block.is_full(),
            Self::Chains(chains) => chains.is_full(),
        }
    }

    /// Takes what there is room for, and says how much that was.
    fn fill(&mut self, plain: &[u8]) -> usize {
        match self {
            Self::Stored(block) | Self::Literals(block) | Self::Fast(block, _) => block.fill(plain),
            Self::Chains(chains) => chains.fill(plain),
        }
    }

    /// Encodes what was filled in; what is not full must be the last.
    fn step(&mut self, blocks: &mut Blocks, last: bool) {
        match self {
            Self::Chains(chains) => chains.step(blocks, last),
            Self::Stored(block) | Self::Literals(block) | Self::Fast(block, _) if block.bytes.is_empty() => {}
            Self::Stored(block) => blocks.stored(&block.bytes),
            Self::Literals(block) => blocks.literals(&block.bytes, last),
            Self::Fast(block, fast) => fast.write(&block.bytes, blocks, last),
        }
        if let Self::Stored(block) | Self::Literals(block) | Self::Fast(block, _) = self {
            block.bytes.clear();
        }
    }
}

/// Levels 1 to 6.
struct Fast {
    find: Box<dyn Find>,
    history: History,
    tokens: Tokens,
}

impl Fast {
    fn new(level: i8, version: Version, dictionary: &[u8]) -> Self {
        let find: Box<dyn Find> = match level {
            1 => Box::new(One::new()),
            2 => Box::new(Two::new()),
            3 => Box::new(Three::new()),
            4 => Box::new(Four::new(version >= Version::V1_18)),
            5 => Box::new(Five::<false>::new()),
            _ => Box::new(Five::<true>::new()),
        };
        let mut fast = Self { find, history: History::new(), tokens: Tokens::new() };
        fast.encode(dictionary);
        fast
    }

    fn write(&mut self, plain: &[u8], blocks: &mut Blocks, last: bool) {
        match plain.len() {
            ..=32 => blocks.stored(plain),
            33..128 => blocks.literals(plain, true),
            count => {
                self.encode(plain);
                match self.tokens.len() {
                    0 => blocks.stored(plain),
                    tokens if tokens > count - (count >> 4) => blocks.literals(plain, last),
                    _ => blocks.coded(&mut self.tokens, Some(plain), last),
                }
            }
        }
    }

    /// Turns `plain` into tokens, none where nothing matches.
    fn encode(&mut self, plain: &[u8]) {
        self.tokens.clear();
        let start = self.history.add(plain, |less| self.find.forget(less));
        // Less is not searched.
        if plain.len() > history::MARGIN + 1 {
            self.find.find(&self.history, start, &mut self.tokens);
        }
    }
}

/// The plain bytes of a block.
struct Block {
    bytes: Vec<u8>,
    size: usize,
}

impl Block {
    fn new(size: usize) -> Self {
        Self { bytes: Vec::with_capacity(size), size }
    }

    fn is_full(&self) -> bool {
        self.bytes.len() == self.size
    }

    fn fill(&mut self, plain: &[u8]) -> usize {
        let count = plain.len().min(self.size - self.bytes.len());
        self.bytes.extend_from_slice(&plain[..count]);
        count
    }
}

#[cfg(test)]
mod tests;
