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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with_lengths(lengths: &[u8]) -> Vec<Code> {
        lengths.iter().map(|length| Code { bits: 0, length: *length }).collect()
    }

    /// The code lengths that the steps stand for (RFC 1951, 3.2.7).
    fn expanded(header: &Header) -> Vec<u8> {
        let mut lengths = Vec::new();
        for (symbol, extra) in &header.steps[..header.used] {
            let (length, times) = match symbol {
                16 => (*lengths.last().unwrap(), extra + 3),
                17 => (0, extra + 3),
                18 => (0, extra + 11),
                length => (*length, 1),
            };
            lengths.extend(std::iter::repeat_n(length, usize::from(times)));
        }
        lengths
    }

    fn steps(lengths: &[u8]) -> Vec<(u8, u8)> {
        let header = Header::new(&with_lengths(lengths), &[]);
        header.steps[..header.used].to_vec()
    }

    fn zlibs(literals: &[Code], offsets: &[Code]) -> Header {
        Header::apart(literals, offsets, |counts, longest, codes| {
            huffman::assign(counts, longest, codes);
            0
        })
    }

    #[test]
    fn runs_are_as_long_as_their_extra_bits_allow() {
        for (times, expected) in [
            (1, vec![(0, 0)]),
            (2, vec![(0, 0), (0, 0)]),
            (3, vec![(17, 0)]),
            (10, vec![(17, 7)]),
            (11, vec![(18, 0)]),
            (138, vec![(18, 127)]),
            (139, vec![(18, 127), (0, 0)]),
            (141, vec![(18, 127), (17, 0)]),
            (149, vec![(18, 127), (18, 0)]),
        ] {
            assert_eq!(steps(&vec![0; times]), expected, "{times} zeros");
        }
        for (times, expected) in [
            (1, vec![(9, 0)]),
            (3, vec![(9, 0), (9, 0), (9, 0)]),
            (4, vec![(9, 0), (16, 0)]),
            (7, vec![(9, 0), (16, 3)]),
            (8, vec![(9, 0), (16, 3), (9, 0)]),
            (10, vec![(9, 0), (16, 3), (16, 0)]),
        ] {
            assert_eq!(steps(&vec![9; times]), expected, "{times} nines");
        }
    }

    #[test]
    fn a_run_goes_over_to_the_distances_in_one_of_two_kinds() {
        let (literals, offsets) = (with_lengths(&[5, 5, 5]), with_lengths(&[5, 5]));
        let both = Header::new(&literals, &offsets);
        assert_eq!(both.steps[..both.used], [(5, 0), (16, 1)]);
        let apart = zlibs(&literals, &offsets);
        assert_eq!(apart.steps[..apart.used], [(5, 0); 5]);
    }

    #[test]
    fn trailing_lengths_that_nobody_uses_are_left_out() {
        for (lengths, count) in [
            // The fourth is 8; the last, 15, asks for all of them.
            (&[8][..], 5),
            (&[0, 8], 5),
            (&[15, 8], 19),
            (&[1], 18),
            (&[7], 6),
            (&[0], 4),
            (&[0; 11], 4),
        ] {
            assert_eq!(Header::new(&with_lengths(lengths), &[]).code_lengths(), count, "{lengths:?}");
        }
    }

    #[test]
    fn the_fixed_codes_are_those_of_the_rfc() {
        for (symbol, bits, length) in [
            (0, 0b0011_0000, 8),
            (143, 0b1011_1111, 8),
            (144, 0b1_1001_0000, 9),
            (255, 0b1_1111_1111, 9),
            (256, 0, 7),
            (279, 0b001_0111, 7),
            (280, 0b1100_0000, 8),
            (287, 0b1100_0111, 8),
        ] {
            let code = FIXED.literals[symbol];
            let first_lowest = u16::reverse_bits(bits) >> (16 - length);
            assert_eq!((code.bits, u16::from(code.length)), (first_lowest, length), "{symbol}");
        }
        for (symbol, bits) in [(0, 0), (1, 0b10000), (2, 0b01000), (29, 0b10111)] {
            assert_eq!(FIXED.offsets[symbol], Code { bits, length: 5 });
        }
    }

    proptest! {
        #[test]
        fn any_lengths_come_back_and_take_the_bits_that_are_said(
            literals in proptest::collection::vec(prop_oneof![3 => Just(0_u8), 3 => Just(8), 2 => 1..16_u8], 257..287),
            offsets in proptest::collection::vec(prop_oneof![2 => Just(0_u8), 1 => 1..16_u8], 1..31),
        ) {
            let (literals, offsets) = (with_lengths(&literals), with_lengths(&offsets));
            for header in [Header::new(&literals, &offsets), zlibs(&literals, &offsets)] {
                let lengths: Vec<u8> = literals.iter().chain(&offsets).map(|code| code.length).collect();
                prop_assert_eq!(expanded(&header), lengths);
                let mut bits = Bits::new();
                header.write(&mut bits);
                let held = u64::from(bits.held().1);
                let mut out = Vec::new();
                bits.drain(&mut out).unwrap();
                prop_assert_eq!(8 * out.len() as u64 + held, header.size());
            }
        }
    }
}
