use super::*;

fn gathered(names: &[&str]) -> (Vec<(String, usize)>, Vec<String>) {
    let facts = Facts { id: (0, 0), bytes: 1, modified: (0, 0), changed: (0, 0) };
    let files = names.iter().map(|name| (OsString::from(name.trim_start_matches('!')), facts)).collect();
    // A name with a mark starts like a volume, one with `q` like a package.
    let kind = |name: &OsStr| match name.to_str().unwrap() {
        name if names.contains(&format!("!{name}").as_str()) => Kind::Volume,
        name if name.starts_with('q') => Kind::Package,
        _ => Kind::Unknown,
    };
    let mut look = Look::default();
    gather(files, &kind, &mut look);
    let text = |name: &OsString| name.to_str().unwrap().to_owned();
    let arrivals = look.arrivals.iter().map(|arrival| (text(&arrival.name), arrival.parts.len())).collect();
    (arrivals, look.passed_over.iter().map(|passed| text(&passed.name)).collect())
}

fn one(name: &str, parts: usize) -> (String, usize) {
    (name.to_owned(), parts)
}

#[test]
fn what_belongs_together_goes_together() {
    assert_eq!(gathered(&["b", "a", "a.minisig", "a.sha256"]).0, [one("a", 3), one("b", 1)]);
    // One with a damaged start is a volume still.
    let volumes = ["!a.001", "!a.002", "a.003", "a.minisig", "a.001.sha256"];
    assert_eq!(gathered(&volumes).0, [one("a", 5)]);
    // What lies beside both belongs to the file of its name.
    assert_eq!(gathered(&["a", "!a.001", "a.minisig"]).0, [one("a", 2), one("a", 1)]);
}

#[test]
fn a_number_makes_no_volume() {
    assert_eq!(gathered(&["a.001", "a.002"]).0, [one("a.001", 1), one("a.002", 1)]);
    assert_eq!(gathered(&["!q.001", "q.002"]).0, [one("q", 1), one("q.002", 1)]);
}

#[test]
fn what_belongs_to_nothing_stays() {
    let (arrivals, passed_over) = gathered(&["a.minisig", "b", "b.minisig.minisig", ".sha256"]);
    assert_eq!(arrivals, [one(".sha256", 1), one("b", 1)]);
    assert_eq!(passed_over, ["a.minisig", "b.minisig.minisig"]);
}

#[test]
fn names_and_kinds_that_are_no_packages() {
    let told = |name: &str, file_type| matches!(reason_to_pass(OsStr::new(name), file_type), Reason::Told(_));
    for name in [".a", "a.partial", "a.ddelta.PART", "README", "readme.txt", ".docker_delta-watch"] {
        assert!(told(name, FileType::RegularFile), "{name}");
    }
    for file_type in
        [FileType::Symlink, FileType::Fifo, FileType::Directory, FileType::CharacterDevice, FileType::Socket]
    {
        assert!(told("a.ddelta", file_type), "{file_type:?}");
    }
    for name in ["a", "done", "failed", "a.run", "-", "--help", "a b", "partial"] {
        assert!(matches!(reason_to_pass(OsStr::new(name), FileType::RegularFile), Reason::None), "{name}");
    }
    for name in ["done", "failed", ".docker_delta-watch", ".", ".."] {
        assert!(matches!(reason_to_pass(OsStr::new(name), FileType::Directory), Reason::Ours), "{name}");
    }
}

