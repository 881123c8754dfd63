//! A stream and its wrapping made again from the plain bytes.

use std::io::{self, Read, Write};

use super::checksum::{SummedReader, Summing};
use super::located::Wrapping;
use super::png::IDAT;
use crate::flate::{gnu, zlib};

/// How the deflate stream is made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recreation {
    /// C zlib makes it.
    Zlib(zlib::Settings),
    /// A gzip program makes it.
    Gnu(gnu::Settings),
}

/// Writes the wrapped stream of the bytes that `plain` gives.
pub(super) fn recreate(
    wrapping: &Wrapping,
    recreation: &Recreation,
    plain: impl Read,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut summing = Summing::new();
    let plain = SummedReader { inner: plain, summing: &mut summing };
    match wrapping {
        Wrapping::Raw => deflate(recreation, plain, out),
        Wrapping::Gzip => {
            deflate(recreation, plain, out)?;
            out.write_all(&summing.sums().gzip_trailer())
        }
        Wrapping::Zlib(header) => {
            out.write_all(header)?;
            deflate(recreation, plain, out)?;
            out.write_all(&summing.sums().zlib_trailer())
        }
        Wrapping::Idat(header, lengths) => {
            let mut chunks = Chunks::new(lengths, out);
            chunks.write_all(header)?;
            deflate(recreation, plain, &mut chunks)?;
            chunks.write_all(&summing.sums().zlib_trailer())?;
            chunks.finish()
        }
    }
}

fn deflate(recreation: &Recreation, mut plain: impl Read, out: &mut dyn Write) -> io::Result<()> {
    match recreation {
        Recreation::Zlib(settings) => {
            let mut encoder = zlib::Encoder::new(*settings, out)?;
            io::copy(&mut plain, &mut encoder)?;
            encoder.finish().map(drop)
        }
        Recreation::Gnu(settings) => {
            let mut encoder = gnu::Encoder::new(*settings, out);
            io::copy(&mut plain, &mut encoder)?;
            encoder.finish().map(drop)
        }
    }
}

/// Cuts what is written into IDAT chunks.
struct Chunks<'a> {
    lengths: &'a [u32],
    out: &'a mut dyn Write,
    crc: flate2::Crc,
    /// Bytes of the open chunk that are still to come.
    left: u32,
    is_open: bool,
}

impl<'a> Chunks<'a> {
    fn new(lengths: &'a [u32], out: &'a mut dyn Write) -> Self {
        Self { lengths, out, crc: flate2::Crc::new(), left: 0, is_open: false }
    }

    /// Closes a full chunk and opens the next; `false` when there is none.
    fn advance(&mut self) -> io::Result<bool> {
        if self.is_open {
            self.out.write_all(&self.crc.sum().to_be_bytes())?;
            self.is_open = false;
        }
        let Some((length, rest)) = self.lengths.split_first() else { return Ok(false) };
        self.lengths = rest;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&IDAT)?;
        self.crc.reset();
        self.crc.update(&IDAT);
        self.left = *length;
        self.is_open = true;
        Ok(true)
    }

    fn finish(mut self) -> io::Result<()> {
        while self.left == 0 {
            if !self.advance()? {
                return Ok(());
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "the stream does not fill its chunks"))
    }
}

impl Write for Chunks<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        while self.left == 0 && !buffer.is_empty() {
            if !self.advance()? {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the stream overflows its chunks"));
            }
        }
        let count = buffer.len().min(self.left as usize);
        self.out.write_all(&buffer[..count])?;
        self.crc.update(&buffer[..count]);
        self.left -= u32::try_from(count).unwrap_or_default();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
