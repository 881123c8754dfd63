//! VCDIFF (RFC 3284) with the two additions of xdelta3 3.0: a checksum for each window and an application header.
//!
//! What [`encode`] writes, `xdelta3 -d` reads; what `xdelta3 -e -S none` writes, [`decode`] reads. Secondary compression
//! is never written, because a general compressor goes around the whole.

mod address;
mod code_table;
mod decode;
mod encode;
pub(crate) mod integer;
mod window;

pub use decode::{application_header, decode};
pub use encode::encode;

/// `VCD` with the high bits set, and version 0 (RFC 3284, 4.1).
pub const MAGIC: [u8; 4] = [0xd6, 0xc3, 0xc4, 0];

/// Bits of `Hdr_Indicator` (RFC 3284, 4.1); the third is xdelta3's.
const HEADER_DECOMPRESS: u8 = 1;
const HEADER_CODE_TABLE: u8 = 2;
const HEADER_APPLICATION: u8 = 4;

/// Bits of `Win_Indicator` (RFC 3284, 4.2); the third is xdelta3's.
const WINDOW_SOURCE: u8 = 1;
const WINDOW_TARGET: u8 = 2;
const WINDOW_CHECKSUM: u8 = 4;

/// Why a delta cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading the delta or the base, or writing the target, failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The first bytes are others than those of VCDIFF.
    #[error("expected a VCDIFF delta, which starts with d6 c3 c4 00, found {0:02x?}")]
    NotVcdiff([u8; 4]),
    /// The sections are compressed by one of xdelta3's own compressors.
    #[error("the delta is compressed inside by xdelta3's `{0}`; make it again with `xdelta3 -e -S none`")]
    Secondary(&'static str),
    /// A feature that RFC 3284 has and nobody uses.
    #[error("the delta uses {0}, which is not supported")]
    Unsupported(&'static str),
    /// The delta contradicts itself or the base.
    #[error("the delta is damaged in window {window}: {what}")]
    Damaged {
        /// The number of the window, from 0.
        window: u64,
        /// What is wrong.
        what: String,
    },
    /// The rebuilt window has another checksum.
    #[error(
        "window {window} does not fit its checksum: expected {expected:08x}, found {found:08x}; is the base another one?"
    )]
    Checksum {
        /// The number of the window, from 0.
        window: u64,
        /// The checksum in the delta.
        expected: u32,
        /// The checksum of the bytes.
        found: u32,
    },
}
