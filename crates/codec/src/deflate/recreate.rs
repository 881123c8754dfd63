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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written in pieces of this size to chunks of these lengths.
    fn cut(data: &[u8], lengths: &[u32], size: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut chunks = Chunks::new(lengths, &mut out);
        data.chunks(size).try_for_each(|piece| chunks.write_all(piece))?;
        chunks.finish()?;
        Ok(out)
    }

    /// Chunks of these data, each with its length before it and its checksum behind (PNG specification, 5.3).
    fn chunks(all: &[&[u8]]) -> Vec<u8> {
        let one = |data: &&[u8]| {
            let mut crc = flate2::Crc::new();
            crc.update(b"IDAT");
            crc.update(data);
            [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], b"IDAT", data, &crc.sum().to_be_bytes()].concat()
        };
        all.iter().flat_map(one).collect()
    }

    #[test]
    fn a_stream_is_cut_into_chunks_in_whatever_pieces_it_is_written() {
        for (lengths, expected) in [
            (&[10][..], chunks(&[b"0123456789"])),
            (&[4, 6], chunks(&[b"0123", b"456789"])),
            (&[1, 1, 8], chunks(&[b"0", b"1", b"23456789"])),
            (&[0, 5, 0, 0, 5, 0], chunks(&[b"", b"01234", b"", b"", b"56789", b""])),
        ] {
            for size in [1, 3, 5, 10, 99] {
                assert_eq!(cut(b"0123456789", lengths, size).unwrap(), expected, "{lengths:?} in pieces of {size}");
            }
        }
        assert_eq!(cut(b"", &[], 1).unwrap(), b"");
        assert_eq!(cut(b"", &[0], 1).unwrap(), chunks(&[b""]));
    }

    #[test]
    fn a_stream_fills_its_chunks_and_no_more() {
        for (lengths, words) in [
            (&[][..], "the stream overflows its chunks"),
            (&[9], "the stream overflows its chunks"),
            (&[4, 5, 0], "the stream overflows its chunks"),
            (&[11], "the stream does not fill its chunks"),
            (&[10, 1], "the stream does not fill its chunks"),
            (&[10, 0, 1], "the stream does not fill its chunks"),
            (&[u32::MAX], "the stream does not fill its chunks"),
        ] {
            for size in [1, 4, 10] {
                let error = cut(b"0123456789", lengths, size).unwrap_err();
                assert_eq!(
                    (error.kind(), error.to_string().as_str()),
                    (io::ErrorKind::InvalidData, words),
                    "{lengths:?}"
                );
            }
        }
    }

    #[test]
    fn a_place_without_room_is_an_error_wherever_it_ends() {
        let whole = cut(b"0123456789", &[4, 6], 10).unwrap();
        for room in 0..=whole.len() {
            let mut held = vec![0; room];
            let mut place = held.as_mut_slice();
            let mut chunks = Chunks::new(&[4, 6], &mut place);
            let made = chunks.write_all(b"0123456789").and_then(|()| chunks.finish());
            assert_eq!(made.is_ok(), room == whole.len(), "{room}");
            assert!(whole.starts_with(&held), "{room}");
        }
        assert!(Chunks::new(&[], &mut crate::full::Full).flush().is_ok());
    }
}
