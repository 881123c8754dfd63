//! klauspost/compress, pgzip, and Go's compress/gzip from Go 1.27 on: podman, buildah, skopeo, umoci, apko.

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::go::levels;
use super::origin::Hand;
use super::{Candidate, Encoder, Family, Format, Origin, front};
use crate::ReadAt;
use crate::flate::modern::{self, Level, Settings};

pub(super) static FAMILY: Family =
    Family { number: 4, feature: "gzip-modern-1", format: Format::Deflate, candidates, take };

/// pgzip's default, which klauspost/compress shares.
const DEFAULT_LEVEL: i8 = 5;

/// The bytes of a block when nobody asks for others, and umoci's.
const BLOCKS: [u32; 2] = [1 << 20, 256 << 10];

struct Modern(Settings);

fn candidates(origin: &Origin) -> Vec<Candidate> {
    let blocks = BLOCKS.map(NonZeroU32::new).into_iter().filter(|_| origin.is_gzip()).chain([None]);
    let ways: Vec<_> = blocks.flat_map(|block| [false, true].map(|exact_sizes| (exact_sizes, block))).collect();
    let candidate = |(level, doubt): (i8, u8), (exact_sizes, block): (bool, Option<NonZeroU32>)| {
        // pgzip writes a time that no other writes; klauspost/compress does so too.
        let hands = if block.is_some() { [Hand::Pgzip, Hand::Go] } else { [Hand::Go, Hand::Pgzip] };
        // Go's own encoder comes before this one where both may be.
        let doubt = if block.is_some() && level == DEFAULT_LEVEL { doubt.saturating_sub(2) } else { doubt + 1 };
        let unusual = 2 * u8::from(block == NonZeroU32::new(BLOCKS[1])) + u8::from(exact_sizes);
        let doubt = doubt + unusual + origin.doubt_of_hands(&hands);
        Some(Candidate { doubt, encoder: Arc::new(Modern(Settings { level: Level::new(level)?, exact_sizes, block })) })
    };
    let all = levels(origin).into_iter().flat_map(|level| ways.iter().map(move |way| candidate(level, *way)));
    all.flatten().collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let [level, exact_sizes, block @ ..] = front::<6>(bytes)?;
    let exact_sizes = match exact_sizes {
        0 => false,
        1 => true,
        _ => return None,
    };
    let block = NonZeroU32::new(u32::from_be_bytes(block));
    Some(Arc::new(Modern(Settings { level: Level::new(level.cast_signed())?, exact_sizes, block })))
}

impl Encoder for Modern {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn settings(&self) -> Vec<u8> {
        let Settings { level, exact_sizes, block } = self.0;
        let block = block.map_or(0, NonZeroU32::get);
        [&[level.number().cast_unsigned(), exact_sizes.into()][..], &block.to_be_bytes()].concat()
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        modern::encode(self.0, plain, out)
    }
}

impl fmt::Display for Modern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { level, exact_sizes, block } = self.0;
        let (level, age) = (level.number(), if exact_sizes { "" } else { " before 1.18.2" });
        match block {
            None => write!(formatter, "klauspost gzip{age} {level}"),
            Some(block) => write!(formatter, "pgzip{age} {level} in blocks of {} KiB", block.get() >> 10),
        }
    }
}
