//! The bytes that levels 1 to 6 search, and how a place in them is remembered.

use super::super::matching::{load32, load64};
use super::super::symbols::{FARTHEST, LONGEST};
use super::super::tokens::Tokens;
use super::BLOCK_BYTES;

/// When this is full, all but the last [`FARTHEST`] bytes go.
const FULL: usize = 5 * BLOCK_BYTES;

/// A position is less than this, so that a mask makes it one.
const MASK: usize = (1 << 19) - 1;

/// Positions are counted anew from here on, before they overflow.
const RENUMBERED_AT: u32 = 1 << 31;

/// No match is looked for in the last bytes of a block.
pub(super) const MARGIN: usize = 11;

/// The blocks that can be copied from, the last one of them the one to encode.
pub(super) struct History {
    bytes: Box<[u8; MASK + 9]>,
    length: usize,
    /// The place of the first byte, as tables remember it.
    base: u32,
}

impl History {
    pub(super) fn new() -> Self {
        Self { bytes: Box::new([0; MASK + 9]), length: 0, base: BLOCK_BYTES as u32 }
    }

    /// A history that counts anew after `bytes` more.
    #[cfg(test)]
    pub(super) fn counts_anew_after(bytes: u32) -> Self {
        Self { base: RENUMBERED_AT - bytes, ..Self::new() }
    }

    /// Appends a block, and says where it begins. What places lose by it is given to `forget`.
    pub(super) fn add(&mut self, block: &[u8], forget: impl FnOnce(u32)) -> usize {
        if self.base >= RENUMBERED_AT {
            let less = self.base - FARTHEST as u32;
            forget(less);
            self.base -= less;
        }
        if self.length + block.len() > FULL {
            let gone = self.length - FARTHEST;
            self.bytes.copy_within(gone..self.length, 0);
            self.base += gone as u32;
            self.length = FARTHEST;
        }
        let start = self.length;
        self.bytes[start..start + block.len()].copy_from_slice(block);
        self.length += block.len();
        start
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn between(&self, start: usize, end: usize) -> &[u8] {
        &self.bytes[start..end]
    }

    /// What tables remember of the position `at`.
    #[inline(always)]
    pub(super) fn place(&self, at: usize) -> u32 {
        self.base + at as u32
    }

    /// How far before `at` the `place` is; what was never remembered is too far.
    #[inline(always)]
    pub(super) fn distance(&self, place: u32, at: usize) -> usize {
        self.place(at).wrapping_sub(place) as usize
    }

    /// The position of `place`, where it is at most `most` before `at` and the four bytes of `value` stand there.
    #[inline(always)]
    pub(super) fn alike(&self, place: u32, at: usize, value: u64, most: usize) -> Option<usize> {
        let distance = self.distance(place, at);
        if distance <= most && self.four(at.wrapping_sub(distance)) == value as u32 {
            Some(at - distance)
        } else {
            None
        }
    }

    #[inline(always)]
    pub(super) fn four(&self, at: usize) -> u32 {
        load32(&self.bytes[..], at & MASK)
    }

    #[inline(always)]
    pub(super) fn eight(&self, at: usize) -> u64 {
        load64(&self.bytes[..], at & MASK)
    }

    /// For how many bytes those from `at` on are those from `from` on, as far as the block goes.
    #[inline(always)]
    pub(super) fn agree(&self, at: usize, from: usize) -> usize {
        self.agree_within(at, from, self.length - at)
    }

    /// The same for what one match holds, when its first four bytes are known to agree.
    #[inline(always)]
    pub(super) fn agree_in_match(&self, at: usize, from: usize) -> usize {
        4 + self.agree_within(at + 4, from + 4, (LONGEST - 4).min(self.length - at - 4))
    }

    #[inline(always)]
    fn agree_within(&self, at: usize, from: usize, most: usize) -> usize {
        let mut count = 0;
        while count + 8 <= most {
            let differing = self.eight(at + count) ^ self.eight(from + count);
            if differing != 0 {
                return count + (differing.trailing_zeros() >> 3) as usize;
            }
            count += 8;
        }
        while count < most && self.bytes[(at + count) & MASK] == self.bytes[(from + count) & MASK] {
            count += 1;
        }
        count
    }

    /// Writes the literals from `emitted` on and then `found`, which is made longer at its front where that agrees too.
    /// The match that was written.
    #[inline(always)]
    pub(super) fn emit(&self, mut found: Match, emitted: usize, tokens: &mut Tokens) -> Match {
        while found.from > 0
            && found.at > emitted
            && self.bytes[(found.from - 1) & MASK] == self.bytes[(found.at - 1) & MASK]
        {
            found = Match { at: found.at - 1, from: found.from - 1, length: found.length + 1 };
        }
        tokens.literals(self.between(emitted, found.at));
        tokens.copy_all(found.length, found.at - found.from);
        found
    }

    /// Writes the rest of the block as literals, unless there was no match in it at all.
    pub(super) fn emit_rest(&self, emitted: usize, tokens: &mut Tokens) {
        if tokens.len() > 0 {
            tokens.literals(self.between(emitted, self.length));
        }
    }
}

/// The `length` bytes from `at` on are those from `from` on.
#[derive(Clone, Copy)]
pub(super) struct Match {
    pub(super) at: usize,
    pub(super) from: usize,
    pub(super) length: usize,
}

impl Match {
    #[inline(always)]
    pub(super) fn end(self) -> usize {
        self.at + self.length
    }
}

/// How a level finds matches.
pub(super) trait Find: Send {
    /// Turns the block that begins at `start` of `history` into tokens.
    fn find(&mut self, history: &History, start: usize, tokens: &mut Tokens);

