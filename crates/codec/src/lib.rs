//! Bytes to bytes: the formats and algorithms that a delta is made of.
//!
//! Nothing here knows what a tar archive or an image is, and nothing here opens a file: bytes come in through
//! [`ReadAt`] and [`std::io::Read`], go out through [`std::io::Write`], and what is too large for memory goes into a
//! [`Scratch`] that the caller provides.

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
pub mod limits;
pub mod mix;
pub mod patch;
mod read_at;
pub mod recreation;
mod scratch;
pub mod vcdiff;
pub mod zstandard;

pub use bounded::Bounded;
pub use read_at::{Concat, ReadAt, Reader, Slice};
pub use scratch::{MemoryScratch, Scratch, ScratchFile};
