//! The description of an opened content as bytes.
//!
//! Integers are those of RFC 3284, section 2. For each stream: the bytes of the skeleton before it; its plain bytes; one
//! byte of wrapping (0 none, 1 gzip, 2 zlib, 3 IDAT), followed by the two header bytes for 2 and 3 and by the runs of equal
//! chunk lengths for 3 (their count, then for each how many and the length); one byte of recreation (0 zlib, 2 gzip), followed by the
//! two bytes of the settings for 0, the one of 2. The rest of the skeleton follows the last stream.

use super::located::Wrapping;
use super::recreate::Recreation;
use crate::flate::{gnu, zlib};
use crate::limits::DEFLATE_IDAT_CHUNKS;
use crate::vcdiff::integer::{push, take};

/// Why bytes describe no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Damaged,
    /// The stream is to be made in a way that is none: 1 was that of corrections, which no reader can bound.
    Way(u8),
}

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

    /// Takes a step from the front of `bytes`.
    pub(super) fn take_from(bytes: &mut &[u8]) -> Result<Self, Fault> {
        let gap = take(bytes).ok_or(Fault::Damaged)?;
        let plain = take(bytes).ok_or(Fault::Damaged)?;
        let wrapping = take_wrapping(bytes).ok_or(Fault::Damaged)?;
        Ok(Self { gap, plain, wrapping, recreation: take_recreation(bytes)? })
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
    }
}

fn take_recreation(bytes: &mut &[u8]) -> Result<Recreation, Fault> {
    let taken = match take_byte(bytes).ok_or(Fault::Damaged)? {
        0 => take_zlib(bytes).map(Recreation::Zlib),
        2 => take_byte(bytes).and_then(|settings| gnu::Settings::from_bytes([settings])).map(Recreation::Gnu),
        way => return Err(Fault::Way(way)),
    };
    taken.ok_or(Fault::Damaged)
}

fn take_zlib(bytes: &mut &[u8]) -> Option<zlib::Settings> {
    zlib::Settings::from_bytes([take_byte(bytes)?, take_byte(bytes)?])
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}
