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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::noise::noise;

    fn lengths(counts: &[u32]) -> (Vec<u32>, u32) {
        let codes = Codes::new(counts, counts.iter().sum());
        (codes.codes[..counts.len()].iter().map(|code| code.length).collect(), codes.longest)
    }

    fn counts() -> impl Strategy<Value = Vec<u32>> {
        let one = prop_oneof![2 => Just(0), 5 => 1..30_u32, 2 => 30..2_000_u32, 1 => 2_000..40_000_u32];
        (proptest::collection::vec(one, 2..255), 17..50_u32, 0..3_u32).prop_map(|(mut counts, last, growth)| {
            // Counts that grow by more than half each make the deepest trees.
            if growth == 0 {
                counts.truncate(20);
                counts.iter_mut().zip(0..).for_each(|(count, power)| *count = 1 << power.min(16));
            }
            counts[0] = counts[0].max(1);
            counts.push(last);
            counts
        })
    }

    proptest! {
        #[test]
        fn codes_are_complete_and_no_longer_than_the_limit(counts in counts()) {
            let codes = Codes::new(&counts, counts.iter().sum());
            let used: Vec<Code> = codes.codes.iter().copied().filter(|code| code.length > 0).collect();
            prop_assert_eq!(used.len(), counts.iter().filter(|count| **count > 0).count());
            let limit = longest(counts.len(), counts.iter().sum());
            prop_assert!(used.iter().all(|code| code.length <= limit && code.length <= LENGTH_MAX));
            prop_assert_eq!(used.iter().map(|code| code.length).max(), Some(codes.longest));
            // Kraft's sum is exactly 1, so that every row of bits is a code or starts with one.
            let sum: u64 = used.iter().map(|code| 1 << (LENGTH_MAX - code.length)).sum();
            prop_assert_eq!(sum, 1 << LENGTH_MAX);
            // No code is the start of another; bits are read from the highest on.
            let mut starts: Vec<(u32, u32)> = used
                .iter()
                .map(|code| (code.value << (LENGTH_MAX - code.length), 1 << (LENGTH_MAX - code.length)))
                .collect();
            starts.sort_unstable();
            prop_assert!(starts.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0));
        }

        #[test]
        fn what_comes_more_often_has_no_longer_code(counts in counts()) {
            let (lengths, _) = lengths(&counts);
            let mut pairs: Vec<_> = counts.iter().zip(lengths).filter(|(count, _)| **count > 0).collect();
            pairs.sort();
            for pair in pairs.windows(2) {
                prop_assert!(pair[0].0 == pair[1].0 || pair[0].1 >= pair[1].1, "{:?}", pair);
            }
        }
    }

    #[test]
    fn lengths_are_huffmans_where_nothing_limits_them() {
        for (counts, expected) in [
            (&[1, 1][..], &[1, 1][..]),
            (&[5, 0, 5], &[1, 0, 1]),
            (&[1, 1, 2, 4, 8], &[4, 4, 3, 2, 1]),
            (&[8, 4, 2, 1, 1], &[1, 2, 3, 4, 4]),
            (&[3, 3, 3, 3], &[2, 2, 2, 2]),
            (&[1, 1, 1, 1, 1], &[3, 3, 2, 2, 2]),
        ] {
            // As many literals as are packed at least.
            let counts: Vec<u32> = counts.iter().map(|count| 20 * count).collect();
            let (found, longest) = lengths(&counts);
            let mut sorted = [found.clone(), expected.to_vec()];
            sorted.iter_mut().for_each(|lengths| lengths.sort_unstable());
            assert_eq!(sorted[0], sorted[1], "{counts:?}: {found:?}");
            assert_eq!(Some(longest), found.iter().max().copied());
        }
    }

    #[test]
    fn the_longest_code_is_short_for_few_symbols_or_literals() {
        for (symbols, total, length) in [
            (2, 17, 5),
            (256, 17, 5),
            (256, 32, 6),
            (256, 33, 6),
            (256, 1_000, 9),
            (256, 8_192, 11),
            (256, 128 << 10, 11),
            (2, 128 << 10, 11),
        ] {
            assert_eq!(longest(symbols, total), length, "{symbols} symbols, {total} literals");
        }
    }

    #[test]
    fn bytes_are_counted_wherever_they_stand() {
        for length in 0..9 {
            let bytes: Vec<u8> = (0..length).map(|at| at % 3).collect();
            let counts = count(&bytes);
            for symbol in 0..=255 {
                let expected = bytes.iter().filter(|byte| **byte == symbol).count();
                assert_eq!(counts[usize::from(symbol)] as usize, expected, "{symbol} of {length}");
            }
        }
    }

    #[test]
    fn literals_that_do_not_pay_are_told_apart() {
        let packed = |literals: &[u8]| {
            let mut out = b"before".to_vec();
            let packed = Huffman::default().pack(literals, 1, &mut out);
            assert!(out.starts_with(b"before"));
            assert_eq!(matches!(packed, Packed::Table | Packed::Treeless), out.len() > 6);
            packed
        };
        assert_eq!(packed(&[7; 100]), Packed::Run);
        assert_eq!(packed(&(0..100).collect::<Vec<u8>>()), Packed::No, "each once");
        assert_eq!(packed(&noise(1, 1_000)), Packed::No, "nearly as many of each");
        assert_eq!(packed(&b"a text of few letters, a text of few letters".repeat(9)), Packed::Table);
    }

    #[test]
    fn a_table_is_used_again_only_when_the_decoder_has_it() {
        let first = b"a text of few letters, a text of few letters".repeat(9);
        let second = b"few letters of a text of few letters, a text".repeat(9);
        let other = [&second[..], b"XYZ"].concat();
        let mut huffman = Huffman::default();
        let pack = |huffman: &mut Huffman, literals: &[u8]| huffman.pack(literals, 1, &mut Vec::new());
        assert_eq!(pack(&mut huffman, &first), Packed::Table);
        assert_eq!(pack(&mut huffman, &second), Packed::Table, "the first block may have gone out in another way");
        huffman.keep();
        assert_eq!(pack(&mut huffman, &second), Packed::Treeless);
        assert_eq!(pack(&mut huffman, &other), Packed::Table, "it lacks some of the symbols");
        huffman.keep();
        huffman.forget();
        assert_eq!(pack(&mut huffman, &other), Packed::Table);
    }

    #[test]
    fn four_streams_have_the_lengths_of_three_before_them() {
        let literals: Vec<u8> = noise(5, 2_001).into_iter().map(|byte| byte & byte >> 3 & 15).collect();
        let counts = count(&literals);
        let codes = Codes::new(&counts[..16], narrow(literals.len()));
        let mut out = Vec::new();
        codes.write(&literals, 4, &mut out);
        let jumps: Vec<usize> =
            out[..6].chunks(2).map(|jump| usize::from(u16::from_le_bytes([jump[0], jump[1]]))).collect();
        let parts: Vec<Vec<u8>> = literals
            .chunks(501)
            .map(|part| {
                let mut stream = Vec::new();
                codes.write(part, 1, &mut stream);
                stream
            })
            .collect();
        assert_eq!(jumps, parts[..3].iter().map(Vec::len).collect::<Vec<_>>());
        assert_eq!(out[6..], parts.concat());
    }

    #[test]
    fn weights_are_described_in_half_bytes_where_a_table_of_their_own_does_not_pay() {
        // Three symbols: weights 2, 1 and 1, of which the last is not said.
        let codes = Codes::new(&[4, 2, 2], 8);
        let mut out = Vec::new();
        assert!(codes.describe(&mut out));
        assert_eq!(out, [127 + 2, 2 << 4 | 1]);
        // More than 128 that do not fit into half bytes, and whose table does not pay.
        let even = Codes::new(&[3; 256], 768);
        let mut out = b"before".to_vec();
        let is_described = even.describe(&mut out);
        assert!(!is_described && out == b"before");
    }
}
