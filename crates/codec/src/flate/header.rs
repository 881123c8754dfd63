//! The header of a block with codes of its own (RFC 1951, section 3.2.7), and the codes of one without (section 3.2.6).

use super::bits::{Bits, LiteralCodes, OffsetCodes};
use super::huffman::{self, Code};

/// The order in which the lengths of the codes of code lengths are written.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The extra bits of the symbols from 16 on: repeat the last length, repeat zero, repeat zero more often.
const EXTRA_BITS: [u32; 3] = [2, 3, 7];

/// Code lengths that one header describes, with room for all.
const MOST: usize = 286 + 32;

/// The lengths of the codes of a block, run-length coded, ready to be written.
pub(super) struct Header {
    /// Symbols of code lengths, each with its extra bits.
    steps: [(u8, u8); MOST],
    used: usize,
    counts: [u16; 19],
    codes: [Code; 19],
    literals: usize,
    offsets: usize,
}

impl Header {
    /// A header as Go's encoders make it, of which the runs go on from the last literal or length to the first distance. It tells
    /// the codes of the first literals and lengths, and of the first distances.
    pub(super) fn new(literals: &[Code], offsets: &[Code]) -> Self {
        let mut header = Self::empty(literals.len(), offsets.len());
        header.add_runs(literals.iter().chain(offsets));
        huffman::assign(&header.counts, 7, &mut header.codes);
        header
    }

    /// A header as zlib makes it, of which no run goes on from the last literal or length to the first distance; `assign` makes the
    /// codes of the code lengths.
    pub(super) fn apart(
        literals: &[Code],
        offsets: &[Code],
        assign: impl FnOnce(&[u16], usize, &mut [Code]) -> usize,
    ) -> Self {
        let mut header = Self::empty(literals.len(), offsets.len());
        header.add_runs(literals.iter());
        header.add_runs(offsets.iter());
        assign(&header.counts, 7, &mut header.codes);
        header
    }

    fn empty(literals: usize, offsets: usize) -> Self {
        Self { steps: [(0, 0); MOST], used: 0, counts: [0; 19], codes: [Code::default(); 19], literals, offsets }
    }

    fn add_runs<'a>(&mut self, codes: impl Iterator<Item = &'a Code>) {
        let mut lengths = codes.map(|code| code.length).peekable();
        while let Some(length) = lengths.next() {
            let mut times = 1;
            while lengths.next_if_eq(&length).is_some() {
                times += 1;
            }
            self.repeat(length, times);
        }
    }

    /// How many bits the header takes, the three that say of which kind the block is included.
    pub(super) fn size(&self) -> u64 {
        let extra: u64 =
            self.counts[16..].iter().zip(EXTRA_BITS).map(|(n, bits)| u64::from(*n) * u64::from(bits)).sum();
        3 + 5 + 5 + 4 + 3 * self.code_lengths() as u64 + huffman::size(&self.counts, &self.codes) + extra
    }

    /// Writes the header of a block that is not the last one.
    pub(super) fn write(&self, bits: &mut Bits) {
        bits.push(0b100, 3);
        self.write_codes(bits);
    }

    /// Writes what stands behind the three bits that say of which kind the block is.
    pub(super) fn write_codes(&self, bits: &mut Bits) {
        bits.push((self.literals - 257) as u64, 5);
        bits.push((self.offsets - 1) as u64, 5);
        let count = self.code_lengths();
        bits.push((count - 4) as u64, 4);
        for symbol in &ORDER[..count] {
            bits.push(u64::from(self.codes[*symbol].length), 3);
        }
        for (symbol, extra) in &self.steps[..self.used] {
            bits.code(self.codes[usize::from(*symbol)]);
            if let Some(symbol) = symbol.checked_sub(16) {
                bits.push(u64::from(*extra), EXTRA_BITS[usize::from(symbol)]);
            }
        }
    }

    fn code_lengths(&self) -> usize {
        let unused = ORDER.iter().rev().take_while(|symbol| self.counts[**symbol] == 0).count();
        (ORDER.len() - unused).max(4)
    }

    /// `length` stands `times` times.
    fn repeat(&mut self, length: u8, mut times: u16) {
        if length != 0 {
            self.step(length, 0);
            times -= 1;
            while times >= 3 {
                let repeated = times.min(6);
                self.step(16, repeated - 3);
                times -= repeated;
            }
        } else {
            while times >= 11 {
                let repeated = times.min(138);
                self.step(18, repeated - 11);
                times -= repeated;
            }
            if times >= 3 {
                self.step(17, times - 3);
                times = 0;
            }
        }
        for _ in 0..times {
            self.step(length, 0);
        }
    }

    fn step(&mut self, symbol: u8, extra: u16) {
        self.steps[self.used] = (symbol, extra.to_le_bytes()[0]);
        self.counts[usize::from(symbol)] += 1;
        self.used += 1;
    }
}

/// The codes that need no header.
pub(super) struct Fixed {
    /// Of literals and lengths.
    pub(super) literals: LiteralCodes,
    /// Of distances.
    pub(super) offsets: OffsetCodes,
}

/// See [`Fixed`].
pub(super) static FIXED: Fixed = Fixed { literals: fixed_literals(), offsets: fixed_offsets() };

const fn fixed_literals() -> LiteralCodes {
    let mut codes = [Code { bits: 0, length: 0 }; 320];
    let mut symbol = 0u16;
    while symbol < 288 {
        let (bits, length) = match symbol {
            0..144 => (symbol + 48, 8),
            144..256 => (symbol + 400 - 144, 9),
            256..280 => (symbol - 256, 7),
            _ => (symbol + 192 - 280, 8),
        };
        codes[symbol as usize] = Code { bits: bits.reverse_bits() >> (16 - length), length };
        symbol += 1;
    }
    codes
}

const fn fixed_offsets() -> OffsetCodes {
    let mut codes = [Code { bits: 0, length: 5 }; 32];
    let mut symbol = 0u16;
    while symbol < 32 {
        codes[symbol as usize].bits = symbol.reverse_bits() >> 11;
        symbol += 1;
    }
    codes
}
