use super::*;

#[test]
fn names_stay_inside() {
    assert_eq!(normal("./a//b/../c"), "a/c");
    assert_eq!(normal("../../etc/passwd"), "etc/passwd");
}

#[test]
fn what_is_no_archive_cannot_steer_a_terminal() {
    let bytes: Vec<u8> = b"\x1b[31mred\n".iter().copied().cycle().take(2000).collect();
    let error = Container::archive(Arc::new(bytes), "test").map(|_| ()).unwrap_err().to_string();
    assert!(error.len() < 200 && !error.contains(char::is_control), "{error}");
}

#[test]
fn links_in_a_circle_are_no_file() {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, target) in [("a", "b"), ("b", "a"), ("c/d", "../file")] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, name, target).unwrap();
    }
    let mut header = tar::Header::new_gnu();
    header.set_size(5);
    builder.append_data(&mut header, "file", &b"bytes"[..]).unwrap();
    let container = Container::archive(Arc::new(builder.into_inner().unwrap()), "test").unwrap();
    assert!(container.find("a").unwrap().is_none());
    assert_eq!(container.find("c/d").unwrap().unwrap().len(), 5);
    assert_eq!(container.document("./file").unwrap().unwrap().bytes(), b"bytes");
}

/// An archive of these members: the name, the type, and the content or what is linked to.
fn archive(members: &[(&str, tar::EntryType, &str)]) -> Container {
    Container::archive(Arc::new(bytes_of(members)), "test").unwrap()
}

fn bytes_of(members: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, value) in members {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_size(0);
            builder.append_link(&mut header, name, value).unwrap();
        } else {
            header.set_size(value.len() as u64);
            builder.append_data(&mut header, name, value.as_bytes()).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn text(container: &Container, name: &str) -> Option<String> {
    let document = container.document(name).unwrap()?;
    Some(String::from_utf8(document.bytes().to_vec()).unwrap())
}

use tar::EntryType::{Directory, Fifo, Link, Regular, Symlink};

#[test]
fn archive_links_are_followed_up_to_their_limit() {
    let chain = |links: usize| {
        let names: Vec<String> = (0..=links).map(|number| number.to_string()).collect();
        let mut members: Vec<_> = names.windows(2).map(|pair| (pair[0].as_str(), Symlink, pair[1].as_str())).collect();
        members.push((&names[links], Regular, "bytes"));
        text(&archive(&members), "0")
    };
    assert_eq!(chain(1).as_deref(), Some("bytes"));
    assert_eq!(chain(ARCHIVE_LINKS - 1).as_deref(), Some("bytes"));
    assert_eq!(chain(ARCHIVE_LINKS), None);
}

#[test]
fn a_symbolic_link_leads_from_its_folder_and_a_hard_link_from_the_root() {
    let container = archive(&[
        ("x", Regular, "root"),
        ("a/x", Regular, "inner"),
        ("a/soft", Symlink, "x"),
        ("a/up", Symlink, "../x"),
        ("a/out", Symlink, "../../../../x"),
        ("a/hard", Link, "x"),
        ("a/none", Symlink, "none"),
    ]);
    for (name, expected) in [
        ("a/soft", Some("inner")),
        ("a/up", Some("root")),
        ("a/out", Some("root")),
        ("a/hard", Some("root")),
        ("a/none", None),
        ("none", None),
        ("", None),
        ("./a//../x", Some("root")),
    ] {
        assert_eq!(text(&container, name).as_deref(), expected, "{name}");
    }
}

#[test]
fn of_two_members_of_one_name_the_later_one_counts_and_what_is_no_file_does_not() {
    let container = archive(&[
        ("x", Regular, "one"),
        ("./x", Regular, "two"),
        ("folder", Directory, ""),
        ("pipe", Fifo, ""),
        ("y", Regular, "file"),
        ("y", Directory, ""),
    ]);
    assert_eq!(text(&container, "x").as_deref(), Some("two"));
    assert_eq!(text(&container, "y").as_deref(), Some("file"));
    assert_eq!((text(&container, "folder"), text(&container, "pipe")), (None, None));
}

#[test]
fn a_document_is_held_up_to_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create_new(folder.path().join("index.json")).unwrap();
    let container = Container::Folder(folder.path().to_path_buf());
    file.set_len(limits::DOCUMENT_BYTES).unwrap();
    assert_eq!(container.document("index.json").unwrap().unwrap().bytes().len() as u64, limits::DOCUMENT_BYTES);
    file.set_len(limits::DOCUMENT_BYTES + 1).unwrap();
    let error = container.document("index.json").map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "index.json has 33554433 bytes, where at most 33554432 are read");
    assert_eq!(error.kind(), delta_core::error::Kind::Content);
}

