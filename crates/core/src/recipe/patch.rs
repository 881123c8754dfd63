//! One content as stretches of another with some bytes changed, and new bytes between.
//!
//! Four streams, shared by all patches of a layer: *control* says where stretches are, *gaps* how far changed bytes are
//! apart, *values* what to add to them, *literals* has the bytes between stretches.

use std::io::{self, Write};

use delta_codec::ReadAt;
use delta_codec::align::{Index, Match};

use super::columns::{damaged, number_at, push_number, reading, unzigzag, zigzag};
use crate::error::Result;
use crate::limits::{BASE_WINDOW, COPY_BUFFER};
use crate::window::Window;

/// The streams, as their numbers in an array of four.
const CONTROL: usize = 0;
const GAPS: usize = 1;
const VALUES: usize = 2;
const LITERALS: usize = 3;

pub(crate) const STREAMS: usize = 4;

/// Writes the patch that makes `target` from `base` at the end of `streams`.
pub(crate) fn encode<W: Write>(base: &dyn ReadAt, target: &dyn ReadAt, streams: &mut [W; STREAMS]) -> io::Result<()> {
    let mut writer = PatchWriter {
        base: Window::new(base, COPY_BUFFER),
        target: Window::new(target, COPY_BUFFER),
        streams,
        target_at: 0,
        base_at: 0,
        gap: 1,
    };
    Index::new(base)?.align(target, &mut |found| writer.take(found))?;
    let rest = target.len() - writer.target_at;
    if rest > 0 {
        writer.numbers(CONTROL, &[rest])?;
        writer.literals(rest)?;
    }
    writer.numbers(GAPS, &[0])
}

struct PatchWriter<'a, W> {
    base: Window<'a>,
    target: Window<'a>,
    streams: &'a mut [W; STREAMS],
    /// The ends of the last stretch.
    target_at: u64,
    base_at: u64,
    /// How far the next byte of a stretch is from the last one that differed.
    gap: u64,
}

impl<W: Write> PatchWriter<'_, W> {
    fn take(&mut self, found: Match) -> io::Result<()> {
        let added = found.target - self.target_at;
        let jump = found.base.wrapping_sub(self.base_at.wrapping_add(added)).cast_signed();
        self.numbers(CONTROL, &[added, found.length, zigzag(jump)])?;
        self.literals(added)?;
        self.differences(found)?;
        (self.target_at, self.base_at) = (found.target + found.length, found.base + found.length);
        Ok(())
    }

    fn literals(&mut self, count: u64) -> io::Result<()> {
        let Self { target, streams, target_at, .. } = self;
        target.each(*target_at, count, &mut |piece| streams[LITERALS].write_all(piece))
    }

    fn differences(&mut self, found: Match) -> io::Result<()> {
        let mut done = 0;
        let (mut gaps, mut values) = (Vec::new(), Vec::new());
        while done < found.length {
            let (base, target) = (self.base.from(found.base + done, 1)?, self.target.from(found.target + done, 1)?);
            let left = usize::try_from(found.length - done).unwrap_or(usize::MAX);
            let count = base.len().min(target.len()).min(left);
            for (base, target) in base[..count].iter().zip(&target[..count]) {
                if base == target {
                    self.gap += 1;
                } else {
                    push_number(&mut gaps, self.gap);
                    values.push(target.wrapping_sub(*base));
                    self.gap = 1;
                }
            }
            done += count as u64;
        }
        self.streams[GAPS].write_all(&gaps)?;
        self.streams[VALUES].write_all(&values)
    }

    fn numbers(&mut self, stream: usize, numbers: &[u64]) -> io::Result<()> {
        let mut bytes = Vec::new();
        numbers.iter().for_each(|number| push_number(&mut bytes, *number));
        self.streams[stream].write_all(&bytes)
    }
}

/// Reads patches one behind the other.
pub(crate) struct PatchReader<'a> {
    streams: [(Window<'a>, u64); STREAMS],
}

impl<'a> PatchReader<'a> {
    pub(crate) fn new(streams: [&'a dyn ReadAt; STREAMS]) -> Self {
        Self { streams: streams.map(|stream| (Window::new(stream, COPY_BUFFER), 0)) }
    }

    /// Makes the next `length` bytes, of `base` and the next patch.
    pub(crate) fn decode(&mut self, base: &dyn ReadAt, length: u64, out: &mut dyn Write) -> Result<()> {
        let mut window = Window::new(base, BASE_WINDOW);
        let (mut left, mut base_at) = (length, 0_u64);
        let mut gap = self.number(GAPS)?;
        while left > 0 {
            let added = self.number(CONTROL)?;
            left = left.checked_sub(added).ok_or_else(|| damaged("a patch that adds more than its content has"))?;
            self.literals(added, out)?;
            if left == 0 {
                break;
            }
            let count = self.number(CONTROL)?;
            left = left.checked_sub(count).ok_or_else(|| damaged("a patch that copies more than its content has"))?;
            let jump = unzigzag(self.number(CONTROL)?);
            base_at = base_at.wrapping_add(added).wrapping_add_signed(jump);
            if base_at.checked_add(count).is_none_or(|end| end > base.len()) || added + count == 0 {
                return Err(damaged("a patch that copies from outside of its base"));
            }
            self.copy(&mut window, base_at, count, &mut gap, out)?;
            base_at += count;
        }
        if gap == 0 { Ok(()) } else { Err(damaged("a patch that changes more than it copies")) }
    }

    /// Copies from the base and changes every byte that a gap leads to; a gap of 0 leads nowhere.
    fn copy(
        &mut self,
        base: &mut Window<'_>,
        offset: u64,
        count: u64,
        gap: &mut u64,
        out: &mut dyn Write,
    ) -> Result<()> {
        let mut done = 0;
        while done < count {
            let piece = base.from(offset + done, 1).map_err(reading)?;
            let left = usize::try_from(count - done).unwrap_or(usize::MAX);
            let mut piece = piece[..piece.len().min(left)].to_vec();
            if piece.is_empty() {
                return Err(damaged("a patch that copies from outside of its base"));
            }
            let mut rest = piece.as_mut_slice();
            while let Some(place) = (*gap).checked_sub(1).and_then(|place| usize::try_from(place).ok())
                && place < rest.len()
            {
                rest[place] = rest[place].wrapping_add(self.value()?);
                rest = &mut rest[place + 1..];
                *gap = self.number(GAPS)?;
            }
            *gap = gap.saturating_sub(rest.len() as u64).max(u64::from(*gap > 0));
            out.write_all(&piece).map_err(reading)?;
            done += piece.len() as u64;
        }
        Ok(())
    }

    fn literals(&mut self, count: u64, out: &mut dyn Write) -> Result<()> {
        let (window, position) = &mut self.streams[LITERALS];
        window.each(*position, count, &mut |piece| out.write_all(piece)).map_err(reading)?;
        *position += count;
        Ok(())
    }

    fn value(&mut self) -> Result<u8> {
        let (window, position) = &mut self.streams[VALUES];
        let value = window.from(*position, 1).map_err(reading)?.first().copied();
        *position += 1;
        value.ok_or_else(|| damaged("a patch without the values it needs"))
    }

    fn number(&mut self, stream: usize) -> Result<u64> {
        let (window, position) = &mut self.streams[stream];
        let end = window.len();
        number_at(window, position, end)
    }
}
