use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};

use delta_core::error::Kind;

use super::*;

/// An open folder with a file, a folder, links to both, and a pipe.
fn desk() -> (tempfile::TempDir, OwnedFd) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), b"content").unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink("file", at("link")).unwrap();
    symlink("folder", at("way")).unwrap();
    symlink("nothing", at("dangling")).unwrap();
    let open: OwnedFd = File::open(folder.path()).unwrap().into();
    crate::system::make_node(&open, "pipe", rustix::fs::FileType::Fifo, 0).unwrap();
    (folder, open)
}

fn name(text: &str) -> &OsStr {
    OsStr::new(text)
}

fn errno<T>(result: io::Result<T>) -> Option<Errno> {
    result.err().and_then(|error| Errno::from_io_error(&error))
}

#[test]
fn a_folder_is_what_a_path_leads_to() {
    let (folder, _open) = desk();
    let given = |name: &str| open_given(&folder.path().join(name));
    let (opened, id) = given("way").unwrap();
    assert_eq!((Some(id), id), (id_of(&folder.path().join("folder")), given("folder").unwrap().1));
    assert_eq!(rustix::fs::fstat(&opened).unwrap().st_ino, id.1);
    for (path, kind, said, hint) in [
        ("file", Kind::Usage, " is no folder", Some("name the folder into which packages are dropped")),
        ("link", Kind::Usage, " is no folder", Some("name the folder into which packages are dropped")),
        ("none", Kind::Environment, ": No such file or directory", Some("make it first: mkdir ")),
        ("dangling", Kind::Environment, ": No such file or directory", Some("make it first: mkdir ")),
        ("file/in it", Kind::Environment, ": Not a directory", None),
    ] {
        let error = given(path).unwrap_err();
        assert!(error.to_string().contains(&format!("/{path}{said}")), "{error}");
        let is_hint = |expected: &str| error.hint().is_some_and(|found| found.starts_with(expected));
        assert!(error.kind() == kind && hint.map_or(error.hint().is_none(), is_hint), "{path}: {error:?}");
    }
    assert_eq!(id_of(&folder.path().join("none")), None);
}

#[test]
fn an_open_folder_is_reached_whatever_it_is_called() {
    let (folder, _open) = desk();
    let (opened, _) = open_given(&folder.path().join("folder")).unwrap();
    fs::rename(folder.path().join("folder"), folder.path().join("renamed")).unwrap();
    fs::write(way_to(&opened).join("new"), b"").unwrap();
    assert!(folder.path().join("renamed/new").exists());
}

#[test]
fn a_folder_is_made_where_there_is_none_and_no_link_is_taken_for_one() {
    let (folder, open) = desk();
    let made = make(open.as_fd(), name("new"), 0o700).unwrap();
    assert_eq!(fs::metadata(folder.path().join("new")).unwrap().mode() & 0o777, 0o700);
    let again = make(open.as_fd(), name("new"), 0o755).unwrap();
    assert_eq!(rustix::fs::fstat(&made).unwrap().st_ino, rustix::fs::fstat(&again).unwrap().st_ino);
    assert_eq!(fs::metadata(folder.path().join("new")).unwrap().mode() & 0o777, 0o700);
    for taken in ["file", "link", "way", "dangling", "pipe"] {
        let error = errno(make(open.as_fd(), name(taken), 0o700)).unwrap();
        assert!([Errno::NOTDIR, Errno::LOOP].contains(&error), "{taken}: {error}");
    }
    assert_eq!(errno(make(open.as_fd(), name("none/new"), 0o700)), Some(Errno::NOENT));
}

