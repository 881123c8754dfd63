//! Recipes taken apart and put together again, so that a test can change one number of one.

use delta_core::digest::BlobDigest;
use serde_json::{Value, json};

use super::{members, sealed};

/// The columns of a recipe in their order (FORMAT.md, section 8.2).
pub(crate) const COLUMNS: [&str; 21] = [
    "runs", "headers", "kinds", "contents", "lengths", "groups", "paddings", "masks", "times", "sizes", "modes",
    "users", "owners", "shared", "names", "links", "prefixes", "rare", "whole", "plans", "hints",
];

/// The streams that may stand before the recipe's own.
pub(crate) const STREAMS: [&str; 5] = ["control", "gaps", "values", "literals", "contents"];

/// What stands in a member `.recipe` that is not compressed.
#[derive(Clone)]
pub(crate) struct RecipeParts {
    pub(crate) streams: Vec<Vec<u8>>,
    pub(crate) count: u64,
    pub(crate) groups: Vec<u64>,
    pub(crate) columns: Vec<Vec<u8>>,
}

impl RecipeParts {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let (table, mut rest) = bytes.split_at(20);
        let lengths: Vec<_> = table.as_chunks().0.iter().map(|length| u32::from_le_bytes(*length) as usize).collect();
        let streams = lengths.iter().map(|length| split(&mut rest, *length)).collect();
        let count = number(&mut rest);
        let groups = (0..number(&mut rest)).map(|_| number(&mut rest)).collect();
        let lengths: Vec<u64> = COLUMNS.iter().map(|_| number(&mut rest)).collect();
        let columns = lengths.iter().map(|length| split(&mut rest, usize::try_from(*length).unwrap())).collect();
        assert!(rest.is_empty());
        Self { streams, count, groups, columns }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let table = self.streams.iter().flat_map(|stream| u32::try_from(stream.len()).unwrap().to_le_bytes());
        let numbers = [self.count, self.groups.len() as u64].into_iter().chain(self.groups.iter().copied());
        let numbers = numbers.chain(self.columns.iter().map(|column| column.len() as u64)).flat_map(leb);
        let streams = self.streams.iter().flatten().copied();
        table.chain(streams).chain(numbers).chain(self.columns.iter().flatten().copied()).collect()
    }

    pub(crate) fn column(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.columns[COLUMNS.iter().position(|column| *column == name).unwrap()]
    }

    /// Makes it a recipe of one entry of this kind, with one number in each of these columns.
    pub(crate) fn describe(&mut self, kind: u64, numbers: &[(&str, u64)]) {
        self.columns.iter_mut().for_each(Vec::clear);
        self.count = 1;
        for (column, number) in [("runs", 0), ("kinds", kind)].iter().chain(numbers) {
            self.column(column).extend(leb(*number));
        }
    }

    pub(crate) fn stream(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.streams[STREAMS.iter().position(|stream| *stream == name).unwrap()]
    }
}

/// The bytes of a number (DWARF 5, 7.6).
pub(crate) fn leb(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}

fn number(rest: &mut &[u8]) -> u64 {
    let length = rest.iter().position(|byte| *byte < 0x80).unwrap() + 1;
    split(rest, length).iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f))
}

fn split(rest: &mut &[u8], length: usize) -> Vec<u8> {
    let (part, behind) = rest.split_at(length);
    *rest = behind;
    part.to_vec()
}

/// The package with `edit` done to its first recipe, which must not be compressed; every digest is right again.
pub(crate) fn with_recipe(package: &[u8], edit: impl FnOnce(&mut RecipeParts)) -> Vec<u8> {
    let mut members = members(package);
    let member = members.iter_mut().find(|(name, _)| name.ends_with(".recipe")).unwrap();
    let mut parts = RecipeParts::parse(&member.1);
    edit(&mut parts);
    member.1 = parts.bytes();
    with_right_digests(members)
}

/// A package of these members, whose sizes and digests its metadata now has.
pub(crate) fn with_right_digests(mut members: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let mut metadata: Value = serde_json::from_slice(&members[0].1).unwrap();
    let row = |(name, bytes): &(String, Vec<u8>)| json!({"name": name, "size": bytes.len(), "digest": BlobDigest::of(bytes).to_string()});
    metadata["members"] = members[1..].iter().map(row).collect();
    members[0].1 = serde_json::to_vec_pretty(&metadata).unwrap();
    sealed(&members)
}
