//! How much room there is.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use delta_core::error::{Error, Result};

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
    let room = rustix::fs::statvfs(path)
        .map_err(|error| Error::io(format!("asking for the free room of {}", path.display()))(error.into()))?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

/// Whether two folders lie on one file system, and so share its room.
pub(crate) fn are_same(one: &Path, other: &Path) -> bool {
    device(one) == device(other)
}

/// The file system of a file or folder.
pub(crate) fn device(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|found| found.dev())
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
}
