//! How a block is written: as it is, with the fixed codes, or with codes of its own.

use super::super::bits::{Bits, LiteralCodes, OffsetCodes};
use super::super::header::{FIXED, Header};
use super::super::huffman::{self, Code};
use super::super::symbols::{END_OF_BLOCK, LITERAL_SYMBOLS, OFFSET_SYMBOLS, extra_bits};
use super::super::tokens::Tokens;

/// What one stored block holds at most (RFC 1951, section 3.2.4).
pub(super) const STORED_BYTES: usize = 65535;

/// Writes blocks.
pub(super) struct Blocks {
    pub(super) bits: Bits,
    literals: LiteralCodes,
    offsets: OffsetCodes,
}

impl Blocks {
    pub(super) fn new(bits: Bits) -> Self {
        Self { bits, literals: [Code::default(); 320], offsets: [Code::default(); 32] }
    }

    /// Writes `tokens` in the form that takes the fewest bits; `plain` is what they stand for, where it is still known.
    pub(super) fn smallest(&mut self, tokens: &mut Tokens, plain: Option<&[u8]>) {
        tokens.end();
        let (literals, offsets) = self.assign(tokens);
        let header = Header::new(&self.literals[..literals], &self.offsets[..offsets]);
        let own = header.size() + size(tokens, &self.literals, &self.offsets);
        let fixed = 3 + size(tokens, &FIXED.literals, &FIXED.offsets);
        let extra = extra_bits(tokens.lengths(), &tokens.offsets[..OFFSET_SYMBOLS]);
        match plain {
            Some(plain) if stored_size(plain).is_some_and(|size| size < own.min(fixed) + extra) => self.stored(plain),
            _ if own < fixed => self.coded(&header, tokens),
            _ => {
                self.bits.push(0b010, 3);
                self.bits.tokens(tokens.list(), &FIXED.literals, &FIXED.offsets);
            }
        }
    }

    /// Writes `tokens` with codes of their own, or `plain`, which they stand for, where that takes little more.
    pub(super) fn coded_or_stored(&mut self, tokens: &mut Tokens, plain: &[u8]) {
        tokens.end();
        let (literals, offsets) = self.assign(tokens);
        let header = Header::new(&self.literals[..literals], &self.offsets[..offsets]);
        let size = header.size() + size(tokens, &self.literals, &self.offsets);
        if pays(size, plain) { self.coded(&header, tokens) } else { self.stored(plain) }
    }

    /// Writes `plain` as literals with codes of their own, or as it is where that takes little more.
    pub(super) fn literals_or_stored(&mut self, plain: &[u8]) {
        let mut counts = [0; END_OF_BLOCK + 1];
        for byte in plain {
            counts[usize::from(*byte)] += 1;
        }
        counts[END_OF_BLOCK] = 1;
        huffman::assign(&counts, 15, &mut self.literals);
        // One distance that does not occur.
        let header = Header::new(&self.literals[..counts.len()], &[Code { bits: 0, length: 1 }]);
        if pays(header.size() + huffman::size(&counts, &self.literals) + 1, plain) {
            header.write(&mut self.bits);
            self.bits.literals(plain, &self.literals);
            self.bits.code(self.literals[END_OF_BLOCK]);
        } else {
            self.stored(plain);
        }
    }

    /// Writes `plain`, at most [`STORED_BYTES`], as it is.
    pub(super) fn stored(&mut self, plain: &[u8]) {
        self.stored_header(0, plain.len());
        self.bits.bytes(plain);
    }

    /// Writes the last block, which is empty.
    pub(super) fn end(&mut self) {
        self.stored_header(1, 0);
    }

    fn stored_header(&mut self, last: u64, length: usize) {
        self.bits.push(last, 3);
        self.bits.align();
        self.bits.push(length as u64 | (!length as u64 & 0xffff) << 16, 32);
    }

    fn coded(&mut self, header: &Header, tokens: &Tokens) {
        header.write(&mut self.bits);
        self.bits.tokens(tokens.list(), &self.literals, &self.offsets);
    }

    /// Makes the codes for `tokens`, and says how many symbols of each alphabet are in use.
    fn assign(&mut self, tokens: &mut Tokens) -> (usize, usize) {
        let last_used = |counts: &[u16]| counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        let literals = last_used(&tokens.literals);
        let mut offsets = last_used(&tokens.offsets);
        if offsets == 0 {
            tokens.offsets[0] = 1;
            offsets = 1;
        }
        huffman::assign(&tokens.literals[..LITERAL_SYMBOLS], 15, &mut self.literals);
        huffman::assign(&tokens.offsets[..OFFSET_SYMBOLS], 15, &mut self.offsets);
        (literals, offsets)
    }
}

/// The bits of `tokens` but for the extra ones.
fn size(tokens: &Tokens, literals: &LiteralCodes, offsets: &OffsetCodes) -> u64 {
    huffman::size(&tokens.literals, literals) + huffman::size(&tokens.offsets, offsets)
}

/// The bits of `plain` in a stored block, where one can hold it.
fn stored_size(plain: &[u8]) -> Option<u64> {
    (plain.len() <= STORED_BYTES).then_some((plain.len() as u64 + 5) * 8)
}

/// Whether `size` bits are at least a 17th less than what `plain` takes when it is stored.
fn pays(size: u64, plain: &[u8]) -> bool {
    stored_size(plain).is_none_or(|stored| stored >= size + (size >> 4))
}

#[cfg(test)]
mod tests;
