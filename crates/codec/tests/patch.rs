//! Patches: round trips, many contents in the same streams, predictions, damage.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the programs are for the standard formats")]
mod common;

use std::cell::Cell;

use common::{base_and_target, noise};
use delta_codec::align::{Fineness, Match};
use delta_codec::limits::{PREDICTED_BYTES_LARGE, PREDICTED_MATCHES};
use delta_codec::patch::{self, Error, MATCH_BYTES_MIN, Prediction, Streams, no_prediction};
use delta_codec::{ReadAt, compress};
use proptest::prelude::*;

type Written = Streams<Vec<u8>>;

fn encode(base: &[u8], target: &[u8], prediction: &Prediction<'_>) -> Written {
    let mut streams = Written::default();
    patch::encode(&base.to_vec(), &target.to_vec(), prediction, Fineness::Every, &mut streams).unwrap();
    streams
}

fn readers(streams: &Written) -> Streams<&[u8]> {
    let Streams { control, gaps, values, literals } = streams;
    Streams { control, gaps, values, literals }
}

/// The target, if the streams have it and end where it ends.
fn decode(base: &[u8], length: usize, prediction: &Prediction<'_>, streams: &Written) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let mut left = readers(streams);
    patch::decode(&base.to_vec(), length as u64, prediction, &mut left, &mut out)?;
    assert_eq!(out.len(), length);
    Ok(out)
}

fn is_spent(streams: &Streams<&[u8]>) -> bool {
    [streams.control, streams.gaps, streams.values, streams.literals].iter().all(|stream| stream.is_empty())
}

/// A prediction that has nothing to do with the base, and depends on every match.
fn odd_prediction(base_length: usize) -> impl Fn(&[Match]) -> std::io::Result<Option<Vec<u8>>> {
    move |matches: &[Match]| {
        let seed = matches.iter().fold(1, |sum: u64, one| sum.wrapping_mul(31) ^ one.target ^ one.base ^ one.length);
        Ok(Some(noise(seed, base_length)))
    }
}

/// What the matches lead to in the target, but for every seventh byte.
fn good_prediction(base: &[u8], target: &[u8]) -> impl Fn(&[Match]) -> std::io::Result<Option<Vec<u8>>> {
    move |matches: &[Match]| {
        let mut predicted = base.to_vec();
        for found in matches {
            let [from, to, length] = [found.base, found.target, found.length].map(|at| usize::try_from(at).unwrap());
            predicted[from..from + length].copy_from_slice(&target[to..to + length]);
        }
        predicted.iter_mut().step_by(7).for_each(|byte| *byte ^= 1);
        Ok(Some(predicted))
    }
}

