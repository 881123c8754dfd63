//! What a block is made of: literals and matches, and how often each symbol occurs.

use super::symbols::{END_OF_BLOCK, LENGTHS, LITERAL_SYMBOLS, LONGEST, offset_code};

/// Tokens of one block at most: 65535 literals and the end of the block.
const MOST: usize = 1 << 16;

/// A literal (its value) or a match: 1 bit that says so, 8 bits of length less 3, 6 bits of distance symbol, 16 bits of
/// distance less 1.
#[derive(Clone, Copy)]
pub(super) struct Token(u32);

impl Token {
    #[inline(always)]
    pub(super) fn is_match(self) -> bool {
        self.0 >= 1 << 30
    }

    #[inline(always)]
    pub(super) fn literal(self) -> usize {
        (self.0 & 0x1ff) as usize
    }

    #[inline(always)]
    pub(super) fn length_less_3(self) -> u8 {
        (self.0 >> 22 & 0xff) as u8
    }

    #[inline(always)]
    pub(super) fn offset_code(self) -> usize {
        (self.0 >> 16 & 31) as usize
    }

    #[inline(always)]
    pub(super) fn offset_less_1(self) -> u32 {
        self.0 & 0xffff
    }
}

/// The tokens of a block, counted as they come. 256 KiB.
pub(super) struct Tokens {
    list: Box<[Token; MOST]>,
    count: usize,
    /// How often each literal, the end of the block and each length symbol occurs.
    pub(super) literals: [u16; 320],
    /// How often each distance symbol occurs.
    pub(super) offsets: [u16; 32],
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self { list: Box::new([Token(0); MOST]), count: 0, literals: [0; 320], offsets: [0; 32] }
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.literals.fill(0);
        self.offsets.fill(0);
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn list(&self) -> &[Token] {
        &self.list[..self.count]
    }

    /// How often each length symbol occurs, from 257 on.
    pub(super) fn lengths(&self) -> &[u16] {
        &self.literals[257..LITERAL_SYMBOLS]
    }

    #[inline(always)]
    pub(super) fn literal(&mut self, literal: u8) {
        self.literals[usize::from(literal)] += 1;
        self.push(u32::from(literal));
    }

    pub(super) fn literals(&mut self, literals: &[u8]) {
        for literal in literals {
            self.literal(*literal);
        }
    }

    /// The end of the block.
    pub(super) fn end(&mut self) {
        self.literals[END_OF_BLOCK] += 1;
        self.push(END_OF_BLOCK as u32);
    }

    /// A match of 3 to 258 bytes at a distance of 1 to 32768.
    #[inline(always)]
    pub(super) fn copy(&mut self, length: usize, offset: usize) {
        let (length, offset) = ((length - 3) as u32 & 0xff, (offset - 1) as u32 & 0x7fff);
        let code = offset_code(offset);
        self.literals[257 + usize::from(LENGTHS[length as usize].code & 31)] += 1;
        self.offsets[(code & 31) as usize] += 1;
        self.push(1 << 30 | length << 22 | code << 16 | offset);
    }

    /// Matches of `length` bytes in all at one distance.
    #[inline(always)]
    pub(super) fn copy_all(&mut self, length: usize, offset: usize) {
        let mut left = length;
        while left > 0 {
            // What is left must be a match too.
            let piece = match left {
                ..=LONGEST => left,
                259..=261 => LONGEST - 3,
                _ => LONGEST,
            };
            self.copy(piece, offset);
            left -= piece;
        }
    }

    #[inline(always)]
    fn push(&mut self, token: u32) {
        self.list[self.count & (MOST - 1)] = Token(token);
        self.count += 1;
    }
}
