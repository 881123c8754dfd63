use std::cmp::Ordering;

use super::super::super::taken_apart::{self, Kind};
use super::*;
use crate::noise::noise;

/// What `write` writes, and its bits.
fn written(write: impl FnOnce(&mut Blocks)) -> (Vec<u8>, u64) {
    let mut blocks = Blocks::new(Bits::new());
    write(&mut blocks);
    let held = u64::from(blocks.bits.held().1);
    blocks.bits.align();
    let mut out = Vec::new();
    blocks.bits.drain(&mut out).unwrap();
    let bits = 8 * out.len() as u64 - (8 - held) % 8;
    (out, bits)
}

fn literals(plain: &[u8]) -> Tokens {
    let mut tokens = Tokens::new();
    tokens.literals(plain);
    tokens
}

/// Noise of `values` values, which packs the less the more of them there are.
fn few(values: u16, count: usize) -> Vec<u8> {
    noise(u64::from(values), count).into_iter().map(|byte| ((u16::from(byte) * values) >> 8) as u8).collect()
}

/// Noise of many counts and of so many values that it only just packs, or does not.
fn doubtful() -> impl Iterator<Item = Vec<u8>> {
    (10..=250_u16).step_by(10).flat_map(|values| (1..400).step_by(3).map(move |count| few(values, count)))
}

fn kind(stream: &[u8]) -> Kind {
    let kinds = taken_apart::kinds(stream);
    assert_eq!(kinds.len(), 1);
    kinds[0].0
}

/// Without copies, a distance that does not occur is counted nevertheless.
fn bits_of_no_distance(kind: Kind) -> u64 {
    if kind == Kind::Fixed { 5 } else { 1 }
}

#[test]
fn a_block_is_stored_only_where_that_takes_fewer_bits() {
    let (mut stored, mut equal, mut coded) = (0, 0, 0);
    for plain in doubtful() {
        let (coded_stream, bits) = written(|blocks| blocks.smallest(&mut literals(&plain), None));
        let bits = bits + bits_of_no_distance(kind(&coded_stream));
        let (stream, _) = written(|blocks| blocks.smallest(&mut literals(&plain), Some(&plain)));
        assert_eq!(taken_apart::plain(&stream), plain);
        // Three bits, lengths in whole bytes: five bytes more than it has.
        let as_it_is = 8 * (plain.len() as u64 + 5);
        assert_eq!(kind(&stream) == Kind::Stored, as_it_is < bits, "{} bytes: {as_it_is} and {bits}", plain.len());
        match as_it_is.cmp(&bits) {
            Ordering::Less => stored += 1,
            Ordering::Equal => equal += 1,
            Ordering::Greater => coded += 1,
        }
    }
    assert!(stored > 10 && equal > 0 && coded > 10, "{stored} {equal} {coded}");
}

#[test]
fn extra_bits_count_against_a_stored_block_and_not_between_codes() {
    // Far copies of four bytes, of which each takes 13 extra bits.
    let mut tokens = Tokens::new();
    for distance in (0..30).map(|at| 32_768 - 7 * at) {
        tokens.copy(4, distance);
    }
    let plain = noise(1, 120);
    let (_, bits) = written(|blocks| blocks.smallest(&mut tokens, None));
    let as_it_is = 8 * (plain.len() as u64 + 5);
    assert!(bits - 30 * 13 < as_it_is && bits < as_it_is, "{bits}");
    for shorter in (0..120).rev() {
        tokens.clear();
        (0..30).for_each(|at| tokens.copy(4, 32_768 - 7 * at));
        let (stream, _) = written(|blocks| blocks.smallest(&mut tokens, Some(&plain[..shorter])));
        assert_eq!(stream[0] & 7 == 0, 8 * (shorter as u64 + 5) < bits, "{shorter}");
    }
}

#[test]
fn the_fixed_codes_are_taken_where_own_ones_take_as_many_bits() {
    let (mut fixed, mut equal, mut own) = (0, 0, 0);
    for plain in doubtful().filter(|plain| plain.len() < 200) {
        let (stream, bits) = written(|blocks| blocks.smallest(&mut literals(&plain), None));
        let as_fixed: u64 = 3 + 7 + plain.iter().map(|byte| if *byte < 144 { 8 } else { 9 }).sum::<u64>();
        let (_, as_own) = written(|blocks| {
            let mut tokens = literals(&plain);
            tokens.end();
            let (literals, offsets) = blocks.assign(&mut tokens);
            let header = Header::new(&blocks.literals[..literals], &blocks.offsets[..offsets]);
            blocks.coded(&header, &tokens);
        });
        let order = (as_own + bits_of_no_distance(Kind::Own)).cmp(&(as_fixed + bits_of_no_distance(Kind::Fixed)));
        let (expected, count) = match order {
            Ordering::Less => ((Kind::Own, as_own), &mut own),
            Ordering::Equal => ((Kind::Fixed, as_fixed), &mut equal),
            Ordering::Greater => ((Kind::Fixed, as_fixed), &mut fixed),
        };
        assert_eq!((kind(&stream), bits), expected, "{} bytes", plain.len());
        *count += 1;
    }
    assert!(fixed > 10 && equal > 0 && own > 10, "{fixed} {equal} {own}");
}

