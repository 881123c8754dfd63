//! Huffman codes of limited length, as Go's encoders make them: which of several best codes is chosen is part of a stream.

/// No symbol, and no pair of symbols, is left on a level.
const NONE: u32 = u32::MAX >> 1;

/// A code longer than this does not occur (RFC 1951, section 3.2.7).
const LONGEST: usize = 15;

/// Symbols of the largest alphabet.
const SYMBOLS: usize = 286;

/// The code of one symbol; a length of 0 says that it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    /// The bits, the first one lowest.
    pub(super) bits: u16,
    /// How many there are.
    pub(super) length: u8,
}

/// Gives every symbol that `counts` counts a code of at most `longest` bits, and every other one none.
///
/// Two symbols or one have a code of one bit each.
pub(super) fn assign(counts: &[u16], longest: usize, codes: &mut [Code]) {
    let mut leaves = [0; SYMBOLS];
    let mut used = 0;
    for ((symbol, count), code) in (0..).zip(counts).zip(codes.iter_mut()) {
        code.length = 0;
        if *count > 0 {
            leaves[used] = u32::from(*count) << 16 | symbol;
            used += 1;
        }
    }
    let leaves = &mut leaves[..used];
    if used <= 2 {
        for (bits, leaf) in (0..).zip(leaves.iter()) {
            codes[symbol(*leaf)] = Code { bits, length: 1 };
        }
        return;
    }
    leaves.sort_unstable();
    let depths = depths(leaves, longest.min(used - 1));
    set_lengths(leaves, &depths, codes);
    set_bits(&depths, &mut codes[..counts.len()]);
}

/// The bits that symbols which occur `counts` times take with `codes`.
pub(super) fn size(counts: &[u16], codes: &[Code]) -> u64 {
    counts.iter().zip(codes).map(|(count, code)| u64::from(*count) * u64::from(code.length)).sum()
}

/// The same, or none where a symbol has no code.
pub(super) fn size_if_coded(counts: &[u16], codes: &[Code]) -> Option<u64> {
    let coded = counts.iter().zip(codes).all(|(count, code)| *count == 0 || code.length > 0);
    coded.then(|| size(counts, codes))
}

fn symbol(leaf: u32) -> usize {
    (leaf & 0xffff) as usize
}

/// How many of `leaves` (sorted by count, then by symbol) have a code of each length, by the package-merge method that walks
/// along the boundary only. Of a leaf and a pair with the same count, the pair comes first.
fn depths(leaves: &[u32], longest: usize) -> [u16; LONGEST + 1] {
    let count = |at: u16| leaves.get(usize::from(at)).map_or(NONE, |leaf| leaf >> 16);
    let mut last = [count(1); LONGEST + 2];
    let mut next_leaf = [count(2); LONGEST + 2];
    let mut next_pair = [count(0) + count(1); LONGEST + 2];
    let mut needed = [0; LONGEST + 2];
    // At [level][below]: the leaves to the left of the ancestor on level `below` of the last node on `level`.
    let mut left = [[0; LONGEST + 1]; LONGEST + 1];
    for (level, left) in left.iter_mut().enumerate().skip(1) {
        left[level] = 2;
    }
    next_pair[1] = NONE;
    needed[longest] = 2 * leaves.len() - 4;
    let mut level = longest;
    loop {
        if next_pair[level] == NONE && next_leaf[level] == NONE {
            needed[level] = 0;
            next_pair[level + 1] = NONE;
            level += 1;
            continue;
        }
        let before = last[level];
        let own = left[level][level];
        if next_leaf[level] < next_pair[level] {
            last[level] = next_leaf[level];
            left[level][level] = own + 1;
            next_leaf[level] = count(own + 1);
        } else {
            last[level] = next_pair[level];
            left[level] = left[level - 1];
            left[level][level] = own;
            needed[level - 1] = 2;
        }
        needed[level] -= 1;
        if needed[level] == 0 {
            if level == longest {
                break;
            }
            next_pair[level + 1] = before + last[level];
            level += 1;
        } else {
            while needed[level - 1] > 0 {
                level -= 1;
            }
        }
    }
    let mut depths = [0; LONGEST + 1];
    for level in 1..=longest {
        depths[longest + 1 - level] = left[longest][level] - left[longest][level - 1];
    }
    depths
}

/// The most frequent of `leaves` get the shortest codes.
fn set_lengths(leaves: &[u32], depths: &[u16], codes: &mut [Code]) {
    let mut rest = leaves;
    for (length, count) in (0..).zip(depths) {
        let (longer, these) = rest.split_at(rest.len() - usize::from(*count));
        for leaf in these {
            codes[symbol(*leaf)].length = length;
        }
        rest = longer;
    }
}

/// The canonical codes (RFC 1951, section 3.2.2).
pub(super) fn set_bits(depths: &[u16], codes: &mut [Code]) {
    let mut next = [0u16; LONGEST + 1];
    for length in 1..=LONGEST {
        next[length] = (next[length - 1] + depths[length - 1]) << 1;
    }
    for code in codes.iter_mut().filter(|code| code.length > 0) {
        let next = &mut next[usize::from(code.length & 15)];
        code.bits = next.reverse_bits() >> (16 - code.length);
        *next = next.wrapping_add(1);
    }
}
