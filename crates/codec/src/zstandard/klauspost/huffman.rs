//! Literals as Huffman codes (RFC 8878, 4.2), with klauspost's choice of lengths and of when an earlier table is used again.

use std::cmp::Reverse;

use super::bits::{Bits, high_bit, narrow};
use super::fse;

/// The longest code that the format allows for literals (RFC 8878, 4.2.1).
const LENGTH_MAX: u32 = 11;

const LENGTH_MIN: u32 = 5;

/// Leaves and inner nodes of a tree of 256 symbols, with a guard before the first.
const NODES: usize = 513;

/// What became of the literals of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packed {
    /// Not worth it.
    No,
    /// They are one byte repeated.
    Run,
    /// Written with a table that goes before them.
    Table,
    /// Written with the table of an earlier block.
    Treeless,
}

/// What stays from block to block.
#[derive(Default)]
pub(super) struct Huffman {
    earlier: Option<Codes>,
    reusable: bool,
}

impl Huffman {
    /// The block went out in another way, so that the decoder knows no table any more.
    pub(super) const fn forget(&mut self) {
        self.reusable = false;
    }

    /// The decoder has the table from now on.
    pub(super) const fn keep(&mut self) {
        self.reusable = true;
    }

    /// Appends the literals, more than 16 of them, as one stream or as four with their lengths before them.
    pub(super) fn pack(&mut self, literals: &[u8], streams: usize, out: &mut Vec<u8>) -> Packed {
        if !self.reusable {
            self.earlier = None;
        }
        let counts = count(literals);
        let most = counts.iter().max().map_or(0, |most| *most as usize);
        if most == literals.len() {
            return Packed::Run;
        }
        if most == 1 || most < literals.len() >> 7 {
            return Packed::No;
        }
        let symbols = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        let counts = &counts[..symbols];
        let start = out.len();
        let packed = self.choose(counts, literals, streams, out);
        if out.len() - start >= literals.len() - (literals.len() >> 4) {
            out.truncate(start);
            return Packed::No;
        }
        if let Some(codes) = packed {
            self.earlier = Some(codes);
            return Packed::Table;
        }
        Packed::Treeless
    }

    /// The new table where it is the one that was used. Where it cannot be described, more bytes than the literals have.
    fn choose(&self, counts: &[u32], literals: &[u8], streams: usize, out: &mut Vec<u8>) -> Option<Codes> {
        let codes = Codes::new(counts, narrow(literals.len()));
        if let Some(earlier) = &self.earlier
            && earlier.has(counts)
            && earlier.size(counts) <= codes.size(counts)
        {
            earlier.write(literals, streams, out);
            return None;
        }
        if !codes.describe(out) {
            out.extend_from_slice(literals);
            return None;
        }
        codes.write(literals, streams, out);
        Some(codes)
    }
}

fn count(bytes: &[u8]) -> [u32; 256] {
    // Runs of one byte would wait for each other in one table.
    let mut counts = [[0u32; 256]; 4];
    let mut chunks = bytes.chunks_exact(4);
    for chunk in &mut chunks {
        for (counts, &byte) in counts.iter_mut().zip(chunk) {
            counts[usize::from(byte)] += 1;
        }
    }
    for &byte in chunks.remainder() {
        counts[0][usize::from(byte)] += 1;
    }
    std::array::from_fn(|symbol| counts.iter().map(|counts| counts[symbol]).sum())
}

#[derive(Clone, Copy, Default)]
struct Code {
    value: u32,
    length: u32,
}

/// A code for each symbol.
struct Codes {
    codes: [Code; 256],
    symbols: usize,
    longest: u32,
}

impl Codes {
    /// Codes for two or more symbols that occur.
    fn new(counts: &[u32], total: u32) -> Self {
        let mut leaves = Leaves::new(counts);
        leaves.measure();
        let longest = leaves.limit(longest(counts.len(), total));
        let mut codes = Self { codes: [Code::default(); 256], symbols: counts.len(), longest };
        for leaf in leaves.used() {
            codes.codes[usize::from(leaf.symbol)].length = leaf.length;
        }
        codes.number();
        codes
    }

