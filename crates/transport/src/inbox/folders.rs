//! Folders that are held open, and what is done in them: by names without a slash, through no link.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};
use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, Stat, linkat, mkdirat, openat, renameat, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use crate::system::{FileId, file_id, file_id_of};

/// A folder that a user named, which may be a link to one.
pub(super) fn open_given(path: &Path) -> Result<(OwnedFd, FileId)> {
    let doing = || Error::io(format!("opening {}", path.display()));
    let found = fs::metadata(path).map_err(|error| {
        let hint =
            (error.kind() == io::ErrorKind::NotFound).then(|| format!("make it first: mkdir {}", path.display()));
        let error = doing()(error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    })?;
    if !found.is_dir() {
        return Err(Error::usage(format!("{} is no folder", path.display()))
            .with_hint("name the folder into which packages are dropped; `docker_delta apply` takes one package"));
    }
    let file = File::open(path).map_err(doing())?;
    let id = file_id_of(&file).map_err(doing())?;
    Ok((file.into(), id))
}

/// What a path leads to.
pub(super) fn id_of(path: &Path) -> Option<FileId> {
    file_id(path).ok()
}

/// The way to an open folder for whoever takes only paths: whatever becomes of its name.
pub(super) fn way_to(folder: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", folder.as_raw_fd()).into()
}

/// Opens a folder in another one; it is made where it is not there.
pub(super) fn make(parent: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<OwnedFd> {
    match mkdirat(parent, name, Mode::from_raw_mode(mode)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(parent, name, flags, Mode::empty())?)
}

/// What has a name; nothing where it is free.
pub(super) fn stat(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<Option<Stat>> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Opens a regular file, and waits for nobody who would write into a pipe that took its name.
pub(super) fn open_file(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file any more")) }
}

/// Makes a file under a name that is free.
pub(super) fn new_file(folder: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(folder, name, flags, Mode::from_raw_mode(mode))?.into())
}

/// Removes a file, if it is there.
pub(super) fn remove(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Moves a file to a name that must be free.
pub(super) fn rename_to_free(
    (from, name): (BorrowedFd<'_>, &OsStr),
    (to, free): (BorrowedFd<'_>, &OsStr),
) -> io::Result<()> {
    match renameat_with(from, name, to, free, RenameFlags::NOREPLACE) {
        // Not every file system knows the flag; a link is refused where the name is taken.
        Err(Errno::INVAL | Errno::NOSYS) => match linkat(from, name, to, free, AtFlags::empty()) {
            Ok(()) => Ok(unlinkat(from, name, AtFlags::empty())?),
            // Nor has every one links.
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) if stat(to, free)?.is_none() => {
                Ok(renameat(from, name, to, free)?)
            }
            Err(error) => Err(error.into()),
        },
        moved => Ok(moved?),
    }
}

/// Waits until the names in a folder are on the disk.
pub(super) fn flush(folder: BorrowedFd<'_>) -> io::Result<()> {
    match rustix::fs::fsync(folder) {
        // Some file systems cannot flush a folder.
        Err(Errno::INVAL) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
