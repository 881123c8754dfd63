use super::*;
use crate::noise::noise;

fn holding(bytes: &[u8]) -> History {
    let mut history = History::new();
    assert_eq!(history.add(bytes, |less| panic!("{less}")), 0);
    history
}

/// Length and distance of each copy, and each literal as it is.
fn read(tokens: &Tokens) -> Vec<(usize, usize)> {
    let parts = |token: &super::super::super::tokens::Token| match token.is_match() {
        true => (usize::from(token.length_less_3()) + 3, token.offset_less_1() as usize + 1),
        false => (token.literal(), 0),
    };
    tokens.list().iter().map(parts).collect()
}

#[test]
fn blocks_are_added_until_five_of_them_are_there() {
    let plain = noise(1, FULL + 2);
    let mut history = History::new();
    for block in 0..5 {
        let start = history.add(&plain[block * BLOCK_BYTES..][..BLOCK_BYTES], |_| panic!("{block}"));
        assert_eq!(start, block * BLOCK_BYTES);
    }
    let place = history.place(FULL - 1);
    // One byte more: 32 KiB stay before it.
    assert_eq!(history.add(&plain[FULL..=FULL], |less| panic!("{less}")), 32_768);
    assert_eq!(history.len(), 32_769);
    assert_eq!(history.between(0, 32_769), &plain[FULL - 32_768..=FULL]);
    // Places are what they were.
    assert_eq!((history.place(32_767), history.distance(place, 32_768)), (place, 1));
}

#[test]
fn places_are_counted_anew_before_they_end() {
    for (before, less) in [(1, None), (0, Some((1 << 31) - 32_768))] {
        let mut history = History::counts_anew_after(before);
        let mut forgotten = None;
        history.add(b"block", |less| forgotten = Some(less));
        assert_eq!(forgotten, less, "{before}");
        assert_eq!(history.place(0), less.map_or((1 << 31) - 1, |_| 32_768));
    }
    let mut table = Table::<2, 4>(Box::new([0, 5, 6, 7]));
    table.forget(6);
    assert_eq!(*table.0, [0, 0, 0, 1]);
    let mut pairs = Pairs::<2, 4>::new();
    pairs.0[1].push(7);
    pairs.0[1].push(9);
    pairs.forget(8);
    assert_eq!((pairs.0[1].last, pairs.0[1].before), (1, 0));
}

#[test]
fn what_was_never_remembered_is_out_of_reach() {
    let history = holding(&[7; 100]);
    for at in [0, 1, 99] {
        assert_eq!(history.distance(0, at), BLOCK_BYTES + at);
        assert_eq!(history.alike(0, at, u64::MAX / 255 * 7, FARTHEST), None);
    }
}

#[test]
fn a_place_is_alike_within_a_distance_and_with_the_same_four_bytes() {
    let history = holding(b"abcd....abcd....abcX");
    let value = history.eight(8);
    for (at, most, expected) in [(8, 8, Some(0)), (8, 9, Some(0)), (8, 7, None)] {
        assert_eq!(history.alike(history.place(0), at, value, most), expected, "{most}");
    }
    assert_eq!(history.alike(history.place(8), 16, history.eight(16), 100), None);
    assert_eq!(history.alike(history.place(8), 8, value, 100), Some(8), "itself");
    // What stands behind has a distance beyond all bounds.
    assert_eq!(history.alike(history.place(8), 0, value, 100), None);
}

#[test]
fn bytes_agree_to_the_end_of_the_block() {
    let bytes = [&b"abcdefghijklmnopqrstuvwxyz"[..], b"abcdefghijklmnopqrstuvwxYz", b"abcdefgh"].concat();
    let history = holding(&bytes);
    assert_eq!(
        (history.agree(26, 0), history.agree(52, 0), history.agree(52, 26), history.agree(0, 0)),
        (24, 8, 8, 60)
    );
    assert_eq!((history.agree(50, 24), history.agree(59, 7), history.agree(60, 0)), (0, 1, 0));
    for most in 0..30 {
        assert_eq!(history.agree_within(26, 0, most), most.min(24));
    }
}

#[test]
fn a_match_agrees_for_258_bytes_at_most() {
    for (length, expected) in [(263, 258), (260, 258), (259, 258), (258, 257), (9, 8), (5, 4)] {
        assert_eq!(holding(&vec![7; length]).agree_in_match(1, 0), expected, "{length}");
    }
    // The first four are taken for granted.
    assert_eq!(holding(b"abcdefgh....efgX").agree_in_match(8, 0), 7);
}

#[test]
fn a_match_grows_at_its_front_as_far_as_nothing_was_written() {
    let history = holding(b"xabcdef--yabcdef");
    let emitted = |emitted: usize| {
        let mut tokens = Tokens::new();
        let found = history.emit(Match { at: 13, from: 4, length: 3 }, emitted, &mut tokens);
        assert_eq!((found.end(), found.at - found.from), (16, 9));
        read(&tokens)
    };
    assert_eq!(emitted(9), [(usize::from(b'y'), 0), (6, 9)]);
    assert_eq!(emitted(10), [(6, 9)]);
    assert_eq!(emitted(12), [(4, 9)]);
    assert_eq!(emitted(13), [(3, 9)]);
    // Not before the first byte of all.
    let history = holding(b"abcdabcd");
    let mut tokens = Tokens::new();
    let found = history.emit(Match { at: 6, from: 2, length: 2 }, 0, &mut tokens);
    assert_eq!((found.at, found.from, found.length), (4, 0, 4));
    assert_eq!(read(&tokens)[4..], [(4, 4)]);
}

#[test]
fn the_rest_is_written_where_anything_matched() {
    let history = holding(b"abcdef");
    let mut tokens = Tokens::new();
    history.emit_rest(0, &mut tokens);
    assert_eq!(read(&tokens), [], "the block is stored, or written as literals");
    tokens.copy(3, 1);
    history.emit_rest(4, &mut tokens);
    assert_eq!(read(&tokens), [(3, 1), (usize::from(b'e'), 0), (usize::from(b'f'), 0)]);
}

#[test]
fn a_hash_is_of_the_lowest_bytes_and_nothing_else() {
    let value = u64::from_le_bytes(*b"abcdefgh");
    let others = |bytes: u32| (0..8).map(move |byte| value ^ 1 << (8 * byte)).map(move |other| (other, bytes));
    for bits in [15, 16, 17] {
        for (byte, (other, _)) in others(0).enumerate() {
            assert_eq!(hash4(other, bits) == hash4(value, bits), byte >= 4, "{byte}");
            assert_eq!(hash5(other, bits) == hash5(value, bits), byte >= 5, "{byte}");
            assert_eq!(hash7(other, bits) == hash7(value, bits), byte >= 7, "{byte}");
        }
        assert!(hash4(u64::MAX, bits).max(hash5(value, bits)).max(hash7(value, bits)) < 1 << bits);
    }
    // Those of the original: its primes, and its shifts.
    assert_eq!(hash4(1, 32), 0x9e37_79b1);
    assert_eq!(hash5(1, 64) as u64, 889_523_592_379 << 24);
    assert_eq!(hash7(1, 64) as u64, 58_295_818_150_454_627 << 8);
}

#[test]
fn a_pair_has_the_last_two_places() {
    let mut pair = Pair::default();
    for (place, last, before) in [(5, 0, 0), (6, 5, 0), (7, 6, 5), (8, 7, 6)] {
        let was = pair.push(place);
        assert_eq!((was.last, was.before), (last, before));
    }
}
