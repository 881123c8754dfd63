//! How it is done from 1.17.8 on.

use super::super::bits::narrow;
use super::super::history::{MATCH_MAX, load32};
use super::{Best, Candidate, SHORTEST, Scan};

/// A match of this length is not improved.
const GOOD: usize = 250;

/// More than any match takes: 8 times [`MATCH_MAX`].
const NONE: i32 = 1_048_592;

/// So many bytes at the front of a match may differ in the one that is found by its end.
const DIFFERING: usize = 2;

/// Offsets that were used before, right behind a match: they mean others there.
const NO_LITERALS: i32 = 4;

impl Scan<'_, '_> {
    /// Makes `best` the match with `earlier` if it seems better.
    #[inline]
    fn improve(&self, best: &mut Candidate, earlier: Option<usize>, at: usize, repeat: i32) {
        let Some(earlier) = earlier else { return };
        if earlier >= at
            || at - earlier >= self.search.window
            || !self.is_alike(earlier, at)
            || !self.may_be_longer(best, earlier, at)
        {
            return;
        }
        let (mut at, mut earlier) = (at, earlier);
        let mut length = 4 + self.parser.common(at + 4, earlier + 4);
        if best.repeat <= 0 {
            let floor = at.saturating_sub(self.search.window);
            let room =
                (at - self.parser.emitted).min(earlier.saturating_sub(floor)).min(MATCH_MAX.saturating_sub(length));
            let grown = self.parser.common_before(at, earlier, room);
            (at, earlier, length) = (at - grown, earlier - grown, length + grown);
        }
        let candidate = self.weighed(at, earlier, length, repeat, NONE);
        let is_better = || candidate.estimate - best.estimate + self.between(best.at, candidate.at) < 0;
        if best.estimate >= NONE || is_better() {
            *best = candidate;
        }
    }

    /// A quick look near the end of a long match.
    #[inline]
    fn may_be_longer(&self, best: &Candidate, earlier: usize, at: usize) -> bool {
        if best.length <= 16 {
            return true;
        }
        let (end, all) = (best.at + best.length, self.search.bytes.len());
        if end >= all {
            return false;
        }
        match (end - 8).checked_sub(at) {
            Some(ahead) if all - end > 2 && ahead > 4 => {
                load32(self.search.bytes, earlier + ahead) == load32(self.search.bytes, at + ahead)
            }
            _ => true,
        }
    }

    #[inline]
    fn improve_by(&self, best: &mut Candidate, places: &[u32], at: usize) {
        for place in places {
            self.improve(best, self.alike(*place, at), at, -1);
        }
    }

    /// Tries the last three offsets.
    #[inline]
    fn improve_by_repeats(&self, best: &mut Candidate, at: usize) {
        for (repeat, offset) in (1..).zip(self.offsets) {
            self.improve(best, Some(at - offset), at, repeat);
        }
    }

    /// The same right behind a match, where the last offset stands for itself less one.
    #[inline]
    fn improve_behind_a_match(&self, best: &mut Candidate, at: usize) {
        let [first, second, third] = self.offsets;
        for (repeat, offset) in (1..).zip([second, third, first - 1]).filter(|(_, offset)| *offset > 0) {
            self.improve(best, Some(at - offset), at, repeat | NO_LITERALS);
        }
    }

    fn use_again(&mut self, repeat: i32) {
        const SECOND: i32 = NO_LITERALS | 1;
        const THIRD: i32 = NO_LITERALS | 2;
        const LESS: i32 = NO_LITERALS | 3;
        match repeat {
            2 | SECOND => self.offsets.swap(0, 1),
            3 | THIRD => self.offsets.rotate_right(1),
            LESS => self.offsets = [self.offsets[0] - 1, self.offsets[0], self.offsets[1]],
            _ => {}
        }
    }
}

impl Best {
    /// One match. Gives where to go on, if that is before the limit.
    pub(super) fn step_late(&mut self, scan: &mut Scan<'_, '_>, from: usize) -> Option<usize> {
        let best = self.best_late(scan, from);
        if best.length < SHORTEST {
            return scan.after(from);
        }
        let end = best.at + best.length;
        let remembered = if best.repeat > 0 {
            scan.parser.emit(best.at, end, best.repeat.unsigned_abs() & 3);
            scan.use_again(best.repeat);
            end.min(scan.limit + 4)
        } else {
            let offset = best.at - best.earlier;
            scan.parser.emit(best.at, end, narrow(offset) + 3);
            scan.offsets = [offset, scan.offsets[0], scan.offsets[1]];
            end.min(scan.limit - 4)
        };
        for place in from + 1..remembered {
            self.put(&scan.search, place);
        }
        Some(end).filter(|end| *end < scan.limit)
    }

    fn best_late(&mut self, scan: &Scan<'_, '_>, at: usize) -> Candidate {
        let mut best = Candidate { at, earlier: 0, length: 0, repeat: 0, estimate: NONE };
        scan.improve_by(&mut best, &self.long_at(&scan.search, at), at);
        scan.improve_by(&mut best, &self.short_at(&scan.search, at), at);
        if scan.parser.repeats() && best.length < GOOD {
            if at == scan.parser.emitted {
                scan.improve_behind_a_match(&mut best, at);
            }
            if best.repeat <= 0 {
                scan.improve_by_repeats(&mut best, at + 1);
                if best.repeat < 0 {
                    scan.improve_by_repeats(&mut best, at + 3);
                }
            }
        }
        self.put(&scan.search, at);
        if best.length < SHORTEST || best.length >= GOOD {
            return best;
        }
        scan.improve_by(&mut best, &self.short_at(&scan.search, at + 1)[..1], at + 1);
        scan.improve_by(&mut best, &self.long_at(&scan.search, at + 1), at + 1);
        scan.improve_by(&mut best, &self.long_at(&scan.search, at + 2), at + 2);
        if best.at + DIFFERING > at {
            self.improve_by_its_end(scan, &mut best);
        }
        best
    }

    fn improve_by_its_end(&self, scan: &Scan<'_, '_>, best: &mut Candidate) {
        let end = best.at + best.length;
        if end >= scan.limit {
            return;
        }
        for place in self.long_at(&scan.search, end) {
            let index = scan.search.index(place).map(|index| index + DIFFERING);
            let Some(earlier) = index.and_then(|index| index.checked_sub(best.length)) else { break };
            scan.improve(best, Some(earlier), best.at + DIFFERING, -1);
        }
    }
}
