//! What chooses weights, and how far a probability goes.

use super::*;

fn behind(model: Model, bytes: &[u8]) -> Predictor {
    let mut predictor = Predictor::new(model, 5_000, None);
    bytes.iter().for_each(|byte| take(&mut predictor, *byte));
    predictor
}

/// Gives it a byte as a coder does.
fn take(predictor: &mut Predictor, byte: u8) {
    for place in (0..8).rev() {
        predictor.probability();
        predictor.learn(byte >> place & 1 == 1);
    }
}

#[test]
fn a_probability_is_never_0_nor_1() {
    for (byte, least, most) in [(0x00, 32, 40), (0xff, 65_495, 65_503)] {
        let mut predictor = behind(Model::Code, &[byte; 4_000]);
        for _ in 0..8 {
            let probability = predictor.probability();
            assert!((least..=most).contains(&probability), "{probability} behind {byte:#x}");
            predictor.learn(byte == 0xff);
        }
    }
    // Before anything came there is only the input that is always there.
    assert_eq!(behind(Model::Text, b"").probability(), 33_771);
}

#[test]
fn the_numbers_before_choose_the_weights_of_numbers() {
    for (bytes, chosen) in [
        (&b""[..], 0),
        (&[1], 1),
        (&[15], 15),
        (&[0x80, 1], 16 + 6),
        // Bytes of a number that has begun, at most three.
        (&[1, 0x80], 64 + 1),
        (&[1, 0x80, 0x80], 2 * 64 + 1),
        (&[1, 0x80, 0x80, 0x80], 3 * 64 + 1),
        (&[1, 0x80, 0x80, 0x80, 0x80], 3 * 64 + 1),
        // Sizes of at most 63: that of 2^27, of half of it more, and of all beyond.
        (&[0x80, 0x80, 0x80, 0x40], 62),
        (&[0x80, 0x80, 0x80, 0x60], 63),
        (&[0x80, 0x80, 0x80, 0x80, 0x01], 63),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 63),
    ] {
        assert_eq!(behind(Model::Numbers, bytes).kind(5), chosen, "{bytes:?}");
    }
}

#[test]
fn the_length_of_a_repeat_chooses_the_weights_of_all_else() {
    let mut predictor = behind(Model::Text, b"abcdefgh");
    for done in 0..8 {
        assert_eq!(predictor.kind(done), done);
    }
    // A repeat of six bytes, which grows with each that it foresaw.
    for (more, length, chosen) in [
        (&b"abcdef"[..], 6, 8 * 2),
        (b"g", 7, 8 * 2),
        (b"h", 8, 8 * 3),
        (b"abc", 11, 8 * 3),
        (b"d", 12, 8 * 4),
        (b"efg", 15, 8 * 4),
        (b"habcdefgh", 24, 8 * 4),
        // What it did not foresee ends it.
        (b"x", 0, 0),
    ] {
        more.iter().for_each(|byte| take(&mut predictor, *byte));
        assert_eq!((predictor.repeats[0].length(), predictor.kind(0)), (length, chosen), "{}", more.escape_ascii());
        assert_eq!(predictor.kind(7), chosen + 7);
    }
}

#[test]
fn bytes_are_kept_as_their_bits_come() {
    let mut predictor = behind(Model::Code, b"ab");
    assert_eq!((predictor.bits, predictor.bytes.as_slice()), (1, &b"ab"[..]));
    for (bit, bits) in [(true, 0b11), (false, 0b110), (true, 0b1101)] {
        predictor.probability();
        predictor.learn(bit);
        assert_eq!((predictor.bits, predictor.bytes.len()), (bits, 2));
    }
    assert_eq!(behind(Model::Code, b"all of it").into_bytes(), b"all of it");
}

#[test]
fn a_point_says_at_first_what_its_logit_does() {
    let mut refinement = Refinement::new(2);
    for logit in [-1920, -129, -128, -1, 0, 1, 63, 64, 127, 128, 1919] {
        assert_eq!(refinement.ask(1, logit), squash(logit), "{logit}");
    }
    assert_eq!(refinement.points.len(), 2);
    let points = refinement.points[0].map(i32::from);
    assert!((0..33).zip(points).all(|(place, point)| point == squash(128 * (place - 16))));
}

#[test]
fn the_nearer_point_goes_a_64th_to_what_came() {
    for (logit, nearer) in
        [(0, 16), (63, 16), (64, 17), (127, 17), (128, 17), (-1, 16), (-64, 16), (-65, 15), (2047, 32), (-2047, 0)]
    {
        for (bit, goal) in [(true, 65_535), (false, 0)] {
            let mut refinement = Refinement::new(3);
            let before = refinement.points.clone();
            refinement.ask(1, logit);
            refinement.learn(bit);
            let mut expected = before;
            let point = i32::from(expected[1][nearer]);
            expected[1][nearer] = u16::try_from(point + ((goal - point) >> 6)).unwrap();
            assert_eq!(refinement.points, expected, "{logit} {bit}");
        }
    }
}
