use proptest::prelude::*;

use super::*;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'='), Just(b'%'), Just(b' '), 1..=255_u8], 1..most)
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (0..=u64::MAX).prop_map(Kind::File),
        (0..=u64::MAX, 0..=u64::MAX).prop_map(|(size, stored)| Kind::Sparse { size, stored }),
        Just(Kind::Folder),
        Just(Kind::Fifo),
        bytes(300).prop_map(Kind::SymbolicLink),
        bytes(300).prop_map(Kind::HardLink),
        (0..2_097_152_u32, 0..2_097_152_u32).prop_map(|(major, minor)| Kind::Block(major, minor)),
        (0..2_097_152_u32, 0..2_097_152_u32).prop_map(|(major, minor)| Kind::Character(major, minor)),
    ]
}

prop_compose! {
    fn entries()(
        name in bytes(300), kind in kinds(), mode in 0..0o10_000_u32, uid: u32, gid: u32,
        seconds in prop_oneof![Just(-1_i64), Just(0), any::<i64>()], nanoseconds in prop_oneof![Just(0), 0..1_000_000_000_u32],
        attributes in prop::collection::btree_map(bytes(20), prop::collection::vec(any::<u8>(), 0..40), 0..4),
    ) -> Entry {
        let attributes = attributes.into_iter().map(|(name, value)| Attribute { name, value }).collect();
        // A hard link has the facts of the file.
        let facts = match kind {
            Kind::HardLink(_) => Facts::default(),
            _ => Facts { mode, uid, gid, modified: Time { seconds, nanoseconds }, attributes },
        };
        Entry { name, kind, facts }
    }
}

proptest! {
    #[test]
    fn every_entry_comes_back(entry in entries()) {
        let blocks = encode(&entry);
        let (head, last) = blocks.split_at(blocks.len() - BLOCK);
        let records = if head.is_empty() { &[][..] } else {
            let length = usize::try_from(octal(&head[124..136]).unwrap()).unwrap();
            &head[BLOCK..][..length]
        };
        prop_assert_eq!(decode(records, last.try_into().unwrap()).unwrap(), entry);
    }
}

#[test]
fn times_before_1970_are_negative_decimals() {
    for (seconds, nanoseconds, text) in [
        (0, 1, "0.000000001"),
        (-1, 999_999_999, "-0.000000001"),
        (-5, 0, "-5.000000000"),
        (-2, 500_000_000, "-1.500000000"),
        (i64::MIN, 1, "-9223372036854775807.999999999"),
    ] {
        let expected = Time { seconds, nanoseconds };
        assert_eq!(time_text(expected), text);
        assert_eq!(time(text.as_bytes()), Some(expected));
    }
    assert!(
        ["1.5", "x.000000000", "1", "1.+00000001", ""]
            .iter()
            .all(|text| { time(text.as_bytes()).is_none_or(|time| time_text(time) != *text) })
    );
}

/// A file of this name with nothing in it, and nothing said of it.
fn file(name: &[u8]) -> Entry {
    Entry { name: name.to_vec(), kind: Kind::File(0), facts: Facts::default() }
}

/// The keys of the records that stand before the header of an entry; none where there is no pax header.
fn keys(entry: &Entry) -> Vec<String> {
    records_of(entry).into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
}

/// What an entry is read as that is written so; the blocks are those that `encode` writes but for what is changed.
fn changed(entry: &Entry, at: usize, bytes: &[u8]) -> io::Result<Entry> {
    let mut block = plain(entry);
    block[at..at + bytes.len()].copy_from_slice(bytes);
    decode(&[], &block)
}

#[test]
fn a_record_stands_where_the_header_has_no_room_and_nowhere_else() {
    let with = |change: fn(&mut Entry)| {
        let mut entry = file(b"a");
        change(&mut entry);
        keys(&entry)
    };
    let none: [&str; 0] = [];
    assert_eq!(with(|entry| entry.name = vec![b'n'; 100]), none);
    assert_eq!(with(|entry| entry.name = vec![b'n'; 101]), ["path"]);
    assert_eq!(with(|entry| entry.kind = Kind::SymbolicLink(vec![b'l'; 100])), none);
    assert_eq!(with(|entry| entry.kind = Kind::SymbolicLink(vec![b'l'; 101])), ["linkpath"]);
    assert_eq!(with(|entry| entry.kind = Kind::HardLink(vec![b'l'; 101])), ["linkpath"]);
    assert_eq!(with(|entry| entry.kind = Kind::File(8_589_934_591)), none);
    assert_eq!(with(|entry| entry.kind = Kind::File(8_589_934_592)), ["size"]);
    assert_eq!(with(|entry| entry.facts.uid = 2_097_151), none);
    assert_eq!(with(|entry| entry.facts.uid = 2_097_152), ["uid"]);
    assert_eq!(with(|entry| entry.facts.gid = 2_097_151), none);
    assert_eq!(with(|entry| entry.facts.gid = 2_097_152), ["gid"]);
    assert_eq!(with(|entry| entry.facts.modified.seconds = 8_589_934_591), none);
    assert_eq!(with(|entry| entry.facts.modified.seconds = 8_589_934_592), ["mtime"]);
    assert_eq!(with(|entry| entry.facts.modified.seconds = -1), ["mtime"]);
    assert_eq!(with(|entry| entry.facts.modified.nanoseconds = 1), ["mtime"]);
    let sparse = ["GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.realsize"];
    assert_eq!(with(|entry| entry.kind = Kind::Sparse { size: 1, stored: 1 }), sparse);
    let attributes = |entry: &mut Entry| {
        let of = |name: &[u8]| Attribute { name: name.to_vec(), value: Vec::new() };
        entry.facts.attributes = vec![of(b"user.a=b"), of(b"user.b%")];
    };
    assert_eq!(with(attributes), ["SCHILY.xattr.user.a%3Db", "SCHILY.xattr.user.b%25"]);
}

