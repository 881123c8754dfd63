//! How a block is written: as it is, with the fixed codes, with codes of its own, or with those of the block before, which then
//! simply goes on.

use super::super::bits::{Bits, LiteralCodes, OffsetCodes};
use super::super::header::{FIXED, Header};
use super::super::huffman::{self, Code};
use super::super::symbols::{END_OF_BLOCK, LITERAL_SYMBOLS, OFFSET_SYMBOLS, extra_bits};
use super::super::tokens::Tokens;
use super::BLOCK_BYTES;
use super::estimate::estimated_size;

/// From as many tokens on, the fixed codes are not considered.
const FIXED_BELOW: usize = 250;

/// The bits of a header of literals, before it is known.
const LITERALS_HEADER: u64 = 70 * 8;

/// From as many bytes on, literals that occur equally often are stored at once.
const EVEN_FROM: usize = 1024;

/// Writes blocks.
pub(super) struct Blocks {
    pub(super) bits: Bits,
    literals: LiteralCodes,
    offsets: OffsetCodes,
    open: Option<Open>,
    /// New codes count for as many bits more as their block has, shifted by this.
    penalty: u32,
    /// Headers leave out the codes behind the last one that is used.
    exact_sizes: bool,
}

/// A block that was not ended, because the next one may go on with its codes.
#[derive(Clone, Copy)]
struct Open {
    /// The bits of its header.
    header: u64,
    /// It has no codes for matches.
    only_literals: bool,
}

/// How often each symbol occurs.
struct Counts {
    literals: [u16; 320],
    offsets: [u16; 32],
}

impl Counts {
    /// The bits of all symbols but for the extra ones.
    fn size(&self, literals: &LiteralCodes, offsets: &OffsetCodes) -> u64 {
        huffman::size(&self.literals, literals) + huffman::size(&self.offsets, offsets)
    }

    fn fixed_size(&self) -> u64 {
        3 + self.size(&FIXED.literals, &FIXED.offsets)
    }
}

impl Blocks {
    pub(super) fn new(bits: Bits, penalty: u32, exact_sizes: bool) -> Self {
        let (literals, offsets) = ([Code::default(); 320], [Code::default(); 32]);
        Self { bits, literals, offsets, open: None, penalty, exact_sizes }
    }

    /// Writes `tokens` in the form that seems to take the fewest bits; `plain` is what they stand for, where that is still known.
    /// The block ends with them when it `ends`.
    pub(super) fn coded(&mut self, tokens: &mut Tokens, plain: Option<&[u8]>, ends: bool) {
        if ends {
            tokens.end();
        }
        if self.open.is_some_and(|open| open.only_literals) || !self.has_codes_for(tokens) {
            self.close();
        }
        let (mut counts, shape) = self.counts(tokens, ends);
        let plain = plain.filter(|plain| plain.len() <= BLOCK_BYTES);
        let stored = plain.map_or(u64::MAX, stored_size);
        let extra = extra_bits(tokens.lengths(), &tokens.offsets[..OFFSET_SYMBOLS]);
        let may_be_fixed = tokens.len() < FIXED_BELOW;
        if let Some(open) = self.open {
            let new = open.header + estimated_size(tokens);
            let new = new + u64::from(self.literals[END_OF_BLOCK].length) + (new >> self.penalty);
            let same = counts.size(&self.literals, &self.offsets) + extra;
            if new < same {
                self.close();
            }
            let size = new.min(same);
            if stored <= size {
                return self.stored(plain.unwrap_or_default());
            }
            if may_be_fixed && counts.fixed_size() + extra + 7 < size {
                return self.fixed(tokens, ends);
            }
        }
        if self.open.is_none() {
            counts.literals[END_OF_BLOCK] = 1;
            huffman::assign(&counts.literals[..LITERAL_SYMBOLS], 15, &mut self.literals);
            huffman::assign(&counts.offsets[..OFFSET_SYMBOLS], 15, &mut self.offsets);
            let header = Header::new(&self.literals[..shape.0], &self.offsets[..shape.1]);
            let size = header.size() + counts.size(&self.literals, &self.offsets) + extra;
            let fixed = counts.fixed_size() + extra;
            let fixed_is_smaller = may_be_fixed && fixed <= size;
            if stored <= if fixed_is_smaller { fixed } else { size } {
                return self.stored(plain.unwrap_or_default());
            }
            if fixed_is_smaller {
                return self.fixed(tokens, ends);
            }
            header.write(&mut self.bits);
            self.open = Some(Open { header: header.size(), only_literals: false });
        }
        self.bits.tokens(tokens.list(), &self.literals, &self.offsets);
        if ends {
            self.open = None;
        }
    }

