//! Whatever happened to a layer, it comes back by every method, and by `auto` with the fewest bytes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::slice::from_ref;

use common::layer_builder::LayerBuilder;
use common::{CONTEXT, applied, assert_same, gzipped, image, layers, noise, open, options, packed};
use delta_codec::compress::{Compression, Level};
use delta_core::apply::Delivery;
use delta_core::create::CreateOptions;
use delta_core::image::Image;
use delta_core::job::choices::CompressionOptions;
use delta_core::job::choices::Method;
use delta_core::verify::verify;

/// The layers of an image, lowest first.
type Layers = Vec<Vec<u8>>;

/// What happened, the base and the target.
type Pair = (String, Layers, Layers);

fn one_file(path: &str, content: &[u8]) -> Vec<u8> {
    LayerBuilder::new().file(path, content).finish()
}

/// A program with an address in every 24 bytes, which lie `moved` bytes further.
fn program(moved: u32, length: usize) -> Vec<u8> {
    let mut bytes = noise(7, length);
    for place in bytes.chunks_exact_mut(24) {
        let address = u32::from_le_bytes([place[0], place[1], place[2] & 0x3f, 0]);
        place[..4].copy_from_slice(&(address + moved).to_le_bytes());
    }
    bytes
}

/// Lines of words, each line with a number; every hundredth says the `version`.
fn text(version: u64, length: usize) -> Vec<u8> {
    let words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];
    let line = |number: u64| {
        let word = |shift: u64| words[usize::try_from(number.wrapping_mul(0x9e37_79b9) >> shift & 7).unwrap()];
        let version = if number.is_multiple_of(100) { version } else { 0 };
        format!("{number} {version} {} {} {} {}\n", word(8), word(14), word(20), word(26)).into_bytes()
    };
    (1..).flat_map(line).take(length).collect()
}

/// What becomes of one file of `content`.
fn edits(content: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let middle = content.len() / 2;
    let scattered = || content.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at % 4_001 == 17));
    vec![
        ("grown", [content, &noise(90, 700)].concat()),
        ("cut", content[..content.len() / 3 * 2].to_vec()),
        ("shifted by one byte in the middle", [&content[..middle], b"!", &content[middle..]].concat()),
        ("with scattered changes", scattered().collect()),
        ("put together in another order", [&content[middle..], &content[..middle]].concat()),
        ("empty", Vec::new()),
        ("another one", noise(91, content.len())),
    ]
}

/// One file that was edited, in a layer of its own, which is a tar or none.
fn edited_files(length: usize) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (kind, content) in [("noise", noise(1, length)), ("a program", program(0, length)), ("text", text(1, length))] {
        for (edit, after) in edits(&content) {
            let what = format!("{kind} of {length} bytes, {edit}");
            pairs.push((format!("{what}, no tar"), vec![content.clone()], vec![after.clone()]));
            pairs.push((what, vec![one_file("opt/file", &content)], vec![one_file("opt/file", &after)]));
        }
    }
    let new_version =
        [("a program", program(0, length), program(0x1240, length)), ("text", text(1, length), text(2, length))];
    for (kind, before, after) in new_version {
        let pair = [before, after].map(|content| vec![one_file("opt/file", &content)]);
        let [base, target] = pair;
        pairs.push((format!("{kind} of {length} bytes, a new version"), base, target));
    }
    pairs
}

/// Contents that are elsewhere than they were.
fn moved_files(length: usize) -> Vec<Pair> {
    let (one, other) = (noise(1, length), text(1, length));
    let both = |first: &[u8], second: &[u8]| LayerBuilder::new().file("a/one", first).file("b/other", second).finish();
    let (left, base) = (one_file("gone", b"a line"), both(&one, &other));
    let cases = [
        ("swapped", vec![both(&other, &one)]),
        ("in another layer", vec![one_file("a/one", &one), one_file("b/other", &other)]),
        ("in another folder", vec![one_file("somewhere/else/one", &one)]),
        ("under another name", vec![one_file("a/nothing-like-it.txt", &other)]),
        (
            "with another time",
            vec![LayerBuilder::new().at(1_800_000_000).file("a/one", &one).file("b/other", &other).finish()],
        ),
        ("identical", vec![left.clone(), base.clone()]),
        ("gone", vec![Vec::new()]),
        ("gone with all layers", vec![]),
        ("nothing in common", vec![one_file("new", &noise(5, length)), one_file("text", &text(7, length))]),
        ("twice", vec![both(&one, &one), both(&other, &other)]),
    ];
    cases.map(|(what, target)| (format!("{length} bytes, {what}"), vec![left.clone(), base.clone()], target)).into()
}

/// Many small files of which few changed, some came and some went.
fn folders(count: u64) -> Pair {
    let folder = |skipped: u64, changed: u64| {
        let numbers = (0..count).filter(|number| number % 97 != skipped);
        let file = |layer: LayerBuilder, number: u64| {
            let version = if number.is_multiple_of(50) { changed } else { 0 };
            let size = usize::try_from(number % 13).unwrap() * 40;
            layer.file(&format!("d{}/f{number}", number % 20), &text(version + number, size))
        };
        numbers.fold(LayerBuilder::new(), file).finish()
    };
    (format!("{count} small files"), vec![folder(3, 1)], vec![folder(4, 2)])
}

