//! Files that must not change while they are read.
//!
//! A difference that was made against a file while somebody wrote into it fits neither what the file was nor what it is. Folders look after
//! themselves (`tree::pack`), and what is named by a digest cannot be mistaken.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use delta_core::error::{Error, Kind, Result};

use crate::system::{self, Version};

/// Files, and what they were when the run began.
#[derive(Debug, Default)]
pub struct Unchanged(Mutex<Vec<Noted>>);

#[derive(Debug)]
struct Noted {
    path: PathBuf,
    /// The file itself, whatever its name becomes.
    file: File,
    before: Version,
}

impl Unchanged {
    /// Notes what a regular file is now; opening anything else will tell what is wrong with it.
    pub fn add(&self, path: &Path) {
        if !fs::metadata(path).is_ok_and(|found| found.is_file()) {
            return;
        }
        if let Ok(file) = system::open_to_look(path)
            && let Ok(before) = system::version(&file)
        {
            let noted = Noted { path: path.to_owned(), file, before };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
        }
    }

    /// Fails when a file is not what it was.
    ///
    /// # Errors
    /// An environment error that names the file.
    pub fn require_unchanged(&self) -> Result<()> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(changed) = noted.iter().find(|noted| noted.is_changed()) else { return Ok(()) };
        Err(Error::environment(format!("{} changed while it was read", changed.path.display()))
            .with_hint("wait until what writes there is done, or read a copy"))
    }

    /// What seems to be wrong with bytes that changed while they were read is no fault of them.
    pub fn explained(&self, error: Error) -> Error {
        match (error.kind(), self.require_unchanged()) {
            (Kind::Content | Kind::Internal, Err(changed)) => changed,
            _ => error,
        }
    }
}

impl Noted {
    /// By length and by the times of its content and of its facts, as `tree::pack` does it.
    fn is_changed(&self) -> bool {
        system::version(&self.file).is_ok_and(|now| now != self.before)
    }
}

#[cfg(test)]
mod tests;
