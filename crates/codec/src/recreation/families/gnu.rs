//! GNU gzip and busybox.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::{Candidate, Encoder, Family, Format, Header, copy};
use crate::ReadAt;
use crate::flate::gnu::{self, Program, Settings};

pub(super) static FAMILY: Family = Family { number: 5, feature: "gzip-gnu-1", format: Format::Gzip, candidates, take };

struct Gnu(Settings);

/// busybox's bit in the byte of the settings.
const BUSYBOX: u8 = 16;

fn candidates(header: &Header) -> Vec<Candidate> {
    let candidate = |program: Program, level: u8| {
        let unusual = u8::from(level != 6) + 2 * u8::from(program == Program::Busybox);
        let doubt = 22 + unusual + 8 * u8::from(!header.may_be_level(level)) + 40 * u8::from(!header.is_unix());
        Some(Candidate { doubt, encoder: Arc::new(Gnu(Settings::new(program, level)?)) })
    };
    let all = (1..=9).flat_map(|level| [Program::Gzip, Program::Busybox].map(|program| candidate(program, level)));
    all.flatten().collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let (settings, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(Arc::new(Gnu(Settings::from_bytes(*settings)?)))
}

impl Encoder for Gnu {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn settings(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = gnu::Encoder::new(self.0, out);
        copy(plain, &mut encoder)?;
        encoder.finish().map(drop)
    }
}

impl fmt::Display for Gnu {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [settings] = self.0.to_bytes();
        let program = if settings & BUSYBOX == 0 { "gzip" } else { "busybox gzip" };
        write!(formatter, "{program} -{}", settings & !BUSYBOX)
    }
}
