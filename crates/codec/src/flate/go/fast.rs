//! Level 1: one table, no second look.

use super::super::matching::{length, load32, load64};
use super::super::symbols::{FARTHEST, LONGEST};
use super::super::tokens::Tokens;
use super::blocks::{Blocks, STORED_BYTES};

const TABLE_BITS: u32 = 14;

/// No match is looked for in the last bytes of a block.
const MARGIN: usize = 15;

/// Positions are counted anew from here on, before they overflow.
const RENUMBERED_AT: u32 = 1 << 31;

/// The first position: whatever the table holds before anything was remembered is too far away.
const FIRST: u32 = FARTHEST as u32 + 1;

/// A position and the four bytes there.
#[derive(Clone, Copy, Default)]
struct Entry {
    bytes: u32,
    position: u32,
}

/// The block before and the block that is encoded, one behind the other, and where four bytes with each hash were last seen.
pub(super) struct Fast {
    history: Box<[u8; 2 * STORED_BYTES + 8]>,
    filled: usize,
    table: Box<[Entry; 1 << TABLE_BITS]>,
    /// The position of the first byte of `history`.
    base: u32,
    tokens: Tokens,
}

impl Fast {
    pub(super) fn new() -> Self {
        Self {
            history: Box::new([0; 2 * STORED_BYTES + 8]),
            filled: 0,
            table: Box::new([Entry::default(); 1 << TABLE_BITS]),
            base: FIRST,
            tokens: Tokens::new(),
        }
    }

    pub(super) fn fill(&mut self, plain: &[u8]) -> usize {
        let start = STORED_BYTES + self.filled;
        let count = plain.len().min(STORED_BYTES - self.filled);
        self.history[start..start + count].copy_from_slice(&plain[..count]);
        self.filled += count;
        count
    }

    pub(super) fn is_full(&self) -> bool {
        self.filled == STORED_BYTES
    }

    /// Writes what was filled in as one block. A block that is not full must be the last one.
    pub(super) fn step(&mut self, blocks: &mut Blocks) {
        let plain = STORED_BYTES..STORED_BYTES + self.filled;
        match self.filled {
            0 => return,
            1..=16 => blocks.stored(&self.history[plain]),
            17..128 => blocks.literals_or_stored(&self.history[plain]),
            count => {
                self.tokens.clear();
                self.find(STORED_BYTES + count);
                let plain = &self.history[plain];
                if self.tokens.len() > count - (count >> 4) {
                    blocks.literals_or_stored(plain);
                } else {
                    blocks.coded_or_stored(&mut self.tokens, plain);
                }
                self.next();
            }
        }
        self.filled = 0;
    }

    fn next(&mut self) {
        self.history.copy_within(STORED_BYTES..2 * STORED_BYTES, 0);
        self.base += STORED_BYTES as u32;
        if self.base >= RENUMBERED_AT {
            let less = self.base - FIRST;
            for entry in self.table.iter_mut() {
                entry.position = entry.position.saturating_sub(less);
            }
            self.base -= less;
        }
    }

    /// Turns the block that ends at `end` into tokens.
    fn find(&mut self, end: usize) {
        let limit = end - MARGIN;
        let (mut emitted, mut at) = (STORED_BYTES, STORED_BYTES);
        let mut here = load32(&self.history[..], at);
        'block: loop {
            // The longer nothing matches, the more bytes are skipped.
            let mut skip = 32;
            let mut next = at;
            let mut found = loop {
                at = next;
                next = at + (skip >> 5);
                skip += skip >> 5;
                if next > limit {
                    break 'block;
                }
                let found = self.swap(here, at);
                if let Some(found) = self.usable(found, here, at) {
                    break found;
                }
                here = load32(&self.history[..], next);
            };
            self.tokens.literals(&self.history[emitted..at]);
            loop {
                let count = length(&self.history[..], found, at, LONGEST.min(end - at));
                self.tokens.copy(count, at - found);
                at += count;
                emitted = at;
                if at >= limit {
                    break 'block;
                }
                let bytes = load64(&self.history[..], at - 1);
                self.swap(bytes as u32, at - 1);
                here = (bytes >> 8) as u32;
                let candidate = self.swap(here, at);
                let Some(usable) = self.usable(candidate, here, at) else {
                    here = (bytes >> 16) as u32;
                    at += 1;
                    break;
                };
                found = usable;
            }
        }
        self.tokens.literals(&self.history[emitted..end]);
    }

    /// Remembers that `bytes` stand at `at`, and says what was remembered for their hash.
    #[inline(always)]
    fn swap(&mut self, bytes: u32, at: usize) -> Entry {
        let slot = &mut self.table[(bytes.wrapping_mul(0x1e35_a7bd) >> (32 - TABLE_BITS)) as usize];
        std::mem::replace(slot, Entry { bytes, position: self.base + at as u32 })
    }

    /// Where `entry` is in the history, if it can be copied from `at` on, where `here` stands.
    #[inline(always)]
    fn usable(&self, entry: Entry, here: u32, at: usize) -> Option<usize> {
        let distance = (self.base + at as u32 - entry.position) as usize;
        (distance <= FARTHEST && entry.bytes == here).then(|| at - distance)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::bits::Bits;
    use super::*;

    /// The stream of four blocks, where short matches are found everywhere, when the first position is `base`.
    fn stream(base: u32) -> Vec<u8> {
        let letter = |at: u32| (at.wrapping_mul(at | 1).wrapping_mul(0x9e37_79b1) >> 29) as u8;
        let plain: Vec<u8> = (0..4 * STORED_BYTES as u32).map(letter).collect();
        let (mut fast, mut blocks, mut out) = (Fast::new(), Blocks::new(Bits::new()), Vec::new());
        fast.base = base;
        for block in plain.chunks(STORED_BYTES) {
            assert_eq!(fast.fill(block), STORED_BYTES);
            fast.step(&mut blocks);
        }
        blocks.bits.drain(&mut out).unwrap();
        out
    }

    #[test]
    fn counting_anew_does_not_show() {
        let expected = stream(FIRST);
        assert!(expected.len() < 2 * STORED_BYTES);
        for before in 0..5 {
            assert!(stream(RENUMBERED_AT - before * STORED_BYTES as u32 - 1) == expected, "{before}");
        }
    }
}
