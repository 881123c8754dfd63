//! What Linux and macOS have in common.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags, RenameFlags, accessat, renameat_with};
use rustix::io::Errno;

use super::{FileId, Special, Version, own};

pub(super) const FLUSHES_FOLDERS: bool = true;

pub(super) const HOME: &str = "HOME";

pub(super) const KEPT_FOR_USER: Option<&str> = None;

pub(super) const STDOUT: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

fn id(found: &Metadata) -> FileId {
    (found.dev(), found.ino())
}

pub(super) fn file_id(path: &Path) -> io::Result<FileId> {
    fs::metadata(path).map(|found| id(&found))
}

pub(super) fn file_id_of_name(path: &Path) -> io::Result<FileId> {
    fs::symlink_metadata(path).map(|found| id(&found))
}

pub(super) fn file_id_of(file: &File) -> io::Result<FileId> {
    file.metadata().map(|found| id(&found))
}

pub(super) fn stdin() -> io::Result<(FileId, bool)> {
    let found = File::from(io::stdin().as_fd().try_clone_to_owned()?).metadata()?;
    Ok((id(&found), found.is_dir()))
}

pub(super) fn version(found: &Metadata) -> io::Result<Version> {
    let times = [(found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec())];
    Ok(Version { length: found.len(), times })
}

pub(super) fn open_no_link(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)
}

pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    FileExt::read_at(file, buffer, offset)
}

pub(super) fn write_at(file: &File, buffer: &[u8], offset: u64) -> io::Result<usize> {
    FileExt::write_at(file, buffer, offset)
}

#[expect(clippy::unnecessary_wraps, reason = "not every system has them")]
pub(super) fn mode(found: &Metadata) -> Option<u32> {
    Some(found.permissions().mode() & 0o7777)
}

pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}

pub(super) fn with_mode(options: &mut OpenOptions, mode: u32) -> &mut OpenOptions {
    options.mode(mode)
}

pub(super) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

pub(super) fn make_private_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(super) fn is_private(found: &Metadata) -> bool {
    found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0
}

pub(super) fn let_in(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

pub(super) fn require_writable(folder: &Path) -> io::Result<()> {
    Ok(accessat(CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?)
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[expect(clippy::unnecessary_wraps, reason = "not every system has numbers for users")]
pub(super) fn user() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

pub(super) fn held_bytes(found: &Metadata) -> u64 {
    found.blocks().saturating_mul(512)
}

pub(super) fn special(found: &Metadata) -> Option<Special> {
    match found.file_type() {
        kind if kind.is_fifo() => Some(Special::Pipe),
        kind if kind.is_socket() => Some(Special::Socket),
        kind if kind.is_block_device() => Some(Special::Disk),
        kind if kind.is_char_device() && own::is_terminal(found.rdev()) => Some(Special::Terminal),
        kind if kind.is_char_device() => Some(Special::Device),
        _ => None,
    }
}

pub(super) fn make_folder(path: &Path) -> io::Result<File> {
    DirBuilder::new().mode(0o777).create(path)?;
    File::open(path)
}

pub(super) fn hold(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(false),
        // A file system without locks: nobody can take it for abandoned either.
        Err(TryLockError::Error(_)) => Ok(true),
        // Another run may have locked and removed it before.
        Ok(()) => Ok(file.metadata()?.nlink() != 0),
    }
}

pub(super) fn hold_with_others(file: &File) -> bool {
    file.try_lock_shared().is_ok()
}

pub(super) fn is_left(path: &Path) -> bool {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    opened.is_ok_and(|file| file.try_lock().is_ok())
}

pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    known(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE))
}

pub(super) fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    known(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE))
}

/// Not every file system knows the flags.
fn known(renamed: rustix::io::Result<()>) -> io::Result<()> {
    match renamed {
        Err(Errno::INVAL | Errno::NOSYS) => Err(io::ErrorKind::Unsupported.into()),
        #[cfg(not(target_os = "linux"))]
        Err(Errno::NOTSUP) => Err(io::ErrorKind::Unsupported.into()),
        renamed => Ok(renamed?),
    }
}

pub(super) fn flush_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems cannot flush a folder.
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
        flushed => flushed,
    }
}

pub(super) fn free(path: &Path) -> io::Result<u64> {
    let room = rustix::fs::statvfs(path)?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

pub(super) fn stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

pub(super) fn silence_stdout() -> io::Result<()> {
    let nowhere = File::options().write(true).open("/dev/null").or_else(|_| own::without_devices())?;
    Ok(rustix::stdio::dup2_stdout(nowhere)?)
}

#[expect(clippy::unnecessary_wraps, reason = "not every system has names for open files")]
pub(super) fn descriptor(number: u32) -> io::Result<PathBuf> {
    Ok(PathBuf::from(format!("/dev/fd/{number}")))
}

pub(super) fn listens(address: &str) -> io::Result<()> {
    UnixStream::connect(address).map(drop)
}

pub(super) fn settings() -> PathBuf {
    "/etc/docker_delta".into()
}

#[cfg(test)]
mod tests;
