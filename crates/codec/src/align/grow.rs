//! How far two places agree, exactly and roughly.

use std::io;

use super::Match;
use crate::bytes::Bytes;

/// Growth stops when the score has fallen this far below its best: what lies beyond would need as many good bytes again.
const PATIENCE: i64 = 256;

/// The number of bytes from the two offsets on that are equal without a break.
pub(super) fn agreeing(base: &mut Bytes<'_>, base_at: u64, target: &mut Bytes<'_>, target_at: u64) -> io::Result<u64> {
    let mut count = 0;
    loop {
        let (left, right) = (base.from(base_at + count)?, target.from(target_at + count)?);
        let size = left.len().min(right.len());
        let equal = common_prefix(&left[..size], &right[..size]);
        count += equal as u64;
        if equal < size || size == 0 {
            return Ok(count);
        }
    }
}

/// The number of bytes right before the two offsets that are equal without a break.
pub(super) fn agreeing_before(
    base: &mut Bytes<'_>,
    base_at: u64,
    target: &mut Bytes<'_>,
    target_at: u64,
    most: u64,
) -> io::Result<u64> {
    let mut count = 0;
    while count < most {
        let (left, right) = (base.before(base_at - count)?, target.before(target_at - count)?);
        let equal = left.iter().rev().zip(right.iter().rev()).take_while(|(one, other)| one == other).count();
        count += equal as u64;
        if equal == 0 || equal < left.len().min(right.len()) {
            break;
        }
    }
    Ok(count.min(most))
}

/// The number of equal bytes among `length` from the two offsets on; bytes behind the end of the base differ.
pub(super) fn equal_count(
    base: &mut Bytes<'_>,
    base_at: u64,
    target: &mut Bytes<'_>,
    target_at: u64,
    length: u64,
) -> io::Result<u64> {
    let (mut done, mut equal) = (0, 0);
    while done < length {
        let (left, right) = (base.from(base_at + done)?, target.from(target_at + done)?);
        let size = left.len().min(right.len()).min(usize::try_from(length - done).unwrap_or(usize::MAX));
        if size == 0 {
            break;
        }
        equal += left[..size].iter().zip(&right[..size]).filter(|(one, other)| one == other).count() as u64;
        done += size as u64;
    }
    Ok(equal)
}

/// How many bytes behind `current` still belong to it, at most up to the target's offset `limit`; `score` goes on from an
/// earlier limit.
pub(super) fn forward(
    base: &mut Bytes<'_>,
    target: &mut Bytes<'_>,
    current: Match,
    limit: u64,
    score: &mut Score,
) -> io::Result<u64> {
    let (base_at, target_at) = (current.base + current.length, current.target_end());
    let most = (limit - target_at).min(base.len() - base_at);
    while score.done < most && !score.is_hopeless() {
        let (left, right) = (base.from(base_at + score.done)?, target.from(target_at + score.done)?);
        let size = left.len().min(right.len()).min(usize::try_from(most - score.done).unwrap_or(usize::MAX));
        score.walk(left[..size].iter().zip(&right[..size]));
    }
    Ok(score.best_at)
}

/// How many bytes before `seed` already belong to it, at most down to the target's offset `limit`.
pub(super) fn backward(base: &mut Bytes<'_>, target: &mut Bytes<'_>, seed: Match, limit: u64) -> io::Result<u64> {
    let most = (seed.target - limit).min(seed.base);
    let mut score = Score::default();
    while score.done < most && !score.is_hopeless() {
        let (left, right) = (base.before(seed.base - score.done)?, target.before(seed.target - score.done)?);
        let size = left.len().min(right.len()).min(usize::try_from(most - score.done).unwrap_or(usize::MAX));
        score.walk(left.iter().rev().zip(right.iter().rev()).take(size));
    }
    Ok(score.best_at)
}

/// Of `overlap` bytes from the target's `start` on that both neighbours claim, how many the first one keeps.
pub(super) fn best_split(
    base: &mut Bytes<'_>,
    target: &mut Bytes<'_>,
    first: Match,
    second: Match,
    start: u64,
    overlap: u64,
) -> io::Result<u64> {
    let first_base = first.base + (start - first.target);
    let second_base = second.base - (second.target - start);
    let (mut score, mut best, mut kept) = (0_i64, 0_i64, 0);
    for offset in 0..overlap {
        let byte = target.from(start + offset)?.first().copied();
        score += i64::from(base.from(first_base + offset)?.first().copied() == byte);
        score -= i64::from(base.from(second_base + offset)?.first().copied() == byte);
        if score > best {
            (best, kept) = (score, offset + 1);
        }
    }
    Ok(kept)
}

/// Twice the equal bytes less all bytes, and where that was highest.
#[derive(Default)]
pub(super) struct Score {
    done: u64,
    score: i64,
    best: i64,
    best_at: u64,
}

impl Score {
    pub(super) const fn is_hopeless(&self) -> bool {
        self.score < self.best - PATIENCE
    }

    fn walk<'a>(&mut self, pairs: impl Iterator<Item = (&'a u8, &'a u8)>) {
        for (one, other) in pairs {
            self.score += if one == other { 1 } else { -1 };
            self.done += 1;
            if self.score > self.best {
                (self.best, self.best_at) = (self.score, self.done);
            } else if self.is_hopeless() {
                return;
            }
        }
    }
}

/// The number of bytes at the start of both that are equal without a break.
pub(crate) fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    const WIDE: usize = 32;
    let mut count = 0;
    for (one, other) in left.chunks_exact(WIDE).zip(right.chunks_exact(WIDE)) {
        if one != other {
            break;
        }
        count += WIDE;
    }
    count + left[count..].iter().zip(&right[count..]).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests;
