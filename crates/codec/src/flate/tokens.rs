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

#[cfg(test)]
mod tests {
    use super::*;

    /// Length and distance of each match, and each literal as it is.
    fn read(tokens: &Tokens) -> Vec<(usize, usize)> {
        let parts = |token: &Token| match token.is_match() {
            true => (usize::from(token.length_less_3()) + 3, token.offset_less_1() as usize + 1),
            false => (token.literal(), 0),
        };
        tokens.list().iter().map(parts).collect()
    }

    #[test]
    fn tokens_come_back_and_are_counted_by_their_symbols() {
        let mut tokens = Tokens::new();
        tokens.literals(b"aab\xff");
        for (length, offset) in [(3, 1), (258, 1 << 15), (10, 5), (11, 24_577), (257, 24_576)] {
            tokens.copy(length, offset);
        }
        tokens.end();
        let matches = [(3, 1), (258, 1 << 15), (10, 5), (11, 24_577), (257, 24_576)];
        let literals = [(97, 0), (97, 0), (98, 0), (255, 0)];
        assert_eq!(read(&tokens), [&literals[..], &matches, &[(256, 0)]].concat());
        assert_eq!(tokens.len(), 10);
        let counted = |counts: &[u16]| -> Vec<(usize, u16)> {
            counts.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect()
        };
        assert_eq!(
            counted(&tokens.literals),
            [(97, 2), (98, 1), (255, 1), (256, 1), (257, 1), (264, 1), (265, 1), (284, 1), (285, 1)]
        );
        assert_eq!(counted(&tokens.offsets), [(0, 1), (4, 1), (28, 1), (29, 2)]);
        assert_eq!(counted(tokens.lengths()), [(0, 1), (7, 1), (8, 1), (27, 1), (28, 1)]);
        tokens.clear();
        assert_eq!((tokens.len(), counted(&tokens.literals), counted(&tokens.offsets)), (0, vec![], vec![]));
    }

    #[test]
    fn a_long_match_is_cut_so_that_every_piece_is_one() {
        for (length, pieces) in [
            (3, vec![3]),
            (258, vec![258]),
            (259, vec![255, 4]),
            (260, vec![255, 5]),
            (261, vec![255, 6]),
            (262, vec![258, 4]),
            (516, vec![258, 258]),
            (517, vec![258, 255, 4]),
            (1_000, vec![258, 258, 258, 226]),
        ] {
            let mut tokens = Tokens::new();
            tokens.copy_all(length, 7);
            assert_eq!(read(&tokens), pieces.into_iter().map(|piece| (piece, 7)).collect::<Vec<_>>(), "{length}");
        }
    }
}
