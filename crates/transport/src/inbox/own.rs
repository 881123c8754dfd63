//! The one folder in an inbox that is ours alone: with the lock, with copies, and with what is being moved.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use delta_core::error::{Error, Result};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::folders;

/// Nobody takes what starts with a dot for a package.
const NAME: &str = ".docker_delta-watch";

const LOCK: &str = "lock";

/// The folder, with the lock that ends with the program.
#[derive(Debug)]
pub(super) struct OwnFolder {
    pub(super) folder: OwnedFd,
    _lock: File,
}

impl OwnFolder {
    /// Opens it in an inbox, or makes it.
    pub(super) fn open(inbox: &Path, parent: BorrowedFd<'_>) -> Result<Self> {
        let path = inbox.join(NAME);
        let folder = folders::make(parent, OsStr::new(NAME), 0o700).map_err(|error| unwritable(inbox, error))?;
        let found = rustix::fs::fstat(&folder).map_err(|error| Error::io("looking at a folder")(error.into()))?;
        let is_ours = found.st_uid == rustix::process::geteuid().as_raw();
        // A file system without permissions of its own shows what it was mounted with.
        if !is_ours || found.st_mode & 0o022 != 0 {
            return Err(Error::environment(format!(
                "others can write into {}, so nothing is safe there",
                path.display()
            ))
            .with_hint(format!(
                "watch as the user who did before, or look what is in it and remove it: rm -r {}",
                path.display()
            )));
        }
        let lock = lock(&folder, inbox)?;
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Writes a file in one step, in the place of the one that has its name.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let partial = format!("{name}.partial");
        let (folder, partial) = (self.as_fd(), OsStr::new(&partial));
        folders::remove(folder, partial)?;
        let mut file = folders::new_file(folder, partial, 0o644)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        rustix::fs::renameat(folder, partial, folder, name)?;
        folders::flush(folder)
    }

    /// The bytes of a file, if it is there; no more than `most`.
    pub(super) fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match folders::open_file(self.as_fd(), OsStr::new(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

fn unwritable(inbox: &Path, error: io::Error) -> Error {
    let hint = match Errno::from_io_error(&error) {
        Some(Errno::ROFS) => {
            "packages are moved to `done` and `failed` in it: copy them into a folder that can be written to"
        }
        Some(Errno::NOTDIR | Errno::LOOP) => {
            "something else has the name of the folder that is needed here; move it away"
        }
        _ => "packages are moved to `done` and `failed` in it: it must be writable for the user who watches",
    };
    Error::io(format!("making {NAME}, done and failed in {}", inbox.display()))(error).with_hint(hint)
}

/// The lock, with the number of this process in it for whoever comes second.
fn lock(folder: &OwnedFd, inbox: &Path) -> Result<File> {
    let doing = || Error::io(format!("locking {}", inbox.display()));
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(folder, LOCK, flags, Mode::from_raw_mode(0o600));
    let mut file = File::from(opened.map_err(|error| doing()(error.into()))?);
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut number = String::new();
            // Whose lock it is, is good to know and not needed.
            let _ = file.take(20).read_to_string(&mut number);
            return Err(Error::environment(format!(
                "{} is watched by another docker_delta already (process {})",
                inbox.display(),
                number.trim()
            ))
            .with_hint("one at a time watches a folder; that one handles what is there"));
        }
        Err(TryLockError::Error(error)) => return Err(doing()(error).with_hint("the file system must know locks")),
    }
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(doing())?;
    Ok(file)
}

#[cfg(test)]
mod tests;
