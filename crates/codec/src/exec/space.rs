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
