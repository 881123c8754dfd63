use super::super::super::taken_apart::{self, Kind};
use super::*;
use crate::noise::noise;

/// So many literals, and copies of `length` bytes at `distance`.
fn tokens(literals: usize, copies: usize, distance: usize) -> Tokens {
    let mut tokens = Tokens::new();
    tokens.literals(&vec![b'x'; literals]);
    (0..copies).for_each(|_| tokens.copy(258, distance));
    tokens
}

fn written(tokens: &mut Tokens, plain: Option<&[u8]>, is_last: bool) -> Vec<u8> {
    let mut blocks = Blocks::new(Bits::new());
    blocks.write(tokens, plain, is_last);
    assert_eq!(tokens.len(), 0, "it forgets them");
    blocks.bits.align();
    let mut out = Vec::new();
    blocks.bits.drain(&mut out).unwrap();
    out
}

fn literals(plain: &[u8]) -> Tokens {
    let mut tokens = Tokens::new();
    tokens.literals(plain);
    tokens
}

#[test]
fn a_block_ends_early_with_few_matches_and_half_the_size() {
    for (literals, copies, distance, plain, expected) in [
        // Eight tokens of eight bits and three near distances of five bits: 79 bits, nine whole bytes.
        (5, 3, 1, 20, true),
        (5, 3, 1, 19, false),
        // Thirteen extra bits for each of the three: 118 bits, 14 bytes.
        (5, 3, 32_768, 30, true),
        (5, 3, 32_768, 29, false),
        (5, 3, 5, 22, true),
        // Half of the tokens or more are matches, however small it is.
        (4, 4, 1, 10_000, false),
        (5, 4, 1, 10_000, false),
        (6, 4, 1, 10_000, true),
        (0, 0, 1, 10_000, false),
        (2, 0, 1, 10_000, true),
    ] {
        let found = should_end(&tokens(literals, copies, distance), plain);
        assert_eq!(found, expected, "{literals} literals, {copies} copies from {distance}, {plain} bytes");
    }
}

#[test]
fn sizes_are_compared_in_whole_bytes() {
    for (bits, whole) in [(0, 0), (1, 1), (8, 1), (9, 2)] {
        assert_eq!(bytes(bits), whole);
    }
    let mut orders = Vec::new();
    for (values, count) in (10..=250_u16).step_by(10).flat_map(|values| (1..300).map(move |count| (values, count))) {
        let plain: Vec<u8> = noise(3, count).into_iter().map(|byte| ((u16::from(byte) * values) >> 8) as u8).collect();
        let coded_bytes = written(&mut literals(&plain), None, false).len();
        let stream = written(&mut literals(&plain), Some(&plain), true);
        assert_eq!(taken_apart::plain(&stream), plain);
        // The lengths of a stored block take four bytes; its three bits are not counted, and it is taken where both are equal.
        let is_stored = taken_apart::kinds(&stream)[0].0 == Kind::Stored;
        assert_eq!(is_stored, plain.len() + 4 <= coded_bytes, "{} bytes of {values}: {coded_bytes}", plain.len());
        orders.push((plain.len() + 4).cmp(&coded_bytes));
    }
    let [stored, equal, coded] = taken_apart::tally(&orders);
    assert!(stored > 50 && equal > 5 && coded > 50, "{stored} {equal} {coded}");
}

#[test]
fn the_fixed_codes_are_taken_where_own_ones_take_as_many_bytes() {
    let mut orders = Vec::new();
    for (values, count) in (2..=60_u16).step_by(2).flat_map(|values| (1..200).map(move |count| (values, count))) {
        let plain: Vec<u8> = noise(4, count).into_iter().map(|byte| ((u16::from(byte) * values) >> 8) as u8).collect();
        let block = |kind| {
            let mut tokens = literals(&plain);
            tokens.end();
            let mut blocks = Blocks::new(Bits::new());
            let literals = tree::assign(&tokens.literals[..LITERAL_SYMBOLS], 15, &mut blocks.literals);
            let offsets = tree::assign(&tokens.offsets[..OFFSET_SYMBOLS], 15, &mut blocks.offsets);
            let header = Header::apart(&blocks.literals[..literals], &blocks.offsets[..offsets], tree::assign);
            match kind {
                Kind::Own => bytes(header.size() + size(&tokens, &blocks.literals, &blocks.offsets)),
                _ => bytes(3 + size(&tokens, &FIXED.literals, &FIXED.offsets)),
            }
        };
        let order = block(Kind::Own).cmp(&block(Kind::Fixed));
        let found = taken_apart::kinds(&written(&mut literals(&plain), None, false))[0].0;
        assert_eq!(found == Kind::Own, order.is_lt(), "{count} bytes of {values}");
        orders.push(order);
    }
    let [own, equal, fixed] = taken_apart::tally(&orders);
    assert!(fixed > 50 && equal > 5 && own > 50, "{fixed} {equal} {own}");
}

#[test]
fn the_last_block_says_so_and_fills_its_byte() {
    for (plain, kind) in [(&noise(5, 300)[..], Kind::Stored), (b"abc", Kind::Fixed), (&[b'a'; 500], Kind::Own)] {
        for is_last in [false, true] {
            let stream = written(&mut literals(plain), Some(plain), is_last);
            let blocks = taken_apart::blocks(&stream);
            assert_eq!((blocks[0].kind, blocks[0].is_last), (kind, is_last));
        }
    }
    // What follows a block that is not the last one begins at the next bit.
    let mut blocks = Blocks::new(Bits::new());
    blocks.write(&mut literals(b"abc"), None, false);
    blocks.write(&mut literals(b"def"), None, true);
    assert_eq!(blocks.bits.held(), (0, 0));
    let mut out = Vec::new();
    blocks.bits.drain(&mut out).unwrap();
    assert_eq!((taken_apart::plain(&out), out.len()), (b"abcdef".to_vec(), (2 * (3 + 3 * 8 + 7_usize)).div_ceil(8)));
}
