//! The way to the final name: all bytes first, on the disk, then the name.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use delta_core::error::{Error, Result};

use super::read_back::{self, Blocks};
use super::{Destination, Place, Product, folder_of};
use crate::holes::HoleWriter;
use crate::limits::READ_BACK_BLOCK;
use crate::partial::Partial;
use crate::placed::PlacedFile;
use crate::refusals::{NotingRefusals, Refusals};
use crate::spool::TempScratch;
use crate::system;

impl Destination {
    /// Lets `fill` write a file, which gets its name when all of it is on the disk. A package or difference goes to a device
    /// or standard output only when it is whole; larger things are streamed.
    ///
    /// # Errors
    /// What `fill` returns and what the file system reports; nothing is left then.
    pub fn write_file<T>(&self, scratch: &TempScratch, fill: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let doing = || self.failed();
        let stream = match &self.place {
            Place::Name { path, replaced } => {
                let mut partial = Partial::file(folder_of(path)).map_err(doing())?;
                if self.is_executable {
                    let found = partial.open().metadata().map_err(doing())?;
                    if let Some(mode) = system::mode(&found) {
                        // File systems without permissions, as sticks have them, refuse that; a shell runs the file all the same.
                        let _ = system::set_mode(partial.open(), mode | ((mode & 0o444) >> 2));
                    }
                    partial.keep_permissions();
                }
                let mut blocks = self.blocks();
                let result = self.fill(partial.open(), |out| fill(&mut Noting { out, blocks: blocks.as_mut() }))?;
                partial.open().sync_all().map_err(doing())?;
                self.compare(blocks, &partial)?;
                partial.put_in_place(path, *replaced).map_err(doing())?;
                return Ok(result);
            }
            Place::Stdout => crate::stdout::get(),
            Place::Stream(path) => OpenOptions::new().write(true).open(path),
        };
        let mut stream = stream.map_err(doing())?;
        if !matches!(self.product, Product::Package | Product::Delta) {
            return self.fill(&stream, fill);
        }
        let mut whole = tempfile::tempfile_in(scratch.folder()).map_err(Error::io("making a temporary file"))?;
        let result = self.fill(&whole, fill)?;
        whole.rewind().and_then(|()| copy(&mut whole, &mut stream)).map_err(doing())?;
        Ok(result)
    }

    /// As [`Self::write_file`], and lets `dress` give the file what it shall be besides its bytes, if it is one. Long runs of
    /// zeros in it become holes.
    ///
    /// # Errors
    /// As [`Self::write_file`], and what `dress` returns.
    pub fn write_dressed<T>(
        &self,
        scratch: &TempScratch,
        fill: impl FnOnce(&mut dyn Write) -> Result<()>,
        dress: impl FnOnce(&File) -> Result<T>,
    ) -> Result<Option<T>> {
        let Place::Name { path, replaced } = &self.place else {
            return self.write_file(scratch, fill).map(|()| None);
        };
        let mut partial = Partial::file(folder_of(path)).map_err(self.failed())?;
        let mut out = HoleWriter::new(partial.open().try_clone().map_err(self.failed())?);
        let mut blocks = self.blocks();
        fill(&mut Noting { out: &mut out, blocks: blocks.as_mut() })?;
        out.finish().map_err(self.failed())?;
        let dressed = dress(partial.open())?;
        partial.keep_permissions();
        partial.open().sync_all().map_err(self.failed())?;
        self.compare(blocks, &partial)?;
        partial.put_in_place(path, *replaced).map_err(self.failed())?;
        Ok(Some(dressed))
    }

    /// Whether it is a file that can be written at any place of it. What is read back is compared with what was written in its order.
    pub(crate) const fn is_seekable(&self) -> bool {
        matches!(self.place, Place::Name { .. }) && !self.reads_back
    }

