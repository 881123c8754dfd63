//! The streams of a gzip file: one or several members (RFC 1952, 2.2), with anything behind them.

use std::io::{self, BufReader};
use std::ops::Range;

use super::Stream;
use crate::deflate::{gzip_trailer, header_end, inflate_stream};
use crate::encoder::{Header, Origin};
use crate::limits::RECREATION_STREAMS;
use crate::{ReadAt, Reader, Slice};

/// The bytes of a trailer: the CRC-32 and the length of the plain bytes, modulo 2^32.
pub(super) const TRAILER_BYTES: u64 = 8;

/// The only stream, if the blob is one member with nothing behind it, which its length says quickly but not surely.
pub(super) fn guess(blob: &dyn ReadAt, plain: u64) -> io::Result<Option<Vec<Stream>>> {
    let Some(start) = header_end(blob, 0)? else { return Ok(None) };
    let Some(end) = blob.len().checked_sub(TRAILER_BYTES).filter(|end| *end > start) else { return Ok(None) };
    let mut length = [0; 4];
    blob.read_exact_at(&mut length, end + 4)?;
    let is_likely = plain.to_le_bytes()[..4] == length;
    Ok(is_likely.then_some(vec![Stream {
        at: start..end,
        plain: 0..plain,
        origin: Origin::Gzip(Header::read(blob, 0)?),
    }]))
}

/// Every stream, found by inflating all; `None` when there are too many, or they do not hold the plain bytes.
pub(super) fn scan(blob: &dyn ReadAt, plain: u64) -> io::Result<Option<Vec<Stream>>> {
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
        streams.push(Stream { at: start..end, plain, origin: Origin::Gzip(Header::read(blob, at)?) });
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
