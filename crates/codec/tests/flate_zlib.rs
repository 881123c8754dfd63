//! zlib and pigz made again: against the real programs, and against themselves.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;
#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "common/edges.rs"]
mod edges;

use std::fmt::Write as _;

use common::contents::{body, contents, fingerprint, golden_plain, inflated, made_by, sizes, text, write_in_pieces};
use common::{base_and_target, noise, plain};
use delta_codec::flate::pigz::Chaining;
use delta_codec::flate::{pigz, zlib};
use edges::{assert_streams, cells};
use proptest::prelude::*;

fn by_zlib(settings: zlib::Settings, plain: &[u8], pieces: &[usize]) -> Vec<u8> {
    let mut encoder = zlib::Encoder::new(settings, Vec::new()).unwrap();
    write_in_pieces(&mut encoder, plain, pieces);
    encoder.finish().unwrap()
}

fn by_pigz(settings: pigz::Settings, plain: &[u8], pieces: &[usize]) -> Vec<u8> {
    let mut encoder = pigz::Encoder::new(settings, Vec::new()).unwrap();
    write_in_pieces(&mut encoder, plain, pieces);
    encoder.finish().unwrap()
}

fn pigz_at(level: u8) -> pigz::Settings {
    pigz::Settings::new(level, 128, Chaining::Dictionary, false).unwrap()
}

/// Python calls zlib with the level, memory level and strategy of each argument on so many bytes, in pieces as its gzip module
/// does; it writes the length of each stream before it.
const PYTHON: &str = "import sys, zlib
whole = open('plain', 'rb').read()
for words in sys.argv[1:]:
    level, memory, strategy, size = map(int, words.split(','))
    encoder = zlib.compressobj(level, zlib.DEFLATED, -15, memory, strategy)
    plain = whole[:size]
    made = b''.join(encoder.compress(plain[start:start + 10240]) for start in range(0, size, 10240)) + encoder.flush()
    sys.stdout.buffer.write(len(made).to_bytes(4, 'big') + made)";