#[test]
fn what_no_stored_block_holds_is_coded() {
    let plain = noise(2, STORED_BYTES + 1);
    for (count, is_stored) in [(STORED_BYTES, true), (STORED_BYTES + 1, false)] {
        // Far copies take more bits than any plain bytes of this length.
        let mut tokens = Tokens::new();
        (0..40_000).for_each(|at| tokens.copy(4, 20_000 + at % 12_000));
        let (stream, _) = written(|blocks| blocks.smallest(&mut tokens, Some(&plain[..count])));
        assert_eq!(stream[0] & 7 == 0, is_stored, "{count}");
    }
    assert_eq!((stored_size(&plain[..STORED_BYTES]), stored_size(&plain)), (Some(8 * 65_540), None));
    assert!(pays(u64::MAX >> 1, &plain), "there is no other way");
}

#[test]
fn codes_pay_when_they_save_a_seventeenth() {
    // 800 bits as they are: 753 and a sixteenth of them are 800 together, 754 are one more.
    let plain = [0; 95];
    for (size, expected) in
        [(0, true), (752, true), (753, true), (754, false), (800, false), (u64::from(u32::MAX), false)]
    {
        assert_eq!(pays(size, &plain), expected, "{size}");
    }
}

#[test]
fn literals_and_tokens_are_stored_by_what_their_own_codes_take() {
    let (mut stored, mut coded) = (0, 0);
    for plain in doubtful().filter(|plain| plain.len() > 16) {
        let (_, bits) = written(|blocks| {
            let mut tokens = literals(&plain);
            tokens.end();
            let (literals, offsets) = blocks.assign(&mut tokens);
            let header = Header::new(&blocks.literals[..literals], &blocks.offsets[..offsets]);
            blocks.coded(&header, &tokens);
        });
        // The distance that does not occur counts one bit, too.
        let expected = if pays(bits + 1, &plain) { Kind::Own } else { Kind::Stored };
        let (as_literals, _) = written(|blocks| blocks.literals_or_stored(&plain));
        assert_eq!((kind(&as_literals), taken_apart::plain(&as_literals)), (expected, plain.clone()));
        let (as_tokens, _) = written(|blocks| blocks.coded_or_stored(&mut literals(&plain), &plain));
        assert_eq!((kind(&as_tokens), taken_apart::plain(&as_tokens)), (expected, plain.clone()));
        if expected == Kind::Own { coded += 1 } else { stored += 1 }
    }
    assert!(stored > 50 && coded > 50, "{stored} {coded}");
}

#[test]
fn a_header_describes_no_more_codes_than_are_used() {
    for (byte, copies, described) in [
        (b'a', &[][..], (257, 1)),
        (255, &[(3, 1)], (258, 1)),
        (b'a', &[(258, 1), (10, 7)], (286, 6)),
        (0, &[(4, 32_768)], (259, 30)),
    ] {
        let mut tokens = Tokens::new();
        tokens.literals(&vec![byte; 3000]);
        copies.iter().for_each(|(length, distance)| tokens.copy(*length, *distance));
        let (stream, _) = written(|blocks| blocks.smallest(&mut tokens, None));
        assert_eq!(taken_apart::blocks(&stream)[0].described, described, "{copies:?}");
    }
}

#[test]
fn stored_blocks_say_their_length_twice_and_the_last_one_is_empty() {
    let (stream, bits) = written(|blocks| {
        blocks.bits.push(1, 1);
        blocks.stored(b"abc");
        blocks.stored(&[]);
        blocks.end();
    });
    assert_eq!(stream, [&[1, 3, 0, 0xfc, 0xff][..], b"abc", &[0, 0, 0, 0xff, 0xff], &[1, 0, 0, 0xff, 0xff]].concat());
    assert_eq!(bits, 8 * stream.len() as u64);
}
