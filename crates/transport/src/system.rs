//! What operating systems differ in; nothing else in the crate asks which one it runs on.
//!
//! Every function is there on every system and says what it does where the system cannot do it. `unix` is what Linux and macOS have in common,
//! `linux` and `macos` what each has for itself. Trees of files need a system like these, see `tree`.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(unix, not(target_os = "linux")))]
mod macos;
mod names;
#[cfg(unix)]
mod unix;
#[cfg(not(target_os = "linux"))]
mod walked;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as own;
#[cfg(all(unix, not(target_os = "linux")))]
use macos as own;
#[cfg(unix)]
use unix as common;
#[cfg(windows)]
use windows as common;
#[cfg(windows)]
use windows as own;

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use names::{DRIVE, drive_bytes, odd_name};
#[cfg(unix)]
pub(crate) use own::{device_of, make_node, mode_of, permissions};

/// Which file system, and which file on it: what a file or folder is, under whatever name.
pub(crate) type FileId = (u64, u64);

/// What a file or folder is; a link is followed.
pub(crate) fn file_id(path: &Path) -> io::Result<FileId> {
    common::file_id(path)
}

/// The same of what has this very name, which may be a link.
pub(crate) fn file_id_of_name(path: &Path) -> io::Result<FileId> {
    common::file_id_of_name(path)
}

/// What an open file is.
pub(crate) fn file_id_of(file: &File) -> io::Result<FileId> {
    common::file_id_of(file)
}

/// What stands behind standard input, and whether that is a folder.
pub(crate) fn stdin() -> io::Result<(FileId, bool)> {
    common::stdin()
}

/// The file system of a file or folder.
pub(crate) fn device(path: &Path) -> io::Result<u64> {
    common::file_id(path).map(|(device, _)| device)
}

/// Length and times: what shows that a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    length: u64,
    times: [(i64, i64); 2],
}

/// What an open file is like now.
pub(crate) fn version(file: &File) -> io::Result<Version> {
    common::version(&file.metadata()?)
}

/// Opens a regular file to look at it only, where the system knows that.
pub(crate) fn open_to_look(path: &Path) -> io::Result<File> {
    own::open_to_look(path)
}

/// Opens a file to read it; a link is not followed.
pub(crate) fn open_no_link(path: &Path) -> io::Result<File> {
    common::open_no_link(path)
}

/// Reads at a place, whatever was read before; as many bytes as come at once.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    common::read_at(file, buffer, offset)
}

/// Fills the buffer from a place; the end of the file before that is an error.
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match read_at(file, buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer = &mut buffer[count..];
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes all of the buffer at a place.
pub(crate) fn write_all_at(file: &File, mut buffer: &[u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match common::write_at(file, buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                buffer = &buffer[count..];
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The bits of what owner, group and others may do; nothing where the system has no such bits.
pub(crate) fn mode(found: &Metadata) -> Option<u32> {
    common::mode(found)
}

/// Gives a file such bits; nothing happens where there are none.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    common::set_mode(file, mode)
}

/// Makes new files with such bits, as far as the mask of the user lets it.
pub(crate) fn with_mode(options: &mut OpenOptions, mode: u32) -> &mut OpenOptions {
    common::with_mode(options, mode)
}

/// Makes a folder for its owner alone.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    common::make_private_folder(path)
}

/// The same with all folders above it that are not there; one that is there is no error.
pub(crate) fn make_private_folders(path: &Path) -> io::Result<()> {
    common::make_private_folders(path)
}

/// Whether a folder is this user's, and nobody else can write to it. Where that cannot be told, it lies where the user's own things do.
pub(crate) fn is_private_folder(found: &Metadata) -> bool {
    found.is_dir() && common::is_private(found)
}

/// Makes a folder for its owner alone if it is not there, with those above it; whether it is this user's, and nobody else can write to it.
pub(crate) fn make_own_folder(path: &Path) -> io::Result<bool> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    match make_private_folder(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::symlink_metadata(path).map(|found| is_private_folder(&found))
}

/// Lets the owner into a folder.
pub(crate) fn let_in(path: &Path) -> io::Result<()> {
    common::let_in(path)
}

/// Fails where nothing can be made in a folder, as far as that can be told without trying.
pub(crate) fn require_writable(folder: &Path) -> io::Result<()> {
    common::require_writable(folder)
}

/// Whether this user is the system's own.
pub fn is_root() -> bool {
    common::is_root()
}

/// What stands for this user in names of files, and whether it is unique on the machine; nothing where every user has folders of their own.
pub fn user() -> Option<u32> {
    common::user()
}

/// The bytes that the file system holds for a file; all of them where it does not say.
pub fn held_bytes(found: &Metadata) -> u64 {
    common::held_bytes(found)
}

/// What is neither a file nor a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(windows, expect(dead_code, reason = "devices are told by their names there"))]
pub(crate) enum Special {
    Pipe,
    Socket,
    Disk,
    Terminal,
    Device,
}

/// What it is; nothing for files, folders and links.
pub(crate) fn special(found: &Metadata) -> Option<Special> {
    common::special(found)
}

/// A file in a folder that has no name; `Unsupported` where there is none.
pub(crate) fn nameless(folder: &Path) -> io::Result<File> {
    own::nameless(folder)
}

/// Gives a nameless file a name that nothing has.
pub(crate) fn give_name(file: &File, path: &Path) -> io::Result<()> {
    own::give_name(file, path)
}

/// Makes a folder and opens it, so that it can be held.
pub(crate) fn make_folder(path: &Path) -> io::Result<File> {
    common::make_folder(path)
}

/// Holds a file or folder that was made, for [`is_left`]; whether another program did not hold or remove it before.
pub(crate) fn hold(file: &File) -> io::Result<bool> {
    common::hold(file)
}

/// Holds it beside others.
pub(crate) fn hold_with_others(file: &File) -> bool {
    common::hold_with_others(file)
}

/// Whether nobody holds what has this name.
pub(crate) fn is_left(path: &Path) -> bool {
    common::is_left(path)
}

/// Lets two names change what they name, in one step; `Unsupported` where that cannot be had.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    common::exchange(one, other)
}

/// Renames if nothing has the other name; `Unsupported` where that cannot be had in one step.
pub(crate) fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    common::rename_to_free(from, to)
}

