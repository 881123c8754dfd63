use delta_core::facts::{Facts, Time};

use super::super::samples::{bare, entry, file, stream, tree};
use super::*;

/// All entries of a stream, each with what is stored of it.
fn read_all(stream: &[u8]) -> io::Result<Vec<(Entry, Vec<u8>)>> {
    let mut entries = Entries::new(&stream);
    let mut all = Vec::new();
    while let Some(found) = entries.next()? {
        let mut stored = vec![0; usize::try_from(found.entry.kind.stored()).unwrap()];
        stream.read_exact_at(&mut stored, found.content.at)?;
        all.push((found.entry, stored));
    }
    Ok(all)
}

fn refused(stream: &[u8]) -> io::Error {
    let error = read_all(stream).unwrap_err();
    assert!(matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof), "{error}");
    error
}

/// A file of 65,540 bytes, of which the last four are no hole, as it is stored.
fn sparse() -> (Entry, Vec<u8>) {
    let mut stored = sparse::map(&[Span { offset: 65_536, length: 4 }]);
    stored.extend(b"data");
    (entry("sparse", Kind::Sparse { size: 65_540, stored: stored.len() as u64 }), stored)
}

/// A tree with a record, a map, contents and padding.
fn sound() -> Vec<u8> {
    let (sparse, stored) = sparse();
    let facts = Facts { mode: 0o644, modified: Time { seconds: 1, nanoseconds: 5 }, ..Facts::default() };
    let timed = Entry { facts, ..entry("timed", Kind::File(3)) };
    tree(&[
        bare("a", Kind::Folder),
        file("a/b", b"content"),
        bare("link", Kind::SymbolicLink(b"a/b".to_vec())),
        (sparse, &stored[..]),
        (timed, &b"new"[..]),
    ])
}

#[test]
fn every_bit_of_the_form_counts() {
    let sound = sound();
    let whole = read_all(&sound).unwrap();
    let records = |at: usize| sound[at - at % BLOCK..].starts_with(b"21 mtime=");
    let contents: Vec<usize> = [&b"content"[..], b"data", b"new"]
        .into_iter()
        .flat_map(|content| {
            let at = sound.windows(content.len()).position(|window| window == content).unwrap();
            at..at + content.len()
        })
        .collect();
    for at in 0..sound.len() {
        for bit in [0x01, 0x80] {
            let mut damaged = sound.clone();
            damaged[at] ^= bit;
            match read_all(&damaged) {
                Err(error) => {
                    assert!(matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof))
                }
                // Digests are over contents; another record is another tree, in its one form too.
                Ok(found) => {
                    assert!(records(at) || contents.contains(&at), "{at} {bit}");
                    let found: Vec<(Entry, &[u8])> =
                        found.iter().map(|(entry, stored)| (entry.clone(), &stored[..])).collect();
                    assert!(stream(&found) == damaged, "{at} {bit}");
                }
            }
        }
    }
    assert_eq!(whole.len(), 6);
}

#[test]
fn a_stream_that_is_cut_is_refused_wherever_that_is() {
    let sound = sound();
    (0..sound.len()).for_each(|length| drop(refused(&sound[..length])));
}

#[test]
fn a_stream_ends_once() {
    let sound = tree(&[file("a", &[7; 512])]);
    let with = |more: &[u8]| [&sound[..], more].concat();
    let ends = sound.len() - 2 * BLOCK;
    let second = |byte: u8| [&sound[..sound.len() - 1], &[byte]].concat();
    for (stream, expected) in [
        (with(&[0]), "the tree ends in the middle"),
        (with(&[0; BLOCK]), "the tree ends in the middle"),
        (sound[..ends + BLOCK].to_vec(), "the tree ends in the middle"),
        (vec![0; 2 * BLOCK], "the tree ends in the middle"),
        (second(1), "the tree has no end"),
    ] {
        assert_eq!(refused(&stream).to_string(), expected, "{}", stream.len());
    }
    assert_eq!(read_all(&second(0)).unwrap().len(), 2);
}

/// A tree of these names, of which folders end in a slash.
fn ordered(names: &[&str]) -> io::Result<()> {
    let kind = |name: &str| if name.ends_with('/') { Kind::Folder } else { Kind::Fifo };
    let entries: Vec<_> = names.iter().map(|name| bare(name.strip_suffix('/').unwrap_or(name), kind(name))).collect();
    read_all(&tree(&entries)).map(drop)
}

