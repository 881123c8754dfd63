//! Writes a package.

use std::io::{self, Read, Write};

use delta_codec::{ReadAt, Reader};

use super::faults::missing;
use super::header::{header, padding};
use super::packed::{Documents, unpack};
use super::{CLOSING, Closing, METADATA, Member, PACKED, TRAILER_BYTES};
use crate::digest::{BlobDigest, Hasher};
use crate::error::{Error, Result};
use crate::image::Document;
use crate::package::metadata::{Metadata, document_member};

/// Writes `metadata` and the `members` that it lists, and returns the number of bytes.
///
/// # Errors
/// What writing reports.
pub fn write(metadata: &Metadata, members: &[Member], out: &mut dyn Write) -> Result<u64> {
    let mut writer = Writer { out: Hasher::new(out) };
    let packed = metadata.has_packed_documents().then(|| unpacked(metadata, members)).transpose()?;
    let document = |digest| match &packed {
        Some(packed) => packed.get(&digest).cloned().ok_or_else(|| missing(PACKED)),
        None => document(members, digest),
    };
    writer.member(METADATA, &metadata.stored(&document)?.to_bytes()?)?;
    for member in members {
        writer.member(&member.name, &member.bytes)?;
    }
    let (out, hashed, bytes) = writer.out.finish();
    let closing = Closing { bytes, digest: hashed.into() };
    let closing = serde_json::to_vec(&closing).map_err(|error| Error::internal(error.to_string()))?;
    let mut writer = Writer { out: Hasher::new(out) };
    writer.member(CLOSING, &closing)?;
    writer.zeros(TRAILER_BYTES)?;
    let (out, _, last) = writer.out.finish();
    out.flush().map_err(Error::io("writing the package"))?;
    Ok(bytes + last)
}

/// The document with this digest, which must be one of the members.
fn document(members: &[Member], digest: BlobDigest) -> Result<Document> {
    held(members, &document_member(digest)).map(Document::new)
}

/// The documents of the member that has all of them.
fn unpacked(metadata: &Metadata, members: &[Member]) -> Result<Documents> {
    unpack(metadata, &held(members, PACKED)?)
}

/// The bytes of the member of this name.
fn held(members: &[Member], name: &str) -> Result<Vec<u8>> {
    let member = members.iter().find(|member| member.name == name).ok_or_else(|| missing(name))?;
    let mut bytes = Vec::new();
    Reader::new(&member.bytes).read_to_end(&mut bytes).map_err(Error::io(format!("reading {name}")))?;
    Ok(bytes)
}

struct Writer<'a> {
    out: Hasher<&'a mut dyn Write>,
}

impl Writer<'_> {
    fn member(&mut self, name: &str, bytes: &dyn ReadAt) -> Result<()> {
        let doing = || Error::io(format!("writing {name} into the package"));
        self.out.write_all(header(name, bytes.len())?.as_bytes()).map_err(doing())?;
        io::copy(&mut Reader::new(bytes), &mut self.out).map_err(doing())?;
        self.zeros(padding(bytes.len()))
    }

    fn zeros(&mut self, count: u64) -> Result<()> {
        let zeros = vec![0; usize::try_from(count).unwrap_or_default()];
        self.out.write_all(&zeros).map_err(Error::io("writing the package"))
    }
}
