//! From level 19 of zstd on the streams of recipes are mixed where that is smaller, and come back.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use common::golden::{mixed_options, with_mixed};
use common::layer_builder::LayerBuilder;
use common::{applied, assert_same, error, image, layers, members, noise, open, options, packed};
use delta_codec::compress::{Compression, Level};
use delta_codec::limits::MIX_BYTES;
use delta_core::apply::Delivery;
use delta_core::create::CreateOptions;
use delta_core::image::{Document, Image};
use delta_core::job::choices::{CompressionOptions, Method};
use delta_core::limits::PACKED_DOCUMENT_BYTES;
use delta_core::{Error, Kind};

/// Lines of which each version has other ones here and there, and a new file of text.
fn pair() -> [Image; 2] {
    [1, 2].map(|version: u32| {
        let line = |line: u32| {
            let changed = if line.is_multiple_of(50) { version } else { 0 };
            format!("{line}: {} words of {changed} and more\n", line.wrapping_mul(7_919) % 1_013)
        };
        let text: String = (0..3_000).map(line).collect();
        let more: String = (0..400).map(|number| line(number * 31 + version * 1_000_000)).collect();
        let layer = LayerBuilder::new().file("notes", text.as_bytes()).file(&format!("new-{version}"), more.as_bytes());
        image(&format!("app:v{version}"), &[&layer.finish()])
    })
}

fn requires(package: &[u8], feature: &str) -> bool {
    open(package).unwrap().metadata().requires.contains(feature)
}

fn requires_mixing(package: &[u8]) -> bool {
    requires(package, "mix-1")
}

fn assert_comes_back(package: &[u8], base: &Image, target: &Image) {
    let rebuilt = applied(&open(package).unwrap(), &Delivery::Original, &layers(std::slice::from_ref(base))).unwrap();
    assert_same(&rebuilt[0], target);
}

#[test]
fn a_recipe_is_mixed_from_level_19_on_and_smaller_for_it() {
    let [base, target] = pair();
    let at = |level| {
        let compression = CompressionOptions {
            level: Level::new(Compression::Zstd, level).unwrap(),
            ..CompressionOptions::usual(Compression::Zstd)
        };
        let chosen = CreateOptions { compression, ..options(Method::Auto) };
        packed(std::slice::from_ref(&target), std::slice::from_ref(&base), &chosen)
    };
    let (below, mixed) = (at(18), at(19));
    assert!(!requires_mixing(&below) && requires_mixing(&mixed));
    assert!(mixed.len() < below.len(), "{} and {} bytes", mixed.len(), below.len());
    assert_comes_back(&mixed, &base, &target);
    assert_comes_back(&below, &base, &target);
    assert!(requires_mixing(&at(22)));
}

#[test]
fn documents_travel_together_from_level_19_on_unless_they_are_long() {
    let [base, target] = pair();
    let names = |target: &Image| {
        let package = packed(std::slice::from_ref(target), std::slice::from_ref(&base), &mixed_options());
        assert_comes_back(&package, &base, target);
        let opened = open(&package).unwrap();
        let requires = opened.metadata().requires.contains("documents-1");
        (requires, members(&package).into_iter().map(|(name, _)| name).collect::<Vec<_>>())
    };
    let (requires, short) = names(&target);
    assert!(requires && short.contains(&"documents.mix".to_owned()));
    assert!(short.contains(&"manifest.json".to_owned()), "{short:?}");
    assert!(!short.iter().any(|name| name.starts_with("blobs/")), "{short:?}");
    let mut long = target;
    let document = Document::new([vec![b'{'], vec![b' '; PACKED_DOCUMENT_BYTES], vec![b'}']].concat());
    long.documents.insert(document.digest(), document);
    let (requires, apart) = names(&long);
    assert!(!requires && apart.contains(&"manifest.json".to_owned()), "{apart:?}");
}

#[test]
fn other_compressors_are_taken_at_their_word() {
    let [base, target] = pair();
    let compression = CompressionOptions {
        level: Level::new(Compression::Xz, 9).unwrap(),
        ..CompressionOptions::usual(Compression::Xz)
    };
    let chosen = CreateOptions { compression, ..options(Method::Auto) };
    assert!(!requires_mixing(&packed(&[target], &[base], &chosen)));
}

