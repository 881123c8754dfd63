//! A folder to a tar stream.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};
use tar::{Builder, EntryType, Header};

use super::XATTR;

/// How much of a folder goes into the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Names, types and contents.
    Content,
    /// Also permissions, owners, times to the nanosecond, hard links and extended attributes.
    Everything,
}

/// Writes what is in `root`, sorted by name, each folder before what is in it.
pub(crate) fn pack(root: &Path, detail: Detail, out: &mut dyn Write) -> Result<()> {
    let mut packer = Packer { builder: Builder::new(out), detail, links: BTreeMap::new() };
    packer.entry(root, Path::new("."))?;
    packer.folder(root, Path::new(""))?;
    packer.builder.into_inner().and_then(|out| out.flush()).map_err(Error::io("writing a tar stream"))
}

struct Packer<W: Write> {
    builder: Builder<W>,
    detail: Detail,
    /// For a file with several names: device and inode, and the name that holds its content.
    links: BTreeMap<(u64, u64), PathBuf>,
}

impl<W: Write> Packer<W> {
    fn folder(&mut self, path: &Path, name: &Path) -> Result<()> {
        let doing = || Error::io(format!("reading the folder {}", path.display()));
        let listed = fs::read_dir(path).map_err(doing())?;
        let mut children: Vec<OsString> =
            listed.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<_>>().map_err(doing())?;
        children.sort();
        for child in children {
            let (path, name) = (path.join(&child), name.join(&child));
            self.entry(&path, &name)?;
            if fs::symlink_metadata(&path).map_err(doing())?.is_dir() {
                self.folder(&path, &name)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, name: &Path) -> Result<()> {
        let doing = || Error::io(format!("reading {}", path.display()));
        let metadata = fs::symlink_metadata(path).map_err(doing())?;
        let mut header = Header::new_ustar();
        header.set_entry_type(kind(&metadata, path)?);
        header.set_size(0);
        if self.detail == Detail::Everything {
            header.set_mode(metadata.mode() & 0o7777);
            header.set_uid(u64::from(metadata.uid()).min(0o777_7777));
            header.set_gid(u64::from(metadata.gid()).min(0o777_7777));
            header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0).min(0o777_7777_7777));
        }
        let link = self.link(path, name, &metadata).map_err(doing())?;
        if metadata.is_file() && link.is_some() {
            header.set_entry_type(EntryType::Link);
        }
        self.extensions(path, name, &metadata, link.as_deref()).map_err(doing())?;
        self.body(path, &metadata, header).map_err(doing())
    }

    /// Where a symbolic link points, or the first name of a file with several.
    fn link(&mut self, path: &Path, name: &Path, metadata: &Metadata) -> io::Result<Option<PathBuf>> {
        if metadata.is_symlink() {
            return fs::read_link(path).map(Some);
        }
        if !metadata.is_file() || metadata.nlink() == 1 {
            return Ok(None);
        }
        match self.links.entry((metadata.dev(), metadata.ino())) {
            Entry::Occupied(first) => Ok(Some(first.get().clone())),
            Entry::Vacant(first) => {
                first.insert(name.to_path_buf());
                Ok(None)
            }
        }
    }

    /// The pax records for what does not fit into a header (POSIX.1-2017, pax, "pax Header Block").
    fn extensions(&mut self, path: &Path, name: &Path, metadata: &Metadata, link: Option<&Path>) -> io::Result<()> {
        let mut records: Vec<(String, Vec<u8>)> = vec![("path".to_owned(), name.as_os_str().as_bytes().to_vec())];
        records.extend(link.map(|link| ("linkpath".to_owned(), link.as_os_str().as_bytes().to_vec())));
        let size = if metadata.is_file() { metadata.len() } else { 0 };
        if size >= 1 << 33 {
            records.push(("size".to_owned(), size.to_string().into_bytes()));
        }
        if self.detail == Detail::Everything {
            records.push(("mtime".to_owned(), time(metadata.mtime(), metadata.mtime_nsec()).into_bytes()));
            records.push(("uid".to_owned(), metadata.uid().to_string().into_bytes()));
            records.push(("gid".to_owned(), metadata.gid().to_string().into_bytes()));
            records.extend(attributes(path)?);
        }
        let records: Vec<(&str, &[u8])> = records.iter().map(|(key, value)| (key.as_str(), value.as_slice())).collect();
        self.builder.append_pax_extensions(records)
    }

    fn body(&mut self, path: &Path, metadata: &Metadata, mut header: Header) -> io::Result<()> {
        header.set_path("entry")?;
        match header.entry_type() {
            EntryType::Regular => {
                header.set_size(metadata.len());
                header.set_cksum();
                // A file that grows meanwhile must not spill into the next entry.
                return self.builder.append(&header, File::open(path)?.take(metadata.len()));
            }
            EntryType::Block | EntryType::Char => {
                header.set_device_major(rustix::fs::major(metadata.rdev()))?;
                header.set_device_minor(rustix::fs::minor(metadata.rdev()))?;
            }
            _ => {}
        }
        header.set_cksum();
        self.builder.append(&header, io::empty())
    }
}

fn kind(metadata: &Metadata, path: &Path) -> Result<EntryType> {
    let kind = metadata.file_type();
    Ok(if kind.is_file() {
        EntryType::Regular
    } else if kind.is_dir() {
        EntryType::Directory
    } else if kind.is_symlink() {
        EntryType::Symlink
    } else if kind.is_fifo() {
        EntryType::Fifo
    } else if kind.is_char_device() {
        EntryType::Char
    } else if kind.is_block_device() {
        EntryType::Block
    } else {
        return Err(Error::content(format!("{} is a socket, which cannot be carried", path.display()))
            .with_hint("remove it, or stop the program that listens there"));
    })
}

fn attributes(path: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut names: Vec<OsString> = match xattr::list(path) {
        Ok(names) => names.collect(),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Vec::new(),
        Err(error) => return Err(error),
    };
    names.sort();
    let record = |name: OsString| {
        let value = xattr::get(path, &name)?.unwrap_or_default();
        Ok((format!("{XATTR}{}", name.to_string_lossy()), value))
    };
    names.into_iter().map(record).collect()
}

/// Seconds with nine decimals; before 1970 with a minus sign.
fn time(seconds: i64, nanoseconds: i64) -> String {
    if seconds < 0 && nanoseconds > 0 {
        let seconds = -(seconds + 1);
        return format!("-{seconds}.{:09}", 1_000_000_000 - nanoseconds);
    }
    format!("{seconds}.{nanoseconds:09}")
}
