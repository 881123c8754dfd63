//! What stands in the place of trees where the system does not keep what a tree is: owners, permissions, attributes, links.
//!
//! A folder is refused. A file goes without what it is besides its bytes, as one that came through a pipe.

mod choices;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::error::{Error, Result};
use delta_core::facts::Facts;

pub use choices::{Detail, Keep};

/// Everything of one kind that could not be given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What.
    pub what: String,
    /// Of how many entries.
    pub entries: u64,
    /// The first of them.
    pub first: String,
    /// Why it could not.
    pub why: String,
    /// The option that goes on without it.
    pub option: &'static str,
}

impl std::fmt::Display for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, first, why, .. } = self;
        write!(formatter, "{what} of {first} ({why})")
    }
}

fn refused(folder: &Path) -> Error {
    Error::environment(format!(
        "{} is a folder, and this system does not keep what a difference of folders is of: owners, permissions, links",
        folder.display()
    ))
    .with_hint("name files, or run this on Linux, also in WSL")
}

/// Refuses a folder.
///
/// # Errors
/// Always an environment error.
pub fn pack(root: &Path, _: Detail, _: &mut dyn Write) -> Result<()> {
    Err(refused(root))
}

/// Refuses a folder.
///
/// # Errors
/// Always an environment error.
pub fn check(_: &Arc<dyn ReadAt>, root: &Path) -> Result<()> {
    Err(refused(root))
}

/// Refuses a folder.
///
/// # Errors
/// Always an environment error.
pub fn unpack(_: &dyn ReadAt, root: &Path, _: Keep) -> Result<Vec<Lost>> {
    Err(refused(root))
}

/// What a file is besides its bytes, as far as this system keeps it: nothing.
///
/// # Errors
/// None.
pub fn facts_of_file(_: &File, _: &Path) -> Result<Option<Facts>> {
    Ok(None)
}

/// Says what a file goes without.
///
/// # Errors
/// None.
pub fn dress_file(_: &File, path: &Path, _: &Facts, keep: Keep) -> Result<Vec<Lost>> {
    let is_wanted = keep.owner || keep.permissions || keep.times || keep.attributes;
    let lost = || Lost {
        what: "owner, permissions, time and attributes".to_owned(),
        entries: 1,
        first: path.display().to_string(),
        why: "this system does not keep them".to_owned(),
        option: "--no-owner",
    };
    Ok(is_wanted.then(lost).into_iter().collect())
}
