//! The bytes that are looked at, and where their strings of three bytes stood before.

use super::super::matching;
use super::super::symbols::LONGEST;
use super::Program;

/// The shortest match.
pub(super) const SHORTEST: usize = 3;

/// By how much the window moves, half of what it holds; and the lists below have as many entries.
pub(super) const SIZE: usize = 1 << 15;

/// As long as more comes, a search has so many bytes before it: the longest match, and the string behind it.
pub(super) const LOOKAHEAD: usize = LONGEST + SHORTEST + 1;

/// The farthest match: what is farther away may have left the window.
const FARTHEST: usize = SIZE - LOOKAHEAD;

/// Where the window's last strings start.
const END: usize = 2 * SIZE - LOOKAHEAD;

/// What the window holds, and as much behind it as a search can look at.
const BYTES: usize = 2 * SIZE + LONGEST + 8;

/// GNU gzip clears so many bytes behind the end of all.
const CLEARED: usize = SHORTEST - 1;

/// A match.
#[derive(Clone, Copy)]
pub(super) struct Match {
    pub(super) length: usize,
    /// Where in the window.
    pub(super) start: usize,
}

impl Match {
    /// Shorter than all.
    pub(super) const NONE: Self = Self { length: SHORTEST - 1, start: 0 };
}

/// 64 KiB of bytes, and for each string of three the places where one with the same hash started, from the last to the first.
/// Place 0 ends such a chain, which keeps matches away from the first byte of all.
pub(super) struct Window {
    program: Program,
    bytes: Box<[u8; BYTES]>,
    /// The last place of each hash.
    last: Box<[u16; SIZE]>,
    /// The place before, by the low bits of a place.
    before: Box<[u16; SIZE]>,
    at: usize,
    /// Behind the bytes that were filled in.
    filled: usize,
    /// Where the block starts; negative when that has left the window.
    block: i32,
}

impl Window {
    pub(super) fn new(program: Program) -> Self {
        Self {
            program,
            bytes: Box::new([0; BYTES]),
            last: Box::new([0; SIZE]),
            before: Box::new([0; SIZE]),
            at: 0,
            filled: 0,
            block: 0,
        }
    }

    /// Takes what there is room for, and says how much that was.
    pub(super) fn fill(&mut self, plain: &[u8]) -> usize {
        let count = plain.len().min(2 * SIZE - self.filled);
        self.bytes[self.filled..self.filled + count].copy_from_slice(&plain[..count]);
        self.filled += count;
        count
    }

    pub(super) fn is_full(&self) -> bool {
        self.filled == 2 * SIZE
    }

    /// Whether the window moves before the next byte, even when there is none.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= END
    }

    /// Moves the second half to the front. It stays where it was, too: a search can look at it behind the end of all.
    pub(super) fn slide(&mut self) {
        self.bytes.copy_within(SIZE..2 * SIZE, 0);
        self.at -= SIZE;
        self.filled -= SIZE;
        self.block -= SIZE as i32;
        for place in self.last.iter_mut().chain(self.before.iter_mut()) {
            *place = place.saturating_sub(SIZE as u16);
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        if self.program == Program::Gzip {
            self.bytes[self.filled..self.filled + CLEARED].fill(0);
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn ahead(&self) -> usize {
        self.filled - self.at
    }

    pub(super) fn byte(&self) -> u8 {
        self.bytes[self.at]
    }

    pub(super) fn byte_before(&self) -> u8 {
        self.bytes[self.at - 1]
    }

    /// How many bytes the block has.
    pub(super) fn block_bytes(&self) -> usize {
        self.at.wrapping_add_signed(-self.block as isize)
    }

    /// The bytes of the block, when the window has all of them.
    pub(super) fn block(&self) -> Option<&[u8]> {
        usize::try_from(self.block).ok().map(|block| &self.bytes[block..self.at])
    }

    pub(super) fn start_block(&mut self) {
        self.block = self.at as i32;
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.at += count;
    }

    /// Advances by `count`, and enters the strings between.
    pub(super) fn advance_and_enter(&mut self, count: usize) {
        for _ in 1..count {
            self.at += 1;
            self.enter();
        }
        self.at += 1;
    }

    /// Enters the string here; where a search for a match starts, if there is any.
    #[inline(always)]
    pub(super) fn enter(&mut self) -> Option<usize> {
        let at = self.at & (2 * SIZE - 1);
        let [one, two, three] = [0, 1, 2].map(|next| usize::from(self.bytes[at + next]));
        let hash = (one << 10 ^ two << 5 ^ three) & (SIZE - 1);
        let place = std::mem::replace(&mut self.last[hash], at as u16);
        self.before[at & (SIZE - 1)] = place;
        let place = usize::from(place);
        // GNU gzip searches no more when the window could not move because nothing came.
        let is_searched = at <= END || self.program == Program::Busybox;
        (place != 0 && at - place <= FARTHEST && is_searched).then_some(place)
    }

    /// The first of the longest matches of more than `least` bytes here, cut to what is ahead. Bytes behind the end count
    /// until then.
    pub(super) fn longest(&self, place: usize, least: usize, tries: usize, nice: usize) -> Match {
        let bytes = &self.bytes[..];
        let at = self.at;
        let limit = at.saturating_sub(FARTHEST);
        let start = matching::load16(bytes, at);
        let mut found = Match { length: least, start: 0 };
        let mut end = matching::load16(bytes, at + least - 1);
        let mut place = place;
        for _ in 0..tries {
            if matching::load16(bytes, place + found.length - 1) == end && matching::load16(bytes, place) == start {
                let length = matching::length(bytes, place, at, LONGEST);
                if length > found.length {
                    found = Match { length, start: place };
                    if length >= nice {
                        break;
                    }
                    end = matching::load16(bytes, at + length - 1);
                }
            }
            place = usize::from(self.before[place & (SIZE - 1)]);
            if place <= limit {
                break;
            }
        }
        Match { length: found.length.min(self.ahead()), ..found }
    }
}

#[cfg(test)]
mod tests;
