//! Huffman codes of limited length, as zlib makes them: which of several best codes is chosen is part of a stream.

use super::super::huffman::{self, Code};

/// A code longer than this does not occur (RFC 1951, section 3.2.7).
const LONGEST: usize = 15;

/// Nodes of a tree with the most leaves, 286 symbols.
const NODES: usize = 2 * 286;

/// Symbols that have a code at least.
const LEAST: usize = 2;

/// Gives every symbol that `counts` counts a code of at most `longest` bits, and every other one none; says how many symbols
/// there are up to the last one with a code. Where fewer than two are counted, the first ones have codes too.
pub(super) fn assign(counts: &[u16], longest: usize, codes: &mut [Code]) -> usize {
    let mut heap = Heap { nodes: [0; NODES + 1], count: 0, weights: [0; NODES] };
    let mut used = 0;
    for (symbol, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        heap.push_leaf(symbol, *count);
        used = symbol + 1;
    }
    while heap.count < LEAST {
        let symbol = if used <= LEAST { used } else { 0 };
        heap.push_leaf(symbol, 1);
        used = used.max(symbol + 1);
    }
    let per_length = heap.join(counts.len()).set_lengths(longest, &mut codes[..counts.len()]);
    huffman::set_bits(&per_length, &mut codes[..used]);
    used
}

/// Nodes of which the lightest is on top, at 1; below place n are the places 2n and 2n + 1.
struct Heap {
    nodes: [u16; NODES + 1],
    count: usize,
    /// For each node how often what is below it occurs, and in the low 8 bits how deep that is.
    weights: [u32; NODES],
}

impl Heap {
    fn push_leaf(&mut self, symbol: usize, count: u16) {
        self.count += 1;
        self.nodes[self.count] = symbol as u16;
        self.weights[symbol] = u32::from(count) << 8;
    }

    fn weight(&self, place: usize) -> u32 {
        self.weights[usize::from(self.nodes[place])]
    }

    /// Moves what is at `place` down to where it belongs; of equals the one below rises, and the right one of two.
    fn sink(&mut self, mut place: usize) {
        let node = self.nodes[place];
        let weight = self.weight(place);
        while 2 * place <= self.count {
            let mut below = 2 * place;
            if below < self.count && self.weight(below + 1) <= self.weight(below) {
                below += 1;
            }
            if weight <= self.weight(below) {
                break;
            }
            self.nodes[place] = self.nodes[below];
            place = below;
        }
        self.nodes[place] = node;
    }

    /// Joins the two lightest nodes until one is left.
    fn join(mut self, leaves: usize) -> Joined {
        for place in (1..=self.count / 2).rev() {
            self.sink(place);
        }
        let mut joined = Joined { leaves, order: [0; NODES], count: 0, parents: [0; NODES] };
        let mut parent = leaves;
        while self.count > 1 {
            let one = self.nodes[1];
            self.nodes[1] = self.nodes[self.count];
            self.count -= 1;
            self.sink(1);
            let other = self.nodes[1];
            self.weights[parent] = self.joint_weight(one, other);
            self.nodes[1] = parent as u16;
            self.sink(1);
            joined.push(one, parent);
            joined.push(other, parent);
            parent += 1;
        }
        joined
    }

    fn joint_weight(&self, one: u16, other: u16) -> u32 {
        let [one, other] = [one, other].map(|node| self.weights[usize::from(node)]);
        let depth = (one & 0xff).max(other & 0xff) + 1;
        ((one >> 8) + (other >> 8)) << 8 | depth & 0xff
    }
}

/// All nodes but the root, in the order in which they were joined: the lightest first, children before parents.
struct Joined {
    /// How many of the nodes, from 0 on, can be leaves: the symbols.
    leaves: usize,
    order: [u16; NODES],
    count: usize,
    parents: [u16; NODES],
}

impl Joined {
    fn push(&mut self, node: u16, parent: usize) {
        self.order[self.count] = node;
        self.count += 1;
        self.parents[usize::from(node)] = parent as u16;
    }

    fn order(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.order[..self.count].iter().map(|node| usize::from(*node))
    }

    /// Sets the lengths of the codes; says how many there are of each.
    fn set_lengths(&self, longest: usize, codes: &mut [Code]) -> [u16; LONGEST + 1] {
        codes.fill(Code::default());
        let mut depths = [0; NODES];
        let mut per_length = [0; LONGEST + 1];
        let mut too_deep = 0;
        for node in self.order().rev() {
            let depth = depths[usize::from(self.parents[node])] + 1;
            too_deep += i32::from(depth > longest);
            depths[node] = depth.min(longest);
            if node < self.leaves {
                per_length[depths[node]] += 1;
                codes[node].length = depths[node] as u8;
            }
        }
        if too_deep > 0 {
            shorten(&mut per_length, too_deep, longest);
            self.set_longest_first(&per_length, codes);
        }
        per_length
    }

