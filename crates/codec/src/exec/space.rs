//! Addresses of base and target.

use super::elf::{Elf, Segment};
use super::moves::Moves;
use crate::leb128;
use crate::limits::EXEC_SEGMENTS;
use crate::vcdiff::integer::{push, take};

/// What the receiver must be told of the target: where its parts are loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) segments: Vec<Segment>,
    /// Where the memory that is not in the file starts.
    pub(super) zeroed: u64,
}

impl Layout {
    pub(super) fn of(elf: &Elf<'_>) -> Self {
        Self { segments: elf.segments.clone(), zeroed: elf.zeroed }
    }

    /// Each number less the one of `base` at the same place, or less 0 where it has none.
    pub(super) fn to_bytes(&self, base: &Self) -> Vec<u8> {
        let mut bytes = Vec::new();
        push(&mut bytes, self.segments.len() as u64);
        let mut push_difference = |new: u64, old: u64| {
            let difference = new.wrapping_sub(old).cast_signed();
            push(&mut bytes, leb128::from_signed(difference));
        };
        for (number, segment) in self.segments.iter().enumerate() {
            let old = base.segments.get(number).copied().unwrap_or_default();
            push_difference(segment.offset, old.offset);
            push_difference(segment.address, old.address);
            push_difference(segment.file_size, old.file_size);
            push_difference(segment.memory_size, old.memory_size);
        }
        push_difference(self.zeroed, base.zeroed);
        bytes
    }

    /// `None` when `bytes` are none.
    pub(super) fn from_bytes(mut bytes: &[u8], base: &Self) -> Option<Self> {
        let count = usize::try_from(take(&mut bytes)?).ok().filter(|count| *count <= EXEC_SEGMENTS)?;
        let mut take_number = |old: u64| {
            let number = take(&mut bytes)?;
            Some(old.wrapping_add_signed(leb128::to_signed(number)))
        };
        let mut segments = Vec::new();
        for number in 0..count {
            let old = base.segments.get(number).copied().unwrap_or_default();
            segments.push(Segment {
                offset: take_number(old.offset)?,
                address: take_number(old.address)?,
                file_size: take_number(old.file_size)?,
                memory_size: take_number(old.memory_size)?,
                is_code: old.is_code,
            });
        }
        let zeroed = take_number(base.zeroed)?;
        bytes.is_empty().then_some(Self { segments, zeroed })
    }
}

/// Tells of an address of the base which one it is in the target.
pub(super) struct Space<'a> {
    pub(super) moves: &'a Moves,
    base: Layout,
    target: &'a Layout,
    lowest: u64,
    highest: u64,
}

impl<'a> Space<'a> {
    pub(super) fn new(elf: &Elf<'_>, moves: &'a Moves, target: &'a Layout) -> Self {
        let base = Layout::of(elf);
        let lowest = base.segments.iter().map(|segment| segment.address).min().unwrap_or(0);
        let end = |segment: &Segment| segment.address.saturating_add(segment.memory_size);
        let highest = base.segments.iter().map(end).max().unwrap_or(0);
        Self { moves, base, target, lowest, highest }
    }

    /// Whether the base has something at `address`.
    pub(super) fn has(&self, address: u64) -> bool {
        (self.lowest..self.highest).contains(&address) && self.segment(address).is_some()
    }

    /// Whether the base has code at `address`.
    pub(super) fn has_code(&self, address: u64) -> bool {
        self.segment(address).is_some_and(|segment| segment.is_code)
    }

    /// The address of the byte at `offset` of the base.
    pub(super) fn address(&self, offset: u64) -> Option<u64> {
        address(&self.base.segments, offset)
    }

    /// The offset in the base of what is at `address`.
    pub(super) fn offset(&self, address: u64) -> Option<u64> {
        let segment = self.segment(address)?;
        // A damaged segment may reach over the end of all addresses, and be found from their start.
        let within = address.wrapping_sub(segment.address);
        (within < segment.file_size).then(|| segment.offset.wrapping_add(within))
    }

    /// The address in the target of the byte at `offset` of the base.
    pub(super) fn moved_offset(&self, offset: u64) -> Option<u64> {
        address(&self.target.segments, self.moves.target(offset))
    }

    /// The address in the target of what is at `address` of the base.
    pub(super) fn moved(&self, address: u64) -> Option<u64> {
        match self.offset(address) {
            Some(offset) => self.moved_offset(offset),
            None if self.has(address) => Some(address.wrapping_sub(self.base.zeroed).wrapping_add(self.target.zeroed)),
            None => None,
        }
    }

    /// Like [`Space::moved`], for the end of something: what is behind it may have moved elsewhere.
    pub(super) fn moved_end(&self, address: u64) -> Option<u64> {
        self.moved(address.checked_sub(1)?).map(|moved| moved.wrapping_add(1))
    }

    fn segment(&self, address: u64) -> Option<&Segment> {
        self.base.segments.iter().find(|segment| address.wrapping_sub(segment.address) < segment.memory_size)
    }
}