#[test]
fn a_stream_that_is_too_long_to_be_mixed_has_its_own_member_beside_the_others() {
    let notes: String =
        (0..9_000).map(|line: u32| format!("line {} of it\n", line.wrapping_mul(7_919) % 1_013)).collect();
    let layer = |version: &str| {
        let layer = LayerBuilder::new().file("notes", [notes.as_bytes(), version.as_bytes()].concat().as_slice());
        (0..300).fold(layer, |layer, number| layer.file(&format!("{version}/{number}"), version.as_bytes()))
    };
    let base = image("app:v1", &[&layer("one").finish()]);
    let long = noise(4, 1 << 16).repeat(MIX_BYTES / (1 << 16) + 1);
    let new = image("app:v2", &[&layer("two").file("new", &long).finish()]);
    let package = packed(std::slice::from_ref(&new), std::slice::from_ref(&base), &mixed_options());
    assert!(requires_mixing(&package));
    let names: Vec<_> = members(&package).into_iter().map(|(name, _)| name).collect();
    let has = |suffix: &str| names.iter().any(|name| name.ends_with(suffix));
    assert!(has(".recipe.mix") && (has(".contents.zst") || has(".contents.xz")), "{names:?}");
    assert_comes_back(&package, &base, &new);
}

#[test]
fn only_the_first_member_of_a_recipe_is_mixed() {
    let [base, target] = pair();
    let package = packed(&[target], std::slice::from_ref(&base), &mixed_options());
    let renamed = with_mixed(&package, |name, _| *name = name.replace(".recipe.", ".control."));
    let of_layers = |text: &str| text.replace(".recipe.mix", ".control.mix");
    let renamed = common::edited_as_stored(&renamed, |metadata| {
        let layers = of_layers(&metadata["layers"].to_string());
        metadata["layers"] = serde_json::from_str(&layers).unwrap();
    });
    let refused = open(&renamed).and_then(|package| applied(&package, &Delivery::Original, &layers(&[base])));
    let said = error(refused).to_string();
    assert!(said.contains("only the first member of a recipe is mixed"), "{said}");
}

/// What applying the package says, with `edit` done to its mixed member and every digest right again.
fn refused(package: &[u8], base: &Image, edit: impl FnOnce(&mut Vec<u8>)) -> Error {
    let damaged = with_mixed(package, |_, bytes| edit(bytes));
    let layers = layers(std::slice::from_ref(base));
    error(open(&damaged).and_then(|package| applied(&package, &Delivery::Original, &layers)))
}

#[test]
fn what_is_damaged_in_a_mixed_member_never_comes_out() {
    let [base, target] = pair();
    let package = packed(&[target], std::slice::from_ref(&base), &mixed_options());
    for place in [0, 1, 2, 5, 20, 60, 200] {
        let refused = refused(&package, &base, |bytes| bytes[place] ^= 0x11);
        assert_eq!(refused.kind(), Kind::Content, "byte {place}");
    }
}

#[test]
fn a_recipe_without_patches_has_nothing_that_is_guided() {
    let [base, target] = pair();
    let guided = packed(std::slice::from_ref(&target), std::slice::from_ref(&base), &mixed_options());
    assert!(requires_mixing(&guided) && requires(&guided, "mix-2"));
    let alone = packed(&[target], &[], &mixed_options());
    assert!(requires_mixing(&alone) && !requires(&alone, "mix-2"));
}

#[test]
fn what_is_damaged_in_a_guided_segment_never_comes_out() {
    let [base, target] = pair();
    let package = packed(&[target], std::slice::from_ref(&base), &mixed_options());
    // It is the last one, and its last bytes may say nothing more.
    for behind in [8, 20, 50, 100, 200] {
        let refused = refused(&package, &base, |bytes| {
            let place = bytes.len() - behind;
            bytes[place] ^= 0x11;
        });
        assert_eq!(refused.kind(), Kind::Content, "{behind} bytes before the end");
    }
    let cut = refused(&package, &base, |bytes| bytes.truncate(bytes.len() - 1));
    assert!(cut.to_string().contains("the head of mixed segments is damaged"), "{cut}");
}
