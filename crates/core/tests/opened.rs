//! Compressed contents are patched by what is in them, and come back exactly.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;

use common::layer_builder::LayerBuilder;
use common::noise;
use delta_codec::compress::Compression;
use delta_codec::{MemoryScratch, ReadAt};
use delta_core::Kind;
use delta_core::apply::Delivery;
use delta_core::job::choices::{CompressionOptions, Method};
use delta_core::job::context::Context;
use delta_core::job::progress::Silent;
use delta_core::layer::matcher::Library;
use delta_core::layer::recipe::{Recipe, decode, encode};
use delta_core::package::features::RecipeStream;

const CONTEXT: Context<'_> = Context { scratch: &MemoryScratch, progress: &Silent, cache: None };

fn shared(bytes: &[u8]) -> Arc<dyn ReadAt> {
    Arc::new(bytes.to_vec())
}

/// The recipe that makes `target` of `base`, which has been seen to do so.
fn recipe_with(base: &[u8], target: &[u8], compression: CompressionOptions) -> Recipe {
    let library = Library::new(vec![shared(base), shared(target)]).unwrap();
    let recipe = encode(&library, 1, compression, CONTEXT).unwrap();
    let mut rebuilt = Vec::new();
    decode(&bases(&recipe, base), &recipe.streams, recipe.extent(target.len() as u64), &MemoryScratch, &mut rebuilt)
        .unwrap();
    assert!(rebuilt == target, "another layer");
    recipe
}

fn recipe(base: &[u8], target: &[u8]) -> Recipe {
    recipe_with(base, target, CompressionOptions::usual(Compression::Zstd))
}

fn bases(recipe: &Recipe, base: &[u8]) -> Vec<Arc<dyn ReadAt>> {
    recipe.bases.iter().map(|_| shared(base)).collect()
}

fn size(recipe: &Recipe) -> u64 {
    recipe.streams.iter().map(|stream| stream.len()).sum()
}

/// Text that compresses, with a line of its own for `version`.
fn text(version: u64) -> Vec<u8> {
    let line = |number: u64| format!("{number}: {}\n", number.wrapping_mul(7_919) % 1_013);
    let mut text: Vec<u8> = (0..4_000).flat_map(|number| line(number).into_bytes()).collect();
    text.splice(9_000..9_000, format!("this is version {version}\n").into_bytes());
    text
}

fn gzipped(plain: &[u8]) -> Vec<u8> {
    common::gzipped(plain, 6)
}

fn layer(content: &[u8]) -> Vec<u8> {
    LayerBuilder::new().file("doc/changelog.gz", content).finish()
}

#[test]
fn a_small_change_in_a_compressed_file_is_a_small_patch() {
    let [base, target] = [1, 2].map(|version| layer(&gzipped(&text(version))));
    let opened = recipe(&base, &target);
    assert!(opened.uses.opens && opened.uses.recompressed == text(2).len() as u64);
    assert!(size(&opened) < 400, "{}", size(&opened));
    let compression = CompressionOptions { recompress: false, ..CompressionOptions::usual(Compression::Zstd) };
    let closed = recipe_with(&base, &target, compression);
    assert!(!closed.uses.opens && closed.uses.recompressed == 0);
    assert!(size(&closed) > 4 * size(&opened));
}

#[test]
fn the_plain_form_of_a_base_is_a_base_for_the_compressed_one() {
    let base = LayerBuilder::new().file("doc/changelog", &text(1)).finish();
    let again = LayerBuilder::new().file("doc/changelog", &gzipped(&text(2))).finish();
    let opened = recipe(&base, &again);
    assert!(opened.uses.opens && size(&opened) < 400, "{}", size(&opened));
}

#[test]
fn a_new_compressed_file_is_opened_where_that_pays() {
    let base = LayerBuilder::new().file("other", &noise(1, 1_000)).finish();
    // What one file has, the next one repeats: behind the compressor's own window, so only a longer one finds it.
    let plain: Vec<u8> = [noise(7, 40_000), noise(7, 40_000)].concat();
    let target = layer(&gzipped(&plain));
    assert!(recipe(&base, &target).uses.opens);
    // Noise becomes no smaller by being opened.
    assert!(!recipe(&base, &layer(&gzipped(&noise(3, 40_000)))).uses.opens);
}

