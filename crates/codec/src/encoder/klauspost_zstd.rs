//! The Zstandard encoder of klauspost/compress: BuildKit, podman, skopeo, buildah.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::{Candidate, Encoder, Family, Format, Origin, copy, front};
use crate::ReadAt;
use crate::zstandard::klauspost::{self, Level, Settings, Version};

pub(super) static FAMILY: Family =
    Family { number: 6, feature: "zstd-klauspost-1", format: Format::Zstd, candidates, take };

/// The levels "better" and "best".
pub(super) static HIGH_LEVELS: Family = Family {
    number: 10,
    feature: "zstd-klauspost-2",
    format: Format::Zstd,
    candidates: |_| Vec::new(),
    take: take_high_level,
};

/// What containers/image looks at before it lets the encoder read the rest itself.
const LOOKED_AT: u8 = 8;

struct KlauspostZstd(Settings);

fn candidates(origin: &Origin) -> Vec<Candidate> {
    let Origin::Zstd(_) = origin else { return Vec::new() };
    let candidate = |level: Level, version: Version, first_write: u8| {
        // Most use the level default of a version of these years. All come before the high levels of libzstd, which are slow.
        let is_old = matches!(version, Version::V1_15 | Version::V1_16_4);
        let doubt = 2 * u8::from(level != Level::Default) + u8::from(is_old);
        let settings = Settings { version, level, first_write };
        settings.is_known().then(|| Candidate { doubt, encoder: Arc::new(KlauspostZstd(settings)) })
    };
    let versions = Level::ALL.into_iter().flat_map(|level| Version::ALL.into_iter().rev().map(move |one| (level, one)));
    let all = versions.flat_map(|(level, version)| [0, LOOKED_AT].map(|bytes| candidate(level, version, bytes)));
    all.flatten().collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    taken(bytes, false)
}

fn take_high_level(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    taken(bytes, true)
}

fn taken(bytes: &mut &[u8], is_high: bool) -> Option<Arc<dyn Encoder>> {
    let settings = Settings::from_bytes(front(bytes)?).filter(|settings| settings.level.is_high() == is_high)?;
    Some(Arc::new(KlauspostZstd(settings)))
}

impl Encoder for KlauspostZstd {
    fn family(&self) -> &'static Family {
        if self.0.level.is_high() { &HIGH_LEVELS } else { &FAMILY }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_level_of_the_newest_version_is_the_likeliest() {
        let all = candidates(&Origin::Zstd(super::super::Header([0; 18])));
        let told: Vec<(u8, String)> = all.iter().map(|one| (one.doubt, one.encoder.to_string())).collect();
        let least = told.iter().filter(|one| one.0 == 0).map(|one| one.1.as_str()).collect::<Vec<_>>();
        assert!(
            least.iter().all(|name| name.contains(" default") && !name.contains("1.15") && !name.contains("1.16.4")),
            "{least:?}"
        );
        assert_eq!(told.iter().map(|one| one.0).max(), Some(3));
        // Each with all of the first write, and with the bytes that containers/image looks at.
        for pair in told.as_chunks::<2>().0 {
            assert_eq!((pair[1].0, &pair[1].1), (pair[0].0, &format!("{}, 8 bytes first", pair[0].1)));
        }
        assert!(candidates(&Origin::Zip).is_empty());
    }
}
