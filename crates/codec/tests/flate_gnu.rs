//! GNU gzip and busybox's gzip made again: against the real programs, and against themselves.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;
#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "common/edges.rs"]
mod edges;

use std::fmt::Write as _;

use common::contents::{body, contents, fingerprint, golden_plain, inflated, made_by, sizes, text, write_in_pieces};
use common::{base_and_target, noise, plain};
use delta_codec::flate::gnu::{Encoder, Program, Settings};
use edges::{assert_streams, cells};
use proptest::prelude::*;

fn made(program: Program, level: u8, plain: &[u8], pieces: &[usize]) -> Vec<u8> {
    let mut encoder = Encoder::new(Settings::new(program, level).unwrap(), Vec::new());
    write_in_pieces(&mut encoder, plain, pieces);
    encoder.finish().unwrap()
}

/// The real gzip reads a file, which has a size, or a pipe.
fn is_gzip(kind: &str, level: u8, plain: &[u8], input: &str) {
    let file = made_by("gzip", &format!("{input} gzip -n -{level}"), plain);
    assert!(made(Program::Gzip, level, plain, &[]) == body(&file), "{kind}, {} bytes, level {level}", plain.len());
}

#[test]
fn gzip_at_every_level() {
    for (kind, plain) in contents() {
        for level in 1..=9 {
            is_gzip(kind, level, &plain, "< plain");
        }
        is_gzip(kind, 6, &plain, "dd if=plain bs=1234 2> log |");
    }
}

#[test]
fn gzip_of_busybox() {
    for (kind, plain) in contents() {
        let file = made_by("busybox-static", "busybox gzip < plain", &plain);
        assert!(made(Program::Busybox, 6, &plain, &[]) == body(&file), "{kind}");
    }
}

/// Where the window moves, and behind it, the last matches depend on what stood in the window before.
#[test]
fn sizes_where_something_ends() {
    let near = noise(5, 400).into_iter().map(|byte| byte & 1).collect::<Vec<_>>();
    let plain = [text(3, 60_000), near.repeat(20), noise(4, 25_000), near.repeat(20), text(3, 170_000)].concat();
    let more = [65_300, 65_400, 65_520, 66_000, 97_900, 98_042, 98_200, 98_304, 98_400].into_iter();
    for size in sizes().chain(more) {
        for level in [1, 4, 6, 9] {
            is_gzip("a beginning", level, &plain[..size], "< plain");
        }
        let file = made_by("busybox-static", "busybox gzip < plain", &plain[..size]);
        assert!(made(Program::Busybox, 6, &plain[..size], &[]) == body(&file), "{size} bytes");
    }
}

/// What gzip 1.12 and busybox 1.35 make of families of small inputs; see testdata/flate/README.md.
const EDGES: &str = include_str!("../../../testdata/flate/edges.tsv");

#[test]
fn streams_are_the_same_at_every_edge() {
    let levels = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    assert_streams(&cells(EDGES, &["gzip"], &levels), |cell, plain| {
        made(Program::Gzip, cell.level.cast_unsigned(), plain, &[])
    });
    assert_streams(&cells(EDGES, &["busybox"], &[6]), |_, plain| made(Program::Busybox, 6, plain, &[]));
}

/// Few symbols and many repetitions, also at the farthest distance.
fn repetitive() -> impl Strategy<Value = Vec<u8>> {
    let step =
        (any::<u64>(), 1..40_usize, prop_oneof![1..200_usize, 32_500..32_510_usize, 1..60_000_usize], 3..700_usize);
    (proptest::collection::vec(step, 1..200), any::<u8>()).prop_map(|(steps, mask)| {
        let mut bytes = Vec::new();
        for (seed, count, distance, length) in steps {
            bytes.extend(noise(seed, count).into_iter().map(|byte| byte & mask));
            let start = bytes.len() - distance.min(bytes.len());
            bytes.extend(bytes[start..].iter().copied().cycle().take(length).collect::<Vec<_>>());
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn gzip_of_anything(plain in repetitive(), level in 1..10_u8) {
        is_gzip("repetitions", level, &plain, "< plain");
    }

    #[test]
    fn sizes_of_writes_do_not_matter(
        (one, two) in base_and_target(),
        pieces in proptest::collection::vec(1..70_000_usize, 1..5),
        level in 1..10_u8,
        is_busybox: bool,
    ) {
        let plain = [one.as_slice(), &two, &one, &two, &two].concat();
        let program = if is_busybox { Program::Busybox } else { Program::Gzip };
        let whole = made(program, level, &plain, &[]);
        prop_assert!(whole == made(program, level, &plain, &pieces));
        prop_assert!(inflated(&whole) == plain);
    }
}

/// Frequencies like those of Fibonacci make codes longer than the format allows.
#[test]
fn codes_that_would_be_too_long() {
    let mut plain = Vec::new();
    let (mut one, mut two) = (1_usize, 1);
    for symbol in 0..22_u8 {
        plain.extend(std::iter::repeat_n(symbol * 11, one));
        (one, two) = (two, one + two);
    }
    let order = noise(1, 4 * plain.len());
    for (at, four) in order.chunks_exact(4).enumerate() {
        let other = u32::from_le_bytes(four.try_into().unwrap()) as usize % plain.len();
        plain.swap(at, other);
    }
    for level in 1..=9 {
        is_gzip("frequencies", level, &plain, "< plain");
    }
}

/// Level, and how the SHA-256 of gzip's stream starts.
const GOLDEN: &str = "\
1 3470b890990b7b0a\n\
2 aed3276084b4b0f4\n\
3 ac1d578df1c372e9\n\
4 ef6e9a05b161c70c\n\
5 6d9da9b0c6f1ada8\n\
6 29c1fe428d42af9b\n\
7 97ef88b51003ed19\n\
8 ffe734d66578f3b0\n\
9 ffe734d66578f3b0\n";

#[test]
fn streams_stay_what_they_are() {
    let plain = golden_plain();
    let mut found = String::new();
    for level in 1..=9 {
        writeln!(found, "{level} {}", fingerprint(&made(Program::Gzip, level, &plain, &[]))).unwrap();
    }
    assert_eq!(found, GOLDEN);
}
