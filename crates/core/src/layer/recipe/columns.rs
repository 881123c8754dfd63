//! The numbers and bytes of a recipe, each kind in a column of its own, which compresses better than rows.

use std::io::{self, Write};

use delta_codec::ReadAt;

use crate::error::{Error, Result};
use crate::layer::window::Window;

/// What stands in which column; FORMAT.md describes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Runs,
    Headers,
    Kinds,
    Contents,
    Lengths,
    Groups,
    Paddings,
    Masks,
    Times,
    Sizes,
    Modes,
    Users,
    Owners,
    Shared,
    Names,
    Links,
    Prefixes,
    Rare,
    Whole,
    Plans,
    Hints,
}

pub(crate) const COLUMNS: usize = Column::Hints as usize + 1;

/// Bytes of each column that are held while it is read.
const HELD: usize = 16 << 10;

/// Columns that are being written.
pub(crate) struct Columns([Vec<u8>; COLUMNS]);

impl Columns {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Vec::new()))
    }

    pub(crate) fn number(&mut self, column: Column, value: u64) {
        push_number(&mut self.0[column as usize], value);
    }

    pub(crate) fn signed(&mut self, column: Column, value: i64) {
        self.number(column, zigzag(value));
    }

    pub(crate) fn bytes(&mut self, column: Column, bytes: &[u8]) {
        self.0[column as usize].extend_from_slice(bytes);
    }

    /// A number and so many bytes.
    pub(crate) fn blob(&mut self, column: Column, bytes: &[u8]) {
        self.number(column, bytes.len() as u64);
        self.bytes(column, bytes);
    }

    /// The length of every column, then the columns.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut lengths = Vec::new();
        self.0.iter().for_each(|column| push_number(&mut lengths, column.len() as u64));
        out.write_all(&lengths)?;
        self.0.iter().try_for_each(|column| out.write_all(column))
    }
}

/// Columns that are being read, each from its start to its end.
pub(crate) struct ColumnReader<'a> {
    windows: Vec<Window<'a>>,
    spans: [(u64, u64); COLUMNS],
}

impl<'a> ColumnReader<'a> {
    /// Reads columns that start at `offset` of `bytes` and end where `bytes` ends.
    pub(crate) fn new(bytes: &'a dyn ReadAt, mut offset: u64) -> Result<Self> {
        let mut head = Window::new(bytes, HELD);
        let mut spans = [(0, 0); COLUMNS];
        for span in &mut spans {
            span.1 = number_at(&mut head, &mut offset, bytes.len())?;
        }
        for span in &mut spans {
            let end = offset.checked_add(span.1).filter(|end| *end <= bytes.len());
            *span = (offset, end.ok_or_else(|| damaged("a column is longer than the recipe"))?);
            offset = span.1;
        }
        if offset < bytes.len() {
            return Err(damaged("bytes behind the last column"));
        }
        Ok(Self { windows: (0..COLUMNS).map(|_| Window::new(bytes, HELD)).collect(), spans })
    }

    pub(crate) fn number(&mut self, column: Column) -> Result<u64> {
        let (position, end) = &mut self.spans[column as usize];
        number_at(&mut self.windows[column as usize], position, *end)
    }

    pub(crate) fn signed(&mut self, column: Column) -> Result<i64> {
        self.number(column).map(unzigzag)
    }

    pub(crate) fn bytes(&mut self, column: Column, out: &mut [u8]) -> Result<()> {
        let (position, end) = &mut self.spans[column as usize];
        if out.len() as u64 > *end - *position {
            return Err(damaged("a column ends too early"));
        }
        let piece = self.windows[column as usize].from(*position, out.len()).map_err(reading)?;
        out.copy_from_slice(piece.get(..out.len()).ok_or_else(|| damaged("a column ends too early"))?);
        *position += out.len() as u64;
        Ok(())
    }

    /// A number and so many bytes, at most `most`.
    pub(crate) fn blob(&mut self, column: Column, most: usize) -> Result<Vec<u8>> {
        let length = self.number(column)?;
        let (position, end) = self.spans[column as usize];
        let length = usize::try_from(length).ok().filter(|length| *length <= most && *length as u64 <= end - position);
        let mut blob = vec![0; length.ok_or_else(|| damaged("a description is too long"))?];
        blob.chunks_mut(HELD).try_for_each(|piece| self.bytes(column, piece))?;
        Ok(blob)
    }

    /// Whether everything was read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.spans.iter().all(|(position, end)| position == end)
    }
}

/// LEB128: seven bits a byte, the lowest first, the high bit set on all but the last (DWARF 5, 7.6).
pub(crate) fn push_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

pub(crate) fn number_at(window: &mut Window<'_>, position: &mut u64, end: u64) -> Result<u64> {
    let least = usize::try_from((end - *position).min(10)).unwrap_or_default();
    let piece = window.from(*position, least).map_err(reading)?;
    let mut value = 0_u64;
    for (byte, shift) in piece.iter().take(least).zip((0..64).step_by(7)) {
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            break;
        }
        value |= bits << shift;
        *position += 1;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(damaged("a number that does not end"))
}

/// Small numbers of either sign as small numbers: 0, -1, 1, -2, 2 ...
pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(crate) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

pub(crate) fn damaged(what: impl std::fmt::Display) -> Error {
    Error::content(format!("the recipe is damaged: {what}"))
}

pub(crate) fn reading(error: io::Error) -> Error {
    Error::io("reading a recipe")(error)
}

#[cfg(test)]
mod tests;
