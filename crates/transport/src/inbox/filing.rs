//! Moves what was dealt with, and writes beside it what came of it.
//!
//! All files of an arrival are moved, or none. What is to be moved is written down first, and a run that finds it there ends what another one, that was
//! killed, began.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use delta_core::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::arrival::{Arrival, Facts};
use super::{Inbox, folders};
use crate::limits::{FILED_UNDER_ONE_NAME, FILING_BYTES};

/// What is being moved.
const PLAN: &str = "filing.json";

/// The report until it has its name.
const REPORT: &str = "report.json";

/// The longest name of a file on Linux.
const LONGEST_NAME: usize = 255;

/// Where arrivals go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drawer {
    /// What was applied.
    Done,
    /// What was refused.
    Failed,
}

impl Drawer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Done, Self::Failed];

    /// What its folder is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// What the name of a report in it ends in.
    const fn report_ending(self) -> &'static str {
        match self {
            Self::Done => ".json",
            Self::Failed => ".error.json",
        }
    }
}

/// Where something is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filed {
    /// The package, or its volumes without their numbers.
    pub package: String,
    /// What came of it.
    pub report: String,
    /// Files that were not moved, because others had taken their names meanwhile.
    pub left: Vec<String>,
}

/// What is to be moved, as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct FilingPlan {
    drawer: Drawer,
    /// The name of the package there.
    package: Vec<u8>,
    /// The name of the report there.
    report: Vec<u8>,
    moves: Vec<Move>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Move {
    from: Vec<u8>,
    to: Vec<u8>,
    id: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
}

impl Move {
    /// Whether a file is the one that is meant.
    fn is_of(&self, facts: &Facts) -> bool {
        let meant = Facts { id: self.id, bytes: self.bytes, modified: self.modified, changed: facts.changed };
        meant.is_same_content(facts)
    }
}

impl Inbox {
    /// Moves an arrival into a drawer, and writes the report beside it. Names that are taken there get a number.
    ///
    /// # Errors
    /// Environment errors when one of its files cannot be moved; all are then where they were.
    pub fn file(&self, arrival: &Arrival, drawer: Drawer, report: &str) -> Result<Filed> {
        let doing = || Error::io(format!("moving {} to {}", self.shown(&arrival.name), drawer.name()));
        let folder = self.drawer(drawer)?;
        let plan = planned(arrival, drawer, folder.as_fd()).map_err(doing())?;
        let text = serde_json::to_vec(&plan).map_err(|error| Error::internal(error.to_string()))?;
        self.own.write(REPORT, report.as_bytes()).and_then(|()| self.own.write(PLAN, &text)).map_err(doing())?;
        self.carry_out(&plan, folder.as_fd()).map_err(|error| doing()(error).with_hint(
            "both folders must lie on one file system, and the file must not be somebody else's in a folder with the sticky bit",
        ))
    }

    /// Ends what a run that was killed began.
    pub(super) fn end_what_was_begun(&self) -> Result<()> {
        let doing = || Error::io(format!("moving what was left half moved in {}", self.path.display()));
        let Some(text) = self.own.read(PLAN, FILING_BYTES).map_err(doing())? else { return Ok(()) };
        // It was written in one step, by us: what cannot be read is of another version.
        let Ok(plan) = serde_json::from_slice::<FilingPlan>(&text) else { return self.forget_plan().map_err(doing()) };
        let folder = self.drawer(plan.drawer)?;
        self.carry_out(&plan, folder.as_fd()).map(drop).map_err(doing())
    }

    /// Opens a drawer; it is made where somebody removed it.
    pub(super) fn drawer(&self, drawer: Drawer) -> Result<OwnedFd> {
        let path = self.path.join(drawer.name());
        let doing = || Error::io(format!("opening {}", path.display()));
        let folder = folders::make(self.folder.as_fd(), OsStr::new(drawer.name()), 0o755).map_err(|error| {
            doing()(error)
                .with_hint("it must be a folder, and no link to one, that the user who watches can write into")
        })?;
        let device = rustix::fs::fstat(&folder).map_err(|error| doing()(error.into()))?;
        if Facts::of(&device).id.0 != self.id.0 {
            return Err(Error::environment(format!(
                "{} is on another file system than {}",
                path.display(),
                self.path.display()
            ))
            .with_hint("what is moved there must not be copied half; move it on from there by yourself"));
        }
        Ok(folder)
    }

