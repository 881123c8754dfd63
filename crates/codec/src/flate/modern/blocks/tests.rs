use super::super::super::taken_apart::{self, Kind};
use super::*;
use crate::noise::noise;

/// On levels 1 to 6.
const PENALTY: u32 = 7;

fn blocks() -> Blocks {
    Blocks::new(Bits::new(), PENALTY, true)
}

fn finished(mut blocks: Blocks) -> Vec<u8> {
    blocks.end();
    let mut out = Vec::new();
    blocks.bits.drain(&mut out).unwrap();
    assert_eq!(blocks.bits.held(), (0, 0));
    out
}

fn literals(plain: &[u8]) -> Tokens {
    let mut tokens = Tokens::new();
    tokens.literals(plain);
    tokens
}

/// Kinds and lengths of the blocks that several calls wrote, but for the empty one at the end, which has the fixed codes.
fn kinds(write: impl FnOnce(&mut Blocks)) -> Vec<(Kind, usize)> {
    let mut blocks = blocks();
    write(&mut blocks);
    let mut kinds = taken_apart::kinds(&finished(blocks));
    assert_eq!(kinds.pop(), Some((Kind::Fixed, 0)));
    kinds
}

/// Noise of bytes of which each comes half as often as the one before, so that codes take what their shares say.
fn halves(seed: u64, count: usize) -> Vec<u8> {
    noise(seed, count).into_iter().map(|byte| byte.trailing_zeros() as u8).collect()
}

/// Noise of `values` values.
fn few(seed: u64, values: u16, count: usize) -> Vec<u8> {
    noise(seed, count).into_iter().map(|byte| ((u16::from(byte) * values) >> 8) as u8).collect()
}

#[test]
fn a_block_goes_on_with_the_codes_of_the_one_before() {
    let (one, two) = (halves(1, 5000), halves(3, 5000));
    assert_eq!(
        kinds(|blocks| {
            blocks.coded(&mut literals(&one), None, false);
            blocks.coded(&mut literals(&two), None, false);
        }),
        [(Kind::Own, 10_000)]
    );
    // Not behind its end.
    assert_eq!(
        kinds(|blocks| {
            blocks.coded(&mut literals(&one), None, true);
            blocks.coded(&mut literals(&two), None, false);
        }),
        [(Kind::Own, 5000), (Kind::Own, 5000)]
    );
    // Nor where other codes take less, or it lacks some.
    let skewed: Vec<u8> = halves(5, 5000).into_iter().map(|byte| 7 - byte.min(7)).collect();
    let lacking = [&two[..4999], b"X"].concat();
    for other in [skewed, lacking] {
        assert_eq!(
            kinds(|blocks| {
                blocks.coded(&mut literals(&one), None, false);
                blocks.coded(&mut literals(&other), None, false);
            }),
            [(Kind::Own, 5000), (Kind::Own, 5000)]
        );
    }
}

#[test]
fn what_lacks_codes_for_copies_does_not_go_on() {
    let plain = halves(1, 5000);
    let with_copy = || {
        let mut tokens = literals(&plain);
        tokens.copy(4, 100);
        tokens
    };
    // As literals only, and as tokens without a copy.
    assert_eq!(
        kinds(|blocks| {
            blocks.literals(&plain, false);
            blocks.coded(&mut literals(&plain), None, false);
        }),
        [(Kind::Own, 5000), (Kind::Own, 5000)]
    );
    assert_eq!(
        kinds(|blocks| {
            blocks.coded(&mut literals(&plain), None, false);
            blocks.coded(&mut with_copy(), None, false);
        }),
        [(Kind::Own, 5000), (Kind::Own, 5004)]
    );
    assert_eq!(
        kinds(|blocks| {
            blocks.coded(&mut with_copy(), None, false);
            blocks.coded(&mut with_copy(), None, false);
            blocks.literals(&plain, false);
        }),
        [(Kind::Own, 15_008)],
        "literals may go on in any"
    );
}

#[test]
fn literals_go_on_until_they_end() {
    let (one, two) = (few(1, 8, 5000), few(2, 8, 5000));
    assert_eq!(
        kinds(|blocks| {
            blocks.literals(&one, false);
            blocks.literals(&two, false);
        }),
        [(Kind::Own, 10_000)]
    );
    assert_eq!(
        kinds(|blocks| {
            blocks.literals(&one, true);
            blocks.literals(&two, true);
        }),
        [(Kind::Own, 5000), (Kind::Own, 5000)]
    );
    let other = few(3, 3, 5000);
    assert_eq!(
        kinds(|blocks| {
            blocks.literals(&one, false);
            blocks.literals(&other, false);
        }),
        [(Kind::Own, 5000), (Kind::Own, 5000)]
    );
}

