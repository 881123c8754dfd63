use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};

use delta_core::error::Kind as ErrorKind;
use delta_core::facts::{Facts, Time};
use xattr::FileExt as _;

use super::super::samples::{MASK, NOBODY, OTHERS, OWN_GROUP, OWNER, USER, bare, entry, file, list, tree};
use super::*;

/// What is made in an empty folder.
fn made(entries: &[(Entry, &[u8])], keep: Keep) -> (tempfile::TempDir, Result<Vec<Lost>>) {
    let folder = tempfile::tempdir().unwrap();
    let lost = unpack(&tree(entries), folder.path(), keep);
    (folder, lost)
}

const NO_DEVICES: Keep = Keep { owner: true, permissions: true, times: true, attributes: true, devices: false };

fn link_to(target: &str) -> Kind {
    Kind::HardLink(target.as_bytes().to_vec())
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn each_kind_is_made() {
    let (folder, lost) = made(
        &[
            file("a", b"content"),
            bare("b", link_to("a")),
            bare("c", Kind::Folder),
            bare("c/d", Kind::SymbolicLink(b"../a".to_vec())),
            bare("c/e", link_to("c/d")),
            bare("f", Kind::Fifo),
            bare("g", link_to("f")),
        ],
        Keep::default(),
    );
    assert!(lost.unwrap().is_empty());
    let at = |name: &str| fs::symlink_metadata(folder.path().join(name)).unwrap();
    assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"content");
    assert_eq!((at("a").ino(), at("a").nlink()), (at("b").ino(), 2));
    assert_eq!(fs::read_link(folder.path().join("c/e")).unwrap().to_str(), Some("../a"));
    assert_eq!((at("c/d").ino(), at("f").ino()), (at("c/e").ino(), at("g").ino()));
    assert!(at("c").is_dir() && at("f").file_type().is_fifo());
}

#[test]
fn devices_are_made_or_left_out_with_their_other_names() {
    let entries = [
        bare("null", Kind::Character(1, 3)),
        bare("null, too", link_to("null")),
        bare("ram", Kind::Block(1, 0)),
        bare("z", Kind::Fifo),
    ];
    let (folder, lost) = made(&entries, NO_DEVICES);
    assert!(lost.unwrap().is_empty());
    assert_eq!(names(folder.path()), ["z"]);
    let (folder, lost) = made(&entries, Keep::default());
    assert!(lost.unwrap().is_empty(), "these tests want to be run as root");
    let at = |name: &str| fs::symlink_metadata(folder.path().join(name)).unwrap();
    assert!(at("null").file_type().is_char_device() && at("ram").file_type().is_block_device());
    assert_eq!((at("null").rdev(), at("ram").rdev()), (rustix::fs::makedev(1, 3), rustix::fs::makedev(1, 0)));
    assert_eq!(at("null").ino(), at("null, too").ino());
}

#[test]
fn what_a_hard_link_leads_to_is_looked_at() {
    for (target, expected) in [
        ("a", "it is a hard link to a folder"),
        ("b", "it is a hard link to nothing"),
        ("c/b", "the tree leads out of the folder"),
        ("d/b", "the tree leads out of the folder"),
    ] {
        let entries = [
            bare("a", Kind::Folder),
            bare("c", Kind::SymbolicLink(b"a".to_vec())),
            file("d", b""),
            bare("link", link_to(target)),
        ];
        let (folder, lost) = made(&entries, Keep::default());
        let error = lost.unwrap_err();
        let expected = format!("writing {}/link: {expected}", folder.path().display());
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Content, expected));
        assert_eq!(names(folder.path()), ["a", "c", "d"]);
    }
    // Where devices are left out it may be the other name of one.
    let (folder, lost) = made(&[file("a", b""), bare("b", link_to("Z"))], NO_DEVICES);
    assert!(lost.unwrap().is_empty());
    assert_eq!(names(folder.path()), ["a"]);
}

