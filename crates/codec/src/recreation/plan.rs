//! How a blob is made again, as bytes.
//!
//! Integers are those of RFC 3284, section 2. A plan is a list of pieces up to its end, each with one byte of kind before it. 0, kept:
//! the number of bytes; the number of plain bytes that they stand for; the bytes. 1, made: the number of the encoder's family, one
//! byte; its settings; the number of plain bytes. 2: the same, and behind the stream the trailer of gzip for these plain bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::encoder::{self, Encoder};
use crate::limits::RECREATION_PLAN_BYTES;
use crate::vcdiff::integer::{push, take};

const KEPT: u8 = 0;
const MADE: u8 = 1;
const MADE_WITH_TRAILER: u8 = 2;

/// A description that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the description of how the blob is made again is damaged at byte {0}")]
pub struct Damaged(pub(super) usize);

/// How a blob is made of its plain bytes; always one that makes sense for some plain bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    bytes: Vec<u8>,
    plain: u64,
}

/// A part of a blob.
pub(super) enum Piece<'a> {
    /// Bytes as they are, which stand for so many plain bytes.
    Kept(&'a [u8], u64),
    /// What an encoder makes of so many plain bytes, with the trailer of gzip where the flag says so.
    Made(Arc<dyn Encoder>, u64, bool),
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// [`Damaged`] when it is none, names an encoder that is not known, or is longer than
    /// [`RECREATION_PLAN_BYTES`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Damaged> {
        if bytes.len() > RECREATION_PLAN_BYTES {
            return Err(Damaged(RECREATION_PLAN_BYTES));
        }
        let mut rest = bytes.as_slice();
        let mut plain = 0_u64;
        while !rest.is_empty() {
            let at = bytes.len() - rest.len();
            let piece = take_piece(&mut rest).ok_or(Damaged(at))?;
            plain = plain.checked_add(piece.plain()).ok_or(Damaged(at))?;
        }
        Ok(Self { bytes, plain })
    }

    /// The plan as a package holds it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of plain bytes that the blob is made of.
    pub const fn plain_bytes(&self) -> u64 {
        self.plain
    }

    /// The features that a reader needs.
    pub fn features(&self) -> BTreeSet<&'static str> {
        self.encoders().map(|encoder| encoder.family().feature).collect()
    }

    /// Whether anything in it is made and not kept.
    pub(super) fn makes_something(&self) -> bool {
        self.encoders().next().is_some()
    }

    /// The encoders, for people, each once.
    pub fn encoder_names(&self) -> BTreeSet<String> {
        self.encoders().map(|encoder| encoder.to_string()).collect()
    }

    fn encoders(&self) -> impl Iterator<Item = Arc<dyn Encoder>> {
        self.pieces().filter_map(|piece| match piece {
            Piece::Made(encoder, ..) => Some(encoder),
            Piece::Kept(..) => None,
        })
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || take_piece(&mut rest))
    }
}

impl Piece<'_> {
    pub(super) const fn plain(&self) -> u64 {
        match self {
            Self::Kept(_, plain) | Self::Made(_, plain, _) => *plain,
        }
    }

    pub(super) fn push_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Kept(bytes, plain) => {
                out.push(KEPT);
                push(out, bytes.len() as u64);
                push(out, *plain);
                out.extend_from_slice(bytes);
            }
            Self::Made(encoder, plain, has_trailer) => {
                out.push(if *has_trailer { MADE_WITH_TRAILER } else { MADE });
                out.push(encoder.family().number);
                out.extend(encoder.settings());
                push(out, *plain);
            }
        }
    }
}

/// Takes a piece from the front of `bytes`; `None` when they are none.
fn take_piece<'a>(bytes: &mut &'a [u8]) -> Option<Piece<'a>> {
    let kind = take_byte(bytes)?;
    match kind {
        KEPT => {
            let length = usize::try_from(take(bytes)?).ok()?;
            let plain = take(bytes)?;
            let (kept, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            Some(Piece::Kept(kept, plain))
        }
        MADE | MADE_WITH_TRAILER => {
            let encoder = encoder::take(take_byte(bytes)?, bytes)?;
            Some(Piece::Made(encoder, take(bytes)?, kind == MADE_WITH_TRAILER))
        }
        _ => None,
    }
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}
