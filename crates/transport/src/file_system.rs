//! How much room there is.

use std::path::Path;

use delta_core::error::{Error, Result};

use crate::system;

/// Fails when the file system of `path` has less than `bytes` free for `what`.
///
/// # Errors
/// An environment error with both figures.
pub fn require(path: &Path, bytes: u64, what: &str) -> Result<()> {
    let free = free(path)?;
    if free >= bytes {
        return Ok(());
    }
    let (needed, free) = (bytes.div_ceil(1_000_000), free / 1_000_000);
    Err(Error::environment(format!("{what} needs {needed} MB in {}, where {free} MB are free", path.display()))
        .with_hint("free some room, or name another folder: --temp-dir DIR"))
}

/// The bytes that a user may still write on the file system of `path`.
///
/// # Errors
/// An environment error when the system cannot say.
pub fn free(path: &Path) -> Result<u64> {
    system::free(path).map_err(Error::io(format!("asking for the free room of {}", path.display())))
}

/// Whether two folders lie on one file system, and so share its room.
pub(crate) fn are_same(one: &Path, other: &Path) -> bool {
    device(one) == device(other)
}

/// The file system of a file or folder.
pub(crate) fn device(path: &Path) -> Option<u64> {
    system::device(path).ok()
}

/// The largest file that FAT32 takes: its directory has 32 bits for the length.
pub(crate) const FAT32: u64 = u32::MAX as u64;

/// Fails when the file system of `folder` takes no file of `bytes`, which `what` has.
///
/// # Errors
/// An environment error with both figures.
pub(crate) fn require_size(folder: &Path, bytes: u64, what: &str) -> Result<()> {
    largest_file(folder).map_or(Ok(()), |largest| require_at_most(largest, (folder, bytes, what)))
}

fn require_at_most(largest: u64, (folder, bytes, what): (&Path, u64, &str)) -> Result<()> {
    if bytes <= largest {
        return Ok(());
    }
    Err(Error::environment(format!(
        "{} is on a FAT file system, which takes no file of more than {largest} bytes, and {what} has {bytes}",
        folder.display()
    ))
    .with_hint("name a place on another one, such as exFAT or ext4"))
}

/// The largest file that the file system of `folder` takes, where that is known to be small.
pub(crate) fn largest_file(folder: &Path) -> Option<u64> {
    system::is_fat(folder).then_some(FAT32)
}

#[cfg(test)]
mod tests;
