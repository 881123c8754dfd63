//! The frames of a zstd blob (RFC 8878, 3.1). Skippable ones are no streams and are kept as they are.

use std::io;

use super::Stream;
use crate::compress::{Compression, decoder};
use crate::encoder::{Header, Origin};
use crate::limits::RECREATION_STREAMS;
use crate::{ReadAt, Reader, Slice};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const CHECKSUM_BYTES: u64 = 4;
const BLOCK_HEADER_BYTES: u64 = 3;
const RUN_BLOCK: u32 = 1;

/// Whether a frame starts with these bytes.
pub(super) fn is_frame(first: &[u8]) -> bool {
    first.starts_with(&MAGIC) || matches!(first, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// The frames; `None` when something else is among them, there are too many, or they do not hold the plain bytes.
pub(super) fn scan(blob: &dyn ReadAt, plain: u64) -> io::Result<Option<Vec<Stream>>> {
    let mut streams = Vec::new();
    let mut at = 0;
    while at < blob.len() {
        let header = Header::read(blob, at)?;
        let Some(end) = end(blob, at, &header)? else { return Ok(None) };
        if header.0.starts_with(&MAGIC) {
            streams.push(Stream { at: at..end, plain: 0..0, origin: Origin::Zstd(header) });
        }
        if streams.len() > RECREATION_STREAMS {
            return Ok(None);
        }
        at = end;
    }
    // Of a single one nobody has to ask what it holds.
    let is_single = streams.len() == 1;
    let mut position = 0_u64;
    for stream in &mut streams {
        let length = if is_single { Some(plain) } else { plain_bytes(blob, stream)? };
        let Some(end) = length.and_then(|length| position.checked_add(length)) else { return Ok(None) };
        stream.plain = position..end;
        position = end;
    }
    Ok((position == plain && !streams.is_empty()).then_some(streams))
}

/// The end of the frame at `at`; `None` when it is none or is cut.
fn end(blob: &dyn ReadAt, at: u64, Header(first): &Header) -> io::Result<Option<u64>> {
    let is_there = |end: u64| (end <= blob.len()).then_some(end);
    if !is_frame(first) {
        return Ok(None);
    }
    if !first.starts_with(&MAGIC) {
        return Ok(is_there(at + 8 + u64::from(u32::from_le_bytes([first[4], first[5], first[6], first[7]]))));
    }
    let mut end = at + header_bytes(first[4]);
    loop {
        let mut header = [0; 4];
        let Some(block) = Slice::new(blob, end, BLOCK_HEADER_BYTES) else { return Ok(None) };
        block.read_exact_at(&mut header[..3], 0)?;
        let header = u32::from_le_bytes(header);
        let (is_last, kind, size) = (header & 1 == 1, header >> 1 & 3, header >> 3);
        end += BLOCK_HEADER_BYTES + u64::from(if kind == RUN_BLOCK { 1 } else { size });
        if is_last {
            let has_checksum = first[4] & 4 != 0;
            return Ok(is_there(end + if has_checksum { CHECKSUM_BYTES } else { 0 }));
        }
    }
}

/// The bytes of a frame's header (RFC 8878, 3.1.1.1).
const fn header_bytes(descriptor: u8) -> u64 {
    let is_single_segment = descriptor & 0x20 != 0;
    let content_size = match descriptor >> 6 {
        0 => is_single_segment as u64,
        1 => 2,
        2 => 4,
        _ => 8,
    };
    let dictionary = [0, 1, 2, 4][(descriptor & 3) as usize];
    MAGIC.len() as u64 + 1 + !is_single_segment as u64 + dictionary + content_size
}

/// How many plain bytes a frame holds; `None` when it is damaged.
fn plain_bytes(blob: &dyn ReadAt, stream: &Stream) -> io::Result<Option<u64>> {
    let Some(frame) = Slice::new(blob, stream.at.start, stream.at.end - stream.at.start) else { return Ok(None) };
    let mut plain = decoder(Compression::Zstd, Reader::new(frame))?;
    Ok(io::copy(&mut plain, &mut io::sink()).ok())
}
