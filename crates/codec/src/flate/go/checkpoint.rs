//! Where an encoder of levels 4 to 9 can start again: all it does then depends on the bytes in the window and on these few numbers.

use super::super::symbols::{FARTHEST, LONGEST};
use super::super::window::{BYTES as WINDOW, Match, NOTHING, SHORTEST};

/// The state of an encoder of levels 4 to 9 behind the end of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Halves of a window before the window.
    pub(super) halves: u32,
    /// The next position, in the window.
    pub(super) at: u16,
    /// The byte before it is not written yet.
    pub(super) waiting: bool,
    /// The match at the position before it, which is not written yet.
    pub(super) found: Match,
    /// The lowest bits of a byte that is not full yet, and their number.
    pub(super) held: (u8, u8),
}

impl Checkpoint {
    /// Bytes of [`Self::to_bytes`].
    pub const BYTES: usize = 12;

    /// The plain bytes that are encoded, but for one when a byte waits.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.window() + u64::from(self.at)
    }

    /// The plain bytes from here on are what an encoder that starts again is given.
    #[must_use]
    pub fn continues_at(&self) -> u64 {
        self.window() + WINDOW as u64
    }

    /// The plain bytes before the window.
    pub(super) fn window(&self) -> u64 {
        u64::from(self.halves) * FARTHEST as u64
    }

    /// The number of halves of 32 KiB before the window (4 bytes), the next position in it (2), length (2) and distance (2) of the match
    /// that waits, 3 and 0 for none, each with its lowest byte first; then the number of bits in the next byte, plus 8 when a literal or
    /// match waits, and those bits.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let [a, b, c, d] = self.halves.to_le_bytes();
        let [e, f] = self.at.to_le_bytes();
        let [g, h] = (self.found.length as u16).to_le_bytes();
        let [i, j] = (self.found.offset as u16).to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j, self.held.1 | u8::from(self.waiting) << 3, self.held.0]
    }

    /// The checkpoint that [`Self::to_bytes`] gives these bytes for; none for what no encoder comes to.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, i, j, flags, held] = bytes;
        let at = u16::from_le_bytes([e, f]);
        let found = Match { length: u16::from_le_bytes([g, h]).into(), offset: u16::from_le_bytes([i, j]).into() };
        let (waiting, count) = (flags & 8 != 0, flags & 7);
        let is_match = waiting
            && (SHORTEST..=LONGEST).contains(&found.length)
            && (1..=FARTHEST).contains(&found.offset)
            && found.offset < usize::from(at);
        let fits = at > 0 && flags < 16 && held >> count == 0 && (found == NOTHING || is_match);
        let halves = u32::from_le_bytes([a, b, c, d]);
        fits.then_some(Self { halves, at, waiting, found, held: (held, count) })
    }

    /// Whether the plain bytes, of which there are `length`, hold what it tells of.
    pub(super) fn fits(&self, length: u64) -> bool {
        self.continues_at() <= length && usize::from(self.at) + self.found.length <= WINDOW + usize::from(self.waiting)
    }
}

/// Which checkpoints an encoder notes.
pub(super) struct Marks {
    /// The first block end from here on is noted.
    pub(super) from: u64,
    /// The next one comes this much later; without it, encoding stops.
    pub(super) apart: Option<u64>,
    pub(super) noted: Vec<Checkpoint>,
}

impl Marks {
    /// Notes nothing.
    pub(super) const NONE: Self = Self { from: u64::MAX, apart: None, noted: Vec::new() };

    /// Notes `checkpoint` if it is one to note.
    pub(super) fn note(&mut self, checkpoint: Checkpoint) {
        if checkpoint.position() >= self.from {
            self.noted.push(checkpoint);
            self.from = self.apart.map_or(u64::MAX, |apart| checkpoint.position().saturating_add(apart));
        }
    }

    /// Whether encoding goes on.
    pub(super) fn goes_on(&self) -> bool {
        self.apart.is_some() || self.noted.is_empty()
    }
}

#[cfg(test)]
mod tests;
