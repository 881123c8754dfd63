//! What lies in an inbox: which files go through together, and which are no packages.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::Path;

use delta_core::error::{Error, Result};
use delta_envelope::volumes::MAGIC;
use rustix::fs::{Dir, FileType, Stat};

use super::{Drawer, folders};
use crate::digest_file;
use crate::limits::INBOX_NAMES;
use crate::system::FileId;
use crate::volumes::VolumeName;

/// What the name of a signature beside a package ends in.
const SIGNATURE: &str = ".minisig";

/// What programs call files that they have not written wholly.
const UNFINISHED: [&str; 6] = [".partial", ".part", ".tmp", ".temp", ".filepart", ".crdownload"];

/// Files that go through an inbox together: a package, or the volumes of one, and what lies beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What the package is called; of volumes without their numbers.
    pub name: OsString,
    /// The files, those of the package first.
    pub(super) parts: Vec<Part>,
}

/// One file of an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: OsString,
    pub(super) facts: Facts,
    /// Whether it is a volume, and so one of several.
    pub(super) is_volume: bool,
}

/// What tells a file from what it was before, and from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) id: FileId,
    pub(super) bytes: u64,
    /// Seconds and nanoseconds of the clock of the file system.
    pub(super) modified: (i64, i64),
    pub(super) changed: (i64, i64),
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Look {
    /// What may be dealt with, sorted by name.
    pub arrivals: Vec<Arrival>,
    /// What is no package.
    pub passed_over: Vec<PassedOver>,
}

/// Something that stays where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PassedOver {
    /// What it is called.
    pub name: OsString,
    /// What it is, or lacks.
    pub reason: &'static str,
}

impl Facts {
    /// Those of a file.
    #[expect(clippy::useless_conversion, reason = "the fields have other widths on other machines")]
    #[expect(clippy::unnecessary_cast, reason = "the fields have other widths on other machines")]
    pub(super) fn of(found: &Stat) -> Self {
        Self {
            id: (u64::from(found.st_dev), u64::from(found.st_ino)),
            bytes: u64::try_from(found.st_size).unwrap_or_default(),
            modified: (found.st_mtime as i64, found.st_mtime_nsec as i64),
            changed: (found.st_ctime as i64, found.st_ctime_nsec as i64),
        }
    }

    /// Whether it is the same file with the same content, wherever it was moved: that alone changes the time of its facts.
    pub(super) fn is_same_content(&self, other: &Self) -> bool {
        (self.id, self.bytes, self.modified) == (other.id, other.bytes, other.modified)
    }
}

impl Arrival {
    /// The bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.facts.bytes).sum()
    }
}

/// Looks at an open folder.
pub(super) fn look(folder: BorrowedFd<'_>, path: &Path) -> Result<Look> {
    let doing = || Error::io(format!("reading {}", path.display()));
    let mut look = Look::default();
    let mut files = BTreeMap::new();
    for entry in Dir::read_from(folder).map_err(|error| doing()(error.into()))?.take(INBOX_NAMES) {
        let entry = entry.map_err(|error| doing()(error.into()))?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        // What went meanwhile is no fault.
        let Some(found) = folders::stat(folder, name).map_err(doing())? else { continue };
        match reason_to_pass(name, FileType::from_raw_mode(found.st_mode)) {
            Reason::None => drop(files.insert(name.to_owned(), Facts::of(&found))),
            Reason::Ours => {}
            Reason::Told(reason) => look.passed_over.push(PassedOver { name: name.to_owned(), reason }),
        }
    }
    gather(files, &|name| kind_of(folder, name), &mut look);
    look.passed_over.sort();
    Ok(look)
}

