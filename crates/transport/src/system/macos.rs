//! What macOS has of its own.

use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Dev, FileType, Mode, RawMode, Stat};
use rustix::io::Errno;

use super::walked;

pub(super) fn open_to_look(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(super) fn nameless(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn give_name(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn flush_tree(_: &File, path: &Path) -> io::Result<()> {
    walked::flush(path, &mut |path| File::open(path)?.sync_all())
}

pub(super) fn open_past_cache(file: &File, path: Option<&Path>) -> io::Result<File> {
    let again = open_again(file, path)?;
    rustix::fs::fcntl_nocache(&again, true)?;
    Ok(again)
}

pub(super) fn open_again(file: &File, path: Option<&Path>) -> io::Result<File> {
    match path {
        Some(path) => File::open(path),
        None => {
            let mut again = file.try_clone()?;
            again.rewind()?;
            Ok(again)
        }
    }
}

pub(super) fn is_fat(folder: &Path) -> bool {
    let Ok(found) = rustix::fs::statfs(folder) else { return false };
    let name = found.f_fstypename.iter().map(|byte| byte.cast_unsigned()).take_while(|byte| *byte != 0);
    name.eq(*b"msdos")
}

/// Which devices are terminals is not told by their numbers.
pub(super) const fn is_terminal(_: u64) -> bool {
    false
}

/// There is no such root folder.
pub(super) fn without_devices() -> io::Result<File> {
    Err(io::ErrorKind::NotFound.into())
}

/// Kind and permissions.
pub(crate) fn mode_of(stat: &Stat) -> u32 {
    stat.st_mode.into()
}

pub(crate) fn permissions(mode: u32) -> Mode {
    Mode::from_raw_mode(RawMode::try_from(mode).unwrap_or_default())
}

/// The file system on which it lies.
pub(crate) fn device_of(stat: &Stat) -> u64 {
    stat.st_dev.cast_unsigned().into()
}

/// The library has no call for it here.
pub(crate) fn make_node(_: impl AsFd, _: impl rustix::path::Arg, kind: FileType, _: Dev) -> rustix::io::Result<()> {
    Err(if kind == FileType::Fifo { Errno::NOTSUP } else { Errno::PERM })
}
