//! Every bound in one place, each with its reason.

/// A key, a signature or a list of recipients in a file: minisign's have a few lines, with comments of 1 and 8 kB, and a recipient with a key of
/// RSA has 800 bytes.
pub const KEY_FILE_BYTES: u64 = 64 << 10;

/// A password, as minisign takes it.
pub(crate) const PASSWORD_BYTES: usize = 1_024;

/// The names of images in the trusted comment, for which minisign has 8192 bytes; the digest beside them stands for all.
pub(crate) const CLAIMED_NAMES_BYTES: usize = 4_096;

/// Volumes of one set: three digits name them, and nobody changes sticks more often.
pub const VOLUMES: u64 = 999;

/// Data blocks of a set. Each volume names all blocks, 32 bytes each, and all of them meet when parity is made.
pub const BLOCKS: u64 = 8_192;

/// The least a block has: what a disk or stick loses at once when it loses anything.
pub(crate) const LEAST_BLOCK: u64 = 4_096;

/// The most it has; 2 TiB are then the most that a set has.
pub(crate) const MOST_BLOCK: u64 = 256 << 20;

/// What is held of all blocks together while parity is made or used.
pub(crate) const PARITY_MEMORY: u64 = 64 << 20;

/// The header of an encrypted package, which is held in memory: some 100 bytes for each recipient, and 800 for one with a key of RSA.
pub const HEADER_BYTES: u64 = 1 << 20;

/// Recipients of one package; more of them with keys of RSA than that would not fit into a header.
pub(crate) const MOST_RECIPIENTS: usize = 1_000;

/// The work of scrypt for a passphrase, as a power of two: 256 MB, about a second, as age has it.
pub(crate) const PASSPHRASE_WORK: u8 = 18;

/// The most that is done: 1 GB, some seconds; whoever sends a package does not choose how long its receiver works.
pub(crate) const MOST_PASSPHRASE_WORK: u8 = 20;

/// A program before a package, compressed: released ones have 2 MB, and one with what debuggers need ten times that.
pub const APPLIER_BYTES: u64 = 64 << 20;

/// The same before it is compressed; it is held in memory while it is looked at.
pub(crate) const PROGRAM_BYTES: u64 = 256 << 20;
