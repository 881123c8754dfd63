//! Bounds of what is held in memory here, each with its reason.

#[cfg(target_os = "linux")]
use std::time::Duration;

/// Members of an archive; an image of 4,096 layers in Docker's old layout has some 16,000.
pub(crate) const ARCHIVE_MEMBERS: usize = 1 << 20;

/// Links that lead to each other in an archive; Docker's own lead straight to a file.
pub(crate) const ARCHIVE_LINKS: usize = 8;

/// Manifests and indexes that the indexes of an image name, repeated ones counted each time: each is read, and indexes in indexes multiply.
pub(crate) const IMAGE_PARTS: usize = 4_096;

/// What is kept of what was applied: about a hundred bytes for each image and key.
pub(crate) const APPLIED_BYTES: u64 = 16 << 20;

/// The bytes of a file under one digest of 8 bytes while it is written, to be compared with what the medium gives back: a flash page or a
/// page of memory, so that what fails is named as it fails; 2 MB of memory for each GB.
pub(crate) const READ_BACK_BLOCK: usize = 4096;

/// What is kept of base layers, all together: that of 100 to 200 GB of them. What was not used for longest goes.
pub(crate) const KEPT_BASES_BYTES: u64 = 512 << 20;

/// What each file of that counts for at the least, so that there are never more than some thousand.
pub(crate) const KEPT_FILE_BYTES: u64 = 64 << 10;

/// A policy of all keys has less than 1 kB; lists of keys and bases may be long.
pub(crate) const POLICY_BYTES: u64 = 64 << 10;

/// Names of an inbox that are looked at, of which each takes some 300 bytes of memory. What is behind comes in turn when others went.
#[cfg(target_os = "linux")]
pub(crate) const INBOX_NAMES: usize = 100_000;

/// What is being moved: the names of some thousand volumes, and a report of some 100 bytes for each layer.
#[cfg(target_os = "linux")]
pub(crate) const FILING_BYTES: u64 = 64 << 20;

/// How often one name may be taken in a drawer before a person should look there.
#[cfg(target_os = "linux")]
pub(crate) const FILED_UNDER_ONE_NAME: u32 = 100_000;

/// The longest pause before what failed for its surroundings is tried again: an engine that is started is noticed within this.
#[cfg(target_os = "linux")]
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Seconds between two looks at an inbox: whoever wants fewer than one a day has cron.
pub(crate) const INTERVAL_SECONDS: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests;
