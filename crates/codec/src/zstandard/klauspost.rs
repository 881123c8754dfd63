//! The encoder of github.com/klauspost/compress/zstd, made again so that its streams are.
//!
//! That library is Copyright (c) 2012 The Go Authors and Copyright (c) 2019 Klaus Post, based on work by Yann Collet, under the
//! BSD 3-clause licence that the file NOTICE gives. What is here was written from its algorithms.
//!
//! Every stream is one frame without a dictionary, with a checksum. Whether it encodes side by side makes no difference to the
//! stream, nor does the size of what is written to it: blocks of one size, and only a change from writing to reading (see
//! [`Settings::first_write`]) ends one before.

mod best;
mod better;
mod bits;
mod block;
mod double_fast;
mod entropy;
mod fast;
mod fse;
mod history;
mod huffman;
mod sequences;

use std::fmt;
use std::io::{self, Write};

use xxhash_rust::xxh64::Xxh64;

use self::best::Best;
use self::better::Better;
use self::block::{Blocks, Parsed, Rules};
use self::double_fast::DoubleFast;
use self::fast::Fast;
use self::history::{History, Search};
use crate::limits::{
    ZSTANDARD_BEST_WINDOW_BYTES, ZSTANDARD_BETTER_WINDOW_BYTES, ZSTANDARD_DEFAULT_WINDOW_BYTES,
    ZSTANDARD_FASTEST_WINDOW_BYTES,
};

/// What a frame starts with (RFC 8878, 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The least window; a frame of more bytes in one block has no window.
const WINDOW_MIN: usize = 1 << 10;

/// Versions whose streams of the levels here are equal, by the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.15.0 to 1.16.3.
    V1_15 = 1,
    /// 1.16.4 to 1.16.7.
    V1_16_4 = 2,
    /// 1.17.0 to 1.17.7.
    V1_17 = 3,
    /// 1.17.8 to 1.19.
    V1_17_8 = 4,
    /// 1.20.
    V1_20 = 5,
}

/// The library's `EncoderLevel`. Callers that take a level of zstd mean fastest by 1 and 2, default by 3 to 5, better by 6 to 9,
/// best by more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `SpeedFastest`.
    Fastest = 1,
    /// `SpeedDefault`.
    Default = 2,
    /// `SpeedBetterCompression`, of the versions from the first to 1.15.12 and from 1.18.0 on.
    Better = 3,
    /// `SpeedBestCompression`, of the same versions.
    Best = 4,
}

/// What a stream depends on besides its plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The library's version.
    pub version: Version,
    /// How hard it tried.
    pub level: Level,
    /// The bytes that were written before the encoder read the rest itself, which are a block of their own; 0 if none were. It is 8 for
    /// skopeo, podman and buildah, which look at as many to see whether they have a compressed file.
    pub first_write: u8,
}

impl Settings {
    /// Reads what [`Settings::to_bytes`] wrote; `None` where there is no such version or level.
    pub fn from_bytes([version, level, first_write]: [u8; 3]) -> Option<Self> {
        let version = Version::ALL.into_iter().find(|known| *known as u8 == version)?;
        let level = Level::ALL.into_iter().find(|known| *known as u8 == level)?;
        Some(Self { version, level, first_write }).filter(|settings| settings.is_known())
    }

    /// Whether this version's streams of this level have been seen to be what is made here.
    pub const fn is_known(self) -> bool {
        !self.level.is_high() || !matches!(self.version, Version::V1_16_4 | Version::V1_17)
    }

    /// The bytes that a package keeps: version, level, bytes of the first write.
    pub const fn to_bytes(self) -> [u8; 3] {
        [self.version as u8, self.level as u8, self.first_write]
    }

