use delta_core::error::Kind;

use super::*;
use crate::fixtures::{is_refused, noise};

#[test]
fn a_file_that_became_shorter_is_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, b"0123456789").unwrap();
    let bytes = FileBytes::open(&path).unwrap();
    let mut buffer = [0; 20];
    assert_eq!(bytes.read_at(&mut buffer, 4).unwrap(), 6);
    assert_eq!(&buffer[..6], b"456789");
    assert_eq!(bytes.read_at(&mut buffer, 10).unwrap(), 0);
    // What was written behind the end since it was opened does not belong to it.
    std::fs::write(&path, b"0123456789 and more").unwrap();
    assert_eq!(bytes.read_at(&mut buffer, 4).unwrap(), 6);
    std::fs::write(&path, b"01234").unwrap();
    let error = bytes.read_at(&mut buffer, 4).unwrap_err();
    assert_ne!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(error.to_string().contains("file became shorter while it was read"), "{error}");
}

#[test]
fn only_files_have_a_length() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), Path::new("/dev/zero")] {
        let error = FileBytes::open(path).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("is no regular file"), "{error}");
    }
    assert!(!is_pipe(folder.path()) && !is_pipe(Path::new("/dev/null")));
}

#[test]
fn bytes_are_read_at_every_place_and_never_behind_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole) = (folder.path().join("file"), noise(10_000, 1));
    std::fs::write(&path, &whole).unwrap();
    let bytes = FileBytes::open(&path).unwrap();
    assert_eq!((bytes.len(), bytes.is_empty()), (10_000, false));
    for (offset, length, expected) in [
        (0, 10_000, 10_000),
        (0, 10_001, 10_000),
        (9_999, 2, 1),
        (10_000, 1, 0),
        (10_001, 1, 0),
        (5, 0, 0),
        (17, 100, 100),
    ] {
        let mut buffer = vec![0xaa; length];
        let count = bytes.read_at(&mut buffer, offset).unwrap();
        assert_eq!(count, expected, "{offset} {length}");
        let start = usize::try_from(offset).unwrap().min(whole.len());
        assert!(buffer[..count] == whole[start..start + count]);
        assert!(buffer[count..].iter().all(|byte| *byte == 0xaa), "what is not read is not touched");
    }
    assert_eq!(bytes.read_at(&mut [0; 4], u64::MAX).unwrap(), 0);
}

#[test]
fn a_file_that_is_open_stays_the_file_that_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, b"old").unwrap();
    let bytes = FileBytes::open(&path).unwrap();
    std::fs::write(folder.path().join("new"), b"newer").unwrap();
    std::fs::rename(folder.path().join("new"), &path).unwrap();
    let mut buffer = [0; 8];
    assert_eq!((bytes.read_at(&mut buffer, 0).unwrap(), &buffer[..3]), (3, &b"old"[..]));
}

#[test]
fn what_is_not_there_is_told_with_what_may_have_been_meant() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app-v1.tar"), b"").unwrap();
    let error = FileBytes::open(&folder.path().join("app_v1.tar")).map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("opening ") && error.kind() == Kind::Environment, "{error}");
    assert_eq!(error.hint(), Some(&*format!("did you mean {}?", folder.path().join("app-v1.tar").display())));
    let error = FileBytes::open(&folder.path().join("zzz")).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.hint()), (Kind::Environment, None));
    // Another error than that nothing is there has no such hint.
    std::fs::write(folder.path().join("n".repeat(255)), b"").unwrap();
    let error = FileBytes::open(&folder.path().join("n".repeat(256))).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.hint()), (Kind::Environment, None));
    let error = FileBytes::open(&folder.path().join("app-v1.tar/app-v1.tar")).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.hint()), (Kind::Environment, None));
    let error = FileBytes::open(folder.path()).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.hint().is_some_and(|hint| hint.contains("standard input"))), (Kind::Usage, true));
}

#[test]
fn a_link_is_what_it_leads_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("file"), b"bytes").unwrap();
    std::os::unix::fs::symlink("file", path("link")).unwrap();
    std::os::unix::fs::symlink(folder.path(), path("to-folder")).unwrap();
    assert_eq!(FileBytes::open(&path("link")).unwrap().len(), 5);
    is_refused(FileBytes::open(&path("to-folder")).map(|_| ()), Kind::Usage, &["to-folder is no regular file"]);
}

#[test]
fn a_pipe_is_one_by_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("file"), b"bytes").unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    std::os::unix::fs::symlink("pipe", path("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    for (name, expected) in [("file", false), ("pipe", true), ("link", true), ("socket", false), ("missing", false)] {
        assert_eq!(is_pipe(&path(name)), expected, "{name}");
    }
    is_refused(FileBytes::open(&path("pipe")).map(|_| ()), Kind::Usage, &["pipe is no regular file"]);
    let opened = std::thread::scope(|scope| {
        let writer = scope.spawn(|| std::fs::write(path("pipe"), b"through the pipe"));
        let mut read = String::new();
        io::Read::read_to_string(&mut open_pipe(&path("pipe")).unwrap(), &mut read).unwrap();
        writer.join().unwrap().unwrap();
        read
    });
    assert_eq!(opened, "through the pipe");
    is_refused(open_pipe(&path("missing")).map(|_| ()), Kind::Environment, &["opening", "missing"]);
}

#[test]
fn a_file_that_cannot_be_read_is_told_from_where_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, b"0123456789").unwrap();
    // Open for writing alone.
    let file = File::options().write(true).open(&path).unwrap();
    let bytes = FileBytes::of(file, "the file".to_owned()).unwrap();
    let error = bytes.read_at(&mut [0; 4], 3).unwrap_err();
    assert!(error.to_string().starts_with("the file cannot be read from byte 3 on: "), "{error}");
    // Nothing is asked of the system for nothing.
    assert_eq!((bytes.read_at(&mut [], 3).unwrap(), bytes.read_at(&mut [0; 4], 10).unwrap()), (0, 0));
}

#[test]
fn a_file_that_ends_sooner_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for (left, offset, end) in [(7, 0, 7), (7, 5, 7), (7, 7, 7), (0, 0, 0), (7, 9, 9)] {
        std::fs::write(&path, b"0123456789").unwrap();
        let bytes = FileBytes::of(File::open(&path).unwrap(), "it".to_owned()).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(left).unwrap();
        let error = bytes.read_at(&mut [0; 20], offset).unwrap_err();
        assert_eq!(error.to_string(), format!("it became shorter while it was read: it ends at byte {end}"));
    }
}
