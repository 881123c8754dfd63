//! C zlib: Java, Python, and most other programs that are neither Go's nor a compressor of their own.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::{Candidate, Encoder, Family, Format, Header, copy};
use crate::ReadAt;
use crate::flate::zlib;

pub(super) static FAMILY: Family = Family { number: 1, feature: "gzip-zlib-1", format: Format::Gzip, candidates, take };

const WINDOW_BITS: u8 = 15;
const MEMORY_LEVEL: u8 = 8;

/// What some programs choose to be faster.
const LARGE_MEMORY_LEVEL: u8 = 9;

struct Zlib {
    level: u8,
    settings: zlib::Settings,
    memory_level: u8,
}

fn candidates(header: &Header) -> Vec<Candidate> {
    let candidate = |level: u8, memory_level: u8| {
        let settings = zlib::Settings::new(level, WINDOW_BITS, memory_level, 0)?;
        let unusual = u8::from(level != 6) + 2 * u8::from(memory_level == LARGE_MEMORY_LEVEL);
        let doubt = 20 + unusual + 8 * u8::from(!header.may_be_level(level)) + 40 * u8::from(!header.is_unix());
        Some(Candidate { doubt, encoder: Arc::new(Zlib { level, settings, memory_level }) })
    };
    let all = (1..=9).flat_map(|level| [MEMORY_LEVEL, LARGE_MEMORY_LEVEL].map(|memory| candidate(level, memory)));
    all.flatten().collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let (settings, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    let (level, memory_level) = (settings[0] & 15, settings[1] >> 4);
    Some(Arc::new(Zlib { level, settings: zlib::Settings::from_bytes(*settings)?, memory_level }))
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
            MEMORY_LEVEL => Ok(()),
            other => write!(formatter, " with memory level {other}"),
        }
    }
}
