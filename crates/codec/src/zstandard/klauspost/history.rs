//! The bytes that matches can reach, and what the match finders share.

use super::bits::narrow;
use super::block::Parsed;
use super::sequences::{MATCH_MIN, Sequence};

/// The longest match that one grows to backwards (RFC 8878, 3.1.1.3.2.1.1).
pub(super) const MATCH_MAX: usize = 131_074;

/// Places count from here again before 32 bits end.
const PLACE_MAX: u32 = 1 << 30;

/// The window before the block that is being filled, and the block.
pub(super) struct History {
    bytes: Vec<u8>,
    window: usize,
    /// Where the block starts.
    start: usize,
    /// The place of the first byte. Places start at the window's size, so that those of an empty table are out of reach.
    base: u32,
}

impl History {
    pub(super) fn new(window: usize) -> Self {
        Self { bytes: Vec::new(), window, start: 0, base: narrow(window) }
    }

    /// The bytes of the block so far.
    pub(super) fn block(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Where a match finder looks; `whole` where the block is all there is.
    pub(super) fn search(&self, whole: bool) -> Search<'_> {
        Search { bytes: &self.bytes, start: self.start, base: self.base, window: self.window, whole }
    }

    /// Starts a block of up to `size` bytes: what is out of reach goes when twice the window is full.
    pub(super) fn start_block(&mut self, size: usize) {
        if self.bytes.len() + size > 2 * self.window {
            let gone = self.bytes.len() - self.window;
            self.bytes.drain(..gone);
            self.base += narrow(gone);
        }
        self.start = self.bytes.len();
        self.bytes.reserve_exact(2 * self.window - self.start);
    }

    /// By how much the places have to become smaller, if it is time.
    pub(super) fn rebase(&mut self) -> Option<u32> {
        let by = self.base.checked_sub(PLACE_MAX)?;
        let by = by + PLACE_MAX - narrow(self.window);
        self.base -= by;
        Some(by)
    }
}

/// Where a match finder looks.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) start: usize,
    pub(super) base: u32,
    pub(super) window: usize,
    pub(super) whole: bool,
}

impl Search<'_> {
    #[inline]
    pub(super) const fn place(&self, at: usize) -> u32 {
        self.base + narrow(at)
    }

    /// The index of the place, if it is less than a window before `at`.
    #[inline]
    pub(super) fn near(&self, place: u32, at: usize) -> Option<usize> {
        let distance = (self.place(at) - place) as usize;
        (distance < self.window).then(|| at - distance)
    }

    /// The index of the place, if it is still there.
    #[inline]
    pub(super) fn index(&self, place: u32) -> Option<usize> {
        place.checked_sub(self.base).map(|index| index as usize)
    }
}

/// Where the block is one byte, all of it as one literal and a match; whether it is.
pub(super) fn run(search: &Search<'_>, parsed: &mut Parsed) -> bool {
    let block = &search.bytes[search.start..];
    let is_run = block.len() > MATCH_MIN as usize && block.iter().all(|byte| *byte == block[0]);
    if is_run {
        parsed.literals.push(block[0]);
        parsed.sequences.push(Sequence { literals: 1, matched: narrow(block.len() - 1) - MATCH_MIN, offset: 4 });
    }
    is_run
}

/// The last two places by hash, the last first.
pub(super) struct Pairs<const BITS: u32>(Vec<[u32; 2]>);

impl<const BITS: u32> Pairs<BITS> {
    pub(super) fn new() -> Self {
        Self(vec![[0; 2]; 1 << BITS])
    }

    #[inline]
    pub(super) fn get(&self, hash: usize) -> [u32; 2] {
        self.0[hash]
    }

    /// Puts the place under `hash` and gives those that were there.
    #[inline]
    pub(super) fn push(&mut self, hash: usize, place: u32) -> [u32; 2] {
        let pair = &mut self.0[hash];
        let earlier = *pair;
        *pair = [place, earlier[0]];
        earlier
    }

    pub(super) fn rebase(&mut self, by: u32) {
        for place in self.0.iter_mut().flatten() {
            *place = place.saturating_sub(by);
        }
    }
}

