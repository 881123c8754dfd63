//! One block (RFC 8878, 3.1.1.2): raw, one byte repeated, or literals and sequences.

use super::bits::narrow;
use super::huffman::{Huffman, Packed};
use super::sequences::{MATCH_MIN, Sequence, Sequences};

/// What a match finder made of a block: all of its literals, and the sequences that use them.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) literals: Vec<u8>,
    pub(super) sequences: Vec<Sequence>,
}

impl Parsed {
    pub(super) fn clear(&mut self) {
        self.literals.clear();
        self.sequences.clear();
    }
}

/// What differs between versions and levels.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// A block of the full size without any match is raw, whatever its bytes.
    pub(super) full_literals_raw: bool,
    /// So is any block without a match.
    pub(super) literals_raw: bool,
    /// Fewer literals are not packed.
    pub(super) literals_min: usize,
    /// Packed literals must be shorter than raw ones with their headers, too.
    pub(super) headers_counted: bool,
    /// Matches must save the block's length shifted by this, and 16 bytes.
    pub(super) saved_shift: u32,
    /// A block of one byte is written as such.
    pub(super) runs: bool,
    /// See [`Sequences::new`].
    pub(super) exact_tables: bool,
}

/// The entropy coders, from block to block.
pub(super) struct Blocks {
    rules: Rules,
    size: usize,
    huffman: Huffman,
    sequences: Sequences,
}

#[derive(Clone, Copy)]
enum Type {
    Raw = 0,
    Run = 1,
    Compressed = 2,
}

impl Blocks {
    /// Blocks of up to `size` bytes.
    pub(super) fn new(rules: Rules, size: usize) -> Self {
        Self { rules, size, huffman: Huffman::default(), sequences: Sequences::new(rules.exact_tables) }
    }

    /// Appends the block.
    pub(super) fn pack(&mut self, block: &[u8], parsed: &Parsed, last: bool, out: &mut Vec<u8>) {
        let Parsed { literals, sequences } = parsed;
        if sequences.is_empty() {
            let raw = self.rules.full_literals_raw && block.len() == self.size;
            return self.pack_literals(literals, raw, last, out);
        }
        if self.rules.runs
            && let Some(length) = run(parsed)
        {
            header(Type::Run, length, last, out);
            return out.push(block[0]);
        }
        if literals.len() + (block.len() >> self.rules.saved_shift) + 16 > block.len() {
            return self.pack_literals(block, false, last, out);
        }
        let start = out.len();
        header(Type::Compressed, 0, last, out);
        self.pack_section(literals, out);
        let packed = self.sequences.pack(sequences, out);
        let size = out.len() - start - 3;
        if packed.is_none() || size >= block.len() {
            out.truncate(start);
            self.huffman.forget();
            return raw(block, last, out);
        }
        self.sequences.keep();
        set_header(&mut out[start..], Type::Compressed, size, last);
    }

    /// A block that is literals only.
    fn pack_literals(&mut self, literals: &[u8], is_raw: bool, last: bool, out: &mut Vec<u8>) {
        if is_raw || self.rules.literals_raw || literals.len() < 32 {
            return raw(literals, last, out);
        }
        let start = out.len();
        header(Type::Compressed, 0, last, out);
        let packed = self.pack_huffman(literals, 0, out);
        match packed {
            Packed::No => {
                out.truncate(start);
                raw(literals, last, out);
            }
            Packed::Run => {
                out.truncate(start);
                header(Type::Run, literals.len(), last, out);
                out.push(literals[0]);
            }
            Packed::Table | Packed::Treeless => {
                out.push(0);
                let size = out.len() - start - 3;
                set_header(&mut out[start..], Type::Compressed, size, last);
            }
        }
    }

    /// The literals section (RFC 8878, 3.1.1.3.1).
    fn pack_section(&mut self, literals: &[u8], out: &mut Vec<u8>) {
        match self.pack_huffman(literals, plain_header(0, literals.len()).1, out) {
            Packed::No => {
                push_plain_header(0, literals.len(), out);
                out.extend_from_slice(literals);
            }
            Packed::Run => {
                push_plain_header(1, literals.len(), out);
                out.push(literals[0]);
            }
            Packed::Table | Packed::Treeless => {}
        }
    }

    /// Appends a section of Huffman codes, if that pays against literals with a header of `plain` bytes; nothing else.
    fn pack_huffman(&mut self, literals: &[u8], plain: usize, out: &mut Vec<u8>) -> Packed {
        if literals.len() < self.rules.literals_min {
            return Packed::No;
        }
        let streams = if literals.len() < 1024 { 1 } else { 4 };
        let start = out.len();
        let header = packed_header_size(literals.len());
        out.extend_from_slice(&[0; 5][..header]);
        let packed = self.huffman.pack(literals, streams, out);
        let kind = match packed {
            Packed::Table => 2,
            Packed::Treeless => 3,
            Packed::No | Packed::Run => {
                out.truncate(start);
                return packed;
            }
        };
        let size = out.len() - start - header;
        if self.rules.headers_counted && size + header >= literals.len() + plain {
            out.truncate(start);
            return Packed::No;
        }
        self.huffman.keep();
        set_packed_header(&mut out[start..], kind, (literals.len(), size), streams);
        packed
    }
}

/// The length of the block, where it is one literal at most and a match with the byte before.
fn run(parsed: &Parsed) -> Option<usize> {
    let ([sequence], literals) = (parsed.sequences.as_slice(), parsed.literals.len()) else { return None };
    let alone = literals <= 1 && sequence.literals == narrow(literals) && sequence.offset == 4;
    alone.then(|| (sequence.matched + MATCH_MIN + sequence.literals) as usize)
}

/// Appends a raw block.
pub(super) fn raw(block: &[u8], last: bool, out: &mut Vec<u8>) {
    header(Type::Raw, block.len(), last, out);
    out.extend_from_slice(block);
}

fn header(kind: Type, size: usize, last: bool, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 3]);
    set_header(&mut out[start..], kind, size, last);
}

fn set_header(header: &mut [u8], kind: Type, size: usize, last: bool) {
    let value = narrow(size) << 3 | (kind as u32) << 1 | u32::from(last);
    header[..3].copy_from_slice(&value.to_le_bytes()[..3]);
}

/// The header of literals as they are, and its size.
const fn plain_header(kind: u32, literals: usize) -> (u32, usize) {
    let literals = narrow(literals);
    match literals {
        0..0x10 => (kind | literals << 3, 1),
        0x10..0x800 => (kind | 1 << 2 | literals << 4, 2),
        _ => (kind | 3 << 2 | literals << 4, 3),
    }
}

fn push_plain_header(kind: u32, literals: usize, out: &mut Vec<u8>) {
    let (value, size) = plain_header(kind, literals);
    out.extend_from_slice(&value.to_le_bytes()[..size]);
}

/// Packed literals are shorter, so that their own number decides.
const fn packed_header_size(literals: usize) -> usize {
    match literals {
        0..0x400 => 3,
        0x400..0x4000 => 4,
        _ => 5,
    }
}

fn set_packed_header(header: &mut [u8], kind: u64, (literals, size): (usize, usize), streams: usize) {
    let bytes = packed_header_size(literals);
    let format = if streams == 1 { 0 } else { bytes as u64 - 2 };
    let width = [10, 14, 18][bytes - 3];
    let value = kind | format << 2 | (literals as u64) << 4 | (size as u64) << (4 + width);
    header[..bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
}

#[cfg(test)]
mod tests;
