//! A folder into which others write while it is looked at: what they replace is never taken for what was dealt with.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use delta_transport::inbox::{Arrival, Copied, Copy, Drawer, Inbox};

struct Desk {
    folder: tempfile::TempDir,
    inbox: Inbox,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(folder.path()).unwrap();
        Self { folder, inbox }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Drops a file, and looks at it.
    fn dropped(&self, name: &str, bytes: &[u8]) -> Arrival {
        fs::write(self.path(name), bytes).unwrap();
        self.inbox.look().unwrap().arrivals.pop().unwrap()
    }

    fn copy(&self, arrival: &Arrival) -> Option<Copy> {
        match self.inbox.copy(arrival).unwrap() {
            Copied::Whole(copy) => Some(copy),
            Copied::Changed => None,
        }
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != ".docker_delta-watch")
            .collect();
        names.sort();
        names
    }
}

#[test]
fn what_is_dealt_with_is_a_copy_that_nobody_else_has() {
    let desk = Desk::new();
    let arrival = desk.dropped("p", b"what was checked");
    let copy = desk.copy(&arrival).unwrap();
    // Whoever has the file open, or may write into the folder, changes the file and not the copy.
    fs::write(desk.path("p"), b"something else!!").unwrap();
    assert_eq!(fs::read(copy.folder().join("p")).unwrap(), b"what was checked");
    assert_eq!((fs::metadata(copy.folder()).unwrap().mode() & 0o777, copy.package().to_str()), (0o700, Some("p")));
    let folder = desk.path(".docker_delta-watch/copy");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    drop(copy);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn what_changed_since_it_was_looked_at_is_not_copied() {
    let desk = Desk::new();
    let arrival = desk.dropped("p", b"a package");
    let later = || std::thread::sleep(std::time::Duration::from_millis(20));
    let changes: [&dyn Fn(&Path); 4] = [
        &|path| fs::write(path, b"longer than it was").unwrap(),
        &|path| fs::write(path, b"A package").unwrap(),
        &|path| {
            fs::write(path.with_extension("new"), b"a package").unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        },
        &|path| fs::remove_file(path).unwrap(),
    ];
    for change in changes {
        later();
        change(&desk.path("p"));
        assert!(desk.copy(&arrival).is_none());
    }
    // Nor is a link followed, or waited for whoever writes into a pipe.
    fs::write(desk.path("secret"), b"a package").unwrap();
    symlink("secret", desk.path("p")).unwrap();
    assert!(desk.inbox.copy(&arrival).is_err());
    fs::remove_file(desk.path("p")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(desk.path("p")).status().unwrap().success());
    assert!(desk.inbox.copy(&arrival).is_err());
}

#[test]
fn what_took_the_name_of_a_package_stays() {
    let desk = Desk::new();
    let arrival = desk.dropped("p", b"applied");
    drop(desk.copy(&arrival).unwrap());
    fs::write(desk.path("new"), b"another").unwrap();
    fs::rename(desk.path("new"), desk.path("p")).unwrap();
    let filed = desk.inbox.file(&arrival, Drawer::Done, "{}").unwrap();
    assert_eq!(filed.left, ["p"]);
    assert_eq!(fs::read(desk.path("p")).unwrap(), b"another");
    assert_eq!(desk.names("done"), ["p.json"]);
    // What became of it has a number then.
    let arrival = desk.inbox.look().unwrap().arrivals.pop().unwrap();
    let filed = desk.inbox.file(&arrival, Drawer::Done, "{}").unwrap();
    assert!(filed.left.is_empty() && filed.package.ends_with("done/p-2"), "{filed:?}");
    assert_eq!(desk.names("done"), ["p-2", "p-2.json", "p.json"]);
}

#[test]
fn a_drawer_that_became_a_link_is_not_followed() {
    let desk = Desk::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let arrival = desk.dropped("p", b"applied");
    fs::remove_dir(desk.path("done")).unwrap();
    symlink(elsewhere.path(), desk.path("done")).unwrap();
    let error = desk.inbox.file(&arrival, Drawer::Done, "{}").unwrap_err();
    assert!(error.hint().unwrap().contains("no link"), "{error}");
    assert_eq!(
        (fs::read(desk.path("p")).unwrap(), fs::read_dir(elsewhere.path()).unwrap().count()),
        (b"applied".to_vec(), 0)
    );
}

#[test]
fn a_folder_that_was_replaced_is_not_looked_at() {
    let desk = Desk::new();
    let path = desk.path("");
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).unwrap();
    assert!(desk.inbox.look().is_err());
    fs::create_dir(&path).unwrap();
    let error = desk.inbox.look().unwrap_err();
    assert!(error.to_string().contains("is not the folder any more that it was"), "{error}");
    fs::remove_dir(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    assert!(desk.inbox.look().is_ok());
}
