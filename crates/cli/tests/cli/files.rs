//! `file_delta` on plain files.

use std::fs;

use crate::support::{Folder, file_delta, names, noise};

#[test]
fn files_come_back_by_every_method_and_compression() {
    let folder = Folder::new();
    let old = noise(1, 100_000);
    for new in [[&old[..50_000], b"changed", &old[50_100..]].concat(), Vec::new(), old.clone(), noise(2, 1000)] {
        let (old, path, delta, made) =
            (folder.write("old", &old), folder.write("new", &new), folder.file("delta"), folder.file("made"));
        for method in ["auto", "xdelta3", "bsdiff"] {
            for compression in ["zstd", "gzip", "bzip2", "xz", "none"] {
                file_delta(&["create", "-f", "-m", method, "-c", compression, &old, &path, &delta]).ok();
                file_delta(&["apply", "-f", &old, &delta, &made]).ok();
                assert_eq!(fs::read(&made).unwrap(), new, "{method} {compression}");
            }
        }
    }
}

#[test]
fn another_old_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    let (old, new) = (folder.write("old", &noise(1, 50_000)), folder.write("new", &noise(1, 60_000)));
    let other = folder.write("other", &noise(9, 50_000));
    for method in ["auto", "xdelta3"] {
        file_delta(&["create", "-f", "-m", method, &old, &new, &folder.file("delta")]).ok();
        file_delta(&["apply", &other, &folder.file("delta"), &folder.file("made")]).failed(4, &["expected"]);
    }
    assert_eq!(names(folder.path()), ["delta", "new", "old", "other"]);
}

#[test]
fn what_cannot_be_is_said() {
    let folder = Folder::new();
    let old = folder.write("old", b"old");
    let all = |arguments: &[&str]| file_delta(arguments);
    all(&["create", "-m", "layer", &old, &old, &folder.file("d")]).failed(2, &["auto, xdelta3, bsdiff]"]);
    all(&["create", &old, folder.path().to_str().unwrap(), &folder.file("d")])
        .failed(2, &["is a file, expected a folder"]);
    all(&["create", &folder.file("missing"), &old, &folder.file("d")]).failed(3, &["missing"]);
    all(&["apply", &old, &old, &folder.file("n")]).failed(4, &["no package"]);
    all(&["create", "-d", &old, &old, &folder.file("d")]).ok();
    assert_eq!(names(folder.path()), ["old"]);
}