#[test]
fn a_stored_block_ends_the_one_before_and_the_last_block_too() {
    let plain = few(1, 8, 5000);
    assert_eq!(
        kinds(|blocks| {
            blocks.literals(&plain, false);
            blocks.stored(b"abc");
            blocks.stored(b"");
        }),
        [(Kind::Own, 5000), (Kind::Stored, 3), (Kind::Stored, 0)]
    );
    let stream = finished(blocks());
    assert_eq!(stream, [3, 0]);
    let mut some = blocks();
    some.stored(b"abc");
    assert_eq!(finished(some), [&[0, 3, 0, 0xfc, 0xff][..], b"abc", &[3, 0]].concat());
}

#[test]
fn noise_is_stored_at_once_where_there_is_enough_of_it() {
    // Each byte four times, and as many of some that the squares come to twice the length: no longer even.
    let mut counts = [4_u16; 256];
    assert!(are_even(&counts, 1024));
    for byte in (0..256).step_by(2) {
        (counts[byte], counts[byte + 1]) = (5, 3);
    }
    assert!(are_even(&counts, 1024), "256 of 2048");
    counts = [4; 256];
    for byte in 0..64 {
        (counts[2 * byte], counts[2 * byte + 1]) = (8, 0);
    }
    assert!(!are_even(&counts, 1024), "128 times 16, which is 2048");
    (counts[0], counts[1]) = (7, 1);
    assert!(are_even(&counts, 1024), "2034 of 2048");
}

#[test]
fn even_literals_are_coded_where_there_are_few() {
    // Of 128 values, each as often: seven bits each, which pays, but they are not looked at when there are many.
    let even: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    for count in [1024, 1025, 60_000] {
        assert_eq!(kinds(|blocks| blocks.literals(&even[..count], true)), [(Kind::Stored, count)]);
    }
    let half: Vec<u8> = (0..128).cycle().take(4000).collect();
    assert_eq!(kinds(|blocks| blocks.literals(&half, true)), [(Kind::Own, 4000)], "half of the bytes do not occur");
}

#[test]
fn a_header_of_literals_is_guessed_before_there_is_one() {
    let mut orders = Vec::new();
    for (values, count) in
        (20..=240_u16).step_by(10).flat_map(|values| (100..1000).step_by(3).map(move |count| (values, count)))
    {
        let plain = few(7, values, count);
        let (mut counts, mut codes) = ([0; END_OF_BLOCK + 1], [Code::default(); 320]);
        plain.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
        counts[END_OF_BLOCK] = 1;
        huffman::assign(&counts, 15, &mut codes);
        // 70 bytes, and a share of all: what saves no more is stored.
        let size = huffman::size(&counts, &codes) + 560;
        let order = (8 * (count as u64 + 5)).cmp(&(size + (size >> PENALTY)));
        let found = kinds(|blocks| blocks.literals(&plain, true));
        assert_eq!(found, [(if order.is_le() { Kind::Stored } else { Kind::Own }, count)], "{values}");
        orders.push(order);
    }
    let [stored, equal, coded] = taken_apart::tally(&orders);
    assert!(stored > 100 && equal > 3 && coded > 100, "{stored} {equal} {coded}");
}

#[test]
fn only_few_tokens_may_have_the_fixed_codes() {
    // So many values that a header costs more than own codes save. The end of the block is a token, too.
    let plain = few(1, 140, 260);
    for (count, kind) in [(100, Kind::Fixed), (248, Kind::Fixed), (249, Kind::Own), (260, Kind::Own)] {
        assert_eq!(kinds(|blocks| blocks.coded(&mut literals(&plain[..count]), None, true)), [(kind, count)]);
    }
}

#[test]
fn the_fixed_codes_are_taken_where_own_ones_take_as_many_bits() {
    let mut orders = Vec::new();
    for (values, count) in (2..=40_u16).step_by(2).flat_map(|values| (5..140).map(move |count| (values, count))) {
        let plain = few(8, values, count);
        let mut blocks = blocks();
        let (mut counts, shape) = blocks.counts(&literals(&plain), false);
        counts.literals[END_OF_BLOCK] = 1;
        huffman::assign(&counts.literals[..LITERAL_SYMBOLS], 15, &mut blocks.literals);
        huffman::assign(&counts.offsets[..OFFSET_SYMBOLS], 15, &mut blocks.offsets);
        let header = Header::new(&blocks.literals[..shape.0], &blocks.offsets[..shape.1]);
        let order = counts.fixed_size().cmp(&(header.size() + counts.size(&blocks.literals, &blocks.offsets)));
        let found = kinds(|blocks| blocks.coded(&mut literals(&plain), None, true))[0].0;
        assert_eq!(found == Kind::Fixed, order.is_le(), "{count} of {values}");
        orders.push(order);
    }
    let [fixed, equal, own] = taken_apart::tally(&orders);
    assert!(fixed > 50 && equal > 3 && own > 50, "{fixed} {equal} {own}");
}

