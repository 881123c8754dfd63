//! What is done file by file where no call of the system does it for a whole folder.

use std::fs;
use std::io;
use std::path::Path;

/// Lets `flush` bring each file of a folder to the disk.
pub(super) fn flush(folder: &Path, flush: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()? {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => flush(&entry.path())?,
                _ => {}
            }
        }
    }
    Ok(())
}
