use super::*;
use crate::noise::noise;

fn holding(plain: &[u8]) -> Window {
    let mut window = Window::new();
    assert_eq!(window.fill(plain), plain.len());
    window
}

/// As encoders hash: what stands there decides, whatever the function.
fn hash(window: &Window, at: usize) -> u32 {
    window.four(at).wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)
}

/// Remembers all positions before `at`, and looks there.
fn found(plain: &[u8], at: usize, tries: u32, nice: usize) -> (usize, usize) {
    let found = search(&mut holding(plain), at, tries, nice, |_, _| true);
    (found.length, found.offset)
}

fn search(window: &mut Window, at: usize, tries: u32, nice: usize, takes: impl FnMut(usize, usize) -> bool) -> Match {
    for position in 0..at {
        let hash = hash(window, position);
        window.insert(position, hash);
    }
    window.at = at;
    let head = window.insert(at, hash(window, at));
    window.search(head, tries, nice, takes)
}

#[test]
fn it_takes_what_it_has_room_for() {
    let plain = noise(1, BYTES + 10);
    let mut window = holding(&plain[..BYTES - 1]);
    assert!(!window.is_full());
    assert_eq!(window.fill(&plain[BYTES - 1..]), 1);
    assert!(window.is_full());
    assert_eq!(window.fill(&plain), 0);
    assert_eq!((window.between(0, BYTES), window.end, window.halves), (&plain[..BYTES], BYTES, 0));
}

#[test]
fn its_first_half_goes_when_all_but_the_last_bytes_are_encoded() {
    let plain = noise(2, BYTES + 100);
    // 262 bytes stay: the longest match, and the shortest behind it.
    for (at, goes) in [(0, false), (65_273, false), (65_274, true), (65_536, true)] {
        let mut window = holding(&plain[..BYTES]);
        window.at = at;
        let taken = window.fill(&plain[BYTES..]);
        assert_eq!((taken, window.halves), if goes { (100, 1) } else { (0, 0) }, "{at}");
        assert_eq!(window.at, if goes { at - 32_768 } else { at });
        assert_eq!(window.end, if goes { 32_868 } else { BYTES });
        if goes {
            assert_eq!(window.between(0, window.end), &plain[32_768..]);
        }
    }
}

#[test]
fn positions_move_with_the_bytes_or_are_forgotten() {
    let plain = noise(3, BYTES + 1);
    for (position, behind) in
        [(0, None), (32_767, None), (32_768, Some(0)), (40_000, Some(7232)), (65_532, Some(32_764))]
    {
        let mut window = holding(&plain[..BYTES]);
        assert_eq!(window.insert(position, 77), 0);
        assert_eq!(window.head(77), Some(position));
        window.at = BYTES;
        window.fill(&plain[BYTES..]);
        assert_eq!(window.head(77), behind, "{position}");
        // The chain too: what comes next has this one before it.
        assert_eq!(window.insert(32_768, 77), behind.map_or(0, |behind| behind as u16 + 1));
    }
}

#[test]
fn a_block_is_known_while_its_start_is_in_the_window() {
    let plain = noise(4, BYTES + 1);
    for (start, behind) in [(0, None), (32_767, None), (32_768, Some(0)), (50_000, Some(17_232))] {
        let mut window = holding(&plain[..BYTES]);
        window.block = Some(start);
        window.at = BYTES;
        assert_eq!(window.plain(), Some(&plain[start..BYTES]));
        window.fill(&plain[BYTES..]);
        assert_eq!(window.block, behind, "{start}");
        assert_eq!(window.plain(), behind.map(|_| &plain[start..BYTES]));
    }
}

#[test]
fn near_the_end_only_the_last_call_goes_on() {
    let plain = noise(5, 1000);
    let mut window = holding(&plain);
    for (at, goes_on, at_last) in [(738, true, true), (739, false, true), (999, false, true), (1000, false, false)] {
        window.at = at;
        assert_eq!((window.goes_on(false), window.goes_on(true)), (goes_on, at_last), "{at}");
    }
}

#[test]
fn what_has_no_four_bytes_is_not_hashed() {
    for (length, hashed) in [(0, 0), (1, 0), (3, 0), (4, 1), (5, 2), (1000, 997)] {
        assert_eq!(holding(&vec![1; length]).hashed(), hashed, "{length}");
    }
}

#[test]
fn the_longest_match_is_found_and_of_equal_ones_the_nearest() {
    let plain = b"abcdefgh1 abcdefgh2 abcdef3 abcdefgh!";
    let here = 28;
    assert_eq!(&plain[here..here + 8], b"abcdefgh");
    assert_eq!(found(plain, here, 100, 258), (8, 18));
    // One try finds the nearest only, two the one before, of which there is no longer one.
    assert_eq!(found(plain, here, 1, 258), (6, 8));
    assert_eq!(found(plain, here, 2, 258), (8, 18));
    assert_eq!(found(plain, here, 0, 258), (NOTHING.length, NOTHING.offset));
    // Six bytes are nice enough to end the search, seven are not.
    assert_eq!(found(plain, here, 100, 6), (6, 8));
    assert_eq!(found(plain, here, 100, 7), (8, 18));
}

#[test]
fn three_bytes_are_no_match_and_four_are() {
    assert_eq!(found(b"abcX abcY", 5, 100, 258), (NOTHING.length, NOTHING.offset));
    assert_eq!(found(b"abcdX abcdY", 6, 100, 258), (4, 6));
}

#[test]
fn a_match_ends_with_the_bytes_that_there_are() {
    assert_eq!(found(b"abcdefgh abcde", 9, 100, 258), (5, 9));
    // Less than nice, but all that there is: the same from farther away is no better.
    assert_eq!(found(b"abcdefgh abcdef abcde", 16, 100, 258), (5, 7));
    assert_eq!(found(&[7; 300], 1, 100, 258), (258, 1));
    assert_eq!(found(&[7; 259], 1, 100, 258), (258, 1));
    assert_eq!(found(&[7; 258], 1, 100, 258), (257, 1));
}

#[test]
fn a_match_may_be_32_kib_away_and_no_farther() {
    for (distance, expected) in [(32_767, (5, 32_767)), (32_768, (5, 32_768)), (32_769, (3, 0))] {
        let mut plain = b"vwxyz".to_vec();
        plain.extend(noise(6, distance - 5).into_iter().map(|byte| byte | 128));
        plain.extend_from_slice(b"vwxyz");
        assert_eq!(found(&plain, distance, 5000, 258), expected, "{distance}");
    }
}

#[test]
fn who_asks_may_refuse_a_match() {
    let plain = b"abcdefgh1 abcdefgX2 abcdefY3 abcdefgh!";
    let mut asked = Vec::new();
    let found = search(&mut holding(plain), 29, 100, 258, |length, offset| {
        asked.push((length, offset));
        length == 7
    });
    assert_eq!((found.length, found.offset), (7, 19));
    // Each is longer than the one that was taken last: the one of six, refused, does not count.
    assert_eq!(asked, [(6, 9), (7, 19), (8, 29)]);
}

#[test]
fn bytes_are_counted_where_both_stretches_agree() {
    let window = holding(b"abcdef--abcdxf");
    assert_eq!(
        (window.agree(0, 8, 6), window.agree(0, 8, 3), window.agree(5, 13, 1), window.agree(6, 0, 2)),
        (4, 3, 1, 0)
    );
    assert_eq!((window.byte(1), window.four(8)), (b'b', u32::from_le_bytes(*b"abcd")));
}