    /// Gives the lightest leaves the longest codes.
    fn set_longest_first(&self, per_length: &[u16], codes: &mut [Code]) {
        let mut leaves = self.order().filter(|node| *node < self.leaves);
        for (length, count) in (0..=LONGEST as u8).zip(per_length).rev() {
            for leaf in leaves.by_ref().take(usize::from(*count)) {
                codes[leaf].length = length;
            }
        }
    }
}

/// Makes room for the nodes that were cut to `longest`: each time a leaf above goes down by one, and takes one of them beside it.
fn shorten(per_length: &mut [u16; LONGEST + 1], mut too_deep: i32, longest: usize) {
    while too_deep > 0 {
        let above = per_length[..longest].iter().rposition(|count| *count > 0).unwrap_or_default();
        per_length[above] -= 1;
        per_length[above + 1] += 2;
        per_length[longest] -= 1;
        too_deep -= 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The length of each symbol's code, and how many symbols there are up to the last one with a code.
    fn lengths(counts: &[u16], longest: usize) -> (Vec<u8>, usize) {
        let mut codes = vec![Code { bits: 7, length: 7 }; counts.len()];
        let used = assign(counts, longest, &mut codes);
        (codes.iter().map(|code| code.length).collect(), used)
    }

    #[test]
    fn at_least_two_symbols_have_codes() {
        for (counts, expected, used) in [
            (&[0, 0, 0, 0][..], &[1, 1, 0, 0][..], 2),
            (&[5, 0, 0, 0], &[1, 1, 0, 0], 2),
            (&[0, 5, 0, 0], &[0, 1, 1, 0], 3),
            (&[0, 0, 5, 0], &[1, 0, 1, 0], 3),
            (&[0, 0, 0, 5], &[1, 0, 0, 1], 4),
            (&[0, 3, 0, 5], &[0, 1, 0, 1], 4),
        ] {
            assert_eq!(lengths(counts, 15), (expected.to_vec(), used), "{counts:?}");
        }
    }

    #[test]
    fn lengths_are_huffmans() {
        // Of equal weights the flatter node is joined first: 3 3 3 3 1 would take as many bits.
        let mut flat = lengths(&[2, 2, 2, 2, 4], 15).0;
        flat.sort_unstable();
        assert_eq!(flat, [2, 2, 2, 3, 3]);
        assert_eq!(lengths(&[1, 1, 2, 4, 8], 15).0, [4, 4, 3, 2, 1]);
        assert_eq!(lengths(&[9, 9, 9, 9], 15).0, [2, 2, 2, 2]);
    }

    #[test]
    fn nodes_that_are_cut_find_room_below_a_leaf_above() {
        let fibonacci = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55];
        assert_eq!(lengths(&fibonacci, 15).0, [9, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
        let (limited, _) = lengths(&fibonacci, 7);
        assert_eq!(limited.iter().max(), Some(&7));
        assert_eq!(limited.iter().map(|length| 1 << (7 - length)).sum::<u32>(), 1 << 7);
    }

    proptest! {
        #[test]
        fn a_code_is_complete_and_within_its_limit(
            mut counts in proptest::collection::vec(prop_oneof![1 => Just(0_u16), 3 => 1..2_000_u16], 3..287),
            limit in 9..=15_usize,
            is_deep in any::<bool>(),
        ) {
            if is_deep {
                counts.truncate(20);
                let mut pair = (1_u16, 1_u16);
                for count in &mut counts {
                    *count = pair.0;
                    pair = (pair.1, pair.0 + pair.1);
                }
            }
            let mut codes = vec![Code::default(); counts.len()];
            let used = assign(&counts, limit, &mut codes);
            prop_assert!(codes.iter().all(|code| usize::from(code.length) <= limit));
            prop_assert!(codes[used..].iter().all(|code| code.length == 0) && codes[used - 1].length > 0);
            let sum: u32 = codes.iter().filter(|code| code.length > 0).map(|code| 1 << (15 - code.length)).sum();
            prop_assert_eq!(sum, 1 << 15);
            if counts.iter().filter(|count| **count > 0).count() > 2 {
                for (count, code) in counts.iter().zip(&codes) {
                    prop_assert_eq!(*count > 0, code.length > 0);
                }
                // What comes more often has no longer code.
                let mut pairs: Vec<_> = counts.iter().zip(&codes).filter(|(count, _)| **count > 0).collect();
                pairs.sort_by_key(|(count, _)| **count);
                prop_assert!(pairs.windows(2).all(|pair| pair[0].0 == pair[1].0 || pair[0].1.length >= pair[1].1.length));
            }
            // As good as Go's where neither is cut.
            if codes.iter().all(|code| usize::from(code.length) < limit) && used > 2 {
                let mut others = vec![Code::default(); counts.len()];
                huffman::assign(&counts, 15, &mut others);
                prop_assert!(huffman::size(&counts, &codes) <= huffman::size(&counts, &others).max(u64::from(counts[0])));
            }
        }
    }
}
