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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codes(counts: &[u16], longest: usize) -> Vec<Code> {
        let mut codes = vec![Code { bits: 7, length: 7 }; counts.len()];
        assign(counts, longest, &mut codes);
        codes
    }

    fn lengths(counts: &[u16], longest: usize) -> Vec<u8> {
        codes(counts, longest).iter().map(|code| code.length).collect()
    }

    /// The least bits that any code of at most `longest` bits takes, by packages of coins (Larmore and Hirschberg, 1990).
    fn least_bits(counts: &[u16], longest: usize) -> u64 {
        let coins: Vec<u64> = counts.iter().filter(|count| **count > 0).map(|count| u64::from(*count)).collect();
        let mut row: Vec<u64> = Vec::new();
        for _ in 0..longest {
            let packages = row.chunks_exact(2).map(|pair| pair[0] + pair[1]);
            row = packages.chain(coins.iter().copied()).collect();
            row.sort_unstable();
        }
        row[..2 * coins.len() - 2].iter().sum()
    }

    fn counts() -> impl Strategy<Value = Vec<u16>> {
        let one = prop_oneof![2 => Just(0_u16), 4 => 1..9_u16, 2 => 9..500_u16, 1 => 500..=u16::MAX];
        (proptest::collection::vec(one, 3..287), any::<bool>()).prop_map(|(mut counts, is_deep)| {
            if is_deep {
                // Fibonacci numbers make the deepest trees.
                counts.truncate(24);
                let mut pair = (1_u16, 1_u16);
                for count in &mut counts {
                    *count = pair.0;
                    pair = (pair.1, pair.0.saturating_add(pair.1));
                }
            }
            for count in &mut counts[..3] {
                *count = (*count).max(1);
            }
            counts
        })
    }

    proptest! {
        #[test]
        fn a_code_is_complete_and_the_best_of_its_length(counts in counts(), limit in 7..=15_usize) {
            let used = counts.iter().filter(|count| **count > 0).count();
            prop_assume!(used <= 1 << limit);
            let codes = codes(&counts, limit);
            for (count, code) in counts.iter().zip(&codes) {
                prop_assert_eq!(*count > 0, code.length > 0);
                prop_assert!(usize::from(code.length) <= limit);
                prop_assert!(u32::from(code.bits) < 1 << code.length || code.length == 0);
            }
            let sum: u32 = codes.iter().filter(|code| code.length > 0).map(|code| 1 << (15 - code.length)).sum();
            prop_assert_eq!(sum, 1 << 15);
            prop_assert_eq!(size(&counts, &codes), least_bits(&counts, limit));
            // Canonical: from short to long, and from symbol to symbol, the next code is the next number.
            let mut sorted: Vec<_> = codes.iter().filter(|code| code.length > 0).collect();
            sorted.sort_by_key(|code| code.length);
            let mut next = 0_u32;
            for code in sorted {
                prop_assert_eq!(u32::from(code.bits.reverse_bits()), next);
                next += 1 << (16 - code.length);
            }
        }
    }

    #[test]
    fn one_symbol_or_two_have_one_bit_each() {
        assert_eq!(lengths(&[0, 0, 0], 15), [0, 0, 0]);
        assert_eq!(codes(&[0, 9, 0], 15)[1], Code { bits: 0, length: 1 });
        let two = codes(&[9, 0, 1], 15);
        assert_eq!((two[0], two[2]), (Code { bits: 0, length: 1 }, Code { bits: 1, length: 1 }));
        assert_eq!(lengths(&[9, 0, 1], 15), [1, 0, 1]);
    }

    #[test]
    fn of_equal_counts_the_lower_symbol_has_the_longer_code() {
        assert_eq!(lengths(&[1, 1, 1], 15), [2, 2, 1]);
        assert_eq!(lengths(&[1, 1, 1, 1, 1], 15), [3, 3, 2, 2, 2]);
        assert_eq!(lengths(&[1, 1, 2, 4, 8], 15), [4, 4, 3, 2, 1]);
        assert_eq!(lengths(&[1, 1, 2, 4, 8], 3), [3, 3, 3, 3, 1]);
    }

    #[test]
    fn a_size_is_that_of_all_symbols_if_each_has_a_code() {
        let codes = codes(&[4, 2, 1, 1, 0], 15);
        assert_eq!(size(&[4, 2, 1, 1, 0], &codes), 4 + 4 + 3 + 3);
        assert_eq!(size_if_coded(&[9, 0, 0, 1, 0], &codes), Some(9 + 3));
        assert_eq!(size_if_coded(&[9, 0, 0, 1, 1], &codes), None);
        assert_eq!(size_if_coded(&[], &codes), Some(0));
    }
}
