//! Finds which stretch of the base each stretch of the target looks like.
//!
//! Seeds are exact: windows of the base are remembered by their hash, and the target is walked. A seed of at least
//! `SEED` bytes grows in both directions through mismatches as long as more than half of the bytes agree, which is the scoring of
//! bsdiff (C. Percival, "Naive differences of executable code", 2003); the suffix array that bsdiff looks its seeds up in
//! would take eight times the base's size in memory.

mod grow;
mod index;

use std::io;

use crate::ReadAt;
use crate::bytes::Bytes;
pub(crate) use grow::common_prefix;
use grow::{Score, agreeing, backward, best_split, forward};
use index::SHORTEST_WINDOW;
pub use index::{Fineness, Index};

/// Bytes of a seed. Shorter ones are found by chance in machine code, longer ones miss small edits.
pub(crate) const SEED: usize = 16;

/// A seed replaces the alignment that it interrupts only when it explains this many bytes more.
const GAIN: u64 = 8;

/// Behind so many bytes that differ an alignment is right again without a look at the index ...
const INTERRUPTION: usize = 16;

/// ... where so many agree. What has fewer may be so by chance.
const RESUMED: usize = 24;

/// A stretch of the target and the stretch of the base that it looks like: the same length, some bytes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Where it starts in the target.
    pub target: u64,
    /// Where it starts in the base.
    pub base: u64,
    /// How many bytes it has.
    pub length: u64,
}

impl Match {
    const NONE: Self = Self { target: 0, base: 0, length: 0 };

    const fn target_end(self) -> u64 {
        self.target + self.length
    }
}

impl Index<'_> {
    /// Calls `found` with the matches in the order of the target. They do not overlap in the target and lie inside both.
    ///
    /// # Errors
    /// What reading the base or the target reports, and what `found` returns.
    pub fn align(&self, target: &dyn ReadAt, found: &mut dyn FnMut(Match) -> io::Result<()>) -> io::Result<()> {
        self.align_again(target, &[], found)
    }

    /// The same where matches are `known`, in the order of the target: where one of them agrees it is taken up without a look at the index.
    ///
    /// # Errors
    /// As that.
    pub(crate) fn align_again(
        &self,
        target: &dyn ReadAt,
        known: &[Match],
        found: &mut dyn FnMut(Match) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut walk = Walk {
            index: self,
            known,
            base: self.base().shared(),
            target: Bytes::walked(target)?,
            current: Match::NONE,
            ahead: Score::default(),
            found,
        };
        walk.run()
    }
}

/// A walk over the target.
struct Walk<'a, 'b> {
    index: &'b Index<'b>,
    /// Those of the known matches that the walk has not passed.
    known: &'b [Match],
    base: Bytes<'a>,
    target: Bytes<'a>,
    /// The seed that is being followed; it has grown backward but not yet forward.
    current: Match,
    /// How far it has been looked at forward.
    ahead: Score,
    found: &'b mut dyn FnMut(Match) -> io::Result<()>,
}

impl Walk<'_, '_> {
    fn run(&mut self) -> io::Result<()> {
        // Files that are still alike at their start are the commonest case, and short ones hold no seed at all.
        let mut position = agreeing(&mut self.base, 0, &mut self.target, 0)?;
        self.current.length = position;
        while let Some(seed) = self.next_seed(&mut position)? {
            self.follow(seed)?;
            position = seed.target_end();
        }
        self.finish()
    }

    /// The next seed that beats the current alignment; `position` moves over what was looked at.
    fn next_seed(&mut self, position: &mut u64) -> io::Result<Option<Match>> {
        loop {
            let agreeing = self.agreeing_on_course(*position)?;
            if agreeing >= SEED as u64 && self.has_lost(*position)? {
                let base = self.current.base + (*position - self.current.target);
                return Ok(Some(Match { target: *position, base, length: agreeing }));
            }
            *position += agreeing;
            if let Some(again) = self.back_on_course(*position)? {
                *position = again;
                continue;
            }
            if self.target.len().saturating_sub(*position) < SHORTEST_WINDOW as u64 {
                return Ok(None);
            }
            if let Some(seed) = self.known_seed(*position)?
                && (seed.length > self.explained_on_course(seed)? + GAIN || self.has_lost(seed.target)?)
            {
                return Ok(Some(seed));
            }
            let Some(seed) = self.index.table()?.find(&mut self.base, &mut self.target, position, self.current)? else {
                return Ok(None);
            };
            let explained = self.explained_on_course(seed)?;
            if seed.length > explained + GAIN || self.has_lost(seed.target)? {
                return Ok(Some(seed));
            }
            *position = seed.target_end();
        }
    }

    /// Whether the current alignment cannot grow up to the target's `position`, although it may be right again there.
    fn has_lost(&mut self, position: u64) -> io::Result<bool> {
        if self.current.length == 0 {
            return Ok(false);
        }
        forward(&mut self.base, &mut self.target, self.current, position, &mut self.ahead)?;
        Ok(self.ahead.is_hopeless())
    }