/// Whether what a folder names is brought to the disk by a call of its own, which may fail when a name was given.
pub(crate) const FLUSHES_FOLDERS: bool = common::FLUSHES_FOLDERS;

/// Brings what a folder names to the disk.
pub(crate) fn flush_folder(folder: &Path) -> io::Result<()> {
    common::flush_folder(folder)
}

/// Brings all that is in a folder to the disk.
pub(crate) fn flush_tree(folder: &File, path: &Path) -> io::Result<()> {
    own::flush_tree(folder, path)
}

/// Opens a file once more so that it is read from the medium and not from memory. It must be read at multiples of a page into memory that
/// begins where a page does. An open file without a name is told from one with by `path`.
pub(crate) fn open_past_cache(file: &File, path: Option<&Path>) -> io::Result<File> {
    own::open_past_cache(file, path)
}

/// Opens it once more, from its start.
pub(crate) fn open_again(file: &File, path: Option<&Path>) -> io::Result<File> {
    own::open_again(file, path)
}

/// The bytes that the user may still write on the file system of a folder.
pub(crate) fn free(path: &Path) -> io::Result<u64> {
    common::free(path)
}

/// Whether the file system of a folder is known to be FAT.
pub(crate) fn is_fat(folder: &Path) -> bool {
    own::is_fat(folder)
}

/// Standard output, to write bytes to.
pub(crate) fn stdout() -> io::Result<File> {
    common::stdout()
}

/// Lets standard output go nowhere, where the system can do that.
pub(crate) fn silence_stdout() -> io::Result<()> {
    common::silence_stdout()
}

/// Whether a path is a name that the system has for standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    common::STDOUT.iter().any(|name| path == Path::new(name))
}

/// The path of a file that is open under a number; `Unsupported` where there is none.
pub(crate) fn descriptor(number: u32) -> io::Result<PathBuf> {
    common::descriptor(number)
}

/// Whether somebody listens at a socket of this machine; `Unsupported` where containerd is never reached like that.
pub(crate) fn listens(address: &str) -> io::Result<()> {
    common::listens(address)
}

/// The variable of the environment that names the user's folder.
pub const HOME: &str = common::HOME;

/// The variable that names the folder of what programs keep for the user, where that lies elsewhere than the user's own files.
pub const KEPT_FOR_USER: Option<&str> = common::KEPT_FOR_USER;

/// Where a run of the system's own user keeps what it must know the next time.
pub const KEPT_FOR_SYSTEM: &str = "/var/lib/docker_delta";

/// The folder of what counts for everybody on this machine, which only its administrator can write to. No variable of the environment moves it.
pub fn settings() -> PathBuf {
    common::settings()
}
