//! The four streams that matches become, and which prediction is taken.

use std::cell::RefCell;

use super::*;
use crate::full::Full;
use crate::noise::noise;
use crate::patch::{decode, no_prediction};

const NOTHING: &[u8] = b"";

/// The streams of these matches, whatever an aligner would find.
fn written(base: &[u8], target: &[u8], matches: &[Match]) -> Streams<Vec<u8>> {
    let (base, target) = (base.to_vec(), target.to_vec());
    let mut streams = Streams::<Vec<u8>>::default();
    let Streams { control: out, gaps, values, literals } = &mut streams;
    let mut control = Control { out, target_end: 0, base_end: 0 };
    let mut residual = Residual::new(&base, &target, gaps, values, literals).unwrap();
    for found in matches {
        control.append(*found).unwrap();
        residual.append(*found).unwrap();
    }
    residual.finish().unwrap();
    control.finish(target.len() as u64).unwrap();
    let Streams { control, gaps, values, literals } = &streams;
    let mut left = Streams { control: &control[..], gaps: &gaps[..], values: &values[..], literals: &literals[..] };
    let mut again = Vec::new();
    decode(&base, target.len() as u64, &no_prediction, &mut left, &mut again).unwrap();
    assert!(again == target && left.control.is_empty() && left.gaps.is_empty());
    streams
}

const fn found(target: u64, base: u64, length: u64) -> Match {
    Match { target, base, length }
}

#[test]
fn a_match_is_literals_its_length_and_where_it_is_expected() {
    let base: Vec<u8> = (0..200).collect();
    let part = |from: usize, to: usize| &base[from..to];
    for (target, matches, control, literals) in [
        (part(0, 16).to_vec(), vec![found(0, 0, 16)], &[0, 0, 0][..], NOTHING),
        (part(0, 143).to_vec(), vec![found(0, 0, 143)], &[0, 127, 0], NOTHING),
        (part(0, 144).to_vec(), vec![found(0, 0, 144)], &[0, 0x80, 1, 0], NOTHING),
        // Ahead and back, each from behind the last match and the literals.
        (part(63, 83).to_vec(), vec![found(0, 63, 20)], &[0, 4, 126], NOTHING),
        (part(64, 84).to_vec(), vec![found(0, 64, 20)], &[0, 4, 0x80, 1], NOTHING),
        ([b"new", part(3, 23)].concat(), vec![found(3, 3, 20)], &[3, 4, 0], b"new"),
        ([b"new", part(2, 22)].concat(), vec![found(3, 2, 20)], &[3, 4, 1], b"new"),
        ([b"new", part(4, 24)].concat(), vec![found(3, 4, 20)], &[3, 4, 2], b"new"),
        (
            [part(100, 120), b"mid", part(10, 40), part(40, 60), b"end"].concat(),
            vec![found(0, 100, 20), found(23, 10, 30), found(53, 40, 20)],
            &[0, 4, 0xc8, 1, 3, 14, 0xe1, 1, 0, 4, 0, 3],
            b"midend",
        ),
        (b"only literals".to_vec(), vec![], &[13], b"only literals"),
        (Vec::new(), vec![], NOTHING, NOTHING),
    ] {
        let streams = written(&base, &target, &matches);
        assert_eq!(streams.control, control, "{matches:?}");
        assert_eq!(streams.literals, literals, "{matches:?}");
        assert_eq!((streams.gaps.as_slice(), streams.values.as_slice()), (&[0][..], NOTHING), "{matches:?}");
    }
}

#[test]
fn a_byte_that_differs_is_its_distance_and_its_difference() {
    let base = vec![100; 300];
    let with = |places: &[(usize, u8)]| {
        let mut target = base.clone();
        places.iter().for_each(|(at, value)| target[*at] = *value);
        let Streams { gaps, values, .. } = written(&base, &target, &[found(0, 0, 300)]);
        (gaps, values)
    };
    assert_eq!(with(&[]), (vec![0], vec![]));
    assert_eq!(with(&[(0, 101)]), (vec![1, 0], vec![1]));
    assert_eq!(with(&[(0, 99)]), (vec![1, 0], vec![255]));
    assert_eq!(with(&[(299, 0)]), (vec![0xac, 2, 0], vec![156]));
    assert_eq!(with(&[(0, 1), (1, 2), (2, 3)]), (vec![1, 1, 1, 0], vec![157, 158, 159]));
    assert_eq!(with(&[(126, 0), (254, 0)]), (vec![127, 0x80, 1, 0], vec![156, 156]));
    // Bytes of all matches are counted on, those between them are not.
    let target = [&base[..20], b"between", &base[..20], b"end"].concat();
    let mut other = target.clone();
    (other[19], other[27], other[46]) = (101, 102, 103);
    let matches = [found(0, 0, 20), found(27, 0, 20)];
    let Streams { gaps, values, literals, .. } = written(&base, &other, &matches);
    assert_eq!((gaps, values, literals.as_slice()), (vec![20, 1, 19, 0], vec![1, 2, 3], &b"betweenend"[..]));
}

#[test]
fn a_patch_weighs_what_differs_what_is_in_no_match_and_four_bytes_for_each_match() {
    let base = noise(1, 1_000);
    let mut target = [&base[..400], &[7; 50], &base[500..900]].concat();
    (target[3], target[399], target[449], target[849]) = (target[3] ^ 1, target[399] ^ 1, 8, target[849] ^ 1);
    for (matches, expected) in [
        (vec![], 850),
        (vec![found(0, 0, 400)], 450 + 4 + 2),
        (vec![found(0, 0, 399)], 451 + 4 + 1),
        (vec![found(0, 0, 400), found(450, 500, 400)], 50 + 8 + 3),
        (vec![found(4, 4, 395), found(450, 500, 399)], 56 + 8),
    ] {
        assert_eq!(weight(&base, &target, &matches).unwrap(), expected, "{matches:?}");
    }
}

