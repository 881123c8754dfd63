//! Levels 2 to 9: every position is chained to the one before it with the same hash. From level 4 on, a match waits for the
//! next position to find a longer one.

use super::super::matching::{length, load32};
use super::super::symbols::{FARTHEST, LONGEST};
use super::super::tokens::Tokens;
use super::blocks::Blocks;

/// The window holds the bytes to encode and what they may copy from.
const WINDOW: usize = 2 * FARTHEST;

/// Room behind the window for reads of eight bytes.
const PADDED: usize = WINDOW + 8;

const HASH_BITS: u32 = 17;

/// The shortest match.
const SHORTEST: usize = 4;

/// A match of the shortest length may not be farther than this.
const SHORTEST_WITHIN: usize = 4096;

/// Except at the end of the stream, no position is encoded with fewer bytes than this behind it.
const AHEAD: usize = SHORTEST + LONGEST;

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

/// The window, the chains through it, and the match that waits.
pub(super) struct Chains {
    rules: Rules,
    window: Box<[u8; PADDED]>,
    /// The last position with each hash, plus one; 0 for none.
    heads: Box<[u16; 1 << HASH_BITS]>,
    /// The position before each with the same hash, plus one; 0 for none.
    previous: Box<[u16; FARTHEST]>,
    /// The position that comes next.
    at: usize,
    /// How much of the window is filled.
    end: usize,
    /// Where the block starts, if that is still in the window.
    block: Option<usize>,
    /// The byte before `at` is not among the tokens yet.
    waiting: bool,
    /// Length and distance of the match at the position before.
    found: Found,
    tokens: Tokens,
}

/// A match; with a length of less than [`SHORTEST`] none.
#[derive(Clone, Copy)]
struct Found {
    length: usize,
    offset: usize,
}

const NOTHING: Found = Found { length: SHORTEST - 1, offset: 0 };

