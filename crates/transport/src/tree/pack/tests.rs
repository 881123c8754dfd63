use std::fs;
use std::os::unix::fs::symlink;
use std::time::SystemTime;

use delta_core::error::Kind as ErrorKind;
use delta_core::facts::Attribute;

use super::super::entries::Entries;
use super::*;

/// A folder called `tree`, which changed long ago, with `file` in it, which did too.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("file"), b"what is in it").unwrap();
    age(&root.join("file"));
    age(&root);
    (folder, root)
}

fn age(path: &Path) {
    File::open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

fn packed(root: &Path, detail: Detail) -> Vec<(String, Kind)> {
    let mut stream = Vec::new();
    pack(root, detail, &mut stream).unwrap();
    let mut entries = Entries::new(&stream);
    let mut found = Vec::new();
    while let Some(next) = entries.next().unwrap() {
        found.push((String::from_utf8(next.entry.name).unwrap(), next.entry.kind));
    }
    found
}

/// Takes a stream, and meddles with the folder when it hears of a name.
struct Meddler<'a> {
    heard: &'a str,
    meddle: Option<&'a dyn Fn()>,
}

impl Write for Meddler<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.starts_with(format!("{}\0", self.heard).as_bytes())
            && let Some(meddle) = self.meddle.take()
        {
            meddle();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_changes_while_it_is_read_is_no_tree() {
    let append = |root: &Path| fs::write(root.join("file"), b"what is in it and more").unwrap();
    let cut = |root: &Path| fs::write(root.join("file"), b"what").unwrap();
    let replace = |root: &Path| fs::write(root.join("file"), b"what is IN it").unwrap();
    let add = |root: &Path| fs::write(root.join("another"), b"").unwrap();
    let remove = |root: &Path| fs::remove_file(root.join("next")).unwrap();
    type Meddle<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Meddle<'_>, &str, &str); 6] = [
        ("file", &append, "/file", "changed while it was read"),
        ("file", &cut, "/file", "changed while it was read"),
        ("file", &replace, "/file", "changed while it was read"),
        (".", &add, "", "changed while it was read"),
        ("file", &add, "", "changed while it was read"),
        ("file", &remove, "/next", "No such file or directory"),
    ];
    for (number, (heard, meddle, place, expected)) in cases.into_iter().enumerate() {
        let (_folder, root) = folder();
        fs::write(root.join("next"), b"").unwrap();
        age(&root);
        let meddle = || meddle(&root);
        let error = pack(&root, Detail::Everything, &mut Meddler { heard, meddle: Some(&meddle) }).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("{}{place}", root.display())) && text.contains(expected), "{number}: {text}");
        assert_eq!(
            (error.kind(), error.hint().is_some()),
            (ErrorKind::Environment, text.contains("changed")),
            "{text}"
        );
    }
    let (_folder, root) = folder();
    pack(&root, Detail::Everything, &mut Meddler { heard: "file", meddle: Some(&|| ()) }).unwrap();
}

#[test]
fn a_stream_that_cannot_be_written_is_told_as_that() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            if self.0 == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
    }
    let (_folder, root) = folder();
    let mut whole = Vec::new();
    pack(&root, Detail::Content, &mut whole).unwrap();
    // A header, another, its end, the end of all, and what is flushed.
    for room in [0, 511, 512, 1_024, 1_040, whole.len() - 1, whole.len()] {
        let error = pack(&root, Detail::Content, &mut Full(room)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Environment, "{room}: {error}");
        assert!(error.hint().unwrap().contains("free some room"), "{room}: {error}");
        assert!(error.to_string().contains("writing a temporary file: "), "{room}: {error}");
    }
    pack(&root, Detail::Content, &mut Full(whole.len() + 1)).unwrap();
}

#[test]
fn a_folder_is_what_can_be_packed() {
    let (_folder, root) = folder();
    for (path, said) in [("none", "No such file or directory"), ("file", "Not a directory")] {
        let path = root.join(path);
        let error = pack(&path, Detail::Everything, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Environment);
        assert!(error.to_string().starts_with(&format!("reading {}: {said}", path.display())), "{error}");
    }
}