#[test]
fn a_record_counts_its_own_digits() {
    for (length, digits) in [(0, 1), (4, 1), (5, 2), (93, 2), (94, 3), (992, 3), (993, 4)] {
        let (mut out, value) = (Vec::new(), vec![b'v'; length]);
        record(b"k", &value, &mut out);
        let (key, found, rest) = split(&out).unwrap();
        assert_eq!((key, found, rest), (&b"k"[..], &value[..], &b""[..]));
        let told = out.iter().position(|byte| *byte == b' ').unwrap();
        assert_eq!(
            (told, String::from_utf8_lossy(&out[..told]).parse::<usize>().unwrap()),
            (digits, out.len()),
            "{length}"
        );
    }
}

#[test]
fn what_is_no_record_is_refused() {
    for records in [
        "x",
        " ",
        "6 a=b",
        "5 a=b\n",
        "7 a=b\n",
        "6 a=bc\n",
        "6 abc\n",
        "-6 a=b\n",
        "0 a=b\n",
        "1 a=b\n",
        "2 a=b\n",
        "3 a=b\n",
        "99999999999999999999999 a=b\n",
        "18446744073709551615 a=b\n",
        "6\na=b\n",
    ] {
        let error = decode(records.as_bytes(), &plain(&file(b"a"))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{records:?}: {error}");
    }
}

#[test]
fn a_record_says_more_than_the_header_and_only_what_belongs_to_the_entry() {
    let with = |entry: &Entry, key: &str, value: &str| {
        let mut records = Vec::new();
        record(key.as_bytes(), value.as_bytes(), &mut records);
        decode(&records, &plain(entry))
    };
    let (file, folder) = (file(b"a"), Entry { kind: Kind::Folder, ..file(b"a") });
    assert_eq!(with(&file, "size", "9").unwrap().kind, Kind::File(9));
    assert_eq!(with(&file, "path", "b/c").unwrap().name, b"b/c");
    assert_eq!(with(&file, "GNU.sparse.realsize", "7").unwrap().kind, Kind::Sparse { size: 7, stored: 0 });
    for (entry, key, value) in [
        (&folder, "size", "9"),
        (&folder, "linkpath", "b"),
        (&file, "linkpath", "b"),
        (&folder, "GNU.sparse.realsize", "7"),
        (&file, "GNU.sparse.name", "b"),
        (&file, "atime", "1"),
        (&file, "size", "+9"),
        (&file, "size", "18446744073709551616"),
        (&file, "uid", "4294967296"),
        (&file, "gid", "-1"),
        (&file, "mtime", "1"),
        (&file, "mtime", "1.12345678"),
        (&file, "mtime", "1.1234567890"),
        (&file, "mtime", "9223372036854775808.000000000"),
        (&file, "SCHILY.xattr.", "v"),
    ] {
        let found = with(entry, key, value);
        // What is read in another form is written otherwise, by which it is told.
        let is_other = found.as_ref().is_ok_and(|found| {
            let mut records = Vec::new();
            record(key.as_bytes(), value.as_bytes(), &mut records);
            !encode(found).windows(records.len()).any(|window| window == records)
        });
        assert!(found.is_err() || is_other, "{key}={value}: {found:?}");
    }
}

#[test]
fn numbers_of_a_header_are_octal_digits() {
    let file = file(b"a");
    for (at, field) in [
        (100, &b"0000008\0"[..]),
        (100, b"-000001\0"),
        (100, b"\x80\0\0\0\0\0\0\x01"),
        (108, b"abcdefg\0"),
        (116, b"\0\0\0\0\0\0\0\0"),
        (124, b"        000\0"),
        (136, b"0x000000001\0"),
    ] {
        let error = changed(&file, at, field).unwrap_err();
        assert!(error.to_string().starts_with("the number `"), "{at}: {error}");
    }
    // Twelve digits where there is room for eleven and a NUL.
    assert_eq!(changed(&file, 124, b"777777777777").unwrap().kind, Kind::File(0o777_777_777_777));
}

#[test]
fn an_entry_is_of_a_kind_that_trees_have() {
    for kind in 0..=u8::MAX {
        let found = changed(&file(b"a"), 156, &[kind]);
        match kind {
            b'0' | b'3'..=b'6' => assert!(found.is_ok(), "{kind}"),
            // They lead to nothing.
            b'2' => assert_eq!(found.unwrap_err().to_string(), "a link to nothing"),
            b'1' => assert_eq!(found.unwrap().kind, Kind::HardLink(Vec::new())),
            _ => assert!(found.unwrap_err().to_string().starts_with("an entry of the type "), "{kind}"),
        }
    }
    let error = changed(&Entry { kind: Kind::HardLink(b"b".to_vec()), ..file(b"a") }, 100, b"0000700\0").unwrap_err();
    assert_eq!(error.to_string(), "a hard link with facts of its own");
    let error = changed(&file(b"a"), 100, b"0010000\0").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
}