/// Compares for each level, memory level, strategy and number of bytes.
fn compare_with_python(kind: &str, plain: &[u8], calls: &[(u8, u8, u8, usize)]) {
    let words = calls.iter().map(|(level, memory, strategy, size)| format!(" {level},{memory},{strategy},{size}"));
    let made = made_by("python3", &format!("python3 -c \"{PYTHON}\" {}", words.collect::<String>()), plain);
    let mut rest = made.as_slice();
    for &(level, memory, strategy, size) in calls {
        let (length, behind) = rest.split_first_chunk::<4>().unwrap();
        let (stream, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
        rest = behind;
        let settings = zlib::Settings::new(level, 15, memory, strategy).unwrap();
        let same = by_zlib(settings, &plain[..size], &[]) == stream;
        assert!(same, "{kind}, level {level}, memory level {memory}, strategy {strategy}, {size} bytes");
    }
    assert!(rest.is_empty());
}

#[test]
fn zlib_of_python_at_every_level() {
    for (kind, plain) in contents() {
        let levels = (1..=9).flat_map(|level| [8, 9].map(|memory| (level, memory, 0, plain.len())));
        let strategies = (1..=4).map(|strategy| (6, 8, strategy, plain.len()));
        compare_with_python(kind, &plain, &levels.chain(strategies).collect::<Vec<_>>());
    }
}

#[test]
fn pigz_at_every_level() {
    for (kind, plain) in contents() {
        for level in 1..=9 {
            let made = by_pigz(pigz_at(level), &plain, &[]);
            for threads in [2, 5] {
                let file = made_by("pigz", &format!("pigz -n -{level} -p {threads} < plain"), &plain);
                assert!(made == body(&file), "{kind}, level {level}, {threads} threads");
            }
        }
    }
}

#[test]
fn options_of_pigz() {
    let options = [
        (128, Chaining::Serial, false, "-p 1"),
        (32, Chaining::Dictionary, false, "-p 3 -b 32"),
        (512, Chaining::Dictionary, false, "-p 3 -b 512"),
        (128, Chaining::Independent, false, "-p 3 -i"),
        (64, Chaining::Independent, true, "-p 3 -i -R -b 64"),
        (128, Chaining::Dictionary, true, "-p 3 -R"),
        (33, Chaining::Dictionary, true, "-p 3 -R -b 33"),
    ];
    for (kind, plain) in contents() {
        for (block, chaining, is_rsyncable, words) in options {
            for level in [1, 3, 6, 9] {
                let settings = pigz::Settings::new(level, block, chaining, is_rsyncable).unwrap();
                let file = made_by("pigz", &format!("pigz -n -{level} {words} < plain"), &plain);
                assert!(by_pigz(settings, &plain, &[]) == body(&file), "{kind}, pigz -{level} {words}");
            }
        }
    }
}

#[test]
fn sizes_where_something_ends() {
    let plain = [text(3, 100_000), noise(4, 100_000), text(3, 100_000)].concat();
    let calls: Vec<_> = sizes().flat_map(|size| [1, 6, 9].map(|level| (level, 8, 0, size))).collect();
    compare_with_python("beginnings", &plain, &calls);
    for size in sizes() {
        for level in [1, 6] {
            let file = made_by("pigz", &format!("pigz -n -{level} -p 2 < plain"), &plain[..size]);
            assert!(by_pigz(pigz_at(level), &plain[..size], &[]) == body(&file), "pigz level {level}, {size} bytes");
        }
    }
}

/// What pigz 2.6 makes of families of inputs of several blocks; see testdata/flate/README.md.
const EDGES: &str = include_str!("../../../testdata/flate/edges.tsv");

#[test]
fn streams_of_pigz_are_the_same_at_every_edge() {
    let levels = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (encoder, chaining, is_rsyncable) in [
        ("pigz", Chaining::Dictionary, false),
        ("pigz-serial", Chaining::Serial, false),
        ("pigz-independent", Chaining::Independent, false),
        ("pigz-rsyncable", Chaining::Dictionary, true),
    ] {
        assert_streams(&cells(EDGES, &[encoder], &levels), |cell, plain| {
            let block = cell.block.parse().unwrap();
            by_pigz(pigz::Settings::new(cell.level.cast_unsigned(), block, chaining, is_rsyncable).unwrap(), plain, &[])
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sizes_of_writes_do_not_matter(
        (one, two) in base_and_target(),
        pieces in proptest::collection::vec(1..40_000_usize, 1..5),
        level in 1..10_u8,
        memory in 1..10_u8,
        strategy in 0..5_u8,
        chaining in prop_oneof![Just(Chaining::Dictionary), Just(Chaining::Serial), Just(Chaining::Independent)],
        is_rsyncable: bool,
    ) {
        let plain = [one.as_slice(), &two, &one, &two, &two].concat();
        let settings = zlib::Settings::new(level, 15, memory, strategy).unwrap();
        let made = by_zlib(settings, &plain, &[]);
        prop_assert!(made == by_zlib(settings, &plain, &pieces));
        prop_assert!(inflated(&made) == plain);
        let is_rsyncable = is_rsyncable && chaining != Chaining::Serial;
        let settings = pigz::Settings::new(level, 32, chaining, is_rsyncable).unwrap();
        let made = by_pigz(settings, &plain, &[]);
        prop_assert!(made == by_pigz(settings, &plain, &pieces));
        prop_assert!(inflated(&made) == plain);
    }
}

#[test]
fn threads_do_not_matter() {
    let plain = text(9, 1_500_000);
    let pools = [1, 7].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    for is_rsyncable in [false, true] {
        let settings = pigz::Settings::new(6, 128, Chaining::Dictionary, is_rsyncable).unwrap();
        let [one, seven] = pools.each_ref().map(|pool| pool.install(|| by_pigz(settings, &plain, &[])));
        assert!(one == seven);
    }
}

/// Level, and how the SHA-256 of zlib's and of pigz's stream start.
const GOLDEN: &str = "\
1 fb376c1b57aeb74b 4002f089d9231c30\n\
2 90acd5582216e5ab 00d87d06b7960896\n\
3 edd939a2c459f8a4 36031b75c6a1a6d8\n\
4 33d616b02a0a220e e4181ef485dc046a\n\
5 0b5194b88f1bdb93 232425244d948c69\n\
6 aada897b45d78215 e933ac4341619db6\n\
7 61e83b03c1b61ce7 27d7c3cabb7ba0c0\n\
8 27e7c6c061f301cd c87df3da8834357f\n\
9 27e7c6c061f301cd c87df3da8834357f\n";

/// So that a change of the library below does not pass unseen where the real programs change with it.
#[test]
fn streams_stay_what_they_are() {
    let plain = golden_plain();
    let mut found = String::new();
    for level in 1..=9 {
        let settings = zlib::Settings::new(level, 15, 8, 0).unwrap();
        let [zlib, pigz] = [by_zlib(settings, &plain, &[]), by_pigz(pigz_at(level), &plain, &[])];
        let [zlib, pigz] = [zlib, pigz].map(|stream| fingerprint(&stream));
        writeln!(found, "{level} {zlib} {pigz}").unwrap();
    }
    assert_eq!(found, GOLDEN);
}
