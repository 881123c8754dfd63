//! The match finder of the level "best": tables of eight bytes and of four, which remember two places for each hash; of all that match
//! the one is taken that seems to save the most bits.

mod early;
mod late;

use super::bits::narrow;
use super::block::Parsed;
use super::entropy::least_bits;
use super::history::{Pairs, Parser, Search, hash, hash4, load32, load64, run};
use super::sequences::Costs;

/// What is read at a place and four behind.
const MARGIN: usize = 12;

const BLOCK_MIN: usize = 16;

const LONG_BITS: u32 = 22;
const SHORT_BITS: u32 = 18;

/// Without a match the steps grow by one for each 512 bytes.
const PATIENCE: u32 = 9;

/// The shortest match.
const SHORTEST: usize = 4;

/// Bits are counted in parts of this many bits.
const PARTS_LOG: u32 = 10;

pub(super) struct Best {
    long: Pairs<LONG_BITS>,
    short: Pairs<SHORT_BITS>,
    costs: Option<Costs>,
    /// As from 1.17.8 on.
    late: bool,
}

/// A match that may be taken; with a length of 0 none.
#[derive(Clone, Copy)]
struct Candidate {
    at: usize,
    earlier: usize,
    length: usize,
    /// Below 0 where its offset is not one that was used before, 0 where there is no match.
    repeat: i32,
    /// The bits that it takes less those that it saves.
    estimate: i32,
}

/// A block as it is searched.
struct Scan<'a, 'p> {
    search: Search<'a>,
    parser: Parser<'p>,
    costs: &'a Costs,
    /// The last three offsets.
    offsets: [usize; 3],
    /// About what a byte takes as a literal, in parts of a bit.
    literal: i32,
    /// Where the search ends.
    limit: usize,
}

impl Best {
    pub(super) fn new(late: bool) -> Self {
        Self { long: Pairs::new(), short: Pairs::new(), costs: Costs::new(), late }
    }

    pub(super) fn rebase(&mut self, by: u32) {
        self.long.rebase(by);
        self.short.rebase(by);
    }

    pub(super) fn parse(&mut self, search: Search<'_>, parsed: &mut Parsed) {
        if self.late && run(&search, parsed) {
            return;
        }
        let (end, block) = (search.bytes.len(), &search.bytes[search.start..]);
        let parser = Parser::new(search, parsed);
        if block.len() < BLOCK_MIN {
            return parser.finish();
        }
        let Some(costs) = self.costs.take() else { return parser.finish() };
        let literal = (i64::from(least_bits(block)) << PARTS_LOG) / block.len() as i64;
        let literal = i32::try_from(literal).unwrap_or(i32::MAX).max(1 << PARTS_LOG);
        let mut scan = Scan { search, parser, costs: &costs, offsets: [1, 4, 8], literal, limit: end - MARGIN };
        let mut at = Some(search.start);
        while let Some(from) = at {
            at = if self.late { self.step_late(&mut scan, from) } else { self.step_early(&mut scan, from) };
        }
        scan.parser.finish();
        self.costs = Some(costs);
    }

    /// Puts a place into both tables.
    #[inline]
    fn put(&mut self, search: &Search<'_>, at: usize) {
        let bytes = load64(search.bytes, at);
        self.long.push(hash::<8, LONG_BITS>(bytes), search.place(at));
        self.short.push(hash4::<SHORT_BITS>(bytes), search.place(at));
    }

    #[inline]
    fn long_at(&self, search: &Search<'_>, at: usize) -> [u32; 2] {
        self.long.get(hash::<8, LONG_BITS>(load64(search.bytes, at)))
    }

    #[inline]
    fn short_at(&self, search: &Search<'_>, at: usize) -> [u32; 2] {
        self.short.get(hash4::<SHORT_BITS>(load64(search.bytes, at)))
    }
}

impl Scan<'_, '_> {
    /// The index of the place, if it is near enough to `at` and starts with the same four bytes.
    #[inline]
    fn alike(&self, place: u32, at: usize) -> Option<usize> {
        self.search.near(place, at).filter(|earlier| self.is_alike(*earlier, at))
    }

    #[inline]
    fn is_alike(&self, earlier: usize, at: usize) -> bool {
        load32(self.search.bytes, earlier) == load32(self.search.bytes, at)
    }

    /// The match with what it costs; without a length where it would save nothing.
    #[inline]
    fn weighed(&self, at: usize, earlier: usize, length: usize, repeat: i32, none: i32) -> Candidate {
        let offset = if repeat < 0 { narrow(at - earlier) + 3 } else { repeat.unsigned_abs() & 3 };
        let estimate = self.costs.of(offset, narrow(length)).cast_signed() - self.as_literals(length as i64);
        if estimate > 0 {
            return Candidate { at, earlier, length: 0, repeat, estimate: none };
        }
        Candidate { at, earlier, length, repeat, estimate }
    }

    /// What the bytes from `from` to `to` take as literals, in bits; negative where that is back.
    #[inline]
    fn between(&self, from: usize, to: usize) -> i32 {
        self.as_literals(to as i64 - from as i64)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a block has at most 2^20 bits")]
    #[inline]
    fn as_literals(&self, bytes: i64) -> i32 {
        ((bytes * i64::from(self.literal)) >> PARTS_LOG) as i32
    }

    /// Where to look next after `at`, where nothing matched.
    #[inline]
    fn after(&self, at: usize) -> Option<usize> {
        Some(at + 1 + (self.parser.since(at) >> PATIENCE)).filter(|next| *next < self.limit)
    }
}
