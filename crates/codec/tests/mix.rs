//! What was mixed comes back, byte for byte, and nothing else is believed.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

#[allow(dead_code, reason = "it makes noise only")]
mod common;

use common::noise;
use delta_codec::limits::{MIX_BYTES, MIX_GROWTH, MIX_SEGMENTS};
use delta_codec::mix::{Error, Model, Segment, decode, join};
use proptest::prelude::*;

/// No bound besides those of the format.
const ANY: u64 = u64::MAX;

fn coded(segments: &[(Model, &[u8])]) -> Vec<u8> {
    let mut before = None;
    let mut all = Vec::new();
    for (model, bytes) in segments {
        all.push(Segment::new(*model, bytes, before));
        before = Some((*model, *bytes));
    }
    join(&all).unwrap()
}

/// The head of one segment, and what stands behind it.
fn with_head(segments: &[(u8, u64, u64)], bodies: usize) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, segments.len() as u64);
    for (model, length, body) in segments {
        out.push(*model);
        number(&mut out, *length);
        number(&mut out, *body);
    }
    out.resize(out.len() + bodies, 0x55);
    out
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Text that nobody has seen before but in pieces.
fn text(words: u32) -> Vec<u8> {
    let word = |number: u32| {
        ["alpha", "beta", "gamma\n", "delta", "9"][(number.wrapping_mul(2_654_435_761) >> 13) as usize % 5]
    };
    (0..words).flat_map(|number| format!("{} ", word(number)).into_bytes()).collect()
}

fn model() -> impl Strategy<Value = Model> {
    (0..Model::ALL.len()).prop_map(|number| Model::ALL[number])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn all_segments_come_back(
        segments in proptest::collection::vec((model(), proptest::collection::vec(0..4_u8, 0..400), any::<bool>()), 0..5),
    ) {
        // Few values repeat, and many do not.
        let segments: Vec<_> = segments.into_iter().map(|(model, mut bytes, spread)| {
            if spread {
                bytes.iter_mut().zip(0_u8..=255).for_each(|(byte, place)| *byte = byte.wrapping_mul(57).wrapping_add(place.wrapping_mul(31)));
            }
            (model, bytes)
        }).collect();
        let borrowed: Vec<_> = segments.iter().map(|(model, bytes)| (*model, bytes.as_slice())).collect();
        let whole = segments.iter().flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
        prop_assert_eq!(decode(&coded(&borrowed), ANY).unwrap(), whole);
    }

    #[test]
    fn any_bytes_are_decoded_to_no_more_than_they_may_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(plain) = decode(&bytes, 4096) {
            prop_assert!(plain.len() <= 4096);
        }
    }
}

#[test]
fn nothing_is_no_segment_and_an_empty_segment_is_nothing() {
    assert_eq!(decode(&coded(&[]), ANY).unwrap(), b"");
    for model in Model::ALL {
        assert_eq!(decode(&coded(&[(model, b"")]), ANY).unwrap(), b"");
        assert_eq!(decode(&coded(&[(model, b""), (model, b"x")]), ANY).unwrap(), b"x");
    }
    assert_eq!(decode(b"", ANY), Err(Error::Head));
}

#[test]
fn long_segments_of_each_model_come_back_with_collisions_in_all_tables() {
    let noisy = noise(3, 30_000);
    let words = text(6_000);
    for model in Model::ALL {
        for bytes in [&noisy, &words] {
            let segments = [(Model::Numbers, &bytes[..9_000]), (model, bytes)];
            assert_eq!(decode(&coded(&segments), ANY).unwrap(), [&bytes[..9_000], bytes].concat());
        }
    }
}

#[test]
fn text_becomes_small_and_noise_hardly_grows() {
    let words = text(10_000);
    assert!(Segment::new(Model::Text, &words, None).coded_bytes() * 10 < words.len());
    let noisy = noise(1, 30_000);
    assert!(Segment::new(Model::Code, &noisy, None).coded_bytes() < noisy.len() * 103 / 100);
}

