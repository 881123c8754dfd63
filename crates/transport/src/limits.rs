//! Bounds of what is held in memory here, each with its reason.

/// The bytes of a file under one digest of 8 bytes while it is written, to be compared with what the medium gives back: a flash page or a
/// page of memory, so that what fails is named as it fails; 2 MB of memory for each GB.
pub(crate) const READ_BACK_BLOCK: usize = 4096;

/// A policy of all keys has less than 1 kB; lists of keys and bases may be long.
pub(crate) const POLICY_BYTES: u64 = 64 << 10;
