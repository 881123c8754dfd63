//! Finds the streams of a gzip file (RFC 1952): one or several members, with anything behind them.

use std::io;

use super::located::{Around, Collector, Wrapping, bytes_at};
use crate::ReadAt;
use crate::encoder::{Header, Origin};
use crate::limits::DEFLATE_HEADER_BYTES;

pub(super) const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

const HAS_CHECKSUM: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

pub(super) fn locate(collector: &mut Collector<'_>) -> io::Result<()> {
    let content = collector.content;
    let mut offset = 0;
    while let Some(start) = header_end(content, offset)? {
        let Some(end) = collector.inflate(&[(start, content.len() - start)])? else { break };
        let after = start + end.compressed;
        let has_trailer = bytes_at::<8>(content, after)? == Some(end.sums.gzip_trailer());
        let wrapping = if has_trailer { Wrapping::Gzip } else { Wrapping::Raw };
        let span = (start, end.compressed + if has_trailer { 8 } else { 0 });
        let origin = Origin::Gzip(Header::read(content, offset)?);
        collector.add(Around { name: b"", span, wrapping, origin }, vec![(start, end.compressed)], end);
        if !has_trailer {
            break;
        }
        offset = after + 8;
    }
    Ok(())
}

/// Where the deflate stream of the member at `offset` starts; `None` when there is no member.
pub(crate) fn header_end(content: &dyn ReadAt, offset: u64) -> io::Result<Option<u64>> {
    let Some(fixed) = bytes_at::<10>(content, offset)? else { return Ok(None) };
    let flags = fixed[3];
    if fixed[..3] != MAGIC || flags & RESERVED != 0 {
        return Ok(None);
    }
    let mut end = offset + 10;
    if flags & HAS_EXTRA != 0 {
        let Some(length) = bytes_at::<2>(content, end)? else { return Ok(None) };
        end += 2 + u64::from(u16::from_le_bytes(length));
    }
    for _ in 0..u32::from(flags & HAS_NAME != 0) + u32::from(flags & HAS_COMMENT != 0) {
        let Some(next) = after_zero(content, end)? else { return Ok(None) };
        end = next;
    }
    if flags & HAS_CHECKSUM != 0 {
        end += 2;
    }
    Ok((end < content.len()).then_some(end))
}

/// What is behind the text at `offset`, which has at most [`DEFLATE_HEADER_BYTES`] with its zero, in whatever pieces the content is read.
fn after_zero(content: &dyn ReadAt, offset: u64) -> io::Result<Option<u64>> {
    let mut buffer = [0; 256];
    let (mut at, mut left) = (offset, DEFLATE_HEADER_BYTES);
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = content.read_at(&mut buffer[..most], at)?;
        if let Some(zero) = buffer[..count].iter().position(|byte| *byte == 0) {
            return Ok(Some(at + zero as u64 + 1));
        }
        if count == 0 {
            break;
        }
        at += count as u64;
        left -= count as u64;
    }
    Ok(None)
}