#[test]
fn what_a_folder_has_is_listed_by_its_bytes_and_each_name_once() {
    let (_folder, root) = folder();
    fs::create_dir(root.join("folder")).unwrap();
    fs::hard_link(root.join("file"), root.join("folder/a")).unwrap();
    symlink("file", root.join("a link")).unwrap();
    fs::hard_link(root.join("a link"), root.join("link, too")).unwrap();
    fs::write(root.join("folder.d"), b"12").unwrap();
    crate::system::make_node(File::open(&root).unwrap().as_fd(), OsStr::new("pipe"), FileType::Fifo, 0).unwrap();
    fs::hard_link(root.join("pipe"), root.join("pipe, too")).unwrap();
    let of = |name: &str, kind: Kind| (name.to_owned(), kind);
    let link = || Kind::SymbolicLink(b"file".to_vec());
    let again = |name: &[u8]| Kind::HardLink(name.to_vec());
    let everything = [
        of(".", Kind::Folder),
        of("a link", link()),
        of("file", Kind::File(13)),
        of("folder", Kind::Folder),
        of("folder/a", again(b"file")),
        of("folder.d", Kind::File(2)),
        of("link, too", again(b"a link")),
        of("pipe", Kind::Fifo),
        of("pipe, too", again(b"pipe")),
    ];
    assert_eq!(packed(&root, Detail::Everything), everything);
    let content = [
        of(".", Kind::Folder),
        of("a link", link()),
        of("file", Kind::File(13)),
        of("folder", Kind::Folder),
        of("folder/a", Kind::File(13)),
        of("folder.d", Kind::File(2)),
        of("link, too", link()),
    ];
    assert_eq!(packed(&root, Detail::Content), content);
}

#[test]
fn holes_of_the_disk_are_kept_and_zeros_are_holes_of_a_base() {
    let (_folder, root) = folder();
    fs::remove_file(root.join("file")).unwrap();
    fs::write(root.join("zeros"), vec![0; 200_000]).unwrap();
    let file = File::create(root.join("hole")).unwrap();
    file.set_len(200_000).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"end", 199_997).unwrap();
    let kinds = |detail| packed(&root, detail).into_iter().map(|(_, kind)| kind).collect::<Vec<_>>();
    // The last block of 4,096 is written, of which 3,392 bytes are in the file.
    let hole = Kind::Sparse { size: 200_000, stored: 512 + 3_392 };
    assert_eq!(kinds(Detail::Everything), [Kind::Folder, hole.clone(), Kind::File(200_000)]);
    assert_eq!(kinds(Detail::Content), [Kind::Folder, hole, Kind::Sparse { size: 200_000, stored: 512 }]);
}

#[test]
fn what_cannot_be_carried_is_named_so_that_no_name_steers_a_terminal() {
    let (_folder, root) = folder();
    let _listener = std::os::unix::net::UnixListener::bind(root.join("a\x1bsocket")).unwrap();
    let error = pack(&root, Detail::Everything, &mut io::sink()).unwrap_err();
    let expected = format!("{}/a\\u{{1b}}socket is a socket, which cannot be carried", root.display());
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Content, expected));
    assert!(packed(&root, Detail::Content).iter().all(|(name, _)| !name.contains("socket")));
}

#[test]
fn headers_are_as_long_as_a_reader_takes_them() {
    let written = |bytes: u64| {
        let mut out = Vec::new();
        let mut packer = Packer {
            root: Path::new("/r"),
            detail: Detail::Everything,
            out: &mut out,
            links: BTreeMap::new(),
            buffer: Vec::new(),
        };
        // One block is before the records, and one behind them.
        let value = vec![b'v'; usize::try_from(bytes).unwrap() - 2 * BLOCK - 100];
        let facts = Facts { attributes: vec![Attribute { name: b"user.a".to_vec(), value }], ..Facts::default() };
        packer.write(&Entry { name: b"a\nb".to_vec(), kind: Kind::Fifo, facts }).map(|()| out.len() as u64)
    };
    assert_eq!(written(RECORDS_BYTES).unwrap(), RECORDS_BYTES);
    let error = written(RECORDS_BYTES + BLOCK as u64).unwrap_err();
    let expected = "/r/a\\nb has attributes of 16777728 bytes, at most 16777216 can be carried";
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Content, expected.to_owned()));
}
