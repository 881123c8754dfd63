//! The windows of the base, findable by their hash.

use std::io;
use std::ops::Range;
use std::slice;
use std::sync::OnceLock;

use super::grow::{agreeing, agreeing_before};
use super::{Match, SEED};
use crate::ReadAt;
use crate::bytes::{Bytes, OVERLAP};
use crate::limits::ALIGN_SAMPLES;

/// The shortest windows that are told apart by their hash; what is shorter is everywhere.
pub(super) const SHORTEST_WINDOW: usize = 13;

/// Windows with the same hash that are looked at; what repeats more often (padding, tables) is no good seed anyway.
const PROBES: usize = 8;

/// Places with the same slot that are passed on the way.
const HOPS: usize = 64;

/// The bits of an entry that hold a sample's number plus one; the others hold its tag.
const PLACE_BITS: u32 = (ALIGN_SAMPLES + 1).next_power_of_two().trailing_zeros();
const PLACE: u32 = (1 << PLACE_BITS) - 1;

/// A candidate this long is taken without looking for a longer one.
const LONG_ENOUGH: u64 = 4096;

/// How far around the expected place a common window is looked for.
const NEAR: u64 = 2 << 10;

/// So many bytes of the target are looked at in one go.
const STRETCH: usize = 1 << 10;

/// Where the target has had nothing of the base for so many bytes, only one window in so many is looked up: what is new is long. The numbers
/// are odd, so that they meet every place of the samples in turn.
const STRIDES: [(u64, usize); 3] = [(256 << 10, 7), (32 << 10, 5), (4 << 10, 3)];

/// How closely a base is sampled: the time that takes, and the memory, against what is found in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fineness {
    /// At every byte.
    Every,
    /// At every second byte.
    Second,
    /// At every fourth byte.
    Fourth,
    /// At every eighth byte: matches of up to 20 bytes may be missed.
    Eighth,
}

impl Fineness {
    /// Whether matches may be missed to be faster.
    pub(crate) const fn is_rough(self) -> bool {
        !matches!(self, Self::Every)
    }

    const fn step(self) -> u64 {
        match self {
            Self::Every => 1,
            Self::Second => 2,
            Self::Fourth => 4,
            Self::Eighth => 8,
        }
    }
}

/// The sampled windows of a base.
pub struct Index<'a> {
    base: Bytes<'a>,
    fineness: Fineness,
    /// Where it is sampled; everywhere when that is not said.
    places: Option<Vec<Range<u64>>>,
    /// Made when a window is looked for: what is nearly the same as its base needs none.
    table: OnceLock<Table>,
}

impl<'a> Index<'a> {
    /// Reads the base once, as far as it is held. The memory is bounded by `ALIGN_SAMPLES` whatever its size.
    ///
    /// # Errors
    /// What reading the base reports.
    pub fn new(base: &'a dyn ReadAt, fineness: Fineness) -> io::Result<Self> {
        Ok(Self { base: Bytes::random(base)?, fineness, places: None, table: OnceLock::new() })
    }

    /// The same, but that only windows that start at these places of the base, which ascend and do not overlap, are found.
    ///
    /// # Errors
    /// What reading the base reports.
    pub(crate) fn within(base: &'a dyn ReadAt, fineness: Fineness, places: Vec<Range<u64>>) -> io::Result<Self> {
        Ok(Self { places: Some(places), ..Self::new(base, fineness)? })
    }

    pub(super) const fn base(&self) -> &Bytes<'a> {
        &self.base
    }

    pub(super) const fn is_rough(&self) -> bool {
        self.fineness.is_rough()
    }

    /// Whether a window was looked for.
    #[cfg(test)]
    pub(super) fn has_table(&self) -> bool {
        self.table.get().is_some()
    }

    pub(super) fn table(&self) -> io::Result<&Table> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = Table::new(self.base.shared(), self.fineness, self.places.as_deref())?;
        Ok(self.table.get_or_init(|| table))
    }
}

pub(super) struct Table {
    /// Every how many bytes a window was taken.
    step: u64,
    /// The bytes of a window: so few that every seed has one that was sampled, as far as that goes.
    window: usize,
    /// For each hash, the last sample that has it, plus one, with its tag; 0 is none.
    heads: Vec<u32>,
    /// For each sample, the one before it with the same slot, in the same form.
    links: Vec<u32>,
    shift: u32,
}

