//! Signatures, as minisign writes them: four lines, of which the third, the trusted comment, is signed too.

use std::io::{self, Read, Seek, SeekFrom};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use delta_core::error::{Error, Result};
use delta_core::package::KeyId;
use minisign::SignatureBox;

use crate::key::{PublicKey, SecretKey, id, within_bounds};

/// What the lines of a signature have: two bytes that name the algorithm, the ID of the key, and the signature; then a signature.
const LENGTHS: [usize; 2] = [74, 64];

/// A signature that nobody checked yet.
#[derive(Clone)]
pub struct Signature(SignatureBox);

impl Signature {
    /// Reads what a file of minisign holds.
    ///
    /// # Errors
    /// Content errors when it is no signature, or one of the kind that has to hold the whole file in memory.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let text = within_bounds(text, "a signature")?;
        let lines: Vec<&str> = text.lines().collect();
        let [_, signature, _, of_comment] = lines[..] else { return Err(no_signature("four lines")) };
        for (line, length) in [signature, of_comment].into_iter().zip(LENGTHS) {
            if STANDARD.decode(line).map_or(0, |bytes| bytes.len()) != length {
                return Err(no_signature(&format!("{length} bytes in base64")));
            }
        }
        let boxed = SignatureBox::from_string(text)
            .map_err(|error| no_signature("its four lines").within(&error.to_string()))?;
        if !boxed.is_prehashed() {
            return Err(Error::content(
                "the signature is of minisign's old kind, which needs all of the file in memory",
            )
            .with_hint("sign again without -l"));
        }
        if boxed.trusted_comment().is_err() {
            return Err(no_signature("comments in UTF-8"));
        }
        Ok(Self(boxed))
    }

    /// Reads what a package holds: exactly what [`Self::to_file`] writes.
    ///
    /// # Errors
    /// As [`Self::parse`], and for any other form.
    pub(crate) fn parse_exactly(text: &[u8]) -> Result<Self> {
        let signature = Self::parse(text)?;
        if signature.to_file().as_bytes() == text {
            Ok(signature)
        } else {
            Err(no_signature("four lines that end in a newline, and no other blanks"))
        }
    }

    /// Signs `bytes`, and `trusted_comment` with them.
    ///
    /// # Errors
    /// What reading reports; usage errors for a comment of several lines, or with blanks around it, which minisign does not keep.
    pub fn make(key: &SecretKey, bytes: &mut dyn Read, trusted_comment: &str) -> Result<Self> {
        if trusted_comment.trim() != trusted_comment || trusted_comment.contains(['\n', '\r']) {
            return Err(Error::usage("a comment that is signed is one line, without blanks around it"));
        }
        let comment = format!("signature by key {}", key.public().id());
        let mut bytes = Kept::new(bytes);
        let made = minisign::sign(Some(&key.public().0), &key.key, &mut bytes, Some(trusted_comment), Some(&comment));
        match (made, bytes.failed) {
            (_, Some(failed)) => Err(Error::io("reading what is to be signed")(failed)),
            (Err(error), None) => Err(Error::internal(format!("signing: {error}"))),
            // What was made is read by whoever reads it on the other side.
            (Ok(made), None) => Self::parse_exactly(made.to_string().as_bytes()),
        }
    }

    /// The key by which it says to be made.
    pub fn key(&self) -> KeyId {
        id(self.0.keynum())
    }

    /// What anybody may have written about it.
    pub(crate) fn untrusted_comment(&self) -> String {
        self.0.untrusted_comment().unwrap_or_default()
    }

    /// Its text.
    pub fn to_file(&self) -> String {
        self.0.to_string()
    }

    /// Compares the signature with `bytes`; returns the comment that is signed with them.
    ///
    /// # Errors
    /// What reading reports; a content error when it is not that of these bytes by this key.
    pub fn check(&self, key: &PublicKey, bytes: &mut dyn Read) -> Result<String> {
        let mut bytes = Kept::new(bytes);
        let checked = minisign::verify(&key.0, &self.0, &mut bytes, true, false, false);
        if let Some(failed) = bytes.failed {
            return Err(Error::io("reading what is signed")(failed));
        }
        let wrong = |error: minisign::PError| {
            Error::content(format!("the signature by key {} is not that of these bytes: {error}", key.id()))
                .with_hint("the bytes or the signature were changed, or it is the signature of something else")
        };
        checked.and_then(|()| self.0.trusted_comment()).map_err(wrong)
    }
}

/// Keeps what reading reports, which minisign hands on as a text, and says that it can seek, which is asked of it and never done.
struct Kept<'a> {
    bytes: &'a mut dyn Read,
    failed: Option<io::Error>,
}

impl<'a> Kept<'a> {
    fn new(bytes: &'a mut dyn Read) -> Self {
        Self { bytes, failed: None }
    }
}

impl Read for Kept<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.bytes.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error);
                    return Err(io::ErrorKind::Other.into());
                }
                read => return read,
            }
        }
    }
}

impl Seek for Kept<'_> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn no_signature(expected: &str) -> Error {
    Error::content(format!("this is no signature of minisign: expected {expected}"))
}

#[cfg(test)]
mod tests;
