//! Files and folders that have no final name yet.
//!
//! A file has no name at all where the file system allows that, so that nothing is left of it however the program ends.
//! Elsewhere, and for folders, it has a random name of fixed length and a lock that ends with the program: what can be
//! locked was left by a program that was killed, and the next run removes it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::system::{self, FileId};

const PREFIX: &str = ".docker_delta-";
const SUFFIX: &str = ".partial";
const RANDOM: usize = 8;

/// What must go when the program is told to stop.
static PENDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes everything that has no final name yet; for a program that is told to stop.
pub fn remove_pending() {
    remove_all(&mut PENDING.lock().unwrap_or_else(PoisonError::into_inner));
}

fn remove_all(pending: &mut Vec<PathBuf>) {
    for path in pending.drain(..) {
        // The program ends: what cannot be removed cannot be reported either.
        let _ = remove(&path);
    }
}

/// A file or folder to be put in place, or removed.
pub(crate) struct Partial {
    folder: PathBuf,
    /// The file, or the folder that holds the lock.
    file: File,
    named: Option<Named>,
    /// Whether it keeps its own permissions when it replaces something.
    dressed: bool,
}

impl Partial {
    /// A new file in `folder`, to be written and read.
    pub(crate) fn file(folder: &Path) -> io::Result<Self> {
        sweep(folder);
        match system::nameless(folder) {
            Ok(file) => {
                // On its way to replace something it has a name for a moment, under which another run must not sweep it away.
                // A file system without locks has none that sweeps either.
                let _ = system::hold_with_others(&file);
                Ok(Self { folder: folder.to_owned(), file, named: None, dressed: false })
            }
            Err(error) if is_unsupported(&error) => {
                Self::locked(folder, |path| OpenOptions::new().read(true).write(true).create_new(true).open(path))
            }
            Err(error) => Err(error),
        }
    }

    /// A new folder in `folder`.
    pub(crate) fn folder(folder: &Path) -> io::Result<Self> {
        sweep(folder);
        Self::locked(folder, system::make_folder)
    }

    fn locked(folder: &Path, make: impl Fn(&Path) -> io::Result<File>) -> io::Result<Self> {
        loop {
            let mut named = None;
            let made = random_name(folder, &mut |path| {
                let file = make(path)?;
                named = Some(Named::new(path.to_owned()));
                Ok(file)
            })?;
            if system::hold(&made)? {
                return Ok(Self { folder: folder.to_owned(), file: made, named, dressed: false });
            }
        }
    }

    /// The open file.
    pub(crate) const fn open(&self) -> &File {
        &self.file
    }

    /// It has the permissions that it shall have, whatever it replaces.
    pub(crate) const fn keep_permissions(&mut self) {
        self.dressed = true;
    }