    /// How many bytes from `position` on continue the current alignment without a mismatch.
    fn agreeing_on_course(&mut self, position: u64) -> io::Result<u64> {
        match self.on_course(position) {
            Some(base) => agreeing(&mut self.base, base, &mut self.target, position),
            None => Ok(0),
        }
    }

    /// Where the current alignment is right again right behind the target's `position`: then nothing else is looked for, which takes longer than
    /// all else. Not where every place is indexed, for then everything is to be found.
    fn back_on_course(&mut self, position: u64) -> io::Result<Option<u64>> {
        match self.on_course(position).filter(|_| self.index.is_rough()) {
            Some(base) => self.resumed(base, position),
            None => Ok(None),
        }
    }

    /// Where the known match that has the target's `position` is right at it or right behind it, unless the current alignment goes on in the same way.
    fn known_seed(&mut self, position: u64) -> io::Result<Option<Match>> {
        let passed = self.known.iter().take_while(|known| known.target_end() <= position).count();
        self.known = &self.known[passed..];
        let Some(known) = self.known.first().filter(|known| known.target <= position) else { return Ok(None) };
        let base = known.base + (position - known.target);
        if self.on_course(position) == Some(base) {
            return Ok(None);
        }
        let Some(target) = self.resumed(base, position)? else { return Ok(None) };
        let base = base + (target - position);
        let length = agreeing(&mut self.base, base, &mut self.target, target)?;
        Ok(Some(Match { target, base, length }))
    }

    /// Where the target's bytes from `position` on are those of the base from `base` on, at once or right behind some that differ.
    fn resumed(&mut self, base: u64, position: u64) -> io::Result<Option<u64>> {
        let (left, right) = (self.base.from(base)?, self.target.from(position)?);
        let mut run = 0;
        for (end, (one, other)) in (1..).zip(left.iter().zip(right).take(INTERRUPTION + RESUMED)) {
            run = if one == other { run + 1 } else { 0 };
            // A run of one value is right everywhere.
            if run >= RESUMED && right[end - RESUMED..end].iter().any(|byte| byte != other) {
                return Ok(Some(position + (end - RESUMED) as u64));
            }
        }
        Ok(None)
    }

    /// How many bytes of `seed` the current alignment has right too.
    fn explained_on_course(&mut self, seed: Match) -> io::Result<u64> {
        match self.on_course(seed.target) {
            Some(base) => grow::equal_count(&mut self.base, base, &mut self.target, seed.target, seed.length),
            None => Ok(0),
        }
    }

    /// Where the current alignment expects the target's `position` in the base.
    fn on_course(&self, position: u64) -> Option<u64> {
        (self.current.length > 0)
            .then(|| self.current.base + (position - self.current.target))
            .filter(|base| *base < self.base.len())
    }

    /// Ends the current alignment and takes up `seed`.
    fn follow(&mut self, seed: Match) -> io::Result<()> {
        let mut next = seed;
        let ahead = forward(&mut self.base, &mut self.target, self.current, seed.target, &mut self.ahead)?;
        let behind = backward(&mut self.base, &mut self.target, seed, self.current.target_end())?;
        let ahead = ahead.min(seed.target - self.current.target_end());
        let overlap = (ahead + behind).saturating_sub(seed.target - self.current.target_end());
        let kept = if overlap > 0 {
            let start = seed.target - behind;
            best_split(&mut self.base, &mut self.target, self.current, seed, start, overlap)?
        } else {
            0
        };
        self.current.length += ahead - overlap + kept;
        let behind = behind - kept;
        next.target -= behind;
        next.base -= behind;
        next.length += behind;
        self.emit()?;
        self.current = next;
        self.ahead = Score::default();
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let end = self.target.len();
        self.current.length += forward(&mut self.base, &mut self.target, self.current, end, &mut self.ahead)?;
        self.emit()
    }