#[test]
fn a_prediction_is_used_only_where_it_helps() {
    let base = noise(1, 20_000);
    let mut target = base.clone();
    target.iter_mut().step_by(5).for_each(|byte| *byte = byte.wrapping_add(1));
    let is_used = |prediction: &Prediction<'_>| {
        patch::encode(&base, &target, prediction, Fineness::Every, &mut Written::default()).unwrap()
    };
    assert!(is_used(&good_prediction(&base, &target)));
    assert!(!is_used(&odd_prediction(base.len())));
    assert!(!is_used(&no_prediction));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_encoded_comes_back((base, target) in base_and_target()) {
        let streams = encode(&base, &target, &no_prediction);
        prop_assert_eq!(decode(&base, target.len(), &no_prediction, &streams).unwrap(), target);
    }

    #[test]
    fn any_prediction_comes_back((base, target) in base_and_target()) {
        for prediction in [&odd_prediction(base.len()) as &Prediction<'_>, &good_prediction(&base, &target)] {
            let mut streams = Written::default();
            let is_predicted = patch::encode(&base, &target, prediction, Fineness::Every, &mut streams).unwrap();
            let prediction = if is_predicted { prediction } else { &no_prediction };
            prop_assert!(decode(&base, target.len(), prediction, &streams).unwrap() == target);
        }
    }

    #[test]
    fn contents_share_streams(pairs in proptest::collection::vec(base_and_target(), 0..5)) {
        let mut streams = Written::default();
        for (base, target) in &pairs {
            patch::encode(base, target, &no_prediction, Fineness::Every, &mut streams).unwrap();
        }
        let mut left = readers(&streams);
        for (base, target) in &pairs {
            let mut out = Vec::new();
            patch::decode(base, target.len() as u64, &no_prediction, &mut left, &mut out).unwrap();
            prop_assert_eq!(&out, target);
        }
        prop_assert!(is_spent(&left));
    }

    #[test]
    fn a_damaged_patch_is_an_error_or_other_bytes_but_no_panic(
        (base, target) in base_and_target(),
        damage in proptest::collection::vec((0..4_usize, any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in (0..4_usize, any::<prop::sample::Index>()),
        length in any::<prop::sample::Index>(),
        other_base in proptest::collection::vec(any::<u8>(), 0..3000),
    ) {
        let streams = encode(&base, &target, &no_prediction);
        let mut damaged = streams.clone();
        for (stream, at, value) in damage {
            let stream = nth(&mut damaged, stream);
            if !stream.is_empty() {
                *at.get_mut(stream) = value;
            }
        }
        let mut shortened = streams.clone();
        let stream = nth(&mut shortened, cut.0);
        stream.truncate(cut.1.index(stream.len() + 1));
        for streams in [&streams, &damaged, &shortened] {
            for base in [&base, &other_base] {
                let prediction = odd_prediction(base.len());
                let _ = decode(base, target.len(), &no_prediction, streams);
                let _ = decode(base, target.len(), &prediction, streams);
                let _ = decode(base, length.index(target.len() * 2 + 1), &no_prediction, streams);
            }
        }
    }

    #[test]
    fn any_bytes_are_an_error_or_some_target_but_no_panic(
        bytes in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 4),
        base in proptest::collection::vec(any::<u8>(), 0..300),
        length in 0..100_000_u64,
    ) {
        let mut streams = Streams { control: &bytes[0][..], gaps: &bytes[1], values: &bytes[2], literals: &bytes[3] };
        let mut out = Vec::new();
        if patch::decode(&base, length, &no_prediction, &mut streams, &mut out).is_ok() {
            prop_assert_eq!(out.len() as u64, length);
        }
    }
}

fn nth(streams: &mut Written, number: usize) -> &mut Vec<u8> {
    match number {
        0 => &mut streams.control,
        1 => &mut streams.gaps,
        2 => &mut streams.values,
        _ => &mut streams.literals,
    }
}

#[test]
fn every_truncation_is_an_error() {
    let base = noise(1, 3_000);
    let mut target = [&base[1_000..], b"between the two", &base[..1_500]].concat();
    target.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x10);
    let streams = encode(&base, &target, &no_prediction);
    for stream in 0..4 {
        let whole = nth(&mut streams.clone(), stream).len();
        assert!(whole > 0, "stream {stream} is not tested");
        for length in 0..whole {
            let mut cut = streams.clone();
            nth(&mut cut, stream).truncate(length);
            assert!(matches!(decode(&base, target.len(), &no_prediction, &cut), Err(Error::Io { .. })));
        }
    }
}

