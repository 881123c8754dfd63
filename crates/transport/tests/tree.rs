//! Folders come back from their streams, whatever is in them; streams that others wrote make nothing outside of the folder.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use delta_core::Kind;
use delta_transport::tree::{Detail, Keep, check, pack, unpack};
use proptest::prelude::*;

fn packed(root: &Path, detail: Detail) -> Vec<u8> {
    let mut stream = Vec::new();
    pack(root, detail, &mut stream).unwrap();
    check(&stream, root).unwrap();
    stream
}

/// What is made of a stream.
fn unpacked(stream: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    unpack(&stream, &root, Keep::default()).unwrap_or_else(|error| panic!("{error}"));
    (folder, root)
}

fn comes_back(root: &Path) -> (tempfile::TempDir, PathBuf) {
    let stream = packed(root, Detail::Everything);
    let (folder, made) = unpacked(&stream);
    assert!(packed(&made, Detail::Everything) == stream, "another tree came back");
    (folder, made)
}

/// One entry of a random tree.
#[derive(Clone, Debug)]
enum Node {
    File(Vec<u8>, Option<u64>),
    Folder(BTreeMap<Vec<u8>, (Node, u32, i64)>),
    Link(Vec<u8>),
    Fifo,
    /// Another name of the first file, link or pipe that there is.
    Again,
}

fn names() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\n'), Just(b'='), Just(b' '), Just(0xff_u8), 1..=255_u8];
    prop::collection::vec(byte.prop_filter("no name has it", |byte| *byte != b'/'), 1..80)
        .prop_filter("they mean something else", |name| name != b"." && name != b"..")
}

fn nodes() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        3 => (prop::collection::vec(any::<u8>(), 0..2000), prop::option::of(0..3_000_000_u64))
            .prop_map(|(bytes, hole)| Node::File(bytes, hole)),
        1 => prop::collection::vec(1..=255_u8, 1..300).prop_map(Node::Link),
        1 => Just(Node::Fifo),
        1 => Just(Node::Again),
    ];
    leaf.prop_recursive(4, 40, 8, |node| {
        let times = prop_oneof![Just(-1_i64), Just(0), -5_000_000_000..5_000_000_000_000_000_000_i64];
        prop::collection::btree_map(names(), (node, 0..0o10_000_u32, times), 0..8).prop_map(Node::Folder)
    })
}

