//! What is around a package on its way: who made it, who may read it, and in how many parts it travels.
//!
//! Bytes and keys; no files, no terminal. What is inside is `delta_core`'s.

#![warn(clippy::disallowed_methods, clippy::disallowed_types, reason = "it does not touch the world")]

pub mod claim;
pub mod encryption;
pub mod key;
pub mod limits;
pub mod self_contained;
pub mod signature;
pub mod trust;
pub mod volumes;
