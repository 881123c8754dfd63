//! How far two places agree: at every bound, in one piece of memory and in many blocks.

use super::*;
use crate::Concat;
use crate::limits::{CACHE_BLOCK_BYTES, WALKED_HELD_BYTES};
use crate::noise::noise;

/// So many zeros before some bytes that those are not held, and that their eighth one is the first of a block.
const BEFORE: u64 = WALKED_HELD_BYTES + CACHE_BLOCK_BYTES as u64 - 7;

/// Calls `check` with both as they are held in memory, and as they are read block by block, and where they start.
fn both(base: &[u8], target: &[u8], check: impl Fn(&mut Bytes<'_>, &mut Bytes<'_>, u64)) {
    let (base, target) = (base.to_vec(), target.to_vec());
    check(&mut Bytes::lent(&base).unwrap(), &mut Bytes::lent(&target).unwrap(), 0);
    let far = |bytes: Vec<u8>| Concat::new([vec![0; usize::try_from(BEFORE).unwrap()], bytes]);
    let (base, target) = (far(base), far(target));
    check(&mut Bytes::walked(&base).unwrap(), &mut Bytes::walked(&target).unwrap(), BEFORE);
}

/// `bytes` with those from each place on, so many, changed.
fn changed(bytes: &[u8], places: &[(usize, usize)]) -> Vec<u8> {
    let mut other = bytes.to_vec();
    places.iter().for_each(|(at, count)| other[*at..at + count].iter_mut().for_each(|byte| *byte ^= 0x55));
    other
}

#[test]
fn the_start_of_both_is_equal_up_to_the_first_byte_that_differs() {
    let bytes = noise(1, 200);
    for length in [0, 1, 31, 32, 33, 63, 64, 65, 96, 200] {
        for differs in 0..length {
            assert_eq!(
                common_prefix(&bytes[..length], &changed(&bytes[..length], &[(differs, 1)])),
                differs,
                "of {length}"
            );
        }
        assert_eq!(common_prefix(&bytes[..length], &bytes[..length]), length);
        assert_eq!(common_prefix(&bytes[..length], &bytes), length, "one is shorter");
        assert_eq!(common_prefix(&bytes, &bytes[..length]), length, "the other is shorter");
    }
    // What is the same again behind a difference does not count.
    assert_eq!(common_prefix(&bytes, &changed(&bytes, &[(40, 1)])), 40);
}

#[test]
fn bytes_agree_ahead_up_to_a_difference_or_an_end() {
    let bytes = noise(1, 40_000);
    for differs in [0, 1, 6, 7, 8, 16_383, 16_390, 16_391, 16_392, 39_999] {
        both(&bytes, &changed(&bytes, &[(differs, 1)]), |base, target, start| {
            assert_eq!(agreeing(base, start, target, start).unwrap(), differs as u64);
            let behind = start + differs as u64 + 1;
            assert_eq!(agreeing(base, behind, target, behind).unwrap(), 39_999 - differs as u64);
        });
    }
    both(&bytes, &bytes[100..30_000], |base, target, start| {
        assert_eq!(agreeing(base, start + 100, target, start).unwrap(), 29_900);
        assert_eq!(
            agreeing(base, start + 39_999, target, start + 29_899).unwrap(),
            u64::from(bytes[39_999] == bytes[29_999])
        );
        assert_eq!(agreeing(base, start + 40_000, target, start).unwrap(), 0, "there is no more of the base");
        assert_eq!(agreeing(base, start, target, start + 29_900).unwrap(), 0, "there is no more of the target");
    });
}

