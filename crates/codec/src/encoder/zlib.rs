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
