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
}