#[test]
fn bytes_agree_behind_down_to_a_difference_or_as_many_as_are_asked_for() {
    let bytes = noise(1, 40_000);
    for (differs, most, count) in [
        (39_999, 40_000, 0),
        (39_998, 40_000, 1),
        (39_998, 1, 1),
        (39_998, 0, 0),
        (20_000, 40_000, 19_999),
        (20_000, 19_999, 19_999),
        (20_000, 19_998, 19_998),
        (16_391, 40_000, 23_608),
        (16_384, 40_000, 23_615),
    ] {
        both(&bytes, &changed(&bytes, &[(differs, 1)]), |base, target, start| {
            let end = start + 40_000;
            assert_eq!(agreeing_before(base, end, target, end, most).unwrap(), count, "{differs} of {most}");
        });
    }
    let whole = noise(2, 500);
    let (base, target) = (whole.clone(), whole[100..].to_vec());
    let [mut base, mut target] = [&base, &target].map(|bytes| Bytes::lent(bytes).unwrap());
    assert_eq!(agreeing_before(&mut base, 500, &mut target, 400, 400).unwrap(), 400, "up to the start of the target");
    assert_eq!(agreeing_before(&mut base, 0, &mut target, 400, 0).unwrap(), 0);
}

#[test]
fn equal_bytes_are_counted_wherever_they_are() {
    let bytes = noise(1, 40_000);
    let other = changed(&bytes, &[(0, 1), (10, 5), (16_380, 20), (39_999, 1)]);
    for (from, length, equal) in [
        (0, 40_000, 40_000 - 27),
        (0, 1, 0),
        (0, 2, 1),
        (9, 7, 2),
        (16_379, 22, 2),
        (16_380, 20, 0),
        (39_998, 2, 1),
        // Behind the end nothing is equal.
        (39_990, 1_000, 9),
        (40_000, 5, 0),
        (5, 0, 0),
    ] {
        both(&bytes, &other, |base, target, start| {
            assert_eq!(
                equal_count(base, start + from, target, start + from, length).unwrap(),
                equal,
                "{from} {length}"
            );
        });
    }
    let (base, target) = (bytes[..100].to_vec(), bytes.clone());
    let [mut base, mut target] = [&base, &target].map(|bytes| Bytes::lent(bytes).unwrap());
    assert_eq!(equal_count(&mut base, 90, &mut target, 90, 50).unwrap(), 10, "the base ends before");
}

/// How far a match of the first 10 bytes grows forward, and one of the last 10 backward, where these bytes differ.
fn grown(length: usize, places: &[(usize, usize)]) -> (u64, u64) {
    let bytes = noise(3, length);
    let other = changed(&bytes, places);
    let [mut base, mut target] = [&bytes, &other].map(|bytes| Bytes::lent(bytes).unwrap());
    let end = length as u64;
    let first = Match { target: 0, base: 0, length: 10 };
    let last = Match { target: end - 10, base: end - 10, length: 10 };
    let ahead = forward(&mut base, &mut target, first, end, &mut Score::default()).unwrap();
    (ahead, backward(&mut base, &mut target, last, 0).unwrap())
}

#[test]
fn a_match_grows_to_where_most_bytes_agree_for_the_last_time() {
    assert_eq!(grown(100, &[]), (90, 90));
    // Of what is behind a difference as many must agree as differ, and one more.
    assert_eq!(grown(40, &[(20, 10)]), (10, 30));
    assert_eq!(grown(41, &[(20, 10)]), (31, 31));
    assert_eq!(grown(40, &[(10, 10)]), (30, 10));
    assert_eq!(grown(41, &[(11, 10)]), (31, 31));
    assert_eq!(grown(41, &[(10, 10)]), (31, 11));
    assert_eq!(grown(41, &[(21, 10)]), (11, 31));
    assert_eq!(grown(20, &[(10, 1), (12, 1), (14, 6)]), (0, 10));
    assert_eq!(grown(300, &[(10, 280)]), (0, 0));
}

#[test]
fn a_match_grows_over_256_bytes_that_differ_and_no_more() {
    // It goes on looking as long as no more than 256 are to be made good.
    for (differ, over) in [(255, true), (256, true), (257, false), (300, false)] {
        let length = 10 + differ + 400;
        let (ahead, _) = grown(length, &[(10, differ)]);
        assert_eq!(ahead, if over { length as u64 - 10 } else { 0 }, "{differ} ahead");
        let (_, behind) = grown(length, &[(400, differ)]);
        assert_eq!(behind, if over { length as u64 - 10 } else { 0 }, "{differ} behind");
    }
    let score = |best, score| Score { done: 0, score, best, best_at: 0 }.is_hopeless();
    assert_eq!([score(0, -256), score(0, -257), score(100, -156), score(100, -157)], [false, true, false, true]);
}

