//! What is shown around literals, and how much of it at most.

use super::*;
use crate::limits::MIX_SEEN_BYTES;
use crate::noise::noise;
use crate::patch::no_prediction;

#[test]
fn what_stands_around_literals_is_shown_whole_where_it_is_short_else_its_ends() {
    for (end, next, shown) in [
        (100, 100, vec![(84, 116)]),
        (100, 1_124, vec![(84, 1_140)]),
        (100, 1_125, vec![(84, 612), (613, 1_141)]),
        (100, 99, vec![(84, 612), (0, 115)]),
        (5_000, 1_000, vec![(4_984, 5_512), (488, 1_016)]),
        (0, 0, vec![(0, 16)]),
        (u64::MAX, u64::MAX, vec![(u64::MAX - 16, u64::MAX)]),
    ] {
        assert_eq!(around(end, next), shown, "{end} to {next}");
    }
}

/// Streams of `count` literals, each before the shortest match: at byte 600 of the base, at byte 3384, and so on.
fn scattered(count: usize) -> Streams<Vec<u8>> {
    let mut streams = Streams { gaps: vec![0], literals: noise(2, count), ..Streams::default() };
    for number in 0..count {
        let jump = match number {
            0 => 599,
            _ if number % 2 == 1 => 3_384 - 617,
            _ => 600 - 3_401,
        };
        for value in [1, 0, leb128::from_signed(jump)] {
            leb128::push(&mut streams.control, value);
        }
    }
    streams
}

#[test]
fn many_literals_are_shown_a_bounded_number_of_bytes() {
    let base = noise(1, 4_000);
    // To one of them: around the ends of both matches, and what stands before.
    let each = usize::try_from(2 * (OUTSIDE + INSIDE)).unwrap() + BEHIND;
    let count = MIX_SEEN_BYTES / each + 200;
    let streams = scattered(count);
    let Streams { control, gaps, values, literals } = &streams;
    let mut left = Streams { control: &control[..], gaps: &gaps[..], values: &values[..], literals: &literals[..] };
    let mut guides = Guides::encoders(None, Some(count));
    guides.literals.truncate(1);
    let length = count as u64 * (1 + MATCH_BYTES_MIN);
    decode_guided(&base, length, &no_prediction, (&mut left, &mut guides), &mut io::sink()).unwrap();
    let known = guides.literals[0].known();
    assert!((MIX_SEEN_BYTES..MIX_SEEN_BYTES + each + count).contains(&known), "{known} bytes");
}
