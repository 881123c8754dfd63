//! Zstandard streams made again: what the real encoders wrote, and what holds for any bytes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "common/edges.rs"]
mod edges;
#[path = "common/noise.rs"]
mod noise;
#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "common/plain.rs"]
mod plain;
#[path = "common/samples.rs"]
mod samples;

use std::io::Write;

use delta_codec::zstandard::klauspost::{Encoder, Level, Settings, Version};
use delta_codec::zstandard::libzstd;
use edges::{assert_streams, cells};
use noise::noise;
use proptest::prelude::*;
use samples::content;
use sha2::{Digest, Sha256};

/// SHA-256 of the streams of klauspost/compress, one version of each class; `content` makes the contents.
const STREAMS: &str = include_str!("zstandard_streams.tsv");

/// The same of the levels "better" and "best".
const HIGH_LEVELS: &str = include_str!("zstandard_high_levels.tsv");

fn encoded(settings: Settings, plain: &[u8], write: usize) -> Vec<u8> {
    let mut encoder = Encoder::new(settings, Vec::new());
    for part in plain.chunks(write) {
        encoder.write_all(part).unwrap();
    }
    encoder.finish().unwrap()
}

fn klauspost(version: u8, level: u8, first_write: u8) -> Settings {
    Settings::from_bytes([version, level, first_write]).unwrap()
}

fn all() -> Vec<Settings> {
    let levels = |version| {
        Level::ALL.into_iter().flat_map(move |level| [0, 8].map(|first_write| Settings { version, level, first_write }))
    };
    Version::ALL.into_iter().flat_map(levels).filter(|settings: &Settings| settings.is_known()).collect()
}

