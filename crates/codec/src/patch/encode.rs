//! Appends one content to the streams.

use std::io::{self, Write};

use super::unsettled::unsettled;
use super::{MATCH_BYTES_MIN, Prediction, Streams, is_predictable, predict};
use crate::ReadAt;
use crate::align::{Fineness, Index, Match, common_prefix};
use crate::bytes::Bytes;
use crate::leb128;

/// How often matches are looked for in what was predicted from those before.
const ROUNDS: usize = 2;

/// A round that saved less than one byte in so many of those that were left is the last.
const WORTH_A_ROUND: u64 = 8;

/// What a match weighs, in bytes.
const MATCH_WEIGHT: u64 = 4;

/// Appends to `streams` what makes `target` from `base`, and returns whether it is to be decoded with the prediction: one
/// that leaves more bytes to be corrected than the base itself is not used.
///
/// # Errors
/// What reading, writing and the prediction report.
pub fn encode<W: Write>(
    base: &dyn ReadAt,
    target: &dyn ReadAt,
    prediction: &Prediction<'_>,
    fineness: Fineness,
    streams: &mut Streams<W>,
) -> io::Result<bool> {
    let Streams { control, gaps, values, literals } = streams;
    let mut control = Control { out: control, target_end: 0, base_end: 0 };
    if is_predictable(base.len(), target.len()) {
        let Guess { matches, predicted, .. } = Guess::best((base, target), prediction, fineness)?;
        let seen = predicted.as_ref().map_or(base, |predicted| predicted as &dyn ReadAt);
        let mut residual = Residual::new(seen, target, gaps, values, literals)?;
        for found in matches {
            control.append(found)?;
            residual.append(found)?;
        }
        residual.finish()?;
        control.finish(target.len())?;
        return Ok(predicted.is_some());
    }
    let mut residual = Residual::new(base, target, gaps, values, literals)?;
    align(&Index::new(base, fineness)?, (target, &[]), &mut |found| {
        control.append(found)?;
        residual.append(found)
    })?;
    residual.finish()?;
    control.finish(target.len())?;
    Ok(false)
}

/// The matches that are long enough: those of the index, and those that are `known` where they still agree.
fn align(
    index: &Index<'_>,
    (target, known): (&dyn ReadAt, &[Match]),
    take: &mut dyn FnMut(Match) -> io::Result<()>,
) -> io::Result<()> {
    let long_enough = &mut |found: Match| if found.length < MATCH_BYTES_MIN { Ok(()) } else { take(found) };
    index.align_again(target, known, long_enough)
}

fn aligned(index: &Index<'_>, target: (&dyn ReadAt, &[Match])) -> io::Result<Vec<Match>> {
    let mut matches = Vec::new();
    align(index, target, &mut |found| {
        matches.push(found);
        Ok(())
    })?;
    Ok(matches)
}

/// Matches in what was predicted from those that are `known`: of a base that is sampled roughly, only the places are indexed where these say little.
fn aligned_again(
    (base, target): (&dyn ReadAt, &dyn ReadAt),
    known: &[Match],
    fineness: Fineness,
) -> io::Result<Vec<Match>> {
    if !fineness.is_rough() {
        return aligned(&Index::new(base, fineness)?, (target, &[]));
    }
    let places = unsettled((base, target), known)?;
    aligned(&Index::within(base, fineness, places)?, (target, known))
}

/// Matches, and what is predicted from them.
struct Guess {
    matches: Vec<Match>,
    predicted: Option<Vec<u8>>,
    /// Bytes that are left to be said.
    weight: u64,
}

impl Guess {
    /// What was predicted is nearer to the target than the base is, so that looking for matches in it finds more; and those
    /// predict better again.
    fn best(
        (base, target): (&dyn ReadAt, &dyn ReadAt),
        prediction: &Prediction<'_>,
        fineness: Fineness,
    ) -> io::Result<Self> {
        let matches = aligned(&Index::new(base, fineness)?, (target, &[]))?;
        let Some(predicted) = predict(prediction, &matches, base.len())? else {
            return Ok(Self { matches, predicted: None, weight: 0 });
        };
        let plain = weight(base, target, &matches)?;
        let mut best = Self::of(matches, predicted, target)?;
        if best.weight >= plain {
            return Ok(Self { predicted: None, ..best });
        }
        for _ in 0..ROUNDS {
            let seen = best.predicted.as_ref().map_or(base, |predicted| predicted as &dyn ReadAt);
            let matches = aligned_again((seen, target), &best.matches, fineness)?;
            if matches == best.matches {
                break;
            }
            let Some(predicted) = predict(prediction, &matches, base.len())? else { break };
            let next = Self::of(matches, predicted, target)?;
            if next.weight >= best.weight {
                break;
            }
            let is_settled = fineness.is_rough() && best.weight - next.weight < best.weight / WORTH_A_ROUND;
            best = next;
            if is_settled {
                break;
            }
        }
        Ok(best)
    }

