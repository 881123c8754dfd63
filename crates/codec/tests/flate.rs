//! The encoders write what real programs wrote, whatever the sizes of the writes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;
#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "common/edges.rs"]
mod edges;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::num::{NonZeroU32, NonZeroU64};

use common::full::Full;
use common::noise;
use common::plain::{self, inputs, mixed, words};
use delta_codec::flate::modern::Version;
use delta_codec::flate::{go, modern};
use edges::{assert_streams, cells};
use proptest::prelude::*;
use proptest::sample::select;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

const LEVELS: [i8; 11] = [-2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/// One stream that a real program wrote.
struct Row<'a> {
    encoder: &'a str,
    level: i8,
    block: Option<NonZeroU32>,
    input: &'a str,
    bytes: usize,
    sha256: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let row = |line: &'static str| {
        let fields: Vec<_> = line.split('\t').collect();
        let [encoder, _, level, block, input, bytes, sha256] = fields[..] else { panic!("{line}") };
        let block = (block != "-").then(|| block.parse().unwrap());
        Row { encoder, level: level.parse().unwrap(), block, input, bytes: bytes.parse().unwrap(), sha256 }
    };
    include_str!("../../../testdata/flate/streams.tsv").lines().map(row).collect()
}

/// Writes `plain` in pieces, whose sizes come from `sizes` over and over.
fn feed(encoder: &mut impl Write, mut plain: &[u8], sizes: &[usize]) {
    let mut sizes = sizes.iter().cycle();
    while !plain.is_empty() {
        let (piece, rest) = plain.split_at(plain.len().min(*sizes.next().unwrap()));
        encoder.write_all(piece).unwrap();
        plain = rest;
    }
}

fn go(level: i8, plain: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut encoder = go::Encoder::new(go::Level::new(level).unwrap(), Vec::new());
    feed(&mut encoder, plain, sizes);
    encoder.finish().unwrap()
}

fn settings(level: i8, version: Version, block: Option<NonZeroU32>) -> modern::Settings {
    modern::Settings { level: modern::Level::new(level).unwrap(), version, block }
}

fn modern(settings: modern::Settings, plain: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut encoder = modern::Encoder::new(settings, Vec::new());
    feed(&mut encoder, plain, sizes);
    encoder.finish().unwrap()
}

fn inflated(stream: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::DeflateDecoder::new(stream).read_to_end(&mut plain).unwrap();
    plain
}