fn make(path: &Path, node: &Node, first: &mut Option<PathBuf>) {
    match node {
        Node::Folder(children) => {
            fs::create_dir(path).unwrap();
            for (name, (child, mode, time)) in children {
                let path = path.join(OsStr::from_bytes(name));
                make(&path, child, first);
                let Ok(found) = fs::symlink_metadata(&path) else { continue };
                if !found.is_symlink() {
                    xattr::set(&path, OsStr::from_bytes(b"trusted.a=%3D\xff\n"), name).unwrap();
                    // Folders stay open for the user who runs the test.
                    let mode = if found.is_dir() { mode | 0o700 } else { *mode };
                    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                }
                let (tv_sec, tv_nsec) = (time / 1_000_000_000, time.rem_euclid(1_000_000_000));
                let time = rustix::fs::Timespec { tv_sec, tv_nsec };
                let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
                let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
                rustix::fs::utimensat(rustix::fs::CWD, &path, &times, flags).unwrap();
            }
        }
        Node::File(bytes, hole) => {
            let mut file = File::create_new(path).unwrap();
            file.write_all(bytes).unwrap();
            if let Some(hole) = hole {
                file.set_len(bytes.len() as u64 + hole).unwrap();
            }
        }
        Node::Link(target) => symlink(OsStr::from_bytes(target), path).unwrap(),
        Node::Fifo => {
            let kind = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, path, kind, rustix::fs::Mode::RUSR, 0).unwrap();
        }
        Node::Again => match first {
            Some(first) => fs::hard_link(first, path).unwrap(),
            None => return,
        },
    }
    if !matches!(node, Node::Folder(_)) {
        first.get_or_insert_with(|| path.to_path_buf());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_tree_comes_back(children in prop::collection::btree_map(names(), (nodes(), 0..0o10_000_u32, any::<i32>()), 0..8)) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        let children = children.into_iter().map(|(name, (node, mode, time))| (name, (node, mode, i64::from(time)))).collect();
        make(&root, &Node::Folder(children), &mut None);
        let (_kept, made) = comes_back(&root);
        prop_assert_eq!(packed(&root, Detail::Content), packed(&made, Detail::Content));
    }

    #[test]
    fn a_damaged_tree_is_refused_or_stays_inside(at in 0..6000_usize, value: u8) {
        let folder = tempfile::tempdir().unwrap();
        let (tree, root) = (folder.path().join("tree"), folder.path().join("root"));
        fs::create_dir_all(tree.join("in")).unwrap();
        fs::create_dir(&root).unwrap();
        fs::write(tree.join("in").join("n".repeat(150)), b"content").unwrap();
        symlink("..", tree.join("link")).unwrap();
        let mut stream = packed(&tree, Detail::Everything);
        let at = at % stream.len();
        stream[at] = value;
        if let Err(error) = unpack(&stream, &root, Keep { owner: false, devices: false, ..Keep::default() }) {
            prop_assert!(matches!(error.kind(), Kind::Content | Kind::Environment), "{}", error);
        }
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

/// A stream of our form with these entries: name, type and link or content. The checksums are right.
fn stream(entries: &[(&str, u8, &str)]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (name, kind, value) in entries {
        let content = if *kind == b'0' { value } else { "" };
        let link = if matches!(kind, b'1' | b'2') { value } else { "" };
        stream.extend(header(name, *kind, link, &format!("{:011o}", content.len())));
        stream.extend(content.as_bytes());
        stream.resize(stream.len().next_multiple_of(512), 0);
    }
    stream.resize(stream.len() + 1024, 0);
    stream
}

fn header(name: &str, kind: u8, link: &str, size: &str) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    // A hard link has the facts of the file.
    put(100, if kind == b'1' { b"0000000" } else { b"0000700" });
    [108, 116, 329, 337].into_iter().for_each(|at| put(at, b"0000000"));
    put(124, size.as_bytes());
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn refused(stream: &[u8], text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let [root, outside] = ["root", "outside"].map(|name| folder.path().join(name));
    [&root, &outside].into_iter().for_each(|path| fs::create_dir(path).unwrap());
    let error = unpack(&stream, &root, Keep { owner: false, ..Keep::default() }).unwrap_err();
    assert!(error.to_string().contains(text), "expected `{text}`: {error}");
    assert_eq!(error.kind(), Kind::Content, "{error}");
    assert_eq!((fs::read_dir(&outside).unwrap().count(), fs::read_dir(folder.path()).unwrap().count()), (0, 2));
}

#[test]
fn no_entry_leads_out_of_the_folder() {
    let root = (".", b'5', "");
    for (name, kind, value) in [
        ("..", b'5', ""),
        ("../outside/evil", b'0', "evil"),
        ("/tmp/evil", b'0', "evil"),
        ("a/../../outside/evil", b'0', "evil"),
        ("", b'0', "evil"),
        ("a//b", b'0', "evil"),
        ("./a", b'0', "evil"),
    ] {
        refused(&stream(&[root, (name, kind, value)]), "leads out of the folder");
    }
    refused(&stream(&[root, ("a", b'2', "../outside"), ("a/evil", b'0', "evil")]), "leads through a link");
    refused(&stream(&[root, ("a", b'2', "../outside"), ("b", b'1', "a/evil")]), "leads out of the folder");
    refused(&stream(&[root, ("b", b'1', "../outside")]), "is a hard link to no entry before it");
    refused(&stream(&[root, ("b", b'1', "c"), ("c", b'0', "")]), "is a hard link to no entry before it");
    refused(&stream(&[("a", b'0', "")]), "stands where the folder itself should");
    refused(&stream(&[(".", b'2', "../outside")]), "stands where the folder itself should");
}

#[test]
fn an_entry_has_one_form_and_one_place() {
    let root = (".", b'5', "");
    refused(&stream(&[root, ("a", b'0', "one"), ("a", b'0', "two")]), "comes twice");
    refused(&stream(&[root, ("b", b'0', "one"), ("a", b'0', "two")]), "another order");
    refused(&stream(&[root, root]), "leads out of the folder");
    refused(&stream(&[root, ("a", b'7', "")]), "an entry of the type '7'");
    refused(&stream(&[]), "ends in the middle");
    let good = stream(&[root, ("a", b'0', "x")]);
    for cut in [0, 100, 512, 1024, 1500, 1536, good.len() - 512, good.len() - 1] {
        let folder = tempfile::tempdir().unwrap();
        let error = unpack(&&good[..cut], folder.path(), Keep::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::Content, "{cut}: {error}");
    }
    refused(&[&good[..], &[0; 512]].concat(), "ends in the middle");
    let mut padded = good;
    padded[1024 + 7] = 1;
    refused(&padded, "bytes without meaning");
}

#[test]
fn sizes_and_records_are_bounded() {
    let with = |block: [u8; 512], more: &[u8]| {
        let mut stream = [&header(".", b'5', "", "00000000000")[..], &block[..], more].concat();
        stream.resize(stream.len().next_multiple_of(512) + 1024, 0);
        stream
    };
    refused(&with(header("a", b'0', "", "77777777777"), b""), "end of file");
    refused(&with(header("a", b'0', "", "-0000000001"), b""), "the number");
    refused(&with(header("a", b'x', "", "77777777777"), b""), "at most 16777216 are read");
    for (records, text) in [
        ("11 path=a\n", "a pax record that is none"),
        ("10 path=a\n", "another form"),
        ("9 path=a\n", "another form"),
        ("29 size=99999999999999999999\n", "the number"),
        ("14 colour=red\n", "the unknown record `colour`"),
        ("28 GNU.sparse.realsize=-100\n", "the number"),
        ("99999999999999999999 a=b\n", "pax record"),
    ] {
        let size = format!("{:011o}", records.len());
        let mut more = records.as_bytes().to_vec();
        more.resize(512, 0);
        more.extend(header("a", b'0', "", "00000000000"));
        refused(&with(header("PaxHeaders", b'x', "", &size), &more), text);
    }
}

#[test]
fn holes_stay_holes_in_the_stream_and_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create_new(folder.path().join("disk")).unwrap();
    file.set_len(300 << 20).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"in the middle", 150 << 20).unwrap();
    drop(file);
    File::create_new(folder.path().join("empty")).unwrap().set_len(1 << 40).unwrap();
    assert!(packed(folder.path(), Detail::Everything).len() < 20_000);
    let (_kept, made) = comes_back(folder.path());
    let disk = fs::metadata(made.join("disk")).unwrap();
    assert!(disk.len() == 300 << 20 && disk.blocks() * 512 < 100_000);
    // A copy without holes is the same base.
    let copy = tempfile::tempdir().unwrap();
    fs::write(copy.path().join("disk"), fs::read(made.join("disk")).unwrap()).unwrap();
    fs::remove_file(made.join("empty")).unwrap();
    assert!(packed(copy.path(), Detail::Content) == packed(&made, Detail::Content));
}

