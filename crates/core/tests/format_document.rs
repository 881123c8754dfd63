//! FORMAT.md names what the code reads and writes: all of it, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::golden::accepted;
use common::open;
use delta_codec::compress::Compression;
use delta_codec::limits::RECREATION_PLAN_BYTES;
use delta_core::job::choices::Method;
use delta_core::limits;
use delta_core::package::features::LayerCodec;
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
    for (_, package) in accepted() {
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
        limits::LAYERS as u64,
        limits::MEMBERS as u64,
        limits::IMAGES as u64,
        limits::LAYERS_PER_IMAGE as u64,
    ];
    assert_eq!(numbers, expected);
}

#[test]
fn the_version_is_the_one_of_the_code_and_has_its_change() {
    assert!(document().starts_with(&format!("# The package format, version {FORMAT}\n")));
    assert!(section("## Changes").contains(&format!("- **{FORMAT}**: ")));
}
