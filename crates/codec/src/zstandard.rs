//! Encoders of Zstandard frames (RFC 8878) that run again: each gives, bit for bit, the frame that the library it is named after
//! gave for the same plain bytes and settings.
//!
//! The format leaves nearly everything to the encoder, so that a frame comes back only from the one that made it: the same library
//! at the same level, and where its frames changed between versions one of the same class. All encoders have the same face: made
//! from settings, written to, finished. What each frame looks like is part of the package format.

pub mod klauspost;
pub mod libzstd;
