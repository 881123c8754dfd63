//! The named files of an archive or a folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader, Slice};
use delta_core::error::{Error, Result};
use delta_core::image::Document;
use delta_core::limits;

use crate::file::FileBytes;
use crate::limits::{ARCHIVE_LINKS, ARCHIVE_MEMBERS};

/// How many characters of an error about an archive are shown.
const FOUND: usize = 120;

/// Where files are found by name.
pub(crate) enum Container {
    /// A tar.
    Archive {
        /// All of it.
        bytes: Arc<dyn ReadAt>,
        /// What each name stands for.
        members: BTreeMap<String, Place>,
    },
    /// A folder.
    Folder(PathBuf),
}

/// Where a member of an archive leads.
pub(crate) enum Place {
    File { offset: u64, size: u64 },
    Link(String),
}

impl Container {
    /// Notes where each member of a tar is, without reading what is in it.
    pub(crate) fn archive(bytes: Arc<dyn ReadAt>, what: &str) -> Result<Self> {
        Self::archive_up_to(ARCHIVE_MEMBERS, bytes, what)
    }

    fn archive_up_to(most: usize, bytes: Arc<dyn ReadAt>, what: &str) -> Result<Self> {
        // The reader names what it found, which may be anything.
        let unreadable = |error: io::Error| {
            let found: String = error.to_string().escape_debug().take(FOUND).collect();
            Error::content(format!("{what} is no archive that can be read: {found}"))
        };
        let mut archive = tar::Archive::new(Reader::new(&bytes));
        let mut members = BTreeMap::new();
        for entry in archive.entries_with_seek().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = normal(&String::from_utf8_lossy(&entry.path_bytes()));
            let kind = entry.header().entry_type();
            let member = if kind.is_symlink() || kind.is_hard_link() {
                let target = entry.link_name_bytes().unwrap_or_default();
                let folder = if kind.is_symlink() { folder(&name) } else { "" };
                Place::Link(normal(&format!("{folder}/{}", String::from_utf8_lossy(&target))))
            } else if kind.is_file() {
                Place::File { offset: entry.raw_file_position(), size: entry.size() }
            } else {
                continue;
            };
            members.insert(name, member);
            if members.len() > most {
                return Err(Error::content(format!("{what} has more than {most} members")));
            }
        }
        Ok(Self::Archive { bytes, members })
    }

    /// The bytes of a file, if there is one of this name.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Arc<dyn ReadAt>>> {
        match self {
            Self::Archive { bytes, members } => Ok(in_archive(bytes, members, &normal(name))),
            Self::Folder(folder) => in_folder(folder, &normal(name)),
        }
    }

    /// A small file, held.
    pub(crate) fn document(&self, name: &str) -> Result<Option<Document>> {
        let Some(bytes) = self.find(name)? else { return Ok(None) };
        if bytes.len() > limits::DOCUMENT_BYTES {
            let most = limits::DOCUMENT_BYTES;
            return Err(Error::content(format!("{name} has {} bytes, where at most {most} are read", bytes.len())));
        }
        let mut held = vec![0; usize::try_from(bytes.len()).unwrap_or_default()];
        bytes.read_exact_at(&mut held, 0).map_err(Error::io(format!("reading {name}")))?;
        Ok(Some(Document::new(held)))
    }
}

fn in_archive(bytes: &Arc<dyn ReadAt>, members: &BTreeMap<String, Place>, name: &str) -> Option<Arc<dyn ReadAt>> {
    let mut name = name;
    for _ in 0..ARCHIVE_LINKS {
        match members.get(name)? {
            Place::Link(target) => name = target,
            Place::File { offset, size } => {
                let slice = Slice::new(bytes.clone(), *offset, *size)?;
                return Some(Arc::new(slice));
            }
        }
    }
    None
}

fn in_folder(folder: &Path, name: &str) -> Result<Option<Arc<dyn ReadAt>>> {
    let path = folder.join(name);
    if path.is_file() { FileBytes::open(&path).map(Some) } else { Ok(None) }
}

/// A name without `.`, `..` and doubled slashes; nothing leads out of the container.
fn normal(name: &str) -> String {
    let mut parts = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests;
