use super::super::super::taken_apart;
use super::super::{Level, Version};
use super::*;
use crate::noise::noise;

fn settings(level: i8, block: u32) -> Settings {
    Settings { level: Level::new(level).unwrap(), version: Version::V1_18_2, block: NonZeroU32::new(block) }
}

fn encoded(settings: Settings, plain: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let mut made = Vec::new();
    encode(settings, plain, &mut made).map(|()| made)
}

/// Has fewer bytes than it says, or cannot be read from there on.
struct Short {
    bytes: Vec<u8>,
    length: u64,
    error: Option<io::ErrorKind>,
}

impl ReadAt for Short {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match (self.bytes.read_at(buffer, offset)?, self.error) {
            (0, Some(error)) => Err(error.into()),
            (count, _) => Ok(count),
        }
    }
}

#[test]
fn a_block_has_what_is_left_which_may_be_nothing() {
    let plain = noise(1, 200_000).into_iter().map(|byte| byte & 15).collect::<Vec<_>>();
    let flushes = |stream: &[u8]| {
        let marker = |place: &[u8]| *place == [0, 0, 0xff, 0xff];
        stream.windows(4).filter(|place| marker(place)).count()
    };
    // A block that is full ends with an empty stored one, and so does what is behind it.
    for (count, blocks) in
        [(0, 1), (1, 1), (49_999, 1), (50_000, 2), (50_001, 2), (100_000, 3), (199_999, 4), (200_000, 5)]
    {
        let stream = encoded(settings(6, 50_000), &&plain[..count]).unwrap();
        assert_eq!(flushes(&stream), blocks, "{count}");
        assert!(stream.ends_with(&[3, 0]), "the last block of all");
        let last = taken_apart::blocks(&stream).pop().unwrap();
        assert_eq!((last.is_last, last.end.div_ceil(8)), (true, stream.len()), "there is one only");
    }
}

#[test]
fn a_block_may_copy_from_the_last_16_kib_before_it() {
    let plain = noise(2, 60_000);
    for (far, is_copied) in [(16_000, true), (16_384, true), (17_000, false)] {
        // What the second block begins with stands so far before it.
        let plain = [&plain[..40_000], &plain[40_000 - far..40_000 - far + 1000]].concat();
        for level in [1, 5, 7, 9] {
            let stream = encoded(settings(level, 40_000), &plain).unwrap();
            assert_eq!(stream.len() < 40_500, is_copied, "level {level}: {} bytes, from {far}", stream.len());
        }
    }
    // A block of 16 KiB leaves nothing behind, one of a byte more does.
    for (block, is_copied) in [(16_384_u32, false), (16_385, true)] {
        let first = &plain[..block as usize];
        let plain = [first, &first[first.len() - 1000..]].concat();
        let stream = encoded(settings(9, block), &plain).unwrap();
        let mut encoder = Encoder::new(settings(9, block), Vec::new());
        encoder.write_all(&plain).unwrap();
        assert!(encoder.finish().unwrap() == stream, "{block}");
        assert_eq!(stream.len() < 16_900, is_copied, "{block}: {}", stream.len());
    }
}

#[test]
fn what_reading_and_writing_report_comes_back() {
    let bytes = noise(3, 150_000);
    for block in [0, 40_000] {
        for (error, expected) in
            [(None, io::ErrorKind::UnexpectedEof), (Some(io::ErrorKind::TimedOut), io::ErrorKind::TimedOut)]
        {
            let short = Short { bytes: bytes.clone(), length: 200_000, error };
            assert_eq!(encoded(settings(5, block), &short).unwrap_err().kind(), expected, "{block}");
        }
        for room in [0, 1000, 100_000] {
            let mut out = vec![0; room];
            let error = encode(settings(5, block), &bytes, &mut &mut out[..]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WriteZero, "{block} {room}");
        }
    }
}

#[test]
fn a_block_too_large_to_hold_is_made_by_one() {
    let plain = noise(4, 100_000).into_iter().map(|byte| byte & 15).collect::<Vec<_>>();
    for block in [PGZIP_HELD_BYTES as u32, PGZIP_HELD_BYTES as u32 + 1, u32::MAX] {
        let one = encoded(settings(5, block), &plain).unwrap();
        let mut encoder = Encoder::new(settings(5, block), Vec::new());
        encoder.write_all(&plain).unwrap();
        assert!(encoder.finish().unwrap() == one, "{block}");
    }
}
