//! What only Linux has.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, AtFlags, CWD, Dev, FileType, MemfdFlags, Mode, OFlags, Stat, fadvise, linkat, memfd_create};
use rustix::io::Errno;

fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

pub(super) fn open_to_look(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(flags(OFlags::PATH | OFlags::CLOEXEC)).open(path)
}

pub(super) fn nameless(folder: &Path) -> io::Result<File> {
    // Without it there is no way to a name.
    if !Path::new("/proc/self/fd").exists() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let made = OpenOptions::new().read(true).write(true).mode(0o666).custom_flags(flags(OFlags::TMPFILE)).open(folder);
    made.map_err(|error| if is_unsupported(&error) { io::ErrorKind::Unsupported.into() } else { error })
}

/// What file systems and kernels without nameless files say (open(2), `O_TMPFILE`).
fn is_unsupported(error: &io::Error) -> bool {
    let unsupported = [Errno::OPNOTSUPP, Errno::ISDIR, Errno::NOENT, Errno::INVAL];
    unsupported.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn name(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

pub(super) fn give_name(file: &File, path: &Path) -> io::Result<()> {
    Ok(linkat(CWD, name(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

pub(super) fn flush_tree(folder: &File, _: &Path) -> io::Result<()> {
    // One call for all files and folders in it.
    Ok(rustix::fs::syncfs(folder)?)
}

pub(super) fn open_past_cache(file: &File, _: Option<&Path>) -> io::Result<File> {
    // What is on the disk need not stay in memory; where that is not obeyed, direct reading goes past it.
    fadvise(file, 0, None, Advice::DontNeed)?;
    OpenOptions::new().read(true).custom_flags(flags(OFlags::DIRECT)).open(name(file))
}

pub(super) fn open_again(file: &File, _: Option<&Path>) -> io::Result<File> {
    File::open(name(file))
}

/// What the kernel says of vfat and msdos (statfs(2)); exFAT has a number of its own, and no such limit.
const MSDOS_SUPER_MAGIC: u64 = 0x4d44;

pub(super) fn is_fat(folder: &Path) -> bool {
    rustix::fs::statfs(folder).is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(is_number_of_fat))
}

const fn is_number_of_fat(kind: u64) -> bool {
    kind == MSDOS_SUPER_MAGIC
}

/// Terminals of all kinds (Linux, admin-guide/devices.txt).
pub(super) fn is_terminal(device: u64) -> bool {
    matches!(rustix::fs::major(device), 4 | 5 | 136..=143)
}

/// What takes all that is written, in a root folder that has nothing but the program.
pub(super) fn without_devices() -> io::Result<File> {
    Ok(memfd_create("nowhere", MemfdFlags::CLOEXEC)?.into())
}

/// Kind and permissions.
pub(crate) const fn mode_of(stat: &Stat) -> u32 {
    stat.st_mode
}

pub(crate) const fn permissions(mode: u32) -> Mode {
    Mode::from_raw_mode(mode)
}

/// The file system on which it lies.
pub(crate) const fn device_of(stat: &Stat) -> u64 {
    stat.st_dev
}

/// Makes a named pipe or device, which only its owner can use.
pub(crate) fn make_node(
    folder: impl AsFd,
    name: impl rustix::path::Arg,
    kind: FileType,
    device: Dev,
) -> rustix::io::Result<()> {
    rustix::fs::mknodat(folder, name, kind, Mode::RUSR | Mode::WUSR, device)
}

#[cfg(test)]
mod tests;
