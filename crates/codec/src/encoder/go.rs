//! Go's compress/gzip up to Go 1.26: docker push, BuildKit, containerd, ko, crane, kaniko.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::origin::Hand;
use super::{Candidate, Encoder, Family, Format, Origin, copy};
use crate::ReadAt;
use crate::flate::go::{self, Level};

pub(super) static FAMILY: Family =
    Family { number: 3, feature: "gzip-go-1", format: Format::Deflate, candidates, take };

/// Docker's and BuildKit's first, then those of ko and crane.
const LEVELS: [i8; 9] = [6, 1, 9, 5, 4, 3, 2, 7, 8];

/// Without any matches.
const HUFFMAN_ONLY: i8 = -2;

/// What Go's archive/zip uses.
const ZIP_LEVEL: i8 = 5;

/// The levels of both generations of Go's encoders, with what speaks against each.
pub(super) fn levels(origin: &Origin) -> Vec<(i8, u8)> {
    let doubt = |level: i8| match origin {
        Origin::Zip => Some(4 + u8::from(level != ZIP_LEVEL)),
        Origin::Gzip(_) => origin.doubt_of_level(level.unsigned_abs()),
        _ => Some(4 + origin.doubt_of_level(level.unsigned_abs())?),
    };
    let huffman_only = origin.is_gzip().then_some((HUFFMAN_ONLY, 3));
    LEVELS.into_iter().filter_map(|level| Some((level, doubt(level)?))).chain(huffman_only).collect()
}

struct Go(Level);

fn candidates(origin: &Origin) -> Vec<Candidate> {
    let candidate = |(level, doubt): (i8, u8)| {
        let doubt = doubt + origin.doubt_of_hands(&[Hand::Go, Hand::Pgzip]);
        Some(Candidate { doubt, encoder: Arc::new(Go(Level::new(level)?)) })
    };
    levels(origin).into_iter().filter_map(candidate).collect()
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
