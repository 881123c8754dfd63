//! The description of an opened content as bytes.
//!
//! Integers are those of RFC 3284, section 2. For each stream: the bytes of the skeleton before it; its plain bytes; one
//! byte of wrapping (0 none, 1 gzip, 2 zlib, 3 IDAT), followed by the two header bytes for 2 and 3 and by the runs of equal
//! chunk lengths for 3 (their count, then for each how many and the length); one byte of recreation (0 zlib, 1 corrected,
//! 2 gzip), followed by the two bytes of the settings for 0, the one of 2, and for 1 by the count of pieces and for each its plain bytes, the
//! length of its corrections and the corrections. The rest of the skeleton follows the last stream.

use super::corrections::Piece;
use super::located::Wrapping;
use super::recreate::Recreation;
use crate::flate::{gnu, zlib};
use crate::limits::{DEFLATE_CORRECTED_PIECE, DEFLATE_IDAT_CHUNKS};
use crate::vcdiff::integer::{push, take};

/// One stream of the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) gap: u64,
    pub(super) plain: u64,
    pub(super) wrapping: Wrapping,
    pub(super) recreation: Recreation,
}

impl Step {
    pub(super) fn push_to(&self, out: &mut Vec<u8>) {
        push(out, self.gap);
        push(out, self.plain);
        push_wrapping(out, &self.wrapping);
        push_recreation(out, &self.recreation);
    }

    /// Takes a step from the front of `bytes`; `None` when they are none.
    pub(super) fn take_from(bytes: &mut &[u8]) -> Option<Self> {
        let gap = take(bytes)?;
        let plain = take(bytes)?;
        Some(Self { gap, plain, wrapping: take_wrapping(bytes)?, recreation: take_recreation(bytes)? })
    }
}

fn push_wrapping(out: &mut Vec<u8>, wrapping: &Wrapping) {
    match wrapping {
        Wrapping::Raw => out.push(0),
        Wrapping::Gzip => out.push(1),
        Wrapping::Zlib(header) => out.extend([2, header[0], header[1]]),
        Wrapping::Idat(header, lengths) => {
            out.extend([3, header[0], header[1]]);
            let runs: Vec<&[u32]> = lengths.chunk_by(|one, next| one == next).collect();
            push(out, runs.len() as u64);
            for run in runs {
                push(out, run.len() as u64);
                push(out, u64::from(run[0]));
            }
        }
    }
}

fn take_wrapping(bytes: &mut &[u8]) -> Option<Wrapping> {
    Some(match take_byte(bytes)? {
        0 => Wrapping::Raw,
        1 => Wrapping::Gzip,
        2 => Wrapping::Zlib([take_byte(bytes)?, take_byte(bytes)?]),
        3 => Wrapping::Idat([take_byte(bytes)?, take_byte(bytes)?], take_lengths(bytes)?),
        _ => return None,
    })
}

fn take_lengths(bytes: &mut &[u8]) -> Option<Vec<u32>> {
    let mut lengths = Vec::new();
    for _ in 0..take(bytes)? {
        let count = usize::try_from(take(bytes)?).ok()?;
        let length = u32::try_from(take(bytes)?).ok()?;
        if count > DEFLATE_IDAT_CHUNKS - lengths.len() {
            return None;
        }
        lengths.extend(std::iter::repeat_n(length, count));
    }
    Some(lengths)
}

fn push_recreation(out: &mut Vec<u8>, recreation: &Recreation) {
    match recreation {
        Recreation::Zlib(settings) => {
            out.push(0);
            out.extend(settings.to_bytes());
        }
        Recreation::Gnu(settings) => {
            out.push(2);
            out.extend(settings.to_bytes());
        }
        Recreation::Corrected(pieces) => {
            out.push(1);
            push(out, pieces.len() as u64);
            for piece in pieces {
                push(out, piece.plain);
                push(out, piece.corrections.len() as u64);
                out.extend_from_slice(&piece.corrections);
            }
        }
    }
}

fn take_recreation(bytes: &mut &[u8]) -> Option<Recreation> {
    match take_byte(bytes)? {
        0 => zlib::Settings::from_bytes([take_byte(bytes)?, take_byte(bytes)?]).map(Recreation::Zlib),
        2 => gnu::Settings::from_bytes([take_byte(bytes)?]).map(Recreation::Gnu),
        1 => {
            let mut pieces = Vec::new();
            for _ in 0..take(bytes)? {
                let plain = take(bytes).filter(|plain| *plain <= 4 * DEFLATE_CORRECTED_PIECE as u64)?;
                let length = usize::try_from(take(bytes)?).ok()?;
                let (corrections, rest) = bytes.split_at_checked(length)?;
                *bytes = rest;
                pieces.push(Piece { plain, corrections: corrections.to_vec() });
            }
            Some(Recreation::Corrected(pieces))
        }
        _ => None,
    }
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}
