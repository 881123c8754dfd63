//! Standard output is for data, whatever is in the images.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Folder, docker_delta, image, layer};

/// Every compressed file of this machine's documentation, which Debian's build machines made.
fn documentation() -> Vec<(String, Vec<u8>)> {
    let mut folders = vec![PathBuf::from("/usr/share/doc"), PathBuf::from("/usr/share/man")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.path().extension().is_some_and(|end| end == "gz") {
                found.push((entry.path().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    found.into_iter().take(400).collect()
}

/// What Python's zlib makes of text with every level, strategy and memory level, and what the programs at hand make.
fn made(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let script = r#"
import gzip, random, zlib
random.seed(5)
words = [bytes(random.choices(b"abcdefghij", k=random.randint(1, 9))) for _ in range(900)]
plain = b" ".join(random.choices(words, k=30000))
open("plain", "wb").write(plain)
for level in range(10):
    for strategy in range(5):
        for memory in (1, 8, 9):
            maker = zlib.compressobj(level, zlib.DEFLATED, 31, memory, strategy)
            half = len(plain) // 2
            stream = maker.compress(plain[:half]) + maker.flush(zlib.Z_SYNC_FLUSH) + maker.compress(plain[half:]) + maker.flush()
            open(f"z{level}{strategy}{memory}.gz", "wb").write(stream)
"#;
    let done = Command::new("python3").current_dir(folder).args(["-c", script]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "gz")).collect();
    files.sort();
    files
        .iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect()
}

#[test]
fn no_library_prints_between_the_data() {
    let folder = Folder::new();
    let mut files = documentation();
    files.extend(made(folder.path()));
    assert!(files.len() > 100);
    let files: Vec<_> = files.iter().map(|(name, bytes)| (name.trim_start_matches('/'), bytes.as_slice())).collect();
    let target = image(&folder, "v2.tar", "app:v2", &[layer(&files)]);
    let package = folder.file("app.ddelta");
    let created = docker_delta(&["create", &target, &package, "--json"]).ok();
    let report: Value = serde_json::from_str(&created.stdout).unwrap();
    assert_eq!(report["written"], true);
    let verified = docker_delta(&["verify", &package, "--json"]).ok();
    let report: Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!(report["layers"][0]["proof"], "rebuilt");
}
