//! A folder into which packages are dropped, and out of which each goes when it was dealt with: to `done`, or to `failed`.
//!
//! Others may write into the folder, also while it is looked at. So everything here goes through folders that are held open, by names without a
//! slash, and follows no link; what is dealt with is a copy in a folder of our own, which nobody else can enter; and what is moved is compared with
//! what was copied. The folder is looked at again and again instead of asking the system to tell of changes (inotify): network file systems do not tell,
//! and whether a file is whole only its content says.

mod arrival;
mod copy;
mod diary;
mod filing;
mod folders;
mod own;

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};

pub use arrival::{Arrival, Look, PassedOver};
pub use copy::{Copied, Copy};
pub use diary::{Diary, Patience};
pub use filing::{Drawer, Filed};

use crate::system::FileId;
use own::OwnFolder;

/// The folder, held open and locked: there is one of it at a time.
#[derive(Debug)]
pub struct Inbox {
    path: PathBuf,
    folder: OwnedFd,
    id: FileId,
    own: OwnFolder,
}

impl Inbox {
    /// Opens a folder, makes what it needs in it, and ends what a run that was killed began to move.
    ///
    /// # Errors
    /// Usage errors for what is no folder; environment errors when it cannot be written, or is another run's.
    pub fn open(path: &Path) -> Result<Self> {
        let (folder, id) = folders::open_given(path)?;
        let own = OwnFolder::open(path, folder.as_fd())?;
        let inbox = Self { path: path.to_owned(), folder, id, own };
        for drawer in Drawer::ALL {
            inbox.drawer(drawer)?;
        }
        inbox.end_what_was_begun()?;
        Ok(inbox)
    }

    /// Where it is, as the user said it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a path leads to this folder, or to something in it.
    pub fn holds(&self, path: &Path) -> bool {
        let Ok(real) = path.canonicalize() else { return false };
        real.ancestors().any(|above| folders::id_of(above) == Some(self.id))
    }

    /// What is there now.
    ///
    /// # Errors
    /// Environment errors when it cannot be read, or another folder is there under its name.
    pub fn look(&self) -> Result<Look> {
        if folders::id_of(&self.path) != Some(self.id) {
            return Err(Error::environment(format!("{} is not the folder any more that it was", self.path.display()))
                .with_hint("it was removed, replaced or unmounted; start again when it is there"));
        }
        arrival::look(self.folder.as_fd(), &self.path)
    }

    fn shown(&self, name: &OsStr) -> String {
        self.path.join(name).display().to_string()
    }
}
