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