/// The bytes of the format, by hand.
#[test]
fn the_streams_are_as_described() {
    let base: Vec<u8> = (0..100).collect();
    let mut target = [&base[40..100], b"new", &base[..40]].concat();
    (target[5], target[50], target[70]) = (0, 255, 8);
    let streams = Written {
        // No literals, 60 bytes from 40; 3 literals, 40 bytes from 0, expected at 103; nothing behind it.
        control: vec![0, 44, 80, 3, 24, 0xcd, 0x01],
        gaps: vec![6, 45, 17, 0],
        values: vec![0_u8.wrapping_sub(45), 255 - 90, 1],
        literals: b"new".to_vec(),
    };
    assert_eq!(decode(&base, target.len(), &no_prediction, &streams).unwrap(), target);
    let ours = encode(&base, &target, &no_prediction);
    assert_eq!(decode(&base, target.len(), &no_prediction, &ours).unwrap(), target);
    let literals = Written { control: vec![3], gaps: vec![0], values: Vec::new(), literals: b"new".to_vec() };
    assert_eq!(decode(&base, 3, &no_prediction, &literals).unwrap(), b"new");
    let empty = Written { gaps: vec![0], ..Written::default() };
    assert_eq!(encode(&base, b"", &no_prediction).gaps, empty.gaps);
    assert_eq!(decode(&base, 0, &no_prediction, &empty).unwrap(), b"");
}

#[test]
fn lies_are_named() {
    let base = vec![7; 100];
    let refused = |control: &[u8], gaps: &[u8]| {
        let streams =
            Written { control: control.to_vec(), gaps: gaps.to_vec(), values: vec![1; 9], literals: vec![0; 9] };
        decode(&base, 50, &no_prediction, &streams).unwrap_err().to_string()
    };
    assert_contains(&refused(&[51], &[0]), "51 literals where 50 bytes are left");
    assert_contains(&refused(&[0, 35, 0], &[0]), "a match longer than the 50 bytes that are left");
    assert_contains(&refused(&[0, 34, 102], &[0]), "a match of 50 bytes at byte 51 of a base of 100");
    assert_contains(&refused(&[0, 34, 1], &[0]), "a match of 50 bytes at byte 18446744073709551615 of a base of 100");
    assert_contains(&refused(&[0, 34, 0], &[51, 0]), "1 bytes behind the end of the last match");
    assert_contains(&refused(&[0xff; 12], &[0]), "a number that does not fit into 64 bits");
    assert_contains(&refused(&[50], &[0]), "failed at byte 0");
}

#[test]
fn lies_are_named_by_where_they_are() {
    let base = vec![7; 100];
    let refused = |control: &[u8], gaps: &[u8], values: &[u8]| {
        let streams = Written {
            control: control.to_vec(),
            gaps: gaps.to_vec(),
            values: values.to_vec(),
            literals: b"new".to_vec(),
        };
        decode(&base, 50, &no_prediction, &streams).unwrap_err().to_string()
    };
    let second = [3, 4, 0];
    let damaged = |at: u64, what: &str| format!("the patch is damaged at byte {at} of the target: {what}");
    // Three literals and 20 bytes; then what cannot be, counted from where it would stand.
    for (more, words) in [
        (&[28][..], damaged(23, "28 literals where 27 bytes are left")),
        (&[2, 10, 0], damaged(25, "a match longer than the 25 bytes that are left")),
        (&[2, 9, 0xa4, 1], damaged(25, "a match of 25 bytes at byte 107 of a base of 100")),
        (&[0x80; 11], damaged(23, "a number that does not fit into 64 bits")),
        (
            &[2, 0x80, 0x80],
            "reading or writing failed at byte 23 of the target: failed to fill whole buffer".to_owned(),
        ),
    ] {
        assert_eq!(refused(&[&second[..], more].concat(), &[0], b""), words, "{more:?}");
    }
    let whole = [&second[..], &[27]].concat();
    let failed = |at: u64, what: &str| format!("reading or writing failed at byte {at} of the target: {what}");
    assert_eq!(refused(&whole, &[1], b""), failed(3, "failed to fill whole buffer"), "no value");
    assert_eq!(refused(&whole, &[1], b"x"), failed(3, "failed to fill whole buffer"), "no gap behind the value");
    assert_eq!(refused(&whole, &[0], b""), failed(23, "failed to fill whole buffer"), "too few literals");
    assert_eq!(refused(&whole, &[0x80; 11], b""), damaged(0, "a number that does not fit into 64 bits"));
}

