//! What a window becomes, step by step, at every bound that decides between a copy, a run and literals.

use super::*;
use crate::noise::noise;
use crate::vcdiff::{application_header, decode};
use Step::{Add, Copy, Run};

/// The steps of a window without a counterpart in the base, whose segment has 1000 bytes.
fn fresh(window: &[u8]) -> Vec<Step> {
    let mut steps = Steps { window, segment: 1_000, list: Vec::new(), repeats: vec![0; 1 << REPEAT_BITS], done: 0 };
    steps.fresh(window.len());
    steps.list
}

/// The steps of a window that looks like the `base` at this address of the segment, all of it.
fn alike(window: &[u8], base: &[u8], address: u64) -> Vec<Step> {
    let mut steps = Steps { window, segment: 1_000, list: Vec::new(), repeats: vec![0; 1 << REPEAT_BITS], done: 0 };
    steps.alike(0, base, address);
    steps.fresh(window.len());
    steps.list
}

fn changed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 0x55).collect()
}

fn encoded(base: &[u8], target: &[u8]) -> Vec<u8> {
    let mut delta = Vec::new();
    encode(&base.to_vec(), &target.to_vec(), b"", &mut delta).unwrap();
    let mut again = Vec::new();
    decode(&base.to_vec(), delta.as_slice(), &mut again, target.len() as u64).unwrap();
    assert!(again == target);
    delta
}

#[test]
fn a_byte_becomes_a_run_from_16_on() {
    // Below that it is the byte, and then a copy of it, as soon as that is long enough.
    assert_eq!(fresh(&[7; 12]), [Add { at: 0, length: 12 }]);
    assert_eq!(fresh(&[7; 13]), [Add { at: 0, length: 1 }, Copy { address: 1_000, length: 12 }]);
    assert_eq!(fresh(&[7; 15]), [Add { at: 0, length: 1 }, Copy { address: 1_000, length: 14 }]);
    assert_eq!(fresh(&[7; 16]), [Run { byte: 7, length: 16 }]);
    let around = [noise(1, 9), vec![7; 40], noise(2, 9)].concat();
    assert_eq!(fresh(&around), [Add { at: 0, length: 9 }, Run { byte: 7, length: 40 }, Add { at: 49, length: 9 }]);
    let two = [[3; 20], [4; 20]].concat();
    assert_eq!(fresh(&two), [Run { byte: 3, length: 20 }, Run { byte: 4, length: 20 }]);
    assert_eq!(fresh(&[]), []);
}

#[test]
fn literals_that_come_again_are_copied_from_12_on() {
    let first = noise(1, 30);
    for (length, steps) in [
        (11, vec![Add { at: 0, length: 41 }]),
        (12, vec![Add { at: 0, length: 30 }, Copy { address: 1_000, length: 12 }]),
        (30, vec![Add { at: 0, length: 30 }, Copy { address: 1_000, length: 30 }]),
    ] {
        assert_eq!(fresh(&[&first[..], &first[..length]].concat()), steps, "{length}");
    }
    // From the middle of what was there, and into what is just being written.
    let later = [&first[..], &first[9..29]].concat();
    assert_eq!(fresh(&later), [Add { at: 0, length: 30 }, Copy { address: 1_009, length: 20 }]);
    let pattern = b"nine byte".repeat(5);
    assert_eq!(fresh(&pattern), [Add { at: 0, length: 9 }, Copy { address: 1_000, length: 36 }]);
}

#[test]
fn equal_bytes_of_the_base_are_copied_from_8_on() {
    let base = noise(1, 40);
    for (equal, steps) in [
        (7, vec![Add { at: 0, length: 40 }]),
        (8, vec![Copy { address: 50, length: 8 }, Add { at: 8, length: 32 }]),
        (39, vec![Copy { address: 50, length: 39 }, Add { at: 39, length: 1 }]),
        (40, vec![Copy { address: 50, length: 40 }]),
    ] {
        let window = [&base[..equal], &changed(&base[equal..])].concat();
        assert_eq!(alike(&window, &base, 50), steps, "{equal}");
    }
}