impl Table {
    fn new(mut base: Bytes<'_>, fineness: Fineness, places: Option<&[Range<u64>]>) -> io::Result<Self> {
        let length = base.len();
        let step = length.div_ceil(ALIGN_SAMPLES / fineness.step()).max(fineness.step());
        let window = usize::try_from(step).map_or(0, |step| (SEED + 1).saturating_sub(step)).max(SHORTEST_WINDOW);
        let samples = length.saturating_sub(window as u64 - 1).div_ceil(step);
        let samples = usize::try_from(samples).map_err(io::Error::other)?;
        let everywhere = 0..length;
        let places = places.unwrap_or(slice::from_ref(&everywhere));
        let sampled: u64 = places.iter().map(|place| (place.end - place.start).div_ceil(step)).sum();
        let sampled = usize::try_from(sampled).map_err(io::Error::other)?.min(samples);
        let bits = sampled.next_power_of_two().trailing_zeros().max(4);
        let (heads, links) = (vec![0; 1 << bits], vec![0; samples]);
        let mut table = Self { step, window, heads, links, shift: 64 - bits };
        places.iter().try_for_each(|place| table.fill(&mut base, place))?;
        Ok(table)
    }

    fn fill(&mut self, base: &mut Bytes<'_>, place: &Range<u64>) -> io::Result<()> {
        let step = usize::try_from(self.step).map_err(io::Error::other)?;
        let first_from = |at: u64| usize::try_from(at.div_ceil(self.step)).map_err(io::Error::other);
        let (mut sample, end) = (first_from(place.start)?, first_from(place.end)?.min(self.links.len()));
        let mut before = None;
        while sample < end {
            let piece = base.from(sample as u64 * self.step)?;
            let mut offset = 0;
            while let Some(window) = piece.get(offset..offset + self.window).filter(|_| sample < end) {
                let key = Some(load(window));
                // A run of one value or one short period gives the same window again and again: one of them is enough.
                if key != before {
                    let hash = hash(window);
                    let slot = self.slot(hash);
                    self.links[sample] = self.heads[slot];
                    self.heads[slot] = u32::try_from(sample + 1).map_err(io::Error::other)? | tag(hash);
                }
                before = key;
                sample += 1;
                offset += step;
            }
        }
        Ok(())
    }

    /// The next place at or behind `position` where the target has a window of the base, grown exactly in both
    /// directions but not over `current`. `position` is where the search stopped.
    pub(super) fn find(
        &self,
        base: &mut Bytes<'_>,
        target: &mut Bytes<'_>,
        position: &mut u64,
        current: Match,
    ) -> io::Result<Option<Match>> {
        if self.links.is_empty() {
            return Ok(None);
        }
        let start = *position;
        loop {
            let stride = self.stride(*position - start);
            let piece = target.from(*position)?;
            // Not further than to where the next stride begins.
            let piece = &piece[..piece.len().min(STRETCH)];
            let Some(offset) = self.first_known(piece, stride) else {
                let passed = piece.len().saturating_sub(self.window - 1) as u64;
                if passed == 0 || piece.len() < OVERLAP {
                    return Ok(None);
                }
                *position += passed;
                continue;
            };
            *position += offset as u64;
            if let Some(seed) = self.longest(base, target, *position, current)? {
                return Ok(Some(seed));
            }
            *position += 1;
        }
    }

    /// Every how many bytes a window is looked up that comes so far behind the last seed.
    fn stride(&self, behind: u64) -> usize {
        let strides = if self.step == 1 { &[][..] } else { &STRIDES };
        strides.iter().find(|(from, _)| behind >= *from).map_or(1, |(_, stride)| *stride)
    }

    /// The offset of the first window of `piece` whose hash some sample has, of every `stride`th.
    fn first_known(&self, piece: &[u8], stride: usize) -> Option<usize> {
        let mut offset = 0;
        while let Some(window) = piece.get(offset..offset + self.window) {
            if self.has(hash(window)) {
                return Some(offset);
            }
            offset += stride;
        }
        None
    }

    /// Whether there are [`Self::samples`]; for nearly all windows of new bytes there are none.
    fn has(&self, hash: u64) -> bool {
        let mut place = self.heads[self.slot(hash)];
        for _ in 0..HOPS {
            let Some(sample) = (place & PLACE).checked_sub(1) else { return false };
            if place & !PLACE == tag(hash) {
                return true;
            }
            place = self.links[sample as usize];
        }
        false
    }