    fn carry_out(&self, plan: &FilingPlan, drawer: BorrowedFd<'_>) -> io::Result<Filed> {
        let report = OsStr::from_bytes(&plan.report);
        // In a second try it is there already.
        if folders::stat(self.own.as_fd(), OsStr::new(REPORT))?.is_some() {
            folders::rename_to_free((self.own.as_fd(), OsStr::new(REPORT)), (drawer, report))
                .or_else(|error| self.forget_plan().and(Err(error)))?;
        }
        let mut left = Vec::new();
        for (number, one) in plan.moves.iter().enumerate() {
            match self.carry_out_one(one, drawer) {
                Ok(true) => {}
                Ok(false) => left.push(String::from_utf8_lossy(&one.from).into_owned()),
                Err(error) => {
                    self.take_back(&plan.moves[..number], drawer);
                    folders::remove(drawer, report)?;
                    self.forget_plan()?;
                    return Err(error);
                }
            }
        }
        folders::flush(drawer)?;
        folders::flush(self.folder.as_fd())?;
        self.forget_plan()?;
        let path = self.path.join(plan.drawer.name());
        let shown = |name: &[u8]| path.join(OsStr::from_bytes(name)).display().to_string();
        Ok(Filed { package: shown(&plan.package), report: shown(&plan.report), left })
    }

    /// Moves one file, unless another one has its name now, or it was moved before.
    fn carry_out_one(&self, one: &Move, drawer: BorrowedFd<'_>) -> io::Result<bool> {
        let (from, to) = (OsStr::from_bytes(&one.from), OsStr::from_bytes(&one.to));
        let is_meant = |folder, name| {
            Ok::<_, io::Error>(folders::stat(folder, name)?.is_some_and(|found| one.is_of(&Facts::of(&found))))
        };
        if !is_meant(self.folder.as_fd(), from)? {
            return is_meant(drawer, to);
        }
        folders::rename_to_free((self.folder.as_fd(), from), (drawer, to))?;
        if !is_meant(drawer, to)? {
            // It took the name in between; it was not dealt with, and is an arrival of its own.
            folders::rename_to_free((drawer, to), (self.folder.as_fd(), from))?;
            return Ok(false);
        }
        Ok(true)
    }

    /// What was moved goes back to where it was, as far as that is free.
    fn take_back(&self, moves: &[Move], drawer: BorrowedFd<'_>) {
        for one in moves.iter().rev() {
            let (from, to) = (OsStr::from_bytes(&one.from), OsStr::from_bytes(&one.to));
            // What stays in the drawer is not lost; the error that led here is told.
            let _ = folders::rename_to_free((drawer, to), (self.folder.as_fd(), from));
        }
    }

    fn forget_plan(&self) -> io::Result<()> {
        [PLAN, REPORT].iter().try_for_each(|name| folders::remove(self.own.as_fd(), OsStr::new(name)))
    }
}

/// Which names the files get: the same, or with the first number under which all are free.
fn planned(arrival: &Arrival, drawer: Drawer, folder: BorrowedFd<'_>) -> io::Result<FilingPlan> {
    for number in 1..FILED_UNDER_ONE_NAME {
        let plan = FilingPlan::numbered(arrival, drawer, number);
        if plan.is_free(folder)? {
            return Ok(plan);
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{FILED_UNDER_ONE_NAME} are called so already")))
}

impl FilingPlan {
    fn numbered(arrival: &Arrival, drawer: Drawer, number: u32) -> Self {
        let stem = arrival.name.as_bytes();
        let endings: Vec<&[u8]> = arrival.parts.iter().map(|part| behind(&part.name, stem)).collect();
        let longest = endings.iter().map(|ending| ending.len()).chain([drawer.report_ending().len()]).max();
        let package = numbered(stem, number, LONGEST_NAME - longest.unwrap_or_default().min(LONGEST_NAME));
        let with = |ending: &[u8]| [&package, ending].concat();
        let moves = arrival.parts.iter().zip(&endings).map(|(part, ending)| Move {
            from: part.name.as_bytes().to_vec(),
            to: with(ending),
            id: part.facts.id,
            bytes: part.facts.bytes,
            modified: part.facts.modified,
        });
        Self { drawer, report: with(drawer.report_ending().as_bytes()), moves: moves.collect(), package }
    }

    fn is_free(&self, folder: BorrowedFd<'_>) -> io::Result<bool> {
        for name in self.moves.iter().map(|one| &one.to).chain([&self.package, &self.report]) {
            if folders::stat(folder, OsStr::from_bytes(name))?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What the name of a file has behind that of its package.
fn behind<'a>(name: &'a OsStr, stem: &[u8]) -> &'a [u8] {
    name.as_bytes().strip_prefix(stem).unwrap_or_default()
}

/// A name with a number before its ending, from the second on, and no longer than `most` bytes.
fn numbered(name: &[u8], number: u32, most: usize) -> Vec<u8> {
    let path = Path::new(OsStr::from_bytes(name));
    let ending = path.extension().map_or_else(Vec::new, |ending| [b".", ending.as_bytes()].concat());
    let stem = &name[..name.len() - ending.len()];
    let mark = if number == 1 { Vec::new() } else { format!("-{number}").into_bytes() };
    let room = most.saturating_sub(mark.len() + ending.len());
    let cut = if stem.len() <= room { stem.len() } else { at_a_character(stem, room) };
    [&stem[..cut], &mark, &ending].concat()
}

/// The end of the last character that is whole before `most`.
fn at_a_character(name: &[u8], most: usize) -> usize {
    (0..=most).rev().find(|&at| name.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
