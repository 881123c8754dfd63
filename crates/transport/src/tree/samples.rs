//! What the tests of trees share: entries, streams of them, attributes and access control lists.

use delta_core::facts::{Attribute, Facts};

use super::entry::{Entry, Kind};
use super::header::{BLOCK, encode};

/// An entry of which nothing is said but what it is.
pub(super) fn entry(name: &str, kind: Kind) -> Entry {
    Entry { name: name.as_bytes().to_vec(), kind, facts: Facts::default() }
}

/// A file, and what is in it.
pub(super) fn file<'a>(name: &str, content: &'a [u8]) -> (Entry, &'a [u8]) {
    (entry(name, Kind::File(content.len() as u64)), content)
}

/// Something of which nothing is stored.
pub(super) fn bare(name: &str, kind: Kind) -> (Entry, &'static [u8]) {
    (entry(name, kind), &[])
}

/// The stream of these entries and of what is stored of each, with its end.
pub(super) fn stream(entries: &[(Entry, &[u8])]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (entry, stored) in entries {
        stream.extend(encode(entry));
        stream.extend_from_slice(stored);
        stream.resize(stream.len().next_multiple_of(BLOCK), 0);
    }
    stream.resize(stream.len() + 2 * BLOCK, 0);
    stream
}

/// The stream of a root with these entries in it.
pub(super) fn tree(entries: &[(Entry, &[u8])]) -> Vec<u8> {
    stream(&[&[bare(".", Kind::Folder)][..], entries].concat())
}

pub(super) fn attribute(name: &str, value: &[u8]) -> Attribute {
    Attribute { name: name.as_bytes().to_vec(), value: value.to_vec() }
}

/// Who an entry of a list is about (`linux/posix_acl.h`).
pub(super) const OWNER: u16 = 0x01;
pub(super) const USER: u16 = 0x02;
pub(super) const OWN_GROUP: u16 = 0x04;
pub(super) const MASK: u16 = 0x10;
pub(super) const OTHERS: u16 = 0x20;

/// For whom no number is said.
pub(super) const NOBODY: u32 = u32::MAX;

/// An access control list: version 2, then of each entry whom it is about, what he may do, and which number he has.
pub(super) fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(rights.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}
