//! Levels 7 to 9: chains through a window of 64 KiB, and matches that wait for a longer one at the next position.

use super::super::huffman::{self, Code};
use super::super::symbols::{FARTHEST, LENGTHS, LONGEST, OFFSETS, offset_code};
use super::super::tokens::Tokens;
use super::super::window::{HASH_BITS, Match, NOTHING, SHORTEST, Window};
use super::Quirks;
use super::blocks::Blocks;
use super::history::hash4;

/// Tokens of a block.
const BLOCK_TOKENS: usize = 1 << 15;

/// So many bytes at the front of a match may differ in the one that replaces it.
const DIFFERING: usize = 2;

/// A match pays if it saves more bits than this, and its symbols cost this many; up to 1.15.14 the others.
const LEAST_GAIN: i32 = 4;
const SYMBOLS_COST: i32 = 3;
const EARLY_LEAST_GAIN: i32 = 0;
const EARLY_SYMBOLS_COST: i32 = 6;

/// Up to 1.15.14, how far before the end of a match the place is that is looked up.
const EARLY_BACK: usize = 2;

/// What distinguishes the levels.
#[derive(Clone, Copy)]
struct Rules {
    /// A match of this length is not improved by the next position.
    lazy: usize,
    /// A match of this length ends the search.
    nice: usize,
    /// How many places are looked at.
    tries: u32,
    /// A longer match must save more bits.
    gain: bool,
}

/// The window, and the match that waits.
pub(super) struct Chains {
    rules: Rules,
    quirks: Quirks,
    window: Window,
    /// The byte before the next position is not among the tokens yet.
    waiting: bool,
    /// The match at the position before.
    found: Match,
    /// Literals since the last match, in 16 bits.
    literals: u16,
    tokens: Tokens,
    /// With `gain`: the bits that the bytes before each position of the window take as literals.
    costs: Vec<i32>,
}

impl Chains {
    pub(super) fn new(level: i8, quirks: Quirks) -> Self {
        let (lazy, nice, tries) = match level {
            7 => (12, 16, 24),
            8 => (30, 40, 64),
            _ => (258, 258, 1024),
        };
        Self {
            rules: Rules { lazy, nice, tries, gain: tries > 100 },
            quirks,
            window: Window::new(),
            waiting: false,
            found: NOTHING,
            literals: 0,
            tokens: Tokens::new(),
            costs: Vec::new(),
        }
    }

    /// Puts `dictionary`, at most [`FARTHEST`] bytes, before the first byte.
    pub(super) fn prime(&mut self, dictionary: &[u8]) {
        self.window.fill(dictionary);
        for at in 0..self.window.hashed() {
            self.insert(at);
        }
        self.window.at = self.window.end;
        if !dictionary.is_empty() {
            // The first block is never stored, as if its start were no longer known.
            self.window.block = None;
        }
    }

    pub(super) fn fill(&mut self, plain: &[u8]) -> usize {
        self.window.fill(plain)
    }

    pub(super) fn is_full(&self) -> bool {
        self.window.is_full()
    }

    /// Encodes what was filled in, all of it when it is the `last`.
    pub(super) fn step(&mut self, blocks: &mut Blocks, last: bool) {
        if self.rules.gain && self.window.goes_on(last) {
            self.weigh();
        }
        let hashed = self.window.hashed();
        while self.window.goes_on(last) {
            self.position(hashed, blocks, last);
        }
        if last {
            if std::mem::take(&mut self.waiting) {
                self.tokens.literal(self.window.byte(self.window.at - 1));
            }
            if self.tokens.len() > 0 {
                self.write(blocks, last);
            }
        }
    }

    /// Counts what the bytes to encode take as literals.
    fn weigh(&mut self) {
        let plain = self.window.between(self.window.at, self.window.end);
        let counted = if self.quirks.counts_all { plain } else { &plain[..plain.len().min(BLOCK_TOKENS)] };
        let (mut counts, mut codes) = ([0u16; 256], [Code::default(); 256]);
        for byte in counted {
            let count = &mut counts[usize::from(*byte)];
            *count = count.wrapping_add(1);
        }
        huffman::assign(&counts, 15, &mut codes);
        let least = i32::from(self.quirks.unknown_costs_one);
        self.costs.clear();
        self.costs.resize(self.window.at + 1, 0);
        self.costs.extend(plain.iter().scan(0, |cost, byte| {
            *cost += i32::from(codes[usize::from(*byte)].length).max(least);
            Some(*cost)
        }));
    }

    #[inline(always)]
    fn position(&mut self, hashed: usize, blocks: &mut Blocks, last: bool) {
        let at = self.window.at;
        let before = std::mem::replace(&mut self.found, NOTHING);
        if at < hashed {
            let head = self.insert(at);
            if before.length < self.rules.lazy && before.length < self.window.end - at {
                self.found = self.search(head);
            }
        }
        if before.length >= SHORTEST && self.found.length <= before.length {
            self.take(before, hashed, blocks, last);
            return;
        }
        if self.found.length >= SHORTEST {
            self.literals = 0;
        }
        if self.waiting {
            self.literals = self.literals.wrapping_add(1);
            self.literal(at - 1, blocks, last);
            self.window.at += 1;
            self.skip(hashed, blocks, last);
        } else {
            self.window.at += 1;
            self.waiting = true;
        }
    }

