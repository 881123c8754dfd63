//! A recipe rebuilds its layer, whatever base and target are, and never reads outside of its bases.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod layers;

use std::sync::Arc;

use delta_codec::compress::Compression;
use delta_codec::{MemoryScratch, ReadAt};
use delta_core::Kind;
use delta_core::job::choices::CompressionOptions;
use delta_core::job::context::Context;
use delta_core::job::progress::Silent;
use delta_core::layer::matcher::Library;
use delta_core::layer::recipe::{Recipe, Streams, decode, encode};
use delta_core::package::features::RecipeStream;
use layers::{LayerBuilder, noise};
use proptest::prelude::*;

type Bytes = Arc<dyn ReadAt>;

fn shared(bytes: &[u8]) -> Bytes {
    Arc::new(bytes.to_vec())
}

fn bytes_of(stream: &Bytes) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(stream.len()).unwrap()];
    stream.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

/// The recipe of the last of `layers`, which has been seen to rebuild it.
fn recipe(layers: &[&[u8]]) -> Recipe {
    let all: Vec<Bytes> = layers.iter().map(|layer| shared(layer)).collect();
    let library = Library::new(all.clone()).unwrap();
    let context = Context { scratch: &MemoryScratch, progress: &Silent, cache: None };
    let recipe = encode(&library, all.len() - 1, CompressionOptions::usual(Compression::Zstd), context).unwrap();
    assert!(recipe.bases.iter().all(|base| base + 1 < all.len()));
    let bases: Vec<_> = recipe.bases.iter().map(|base| all[*base].clone()).collect();
    let target = layers.last().unwrap();
    let mut rebuilt = Vec::new();
    decode(&bases, &recipe.streams, recipe.extent(target.len()), &MemoryScratch, &mut rebuilt).unwrap();
    assert!(rebuilt == **target, "another layer");
    recipe
}

/// The length of all streams.
fn size(recipe: &Recipe) -> u64 {
    recipe.streams.iter().map(|stream| stream.len()).sum()
}

fn length(recipe: &Recipe, stream: RecipeStream) -> u64 {
    recipe.streams[RecipeStream::ALL.iter().position(|one| *one == stream).unwrap()].len()
}

/// Text that no other seed gives.
fn text(seed: u64, lines: u64) -> Vec<u8> {
    (0..lines).flat_map(|line| format!("{line}: {}\n", line.wrapping_mul(seed * 7_919 + 13)).into_bytes()).collect()
}

fn folder(count: u64) -> LayerBuilder {
    (0..count).fold(LayerBuilder::new().folder("d"), |layer, number| {
        layer.file(&format!("d/file{number}"), &noise(number + 1, 3_000))
    })
}

#[test]
fn an_identical_layer_costs_next_to_nothing() {
    let layer = folder(50).finish();
    assert!(size(&recipe(&[&layer, &layer])) < 40);
}

#[test]
fn a_content_is_found_in_another_layer_folder_and_name() {
    let content = noise(1, 100_000);
    let lower = LayerBuilder::new().file("opt/a", &content).finish();
    let upper = LayerBuilder::new().file("opt/b", b"other").finish();
    for path in ["opt/a", "usr/local/a", "usr/something-else.bin"] {
        let recipe = recipe(&[&lower, &upper, &LayerBuilder::new().file(path, &content).finish()]);
        assert!(recipe.bases.contains(&0));
        assert!(size(&recipe) < 1_300, "{path}: {}", size(&recipe));
    }
}

#[test]
fn two_files_that_were_swapped_are_both_found() {
    let (one, other) = (noise(1, 50_000), noise(2, 60_000));
    let base = LayerBuilder::new().file("one", &one).file("other", &other).finish();
    let target = LayerBuilder::new().file("one", &other).file("other", &one).finish();
    assert!(size(&recipe(&[&base, &target])) < 100);
}

