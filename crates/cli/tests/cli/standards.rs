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
