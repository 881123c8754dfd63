//! Where downloads are written, so that one that was broken off goes on where it stopped, even when the program was killed.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use delta_core::digest::BlobDigest;

use crate::system;

/// What nobody went on with for this long is removed.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A folder with one file for each blob, as far as it came.
#[derive(Debug)]
pub(super) struct Downloads {
    wanted: Option<PathBuf>,
    /// The folder, if it can be had for this user alone; found out when it is first needed.
    folder: OnceLock<Option<PathBuf>>,
    used: Mutex<BTreeSet<PathBuf>>,
    bytes: AtomicU64,
}

impl Downloads {
    /// In this folder; without one, or where it cannot be had for this user alone, nothing is kept.
    pub(super) fn new(wanted: Option<PathBuf>) -> Self {
        Self { wanted, folder: OnceLock::new(), used: Mutex::default(), bytes: AtomicU64::new(0) }
    }

    fn kept(&self) -> Option<&Path> {
        let make = || {
            let folder = self.wanted.clone().filter(|folder| system::make_own_folder(folder).unwrap_or_default())?;
            remove_old(&folder);
            Some(folder)
        };
        self.folder.get_or_init(make).as_deref()
    }

    /// The file of a blob with what was downloaded before, and nobody else's until it is closed; else a file without a name
    /// in `scratch`.
    pub(super) fn open(&self, digest: BlobDigest, scratch: &Path) -> io::Result<File> {
        match self.named(digest) {
            Some((path, file)) => {
                self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
                Ok(file)
            }
            None => tempfile::tempfile_in(scratch),
        }
    }

    /// Counts what came.
    pub(super) fn count(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes of blobs that came.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The bytes that an earlier run left of a blob.
    pub(super) fn kept_bytes(&self, digest: BlobDigest) -> u64 {
        let path = self.kept().map(|folder| folder.join(digest.hex()));
        path.and_then(|path| fs::symlink_metadata(path).ok()).map_or(0, |metadata| metadata.len())
    }

    /// Where room is needed for what is downloaded.
    pub(super) fn folder<'a>(&'a self, scratch: &'a Path) -> &'a Path {
        self.kept().unwrap_or(scratch)
    }

    fn named(&self, digest: BlobDigest) -> Option<(PathBuf, File)> {
        let path = self.kept()?.join(digest.hex());
        let mut options = OpenOptions::new();
        system::with_mode(options.read(true).write(true).create(true).truncate(false), 0o600);
        // A link that stands there is not followed.
        let is_file = fs::symlink_metadata(&path).map_or(true, |metadata| metadata.is_file());
        let file = options.open(&path).ok().filter(|_| is_file)?;
        file.try_lock().ok()?;
        Some((path, file))
    }

    /// Removes what this run downloaded: what it was for is done.
    pub(super) fn remove_used(&self) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for path in std::mem::take(&mut *used) {
            // One that stays is removed some days later.
            let _ = fs::remove_file(path);
        }
        if let Some(Some(folder)) = self.folder.get() {
            // Another run may use it.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn remove_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = changed.is_ok_and(|changed| SystemTime::now().duration_since(changed).is_ok_and(|age| age > KEPT));
        let is_blob =
            entry.file_name().to_str().is_some_and(|name| format!("sha256:{name}").parse::<BlobDigest>().is_ok());
        if is_old && is_blob {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