#[test]
fn small_blocks_behind_an_open_one_choose_by_size() {
    let first = few(1, 8, 5000);
    // Other letters than before, but few: the fixed codes, which end the open block.
    assert_eq!(
        kinds(|blocks| {
            blocks.coded(&mut literals(&first), None, false);
            blocks.coded(&mut literals(b"other letters"), Some(b"other letters"), false);
            blocks.coded(&mut literals(&first), None, false);
        }),
        [(Kind::Own, 5000), (Kind::Fixed, 13), (Kind::Own, 5000)]
    );
    // Noise is stored, even so.
    let noise = noise(5, 300);
    assert_eq!(
        kinds(|blocks| {
            blocks.coded(&mut literals(&first), None, false);
            blocks.coded(&mut literals(&noise), Some(&noise), false);
        }),
        [(Kind::Own, 5000), (Kind::Stored, 300)]
    );
    assert_eq!(
        kinds(|blocks| {
            blocks.coded(&mut literals(&first), None, false);
            blocks.coded(&mut literals(&first[..13]), Some(&first[..13]), true);
            blocks.literals(&first, true);
        }),
        [(Kind::Own, 5013), (Kind::Own, 5000)],
        "it ended with the second"
    );
}

#[test]
fn headers_leave_out_what_is_not_used_only_in_later_versions() {
    let described = |exact_sizes: bool, ends: bool| {
        let mut blocks = Blocks::new(Bits::new(), PENALTY, exact_sizes);
        blocks.coded(&mut literals(&few(1, 8, 5000)), None, ends);
        taken_apart::blocks(&finished(blocks))[0].described
    };
    assert_eq!(described(true, true), (257, 1));
    assert_eq!(described(true, false), (257, 1));
    assert_eq!(described(false, true), (257, 1));
    // A block that may go on has room for all codes.
    assert_eq!(described(false, false), (286, 30));
}

#[test]
fn what_is_longer_than_a_block_is_never_stored() {
    let plain = noise(6, BLOCK_BYTES + 1);
    for (count, is_stored) in [(BLOCK_BYTES, true), (BLOCK_BYTES + 1, false)] {
        let mut tokens = Tokens::new();
        (0..40_000).for_each(|at| tokens.copy(4, 20_000 + at % 12_000));
        let found = kinds(|blocks| blocks.coded(&mut tokens, Some(&plain[..count]), true))[0].0;
        assert_eq!(found == Kind::Stored, is_stored, "{count}");
    }
}

#[test]
fn behind_an_open_block_the_fixed_codes_must_save_its_end_too() {
    let first = [halves(1, 20_000), (9..70).collect()].concat();
    let mut orders = Vec::new();
    for (seed, count) in (1..60).step_by(2).flat_map(|seed| (2..40).map(move |count| (seed, count))) {
        // The letters of the first block, with those that it has only once as often as the others.
        let plain: Vec<u8> = noise(seed, count).into_iter().map(|byte| byte % 70).collect();
        let mut blocks = blocks();
        blocks.coded(&mut literals(&first), None, false);
        let Some(open) = blocks.open.filter(|_| blocks.has_codes_for(&literals(&plain))) else { continue };
        let new = open.header + estimated_size(&literals(&plain)) + u64::from(blocks.literals[END_OF_BLOCK].length);
        let (mut counts, _) = blocks.counts(&literals(&plain), false);
        let size = (new + (new >> PENALTY)).min(counts.size(&blocks.literals, &blocks.offsets));
        counts.literals[END_OF_BLOCK] = 1;
        let order = (counts.fixed_size() + 7).cmp(&size);
        blocks.coded(&mut literals(&plain), None, false);
        let kinds = taken_apart::kinds(&finished(blocks));
        assert_eq!(kinds[1] == (Kind::Fixed, count) && kinds[0].1 == first.len(), order.is_lt(), "{seed}: {count}");
        orders.push(order);
    }
    let [fixed, equal, other] = taken_apart::tally(&orders);
    assert!(fixed > 10 && equal > 0 && other > 10, "{fixed} {equal} {other}");
}
