//! The standard methods are standard: members and deltas go both ways with the real programs.

use std::fs;

use crate::support::{Folder, docker_delta, file_delta, names, noise, real, sample, unpack};

#[test]
fn members_decode_with_the_real_programs_against_the_listed_bases() {
    for (method, suffix) in [("xdelta3", ".vcdiff"), ("bsdiff", ".bsdiff")] {
        let folder = Folder::new();
        let package = folder.file("p.ddelta");
        let [base, target] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")));
        docker_delta(&["create", &target, &package, "--base", &base, "-m", method, "-c", "none"]).ok();
        let inside = unpack(&package, &folder.path().join("package"));
        let bases = unpack(&base, &folder.path().join("base")).join("blobs/sha256");
        let targets = unpack(&target, &folder.path().join("target")).join("blobs/sha256");
        let list = docker_delta(&["list", "--json", &package]).ok().stdout;
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let mut decoded = 0;
        for layer in list["layers"].as_array().unwrap().iter().filter(|layer| layer["transfer"] == "delta") {
            let hex = |id: &serde_json::Value| id.as_str().unwrap().trim_start_matches("sha256:").to_owned();
            let hex_of_layer = hex(&layer["diff_id"]);
            let mut joined = Vec::new();
            for base in layer["needs"].as_array().unwrap() {
                let name = hex(base);
                let path = [&bases, &targets].map(|folder| folder.join(&name)).into_iter().find(|path| path.exists());
                joined.extend(fs::read(path.unwrap()).unwrap());
            }
            let (old, new) = (folder.write("joined", &joined), folder.file("rebuilt"));
            let delta = inside.join(format!("layer_deltas/{hex_of_layer}{suffix}")).to_str().unwrap().to_owned();
            if method == "xdelta3" {
                real("xdelta3", "xdelta3", &["-d", "-f", "-s", &old, &delta, &new]);
            } else {
                real("bsdiff", "bspatch", &[&old, &new, &delta]);
            }
            assert_eq!(fs::read(&new).unwrap(), fs::read(targets.join(&hex_of_layer)).unwrap());
            decoded += 1;
        }
        assert!(decoded >= 2, "{method}: {list}");
    }
}

#[test]
fn file_deltas_go_both_ways() {
    let folder = Folder::new();
    let old = [noise(1, 200_000), vec![0; 5000], noise(2, 100_000)].concat();
    let new = [&old[..90_000], b"inserted", &old[100_000..], &noise(3, 3000)].concat();
    let (old_path, new_path, delta, made) =
        (folder.write("old", &old), folder.write("new", &new), folder.file("delta"), folder.file("made"));
    file_delta(&["create", "-m", "xdelta3", "-c", "none", &old_path, &new_path, &delta]).ok();
    real("xdelta3", "xdelta3", &["-d", "-f", "-s", &old_path, &delta, &made]);
    assert_eq!(fs::read(&made).unwrap(), new);
    file_delta(&["create", "-f", "-m", "bsdiff", &old_path, &new_path, &delta]).ok();
    real("bsdiff", "bspatch", &[&old_path, &made, &delta]);
    assert_eq!(fs::read(&made).unwrap(), new);
    real("xdelta3", "xdelta3", &["-e", "-f", "-9", "-S", "none", "-s", &old_path, &new_path, &delta]);
    file_delta(&["apply", "-f", &old_path, &delta, &made]).ok();
    assert_eq!(fs::read(&made).unwrap(), new);
    real("bsdiff", "bsdiff", &[&old_path, &new_path, &delta]);
    file_delta(&["apply", "-f", &old_path, &delta, &made]).ok();
    assert_eq!(fs::read(&made).unwrap(), new);
    real("xdelta3", "xdelta3", &["-e", "-f", "-S", "lzma", "-s", &old_path, &new_path, &delta]);
    file_delta(&["apply", "-f", &old_path, &delta, &made]).failed(4, &["lzma", "-S none"]);
    assert_eq!(names(folder.path()), ["delta", "made", "new", "old"]);
}

/// Two files, a bit more than 50 kB each, and one of the length of the first with other bytes.
fn three(folder: &Folder) -> [String; 3] {
    let old = noise(1, 50_000);
    let new = [&old[..20_000], b"inserted", &old[20_000..]].concat();
    [folder.write("old", &old), folder.write("new", &new), folder.write("other", &noise(9, 50_000))]
}

