//! klauspost/compress, pgzip, and Go's compress/gzip from Go 1.27 on: podman, buildah, skopeo, umoci, apko.

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::go::levels;
use super::origin::Hand;
use super::{Candidate, Encoder, Family, Format, Origin, front};
use crate::ReadAt;
use crate::flate::modern::{self, Level, Settings, Version};

pub(super) static FAMILY: Family =
    Family { number: 4, feature: "gzip-modern-1", format: Format::Deflate, candidates, take };

/// The versions whose streams differ from those of [`FAMILY`] on a few levels, and only these levels.
pub(super) static OTHER_VERSIONS: Family = Family {
    number: 9,
    feature: "gzip-modern-2",
    format: Format::Deflate,
    candidates: |_| Vec::new(),
    take: take_other_version,
};

/// pgzip's default, which klauspost/compress shares.
const DEFAULT_LEVEL: i8 = 5;

/// The bytes of a block when nobody asks for others, and umoci's.
const BLOCKS: [u32; 2] = [1 << 20, 256 << 10];

struct Modern(Settings);

fn candidates(origin: &Origin) -> Vec<Candidate> {
    let blocks = BLOCKS.map(NonZeroU32::new).into_iter().filter(|_| origin.is_gzip()).chain([None]);
    let ways: Vec<_> = blocks.flat_map(|block| Version::ALL.map(|version| (version, block))).collect();
    let candidate = |(level, doubt): (i8, u8), (version, block): (Version, Option<NonZeroU32>)| {
        // pgzip writes a time that no other writes; klauspost/compress does so too.
        let hands = if block.is_some() { [Hand::Pgzip, Hand::Go] } else { [Hand::Go, Hand::Pgzip] };
        // Go's own encoder comes before this one where both may be.
        let doubt = if block.is_some() && level == DEFAULT_LEVEL { doubt.saturating_sub(2) } else { doubt + 1 };
        let unusual = 2 * u8::from(block == NonZeroU32::new(BLOCKS[1]));
        let doubt = doubt + unusual + doubt_of(version) + origin.doubt_of_hands(&hands);
        let settings = Settings { level: Level::new(level)?, version, block };
        is_distinct(settings).then(|| Candidate { doubt, encoder: Arc::new(Modern(settings)) })
    };
    let all = levels(origin).into_iter().flat_map(|level| ways.iter().map(move |way| candidate(level, *way)));
    all.flatten().collect()
}

const fn doubt_of(version: Version) -> u8 {
    match version {
        Version::V1_15_15 => 0,
        Version::V1_18_2 => 1,
        Version::V1_15_10 | Version::V1_18 => 2,
    }
}

/// Whether no other version, which is preferred, makes the same streams.
fn is_distinct(Settings { version, level, .. }: Settings) -> bool {
    match version {
        Version::V1_15_10 => level.number() >= 7,
        Version::V1_18 => level.number() == 4,
        Version::V1_15_15 | Version::V1_18_2 => true,
    }
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let [level, version, block @ ..] = front::<6>(bytes)?;
    let version = match version {
        0 => Version::V1_15_15,
        1 => Version::V1_18_2,
        _ => return None,
    };
    encoder(level, version, block)
}

fn take_other_version(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let [level, version, block @ ..] = front::<6>(bytes)?;
    let version = match version {
        0 => Version::V1_15_10,
        1 => Version::V1_18,
        _ => return None,
    };
    encoder(level, version, block)
}

fn encoder(level: u8, version: Version, block: [u8; 4]) -> Option<Arc<dyn Encoder>> {
    let block = NonZeroU32::new(u32::from_be_bytes(block));
    let settings = Settings { level: Level::new(level.cast_signed())?, version, block };
    is_distinct(settings).then(|| Arc::new(Modern(settings)) as Arc<dyn Encoder>)
}

impl Encoder for Modern {
    fn family(&self) -> &'static Family {
        match self.0.version {
            Version::V1_15_15 | Version::V1_18_2 => &FAMILY,
            Version::V1_15_10 | Version::V1_18 => &OTHER_VERSIONS,
        }
    }

    fn settings(&self) -> Vec<u8> {
        let Settings { level, version, block } = self.0;
        let version = match version {
            Version::V1_15_15 | Version::V1_15_10 => 0,
            Version::V1_18_2 | Version::V1_18 => 1,
        };
        let block = block.map_or(0, NonZeroU32::get);
        [&[level.number().cast_unsigned(), version][..], &block.to_be_bytes()].concat()
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        modern::encode(self.0, plain, out)
    }
}

impl fmt::Display for Modern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { level, version, block } = self.0;
        let age = match version {
            Version::V1_15_10 => " before 1.15.15",
            Version::V1_15_15 => " before 1.18.2",
            Version::V1_18 => " 1.18.0",
            Version::V1_18_2 => "",
        };
        let level = level.number();
        match block {
            None => write!(formatter, "klauspost gzip{age} {level}"),
            Some(block) => write!(formatter, "pgzip{age} {level} in blocks of {} KiB", block.get() >> 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::encoder::Header;

    #[test]
    fn a_version_is_tried_on_the_levels_on_which_it_differs_from_those_that_are_preferred() {
        for (version, levels) in [
            (Version::V1_15_15, vec![-2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (Version::V1_18_2, vec![-2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (Version::V1_15_10, vec![7, 8, 9]),
            (Version::V1_18, vec![4]),
        ] {
            let all = (i8::MIN..=i8::MAX).filter_map(Level::new);
            let distinct = all.filter(|level| is_distinct(Settings { level: *level, version, block: None }));
            assert_eq!(distinct.map(Level::number).collect::<Vec<_>>(), levels, "{version:?}");
        }
    }

    /// What is tried of the level, with what speaks against it.
    fn tried(origin: &Origin, level: i8) -> Vec<(u8, String)> {
        let all = candidates(origin).into_iter();
        let of_level = all.filter(|one| one.encoder.settings()[0] == level.cast_unsigned());
        of_level.map(|one| (one.doubt, one.encoder.to_string())).collect()
    }

    #[test]
    fn pgzip_is_tried_in_gzip_alone_and_is_likely_where_its_time_stands() {
        let named =
            |list: &[(u8, &str)]| list.iter().map(|(doubt, name)| (*doubt, (*name).to_owned())).collect::<Vec<_>>();
        let mut bytes = [0; 18];
        bytes[4..8].copy_from_slice(&[0, 9, 0x6e, 0x88]);
        assert_eq!(
            tried(&Origin::Gzip(Header(bytes)), 5),
            named(&[
                (0, "pgzip before 1.18.2 5 in blocks of 1024 KiB"),
                (1, "pgzip 5 in blocks of 1024 KiB"),
                (2, "pgzip before 1.18.2 5 in blocks of 256 KiB"),
                (3, "pgzip 5 in blocks of 256 KiB"),
                (11, "klauspost gzip before 1.18.2 5"),
                (12, "klauspost gzip 5"),
            ])
        );
        // On another level it is no likelier than others are, and one more version differs.
        assert_eq!(
            tried(&Origin::Gzip(Header(bytes)), 7).iter().map(|one| one.0).collect::<Vec<_>>(),
            [5, 3, 4, 7, 5, 6, 13, 11, 12]
        );
        assert_eq!(
            tried(&Origin::Zlib([0x78, 0x9c]), 6),
            named(&[(5, "klauspost gzip before 1.18.2 6"), (6, "klauspost gzip 6"),])
        );
        assert_eq!(tried(&Origin::Zstd(Header(bytes)), 6), []);
    }
}
