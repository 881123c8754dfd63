//! The match finder of the level "default": a table of eight bytes and one of five.

use super::block::Parsed;
use super::history::{MATCH_MAX, Parser, Places, Search, hash, load64};

/// What is read at a place and two behind.
const MARGIN: usize = 10;

const BLOCK_MIN: usize = 16;

const LONG_BITS: u32 = 17;
const SHORT_BITS: u32 = 15;

/// Without a match the steps grow by one for each 128 bytes.
const PATIENCE: u32 = 7;

/// The longest match that grows backwards from a repeated offset.
const REPEAT_MAX: usize = MATCH_MAX - 1;

pub(super) struct DoubleFast {
    long: Places<LONG_BITS>,
    short: Places<SHORT_BITS>,
}

impl DoubleFast {
    pub(super) fn new() -> Self {
        Self { long: Places::new(), short: Places::new() }
    }

    pub(super) fn rebase(&mut self, by: u32) {
        self.long.rebase(by);
        self.short.rebase(by);
    }

    pub(super) fn parse(&mut self, search: Search<'_>, parsed: &mut Parsed) {
        Parser::over(search, parsed, (BLOCK_MIN, MARGIN), |parser, from, limit| {
            self.step(&search, parser, from, limit)
        });
    }

    /// One match that is not a repeat, and the repeats behind it. Gives where to go on, if before `limit`.
    #[inline]
    fn step(&mut self, search: &Search<'_>, parser: &mut Parser<'_>, from: usize, limit: usize) -> Option<usize> {
        let (at, earlier) = self.find(search, parser, from, limit)?;
        let could_repeat = parser.repeats();
        let (start, mut at) = parser.matched(at, earlier);
        if at >= limit {
            return None;
        }
        self.keep_ends(search, start, at);
        let can_repeat = if search.whole { parser.repeats() } else { could_repeat };
        if can_repeat {
            let first = load64(search.bytes, at - 2) >> 16;
            loop {
                let bytes = load64(search.bytes, at);
                if !parser.repeats_second_at(at, bytes) {
                    break;
                }
                // A frame of one block keeps each short place under the hash of the first.
                let short = if search.whole { first } else { bytes };
                self.long.replace(hash::<8, LONG_BITS>(bytes), search.place(at), bytes);
                self.short.replace(hash::<5, SHORT_BITS>(short), search.place(at), bytes);
                at = parser.repeat_second(at);
                if at >= limit {
                    return None;
                }
            }
        }
        Some(at)
    }

    /// Keeps the places near the start and the end of a match.
    #[inline]
    fn keep_ends(&mut self, search: &Search<'_>, start: usize, end: usize) {
        let near = [start + 1, end - 2].map(|at| (at, load64(search.bytes, at)));
        for (at, bytes) in near {
            self.long.replace(hash::<8, LONG_BITS>(bytes), search.place(at), bytes);
        }
        for (at, bytes) in near {
            self.short.replace(hash::<5, SHORT_BITS>(bytes >> 8), search.place(at + 1), bytes >> 8);
        }
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
            let long = self.long.replace(hash::<8, LONG_BITS>(bytes), search.place(at), bytes);
            let short = self.short.replace(hash::<5, SHORT_BITS>(bytes), search.place(at), bytes);
            if parser.repeats_at(at + 1, bytes >> 8) {
                at = parser.repeat(at + 1, at.saturating_sub(search.window), REPEAT_MAX);
            } else if let Some(earlier) = long.matching(search, at, bytes) {
                return Some((at, earlier));
            } else if let Some(earlier) = short.matching(search, at, bytes) {
                return Some(self.find_longer(search, at).unwrap_or((at, earlier)));
            } else {
                at += 1 + (parser.since(at) >> PATIENCE);
            }
            if at >= limit {
                return None;
            }
        }
    }

    /// A long match one byte behind a short one.
    #[inline]
    fn find_longer(&mut self, search: &Search<'_>, at: usize) -> Option<(usize, usize)> {
        let at = at + 1;
        let bytes = load64(search.bytes, at);
        let long = self.long.replace(hash::<8, LONG_BITS>(bytes), search.place(at), bytes);
        long.matching(search, at, bytes).map(|earlier| (at, earlier))
    }
}