    /// The samples with this hash, the last one first; with a hundredth of others.
    fn samples(&self, hash: u64) -> impl Iterator<Item = u64> + '_ {
        let mut place = self.heads[self.slot(hash)];
        let places = (0..HOPS).map_while(move |_| {
            let found = place;
            let sample = (found & PLACE).checked_sub(1)?;
            place = self.links[sample as usize];
            Some((found, u64::from(sample)))
        });
        places.filter(move |(found, _)| found & !PLACE == tag(hash)).map(|(_, sample)| sample)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the shift leaves fewer bits than a place has")]
    const fn slot(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }

    fn longest(
        &self,
        base: &mut Bytes<'_>,
        target: &mut Bytes<'_>,
        position: u64,
        current: Match,
    ) -> io::Result<Option<Match>> {
        let Some(window) = target.from(position)?.get(..self.window) else { return Ok(None) };
        let mut samples = self.samples(hash(window));
        let floor = position - current.target_end().min(position);
        let mut best = None::<Match>;
        for sample in samples.by_ref().take(PROBES) {
            let base_at = sample * self.step;
            let ahead = agreeing(base, base_at, target, position)?;
            if ahead < self.window as u64 {
                continue;
            }
            let behind = agreeing_before(base, base_at, target, position, floor.min(base_at))?;
            let length = ahead + behind;
            if length >= SEED as u64 && best.is_none_or(|best| length > best.length) {
                best = Some(Match { target: position - behind, base: base_at - behind, length });
            }
            if length >= LONG_ENOUGH {
                break;
            }
        }
        if samples.next().is_some() && best.is_none_or(|best| best.length < LONG_ENOUGH) {
            let near = self.longest_near(base, target, position, current)?;
            best = best.into_iter().chain(near).max_by_key(|found| found.length);
        }
        Ok(best)
    }

    /// Where a window is so common that not all places of it are looked at, those near where the current alignment would
    /// go on are the likeliest: something was inserted or cut.
    fn longest_near(
        &self,
        base: &mut Bytes<'_>,
        target: &mut Bytes<'_>,
        position: u64,
        current: Match,
    ) -> io::Result<Option<Match>> {
        let expected = (current.base + position).saturating_sub(current.target);
        let start = expected.saturating_sub(NEAR).min(base.len());
        let floor = position - current.target_end().min(position);
        let mut places = [0_u64; PROBES];
        let mut count = 0;
        if let Some(window) = target.from(position)?.get(..self.window) {
            let around = base.from(start)?;
            let around = &around[..around.len().min(usize::try_from(2 * NEAR).unwrap_or_default())];
            for (place, offset) in places.iter_mut().zip(memchr::memmem::find_iter(around, window)) {
                *place = start + offset as u64;
                count += 1;
            }
        }
        let mut best = None::<Match>;
        for base_at in places.into_iter().take(count) {
            let length = agreeing(base, base_at, target, position)?;
            if best.is_none_or(|best| length > best.length) {
                best = Some(Match { target: position, base: base_at, length });
            }
        }
        let Some(found) = best else { return Ok(None) };
        let behind = agreeing_before(base, found.base, target, position, floor.min(found.base))?;
        let found = Match { target: position - behind, base: found.base - behind, length: found.length + behind };
        Ok(Some(found).filter(|found| found.length >= SEED as u64))
    }
}

/// The first eight bytes of a window and the last, which may overlap.
fn load(window: &[u8]) -> (u64, u64) {
    let mut halves = [[0; 8]; 2];
    halves[0].copy_from_slice(&window[..8]);
    halves[1].copy_from_slice(&window[window.len() - 8..]);
    (u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1]))
}

/// The multiplicative hash of a window (Knuth, volume 3, 6.4); its highest bits are the best.
fn hash(window: &[u8]) -> u64 {
    let (low, high) = load(window);
    let mixed = (low ^ high.rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed << 23)
}

/// Further bits of a hash, where a place has room for them: without them every second window of bytes that the base lacks
/// would be looked up in it.
#[expect(clippy::cast_possible_truncation, reason = "the lowest bits are what is wanted")]
const fn tag(hash: u64) -> u32 {
    (hash as u32) << PLACE_BITS
}

#[cfg(test)]
mod tests;