    /// As [`Self::write_file`], for a file of `length` bytes that is written at any place, and is all zeros until then.
    ///
    /// # Errors
    /// As [`Self::write_file`].
    pub(crate) fn write_seekable(&self, length: u64, fill: impl FnOnce(&Arc<PlacedFile>) -> Result<()>) -> Result<()> {
        let Place::Name { path, replaced } = &self.place else {
            return Err(Error::internal(format!("{self} is written from front to back")));
        };
        let doing = || self.failed();
        let partial = Partial::file(folder_of(path)).map_err(doing())?;
        let file = partial.open().try_clone().and_then(|file| PlacedFile::new(file, self.shown.clone(), length));
        let file = Arc::new(file.map_err(doing())?);
        fill(&file).map_err(|error| file.refusals().instead_of(error, |_, refused| doing()(refused)))?;
        partial.open().sync_all().map_err(doing())?;
        partial.put_in_place(path, *replaced).map_err(doing())
    }

    /// Lets `fill` fill a folder, which gets its name when all in it is on the disk.
    ///
    /// # Errors
    /// As [`Self::write_file`].
    pub fn write_folder<T>(&self, fill: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let doing = || self.failed();
        let Place::Name { path, replaced } = &self.place else {
            return Err(Error::internal(format!("{self} takes no folder")));
        };
        let partial = Partial::folder(folder_of(path)).map_err(doing())?;
        let folder = partial.path().ok_or_else(|| Error::internal("a folder without a name"))?;
        let result = fill(folder)?;
        let meant = self.reads_back.then(|| read_back::Folder::of(folder)).transpose().map_err(self.not_read_back())?;
        system::flush_tree(partial.open(), folder).map_err(doing())?;
        let bad = meant.map(read_back::Folder::first_bad).transpose().map_err(self.not_read_back())?.flatten();
        if let Some((path, offset)) = bad {
            let inside = path.strip_prefix(folder).unwrap_or(&path).display();
            return Err(other_bytes(&format!("{inside} in {}", self.shown), offset));
        }
        partial.put_in_place(path, *replaced).map_err(doing())?;
        Ok(result)
    }

    fn fill<T>(&self, file: &File, fill: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let refusals = Arc::new(Refusals::default());
        let mut out = NotingRefusals::new(file, self.shown.clone(), refusals.clone());
        let result = fill(&mut out).and_then(|result| {
            out.flush().map_err(self.failed())?;
            Ok(result)
        });
        // What is held back goes nowhere when filling failed.
        out.discard();
        result.map_err(|error| refusals.instead_of(error, |_, refused| self.failed()(refused)))
    }

    fn blocks(&self) -> Option<Blocks> {
        self.reads_back.then(Blocks::default)
    }

    fn compare(&self, blocks: Option<Blocks>, partial: &Partial) -> Result<()> {
        let first_bad = |blocks: Blocks| blocks.first_bad(partial.open(), partial.path());
        let bad = blocks.map(first_bad).transpose().map_err(self.not_read_back())?.flatten();
        bad.map_or(Ok(()), |offset| Err(other_bytes(&self.shown, offset)))
    }

    fn not_read_back(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        let doing = format!("reading {} back from the medium", self.shown);
        move |error| Error::io(doing)(error).with_hint("try another medium, or copy it there by other means")
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        let shown = self.shown.clone();
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::io(format!("writing {shown}"))(error)
                .with_hint("free some room, or name a place with more of it"),
            io::ErrorKind::FileTooLarge => Error::io(format!("writing {shown}"))(error).with_hint(
                "the file system there takes no file of this size (FAT32: less than 4 GiB); format it as exFAT or ext4",
            ),
            io::ErrorKind::AlreadyExists => {
                Error::environment(format!("writing {shown}: something else came to be there meanwhile"))
                    .with_hint("look what it is; nothing of it was changed")
            }
            _ => Error::io(format!("writing {shown}"))(error),
        }
    }
}

/// The medium took what it does not give back.
fn other_bytes(what: &str, offset: u64) -> Error {
    Error::environment(format!(
        "the medium gives back other bytes than were written to it: {what}, in the {READ_BACK_BLOCK} bytes from byte {offset}"
    ))
    .with_hint("nothing was left there; use another medium: this one may be worn out, or smaller than it says")
}

/// Notes what is written, for a comparison later.
struct Noting<'a> {
    out: &'a mut dyn Write,
    blocks: Option<&'a mut Blocks>,
}

impl Write for Noting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        if let Some(blocks) = &mut self.blocks {
            blocks.write_all(&bytes[..count])?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    io::copy(from, to)?;
    to.flush()
}
