//! Finds the stream of a content that is one zlib stream (RFC 1950) and nothing else: a loose git object, for example.

use std::io;

use super::located::{Around, Collector, Wrapping, bytes_at};
use crate::encoder::Origin;

/// Whether these two bytes start a zlib stream without a preset dictionary (RFC 1950, 2.2).
pub(super) const fn is_header(bytes: [u8; 2]) -> bool {
    bytes[0] & 15 == 8 && bytes[0] >> 4 <= 7 && u16::from_be_bytes(bytes).is_multiple_of(31) && bytes[1] & 32 == 0
}

pub(super) fn locate(collector: &mut Collector<'_>) -> io::Result<()> {
    let content = collector.content;
    let (Some(header), Some(size)) = (bytes_at::<2>(content, 0)?, content.len().checked_sub(6)) else {
        return Ok(());
    };
    let trailer = bytes_at::<4>(content, size + 2)?;
    if let Some(end) = collector.inflate(&[(2, size)])?
        && end.compressed == size
        && trailer == Some(end.sums.zlib_trailer())
    {
        let (span, wrapping) = ((0, content.len()), Wrapping::Zlib(header));
        collector.add(Around { name: b"", span, wrapping, origin: Origin::Zlib(header) }, vec![(2, size)], end);
    }
    Ok(())
}