#[test]
fn every_stream_is_that_of_the_real_program() {
    let inputs: BTreeMap<_, _> = inputs().into_iter().collect();
    let wrong: Vec<_> = rows()
        .par_iter()
        .filter_map(|row| {
            let plain = &inputs[row.input];
            let stream = match row.encoder {
                "go" => go(row.level, plain, &[32 << 10]),
                "modern" => modern(settings(row.level, Version::V1_18_2, row.block), plain, &[32 << 10]),
                "modern-filled" => modern(settings(row.level, Version::V1_15_15, row.block), plain, &[32 << 10]),
                "modern-1.15.10" => modern(settings(row.level, Version::V1_15_10, row.block), plain, &[32 << 10]),
                "modern-1.18" => modern(settings(row.level, Version::V1_18, row.block), plain, &[32 << 10]),
                other => panic!("no encoder {other}"),
            };
            assert!(&inflated(&stream) == plain, "{} {} {}", row.encoder, row.level, row.input);
            let sha256: String = Sha256::digest(&stream).iter().map(|byte| format!("{byte:02x}")).collect();
            let equal = stream.len() == row.bytes && sha256 == row.sha256;
            (!equal).then(|| {
                format!("{} {} {}: {} of {} bytes", row.encoder, row.level, row.input, stream.len(), row.bytes)
            })
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// What Go and klauspost/compress make of families of small inputs; see testdata/flate/README.md.
const EDGES: &str = include_str!("../../../testdata/flate/edges.tsv");

#[test]
fn streams_of_go_are_the_same_at_every_edge() {
    assert_streams(&cells(EDGES, &["go"], &LEVELS), |cell, plain| go(cell.level, plain, &[32 << 10]));
}

/// Those of one encoder, in pgzip's blocks where the row has some.
fn modern_at_every_edge(encoder: &str, version: Version) {
    assert_streams(&cells(EDGES, &[encoder], &LEVELS), |cell, plain| {
        let block = (cell.block != "-").then(|| cell.block.parse().unwrap());
        modern(settings(cell.level, version, block), plain, &[32 << 10])
    });
}

#[test]
fn streams_of_klauspost_1_19_are_the_same_at_every_edge() {
    modern_at_every_edge("modern", Version::V1_18_2);
}

#[test]
fn streams_of_klauspost_1_18_are_the_same_at_every_edge() {
    modern_at_every_edge("modern-1.18", Version::V1_18);
}

#[test]
fn streams_of_klauspost_1_17_are_the_same_at_every_edge() {
    modern_at_every_edge("modern-filled", Version::V1_15_15);
}

#[test]
fn streams_of_klauspost_1_15_are_the_same_at_every_edge() {
    modern_at_every_edge("modern-1.15.10", Version::V1_15_10);
}

#[test]
fn every_level_is_compared_on_every_input() {
    let rows = rows();
    let rows: BTreeSet<_> = rows.iter().map(|row| (row.encoder, row.block.is_some(), row.level, row.input)).collect();
    let inputs = inputs();
    let kinds = [("go", false), ("modern", false), ("modern", true), ("modern-filled", false), ("modern-filled", true)];
    for (encoder, blocks) in kinds {
        for level in LEVELS {
            for (input, _) in &inputs {
                assert!(rows.contains(&(encoder, blocks, level, input.as_str())), "{encoder} {blocks} {level} {input}");
            }
        }
    }
    // What differs in other versions.
    for (encoder, level) in [("modern-1.15.10", 7), ("modern-1.15.10", 8), ("modern-1.15.10", 9), ("modern-1.18", 4)] {
        for (blocks, (input, _)) in
            [false, true].into_iter().flat_map(|blocks| inputs.iter().map(move |one| (blocks, one)))
        {
            assert!(rows.contains(&(encoder, blocks, level, input.as_str())), "{encoder} {blocks} {level} {input}");
        }
    }
}

#[test]
fn only_the_levels_of_the_programs_exist() {
    let levels: Vec<_> = (i8::MIN..=i8::MAX).filter_map(go::Level::new).map(go::Level::number).collect();
    assert_eq!(levels, LEVELS);
    let levels: Vec<_> = (i8::MIN..=i8::MAX).filter_map(modern::Level::new).map(modern::Level::number).collect();
    assert_eq!(levels, LEVELS);
}

#[test]
fn what_writing_reports_is_reported() {
    fn check(make: impl Fn() -> Box<dyn Encoder>) {
        let mut encoder = make();
        let written = encoder.write_all(&noise(1, 200_000)).and_then(|()| encoder.finish_boxed());
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(make().finish_boxed().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
    for level in LEVELS {
        check(|| Box::new(go::Encoder::new(go::Level::new(level).unwrap(), Full)));
        for block in [None, NonZeroU32::new(50_000)] {
            check(|| Box::new(modern::Encoder::new(settings(level, Version::V1_18_2, block), Full)));
        }
    }
}

/// Any of the encoders.
trait Encoder: Write {
    fn finish_boxed(self: Box<Self>) -> io::Result<()>;
}

impl<W: Write> Encoder for go::Encoder<W> {
    fn finish_boxed(self: Box<Self>) -> io::Result<()> {
        self.finish().map(|_| ())
    }
}

impl<W: Write> Encoder for modern::Encoder<W> {
    fn finish_boxed(self: Box<Self>) -> io::Result<()> {
        self.finish().map(|_| ())
    }
}

#[test]
fn a_flush_leaves_the_stream_as_it_is() {
    let plain = words(5, 150_000);
    for level in LEVELS {
        let mut encoder = go::Encoder::new(go::Level::new(level).unwrap(), Vec::new());
        for piece in plain.chunks(10_000) {
            encoder.write_all(piece).unwrap();
            encoder.flush().unwrap();
        }
        assert!(encoder.finish().unwrap() == go(level, &plain, &[plain.len()]), "{level}");
        let settings = settings(level, Version::V1_18_2, None);
        let mut encoder = modern::Encoder::new(settings, Vec::new());
        for piece in plain.chunks(10_000) {
            encoder.write_all(piece).unwrap();
            encoder.flush().unwrap();
        }
        assert!(encoder.finish().unwrap() == modern(settings, &plain, &[plain.len()]), "{level}");
    }
}

/// Bytes of every kind.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (any::<u64>(), 0..90_000_usize).prop_map(|(seed, count)| words(seed, count)),
        (any::<u64>(), 0..90_000_usize).prop_map(|(seed, count)| noise(seed, count)),
        (any::<u64>(), 0..200_000_usize).prop_map(|(seed, count)| mixed(seed, count)),
        (any::<u8>(), 0..90_000_usize).prop_map(|(byte, count)| vec![byte; count]),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

/// Sizes of writes.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![1..50_usize, 1..5000_usize, 1..200_000_usize, Just(32 << 10), Just(65_535), Just(65_536)];
    proptest::collection::vec(size, 1..20)
}

/// The stream, and the checkpoints of an encoder that notes them.
fn noted(level: i8, plain: &[u8], apart: u64, sizes: &[usize]) -> (Vec<u8>, Vec<go::Checkpoint>) {
    let level = go::Level::new(level).unwrap();
    let mut encoder = go::Encoder::noting(level, NonZeroU64::new(apart).unwrap(), Vec::new());
    let mut checkpoints = Vec::new();
    for piece in plain.chunks(100_000) {
        feed(&mut encoder, piece, sizes);
        checkpoints.extend(encoder.take_checkpoints());
    }
    (encoder.finish().unwrap(), checkpoints)
}

#[test]
fn a_stream_is_made_again_from_its_checkpoints() {
    let plain = mixed(11, 9_000_000);
    for level in LEVELS {
        let (stream, checkpoints) = noted(level, &plain, 200_000, &[32 << 10]);
        assert!(stream == go(level, &plain, &[32 << 10]), "{level}");
        assert_eq!(checkpoints.len() > 20, level >= 4, "{level}");
        let level = go::Level::new(level).unwrap();
        assert_eq!(level.has_checkpoints(), level.number() >= 4);
        for every in [1, 2, 7, 1000] {
            let some: Vec<_> = checkpoints.iter().skip(every - 1).step_by(every).copied().collect();
            let mut made = Vec::new();
            go::encode(level, &plain, &some, &mut made).unwrap();
            assert!(made == stream, "{level:?} every {every}");
        }
    }
}

#[test]
fn blocks_of_pgzip_are_the_same_side_by_side() {
    for (count, block) in
        [(0, 1 << 20), (1 << 20, 1 << 20), (9_000_000, 1 << 20), (3_000_000, 16 << 10), (900_000, 99_999)]
    {
        let plain = mixed(17, count);
        for level in LEVELS {
            let settings = settings(level, Version::V1_18_2, NonZeroU32::new(block));
            let mut made = Vec::new();
            modern::encode(settings, &plain, &mut made).unwrap();
            assert!(made == modern(settings, &plain, &[32 << 10]), "{level} {count} {block}");
        }
    }
}

#[test]
fn an_encoder_that_starts_anew_at_each_checkpoint_writes_the_same() {
    let plain = mixed(16, 5_000_000);
    for level in LEVELS {
        let (stream, checkpoints) = noted(level, &plain, 500_000, &[32 << 10]);
        let level = go::Level::new(level).unwrap();
        let mut made = Vec::new();
        let again = go::encode_noting(level, &plain, NonZeroU64::new(500_000).unwrap(), &mut made).unwrap();
        assert!(made == stream && again == checkpoints, "{level:?}");
    }
}

#[test]
fn every_checkpoint_of_a_stream_is_exact() {
    let plain = [mixed(12, 3_000_000), noise(4, 300_000), vec![7; 400_000], words(3, 500_000)].concat();
    for level in 4..=9 {
        let (stream, checkpoints) = noted(level, &plain, 1, &[9999]);
        assert!(checkpoints.is_sorted_by_key(go::Checkpoint::position));
        let bytes = checkpoints.iter().map(|checkpoint| checkpoint.to_bytes());
        let checkpoints: Vec<_> = bytes.map(|bytes| go::Checkpoint::from_bytes(bytes).unwrap()).collect();
        let mut made = Vec::new();
        go::encode(go::Level::new(level).unwrap(), &plain, &checkpoints, &mut made).unwrap();
        assert!(made == stream, "{level}");
    }
}

#[test]
fn checkpoints_of_another_stream_are_an_error() {
    let plain = mixed(13, 2_000_000);
    let (_, checkpoints) = noted(6, &plain, 300_000, &[32 << 10]);
    let level = |level| go::Level::new(level).unwrap();
    let fails = |number: i8, plain: &Vec<u8>, checkpoints: &[go::Checkpoint]| {
        go::encode(level(number), plain, checkpoints, &mut Vec::new()).unwrap_err().kind()
    };
    let refused = |number: i8, plain: &Vec<u8>| {
        go::Encoder::resume(level(number), &checkpoints[0], plain, Vec::new()).map(|_| ()).unwrap_err().kind()
    };
    assert_eq!(refused(1, &plain), io::ErrorKind::InvalidInput);
    assert_eq!(refused(6, &plain[..200_000].to_vec()), io::ErrorKind::InvalidInput);
    assert_eq!(fails(1, &plain, &checkpoints), io::ErrorKind::InvalidData);
    assert_eq!(fails(6, &plain[..200_000].to_vec(), &checkpoints), io::ErrorKind::InvalidData);
    assert_eq!(fails(9, &plain, &checkpoints), io::ErrorKind::InvalidData);
    assert_eq!(fails(6, &mixed(14, 2_000_000), &checkpoints), io::ErrorKind::InvalidData);
    let reversed: Vec<_> = checkpoints.iter().rev().copied().collect();
    assert_eq!(fails(6, &plain, &reversed), io::ErrorKind::InvalidData);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn streams_of_go_do_not_depend_on_the_sizes_of_writes(plain in plain(), sizes in sizes()) {
        for level in LEVELS {
            let stream = go(level, &plain, &[32 << 10]);
            prop_assert!(inflated(&stream) == plain);
            prop_assert!(go(level, &plain, &sizes) == stream);
        }
    }

    #[test]
    fn modern_streams_do_not_depend_on_the_sizes_of_writes(
        plain in plain(),
        sizes in sizes(),
        version in select(&Version::ALL[..]),
        block in prop_oneof![Just(None), (1..300_000_u32).prop_map(NonZeroU32::new)],
    ) {
        for level in LEVELS {
            let settings = settings(level, version, block.filter(|block| block.get() > 1000));
            let stream = modern(settings, &plain, &[32 << 10]);
            prop_assert!(inflated(&stream) == plain);
            prop_assert!(modern(settings, &plain, &sizes) == stream);
            let mut side_by_side = Vec::new();
            modern::encode(settings, &plain, &mut side_by_side).unwrap();
            prop_assert!(side_by_side == stream);
        }
    }

    #[test]
    fn any_bytes_are_a_checkpoint_that_ends_well(
        bytes in proptest::array::uniform12(any::<u8>()),
        halves in 0..40_u8,
        level in 4..=9_i8,
    ) {
        let bytes = [&[halves, 0, 0, 0], &bytes[4..10], &[bytes[10] % 16, bytes[11] % 8]].concat();
        if let Some(checkpoint) = go::Checkpoint::from_bytes(bytes.try_into().unwrap()) {
            let plain = mixed(15, 1_000_000);
            let level = go::Level::new(level).unwrap();
            let _ = go::encode(level, &plain, &[checkpoint], &mut Vec::new());
            if let Ok(mut encoder) = go::Encoder::resume(level, &checkpoint, &plain, Vec::new()) {
                let at = usize::try_from(checkpoint.continues_at()).unwrap();
                encoder.write_all(&plain[at..]).unwrap();
                encoder.finish().unwrap();
            }
        }
    }
}