#[test]
fn a_copy_on_the_same_course_is_worth_it_from_5_on_and_within_64_bytes() {
    let base = noise(1, 200);
    for (between, equal, is_copied) in
        [(1, 4, false), (1, 5, true), (63, 5, true), (64, 5, false), (64, 7, false), (64, 8, true)]
    {
        let (first, rest) = base.split_at(20);
        let window =
            [first, &changed(&rest[..between]), &rest[between..between + equal], &changed(&rest[..9])].concat();
        let base = &base[..window.len()];
        let start = Copy { address: 50, length: 20 };
        let behind = 20 + between + equal;
        let steps = match is_copied {
            true => vec![
                start,
                Add { at: 20, length: between },
                Copy { address: 70 + between as u64, length: equal },
                Add { at: behind, length: 9 },
            ],
            false => vec![start, Add { at: 20, length: window.len() - 20 }],
        };
        assert_eq!(alike(&window, base, 50), steps, "{between} {equal}");
    }
}

#[test]
fn a_copy_goes_on_but_not_over_the_end_of_the_segment() {
    let bytes = noise(1, 60);
    let mut steps =
        Steps { window: &bytes, segment: 1_000, list: Vec::new(), repeats: vec![0; 1 << REPEAT_BITS], done: 0 };
    // Pieces of the base come one by one; together they are one copy.
    steps.alike(0, &bytes[..20], 960);
    steps.alike(20, &bytes[20..40], 980);
    assert_eq!(steps.list, [Copy { address: 960, length: 40 }]);
    // What stands behind the segment is the window itself.
    steps.copy(1_000, 20);
    assert_eq!(steps.list, [Copy { address: 960, length: 40 }, Copy { address: 1_000, length: 20 }]);
}

#[test]
fn the_segment_is_what_the_matches_span() {
    let found = |base, length| Match { target: 0, base, length };
    for (mut matches, span) in [
        (vec![], (0, 0)),
        (vec![found(70, 30)], (70, 30)),
        (vec![found(500, 10), found(70, 30), found(90, 300)], (70, 440)),
        (vec![found(0, 10), found(SEGMENT_BYTES - 10, 10)], (0, SEGMENT_BYTES)),
    ] {
        let count = matches.len();
        assert_eq!(segment(&mut matches), span);
        assert_eq!(matches.len(), count);
    }
}

#[test]
fn where_the_matches_span_too_much_those_are_kept_that_cover_most() {
    let found = |base, length| Match { target: 0, base, length };
    let far = SEGMENT_BYTES - 9;
    for (matches, kept) in [
        (vec![found(0, 10), found(far, 10)], vec![found(0, 10)]),
        (vec![found(0, 10), found(far, 11)], vec![found(far, 11)]),
        (vec![found(far, 100), found(0, 60), found(5, 60)], vec![found(0, 60), found(5, 60)]),
        (
            vec![found(0, 50), found(100, 10), found(far + 50, 40), found(far + 80, 20)],
            vec![found(100, 10), found(far + 50, 40), found(far + 80, 20)],
        ),
    ] {
        let mut left = matches.clone();
        let (start, length) = segment(&mut left);
        assert_eq!(left, kept, "{matches:?}");
        assert!(length <= SEGMENT_BYTES && left.iter().all(|one| one.base >= start));
    }
}

#[test]
fn a_frame_is_laid_out_as_the_rfc_says() {
    let window = b"abcdefgh";
    let add = [Add { at: 0, length: 8 }];
    let checksum = Adler::of(window).to_be_bytes();
    let body = [&[8, 0, 8, 1, 0][..], &checksum, window, &[9]].concat();
    assert_eq!(frame(window, &add, 0, 0), [&[WINDOW_CHECKSUM, 18][..], &body].concat());
    // A segment of 300 bytes from 5 on: indicator, its length, its position.
    assert_eq!(
        frame(window, &add, 5, 300),
        [&[WINDOW_SOURCE | WINDOW_CHECKSUM, 0x82, 0x2c, 5, 18][..], &body].concat()
    );
}

