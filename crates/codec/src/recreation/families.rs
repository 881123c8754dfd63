//! The encoders that run again: one file and one line in [`FAMILIES`] for each family.

mod gnu;
mod go;
mod klauspost_zstd;
mod libzstd;
mod modern;
mod pigz;
mod zlib;

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;

use super::Header;
use crate::ReadAt;
use crate::limits::COPY_BYTES;

/// Every family. Their numbers and settings are part of the package format.
static FAMILIES: [&Family; 7] = [
    &zlib::FAMILY,
    &pigz::FAMILY,
    &go::FAMILY,
    &modern::FAMILY,
    &gnu::FAMILY,
    &klauspost_zstd::FAMILY,
    &libzstd::FAMILY,
];

/// What a stream of an encoder stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A gzip member: the stream is raw deflate (RFC 1951).
    Gzip,
    /// The stream is a zstd frame.
    Zstd,
}

/// Encoders of one origin.
pub(super) struct Family {
    /// What plans call it.
    pub(super) number: u8,
    /// What a package requires of its reader.
    pub(super) feature: &'static str,
    pub(super) format: Format,
    /// The settings that are worth a trial.
    pub(super) candidates: fn(&Header) -> Vec<Candidate>,
    /// Takes settings from the front of a plan's bytes; `None` when they are none.
    pub(super) take: fn(&mut &[u8]) -> Option<Arc<dyn Encoder>>,
}

/// An encoder of a family with its settings. What it prints is a name for people.
pub(super) trait Encoder: Display + Send + Sync {
    fn family(&self) -> &'static Family;

    /// The settings as plans hold them.
    fn settings(&self) -> Vec<u8>;

    /// Writes the stream of all of `plain`.
    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()>;
}

/// An encoder that may have made a stream.
pub(super) struct Candidate {
    /// How much speaks against it: the lowest is tried first.
    pub(super) doubt: u8,
    pub(super) encoder: Arc<dyn Encoder>,
}

/// Writes all of `plain` into the encoder `into`.
fn copy(plain: &dyn ReadAt, into: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut at = 0;
    loop {
        let count = plain.read_at(&mut buffer, at)?;
        if count == 0 {
            return Ok(());
        }
        into.write_all(&buffer[..count])?;
        at += count as u64;
    }
}

/// The features that packages may require for blobs that are made again.
pub fn features() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().copied().map(|family| family.feature)
}

/// The family with this number.
pub(super) fn family(number: u8) -> Option<&'static Family> {
    FAMILIES.iter().copied().find(|family| family.number == number)
}

/// The encoders that may have made a stream with this header, the likely ones first.
pub(super) fn candidates(format: Format, header: &Header) -> Vec<Arc<dyn Encoder>> {
    let families = FAMILIES.iter().copied().filter(|family| family.format == format);
    let mut all: Vec<Candidate> = families.flat_map(|family| (family.candidates)(header)).collect();
    all.sort_by_key(|candidate| candidate.doubt);
    all.into_iter().map(|candidate| candidate.encoder).collect()
}

/// Whether two encoders make the same streams.
pub(super) fn is_same(one: &dyn Encoder, other: &dyn Encoder) -> bool {
    one.family().number == other.family().number && one.settings() == other.settings()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn families_differ_and_their_candidates_come_back() {
        let numbers: BTreeSet<u8> = FAMILIES.iter().map(|family| family.number).collect();
        let names: BTreeSet<&str> = features().collect();
        assert_eq!((numbers.len(), names.len()), (FAMILIES.len(), FAMILIES.len()));
        for candidate in FAMILIES.iter().flat_map(|family| (family.candidates)(&Header([0; 18]))) {
            let settings = candidate.encoder.settings();
            let mut rest = settings.as_slice();
            let family = family(candidate.encoder.family().number).unwrap();
            let again = (family.take)(&mut rest).unwrap();
            assert!(is_same(&*again, &*candidate.encoder) && rest.is_empty());
            assert_eq!(again.to_string(), candidate.encoder.to_string());
            for length in 0..settings.len() {
                assert!((family.take)(&mut &settings[..length]).is_none());
            }
        }
    }

    #[test]
    fn candidates_are_tried_once_each() {
        for format in [Format::Gzip, Format::Zstd] {
            let all = candidates(format, &Header([0; 18]));
            let distinct: BTreeSet<_> = all.iter().map(|one| (one.family().number, one.settings())).collect();
            assert_eq!(distinct.len(), all.len());
        }
    }
}