#[test]
fn names_in_a_folder_stay_in_it() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("layout");
    std::fs::create_dir_all(folder.join("blobs")).unwrap();
    std::fs::write(outer.path().join("secret"), b"secret").unwrap();
    std::fs::write(folder.join("file"), b"file").unwrap();
    let container = Container::Folder(folder);
    for (name, expected) in [
        ("file", Some("file")),
        ("blobs/../file", Some("file")),
        ("/file", Some("file")),
        ("../secret", None),
        ("blobs/../../secret", None),
        ("blobs", None),
        ("", None),
    ] {
        assert_eq!(text(&container, name).as_deref(), expected, "{name}");
    }
    let absolute = outer.path().join("secret");
    assert_eq!(text(&container, absolute.to_str().unwrap()), None);
}

#[test]
fn an_archive_that_was_cut_off_has_no_file_that_is_not_whole() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2_000);
    builder.append_data(&mut header, "file", &vec![7; 2_000][..]).unwrap();
    let whole = builder.into_inner().unwrap();
    for length in [0, 1, 511, 512, 513, 2_000, 2_511, 2_512, 2_560, whole.len()] {
        let bytes: Arc<dyn ReadAt> = Arc::new(whole[..length].to_vec());
        // What cannot be opened is nothing either.
        let Ok(container) = Container::archive(bytes, "test") else { continue };
        let found = container.find("file").unwrap().map(|file| file.len());
        assert_eq!(found, (length >= 2_512).then_some(2_000), "{length}");
    }
}

#[test]
fn archive_members_are_noted_up_to_their_limit() {
    assert_eq!(ARCHIVE_MEMBERS, 1_048_576);
    // Those that are no files or links, and those of a name that is known, are none more.
    let members = [
        ("a", Regular, "one"),
        ("folder", Directory, ""),
        ("b", Regular, "two"),
        ("./a", Regular, "three"),
        ("c", Symlink, "a"),
        ("pipe", Fifo, ""),
    ];
    let bytes: Arc<dyn ReadAt> = Arc::new(bytes_of(&members));
    for most in [3, 4] {
        let container = Container::archive_up_to(most, bytes.clone(), "test").unwrap();
        assert_eq!(
            (text(&container, "a"), text(&container, "c")),
            (Some("three".to_owned()), Some("three".to_owned()))
        );
    }
    for most in [0, 2] {
        let error = Container::archive_up_to(most, bytes.clone(), "test").map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), format!("test has more than {most} members"));
        assert_eq!(error.kind(), delta_core::error::Kind::Content);
    }
}

#[test]
fn an_error_about_an_archive_shows_so_many_characters() {
    // The reader says which bytes it takes for a number.
    let mut block = vec![0; 1_024];
    block[..512].fill(b'z');
    let error = Container::archive(Arc::new(block), "test").map(|_| ()).unwrap_err();
    let said = error.to_string();
    let found = said.strip_prefix("test is no archive that can be read: ").unwrap();
    assert_eq!(found.chars().count(), FOUND, "{said}");
    assert_eq!(error.kind(), delta_core::error::Kind::Content);
}

/// One member, and its header to be changed.
fn with_header(edit: impl FnOnce(&mut tar::Header)) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("file").unwrap();
    header.set_size(5);
    header.set_mode(0o644);
    edit(&mut header);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(b"bytes");
    bytes.resize(2_048, 0);
    bytes
}

fn opened(bytes: Vec<u8>) -> Option<Container> {
    Container::archive(Arc::new(bytes), "test").ok()
}

