//! Trees of every released version are made for ever, and what was refused stays refused. `write.py` beside the streams, which knows
//! FORMAT.md only, made them.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use delta_core::Kind;
use delta_core::digest::BlobDigest;
use delta_transport::tree::{Detail, Keep, check, pack, unpack};

/// The streams of a folder with the further column of its table; they are those that the table says.
fn streams(name: &str) -> Vec<(String, Vec<u8>, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/v1/trees").join(name);
    let table = fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let stream = |line: &str| {
        let mut cells = line.split('\t');
        let (file, digest) = (cells.next().unwrap(), cells.next().unwrap());
        let bytes = fs::read(folder.join(file)).unwrap();
        assert_eq!(BlobDigest::of(&bytes).to_string(), digest, "{file} is not the one that was pinned");
        (file.to_owned(), bytes, cells.next().unwrap_or_default().to_owned())
    };
    let streams: Vec<_> = table.lines().skip(1).map(stream).collect();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), streams.len() + 1, "a stream of {name} is in no table");
    streams
}

fn packed(root: &Path, detail: Detail) -> Vec<u8> {
    let mut stream = Vec::new();
    pack(root, detail, &mut stream).unwrap();
    stream
}

/// Every path below a folder.
fn below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut paths = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            paths.extend(below(&path));
        }
        paths.insert(path);
    }
    paths
}

#[test]
fn every_accepted_tree_is_made_and_read_again() {
    let accepted = streams("accept");
    assert!(accepted.len() >= 5);
    for (name, stream, base) in accepted {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        check(&stream, &root).unwrap_or_else(|error| panic!("{name}: {error}"));
        let lost = unpack(&stream, &root, Keep::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(lost.is_empty(), "{name}: {lost:?}");
        let detail = if name == "base.tree" { Detail::Content } else { Detail::Everything };
        assert!(packed(&root, detail) == stream, "{name}: another tree was made");
        assert_eq!(BlobDigest::of(&packed(&root, Detail::Content)).to_string(), base, "{name}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{name}");
    }
}

#[test]
fn every_rejected_tree_is_refused_for_its_reason_and_makes_nothing_outside() {
    let rejected = streams("reject");
    assert!(rejected.len() >= 50);
    for (name, stream, reason) in rejected {
        let folder = tempfile::tempdir().unwrap();
        let [root, outside] = ["root", "outside"].map(|name| folder.path().join(name));
        [&root, &outside].into_iter().for_each(|path| fs::create_dir(path).unwrap());
        fs::write(outside.join("secret"), b"secret").unwrap();
        let before = below(&outside);
        // What a hard link leads to is seen where it is made.
        let is_seen_late = reason.contains("hard link to nothing") || reason.contains("hard link to a folder");
        let is_seen_late = is_seen_late || name == "hard-link-through-a-link.tree";
        let checked = if is_seen_late { None } else { Some(check(&stream, &root).err()) };
        for error in checked.into_iter().chain([unpack(&stream, &root, Keep::default()).err()]) {
            let error = error.unwrap_or_else(|| panic!("{name} was taken"));
            assert_eq!(error.kind(), Kind::Content, "{name}: {error}");
            assert!(error.to_string().contains(&reason), "{name}: {error}");
        }
        assert_eq!((below(&outside), fs::read_dir(folder.path()).unwrap().count()), (before, 2), "{name}");
        assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret", "{name}");
        assert!(!Path::new("/tmp/evil").exists(), "{name}");
    }
}
