//! FORMAT.md names what the code reads and writes: all of it, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::golden::{accepted, bases, encoders, plain_recipes};
use common::recipe_parts::{COLUMNS, with_recipe};
use common::{applied, error, image, layers, open, options, packed};
use delta_codec::compress::Compression;
use delta_codec::limits as codec_limits;
use delta_codec::limits::RECREATION_PLAN_BYTES;
use delta_core::apply::Delivery;
use delta_core::job::choices::Method;
use delta_core::limits;
use delta_core::package::features::{LayerCodec, RecipeStream, features};
use delta_core::package::metadata::{FORMAT, Metadata};
use serde_json::Value;

fn document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../FORMAT.md")).unwrap()
}

/// The part of the document under a heading.
fn section(heading: &str) -> String {
    let document = document();
    let start = document.find(heading).unwrap_or_else(|| panic!("FORMAT.md has no section `{heading}`"));
    let rest = &document[start + heading.len()..];
    rest[..rest.find("\n## ").unwrap_or(rest.len())].to_owned()
}

/// The part of the document under a heading of the third level.
fn subsection(heading: &str) -> String {
    let rest = section(heading);
    rest[..rest.find("\n##").unwrap_or(rest.len())].to_owned()
}

/// The first cell of every row of the tables in `text`, without their headings.
fn first_cells(text: &str) -> Vec<String> {
    let cells = text.lines().filter_map(|line| Some(line.strip_prefix("| ")?.split(" |").next()?.to_owned()));
    let rows = text.lines().filter(|line| line.starts_with('|')).collect::<Vec<_>>();
    let is_heading = |cell: &String| {
        rows.windows(2).any(|two| two[0].starts_with(&format!("| {cell} |")) && two[1].starts_with("|---"))
    };
    cells.filter(|cell| !is_heading(cell)).collect()
}

/// What stands between backticks in `text` and is one word.
fn words(text: &str) -> BTreeSet<String> {
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    text.split('`').skip(1).step_by(2).filter(is_word).map(str::to_owned).collect()
}

fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            keys(value, into);
        }),
        Value::Array(values) => values.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

/// Every field of the metadata of packages of all kinds.
fn fields() -> BTreeSet<String> {
    let mut fields = BTreeSet::from(["variant".to_owned()]);
    let [base, target] = [1, 2].map(|version| image("app", &[&encoders(version)]));
    let opened = packed(&[target], &[base], &options(Method::Auto));
    for package in accepted().into_iter().map(|(_, package)| package).chain([opened]) {
        let metadata: &Metadata = &open(&package).unwrap().metadata().clone();
        keys(&serde_json::to_value(metadata).unwrap(), &mut fields);
    }
    fields
}

#[test]
fn every_field_is_described_and_every_described_field_is_there() {
    let section = section("## 3. metadata.json");
    let named = |line: &str| line.strip_prefix("| `").and_then(|rest| rest.split('`').next()).map(str::to_owned);
    let described: BTreeSet<String> = section.lines().filter_map(named).collect();
    let fields = fields();
    let absent: Vec<_> = fields.difference(&words(&section)).cloned().collect();
    assert!(absent.is_empty(), "FORMAT.md does not describe {absent:?}");
    let more: Vec<_> = described.difference(&fields).cloned().collect();
    assert!(more.is_empty(), "FORMAT.md describes {more:?}, which no package has");
}

#[test]
fn every_codec_method_and_compressor_is_described() {
    let (codecs, metadata) = (section("## 4. Codecs"), words(&section("## 3. metadata.json")));
    for codec in LayerCodec::ALL {
        let row = format!("| `{}` | `{}` |", codec.name(), codec.suffix());
        assert!(codecs.contains(&row), "FORMAT.md lacks {row}");
    }
    for method in Method::ALL.map(Method::name) {
        assert!(
            metadata.contains(method) || section("## 3. metadata.json").contains(&format!("`{method}`")),
            "{method}"
        );
    }
    for compression in Compression::ALL {
        let text = section("## 3. metadata.json");
        assert!(text.contains(&format!("`{compression}`")), "{compression}");
        assert!(
            codecs.contains(&format!("`{}` {compression}", compression.suffix())) || compression == Compression::None
        );
    }
}

#[test]
fn the_limits_are_those_of_the_code() {
    let section = section("## 5. Limits");
    let numbers: Vec<u64> =
        section.lines().filter_map(|line| line.rsplit('|').nth(1)?.split_whitespace().next()?.parse().ok()).collect();
    let expected = [
        limits::METADATA_BYTES,
        limits::DOCUMENT_BYTES,
        limits::LAYER_BYTES,
        RECREATION_PLAN_BYTES as u64,
        codec_limits::MIX_BYTES as u64,
        limits::CLOSING_BYTES,
        limits::SIGNATURE_BYTES,
        limits::SIGNATURES as u64,
        limits::LAYERS as u64,
        limits::MEMBERS as u64,
        limits::IMAGES as u64,
        limits::LAYERS_PER_IMAGE as u64,
        limits::IMPLIED_LAYERS as u64,
        limits::BASE_LAYERS as u64,
        limits::BASE_WORK_TIMES,
        limits::BASE_WORK_BYTES,
    ];
    assert_eq!(numbers, expected);
}

#[test]
fn every_feature_is_described() {
    let rows: BTreeSet<String> = first_cells(&section("## 4. Codecs")).into_iter().collect();
    let features: BTreeSet<String> = features().map(|feature| format!("`{feature}`")).collect();
    let unknown: Vec<_> = rows.difference(&features).collect();
    assert!(unknown.is_empty(), "FORMAT.md describes {unknown:?}, which no reader knows");
    let absent: Vec<_> = features.iter().filter(|feature| !document().contains(feature.as_str())).collect();
    assert!(absent.is_empty(), "FORMAT.md does not describe {absent:?}");
}