#[test]
fn a_member_that_is_said_to_end_behind_the_archive_is_not_there() {
    for (size, is_there) in [(1_536, true), (1_537, false), (1 << 32, false), (u64::MAX / 2, false)] {
        let container = opened(with_header(|header| header.set_size(size)));
        let found = container.and_then(|container| container.find("file").unwrap());
        assert_eq!(found.map(|file| file.len()), is_there.then_some(size), "{size}");
    }
    // The largest number that a header has room for.
    for size in [u64::MAX, u64::MAX - 511, u64::MAX - 1_023] {
        let container = opened(with_header(|header| header.set_size(size)));
        assert!(container.is_none_or(|container| container.find("file").unwrap().is_none()), "{size}");
    }
}

#[test]
fn only_files_and_links_are_members() {
    use tar::EntryType;
    for (kind, is_file) in [
        (EntryType::Regular, true),
        (EntryType::new(0), true),
        (EntryType::Continuous, false),
        (EntryType::Char, false),
        (EntryType::Block, false),
        (EntryType::Fifo, false),
        (EntryType::Directory, false),
        (EntryType::GNUSparse, false),
        (EntryType::new(b'V'), false),
    ] {
        let container = opened(with_header(|header| header.set_entry_type(kind)));
        let found = container.and_then(|container| text(&container, "file"));
        assert_eq!(found.as_deref(), is_file.then_some("bytes"), "{kind:?}");
    }
}

#[test]
fn every_bit_of_a_header_that_turns_is_an_error_or_leaves_the_file_as_it_was() {
    let whole = with_header(|_| ());
    for bit in 0..512 * 8 {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let Some(container) = opened(changed) else { continue };
        // The checksum is a number in text, which blanks may be around.
        assert!((148 * 8..156 * 8).contains(&bit), "bit {bit}");
        assert_eq!(text(&container, "file").as_deref(), Some("bytes"), "bit {bit}");
    }
}

#[test]
fn long_names_and_those_of_pax_count() {
    let long = format!("{}/file", "folder/".repeat(30));
    assert_eq!(text(&archive(&[(&long, Regular, "bytes")]), &long).as_deref(), Some("bytes"));
    let target = format!("{}x", "y/".repeat(80));
    let linked = archive(&[(&target, Regular, "bytes"), ("link", Link, &target)]);
    assert_eq!(text(&linked, "link").as_deref(), Some("bytes"));
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_pax_extensions([("path", &b"of/pax"[..])]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(5);
    builder.append_data(&mut header, "of/header", &b"bytes"[..]).unwrap();
    let container = opened(builder.into_inner().unwrap()).unwrap();
    assert_eq!((text(&container, "of/pax").as_deref(), text(&container, "of/header")), (Some("bytes"), None));
}

#[test]
fn a_name_that_is_no_text_is_found_by_what_stands_for_it() {
    let container = opened(with_header(|header| header.as_mut_bytes()[1] = 0xff)).unwrap();
    assert_eq!(text(&container, "f\u{fffd}le").as_deref(), Some("bytes"));
}

#[test]
fn names_are_the_same_however_they_are_written() {
    for (name, expected) in [
        ("", ""),
        (".", ""),
        ("/", ""),
        ("..", ""),
        ("a/..", ""),
        ("a/../..", ""),
        ("a/./b/", "a/b"),
        ("//a///b", "a/b"),
        ("a/b/../../c", "c"),
        ("..a/b..", "..a/b.."),
        ("a\\..\\b", "a\\..\\b"),
    ] {
        assert_eq!(normal(name), expected, "{name}");
    }
    assert_eq!(["a/b/c", "a/", "a", ""].map(folder), ["a/b", "a", "", ""]);
}

#[test]
fn what_cannot_be_read_in_an_archive_is_the_surroundings() {
    let stick = Arc::new(Failing(bytes_of(&[("x", Regular, "one")]), 512));
    let container = Container::archive(stick, "test").unwrap();
    let error = container.document("x").map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "reading x: the stick is gone");
    assert_eq!(error.kind(), delta_core::error::Kind::Environment);
}

/// Bytes of which those at one place and no other cannot be read.
struct Failing(Vec<u8>, u64);

impl ReadAt for Failing {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset == self.1 { Err(io::Error::other("the stick is gone")) } else { self.0.read_at(buffer, offset) }
    }
}
