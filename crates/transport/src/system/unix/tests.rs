use std::os::unix::net::UnixListener;

use rustix::fs::{FileType, Mode, mknodat};

use super::super::{file_id_of, is_private_folder, read_exact_at};
use super::*;
use crate::fixtures::names;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn make(path: &Path, kind: FileType) {
    mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn a_file_is_what_it_is_under_every_name() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), b"bytes").unwrap();
    fs::write(path("other"), b"bytes").unwrap();
    fs::hard_link(path("file"), path("hard")).unwrap();
    std::os::unix::fs::symlink("file", path("soft")).unwrap();
    let id = file_id(&path("file")).unwrap();
    assert_eq!((file_id(&path("hard")).unwrap(), file_id(&path("soft")).unwrap()), (id, id));
    assert_eq!(file_id_of(&File::open(path("soft")).unwrap()).unwrap(), id);
    assert_ne!(file_id(&path("other")).unwrap(), id);
    // The link itself is another thing.
    assert_ne!(file_id_of_name(&path("soft")).unwrap(), id);
    assert_eq!(file_id_of_name(&path("hard")).unwrap(), id);
    assert_eq!(file_id(&path("missing")).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn length_and_both_times_are_a_version() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"bytes").unwrap();
    let now = || version(&fs::metadata(file.path()).unwrap()).unwrap();
    let before = now();
    assert_eq!(before, now());
    assert_ne!(Version { length: before.length + 1, ..before }, before);
    let [content, facts] = before.times;
    for times in [[(content.0, content.1 + 1), facts], [content, (facts.0 + 1, facts.1)], [facts, (content.0 - 1, 0)]] {
        assert_ne!(Version { times, ..before }, before);
    }
    let found = fs::metadata(file.path()).unwrap();
    assert_eq!((content, facts), ((found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec())));
}

#[test]
fn a_link_is_not_opened_where_none_is_expected() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), b"bytes").unwrap();
    std::os::unix::fs::symlink("file", path("soft")).unwrap();
    assert_eq!(open_no_link(&path("file")).unwrap().metadata().unwrap().len(), 5);
    assert_eq!(open_no_link(&path("soft")).unwrap_err().raw_os_error(), Some(Errno::LOOP.raw_os_error()));
}

#[test]
fn bytes_are_read_at_a_place_or_the_end_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"0123456789").unwrap();
    let open = File::open(file.path()).unwrap();
    let mut buffer = [0; 4];
    for (offset, expected) in [(0, b"0123"), (6, b"6789"), (3, b"3456")] {
        read_exact_at(&open, &mut buffer, offset).unwrap();
        assert_eq!(&buffer, expected);
    }
    for offset in [7, 10, 11, 1 << 40] {
        assert_eq!(read_exact_at(&open, &mut buffer, offset).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
    read_exact_at(&open, &mut [], 99).unwrap();
    assert_eq!(read_at(&open, &mut [0; 20], 8).unwrap(), 2);
    let folder = File::open("/").unwrap();
    assert_eq!(read_exact_at(&folder, &mut buffer, 0).unwrap_err().kind(), io::ErrorKind::IsADirectory);
}

#[test]
fn folders_of_ones_own_are_for_nobody_else() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    make_private_folders(&path("a/b")).unwrap();
    make_private_folders(&path("a/b")).unwrap();
    make_private_folder(&path("a/c")).unwrap();
    assert_eq!(["a", "a/b", "a/c"].map(|name| mode_of(&path(name))), [0o700; 3]);
    assert_eq!(make_private_folder(&path("a/c")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(make_private_folder(&path("x/y")).unwrap_err().kind(), io::ErrorKind::NotFound);
    let is_private = |name: &str| is_private_folder(&fs::metadata(path(name)).unwrap());
    for (mode, expected) in
        [(0o700, true), (0o755, true), (0o720, false), (0o702, false), (0o777, false), (0o1777, false)]
    {
        fs::set_permissions(path("a"), Permissions::from_mode(mode)).unwrap();
        assert_eq!(is_private("a"), expected, "{mode:o}");
    }
    fs::write(path("file"), b"").unwrap();
    assert!(!is_private("file"), "a file is no folder");
    // The system's own user can give a folder away; anybody else has one that is the system's.
    let of_another = if is_root() { path("a/b") } else { "/".into() };
    if is_root() {
        std::os::unix::fs::chown(&of_another, Some(1), None).unwrap();
    }
    assert!(!is_private_folder(&fs::metadata(of_another).unwrap()));
}

#[test]
fn modes_are_set_and_read_with_all_their_bits() {
    let folder = folder();
    let path = folder.path().join("file");
    let mut options = OpenOptions::new();
    let file = with_mode(options.write(true).create_new(true), 0o600).open(&path).unwrap();
    assert_eq!(mode_of(&path), 0o600);
    for wanted in [0o4755, 0o000, 0o1777, 0o640] {
        set_mode(&file, wanted).unwrap();
        assert_eq!(mode(&file.metadata().unwrap()), Some(wanted));
    }
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    let_in(&closed).unwrap();
    assert_eq!(mode_of(&closed), 0o700);
}

#[test]
fn a_folder_in_which_nothing_can_be_made_is_told() {
    let folder = folder();
    require_writable(folder.path()).unwrap();
    let missing = require_writable(&folder.path().join("missing")).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    // Not even the system's own user runs a file that nobody may run.
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    assert_eq!(require_writable(&file).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
}

#[test]
fn each_special_thing_is_told_by_its_kind() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), b"").unwrap();
    make(&path("pipe"), FileType::Fifo);
    let _listener = UnixListener::bind(path("socket")).unwrap();
    for (path, expected) in [
        (path("file"), None),
        (folder.path().to_owned(), None),
        (path("pipe"), Some(Special::Pipe)),
        (path("socket"), Some(Special::Socket)),
        ("/dev/null".into(), Some(Special::Device)),
        ("/dev/tty".into(), Some(Special::Terminal)),
    ] {
        assert_eq!(special(&fs::metadata(&path).unwrap()), expected, "{}", path.display());
    }
}

