//! A stream and its wrapping made again from the plain bytes.

use std::io::{self, Write};

use super::checksum::{gzip_trailer, zlib_trailer};
use super::located::Wrapping;
use super::png::IDAT;
use crate::ReadAt;
use crate::encoder::Encoder;

/// Writes the wrapped stream of `plain`.
pub(super) fn recreate(
    wrapping: &Wrapping,
    encoder: &dyn Encoder,
    plain: &dyn ReadAt,
    out: &mut dyn Write,
) -> io::Result<()> {
    match wrapping {
        Wrapping::Raw => encoder.encode(plain, out),
        Wrapping::Gzip => {
            encoder.encode(plain, out)?;
            out.write_all(&gzip_trailer(plain)?)
        }
        Wrapping::Zlib(header) => zlib(*header, encoder, plain, out),
        Wrapping::Idat(header, lengths) => {
            let mut chunks = Chunks::new(lengths, out);
            zlib(*header, encoder, plain, &mut chunks)?;
            chunks.finish()
        }
    }
}

fn zlib(header: [u8; 2], encoder: &dyn Encoder, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&header)?;
    encoder.encode(plain, out)?;
    out.write_all(&zlib_trailer(plain)?)
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
