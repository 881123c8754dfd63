use super::*;
use crate::noise::noise;

const WINDOW: usize = 1 << 10;

fn holding(bytes: &[u8]) -> History {
    let mut history = History::new(WINDOW);
    history.push(bytes);
    history
}

/// What `act` makes of a parser of `bytes`: what it gives, the sequences and the literals.
fn parsed<T>(bytes: &[u8], act: impl FnOnce(&mut Parser<'_>) -> T) -> (T, Vec<Sequence>, Vec<u8>) {
    let history = holding(bytes);
    let mut parsed = Parsed::default();
    let mut parser = Parser::new(history.search(false), &mut parsed);
    let given = act(&mut parser);
    parser.finish();
    (given, parsed.sequences, parsed.literals)
}

fn sequence(literals: u32, length: u32, offset: u32) -> Sequence {
    Sequence { literals, matched: length - MATCH_MIN, offset }
}

#[test]
fn what_is_out_of_reach_goes_when_twice_the_window_is_full() {
    let plain = noise(1, 4000);
    for (before, size, gone) in
        [(1024, 1024, 0), (1025, 1023, 0), (1025, 1024, 1), (2000, 100, 976), (2048, 0, 0), (2048, 1, 1024)]
    {
        let mut history = holding(&plain[..before]);
        let place = history.search(false).place(before - 1);
        history.start_block(size);
        assert_eq!(history.bytes, plain[gone..before], "{before} and {size}");
        assert_eq!((history.block(), history.start), (&b""[..], before - gone));
        // Places are what they were.
        assert_eq!(history.search(false).place(before - gone - 1), place);
        history.push(b"more");
        assert_eq!(history.block(), b"more");
    }
}

#[test]
fn places_count_again_before_they_end() {
    let mut history = holding(b"bytes");
    for (base, by) in
        [(PLACE_MAX - 1, None), (PLACE_MAX, Some(PLACE_MAX - 1024)), (PLACE_MAX + 500, Some(PLACE_MAX - 524))]
    {
        history.base = base;
        assert_eq!(history.rebase(), by);
        assert_eq!(history.base, by.map_or(base, |_| 1024));
    }
    let mut places = Places::<2>::new();
    let mut pairs = Pairs::<2>::new();
    for (slot, place) in [(0, 99), (1, 100), (2, 101)] {
        places.replace(slot, place, 0x0102_0304);
        pairs.push(slot, place);
    }
    places.rebase(100);
    pairs.rebase(100);
    // A place that would be below all is forgotten with its bytes.
    assert_eq!(places.0, [0, 0x0102_0304 << 32, 0x0102_0304 << 32 | 1, 0]);
    assert_eq!([0, 1, 2, 3].map(|slot| pairs.get(slot)), [[0, 0], [0, 0], [1, 0], [0, 0]]);
}

#[test]
fn a_place_is_near_when_it_is_less_than_a_window_before() {
    let history = holding(&noise(2, 1500));
    let search = history.search(false);
    for (at, distance, is_near) in
        [(1400, 1, true), (1400, 1023, true), (1400, 1024, false), (1400, 1400, false), (0, 0, true)]
    {
        let place = search.place(at - distance);
        assert_eq!(search.near(place, at), is_near.then_some(at - distance), "{distance}");
        let matching = Place(u64::from(place) | 7 << 32).matching(&search, at, 7);
        assert_eq!(matching, is_near.then_some(at - distance), "{distance}");
    }
    // What was never put there.
    assert_eq!((search.near(0, 0), Place(0).matching(&search, 0, 0)), (None, None));
    assert_eq!((search.index(search.place(0)), search.index(search.place(0) - 1)), (Some(0), None));
}

#[test]
fn a_place_matches_with_its_four_bytes_and_no_more() {
    let history = holding(&noise(3, 100));
    let search = history.search(false);
    let mut places = Places::<4>::new();
    assert!(places.replace(3, search.place(10), 0xffff_ffff_0403_0201).matching(&search, 50, 0).is_none());
    let place = places.get(3);
    assert_eq!(place.matching(&search, 50, 0x0403_0201), Some(10));
    assert_eq!(place.matching(&search, 50, 0x1234_5678_0403_0201), Some(10));
    assert_eq!(place.matching(&search, 50, 0x1403_0201), None);
    let earlier = places.replace(3, search.place(20), 5);
    assert_eq!(
        (earlier.matching(&search, 50, 0x0403_0201), places.get(3).matching(&search, 50, 5)),
        (Some(10), Some(20))
    );
}

#[test]
fn a_block_of_one_byte_is_a_literal_and_a_match() {
    for (bytes, expected) in [
        (&b"aaaa"[..], Some(sequence(1, 3, 4))),
        (&[7; 1000], Some(sequence(1, 999, 4))),
        (b"aaa", None),
        (b"aaaab", None),
        (b"baaaa", None),
        (b"", None),
    ] {
        let history = holding(bytes);
        let mut parsed = Parsed::default();
        assert_eq!(run(&history.search(true), &mut parsed), expected.is_some(), "{}", bytes.len());
        assert_eq!(parsed.sequences, Vec::from_iter(expected));
        assert_eq!(parsed.literals, bytes[..expected.iter().len()]);
    }
}

#[test]
fn offsets_are_used_again_from_the_fourth_match_on() {
    let bytes = b"abcdabcd".repeat(4);
    parsed(&bytes, |parser| {
        for count in 0..5 {
            assert_eq!(parser.repeats(), count > 2);
            assert_eq!(parser.repeats_at(8, load64(&bytes, 8)), count > 2);
            parser.emit(parser.emitted, parser.emitted + 4, 1);
            parser.offsets = [4, 8];
        }
        assert!(parser.repeats_second_at(8, load64(&bytes, 8)) && !parser.repeats_second_at(8, load64(&bytes, 9)));
        assert!(!parser.repeats_at(8, load64(&bytes, 9)), "other bytes");
        // Only four bytes count.
        assert!(parser.repeats_at(8, load64(&bytes, 8) ^ 1 << 40));
    });
}

#[test]
fn a_match_grows_to_both_sides() {
    let bytes = b"xabcdefgh--yabcdefgh!!";
    let ((start, end), sequences, literals) = parsed(bytes, |parser| {
        let ends = parser.matched(14, 3);
        assert_eq!(parser.offsets, [11, 1]);
        ends
    });
    assert_eq!((start, end, &literals[..]), (12, 20, &b"xabcdefgh--y!!"[..]));
    assert_eq!(sequences, [sequence(12, 8, 11 + 3)]);
    // Not over what was written already.
    let (ends, sequences, _) = parsed(bytes, |parser| {
        parser.emitted = 13;
        parser.matched(14, 3)
    });
    assert_eq!((ends, &sequences[..]), ((13, 20), &[sequence(0, 7, 14)][..]));
    // Not before the first byte.
    let (ends, ..) = parsed(b"abcdefghabcdefgh", |parser| parser.matched(10, 2));
    assert_eq!(ends, (8, 16));
}

#[test]
fn a_match_grows_no_farther_than_the_window_reaches() {
    let bytes = [vec![b'-'; 10], noise(4, 1030), noise(4, 1030)].concat();
    // At 1050, the window reaches back to 26.
    let (ends, ..) = parsed(&bytes, |parser| parser.matched(1050, 20));
    assert_eq!(ends.0, 1050, "beyond it already");
    let bytes = [vec![b'-'; 40], noise(5, 700), noise(5, 700)].concat();
    let (ends, ..) = parsed(&bytes, |parser| parser.matched(1100, 400));
    assert_eq!(ends, (776, 1440), "from 1100 - 1024 on, 324 bytes before");
}

#[test]
fn a_repeat_leaves_a_literal_and_stays_above_a_floor() {
    let bytes = b"xabcdefgh--abcdefgh!";
    let repeat = |emitted: usize, at: usize, floor: usize, longest: usize| {
        let (end, sequences, _) = parsed(bytes, |parser| {
            (parser.emitted, parser.offsets) = (emitted, [10, 1]);
            parser.repeat(at, floor, longest)
        });
        (end, sequences[0])
    };
    assert_eq!(repeat(0, 13, 0, 100), (19, sequence(11, 8, 1)));
    assert_eq!(repeat(11, 13, 0, 100), (19, sequence(1, 7, 1)), "one literal");
    assert_eq!(repeat(12, 13, 0, 100), (19, sequence(1, 6, 1)));
    assert_eq!(repeat(0, 13, 2, 100), (19, sequence(12, 7, 1)), "the floor");
    assert_eq!(repeat(0, 13, 9, 100), (19, sequence(13, 6, 1)));
    assert_eq!(repeat(0, 13, 0, 7), (19, sequence(12, 7, 1)), "the longest");
    assert_eq!(repeat(0, 13, 0, 6), (19, sequence(13, 6, 1)));
    assert_eq!(repeat(0, 13, 0, 3), (19, sequence(13, 6, 1)));
}

#[test]
fn the_second_offset_changes_places_with_the_first() {
    let (end, sequences, _) = parsed(b"abcdefgh--abcdefgh!", |parser| {
        (parser.emitted, parser.offsets) = (10, [3, 10]);
        let end = parser.repeat_second(10);
        assert_eq!((parser.offsets, parser.emitted), ([10, 3], 18));
        end
    });
    assert_eq!((end, &sequences[..]), (18, &[sequence(0, 8, 1)][..]));
}

#[test]
fn equal_bytes_are_counted_to_the_end_and_backwards_to_a_bound() {
    let bytes = [&b"abcdefghijklmnopqrst"[..], b"abcdefghijklmnopqrsT", b"abcdefghi"].concat();
    parsed(&bytes, |parser| {
        let common = [(20, 0), (40, 0), (40, 20), (41, 21), (39, 19), (48, 8), (49, 9)];
        assert_eq!(common.map(|(at, earlier)| parser.common(at, earlier)), [19, 9, 9, 8, 0, 1, 0]);
        for room in 0..20 {
            assert_eq!(parser.common_before(39, 19, room), room);
            assert_eq!(parser.common_before(40, 20, room), 0);
        }
        assert_eq!((parser.common_before(45, 25, 25), parser.since(45)), (5, 45));
    });
    // Each number of equal bytes, over whole words and behind them.
    for equal in 0..40 {
        let mut bytes = vec![7; 90];
        bytes[50 + equal] = 8;
        parsed(&bytes, |parser| assert_eq!(parser.common(50, 0), equal));
    }
}

#[test]
fn a_short_block_is_not_searched_and_its_end_is_not() {
    let searched = |length: usize, least: usize| {
        let history = holding(&noise(6, length));
        let (mut parsed, mut asked) = (Parsed::default(), Vec::new());
        Parser::over(history.search(false), &mut parsed, (least, 8), |_, from, limit| {
            asked.push((from, limit));
            Some(from + 2).filter(|next| *next < limit)
        });
        assert_eq!(parsed.literals, noise(6, length));
        asked
    };
    assert_eq!(searched(9, 10), []);
    assert_eq!(searched(10, 10), [(0, 2)]);
    assert_eq!(searched(13, 10), [(0, 5), (2, 5), (4, 5)]);
}

#[test]
fn a_hash_is_of_the_lowest_bytes_and_nothing_else() {
    let value = u64::from_le_bytes(*b"abcdefgh");
    for byte in 0..8 {
        let other = value ^ 1 << (8 * byte);
        let same = [
            hash4::<18>(other) == hash4::<18>(value),
            hash::<5, 15>(other) == hash::<5, 15>(value),
            hash::<6, 15>(other) == hash::<6, 15>(value),
            hash::<8, 17>(other) == hash::<8, 17>(value),
        ];
        assert_eq!(same, [byte >= 4, byte >= 5, byte >= 6, false], "{byte}");
    }
    assert!(hash4::<18>(u64::MAX) < 1 << 18 && hash::<8, 22>(u64::MAX) < 1 << 22 && hash::<5, 13>(value) < 1 << 13);
    // The primes of the original.
    assert_eq!(
        (hash4::<32>(1), hash::<5, 64>(1), hash::<6, 64>(1)),
        (0x9e37_79b1, 889_523_592_379 << 24, 227_718_039_650_203 << 16)
    );
    assert_eq!((hash::<7, 64>(1), hash::<8, 64>(1)), (58_295_818_150_454_627 << 8, 0xcf1b_bcdc_b7a5_6463));
}