    fn of(matches: Vec<Match>, predicted: Vec<u8>, target: &dyn ReadAt) -> io::Result<Self> {
        let weight = weight(&predicted, target, &matches)?;
        Ok(Self { matches, predicted: Some(predicted), weight })
    }
}

/// The number of bytes that differ in the matches or are in none, and some for each match.
fn weight(base: &dyn ReadAt, target: &dyn ReadAt, matches: &[Match]) -> io::Result<u64> {
    let (mut base, mut walked) = (Bytes::lent(base)?, Bytes::lent(target)?);
    let mut weight = target.len();
    for found in matches {
        weight = weight - found.length + MATCH_WEIGHT;
        each_piece(&mut base, &mut walked, *found, &mut |base, target| {
            weight += base.iter().zip(target).filter(|(one, other)| one != other).count() as u64;
            Ok(())
        })?;
    }
    Ok(weight)
}

/// Takes as many bytes of the base as of the target.
pub(super) type Take<'a> = dyn FnMut(&[u8], &[u8]) -> io::Result<()> + 'a;

/// Hands the bytes of a match to `take`, piece by piece.
pub(super) fn each_piece(
    base: &mut Bytes<'_>,
    target: &mut Bytes<'_>,
    found: Match,
    take: &mut Take<'_>,
) -> io::Result<()> {
    let mut done = 0;
    while done < found.length {
        let (base, target) = (base.from(found.base + done)?, target.from(found.target + done)?);
        let left = usize::try_from(found.length - done).unwrap_or(usize::MAX);
        let count = base.len().min(target.len()).min(left);
        take(&base[..count], &target[..count])?;
        done += count as u64;
    }
    Ok(())
}

/// The control stream, and the ends of the last match.
struct Control<'a> {
    out: &'a mut dyn Write,
    target_end: u64,
    base_end: u64,
}

impl Control<'_> {
    fn append(&mut self, found: Match) -> io::Result<()> {
        let literals = found.target - self.target_end;
        let jump = found.base.wrapping_sub(self.base_end.wrapping_add(literals)).cast_signed();
        leb128::write(self.out, literals)?;
        leb128::write(self.out, found.length - MATCH_BYTES_MIN)?;
        leb128::write(self.out, leb128::from_signed(jump))?;
        (self.target_end, self.base_end) = (found.target + found.length, found.base + found.length);
        Ok(())
    }

    fn finish(self, target_length: u64) -> io::Result<()> {
        let literals = target_length - self.target_end;
        if literals > 0 { leb128::write(self.out, literals) } else { Ok(()) }
    }
}

/// The other three streams.
struct Residual<'a> {
    base: Bytes<'a>,
    target: Bytes<'a>,
    gaps: &'a mut dyn Write,
    values: &'a mut dyn Write,
    literals: &'a mut dyn Write,
    /// Bytes of matches since the last one that differs.
    equal: u64,
    target_end: u64,
}

impl<'a> Residual<'a> {
    fn new(
        base: &'a dyn ReadAt,
        target: &'a dyn ReadAt,
        gaps: &'a mut dyn Write,
        values: &'a mut dyn Write,
        literals: &'a mut dyn Write,
    ) -> io::Result<Self> {
        let (base, target) = (Bytes::lent(base)?, Bytes::lent(target)?);
        Ok(Self { base, target, gaps, values, literals, equal: 0, target_end: 0 })
    }

    fn append(&mut self, found: Match) -> io::Result<()> {
        self.literals_up_to(found.target)?;
        let Self { base, target, gaps, values, equal, .. } = self;
        each_piece(base, target, found, &mut |base, target| subtract(base, target, equal, *gaps, *values))?;
        self.target_end = found.target + found.length;
        Ok(())
    }

    fn literals_up_to(&mut self, end: u64) -> io::Result<()> {
        while self.target_end < end {
            let piece = self.target.from(self.target_end)?;
            let count = piece.len().min(usize::try_from(end - self.target_end).unwrap_or(usize::MAX));
            self.literals.write_all(&piece[..count])?;
            self.target_end += count as u64;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.literals_up_to(self.target.len())?;
        leb128::write(self.gaps, 0)
    }
}

/// Appends the gap and the value of each byte of `target` that differs from `base`; both have the same length.
fn subtract(
    base: &[u8],
    target: &[u8],
    equal: &mut u64,
    gaps: &mut dyn Write,
    values: &mut dyn Write,
) -> io::Result<()> {
    let mut at = 0;
    loop {
        let run = common_prefix(&base[at..], &target[at..]);
        *equal += run as u64;
        at += run;
        let (Some(old), Some(new)) = (base.get(at), target.get(at)) else { return Ok(()) };
        leb128::write(gaps, *equal + 1)?;
        values.write_all(&[new.wrapping_sub(*old)])?;
        *equal = 0;
        at += 1;
    }
}

#[cfg(test)]
mod tests;