    /// Writes `plain`, at most [`BLOCK_BYTES`], as literals, or as it is where that takes little more. The block ends when it `ends`.
    pub(super) fn literals(&mut self, plain: &[u8], ends: bool) {
        let mut counts = [0u16; END_OF_BLOCK + 1];
        for byte in plain {
            counts[usize::from(*byte)] += 1;
        }
        if plain.len() > EVEN_FROM && are_even(&counts[..END_OF_BLOCK], plain.len()) {
            return self.stored(plain);
        }
        counts[END_OF_BLOCK] = 1;
        let mut codes = [Code::default(); 320];
        huffman::assign(&counts, 15, &mut codes);
        let new = huffman::size(&counts, &codes) + self.open.map_or(LITERALS_HEADER, |open| open.header);
        let new = new + (new >> self.penalty);
        if stored_size(plain) <= new {
            return self.stored(plain);
        }
        // The end of the block does not count here.
        let same = huffman::size_if_coded(&counts[..END_OF_BLOCK], &self.literals);
        if same.is_none_or(|same| new < same) {
            self.close();
        }
        if self.open.is_none() {
            self.literals = codes;
            // One distance that does not occur.
            let header = Header::new(&codes[..counts.len()], &[Code { bits: 0, length: 1 }]);
            header.write(&mut self.bits);
            self.open = Some(Open { header: header.size(), only_literals: true });
        }
        self.bits.literals(plain, &self.literals);
        if ends {
            self.close();
        }
    }

    /// Writes `plain`, at most [`BLOCK_BYTES`], as it is.
    pub(super) fn stored(&mut self, plain: &[u8]) {
        self.close();
        self.bits.push(0, 3);
        self.bits.align();
        self.bits.push(plain.len() as u64 | (!plain.len() as u64 & 0xffff) << 16, 32);
        self.bits.bytes(plain);
    }

    /// Writes the last block, which is empty.
    pub(super) fn end(&mut self) {
        self.close();
        self.bits.push(0b011, 10);
        self.bits.align();
    }

    fn fixed(&mut self, tokens: &mut Tokens, ends: bool) {
        self.close();
        if !ends {
            tokens.end();
        }
        self.bits.push(0b010, 3);
        self.bits.tokens(tokens.list(), &FIXED.literals, &FIXED.offsets);
    }

    /// Ends the block that was left open, if there is one.
    fn close(&mut self) {
        if self.open.take().is_some() {
            self.bits.code(self.literals[END_OF_BLOCK]);
        }
    }

    fn has_codes_for(&self, tokens: &Tokens) -> bool {
        let all = |counts: &[u16], codes: &[Code]| counts.iter().zip(codes).all(|(n, code)| *n == 0 || code.length > 0);
        all(&tokens.literals, &self.literals) && all(&tokens.offsets, &self.offsets)
    }

    /// What counts when sizes are compared, and how many symbols of each alphabet a header describes.
    fn counts(&self, tokens: &Tokens, ends: bool) -> (Counts, (usize, usize)) {
        let mut counts = Counts { literals: tokens.literals, offsets: tokens.offsets };
        if !ends && !self.exact_sizes {
            return (counts, (LITERAL_SYMBOLS, OFFSET_SYMBOLS));
        }
        counts.literals[END_OF_BLOCK] = 1;
        let used = |counts: &[u16]| counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        if used(&counts.offsets) == 0 {
            counts.offsets[0] = 1;
        }
        let shape = (used(&counts.literals), used(&counts.offsets));
        (counts, shape)
    }
}

/// The bits of `plain` in a stored block.
fn stored_size(plain: &[u8]) -> u64 {
    (plain.len() as u64 + 5) * 8
}

/// Whether each of 256 bytes occurs about as often as any other among `length`, as in noise.
fn are_even(counts: &[u16], length: usize) -> bool {
    let average = length as f64 / 256.0;
    let spread: f64 = counts.iter().map(|count| f64::from(*count) - average).map(|more| more * more).sum();
    spread < (2 * length) as f64
}

#[cfg(test)]
mod tests;
