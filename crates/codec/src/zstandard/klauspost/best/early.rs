//! How it was done up to 1.16.3.

use super::super::history::MATCH_MAX;
use super::{Best, Candidate, SHORTEST, Scan};

/// A match of this length is not improved.
const GOOD: usize = 100;

/// More than any match takes.
const NONE: i32 = 25_000;

/// The longest match that grows backwards from a repeated offset.
const REPEAT_MAX: usize = MATCH_MAX - 1;

impl Scan<'_, '_> {
    #[inline]
    fn early_at(&self, earlier: Option<usize>, at: usize, repeat: i32) -> Candidate {
        let Some(earlier) = earlier.filter(|earlier| self.is_alike(*earlier, at)) else {
            return Candidate { at, earlier: 0, length: 0, repeat: 0, estimate: NONE };
        };
        let length = 4 + self.parser.common(at + 4, earlier + 4);
        self.weighed(at, earlier, length, repeat, NONE)
    }

    /// The better one, the second where they are equal.
    #[inline]
    fn better(&self, one: Candidate, other: Candidate) -> Candidate {
        let is_better = one.estimate + self.between(other.at, one.at) < other.estimate + self.between(one.at, other.at);
        if is_better { one } else { other }
    }

    #[inline]
    fn best_of(&self, best: Candidate, places: [u32; 2], at: usize) -> Candidate {
        places
            .into_iter()
            .fold(best, |best, place| self.better(best, self.early_at(self.search.near(place, at), at, -1)))
    }

    /// `best`, or a match with one of the last three offsets.
    #[inline]
    fn best_repeat(&self, best: Candidate, at: usize) -> Candidate {
        (1..)
            .zip(self.offsets)
            .fold(best, |best, (repeat, offset)| self.better(best, self.early_at(Some(at - offset), at, repeat)))
    }
}

impl Best {
    /// One match, and the repeats behind it. Gives where to go on, if that is before the limit.
    pub(super) fn step_early(&mut self, scan: &mut Scan<'_, '_>, from: usize) -> Option<usize> {
        let can_repeat = scan.parser.repeats();
        let best = self.best_early(scan, from, can_repeat);
        if best.length < SHORTEST {
            return scan.after(from);
        }
        if best.repeat > 0 {
            return self.repeat_early(scan, best);
        }
        scan.offsets = [best.at - best.earlier, scan.offsets[0], scan.offsets[1]];
        let (start, at) = scan.parser.matched_for(best.at, best.earlier, best.length);
        if at >= scan.limit {
            return None;
        }
        for place in start + 1..at - 1 {
            self.put(&scan.search, place);
        }
        if can_repeat { self.repeats_behind_early(scan, at) } else { Some(at) }
    }

    /// The repeats of the offset before the last, right behind a match that ends at `at`.
    fn repeats_behind_early(&mut self, scan: &mut Scan<'_, '_>, mut at: usize) -> Option<usize> {
        loop {
            let earlier = at - scan.offsets[1];
            if !scan.is_alike(earlier, at) {
                return Some(at);
            }
            self.put(&scan.search, at);
            let end = at + 4 + scan.parser.common(at + 4, earlier + 4);
            scan.parser.emit(at, end, 1);
            scan.offsets.swap(0, 1);
            at = end;
            if at >= scan.limit {
                return None;
            }
        }
    }

    fn best_early(&mut self, scan: &Scan<'_, '_>, at: usize, can_repeat: bool) -> Candidate {
        let [last, before] = self.long_at(&scan.search, at);
        let first = scan.early_at(scan.search.near(last, at), at, -1);
        let second = scan.early_at(scan.search.near(before, at), at, -1);
        let mut best = scan.best_of(scan.better(first, second), self.short_at(&scan.search, at), at);
        if can_repeat && best.length < GOOD {
            best = scan.best_repeat(best, at + 1);
            if best.length > 0 {
                best = scan.best_repeat(best, at + 3);
            }
        }
        self.put(&scan.search, at);
        if best.length < SHORTEST || best.length >= GOOD {
            return best;
        }
        let [last, _] = self.short_at(&scan.search, at + 1);
        best = scan.better(best, scan.early_at(scan.search.near(last, at + 1), at + 1, -1));
        best = scan.best_of(best, self.long_at(&scan.search, at + 1), at + 1);
        best = scan.best_of(best, self.long_at(&scan.search, at + 2), at + 2);
        self.best_by_its_end(scan, best)
    }

    fn best_by_its_end(&self, scan: &Scan<'_, '_>, best: Candidate) -> Candidate {
        let end = best.at + best.length;
        if end >= scan.limit {
            return best;
        }
        let mut found = best;
        for place in self.long_at(&scan.search, end) {
            let Some(earlier) = scan.search.index(place).and_then(|index| index.checked_sub(best.length)) else {
                break;
            };
            let near = Some(earlier).filter(|_| best.at - earlier < scan.search.window);
            found = scan.better(found, scan.early_at(near, best.at, -1));
        }
        found
    }

    fn repeat_early(&mut self, scan: &mut Scan<'_, '_>, best: Candidate) -> Option<usize> {
        let end = best.at + best.length;
        let floor = best.at.saturating_sub(scan.search.window);
        let room = (best.at - scan.parser.emitted - 1)
            .min(best.earlier.saturating_sub(floor))
            .min(REPEAT_MAX.saturating_sub(best.length));
        let start = best.at - scan.parser.common_before(best.at, best.earlier, room);
        scan.parser.emit(start, end, best.repeat.unsigned_abs());
        if end >= scan.limit {
            return None;
        }
        for place in best.at..end - 1 {
            self.put(&scan.search, place);
        }
        match best.repeat {
            2 => scan.offsets.swap(0, 1),
            3 => scan.offsets.rotate_right(1),
            _ => {}
        }
        Some(end)
    }
}
