//! C zlib: Java, Python, and most other programs that are neither Go's nor a compressor of their own.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::origin::Hand;
use super::{Candidate, Encoder, Family, Format, Origin, copy, front};
use crate::ReadAt;
use crate::flate::zlib;

pub(super) static FAMILY: Family =
    Family { number: 1, feature: "gzip-zlib-1", format: Format::Deflate, candidates, take };

const WINDOW_BITS: u8 = 15;

/// zlib's default, and what some programs choose to be faster, with what speaks against them.
const MEMORY_LEVELS: [(u8, u8); 2] = [(DEFAULT_MEMORY_LEVEL, 0), (9, 2)];
const DEFAULT_MEMORY_LEVEL: u8 = 8;

/// Strategies of zlib, of which images use all.
const DEFAULT: u8 = 0;
const FILTERED: u8 = 1;
const HUFFMAN_ONLY: u8 = 2;
const RUNS: u8 = 3;

struct Zlib {
    level: u8,
    settings: zlib::Settings,
    memory_level: u8,
}

fn candidates(origin: &Origin) -> Vec<Candidate> {
    let candidate = |(level, strategy, doubt): (u8, u8, u8), (window, narrow): (u8, u8)| {
        let doubt = doubt + narrow + origin.doubt_of_hands(&[Hand::Other]) + u8::from(origin.is_of_unix());
        MEMORY_LEVELS.into_iter().filter_map(move |(memory_level, unusual)| {
            let settings = zlib::Settings::new(level, window, memory_level, strategy)?;
            Some(Candidate { doubt: doubt + unusual, encoder: Arc::new(Zlib { level, settings, memory_level }) })
        })
    };
    let windows = windows(origin);
    let ways = ways(origin).into_iter();
    ways.flat_map(|way| windows.iter().flat_map(move |window| candidate(way, *window)).collect::<Vec<_>>()).collect()
}

/// Levels and strategies, with what speaks against each.
fn ways(origin: &Origin) -> Vec<(u8, u8, u8)> {
    let levels = (1..=9).filter_map(|level| Some((level, origin.doubt_of_level(level)?)));
    let plain = levels.clone().map(|(level, doubt)| (level, DEFAULT, doubt));
    match origin {
        Origin::Png(header) => {
            // zlib says the lowest level for strategies that do not depend on it.
            let runs = [RUNS, HUFFMAN_ONLY].into_iter().filter(|_| header[1] >> 6 == 0).map(|way| (6, way, 3));
            levels.map(|(level, doubt)| (level, FILTERED, doubt)).chain(plain.map(more)).chain(runs).collect()
        }
        Origin::Gzip(_) | Origin::Zlib(_) | Origin::Zip => plain.collect(),
        Origin::Zstd(_) => Vec::new(),
    }
}

const fn more((level, strategy, doubt): (u8, u8, u8)) -> (u8, u8, u8) {
    (level, strategy, doubt + 1)
}

/// The windows that there may be, with what speaks against each. libpng says a smaller one than it uses for small images.
fn windows(origin: &Origin) -> Vec<(u8, u8)> {
    match origin {
        Origin::Zlib([method, _]) | Origin::Png([method, _]) if *method < 0x78 => {
            vec![((method >> 4) + 8, 0), (WINDOW_BITS, 1)]
        }
        _ => vec![(WINDOW_BITS, 0)],
    }
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let settings = front(bytes)?;
    let (level, memory_level) = (settings[0] & 15, settings[1] >> 4);
    Some(Arc::new(Zlib { level, settings: zlib::Settings::from_bytes(settings)?, memory_level }))
}

impl Encoder for Zlib {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn settings(&self) -> Vec<u8> {
        self.settings.to_bytes().to_vec()
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = zlib::Encoder::new(self.settings, out)?;
        copy(plain, &mut encoder)?;
        encoder.finish().map(drop)
    }
}

impl fmt::Display for Zlib {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "zlib {}", self.level)?;
        match self.memory_level {
            DEFAULT_MEMORY_LEVEL => Ok(()),
            other => write!(formatter, " with memory level {other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_strategies_are_those_that_the_header_leaves() {
        let header = |flags| [0x78, flags];
        let gzip = |extra| {
            let mut bytes = [0; 18];
            bytes[8] = extra;
            Origin::Gzip(super::super::Header(bytes))
        };
        for (origin, expected) in [
            (Origin::Zlib(header(0x01)), vec![(1, DEFAULT, 1)]),
            (Origin::Zlib(header(0x9c)), vec![(6, DEFAULT, 0)]),
            (Origin::Zlib(header(0xda)), vec![(7, DEFAULT, 2), (8, DEFAULT, 2), (9, DEFAULT, 1)]),
            // A png was filtered, or not; without matches the lowest level is said.
            (Origin::Png(header(0x9c)), vec![(6, FILTERED, 0), (6, DEFAULT, 1)]),
            (Origin::Png(header(0x01)), vec![(1, FILTERED, 1), (1, DEFAULT, 2), (6, RUNS, 3), (6, HUFFMAN_ONLY, 3)]),
            (Origin::Zstd(super::super::Header([0; 18])), vec![]),
        ] {
            assert_eq!(ways(&origin), expected, "{origin:?}");
        }
        let doubts = |origin| {
            ways(&origin)
                .into_iter()
                .map(|(level, strategy, doubt)| {
                    assert_eq!(strategy, DEFAULT);
                    (level, doubt)
                })
                .collect::<Vec<_>>()
        };
        let numbered = |doubts: [u8; 9]| (1..=9).zip(doubts).collect::<Vec<_>>();
        assert_eq!(doubts(gzip(0)), numbered([9, 2, 2, 2, 2, 0, 2, 2, 9]));
        assert_eq!(doubts(Origin::Zip), numbered([1, 2, 2, 2, 2, 0, 2, 2, 1]));
    }

    #[test]
    fn a_window_is_the_largest_or_the_one_that_a_zlib_header_says() {
        for (method, expected) in [
            (0x78, vec![(15, 0)]),
            (0x68, vec![(14, 0), (15, 1)]),
            (0x58, vec![(13, 0), (15, 1)]),
            (0x08, vec![(8, 0), (15, 1)]),
        ] {
            assert_eq!(windows(&Origin::Zlib([method, 1])), expected, "{method:#04x}");
            assert_eq!(windows(&Origin::Png([method, 1])), expected, "{method:#04x}");
        }
        assert_eq!(windows(&Origin::Zip), [(15, 0)]);
        // A window of 256 bytes is none that a raw stream of zlib may have.
        let all = candidates(&Origin::Zlib([0x08, 0x1d]));
        assert!(all.iter().all(|one| one.encoder.settings()[1] & 15 == 15), "only the largest is left");
    }

    #[test]
    fn each_way_is_tried_with_two_levels_of_memory() {
        let all = candidates(&Origin::Zlib([0x78, 0x9c]));
        let told: Vec<(u8, String)> = all.iter().map(|one| (one.doubt, one.encoder.to_string())).collect();
        assert_eq!(told, [(0, "zlib 6".to_owned()), (2, "zlib 6 with memory level 9".to_owned())]);
        assert_eq!(candidates(&Origin::Png([0x78, 0x01])).len(), 8);
        assert_eq!(candidates(&Origin::Zip).len(), 18);
    }
}