    /// Longer codes come first, and of one length in the order of their symbols.
    fn number(&mut self) {
        let mut next = [0u32; LENGTH_MAX as usize + 2];
        for code in &self.codes[..self.symbols] {
            next[code.length as usize] += 1;
        }
        let mut first = 0;
        for at in (1..=self.longest as usize).rev() {
            (next[at], first) = (first, (first + next[at]) >> 1);
        }
        for code in self.codes[..self.symbols].iter_mut().filter(|code| code.length > 0) {
            let value = &mut next[code.length as usize];
            code.value = *value;
            *value += 1;
        }
    }

    fn has(&self, counts: &[u32]) -> bool {
        let lacks = |(code, count): (&Code, &u32)| *count > 0 && code.length == 0;
        counts.len() <= self.symbols && !self.codes.iter().zip(counts).any(lacks)
    }

    /// The bytes that symbols of these counts take.
    fn size(&self, counts: &[u32]) -> u32 {
        let bits: u32 = self.codes.iter().zip(counts).map(|(code, count)| code.length * count).sum();
        (bits + 7) >> 3
    }

    /// Appends the weights of all symbols but the last (RFC 8878, 4.2.1.1); `false` where neither way can.
    fn describe(&self, out: &mut Vec<u8>) -> bool {
        let mut weights = [0u8; 256];
        let count = self.symbols - 1;
        for (weight, code) in weights.iter_mut().zip(&self.codes[..count]).filter(|(_, code)| code.length > 0) {
            [*weight, ..] = (self.longest + 1 - code.length).to_le_bytes();
        }
        let start = out.len();
        out.push(0);
        if count >= 2 && fse::pack_weights(&weights[..count], out) {
            let size = out.len() - start - 1;
            if let Ok(byte) = u8::try_from(size)
                && size < self.symbols / 2
            {
                out[start] = byte;
                return true;
            }
        }
        out.truncate(start);
        let Some(byte) = u8::try_from(count).ok().filter(|count| *count <= 128) else { return false };
        out.push(127 + byte);
        out.extend(weights[..count.next_multiple_of(2)].chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]));
        true
    }

    fn write(&self, literals: &[u8], streams: usize, out: &mut Vec<u8>) {
        if streams == 1 {
            return self.write_stream(literals, out);
        }
        let jumps = out.len();
        out.extend_from_slice(&[0; 6]);
        for (at, part) in literals.chunks(literals.len().div_ceil(4)).enumerate() {
            let start = out.len();
            self.write_stream(part, out);
            let [low, high, ..] = (out.len() - start).to_le_bytes();
            if let Some(jump) = out[jumps..jumps + 6].get_mut(2 * at..2 * at + 2) {
                jump.copy_from_slice(&[low, high]);
            }
        }
    }

    /// From the last byte to the first.
    fn write_stream(&self, literals: &[u8], out: &mut Vec<u8>) {
        out.reserve(literals.len() + 8);
        let mut bits = Bits::new(out);
        for four in literals.rchunks(4) {
            for &byte in four.iter().rev() {
                let code = self.codes[usize::from(byte)];
                bits.add(u64::from(code.value), code.length);
            }
            bits.flush();
        }
        bits.finish();
    }
}

/// The longest code that is wanted: short for few symbols or few literals.
fn longest(symbols: usize, total: u32) -> u32 {
    let least = (high_bit(total) + 1).min(high_bit(narrow(symbols) - 1) + 2);
    (high_bit(total - 1) - 1).min(LENGTH_MAX).max(least).clamp(LENGTH_MIN, LENGTH_MAX)
}

#[derive(Clone, Copy, Default)]
struct Node {
    count: u32,
    parent: usize,
    symbol: u8,
    length: u32,
}

/// The symbols by falling count, those of one count by value; then the inner nodes.
struct Leaves {
    nodes: [Node; NODES],
    symbols: usize,
    used: usize,
}

impl Leaves {
    fn new(counts: &[u32]) -> Self {
        let mut nodes = [Node::default(); NODES];
        for ((node, symbol), &count) in nodes.iter_mut().zip(0..=u8::MAX).zip(counts) {
            *node = Node { count, symbol, ..Node::default() };
        }
        let used = counts.iter().filter(|count| **count > 0).count();
        nodes[..counts.len()].sort_unstable_by_key(|node| (Reverse(node.count), node.symbol));
        Self { nodes, symbols: counts.len(), used }
    }