#[test]
fn a_byte_that_differs_is_one_of_a_match_wherever_it_stands() {
    let base: Vec<u8> = (0..100).collect();
    // Two matches of 20 and 30 bytes with three literals between, and two behind.
    let control = [0, 4, 0, 3, 14, 0, 2];
    let decoded = |gaps: &[u8], values: &[u8]| {
        let streams = Written {
            control: control.to_vec(),
            gaps: gaps.to_vec(),
            values: values.to_vec(),
            literals: b"newto".to_vec(),
        };
        decode(&base, 55, &no_prediction, &streams)
    };
    let plain = [&base[..20], b"new", &base[23..53], b"to"].concat();
    assert_eq!(decoded(&[0], b"").unwrap(), plain);
    for place in 1..=50_u8 {
        let mut expected = plain.clone();
        let at = usize::from(place) - 1 + if place > 20 { 3 } else { 0 };
        expected[at] = expected[at].wrapping_add(200);
        assert_eq!(decoded(&[place, 0], &[200]).unwrap(), expected, "{place}");
        // Together with the one before, the next one, and the last one.
        if (2..50).contains(&place) {
            let gaps = [place - 1, 1, 1, 49 - place, 0];
            let gaps = if place == 49 { vec![48, 1, 1, 0] } else { gaps.to_vec() };
            let values = vec![1; gaps.len() - 1];
            let differing =
                decoded(&gaps, &values).unwrap().iter().zip(&plain).filter(|(one, other)| one != other).count();
            assert_eq!(differing, values.len(), "{gaps:?}");
        }
    }
    for behind in [51, 52, 127] {
        let error = decoded(&[behind, 0], &[1]).unwrap_err().to_string();
        let words =
            format!("at byte 55 of the target: a byte differs {} bytes behind the end of the last match", behind - 50);
        assert!(error.ends_with(&words), "{error}");
    }
}

#[test]
fn bytes_differ_around_the_ends_of_the_pieces_that_are_made_at_a_time() {
    const PIECE: usize = 64 << 10;
    let base = noise(1, 3 * PIECE);
    // Where the match ends within a piece no more of the base comes.
    let part = [&base[..2 * PIECE + 500], &noise(2, 300)].concat();
    let streams = encode(&base, &part, &no_prediction);
    assert!(streams.literals.len() <= 301 && decode(&base, part.len(), &no_prediction, &streams).unwrap() == part);
    for places in [vec![PIECE - 1], vec![PIECE], vec![PIECE - 1, PIECE], vec![100, 2 * PIECE, 3 * PIECE - 100]] {
        let mut target = base.clone();
        places.iter().for_each(|place| target[*place] ^= 0x55);
        let streams = encode(&base, &target, &no_prediction);
        assert_eq!(streams.values.len(), places.len());
        assert!(decode(&base, target.len(), &no_prediction, &streams).unwrap() == target, "{places:?}");
    }
}

/// A base of so many zeros that are not held anywhere.
struct Zeros(u64);

impl ReadAt for Zeros {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        let count = usize::try_from((self.0 - offset).min(buffer.len() as u64)).unwrap();
        buffer[..count].fill(0);
        Ok(count)
    }
}

