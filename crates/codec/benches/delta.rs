//! How fast deltas are made and applied: `cargo bench -p delta-codec`.
//!
//! The pairs imitate what layers hold: a program that was rebuilt, so that every address in it moved, and a file of which
//! little changed.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may panic")]

#[path = "../tests/common/noise.rs"]
mod noise;

use std::io;

use delta_codec::align::{Fineness, Index, Match};
use delta_codec::mix::{self, Guides, join};
use delta_codec::patch::{self, Streams, no_prediction};
use delta_codec::{MemoryScratch, bsdiff, vcdiff};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use noise::noise;

fn main() {
    divan::main();
}

/// A base and a target.
type Pair = (Vec<u8>, Vec<u8>);

const BYTES: usize = 8 << 20;

/// Bytes between two addresses.
const SPACING: usize = 24;

/// What was done to the base.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// Every address moved, and some code was put in.
    Rebuilt,
    /// One byte in 64 KiB is another.
    Alike,
}

const CHANGES: [Change; 2] = [Change::Rebuilt, Change::Alike];

fn pair(change: Change) -> Pair {
    let base = code(0);
    let target = match change {
        Change::Rebuilt => {
            let moved = code(0x1240);
            let inserts = moved.chunks(BYTES / 256).zip(0..);
            inserts.flat_map(|(part, seed)| [part, &noise(1_000 + seed, 400)].concat()).collect()
        }
        Change::Alike => {
            let mut target = base.clone();
            target.iter_mut().step_by(64 << 10).for_each(|byte| *byte ^= 1);
            target
        }
    };
    (base, target)
}

/// Random bytes with an address in every [`SPACING`] of them, which `moved` shifts.
fn code(moved: u32) -> Vec<u8> {
    let mut bytes = noise(7, BYTES);
    for (place, number) in bytes.chunks_exact_mut(SPACING).zip(0_u32..) {
        let address = number.wrapping_mul(0x9e37_79b1) >> 10;
        place[..4].copy_from_slice(&(address + moved).to_le_bytes());
    }
    bytes
}

fn patch_of((base, target): &Pair) -> Streams<Vec<u8>> {
    let mut streams = Streams::default();
    patch::encode(base, target, &no_prediction, Fineness::Fourth, &mut streams).unwrap();
    streams
}

#[divan::bench(sample_count = 20)]
fn index(bencher: Bencher<'_, '_>) {
    let base = code(0);
    bencher
        .counter(BytesCount::new(base.len()))
        .bench_local(|| Index::new(black_box(&base), Fineness::Fourth).unwrap());
}

#[divan::bench(args = CHANGES, sample_count = 20)]
fn align(bencher: Bencher<'_, '_>, change: Change) {
    let (base, target) = pair(change);
    let index = Index::new(&base, Fineness::Fourth).unwrap();
    bencher.counter(BytesCount::new(target.len())).bench_local(|| {
        let mut sum = 0;
        let mut add = |found: Match| {
            sum += found.length;
            Ok(())
        };
        index.align(black_box(&target), &mut add).unwrap();
        sum
    });
}

#[divan::bench(args = CHANGES, sample_count = 20)]
fn patch_encode(bencher: Bencher<'_, '_>, change: Change) {
    let pair = pair(change);
    bencher.counter(BytesCount::new(pair.1.len())).bench_local(|| patch_of(black_box(&pair)));
}

#[divan::bench(args = CHANGES, sample_count = 20)]
fn patch_decode(bencher: Bencher<'_, '_>, change: Change) {
    let pair = pair(change);
    let Streams { control, gaps, values, literals } = patch_of(&pair);
    let (base, length) = (pair.0, pair.1.len());
    bencher.counter(BytesCount::new(length)).bench_local(|| {
        let mut streams = Streams { control: &control[..], gaps: &gaps, values: &values, literals: &literals };
        let length = u64::try_from(length).unwrap();
        patch::decode(black_box(&base), length, &no_prediction, &mut streams, &mut io::sink()).unwrap();
    });
}

/// Counted are the values and the literals, which are mixed.
#[divan::bench(sample_count = 3)]
fn guided_decode(bencher: Bencher<'_, '_>) {
    let (base, target) = pair(Change::Rebuilt);
    let Streams { control, gaps, values, literals } = patch_of(&(base.clone(), target.clone()));
    let length = target.len() as u64;
    let rebuild = |values: &[u8], literals: &[u8], guides: &mut Guides| {
        let mut streams = Streams { control: &control[..], gaps: &gaps, values, literals };
        patch::decode_guided(&base, length, &no_prediction, (&mut streams, guides), &mut io::sink()).unwrap();
    };
    let mut guides = Guides::encoders(Some(values.len()), Some(literals.len()));
    rebuild(&values, &literals, &mut guides);
    guides.literals.truncate(1);
    let segments = guides.values.into_iter().chain(guides.literals).map(|guided| guided.finish().unwrap());
    let mixed = join(&segments.collect::<Vec<_>>()).unwrap();
    bencher.counter(BytesCount::new(values.len() + literals.len())).bench_local(|| {
        rebuild(&[], &[], &mut mix::decode_guided(black_box(&mixed), u64::MAX).unwrap().1);
    });
}

#[divan::bench(args = CHANGES, sample_count = 5)]
fn bsdiff_encode(bencher: Bencher<'_, '_>, change: Change) {
    let (base, target) = pair(change);
    bencher
        .counter(BytesCount::new(target.len()))
        .bench_local(|| bsdiff::encode(black_box(&base), &target, &MemoryScratch, &mut io::sink()).unwrap());
}

#[divan::bench(args = CHANGES, sample_count = 5)]
fn bsdiff_decode(bencher: Bencher<'_, '_>, change: Change) {
    let (base, target) = pair(change);
    let mut delta = Vec::new();
    bsdiff::encode(&base, &target, &MemoryScratch, &mut delta).unwrap();
    bencher
        .counter(BytesCount::new(target.len()))
        .bench_local(|| bsdiff::decode(black_box(&base), &delta, &mut io::sink(), u64::MAX).unwrap());
}

#[divan::bench(args = CHANGES, sample_count = 20)]
fn vcdiff_encode(bencher: Bencher<'_, '_>, change: Change) {
    let (base, target) = pair(change);
    bencher
        .counter(BytesCount::new(target.len()))
        .bench_local(|| vcdiff::encode(black_box(&base), &target, b"", &mut io::sink()).unwrap());
}
