//! The sequences of a block (RFC 8878, 3.1.1.3.2) and which of three tables their codes get.

use super::bits::{Bits, high_bit, narrow};
use super::fse::{Shares, State, Table};

/// What the format takes from the length of a match (RFC 8878, 3.1.1.3.2.1.1).
pub(super) const MATCH_MIN: u32 = 3;

/// Literals, then a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) literals: u32,
    /// The length of the match less [`MATCH_MIN`].
    pub(super) matched: u32,
    /// 1 to 3 for an offset used before, else the offset and 3.
    pub(super) offset: u32,
}

/// Extra bits of the codes for the length of literals (RFC 8878, table 16): a code for each number before them.
const LITERAL_BITS: [u32; 36] =
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// Extra bits of the codes for the length of a match (RFC 8878, table 17).
const MATCH_BITS: [u32; 53] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2,
    3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];

const LITERAL_CODES: [u8; 64] = codes(&LITERAL_BITS);
const MATCH_CODES: [u8; 128] = codes(&MATCH_BITS);

/// The code of each small number.
const fn codes<const N: usize>(extra: &[u32]) -> [u8; N] {
    let mut codes = [0; N];
    let (mut code, mut end, mut number) = (0u8, 1 << extra[0], 0);
    while number < N {
        if number == end {
            code += 1;
            end += 1 << extra[code as usize];
        }
        codes[number] = code;
        number += 1;
    }
    codes
}

fn literal_code(literals: u32) -> u8 {
    LITERAL_CODES.get(literals as usize).copied().unwrap_or_else(|| low_byte(high_bit(literals) + 19))
}

fn match_code(matched: u32) -> u8 {
    MATCH_CODES.get(matched as usize).copied().unwrap_or_else(|| low_byte(high_bit(matched) + 36))
}

fn offset_code(offset: u32) -> u8 {
    low_byte(high_bit(offset))
}

const fn low_byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