#[test]
fn holes_hold_no_bytes() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(1 << 30).unwrap();
    assert_eq!(held_bytes(&file.metadata().unwrap()), 0);
    file.write_all_at(&[1; 4_096], 0).unwrap();
    file.sync_all().unwrap();
    let held = held_bytes(&file.metadata().unwrap());
    assert!((4_096..1 << 20).contains(&held) && held.is_multiple_of(512), "{held}");
}

#[test]
fn what_is_held_is_held_until_it_is_let_go_of() {
    let folder = folder();
    let path = folder.path().join("held");
    let first = File::create_new(&path).unwrap();
    assert!(hold(&first).unwrap());
    let second = File::open(&path).unwrap();
    assert!(!hold(&second).unwrap() && !hold_with_others(&second) && !is_left(&path));
    drop(first);
    assert!(is_left(&path));
    assert!(hold_with_others(&second));
    let third = File::open(&path).unwrap();
    assert!(hold_with_others(&third) && !is_left(&path), "held beside others it is held still");
    drop((second, third));
    // What was removed meanwhile is nobody's.
    let last = File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(!hold(&last).unwrap() && !is_left(&path));
}

#[test]
fn a_link_and_a_pipe_are_never_waited_for() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), b"").unwrap();
    std::os::unix::fs::symlink("file", path("soft")).unwrap();
    make(&path("pipe"), FileType::Fifo);
    assert!(is_left(&path("file")) && !is_left(&path("soft")));
    // It opens at once, though nobody writes into it.
    is_left(&path("pipe"));
}

#[test]
fn a_folder_that_is_made_can_be_held() {
    let folder = folder();
    let path = folder.path().join("made");
    let made = make_folder(&path).unwrap();
    assert!(made.metadata().unwrap().is_dir() && hold(&made).unwrap() && !is_left(&path));
    assert_eq!(make_folder(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn two_names_change_what_they_name() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("one"), b"1").unwrap();
    fs::create_dir(path("two")).unwrap();
    exchange(&path("one"), &path("two")).unwrap();
    assert!(path("one").is_dir() && fs::read(path("two")).unwrap() == b"1");
    assert_eq!(exchange(&path("one"), &path("three")).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(names(folder.path()), ["one", "two"]);
    assert_eq!(rename_to_free(&path("one"), &path("two")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    rename_to_free(&path("one"), &path("three")).unwrap();
    assert_eq!(names(folder.path()), ["three", "two"]);
}

#[test]
fn only_what_is_not_known_is_unsupported() {
    assert!(known(Ok(())).is_ok());
    for errno in [Errno::INVAL, Errno::NOSYS] {
        assert_eq!(known(Err(errno)).unwrap_err().kind(), io::ErrorKind::Unsupported);
    }
    for errno in [Errno::EXIST, Errno::NOENT, Errno::ACCESS, Errno::XDEV, Errno::NOSPC] {
        let error = known(Err(errno)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(errno.raw_os_error()), "{errno}");
    }
}

#[test]
fn a_folder_is_flushed_where_it_can_be() {
    flush_folder(folder().path()).unwrap();
    // The kernel's own folders cannot be flushed, which is no fault.
    flush_folder(Path::new("/proc/self")).unwrap();
    assert_eq!(flush_folder(Path::new("/no such folder")).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn names_of_standard_output_are_known_and_open_files_have_names() {
    use super::super::is_stdout;
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert!(is_stdout(Path::new(name)), "{name}");
    }
    for name in ["/dev/stderr", "/dev/fd/2", "/dev/fd/10", "/proc/self/fd/11", "stdout", "-", ""] {
        assert!(!is_stdout(Path::new(name)), "{name}");
    }
    assert_eq!(descriptor(7).unwrap(), Path::new("/dev/fd/7"));
    assert_eq!(settings(), Path::new("/etc/docker_delta"));
}

#[test]
fn a_socket_listens_or_it_does_not() {
    let folder = folder();
    let path = folder.path().join("socket");
    let address = path.to_str().unwrap();
    assert_eq!(listens(address).unwrap_err().kind(), io::ErrorKind::NotFound);
    let listener = UnixListener::bind(&path).unwrap();
    listens(address).unwrap();
    drop(listener);
    assert_eq!(listens(address).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}