    /// Writes the match at the position before, or a better one for its end.
    fn take(&mut self, found: Match, hashed: usize, blocks: &mut Blocks, last: bool) {
        let found = if self.quirks.early {
            self.or_early_by_its_end(found, hashed)
        } else {
            self.or_by_its_end(found, hashed, blocks, last)
        };
        self.tokens.copy(found.length, found.offset);
        let end = self.window.at + found.length - 1;
        for at in self.window.at + 1..end.min(hashed) {
            self.insert(at);
        }
        self.window.at = end;
        self.waiting = false;
        self.found = NOTHING;
        self.write_full(blocks, last);
        self.literals = 0;
    }

    /// `found`, or a longer match that is remembered for its end; bytes at its front that differ become literals.
    fn or_by_its_end(&mut self, found: Match, hashed: usize, blocks: &mut Blocks, last: bool) -> Match {
        let (at, start) = (self.window.at, self.window.at - 1);
        if found.length >= LONGEST - DIFFERING || start + found.length >= hashed {
            return found;
        }
        let head = self.window.head(hash(self.window.four(start + found.length)));
        let Some(source) = head.and_then(|head| head.checked_sub(found.length)) else { return found };
        if start - source == found.offset || source <= at.saturating_sub(FARTHEST) + DIFFERING {
            return found;
        }
        let most = (self.window.end - at).min(LONGEST + DIFFERING) - DIFFERING;
        let mut length = self.window.agree(start + DIFFERING, source + DIFFERING, most);
        if length <= found.length {
            return found;
        }
        for differing in (0..DIFFERING).rev() {
            if length >= LONGEST || self.window.byte(start + differing) != self.window.byte(source + differing) {
                for at in start..=start + differing {
                    self.literal(at, blocks, last);
                    self.window.at += 1;
                    if self.window.at < hashed {
                        self.insert(self.window.at);
                    }
                }
                break;
            }
            length += 1;
        }
        Match { length, offset: start - source }
    }

    /// As [`Chains::or_by_its_end`], up to 1.15.14: by two bytes less, and no byte may differ.
    fn or_early_by_its_end(&self, found: Match, hashed: usize) -> Match {
        let (at, start) = (self.window.at, self.window.at - 1);
        let end = start + found.length;
        if end + EARLY_BACK >= hashed {
            return found;
        }
        let head = self.window.head(hash(self.window.four(end - EARLY_BACK)));
        let Some(source) = head.and_then(|head| (head + EARLY_BACK).checked_sub(found.length)) else { return found };
        if source <= at.saturating_sub(FARTHEST) {
            return found;
        }
        let length = self.window.agree(start, source, (self.window.end - at).min(LONGEST));
        if length > found.length { Match { length, offset: start - source } } else { found }
    }

    /// After many literals, more of them are written without a search.
    #[inline(always)]
    fn skip(&mut self, hashed: usize, blocks: &mut Blocks, last: bool) {
        let Some(more) = u32::from(self.literals).checked_sub(self.rules.tries + 1) else { return };
        for _ in 0..1 + ((more + 1) >> 6) {
            let at = self.window.at;
            if at + 1 >= self.window.end {
                break;
            }
            self.literal(at - 1, blocks, last);
            if at < hashed {
                self.insert(at);
            }
            self.window.at += 1;
        }
        self.waiting = false;
        self.literal(self.window.at - 1, blocks, last);
    }

    fn search(&self, head: u16) -> Match {
        let Rules { nice, tries, .. } = self.rules;
        if !self.rules.gain {
            return self.window.search(head, tries, nice, |_, _| true);
        }
        let at = self.window.at;
        let (mut best, symbols) =
            if self.quirks.early { (EARLY_LEAST_GAIN, EARLY_SYMBOLS_COST) } else { (LEAST_GAIN, SYMBOLS_COST) };
        self.window.search(head, tries, nice, |length, offset| {
            let extra = offset_extra_bits(offset) + LENGTHS[length - 3].extra_bits;
            let gain = self.costs[at + length] - self.costs[at] - symbols - i32::from(extra);
            let better = gain > best;
            best = best.max(gain);
            better
        })
    }

    #[inline(always)]
    fn insert(&mut self, at: usize) -> u16 {
        self.window.insert(at, hash(self.window.four(at)))
    }

    /// Writes the byte at `at`, the last one before the next position.
    #[inline(always)]
    fn literal(&mut self, at: usize, blocks: &mut Blocks, last: bool) {
        self.tokens.literal(self.window.byte(at));
        self.write_full(blocks, last);
    }

    #[inline(always)]
    fn write_full(&mut self, blocks: &mut Blocks, last: bool) {
        if self.tokens.len() == BLOCK_TOKENS {
            self.write(blocks, last);
        }
    }

    fn write(&mut self, blocks: &mut Blocks, last: bool) {
        blocks.coded(&mut self.tokens, self.window.plain(), last);
        self.tokens.clear();
        self.window.block = Some(self.window.at);
    }
}

/// What the original takes for the extra bits of a distance: those of the next one, and of the farthest too few.
#[inline(always)]
fn offset_extra_bits(offset: usize) -> u8 {
    if offset == FARTHEST { 6 } else { OFFSETS[offset_code(offset as u32) as usize & 31].extra_bits }
}

#[inline(always)]
fn hash(bytes: u32) -> u32 {
    hash4(u64::from(bytes), HASH_BITS) as u32
}