impl Chains {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            window: Box::new([0; PADDED]),
            heads: Box::new([0; 1 << HASH_BITS]),
            previous: Box::new([0; FARTHEST]),
            at: 0,
            end: 0,
            block: Some(0),
            waiting: false,
            found: NOTHING,
            tokens: Tokens::new(),
        }
    }

    pub(super) fn fill(&mut self, plain: &[u8]) -> usize {
        if self.at >= WINDOW - AHEAD {
            self.shift();
        }
        let count = plain.len().min(WINDOW - self.end);
        self.window[self.end..self.end + count].copy_from_slice(&plain[..count]);
        self.end += count;
        count
    }

    pub(super) fn is_full(&self) -> bool {
        self.end == WINDOW
    }

    /// Encodes what was filled in, all of it when it is the `last`.
    pub(super) fn step(&mut self, blocks: &mut Blocks, last: bool) {
        match self.rules.skip {
            Some(skip) => self.eager(skip, last, blocks),
            None => self.lazy(last, blocks),
        }
        if last {
            if std::mem::take(&mut self.waiting) {
                self.tokens.literal(self.window[self.at - 1]);
            }
            if self.tokens.len() > 0 {
                self.write(self.at, blocks);
            }
        }
    }

    /// Takes the first match at each position.
    fn eager(&mut self, skip: usize, last: bool, blocks: &mut Blocks) {
        let hashed = self.hashed();
        while self.goes_on(last) {
            let mut found = NOTHING;
            if self.at < hashed {
                let head = self.insert(self.at);
                found = self.search(head);
            }
            if found.length < SHORTEST {
                self.tokens.literal(self.window[self.at]);
                self.at += 1;
            } else {
                self.tokens.copy(found.length, found.offset);
                let end = self.at + found.length;
                if found.length <= skip {
                    self.insert_all(self.at + 1, end.min(hashed));
                }
                self.at = end;
            }
            self.write_full(self.at, blocks);
        }
    }

    /// Takes the match at a position unless the one at the next is longer.
    fn lazy(&mut self, last: bool, blocks: &mut Blocks) {
        let hashed = self.hashed();
        while self.goes_on(last) {
            let before = std::mem::replace(&mut self.found, NOTHING);
            if self.at < hashed {
                let head = self.insert(self.at);
                if before.length < self.rules.lazy && before.length < self.end - self.at {
                    self.found = self.search(head);
                }
            }
            if before.length >= SHORTEST && self.found.length <= before.length {
                self.tokens.copy(before.length, before.offset);
                let end = self.at - 1 + before.length;
                self.insert_all(self.at + 1, end.min(hashed));
                self.at = end;
                self.found = NOTHING;
                self.waiting = false;
                self.write_full(self.at, blocks);
            } else {
                if self.waiting {
                    self.tokens.literal(self.window[self.at - 1]);
                    self.write_full(self.at, blocks);
                }
                self.at += 1;
                self.waiting = true;
            }
        }
    }

    /// Positions from here on are too near to the end to be hashed.
    fn hashed(&self) -> usize {
        (self.end + 1).saturating_sub(SHORTEST)
    }

    fn goes_on(&self, last: bool) -> bool {
        if last { self.at < self.end } else { self.at + AHEAD <= self.end }
    }

    fn write_full(&mut self, end: usize, blocks: &mut Blocks) {
        if self.tokens.len() == BLOCK_TOKENS {
            self.write(end, blocks);
        }
    }

    fn write(&mut self, end: usize, blocks: &mut Blocks) {
        let plain = self.block.map(|start| &self.window[start..end]);
        blocks.smallest(&mut self.tokens, plain);
        self.tokens.clear();
        self.block = Some(end);
    }

    /// Remembers the position `at`, and says which one was remembered for its hash.
    #[inline(always)]
    fn insert(&mut self, at: usize) -> u16 {
        let bytes = load32(&self.window[..], at & (WINDOW - 1)).swap_bytes();
        let head = &mut self.heads[(bytes.wrapping_mul(0x1e35_a7bd) >> (32 - HASH_BITS)) as usize];
        let before = std::mem::replace(head, (at + 1) as u16);
        self.previous[at & (FARTHEST - 1)] = before;
        before
    }

    fn insert_all(&mut self, from: usize, to: usize) {
        for at in from..to {
            self.insert(at);
        }
    }

    /// The longest match at the current position, the nearest of them, among the first places of its chain.
    #[inline(always)]
    fn search(&self, head: u16) -> Found {
        let here = self.at & (WINDOW - 1);
        let nearest = here.saturating_sub(FARTHEST);
        let most = LONGEST.min(self.end - here);
        let nice = self.rules.nice.min(most);
        let mut found = NOTHING;
        // Whoever is longer than what was found has these four bytes.
        let mut wanted = load32(&self.window[..], here);
        let mut candidate = head;
        for _ in 0..self.rules.tries {
            let Some(at) = candidate.checked_sub(1).map(usize::from).filter(|at| *at >= nearest) else { break };
            if load32(&self.window[..], at + found.length - 3) == wanted {
                let count = length(&self.window[..], at, here, most);
                if count > found.length && (count > SHORTEST || here - at <= SHORTEST_WITHIN) {
                    found = Found { length: count, offset: here - at };
                    if count >= nice {
                        break;
                    }
                    wanted = load32(&self.window[..], here + count - 3);
                }
            }
            // That of the farthest place is the one of `here` already.
            if at + FARTHEST == here {
                break;
            }
            candidate = self.previous[at & (FARTHEST - 1)];
        }
        found
    }

    /// Forgets the first half of the window.
    fn shift(&mut self) {
        self.window.copy_within(FARTHEST..WINDOW, 0);
        self.at -= FARTHEST;
        self.end -= FARTHEST;
        self.block = self.block.and_then(|start| start.checked_sub(FARTHEST));
        for position in self.heads.iter_mut().chain(self.previous.iter_mut()) {
            *position = position.saturating_sub(FARTHEST as u16);
        }
    }
}
