//! klauspost/compress, pgzip, and Go's compress/gzip from Go 1.27 on: podman, buildah, skopeo, umoci, apko.

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::{Candidate, Encoder, Family, Format, Header, copy};
use crate::ReadAt;
use crate::flate::modern::{self, Level, Settings};

pub(super) static FAMILY: Family =
    Family { number: 4, feature: "gzip-modern-1", format: Format::Gzip, candidates, take };

/// pgzip's default comes first, then Go's, then ko's and crane's.
const LEVELS: [i8; 10] = [5, 6, 1, 9, 4, 3, 2, 7, 8, -2];

/// The bytes of a block when nobody asks for others, and umoci's.
const BLOCKS: [u32; 2] = [1 << 20, 256 << 10];

struct Modern(Settings);

fn candidates(header: &Header) -> Vec<Candidate> {
    let blocks = BLOCKS.map(NonZeroU32::new);
    let candidate = |level: i8, exact_sizes: bool, block: Option<NonZeroU32>| {
        // pgzip writes a time that no other writes, and never how hard it worked but on its levels 1 and 9.
        let is_likely = header.is_pgzip() == block.is_some();
        let unusual = u8::from(level != 5 && level != 6) + 2 * u8::from(block == blocks[1]) + u8::from(exact_sizes);
        let doubt = unusual + 8 * u8::from(!header.may_be_level(level.unsigned_abs())) + 16 * u8::from(!is_likely);
        let doubt = doubt + 8 * u8::from(!header.is_go() && !header.is_pgzip());
        Some(Candidate { doubt, encoder: Arc::new(Modern(Settings { level: Level::new(level)?, exact_sizes, block })) })
    };
    let ways = blocks.into_iter().chain([None]).flat_map(|block| [false, true].map(|exact| (exact, block)));
    let all = LEVELS.into_iter().flat_map(|level| ways.clone().map(move |(exact, block)| (level, exact, block)));
    all.filter_map(|(level, exact, block)| candidate(level, exact, block)).collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let ([level, exact_sizes, block @ ..], rest) = bytes.split_first_chunk::<6>()?;
    *bytes = rest;
    let exact_sizes = match exact_sizes {
        0 => false,
        1 => true,
        _ => return None,
    };
    let block = NonZeroU32::new(u32::from_be_bytes(*block));
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
        let mut encoder = modern::Encoder::new(self.0, out);
        copy(plain, &mut encoder)?;
        encoder.finish().map(drop)
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
