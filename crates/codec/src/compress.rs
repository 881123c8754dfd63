//! The general compressors that go around everything: Zstandard, gzip, bzip2, xz, or none.
//!
//! Streams in, streams out; which of them a file uses is told by its first bytes.

mod tuned;

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::ops::RangeInclusive;
use std::str::FromStr;

pub use tuned::{Effort, Filter, xz};

/// Above this zstd level the window grows to [`ZSTD_WINDOW_LOG`], so that repeats far apart are found.
const ZSTD_LONG_LEVEL: i32 = 1;

/// The largest window that plain `zstd -d` accepts (RFC 8878, 3.1.1.1.2): 128 MiB on both sides.
const ZSTD_WINDOW_LOG: u32 = 27;

/// What an xz stream of level 9 needs to be read is 65 MiB; more than this is refused.
const XZ_DECODER_MEMORY: u64 = 192 << 20;

/// A compressor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Zstandard (RFC 8878).
    Zstd,
    /// gzip (RFC 1952).
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz (LZMA2).
    Xz,
    /// The bytes as they are.
    None,
}

impl Compression {
    /// Every compressor, the default first.
    pub const ALL: [Self; 5] = [Self::Zstd, Self::Gzip, Self::Bzip2, Self::Xz, Self::None];

    /// The name that a user types.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::None => "none",
        }
    }

    /// What a file name ends in, with the dot; empty for [`Compression::None`].
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
            Self::Bzip2 => ".bz2",
            Self::Xz => ".xz",
            Self::None => "",
        }
    }

    /// Tells the compressor from the first six bytes of a file.
    pub fn detect(first: &[u8]) -> Self {
        match first {
            // A frame, or one to be skipped that stands before it (RFC 8878, 3.1).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::None,
        }
    }

    /// Tells the compressor from the end of a file's name.
    pub fn of_name(name: &str) -> Self {
        let has_suffix = |one: &Self| !one.suffix().is_empty() && name.ends_with(one.suffix());
        Self::ALL.into_iter().find(has_suffix).unwrap_or(Self::None)
    }

    /// The level used when none is asked for.
    pub const fn default_level(self) -> Level {
        Level(match self {
            Self::Gzip | Self::Xz => 6,
            Self::Zstd | Self::Bzip2 | Self::None => 9,
        })
    }

    const fn levels(self) -> RangeInclusive<i32> {
        match self {
            Self::Zstd => -100..=22,
            _ => 1..=9,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that no compressor has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a compression (zstd, gzip, bzip2, xz or none), found `{0}`")]
pub struct UnknownCompression(String);

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|one| one.name() == text).ok_or_else(|| UnknownCompression(text.to_owned()))
    }
}

/// How hard to compress; always in the range of the compressor that it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(i32);

/// A level that the compressor does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// zstd has two ranges.
    #[error("expected a level of 1 to 22, or -1 to -100 for the fast mode of zstd, found {0}")]
    Zstd(i32),
    /// The others have one.
    #[error("expected a level of 1 to 9 for {0}, found {1}")]
    Other(Compression, i32),
}

impl Level {
    /// Checks `level` against what `compression` has.
    ///
    /// # Errors
    /// When it is out of range.
    pub fn new(compression: Compression, level: i32) -> Result<Self, LevelError> {
        if level != 0 && compression.levels().contains(&level) {
            Ok(Self(level))
        } else if compression == Compression::Zstd {
            Err(LevelError::Zstd(level))
        } else {
            Err(LevelError::Other(compression, level))
        }
    }

    /// The number that a user types.
    pub const fn number(self) -> i32 {
        self.0
    }

    fn unsigned(self) -> u32 {
        self.0.unsigned_abs()
    }
}

/// Compresses what is written to it.
pub struct Encoder<W: Write>(Inner<W>);

enum Inner<W: Write> {
    Zstd(zstd::Encoder<'static, W>),
    Gzip(flate2::write::GzEncoder<W>),
    Bzip2(bzip2::write::BzEncoder<W>),
    Xz(liblzma::write::XzEncoder<W>),
    None(W),
}

impl<W: Write> Encoder<W> {
    /// Starts a stream; the same bytes, level and size give the same stream on every machine. With the `size` of all
    /// bytes to come, no more memory is taken than they need.
    ///
    /// # Errors
    /// When the compressor cannot get its memory.
    pub fn new(out: W, compression: Compression, level: Level, size: Option<u64>) -> io::Result<Self> {
        Ok(Self(match compression {
            Compression::Zstd => Inner::Zstd(zstd_encoder(out, level, size)?),
            Compression::Gzip => {
                Inner::Gzip(flate2::write::GzEncoder::new(out, flate2::Compression::new(level.unsigned())))
            }
            Compression::Bzip2 => {
                Inner::Bzip2(bzip2::write::BzEncoder::new(out, bzip2::Compression::new(level.unsigned())))
            }
            Compression::Xz => Inner::Xz(liblzma::write::XzEncoder::new(out, level.unsigned())),
            Compression::None => Inner::None(out),
        }))
    }

    /// Ends the stream and gives back what it was written to.
    ///
    /// # Errors
    /// What the last writes report.
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Inner::Zstd(encoder) => encoder.finish(),
            Inner::Gzip(encoder) => encoder.finish(),
            Inner::Bzip2(encoder) => encoder.finish(),
            Inner::Xz(encoder) => encoder.finish(),
            Inner::None(out) => Ok(out),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Zstd(encoder) => encoder.write(buffer),
            Inner::Gzip(encoder) => encoder.write(buffer),
            Inner::Bzip2(encoder) => encoder.write(buffer),
            Inner::Xz(encoder) => encoder.write(buffer),
            Inner::None(out) => out.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Inner::Zstd(encoder) => encoder.flush(),
            Inner::Gzip(encoder) => encoder.flush(),
            Inner::Bzip2(encoder) => encoder.flush(),
            Inner::Xz(encoder) => encoder.flush(),
            Inner::None(out) => out.flush(),
        }
    }
}

/// The plain bytes of a stream of `compression`; several streams behind each other count as one.
///
/// # Errors
/// When the decompressor cannot get its memory.
pub fn decoder<'a>(compression: Compression, source: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let source = BufReader::new(source);
    Ok(match compression {
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(source)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(source)),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_DECODER_MEMORY, liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(source, stream))
        }
        Compression::None => Box::new(source),
    })
}

fn zstd_encoder<W: Write>(out: W, level: Level, size: Option<u64>) -> io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(out, level.0)?;
    encoder.set_pledged_src_size(size)?;
    if level.0 > ZSTD_LONG_LEVEL {
        let needed = size.map_or(ZSTD_WINDOW_LOG, |size| size.max(1 << 10).next_power_of_two().trailing_zeros());
        encoder.window_log(needed.min(ZSTD_WINDOW_LOG))?;
        encoder.long_distance_matching(true)?;
    }
    Ok(encoder)
}