#[test]
fn names_of_a_folder_are_sorted_and_stand_behind_it() {
    for names in [
        &[][..],
        &["a/", "a/b/", "a/b/c", "a/d/", "a.b", "b"],
        &["a/", "b/", "b/a", "b/b"],
        // By their bytes, and each folder by itself.
        &["A", "B", "a", "a-b", "a.b", "aa", "z", "ä"],
        &["z/", "z/z/", "z/z/z"],
        &["...", "..a", ".a", "a\nb", "a b"],
    ] {
        ordered(names).unwrap_or_else(|error| panic!("{names:?}: {error}"));
    }
    let (twice, outside) = ("comes twice or in another order", "is not in a folder before it, or leads through");
    for (names, expected) in [
        (&["a", "a"][..], twice),
        (&["a/", "a/"], twice),
        (&["a/", "a"], twice),
        (&["a/", "a/c", "a/b"], twice),
        (&["a/", "a/b/", "a/b/c", "a/b"], twice),
        (&["a/", "a/b", "a"], twice),
        (&["b", "a"], twice),
        (&["a/b"], outside),
        (&["a/", "a/b/c"], outside),
        (&["a", "a/b"], outside),
        (&["a/", "a/b", "a/b/c"], outside),
        // It is left when something else of its parent comes.
        (&["a/", "b", "a/c"], outside),
        (&["a/", "a/b/", "a/c", "a/b/d"], outside),
        (&["a/", "b/c"], outside),
    ] {
        let error = ordered(names).unwrap_err();
        let last = names.last().unwrap().trim_end_matches('/');
        assert!(
            error.to_string().starts_with(&format!("the entry `{last}` of the tree {expected}")),
            "{names:?}: {error}"
        );
    }
}

#[test]
fn a_hard_link_leads_back() {
    let linked = |target: &str| {
        read_all(&tree(&[
            bare("a", Kind::Folder),
            file("a/b", b"one"),
            file("b", b"two"),
            bare("c", Kind::HardLink(target.as_bytes().to_vec())),
        ]))
    };
    for target in ["a/b", "b", "a"] {
        // Whether there is something of that name is seen where the link is made.
        assert_eq!(linked(target).unwrap().len(), 5, "{target}");
    }
    for target in ["c", "d", "c/a", "", ".", "..", "/a", "a/../b", "a//b", "./b", "b/"] {
        let error = linked(target).unwrap_err();
        assert_eq!(error.to_string(), "the entry `c` of the tree is a hard link to no entry before it", "{target}");
    }
}

#[test]
fn an_error_says_where_the_entry_is_and_leaves_those_of_the_disk_as_they_are() {
    let mut damaged = tree(&[file("a", b"x"), file("b", b"y")]);
    damaged[512 + 1024 + 156] = b'9';
    let error = refused(&damaged);
    assert_eq!(error.to_string(), "the entry at byte 1536 of the tree: an entry of the type '9'");

    struct Broken;
    impl ReadAt for Broken {
        fn len(&self) -> u64 {
            1 << 20
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            buffer[0] = 1;
            if offset == 0 { Ok(1) } else { Err(io::Error::other("the disk is broken")) }
        }
    }
    let error = Entries::new(&Broken).next().map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (io::ErrorKind::Other, "the disk is broken".to_owned()));
}

#[test]
fn records_and_contents_are_as_long_as_the_stream_at_most() {
    let with_records = |digits: &[u8; 11]| {
        let mut stream = tree(&[]);
        let long = encode(&entry(&"n".repeat(101), Kind::Fifo));
        let at = stream.len() - 2 * BLOCK;
        stream.splice(at..at, long);
        stream[at + 124..at + 135].copy_from_slice(digits);
        refused(&stream).to_string()
    };
    let most = format!("{RECORDS_BYTES:011o}");
    assert_eq!(
        with_records(most.as_bytes().try_into().unwrap()),
        "the entry at byte 512 of the tree: unexpected end of file"
    );
    for (digits, length) in
        [(b"00100000001", RECORDS_BYTES + 1), (b"0000000000\xff", u64::MAX), (b"00000000009", u64::MAX)]
    {
        let expected = format!("records of {length} bytes, at most 16777216 are read");
        assert!(with_records(digits).ends_with(&expected), "{digits:?}");
    }
    let with_content = |size: u64| refused(&tree(&[(entry("a", Kind::File(size)), &b"content"[..])])).to_string();
    let beyond = "the entry at byte 512 of the tree: a length beyond all bounds";
    assert_eq!(with_content(u64::MAX), beyond);
    // Headers of 2,048 bytes are before it: one for the root, and three with a record for its size.
    assert_eq!(with_content(u64::MAX - 2_047), beyond);
    assert_eq!(with_content(u64::MAX - 2_048), "the entry at byte 512 of the tree: unexpected end of file");
}

#[test]
fn bytes_of_a_file_stand_behind_its_headers_and_its_map() {
    let (sparse, stored) = sparse();
    let stream = tree(&[(sparse, &stored[..]), file("z", b"all of it")]);
    let mut entries = Entries::new(&stream);
    entries.next().unwrap().unwrap();
    let found = entries.next().unwrap().unwrap();
    assert_eq!(found.content.spans, [Span { offset: 65_536, length: 4 }]);
    let at = usize::try_from(found.content.data(&found.entry.kind)).unwrap();
    assert_eq!(&stream[at..at + 4], b"data");
    let found = entries.next().unwrap().unwrap();
    assert_eq!((found.at, found.content.spans), (3_072, vec![Span { offset: 0, length: 9 }]));
    assert_eq!(&stream[usize::try_from(found.content.at).unwrap()..][..9], b"all of it");
    // It is found again by its place alone.
    assert_eq!(read(&stream, found.at).unwrap().entry, entry("z", Kind::File(9)));
    assert!(entries.next().unwrap().is_none());
}
