//! Final names appear by rename, with the finished bytes behind them or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use delta_core::error::{Error, Result};

/// What is being written and must go when the program is told to stop.
static PENDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes everything that has no final name yet; for a program that is told to stop.
pub fn remove_pending() {
    for path in PENDING.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // The program ends: what cannot be removed cannot be reported either.
        let _ = remove(&path);
    }
}

/// Whether something may be put at `path`.
///
/// # Errors
/// A usage error when something is there and `force` is not given; an environment error when its folder is not there.
pub fn check_free(path: &Path, force: bool) -> Result<()> {
    if fs::symlink_metadata(path).is_ok() && !force {
        return Err(Error::usage(format!("{} exists already", path.display())).with_hint("replace it with -f"));
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(Error::environment(format!("the folder {} does not exist", folder.display())));
    }
    Ok(())
}

/// Lets `fill` write a file beside `path`, and gives it that name when all of it is on the disk.
///
/// # Errors
/// What `fill` returns and what the file system reports; nothing is left then.
pub fn write_file<T>(path: &Path, force: bool, fill: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    check_free(path, force)?;
    let pending = Pending::beside(path);
    let doing = || Error::io(format!("writing {}", path.display()));
    let mut file = BufWriter::with_capacity(256 << 10, File::create_new(&pending.path).map_err(doing())?);
    let result = fill(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error).map_err(doing())?;
    file.sync_all().map_err(doing())?;
    pending.put_in_place(path, force).map_err(doing())?;
    Ok(result)
}

/// Lets `fill` fill a folder beside `path`, and gives it that name when all is there.
///
/// # Errors
/// What `fill` returns and what the file system reports; nothing is left then.
pub fn write_folder<T>(path: &Path, force: bool, fill: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    check_free(path, force)?;
    let pending = Pending::beside(path);
    let doing = || Error::io(format!("writing {}", path.display()));
    fs::create_dir(&pending.path).map_err(doing())?;
    let result = fill(&pending.path)?;
    pending.put_in_place(path, force).map_err(doing())?;
    Ok(result)
}

/// Something under a temporary name, which is removed unless it gets its final one.
struct Pending {
    path: PathBuf,
}

impl Pending {
    fn beside(path: &Path) -> Self {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.partial", std::process::id()));
        let path = folder_of(path).join(name);
        PENDING.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        Self { path }
    }

    fn put_in_place(self, path: &Path, force: bool) -> io::Result<()> {
        let in_the_way = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        if force && in_the_way {
            // A folder cannot be replaced by a rename in one step: the old one is moved aside first.
            let aside = Self::beside(&path.with_extension("replaced"));
            fs::rename(path, &aside.path)?;
            if let Err(error) = fs::rename(&self.path, path) {
                fs::rename(&aside.path, path)?;
                return Err(error);
            }
        } else if force {
            fs::rename(&self.path, path)?;
        } else {
            rename_to_free(&self.path, path)?;
        }
        File::open(folder_of(path)).and_then(|folder| folder.sync_all())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let _ = remove(&self.path);
        PENDING.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| *path != self.path);
    }
}

/// Renames only if nothing came to be at the target meanwhile.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system knows the flag.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => fs::rename(from, to),
        result => Ok(result?),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failure_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("package");
        let failed: Result<()> = write_file(&path, false, |out| {
            out.write_all(b"half").unwrap();
            Err(Error::usage("no"))
        });
        assert!(failed.is_err());
        let failed: Result<()> = write_folder(&path, false, |_| Err(Error::usage("no")));
        assert!(failed.is_err());
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn what_exists_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("package");
        let write = |bytes: &'static [u8], force| {
            write_file(&path, force, |out| out.write_all(bytes).map_err(Error::io("writing")))
        };
        write(b"one", false).unwrap();
        assert_eq!(write(b"two", false).unwrap_err().hint(), Some("replace it with -f"));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write(b"two", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        write_folder(&path.with_extension("d"), false, |_| Ok(())).unwrap();
        write_folder(&path.with_extension("d"), true, |new| fs::write(new.join("in"), b"").map_err(Error::io("x")))
            .unwrap();
        assert_eq!(names(folder.path()), ["package", "package.d"]);
        assert_eq!(names(&path.with_extension("d")), ["in"]);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = check_free(Path::new("/no such folder/package"), false).unwrap_err();
        assert!(error.to_string().contains("/no such folder"), "{error}");
    }
}
