//! How a block is written: as it is, with the fixed codes, or with codes of its own.

use super::super::bits::{Bits, LiteralCodes, OffsetCodes};
use super::super::header::{FIXED, Header};
use super::super::huffman::{self, Code};
use super::super::symbols::{LITERAL_SYMBOLS, OFFSET_SYMBOLS, OFFSETS, extra_bits};
use super::super::tokens::Tokens;
use super::tree;

/// Bits of a token in the estimate below: a literal or a length, and a distance without its extra bits.
const TOKEN_BITS: usize = 8;
const OFFSET_BITS: usize = 5;

/// Whether a block of `plain` bytes ends here: it has few matches, and shrinks to less than half by a rough estimate.
pub(super) fn should_end(tokens: &Tokens, plain: usize) -> bool {
    let offsets = &tokens.offsets[..OFFSET_SYMBOLS];
    let matches: usize = offsets.iter().map(|count| usize::from(*count)).sum();
    let bits = offsets
        .iter()
        .zip(OFFSETS)
        .map(|(count, offset)| usize::from(*count) * (OFFSET_BITS + usize::from(offset.extra_bits)));
    let size = (TOKEN_BITS * tokens.len() + bits.sum::<usize>()) / 8;
    matches < tokens.len() / 2 && size < plain / 2
}

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

    /// Writes `tokens` in the form that takes the fewest bytes, and forgets them; `plain` is what they stand for, where it is
    /// still known.
    pub(super) fn write(&mut self, tokens: &mut Tokens, plain: Option<&[u8]>, is_last: bool) {
        tokens.end();
        let literals = tree::assign(&tokens.literals[..LITERAL_SYMBOLS], 15, &mut self.literals);
        let offsets = tree::assign(&tokens.offsets[..OFFSET_SYMBOLS], 15, &mut self.offsets);
        let header = Header::apart(&self.literals[..literals], &self.offsets[..offsets], tree::assign);
        let extra = extra_bits(tokens.lengths(), &tokens.offsets[..OFFSET_SYMBOLS]);
        let own = bytes(header.size() + size(tokens, &self.literals, &self.offsets) + extra);
        let fixed = bytes(3 + size(tokens, &FIXED.literals, &FIXED.offsets) + extra);
        let last = u64::from(is_last);
        match plain {
            Some(plain) if plain.len() as u64 + 4 <= own.min(fixed) => self.stored(plain, last),
            _ if fixed <= own => {
                self.bits.push(0b010 | last, 3);
                self.bits.tokens(tokens.list(), &FIXED.literals, &FIXED.offsets);
            }
            _ => {
                self.bits.push(0b100 | last, 3);
                header.write_codes(&mut self.bits);
                self.bits.tokens(tokens.list(), &self.literals, &self.offsets);
            }
        }
        if is_last {
            self.bits.align();
        }
        tokens.clear();
    }

    fn stored(&mut self, plain: &[u8], last: u64) {
        self.bits.push(last, 3);
        self.bits.align();
        self.bits.push(plain.len() as u64 | (!plain.len() as u64 & 0xffff) << 16, 32);
        self.bits.bytes(plain);
    }
}

/// The bits of `tokens` but for the extra ones.
fn size(tokens: &Tokens, literals: &LiteralCodes, offsets: &OffsetCodes) -> u64 {
    huffman::size(&tokens.literals, literals) + huffman::size(&tokens.offsets, offsets)
}

const fn bytes(bits: u64) -> u64 {
    bits.div_ceil(8)
}

#[cfg(test)]
mod tests;
