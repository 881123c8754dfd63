//! Where a base is looked at again, when a better guess at the target has taken its place.

use std::io;
use std::ops::Range;

use super::encode::each_piece;
use crate::ReadAt;
use crate::align::Match;
use crate::bytes::Bytes;

/// So many bytes of a match are looked at together ...
const BLOCK: usize = 64;

/// ... and where so many of them differ, something else may be right.
const DIFFERENT: usize = 4;

/// How far around such a place, and around the ends of a match, a window may start.
const AROUND: u64 = 64;

/// The places of `base` of which `matches` do not say well what became of them, ascending and apart: where no match is, around
/// the ends of each, and around what differs much in it. Elsewhere the matches are as good as any.
///
/// # Errors
/// What reading reports.
pub(super) fn unsettled((base, target): (&dyn ReadAt, &dyn ReadAt), matches: &[Match]) -> io::Result<Vec<Range<u64>>> {
    let length = base.len();
    let mut places = uncovered(length, matches);
    let mut add = |start: u64, end: u64| places.push(start.saturating_sub(AROUND)..length.min(end + AROUND));
    let (mut bases, mut targets) = (Bytes::lent(base)?, Bytes::lent(target)?);
    for found in matches {
        let end = found.base + found.length;
        add(found.base, found.base);
        add(end, end);
        let mut at = found.base;
        each_piece(&mut bases, &mut targets, *found, &mut |base, target| {
            for (one, other) in base.chunks(BLOCK).zip(target.chunks(BLOCK)) {
                let block_end = at + one.len() as u64;
                if one != other && one.iter().zip(other).filter(|(one, other)| one != other).count() >= DIFFERENT {
                    add(at, block_end);
                }
                at = block_end;
            }
            Ok(())
        })?;
    }
    Ok(merged(places))
}

/// What of `length` bytes no match takes.
fn uncovered(length: u64, matches: &[Match]) -> Vec<Range<u64>> {
    let covered = merged(matches.iter().map(|found| found.base..found.base + found.length).collect());
    let ends = covered.iter().map(|place| place.end);
    let starts = covered.iter().map(|place| place.start).chain([length]);
    [0].into_iter().chain(ends).zip(starts).map(|(start, end)| start..end).filter(|place| !place.is_empty()).collect()
}

/// The same places, ascending and apart.
fn merged(mut places: Vec<Range<u64>>) -> Vec<Range<u64>> {
    places.sort_unstable_by_key(|place| place.start);
    let mut merged: Vec<Range<u64>> = Vec::new();
    for place in places {
        match merged.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => merged.push(place),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: u64 = 10_000;

    /// The places for a target that differs from its base at these bytes.
    fn places(differing: &[usize], matches: &[(u64, u64, u64)]) -> Vec<Range<u64>> {
        let base = crate::noise::noise(3, usize::try_from(LENGTH).unwrap());
        let mut target = base.clone();
        differing.iter().for_each(|at| target[*at] ^= 0x55);
        let matches: Vec<Match> = matches
            .iter()
            .map(|(target, base, length)| Match { target: *target, base: *base, length: *length })
            .collect();
        unsettled((&base, &target), &matches).unwrap()
    }

    #[test]
    fn all_of_a_base_without_matches_is_looked_at() {
        assert_eq!(places(&[], &[]), std::slice::from_ref(&(0..LENGTH)));
    }

    #[test]
    fn what_no_match_takes_is_looked_at_and_the_ends_of_each() {
        assert_eq!(places(&[], &[(0, 0, LENGTH)]), [0..64, LENGTH - 64..LENGTH]);
        let two = [(1_000, 1_000, 3_000), (5_000, 5_000, LENGTH - 5_000)];
        assert_eq!(places(&[], &two), [0..1_064, 3_936..5_064, LENGTH - 64..LENGTH]);
    }

    #[test]
    fn matches_may_cross_and_overlap_in_the_base() {
        let found = |base, length| Match { target: 0, base, length };
        let crossed = [found(5_000, 4_000), found(1_000, 4_000), found(4_500, 1_000)];
        assert_eq!(uncovered(LENGTH, &crossed), [0..1_000, 9_000..LENGTH]);
    }

    #[test]
    fn blocks_in_which_four_bytes_differ_are_looked_at_with_what_is_around() {
        let whole = [(0, 0, LENGTH)];
        let ends = [0..64, LENGTH - 64..LENGTH];
        assert_eq!(places(&[6_400, 6_410, 6_420], &whole), ends);
        let expected = [0..64, 6_336..6_528, LENGTH - 64..LENGTH];
        assert_eq!(places(&[6_400, 6_410, 6_420, 6_463], &whole), expected);
        assert_eq!(places(&[6_400, 6_410, 6_463, 6_464], &whole), ends, "of two blocks");
    }
}