    /// Lowers every place by `less`.
    fn forget(&mut self, less: u32);
}

/// Places by hash.
pub(super) struct Table<const BITS: u32, const SIZE: usize>(pub(super) Box<[u32; SIZE]>);

impl<const BITS: u32, const SIZE: usize> Table<BITS, SIZE> {
    pub(super) fn new() -> Self {
        Self(Box::new([0; SIZE]))
    }

    pub(super) fn forget(&mut self, less: u32) {
        for place in self.0.iter_mut() {
            *place = place.saturating_sub(less);
        }
    }

    /// The slot for the lowest four bytes of `value`.
    #[inline(always)]
    pub(super) fn four(&mut self, value: u64) -> &mut u32 {
        &mut self.0[hash4(value, BITS) & (SIZE - 1)]
    }

    /// The slot for the lowest five bytes of `value`.
    #[inline(always)]
    pub(super) fn five(&mut self, value: u64) -> &mut u32 {
        &mut self.0[hash5(value, BITS) & (SIZE - 1)]
    }

    /// The slot for the lowest seven bytes of `value`.
    #[inline(always)]
    pub(super) fn seven(&mut self, value: u64) -> &mut u32 {
        &mut self.0[hash7(value, BITS) & (SIZE - 1)]
    }
}

/// The last two places by hash.
pub(super) struct Pairs<const BITS: u32, const SIZE: usize>(Box<[Pair; SIZE]>);

/// The last place and the one before it.
#[derive(Clone, Copy, Default)]
pub(super) struct Pair {
    pub(super) last: u32,
    pub(super) before: u32,
}

impl Pair {
    /// Remembers `place`, and says what was remembered.
    #[inline(always)]
    pub(super) fn push(&mut self, place: u32) -> Self {
        std::mem::replace(self, Self { last: place, before: self.last })
    }
}

impl<const BITS: u32, const SIZE: usize> Pairs<BITS, SIZE> {
    pub(super) fn new() -> Self {
        Self(Box::new([Pair::default(); SIZE]))
    }

    pub(super) fn forget(&mut self, less: u32) {
        for pair in self.0.iter_mut() {
            *pair = Pair { last: pair.last.saturating_sub(less), before: pair.before.saturating_sub(less) };
        }
    }

    /// The slot for the lowest five bytes of `value`.
    #[inline(always)]
    pub(super) fn five(&mut self, value: u64) -> &mut Pair {
        &mut self.0[hash5(value, BITS) & (SIZE - 1)]
    }

    /// The slot for the lowest seven bytes of `value`.
    #[inline(always)]
    pub(super) fn seven(&mut self, value: u64) -> &mut Pair {
        &mut self.0[hash7(value, BITS) & (SIZE - 1)]
    }
}

/// The hash of four bytes, of `bits` bits.
#[inline(always)]
pub(super) fn hash4(value: u64, bits: u32) -> usize {
    ((value as u32).wrapping_mul(2_654_435_761) >> (32 - bits)) as usize
}

#[inline(always)]
fn hash5(value: u64, bits: u32) -> usize {
    ((value << 24).wrapping_mul(889_523_592_379) >> (64 - bits)) as usize
}

#[inline(always)]
fn hash7(value: u64, bits: u32) -> usize {
    ((value << 8).wrapping_mul(58_295_818_150_454_627) >> (64 - bits)) as usize
}

#[cfg(test)]
mod tests;
