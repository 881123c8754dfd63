//! Where each byte of the base went.

use crate::align::Match;

/// A match that is shorter than this says nothing when both of its neighbours say something else.
const CONVINCING: u64 = 64;

/// Bytes of the base for each entry of the index.
const BLOCK: u64 = 1 << 10;

/// A stretch of the base and how far ahead it stands in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    start: u64,
    end: u64,
    shift: i64,
}

/// For each offset in the base one offset in the target.
pub(super) struct Moves {
    pieces: Vec<Piece>,
    /// For each block the first piece that ends behind its start.
    index: Vec<u32>,
}

impl Moves {
    /// The map that `matches` make. Where they overlap in the base the longest counts, the first of several; what none covers moves with
    /// the nearer neighbour, the one before it when both are as near.
    pub(super) fn new(matches: &[Match], base_length: u64) -> Self {
        let pieces = convincing(&painted(matches));
        let mut index = Vec::new();
        let mut piece = 0;
        for block in 0..=base_length / BLOCK {
            while pieces.get(piece).is_some_and(|one| one.end <= block * BLOCK) {
                piece += 1;
            }
            index.push(u32::try_from(piece).unwrap_or(u32::MAX));
        }
        Self { pieces, index }
    }

    /// Where the byte at `offset` of the base stands in the target; it may be outside of it.
    pub(super) fn target(&self, offset: u64) -> u64 {
        offset.wrapping_add_signed(self.shift(offset))
    }

    fn shift(&self, offset: u64) -> i64 {
        let block = usize::try_from(offset / BLOCK).unwrap_or(usize::MAX);
        let mut next = self.index.get(block).map_or(self.pieces.len(), |piece| *piece as usize);
        while self.pieces.get(next).is_some_and(|piece| piece.end <= offset) {
            next += 1;
        }
        let before = next.checked_sub(1).and_then(|before| self.pieces.get(before));
        match (before, self.pieces.get(next)) {
            (Some(before), Some(next)) if next.start > offset => {
                if offset - before.end < next.start - offset {
                    before.shift
                } else {
                    next.shift
                }
            }
            (_, Some(next)) => next.shift,
            (Some(before), None) => before.shift,
            (None, None) => 0,
        }
    }
}

/// The parts of the matches that no longer match covers, in the order of the base.
fn painted(matches: &[Match]) -> Vec<Piece> {
    let mut by_length: Vec<&Match> = matches.iter().filter(|one| one.length > 0).collect();
    by_length.sort_by_key(|one| (std::cmp::Reverse(one.length), one.target));
    let mut pieces = std::collections::BTreeMap::<u64, Piece>::new();
    for one in by_length {
        let shift = one.target.wrapping_sub(one.base).cast_signed();
        let (mut start, end) = (one.base, one.base + one.length);
        if let Some((_, before)) = pieces.range(..=start).next_back() {
            start = start.max(before.end);
        }
        while start < end {
            let next = pieces.range(start..end).next().map(|(_, piece)| *piece);
            let stop = next.map_or(end, |piece| piece.start);
            if start < stop {
                pieces.insert(start, Piece { start, end: stop, shift });
            }
            start = next.map_or(end, |piece| piece.end);
        }
    }
    pieces.into_values().collect()
}