#[test]
fn a_file_that_grew_was_cut_or_shifted_costs_what_changed() {
    let old = noise(1, 100_000);
    let base = LayerBuilder::new().file("lib/x.so", &old).finish();
    let grown = [&old[..], b"a few bytes more"].concat();
    let cut = old[..70_000].to_vec();
    let shifted = [&old[..50_000], b"!", &old[50_000..]].concat();
    for (what, content) in [("grown", grown), ("cut", cut), ("shifted", shifted)] {
        let target = LayerBuilder::new().file("lib/x.so", &content).finish();
        assert!(size(&recipe(&[&base, &target])) < 120, "{what}");
    }
}

#[test]
fn a_name_with_another_version_is_the_same_file() {
    let old = text(1, 3_000);
    let new = [&old[..], b"one line more\n"].concat();
    for [before, after] in [
        ["lib/libfoo.so.1.2", "lib/libfoo.so.1.3.0"],
        ["site/pkg-1.0.dist-info/RECORD", "site/pkg-1.10.dist-info/RECORD"],
        ["static/app.3f9a2c1b.js", "static/app.0badc0de.js"],
        ["usr/share/doc/readme", "srv/completely/else"],
    ] {
        let base = LayerBuilder::new().file("first", &text(2, 3_000)).file(before, &old).finish();
        let target = LayerBuilder::new().file(after, &new).finish();
        assert_eq!(length(&recipe(&[&base, &target]), RecipeStream::Contents), 0, "{after}");
    }
}

#[test]
fn a_layer_refers_to_what_came_in_it_and_before_it() {
    let content = noise(1, 40_000);
    let twice = LayerBuilder::new().file("a", &content).file("b", &content).finish();
    let recipe_of_twice = recipe(&[&twice]);
    assert!(recipe_of_twice.bases.is_empty());
    assert_eq!(length(&recipe_of_twice, RecipeStream::Contents), 40_000 + 1_024, "one copy and the end of the archive");
}

#[test]
fn another_order_and_other_times_cost_a_few_bytes_a_file() {
    let names: Vec<u64> = (0..1_000).collect();
    let layer = |time, order: &mut dyn Iterator<Item = &u64>| {
        let layer = LayerBuilder::new().at(time);
        order.fold(layer, |layer, number| layer.file(&format!("d/{number}"), &noise(*number + 1, 700))).finish()
    };
    let base = layer(1_700_000_000, &mut names.iter());
    let target = layer(1_700_600_000, &mut names.iter().rev());
    let recipe = recipe(&[&base, &target]);
    assert_eq!(size(&recipe), length(&recipe, RecipeStream::Recipe));
    assert!(size(&recipe) < 1_000 * 7, "{}", size(&recipe));
}

#[test]
fn odd_layers_come_back() {
    let plain = folder(3).finish();
    let mut dirty = plain.clone();
    let padding = dirty.iter().rposition(|byte| *byte != 0).unwrap() + 5;
    dirty[padding] = 7;
    let no_tar = noise(5, 30_000);
    let cut = plain[..plain.len() - 3_000].to_vec();
    let long =
        LayerBuilder::new().file(&"long/".repeat(60), b"x").records(&[("mtime", b"1.5")]).file("y", b"z").finish();
    let layers: [&[u8]; 6] = [&plain, &dirty, &no_tar, &cut, &long, b""];
    for base in layers {
        for target in layers {
            recipe(&[base, target]);
        }
    }
}

#[test]
fn nothing_in_common_costs_the_new_bytes() {
    let base = LayerBuilder::new().file("a", &noise(1, 20_000)).finish();
    let target = LayerBuilder::new().file("b", &noise(2, 20_000)).finish();
    let recipe = recipe(&[&base, &target]);
    assert!((20_000..21_000).contains(&size(&recipe)), "{}", size(&recipe));
}

#[test]
fn a_layer_that_is_no_tar_is_patched() {
    let old = noise(1, 200_000);
    let mut new = old.clone();
    new.splice(1_000..1_010, *b"inserted here");
    assert!(size(&recipe(&[&old, &new])) < 200);
}