#[test]
fn what_has_a_name_is_looked_at_and_not_what_it_leads_to() {
    let (_folder, open) = desk();
    let kind = |text: &str| {
        let found = stat(open.as_fd(), name(text)).unwrap()?;
        Some(rustix::fs::FileType::from_raw_mode(found.st_mode))
    };
    use rustix::fs::FileType::{Directory, Fifo, RegularFile, Symlink};
    for (text, expected) in [
        ("file", Some(RegularFile)),
        ("folder", Some(Directory)),
        ("link", Some(Symlink)),
        ("way", Some(Symlink)),
        ("dangling", Some(Symlink)),
        ("pipe", Some(Fifo)),
        ("none", None),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
    assert_eq!(errno(stat(open.as_fd(), name("file/in it"))), Some(Errno::NOTDIR));
}

#[test]
fn only_a_regular_file_is_opened_and_nobody_is_waited_for() {
    let (folder, open) = desk();
    let _listener = UnixListener::bind(folder.path().join("socket")).unwrap();
    assert_eq!(open_file(open.as_fd(), name("file")).unwrap().metadata().unwrap().len(), 7);
    for text in ["folder", "pipe"] {
        let error = open_file(open.as_fd(), name(text)).unwrap_err();
        assert_eq!(error.to_string(), "it is no regular file any more", "{text}");
    }
    for (text, expected) in
        [("link", Errno::LOOP), ("way", Errno::LOOP), ("none", Errno::NOENT), ("socket", Errno::NXIO)]
    {
        assert_eq!(errno(open_file(open.as_fd(), name(text))), Some(expected), "{text}");
    }
}

#[test]
fn a_new_file_has_a_name_that_was_free() {
    let (folder, open) = desk();
    let mut file = new_file(open.as_fd(), name("new"), 0o600).unwrap();
    io::Write::write_all(&mut file, b"bytes").unwrap();
    let found = fs::metadata(folder.path().join("new")).unwrap();
    assert_eq!((found.len(), found.mode() & 0o777), (5, 0o600));
    let mut text = String::new();
    io::Seek::rewind(&mut file).unwrap();
    assert_eq!(io::Read::read_to_string(&mut file, &mut text).unwrap(), 5);
    for taken in ["new", "file", "folder", "link", "dangling", "pipe"] {
        assert_eq!(errno(new_file(open.as_fd(), name(taken), 0o600)), Some(Errno::EXIST), "{taken}");
    }
    assert!(!folder.path().join("nothing").exists());
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"content");
}

#[test]
fn what_is_removed_may_be_gone_and_is_no_folder() {
    let (folder, open) = desk();
    for gone in ["file", "file", "link", "dangling", "pipe", "none"] {
        remove(open.as_fd(), name(gone)).unwrap();
        assert!(fs::symlink_metadata(folder.path().join(gone)).is_err(), "{gone}");
    }
    assert_eq!(errno(remove(open.as_fd(), name("folder"))), Some(Errno::ISDIR));
    assert!(folder.path().join("way").exists());
}

#[test]
fn what_is_moved_replaces_nothing() {
    let (folder, open) = desk();
    let inner = make(open.as_fd(), name("folder"), 0o755).unwrap();
    for taken in ["file", "link", "dangling", "empty"] {
        fs::write(folder.path().join("from"), b"moved").unwrap();
        match taken {
            "file" => fs::write(folder.path().join("folder/file"), b"other").unwrap(),
            "empty" => fs::create_dir(folder.path().join("folder/empty")).unwrap(),
            link => symlink("../file", folder.path().join("folder").join(link)).unwrap(),
        }
        let moved = rename_to_free((open.as_fd(), name("from")), (inner.as_fd(), name(taken)));
        assert_eq!(errno(moved), Some(Errno::EXIST), "{taken}");
        assert_eq!(fs::read(folder.path().join("from")).unwrap(), b"moved");
    }
    assert_eq!(fs::read(folder.path().join("folder/file")).unwrap(), b"other");
    rename_to_free((open.as_fd(), name("from")), (inner.as_fd(), name("free"))).unwrap();
    assert_eq!(fs::read(folder.path().join("folder/free")).unwrap(), b"moved");
    assert!(!folder.path().join("from").exists());
    // A link is moved itself.
    rename_to_free((open.as_fd(), name("link")), (inner.as_fd(), name("moved"))).unwrap();
    assert_eq!(fs::read_link(folder.path().join("folder/moved")).unwrap().to_str(), Some("file"));
    let moved = rename_to_free((open.as_fd(), name("none")), (inner.as_fd(), name("none")));
    assert_eq!(errno(moved), Some(Errno::NOENT));
}

#[test]
fn what_cannot_be_flushed_is_no_fault() {
    let (folder, open) = desk();
    flush(open.as_fd()).unwrap();
    let (one, _other) = UnixStream::pair().unwrap();
    flush(one.as_fd()).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    flush(open.as_fd()).unwrap();
}
