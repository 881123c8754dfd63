//! The frames of a zstd blob (RFC 8878, 3.1). Skippable ones are no streams and are kept as they are.

use std::io;

use super::EncodedStream;
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
pub(super) fn scan(blob: &dyn ReadAt, plain: u64) -> io::Result<Option<Vec<EncodedStream>>> {
    let mut streams = Vec::new();
    let mut at = 0;
    while at < blob.len() {
        let header = Header::read(blob, at)?;
        let Some(end) = end(blob, at, &header)? else { return Ok(None) };
        if header.0.starts_with(&MAGIC) {
            streams.push(EncodedStream { at: at..end, plain: 0..0, origin: Origin::Zstd(header) });
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
fn plain_bytes(blob: &dyn ReadAt, stream: &EncodedStream) -> io::Result<Option<u64>> {
    let Some(frame) = Slice::new(blob, stream.at.start, stream.at.end - stream.at.start) else { return Ok(None) };
    let mut plain = decoder(Compression::Zstd, Reader::new(frame))?;
    Ok(io::copy(&mut plain, &mut io::sink()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: u32 = 0;
    const COMPRESSED: u32 = 2;

    /// A block: its kind, the size that it says, and its bytes (RFC 8878, 3.1.1.2).
    fn block(is_last: bool, kind: u32, size: u32, bytes: &[u8]) -> Vec<u8> {
        let header = u32::from(is_last) | kind << 1 | size << 3;
        [&header.to_le_bytes()[..3], bytes].concat()
    }

    /// A frame with a window of 1 KiB and these blocks.
    fn frame(descriptor: u8, blocks: &[Vec<u8>]) -> Vec<u8> {
        [&MAGIC[..], &[descriptor, 0], &blocks.concat()].concat()
    }

    /// A frame of these bytes as they are.
    fn raw(bytes: &[u8]) -> Vec<u8> {
        frame(0, &[block(true, RAW, u32::try_from(bytes.len()).unwrap(), bytes)])
    }

    fn skippable(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[0x50 | number, 0x2a, 0x4d, 0x18][..], &u32::try_from(bytes.len()).unwrap().to_le_bytes(), bytes].concat()
    }

    /// Where the frame at the start of `blob` ends.
    fn ends(blob: &[u8]) -> Option<u64> {
        let blob = blob.to_vec();
        end(&blob, 0, &Header::read(&blob, 0).unwrap()).unwrap()
    }

    /// Each stream: where it stands, and where its plain bytes do.
    fn scanned(blob: &[u8], plain: u64) -> Option<Vec<[u64; 4]>> {
        let streams = scan(&blob.to_vec(), plain).unwrap()?;
        Some(streams.iter().map(|one| [one.at.start, one.at.end, one.plain.start, one.plain.end]).collect())
    }

    #[test]
    fn a_header_is_as_long_as_its_descriptor_says() {
        for (descriptor, bytes) in [
            // Without a size; with one of 2, 4 and 8 bytes.
            (0x00, 6),
            (0x40, 8),
            (0x80, 10),
            (0xc0, 14),
            // A single segment has no window, and a size of one byte at least.
            (0x20, 6),
            (0x60, 7),
            (0xa0, 9),
            (0xe0, 13),
            // Dictionaries of 1, 2 and 4 bytes.
            (0x01, 7),
            (0x02, 8),
            (0x03, 10),
            (0xe3, 17),
            // Neither the checksum nor what is reserved has a place here.
            (0x1c, 6),
        ] {
            assert_eq!(header_bytes(descriptor), bytes, "{descriptor:#04x}");
        }
    }

    #[test]
    fn a_frame_ends_behind_its_last_block_and_its_checksum() {
        let run = block(false, RUN_BLOCK, 100_000, b"x");
        let last = block(true, RAW, 3, b"abc");
        for (whole, what) in [
            (frame(0, std::slice::from_ref(&last)), "one block"),
            (frame(0, &[block(false, RAW, 0, b""), run.clone(), last.clone()]), "blocks of all sizes"),
            (frame(0, &[block(true, RUN_BLOCK, 9, b"x")]), "a run"),
            (frame(0, &[block(true, COMPRESSED, 5, b"12345")]), "a compressed block"),
            ([frame(4, &[run, last]), b"sum!".to_vec()].concat(), "a checksum"),
            (skippable(0, b"hello"), "what is skipped"),
            (skippable(15, b""), "nothing that is skipped"),
        ] {
            assert_eq!(ends(&[&whole[..], b"behind"].concat()), Some(whole.len() as u64), "{what}");
            for length in 0..whole.len() {
                assert_eq!(ends(&whole[..length]), None, "{what}, cut to {length} bytes");
            }
        }
        assert_eq!(ends(&[0x28, 0xb5, 0x2f, 0xfc, 0, 0, 1, 0, 0]), None);
        assert_eq!(ends(&[0x60, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]), None);
    }

    #[test]
    fn frames_share_the_plain_bytes_in_their_order() {
        let (one, two) = (raw(b"four"), raw(b"sixteen"));
        assert_eq!(scanned(&one, 4), Some(vec![[0, 13, 0, 4]]));
        assert_eq!(scanned(&[&one[..], &two].concat(), 11), Some(vec![[0, 13, 0, 4], [13, 29, 4, 11]]));
        // What is skipped is no stream, wherever it stands.
        let skipped = skippable(3, b"12");
        let all = [&skipped[..], &one, &skipped, &two, &skipped].concat();
        assert_eq!(scanned(&all, 11), Some(vec![[10, 23, 0, 4], [33, 49, 4, 11]]));
    }

    #[test]
    fn what_does_not_hold_the_plain_bytes_or_has_something_else_in_it_is_nothing() {
        let both = [raw(b"four"), raw(b"sixteen")].concat();
        for plain in [0, 4, 10, 12, u64::MAX] {
            assert_eq!(scanned(&both, plain), None, "{plain}");
        }
        for junk in [&b"x"[..], &MAGIC, b"PK\x03\x04\0\0\0\0\0\0\0\0"] {
            assert_eq!(scanned(&[&both[..], junk].concat(), 11), None);
            assert_eq!(scanned(&[junk, &both].concat(), 11), None);
        }
        assert_eq!((scanned(b"", 0), scanned(&skippable(0, b"x"), 0)), (None, None));
        // One of several frames that cannot be decompressed; of a single one that shows later.
        let damaged = frame(0, &[block(true, COMPRESSED, 2, b"??")]);
        assert_eq!(scanned(&[raw(b"four"), damaged.clone()].concat(), 11), None);
        assert_eq!(scanned(&damaged, 11), Some(vec![[0, 11, 0, 11]]));
    }
}
