//! Every bound in one place, each with its reason.

/// A key or signature in a file: minisign's have two lines and four, with comments of 1 and 8 kB.
pub const KEY_FILE_BYTES: u64 = 16 << 10;

/// A password, as minisign takes it.
pub const PASSWORD_BYTES: usize = 1_024;

/// The names of images in the trusted comment, for which minisign has 8192 bytes; the digest beside them stands for all.
pub const CLAIMED_NAMES_BYTES: usize = 4_096;
