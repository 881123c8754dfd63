//! Recipes that let much be done with few bytes: one content of a base is opened, or predicted from, for each entry.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;

use common::gzipped;
use common::layer_builder::{LayerBuilder, noise};
use common::recipe_parts::{COLUMNS, RecipeParts, leb};
use delta_codec::{MemoryScratch, ReadAt};
use delta_core::layer::recipe::{Streams, decode};
use delta_core::limits::{BASE_WORK_BYTES, BASE_WORK_TIMES};
use delta_core::package::features::Extent;
use delta_core::{Error, Kind};

/// The kind of an entry without a header whose content is a patched one of another entry (FORMAT.md, section 8.3) ...
const PATCHED: u64 = 5 + 16;
/// ... that is opened ...
const OPENED: u64 = PATCHED + 32;
/// ... or predicted from.
const PREDICTED: u64 = PATCHED + 64;

/// A number with a sign as columns have it.
fn signed(number: i64) -> Vec<u8> {
    leb((number << 1 ^ number >> 63).cast_unsigned())
}

/// Follows a recipe of `count` entries of this kind. Each is an empty content, made of the first content of the base.
fn follow(content: &[u8], kind: u64, (column, description): (&str, &[u8]), count: usize) -> Result<(), Error> {
    let base = LayerBuilder::new().file("file", content).finish();
    let mut parts = RecipeParts {
        streams: vec![Vec::new(); 5],
        count: count as u64,
        groups: Vec::new(),
        columns: vec![Vec::new(); COLUMNS.len()],
    };
    let shorter = signed(-i64::try_from(content.len()).unwrap());
    for number in 0..count {
        parts.column("runs").push(0);
        parts.column("kinds").extend(leb(kind));
        parts.column("contents").extend(signed(if number == 0 { 0 } else { -1 }));
        parts.column("lengths").extend(&shorter);
        parts.column(column).extend([&leb(description.len() as u64), description].concat());
    }
    let table = 4 * parts.streams.len();
    let recipe = Arc::new(parts.bytes()[table..].to_vec()) as Arc<dyn ReadAt>;
    let mut streams: Streams = std::array::from_fn(|_| Arc::new(vec![0_u8; count]) as Arc<dyn ReadAt>);
    streams[0] = recipe;
    let extent = Extent { length: 0, recompressed: 0 };
    decode(&[Arc::new(base)], &streams, extent, &MemoryScratch, &mut Vec::new()).map(drop)
}

/// How many times a content of `bytes`, in a base with so many bytes besides, may be worked on.
fn most(bytes: usize, base: usize) -> usize {
    let bound = BASE_WORK_BYTES + BASE_WORK_TIMES * base as u64;
    usize::try_from(bound / bytes as u64).unwrap()
}

/// As many times as may be is well, once more is refused.
fn assert_bounded(content: &[u8], kind: u64, description: (&str, &[u8]), worked_on: usize) {
    let base = LayerBuilder::new().file("file", content).finish().len();
    let most = most(worked_on, base);
    follow(content, kind, description, most).unwrap();
    let error = follow(content, kind, description, most + 1).unwrap_err();
    assert_eq!(error.kind(), Kind::Content);
    assert!(error.to_string().contains("far more often than they are long"), "{error}");
}

#[test]
fn a_base_is_predicted_from_a_bounded_number_of_times() {
    assert_bounded(&noise(1, 100_000), PREDICTED, ("hints", &[]), 100_000);
}

#[test]
fn a_base_is_opened_a_bounded_number_of_times() {
    // Of no bytes, with no skeleton and no streams.
    assert_bounded(&noise(2, 100_000), OPENED, ("plans", &[0, 0, 0]), 100_000);
}

#[test]
fn what_is_in_a_compressed_base_counts() {
    let zipped = gzipped(&vec![0; 4_000_000], 6);
    assert_bounded(&zipped, OPENED, ("plans", &[0, 0, 0]), zipped.len() + 4_000_000);
}
