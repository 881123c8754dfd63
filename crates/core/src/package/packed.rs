//! All documents of a package in one member, mixed: they say much of the same, and little else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use delta_codec::mix::{self, Model, Segment};

use super::{Member, PACKED};
use crate::digest::BlobDigest;
use crate::error::{Error, Result};
use crate::image::Document;
use crate::limits::PACKED_DOCUMENT_BYTES;
use crate::package::metadata::Metadata;

/// Documents by their digests.
pub(crate) type Documents = BTreeMap<BlobDigest, Document>;

/// Bytes of a length.
const LENGTH: usize = 4;

/// The member that holds `documents`; `None` where they have too many bytes.
pub(crate) fn pack(documents: &Documents) -> Option<Member> {
    let coded = mix::join(&[Segment::new(Model::Text, &joined(documents)?, None)])?;
    Some(Member { name: PACKED.to_owned(), bytes: Arc::new(coded) })
}

/// Their lengths and then their bytes; `None` where these are too many.
fn joined(documents: &Documents) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    for document in documents.values() {
        plain.extend(u32::try_from(document.bytes().len()).ok()?.to_le_bytes());
    }
    documents.values().for_each(|document| plain.extend(document.bytes()));
    (plain.len() <= PACKED_DOCUMENT_BYTES).then_some(plain)
}

/// The documents that `metadata` lists, out of the bytes of their member; each is compared with its digest.
pub(super) fn unpack<L>(metadata: &Metadata<L>, coded: &[u8]) -> Result<Documents> {
    let damaged = |what: &dyn std::fmt::Display| Error::content(format!("the member {PACKED} is damaged: {what}"));
    let plain = mix::decode(coded, PACKED_DOCUMENT_BYTES as u64).map_err(|error| damaged(&error))?;
    let listed = metadata.images.iter().flat_map(|image| &image.documents).chain(&metadata.layout_index);
    let digests: BTreeSet<BlobDigest> = listed.copied().collect();
    let short = || damaged(&"it is shorter than its documents");
    let (lengths, mut rest) = plain.split_at_checked(digests.len() * LENGTH).ok_or_else(short)?;
    let mut documents = Documents::new();
    for (digest, length) in digests.into_iter().zip(lengths.as_chunks().0) {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (bytes, behind) = rest.split_at_checked(length).ok_or_else(short)?;
        rest = behind;
        let document = Document::new(bytes.to_vec());
        if document.digest() != digest {
            return Err(damaged(&format!("it does not hold the document {digest}")));
        }
        documents.insert(digest, document);
    }
    if rest.is_empty() { Ok(documents) } else { Err(damaged(&"more follows behind its documents")) }
}

#[cfg(test)]
mod tests;
