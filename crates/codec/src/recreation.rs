//! Compressed blobs made again, to the very same bytes, by the encoder that made them.
//!
//! A blob is a gzip file (RFC 1952) or zstd frames (RFC 8878). [`find`] looks for the encoder whose streams stand in it, by running
//! encoders over the plain bytes and comparing every byte; [`Plan`] says what was found in a few bytes, and makes the blob of the plain
//! bytes. Everything that is not in a stream, such as headers, is kept as it stands.
//!
//! What a plan means is part of the package format.

mod gzip;
mod plan;
mod search;
mod write;
mod zstd;

use std::io;
use std::ops::Range;

pub use plan::{Damaged, Plan};
pub use search::{Nearest, SearchOutcome, find, is_likely};
pub use write::Error;

use crate::ReadAt;
use crate::encoder::{self, Format, Header, Origin};

/// A stream of an encoder inside a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
struct EncodedStream {
    /// Where it stands in the blob.
    at: Range<u64>,
    /// Where what it holds stands in the plain bytes.
    plain: Range<u64>,
    origin: Origin,
}

/// The features that packages may require for blobs that are made again.
pub fn features() -> impl Iterator<Item = &'static str> {
    encoder::features()
}

/// What a blob is, told by its first bytes.
fn format(blob: &dyn ReadAt) -> io::Result<Option<Format>> {
    let Header(first) = Header::read(blob, 0)?;
    Ok(match first {
        [0x1f, 0x8b, 8, ..] => Some(Format::Deflate),
        _ if zstd::is_frame(&first) => Some(Format::Zstd),
        _ => None,
    })
}