#[test]
fn growth_ends_at_the_limit_and_at_the_ends_of_both() {
    let bytes = noise(4, 1_000);
    let (base, target) = (bytes[..900].to_vec(), bytes.clone());
    let [mut base, mut target] = [&base, &target].map(|bytes| Bytes::lent(bytes).unwrap());
    let first = Match { target: 100, base: 100, length: 50 };
    for (limit, ahead) in [(150, 0), (151, 1), (899, 749), (900, 750), (1_000, 750)] {
        assert_eq!(forward(&mut base, &mut target, first, limit, &mut Score::default()).unwrap(), ahead, "{limit}");
    }
    for (limit, behind) in [(100, 0), (99, 1), (0, 100)] {
        assert_eq!(backward(&mut base, &mut target, first, limit).unwrap(), behind, "{limit}");
    }
    // The base has fewer bytes before the seed than the target.
    let (base, target) = (bytes[40..].to_vec(), bytes.clone());
    let [mut base, mut target] = [&base, &target].map(|bytes| Bytes::lent(bytes).unwrap());
    let seed = Match { target: 100, base: 60, length: 50 };
    assert_eq!(backward(&mut base, &mut target, seed, 0).unwrap(), 60);
}

#[test]
fn growth_goes_on_from_where_it_was_left() {
    let bytes = noise(5, 60_000);
    let other = changed(&bytes, &[(200, 90), (16_384, 100), (30_000, 500)]);
    both(&bytes, &other, |base, target, start| {
        let first = Match { target: start, base: start, length: 10 };
        let mut whole = Score::default();
        let expected = forward(base, target, first, start + 60_000, &mut whole).unwrap();
        assert_eq!(expected, 30_000 - 10);
        for step in [1_000, 16_384, 29_000] {
            let mut score = Score::default();
            let mut last = 0;
            for limit in (step..60_000).step_by(step).chain([60_000]) {
                last = forward(base, target, first, start + limit as u64, &mut score).unwrap();
            }
            assert_eq!(
                (last, score.done, score.score, score.best),
                (expected, whole.done, whole.score, whole.best),
                "{step}"
            );
        }
    });
}

#[test]
fn of_what_two_claim_each_keeps_what_it_has_right() {
    let bytes = noise(6, 400);
    // The first match leads to the start of the base, the second one to what is 200 bytes further on.
    let (first, second) = (&bytes[..200], &bytes[200..]);
    let base = bytes.clone();
    for (kept, total) in [(0, 30), (1, 30), (12, 30), (29, 30), (30, 30), (0, 1), (1, 1)] {
        let target = [&first[..50 + kept], &second[50 + kept..]].concat();
        let target: Vec<u8> = target.into_iter().chain(vec![0; 9]).collect();
        let [mut base, mut target] = [&base, &target].map(|bytes| Bytes::lent(bytes).unwrap());
        let one = Match { target: 0, base: 0, length: 50 };
        let other = Match { target: 50 + total, base: 250 + total, length: 20 };
        let found = best_split(&mut base, &mut target, one, other, 50, total).unwrap();
        // By chance some bytes are the same in both.
        let same = |at: usize| first[at] == second[at];
        let least = (0..kept).rev().take_while(|at| same(50 + at)).count();
        assert_eq!(found, (kept - least) as u64, "{kept} of {total}");
    }
}

#[test]
fn where_both_are_as_right_the_second_has_it() {
    let base = [7; 100].to_vec();
    let target = [7; 100].to_vec();
    let [mut base, mut target] = [&base, &target].map(|bytes| Bytes::lent(bytes).unwrap());
    let one = Match { target: 0, base: 0, length: 20 };
    let other = Match { target: 40, base: 60, length: 20 };
    assert_eq!(best_split(&mut base, &mut target, one, other, 20, 20).unwrap(), 0);
    assert_eq!(best_split(&mut base, &mut target, one, other, 20, 0).unwrap(), 0);
}
