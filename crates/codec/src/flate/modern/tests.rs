use super::super::taken_apart::{self, Kind, blocks, copies, kinds};
use super::*;

/// The stream of blocks, where short matches are found everywhere.
fn stream(level: i8, history: History) -> Vec<u8> {
    let letter = |at: u32| (at.wrapping_mul(at | 1).wrapping_mul(0x9e37_79b1) >> 29) as u8;
    let plain: Vec<u8> = (0..12 * BLOCK_BYTES as u32).map(letter).collect();
    let (mut fast, mut blocks) = (Fast::new(level, Version::V1_18_2, &[]), Blocks::new(Bits::new(), 7, true));
    fast.history = history;
    for block in plain.chunks(BLOCK_BYTES) {
        fast.write(block, &mut blocks, false);
    }
    let mut out = Vec::new();
    blocks.bits.drain(&mut out).unwrap();
    out
}

#[test]
fn counting_anew_does_not_show() {
    for level in 1..=6 {
        let expected = stream(level, History::new());
        assert!(expected.len() < 6 * BLOCK_BYTES, "{level}");
        for blocks in 0..12 {
            let history = History::counts_anew_after(blocks * BLOCK_BYTES as u32 + 1);
            assert!(stream(level, history) == expected, "{level} {blocks}");
        }
    }
}

const LEVELS: [i8; 11] = [-2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

fn made(level: i8, plain: &[u8]) -> Vec<u8> {
    let settings = Settings { level: Level::new(level).unwrap(), version: Version::V1_18_2, block: None };
    let mut encoder = Encoder::new(settings, Vec::new());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Letters of seven bits, among which hardly four come twice.
fn letters(seed: u64, count: usize) -> Vec<u8> {
    crate::noise::noise(seed, count).into_iter().map(|byte| byte | 128).collect()
}

#[test]
fn every_stream_ends_with_an_empty_fixed_block() {
    for level in LEVELS {
        assert_eq!(made(level, b""), [3, 0], "{level}");
        let some = made(level, b"some bytes");
        let last = blocks(&some).pop().unwrap();
        assert!(last.is_last && last.kind == Kind::Fixed && last.steps.is_empty());
        assert_eq!(taken_apart::plain(&some), b"some bytes");
    }
}

#[test]
fn low_levels_store_what_is_tiny_and_do_not_search_what_is_short() {
    for (length, has_copies) in [(32, false), (33, false), (127, false), (128, true), (129, true)] {
        let text: Vec<u8> = b"ababababac".iter().copied().cycle().take(length).collect();
        for level in 1..=6 {
            let stream = made(level, &text);
            assert_eq!(copies(&stream).is_empty(), !has_copies, "{level}: {length}");
            assert!(length > 32 || kinds(&stream)[0] == (Kind::Stored, length), "{level}: {length}");
        }
    }
}

#[test]
fn blocks_have_so_many_bytes() {
    // Each block has other letters than the one before, so that none goes on with its codes.
    let other = |count| letters(1, count).into_iter().map(|byte| byte & 0x7f).collect::<Vec<u8>>();
    for (level, size, kind) in [(-2, 32_768, Kind::Own), (0, 65_535, Kind::Stored)] {
        let text = [letters(1, size), other(size), letters(3, 5000)].concat();
        assert_eq!(kinds(&made(level, &text)), [(kind, size), (kind, size), (kind, 5000), (Kind::Fixed, 0)], "{level}");
    }
}

#[test]
fn matches_reach_as_far_as_the_level_looks() {
    let piece = letters(2, 40);
    for (level, farthest) in [
        (1, 32_767),
        (2, 32_767),
        (3, 32_764),
        (4, 32_767),
        (5, 32_767),
        (6, 32_767),
        (7, 32_768),
        (8, 32_768),
        (9, 32_768),
    ] {
        for (distance, is_found) in [(farthest - 1, true), (farthest, true), (farthest + 1, false)] {
            // Nothing is skipped before the piece comes again, and nothing of it stands elsewhere.
            let between = vec![0; distance - piece.len() - 16];
            let text = [&piece[..], &between, &letters(5, 16), &piece, &letters(7, 300)].concat();
            let found = copies(&made(level, &text)).iter().any(|(length, far)| *length >= 30 && *far == distance);
            assert_eq!(found, is_found, "level {level}, from {distance}");
        }
    }
}

#[test]
fn versions_say_what_else_they_do() {
    assert_eq!(Version::ALL.map(Version::exact_sizes), [false, false, false, true]);
    assert!(Version::ALL.is_sorted());
}