fn address(segments: &[Segment], offset: u64) -> Option<u64> {
    let segment = segments.iter().find(|segment| offset.wrapping_sub(segment.offset) < segment.file_size)?;
    Some(offset.wrapping_sub(segment.offset).wrapping_add(segment.address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::Match;

    const CODE: Segment = Segment { offset: 0x100, address: 0x1000, file_size: 0x80, memory_size: 0x80, is_code: true };
    const DATA: Segment =
        Segment { offset: 0x200, address: 0x3000, file_size: 0x40, memory_size: 0x60, is_code: false };

    fn layout(segments: &[Segment], zeroed: u64) -> Layout {
        Layout { segments: segments.to_vec(), zeroed }
    }

    /// Asks a space whose base has `CODE` and `DATA`; in the target both are 0x10 further on in memory, and the second in the file too.
    fn ask<T>(matches: &[Match], question: impl Fn(&Space<'_>) -> T) -> T {
        let moves = Moves::new(matches, 0x300);
        let [mut code, mut data] = [CODE, DATA];
        (code.address, data.address, data.offset) = (CODE.address + 0x10, DATA.address + 0x10, DATA.offset + 0x10);
        let target = layout(&[code, data], 0x5050);
        let (lowest, highest) = (CODE.address, DATA.address + DATA.memory_size);
        question(&Space { moves: &moves, base: layout(&[CODE, DATA], 0x3040), target: &target, lowest, highest })
    }

    const AS_THEY_ARE: [Match; 2] =
        [Match { target: 0, base: 0, length: 0x200 }, Match { target: 0x210, base: 0x200, length: 0x100 }];

    #[test]
    fn an_address_is_one_of_a_part_as_far_as_that_has_memory() {
        ask(&AS_THEY_ARE, |space| {
            for (address, has, has_code, offset) in [
                (0, false, false, None),
                (0xfff, false, false, None),
                (0x1000, true, true, Some(0x100)),
                (0x107f, true, true, Some(0x17f)),
                (0x1080, false, false, None),
                (0x3000, true, false, Some(0x200)),
                (0x303f, true, false, Some(0x23f)),
                (0x3040, true, false, None),
                (0x305f, true, false, None),
                (0x3060, false, false, None),
                (u64::MAX, false, false, None),
            ] {
                let found = (space.has(address), space.has_code(address), space.offset(address));
                assert_eq!(found, (has, has_code, offset), "{address:#x}");
            }
            for (offset, address) in [
                (0xff, None),
                (0x100, Some(0x1000)),
                (0x17f, Some(0x107f)),
                (0x180, None),
                (0x200, Some(0x3000)),
                (0x240, None),
            ] {
                assert_eq!(space.address(offset), address, "{offset:#x}");
            }
        });
    }

    #[test]
    fn an_address_moves_with_its_place_or_with_what_is_in_memory_only() {
        ask(&AS_THEY_ARE, |space| {
            for (address, moved) in [
                (0xfff, None),
                (0x1000, Some(0x1010)),
                (0x107f, Some(0x108f)),
                (0x1080, None),
                (0x3000, Some(0x3010)),
                (0x303f, Some(0x304f)),
                // From 0x3040 on as far as the start of `.bss` does, from there to 0x5050.
                (0x3040, Some(0x5050)),
                (0x305f, Some(0x506f)),
                (0x3060, None),
            ] {
                assert_eq!(space.moved(address), moved, "{address:#x}");
                assert_eq!(space.moved_end(address + 1), moved.map(|moved| moved + 1), "the end at {address:#x}");
            }
            assert_eq!(space.moved_end(0), None);
        });
        // A place that leaves the parts of the target has no address there.
        let away = [Match { target: 0, base: 0, length: 0x110 }, Match { target: 0x1110, base: 0x110, length: 0x100 }];
        ask(&away, |space| {
            assert_eq!((space.moved(0x100f), space.moved(0x1010)), (Some(0x101f), None));
            assert_eq!((space.moved_offset(0x10f), space.moved_offset(0x110)), (Some(0x101f), None));
        });
    }

    #[test]
    fn a_part_that_reaches_over_the_end_of_all_addresses_has_no_more_than_there_are() {
        let moves = Moves::new(&[], 0x300);
        let wide = Segment { address: u64::MAX - 0xf, file_size: 0x20, memory_size: 0x40, ..CODE };
        let target = layout(&[wide], 0);
        let space =
            Space { moves: &moves, base: layout(&[wide], 0), target: &target, lowest: wide.address, highest: u64::MAX };
        assert_eq!(space.offset(u64::MAX), Some(0x10f));
        // From there it goes on at 0, as far as the file has bytes.
        assert_eq!((space.offset(0), space.offset(0xf), space.offset(0x10)), (Some(0x110), Some(0x11f), None));
        assert_eq!((space.has(u64::MAX - 1), space.has(u64::MAX), space.has(0)), (true, false, false));
        assert_eq!(space.moved(0), Some(0));
    }

    #[test]
    fn a_layout_comes_back_from_its_differences_to_any_other() {
        let extreme = Segment { offset: u64::MAX, address: 0, file_size: 1 << 63, memory_size: 1, is_code: false };
        let layouts = [layout(&[], 0), layout(&[CODE], 7), layout(&[CODE, DATA], u64::MAX), layout(&[extreme; 3], 1)];
        for (base, target) in layouts.iter().flat_map(|base| layouts.iter().map(move |target| (base, target))) {
            let bytes = target.to_bytes(base);
            let again = Layout::from_bytes(&bytes, base).unwrap();
            assert_eq!((again.zeroed, again.segments.len()), (target.zeroed, target.segments.len()));
            for (number, (found, told)) in again.segments.iter().zip(&target.segments).enumerate() {
                // What is code is not told: it is what it was.
                let is_code = base.segments.get(number).is_some_and(|segment| segment.is_code);
                assert_eq!(*found, Segment { is_code, ..*told });
            }
            for length in 0..bytes.len() {
                assert_eq!(Layout::from_bytes(&bytes[..length], base), None, "cut to {length} bytes");
            }
            assert_eq!(Layout::from_bytes(&[&bytes[..], &[0]].concat(), base), None, "a byte too many");
        }
    }
}