#[test]
fn contents_that_repeat_an_opened_one_come_back() {
    let base = LayerBuilder::new().file("a.gz", &gzipped(&text(1))).finish();
    let [target, plain] = [gzipped(&text(2)), gzipped(&[noise(7, 40_000), noise(7, 40_000)].concat())];
    let target = LayerBuilder::new()
        .file("a.gz", &target)
        .file("b/a.gz", &target)
        .file("c.gz", &plain)
        .file("d.gz", &plain)
        .file("e.gz", &gzipped(&noise(5, 3_000)))
        .file("f.gz", &gzipped(&noise(5, 3_000)))
        .finish();
    assert!(recipe(&base, &target).uses.opens);
}

#[test]
fn damaged_streams_of_an_opened_content_are_errors_or_other_bytes() {
    let [base, target] = [1, 2].map(|version| layer(&gzipped(&text(version))));
    let recipe = recipe(&base, &target);
    for (number, stream) in RecipeStream::ALL.iter().enumerate() {
        let mut bytes = vec![0; usize::try_from(recipe.streams[number].len()).unwrap()];
        recipe.streams[number].read_exact_at(&mut bytes, 0).unwrap();
        for at in 0..bytes.len() {
            let mut streams = recipe.streams.clone();
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            streams[number] = Arc::new(damaged);
            let mut rebuilt = Vec::new();
            let extent = recipe.extent(target.len() as u64);
            match decode(&bases(&recipe, &base), &streams, extent, &MemoryScratch, &mut rebuilt) {
                Ok(_) => assert!(rebuilt.len() == target.len(), "{} byte {at}", stream.name()),
                Err(error) => assert_eq!(error.kind(), Kind::Content, "{} byte {at}: {error}", stream.name()),
            }
        }
    }
}

#[test]
fn a_content_that_cannot_be_opened_is_refused() {
    let [base, target] = [1, 2].map(|version| layer(&gzipped(&text(version))));
    let recipe = recipe(&base, &target);
    let mut bytes = vec![0; usize::try_from(recipe.streams[0].len()).unwrap()];
    recipe.streams[0].read_exact_at(&mut bytes, 0).unwrap();
    // A patched and opened content has the kind 36; 33 would be one of the base, opened.
    let kind = bytes.iter().position(|byte| *byte == 36).unwrap();
    bytes[kind] = 33;
    let mut streams = recipe.streams.clone();
    streams[0] = Arc::new(bytes);
    let extent = recipe.extent(target.len() as u64);
    let error = decode(&bases(&recipe, &base), &streams, extent, &MemoryScratch, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("an entry of kind 33"), "{error}");
}

#[test]
fn an_encoder_that_the_package_does_not_require_is_refused() {
    let [base, target] = [1, 2].map(common::golden::encoders);
    let (base, target) = (common::image("app:v1", &[&base]), common::image("app:v2", &[&target]));
    let package = common::packed(&[target], std::slice::from_ref(&base), &common::options(Method::Auto));
    let apply = |package: &[u8]| {
        let package = common::open(package).unwrap();
        common::applied(&package, &Delivery::Original, &common::layers(std::slice::from_ref(&base)))
    };
    assert!(apply(&package).is_ok());
    for feature in ["deflate-2", "gzip-go-1", "gzip-modern-1", "gzip-pigz-1"] {
        let without = |metadata: &mut serde_json::Value| {
            let requires = metadata["requires"].as_array_mut().unwrap();
            let listed = requires.len();
            requires.retain(|one| one != feature);
            assert_eq!(requires.len(), listed - 1, "{feature}");
        };
        let error = common::error(apply(&common::edited(&package, without)));
        assert_eq!(error.kind(), Kind::Content);
        let expected = format!("metadata.json does not require `{feature}`, which it uses");
        assert!(error.to_string().contains(&expected), "{feature}: {error}");
    }
}
