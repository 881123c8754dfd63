//! Codes one header block against another that looks like it: which fields differ, and the values of those.

use super::columns::{Column, ColumnReader, Columns, damaged};
use crate::error::Result;
use crate::layer::tar_index::{
    BLOCK, CHECKSUM, Field, GID, GROUP, KIND, LINK, MAGIC, MAJOR, MINOR, MODE, MTIME, NAME, PREFIX, REST, SIZE, UID,
    USER, checksum, octal,
};

/// The bit of a mask that says that the whole block stands in [`Column::Whole`].
const WHOLE: u64 = 1 << FIELDS.len();

/// How a field that differs is written down.
#[derive(Clone, Copy)]
enum Coding {
    /// Minus what is expected: the length of the content.
    Size,
    /// Minus the last number that was written for this field.
    Number(Column),
    /// How much it shares with the last text that was written for this field, and what comes then.
    Text(Column),
    /// All bytes.
    Rare,
}

/// The bits of a mask, from the lowest; the checksum is the last field, because it is made from the others.
const FIELDS: [(Field, Coding); 16] = [
    (MTIME, Coding::Number(Column::Times)),
    (NAME, Coding::Text(Column::Names)),
    (SIZE, Coding::Size),
    (MODE, Coding::Number(Column::Modes)),
    (LINK, Coding::Text(Column::Links)),
    (KIND, Coding::Rare),
    (PREFIX, Coding::Text(Column::Prefixes)),
    (UID, Coding::Number(Column::Users)),
    (GID, Coding::Number(Column::Owners)),
    (USER, Coding::Rare),
    (GROUP, Coding::Rare),
    (MAGIC, Coding::Rare),
    (MAJOR, Coding::Rare),
    (MINOR, Coding::Rare),
    (REST, Coding::Rare),
    (CHECKSUM, Coding::Rare),
];

type Block = [u8; BLOCK];

/// What was written last, which both sides know.
pub(crate) struct HeaderState {
    /// The last block of the layer.
    previous: Block,
    numbers: [u64; FIELDS.len()],
    texts: [Vec<u8>; FIELDS.len()],
}

impl HeaderState {
    pub(crate) fn new() -> Self {
        Self { previous: [0; BLOCK], numbers: [0; FIELDS.len()], texts: std::array::from_fn(|_| Vec::new()) }
    }

    /// Takes note of a block that neither side codes.
    pub(crate) const fn skip(&mut self, block: &Block) {
        self.previous = *block;
    }

    /// Writes `block`, which looks like `base`, or like the block before it, and has a content of `length` bytes.
    pub(crate) fn encode(&mut self, block: &Block, base: Option<&Block>, length: u64, columns: &mut Columns) {
        let guess = expect(base.unwrap_or(&self.previous), length);
        let mut mask = 0;
        let mut rebuilt = guess;
        for (bit, (field, coding)) in FIELDS.iter().enumerate() {
            if matches!(coding, Coding::Rare) && *field == CHECKSUM {
                seal(&mut rebuilt);
            }
            if rebuilt[field.clone()] != block[field.clone()] {
                mask |= 1 << bit;
                rebuilt[field.clone()].copy_from_slice(&block[field.clone()]);
                if !self.is_writable(*coding, &block[field.clone()], &guess[field.clone()]) {
                    mask = WHOLE;
                    break;
                }
            }
        }
        columns.number(Column::Masks, mask);
        if mask == WHOLE {
            columns.bytes(Column::Whole, block);
        }
        for (bit, (field, coding)) in FIELDS.iter().enumerate().filter(|(bit, _)| mask & 1 << bit != 0) {
            self.write(bit, *coding, &block[field.clone()], length, columns);
        }
        self.previous = *block;
    }

    /// Reads what [`encode`](Self::encode) wrote with the same `base` and `length`.
    pub(crate) fn decode(
        &mut self,
        base: Option<&Block>,
        length: u64,
        columns: &mut ColumnReader<'_>,
    ) -> Result<Block> {
        let mut block = expect(base.unwrap_or(&self.previous), length);
        let mask = columns.number(Column::Masks)?;
        if mask == WHOLE {
            columns.bytes(Column::Whole, &mut block)?;
        } else if mask > WHOLE {
            return Err(damaged(format!("a header with the unknown fields {mask:#x}")));
        } else {
            for (bit, (field, coding)) in FIELDS.iter().enumerate() {
                if *field == CHECKSUM {
                    seal(&mut block);
                }
                if mask & 1 << bit != 0 {
                    self.read(bit, *coding, &mut block[field.clone()], length, columns)?;
                }
            }
        }
        self.previous = block;
        Ok(block)
    }

