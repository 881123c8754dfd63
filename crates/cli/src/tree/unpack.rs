//! A tar stream to a folder; nothing outside of it is ever written.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::error::{Error, Result};
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Timespec, Timestamps, Uid};
use tar::{Archive, Entry, EntryType};

use super::XATTR;

/// Makes what the stream says in the empty folder `root`.
pub(crate) fn unpack(stream: &Arc<dyn ReadAt>, root: &Path) -> Result<()> {
    let doing = || Error::io(format!("writing {}", root.display()));
    let mut archive = Archive::new(Reader::new(stream));
    // Times of folders change with what is written into them, and permissions may forbid it: both are set last.
    let mut folders = Vec::new();
    for entry in archive.entries().map_err(doing())? {
        let mut entry = entry.map_err(doing())?;
        let found = Found::read(&mut entry).map_err(doing())?;
        let path = inside(root, &found.path)?;
        make(&mut entry, &found, &path, root)?;
        if found.kind == EntryType::Directory {
            folders.push((path, found));
        } else if found.kind != EntryType::Link {
            found.dress(&path).map_err(Error::io(format!("writing {}", path.display())))?;
        }
    }
    for (path, found) in folders.iter().rev() {
        found.dress(path).map_err(Error::io(format!("writing {}", path.display())))?;
    }
    Ok(())
}

/// What the headers of an entry say.
struct Found {
    kind: EntryType,
    path: PathBuf,
    link: PathBuf,
    mode: u32,
    owner: (u32, u32),
    modified: (i64, i64),
    device: (u32, u32),
    attributes: Vec<(OsString, Vec<u8>)>,
}

impl Found {
    fn read<R: Read>(entry: &mut Entry<'_, R>) -> io::Result<Self> {
        let header = entry.header();
        let mut found = Self {
            kind: header.entry_type(),
            path: PathBuf::new(),
            link: PathBuf::new(),
            mode: header.mode()? & 0o7777,
            owner: (0, 0),
            modified: (0, 0),
            device: (0, 0),
            attributes: Vec::new(),
        };
        if matches!(found.kind, EntryType::Char | EntryType::Block) {
            found.device = (header.device_major()?.unwrap_or(0), header.device_minor()?.unwrap_or(0));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{what} is no number"));
        for record in entry.pax_extensions()?.into_iter().flatten() {
            let record = record?;
            let (key, value) = (record.key().map_err(io::Error::other)?, record.value_bytes());
            match key {
                "path" => found.path = PathBuf::from(OsStr::from_bytes(value)),
                "linkpath" => found.link = PathBuf::from(OsStr::from_bytes(value)),
                "uid" => found.owner.0 = text(value).parse().map_err(|_| invalid("the owner"))?,
                "gid" => found.owner.1 = text(value).parse().map_err(|_| invalid("the group"))?,
                "mtime" => found.modified = time(&text(value)).ok_or_else(|| invalid("the time"))?,
                _ => {
                    if let Some(name) = key.strip_prefix(XATTR) {
                        found.attributes.push((OsString::from_vec(name.as_bytes().to_vec()), value.to_vec()));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Sets owner, attributes, permissions and time, in an order in which none undoes another.
    fn dress(&self, path: &Path) -> io::Result<()> {
        let (owner, group) = (Uid::from_raw(self.owner.0), Gid::from_raw(self.owner.1));
        let owned = rustix::fs::chownat(CWD, path, Some(owner), Some(group), AtFlags::SYMLINK_NOFOLLOW);
        match owned {
            // Only root may give files away; others get what rsync gives them: their own.
            Err(rustix::io::Errno::PERM) if !rustix::process::geteuid().is_root() => {}
            owned => owned?,
        }
        if self.kind != EntryType::Symlink {
            rustix::fs::chmodat(CWD, path, Mode::from_raw_mode(self.mode), AtFlags::empty())?;
        }
        for (name, value) in &self.attributes {
            xattr::set(path, name, value)?;
        }
        let time = Timespec { tv_sec: self.modified.0, tv_nsec: self.modified.1 };
        let times = Timestamps { last_access: time, last_modification: time };
        Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

fn make<R: Read>(entry: &mut Entry<'_, R>, found: &Found, path: &Path, root: &Path) -> Result<()> {
    let doing = || Error::io(format!("writing {}", path.display()));
    match found.kind {
        EntryType::Directory if path == root => Ok(()),
        EntryType::Directory => DirBuilder::new().mode(0o700).create(path).map_err(doing()),
        EntryType::Regular => {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(doing())?;
            io::copy(entry, &mut file).map(|_| ()).map_err(doing())
        }
        EntryType::Symlink => std::os::unix::fs::symlink(&found.link, path).map_err(doing()),
        EntryType::Link => fs::hard_link(inside(root, &found.link)?, path).map_err(doing()),
        EntryType::Fifo => node(path, FileType::Fifo, 0).map_err(doing()),
        EntryType::Char | EntryType::Block => {
            let kind = if found.kind == EntryType::Char { FileType::CharacterDevice } else { FileType::BlockDevice };
            node(path, kind, rustix::fs::makedev(found.device.0, found.device.1)).map_err(doing())
        }
        kind => Err(Error::content(format!("{}: an entry of the unknown type {kind:?}", path.display()))),
    }
}

fn node(path: &Path, kind: FileType, device: u64) -> io::Result<()> {
    Ok(rustix::fs::mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, device)?)
}

/// The path of an entry, when every folder on the way is a real folder inside of `root`.
fn inside(root: &Path, name: &Path) -> Result<PathBuf> {
    let refuse = || Err(Error::content(format!("the entry {} leads out of the folder", name.display())));
    let mut path = root.to_path_buf();
    let mut parts = name.components().filter(|part| *part != Component::CurDir).peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(part) = part else { return refuse() };
        path.push(part);
        if parts.peek().is_some() && !fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
            return refuse();
        }
    }
    Ok(path)
}

/// Reads what `pack` wrote: seconds and nine decimals.
fn time(text: &str) -> Option<(i64, i64)> {
    let (seconds, fraction) = text.split_once('.')?;
    let nanoseconds: i64 = fraction.parse().ok().filter(|_| fraction.len() == 9)?;
    let before = seconds.starts_with('-');
    let seconds: i64 = seconds.parse().ok()?;
    Some(if before { (seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds) } else { (seconds, nanoseconds) })
}