#[test]
fn a_base_is_names_and_contents() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
    for (root, link) in [(&one, true), (&other, false)] {
        fs::create_dir(root).unwrap();
        fs::write(root.join("a"), b"content").unwrap();
        symlink("a", root.join("to-a")).unwrap();
        if link {
            fs::hard_link(root.join("a"), root.join("b")).unwrap();
            fs::hard_link(root.join("to-a"), root.join("to-b")).unwrap();
            std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        } else {
            fs::write(root.join("b"), b"content").unwrap();
            symlink("a", root.join("to-b")).unwrap();
        }
    }
    symlink(&one, folder.path().join("link")).unwrap();
    let base = packed(&one, Detail::Content);
    assert!(packed(&other, Detail::Content) == base);
    assert!(packed(&folder.path().join("link"), Detail::Content) == base);
    let error = pack(&one, Detail::Everything, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("socket, which cannot be carried"), "{error}");
    fs::remove_file(one.join("socket")).unwrap();
    assert!(packed(&folder.path().join("link"), Detail::Everything) == packed(&one, Detail::Everything));
}

#[test]
fn a_tree_deeper_than_any_path_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().join("top");
    fs::create_dir(&top).unwrap();
    let mut at = rustix::fs::open(&top, rustix::fs::OFlags::DIRECTORY, rustix::fs::Mode::empty()).unwrap();
    for _ in 0..60 {
        let name = "d".repeat(100);
        rustix::fs::mkdirat(&at, &name, rustix::fs::Mode::RWXU).unwrap();
        at = rustix::fs::openat(&at, &name, rustix::fs::OFlags::DIRECTORY, rustix::fs::Mode::empty()).unwrap();
    }
    comes_back(&top);
}
