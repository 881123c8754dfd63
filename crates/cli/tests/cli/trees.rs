//! `file_delta` on folders: everything that rsync would bring.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{Folder, file_delta, noise, real};

/// A folder with one of everything.
fn make(root: &Path, version: u64) {
    fs::create_dir_all(root.join("empty")).unwrap();
    fs::create_dir_all(root.join("deep").join("d".repeat(200)).join("e".repeat(200))).unwrap();
    fs::write(root.join("noise"), [noise(1, 200_000), noise(version, 100)].concat()).unwrap();
    fs::write(root.join(OsStr::from_bytes(b"not-utf8-\xff\xfe")), format!("version {version}")).unwrap();
    fs::write(root.join("deep").join("f".repeat(240)), b"long name").unwrap();
    fs::write(root.join("first"), noise(version + 7, 3000)).unwrap();
    fs::hard_link(root.join("first"), root.join("second")).unwrap();
    symlink("no/such/target", root.join("dangling")).unwrap();
    symlink("x".repeat(300), root.join("long-link")).unwrap();
    fs::set_permissions(root.join("noise"), fs::Permissions::from_mode(0o4751)).unwrap();
    fs::set_permissions(root.join("empty"), fs::Permissions::from_mode(0o1500)).unwrap();
    fs::File::create(root.join("sparse")).unwrap().set_len(1 << 20).unwrap();
    real("coreutils", "mkfifo", &[root.join("fifo").to_str().unwrap()]);
    real("coreutils", "mknod", &[root.join("device").to_str().unwrap(), "c", "259", "70000"]);
    real("coreutils", "chown", &["1234:60001", root.join("second").to_str().unwrap()]);
    real("coreutils", "touch", &["-h", "-d", "1999-12-31 23:59:59.123456789", root.join("dangling").to_str().unwrap()]);
    real("coreutils", "touch", &["-d", "1960-01-02 03:04:05.5", root.join("sparse").to_str().unwrap()]);
    xattr::set(root.join("first"), "user.key", b"\0\xff value").unwrap();
    real("coreutils", "touch", &["-d", "2001-02-03 04:05:06", root.join("deep").to_str().unwrap()]);
}

fn same(one: &Path, other: &Path) {
    let done = Command::new("diff")
        .args(["-r", "--no-dereference", "--exclude=fifo", "--exclude=device"])
        .args([one, other])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let mut open = vec![Path::new("").to_path_buf()];
    while let Some(name) = open.pop() {
        let (left, right) = (one.join(&name), other.join(&name));
        let (a, b) = (fs::symlink_metadata(&left).unwrap(), fs::symlink_metadata(&right).unwrap());
        let facts = |metadata: &fs::Metadata| {
            let links = if metadata.is_dir() { 0 } else { metadata.nlink() };
            (
                metadata.mode(),
                metadata.uid(),
                metadata.gid(),
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.rdev(),
                links,
            )
        };
        assert_eq!(facts(&a), facts(&b), "{name:?}");
        let attributes = |path: &Path| -> Vec<_> {
            xattr::list(path).unwrap().map(|key| (key.clone(), xattr::get(path, key).unwrap())).collect()
        };
        assert_eq!(attributes(&left), attributes(&right), "{name:?}");
        if a.is_dir() {
            open.extend(fs::read_dir(&left).unwrap().map(|entry| name.join(entry.unwrap().file_name())));
        }
    }
}

#[test]
fn a_folder_comes_back_with_everything_whatever_the_times_of_the_base() {
    let folder = Folder::new();
    let (old, new, made) = (folder.path().join("old"), folder.path().join("new"), folder.path().join("made"));
    make(&old, 1);
    make(&new, 2);
    let words = |path: &Path| path.to_str().unwrap().to_owned();
    let (delta, old_word, new_word, made_word) = (folder.file("delta"), words(&old), words(&new), words(&made));
    file_delta(&["create", &old_word, &new_word, &delta]).ok();
    assert!(fs::metadata(&delta).unwrap().len() < 30_000);
    // The receiver's copy has other times and owners.
    real("coreutils", "touch", &[old.join("noise").to_str().unwrap()]);
    real("coreutils", "chown", &["77:77", old.join("noise").to_str().unwrap()]);
    file_delta(&["apply", &old_word, &delta, &made_word]).ok();
    same(&new, &made);
    for force in ["-v", "-f"] {
        file_delta(&["apply", force, &old_word, &delta, &made_word]).failed(2, &["exists already and is not empty"]);
        same(&new, &made);
    }
    fs::write(old.join("noise"), b"other").unwrap();
    let other = folder.file("other");
    file_delta(&["apply", &old_word, &delta, &other]).failed(4, &["OLD", "expected sha256:"]);
    assert!(!Path::new(&other).exists());
}
