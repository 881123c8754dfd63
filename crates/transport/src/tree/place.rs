//! Folders below a root, opened one by one, so that no link is followed and no path is too long.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

use super::entry::ROOT;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens the folder that the user named; a link to it is followed.
pub(super) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(CWD, path, FOLDER, Mode::empty())?)
}

/// Opens a folder in another one; a link is refused.
pub(super) fn open_folder(parent: impl AsFd, name: &[u8]) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(parent, OsStr::from_bytes(name), FOLDER | OFlags::NOFOLLOW, Mode::empty())?)
}

/// A root, and the folder below it that was visited last with those on the way.
pub(super) struct Place {
    path: PathBuf,
    root: OwnedFd,
    way: Vec<(Vec<u8>, OwnedFd)>,
}

impl Place {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_path_buf(), root: open_root(path)?, way: Vec::new() })
    }

    /// The folder that holds the entry `name`, and the last part of the name.
    pub(super) fn of<'a>(&mut self, name: &'a [u8]) -> io::Result<(BorrowedFd<'_>, &'a [u8])> {
        let mut parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').collect();
        let last = parts.pop().unwrap_or(ROOT);
        Ok((self.enter(&parts)?, last))
    }

    fn enter(&mut self, parts: &[&[u8]]) -> io::Result<BorrowedFd<'_>> {
        let common = self.way.iter().zip(parts).take_while(|((open, _), part)| open == *part).count();
        self.way.truncate(common);
        for part in &parts[common..] {
            let parent = self.way.last().map_or(&self.root, |(_, folder)| folder);
            let folder = open_folder(parent, part)?;
            self.way.push((part.to_vec(), folder));
        }
        Ok(self.way.last().map_or(&self.root, |(_, folder)| folder).as_fd())
    }

    /// The whole path of an entry, for what is not a file or folder and has no descriptor.
    pub(super) fn path(&self, name: &[u8]) -> PathBuf {
        self.path.join(OsStr::from_bytes(name))
    }
}
