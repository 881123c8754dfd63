//! What the match finders of the four levels make of a few bytes, by hand.

use super::super::history::History;
use super::super::sequences::{MATCH_MIN, Sequence};
use super::*;

/// Literals, length and offset of each match, where 1 to 3 are offsets that were used before.
fn sequences(settings: Settings, plain: &[u8], whole: bool) -> Vec<(u32, u32, u32)> {
    let mut history = History::new(settings.window());
    history.push(plain);
    let mut parsed = Parsed::default();
    Finder::new(settings).parse(history.search(whole), &mut parsed);
    assert_eq!(made(&parsed), plain);
    let triple = |one: &Sequence| (one.literals, one.matched + MATCH_MIN, one.offset);
    parsed.sequences.iter().map(triple).collect()
}

/// What literals and sequences stand for (RFC 8878, 3.1.1.4 and 3.1.1.5).
fn made(parsed: &Parsed) -> Vec<u8> {
    let (mut made, mut literals, mut last) = (Vec::new(), parsed.literals.as_slice(), [1, 4, 8]);
    for sequence in &parsed.sequences {
        let (new, rest) = literals.split_at(sequence.literals as usize);
        made.extend_from_slice(new);
        literals = rest;
        let behind = u32::from(sequence.literals == 0);
        let offset = match sequence.offset {
            1 if behind == 0 => last[0],
            offset @ 1..=3 => {
                let place = (offset + behind - 1) as usize;
                let offset = if place == 3 { last[0] - 1 } else { last[place] };
                if place > 1 {
                    last[2] = last[1];
                }
                last[1] = last[0];
                offset
            }
            offset => {
                (last[2], last[1]) = (last[1], last[0]);
                offset as usize - 3
            }
        };
        last[0] = offset;
        (0..sequence.matched + MATCH_MIN).for_each(|_| made.push(made[made.len() - offset]));
    }
    made.extend_from_slice(literals);
    made
}

const ALL: [Level; 4] = Level::ALL;

fn late(level: Level) -> Settings {
    settings(Version::V1_17_8, level)
}

#[test]
fn a_copy_is_one_match_on_every_level() {
    let piece: Vec<u8> = (b'a'..=b'z').collect();
    let plain = [&piece[..], b"0123456789", &piece, b"!?%&/()=#+*-_.:,;<>|"].concat();
    for level in ALL {
        assert_eq!(sequences(late(level), &plain, true), [(36, 26, 36 + 3)], "{level:?}");
    }
}

#[test]
fn what_is_short_or_at_the_end_is_not_searched() {
    for (level, least) in [(Level::Default, 16), (Level::Better, 16), (Level::Best, 16)] {
        for length in [least - 1, least] {
            let plain: Vec<u8> = b"abc".iter().copied().cycle().take(length).collect();
            let found = sequences(late(level), &plain, true);
            assert_eq!(found.is_empty(), length < least, "{level:?}: {length}");
        }
    }
    // The same letters again, so near to the end that nothing looks there.
    let piece = b"abcdefghijklmnopqrstuvwxyz";
    for (level, most) in [(Level::Fastest, 7), (Level::Default, 10), (Level::Better, 10)] {
        for (behind, is_found) in [(most, false), (most + 1, true)] {
            let plain = [&piece[..], b"!", &piece[..behind]].concat();
            assert_eq!(!sequences(late(level), &plain, true).is_empty(), is_found, "{level:?}: {behind}");
        }
    }
}

#[test]
fn four_bytes_are_a_match_only_where_they_are_looked_for() {
    let letters: Vec<u8> = (b'0'..=b'z').collect();
    let plain = |length: usize| {
        [
            &b"\x01\x02\x03\x04\x05\x06\x07\x08\x09"[..length],
            &letters,
            &b"\x01\x02\x03\x04\x05\x06\x07\x08\x09"[..length],
            &letters[9..40],
        ]
        .concat()
    };
    for (level, least) in [(Level::Fastest, 6), (Level::Default, 5), (Level::Better, 5), (Level::Best, 4)] {
        for length in 3..=8 {
            let found = sequences(late(level), &plain(length), true);
            let copied = found.iter().any(|(literals, matched, _)| {
                *literals as usize == length + letters.len() && *matched as usize == length
            });
            assert_eq!(copied, length >= least, "{level:?}: {length}: {found:?}");
        }
    }
}

#[test]
fn an_offset_is_used_again_from_the_fourth_match_on() {
    // Records of 24 bytes, which differ in their first letters.
    let plain: Vec<u8> =
        (b'A'..b'K').flat_map(|letter| [&[letter, letter ^ 7][..], b"-and-what-is-the-same."].concat()).collect();
    for level in [Level::Fastest, Level::Default, Level::Better, Level::Best] {
        let found = sequences(late(level), &plain, false);
        let (new, again): (Vec<_>, Vec<_>) = found.iter().copied().partition(|(_, _, offset)| *offset > 3);
        assert!((3..=4).contains(&new.len()) && again.len() >= 5, "{level:?}: {found:?}");
        assert!(found[..3].iter().all(|(_, _, offset)| *offset == 24 + 3), "{level:?}: {found:?}");
    }
}

#[test]
fn nothing_leads_farther_than_the_window() {
    let window = settings(Version::V1_17_8, Level::Fastest).window();
    let piece = noise(1, 300);
    for (between, is_found) in [(window - 301, true), (window - 300, false)] {
        let plain = [&piece[..], &vec![0; between], &piece, b"and some bytes behind it"].concat();
        let found = sequences(late(Level::Fastest), &plain, false);
        let farthest = found.iter().map(|(_, _, offset)| *offset as usize - 3).max().unwrap();
        assert_eq!(farthest > window - 310, is_found, "{between}: {farthest}");
    }
}

#[test]
fn best_takes_what_saves_the_most_bits() {
    // Near and short, or far and long.
    let piece: Vec<u8> = (b'a'..=b'z').collect();
    let plain = [&piece[..], &noise(2, 20_000), b"~", &piece[..5], b"!", &piece, b"and some bytes behind it"].concat();
    for version in [Version::V1_15, Version::V1_17_8] {
        let found = sequences(settings(version, Level::Best), &plain, true);
        let longest = found.iter().max_by_key(|(_, matched, _)| *matched).unwrap();
        assert_eq!(longest.1, 26, "{version:?}: {found:?}");
    }
}
