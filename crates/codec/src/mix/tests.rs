//! The bytes that segments become: those of the format, to the last one, whatever the machine.

use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::noise::noise;

/// Words in sentences, of which none is new for long.
fn text() -> Vec<u8> {
    let word = |byte: &u8| {
        ["the ", "Quick", "brown-", "fox.\n", "jumps ", "over\t", "1984 ", "\u{e9}t\u{e9} "][usize::from(byte % 8)]
    };
    noise(1, 1_500).iter().flat_map(|byte| word(byte).bytes()).collect()
}

/// Instructions of four bytes, of which some are the same.
fn code() -> Vec<u8> {
    noise(2, 1_800).iter().flat_map(|byte| [byte & 3, 0x48, byte >> 6, if byte % 7 == 0 { *byte } else { 0 }]).collect()
}

/// Numbers of all sizes, many of which are 0.
fn numbers() -> Vec<u8> {
    let mut bytes = Vec::new();
    for pair in noise(3, 5_000).as_chunks::<2>().0 {
        let number = u64::from(pair[0]).wrapping_mul(0x0123_4567_89ab) >> (pair[1] % 48);
        leb128::push(&mut bytes, if pair[1] > 200 { 0 } else { number });
    }
    bytes
}

/// A value for each number that is not 0, which depends on it.
fn values(numbers: &[u8]) -> Vec<u8> {
    numbers::other_than_zero(numbers)
        .iter()
        .zip(noise(4, 5_000))
        .map(|(number, byte)| number.to_le_bytes()[0] ^ byte & 1)
        .collect()
}

/// How long a segment becomes, and the hash of its bytes.
fn pinned(model: Model, bytes: &[u8], before: Option<(Model, &[u8])>) -> (usize, u64) {
    let segment = Segment::new(model, bytes, before);
    let mut again = Predictor::new(model, bytes.len(), before);
    coder::decode(&mut again, bytes.len(), &segment.body);
    assert!(again.into_bytes() == bytes, "{model:?}");
    (segment.coded_bytes(), xxh3_64(&segment.body))
}

#[test]
fn each_model_makes_the_bytes_of_the_format() {
    let (text, code, numbers) = (text(), code(), numbers());
    let values = values(&numbers);
    let made = [
        pinned(Model::Text, &text, None),
        pinned(Model::Code, &code, None),
        pinned(Model::Numbers, &numbers, None),
        pinned(Model::Values, &values, Some((Model::Numbers, &numbers))),
    ];
    let pinned = [
        (699, 17_195_697_678_228_596_634),
        (1_186, 12_549_592_567_368_712_560),
        (6_252, 6_921_984_306_883_129_858),
        (1_923, 17_141_729_337_113_927_194),
    ];
    assert_eq!(made, pinned);
}

#[test]
fn a_model_makes_bytes_of_the_format_of_what_it_is_not_for() {
    let (text, code, numbers) = (text(), code(), numbers());
    let made = [
        pinned(Model::Text, &numbers, None),
        pinned(Model::Code, &text, None),
        pinned(Model::Numbers, &code, None),
        pinned(Model::Values, &text, Some((Model::Numbers, &code))),
        // One byte over and over, and noise: the probabilities that are cut, and those that are of no use.
        pinned(Model::Text, &[7; 20_000], None),
        pinned(Model::Code, &noise(9, 5_000), None),
    ];
    let pinned = [
        (4_883, 15_124_571_421_216_802_704),
        (705, 10_102_328_903_957_163_990),
        (1_220, 1_952_848_439_769_363_045),
        (907, 13_027_609_696_453_810_026),
        (16, 2_922_907_437_455_967_395),
        (5_013, 4_996_074_629_029_016_954),
    ];
    assert_eq!(made, pinned);
}

#[test]
fn only_numbers_before_are_what_values_belong_to() {
    let numbers = numbers();
    let values = values(&numbers);
    let alone = pinned(Model::Values, &values, None);
    for other in [Model::Text, Model::Code, Model::Values] {
        assert_eq!(pinned(Model::Values, &values, Some((other, &numbers))), alone, "{other:?}");
    }
    assert_ne!(pinned(Model::Values, &values, Some((Model::Numbers, &numbers))), alone);
    for model in [Model::Text, Model::Code, Model::Numbers] {
        let before = Some((Model::Numbers, numbers.as_slice()));
        assert_eq!(
            pinned(model, &values, before),
            pinned(model, &values, None),
            "{model:?} knows nothing of what was before"
        );
    }
}

#[test]
fn a_head_has_the_number_of_segments_and_for_each_its_model_and_both_lengths() {
    let segments: Vec<_> = Model::ALL.map(|model| Segment::new(model, &[0; 200], None)).into();
    let joined = join(&segments).unwrap();
    let mut rest = joined.as_slice();
    let heads = heads(&mut rest).unwrap();
    assert_eq!(joined[0], 4);
    for (number, (head, segment)) in (0..).zip(heads.iter().zip(&segments)) {
        assert_eq!(head.kind, Kind::Plain(Model::ALL[number]));
        assert_eq!((head.length, head.coded), (200, segment.body.len()));
    }
    let bodies: Vec<u8> = segments.iter().flat_map(|segment| segment.body.clone()).collect();
    assert_eq!(rest, bodies);
    for length in 0..joined.len() - bodies.len() {
        assert_eq!(super::heads(&mut &joined[..length]).err(), Some(Error::Head), "cut to {length} bytes");
    }
}

#[test]
fn plain_bytes_have_two_bounds() {
    for (plain, coded, is_fine) in [
        (0, 0, true),
        (1, 0, false),
        (MIX_GROWTH, 1, true),
        (MIX_GROWTH + 1, 1, false),
        (MIX_BYTES, MIX_BYTES / MIX_GROWTH, true),
        (MIX_BYTES, MIX_BYTES / MIX_GROWTH - 1, false),
        (MIX_BYTES, usize::MAX, true),
        (MIX_BYTES + 1, usize::MAX, false),
    ] {
        assert_eq!(is_allowed(plain, coded), is_fine, "{plain} of {coded}");
    }
    // What FORMAT.md says of both, and of the segments.
    assert_eq!((MIX_BYTES, MIX_GROWTH, MIX_SEGMENTS), (8_388_608, 256, 16));
}

#[test]
fn segments_that_grow_too_much_are_not_joined() {
    // Zeros become nearly nothing: a few bytes, and these.
    for (length, is_joined) in [(2_000, true), (20_000, false)] {
        let segment = Segment::new(Model::Code, &vec![0; length], None);
        let bytes = segment.coded_bytes();
        assert_eq!(join(&[segment]).is_some(), is_joined, "{length} bytes became {bytes}");
    }
}
