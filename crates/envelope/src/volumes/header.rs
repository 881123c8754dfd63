//! What stands before each volume: which one it is, and what all volumes of its set hold.

use std::sync::Arc;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};

use super::layout::Layout;

/// The first bytes of a volume; they tell how long its header is.
pub const START: usize = 96;

/// What every volume starts with.
pub const MAGIC: &[u8; 8] = b"ddvolume";

const VERSION: u32 = 1;

/// Where the digest of the header stands, and behind it what all volumes of a set have alike.
const DIGEST: usize = 16;
const COMMON: usize = DIGEST + 32;

/// What all volumes of a set say.
#[derive(Debug, PartialEq, Eq)]
pub struct Set {
    /// How the package is cut.
    pub layout: Layout,
    /// The digest of the package.
    pub whole: BlobDigest,
    /// The digests of all blocks, those of parity behind those of data.
    pub blocks: Vec<BlobDigest>,
}

/// A header that was compared with its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which volume it is, from 1 on.
    pub volume: u64,
    /// What it says of all.
    pub set: Arc<Set>,
}

/// Why bytes are no header.
#[derive(Debug)]
pub enum Odd {
    /// They do not start like a volume.
    Foreign,
    /// They start like one and are not what was written.
    Damaged,
    /// A version that is not known here.
    Version(u32),
}

impl Odd {
    /// As an error about `name`.
    pub fn within(&self, name: &str) -> Error {
        match self {
            Self::Foreign => Error::content(format!("{name} is no volume of a package")),
            Self::Damaged => Error::content(format!("the header of {name} is damaged")),
            Self::Version(found) => Error::content(format!(
                "{name} is a volume of format version {found}, and this program knows version {VERSION}"
            ))
            .with_hint("use a version of this program that knows it"),
        }
    }
}

impl Set {
    /// Names the set: the digest of what all its volumes have alike.
    pub fn id(&self) -> BlobDigest {
        BlobDigest::of(&self.common())
    }

    /// The header of one of its volumes.
    pub fn header(&self, volume: u64) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(narrow(volume).to_le_bytes());
        let common = self.common();
        let digest = BlobDigest::of(&[&bytes, common.as_slice()].concat());
        bytes.extend(digest.as_bytes());
        bytes.extend(common);
        bytes
    }

    fn common(&self) -> Vec<u8> {
        let mut bytes = self.layout.bytes().to_le_bytes().to_vec();
        bytes.extend(narrow(self.layout.blocks_per_volume()).to_le_bytes());
        bytes.extend(narrow(self.layout.parity_blocks()).to_le_bytes());
        for digest in [&self.whole].into_iter().chain(&self.blocks) {
            bytes.extend(digest.as_bytes());
        }
        let length = usize::try_from(self.layout.header_bytes()).unwrap_or(usize::MAX);
        bytes.resize(length.saturating_sub(COMMON), 0);
        bytes
    }
}

impl Header {
    /// How many bytes the header has that starts so.
    ///
    /// # Errors
    /// Why it is none.
    pub fn bytes(start: &[u8; START]) -> Result<usize, Odd> {
        usize::try_from(layout(start)?.header_bytes()).map_err(|_| Odd::Damaged)
    }

    /// Takes all bytes of a header, and nothing else.
    ///
    /// # Errors
    /// Why they are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Odd> {
        let start = bytes.first_chunk().ok_or(Odd::Foreign)?;
        let layout = layout(start)?;
        if bytes.len() as u64 != layout.header_bytes() {
            return Err(Odd::Damaged);
        }
        let digests = bytes[COMMON + 16..].chunks_exact(32).map(digest);
        let mut digests = digests.take(usize::try_from(layout.blocks()).unwrap_or(usize::MAX).saturating_add(1));
        let whole = digests.next().ok_or(Odd::Damaged)?;
        let set = Set { layout, whole, blocks: digests.collect() };
        let volume = u64::from(u32::from_le_bytes(part(start, 12)));
        // Written again it has its digest, and zeros where there must be zeros.
        if !(1..=layout.volumes()).contains(&volume) || set.header(volume) != bytes {
            return Err(Odd::Damaged);
        }
        Ok(Self { volume, set: Arc::new(set) })
    }
}

fn layout(start: &[u8; START]) -> Result<Layout, Odd> {
    if &part::<8>(start, 0) != MAGIC {
        return Err(Odd::Foreign);
    }
    match u32::from_le_bytes(part(start, 8)) {
        VERSION => {}
        other => return Err(Odd::Version(other)),
    }
    let number = |at| u64::from(u32::from_le_bytes(part(start, at)));
    let bytes = u64::from_le_bytes(part(start, COMMON));
    Layout::checked(bytes, number(COMMON + 8), number(COMMON + 12)).ok_or(Odd::Damaged)
}

fn part<const N: usize>(start: &[u8; START], at: usize) -> [u8; N] {
    start[at..].first_chunk().copied().unwrap_or([0; N])
}

fn digest(bytes: &[u8]) -> BlobDigest {
    BlobDigest::from_bytes(bytes.first_chunk().copied().unwrap_or_default())
}

/// Numbers of blocks and volumes are far below 2^32 (`limits.rs`).
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
