//! Bytes to bytes: the formats and algorithms that a delta is made of.
//!
//! Nothing here knows what a tar archive or an image is, and nothing here opens a file: bytes come in through
//! [`ReadAt`] and [`std::io::Read`], go out through [`std::io::Write`], and what is too large for memory goes into a
//! [`Scratch`] that the caller provides.
//!
//! ```
//! use delta_codec::vcdiff;
//!
//! let base = b"some words that stay, ".repeat(200);
//! let target = [&base[..2000], b"a few that are new, ", &base[2000..]].concat();
//!
//! let mut delta = Vec::new();
//! vcdiff::encode(&base, &target, &[], &mut delta)?;
//! assert!(delta.len() < 100);
//!
//! let (mut again, most) = (Vec::new(), target.len() as u64);
//! vcdiff::decode(&base, delta.as_slice(), &mut again, most)?;
//! assert_eq!(again, target);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(clippy::disallowed_methods, clippy::disallowed_types, reason = "it does not touch the world")]

mod adler;
pub mod align;
mod bounded;
pub mod bsdiff;
mod bytes;
pub mod compress;
pub mod deflate;
mod encoder;
pub mod exec;
pub mod flate;
#[cfg(test)]
#[path = "../tests/common/full.rs"]
mod full;
mod leb128;
pub mod limits;
pub mod mix;
// What the tests of this folder and those in `tests` share.
#[cfg(test)]
#[path = "../tests/common/fresh.rs"]
mod fresh;
#[cfg(test)]
#[path = "../tests/common/noise.rs"]
mod noise;
pub mod patch;
mod read_at;
pub mod recreation;
mod scratch;
pub mod vcdiff;
pub mod zstandard;

pub use bounded::Bounded;
pub use read_at::{Concat, ReadAt, Reader, Slice};
pub use scratch::{MemoryScratch, Scratch, ScratchFile};
