//! Levels 2 to 9: every position is chained to the one before it with the same hash. From level 4 on, a match waits for the
//! next position to find a longer one.

use super::super::symbols::FARTHEST;
use super::super::tokens::Tokens;
use super::super::window::{HASH_BITS, Match, NOTHING, SHORTEST, Window};
use super::blocks::Blocks;
use super::checkpoint::{Checkpoint, Marks};

/// A match of the shortest length may not be farther than this.
const SHORTEST_WITHIN: usize = 4096;

/// Tokens of a block.
const BLOCK_TOKENS: usize = 1 << 14;

/// What distinguishes the levels.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// A match of this length is not improved by the next position.
    lazy: usize,
    /// A match of this length ends the search.
    nice: usize,
    /// How many places are looked at.
    tries: u32,
    /// The positions in a match longer than this are not remembered. Without it, all are, and a match waits for the next position.
    skip: Option<usize>,
}

impl Rules {
    /// The rules of a level from 2 to 9.
    pub(super) fn of(level: i8) -> Self {
        let (lazy, nice, tries, skip) = match level {
            2 => (0, 16, 8, Some(5)),
            3 => (0, 32, 32, Some(6)),
            4 => (4, 16, 16, None),
            5 => (16, 32, 32, None),
            6 => (16, 128, 128, None),
            7 => (32, 128, 256, None),
            8 => (128, 258, 1024, None),
            _ => (258, 258, 4096, None),
        };
        Self { lazy, nice, tries, skip }
    }
}

/// The window, and the match that waits.
pub(super) struct Chains {
    rules: Rules,
    window: Window,
    /// The byte before the next position is not among the tokens yet.
    waiting: bool,
    /// The match at the position before.
    found: Match,
    tokens: Tokens,
    /// What is noted for those who start here again.
    pub(super) marks: Marks,
}

impl Chains {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, window: Window::new(), waiting: false, found: NOTHING, tokens: Tokens::new(), marks: Marks::NONE }
    }

    /// Goes on from `checkpoint`, which `window` fits.
    pub(super) fn resume(rules: Rules, checkpoint: &Checkpoint, window: &[u8]) -> Self {
        let mut chains = Self { waiting: checkpoint.waiting, found: checkpoint.found, ..Self::new(rules) };
        let at = usize::from(checkpoint.at);
        chains.window.fill(window);
        chains.insert_all(at.saturating_sub(FARTHEST), at.min(chains.window.hashed()));
        chains.window.at = at;
        chains.window.block = Some(at - usize::from(checkpoint.waiting));
        chains.window.halves = checkpoint.halves;
        chains
    }

    pub(super) fn fill(&mut self, plain: &[u8]) -> usize {
        self.window.fill(plain)
    }

    pub(super) fn is_full(&self) -> bool {
        self.window.is_full()
    }

    /// Encodes what was filled in, all of it when it is the `last`.
    pub(super) fn step(&mut self, blocks: &mut Blocks, last: bool) {
        match self.rules.skip {
            Some(skip) => self.eager(skip, last, blocks),
            None => self.lazy(last, blocks),
        }
        if last {
            if std::mem::take(&mut self.waiting) {
                self.tokens.literal(self.window.byte(self.window.at - 1));
            }
            if self.tokens.len() > 0 {
                self.write(blocks);
            }
        }
    }

    /// Takes the first match at each position.
    fn eager(&mut self, skip: usize, last: bool, blocks: &mut Blocks) {
        let hashed = self.window.hashed();
        while self.window.goes_on(last) {
            let at = self.window.at;
            let mut found = NOTHING;
            if at < hashed {
                let head = self.insert(at);
                found = self.search(head);
            }
            if found.length < SHORTEST {
                self.tokens.literal(self.window.byte(at));
                self.window.at += 1;
            } else {
                self.tokens.copy(found.length, found.offset);
                self.window.at += found.length;
                if found.length <= skip {
                    self.insert_all(at + 1, self.window.at.min(hashed));
                }
            }
            self.write_full(blocks);
        }
    }

    /// Takes the match at a position unless the one at the next is longer.
    fn lazy(&mut self, last: bool, blocks: &mut Blocks) {
        let hashed = self.window.hashed();
        while self.window.goes_on(last) {
            let at = self.window.at;
            let before = std::mem::replace(&mut self.found, NOTHING);
            if at < hashed {
                let head = self.insert(at);
                if before.length < self.rules.lazy && before.length < self.window.end - at {
                    self.found = self.search(head);
                }
            }
            let mut is_written = false;
            if before.length >= SHORTEST && self.found.length <= before.length {
                self.tokens.copy(before.length, before.offset);
                self.window.at = at - 1 + before.length;
                self.insert_all(at + 1, self.window.at.min(hashed));
                self.found = NOTHING;
                self.waiting = false;
                is_written = self.write_full(blocks);
            } else {
                if self.waiting {
                    self.tokens.literal(self.window.byte(at - 1));
                    is_written = self.write_full(blocks);
                }
                self.window.at += 1;
                self.waiting = true;
            }
            if is_written && !last && !self.note(blocks) {
                break;
            }
        }
    }

    /// Notes where a block ended, and says whether to go on.
    fn note(&mut self, blocks: &Blocks) -> bool {
        let (halves, at) = (self.window.halves, self.window.at as u16);
        let (waiting, found, held) = (self.waiting, self.found, blocks.bits.held());
        self.marks.note(Checkpoint { halves, at, waiting, found, held });
        self.marks.goes_on()
    }

    /// Writes the block when it is full, and says whether it was.
    fn write_full(&mut self, blocks: &mut Blocks) -> bool {
        let is_full = self.tokens.len() == BLOCK_TOKENS;
        if is_full {
            self.write(blocks);
        }
        is_full
    }

    fn write(&mut self, blocks: &mut Blocks) {
        blocks.smallest(&mut self.tokens, self.window.plain());
        self.tokens.clear();
        self.window.block = Some(self.window.at);
    }

    #[inline(always)]
    fn insert(&mut self, at: usize) -> u16 {
        let bytes = self.window.four(at).swap_bytes();
        self.window.insert(at, bytes.wrapping_mul(0x1e35_a7bd) >> (32 - HASH_BITS))
    }

    fn insert_all(&mut self, from: usize, to: usize) {
        for at in from..to {
            self.insert(at);
        }
    }

    #[inline(always)]
    fn search(&self, head: u16) -> Match {
        let Rules { tries, nice, .. } = self.rules;
        self.window.search(head, tries, nice, |length, offset| length > SHORTEST || offset <= SHORTEST_WITHIN)
    }
}
