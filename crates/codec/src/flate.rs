//! Encoders of raw deflate streams (RFC 1951) that run again: each gives, bit for bit, the stream that the program it is named
//! after gave for the same bytes and settings.
//!
//! All have the same face: made from settings, written to, finished. The stream does not depend on the sizes of the writes nor
//! on the number of threads. What each stream looks like is part of the package format.
#![allow(
    clippy::cast_possible_truncation,
    reason = "positions, codes and hashes are masked to the width that they are kept in"
)]

mod bits;
pub mod gnu;
pub mod go;
mod header;
mod huffman;
mod level;
mod libz;
mod matching;
pub mod modern;
pub mod pigz;
mod symbols;
#[cfg(test)]
mod taken_apart;
mod tokens;
mod window;
pub mod zlib;
