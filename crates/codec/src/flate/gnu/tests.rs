use super::super::taken_apart::{self, blocks, copies};
use super::*;
use crate::fresh::fresh;

#[test]
fn settings_come_back_and_nonsense_is_refused() {
    let settings = Settings::new(Program::Busybox, 6).unwrap();
    assert_eq!(Settings::from_bytes(settings.to_bytes()), Some(settings));
    assert_eq!(Settings::new(Program::Gzip, 0), None);
    assert_eq!(Settings::new(Program::Gzip, 10), None);
    assert_eq!((0..=u8::MAX).filter_map(|byte| Settings::from_bytes([byte])).count(), 18);
}

fn made(program: Program, level: u8, plain: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Settings::new(program, level).unwrap(), Vec::new());
    encoder.write_all(plain).unwrap();
    let stream = encoder.finish().unwrap();
    assert!(taken_apart::plain(&stream) == plain);
    stream
}

/// Letters of seven bits, among which hardly four come twice.
fn letters(seed: u64, count: usize) -> Vec<u8> {
    crate::noise::noise(seed, count).into_iter().map(|byte| byte | 128).collect()
}

#[test]
fn nothing_is_an_empty_fixed_block() {
    for level in 1..=9 {
        assert_eq!(made(Program::Gzip, level, b""), [3, 0], "{level}");
    }
}

#[test]
fn a_match_waits_for_a_longer_one_from_level_4_on() {
    // Three letters behind each other, or seven of them one later.
    let text = b"!bcdefgh-abc+abcdefgh!";
    for level in 1..=9 {
        let expected = if level <= FAST { &[(3, 4), (5, 13)][..] } else { &[(7, 13)] };
        assert_eq!(copies(&made(Program::Gzip, level, text)), expected, "{level}");
    }
}

#[test]
fn three_bytes_may_be_4_kib_away_where_a_match_waits() {
    for (distance, is_near) in [(4095, true), (4096, true), (4097, false)] {
        let text = [b"-xyz", &letters(1, distance - 3)[..], b"xyz", &letters(3, 300)].concat();
        for level in 1..=9 {
            let found = copies(&made(Program::Gzip, level, &text)).contains(&(3, distance));
            assert_eq!(found, is_near || level <= FAST, "{level}: from {distance}");
        }
    }
}

#[test]
fn a_block_has_32_767_tokens() {
    let text = fresh(64_000);
    for level in [1, 2, 3, 6, 9] {
        let steps: Vec<usize> =
            blocks(&made(Program::Gzip, level, &text)).iter().map(|block| block.steps.len()).collect();
        assert_eq!(steps, [32_767, 31_233], "{level}");
        // What waits at the end still belongs to the block that it fills; where nothing waits, the block ends before the stream does.
        let steps: Vec<usize> =
            blocks(&made(Program::Gzip, level, &text[..32_767])).iter().map(|block| block.steps.len()).collect();
        assert_eq!(steps, if level <= FAST { vec![32_767, 0] } else { vec![32_767] }, "{level}");
    }
}

#[test]
fn blocks_end_early_from_level_3_on() {
    // Three literals for a long run: looked at after 4096 tokens, of which a quarter are matches.
    let text: Vec<u8> = fresh(30_000).chunks(3).flat_map(|three| [three, &[b'z'; 24]].concat()).take(90_000).collect();
    for level in 1..=9 {
        let first = blocks(&made(Program::Gzip, level, &text))[0].steps.len();
        assert_eq!(first == 4096, level > NEVER_LOOKS, "{level}: {first}");
    }
}

#[test]
fn the_farthest_match_leaves_room_for_what_comes() {
    let piece = letters(5, 20);
    for (distance, is_found) in [(32_505, true), (32_506, true), (32_507, false)] {
        let between = vec![0; distance - 36];
        let text = [b"-", &piece[..], &between, &letters(7, 16), &piece, &letters(9, 300)].concat();
        for level in [1, 4, 9] {
            let found = copies(&made(Program::Gzip, level, &text)).contains(&(20, distance));
            assert_eq!(found, is_found, "{level}: from {distance}");
        }
    }
}