enum Reason {
    /// It may be a package.
    None,
    /// It belongs here.
    Ours,
    Told(&'static str),
}

fn reason_to_pass(name: &OsStr, file_type: FileType) -> Reason {
    let is_drawer = Drawer::ALL.iter().any(|drawer| name == drawer.name());
    let bytes = name.as_bytes().to_ascii_lowercase();
    match file_type {
        FileType::Directory if is_drawer || matches!(bytes.as_slice(), b"." | b".." | b".docker_delta-watch") => {
            Reason::Ours
        }
        _ if bytes.starts_with(b".") => Reason::Told("its name starts with a dot"),
        FileType::Directory => Reason::Told("it is a folder"),
        FileType::Symlink => Reason::Told("it is a symbolic link"),
        FileType::RegularFile if UNFINISHED.iter().any(|ending| bytes.ends_with(ending.as_bytes())) => {
            Reason::Told("its name says that it is not written wholly")
        }
        FileType::RegularFile if bytes.starts_with(b"readme") => Reason::Told("it is called like something to read"),
        FileType::RegularFile => Reason::None,
        _ => Reason::Told("it is no regular file"),
    }
}

/// What a file with a number is, by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Volume,
    Package,
    Unknown,
}

fn kind_of(folder: BorrowedFd<'_>, name: &OsStr) -> Kind {
    let mut start = [0; MAGIC.len()];
    let read = folders::open_file(folder, name).and_then(|file| file.read_exact_at(&mut start, 0));
    match read {
        Ok(()) if start == *MAGIC => Kind::Volume,
        Ok(()) if delta_core::package::METADATA.as_bytes().starts_with(&start) => Kind::Package,
        _ => Kind::Unknown,
    }
}

/// Puts together what belongs together. Numbers alone make no volumes: one of them must start like one.
fn gather(files: BTreeMap<OsString, Facts>, kind_of: &dyn Fn(&OsStr) -> Kind, look: &mut Look) {
    let (companions, files): (BTreeMap<_, _>, BTreeMap<_, _>) =
        files.into_iter().partition(|(name, _)| package_of(name).is_some());
    let mut sets: BTreeMap<OsString, Vec<(Part, Kind)>> = BTreeMap::new();
    for (name, facts) in files {
        match VolumeName::parse(Path::new(&name)) {
            Some(volume) => {
                let kind = kind_of(&name);
                let part = Part { name, facts, is_volume: true };
                sets.entry(volume.stem.into_os_string()).or_default().push((part, kind));
            }
            None => look.arrivals.push(single(Part { name, facts, is_volume: false })),
        }
    }
    for (name, parts) in sets {
        let is_set = parts.iter().any(|(_, kind)| *kind == Kind::Volume);
        let (volumes, others): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|(_, kind)| is_set && *kind != Kind::Package);
        look.arrivals.extend(others.into_iter().map(|(part, _)| single(Part { is_volume: false, ..part })));
        if !volumes.is_empty() {
            look.arrivals.push(Arrival { name, parts: volumes.into_iter().map(|(part, _)| part).collect() });
        }
    }
    look.arrivals.sort_by(|one, other| one.name.cmp(&other.name));
    add_companions(companions, look);
}

/// A signature or digest belongs to the file that it is called after, else to the volumes.
fn add_companions(companions: BTreeMap<OsString, Facts>, look: &mut Look) {
    let mut homes: BTreeMap<OsString, usize> = BTreeMap::new();
    let places = || look.arrivals.iter().enumerate();
    homes.extend(places().map(|(place, arrival)| (arrival.name.clone(), place)));
    homes.extend(places().flat_map(|(place, one)| one.parts.iter().map(move |part| (part.name.clone(), place))));
    for (name, facts) in companions {
        let home = package_of(&name).and_then(|package| homes.get(&package));
        match home.and_then(|place| look.arrivals.get_mut(*place)) {
            Some(arrival) => arrival.parts.push(Part { name, facts, is_volume: false }),
            None => {
                look.passed_over.push(PassedOver { name, reason: "the package that it belongs beside is not there" })
            }
        }
    }
}

fn single(part: Part) -> Arrival {
    Arrival { name: part.name.clone(), parts: vec![part] }
}

/// The name of the file that a signature or digest speaks of.
fn package_of(name: &OsStr) -> Option<OsString> {
    let endings = [SIGNATURE, digest_file::ENDING];
    let package = endings.iter().find_map(|ending| name.as_bytes().strip_suffix(ending.as_bytes()))?;
    (!package.is_empty()).then(|| OsString::from_vec(package.to_vec()))
}

#[cfg(test)]
mod tests;
