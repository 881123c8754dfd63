//! Layers with compressed files that real programs made.

use std::fs;
use std::process::Command;

use crate::support::{Folder, docker_delta, image, layer, noise};

/// Text that compresses, of which a few lines in the middle are those of `version`.
fn notes(version: u64) -> Vec<u8> {
    let line = |number: u64| format!("{number}: {:?}\n", &noise(number * 77 + 1, 6));
    let lines = (0..3_000).map(|number| if number / 5 == 300 { line(number + version * 10_000) } else { line(number) });
    lines.collect::<String>().into_bytes()
}

/// A layer with the notes as GNU gzip, Info-ZIP, fastjar and Python's zip make them, and a jar inside of a jar.
fn compressed_layer(folder: &Folder, version: u64) -> Vec<u8> {
    let path = folder.path().join(version.to_string());
    fs::create_dir(&path).unwrap();
    fs::write(path.join("notes"), notes(version)).unwrap();
    fs::write(path.join("same"), notes(0)).unwrap();
    let run = |package: &str, program: &str, arguments: &[&str]| {
        let done = Command::new(program).current_dir(&path).args(arguments).output();
        let done = done.unwrap_or_else(|error| panic!("`{program}` of Debian's `{package}` does not run: {error}"));
        assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    run("gzip", "gzip", &["-9nk", "notes"]);
    run("zip", "zip", &["-qX", "app.zip", "notes", "same"]);
    run("fastjar", "fastjar", &["cf", "lib.jar", "notes", "same"]);
    run("zip", "zip", &["-qX9", "outer.war", "lib.jar", "same"]);
    run("python3", "python3", &["-m", "zipfile", "-c", "wheel.whl", "notes", "same"]);
    let names = ["notes.gz", "app.zip", "lib.jar", "outer.war", "wheel.whl"];
    let files: Vec<_> = names.iter().map(|name| (*name, fs::read(path.join(name)).unwrap())).collect();
    layer(&files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect::<Vec<_>>())
}

#[test]
fn files_that_real_programs_compressed_travel_as_what_changed_in_them() {
    let folder = Folder::new();
    let [base, target] = [1, 2].map(|version| {
        image(&folder, &format!("v{version}.tar"), &format!("app:v{version}"), &[compressed_layer(&folder, version)])
    });
    let (opened, closed) = (folder.file("opened.ddelta"), folder.file("closed.ddelta"));
    docker_delta(&["create", &target, &opened, "--base", &base]).ok();
    docker_delta(&["create", &target, &closed, "--base", &base, "--no-recompress"]).ok();
    let size = |path: &str| fs::metadata(path).unwrap().len();
    assert!(2 * size(&opened) < size(&closed), "{} against {}", size(&opened), size(&closed));
    for package in [&opened, &closed] {
        let again = folder.file("again.tar");
        docker_delta(&["apply", package, "--base", &base, "-o", &again, "--force"]).ok();
        let config = |file: &str| {
            let ran = docker_delta(&["inspect", "--json", file]).ok();
            let seen: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            seen["images"][0]["manifests"][0]["config"].clone()
        };
        assert_eq!(config(&again), config(&target));
    }
}

#[test]
fn what_it_costs_to_compress_again_is_told_before() {
    let folder = Folder::new();
    let [base, target] = [1, 2].map(|version| {
        image(&folder, &format!("v{version}.tar"), &format!("app:v{version}"), &[compressed_layer(&folder, version)])
    });
    let package = folder.file("p.ddelta");
    let ran = docker_delta(&["create", "-v", &target, &package, "--base", &base]).ok();
    assert!(ran.stderr.contains("are compressed again when it is applied"), "{}", ran.stderr);
    assert!(docker_delta(&["info", &package]).ok().stdout.contains("Recompresses"));
    let json = docker_delta(&["apply", "-d", "--json", &package, "--base", &base, "-o", &folder.file("x.tar")]).ok();
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let recompressed = json["images"][0]["recompressed_bytes"].as_u64().unwrap();
    // The notes at least four times, one of them inside of a jar that is compressed again itself.
    assert!(recompressed > 4 * notes(2).len() as u64, "{recompressed}");
    docker_delta(&["create", &target, &package, "--base", &base, "--no-recompress", "--force"]).ok();
    assert!(!docker_delta(&["info", &package]).ok().stdout.contains("Recompresses"));
}
