//! The window that moves over the plain bytes, and chains through it of the positions with the same hash.

use super::matching::{length, load32};
use super::symbols::{FARTHEST, LONGEST};

/// The window holds the bytes to encode and what they may copy from.
pub(super) const BYTES: usize = 2 * FARTHEST;

/// Room behind the window for reads of eight bytes.
const PADDED: usize = BYTES + 8;

/// Bits of a hash.
pub(super) const HASH_BITS: u32 = 17;

/// The shortest match.
pub(super) const SHORTEST: usize = 4;

/// Except at the end of the stream, no position is encoded with fewer bytes than this behind it.
const AHEAD: usize = SHORTEST + LONGEST;

/// A match; with a length of less than [`SHORTEST`] none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) length: usize,
    pub(super) offset: usize,
}

/// No match.
pub(super) const NOTHING: Match = Match { length: SHORTEST - 1, offset: 0 };

/// 384 KiB. Positions count from the start of the window.
pub(super) struct Window {
    bytes: Box<[u8; PADDED]>,
    /// The last position with each hash, plus one; 0 for none.
    heads: Box<[u16; 1 << HASH_BITS]>,
    /// The position before each with the same hash, plus one; 0 for none.
    previous: Box<[u16; FARTHEST]>,
    /// The position that comes next.
    pub(super) at: usize,
    /// How much is filled.
    pub(super) end: usize,
    /// How often the first half was dropped.
    pub(super) halves: u32,
    /// Where the block starts, if that is still in the window.
    pub(super) block: Option<usize>,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            bytes: Box::new([0; PADDED]),
            heads: Box::new([0; 1 << HASH_BITS]),
            previous: Box::new([0; FARTHEST]),
            at: 0,
            end: 0,
            halves: 0,
            block: Some(0),
        }
    }

    /// Takes what there is room for, after the first half was dropped if all but the last bytes are encoded; how much it was.
    pub(super) fn fill(&mut self, plain: &[u8]) -> usize {
        if self.at > BYTES - AHEAD - 1 {
            self.shift();
        }
        let count = plain.len().min(BYTES - self.end);
        self.bytes[self.end..self.end + count].copy_from_slice(&plain[..count]);
        self.end += count;
        count
    }

    pub(super) fn is_full(&self) -> bool {
        self.end == BYTES
    }

    /// Whether the next position can be encoded; only when it is the `last` call, near the end too.
    #[inline(always)]
    pub(super) fn goes_on(&self, last: bool) -> bool {
        if last { self.at < self.end } else { self.at + AHEAD <= self.end }
    }

    /// Positions from here on are too near to the end to be hashed.
    pub(super) fn hashed(&self) -> usize {
        (self.end + 1).saturating_sub(SHORTEST)
    }

    #[inline(always)]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes[at & (BYTES - 1)]
    }

    /// The four bytes at `at`, the first one lowest.
    #[inline(always)]
    pub(super) fn four(&self, at: usize) -> u32 {
        load32(&self.bytes[..], at & (BYTES - 1))
    }

    pub(super) fn between(&self, start: usize, end: usize) -> &[u8] {
        &self.bytes[start..end]
    }

    /// For how many bytes, at most `most`, those from `one` on are those from `other` on.
    #[inline(always)]
    pub(super) fn agree(&self, one: usize, other: usize, most: usize) -> usize {
        length(&self.bytes[..], one, other, most)
    }

    /// The plain bytes of the block, if all are still here.
    pub(super) fn plain(&self) -> Option<&[u8]> {
        self.block.map(|start| &self.bytes[start..self.at])
    }

    /// Remembers the position `at` for its `hash`, and says which one was remembered.
    #[inline(always)]
    pub(super) fn insert(&mut self, at: usize, hash: u32) -> u16 {
        let before = std::mem::replace(&mut self.heads[hash as usize & ((1 << HASH_BITS) - 1)], (at + 1) as u16);
        self.previous[at & (FARTHEST - 1)] = before;
        before
    }

    /// The last position with `hash`.
    #[inline(always)]
    pub(super) fn head(&self, hash: u32) -> Option<usize> {
        usize::from(self.heads[hash as usize & ((1 << HASH_BITS) - 1)]).checked_sub(1)
    }

    /// The longest match at the next position that `takes` says yes to (given length and distance), the nearest of them, among the first `tries` places of the chain from `head`
    /// on. One of `nice` bytes ends the search.
    #[inline(always)]
    pub(super) fn search(
        &self,
        head: u16,
        tries: u32,
        nice: usize,
        mut takes: impl FnMut(usize, usize) -> bool,
    ) -> Match {
        let here = self.at & (BYTES - 1);
        let nearest = here.saturating_sub(FARTHEST);
        let most = LONGEST.min(self.end - here);
        let nice = nice.min(most);
        let mut found = NOTHING;
        // Whoever is longer than what was found has these four bytes.
        let mut wanted = self.four(here);
        let mut candidate = head;
        for _ in 0..tries {
            let Some(at) = candidate.checked_sub(1).map(usize::from).filter(|at| *at >= nearest) else { break };
            if self.four(at + found.length - 3) == wanted {
                let count = self.agree(at, here, most);
                if count > found.length && takes(count, here - at) {
                    found = Match { length: count, offset: here - at };
                    if count >= nice {
                        break;
                    }
                    wanted = self.four(here + count - 3);
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

    /// Drops the first half.
    fn shift(&mut self) {
        self.bytes.copy_within(FARTHEST..BYTES, 0);
        self.at -= FARTHEST;
        self.end -= FARTHEST;
        self.halves += 1;
        self.block = self.block.and_then(|start| start.checked_sub(FARTHEST));
        for position in self.heads.iter_mut().chain(self.previous.iter_mut()) {
            *position = position.saturating_sub(FARTHEST as u16);
        }
    }
}

#[cfg(test)]
mod tests;