    fn used(&self) -> &[Node] {
        &self.nodes[..self.used]
    }

    /// Huffman's lengths: the two least nodes become one, an inner node before a leaf of the same count.
    fn measure(&mut self) {
        let (mut leaves, mut inner, mut end) = (self.used, self.symbols, self.symbols);
        let root = self.symbols + self.used - 2;
        while end <= root {
            let mut joined = 0;
            for _ in 0..2 {
                let leaf = leaves > 0 && (inner == end || self.nodes[leaves - 1].count < self.nodes[inner].count);
                let least = if leaf {
                    leaves -= 1;
                    leaves
                } else {
                    inner += 1;
                    inner - 1
                };
                self.nodes[least].parent = end;
                joined += self.nodes[least].count;
            }
            self.nodes[end].count = joined;
            end += 1;
        }
        self.nodes[root].length = 0;
        for at in (self.symbols..root).rev().chain(0..self.used) {
            self.nodes[at].length = self.nodes[self.nodes[at].parent].length + 1;
        }
    }

    /// Makes no code longer than `limit`; gives the length of the longest.
    fn limit(&mut self, limit: u32) -> u32 {
        let deepest = self.nodes[self.used - 1].length;
        if deepest <= limit {
            return deepest;
        }
        let mut debt = 0i64;
        for node in self.nodes[..self.used].iter_mut().rev().take_while(|node| node.length > limit) {
            debt += (1 << (deepest - limit)) - (1 << (deepest - node.length));
            node.length = limit;
        }
        debt >>= deepest - limit;
        let mut ranks = Ranks::new(self.used(), limit);
        ranks.repay(&mut self.nodes, &mut debt, limit);
        ranks.refund(&mut self.nodes, debt, limit);
        limit
    }
}

/// By how much shorter a code is than the limit: the last symbol of that length.
struct Ranks {
    last: [Option<usize>; LENGTH_MAX as usize + 2],
    shorter: usize,
}

impl Ranks {
    fn new(leaves: &[Node], limit: u32) -> Self {
        let shorter = leaves.iter().rposition(|leaf| leaf.length < limit).unwrap_or(0);
        let mut last = [None; LENGTH_MAX as usize + 2];
        let mut length = limit;
        for (at, leaf) in leaves[..=shorter].iter().enumerate().rev() {
            if leaf.length < length {
                length = leaf.length;
                last[(limit - length) as usize] = Some(at);
            }
        }
        Self { last, shorter }
    }

    /// Makes codes longer, where that costs least, until the lengths fit.
    fn repay(&mut self, nodes: &mut [Node], debt: &mut i64, limit: u32) {
        while *debt > 0 {
            let mut rank = self.cheapest(nodes, *debt);
            while rank <= LENGTH_MAX as usize && self.last[rank].is_none() {
                rank += 1;
            }
            let Some(at) = self.last[rank] else { return };
            *debt -= 1 << (rank - 1);
            if self.last[rank - 1].is_none() {
                self.last[rank - 1] = Some(at);
            }
            nodes[at].length += 1;
            self.last[rank] = at.checked_sub(1).filter(|before| (limit - nodes[*before].length) as usize == rank);
        }
    }

    fn cheapest(&self, nodes: &[Node], debt: i64) -> usize {
        let mut rank = debt.ilog2() as usize + 1;
        while rank > 1 {
            match (self.last[rank], self.last[rank - 1]) {
                (Some(_), None) => break,
                (Some(high), Some(low)) if nodes[high].count <= 2 * nodes[low].count => break,
                _ => rank -= 1,
            }
        }
        rank
    }

    /// Makes codes of the limit shorter where too much was repaid.
    fn refund(&mut self, nodes: &mut [Node], mut debt: i64, limit: u32) {
        while debt < 0 {
            let at = match self.last[1] {
                Some(last) => last + 1,
                None => {
                    while nodes[self.shorter].length == limit {
                        self.shorter -= 1;
                    }
                    self.shorter + 1
                }
            };
            nodes[at].length -= 1;
            self.last[1] = Some(at);
            debt += 1;
        }
    }
}

#[cfg(test)]
mod tests;
