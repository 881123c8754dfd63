//! The match finder of the level "fastest": one table of six bytes, two places at a time.

use super::block::Parsed;
use super::history::{MATCH_MAX, Parser, Place, Places, Search, hash, load64};

/// What is read at a place.
const MARGIN: usize = 8;

const BLOCK_MIN: usize = 10;

const BITS: u32 = 15;

/// Without a match the steps grow by one for each 32 bytes.
const PATIENCE: u32 = 5;

pub(super) struct Fast {
    places: Places<BITS>,
}

impl Fast {
    pub(super) fn new() -> Self {
        Self { places: Places::new() }
    }

    pub(super) fn rebase(&mut self, by: u32) {
        self.places.rebase(by);
    }

    pub(super) fn parse(&mut self, search: Search<'_>, parsed: &mut Parsed) {
        Parser::over(search, parsed, (BLOCK_MIN, MARGIN), |parser, from, limit| {
            self.step(&search, parser, from, limit)
        });
    }

    /// One match that is not a repeat, and a repeat behind it. Gives where to go on, if before `limit`.
    #[inline]
    fn step(&mut self, search: &Search<'_>, parser: &mut Parser<'_>, from: usize, limit: usize) -> Option<usize> {
        let (at, earlier) = self.find(search, parser, from, limit)?;
        let could_repeat = parser.repeats();
        let (_, at) = parser.matched(at, earlier);
        if at >= limit {
            return None;
        }
        let bytes = load64(search.bytes, at);
        let can_repeat = if search.whole { parser.repeats() } else { could_repeat };
        if !can_repeat || !parser.repeats_second_at(at, bytes) {
            return Some(at);
        }
        self.places.replace(hash::<6, BITS>(bytes), search.place(at), bytes);
        Some(parser.repeat_second(at)).filter(|at| *at < limit)
    }

    /// The next match that is not a repeat: where, and the place before.
    #[inline]
    fn find(
        &mut self,
        search: &Search<'_>,
        parser: &mut Parser<'_>,
        from: usize,
        limit: usize,
    ) -> Option<(usize, usize)> {
        let mut at = from;
        loop {
            let bytes = load64(search.bytes, at);
            let [first, second] = self.replace_two(search, at, bytes);
            if parser.repeats_at(at + 2, bytes >> 16) {
                at = parser.repeat(at + 2, at.saturating_sub(search.window), MATCH_MAX);
            } else if let Some(earlier) = first.matching(search, at, bytes) {
                return Some((at, earlier));
            } else if let Some(earlier) = second.matching(search, at + 1, bytes >> 8) {
                return Some((at + 1, earlier));
            } else {
                at += 2 + (parser.since(at) >> PATIENCE);
            }
            if at >= limit {
                return None;
            }
        }
    }

    /// Puts two places in, and gives what was there before both.
    #[inline]
    fn replace_two(&mut self, search: &Search<'_>, at: usize, bytes: u64) -> [Place; 2] {
        let hashes = [hash::<6, BITS>(bytes), hash::<6, BITS>(bytes >> 8)];
        let earlier = hashes.map(|hash| self.places.get(hash));
        self.places.replace(hashes[0], search.place(at), bytes);
        self.places.replace(hashes[1], search.place(at + 1), bytes >> 8);
        earlier
    }
}