#[test]
fn streams_are_those_of_the_real_encoders() {
    let mut compared = 0;
    for line in STREAMS.lines().skip(1) {
        let [name, level, first_write, digests @ ..] = &line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let plain = content(name);
        let level = ["fastest", "default"].iter().position(|known| known == level).unwrap() + 1;
        for (version, digest) in (1..).zip(digests) {
            let settings = klauspost(version, u8::try_from(level).unwrap(), first_write.parse().unwrap());
            let stream = encoded(settings, &plain, 1 << 16);
            let found: String = Sha256::digest(&stream).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(&found, digest, "{settings}: {name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 5 * (STREAMS.lines().count() - 1));
}

#[test]
fn streams_of_high_levels_are_those_of_the_real_encoders() {
    let mut compared = 0;
    for line in HIGH_LEVELS.lines().skip(1) {
        let [name, level, digests @ ..] = &line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let plain = content(name);
        let level = if *level == "best" { Level::Best } else { Level::Better };
        for (version, digest) in [Version::V1_15, Version::V1_17_8, Version::V1_20].into_iter().zip(digests) {
            let settings = Settings { version, level, first_write: 0 };
            let stream = encoded(settings, &plain, 1 << 16);
            let found: String = Sha256::digest(&stream).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(&found, digest, "{settings}: {name}");
            assert!(plain.is_empty() || zstd::decode_all(&stream[..]).unwrap() == plain, "{settings}: {name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 3 * (HIGH_LEVELS.lines().count() - 1));
}

/// What klauspost/compress makes of families of small inputs: fastest, default, better and best; see testdata/flate/README.md.
const EDGES: &str = include_str!("../../../testdata/flate/edges.tsv");

/// Those of a version, written at once, and in two parts of which the first has 8 bytes.
fn at_every_edge(encoder: &str, version: Version) {
    assert_streams(&cells(EDGES, &[encoder], &[1, 2, 3, 4]), |cell, plain| match cell.block {
        "8" if plain.len() < 8 => Vec::new(),
        first => {
            let first_write = first.parse().unwrap_or(0);
            encoded(klauspost(version as u8, cell.level.cast_unsigned(), first_write), plain, 1 << 16)
        }
    });
}

#[test]
fn streams_of_1_15_are_the_same_at_every_edge() {
    at_every_edge("zstd-1.15", Version::V1_15);
}

#[test]
fn streams_of_1_16_are_the_same_at_every_edge() {
    at_every_edge("zstd-1.16.4", Version::V1_16_4);
}

#[test]
fn streams_of_1_17_are_the_same_at_every_edge() {
    at_every_edge("zstd-1.17", Version::V1_17);
}

#[test]
fn streams_of_1_19_are_the_same_at_every_edge() {
    at_every_edge("zstd-1.17.8", Version::V1_17_8);
}

#[test]
fn high_levels_reach_over_their_windows() {
    // Up to 1.16.3 they hold 32 and 64 MiB.
    let plain: Vec<u8> = (0..66).flat_map(|seed| [noise(seed % 5 * 2, 900_000), vec![0; 200_000]].concat()).collect();
    for (version, level, first_write) in [(1, 3, 0), (1, 4, 8), (4, 3, 8), (4, 4, 8)] {
        let stream = encoded(klauspost(version, level, first_write), &plain, 1 << 20);
        assert!(stream.len() < plain.len() / 2, "{version} {level}: {}", stream.len());
        assert!(zstd::decode_all(&stream[..]).unwrap() == plain, "{version} {level}");
    }
}

#[test]
fn an_empty_content_is_an_empty_frame_from_1_20_on_and_nothing_before() {
    assert_eq!(encoded(klauspost(4, 2, 0), b"", 1), b"");
    assert_eq!(encoded(klauspost(5, 2, 0), b"", 1), [0x28, 0xb5, 0x2f, 0xfd, 4, 0x68, 1, 0, 0, 0x99, 0xe9, 0xd8, 0x51]);
}

#[test]
fn settings_come_back_and_strangers_do_not() {
    let known = all();
    for settings in &known {
        assert_eq!(Settings::from_bytes(settings.to_bytes()).as_ref(), Some(settings));
        assert_eq!(known.iter().filter(|other| other.to_string() == settings.to_string()).count(), 1);
    }
    for bytes in [[0, 1, 0], [6, 1, 0], [1, 0, 0], [1, 5, 0], [2, 3, 0], [3, 4, 0]] {
        assert_eq!(Settings::from_bytes(bytes), None);
    }
    assert_eq!(klauspost(4, 2, 8).to_string(), "klauspost zstd 1.17.8 default, 8 bytes first");
}

#[test]
fn a_full_receiver_is_an_error() {
    let mut room = [0; 100];
    let mut encoder = Encoder::new(klauspost(4, 2, 0), &mut room[..]);
    encoder.write_all(&noise(1, 100_000)).unwrap();
    encoder.flush().unwrap();
    assert_eq!(encoder.finish().unwrap_err().kind(), std::io::ErrorKind::WriteZero);
}

#[test]
fn matches_reach_over_the_window_for_long() {
    // Twice the window is held, so that this moves it several times.
    let plain: Vec<u8> = (0..40).flat_map(|seed| [noise(seed % 3 * 2, 900_000), vec![0; 200_000]].concat()).collect();
    let stream = encoded(klauspost(4, 2, 0), &plain, 1 << 20);
    assert!(stream.len() < plain.len() / 10);
    assert!(zstd::decode_all(&stream[..]).unwrap() == plain);
}

/// Pieces of noise, runs, and copies of what was before.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    let piece = (0..3_u8, any::<u64>(), 0..60_000_usize);
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| {
        let mut plain = Vec::new();
        for (kind, seed, count) in pieces {
            match kind {
                0 => plain.extend(noise(seed, count).into_iter().map(|byte| byte & seed.to_le_bytes()[0])),
                1 => plain.resize(plain.len() + count, seed.to_le_bytes()[1]),
                _ => {
                    let from = usize::try_from(seed).unwrap() % (plain.len() + 1);
                    plain.extend_from_within(from..plain.len().min(from + count));
                }
            }
        }
        plain
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_stream_gives_its_bytes_back_however_they_were_written(
        plain in plain(),
        settings in prop::sample::select(all()),
        write in 1..70_000_usize,
    ) {
        prop_assume!(!plain.is_empty());
        let stream = encoded(settings, &plain, write);
        prop_assert!(zstd::decode_all(&stream[..]).unwrap() == plain);
        prop_assert!(encoded(settings, &plain, usize::MAX) == stream);
    }
}

/// SHA-256 of the frames of the command `zstd` 1.5.7.
const LIBRARY_FRAMES: &str = include_str!("zstandard_libzstd.tsv");

fn library(settings: libzstd::Settings, plain: &[u8], write: usize) -> Vec<u8> {
    let mut encoder = libzstd::Encoder::new(settings, plain.len() as u64, Vec::new()).unwrap();
    for part in plain.chunks(write) {
        encoder.write_all(part).unwrap();
        encoder.flush().unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn frames_are_those_of_the_command() {
    assert_eq!(
        zstd::zstd_safe::version_number(),
        libzstd::VERSION,
        "another version makes other frames: it needs a feature of its own"
    );
    for line in LIBRARY_FRAMES.lines().skip(1) {
        let [name, level, flags, digest] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let level: i8 = level.parse().unwrap();
        let settings = libzstd::Settings::from_bytes([level.cast_unsigned(), flags.parse().unwrap()]).unwrap();
        assert_eq!(settings.to_bytes()[0], level.cast_unsigned());
        let frame = library(settings, &content(name), 100_003);
        let found: String = Sha256::digest(&frame).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, digest, "{settings}: {name}");
    }
}

#[test]
fn settings_of_the_library_come_back_and_strangers_do_not() {
    use libzstd::{Flag, Settings};
    for level in (-7..0).chain(1..=19) {
        let settings = Settings::new(level, &[Flag::Size, Flag::Checksum]).unwrap();
        assert_eq!(Settings::from_bytes(settings.to_bytes()), Some(settings));
        assert_eq!(Flag::ALL.map(|flag| settings.has(flag)), [true, true, false]);
        assert_eq!(settings.to_string(), format!("libzstd 1.5.7 level {level}, checksum, size"));
    }
    for level in [-8, 0, 20, i8::MIN, i8::MAX] {
        assert_eq!(Settings::new(level, &[]), None);
    }
    assert_eq!(Settings::from_bytes([3, 8]), None);
}

#[test]
fn a_size_that_is_not_kept_is_an_error() {
    let settings = libzstd::Settings::new(3, &[libzstd::Flag::Size]).unwrap();
    let mut encoder = libzstd::Encoder::new(settings, 10, Vec::new()).unwrap();
    encoder.write_all(b"short").unwrap();
    assert!(encoder.finish().is_err());
}
