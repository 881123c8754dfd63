//! The Zstandard encoder of klauspost/compress: BuildKit, podman, skopeo, buildah.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::{Candidate, Encoder, Family, Format, Origin, copy, front};
use crate::ReadAt;
use crate::zstandard::klauspost::{self, Level, Settings, Version};

pub(super) static FAMILY: Family =
    Family { number: 6, feature: "zstd-klauspost-1", format: Format::Zstd, candidates, take };

/// What containers/image looks at before it lets the encoder read the rest itself.
const LOOKED_AT: u8 = 8;

struct KlauspostZstd(Settings);

fn candidates(origin: &Origin) -> Vec<Candidate> {
    let Origin::Zstd(_) = origin else { return Vec::new() };
    let candidate = |level: Level, version: Version, first_write: u8| {
        // Most use the level default of a version of these years.
        let is_old = matches!(version, Version::V1_15 | Version::V1_16_4);
        let doubt = 2 * u8::from(level != Level::Default) + u8::from(is_old);
        Candidate { doubt, encoder: Arc::new(KlauspostZstd(Settings { version, level, first_write })) }
    };
    let versions = Level::ALL.into_iter().flat_map(|level| Version::ALL.into_iter().rev().map(move |one| (level, one)));
    versions.flat_map(|(level, version)| [0, LOOKED_AT].map(|bytes| candidate(level, version, bytes))).collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    Some(Arc::new(KlauspostZstd(Settings::from_bytes(front(bytes)?)?)))
}

impl Encoder for KlauspostZstd {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn settings(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = klauspost::Encoder::new(self.0, out);
        copy(plain, &mut encoder)?;
        encoder.finish().map(drop)
    }
}

impl fmt::Display for KlauspostZstd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