    const fn window(self) -> usize {
        let is_late = self.is_late();
        match self.level {
            Level::Fastest => ZSTANDARD_FASTEST_WINDOW_BYTES,
            Level::Better if !is_late => ZSTANDARD_BETTER_WINDOW_BYTES,
            Level::Best if !is_late => ZSTANDARD_BEST_WINDOW_BYTES,
            Level::Default | Level::Better | Level::Best => ZSTANDARD_DEFAULT_WINDOW_BYTES,
        }
    }

    const fn block_size(self) -> usize {
        match self.level {
            Level::Fastest => 64 << 10,
            Level::Default | Level::Better | Level::Best => 128 << 10,
        }
    }

    /// Whether the levels "better" and "best" are those of later versions.
    const fn is_late(self) -> bool {
        matches!(self.version, Version::V1_17_8 | Version::V1_20)
    }

    fn rules(self) -> Rules {
        let early = self.version < Version::V1_16_4;
        Rules {
            full_literals_raw: early,
            literals_raw: if early { self.level == Level::Fastest } else { !self.level.is_high() },
            literals_min: if self.version < Version::V1_17 { 33 } else { 17 },
            headers_counted: self.version >= Version::V1_17,
            saved_shift: if early { 5 } else { 6 },
            runs: self.version >= Version::V1_17_8,
            exact_tables: self.version >= Version::V1_20,
        }
    }
}

impl Version {
    /// Every class, the oldest first.
    pub const ALL: [Self; 5] = [Self::V1_15, Self::V1_16_4, Self::V1_17, Self::V1_17_8, Self::V1_20];
}

impl Level {
    /// Every level that is known here.
    pub const ALL: [Self; 4] = [Self::Fastest, Self::Default, Self::Better, Self::Best];

    /// Whether it tries harder than most callers ask for.
    pub(crate) const fn is_high(self) -> bool {
        matches!(self, Self::Better | Self::Best)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.version {
            Version::V1_15 => "1.15",
            Version::V1_16_4 => "1.16.4",
            Version::V1_17 => "1.17",
            Version::V1_17_8 => "1.17.8",
            Version::V1_20 => "1.20",
        };
        let level = match self.level {
            Level::Fastest => "fastest",
            Level::Default => "default",
            Level::Better => "better",
            Level::Best => "best",
        };
        write!(formatter, "klauspost zstd {version} {level}")?;
        match self.first_write {
            0 => Ok(()),
            bytes => write!(formatter, ", {bytes} bytes first"),
        }
    }
}

enum Finder {
    Fast(Fast),
    DoubleFast(DoubleFast),
    Better(Better),
    Best(Box<Best>),
}

impl Finder {
    fn new(settings: Settings) -> Self {
        match settings.level {
            Level::Fastest => Self::Fast(Fast::new()),
            Level::Default => Self::DoubleFast(DoubleFast::new()),
            Level::Better => Self::Better(Better::new(settings.is_late())),
            Level::Best => Self::Best(Box::new(Best::new(settings.is_late()))),
        }
    }

    fn parse(&mut self, search: Search<'_>, parsed: &mut Parsed) {
        match self {
            Self::Fast(finder) => finder.parse(search, parsed),
            Self::DoubleFast(finder) => finder.parse(search, parsed),
            Self::Better(finder) => finder.parse(search, parsed),
            Self::Best(finder) => finder.parse(search, parsed),
        }
    }

    fn rebase(&mut self, by: u32) {
        match self {
            Self::Fast(finder) => finder.rebase(by),
            Self::DoubleFast(finder) => finder.rebase(by),
            Self::Better(finder) => finder.rebase(by),
            Self::Best(finder) => finder.rebase(by),
        }
    }
}

/// Writes one frame from the plain bytes that are written to it; the sizes of the writes make no difference.
pub struct Encoder<W> {
    settings: Settings,
    out: W,
    history: History,
    finder: Finder,
    blocks: Blocks,
    parsed: Parsed,
    packed: Vec<u8>,
    checksum: Xxh64,
    /// Where the block that is being filled ends.
    block_size: usize,
    started: bool,
}

