//! What was found out about base layers, in a folder of the user: one file for each, by its diff ID.
//!
//! Where nothing can be read or written there, nothing is kept, and nobody is told: what is not kept is found out again.

use std::fs::{self, DirEntry};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use delta_core::digest::DiffId;
use delta_core::job::cache::IndexCache;
use delta_core::limits::BASE_INDEX_BYTES;
use tempfile::Builder;

use crate::limits::{KEPT_BASES_BYTES, KEPT_FILE_BYTES};
use crate::system;

/// How files are called that are still being written.
const PARTIAL: &str = ".partial-";

/// A file that was not finished for so long is left by a run that was killed.
const LEFT: Duration = Duration::from_secs(60 * 60);

/// The folder of base indexes. Those that were not used for longest go when there are too many.
#[derive(Debug)]
pub struct KeptBases {
    folder: PathBuf,
    /// Bytes of all files.
    most: u64,
}

impl KeptBases {
    /// In this folder, which is made when something is kept. It is left alone where others than this user can write to it.
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder, most: KEPT_BASES_BYTES }
    }

    fn path(&self, layer: DiffId) -> PathBuf {
        self.folder.join(layer.hex())
    }

    fn read(&self, layer: DiffId) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(layer);
        let found = fs::symlink_metadata(&path)?;
        if !system::is_private_folder(&fs::symlink_metadata(&self.folder)?) || !found.is_file() {
            return Ok(None);
        }
        let file = system::open_no_link(&path)?;
        let mut index = Vec::new();
        (&file).take(BASE_INDEX_BYTES).read_to_end(&mut index)?;
        // Where the time cannot be written it goes by when it was made.
        let _ = file.set_modified(SystemTime::now());
        Ok(Some(index))
    }

    fn write(&self, layer: DiffId, index: &[u8]) -> io::Result<()> {
        let bytes = held(index.len() as u64);
        if bytes > self.most.min(BASE_INDEX_BYTES) || !system::make_own_folder(&self.folder)? {
            return Ok(());
        }
        self.make_room(bytes)?;
        let mut file = Builder::new().prefix(PARTIAL).tempfile_in(&self.folder)?;
        file.write_all(index)?;
        file.persist(self.path(layer))?;
        Ok(())
    }

    /// Removes what was not used for longest, until there is room for so many bytes.
    fn make_room(&self, bytes: u64) -> io::Result<()> {
        let mut kept: Vec<(SystemTime, u64, PathBuf)> =
            fs::read_dir(&self.folder)?.flatten().filter_map(|entry| ours(&entry)).collect();
        kept.sort();
        let mut all: u64 = bytes + kept.iter().map(|(_, bytes, _)| bytes).sum::<u64>();
        for (_, bytes, path) in kept {
            if all <= self.most {
                break;
            }
            // Another run may have removed it.
            let _ = fs::remove_file(path);
            all -= bytes;
        }
        Ok(())
    }
}

impl IndexCache for KeptBases {
    fn load(&self, layer: DiffId) -> Option<Vec<u8>> {
        self.read(layer).ok().flatten()
    }

    fn store(&self, layer: DiffId, index: &[u8]) {
        // What cannot be kept is found out again.
        let _ = self.write(layer, index);
    }
}

/// When it was used last, and what it takes; nothing for what is none of ours. What a killed run left is removed.
fn ours(entry: &DirEntry) -> Option<(SystemTime, u64, PathBuf)> {
    let (name, path) = (entry.file_name(), entry.path());
    let name = name.to_str()?;
    let found = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    let used = found.modified().ok()?;
    if name.starts_with(PARTIAL) {
        remove_left(&path, used);
        return None;
    }
    format!("sha256:{name}").parse::<DiffId>().ok()?;
    Some((used, held(found.len()), path))
}

fn remove_left(path: &Path, used: SystemTime) {
    if SystemTime::now().duration_since(used).is_ok_and(|age| age > LEFT) {
        let _ = fs::remove_file(path);
    }
}

/// What a file takes: a short one too has a name that is looked at.
fn held(bytes: u64) -> u64 {
    bytes.max(KEPT_FILE_BYTES)
}

#[cfg(test)]
mod tests;
