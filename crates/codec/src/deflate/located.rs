//! Where the deflate streams of a content are, and what stands around them.

use std::io::{self, BufReader, Write};

use super::inflate::{Ended, inflate};
use crate::encoder::Origin;
use crate::limits::DEFLATE_STREAM_BYTES_MIN;
use crate::{Concat, ReadAt, Reader, ScratchFile, Slice};

/// The bytes around a deflate stream that follow from it, so that nobody has to carry them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// None: the member of a zip.
    Raw,
    /// The trailer of gzip behind it.
    Gzip,
    /// The two header bytes of zlib before it and its trailer behind.
    Zlib([u8; 2]),
    /// The same, cut into IDAT chunks of a png with so many bytes each.
    Idat([u8; 2], Vec<u32>),
}

/// A deflate stream with its wrapping.
#[derive(Clone, Debug)]
pub(super) struct Located {
    /// A member's name in a zip; else empty.
    pub(super) name: Vec<u8>,
    /// Where the wrapping starts in the content, and its bytes.
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) wrapping: Wrapping,
    /// What says who may have made it.
    pub(super) origin: Origin,
    /// The raw deflate stream: offsets and lengths in the content.
    pub(super) pieces: Vec<(u64, u64)>,
    /// Where the plain bytes lie in the scratch.
    pub(super) plain_offset: u64,
    pub(super) plain_length: u64,
}

impl Located {
    /// The raw deflate stream.
    pub(super) fn deflated<'a>(&self, content: &'a dyn ReadAt) -> Concat<Slice<&'a dyn ReadAt>> {
        join(content, &self.pieces)
    }

    pub(super) const fn end(&self) -> u64 {
        self.offset + self.length
    }
}

/// What a parser knows of a stream besides where its pieces are.
pub(super) struct Around<'a> {
    pub(super) name: &'a [u8],
    /// Offset and length of the stream with its wrapping.
    pub(super) span: (u64, u64),
    pub(super) wrapping: Wrapping,
    pub(super) origin: Origin,
}

/// Parts of `content`, joined; those outside of it are left out.
pub(super) fn join<'a>(content: &'a dyn ReadAt, pieces: &[(u64, u64)]) -> Concat<Slice<&'a dyn ReadAt>> {
    Concat::new(pieces.iter().filter_map(|(offset, length)| Slice::new(content, *offset, *length)))
}

/// Collects the streams of one content, in the order of their offsets, and their plain bytes.
pub(super) struct Collector<'a> {
    pub(super) content: &'a dyn ReadAt,
    pub(super) found: Vec<Located>,
    scratch: Box<dyn ScratchFile>,
    room: &'a mut u64,
    written: u64,
}

impl<'a> Collector<'a> {
    pub(super) fn new(content: &'a dyn ReadAt, scratch: Box<dyn ScratchFile>, room: &'a mut u64) -> Self {
        Self { content, found: Vec::new(), scratch, room, written: 0 }
    }

    /// Inflates what `pieces` hold. Plain bytes of streams that turn out to be none stay unused in the scratch and count.
    pub(super) fn inflate(&mut self, pieces: &[(u64, u64)]) -> io::Result<Option<Ended>> {
        let source = BufReader::with_capacity(64 << 10, Reader::new(join(self.content, pieces)));
        let before = self.written;
        let end = inflate(source, &mut *self.scratch as &mut dyn Write, *self.room, &mut self.written);
        *self.room = self.room.saturating_sub(self.written - before);
        end
    }

    /// Adds the stream that [`Collector::inflate`] inflated last, if it is behind the others.
    pub(super) fn add(&mut self, around: Around<'_>, pieces: Vec<(u64, u64)>, end: Ended) {
        let (offset, length) = around.span;
        if end.compressed >= DEFLATE_STREAM_BYTES_MIN && self.found.last().is_none_or(|last| last.end() <= offset) {
            self.found.push(Located {
                name: around.name.to_vec(),
                offset,
                length,
                wrapping: around.wrapping,
                origin: around.origin,
                pieces,
                plain_offset: self.written - end.sums.length,
                plain_length: end.sums.length,
            });
        }
    }

    pub(super) fn finish(self) -> io::Result<(Vec<Located>, std::sync::Arc<dyn ReadAt>)> {
        Ok((self.found, self.scratch.freeze()?))
    }
}

/// `N` bytes at `offset`; `None` when the content ends before.
pub(super) fn bytes_at<const N: usize>(content: &dyn ReadAt, offset: u64) -> io::Result<Option<[u8; N]>> {
    if offset.checked_add(N as u64).is_none_or(|end| end > content.len()) {
        return Ok(None);
    }
    let mut bytes = [0; N];
    content.read_exact_at(&mut bytes, offset)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryScratch, Scratch};

    /// A stream of these bytes as they are (RFC 1951, 3.2.4).
    fn stored(plain: &[u8]) -> Vec<u8> {
        let length = u16::try_from(plain.len()).unwrap();
        [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), plain].concat()
    }

    #[test]
    fn plain_bytes_of_every_stream_come_from_one_room() {
        let (one, other) = (stored(&[1; 600]), stored(&[2; 300]));
        let content = [&one[..], &other].concat();
        let spans = [(0, one.len() as u64), (one.len() as u64, other.len() as u64)];
        for (room, found) in [
            (599, [false, true]),
            (600, [true, false]),
            (899, [true, false]),
            (900, [true, true]),
            (1_000, [true, true]),
        ] {
            let mut left = room;
            let mut collector = Collector::new(&content, MemoryScratch.create().unwrap(), &mut left);
            let are_found = spans.map(|span| collector.inflate(&[span]).unwrap().is_some());
            assert_eq!(are_found, found, "{room}");
            let taken =
                [600, 300].iter().zip(found).filter(|(_, is_found)| *is_found).map(|(size, _)| size).sum::<u64>();
            assert_eq!(left, room - taken, "{room}");
        }
    }

    #[test]
    fn parts_outside_of_a_content_are_left_out() {
        let content = b"0123456789".to_vec();
        let joined = join(&content, &[(8, 2), (0, 1), (9, 2), (u64::MAX, 2), (10, 0)]);
        let mut read = vec![0; 3];
        joined.read_exact_at(&mut read, 0).unwrap();
        assert_eq!((joined.len(), read.as_slice()), (3, &b"890"[..]));
    }

    #[test]
    fn bytes_are_at_a_place_when_all_of_them_are() {
        let content = b"0123456789".to_vec();
        for (offset, found) in [(0, Some(*b"0123")), (6, Some(*b"6789")), (7, None), (10, None), (u64::MAX, None)] {
            assert_eq!(bytes_at::<4>(&content, offset).unwrap(), found, "{offset}");
        }
        assert_eq!(bytes_at::<0>(&content, 10).unwrap(), Some([]));
    }
}
