//! Compressed blobs made again, to the very same bytes, by the encoder that made them.
//!
//! A blob is a gzip file (RFC 1952) or zstd frames (RFC 8878). [`find`] looks for the encoder whose streams stand in it, by running
//! encoders over the plain bytes and comparing every byte; [`Plan`] says what was found in a few bytes, and makes the blob of the plain
//! bytes. Everything that is not in a stream, such as headers, is kept as it stands.
//!
//! What a plan means is part of the package format.

mod families;
mod gzip;
mod plan;
mod search;
mod trial;
mod write;
mod zstd;

use std::io;
use std::ops::Range;

pub use families::features;
pub use plan::{Damaged, Plan};
pub use search::{Found, Nearest, find};
pub use write::Error;

use crate::ReadAt;
use families::Format;

/// A stream of an encoder inside a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stream {
    /// Where it stands in the blob.
    at: Range<u64>,
    /// Where what it holds stands in the plain bytes.
    plain: Range<u64>,
    header: Header,
}

/// The first bytes of a gzip member or of a zstd frame. They say what the encoder may have been; no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header([u8; 18]);

impl Header {
    fn read(blob: &dyn ReadAt, at: u64) -> io::Result<Self> {
        let mut bytes = [0; 18];
        let mut filled = 0;
        while filled < bytes.len() {
            match blob.read_at(&mut bytes[filled..], at + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(Self(bytes))
    }

    /// Whether an encoder of this level may have written how hard it worked (RFC 1952, 2.3.1, XFL). All of them write the same.
    const fn may_be_level(&self, level: u8) -> bool {
        match self.0[8] {
            2 => level == 9,
            4 => level == 1,
            _ => level != 1 && level != 9,
        }
    }

    /// Whether a gzip header is one of Go, which names neither a time nor a system when nobody does.
    fn is_go(&self) -> bool {
        self.0[4..8] == [0; 4] && self.0[9] == u8::MAX
    }

    /// Whether a gzip header has the time that klauspost/compress and pgzip write for none.
    fn is_pgzip(&self) -> bool {
        self.0[4..8] == [0, 9, 0x6e, 0x88]
    }

    /// Whether the header of a zstd frame says that a checksum ends it, and how much it holds (RFC 8878, 3.1.1.1.1).
    const fn checksum_and_size(&self) -> (bool, bool) {
        (self.0[4] & 4 != 0, self.0[4] & 0xe0 != 0)
    }

    /// The logarithm of a zstd frame's window, where it has one (RFC 8878, 3.1.1.1.2).
    const fn window_log(&self) -> Option<u8> {
        let is_single_segment = self.0[4] & 0x20 != 0;
        if is_single_segment { None } else { Some((self.0[5] >> 3) + 10) }
    }

    /// Whether a gzip header names Unix as the system, which C programs do.
    const fn is_unix(&self) -> bool {
        self.0[9] == 3
    }
}

/// What a blob is, told by its first bytes.
fn format(blob: &dyn ReadAt) -> io::Result<Option<Format>> {
    let Header(first) = Header::read(blob, 0)?;
    Ok(match first {
        [0x1f, 0x8b, 8, ..] => Some(Format::Gzip),
        _ if zstd::is_frame(&first) => Some(Format::Zstd),
        _ => None,
    })
}