/// Places by hash, each with the four bytes there: the place is the lower half.
pub(super) struct Places<const BITS: u32>(Vec<u64>);

impl<const BITS: u32> Places<BITS> {
    pub(super) fn new() -> Self {
        Self(vec![0; 1 << BITS])
    }

    #[inline]
    pub(super) fn get(&self, hash: usize) -> Place {
        Place(self.0[hash])
    }

    /// Puts the place under `hash` and gives the one that was there.
    #[inline]
    pub(super) fn replace(&mut self, hash: usize, place: u32, bytes: u64) -> Place {
        let slot = &mut self.0[hash];
        let earlier = *slot;
        *slot = u64::from(place) | bytes << 32;
        Place(earlier)
    }

    pub(super) fn rebase(&mut self, by: u32) {
        for slot in &mut self.0 {
            let place = Place(*slot).place();
            *slot = place.checked_sub(by).map_or(0, |place| (*slot >> 32) << 32 | u64::from(place));
        }
    }
}

/// A place and the four bytes that were there.
#[derive(Clone, Copy)]
pub(super) struct Place(u64);

impl Place {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the place")]
    #[inline]
    const fn place(self) -> u32 {
        self.0 as u32
    }

    /// The index of the place, if it starts with the lowest four of `bytes` and is less than a window before `at`.
    #[inline]
    pub(super) fn matching(self, search: &Search<'_>, at: usize, bytes: u64) -> Option<usize> {
        let distance = (search.place(at) - self.place()) as usize;
        (distance < search.window && self.0 >> 32 == bytes & 0xFFFF_FFFF).then(|| at - distance)
    }
}

/// The sequences of a block as they grow.
pub(super) struct Parser<'a> {
    search: Search<'a>,
    parsed: &'a mut Parsed,
    /// Where the next literals start.
    pub(super) emitted: usize,
    /// The last two offsets.
    pub(super) offsets: [usize; 2],
}

impl<'a> Parser<'a> {
    pub(super) const fn new(search: Search<'a>, parsed: &'a mut Parsed) -> Self {
        Self { search, parsed, emitted: search.start, offsets: [1, 4] }
    }

    /// Parses a block. If it has at least `least` bytes, `step` is given where to go on and the limit, `margin` bytes before the end,
    /// until there is nowhere to go on.
    #[inline]
    pub(super) fn over(
        search: Search<'a>,
        parsed: &'a mut Parsed,
        (least, margin): (usize, usize),
        mut step: impl FnMut(&mut Self, usize, usize) -> Option<usize>,
    ) {
        let mut parser = Self::new(search, parsed);
        let end = search.bytes.len();
        if end - search.start >= least {
            let mut at = Some(search.start);
            while let Some(from) = at {
                at = step(&mut parser, from, end - margin);
            }
        }
        parser.finish();
    }

    /// Whether offsets can be used again: they are not carried from block to block, and the first matches never use them.
    #[inline]
    pub(super) fn repeats(&self) -> bool {
        self.parsed.sequences.len() > 2
    }

    /// How far the last match is behind.
    #[inline]
    pub(super) const fn since(&self, at: usize) -> usize {
        at - self.emitted
    }

    /// Whether the last offset leads to the same four bytes at `at`.
    #[inline]
    pub(super) fn repeats_at(&self, at: usize, bytes: u64) -> bool {
        self.repeats() && u64::from(load32(self.search.bytes, at - self.offsets[0])) == bytes & 0xFFFF_FFFF
    }

    /// Whether the offset before the last does.
    #[inline]
    pub(super) fn repeats_second_at(&self, at: usize, bytes: u64) -> bool {
        u64::from(load32(self.search.bytes, at - self.offsets[1])) == bytes & 0xFFFF_FFFF
    }

    /// A match at `at` with the last offset; it grows backwards to `floor` and leaves a literal. Gives its end.
    pub(super) fn repeat(&mut self, at: usize, floor: usize, longest: usize) -> usize {
        let earlier = at - self.offsets[0];
        let end = at + 4 + self.common(at + 4, earlier + 4);
        let room = (at - self.emitted - 1).min(earlier.saturating_sub(floor)).min(longest.saturating_sub(end - at));
        let start = at - self.common_before(at, earlier, room);
        self.emit(start, end, 1);
        end
    }

