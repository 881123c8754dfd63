//! Finds the image data of a png: one zlib stream, cut into IDAT chunks (PNG specification, 10.1 and 11.2.3).

use std::io;

use super::located::{Around, Collector, Wrapping, bytes_at, join};
use super::zlib_stream::is_header;
use crate::encoder::Origin;
use crate::limits::DEFLATE_IDAT_CHUNKS;
use crate::{ReadAt, Reader};

pub(super) const MAGIC: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

pub(super) const IDAT: [u8; 4] = *b"IDAT";

/// A chunk's length, type and checksum.
const AROUND: u64 = 12;

pub(super) fn locate(collector: &mut Collector<'_>) -> io::Result<()> {
    let content = collector.content;
    let Some(offset) = first_idat(content)? else { return Ok(()) };
    let lengths = chunk_lengths(content, offset)?;
    let mut at = offset;
    let mut data = Vec::with_capacity(lengths.len());
    for length in &lengths {
        data.push((at + 8, u64::from(*length)));
        at += AROUND + u64::from(*length);
    }
    let joined = join(content, &data);
    let size = joined.len();
    let (Some(header), Some(trailer_offset)) = (bytes_at::<2>(&joined, 0)?, size.checked_sub(4)) else {
        return Ok(());
    };
    if !is_header(header) || trailer_offset < 2 {
        return Ok(());
    }
    let trailer = bytes_at::<4>(&joined, trailer_offset)?;
    drop(joined);
    let pieces = cut(data, 2, 4);
    if let Some(end) = collector.inflate(&pieces)?
        && end.compressed == size - 6
        && trailer == Some(end.sums.zlib_trailer())
    {
        let (span, wrapping) = ((offset, at - offset), Wrapping::Idat(header, lengths));
        collector.add(Around { name: b"", span, wrapping, origin: Origin::Png(header) }, pieces, end);
    }
    Ok(())
}

/// The offset of the first IDAT chunk.
fn first_idat(content: &dyn ReadAt) -> io::Result<Option<u64>> {
    let mut offset = MAGIC.len() as u64;
    for _ in 0..DEFLATE_IDAT_CHUNKS {
        let Some(head) = bytes_at::<8>(content, offset)? else { break };
        if head[4..] == IDAT {
            return Ok(Some(offset));
        }
        offset += AROUND + u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
    }
    Ok(None)
}

/// The lengths of the IDAT chunks that follow each other from `offset` on and have the right checksum.
fn chunk_lengths(content: &dyn ReadAt, mut offset: u64) -> io::Result<Vec<u32>> {
    let mut lengths = Vec::new();
    while lengths.len() < DEFLATE_IDAT_CHUNKS
        && let Some(head) = bytes_at::<8>(content, offset)?
        && head[4..] == IDAT
    {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let end = offset + 8 + u64::from(length);
        let Some(checksum) = bytes_at::<4>(content, end)? else { break };
        let mut summed = flate2::CrcReader::new(Reader::new(join(content, &[(offset + 4, u64::from(length) + 4)])));
        io::copy(&mut summed, &mut io::sink())?;
        if summed.crc().sum().to_be_bytes() != checksum {
            break;
        }
        lengths.push(length);
        offset = end + 4;
    }
    Ok(lengths)
}

/// Takes `front` bytes off the first pieces and `back` bytes off the last; there are so many.
fn cut(mut pieces: Vec<(u64, u64)>, mut front: u64, mut back: u64) -> Vec<(u64, u64)> {
    for (offset, length) in &mut pieces {
        let taken = front.min(*length);
        *offset += taken;
        *length -= taken;
        front -= taken;
    }
    for (_, length) in pieces.iter_mut().rev() {
        let taken = back.min(*length);
        *length -= taken;
        back -= taken;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_cut_off_the_first_and_the_last_pieces() {
        let pieces = |lengths: &[u64]| lengths.iter().map(|length| (100 * length, *length)).collect::<Vec<_>>();
        for (lengths, front, back, expected) in [
            (&[9][..], 2, 4, vec![(902, 3)]),
            (&[6], 2, 4, vec![(602, 0)]),
            (&[1, 1, 9], 2, 4, vec![(101, 0), (101, 0), (900, 5)]),
            (&[1, 9], 2, 4, vec![(101, 0), (901, 4)]),
            (&[9, 1, 1, 1], 2, 4, vec![(902, 6), (100, 0), (100, 0), (100, 0)]),
            (&[9, 5], 2, 4, vec![(902, 7), (500, 1)]),
            (&[0, 9, 0], 2, 4, vec![(0, 0), (902, 3), (0, 0)]),
            (&[9], 0, 0, vec![(900, 9)]),
        ] {
            assert_eq!(cut(pieces(lengths), front, back), expected, "{lengths:?}");
        }
    }

    /// A chunk with its checksum.
    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let named = [&name[..], data].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&named);
        [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &named, &crc.sum().to_be_bytes()].concat()
    }

    #[test]
    fn the_first_chunk_of_image_data_stands_behind_any_others() {
        let first = |chunks: &[Vec<u8>]| first_idat(&[MAGIC.to_vec(), chunks.concat()].concat()).unwrap();
        let (other, data) = (chunk(b"tEXt", b"any"), chunk(b"IDAT", b"data"));
        assert_eq!(first(std::slice::from_ref(&data)), Some(8));
        assert_eq!(first(&[other.clone(), other.clone(), data.clone()]), Some(8 + 2 * 15));
        assert_eq!((first(&[]), first(&[other])), (None, None));
        // A head is enough; what is cut before it is none.
        assert_eq!(first(&[data[..8].to_vec()]), Some(8));
        assert_eq!(first(&[data[..7].to_vec()]), None);
        let far = [&u32::MAX.to_be_bytes()[..], b"tEXt"].concat();
        assert_eq!(first(&[far, data]), None, "a chunk over the end");
    }

    #[test]
    fn chunks_of_image_data_follow_each_other_as_long_as_their_checksums_are_right() {
        let lengths = |bytes: &[u8]| chunk_lengths(&bytes.to_vec(), 0).unwrap();
        let all = [chunk(b"IDAT", b"four"), chunk(b"IDAT", b""), chunk(b"IDAT", b"sixteen")].concat();
        assert_eq!(lengths(&all), [4, 0, 7]);
        assert_eq!(lengths(&[&all[..], &chunk(b"IEND", b""), &all].concat()), [4, 0, 7]);
        // Each bit of the second one.
        for (byte, bit) in (16..28).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
            let mut damaged = all.clone();
            damaged[byte] ^= 1 << bit;
            assert_eq!(lengths(&damaged), [4], "bit {bit} of byte {byte}");
        }
        for cut in 1..19 {
            assert_eq!(lengths(&all[..all.len() - cut]), [4, 0], "{cut} bytes cut");
        }
        assert_eq!(chunk_lengths(&all, u64::MAX).unwrap(), [0; 0]);
    }
}