#[test]
fn nothing_that_is_there_is_replaced_or_gone_through() {
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("precious"), b"precious").unwrap();
    type Prepare<'a> = &'a dyn Fn(&Path);
    let cases: [(Prepare<'_>, Kind); 6] = [
        (&|path| fs::write(path, b"precious").unwrap(), Kind::File(0)),
        (&|path| symlink(other.path().join("precious"), path).unwrap(), Kind::File(0)),
        (&|path| symlink(other.path().join("new"), path).unwrap(), Kind::File(0)),
        (&|path| fs::create_dir(path).unwrap(), Kind::Folder),
        (&|path| fs::write(path, b"precious").unwrap(), Kind::Fifo),
        (&|path| fs::write(path, b"precious").unwrap(), Kind::SymbolicLink(b"a".to_vec())),
    ];
    for (prepare, kind) in cases {
        let folder = tempfile::tempdir().unwrap();
        prepare(&folder.path().join("a"));
        let error = unpack(&tree(&[bare("a", kind)]), folder.path(), Keep::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
        assert!(error.to_string().contains("File exists"), "{error}");
        if let Ok(bytes) = fs::read(folder.path().join("a")) {
            assert_eq!(bytes, b"precious");
        }
        assert_eq!(names(other.path()), ["precious"]);
    }
}

#[test]
fn a_folder_that_becomes_a_link_meanwhile_is_not_gone_through() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut place = Place::new(folder.path()).unwrap();
    symlink(elsewhere.path(), folder.path().join("a")).unwrap();
    let error = place.of(b"a/b").map(|_| ()).unwrap_err();
    assert!([Errno::LOOP, Errno::NOTDIR].map(|errno| Some(errno.raw_os_error())).contains(&error.raw_os_error()));
    assert_eq!(place.of(b"a").unwrap().1, b"a");
    fs::remove_file(folder.path().join("a")).unwrap();
    fs::create_dir_all(folder.path().join("a/b/c")).unwrap();
    let id = |place: &mut Place, name: &[u8]| rustix::fs::fstat(place.of(name).unwrap().0).unwrap().st_ino;
    let ino = |name: &str| fs::metadata(folder.path().join(name)).unwrap().ino();
    // Down, aside, up, and down again.
    for (name, expected) in [
        (&b"x"[..], ""),
        (b"a/x", "a"),
        (b"a/b/c/x", "a/b/c"),
        (b"a/b/x", "a/b"),
        (b"x", ""),
        (b"a/b/c/x", "a/b/c"),
        (b".", ""),
    ] {
        assert_eq!(id(&mut place, name), ino(expected), "{expected}");
    }
    assert_eq!(
        place.path(b"a/\xff").as_os_str().as_bytes(),
        [folder.path().as_os_str().as_bytes(), b"/a/\xff"].concat()
    );
    assert!(Place::new(&folder.path().join("none")).is_err());
}

#[test]
fn times_and_permissions_of_folders_are_those_of_the_tree_whatever_is_made_in_them() {
    let facts =
        |mode: u32, seconds: i64| Facts { mode, modified: Time { seconds, nanoseconds: 7 }, ..Facts::default() };
    let folder = |name: &str, mode, seconds| Entry { facts: facts(mode, seconds), ..entry(name, Kind::Folder) };
    let (made, lost) = made(
        &[
            (folder("a", 0o500, 10), &[][..]),
            (folder("a/b", 0o2705, 20), &[]),
            file("a/b/c", b"content"),
            file("a/d", b"content"),
            (folder("e", 0o1777, -30), &[]),
        ],
        Keep::default(),
    );
    assert!(lost.unwrap().is_empty());
    for (name, mode, seconds) in [("a", 0o500, 10), ("a/b", 0o2705, 20), ("e", 0o1777, -30)] {
        let found = fs::metadata(made.path().join(name)).unwrap();
        assert_eq!((found.mode() & 0o7777, found.mtime(), found.mtime_nsec()), (mode, seconds, 7), "{name}");
    }
}

#[test]
fn lists_of_the_folder_that_is_given_do_not_reach_what_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let guests =
        list(&[(OWNER, 7, NOBODY), (USER, 7, 1000), (OWN_GROUP, 0, NOBODY), (MASK, 7, NOBODY), (OTHERS, 0, NOBODY)]);
    File::open(folder.path()).unwrap().set_xattr("system.posix_acl_default", &guests).unwrap();
    let stream = tree(&[file("a", b"secret"), bare("b", Kind::Folder)]);
    assert!(unpack(&stream, folder.path(), Keep::default()).unwrap().is_empty());
    for name in [".", "a", "b"] {
        assert_eq!(xattr::list(folder.path().join(name)).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn what_cannot_be_given_back_is_told_or_an_error() {
    let entries = || {
        let mut odd = file("odd", b"content");
        odd.0.facts.attributes = vec![super::super::samples::attribute("nowhere.a", b"value")];
        [odd]
    };
    let (folder, lost) = made(&entries(), Keep::default());
    let error = lost.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Environment);
    assert!(
        error.to_string().starts_with("NEW cannot be made as it should be: the attribute nowhere.a of odd ("),
        "{error}"
    );
    assert_eq!(fs::read(folder.path().join("odd")).unwrap(), b"content");
    let (_folder, lost) = made(&entries(), Keep { attributes: false, ..Keep::default() });
    assert!(lost.unwrap().is_empty());
}

#[test]
fn a_folder_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), b"").unwrap();
    for name in ["none", "file"] {
        let path = folder.path().join(name);
        let error = unpack(&tree(&[]), &path, Keep::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Environment);
        assert!(error.to_string().starts_with(&format!("writing {}: ", path.display())), "{error}");
    }
    // What is no tree is told as that, and not as a fault of the disk.
    let error = unpack(&vec![7_u8; 2_048], folder.path(), Keep::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Content);
    assert!(error.to_string().starts_with("reading the tree: the entry at byte 0 of the tree: "), "{error}");
    let error = super::super::check(&vec![7_u8; 2_048], folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Content);
    assert!(error.to_string().starts_with(&format!("reading {} again: ", folder.path().display())), "{error}");
}
