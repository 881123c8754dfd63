//! The match finder of the level "better": a table of eight bytes, which remembers two places for each hash, and one of five.

use super::block::Parsed;
use super::history::{MATCH_MAX, Pairs, Parser, Places, Search, hash, load32, load64, run};

/// What is read at a place and two behind.
const MARGIN: usize = 10;

const BLOCK_MIN: usize = 16;

const LONG_BITS: u32 = 19;
const SHORT_BITS: u32 = 13;

/// Without a match the steps grow by one for each 256 bytes.
const PATIENCE: u32 = 8;

/// So many bytes at the front of a match may differ in the one that is found by its end.
const DIFFERING: usize = 3;

/// The longest match that grows backwards from a repeated offset.
const REPEAT_MAX: usize = MATCH_MAX - 1;

pub(super) struct Better {
    long: Pairs<LONG_BITS>,
    short: Places<SHORT_BITS>,
    /// From 1.17.8 on, a block of one byte is not searched, and places are remembered from behind the one that was searched on.
    late: bool,
}

/// A match of some length.
#[derive(Clone, Copy)]
struct Match {
    at: usize,
    earlier: usize,
    length: usize,
}

impl Better {
    pub(super) fn new(late: bool) -> Self {
        Self { long: Pairs::new(), short: Places::new(), late }
    }

    pub(super) fn rebase(&mut self, by: u32) {
        self.long.rebase(by);
        self.short.rebase(by);
    }

    pub(super) fn parse(&mut self, search: Search<'_>, parsed: &mut Parsed) {
        if self.late && run(&search, parsed) {
            return;
        }
        Parser::over(search, parsed, (BLOCK_MIN, MARGIN), |parser, from, limit| {
            self.step(&search, parser, from, limit)
        });
    }

    /// One match that is not a repeat, and the repeats behind it. Gives where to go on, if before `limit`.
    fn step(&mut self, search: &Search<'_>, parser: &mut Parser<'_>, from: usize, limit: usize) -> Option<usize> {
        let (found, searched) = self.find(search, parser, from, limit)?;
        let found = self.or_by_its_end(search, parser, found, limit);
        let could_repeat = parser.repeats();
        let (start, at) = parser.matched_for(found.at, found.earlier, found.length);
        if at >= limit {
            return None;
        }
        self.keep(search, if self.late { searched + 1 } else { start + 1 }, at);
        if could_repeat { self.repeats(search, parser, at, limit) } else { Some(at) }
    }

    /// The repeats of the offset before the last, right behind a match that ends at `at`.
    fn repeats(&mut self, search: &Search<'_>, parser: &mut Parser<'_>, mut at: usize, limit: usize) -> Option<usize> {
        loop {
            let bytes = load64(search.bytes, at);
            if !parser.repeats_second_at(at, bytes) {
                return Some(at);
            }
            self.put(search, at, bytes);
            at = parser.repeat_second(at);
            if at >= limit {
                return None;
            }
        }
    }

    /// Remembers every second place from `from` on up to the one before `end`, and the ones between them in the short table.
    #[inline]
    fn keep(&mut self, search: &Search<'_>, from: usize, end: usize) {
        for at in (from..end - 1).step_by(2) {
            let bytes = load64(search.bytes, at);
            self.long.push(hash::<8, LONG_BITS>(bytes), search.place(at));
            self.short.replace(hash::<5, SHORT_BITS>(bytes >> 8), search.place(at + 1), bytes >> 8);
        }
    }

    #[inline]
    fn put(&mut self, search: &Search<'_>, at: usize, bytes: u64) {
        self.long.push(hash::<8, LONG_BITS>(bytes), search.place(at));
        self.short.replace(hash::<5, SHORT_BITS>(bytes), search.place(at), bytes);
    }

    /// The next match that is not a repeat, and where it was looked for.
    #[inline]
    fn find(
        &mut self,
        search: &Search<'_>,
        parser: &mut Parser<'_>,
        from: usize,
        limit: usize,
    ) -> Option<(Match, usize)> {
        let mut at = from;
        loop {
            let bytes = load64(search.bytes, at);
            let long = self.long.push(hash::<8, LONG_BITS>(bytes), search.place(at));
            let short = self.short.replace(hash::<5, SHORT_BITS>(bytes), search.place(at), bytes);
            if parser.repeats_at(at + 1, bytes >> 8) {
                let end = parser.repeat(at + 1, at.saturating_sub(search.window), REPEAT_MAX);
                if end >= limit {
                    return None;
                }
                self.keep(search, at + 1, end);
                at = end;
                continue;
            }
            let [last, before] = long.map(|place| long_match(search, parser, place, at, (at, bytes)));
            if let Some(found) = longer(last, before) {
                return Some((found, at));
            }
            if let Some(earlier) = short.matching(search, at, bytes) {
                let found = Match { at, earlier, length: 4 + parser.common(at + 4, earlier + 4) };
                return Some((self.find_longer(search, parser, found), at));
            }
            at += 1 + (parser.since(at) >> PATIENCE);
            if at >= limit {
                return None;
            }
        }
    }

    /// `found`, or a longer match of eight bytes and more one byte behind.
    #[inline]
    fn find_longer(&mut self, search: &Search<'_>, parser: &Parser<'_>, found: Match) -> Match {
        let at = found.at + 1;
        let bytes = load64(search.bytes, at);
        let long = self.long.push(hash::<8, LONG_BITS>(bytes), search.place(at));
        let matches = long.map(|place| long_match(search, parser, place, found.at, (at, bytes)));
        matches.into_iter().flatten().find(|longer| longer.length > found.length).unwrap_or(found)
    }

    /// `found`, or a longer match that is remembered for its end.
    #[inline]
    fn or_by_its_end(&self, search: &Search<'_>, parser: &Parser<'_>, found: Match, limit: usize) -> Match {
        let end = found.at + found.length;
        if end >= limit {
            return found;
        }
        let at = found.at + DIFFERING;
        let mut best = found;
        for place in self.long.get(hash::<8, LONG_BITS>(load64(search.bytes, end))) {
            let Some(earlier) = search.index(place).and_then(|index| (index + DIFFERING).checked_sub(best.length))
            else {
                continue;
            };
            let is_near = earlier < at && at - earlier < search.window;
            if is_near && load32(search.bytes, at) == load32(search.bytes, earlier) {
                let length = 4 + parser.common(at + 4, earlier + 4);
                if length > best.length {
                    best = Match { at, earlier, length };
                }
            }
        }
        best
    }
}

/// The longer one, the first where none is.
fn longer(first: Option<Match>, second: Option<Match>) -> Option<Match> {
    match (first, second) {
        (Some(first), Some(second)) => Some(if second.length > first.length { second } else { first }),
        (first, second) => first.or(second),
    }
}

/// The match at `at` with `place`, where the eight `bytes` stand, which is less than a window before `near`.
#[inline]
fn long_match(
    search: &Search<'_>,
    parser: &Parser<'_>,
    place: u32,
    near: usize,
    (at, bytes): (usize, u64),
) -> Option<Match> {
    let earlier = search.near(place, near)?;
    (load64(search.bytes, earlier) == bytes).then(|| Match {
        at,
        earlier,
        length: 8 + parser.common(at + 8, earlier + 8),
    })
}
