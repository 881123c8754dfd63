//! The description of an opened content as bytes.
//!
//! Integers are those of RFC 3284, section 2. For each stream: the bytes of the skeleton before it; its plain bytes; one
//! byte of wrapping (0 none, 1 gzip, 2 zlib, 3 IDAT), followed by the two header bytes for 2 and 3 and by the runs of equal
//! chunk lengths for 3 (their count, then for each how many and the length); one byte that says which encoder makes the stream (0 zlib,
//! 2 GNU gzip, 3 the one whose number follows), followed by its settings. The rest of the skeleton follows the last stream.

use std::sync::Arc;

use super::Error;
use super::located::Wrapping;
use crate::encoder::{self, Encoder, Format};
use crate::limits::DEFLATE_IDAT_CHUNKS;
use crate::vcdiff::integer::{push, take};

/// Encoders that have a way of their own: its number, and that of the family. A reader knows the first with all opened contents.
const WAYS: [(u8, u8); 2] = [(0, ZLIB), (2, 5)];
const ZLIB: u8 = 1;

/// The way of all others, which the number of the family follows.
const BY_NUMBER: u8 = 3;

/// The feature of plans that name encoders by their numbers.
const ENCODERS: &str = "deflate-2";

/// Why bytes describe no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Damaged,
    /// The stream is to be made in a way that is none: 1 was that of corrections, which no reader can bound.
    Way(u8),
}

/// A chunk's length, type and checksum, and its length as it is held.
const CHUNK_BYTES: u64 = 16;

/// One stream of the description.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) gap: u64,
    pub(super) plain: u64,
    pub(super) wrapping: Wrapping,
    pub(super) encoder: Arc<dyn Encoder>,
}

impl Step {
    pub(super) fn push_to(&self, out: &mut Vec<u8>) {
        push(out, self.gap);
        push(out, self.plain);
        push_wrapping(out, &self.wrapping);
        push_encoder(out, &*self.encoder);
    }

    /// The features that a reader needs besides that of opened contents.
    pub(super) fn features(&self) -> impl Iterator<Item = &'static str> {
        let family = self.encoder.family();
        let has_way = WAYS.iter().any(|(_, number)| *number == family.number);
        let by_number = (!has_way).then_some(ENCODERS);
        by_number.into_iter().chain((family.number != ZLIB).then_some(family.feature))
    }

    /// About the most bytes that its stream and what it is cut into take.
    pub(super) fn most_bytes(&self) -> u64 {
        match &self.wrapping {
            Wrapping::Raw | Wrapping::Gzip | Wrapping::Zlib(_) => self.plain,
            Wrapping::Idat(_, lengths) => self.plain.saturating_add(lengths.len() as u64 * CHUNK_BYTES),
        }
    }

    /// Takes a step from the front of `bytes`.
    fn take_from(bytes: &mut &[u8]) -> Result<Self, Fault> {
        let gap = take(bytes).ok_or(Fault::Damaged)?;
        let plain = take(bytes).ok_or(Fault::Damaged)?;
        let wrapping = take_wrapping(bytes).ok_or(Fault::Damaged)?;
        Ok(Self { gap, plain, wrapping, encoder: take_encoder(bytes)? })
    }
}

/// The streams that `plan` describes.
pub(super) fn steps(mut plan: &[u8]) -> impl Iterator<Item = Result<Step, Error>> {
    let mut stream = 0;
    std::iter::from_fn(move || {
        if plan.is_empty() {
            return None;
        }
        let step = Step::take_from(&mut plan).map_err(|fault| match fault {
            Fault::Damaged => Error::Plan(stream),
            Fault::Way(way) => Error::Way { stream, way },
        });
        if step.is_err() {
            plan = &[];
        }
        stream += 1;
        Some(step)
    })
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

fn push_encoder(out: &mut Vec<u8>, encoder: &dyn Encoder) {
    let number = encoder.family().number;
    match WAYS.iter().find(|(_, family)| *family == number) {
        Some((way, _)) => out.push(*way),
        None => out.extend([BY_NUMBER, number]),
    }
    out.extend(encoder.settings());
}

fn take_encoder(bytes: &mut &[u8]) -> Result<Arc<dyn Encoder>, Fault> {
    let way = take_byte(bytes).ok_or(Fault::Damaged)?;
    let family = match WAYS.iter().find(|(known, _)| *known == way) {
        Some((_, family)) => Some(*family),
        None if way == BY_NUMBER => take_byte(bytes),
        None => return Err(Fault::Way(way)),
    };
    let encoder = family.and_then(|family| encoder::take(family, bytes));
    encoder.filter(|encoder| encoder.family().format == Format::Deflate).ok_or(Fault::Damaged)
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A step of 1000 plain bytes.
    fn step(wrapping: Wrapping) -> Step {
        let encoder = encoder::take(ZLIB, &mut &[0x06, 0x8f][..]).unwrap();
        Step { gap: 3, plain: 1_000, wrapping, encoder }
    }

    #[test]
    fn what_a_step_takes_are_its_plain_bytes_and_its_chunks() {
        for (wrapping, bytes) in [
            (Wrapping::Raw, 1_000),
            (Wrapping::Gzip, 1_000),
            (Wrapping::Zlib([0x78, 0x9c]), 1_000),
            (Wrapping::Idat([0x78, 0x9c], vec![]), 1_000),
            (Wrapping::Idat([0x78, 0x9c], vec![5; 100]), 1_000 + 100 * CHUNK_BYTES),
        ] {
            assert_eq!(step(wrapping).most_bytes(), bytes);
        }
        assert_eq!(Step { plain: u64::MAX, ..step(Wrapping::Idat([0; 2], vec![1])) }.most_bytes(), u64::MAX);
    }

    #[test]
    fn steps_come_back_one_by_one() {
        let chunks = |lengths: &[u32]| Wrapping::Idat([0x78, 0x01], lengths.to_vec());
        let all = [
            Wrapping::Raw,
            Wrapping::Gzip,
            Wrapping::Zlib([0x58, 0x85]),
            chunks(&[]),
            chunks(&[7]),
            chunks(&[8_192, 8_192, 8_192, 100]),
            chunks(&[0, 0, u32::MAX, 0]),
        ];
        let mut plan = Vec::new();
        all.iter().for_each(|wrapping| step(wrapping.clone()).push_to(&mut plan));
        let read: Vec<Step> = steps(&plan).collect::<Result<_, _>>().unwrap();
        assert_eq!(read.iter().map(|step| step.wrapping.clone()).collect::<Vec<_>>(), all);
        assert!(
            read.iter().all(|step| (step.gap, step.plain, step.encoder.to_string()) == (3, 1_000, "zlib 6".to_owned()))
        );
        // Equal lengths that follow each other are one run.
        let mut run = Vec::new();
        push_wrapping(&mut run, &chunks(&[8, 8, 8, 1]));
        assert_eq!(run, [3, 0x78, 0x01, 2, 3, 8, 1, 1]);
    }

    #[test]
    fn behind_a_damaged_step_there_is_none() {
        let mut plan = Vec::new();
        step(Wrapping::Raw).push_to(&mut plan);
        plan.extend([0, 0, 9]);
        step(Wrapping::Raw).push_to(&mut plan);
        let read: Vec<bool> = steps(&plan).map(|step| step.is_ok()).collect();
        assert_eq!(read, [true, false]);
    }
}