#[test]
fn what_lies_there_is_told_by_its_kind_its_name_and_its_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, bytes) in [
        ("app", &b"a package"[..]),
        ("app.minisig", b"its signature"),
        ("lone.sha256", b"of nothing"),
        ("v.001", b"ddvolume and more"),
        ("v.002", b"damaged"),
        ("v.003", b"metadata.json and more"),
        ("v.sha256", b"of all volumes"),
        ("n.001", b"no volume"),
        ("short.001", b"ddvolum"),
        ("whole.001", b"ddvolume"),
        ("half.filepart", b""),
        ("README.md", b""),
        (".hidden", b""),
    ] {
        std::fs::write(at(name), bytes).unwrap();
    }
    for name in ["done", "failed", ".docker_delta-watch", "sub"] {
        std::fs::create_dir(at(name)).unwrap();
    }
    std::os::unix::fs::symlink("app", at("link")).unwrap();
    let open = std::fs::File::open(folder.path()).unwrap();
    let seen = look(std::os::fd::AsFd::as_fd(&open), folder.path()).unwrap();
    let names = |arrival: &Arrival| {
        let parts = arrival.parts.iter().map(|part| (part.name.to_str().unwrap().to_owned(), part.is_volume));
        (arrival.name.to_str().unwrap().to_owned(), parts.collect::<Vec<_>>())
    };
    let found: Vec<_> = seen.arrivals.iter().map(names).collect();
    let of = |name: &str, parts: &[(&str, bool)]| {
        (name.to_owned(), parts.iter().map(|(part, is_volume)| ((*part).to_owned(), *is_volume)).collect::<Vec<_>>())
    };
    let expected = [
        of("app", &[("app", false), ("app.minisig", false)]),
        of("n.001", &[("n.001", false)]),
        of("short.001", &[("short.001", false)]),
        of("v", &[("v.001", true), ("v.002", true), ("v.sha256", false)]),
        of("v.003", &[("v.003", false)]),
        of("whole", &[("whole.001", true)]),
    ];
    assert_eq!(found, expected);
    assert_eq!(seen.arrivals[0].bytes(), 9 + 13);
    let passed: Vec<(&str, &str)> =
        seen.passed_over.iter().map(|passed| (passed.name.to_str().unwrap(), passed.reason)).collect();
    let expected = [
        (".hidden", "its name starts with a dot"),
        ("README.md", "it is called like something to read"),
        ("half.filepart", "its name says that it is not written wholly"),
        ("link", "it is a symbolic link"),
        ("lone.sha256", "the package that it belongs beside is not there"),
        ("sub", "it is a folder"),
    ];
    assert_eq!(passed, expected);
}

#[test]
fn a_pipe_with_a_number_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let open = std::fs::File::open(folder.path()).unwrap();
    crate::system::make_node(&open, "p.001", FileType::Fifo, 0).unwrap();
    let seen = look(std::os::fd::AsFd::as_fd(&open), folder.path()).unwrap();
    assert!(seen.arrivals.is_empty());
    assert_eq!(seen.passed_over, [PassedOver { name: "p.001".into(), reason: "it is no regular file" }]);
    // One that takes the name meanwhile is nothing that is known.
    assert!(kind_of(std::os::fd::AsFd::as_fd(&open), OsStr::new("p.001")) == Kind::Unknown);
    assert!(kind_of(std::os::fd::AsFd::as_fd(&open), OsStr::new("none")) == Kind::Unknown);
}

#[test]
fn a_file_is_known_by_what_it_is_and_not_by_when_it_was_moved() {
    let facts = Facts { id: (1, 2), bytes: 3, modified: (4, 5), changed: (6, 7) };
    assert!(facts.is_same_content(&Facts { changed: (0, 0), ..facts }));
    for other in [
        Facts { id: (0, 2), ..facts },
        Facts { id: (1, 0), ..facts },
        Facts { bytes: 0, ..facts },
        Facts { modified: (0, 5), ..facts },
        Facts { modified: (4, 0), ..facts },
    ] {
        assert!(!facts.is_same_content(&other), "{other:?}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"bytes").unwrap();
    let found = Facts::of(&rustix::fs::fstat(file.as_file()).unwrap());
    let meta = file.as_file().metadata().unwrap();
    use std::os::unix::fs::MetadataExt;
    assert_eq!((found.id, found.bytes), ((meta.dev(), meta.ino()), 5));
    assert_eq!((found.modified, found.changed), ((meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec())));
}

#[test]
fn a_companion_is_called_after_its_package() {
    for (name, expected) in [
        ("a.minisig", Some("a")),
        ("a.sha256", Some("a")),
        ("a.minisig.sha256", Some("a.minisig")),
        ("a.MINISIG", None),
        (".minisig", None),
        (".sha256", None),
        ("minisig", None),
        ("a.sha256 ", None),
        ("a", None),
    ] {
        assert_eq!(package_of(OsStr::new(name)).as_deref(), expected.map(OsStr::new), "{name}");
    }
}
