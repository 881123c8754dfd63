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
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn changes_of_every_kind_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let later = || std::thread::sleep(std::time::Duration::from_millis(20));
        let changes: [(&str, &dyn Fn()); 3] = [
            ("shorter", &|| File::options().write(true).open(&path).unwrap().set_len(3).unwrap()),
            ("longer", &|| File::options().append(true).open(&path).unwrap().write_all(b"more").unwrap()),
            ("other", &|| File::options().write(true).open(&path).unwrap().write_all(b"other").unwrap()),
        ];
        for (what, change) in changes {
            fs::write(&path, b"bytes").unwrap();
            let files = Unchanged::default();
            files.add(&path);
            files.require_unchanged().unwrap();
            let content = || Error::content("damaged");
            assert_eq!(files.explained(content()).kind(), Kind::Content);
            later();
            change();
            let error = files.require_unchanged().unwrap_err();
            assert!(error.kind() == Kind::Environment && error.to_string().contains("changed"), "{what}: {error}");
            assert_eq!(files.explained(content()).kind(), Kind::Environment, "{what}");
            assert_eq!(files.explained(Error::usage("other")).kind(), Kind::Usage, "{what}");
        }
    }

    #[test]
    fn nothing_but_files_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let files = Unchanged::default();
        for path in [folder.path(), Path::new("/dev/null"), Path::new("-"), &folder.path().join("missing")] {
            files.add(path);
        }
        fs::write(folder.path().join("missing"), b"it came").unwrap();
        files.require_unchanged().unwrap();
    }
}