impl<W: Write> Encoder<W> {
    /// An encoder that writes to `out`.
    pub fn new(settings: Settings, out: W) -> Self {
        let block_size = match settings.first_write {
            0 => settings.block_size(),
            first => usize::from(first),
        };
        Self {
            settings,
            out,
            history: History::new(settings.window()),
            finder: Finder::new(settings),
            blocks: Blocks::new(settings.rules(), settings.block_size()),
            parsed: Parsed::default(),
            packed: Vec::new(),
            checksum: Xxh64::new(0),
            block_size,
            started: false,
        }
    }

    /// Writes what is left of the frame, and gives `out` back.
    ///
    /// # Errors
    /// Whatever `out` cannot take.
    pub fn finish(mut self) -> io::Result<W> {
        if self.started {
            self.send_block(true)?;
        } else if !self.history.block().is_empty() {
            self.send_whole()?;
        } else if self.settings.version >= Version::V1_20 {
            self.start();
            self.send_block(true)?;
        } else {
            return Ok(self.out);
        }
        let checksum = self.checksum.digest().to_le_bytes();
        self.out.write_all(&checksum[..4])?;
        Ok(self.out)
    }

    /// The header of a frame whose size is not known (RFC 8878, 3.1.1.1).
    fn start(&mut self) {
        self.packed.extend_from_slice(&MAGIC);
        self.packed.extend_from_slice(&[CHECKSUM_FLAG, window_byte(self.settings.window())]);
        self.started = true;
    }

    fn send_block(&mut self, last: bool) -> io::Result<()> {
        if !self.started {
            self.start();
        }
        self.pack_block(false, last);
        self.send()?;
        self.block_size = self.settings.block_size();
        self.history.start_block(self.block_size);
        if let Some(by) = self.history.rebase() {
            self.finder.rebase(by);
        }
        Ok(())
    }

    /// A frame of less than a block, which tells its size.
    fn send_whole(&mut self) -> io::Result<()> {
        let size = self.history.block().len();
        let single = size > WINDOW_MIN;
        let (size_flag, size_bytes) = match size {
            0..256 => (0, usize::from(single)),
            256..65_792 => (1, 2),
            _ => (2, 4),
        };
        self.packed.extend_from_slice(&MAGIC);
        self.packed.push(size_flag << 6 | u8::from(single) << 5 | CHECKSUM_FLAG);
        if !single {
            self.packed.push(window_byte(WINDOW_MIN.max((size + 1).next_power_of_two())));
        }
        let stored = if size_bytes == 2 { size - 256 } else { size };
        self.packed.extend_from_slice(&stored.to_le_bytes()[..size_bytes]);
        self.pack_block(true, true);
        self.send()
    }

    fn pack_block(&mut self, whole: bool, last: bool) {
        let block = self.history.block();
        if block.is_empty() {
            return block::raw(block, last, &mut self.packed);
        }
        self.parsed.clear();
        self.finder.parse(self.history.search(whole), &mut self.parsed);
        self.blocks.pack(block, &self.parsed, last, &mut self.packed);
    }

    fn send(&mut self) -> io::Result<()> {
        self.out.write_all(&self.packed)?;
        self.packed.clear();
        Ok(())
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.block_size - self.history.block().len();
        let taken = &bytes[..bytes.len().min(room)];
        self.checksum.update(taken);
        self.history.push(taken);
        if taken.len() == room {
            self.send_block(false)?;
        }
        Ok(taken.len())
    }

    /// Does not end a block, as that would be another stream.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

const CHECKSUM_FLAG: u8 = 1 << 2;

/// A window that is a power of two (RFC 8878, 3.1.1.1.2).
const fn window_byte(window: usize) -> u8 {
    ((window.ilog2() - 10) << 3).to_le_bytes()[0]
}

#[cfg(test)]
mod tests;
