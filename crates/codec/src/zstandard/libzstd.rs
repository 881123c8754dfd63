//! Zstandard's own library, in the version that is linked: programs that use the same version made the same frames.
//!
//! Other versions find other matches, so that their frames do not come back.

use std::fmt;
use std::io::{self, Write};

use zstd::stream::raw::CParameter;
use zstd::stream::write;

use crate::limits::ZSTANDARD_LIBRARY_LEVEL_MAX;

/// The version whose frames come back, in the library's own notation.
pub const VERSION: u32 = 10_507;

/// The level that is the fastest of the library's names for fast ones: `--fast=7`.
const LEVEL_MIN: i8 = -7;

/// What a frame depends on besides its plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    level: i8,
    flags: u8,
}

/// What [`Settings`] can switch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// A checksum of the plain bytes ends the frame; the command does so.
    Checksum = 1,
    /// The library knew beforehand how many plain bytes come, and put that into the header.
    Size = 2,
    /// It worked in jobs, as it does with any number of threads; the command does so unless `--single-thread`.
    Jobs = 4,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 3] = [Self::Checksum, Self::Size, Self::Jobs];
}

impl Settings {
    /// Settings of the levels -7 to -1 and 1 to 19; `None` for others.
    pub fn new(level: i8, flags: &[Flag]) -> Option<Self> {
        let known = level != 0 && (LEVEL_MIN..=ZSTANDARD_LIBRARY_LEVEL_MAX).contains(&level);
        known.then(|| Self { level, flags: flags.iter().fold(0, |flags, flag| flags | *flag as u8) })
    }

    /// Reads what [`Settings::to_bytes`] wrote; `None` where there is no such level or flag.
    pub fn from_bytes([level, flags]: [u8; 2]) -> Option<Self> {
        let settings = Self::new(level.cast_signed(), &Flag::ALL)?;
        (flags & !settings.flags == 0).then_some(Self { flags, ..settings })
    }

    /// The bytes that a package keeps: the level in two's complement, the sum of the flags.
    pub const fn to_bytes(self) -> [u8; 2] {
        [self.level.cast_unsigned(), self.flags]
    }

    /// Whether a flag is on.
    pub const fn has(self, flag: Flag) -> bool {
        self.flags & flag as u8 != 0
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "libzstd 1.5.7 level {}", self.level)?;
        for (flag, name) in [(Flag::Checksum, "checksum"), (Flag::Size, "size"), (Flag::Jobs, "jobs")] {
            if self.has(flag) {
                write!(formatter, ", {name}")?;
            }
        }
        Ok(())
    }
}

/// Writes one frame from the plain bytes that are written to it; the sizes of the writes make no difference.
pub struct Encoder<W: Write>(write::Encoder<'static, W>);

impl<W: Write> Encoder<W> {
    /// An encoder of `size` plain bytes that writes to `out`.
    ///
    /// # Errors
    /// If the library has no memory.
    pub fn new(settings: Settings, size: u64, out: W) -> io::Result<Self> {
        let mut encoder = write::Encoder::new(out, i32::from(settings.level))?;
        encoder.include_checksum(settings.has(Flag::Checksum))?;
        if settings.has(Flag::Size) {
            encoder.set_pledged_src_size(Some(size))?;
        }
        if settings.has(Flag::Jobs) {
            encoder.set_parameter(CParameter::NbWorkers(1))?;
        }
        Ok(Self(encoder))
    }

    /// Writes what is left of the frame, and gives `out` back.
    ///
    /// # Errors
    /// Whatever `out` cannot take; other than the promised number of plain bytes, if the header has it.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    /// Does not end a block, as that would be another frame.
    fn flush(&mut self) -> io::Result<()> {
        self.0.get_mut().flush()
    }
}
