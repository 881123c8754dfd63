use delta_core::error::Kind;

use super::*;
use crate::fixtures::is_refused;

#[test]
fn both_figures_are_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(require(folder.path(), 1, "a file").is_ok());
    let error = require(folder.path(), u64::MAX, "a file").unwrap_err();
    assert!(error.to_string().contains("18446744073710 MB"), "{error}");
    assert!(are_same(folder.path(), folder.path()) && !are_same(folder.path(), Path::new("/proc")));
    assert!(free(Path::new("/no such folder")).is_err());
}

#[test]
fn other_file_systems_have_no_such_limit() {
    assert_eq!(largest_file(Path::new("/proc")), None);
    assert_eq!(largest_file(Path::new("/no such folder")), None);
}

#[test]
fn a_file_of_4_gib_is_too_large_for_fat_and_one_byte_less_is_not() {
    let stick = Path::new("/media/stick");
    assert!(require_at_most(FAT32, (stick, (4 << 30) - 1, "the package")).is_ok());
    let error = require_at_most(FAT32, (stick, 4 << 30, "the package")).unwrap_err().to_string();
    assert!(error.starts_with("/media/stick is on a FAT file system"), "{error}");
    assert!(error.ends_with("4294967295 bytes, and the package has 4294967296"), "{error}");
}

#[test]
fn room_is_there_up_to_the_last_byte() {
    // Nobody else writes where nothing can be written.
    let place = Path::new("/proc");
    assert_eq!(free(place).unwrap(), 0);
    require(place, 0, "nothing").unwrap();
    let error = require(place, 1, "a file").unwrap_err();
    assert_eq!(error.to_string(), "a file needs 1 MB in /proc, where 0 MB are free");
    assert_eq!((error.kind(), error.hint().is_some_and(|hint| hint.contains("--temp-dir"))), (Kind::Environment, true));
    for (bytes, needed) in [(1_000_000, 1), (1_000_001, 2)] {
        is_refused(require(place, bytes, "x"), Kind::Environment, &[&format!("x needs {needed} MB")]);
    }
}

#[test]
fn the_room_is_that_which_the_user_has() {
    let folder = tempfile::tempdir().unwrap();
    let room = rustix::fs::statvfs(folder.path()).unwrap();
    // What the system keeps for itself does not count, and other programs write meanwhile.
    assert!(free(folder.path()).unwrap() <= room.f_blocks * room.f_frsize);
    assert!(free(folder.path()).unwrap() > 0);
    is_refused(free(Path::new("/no such folder")), Kind::Environment, &["asking for the free room of /no such folder"]);
}

#[test]
fn folders_share_a_file_system_or_they_do_not() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    assert!(are_same(folder.path(), &folder.path().join("inner")));
    assert!(!are_same(folder.path(), Path::new("/dev/shm")) && !are_same(Path::new("/proc"), Path::new("/dev/shm")));
    assert!(device(folder.path()).is_some() && device(&folder.path().join("missing")).is_none());
    assert!(!are_same(folder.path(), &folder.path().join("missing")));
}

#[test]
fn a_file_of_any_size_may_be_on_a_file_system_of_no_such_limit() {
    let folder = tempfile::tempdir().unwrap();
    require_size(folder.path(), u64::MAX, "the package").unwrap();
    let error = require_at_most(FAT32, (folder.path(), u64::MAX, "the package")).unwrap_err();
    assert_eq!(
        (error.kind(), error.hint()),
        (Kind::Environment, Some("name a place on another one, such as exFAT or ext4"))
    );
    assert_eq!(FAT32, 0xffff_ffff);
}
