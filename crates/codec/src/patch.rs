//! One content as what differs from another: four streams, which many contents share one after the other.
//!
//! The stretches of the base that the target looks like come from [`crate::align`]. What the target has there besides is the
//! residual: nearly all of it is zero, so that only the places and the values of the other bytes are kept. Each stream holds
//! one kind of thing, and a compressor around it learns from all contents.
//!
//! The streams end a content without a mark of its own: who decodes knows the target's length. Nothing here checks the
//! result; a wrong base gives wrong bytes.
//!
//! # Format
//!
//! A number is LEB128 (DWARF 5, 7.6): seven bits a byte, the lowest first, the highest bit set on all bytes but the last; it
//! is below 2^64 and has at most ten bytes. A signed number `n` is written as the number `2n` when it is not negative, else as
//! `-2n - 1`.
//!
//! **control**, until the target's length is reached, again and again:
//!
//! 1. a number: how many literals follow. When they reach the end of the target, the content ends here;
//! 2. a number: the length of a match, less [`MATCH_BYTES_MIN`];
//! 3. a signed number: where the match starts in the base, less where it is expected. It is expected behind the end of the
//!    last match (at 0 when there is none) by as many bytes as there are literals in between.
//!
//! A match lies inside the base, and matches and literals together are as long as the target. A target of 0 bytes has no
//! control.
//!
//! **gaps** counts the bytes of all matches of a content, without the literals between them: a number for each byte that
//! differs from the base, how far it is behind the one before (the first one: behind the byte before the first match, so that
//! 1 is the first byte of it), then a 0. Even a content without a match has the 0.
//!
//! **values**: for each of these bytes, the target's less the base's, modulo 256.
//!
//! **literals**: the bytes that no match covers.
//!
//! With [`Prediction`] the residual is taken from other bytes than those of the base, which both sides make from the base and
//! the matches, all of which stand in `control`.

mod decode;
mod encode;
mod unsettled;

use std::io;

use crate::align::Match;
use crate::limits::{PREDICTED_BYTES_LARGE, PREDICTED_MATCHES};

pub use decode::{decode, decode_guided};
pub use encode::encode;

/// Shorter matches are literals. This bounds the matches that a content can have.
pub const MATCH_BYTES_MIN: u64 = 16;

/// The four streams of [the format](self): what they are written to, or read from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streams<T> {
    /// Where the matches are.
    pub control: T,
    /// How far the bytes that differ from the base are apart.
    pub gaps: T,
    /// By how much they differ.
    pub values: T,
    /// The bytes that no match covers.
    pub literals: T,
}

/// Makes, from the matches, a better guess at the target than the base is: as many bytes as the base has, each instead of
/// the base's byte at the same place. `None` when there is none.
///
/// Both sides must come to the same bytes, so it may use the base, the matches and what else both sides know. It is asked
/// only where base and target have at most [`PREDICTED_BYTES_LARGE`] each, and the content at most [`PREDICTED_MATCHES`] matches, so that
/// everything fits into memory.
pub type Prediction<'a> = dyn Fn(&[Match]) -> io::Result<Option<Vec<u8>>> + 'a;

/// The [`Prediction`] that takes the base as it stands.
///
/// # Errors
/// None.
pub const fn no_prediction(_: &[Match]) -> io::Result<Option<Vec<u8>>> {
    Ok(None)
}

/// Why a patch cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading the base or a stream, or writing the target, failed; a stream that ends too early is one of these.
    #[error("reading or writing failed at byte {position} of the target: {source}")]
    Io {
        /// How far the target was rebuilt.
        position: u64,
        /// What failed.
        source: io::Error,
    },
    /// The streams contradict themselves or the lengths of base and target.
    #[error("the patch is damaged at byte {position} of the target: {what}")]
    Damaged {
        /// How far the target was rebuilt.
        position: u64,
        /// What is wrong.
        what: String,
    },
}

/// Whether the residual waits until all matches are known.
const fn is_predictable(base_length: u64, target_length: u64) -> bool {
    base_length <= PREDICTED_BYTES_LARGE && target_length <= PREDICTED_BYTES_LARGE
}

/// Asks for the prediction and checks its length, which the format relies on.
fn predict(prediction: &Prediction<'_>, matches: &[Match], base_length: u64) -> io::Result<Option<Vec<u8>>> {
    if matches.len() > PREDICTED_MATCHES {
        return Ok(None);
    }
    let predicted = prediction(matches)?;
    match &predicted {
        Some(bytes) if bytes.len() as u64 != base_length => Err(io::Error::other(format!(
            "the prediction has {} bytes, expected {base_length}, as many as the base",
            bytes.len()
        ))),
        _ => Ok(predicted),
    }
}