    /// Whether a field can be made again from its number.
    fn is_writable(&self, coding: Coding, field: &[u8], guess: &[u8]) -> bool {
        match coding {
            Coding::Size | Coding::Number(_) => {
                let mut again = guess.to_vec();
                octal(field).is_some_and(|value| set_octal(&mut again, value)) && again == field
            }
            Coding::Text(_) | Coding::Rare => true,
        }
    }

    fn write(&mut self, bit: usize, coding: Coding, field: &[u8], length: u64, columns: &mut Columns) {
        match coding {
            Coding::Size => columns.number(Column::Sizes, octal(field).unwrap_or_default().wrapping_sub(length)),
            Coding::Number(column) => {
                let value = octal(field).unwrap_or_default();
                columns.signed(column, value.wrapping_sub(self.numbers[bit]).cast_signed());
                self.numbers[bit] = value;
            }
            Coding::Text(column) => {
                let text = trimmed(field);
                let last = &mut self.texts[bit];
                let shared = text.iter().zip(last.iter()).take_while(|(one, other)| one == other).count();
                columns.number(Column::Shared, shared as u64);
                columns.number(Column::Shared, (text.len() - shared) as u64);
                columns.bytes(column, &text[shared..]);
                last.clear();
                last.extend_from_slice(text);
            }
            Coding::Rare => columns.bytes(Column::Rare, field),
        }
    }

    fn read(
        &mut self,
        bit: usize,
        coding: Coding,
        field: &mut [u8],
        length: u64,
        columns: &mut ColumnReader<'_>,
    ) -> Result<()> {
        let number = |field: &mut [u8], value| {
            let fits = set_octal(field, value);
            if fits { Ok(()) } else { Err(damaged("a number that is longer than its field")) }
        };
        match coding {
            Coding::Size => number(field, columns.number(Column::Sizes)?.wrapping_add(length)),
            Coding::Number(column) => {
                self.numbers[bit] = self.numbers[bit].wrapping_add(columns.signed(column)?.cast_unsigned());
                number(field, self.numbers[bit])
            }
            Coding::Text(column) => {
                let mut place = || {
                    let value = columns.number(Column::Shared)?;
                    usize::try_from(value).map_err(|_| damaged("a text that is longer than its field"))
                };
                let (shared, rest) = (place()?, place()?);
                let last = &mut self.texts[bit];
                if shared > last.len() || rest > field.len() - shared {
                    return Err(damaged("a text that is longer than its field"));
                }
                last.resize(shared + rest, 0);
                columns.bytes(column, &mut last[shared..])?;
                field.fill(0);
                field[..last.len()].copy_from_slice(last);
                Ok(())
            }
            Coding::Rare => columns.bytes(Column::Rare, field),
        }
    }
}

/// A header like `like` for a content of `length` bytes.
fn expect(like: &Block, length: u64) -> Block {
    let mut block = *like;
    set_octal(&mut block[SIZE], length);
    block
}

/// Sets the checksum: seven digits where seven were, else six; what was behind them stays.
fn seal(block: &mut Block) {
    let sum = checksum(block);
    let has_seven = block[CHECKSUM.start + 6].is_ascii_digit();
    let digits = CHECKSUM.start..CHECKSUM.start + if has_seven { 7 } else { 6 };
    for (place, byte) in block[digits].iter_mut().rev().enumerate() {
        *byte = digit(u64::from(sum), place);
    }
}

/// Writes `value` as octal digits into all of `field` but its last byte, which stays a blank or becomes NUL. Leaves the
/// field alone and says so when the value is too large.
fn set_octal(field: &mut [u8], value: u64) -> bool {
    let Some((last, digits)) = field.split_last_mut() else { return false };
    if value >> (3 * digits.len()).min(63) != 0 {
        return false;
    }
    for (place, byte) in digits.iter_mut().rev().enumerate() {
        *byte = digit(value, place);
    }
    if *last != b' ' {
        *last = 0;
    }
    true
}

fn digit(value: u64, place: usize) -> u8 {
    b'0' + (value >> (3 * place) & 7).to_le_bytes()[0]
}

/// The field without the NULs at its end.
fn trimmed(field: &[u8]) -> &[u8] {
    &field[..field.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)]
}

#[cfg(test)]
mod tests;