#[test]
fn a_prediction_is_asked_for_up_to_the_largest_base_and_target() {
    let literals = Written { control: vec![3], gaps: vec![0], values: Vec::new(), literals: b"new".to_vec() };
    for (base, is_asked) in [
        (0, true),
        (PREDICTED_BYTES_LARGE - 1, true),
        (PREDICTED_BYTES_LARGE, true),
        (PREDICTED_BYTES_LARGE + 1, false),
    ] {
        let asked = Cell::new(false);
        let prediction = |_: &[Match]| {
            asked.set(true);
            Ok(None)
        };
        let mut out = Vec::new();
        patch::decode(&Zeros(base), 3, &prediction, &mut readers(&literals), &mut out).unwrap();
        assert_eq!((out.as_slice(), asked.get()), (&b"new"[..], is_asked), "{base}");
    }
    // The target's length is a promise; what comes of it ends where the streams do.
    for (target, is_asked) in [(PREDICTED_BYTES_LARGE, true), (PREDICTED_BYTES_LARGE + 1, false)] {
        let asked = Cell::new(false);
        let prediction = |_: &[Match]| {
            asked.set(true);
            Ok(None)
        };
        let whole = Written { control: leb(target), gaps: vec![0], ..Written::default() };
        let error = patch::decode(&Zeros(9), target, &prediction, &mut readers(&whole), &mut Vec::new()).unwrap_err();
        assert_eq!((matches!(error, Error::Io { .. }), asked.get()), (true, is_asked), "{target}: {error}");
    }
}

fn leb(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

#[test]
fn a_prediction_is_asked_for_up_to_the_most_matches() {
    let base = vec![1; 16];
    for (count, is_asked) in [(PREDICTED_MATCHES, true), (PREDICTED_MATCHES + 1, false)] {
        // Each is the whole base: no literals, 16 bytes, 16 bytes back; the first one from where it is expected.
        let control = [&[0, 0, 0][..], &[0, 0, 31].repeat(count - 1)].concat();
        let streams = Written { control, gaps: vec![0], ..Written::default() };
        let prediction = |matches: &[Match]| {
            assert_eq!(matches.len(), count);
            Ok(Some(vec![2; 16]))
        };
        let made = decode(&base, 16 * count, &prediction, &streams).unwrap();
        assert!(made.iter().all(|byte| *byte == if is_asked { 2 } else { 1 }), "{count}");
    }
}

#[test]
fn what_a_prediction_reports_comes_through() {
    let base = noise(1, 500);
    let failing = |_: &[Match]| Err(std::io::Error::other("no room"));
    let streams = encode(&base, &base, &no_prediction);
    let error = decode(&base, 500, &failing, &streams).unwrap_err().to_string();
    assert_eq!(error, "reading or writing failed at byte 0 of the target: no room");
    let error = patch::encode(&base, &base, &failing, Fineness::Every, &mut Written::default()).unwrap_err();
    assert_eq!(error.to_string(), "no room");
}

fn assert_contains(text: &str, part: &str) {
    assert!(text.contains(part), "{text}");
}

#[test]
fn a_prediction_gets_the_matches_and_replaces_the_base() {
    let base = noise(1, 50_000);
    let target: Vec<u8> = base.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at % 40 == 20)).collect();
    let asked = Cell::new(0);
    let prediction = |matches: &[Match]| {
        asked.set(asked.get() + 1);
        assert_eq!(matches, [Match { target: 0, base: 0, length: 50_000 }]);
        Ok(Some(target.clone()))
    };
    let streams = encode(&base, &target, &prediction);
    assert!(streams.values.is_empty() && streams.gaps == [0]);
    assert_eq!(encode(&base, &target, &no_prediction).values.len(), 1_250);
    assert_eq!(decode(&base, target.len(), &prediction, &streams).unwrap(), target);
    assert_eq!(asked.get(), 2);
}

#[test]
fn a_prediction_of_another_length_is_refused() {
    let base = noise(1, 500);
    let short = |_: &[Match]| Ok(Some(vec![0; 499]));
    let mut streams = Written::default();
    let error = patch::encode(&base, &base, &short, Fineness::Every, &mut streams).unwrap_err().to_string();
    assert_contains(&error, "the prediction has 499 bytes, expected 500");
    let streams = encode(&base, &base, &no_prediction);
    assert_contains(&decode(&base, 500, &short, &streams).unwrap_err().to_string(), "expected 500");
}

/// Bytes that are not held anywhere: a pattern without end, cut to a length, with a changed byte now and then.
struct Endless {
    length: u64,
    changed_every: u64,
}

