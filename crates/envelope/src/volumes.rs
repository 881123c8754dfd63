//! A package in numbered volumes, with parity: how it is cut, what stands before each volume, and how lost blocks come back.
//!
//! Bytes alone; `delta_transport::volumes` has the files. FORMAT.md, section 18.

mod header;
mod layout;
mod parity;

pub use header::{Header, MAGIC, Odd, START, Set};
pub use layout::{Layout, Parity};
pub use parity::{ReadBlock, padded, parity_blocks, restored_blocks};