#[test]
fn values_are_smaller_beside_the_numbers_that_they_belong_to() {
    let numbers: Vec<u8> = noise(5, 8_000).iter().map(|byte| 1 + byte % 5).collect();
    let values: Vec<u8> = numbers.iter().map(|number| number * 40).collect();
    let alone = Segment::new(Model::Values, &values, None).coded_bytes();
    let beside = Segment::new(Model::Values, &values, Some((Model::Numbers, &numbers))).coded_bytes();
    let other = Segment::new(Model::Values, &values, Some((Model::Text, &numbers))).coded_bytes();
    assert!(beside * 4 < alone, "{beside} and {alone} bytes");
    assert_eq!(other, alone, "only numbers are what values belong to");
}

#[test]
fn the_same_bytes_are_coded_the_same_way_always() {
    let pinned = [
        1, 0, 44, 26, 144, 132, 53, 158, 148, 109, 178, 9, 46, 199, 32, 88, 161, 64, 229, 183, 218, 137, 75, 198, 227,
        232, 164, 142, 105, 177,
    ];
    let coded = coded(&[(Model::Text, b"the quick brown fox and the quick brown dog\n")]);
    assert_eq!(coded, pinned);
}

#[test]
fn a_cut_or_longer_member_is_refused() {
    let whole = coded(&[(Model::Text, &text(50)), (Model::Numbers, &[1, 2, 3])]);
    for length in 0..whole.len() {
        assert_eq!(decode(&whole[..length], ANY), Err(Error::Head), "cut to {length} bytes");
    }
    assert_eq!(decode(&[whole.as_slice(), &[0]].concat(), ANY), Err(Error::Head));
}

#[test]
fn a_changed_body_makes_as_many_other_bytes() {
    let words = text(200);
    let mut damaged = coded(&[(Model::Text, &words)]);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x10;
    let made = decode(&damaged, ANY).unwrap();
    assert_eq!(made.len(), words.len());
    assert_ne!(made, words);
}

#[test]
fn a_head_that_is_none_is_refused() {
    let unknown_model = with_head(&[(4, 1, 1)], 1);
    let longer_bodies = with_head(&[(0, 1, 2)], 1);
    let overflowing = with_head(&[(0, 1, u64::MAX >> 2), (0, 1, u64::MAX >> 1)], 4);
    let number_of_ten_bytes = [vec![0x80; 9], vec![0]].concat();
    for head in [unknown_model, longer_bodies, overflowing, number_of_ten_bytes] {
        assert_eq!(decode(&head, ANY), Err(Error::Head), "{head:?}");
    }
    let most = vec![(0, 0, 1); MIX_SEGMENTS];
    assert_eq!(decode(&with_head(&most, MIX_SEGMENTS), ANY).unwrap(), b"");
    let more = vec![(0, 0, 1); MIX_SEGMENTS + 1];
    assert_eq!(decode(&with_head(&more, MIX_SEGMENTS + 1), ANY), Err(Error::Head));
}

#[test]
fn more_than_asked_for_than_may_be_or_than_the_bytes_allow_is_refused_unseen() {
    let small = coded(&[(Model::Text, b"four")]);
    assert_eq!(decode(&small, 4).unwrap(), b"four");
    assert_eq!(decode(&small, 3), Err(Error::TooLong));
    let body = |length: usize| length - with_head(&[(0, MIX_BYTES as u64, length as u64)], 0).len();
    let length = MIX_BYTES.div_ceil(MIX_GROWTH) + 1;
    let too_long = with_head(&[(0, MIX_BYTES as u64 + 1, body(length) as u64)], body(length));
    assert_eq!(decode(&too_long, ANY), Err(Error::TooLong));
    let grown = |plain: usize| with_head(&[(0, plain as u64, 40)], 40);
    let coded_bytes = grown(MIX_GROWTH * 40).len();
    assert_eq!(decode(&grown(MIX_GROWTH * coded_bytes), ANY).unwrap().len(), MIX_GROWTH * coded_bytes);
    assert_eq!(decode(&grown(MIX_GROWTH * coded_bytes + 1), ANY), Err(Error::TooLong));
    let sum = with_head(&[(0, u64::MAX >> 1, 1), (0, u64::MAX >> 1, 1), (0, 9, 1)], 3);
    assert_eq!(decode(&sum, ANY), Err(Error::TooLong));
}

#[test]
fn what_a_reader_would_not_take_is_not_joined() {
    let segment = Segment::new(Model::Text, b"x", None);
    assert!(join(&vec![segment.clone(); MIX_SEGMENTS]).is_some());
    assert!(join(&vec![segment; MIX_SEGMENTS + 1]).is_none());
}
