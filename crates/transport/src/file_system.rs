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
mod tests {
    use super::*;

    #[test]
    fn both_figures_are_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(require(folder.path(), 1, "a file").is_ok());
        let error = require(folder.path(), u64::MAX, "a file").unwrap_err();
        assert!(error.to_string().contains("18446744073710 MB"), "{error}");
        assert!(are_same(folder.path(), folder.path()) && !are_same(folder.path(), Path::new("/proc")));
        assert!(free(Path::new("/no such folder")).is_err());
    }

    #[test]
    fn other_file_systems_have_no_such_limit() {
        assert_eq!(largest_file(Path::new("/proc")), None);
        assert_eq!(largest_file(Path::new("/no such folder")), None);
    }

    #[test]
    fn a_file_of_4_gib_is_too_large_for_fat_and_one_byte_less_is_not() {
        let stick = Path::new("/media/stick");
        assert!(require_at_most(FAT32, (stick, (4 << 30) - 1, "the package")).is_ok());
        let error = require_at_most(FAT32, (stick, 4 << 30, "the package")).unwrap_err().to_string();
        assert!(error.starts_with("/media/stick is on a FAT file system"), "{error}");
        assert!(error.ends_with("4294967295 bytes, and the package has 4294967296"), "{error}");
    }
}
