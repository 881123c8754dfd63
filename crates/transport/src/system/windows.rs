//! What Windows has in the place of what Linux and macOS have.
//!
//! What is open here cannot be opened by somebody who wants it for himself: that is the lock of what has no final name yet.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::os::windows::io::AsHandle;
use std::path::{Path, PathBuf};

use known_folders::{KnownFolder, get_known_folder_path};
use tempfile::TempPath;
use winapi_util::{AsHandleRef, HandleRef, file};

use super::{FileId, Special, Version, walked};

pub(super) const FLUSHES_FOLDERS: bool = false;

pub(super) const HOME: &str = "USERPROFILE";

pub(super) const KEPT_FOR_USER: Option<&str> = Some("LOCALAPPDATA");

pub(super) const STDOUT: [&str; 0] = [];

/// Flags of `CreateFile`: folders too; the link itself; past the memory of the system.
const BACKUP_SEMANTICS: u32 = 0x0200_0000;
const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
const NO_BUFFERING: u32 = 0x2000_0000;

fn id(handle: impl AsHandleRef) -> io::Result<FileId> {
    let found = file::information(handle)?;
    Ok((found.volume_serial_number(), found.file_index()))
}

fn opened(path: &Path, flags: u32) -> io::Result<File> {
    OpenOptions::new().access_mode(0).custom_flags(flags | BACKUP_SEMANTICS).open(path)
}

pub(super) fn file_id(path: &Path) -> io::Result<FileId> {
    id(&opened(path, 0)?)
}

pub(super) fn file_id_of_name(path: &Path) -> io::Result<FileId> {
    id(&opened(path, OPEN_REPARSE_POINT)?)
}

pub(super) fn file_id_of(file: &File) -> io::Result<FileId> {
    id(file)
}

pub(super) fn stdin() -> io::Result<(FileId, bool)> {
    Ok((id(HandleRef::stdin())?, false))
}

pub(super) fn version(found: &Metadata) -> io::Result<Version> {
    let times = [found.last_write_time(), found.creation_time()].map(|time| (time.cast_signed(), 0));
    Ok(Version { length: found.file_size(), times })
}

pub(super) fn open_to_look(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

pub(super) fn open_no_link(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OPEN_REPARSE_POINT).open(path)
}

pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(buffer, offset)
}

pub(super) fn write_at(file: &File, buffer: &[u8], offset: u64) -> io::Result<usize> {
    file.seek_write(buffer, offset)
}

pub(super) const fn mode(_: &Metadata) -> Option<u32> {
    None
}

pub(super) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

pub(super) const fn with_mode(options: &mut OpenOptions, _: u32) -> &mut OpenOptions {
    options
}

pub(super) fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

pub(super) fn make_private_folders(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// What lies in the user's own folders is.
pub(super) const fn is_private(_: &Metadata) -> bool {
    true
}

pub(super) fn let_in(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn require_writable(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) const fn is_root() -> bool {
    false
}

pub(super) const fn user() -> Option<u32> {
    None
}

pub(super) fn held_bytes(found: &Metadata) -> u64 {
    found.len()
}

/// Devices have names here that nothing else has, and are refused by these.
pub(super) const fn special(_: &Metadata) -> Option<Special> {
    None
}

pub(super) fn nameless(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn give_name(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn make_folder(path: &Path) -> io::Result<File> {
    fs::create_dir(path)?;
    OpenOptions::new().read(true).custom_flags(BACKUP_SEMANTICS).open(path)
}

/// What is open is held.
pub(super) const fn hold(_: &File) -> io::Result<bool> {
    Ok(true)
}

pub(super) const fn hold_with_others(_: &File) -> bool {
    true
}

pub(super) fn is_left(path: &Path) -> bool {
    OpenOptions::new().read(true).share_mode(0).custom_flags(BACKUP_SEMANTICS).open(path).is_ok()
}

pub(super) fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    TempPath::try_from_path(from)?.persist_noclobber(to).map_err(|error| {
        // It is not this that removes it.
        match error.path.keep() {
            Ok(_) => error.error,
            Err(kept) => kept.error,
        }
    })
}

/// Names are in the journal of NTFS; there is no call for them.
pub(super) fn flush_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn flush_tree(_: &File, path: &Path) -> io::Result<()> {
    walked::flush(path, &mut |path| OpenOptions::new().write(true).open(path)?.sync_all())
}

pub(super) fn open_past_cache(_: &File, path: Option<&Path>) -> io::Result<File> {
    let path = path.ok_or(io::ErrorKind::Unsupported)?;
    OpenOptions::new().read(true).custom_flags(NO_BUFFERING).open(path)
}

pub(super) fn open_again(_: &File, path: Option<&Path>) -> io::Result<File> {
    File::open(path.ok_or(io::ErrorKind::Unsupported)?)
}

pub(super) fn free(path: &Path) -> io::Result<u64> {
    fs4::available_space(path)
}

/// The name of the file system is not asked for; one that takes no larger file says so when it is written.
pub(super) const fn is_fat(_: &Path) -> bool {
    false
}

pub(super) fn stdout() -> io::Result<File> {
    io::stdout().as_handle().try_clone_to_owned().map(File::from)
}

/// There is no way to it without `unsafe`.
pub(super) fn silence_stdout() -> io::Result<()> {
    Ok(())
}

pub(super) fn descriptor(_: u32) -> io::Result<PathBuf> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn listens(_: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Not the folder of data for all programs, in which every user may make folders.
pub(super) fn settings() -> PathBuf {
    let programs = get_known_folder_path(KnownFolder::ProgramFiles);
    programs.unwrap_or_else(|| r"C:\Program Files".into()).join("docker_delta")
}
