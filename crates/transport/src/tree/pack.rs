//! A folder to a stream.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};
use delta_core::facts::Facts;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};

use super::choices::Detail;
use super::content::{self, CHUNK};
use super::dress::{Made, facts_of};
use super::entry::{Entry, Kind, ROOT, shown};
use super::header::{BLOCK, RECORDS_BYTES, encode};
use super::place::{open_folder, open_root};
use super::sparse;
use crate::system;

/// Writes what is in the folder `root`, or in the one that it links to, sorted by name, each folder before what is in it.
///
/// # Errors
/// Environment errors when something cannot be read or changes meanwhile; content errors for what cannot be carried.
pub fn pack(root: &Path, detail: Detail, out: &mut dyn Write) -> Result<()> {
    let mut packer = Packer { root, detail, out, links: BTreeMap::new(), buffer: vec![0; CHUNK] };
    let folder = open_root(root).map_err(packer.reading(b""))?;
    packer.folder(File::from(folder), &mut Vec::new())?;
    let end = packer.out.write_all(&[0; 2 * BLOCK]).and_then(|()| packer.out.flush());
    end.map_err(Error::io("writing a temporary file"))
}

struct Packer<'a> {
    root: &'a Path,
    detail: Detail,
    out: &'a mut dyn Write,
    /// For what has several names: device and inode, and the name that came first.
    links: BTreeMap<(u64, u64), Vec<u8>>,
    buffer: Vec<u8>,
}

