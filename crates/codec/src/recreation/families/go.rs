//! Go's compress/gzip up to Go 1.26: docker push, BuildKit, containerd, ko, crane, kaniko.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::{Candidate, Encoder, Family, Format, Header, copy};
use crate::ReadAt;
use crate::flate::go::{self, Level};

pub(super) static FAMILY: Family = Family { number: 3, feature: "gzip-go-1", format: Format::Gzip, candidates, take };

/// Docker's and BuildKit's first, then those of ko and crane.
const LEVELS: [i8; 10] = [6, 1, 9, 5, 4, 3, 2, 7, 8, -2];

struct Go(Level);

fn candidates(header: &Header) -> Vec<Candidate> {
    let candidate = |level: i8| {
        let is_said = header.may_be_level(level.unsigned_abs());
        let doubt = u8::from(level != 6) + 8 * u8::from(!is_said) + 16 * u8::from(!header.is_go());
        Some(Candidate { doubt, encoder: Arc::new(Go(Level::new(level)?)) })
    };
    LEVELS.into_iter().filter_map(candidate).collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let (level, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(Arc::new(Go(Level::new(level.cast_signed())?)))
}

impl Encoder for Go {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn settings(&self) -> Vec<u8> {
        vec![self.0.number().cast_unsigned()]
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = go::Encoder::new(self.0, out);
        copy(plain, &mut encoder)?;
        encoder.finish().map(drop)
    }
}

impl fmt::Display for Go {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Go gzip {}", self.0.number())
    }
}
