//! How fast a layer is split into entries: `cargo bench -p delta-core`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may panic")]

#[path = "../tests/layers/mod.rs"]
mod layers;

use delta_core::layer::tar_index::{TarIndex, entries};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use layers::{LayerBuilder, noise};

fn main() {
    divan::main();
}

/// What a layer consists of, about 64 MiB each.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Files of 100 bytes, as package managers have them.
    Tiny,
    /// Files of 20 kB, as a distribution has them on the average.
    Usual,
    /// Few files of 16 MiB.
    Large,
    /// No tar at all.
    Opaque,
}

const KINDS: [Kind; 4] = [Kind::Tiny, Kind::Usual, Kind::Large, Kind::Opaque];

fn layer(kind: Kind) -> Vec<u8> {
    let files = |count: u64, length: usize| {
        let content = noise(1, length);
        let add =
            |layer: LayerBuilder, number: u64| layer.file(&format!("usr/share/{}/{number}", number % 100), &content);
        (0..count).fold(LayerBuilder::new(), add).finish()
    };
    match kind {
        Kind::Tiny => files(65_536, 100),
        Kind::Usual => files(3_276, 20_000),
        Kind::Large => files(4, 16 << 20),
        Kind::Opaque => noise(2, 64 << 20),
    }
}

/// With the hashes of all contents.
#[divan::bench(args = KINDS, sample_count = 10)]
fn index(bencher: Bencher<'_, '_>, kind: Kind) {
    let layer = layer(kind);
    bencher.counter(BytesCount::new(layer.len())).bench_local(|| TarIndex::new(black_box(&layer)).unwrap());
}

/// Headers only.
#[divan::bench(args = KINDS, sample_count = 10)]
fn headers(bencher: Bencher<'_, '_>, kind: Kind) {
    let layer = layer(kind);
    let count = entries(&layer).unwrap().len();
    bencher.counter(ItemsCount::new(count)).bench_local(|| entries(black_box(&layer)).unwrap());
}