#[test]
fn streams_and_columns_are_those_of_recipes() {
    let cells = first_cells(&subsection("### 8.2 Streams"));
    let (streams, columns) = cells.split_at(cells.iter().position(|cell| cell == "`runs`").unwrap());
    assert_eq!(streams[..RecipeStream::ALL.len()], RecipeStream::ALL.map(|stream| format!("`{}`", stream.name())));
    let columns: Vec<&str> =
        columns.iter().flat_map(|cell| cell.split(' ')).map(|name| name.trim_matches('`')).collect();
    assert_eq!(columns, COLUMNS);
    assert!(subsection("### 8.2 Streams").contains(&format!("the lengths of the {} columns", COLUMNS.len())));
}

/// What applying says of a package whose first recipe describes one entry.
fn said_of(kind: u64, numbers: &[(&str, u64)]) -> String {
    let package = with_recipe(&plain_recipes(), |parts| parts.describe(kind, numbers));
    error(applied(&open(&package).unwrap(), &Delivery::Original, &layers(&bases()))).to_string()
}

#[test]
fn kinds_and_fields_are_those_of_recipes() {
    let cells = first_cells(&subsection("### 8.3 Entries of a recipe"));
    let kinds = cells.iter().skip(1).position(|cell| cell == "0").unwrap() + 1;
    let (kinds, bits) = cells.split_at(kinds);
    for (rows, last) in [(kinds, 6), (bits, 16)] {
        assert_eq!(rows, (0..=last).map(|row: u64| row.to_string()).collect::<Vec<_>>());
    }
    let unknown_kind = format!("an entry of kind {}", kinds.len());
    assert!(said_of(kinds.len() as u64, &[("headers", 1)]).contains(&unknown_kind));
    assert!(!said_of(kinds.len() as u64 - 1, &[("headers", 1)]).contains("an entry of kind"));
    let mask = |bit: usize| said_of(0, &[("headers", 1), ("masks", 1 << bit)]);
    assert!(mask(bits.len()).contains("a header with the unknown fields"));
    assert!(!mask(bits.len() - 1).contains("a header with the unknown fields"));
}

#[test]
fn numbers_in_the_text_are_the_limits_of_the_code() {
    let (recipes, compressed, programs) =
        (section("## 8. Recipes"), section("## 9. Compressed contents"), section("## 10. Predicted executables"));
    let together = section("## 20. Documents together");
    let mixed = section("## 19. Mixed streams");
    for (text, said) in [
        (&recipes, format!("The {}th\nentry of a layer is opaque", limits::ENTRIES_PER_LAYER)),
        (&recipes, format!("type `x`, of at most {} bytes", limits::DESCRIPTION_BYTES)),
        (&recipes, format!("whose\n   byte at 504 is not 0, at most {}.", limits::SPARSE_BYTES / 512)),
        (&together, format!("whose plain bytes, at most {},", limits::PACKED_DOCUMENT_BYTES)),
        (&mixed, format!("the number of segments, at most {};", codec_limits::MIX_SEGMENTS)),
        (
            &mixed,
            format!("at most {}, and at most {} for each byte", codec_limits::MIX_BYTES, codec_limits::MIX_GROWTH),
        ),
        (&recipes, format!("longer than {} bytes has a member", limits::INLINE_STREAM_BYTES)),
        (&recipes, format!("the length of its plan, at most {}", limits::PLAN_BYTES)),
        (&recipes, format!("the length of its hint, at most {}", limits::HINT_BYTES)),
        (&recipes, format!("more than {} bytes, the feature is `exec-2`", codec_limits::PREDICTED_BYTES)),
        (&recipes, format!("more than {} bytes nothing is predicted", codec_limits::PREDICTED_BYTES_LARGE)),
        (&recipes, format!("more than {} matches", codec_limits::PREDICTED_MATCHES)),
        (&compressed, format!("comments have at most {} bytes", codec_limits::DEFLATE_HEADER_BYTES)),
        (&compressed, format!("at most {}\n  bytes, with its zip64", codec_limits::DEFLATE_DIRECTORY_BYTES)),
        (&compressed, format!("levels deep, at most {} of them", codec_limits::DEFLATE_STORED)),
        (&compressed, format!("at most {} of them, with right", codec_limits::DEFLATE_IDAT_CHUNKS)),
        (&compressed, format!("has at least {} bytes", codec_limits::DEFLATE_STREAM_BYTES_MIN)),
        (&compressed, format!("included, are at most {}", codec_limits::DEFLATE_PLAIN_BYTES)),
        (&compressed, format!("up to {} levels deep, and in at most", codec_limits::DEFLATE_DEPTH)),
        (&compressed, format!("in at most {} of the nested", codec_limits::DEFLATE_NESTED)),
        (&programs, format!("At most {} program headers", codec_limits::EXEC_SEGMENTS)),
        (&programs, format!("and {} section headers", codec_limits::EXEC_SECTIONS)),
    ] {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(text).contains(&flat(&said)), "FORMAT.md does not say `{}`", flat(&said));
    }
}

#[test]
fn the_version_is_the_one_of_the_code_and_has_its_change() {
    assert!(document().starts_with(&format!("# The package format, version {FORMAT}\n")));
    assert!(section("## Changes").contains(&format!("- **{FORMAT}**: ")));
}