impl Packer<'_> {
    /// Writes a folder and what is in it. `name` is empty for the root, and as it was again at the end.
    fn folder(&mut self, folder: File, name: &mut Vec<u8>) -> Result<()> {
        let before = Made::Open(&folder).stat().map_err(self.reading(name))?;
        let facts = self.facts(Made::Open(&folder), name)?;
        let own = if name.is_empty() { ROOT.to_vec() } else { name.clone() };
        self.write(&Entry { name: own, kind: Kind::Folder, facts })?;
        let length = name.len();
        for child in children(&folder).map_err(self.reading(name))? {
            if length > 0 {
                name.push(b'/');
            }
            name.extend_from_slice(&child);
            self.child(folder.as_fd(), &child, name)?;
            name.truncate(length);
        }
        self.unchanged(&folder, &before, name)
    }

    fn child(&mut self, folder: BorrowedFd<'_>, child: &[u8], name: &mut Vec<u8>) -> Result<()> {
        let stat = rustix::fs::statat(folder, OsStr::from_bytes(child), AtFlags::SYMLINK_NOFOLLOW);
        let stat = stat.map_err(|error| self.reading(name)(error.into()))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory {
            let folder = open_folder(folder, child).map_err(self.reading(name))?;
            return self.folder(File::from(folder), name);
        }
        if self.detail == Detail::Everything
            && let Some(first) = self.first_name(&stat, name)
        {
            return self.write(&Entry { name: name.clone(), kind: Kind::HardLink(first), facts: Facts::default() });
        }
        match kind {
            FileType::RegularFile => self.file(folder, child, name),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(folder, OsStr::from_bytes(child), Vec::new());
                let target = target.map_err(|error| self.reading(name)(error.into()))?;
                let facts = self.facts(Made::Link(folder, child, &self.path(name)), name)?;
                self.write(&Entry { name: name.clone(), kind: Kind::SymbolicLink(target.into_bytes()), facts })
            }
            // They have no contents, and an ordinary user may not have been able to make them.
            _ if self.detail == Detail::Content => Ok(()),
            kind => {
                let kind = self.node(kind, &stat, name)?;
                let facts = self.facts(Made::Node(folder, child, &self.path(name)), name)?;
                self.write(&Entry { name: name.clone(), kind, facts })
            }
        }
    }

    fn file(&mut self, folder: BorrowedFd<'_>, child: &[u8], name: &[u8]) -> Result<()> {
        // Should it have become a named pipe meanwhile, opening must not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder, OsStr::from_bytes(child), flags, Mode::empty());
        let file = File::from(file.map_err(|error| self.reading(name)(error.into()))?);
        let before = Made::Open(&file).stat().map_err(self.reading(name))?;
        if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
            return Err(self.changed(name));
        }
        let facts = self.facts(Made::Open(&file), name)?;
        let size = u64::try_from(before.st_size).unwrap_or(0);
        let spans = match self.detail {
            Detail::Everything => sparse::data_of(&file, size),
            Detail::Content => sparse::bytes_of(&file, size),
        };
        let spans = spans.map_err(|error| self.cut_short(name, error))?;
        let held = sparse::held(&spans);
        let map = if held < size { sparse::map(&spans) } else { Vec::new() };
        let stored = map.len() as u64 + held;
        let kind = if held < size { Kind::Sparse { size, stored } } else { Kind::File(size) };
        self.write(&Entry { name: name.to_vec(), kind, facts })?;
        self.put(&map)?;
        content::read(&file, &spans, &mut self.buffer, self.out).map_err(|error| self.cut_short(name, error))?;
        let padding = stored.next_multiple_of(BLOCK as u64) - stored;
        self.put(&[0; BLOCK][..usize::try_from(padding).unwrap_or(0)])?;
        self.unchanged(&file, &before, name)
    }

    fn node(&self, kind: FileType, stat: &Stat, name: &[u8]) -> Result<Kind> {
        let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
        match kind {
            FileType::Fifo => Ok(Kind::Fifo),
            FileType::CharacterDevice => Ok(Kind::Character(device.0, device.1)),
            FileType::BlockDevice => Ok(Kind::Block(device.0, device.1)),
            _ => Err(Error::content(format!("{} is a socket, which cannot be carried", self.shown(name)))
                .with_hint("remove it, or stop the program that listens there")),
        }
    }

    /// The first name of what has several, unless this is it.
    fn first_name(&mut self, stat: &Stat, name: &[u8]) -> Option<Vec<u8>> {
        if stat.st_nlink == 1 {
            return None;
        }
        let first = self.links.entry((system::device_of(stat), stat.st_ino)).or_insert_with(|| name.to_vec());
        (first != name).then(|| first.clone())
    }

    fn facts(&self, made: Made<'_>, name: &[u8]) -> Result<Facts> {
        match self.detail {
            Detail::Content => Ok(Facts::default()),
            Detail::Everything => facts_of(made).map_err(self.reading(name)),
        }
    }

    fn write(&mut self, entry: &Entry) -> Result<()> {
        let blocks = encode(entry);
        if blocks.len() as u64 > RECORDS_BYTES {
            let (name, most) = (self.shown(&entry.name), RECORDS_BYTES);
            return Err(Error::content(format!(
                "{name} has attributes of {} bytes, at most {most} can be carried",
                blocks.len()
            )));
        }
        self.put(&blocks)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(Error::io("writing a temporary file"))
    }

    fn unchanged(&self, file: &File, before: &Stat, name: &[u8]) -> Result<()> {
        let facts = |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec);
        let after = Made::Open(file).stat().map_err(self.reading(name))?;
        if facts(before) == facts(&after) { Ok(()) } else { Err(self.changed(name)) }
    }

    fn cut_short(&self, name: &[u8], error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.changed(name),
            _ => self.reading(name)(error),
        }
    }

    fn changed(&self, name: &[u8]) -> Error {
        Error::environment(format!("{} changed while it was read", self.shown(name)))
            .with_hint("stop what writes there, or read a snapshot")
    }

    fn reading(&self, name: &[u8]) -> impl FnOnce(io::Error) -> Error + use<> {
        Error::io(format!("reading {}", self.shown(name)))
    }

    fn path(&self, name: &[u8]) -> PathBuf {
        self.root.join(OsStr::from_bytes(name))
    }

    fn shown(&self, name: &[u8]) -> String {
        let path = if name.is_empty() || name == ROOT { self.root.to_path_buf() } else { self.path(name) };
        shown(path.as_os_str().as_bytes())
    }
}

fn children(folder: &File) -> io::Result<Vec<Vec<u8>>> {
    let mut children = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            children.push(name);
        }
    }
    children.sort();
    Ok(children)
}

#[cfg(test)]
mod tests;