#[test]
fn a_match_over_the_end_of_a_window_goes_on_in_the_next() {
    let base = noise(1, VCDIFF_WINDOW_BYTES + 100);
    for (length, windows) in [(VCDIFF_WINDOW_BYTES - 1, 1), (VCDIFF_WINDOW_BYTES, 1), (VCDIFF_WINDOW_BYTES + 1, 2)] {
        let delta = encoded(&base, &base[..length]);
        // The magic and the empty header; for each window some 20 bytes of head and one copy.
        assert!((5 + 20 * windows..5 + 40 * windows).contains(&delta.len()), "{length}: {} bytes", delta.len());
    }
    assert_eq!(encoded(&base, b""), b"\xd6\xc3\xc4\0\0");
}

#[test]
fn an_application_header_comes_back() {
    for note in [&b""[..], b"x", &[7; 300]] {
        let mut delta = Vec::new();
        encode(&Vec::new(), &b"target".to_vec(), note, &mut delta).unwrap();
        assert_eq!(application_header(delta.as_slice()).unwrap(), note);
        assert_eq!(delta[4], if note.is_empty() { 0 } else { HEADER_APPLICATION });
    }
}

/// Of each window its source segment (length and position; none without one) and its target bytes.
fn windows(delta: &[u8]) -> Vec<(Option<(u64, u64)>, u64)> {
    let mut rest = &delta[5..];
    let mut windows = Vec::new();
    while let Some((indicator, behind)) = rest.split_first() {
        rest = behind;
        let mut number = || integer::take(&mut rest).unwrap();
        let segment = (indicator & WINDOW_SOURCE != 0).then(|| (number(), number()));
        let length = usize::try_from(number()).unwrap();
        let (mut body, behind) = rest.split_at(length);
        rest = behind;
        windows.push((segment, integer::take(&mut body).unwrap()));
    }
    windows
}

#[test]
fn a_match_over_several_windows_is_cut_at_each() {
    let window = VCDIFF_WINDOW_BYTES as u64;
    let base = noise(1, 2 * VCDIFF_WINDOW_BYTES + 200);
    assert_eq!(
        windows(&encoded(&base, &base)),
        [(Some((window, 0)), window), (Some((window, window)), window), (Some((200, 2 * window)), 200)]
    );
    // From the middle of the base on, behind something new.
    let base = &base[..VCDIFF_WINDOW_BYTES + 5_000];
    let target = [&noise(2, 1_000)[..], &base[5_000..]].concat();
    assert_eq!(
        windows(&encoded(base, &target)),
        [(Some((window - 1_000, 5_000)), window), (Some((1_000, 5_000 + window - 1_000)), 1_000)]
    );
}

#[test]
fn a_match_that_ends_with_its_window_is_in_no_other() {
    let window = VCDIFF_WINDOW_BYTES as u64;
    let base = noise(1, VCDIFF_WINDOW_BYTES + 5_000);
    let target = [&base[..VCDIFF_WINDOW_BYTES], &base[100..1_100]].concat();
    assert_eq!(windows(&encoded(&base, &target)), [(Some((window, 0)), window), (Some((1_000, 100)), 1_000)]);
}

#[test]
fn a_window_without_a_match_has_no_segment() {
    let window = VCDIFF_WINDOW_BYTES as u64;
    let base = noise(1, 1_000);
    // What the target shares with the base starts with the second window, or before it.
    for (new, first) in [
        (VCDIFF_WINDOW_BYTES, None),
        (VCDIFF_WINDOW_BYTES - 1, Some((1, 0))),
        (VCDIFF_WINDOW_BYTES - 100, Some((100, 0))),
    ] {
        let target = [vec![7; new], base.clone()].concat();
        let found = windows(&encoded(&base, &target));
        let rest = new as u64 + 1_000 - window;
        assert_eq!(found, [(first, window), (Some((rest, 1_000 - rest)), rest)]);
    }
    assert_eq!(windows(&encoded(b"", &base)), [(None, 1_000)]);
    assert_eq!(windows(&encoded(&base, b"")), []);
}
