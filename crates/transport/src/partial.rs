//! Files and folders that have no final name yet.
//!
//! A file has no name at all where the file system allows that, so that nothing is left of it however the program ends.
//! Elsewhere, and for folders, it has a random name of fixed length and a lock that ends with the program: what can be
//! locked was left by a program that was killed, and the next run removes it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, OFlags, RenameFlags, linkat, renameat_with};
use rustix::io::Errno;

const PREFIX: &str = ".docker_delta-";
const SUFFIX: &str = ".partial";
const RANDOM: usize = 8;

/// What must go when the program is told to stop.
static PENDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes everything that has no final name yet; for a program that is told to stop.
pub fn remove_pending() {
    for path in PENDING.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // The program ends: what cannot be removed cannot be reported either.
        let _ = remove(&path);
    }
}

/// Device and inode: what a file or folder is, under whatever name.
pub(crate) type FileId = (u64, u64);

pub(crate) fn file_id(metadata: &fs::Metadata) -> FileId {
    (metadata.dev(), metadata.ino())
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
        match nameless(folder) {
            Ok(file) => {
                // On its way to replace something it has a name for a moment, under which another run must not sweep it away.
                // A file system without locks has none that sweeps either.
                let _ = file.try_lock_shared();
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
        Self::locked(folder, |path| {
            DirBuilder::new().mode(0o777).create(path)?;
            File::open(path)
        })
    }

    fn locked(folder: &Path, make: impl Fn(&Path) -> io::Result<File>) -> io::Result<Self> {
        loop {
            let mut named = None;
            let made = random_name(folder, &mut |path| {
                let file = make(path)?;
                named = Some(Named::new(path.to_owned()));
                Ok(file)
            })?;
            let is_taken = match made.try_lock() {
                Err(TryLockError::WouldBlock) => true,
                // A file system without locks: nobody can take it for abandoned either.
                Err(TryLockError::Error(_)) => false,
                // Another run may have locked and removed it before.
                Ok(()) => made.metadata()?.nlink() == 0,
            };
            if !is_taken {
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
            (None, None) => self.link_to(path)?,
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

    fn link_to(&self, path: &Path) -> io::Result<()> {
        let open = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        Ok(linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }

    /// The new one and the old one change names in one step; the old one goes when the folder is on the disk.
    fn exchange(mut self, path: &Path, replaced: FileId) -> io::Result<()> {
        let old = fs::symlink_metadata(path)?;
        if !self.dressed {
            self.file.set_permissions(fs::Permissions::from_mode(old.permissions().mode() & 0o777))?;
        }
        if self.named.is_none() {
            let mut named = None;
            random_name(&self.folder, &mut |path| {
                self.link_to(path)?;
                named = Some(Named::new(path.to_owned()));
                Ok(())
            })?;
            self.named = named;
        }
        let Some(named) = &self.named else { return Err(io::Error::other("a partial file without a name")) };
        // As long as it has a partial name, another run would take it for one that was left.
        let held = File::open(path).ok();
        let _is_held = held.as_ref().is_some_and(|old| old.try_lock_shared().is_ok());
        let swap = || renameat_with(CWD, &named.path, CWD, path, RenameFlags::EXCHANGE);
        match swap() {
            Ok(()) => {}
            // Not every file system knows the flag.
            Err(Errno::INVAL | Errno::NOSYS) => return self.replace(path, replaced),
            Err(error) => return Err(error.into()),
        }
        let checked = fs::symlink_metadata(&named.path)
            .and_then(|old| if file_id(&old) == replaced { self.flush_folder() } else { Err(changed()) });
        if checked.is_err() {
            swap()?;
        }
        checked
    }

    /// The same in more than one step: what was there is moved aside, and back if the new one cannot take its place.
    fn replace(mut self, path: &Path, replaced: FileId) -> io::Result<()> {
        let Some(named) = &mut self.named else { return Err(io::Error::other("a partial file without a name")) };
        if file_id(&fs::symlink_metadata(path)?) != replaced {
            return Err(changed());
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
        match File::open(&self.folder)?.sync_all() {
            // Some file systems cannot flush a folder.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
            flushed => flushed,
        }
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

fn nameless(folder: &Path) -> io::Result<File> {
    // Without it there is no way to a name.
    if !Path::new("/proc/self/fd").exists() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .mode(0o666)
        .custom_flags(OFlags::TMPFILE.bits().cast_signed())
        .open(folder)
}

/// What file systems and kernels without nameless files say (open(2), `O_TMPFILE`).
fn is_unsupported(error: &io::Error) -> bool {
    let unsupported = [Errno::OPNOTSUPP, Errno::ISDIR, Errno::NOENT, Errno::INVAL];
    error.kind() == io::ErrorKind::Unsupported
        || unsupported.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Removes what programs that were killed left in `folder`.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
        let kind = entry.file_type();
        if random.is_some_and(|random| random.len() == RANDOM) && kind.is_ok_and(|kind| kind.is_file() || kind.is_dir())
        {
            let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
            let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(entry.path());
            if opened.is_ok_and(|file| file.try_lock().is_ok()) {
                // What cannot be removed is in nobody's way.
                let _ = remove(&entry.path());
            }
        }
    }
}

/// Renames only if nothing came to be at the target meanwhile.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system knows the flag.
        Err(Errno::INVAL | Errno::NOSYS) if fs::symlink_metadata(to).is_ok() => Err(changed()),
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(from, to),
        result => Ok(result?),
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
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn id(path: &Path) -> Option<FileId> {
        fs::symlink_metadata(path).ok().map(|found| file_id(&found))
    }

    /// With and without a name, as file systems allow it.
    fn made(folder: &Path, bytes: &[u8]) -> [Partial; 2] {
        let named =
            Partial::locked(folder, |path| OpenOptions::new().read(true).write(true).create_new(true).open(path));
        [Partial::file(folder).unwrap(), named.unwrap()].map(|partial| {
            partial.open().write_all(bytes).unwrap();
            partial
        })
    }

    #[test]
    fn a_name_appears_only_where_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        for (number, partial) in made(folder.path(), b"bytes").into_iter().enumerate() {
            let path = folder.path().join(format!("{number}{}", "n".repeat(254)));
            partial.put_in_place(&path, None).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"bytes");
            for partial in made(folder.path(), b"other") {
                assert_eq!(partial.put_in_place(&path, None).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
                assert_eq!(fs::read(&path).unwrap(), b"bytes");
            }
        }
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[test]
    fn only_what_was_looked_at_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("package");
        fs::write(&path, b"old").unwrap();
        let seen = id(&path);
        // Its inode must not be given to another file.
        let kept = File::open(&path).unwrap();
        for partial in made(folder.path(), b"new") {
            fs::write(folder.path().join("another"), b"another").unwrap();
            fs::rename(folder.path().join("another"), &path).unwrap();
            partial.put_in_place(&path, seen).unwrap_err();
            assert_eq!(fs::read(&path).unwrap(), b"another");
        }
        drop(kept);
        for partial in made(folder.path(), b"new") {
            fs::write(&path, b"old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            partial.put_in_place(&path, id(&path)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        }
        for partial in made(folder.path(), b"new") {
            partial.put_in_place(&folder.path().join("missing"), Some((0, 0))).unwrap_err();
        }
        assert_eq!(names(folder.path()), ["package"]);
    }

    #[test]
    fn a_folder_without_exchange_is_replaced_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layout");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("old"), b"").unwrap();
        let partial = Partial::folder(folder.path()).unwrap();
        fs::write(partial.path().unwrap().join("new"), b"").unwrap();
        partial.replace(&path, (0, 0)).unwrap_err();
        assert_eq!(names(&path), ["old"]);
        let partial = Partial::folder(folder.path()).unwrap();
        fs::write(partial.path().unwrap().join("new"), b"").unwrap();
        partial.replace(&path, id(&path).unwrap()).unwrap();
        assert_eq!((names(&path), names(folder.path())), (vec!["new".to_owned()], vec!["layout".to_owned()]));
    }

    #[test]
    fn what_is_on_its_way_to_a_name_is_not_swept() {
        let folder = tempfile::tempdir().unwrap();
        let partial = Partial::file(folder.path()).unwrap();
        let passing = folder.path().join(format!("{PREFIX}AbCdEf12{SUFFIX}"));
        if partial.named.is_none() {
            partial.link_to(&passing).unwrap();
        }
        let before = names(folder.path());
        sweep(folder.path());
        assert_eq!(names(folder.path()), before);
        drop(partial);
        sweep(folder.path());
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn what_a_killed_run_left_is_swept_and_what_a_living_one_holds_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let [_, living] = made(folder.path(), b"living");
        let living_folder = Partial::folder(folder.path()).unwrap();
        fs::write(folder.path().join(".docker_delta-ABCDEFGH.partial"), b"left").unwrap();
        let left = folder.path().join(".docker_delta-abcdefgh.partial/closed");
        fs::create_dir_all(&left).unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o500)).unwrap();
        fs::write(folder.path().join(".docker_delta-mine.partial"), b"another name").unwrap();
        sweep(folder.path());
        let kept = [living.path(), living_folder.path()].map(|path| path.unwrap().file_name().unwrap().to_owned());
        let left = names(folder.path());
        assert_eq!(left.len(), 3, "{left:?}");
        assert!(kept.iter().all(|name| left.iter().any(|left| left.as_str() == name)));
        drop((living, living_folder));
        assert_eq!(names(folder.path()), [".docker_delta-mine.partial"]);
    }
}
