use super::*;
use crate::noise::noise;

fn holding(program: Program, plain: &[u8]) -> Window {
    let mut window = Window::new(program);
    assert_eq!(window.fill(plain), plain.len());
    window
}

/// Enters every string before `at`, and the one there; what that gives.
fn entered(window: &mut Window, at: usize) -> Option<usize> {
    while window.at() < at {
        window.enter();
        window.advance(1);
    }
    window.enter()
}

/// The longest match at `at`, as length and distance.
fn longest(plain: &[u8], at: usize, (least, tries, nice): (usize, usize, usize)) -> (usize, usize) {
    let mut window = holding(Program::Gzip, plain);
    let place = entered(&mut window, at).unwrap();
    let found = window.longest(place, least, tries, nice);
    (found.length, at - found.start)
}

#[test]
fn a_string_leads_to_the_last_one_but_never_to_the_first_byte() {
    let mut window = holding(Program::Gzip, b"abcabcabc");
    assert_eq!(entered(&mut window, 3), None);
    assert_eq!(entered(&mut window, 6), Some(3));
    let mut window = holding(Program::Gzip, b"xabcabc");
    assert_eq!(entered(&mut window, 4), Some(1));
}

#[test]
fn a_match_is_so_near_that_the_window_has_what_comes_behind() {
    for (distance, is_found) in [(32_505, true), (32_506, true), (32_507, false)] {
        let mut plain = b"-\x01\x02\x03".to_vec();
        plain.resize(1 + distance, b'a');
        plain.extend_from_slice(b"\x01\x02\x03");
        let mut window = holding(Program::Gzip, &plain);
        assert_eq!(entered(&mut window, 1 + distance), is_found.then_some(1), "{distance}");
    }
}

#[test]
fn gzip_does_not_search_where_the_window_should_have_moved() {
    let plain = vec![b'r'; 2 * SIZE];
    for program in [Program::Gzip, Program::Busybox] {
        for (at, is_searched) in [(65_273, true), (65_274, true), (65_275, program == Program::Busybox)] {
            let mut window = holding(program, &plain);
            assert_eq!(entered(&mut window, at), is_searched.then_some(at - 1), "{program:?} at {at}");
            assert_eq!(window.is_at_end(), at >= 65_274);
        }
    }
}

#[test]
fn the_longest_match_is_found_and_of_equal_ones_the_nearest() {
    let plain = b"-abcdefgh1 abcdefgh2 abcdef3 abcX4 abcdefgh!";
    let here = 35;
    assert_eq!(&plain[here..here + 8], b"abcdefgh");
    assert_eq!(longest(plain, here, (2, 100, 258)), (8, 24));
    for (tries, expected) in [(1, (3, 6)), (2, (6, 14)), (3, (8, 24)), (4, (8, 24))] {
        assert_eq!(longest(plain, here, (2, tries, 258)), expected, "{tries}");
    }
    for (nice, expected) in [(3, (3, 6)), (4, (6, 14)), (6, (6, 14)), (7, (8, 24)), (258, (8, 24))] {
        assert_eq!(longest(plain, here, (2, 100, nice)), expected, "{nice}");
    }
    // What is no longer than the least is none: that length is given back, with no place.
    for (least, expected) in [(7, (8, 24)), (8, (8, here))] {
        assert_eq!(longest(plain, here, (least, 100, 258)), expected, "{least}");
    }
}

#[test]
fn a_match_is_cut_to_what_is_ahead() {
    assert_eq!(longest(b"-abcdefgh abcde", 10, (2, 100, 258)), (5, 9));
    for (ahead, length) in [(258, 258), (259, 258), (257, 257), (3, 3)] {
        assert_eq!(longest(&vec![7; 2 + ahead], 2, (2, 100, 258)), (length, 1), "{ahead}");
    }
}

#[test]
fn a_chain_ends_before_what_is_too_far() {
    // Three places: near, at the bound, and beyond it.
    for (far, expected) in [(32_505, (9, 32_505)), (32_506, (6, 100))] {
        let mut plain = vec![b'-'];
        plain.extend_from_slice(b"abcdefghi");
        plain.resize(1 + far - 100, 0x80);
        plain.extend_from_slice(b"abcdef!");
        plain.resize(1 + far, 0x81);
        plain.extend_from_slice(b"abcdefghi?");
        // The search itself may start there, but a chain goes on only to what is nearer.
        assert_eq!(longest(&plain, 1 + far, (2, 4096, 258)), expected, "{far}");
    }
}

#[test]
fn the_second_half_moves_to_the_front_and_stays_behind_too() {
    let plain = noise(1, 2 * SIZE);
    let mut window = holding(Program::Gzip, &plain);
    entered(&mut window, 40_000);
    window.start_block();
    window.advance(25_536);
    assert_eq!((window.block(), window.block_bytes(), window.ahead()), (Some(&plain[40_000..]), 25_536, 0));
    window.slide();
    assert_eq!((window.at(), window.block(), window.block_bytes()), (SIZE, Some(&plain[40_000..]), 25_536));
    assert!(!window.is_full());
    assert_eq!(window.byte_before(), plain[2 * SIZE - 1]);
    assert_eq!(window.bytes[SIZE..2 * SIZE], plain[SIZE..]);
    // Places move along: the last one that was entered, and those that went are none.
    let (kept, gone) = (window.last.iter().max().copied(), window.last.iter().filter(|place| **place == 0).count());
    assert_eq!((kept, gone > 1000), (Some(40_000 - 32_768), true));
    window.fill(&plain[..SIZE]);
    window.advance(SIZE);
    window.slide();
    // The block began before what is left, but how long it is stays known.
    assert_eq!((window.block(), window.block_bytes()), (None, 25_536 + SIZE));
}

#[test]
fn it_takes_what_it_has_room_for() {
    let plain = noise(2, 2 * SIZE + 9);
    let mut window = holding(Program::Gzip, &plain[..2 * SIZE - 1]);
    assert!(!window.is_full());
    assert_eq!(window.fill(&plain[2 * SIZE - 1..]), 1);
    assert!(window.is_full());
    assert_eq!((window.fill(&plain), window.byte()), (0, plain[0]));
}

#[test]
fn gzip_clears_two_bytes_behind_the_end_and_busybox_none() {
    let plain = noise(3, 2 * SIZE);
    for (program, cleared) in [(Program::Gzip, 2), (Program::Busybox, 0)] {
        let mut window = holding(program, &plain);
        window.advance(2 * SIZE);
        window.slide();
        window.end();
        assert_eq!(window.bytes[SIZE..SIZE + cleared], [0; 2][..cleared]);
        assert_eq!(window.bytes[SIZE + cleared..2 * SIZE], plain[SIZE + cleared..]);
    }
}

#[test]
fn strings_between_are_entered_but_not_the_one_behind() {
    let mut window = holding(Program::Gzip, b"-abcdefabcdef");
    window.advance(1);
    window.enter();
    window.advance_and_enter(3);
    // At 4: the strings at 1, 2 and 3 are known, that at 4 is not.
    assert_eq!(window.at(), 4);
    window.advance(3);
    let places: Vec<_> = (0..4)
        .map(|_| {
            let place = window.enter();
            window.advance(1);
            place
        })
        .collect();
    assert_eq!(places, [Some(1), Some(2), Some(3), None]);
}