    /// Where it is until it has its name; a file may be nowhere.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.named.as_ref().map(|named| named.path.as_path())
    }

    /// Gives it the name `path` in its folder, if nothing is there or `replaced` is. When this fails, what was there before
    /// is there again.
    pub(crate) fn put_in_place(mut self, path: &Path, replaced: Option<FileId>) -> io::Result<()> {
        match (replaced, &self.named) {
            (None, None) => system::give_name(&self.file, path)?,
            (None, Some(named)) => rename_to_free(&named.path, path)?,
            (Some(replaced), _) => return self.exchange(path, replaced),
        }
        if let Err(error) = self.flush_folder() {
            remove(path)?;
            return Err(error);
        }
        if let Some(named) = &mut self.named {
            named.forget();
        }
        Ok(())
    }

    /// The new one and the old one change names in one step; the old one goes when the folder is on the disk.
    fn exchange(mut self, path: &Path, replaced: FileId) -> io::Result<()> {
        let old = fs::symlink_metadata(path)?;
        if let Some(mode) = system::mode(&old).filter(|_| !self.dressed) {
            system::set_mode(&self.file, mode & 0o777)?;
        }
        if self.named.is_none() {
            let mut named = None;
            random_name(&self.folder, &mut |path| {
                system::give_name(&self.file, path)?;
                named = Some(Named::new(path.to_owned()));
                Ok(())
            })?;
            self.named = named;
        }
        let Some(named) = &self.named else { return Err(io::Error::other("a partial file without a name")) };
        // As long as it has a partial name, another run would take it for one that was left.
        let held = File::open(path).ok();
        let _is_held = held.as_ref().is_some_and(system::hold_with_others);
        let swap = || system::exchange(&named.path, path);
        match swap() {
            Err(error) if is_unsupported(&error) => {
                // Some systems replace nothing that is open.
                drop(held);
                return self.replace(path, replaced);
            }
            swapped => swapped?,
        }
        let checked = system::file_id_of_name(&named.path)
            .and_then(|old| if old == replaced { self.flush_folder() } else { Err(changed()) });
        if checked.is_err() {
            swap()?;
        }
        checked
    }

    /// The same in more than one step: what was there is moved aside, and back if the new one cannot take its place.
    fn replace(mut self, path: &Path, replaced: FileId) -> io::Result<()> {
        let Some(named) = &mut self.named else { return Err(io::Error::other("a partial file without a name")) };
        if system::file_id_of_name(path)? != replaced {
            return Err(changed());
        }
        if !system::FLUSHES_FOLDERS && self.file.metadata()?.is_file() {
            // Nothing comes behind it that could fail.
            fs::rename(&named.path, path)?;
            named.forget();
            return Ok(());
        }
        // Not among what is removed when the program is told to stop: it is the user's until the new one is there.
        let aside = random_name(&self.folder, &mut |aside| {
            rename_to_free(path, aside)?;
            Ok(aside.to_owned())
        })?;
        if let Err(error) = fs::rename(&named.path, path) {
            fs::rename(&aside, path)?;
            return Err(error);
        }
        named.forget();
        let flushed = self.flush_folder();
        if flushed.is_err() {
            remove(path)?;
            fs::rename(&aside, path)?;
        } else {
            remove(&aside)?;
        }
        flushed
    }

    fn flush_folder(&self) -> io::Result<()> {
        system::flush_folder(&self.folder)
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "something else came to be there meanwhile")
}

/// A temporary name, which is removed with what it names.
struct Named {
    path: PathBuf,
}

impl Named {
    fn new(path: PathBuf) -> Self {
        PENDING.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        Self { path }
    }

    /// It is gone, or has its final name.
    fn forget(&mut self) {
        PENDING.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| *path != self.path);
        self.path = PathBuf::new();
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = remove(&self.path);
            self.forget();
        }
    }
}

/// Lets `make` make something under a name in `folder` that is free.
fn random_name<T>(folder: &Path, make: &mut dyn FnMut(&Path) -> io::Result<T>) -> io::Result<T> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    let made = builder.make_in(folder, |path| make(path))?;
    made.keep().map(|(made, _)| made).map_err(|error| error.error)
}

fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// Removes what programs that were killed left in `folder`.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
        let kind = entry.file_type();
        let is_ours = random.is_some_and(|random| random.len() == RANDOM)
            && kind.is_ok_and(|kind| kind.is_file() || kind.is_dir());
        if is_ours && system::is_left(&entry.path()) {
            // What cannot be removed is in nobody's way.
            let _ = remove(&entry.path());
        }
    }
}

/// Renames only if nothing came to be at the target meanwhile.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match system::rename_to_free(from, to) {
        Err(error) if is_unsupported(&error) => match fs::symlink_metadata(to) {
            Ok(_) => Err(changed()),
            Err(_) => fs::rename(from, to),
        },
        renamed => renamed,
    }
}

/// Removes a file, or a folder with all in it, also where its own permissions forbid that.
fn remove(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return fs::remove_file(path);
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path)?;
            fs::remove_dir_all(path)
        }
        removed => removed,
    }
}

/// Lets the owner into a folder and all below it.
fn open_up(path: &Path) -> io::Result<()> {
    system::let_in(path)?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