/// Compressed files whose plain bytes changed little.
fn compressed_files(length: usize) -> Pair {
    let folder = |version: u64| {
        let file = |layer: LayerBuilder, number: u64| {
            layer.file(&format!("doc/{number}.gz"), &gzipped(&text(version + number, length), 6))
        };
        (0..5).fold(LayerBuilder::new(), file).finish()
    };
    (format!("compressed files of {length} bytes"), vec![folder(1)], vec![folder(2)])
}

fn images((_, base, target): &Pair) -> (Image, Image) {
    let image = |name: &str, layers: &Layers| image(name, &layers.iter().map(Vec::as_slice).collect::<Vec<_>>());
    (image("app:v1", base), image("app:v2", target))
}

/// Packs, verifies, applies and compares; returns the size of the package.
fn size(pair: &Pair, options: &CreateOptions) -> usize {
    let (base, target) = images(pair);
    let package = packed(from_ref(&target), from_ref(&base), options);
    let opened = open(&package).unwrap();
    verify(&opened, &[], CONTEXT).unwrap();
    assert_same(&applied(&opened, &Delivery::Original, &layers(&[base])).unwrap()[0], &target);
    package.len()
}

/// `auto` gives at most 1 % and 1 KB more than any other method.
fn assert_smallest(pairs: &[Pair]) {
    for pair in pairs {
        let sizes = Method::ALL.map(|method| (method, size(pair, &options(method))));
        let [auto, others] = [true, false].map(|is_auto| {
            sizes
                .iter()
                .filter(|(method, _)| (*method == Method::Auto) == is_auto)
                .map(|(_, size)| *size)
                .min()
                .unwrap()
        });
        assert!(auto <= others + others / 100 + 1_000, "{}: {sizes:?}", pair.0);
    }
}

#[test]
fn auto_is_the_smallest_for_one_edited_file() {
    assert_smallest(&edited_files(60_000));
}

#[test]
fn auto_is_the_smallest_for_one_edited_file_too_large_for_a_comparison() {
    assert_smallest(&edited_files(1_100_000));
}

#[test]
fn auto_is_the_smallest_for_files_that_moved() {
    assert_smallest(&moved_files(80_000));
    assert_smallest(&moved_files(1_200_000));
}

#[test]
fn auto_is_the_smallest_for_small_and_compressed_files() {
    assert_smallest(&[folders(300), folders(3_000), compressed_files(20_000), compressed_files(900_000)]);
}

/// A pair of some megabytes with something for every codec: text and programs that changed, came and stayed.
fn rich_pair() -> Pair {
    let layer = |version: u64, moved: u32| {
        LayerBuilder::new()
            .file("bin/program", &program(moved, 800_000))
            .file("share/text", &text(version, 1_000_000))
            .file(&format!("share/new-{version}"), &text(50 * version, 900_000))
            .file("share/same", &noise(2, 300_000))
            .finish()
    };
    ("a rich layer".to_owned(), vec![layer(1, 0)], vec![layer(2, 0x1240)])
}

fn options_with(method: Method, compression: Compression, level: i32) -> CreateOptions {
    let level = Level::new(compression, level).unwrap();
    CreateOptions {
        compression: CompressionOptions { level, ..CompressionOptions::usual(compression) },
        ..options(method)
    }
}

#[test]
fn levels_and_compressors_keep_what_they_promise() {
    let pair = rich_pair();
    for method in Method::ALL {
        let with = |compression, level| size(&pair, &options_with(method, compression, level));
        let zstd = |level| with(Compression::Zstd, level);
        let [fastest, fast, usual, high, highest] = [-20, 1, 9, 19, 22].map(zstd);
        let xz = with(Compression::Xz, 6);
        let none = size(
            &pair,
            &CreateOptions { compression: CompressionOptions::usual(Compression::None), ..options(method) },
        );
        let seen =
            format!("{method}: -20 {fastest}, 1 {fast}, 9 {usual}, 19 {high}, 22 {highest}, xz {xz}, none {none}");
        if method == Method::Bsdiff {
            // BSDIFF40 has its own compressor with one level, and nothing is put around it.
            assert!([fastest, fast, high, highest, xz, none].iter().all(|size| *size == usual), "{seen}");
            continue;
        }
        assert!(highest <= usual && high <= usual && xz <= usual, "{seen}");
        assert!(usual < fast && fast < fastest && fastest < none, "{seen}");
    }
}

#[test]
fn the_number_of_threads_changes_no_package() {
    let (base, target) = images(&rich_pair());
    for method in Method::ALL {
        let [one, four] = [1, 4].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| packed(from_ref(&target), from_ref(&base), &options(method)))
        });
        assert!(one == four, "{method}");
    }
}