/// The default distributions (RFC 8878, 3.1.1.3.2.2): the size of the table and the shares.
const LITERAL_SHARES: (u32, [i16; 36]) = (
    6,
    [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
);
const OFFSET_SHARES: (u32, [i16; 29]) =
    (5, [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1]);
const MATCH_SHARES: (u32, [i16; 53]) = (
    6,
    [
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
);

/// What offsets and lengths of matches cost with the predefined tables.
pub(super) struct Costs {
    offsets: Table,
    matches: Table,
}

impl Costs {
    /// `None` never, as the tables are right.
    pub(super) fn new() -> Option<Self> {
        let table = |(log, shares): (u32, &[i16])| Table::new(Shares::new(log, shares));
        Some(Self {
            offsets: table((OFFSET_SHARES.0, &OFFSET_SHARES.1))?,
            matches: table((MATCH_SHARES.0, &MATCH_SHARES.1))?,
        })
    }

    /// The bits of a match of this length with this offset of the format: those of the codes, rounded down, and the extra ones.
    #[inline]
    pub(super) fn of(&self, offset: u32, length: u32) -> u32 {
        let (offset, matched) = (offset_code(offset), match_code(length - MATCH_MIN));
        let codes = self.offsets.least_bits(offset) + self.matches.least_bits(matched);
        codes + u32::from(offset) + MATCH_BITS[usize::from(matched)]
    }
}

/// How the table of a kind of code is known to the decoder (RFC 8878, 3.1.1.3.2.1).
#[derive(Clone, Copy)]
enum Mode {
    Predefined = 0,
    Single = 1,
    Described = 2,
    Repeat = 3,
}

/// One of the three kinds of code, from block to block.
struct Kind {
    predefined: Option<Table>,
    /// What the last block used, where it may be used again.
    earlier: Option<Table>,
    /// This block's.
    fresh: Option<Table>,
    mode: Mode,
}

impl Kind {
    fn new((log, shares): (u32, &[i16])) -> Self {
        let predefined = Table::new(Shares::new(log, shares));
        Self { predefined, earlier: None, fresh: None, mode: Mode::Predefined }
    }

    /// Decides for a block; `None` where no table can be made.
    fn prepare(&mut self, counts: &Counts, total: u32, exact: bool) -> Option<()> {
        let counts = counts.used();
        if counts.iter().max() == Some(&total) {
            (self.fresh, self.mode) = (Some(Table::single()), Mode::Single);
            return Some(());
        }
        let fresh = Table::new(Shares::of_sequences(counts, total)?)?;
        self.mode = self.cheapest(&fresh, counts, exact)?;
        self.fresh = Some(fresh);
        Some(())
    }

    /// A new table pays for its description, and a sixteenth and 16 bits more. Where `exact` (from 1.20), that of the last block is
    /// measured against the real description, and each with its last state.
    fn cheapest(&self, fresh: &Table, counts: &[u32], exact: bool) -> Option<Mode> {
        let cost = |table: &Option<Table>| {
            let table = table.as_ref()?;
            table.cost(counts).map(|cost| cost + if exact { table.log() } else { 0 })
        };
        let (predefined, earlier, plain) = (cost(&self.predefined), cost(&self.earlier), fresh.cost(counts)?);
        let described = plain + fresh.description_bits_max();
        let mut new = described + ((described + 256) >> 4);
        let mut new_to_earlier = new;
        if exact {
            if earlier.is_some() {
                let mut description = Vec::new();
                fresh.shares.describe(&mut description);
                new_to_earlier = plain + narrow(description.len()) * 8;
            }
            new += fresh.log();
            new_to_earlier += fresh.log();
        }
        Some(match (predefined, earlier) {
            (Some(predefined), earlier) if predefined <= earlier.unwrap_or(u32::MAX) && predefined <= new => {
                Mode::Predefined
            }
            (_, Some(earlier)) if earlier <= new_to_earlier => Mode::Repeat,
            _ => Mode::Described,
        })
    }

    fn table(&self) -> Option<&Table> {
        match self.mode {
            Mode::Predefined => self.predefined.as_ref(),
            Mode::Repeat => self.earlier.as_ref(),
            Mode::Single | Mode::Described => self.fresh.as_ref(),
        }
    }

    fn describe(&self, symbol: u8, out: &mut Vec<u8>) {
        match (self.mode, &self.fresh) {
            (Mode::Single, _) => out.push(symbol),
            (Mode::Described, Some(fresh)) => fresh.shares.describe(out),
            _ => {}
        }
    }

    /// The block went out: what it used can be used again, if it was described.
    fn keep(&mut self) {
        match self.mode {
            Mode::Described => self.earlier = self.fresh.take(),
            Mode::Predefined | Mode::Single => self.earlier = None,
            Mode::Repeat => {}
        }
    }
}

struct Counts {
    counts: [u32; 64],
    symbols: usize,
}

impl Counts {
    fn of(codes: impl Iterator<Item = u8>) -> Self {
        let mut counts = [0; 64];
        let mut last = 0;
        for code in codes {
            counts[usize::from(code) % 64] += 1;
            last = last.max(code);
        }
        Self { counts, symbols: usize::from(last) + 1 }
    }

    fn used(&self) -> &[u32] {
        &self.counts[..self.symbols]
    }
}

/// A sequence with its codes.
#[derive(Clone, Copy)]
struct Coded {
    sequence: Sequence,
    literal: u8,
    offset: u8,
    matched: u8,
}

/// What stays from block to block.
pub(super) struct Sequences {
    literals: Kind,
    offsets: Kind,
    matches: Kind,
    coded: Vec<Coded>,
    exact: bool,
}

impl Sequences {
    pub(super) fn new(exact: bool) -> Self {
        Self {
            literals: Kind::new((LITERAL_SHARES.0, &LITERAL_SHARES.1)),
            offsets: Kind::new((OFFSET_SHARES.0, &OFFSET_SHARES.1)),
            matches: Kind::new((MATCH_SHARES.0, &MATCH_SHARES.1)),
            coded: Vec::new(),
            exact,
        }
    }

    /// Appends the section of one or more sequences; `None` where that cannot be.
    pub(super) fn pack(&mut self, sequences: &[Sequence], out: &mut Vec<u8>) -> Option<()> {
        write_count(sequences.len(), out);
        self.coded.clear();
        self.coded.extend(sequences.iter().map(|&sequence| Coded {
            sequence,
            literal: literal_code(sequence.literals),
            offset: offset_code(sequence.offset),
            matched: match_code(sequence.matched),
        }));
        let (coded, total) = (&self.coded, narrow(sequences.len()));
        self.literals.prepare(&Counts::of(coded.iter().map(|coded| coded.literal)), total, self.exact)?;
        self.offsets.prepare(&Counts::of(coded.iter().map(|coded| coded.offset)), total, self.exact)?;
        self.matches.prepare(&Counts::of(coded.iter().map(|coded| coded.matched)), total, self.exact)?;
        let first = coded.first()?;
        let kinds = [(&self.literals, first.literal), (&self.offsets, first.offset), (&self.matches, first.matched)];
        out.push(kinds.iter().fold(0, |modes, (kind, _)| modes << 2 | kind.mode as u8) << 2);
        for (kind, symbol) in kinds {
            kind.describe(symbol, out);
        }
        self.write(out)
    }

    /// The block was sent as it was packed.
    pub(super) fn keep(&mut self) {
        self.literals.keep();
        self.offsets.keep();
        self.matches.keep();
    }

    /// From the last sequence to the first.
    fn write(&self, out: &mut Vec<u8>) -> Option<()> {
        let (last, rest) = self.coded.split_last()?;
        let mut literals = State::new(self.literals.table()?, last.literal);
        let mut offsets = State::new(self.offsets.table()?, last.offset);
        let mut matches = State::new(self.matches.table()?, last.matched);
        out.reserve(self.coded.len() * 8);
        let mut bits = Bits::new(out);
        last.write(&mut bits);
        for coded in rest.iter().rev() {
            offsets.encode(coded.offset, &mut bits);
            matches.encode(coded.matched, &mut bits);
            literals.encode(coded.literal, &mut bits);
            bits.flush();
            coded.write(&mut bits);
        }
        matches.finish(&mut bits);
        offsets.finish(&mut bits);
        literals.finish(&mut bits);
        bits.finish();
        Some(())
    }
}

impl Coded {
    /// The extra bits: at most 16, 16 and 23.
    #[inline]
    fn write(&self, bits: &mut Bits<'_>) {
        let extra = |value: u32, count: u32| u64::from(value & ((1 << count) - 1));
        let literal = LITERAL_BITS[usize::from(self.literal)];
        let matched = MATCH_BITS[usize::from(self.matched)];
        let offset = u32::from(self.offset);
        bits.add(extra(self.sequence.literals, literal), literal);
        bits.add(extra(self.sequence.matched, matched), matched);
        bits.add(extra(self.sequence.offset, offset), offset);
        bits.flush();
    }
}

/// How many sequences there are, in one to three bytes (RFC 8878, 3.1.1.3.2.1).
fn write_count(count: usize, out: &mut Vec<u8>) {
    const LONG: usize = 0x7F00;
    match count {
        0..128 => out.push(count.to_le_bytes()[0]),
        128..LONG => out.extend_from_slice(&[128 + count.to_le_bytes()[1], count.to_le_bytes()[0]]),
        _ => out.extend_from_slice(&[255, (count - LONG).to_le_bytes()[0], (count - LONG).to_le_bytes()[1]]),
    }
}

#[cfg(test)]
mod tests;