/// Without the short pieces that stand between two that agree with each other and not with them.
fn convincing(pieces: &[Piece]) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len());
    for (number, piece) in pieces.iter().enumerate() {
        let is_odd = piece.end - piece.start < CONVINCING
            && kept.last().is_some_and(|before| {
                before.shift != piece.shift && pieces.get(number + 1).is_some_and(|next| next.shift == before.shift)
            });
        if !is_odd {
            kept.push(*piece);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(base: u64, target: u64, length: u64) -> Match {
        Match { target, base, length }
    }

    #[test]
    fn what_is_covered_moves_with_its_match() {
        let moves = Moves::new(&[found(0, 100, 1000), found(2000, 1500, 3000)], 10_000);
        for (base, target) in [(0, 100), (999, 1099), (2000, 1500), (4999, 4499)] {
            assert_eq!(moves.target(base), target, "{base}");
        }
    }

    #[test]
    fn what_is_not_covered_moves_with_the_nearer_neighbour() {
        let moves = Moves::new(&[found(1000, 1010, 1000), found(3000, 3050, 1000)], 10_000);
        for (base, target) in [(0, 10), (2000, 2010), (2400, 2410), (2600, 2650), (9000, 9050), (90_000, 90_050)] {
            assert_eq!(moves.target(base), target, "{base}");
        }
        assert_eq!(Moves::new(&[], 10).target(7), 7);
    }

    #[test]
    fn the_longest_match_counts_where_several_overlap() {
        let moves = Moves::new(&[found(100, 0, 200), found(0, 1000, 1000), found(950, 5000, 100)], 2000);
        for (base, target) in [(100, 1100), (299, 1299), (960, 1960), (1000, 5050), (1049, 5099)] {
            assert_eq!(moves.target(base), target, "{base}");
        }
    }

    #[test]
    fn a_short_match_between_two_that_agree_is_not_believed() {
        let moves = Moves::new(&[found(0, 8, 500), found(500, 9000, 20), found(520, 528, 500)], 2000);
        assert_eq!(moves.target(510), 518);
        let moves = Moves::new(&[found(0, 8, 500), found(500, 9000, 200), found(700, 708, 500)], 2000);
        assert_eq!(moves.target(510), 9010);
    }

    #[test]
    fn the_middle_between_two_goes_with_the_second_when_both_are_as_near() {
        // Between 100 and 200 there are an even number of bytes; between 100 and 201 an odd one.
        let even = Moves::new(&[found(0, 1_000, 100), found(200, 3_200, 100)], 1_000);
        assert_eq!([149, 150].map(|base| even.target(base)), [1_149, 3_150]);
        let odd = Moves::new(&[found(0, 1_000, 100), found(201, 3_201, 100)], 1_000);
        assert_eq!([149, 150, 151].map(|base| odd.target(base)), [1_149, 1_150, 3_151]);
        // A match that follows another at once leaves nothing between them.
        let close = Moves::new(&[found(0, 1_000, 100), found(100, 3_100, 100)], 1_000);
        assert_eq!([99, 100].map(|base| close.target(base)), [1_099, 3_100]);
    }

    #[test]
    fn a_place_is_found_at_every_border_of_the_blocks_of_the_index() {
        let pieces: Vec<Match> = (0..40).map(|number| found(number * 300, number * 1_000, 250)).collect();
        let moves = Moves::new(&pieces, 12_000);
        for at in 0..12_500 {
            let number = (at / 300).min(39);
            let between = at - number * 300;
            // From the middle of what is between on the next one is nearer.
            let number = if between >= 275 && number < 39 { number + 1 } else { number };
            assert_eq!(moves.target(at), at.wrapping_add(number * 1_000).wrapping_sub(number * 300), "{at}");
        }
        // A match over many blocks, and blocks without any.
        let wide = Moves::new(&[found(1_024, 0, 5 * 1_024), found(20 * 1_024, 9, 1)], 30 * 1_024);
        for (at, target) in [
            (0, 0_u64.wrapping_sub(1_024)),
            (1_024, 0),
            (6 * 1_024 - 1, 5 * 1_024 - 1),
            (20 * 1_024, 9),
            (29 * 1_024, 9 * 1_024 + 9),
        ] {
            assert_eq!(wide.target(at), target, "{at}");
        }
    }

    #[test]
    fn of_equally_long_matches_the_first_in_the_target_counts() {
        for order in [[0, 1], [1, 0]] {
            let both = [found(0, 500, 100), found(50, 200, 100)];
            let moves = Moves::new(&order.map(|number| both[number]), 1_000);
            assert_eq!([0, 49, 50, 99, 100, 149].map(|at| moves.target(at)), [500, 549, 200, 249, 250, 299]);
        }
        // One inside of a longer one says nothing, nor does one without bytes.
        let moves = Moves::new(&[found(10, 900, 30), found(0, 0, 100), found(40, 7, 0)], 1_000);
        assert!((0..100).all(|at| moves.target(at) == at));
    }

    #[test]
    fn what_is_left_of_a_short_match_stands_around_longer_ones() {
        // Two longer ones cover its middle and its end.
        let moves = Moves::new(&[found(0, 5_000, 400), found(100, 100, 500), found(700, 700, 500)], 2_000);
        assert_eq!([0, 99, 100, 599, 650, 700].map(|at| moves.target(at)), [5_000, 5_099, 100, 599, 650, 700]);
        let moves = Moves::new(&[found(100, 100, 300), found(500, 500, 300), found(0, 5_000, 299)], 2_000);
        assert_eq!([0, 99, 100, 298].map(|at| moves.target(at)), [5_000, 5_099, 100, 298]);
    }

    #[test]
    fn a_match_of_64_bytes_is_believed() {
        for (length, is_believed) in [(1, false), (63, false), (64, true), (65, true)] {
            let moves = Moves::new(&[found(0, 8, 500), found(500, 9_000, length), found(600, 608, 500)], 2_000);
            assert_eq!(moves.target(500), if is_believed { 9_000 } else { 508 }, "{length}");
        }
        // Only between two that agree with each other: not at an end, nor between two that do not.
        for (matches, at, target) in [
            (vec![found(0, 9_000, 20), found(100, 108, 500)], 10, 9_010),
            (vec![found(0, 8, 500), found(600, 9_000, 20)], 610, 9_010),
            (vec![found(0, 8, 500), found(500, 9_000, 20), found(600, 700, 500)], 510, 9_010),
            (vec![found(0, 8, 500), found(500, 508, 20), found(600, 608, 500)], 510, 518),
        ] {
            assert_eq!(Moves::new(&matches, 2_000).target(at), target, "{matches:?}");
        }
        // Two short ones that follow each other: each has one neighbour that is left out or another.
        let matches = [found(0, 8, 500), found(500, 9_000, 20), found(520, 7_000, 20), found(600, 608, 500)];
        let moves = Moves::new(&matches, 2_000);
        assert_eq!((moves.target(510), moves.target(530)), (9_010, 7_010));
    }
}
