//! The end of a package: the member that closes it, and the signatures behind that.
//!
//! The end is read from behind, before anything else of a package is looked at: what signatures sign is known, and compared with
//! the bytes, before any of them is believed. Whether a signature is good is not asked here.

use std::fmt;
use std::io::Read;
use std::str::FromStr;
use std::sync::Arc;

use delta_codec::{Concat, ReadAt, Reader, Scratch, Slice};
use serde::{Serialize, Serializer};

use super::faults::{cut_off, no_package};
use super::header::{BLOCK, header, padding, parse};
use super::reader::{Package, member_at, small, zeros};
use super::unwrap::unwrapped;
use super::{CLOSING, Closing, TRAILER_BYTES};
use crate::digest::BlobDigest;
use crate::error::{Error, Result};
use crate::limits::{CLOSING_BYTES, SIGNATURE_BYTES, SIGNATURES};
use crate::span::Span;

/// Where the members with signatures are.
const FOLDER: &str = "signatures/";

/// What their names end in.
const SUFFIX: &str = ".minisig";

/// The name that minisign gives to a key: 64 bits, shown as 16 hexadecimal digits. It finds a key and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(u64);

impl KeyId {
    /// The ID that stands in a key or signature as these bytes.
    pub const fn of_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016X}", self.0)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let id = u64::from_str_radix(text, 16).ok().map(Self).filter(|id| id.to_string() == text);
        id.ok_or_else(|| Error::content(format!("expected a key ID of 16 digits and letters A to F, found `{text}`")))
    }
}

/// A signature as it stands in a package; nobody checked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSignature {
    /// The key by which it says to be made.
    pub key: KeyId,
    /// The text of the signature.
    pub text: Vec<u8>,
}

impl StoredSignature {
    fn member(&self) -> Result<Vec<u8>> {
        let size = self.text.len() as u64;
        let mut bytes = header(&format!("{FOLDER}{}{SUFFIX}", self.key), size)?.as_bytes().to_vec();
        bytes.extend(&self.text);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        Ok(bytes)
    }
}

/// A package of which only the end was looked at: its bytes have the digest that it closes with.
#[derive(Clone)]
pub struct Closed {
    bytes: Arc<dyn ReadAt>,
    closing: Span,
    digest: BlobDigest,
    text: Vec<u8>,
    signatures: Vec<StoredSignature>,
}

impl Closed {
    /// Reads the end of a package and compares its closing digest. One that was compressed as a whole for the journey is first decompressed
    /// into `scratch`.
    ///
    /// # Errors
    /// Content errors when it is no package, cut off or altered.
    pub fn read(bytes: Arc<dyn ReadAt>, scratch: &dyn Scratch) -> Result<Self> {
        let bytes = unwrapped(bytes, scratch)?;
        let Some(start) = found(&bytes)? else { return Err(without_end(&bytes)) };
        let (_, closing, mut offset) = member_at(&bytes, start)?;
        let mut signatures: Vec<StoredSignature> = Vec::new();
        while offset + TRAILER_BYTES != bytes.len() {
            let (name, span, next) = member_at(&bytes, offset).map_err(|_| beyond(&bytes, offset))?;
            let key: KeyId = name
                .strip_prefix(FOLDER)
                .and_then(|rest| rest.strip_suffix(SUFFIX))
                .and_then(|id| id.parse().ok())
                .ok_or_else(|| cut_off(&format!("the member {name} follows behind {CLOSING}")))?;
            if signatures.iter().any(|signature| signature.key == key) {
                return Err(cut_off(&format!("it has two members {name}")));
            }
            if signatures.len() == SIGNATURES {
                return Err(cut_off(&format!("it has more than {SIGNATURES} signatures")));
            }
            signatures.push(StoredSignature { key, text: small(&bytes, span, SIGNATURE_BYTES)? });
            offset = next;
        }
        zeros(&bytes, offset, TRAILER_BYTES)?;
        let text = small(&bytes, closing, CLOSING_BYTES)?;
        let digest = compared(&bytes, start, &text)?;
        Ok(Self { bytes, closing, digest, text, signatures })
    }

    /// The digest of everything before the member that closes the package.
    pub const fn digest(&self) -> BlobDigest {
        self.digest
    }

    /// What signatures inside of the package sign: the bytes of the member that closes it.
    pub fn signed(&self) -> &[u8] {
        &self.text
    }

    /// The signatures, in the order in which they were added.
    pub fn signatures(&self) -> &[StoredSignature] {
        &self.signatures
    }

