//! What a file in one of the standard formats says besides: VCDIFF and BSDIFF40 name neither what they fit nor what they make, and programs that
//! read them pass over this note. FORMAT.md, section 14, describes it.

use delta_codec::{ReadAt, Reader};

use crate::digest::BlobDigest;
use crate::error::{Error, Result};

/// The length of every note: each number has its place.
pub(crate) const NOTE_BYTES: u64 = 199;

const MAGIC: &str = "file_delta-1";

/// A file, told by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// The digest of its bytes.
    pub digest: BlobDigest,
    /// How many they are.
    pub length: u64,
}

impl Side {
    /// Reads all of a file.
    ///
    /// # Errors
    /// What reading `what` reports.
    pub(crate) fn of(bytes: &dyn ReadAt, what: &str) -> Result<Self> {
        let read = BlobDigest::of_reader(&mut Reader::new(bytes)).map_err(Error::io(format!("reading {what}")));
        read.map(|(digest, length)| Self { digest, length })
    }

    /// Whether a file is this one.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with `what` when it is another one.
    pub(crate) fn check(self, bytes: &dyn ReadAt, what: &str) -> Result<()> {
        let mismatch =
            |expected: String, found: String| Err(Error::Mismatch { what: what.to_owned(), expected, found });
        if bytes.len() != self.length {
            return mismatch(format!("{} bytes", self.length), format!("{} bytes", bytes.len()));
        }
        let found = Self::of(bytes, what)?;
        if found == self { Ok(()) } else { mismatch(self.digest.to_string(), found.digest.to_string()) }
    }
}

/// What a difference fits, and what it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// What it fits.
    pub old: Side,
    /// What it makes.
    pub new: Side,
}

impl Sides {
    /// The note, a line of text of [`NOTE_BYTES`].
    pub(crate) fn note(&self) -> Vec<u8> {
        let Self { old, new } = self;
        format!("{MAGIC} {} {:020} {} {:020}\n", old.digest, old.length, new.digest, new.length).into_bytes()
    }

    /// Reads a note, which has one form only.
    pub(crate) fn of_note(note: &[u8]) -> Option<Self> {
        let mut words = str::from_utf8(note).ok()?.split_ascii_whitespace().skip(1);
        let mut side = || Some(Side { digest: words.next()?.parse().ok()?, length: words.next()?.parse().ok()? });
        let sides = Self { old: side()?, new: side()? };
        (sides.note() == note).then_some(sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(bytes: &[u8]) -> Side {
        Side { digest: BlobDigest::of(bytes), length: bytes.len() as u64 }
    }

    #[test]
    fn a_note_has_one_form() {
        let sides = Sides { old: side(b"old"), new: Side { length: u64::MAX, ..side(b"") } };
        let note = sides.note();
        assert_eq!(note.len() as u64, NOTE_BYTES);
        assert_eq!(Sides::of_note(&note), Some(sides));
        // Xdelta3 takes a header with slashes for names of files.
        assert!(!note.contains(&b'/'));
        for at in 0..note.len() {
            let mut other = note.clone();
            other[at] = b'/';
            assert_eq!(Sides::of_note(&other), None, "{at}");
        }
        for other in [&note[..note.len() - 1], &[&note[..], b" "].concat(), b""] {
            assert_eq!(Sides::of_note(other), None);
        }
    }

    #[test]
    fn another_file_is_told_by_its_length_or_digest() {
        let expected = side(b"bytes");
        assert_eq!(Side::of(&b"bytes".to_vec(), "OLD").unwrap(), expected);
        expected.check(&b"bytes".to_vec(), "OLD").unwrap();
        let said = |bytes: &[u8]| expected.check(&bytes.to_vec(), "OLD").unwrap_err().to_string();
        assert_eq!(said(b"byte"), "OLD: expected 5 bytes, found 4 bytes");
        assert!(said(b"bytez").starts_with("OLD: expected sha256:"));
    }
}