#[test]
fn a_plain_difference_knows_what_it_fits_and_real_programs_read_it() {
    let folder = Folder::new();
    let [old, new, other] = three(&folder);
    let (delta, made) = (folder.file("delta"), folder.file("made"));
    for (method, compression) in [("xdelta3", "none"), ("xdelta3", "zstd"), ("xdelta3", "xz"), ("bsdiff", "none")] {
        let said = file_delta(&["create", "-f", "-m", method, "-c", compression, &old, &new, &delta]).ok().stderr;
        assert!(said.contains("neither permissions") && said.contains("makes NEW sha256:"), "{said}");
        let said = file_delta(&["apply", "-f", &old, &delta, &made]).ok().stderr;
        assert!(!said.contains("neither what it fits"), "{said}");
        assert!(fs::read(&made).unwrap() == fs::read(&new).unwrap());
        for (wrong, found) in [(&other, "expected sha256:"), (&new, "expected 50000 bytes, found 50008 bytes")] {
            let ran = file_delta(&["apply", "-f", wrong, &delta, &made]);
            ran.failed(4, &["OLD", found, "the difference was made against another OLD"]);
        }
        if compression == "none" {
            for old in [&old, &other] {
                let real_made = folder.file("real");
                match method {
                    "bsdiff" => real("bsdiff", "bspatch", &[old, &real_made, &delta]),
                    _ if old == &other => continue,
                    _ => real("xdelta3", "xdelta3", &["-d", "-f", "-s", old, &delta, &real_made]),
                }
                let is_same = fs::read(&real_made).unwrap() == fs::read(&new).unwrap();
                assert_eq!(is_same, old != &other, "{method}");
            }
        }
    }
    // Without names of files in it, xdelta3 asks for them.
    file_delta(&["create", "-f", "-m", "xdelta3", "-c", "none", &old, &new, &delta]).ok();
    let headers = std::process::Command::new("xdelta3").args(["printhdr", &delta]).output().unwrap();
    let headers = String::from_utf8_lossy(&headers.stdout).into_owned();
    assert!(headers.contains("file_delta-1 sha256:") && !headers.contains("filename"), "{headers}");
}

#[test]
fn a_plain_difference_that_is_damaged_is_refused() {
    let folder = Folder::new();
    let [old, new, _] = three(&folder);
    let (delta, made) = (folder.file("delta"), folder.file("made"));
    for (method, compression) in [("xdelta3", "none"), ("xdelta3", "zstd"), ("xdelta3", "gzip"), ("bsdiff", "none")] {
        file_delta(&["create", "-f", "-m", method, "-c", compression, &old, &new, &delta]).ok();
        let whole = fs::read(&delta).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            fs::write(&delta, damaged).unwrap();
            let ran = file_delta(&["apply", &old, &delta, &made]);
            // Damage where nobody looks, or of the note itself, leaves the bytes.
            if ran.code == 0 {
                assert!(fs::read(&made).unwrap() == fs::read(&new).unwrap(), "{method} {compression} {at}");
                fs::remove_file(&made).unwrap();
            } else {
                ran.failed(4, &["ERROR"]);
            }
        }
        for cut in (0..whole.len()).step_by(11) {
            fs::write(&delta, &whole[..cut]).unwrap();
            let ran = file_delta(&["apply", &old, &delta, &made]);
            // A BSDIFF40 that lacks the end of its note is one of other programs.
            if ran.code == 0 {
                assert!(method == "bsdiff" && ran.stderr.contains("says neither what it fits"), "{}", ran.stderr);
                fs::remove_file(&made).unwrap();
            } else {
                ran.failed(4, &["ERROR"]);
            }
        }
        fs::remove_file(&delta).unwrap();
    }
}

#[test]
fn what_bsdiff_made_is_told_to_be_blind() {
    let folder = Folder::new();
    let [old, new, other] = three(&folder);
    let (delta, made) = (folder.file("delta"), folder.file("made"));
    real("bsdiff", "bsdiff", &[&old, &new, &delta]);
    for base in [&old, &other] {
        let ran = file_delta(&["apply", "-f", base, &delta, &made]).ok();
        assert!(ran.stderr.contains("says neither what it fits nor what it makes: compare"), "{}", ran.stderr);
    }
    let short = folder.write("short", &noise(1, 30_000));
    file_delta(&["apply", "-f", &short, &delta, &made]).failed(4, &["outside of the base; is the base another one?"]);
}
