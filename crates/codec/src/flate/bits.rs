//! The bits of a DEFLATE stream, lowest first (RFC 1951, section 3.1.1).

use std::io::{self, Write};

use super::huffman::Code;
use super::symbols::{LENGTHS, OFFSETS};
use super::tokens::Token;

/// The code of each literal, of the end of the block and of each length, with room for what a mask of 5 bits lets through.
pub(super) type LiteralCodes = [Code; 320];

/// The code of each distance, with room for what a mask of 5 bits lets through.
pub(super) type OffsetCodes = [Code; 32];

/// Tokens that are written after room was made for them.
const TOKENS_AT_ONCE: usize = 4096;

/// Bits that become bytes. Between two calls fewer than eight bits are held back.
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// How many of `bytes` are written.
    written: usize,
    held: u64,
    count: u32,
}

impl Bits {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), written: 0, held: 0, count: 0 }
    }

    /// Goes on after the `count` lowest bits of `held`, fewer than eight.
    pub(super) fn after(held: u8, count: u8) -> Self {
        Self { held: u64::from(held), count: u32::from(count), ..Self::new() }
    }

    /// The bits that do not fill a byte yet, and their number.
    pub(super) fn held(&self) -> (u8, u8) {
        (self.held.to_le_bytes()[0], self.count.to_le_bytes()[0])
    }

    /// Appends the `count` bits of `value`, at most 48.
    pub(super) fn push(&mut self, value: u64, count: u32) {
        self.make_room(8);
        self.add(value, count);
        self.spill();
    }

    /// Appends `code`.
    pub(super) fn code(&mut self, code: Code) {
        self.push(u64::from(code.bits), u32::from(code.length));
    }

    /// Appends each of `tokens`.
    pub(super) fn tokens(&mut self, tokens: &[Token], literals: &LiteralCodes, offsets: &OffsetCodes) {
        for tokens in tokens.chunks(TOKENS_AT_ONCE) {
            self.make_room(8 * TOKENS_AT_ONCE);
            let mut tokens = tokens.iter();
            while let Some(token) = tokens.next() {
                if token.is_match() {
                    self.add_match(*token, literals, offsets);
                } else {
                    self.add_code(literals[token.literal()]);
                    // Two more literals of at most 15 bits fit beside the bits that are held.
                    let mut more = tokens.as_slice().iter().take(2).take_while(|token| !token.is_match());
                    for token in more.by_ref() {
                        self.add_code(literals[token.literal()]);
                        tokens.next();
                    }
                }
                self.spill();
            }
        }
    }

    /// Appends each byte of `literals` with its code.
    pub(super) fn literals(&mut self, literals: &[u8], codes: &LiteralCodes) {
        for literals in literals.chunks(TOKENS_AT_ONCE) {
            self.make_room(8 * TOKENS_AT_ONCE);
            for three in literals.chunks(3) {
                for literal in three {
                    self.add_code(codes[usize::from(*literal)]);
                }
                self.spill();
            }
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.push(0, (8 - self.count) % 8);
    }

    /// Appends whole bytes; the bits before them must be aligned.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.bytes[self.written..self.written + bytes.len()].copy_from_slice(bytes);
        self.written += bytes.len();
    }

    /// Hands the whole bytes to `out`.
    pub(super) fn drain(&mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.bytes[..std::mem::take(&mut self.written)])
    }

    fn make_room(&mut self, count: usize) {
        let wanted = self.written + count + 8;
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted.next_power_of_two(), 0);
        }
    }

    #[inline(always)]
    fn add(&mut self, value: u64, count: u32) {
        self.held |= value << self.count;
        self.count += count;
    }

    #[inline(always)]
    fn add_code(&mut self, code: Code) {
        self.add(u64::from(code.bits), u32::from(code.length));
    }

    #[inline(always)]
    fn add_match(&mut self, token: Token, literals: &LiteralCodes, offsets: &OffsetCodes) {
        let length = LENGTHS[usize::from(token.length_less_3())];
        self.add_code(literals[257 + usize::from(length.code & 31)]);
        self.add(u64::from(length.extra), u32::from(length.extra_bits));
        let code = token.offset_code();
        let offset = OFFSETS[code];
        self.add_code(offsets[code]);
        self.add(u64::from(token.offset_less_1() - offset.base), u32::from(offset.extra_bits));
    }

    #[inline(always)]
    fn spill(&mut self) {
        self.bytes[self.written..self.written + 8].copy_from_slice(&self.held.to_le_bytes());
        self.written += (self.count >> 3) as usize;
        self.held >>= self.count & !7;
        self.count &= 7;
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::FIXED;
    use super::super::tokens::Tokens;
    use super::*;
    use crate::noise::noise;

    fn drained(bits: &mut Bits) -> Vec<u8> {
        let mut out = Vec::new();
        bits.drain(&mut out).unwrap();
        out
    }

    #[test]
    fn bits_come_lowest_first_and_fill_bytes() {
        let mut bits = Bits::new();
        bits.push(0b1, 1);
        bits.push(0b01, 2);
        assert_eq!((drained(&mut bits), bits.held()), (vec![], (0b011, 3)));
        bits.push(0b1_0110, 5);
        assert_eq!((drained(&mut bits), bits.held()), (vec![0b1011_0011], (0, 0)));
        // As many as there may be at once, behind seven that are held.
        bits.push(0x7f, 7);
        bits.push(0x8000_0000_0001, 48);
        assert_eq!(drained(&mut bits), [0xff, 0, 0, 0, 0, 0]);
        assert_eq!(bits.held(), (0x40, 7));
    }

    #[test]
    fn a_byte_is_filled_with_zeros_and_whole_bytes_follow() {
        for count in 0..8 {
            let mut bits = Bits::new();
            bits.push((1 << count) - 1, count);
            bits.align();
            bits.bytes(b"whole");
            let first = if count == 0 { vec![] } else { vec![u8::try_from((1_u32 << count) - 1).unwrap()] };
            assert_eq!(drained(&mut bits), [&first[..], b"whole"].concat());
            assert_eq!((drained(&mut bits), bits.held()), (vec![], (0, 0)), "nothing comes twice");
        }
    }

    #[test]
    fn bits_go_on_after_those_that_were_held() {
        for count in 0..8 {
            let (mut whole, mut first) = (Bits::new(), Bits::new());
            for bits in [&mut whole, &mut first] {
                bits.push(0x155, 9);
                bits.push((1 << count) - 1, count);
            }
            let before = drained(&mut first);
            let (held, held_count) = first.held();
            let mut second = Bits::after(held, held_count);
            for bits in [&mut whole, &mut second] {
                bits.push(0x3c5, 11);
                bits.align();
            }
            assert_eq!([before, drained(&mut second)].concat(), drained(&mut whole), "{count}");
        }
    }

    /// The bits of literals and matches with the codes of RFC 1951, section 3.2.6, one after the other.
    fn one_by_one(tokens: &[Token]) -> Vec<u8> {
        let mut bits = Bits::new();
        for token in tokens {
            if !token.is_match() {
                bits.code(FIXED.literals[token.literal()]);
                continue;
            }
            let length = LENGTHS[usize::from(token.length_less_3())];
            bits.code(FIXED.literals[257 + usize::from(length.code)]);
            bits.push(u64::from(length.extra), u32::from(length.extra_bits));
            bits.code(FIXED.offsets[token.offset_code()]);
            let offset = OFFSETS[token.offset_code()];
            bits.push(u64::from(token.offset_less_1() - offset.base), u32::from(offset.extra_bits));
        }
        bits.align();
        drained(&mut bits)
    }

    #[test]
    fn tokens_are_their_codes_one_behind_the_other() {
        let mut tokens = Tokens::new();
        // Literals and matches in every order, more than are written at once; lengths and distances at their extremes.
        for (at, byte) in noise(1, 20_000).into_iter().enumerate() {
            match byte {
                0..200 => tokens.literal(byte),
                200..210 => tokens.copy(258, 1 << 15),
                210..220 => tokens.copy(3, 1),
                _ => tokens.copy(3 + at % 256, 1 + at % (1 << 15)),
            }
        }
        tokens.end();
        let mut bits = Bits::new();
        bits.tokens(tokens.list(), &FIXED.literals, &FIXED.offsets);
        bits.align();
        assert!(drained(&mut bits) == one_by_one(tokens.list()));
    }

    #[test]
    fn literals_are_the_same_as_tokens() {
        for length in [0, 1, 2, 3, 4, 4_095, 4_096, 4_097, 10_000] {
            let plain = noise(2, length);
            let mut tokens = Tokens::new();
            tokens.literals(&plain);
            let mut bits = Bits::new();
            bits.literals(&plain, &FIXED.literals);
            bits.align();
            assert!(drained(&mut bits) == one_by_one(tokens.list()), "{length}");
        }
    }
}