#[test]
fn a_hundred_thousand_tiny_files_cost_little() {
    let layer = |change: u64| {
        let file = |layer: LayerBuilder, number: u64| {
            let content = format!("{}", if number == 77_777 { change } else { number });
            layer.file(&format!("n/{number}"), content.as_bytes())
        };
        (0..100_000).fold(LayerBuilder::new(), file).finish()
    };
    let recipe = recipe(&[&layer(1), &layer(2)]);
    assert!(size(&recipe) < 120, "{}", size(&recipe));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let base = folder(40).finish();
    let target = (0..40).fold(LayerBuilder::new(), |layer, number| {
        let mut content = noise(number + 1, 3_000);
        content[1_500] ^= 1;
        layer.file(&format!("e/file{number}"), &content)
    });
    let target = target.finish();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let streams = pool.install(|| recipe(&[&base, &target]).streams);
        streams.map(|stream| bytes_of(&stream))
    };
    assert_eq!(with(1), with(3));
}

/// A base, a target and a recipe that uses every kind of content.
fn rich() -> (Vec<u8>, Vec<u8>, Recipe) {
    let old = text(3, 400);
    let mut new = old.clone();
    new.splice(500..520, *b"something new");
    let base = folder(5).file("etc/conf", &old).file("gone", &noise(70, 900)).finish();
    let target = folder(4)
        .file("etc/conf", &new)
        .file("moved", &noise(70, 900))
        .file("added.bin", &noise(80, 500))
        .file("again.bin", &noise(80, 500))
        .link("link", "moved")
        .finish();
    let recipe = recipe(&[&base, &target]);
    (base, target, recipe)
}

#[test]
fn a_recipe_against_other_bases_is_refused_or_makes_no_more_bytes() {
    let (base, target, recipe) = rich();
    for bases in [vec![], vec![shared(b"")], vec![shared(&base[..2_000])], vec![shared(&noise(1, 40_000))]] {
        let mut rebuilt = Vec::new();
        let result = decode(&bases, &recipe.streams, recipe.extent(target.len() as u64), &MemoryScratch, &mut rebuilt);
        assert_eq!(result.unwrap_err().kind(), Kind::Content);
        assert!(rebuilt.len() <= target.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_target_comes_back_from_any_base(
        base in files(), target in files(),
        damage in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut base, mut target) = (base, target);
        for (in_base, place, value) in damage {
            let layer = if in_base { &mut base } else { &mut target };
            let place = place.index(layer.len());
            layer[place] = value;
        }
        if cut.index(4) == 0 {
            target.truncate(cut.index(target.len()));
        }
        recipe(&[&base, &target]);
        recipe(&[&target]);
        recipe(&[&base, &target, &base]);
    }

    #[test]
    fn a_damaged_recipe_never_panics_and_never_makes_more_bytes(
        stream in 0..RecipeStream::ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let (base, target, recipe) = rich();
        let mut bytes = bytes_of(&recipe.streams[stream]);
        prop_assume!(!bytes.is_empty());
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let mut streams: Streams = recipe.streams.clone();
        streams[stream] = Arc::new(bytes);
        let mut rebuilt = Vec::new();
        let result = decode(&[shared(&base)], &streams, recipe.extent(target.len() as u64), &MemoryScratch, &mut rebuilt);
        prop_assert!(rebuilt.len() <= target.len());
        if let Err(error) = result {
            prop_assert_eq!(error.kind(), Kind::Content);
        }
    }
}

/// A layer of a few files whose names and contents repeat between layers.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let file = (0..6_u64, 0..5_u64, 0..3_000_usize, any::<prop::sample::Index>());
    (prop::collection::vec(file, 0..10), 0..3_u64).prop_map(|(files, time)| {
        let layer = LayerBuilder::new().at(1_700_000_000 + time);
        let add = |layer: LayerBuilder, (name, seed, length, flip): (u64, u64, usize, prop::sample::Index)| {
            let mut content = noise(seed + 1, length);
            if length > 0 {
                content[flip.index(length)] ^= 0x55;
            }
            layer.file(&format!("dir/name-{name}.{}", seed % 2), &content)
        };
        files.into_iter().fold(layer, add).finish()
    })
}
