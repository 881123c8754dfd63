//! Reads a package; nothing is believed before the closing digest was compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use delta_codec::{ReadAt, Scratch, Slice};

use super::closed::Closed;
use super::documents;
use super::faults::{cut_off, missing, no_package};
use super::header::{BLOCK, padding, parse};
use super::packed::{Documents, unpack};
use super::{CLOSING, METADATA, PACKED};
use crate::digest::BlobDigest;
use crate::error::{Error, Result};
use crate::image::Document;
use crate::limits;
use crate::package::metadata::{Metadata, Stored, document_member};
use crate::span::Span;

/// An opened package.
pub struct Package {
    metadata: Metadata,
    bytes: Arc<dyn ReadAt>,
    members: BTreeMap<String, Span>,
    /// The documents, where they share a member.
    packed: Option<Documents>,
}

impl Package {
    /// Opens a package, compares its closing digest, and its documents with what its metadata says of them. One that was compressed as a whole for the journey is first
    /// decompressed into `scratch`.
    ///
    /// # Errors
    /// Content errors when it is no package, cut off, altered, or of another version.
    pub fn open(bytes: Arc<dyn ReadAt>, scratch: &dyn Scratch) -> Result<Self> {
        Closed::read(bytes, scratch)?.open()
    }

    /// The package whose last member but signatures has its header at `end`; its digest was compared.
    pub(super) fn of_members(bytes: Arc<dyn ReadAt>, end: u64) -> Result<Self> {
        let members = members(&bytes, end)?;
        let [(first, metadata), inner @ ..] = members.as_slice() else { return Err(no_package()) };
        if first != METADATA {
            return Err(no_package());
        }
        let stored = Stored::parse(&small(&bytes, *metadata, limits::METADATA_BYTES)?)?;
        let members: BTreeMap<String, Span> = inner.iter().cloned().collect();
        let packed = stored.has_packed_documents().then(|| unpacked(&bytes, &members, &stored)).transpose()?;
        let metadata = stored.completed(&|digest| document(&bytes, (&members, packed.as_ref()), digest))?;
        require_listed(&metadata, inner)?;
        let package = Self { metadata, bytes, members, packed };
        documents::check(&package)?;
        Ok(package)
    }

    /// What the package says about itself.
    pub const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The number of bytes of the package, uncompressed.
    pub fn size(&self) -> u64 {
        self.bytes.len()
    }

    /// The bytes of a member, as they are stored.
    ///
    /// # Errors
    /// A content error when there is no such member.
    pub(crate) fn member(&self, name: &str) -> Result<Arc<dyn ReadAt>> {
        let span = self.members.get(name);
        let slice = span.and_then(|span| Slice::new(self.bytes.clone(), span.offset(), span.length()));
        slice.map(|slice| Arc::new(slice) as Arc<dyn ReadAt>).ok_or_else(|| missing(name))
    }

    /// The `index.json` of a layout of the images, where it is not made of their names.
    ///
    /// # Errors
    /// A content error when it is not there or has other bytes.
    pub fn layout_index(&self) -> Result<Option<Document>> {
        self.metadata.layout_index.map(|digest| self.document(digest)).transpose()
    }

    /// A document, compared with its digest.
    ///
    /// # Errors
    /// A content error when it is not there or has other bytes.
    pub(crate) fn document(&self, digest: BlobDigest) -> Result<Document> {
        document(&self.bytes, (&self.members, self.packed.as_ref()), digest)
    }
}

/// The documents of the member that has all of them.
fn unpacked(bytes: &dyn ReadAt, members: &BTreeMap<String, Span>, stored: &Stored) -> Result<Documents> {
    let span = members.get(PACKED).ok_or_else(|| missing(PACKED))?;
    unpack(stored, &small(bytes, *span, 2 * limits::PACKED_DOCUMENT_BYTES as u64)?)
}

fn document(
    bytes: &dyn ReadAt,
    (members, packed): (&BTreeMap<String, Span>, Option<&Documents>),
    digest: BlobDigest,
) -> Result<Document> {
    let name = document_member(digest);
    if let Some(packed) = packed {
        return packed.get(&digest).cloned().ok_or_else(|| missing(&name));
    }
    let span = members.get(&name).ok_or_else(|| missing(&name))?;
    let document = Document::new(small(bytes, *span, limits::DOCUMENT_BYTES)?);
    if document.digest() == digest {
        Ok(document)
    } else {
        let (expected, found) = (digest.to_string(), document.digest().to_string());
        Err(Error::Mismatch { what: format!("the member {name}"), expected, found })
    }
}

/// Every member before `end` in its order; the form of all headers and paddings is checked.
fn members(bytes: &dyn ReadAt, end: u64) -> Result<Vec<(String, Span)>> {
    let mut members = Vec::new();
    let mut offset = 0;
    while offset != end {
        let (name, span, next) = member_at(bytes, offset)?;
        if next > end || name == CLOSING {
            return Err(cut_off(&format!("the member {name} stands where it cannot")));
        }
        members.push((name, span));
        offset = next;
    }
    Ok(members)
}

/// The member whose header is at `offset`: its name, its bytes, and where the next one starts. Its form is checked.
pub(super) fn member_at(bytes: &dyn ReadAt, offset: u64) -> Result<(String, Span, u64)> {
    let is_first = offset == 0;
    let mut block = [0; 512];
    bytes
        .read_exact_at(&mut block, offset)
        .map_err(|_| if is_first { no_package() } else { cut_off("it ends before its last member") })?;
    let Some((name, size)) = parse(&block) else {
        return Err(if is_first { no_package() } else { cut_off(&format!("no member at byte {offset}")) });
    };
    let span = Span::new(offset + BLOCK, size).filter(|span| span.fits(bytes.len()));
    let span = span.ok_or_else(|| cut_off(&format!("it ends inside of {name}")))?;
    zeros(bytes, span.end(), padding(size))?;
    Ok((name, span, span.end() + padding(size)))
}

pub(super) fn zeros(bytes: &dyn ReadAt, offset: u64, count: u64) -> Result<()> {
    let mut found = vec![0; usize::try_from(count).unwrap_or_default()];
    bytes.read_exact_at(&mut found, offset).map_err(|_| cut_off("it ends too early"))?;
    if found.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(cut_off(&format!("bytes of no member at {offset}"))) }
}

/// The members must be those that the metadata lists, in its order.
fn require_listed(metadata: &Metadata, members: &[(String, Span)]) -> Result<()> {
    let expected = metadata.members.iter().map(|member| (member.name.as_str(), member.size));
    if members.iter().map(|(name, span)| (name.as_str(), span.length())).eq(expected) {
        Ok(())
    } else {
        Err(Error::content("the package has other members than its metadata.json lists"))
    }
}

pub(super) fn small(bytes: &dyn ReadAt, span: Span, most: u64) -> Result<Vec<u8>> {
    if span.length() > most {
        return Err(Error::content(format!("a document of {} bytes, where at most {most} are read", span.length())));
    }
    let mut held = vec![0; usize::try_from(span.length()).unwrap_or_default()];
    bytes.read_exact_at(&mut held, span.offset()).map_err(Error::io("reading the package"))?;
    Ok(held)
}
