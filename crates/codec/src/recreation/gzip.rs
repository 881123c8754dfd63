//! The streams of a gzip file: one or several members (RFC 1952, 2.2), with anything behind them.

use std::io::{self, BufReader};
use std::ops::Range;

use super::EncodedStream;
use crate::deflate::{gzip_trailer, header_end, inflate_stream};
use crate::encoder::{Header, Origin};
use crate::limits::RECREATION_STREAMS;
use crate::{ReadAt, Reader, Slice};

/// The bytes of a trailer: the CRC-32 and the length of the plain bytes, modulo 2^32.
pub(super) const TRAILER_BYTES: u64 = 8;

/// The only stream, if the blob is one member with nothing behind it, which its length says quickly but not surely.
pub(super) fn guess(blob: &dyn ReadAt, plain: u64) -> io::Result<Option<Vec<EncodedStream>>> {
    let Some(start) = header_end(blob, 0)? else { return Ok(None) };
    let Some(end) = blob.len().checked_sub(TRAILER_BYTES).filter(|end| *end > start) else { return Ok(None) };
    let mut length = [0; 4];
    blob.read_exact_at(&mut length, end + 4)?;
    let is_likely = plain.to_le_bytes()[..4] == length;
    Ok(is_likely.then_some(vec![EncodedStream {
        at: start..end,
        plain: 0..plain,
        origin: Origin::Gzip(Header::read(blob, 0)?),
    }]))
}

/// Every stream, found by inflating all; `None` when there are too many, or they do not hold the plain bytes.
pub(super) fn scan(blob: &dyn ReadAt, plain: u64) -> io::Result<Option<Vec<EncodedStream>>> {
    let mut streams = Vec::new();
    let (mut at, mut position) = (0, 0);
    while let Some(start) = header_end(blob, at)? {
        let Some(rest) = Slice::new(blob, start, blob.len() - start) else { return Ok(None) };
        let source = BufReader::with_capacity(64 << 10, Reader::new(rest));
        let ended = inflate_stream(source, &mut io::sink(), plain - position, &mut 0)?;
        let Some(ended) = ended.filter(|_| streams.len() < RECREATION_STREAMS) else { return Ok(None) };
        let end = start + ended.compressed;
        let plain = position..position + ended.sums.length;
        position = plain.end;
        streams.push(EncodedStream { at: start..end, plain, origin: Origin::Gzip(Header::read(blob, at)?) });
        at = end + TRAILER_BYTES;
    }
    Ok((position == plain && !streams.is_empty()).then_some(streams))
}

/// Whether the right trailer for `plain` stands behind the stream `at`.
pub(super) fn has_trailer(blob: &dyn ReadAt, at: &Range<u64>, plain: &dyn ReadAt) -> io::Result<bool> {
    let Some(found) = Slice::new(blob, at.end, TRAILER_BYTES) else { return Ok(false) };
    let mut bytes = [0; 8];
    found.read_exact_at(&mut bytes, 0)?;
    Ok(bytes == gzip_trailer(plain)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";

    /// A member of these bytes as they are (RFC 1951, 3.2.4).
    fn member(plain: &[u8]) -> Vec<u8> {
        let length = u16::try_from(plain.len()).unwrap();
        let stream = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), plain].concat();
        [HEADER, &stream, &gzip_trailer(&plain.to_vec()).unwrap()].concat()
    }

    /// Each stream: where it stands, and where its plain bytes do.
    fn places(streams: Option<Vec<EncodedStream>>) -> Option<Vec<[u64; 4]>> {
        let place = |one: &EncodedStream| [one.at.start, one.at.end, one.plain.start, one.plain.end];
        streams.map(|streams| streams.iter().map(place).collect())
    }

    fn scanned(blob: &[u8], plain: u64) -> Option<Vec<[u64; 4]>> {
        places(scan(&blob.to_vec(), plain).unwrap())
    }

    fn guessed(blob: &[u8], plain: u64) -> Option<Vec<[u64; 4]>> {
        places(guess(&blob.to_vec(), plain).unwrap())
    }

    #[test]
    fn one_member_is_guessed_by_its_length() {
        let blob = member(b"eight by");
        assert_eq!(guessed(&blob, 8), Some(vec![[10, 23, 0, 8]]));
        assert_eq!((guessed(&blob, 7), guessed(&blob, 9)), (None, None));
        // The trailer has 32 bits of the length.
        assert_eq!(guessed(&blob, 8 + (1 << 32)), Some(vec![[10, 23, 0, 8 + (1 << 32)]]));
        for length in 0..=HEADER.len() + 8 {
            assert_eq!(guessed(&blob[..length], 8), None, "cut to {length} bytes");
        }
        assert_eq!(guessed(b"something that is no gzip file at all", 8), None);
    }

    #[test]
    fn members_share_the_plain_bytes_in_their_order() {
        let all = [member(b"four"), member(b""), member(b"sixteen")].concat();
        let expected = vec![[10, 19, 0, 4], [37, 42, 4, 4], [60, 72, 4, 11]];
        assert_eq!(scanned(&all, 11), Some(expected.clone()));
        // Something behind them, and a last one whose trailer is cut.
        assert_eq!(scanned(&[&all[..], b"behind"].concat(), 11), Some(expected.clone()));
        for cut in 1..=8 {
            assert_eq!(scanned(&all[..all.len() - cut], 11), Some(expected.clone()), "{cut} bytes cut");
        }
    }

    #[test]
    fn members_that_do_not_hold_the_plain_bytes_are_none() {
        let all = [member(b"four"), member(b"sixteen")].concat();
        for plain in [0, 3, 4, 10, 12, u64::MAX] {
            assert_eq!(scanned(&all, plain), None, "{plain}");
        }
        for cut in 9..all.len() {
            assert!(scanned(&all[..all.len() - cut], 11).is_none(), "{cut} bytes cut");
        }
        let mut damaged = all;
        damaged[29 + 8] ^= 6;
        assert_eq!(scanned(&damaged, 11), None, "the second stream is none");
        assert_eq!(scanned(b"", 0), None);
    }

    #[test]
    fn a_trailer_is_right_in_every_bit() {
        let plain = b"sixteen".to_vec();
        let blob = member(&plain);
        let at = 10..blob.len() as u64 - TRAILER_BYTES;
        assert!(has_trailer(&blob, &at, &plain).unwrap());
        for (byte, bit) in (1..=8).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
            let mut other = blob.clone();
            let length = other.len();
            other[length - byte] ^= 1 << bit;
            assert!(!has_trailer(&other, &at, &plain).unwrap(), "bit {bit} of byte {byte} from the end");
        }
        for cut in 1..=9 {
            assert!(!has_trailer(&blob[..blob.len() - cut].to_vec(), &at, &plain).unwrap(), "{cut} bytes cut");
        }
    }
}
