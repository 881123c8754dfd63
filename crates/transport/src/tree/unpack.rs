//! A stream to a folder; nothing outside of it is ever written.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use delta_codec::ReadAt;
use delta_core::error::{Error, Result};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::choices::Keep;
use super::content::{self, CHUNK};
use super::dress::{Made, dress, forget_lists};
use super::entries::{self, Entries, LocatedEntry};
use super::entry::{Entry, Kind, ROOT, shown};
use super::header::invalid;
use super::losses::{Loss, Losses, Lost};
use super::place::{Place, open_folder};
use crate::system;

/// Makes what the stream says in the empty folder `root`, and says what could not be given back.
///
/// # Errors
/// Content errors for a stream that is none; environment errors for what cannot be made, and for what could not be given
/// back and has to be, as `keep` says.
pub fn unpack(stream: &dyn ReadAt, root: &Path, keep: Keep) -> Result<Vec<Lost>> {
    let doing = || Error::io(format!("writing {}", root.display()));
    let place = Place::new(root).map_err(doing())?;
    let mut maker = Maker { stream, place, keep, losses: Losses::default(), buffer: vec![0; CHUNK] };
    forget_lists(&maker.open(ROOT).map_err(doing())?).map_err(doing())?;
    let mut folders = Vec::new();
    let mut entries = Entries::new(stream);
    while let Some(found) = entries.next().map_err(Error::io("reading the tree"))? {
        if found.entry.kind == Kind::Folder {
            folders.push(found.at);
        }
        maker.make(&found).map_err(|error| maker.failed(&found.entry, error))?;
    }
    // Times of folders change with what is written into them, and permissions may forbid it: both are set last.
    for at in folders.into_iter().rev() {
        let LocatedEntry { entry, .. } = entries::read(stream, at).map_err(Error::io("reading the tree"))?;
        maker.dress_folder(&entry).map_err(|error| maker.failed(&entry, error))?;
    }
    maker.losses.finish("NEW cannot be made as it should be")
}

struct Maker<'a> {
    stream: &'a dyn ReadAt,
    place: Place,
    keep: Keep,
    losses: Losses,
    buffer: Vec<u8>,
}

impl Maker<'_> {
    /// Makes an entry and dresses it, unless it is a folder.
    fn make(&mut self, found: &LocatedEntry) -> io::Result<()> {
        let entry = &found.entry;
        match &entry.kind {
            Kind::Folder => self.folder(&entry.name),
            Kind::File(_) | Kind::Sparse { .. } => self.file(found),
            Kind::HardLink(target) => self.hard_link(target, &entry.name),
            Kind::SymbolicLink(target) => {
                let (folder, leaf) = self.place.of(&entry.name)?;
                rustix::fs::symlinkat(OsStr::from_bytes(target), folder, OsStr::from_bytes(leaf))?;
                self.dress_other(entry)
            }
            Kind::Fifo => self.node(entry, FileType::Fifo, (0, 0)),
            Kind::Character(major, minor) => self.node(entry, FileType::CharacterDevice, (*major, *minor)),
            Kind::Block(major, minor) => self.node(entry, FileType::BlockDevice, (*major, *minor)),
        }
    }

    fn folder(&mut self, name: &[u8]) -> io::Result<()> {
        if name == ROOT {
            return Ok(());
        }
        let (folder, leaf) = self.place.of(name)?;
        Ok(rustix::fs::mkdirat(folder, OsStr::from_bytes(leaf), Mode::RWXU)?)
    }

    fn file(&mut self, found: &LocatedEntry) -> io::Result<()> {
        let entry = &found.entry;
        let (folder, leaf) = self.place.of(&entry.name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(folder, OsStr::from_bytes(leaf), flags, Mode::RUSR | Mode::WUSR)?);
        if let Kind::Sparse { size, .. } = entry.kind {
            file.set_len(size)?;
        }
        let from = found.content.data(&entry.kind);
        content::write(self.stream, from, &found.content.spans, &mut self.buffer, &file)?;
        dress(Made::Open(&file), &entry.name, &entry.facts, self.keep, &mut self.losses)
    }

    fn hard_link(&mut self, target: &[u8], name: &[u8]) -> io::Result<()> {
        let (from, old) = self.place.of(target)?;
        let from: OwnedFd = from.try_clone_to_owned()?;
        let (folder, leaf) = self.place.of(name)?;
        let (old, new) = (OsStr::from_bytes(old), OsStr::from_bytes(leaf));
        match rustix::fs::statat(&from, old, AtFlags::SYMLINK_NOFOLLOW) {
            // The other name of a device that could not be made.
            Err(Errno::NOENT) if self.losses.has(&Loss::Device) || !self.keep.devices => Ok(()),
            Err(Errno::NOENT) => Err(invalid("it is a hard link to nothing".to_owned())),
            Ok(found) if FileType::from_raw_mode(found.st_mode).is_dir() => {
                Err(invalid("it is a hard link to a folder".to_owned()))
            }
            found => {
                found?;
                Ok(rustix::fs::linkat(from, old, folder, new, AtFlags::empty())?)
            }
        }
    }

    fn node(&mut self, entry: &Entry, kind: FileType, (major, minor): (u32, u32)) -> io::Result<()> {
        let is_device = kind != FileType::Fifo;
        if is_device && !self.keep.devices {
            return Ok(());
        }
        let (folder, leaf) = self.place.of(&entry.name)?;
        let device = rustix::fs::makedev(major, minor);
        match system::make_node(folder, OsStr::from_bytes(leaf), kind, device) {
            Err(Errno::PERM) if is_device => {
                self.losses.add(Loss::Device, &entry.name, &Errno::PERM.into());
                Ok(())
            }
            done => {
                done?;
                self.dress_other(entry)
            }
        }
    }

    fn dress_other(&mut self, entry: &Entry) -> io::Result<()> {
        let path = self.place.path(&entry.name);
        let (folder, leaf) = self.place.of(&entry.name)?;
        let made = match entry.kind {
            Kind::SymbolicLink(_) => Made::Link(folder, leaf, &path),
            _ => Made::Node(folder, leaf, &path),
        };
        dress(made, &entry.name, &entry.facts, self.keep, &mut self.losses)
    }

    fn dress_folder(&mut self, entry: &Entry) -> io::Result<()> {
        let folder = self.open(&entry.name)?;
        dress(Made::Open(&folder), &entry.name, &entry.facts, self.keep, &mut self.losses)
    }

    fn open(&mut self, name: &[u8]) -> io::Result<File> {
        let (folder, leaf) = self.place.of(name)?;
        open_folder(folder, leaf).map(File::from)
    }

    /// Streams that lead through what is no folder are wrong; everything else is the file system's.
    fn failed(&self, entry: &Entry, error: io::Error) -> Error {
        let name = shown(self.place.path(&entry.name).as_os_str().as_bytes());
        let doing = format!("writing {name}");
        let leads_away = [Errno::NOTDIR, Errno::LOOP].map(|errno| Some(errno.raw_os_error()));
        if leads_away.contains(&error.raw_os_error()) {
            return Error::content(format!("{doing}: the tree leads out of the folder"));
        }
        Error::io(doing)(error)
    }
}

#[cfg(test)]
mod tests;
