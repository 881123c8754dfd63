//! The copy of an arrival that is checked and applied: in a folder that nobody else can enter, so that what was checked is what is applied.
//!
//! Whoever may write into an inbox may write into a file of it at any moment, also between the check of its digest and the reading of its content. File systems
//! that can (`copy_file_range`) share the blocks of the two.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};
use rustix::fs::{Dir, fstat};

use super::arrival::{Arrival, Facts, Part};
use super::{Inbox, folders};
use crate::file_system;
use crate::volumes;

const NAME: &str = "copy";

/// The files of an arrival as they were when they were looked at; they go with this.
#[derive(Debug)]
pub struct Copy {
    folder: OwnedFd,
    package: OsString,
    /// The names of volumes that are not there, as far as they are known.
    missing: Vec<String>,
}

/// What came of copying.
#[derive(Debug)]
pub enum Copied {
    /// All of it.
    Whole(Copy),
    /// Somebody writes there, or took it away.
    Changed,
}

impl Copy {
    /// The way to the folder with the files.
    pub fn folder(&self) -> PathBuf {
        folders::way_to(&self.folder)
    }

    /// The name of the package in it, or of one of its volumes.
    pub fn package(&self) -> &OsStr {
        &self.package
    }

    /// The volumes of the set that are not there, or not as long as they should be.
    pub fn missing_volumes(&self) -> &[String] {
        &self.missing
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What cannot be removed now is removed before the next copy is made.
        let _ = clear(self.folder.as_fd());
    }
}

impl Inbox {
    /// Copies what arrived.
    ///
    /// # Errors
    /// Environment errors when there is no room, or a file cannot be read.
    pub fn copy(&self, arrival: &Arrival) -> Result<Copied> {
        let doing = || Error::io(format!("copying {} for ourselves", self.shown(&arrival.name)));
        let folder = folders::make(self.own.as_fd(), OsStr::new(NAME), 0o700).map_err(doing())?;
        clear(folder.as_fd()).map_err(doing())?;
        file_system::require(&self.path, arrival.bytes(), "a copy that nobody else can change").map_err(|error| {
            error.with_hint("free some room there: a watch needs as much as the package that it deals with")
        })?;
        let mut volumes = Vec::new();
        // It clears the folder however this ends.
        let mut copy = Copy { folder, package: OsString::new(), missing: Vec::new() };
        for part in &arrival.parts {
            let Some(file) = copied(self.folder.as_fd(), part, copy.folder.as_fd()).map_err(doing())? else {
                return Ok(Copied::Changed);
            };
            if part.is_volume {
                volumes.push((PathBuf::from(&part.name), file));
            }
        }
        copy.package = arrival.parts.first().map(|part| part.name.clone()).unwrap_or_default();
        copy.missing = volumes::missing(Path::new(&arrival.name), &volumes).map_err(doing())?;
        Ok(Copied::Whole(copy))
    }
}

/// Copies one file; nothing where it is not what it was when it was looked at, before or behind that.
fn copied(from: BorrowedFd<'_>, part: &Part, to: BorrowedFd<'_>) -> io::Result<Option<std::fs::File>> {
    let mut file = match folders::open_file(from, &part.name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let is_unchanged = |file: &std::fs::File| Ok::<_, io::Error>(Facts::of(&fstat(file)?) == part.facts);
    if !is_unchanged(&file)? {
        return Ok(None);
    }
    let mut copy = folders::new_file(to, &part.name, 0o600)?;
    let bytes = io::copy(&mut file, &mut copy)?;
    Ok((is_unchanged(&file)? && bytes == part.facts.bytes).then_some(copy))
}

/// Removes the files of a folder that has nothing else.
fn clear(folder: BorrowedFd<'_>) -> io::Result<()> {
    let names: Vec<OsString> = Dir::read_from(folder)?
        .map(|entry| Ok(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned()))
        .collect::<io::Result<_>>()?;
    names.iter().filter(|name| *name != "." && *name != "..").try_for_each(|name| folders::remove(folder, name))
}

#[cfg(test)]
mod tests;
