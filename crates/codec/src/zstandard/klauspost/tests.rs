use super::*;
use crate::noise::noise;

mod finders;

fn settings(version: Version, level: Level) -> Settings {
    Settings { version, level, first_write: 0 }
}

fn encoded(settings: Settings, plain: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(settings, Vec::new());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What a header says (RFC 8878, 3.1.1.1): the window, if it is said, and the size, if it is.
fn header(frame: &[u8]) -> (Option<u64>, Option<u64>, usize) {
    assert_eq!(frame[..4], MAGIC);
    let descriptor = frame[4];
    assert_eq!(descriptor & 0x1f, 4, "a checksum, no dictionary, nothing reserved");
    let (is_single, mut at) = (descriptor & 0x20 != 0, 5);
    let window = (!is_single).then(|| {
        at += 1;
        assert_eq!(frame[5] & 7, 0, "a power of two");
        1 << (10 + (frame[5] >> 3))
    });
    let bytes = match descriptor >> 6 {
        0 => usize::from(is_single),
        flag => 1 << flag,
    };
    let size = frame[at..at + bytes].iter().rev().fold(0, |size, byte| size << 8 | u64::from(*byte));
    (window, (bytes > 0).then_some(size + if bytes == 2 { 256 } else { 0 }), at + bytes)
}

/// Type and size of each block, and whether it is the last one.
fn blocks(frame: &[u8]) -> Vec<(u32, u32)> {
    let (mut at, mut blocks) = (header(frame).2, Vec::new());
    loop {
        let block = u32::from_le_bytes([frame[at], frame[at + 1], frame[at + 2], 0]);
        let (kind, size) = (block >> 1 & 3, block >> 3);
        blocks.push((kind, size));
        at += 3 + if kind == 1 { 1 } else { size as usize };
        if block & 1 == 1 {
            assert_eq!(frame.len() - at, 4, "the checksum");
            return blocks;
        }
    }
}

#[test]
fn a_frame_of_less_than_a_block_says_its_size() {
    for (size, window, said) in [
        (1, Some(1024), None),
        (255, Some(1024), None),
        (256, Some(1024), Some(256)),
        (1023, Some(1024), Some(1023)),
        // A window must be larger than what it holds, and of more than the least there is none.
        (1024, Some(2048), Some(1024)),
        (1025, None, Some(1025)),
        (65_535, None, Some(65_535)),
    ] {
        for level in Level::ALL {
            let frame = encoded(settings(Version::V1_17_8, level), &noise(1, size));
            let (found, size, _) = header(&frame);
            assert_eq!((found, size), (window, said), "{level:?}");
        }
    }
    for (size, said) in [(65_791, 65_791), (65_792, 65_792), (131_071, 131_071)] {
        let frame = encoded(settings(Version::V1_17_8, Level::Default), &noise(1, size));
        assert_eq!((header(&frame).0, header(&frame).1), (None, Some(said)));
        assert_eq!(header(&frame).2, 5 + if size < 65_792 { 2 } else { 4 });
    }
}

#[test]
fn a_frame_of_a_block_and_more_says_its_window() {
    for (version, level, window, block) in [
        (Version::V1_15, Level::Fastest, 4 << 20, 64 << 10),
        (Version::V1_20, Level::Fastest, 4 << 20, 64 << 10),
        (Version::V1_15, Level::Default, 8 << 20, 128 << 10),
        (Version::V1_15, Level::Better, 16 << 20, 128 << 10),
        (Version::V1_15, Level::Best, 32 << 20, 128 << 10),
        (Version::V1_17_8, Level::Better, 8 << 20, 128 << 10),
        (Version::V1_20, Level::Best, 8 << 20, 128 << 10),
    ] {
        let frame = encoded(settings(version, level), &noise(1, block));
        assert_eq!((header(&frame).0, header(&frame).1), (Some(window), None), "{version:?} {level:?}");
        // The block went out when it was full, so that the last one is empty.
        assert_eq!(blocks(&frame), [(0, u32::try_from(block).unwrap()), (0, 0)]);
        let frame = encoded(settings(version, level), &noise(1, block - 1));
        assert_eq!(header(&frame).1, Some(block as u64 - 1));
    }
}

#[test]
fn a_first_write_is_a_block_of_its_own() {
    for (first_write, count, sizes) in
        [(8, 8, &[8, 0][..]), (8, 9, &[8, 1]), (8, 65_544, &[8, 65_536, 0]), (255, 300, &[255, 45]), (1, 3, &[1, 2])]
    {
        let settings = Settings { first_write, ..settings(Version::V1_17_8, Level::Fastest) };
        let frame = encoded(settings, &noise(2, count));
        let found: Vec<u32> = blocks(&frame).into_iter().map(|(_, size)| size).collect();
        assert_eq!(found, sizes, "{first_write}");
        assert_eq!(header(&frame).1, None);
    }
    let settings = Settings { first_write: 8, ..settings(Version::V1_17_8, Level::Fastest) };
    assert_eq!(
        header(&encoded(settings, &noise(2, 7))).1,
        None,
        "seven bytes are a whole frame, whose size is not said"
    );
    assert_eq!(blocks(&encoded(settings, &noise(2, 7))), [(0, 7)]);
}

#[test]
fn a_block_of_one_byte_is_written_as_such_in_later_versions() {
    for version in Version::ALL {
        let has_runs = version >= Version::V1_17_8;
        for level in Level::ALL.into_iter().filter(|level| settings(version, *level).is_known()) {
            let frame = encoded(settings(version, level), &[7; 5000]);
            let kind = if has_runs { (1, 5000) } else { (2, blocks(&frame)[0].1) };
            assert_eq!(blocks(&frame), [kind], "{version:?} {level:?}");
            assert_eq!(zstd::decode_all(&frame[..]).unwrap(), [7; 5000]);
        }
    }
}

#[test]
fn noise_is_raw_and_the_checksum_is_that_of_the_bytes() {
    let plain = noise(3, 70_000);
    for level in Level::ALL {
        let frame = encoded(settings(Version::V1_17_8, level), &plain);
        assert!(blocks(&frame).iter().all(|(kind, _)| *kind == 0));
        let sum = xxhash_rust::xxh64::xxh64(&plain, 0).to_le_bytes();
        assert_eq!(frame[frame.len() - 4..], sum[..4]);
    }
}

#[test]
fn literals_alone_are_packed_where_the_version_and_the_level_say() {
    // Letters of few values, of which no four come twice near each other.
    let plain: Vec<u8> = noise(4, 3000).into_iter().map(|byte| byte & 0x3f).collect();
    for (version, level, is_packed) in [
        (Version::V1_15, Level::Fastest, false),
        (Version::V1_15, Level::Default, true),
        (Version::V1_16_4, Level::Default, false),
        (Version::V1_17_8, Level::Fastest, false),
        (Version::V1_17_8, Level::Default, false),
        (Version::V1_15, Level::Best, true),
        (Version::V1_20, Level::Better, true),
    ] {
        let frame = encoded(settings(version, level), &plain);
        assert_eq!(blocks(&frame)[0].0 == 2, is_packed, "{version:?} {level:?}");
    }
}

#[test]
fn a_full_block_without_a_match_was_raw_in_the_first_version() {
    let plain: Vec<u8> = noise(5, 128 << 10).into_iter().map(|byte| byte & 0x7f).collect();
    for (count, kind) in [(128 << 10, 0), ((128 << 10) - 1, 2)] {
        let frame = encoded(settings(Version::V1_15, Level::Default), &plain[..count]);
        let parsed = blocks(&frame)[0];
        // By chance there may be a match or two, which do not save enough.
        assert_eq!(parsed.0, kind, "{count}");
    }
}

#[test]
fn rules_are_those_of_version_and_level() {
    let rules = |version, level| settings(version, level).rules();
    for version in Version::ALL {
        let rules = rules(version, Level::Default);
        assert_eq!(rules.full_literals_raw, version == Version::V1_15);
        assert_eq!(rules.literals_min, if version < Version::V1_17 { 33 } else { 17 });
        assert_eq!(rules.headers_counted, version >= Version::V1_17);
        assert_eq!(rules.saved_shift, if version == Version::V1_15 { 5 } else { 6 });
        assert_eq!((rules.runs, rules.exact_tables), (version >= Version::V1_17_8, version == Version::V1_20));
        assert_eq!(rules.literals_raw, version > Version::V1_15);
    }
    assert!(rules(Version::V1_15, Level::Fastest).literals_raw && !rules(Version::V1_15, Level::Best).literals_raw);
    assert!(rules(Version::V1_20, Level::Fastest).literals_raw && !rules(Version::V1_20, Level::Better).literals_raw);
}
