use super::*;

const SOME: Checkpoint = Checkpoint {
    halves: 70_000,
    at: 33_333,
    waiting: true,
    found: Match { length: 258, offset: 32_768 },
    held: (0b101, 3),
};

#[test]
fn bytes_come_back() {
    for checkpoint in [SOME, Checkpoint { waiting: false, found: NOTHING, held: (0, 0), ..SOME }] {
        assert_eq!(Checkpoint::from_bytes(checkpoint.to_bytes()), Some(checkpoint));
    }
    assert_eq!(SOME.position(), 70_000 * 32_768 + 33_333);
    assert_eq!(SOME.to_bytes(), [0x70, 0x11, 1, 0, 0x35, 0x82, 2, 1, 0, 0x80, 11, 5]);
}

#[test]
fn what_no_encoder_comes_to_is_refused() {
    let wrong = [
        Checkpoint { at: 0, ..SOME },
        Checkpoint { waiting: false, ..SOME },
        Checkpoint { found: Match { length: 259, offset: 1 }, ..SOME },
        Checkpoint { found: Match { length: 2, offset: 1 }, ..SOME },
        Checkpoint { found: Match { length: 4, offset: 0 }, ..SOME },
        Checkpoint { found: Match { length: 4, offset: 32_769 }, ..SOME },
        Checkpoint { at: 9, found: Match { length: 4, offset: 9 }, ..SOME },
        Checkpoint { held: (8, 3), ..SOME },
    ];
    for checkpoint in wrong {
        assert_eq!(Checkpoint::from_bytes(checkpoint.to_bytes()), None, "{checkpoint:?}");
    }
    let mut bytes = SOME.to_bytes();
    bytes[10] |= 16;
    assert_eq!(Checkpoint::from_bytes(bytes), None);
}

#[test]
fn it_must_fit_the_plain_bytes() {
    let window = SOME.window();
    assert!(SOME.fits(window + 65_536) && !SOME.fits(window + 65_535) && !SOME.fits(0));
    let late = Checkpoint { at: 65_535, ..SOME };
    assert!(!late.fits(window + 100_000));
    assert!(Checkpoint { found: NOTHING, waiting: false, at: 65_533, ..SOME }.fits(window + 65_536));
}

#[test]
fn every_number_is_taken_up_to_its_bound() {
    let found = |length, offset| Match { length, offset };
    for checkpoint in [
        Checkpoint { halves: 0, ..SOME },
        Checkpoint { halves: u32::MAX, ..SOME },
        Checkpoint { at: 65_535, ..SOME },
        Checkpoint { at: 2, found: found(4, 1), ..SOME },
        Checkpoint { at: 10, found: found(4, 9), ..SOME },
        Checkpoint { at: 32_769, found: found(258, 32_768), ..SOME },
        Checkpoint { at: 1, waiting: true, found: NOTHING, ..SOME },
        Checkpoint { held: (0x7f, 7), ..SOME },
        Checkpoint { held: (0, 0), ..SOME },
    ] {
        assert_eq!(Checkpoint::from_bytes(checkpoint.to_bytes()), Some(checkpoint));
    }
    for checkpoint in [
        Checkpoint { at: 32_768, found: found(258, 32_768), ..SOME },
        Checkpoint { found: found(3, 1), ..SOME },
        Checkpoint { found: found(0, 0), ..SOME },
        Checkpoint { held: (1, 0), ..SOME },
        Checkpoint { held: (0x80, 7), ..SOME },
    ] {
        assert_eq!(Checkpoint::from_bytes(checkpoint.to_bytes()), None, "{checkpoint:?}");
    }
}

#[test]
fn a_match_that_waits_ends_with_the_window() {
    let plain = SOME.window() + 65_536;
    // It begins at the byte before the next position.
    for (at, length, waiting, fits) in [
        (65_279, 258, true, true),
        (65_280, 258, true, false),
        (65_533, 4, true, true),
        (65_534, 4, true, false),
        (65_533, 3, false, true),
        (65_534, 3, false, false),
    ] {
        let checkpoint = Checkpoint { at, waiting, found: Match { length, offset: 1 }, ..SOME };
        assert_eq!(checkpoint.fits(plain), fits, "{at} and {length}");
    }
}

#[test]
fn places_in_the_plain_bytes_count_the_halves_that_went() {
    let checkpoint = Checkpoint { halves: 3, at: 5, ..SOME };
    assert_eq!((checkpoint.window(), checkpoint.position(), checkpoint.continues_at()), (98_304, 98_309, 163_840));
    let last = Checkpoint { halves: u32::MAX, at: u16::MAX, ..SOME };
    assert_eq!(last.continues_at(), u64::from(u32::MAX) * 32_768 + 65_536);
    assert!(last.position() < last.continues_at() && !last.fits(u64::from(u32::MAX)));
}

#[test]
fn marks_note_the_first_from_each_position_on() {
    let at = |position: u64| Checkpoint { halves: (position / 32_768) as u32, at: (position % 32_768) as u16, ..SOME };
    let mut marks = Marks { from: 100, apart: Some(1000), noted: Vec::new() };
    for position in [99, 100, 101, 1099, 1100, 5000, 5999, 6000] {
        marks.note(at(position));
        assert!(marks.goes_on());
    }
    let noted: Vec<u64> = marks.noted.iter().map(Checkpoint::position).collect();
    assert_eq!(noted, [100, 1100, 5000, 6000]);
    // Without a distance it is only one, and encoding ends there.
    let mut marks = Marks { from: 100, apart: None, noted: Vec::new() };
    for (position, goes_on) in [(99, true), (150, false), (200, false)] {
        marks.note(at(position));
        assert_eq!(marks.goes_on(), goes_on, "{position}");
    }
    assert_eq!(marks.noted, [at(150)]);
    let mut none = Marks::NONE;
    none.note(Checkpoint { halves: u32::MAX, ..SOME });
    assert!(none.noted.is_empty() && none.goes_on());
    // Far apart is never again.
    let mut marks = Marks { from: 0, apart: Some(u64::MAX), noted: Vec::new() };
    marks.note(at(7));
    assert_eq!(marks.from, u64::MAX);
}