    /// The package with one more signature, or with this one in the place of the one by the same key. All else stays byte for byte.
    ///
    /// # Errors
    /// Usage errors when there are too many, or it is too long.
    pub fn with_signature(&self, added: StoredSignature) -> Result<Arc<dyn ReadAt>> {
        if added.text.len() as u64 > SIGNATURE_BYTES {
            return Err(Error::usage(format!("a signature has at most {SIGNATURE_BYTES} bytes; shorten its comment")));
        }
        let mut signatures = self.signatures.clone();
        match signatures.iter().position(|signature| signature.key == added.key) {
            Some(same) => signatures[same] = added,
            None if signatures.len() == SIGNATURES => {
                return Err(Error::usage(format!("the package has {SIGNATURES} signatures, and takes no more")));
            }
            None => signatures.push(added),
        }
        let end = self.closing.end() + padding(self.closing.length());
        let before = Slice::new(self.bytes.clone(), 0, end).ok_or_else(no_package)?;
        let mut behind = Vec::new();
        for signature in &signatures {
            behind.extend(signature.member()?);
        }
        behind.resize(behind.len() + 1024, 0);
        let parts: [Arc<dyn ReadAt>; 2] = [Arc::new(before), Arc::new(behind)];
        Ok(Arc::new(Concat::new(parts)))
    }

    /// Opens the package.
    ///
    /// # Errors
    /// Content errors when it is of another version, or its parts contradict each other.
    pub fn open(self) -> Result<Package> {
        Package::of_members(self.bytes, self.closing.offset() - BLOCK)
    }
}

/// The offset of the header of the member that closes the package. One that hides in a signature leaves the other before it, where no
/// package has it.
fn found(bytes: &dyn ReadAt) -> Result<Option<u64>> {
    const MOST: u64 = TRAILER_BYTES
        + BLOCK
        + CLOSING_BYTES.next_multiple_of(BLOCK)
        + SIGNATURES as u64 * (BLOCK + SIGNATURE_BYTES.next_multiple_of(BLOCK));
    if bytes.is_empty() || !bytes.len().is_multiple_of(BLOCK) {
        return Ok(None);
    }
    let start = bytes.len().saturating_sub(MOST);
    let mut end = vec![0; usize::try_from(bytes.len() - start).unwrap_or_default()];
    bytes.read_exact_at(&mut end, start).map_err(Error::io("reading the package"))?;
    let (blocks, _) = end.as_chunks::<512>();
    let closes = |block: &[u8; 512]| parse(block).is_some_and(|(name, _)| name == CLOSING);
    Ok(blocks.iter().rposition(closes).map(|block| start + block as u64 * BLOCK))
}

/// What is wrong where the end should be at `offset`, and neither it nor a signature is there.
fn beyond(bytes: &dyn ReadAt, offset: u64) -> Error {
    cut_off(&match bytes.len().checked_sub(offset + TRAILER_BYTES) {
        Some(more) => format!("{more} bytes follow behind its end"),
        None => "it ends too early".to_owned(),
    })
}

/// What is wrong with a package without an end.
fn without_end(bytes: &dyn ReadAt) -> Error {
    let (mut offset, mut is_closed) = (0, false);
    loop {
        match member_at(bytes, offset) {
            Ok((name, _, next)) => {
                is_closed |= name == CLOSING;
                offset = next;
            }
            Err(_) if is_closed && !is_header(bytes, offset) => return beyond(bytes, offset),
            Err(error) => return error,
        }
    }
}

fn is_header(bytes: &dyn ReadAt, offset: u64) -> bool {
    let mut block = [0; 512];
    bytes.read_exact_at(&mut block, offset).is_ok_and(|()| parse(&block).is_some())
}

fn compared(bytes: &Arc<dyn ReadAt>, before: u64, text: &[u8]) -> Result<BlobDigest> {
    let closing: Closing =
        serde_json::from_slice(text).map_err(|error| cut_off(&format!("{CLOSING} is not valid: {error}")))?;
    let mut reader = Reader::new(bytes).take(before);
    let (digest, _) = BlobDigest::of_reader(&mut reader).map_err(Error::io("reading the package"))?;
    if closing.bytes == before && closing.digest == digest {
        return Ok(digest);
    }
    Err(cut_off(&format!(
        "expected {} bytes with the digest {}, found {before} with {digest}",
        closing.bytes, closing.digest
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_has_one_form() {
        let id = KeyId::of_bytes([0xef, 0xcd, 0xab, 0, 0, 0, 0, 0x10]);
        assert_eq!(id.to_string(), "1000000000ABCDEF");
        assert_eq!("1000000000ABCDEF".parse::<KeyId>().unwrap(), id);
        for wrong in ["1000000000abcdef", "+000000000ABCDEF", "ABCDEF", "", "11000000000ABCDEF0"] {
            assert!(wrong.parse::<KeyId>().is_err(), "{wrong}");
        }
    }
}
