use super::super::taken_apart::{Kind, blocks, copies, kinds, plain};
use super::*;
use crate::fresh::fresh;
use crate::noise::noise;

const LEVELS: [i8; 11] = [-2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

fn stream(level: i8, plain: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Level::new(level).unwrap(), Vec::new());
    encoder.write_all(plain).unwrap();
    assert_eq!(encoder.take_checkpoints(), []);
    encoder.finish().unwrap()
}

/// Letters of seven bits, among which hardly four come twice.
fn letters(seed: u64, count: usize) -> Vec<u8> {
    noise(seed, count).into_iter().map(|byte| byte | 128).collect()
}

#[test]
fn every_stream_ends_with_an_empty_stored_block() {
    for level in LEVELS {
        assert_eq!(stream(level, b""), [1, 0, 0, 0xff, 0xff], "{level}");
        let some = stream(level, b"some bytes");
        assert!(some.ends_with(&[0, 0, 0xff, 0xff]) && plain(&some) == b"some bytes");
        let last = blocks(&some).pop().unwrap();
        assert!(last.is_last && last.kind == Kind::Stored && last.steps.is_empty());
    }
}

#[test]
fn a_match_waits_for_a_longer_one_at_the_next_position() {
    // Four letters behind each other, or seven of them one later.
    let text = b"bcdefgh-abcd+abcdefgh!";
    for (level, expected) in [
        (2, &[(4, 5), (4, 14)][..]),
        (3, &[(4, 5), (4, 14)]),
        // Four are enough not to look.
        (4, &[(4, 5), (4, 14)]),
        (5, &[(7, 14)]),
        (6, &[(7, 14)]),
        (7, &[(7, 14)]),
        (8, &[(7, 14)]),
        (9, &[(7, 14)]),
    ] {
        assert_eq!(copies(&stream(level, text)), expected, "{level}");
    }
    // One that is as long does not replace it.
    assert_eq!(copies(&stream(9, b"bcdef-abcde+abcdef!")), [(4, 7), (5, 6)]);
    assert_eq!(copies(&stream(9, b"bcdefg-abcde+abcdefg!")), [(4, 8), (6, 14)]);
}

#[test]
fn four_bytes_may_be_4_kib_away_and_five_farther() {
    for (length, distance, is_copied) in
        [(4, 4095, true), (4, 4096, true), (4, 4097, false), (5, 4097, true), (5, 32_768, true), (5, 32_769, false)]
    {
        let piece = &b"vwxyz"[..length];
        let text = [piece, &letters(1, distance - length), piece, &letters(3, 300)].concat();
        for level in 2..=9 {
            let found = copies(&stream(level, &text)).contains(&(length, distance));
            assert_eq!(found, is_copied, "{length} bytes from {distance}, level {level}");
        }
    }
}

#[test]
fn the_farthest_match_is_32_kib_away_on_every_level() {
    let piece = letters(1, 40);
    for (distance, is_found) in [(32_767, true), (32_768, true), (32_769, false)] {
        // Letters just before it, so that no run is left in which positions are skipped.
        let text = [&piece[..], &vec![0; distance - 56], &letters(3, 16), &piece, &letters(5, 300)].concat();
        for level in 1..=9 {
            let found = copies(&stream(level, &text)).iter().any(|(length, far)| *length >= 36 && *far == distance);
            assert_eq!(found, is_found, "level {level}, from {distance}");
        }
    }
}

#[test]
fn a_block_has_16_384_tokens_or_as_many_bytes_as_one_may_store() {
    let text = fresh(60_000);
    for level in 2..=9 {
        let steps: Vec<usize> = blocks(&stream(level, &text)).iter().map(|block| block.steps.len()).collect();
        assert_eq!(steps, [16_384, 16_384, 16_384, 10_848, 0], "{level}");
        // A block that is just full has none behind it.
        let steps: Vec<usize> = blocks(&stream(level, &text[..16_384])).iter().map(|block| block.steps.len()).collect();
        assert_eq!(steps, [16_384, 0], "{level}");
    }
    let text = letters(3, 70_000);
    for level in [-2, 0, 1] {
        let lengths: Vec<usize> = kinds(&stream(level, &text)).into_iter().map(|(_, length)| length).collect();
        assert_eq!(lengths, [65_535, 4465, 0], "{level}");
    }
    assert_eq!(kinds(&stream(0, &text[..3])), [(Kind::Stored, 3), (Kind::Stored, 0)]);
}

#[test]
fn the_first_level_does_not_search_what_is_short() {
    for (length, kind, has_copies) in [
        (1, Kind::Stored, false),
        (16, Kind::Stored, false),
        (127, Kind::Own, false),
        (128, Kind::Own, true),
        (1000, Kind::Own, true),
    ] {
        let text = b"ababababac".iter().copied().cycle().take(length).collect::<Vec<_>>();
        let made = stream(1, &text);
        assert_eq!((kinds(&made)[0], !copies(&made).is_empty()), ((kind, length), has_copies), "{length}");
    }
    // Where nearly all are literals, even what was found is not used.
    let text = [&letters(4, 900)[..], b"copied", &letters(7, 90), b"copied", &letters(9, 90)].concat();
    assert_eq!((copies(&stream(1, &text)), copies(&stream(2, &text)).is_empty()), (vec![], false));
}

#[test]
fn a_match_has_at_most_258_bytes_and_may_overlap_itself() {
    for level in [1, 2, 4, 6, 9] {
        let found = copies(&stream(level, &[7; 1000]));
        let (longest, rest): (Vec<_>, Vec<_>) = found.iter().copied().partition(|(length, _)| *length == 258);
        assert_eq!((longest.len(), rest.len()), (3, 1), "{level}: {found:?}");
        assert_eq!((found[0], plain(&stream(level, &[7; 1000]))), ((258, 1), vec![7; 1000]));
    }
    assert_eq!(copies(&stream(-2, &[7; 1000])), []);
}

#[test]
fn what_an_encoder_is_resumed_with_must_fit() {
    let text: Vec<u8> = noise(7, 300_000).into_iter().map(|byte| byte & 15).collect();
    let mut encoder = Encoder::noting(Level::new(6).unwrap(), NonZeroU64::new(100_000).unwrap(), Vec::new());
    encoder.write_all(&text).unwrap();
    let checkpoint = encoder.take_checkpoints()[0];
    assert_eq!(encoder.take_checkpoints(), [], "they are given once");
    let resumed = |level: i8, plain: &[u8]| {
        Encoder::resume(Level::new(level).unwrap(), &checkpoint, &plain, Vec::new()).map(|_| ())
    };
    let ends = checkpoint.continues_at() as usize;
    for (level, plain) in [(3, &text[..]), (0, &text), (6, &text[..ends - 1])] {
        let error = resumed(level, plain).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::InvalidInput, "the checkpoint is not one of this stream")
        );
    }
    resumed(6, &text[..ends]).unwrap();
    resumed(4, &text).unwrap();
}
