//! Whether all volumes of a set are there, by their headers and lengths alone.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::file_name::VolumeName;
use super::search::header;

/// The names of the volumes that are not among `files`, or not as long as they should be; those that are there are called `stem` and a number. Nothing
/// where no file says how many there are.
pub(crate) fn missing(stem: &Path, files: &[(PathBuf, File)]) -> io::Result<Vec<String>> {
    let mut set = None;
    let mut there = Vec::new();
    for (path, file) in files {
        let found = header(file)?.ok();
        let named = VolumeName::parse(path).map(|name| name.volume);
        if let Some(volume) = found.as_ref().map(|header| header.volume).or(named) {
            there.push((volume, file.metadata()?.len()));
        }
        set = set.or(found.map(|header| header.set));
    }
    let Some(set) = set else { return Ok(Vec::new()) };
    let layout = &set.layout;
    let is_there =
        |volume: &u64| there.iter().any(|(known, bytes)| known == volume && *bytes >= layout.file_bytes(*volume));
    let absent = (1..=layout.volumes()).filter(|volume| !is_there(volume));
    Ok(absent.map(|volume| VolumeName::path(stem, volume).display().to_string()).collect())
}