impl ReadAt for Endless {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        let count = usize::try_from((self.length - offset).min(buffer.len() as u64)).unwrap();
        for (byte, at) in buffer[..count].iter_mut().zip(offset..) {
            let mixed = (at / 8).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = mixed.to_le_bytes()[usize::try_from(at % 8).unwrap()] ^ u8::from(at % self.changed_every == 7);
        }
        Ok(count)
    }
}

/// Compares what is written to it with what is expected.
struct Compared {
    expected: Endless,
    position: u64,
}

impl std::io::Write for Compared {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let mut expected = vec![0; buffer.len()];
        self.expected.read_exact_at(&mut expected, self.position)?;
        assert_eq!(buffer, expected, "at {}", self.position);
        self.position += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn contents_too_large_to_be_predicted_are_streamed() {
    let base = Endless { length: PREDICTED_BYTES_LARGE + 1, changed_every: u64::MAX };
    let target = || Endless { length: 4 << 20, changed_every: 1 << 18 };
    let never = |_: &[Match]| panic!("asked for a prediction of what is too large");
    let mut streams = Written::default();
    patch::encode(&base, &target(), &never, Fineness::Every, &mut streams).unwrap();
    assert!(streams.literals.len() < 200 && streams.values.len() < 200, "{}", streams.values.len());
    let mut out = Compared { expected: target(), position: 0 };
    patch::decode(&base, target().len(), &never, &mut readers(&streams), &mut out).unwrap();
    assert_eq!(out.position, target().len());
}

#[test]
fn alike_contents_cost_little() {
    let base = noise(1, 200_000);
    let mut target = [&base[..100_000], b"put in between", &base[100_000..]].concat();
    target.iter_mut().step_by(10_000).for_each(|byte| *byte = byte.wrapping_add(1));
    let Streams { control, gaps, values, literals } = encode(&base, &target, &no_prediction);
    assert!(control.len() <= 2 * 3 * 4, "{}", control.len());
    assert!(literals.len() <= 20 && values.len() <= 40, "{} {}", literals.len(), values.len());
    assert!(gaps.len() <= 100, "{}", gaps.len());
}

/// What pays for the four streams: they compress better than bsdiff's, whose differences are mostly zeros.
#[test]
fn the_streams_compress_well() {
    let base = table(0);
    let target = table(0x1230);
    let streams = encode(&base, &target, &no_prediction);
    let parts = [&streams.control, &streams.gaps, &streams.values, &streams.literals];
    let total: usize = parts.iter().map(|part| compressed(part)).sum();
    assert!(total < 1_000 && total < compressed(&target) / 10, "{total} of {}", compressed(&target));
}

/// Rows of 32 random bytes with an address in each, which `moved` shifts.
fn table(moved: u32) -> Vec<u8> {
    let rows = noise(9, 32 * 2_000);
    let row = |(number, row): (u32, &[u8])| [row, &(0x0040_0000 + number * 16 + moved).to_le_bytes()].concat();
    (0..).zip(rows.chunks(32)).flat_map(row).collect()
}

fn compressed(bytes: &[u8]) -> usize {
    let level = compress::Level::new(compress::Compression::Zstd, 19).unwrap();
    let mut encoder =
        compress::Encoder::new(Vec::new(), compress::Compression::Zstd, level, Some(bytes.len() as u64)).unwrap();
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap().len()
}

#[test]
fn short_matches_are_literals() {
    let least = usize::try_from(MATCH_BYTES_MIN).unwrap();
    let base = noise(1, 5_000);
    let target = [&base[..least - 1], &noise(2, 100)].concat();
    let streams = encode(&base, &target, &no_prediction);
    assert_eq!((streams.literals.len(), streams.control.len()), (target.len(), 1));
    assert_eq!(decode(&base, target.len(), &no_prediction, &streams).unwrap(), target);
}