    fn emit(&mut self) -> io::Result<()> {
        if self.current.length > 0 { (self.found)(self.current) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes without a pattern.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }

    /// The matches, and whether the base was indexed for them.
    fn matches(base: &[u8], target: &[u8], fineness: Fineness) -> (Vec<Match>, bool) {
        let (base, target) = (base.to_vec(), target.to_vec());
        let index = Index::new(&base, fineness).unwrap();
        let mut matches = Vec::new();
        index
            .align(&target, &mut |found| {
                matches.push(found);
                Ok(())
            })
            .unwrap();
        (matches, index.has_table())
    }

    #[test]
    fn bytes_that_differ_here_and_there_need_no_index() {
        let base = noise(10_000);
        let mut target = base.clone();
        for at in [300, 2_000, 2_100, 9_000] {
            target[at..at + INTERRUPTION - 1].iter_mut().for_each(|byte| *byte ^= 0x55);
        }
        let whole = Match { target: 0, base: 0, length: 10_000 };
        for (fineness, is_indexed) in [(Fineness::Fourth, false), (Fineness::Eighth, false), (Fineness::Every, true)] {
            assert_eq!(matches(&base, &target, fineness), (vec![whole], is_indexed), "{fineness:?}");
        }
    }

    #[test]
    fn what_is_inserted_is_looked_for() {
        let base = noise(10_000);
        let inserted = [&base[..5_000], &noise(700)[600..], &base[5_000..]].concat();
        let (found, is_indexed) = matches(&base, &inserted, Fineness::Fourth);
        assert!(is_indexed && found.iter().any(|found| found.base + found.length == 10_000), "{found:?}");
    }

    /// How many matches there are where a stretch of 30 bytes stands elsewhere too, and where it is expected but for so many bytes.
    fn pieces(differ: usize) -> usize {
        let stretch = crate::noise::noise(9, 30);
        let mut base = noise(2_000);
        base[1_000..1_030].copy_from_slice(&stretch);
        let mut target = base[..400].to_vec();
        target[200..230].copy_from_slice(&stretch);
        base[200..230].copy_from_slice(&stretch);
        // Here and there, so that none of what is between is long.
        (0..differ).for_each(|number| base[200 + 29 * number / (differ - 1)] ^= 0x55);
        let found = matches(&base, &target, Fineness::Every).0;
        assert_eq!(found.iter().map(|one| one.length).sum::<u64>(), 400, "{found:?}");
        found.len()
    }

    #[test]
    fn another_place_is_taken_where_it_explains_more_than_eight_bytes_more() {
        assert_eq!([4, 7, 8, 9, 12].map(pieces), [1, 1, 1, 3, 3]);
    }

    /// Whether a window is looked for in a target that differs from its base in so many bytes, then not, and then again.
    fn is_looked_for(base: &[u8], (first, equal, second): (usize, usize, usize)) -> bool {
        let mut target = base.to_vec();
        let second_at = 300 + first + equal;
        target[300..300 + first].iter_mut().for_each(|byte| *byte ^= 0x55);
        target[second_at..second_at + second].iter_mut().for_each(|byte| *byte ^= 0x55);
        let (found, is_indexed) = matches(base, &target, Fineness::Fourth);
        assert_eq!(found, [Match { target: 0, base: 0, length: base.len() as u64 }]);
        is_indexed
    }

    #[test]
    fn an_alignment_is_right_again_behind_16_bytes_where_24_agree() {
        let base = noise(2_000);
        for (bytes, is_indexed) in [
            ((1, 100, 0), false),
            ((16, 100, 0), false),
            ((17, 100, 0), true),
            ((1, 24, 1), false),
            ((1, 23, 1), true),
            // What is short of it counts as bytes that differ.
            ((1, 14, 1), false),
            ((1, 15, 1), true),
            ((16, 24, 16), false),
            ((16, 23, 16), true),
        ] {
            assert_eq!(is_looked_for(&base, bytes), is_indexed, "{bytes:?}");
        }
        // Bytes of one value agree everywhere; one other among them tells the place.
        let mut zeros = [&base[..300], &[0; 400], &base[700..]].concat();
        assert!(is_looked_for(&zeros, (1, 100, 0)));
        zeros[310] = 7;
        assert!(!is_looked_for(&zeros, (1, 100, 0)));
    }

    /// The matches where others are known and nothing of the base is indexed.
    fn matches_again(base: &[u8], target: &[u8], known: &[Match]) -> Vec<Match> {
        let (base, target) = (base.to_vec(), target.to_vec());
        let mut matches = Vec::new();
        let mut take = |found| {
            matches.push(found);
            Ok(())
        };
        Index::within(&base, Fineness::Fourth, Vec::new()).unwrap().align_again(&target, known, &mut take).unwrap();
        matches
    }

    #[test]
    fn what_is_known_is_found_again_without_an_index() {
        let base = noise(10_000);
        let target = [&base[6_000..8_000], &base[1_000..4_000], &base[9_000..]].concat();
        let expected = [(0, 6_000, 2_000), (2_000, 1_000, 3_000), (5_000, 9_000, 1_000)]
            .map(|(target, base, length)| Match { target, base, length });
        assert_eq!(matches_again(&base, &target, &expected), expected);
        assert!(matches_again(&base, &target, &[]).is_empty());
        assert_eq!(matches_again(&base, &target, &expected[..2]), expected[..2]);
    }

    #[test]
    fn a_known_match_that_is_wrong_is_left_out() {
        let base = noise(10_000);
        let target = base[2_000..4_000].to_vec();
        for (base_at, length) in [(3_000, 2_000), (2_001, 2_000), (9_000, 1_000)] {
            let known = Match { target: 0, base: base_at, length };
            assert!(matches_again(&base, &target, &[known]).is_empty(), "{known:?}");
        }
    }
}
