//! The encoders that run again: one file and one line in [`FAMILIES`] for each family.
//!
//! Whatever holds a compressed stream asks here who made it: [`candidates`] are those that may have, the likely ones first, and
//! [`trial`] runs them until one makes all of it. Blobs (`recreation`) and contents (`deflate`) both do, with the same list.

mod gnu;
mod go;
mod klauspost_zstd;
mod libzstd;
mod modern;
mod origin;
mod pigz;
pub(crate) mod trial;
mod zlib;

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;

pub(crate) use origin::{Header, Origin};

use crate::ReadAt;
use crate::limits::COPY_BYTES;

/// Every family. Their numbers and settings are part of the package format.
static FAMILIES: [&Family; 10] = [
    &zlib::FAMILY,
    &pigz::FAMILY,
    &go::FAMILY,
    &modern::FAMILY,
    &gnu::FAMILY,
    &klauspost_zstd::FAMILY,
    &libzstd::FAMILY,
    &go::WITH_CHECKPOINTS,
    &modern::OTHER_VERSIONS,
    &klauspost_zstd::HIGH_LEVELS,
];

/// What the stream of an encoder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Raw deflate (RFC 1951).
    Deflate,
    /// A zstd frame (RFC 8878).
    Zstd,
}

/// Encoders of one origin.
pub(crate) struct Family {
    /// What plans call it.
    pub(crate) number: u8,
    /// What a package requires of its reader.
    pub(crate) feature: &'static str,
    pub(crate) format: Format,
    /// The settings that are worth a trial.
    candidates: fn(&Origin) -> Vec<Candidate>,
    /// Takes settings from the front of a plan's bytes; `None` when they are none.
    take: fn(&mut &[u8]) -> Option<Arc<dyn Encoder>>,
}

/// An encoder of a family with its settings. What it prints is a name for people.
pub(crate) trait Encoder: Display + Send + Sync {
    fn family(&self) -> &'static Family;

    /// The settings as plans hold them.
    fn settings(&self) -> Vec<u8>;

    /// Writes the stream of all of `plain`.
    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()>;

    /// The same; an encoder that can be told where to start in the middle of the stream is returned, told so.
    fn encode_noting(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<Option<Arc<dyn Encoder>>> {
        self.encode(plain, out).map(|()| None)
    }
}

/// An encoder that may have made a stream.
struct Candidate {
    /// How much speaks against it: the lowest is tried first.
    doubt: u8,
    encoder: Arc<dyn Encoder>,
}

/// Takes settings of `N` bytes from the front of a plan's bytes.
fn front<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (settings, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*settings)
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

/// The features that packages may require for streams that are made again.
pub(crate) fn features() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().copied().map(|family| family.feature)
}

/// Takes the settings of the family with this number from the front of `bytes`; `None` when there is no such family or they are none.
pub(crate) fn take(number: u8, bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let family = FAMILIES.iter().copied().find(|family| family.number == number)?;
    (family.take)(bytes)
}

/// The encoders that may have made a stream that stands in this: those of `favourites` first, then the likely ones.
pub(crate) fn candidates(origin: &Origin, favourites: &[Arc<dyn Encoder>]) -> Vec<Arc<dyn Encoder>> {
    let mut others: Vec<Candidate> = FAMILIES.iter().copied().flat_map(|family| (family.candidates)(origin)).collect();
    others.sort_by_key(|candidate| candidate.doubt);
    let others = others.into_iter().map(|candidate| candidate.encoder);
    let is_new = |other: &Arc<dyn Encoder>| !favourites.iter().any(|favourite| is_same(&**favourite, &**other));
    favourites.iter().cloned().chain(others.filter(is_new)).collect()
}

/// Whether two encoders make the same streams.
pub(crate) fn is_same(one: &dyn Encoder, other: &dyn Encoder) -> bool {
    one.family().number == other.family().number && one.settings() == other.settings()
}

#[cfg(test)]
mod tests;
