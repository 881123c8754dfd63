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
