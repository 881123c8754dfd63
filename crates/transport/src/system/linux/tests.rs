use std::io::{Read, Write};

use super::*;
use crate::fixtures::names;

#[test]
fn fat_is_told_by_its_number() {
    assert!(is_number_of_fat(0x4d44) && !is_number_of_fat(0x2011_bab0) && !is_number_of_fat(0xef53));
    assert!(!is_fat(Path::new("/proc")) && !is_fat(Path::new("/no such folder")));
}

#[test]
fn a_file_without_a_name_gets_one_where_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut file = nameless(folder.path()).unwrap();
    file.write_all(b"bytes").unwrap();
    assert!(names(folder.path()).is_empty());
    std::fs::write(path("taken"), b"mine").unwrap();
    assert_eq!(give_name(&file, &path("taken")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    give_name(&file, &path("new")).unwrap();
    assert_eq!(
        (std::fs::read(path("new")).unwrap(), std::fs::read(path("taken")).unwrap()),
        (b"bytes".to_vec(), b"mine".to_vec())
    );
    assert_eq!(give_name(&file, &path("missing/new")).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn what_cannot_have_files_without_names_is_told_from_what_cannot_have_files() {
    for errno in [Errno::OPNOTSUPP, Errno::ISDIR, Errno::NOENT, Errno::INVAL] {
        assert!(is_unsupported(&io::Error::from_raw_os_error(errno.raw_os_error())), "{errno}");
    }
    for errno in [Errno::ACCESS, Errno::NOSPC, Errno::ROFS, Errno::NOTDIR, Errno::DQUOT] {
        assert!(!is_unsupported(&io::Error::from_raw_os_error(errno.raw_os_error())), "{errno}");
    }
    assert!(!is_unsupported(&io::Error::other("no number")));
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(nameless(file.path()).unwrap_err().kind(), io::ErrorKind::NotADirectory);
}

#[test]
fn a_file_is_opened_again_from_its_start_with_or_without_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = nameless(folder.path()).unwrap();
    file.write_all(&[7; 8_192]).unwrap();
    file.sync_all().unwrap();
    let mut again = Vec::new();
    open_again(&file, None).unwrap().read_to_end(&mut again).unwrap();
    assert_eq!(again, [7; 8_192]);
    // It is another opening of it: each reads at a place of its own.
    let mut rest = Vec::new();
    file.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}

#[test]
fn what_is_opened_to_look_at_cannot_be_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"bytes").unwrap();
    let mut looked = open_to_look(file.path()).unwrap();
    assert_eq!(looked.metadata().unwrap().len(), 5);
    looked.read_to_end(&mut Vec::new()).unwrap_err();
}

#[test]
fn terminals_are_told_by_their_numbers() {
    for (major, expected) in
        [(1, false), (3, false), (4, true), (5, true), (6, false), (135, false), (136, true), (143, true), (144, false)]
    {
        assert_eq!(is_terminal(rustix::fs::makedev(major, 0)), expected, "{major}");
        assert_eq!(is_terminal(rustix::fs::makedev(major, 4)), expected, "{major}");
    }
}

#[test]
fn what_goes_nowhere_takes_all() {
    let mut nowhere = without_devices().unwrap();
    nowhere.write_all(&[1; 100_000]).unwrap();
}