    /// A match at `at` with the four bytes at `earlier`. Gives where it starts and ends.
    pub(super) fn matched(&mut self, at: usize, earlier: usize) -> (usize, usize) {
        self.matched_for(at, earlier, 4 + self.common(at + 4, earlier + 4))
    }

    /// The same, when it is known for how many bytes.
    pub(super) fn matched_for(&mut self, at: usize, earlier: usize, length: usize) -> (usize, usize) {
        let offset = at - earlier;
        self.offsets = [offset, self.offsets[0]];
        let end = at + length;
        let floor = at.saturating_sub(self.search.window);
        let room = (at - self.emitted).min(earlier.saturating_sub(floor)).min(MATCH_MAX.saturating_sub(end - at));
        let start = at - self.common_before(at, earlier, room);
        self.emit(start, end, narrow(offset) + 3);
        (start, end)
    }

    /// A match right behind the last with the offset before that one's, which change places. Gives its end.
    pub(super) fn repeat_second(&mut self, at: usize) -> usize {
        let earlier = at - self.offsets[1];
        let end = at + 4 + self.common(at + 4, earlier + 4);
        self.offsets.swap(0, 1);
        self.emit(at, end, 1);
        end
    }

    /// What is left are literals.
    pub(super) fn finish(self) {
        self.parsed.literals.extend_from_slice(&self.search.bytes[self.emitted..]);
    }

    /// A match from `start` to `end`, behind the literals that nothing has yet; `offset` is that of the format.
    pub(super) fn emit(&mut self, start: usize, end: usize, offset: u32) {
        let literals = &self.search.bytes[self.emitted..start];
        self.parsed.literals.extend_from_slice(literals);
        let matched = narrow(end - start) - MATCH_MIN;
        self.parsed.sequences.push(Sequence { literals: narrow(literals.len()), matched, offset });
        self.emitted = end;
    }

    /// How many bytes from two places on are equal.
    #[inline]
    pub(super) fn common(&self, at: usize, earlier: usize) -> usize {
        let (later, earlier) = (&self.search.bytes[at..], &self.search.bytes[earlier..]);
        let eights = later.chunks_exact(8).zip(earlier.chunks_exact(8));
        for (count, (a, b)) in eights.enumerate() {
            let differ = load64(a, 0) ^ load64(b, 0);
            if differ != 0 {
                return count * 8 + (differ.trailing_zeros() / 8) as usize;
            }
        }
        let rest = later.len() & !7;
        rest + later[rest..].iter().zip(&earlier[rest..]).take_while(|(a, b)| a == b).count()
    }

    /// How many bytes before two places are equal, at most `room`.
    #[inline]
    pub(super) fn common_before(&self, at: usize, earlier: usize, room: usize) -> usize {
        let (later, earlier) = (&self.search.bytes[at - room..at], &self.search.bytes[earlier - room..earlier]);
        later.iter().rev().zip(earlier.iter().rev()).take_while(|(a, b)| a == b).count()
    }
}

#[inline]
pub(super) fn load32(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

#[inline]
pub(super) fn load64(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// The highest `BITS` bits of the lowest `8 * BYTES` bits multiplied.
#[expect(clippy::cast_possible_truncation, reason = "the shift leaves `BITS` bits")]
#[inline]
pub(super) const fn hash<const BYTES: u32, const BITS: u32>(bytes: u64) -> usize {
    const PRIMES: [u64; 9] =
        [0, 0, 0, 0, 0, 889_523_592_379, 227_718_039_650_203, 58_295_818_150_454_627, 0xCF1B_BCDC_B7A5_6463];
    ((bytes << (64 - 8 * BYTES)).wrapping_mul(PRIMES[BYTES as usize]) >> (64 - BITS)) as usize
}

/// The highest `BITS` bits of the lowest 32 bits multiplied.
#[expect(clippy::cast_possible_truncation, reason = "only the lowest four bytes count")]
#[inline]
pub(super) const fn hash4<const BITS: u32>(bytes: u64) -> usize {
    ((bytes as u32).wrapping_mul(2_654_435_761) >> (32 - BITS)) as usize
}

#[cfg(test)]
mod tests;