/// The matches for which `predict` was asked, and whether its answer was taken, for a target that looks like its base.
fn asked(
    fineness: Fineness,
    base: &[u8],
    target: &[u8],
    predict: &dyn Fn(&[Match]) -> Option<Vec<u8>>,
) -> (Vec<Vec<Match>>, bool, Streams<Vec<u8>>) {
    let all = RefCell::new(Vec::new());
    let prediction = |matches: &[Match]| {
        all.borrow_mut().push(matches.to_vec());
        Ok(predict(matches))
    };
    let mut streams = Streams::default();
    let is_taken = encode(&base.to_vec(), &target.to_vec(), &prediction, fineness, &mut streams).unwrap();
    (all.into_inner(), is_taken, streams)
}

#[test]
fn a_prediction_that_leaves_no_fewer_bytes_is_not_taken() {
    let base = noise(1, 2_000);
    let mut target = base.clone();
    target.iter_mut().skip(50).step_by(100).for_each(|byte| *byte ^= 1);
    // Of 20 bytes that differ it makes so many right, and as many others wrong.
    for (right, wrong, is_taken) in
        [(0, 0, false), (1, 0, true), (5, 5, false), (5, 4, true), (4, 5, false), (20, 0, true)]
    {
        let predict = |_: &[Match]| {
            let mut predicted = base.clone();
            (0..right).for_each(|number| predicted[100 * number + 50] ^= 1);
            (0..wrong).for_each(|number| predicted[100 * number + 20] ^= 1);
            Some(predicted)
        };
        let (_, found, streams) = asked(Fineness::Every, &base, &target, &predict);
        assert_eq!(found, is_taken, "{right} right, {wrong} wrong");
        assert_eq!(streams.values.len(), if is_taken { 20 - right + wrong } else { 20 });
    }
}

/// As `bytes` up to a place, and nowhere behind it.
fn half_as(bytes: &[u8], end: usize) -> Vec<u8> {
    [bytes[..end].to_vec(), bytes[end..].iter().map(|byte| byte ^ 0x55).collect()].concat()
}

#[test]
fn what_was_predicted_is_aligned_again_until_nothing_changes() {
    let base = noise(1, 4_000);
    let target = base.clone();
    // The same matches come again: it is asked once, or once more for those of what it made.
    let (all, is_taken, _) = asked(Fineness::Every, &base, &target, &|_| Some(base.clone()));
    assert_eq!((all.len(), is_taken), (1, false), "nothing is left to be better at");
    // Half of the target is found only in what is predicted, and a byte of the other half is better there.
    let mut hidden = half_as(&base, 2_000);
    hidden[500] ^= 1;
    let (all, is_taken, streams) = asked(Fineness::Every, &base, &hidden, &|_| Some(hidden.clone()));
    assert!(is_taken);
    assert_eq!(all.last().unwrap(), &[found(0, 0, 4_000)]);
    assert_eq!(all.len(), 2, "the second time all is right");
    assert_eq!((streams.control, streams.values.len(), streams.literals.len()), (vec![0, 0x90, 0x1f, 0], 0, 0));
}

#[test]
fn matches_are_looked_for_twice_in_what_was_predicted() {
    // Each answer makes 500 bytes more right, so that there is always something to be found.
    let base = noise(1, 6_000);
    let mut target = half_as(&base, 1_000);
    target[500] ^= 1;
    let rounds = RefCell::new(0);
    let predict = |_: &[Match]| {
        *rounds.borrow_mut() += 1;
        let right = 1_000 + 500 * *rounds.borrow();
        Some([&target[..right], &base[right..]].concat())
    };
    let (all, is_taken, _) = asked(Fineness::Every, &base, &target, &predict);
    assert_eq!((all.len(), is_taken), (1 + ROUNDS, true));
    // Where it may be rough, a round that saves less than an eighth is the last: 500 of 4500.
    *rounds.borrow_mut() = 0;
    let (all, is_taken, _) = asked(Fineness::Fourth, &base, &target, &predict);
    assert_eq!((all.len(), is_taken), (2, true));
    // An answer that is none ends it, and what was best stays.
    let once = RefCell::new(true);
    let predict = |_: &[Match]| once.replace(false).then(|| [&target[..3_000], &base[3_000..]].concat());
    let (all, is_taken, streams) = asked(Fineness::Every, &base, &target, &predict);
    assert_eq!((all.len(), is_taken, streams.literals.len()), (2, true, 5_000));
}

#[test]
fn what_writing_reports_comes_through() {
    let base = noise(1, 2_000);
    let mut target = [&base[..1_000], b"a few that are new", &base[1_000..]].concat();
    target[500] ^= 1;
    /// One of the four streams has no room.
    fn room(is_there: bool) -> Box<dyn Write> {
        if is_there { Box::new(Vec::new()) } else { Box::new(Full) }
    }
    for full in 0..4 {
        let [control, gaps, values, literals] = std::array::from_fn(|number| room(number != full));
        let mut streams = Streams { control, gaps, values, literals };
        let error = encode(&base, &target, &no_prediction, Fineness::Every, &mut streams).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "stream {full}");
    }
    let [control, gaps, values, literals] = std::array::from_fn(|_| room(true));
    let mut streams = Streams { control, gaps, values, literals };
    assert!(!encode(&base, &target, &no_prediction, Fineness::Every, &mut streams).unwrap());
}
