//! The modules of this crate stand on each other as `lib.rs` lists them: each uses only those before it.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of a module: `NAME.rs` and all in `NAME/`.
fn files(sources: &Path, module: &str) -> Vec<PathBuf> {
    let mut files = vec![sources.join(format!("{module}.rs"))];
    let mut folders = vec![sources.join(module)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// Every file below a folder.
fn all_files(folder: PathBuf) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// The modules that a file names behind `crate::`, but for what its comments point to.
fn used(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |character: char| character.is_ascii_lowercase() || character == '_';
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(move |rest| &rest[..rest.find(|found| !is_name(found)).unwrap_or(rest.len())])
}

#[test]
fn each_module_uses_only_those_before_it() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let head = fs::read_to_string(sources.join("lib.rs")).unwrap();
    let modules: Vec<&str> = head
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(modules.len() >= 10, "{modules:?}");
    let mut looked_at = 0;
    for (floor, module) in modules.iter().enumerate() {
        for file in files(&sources, module) {
            let text = fs::read_to_string(&file).unwrap();
            for name in used(&text).filter(|name| modules.contains(name) && name != module) {
                looked_at += 1;
                assert!(modules[..floor].contains(&name), "{} uses {name}, which comes later", file.display());
            }
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}

/// Clippy refuses clocks, files, the network and the environment where a crate's head says so (`clippy.toml`).
#[test]
fn the_crates_that_do_not_touch_the_world_have_it_checked() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["codec", "core", "envelope"] {
        let head = fs::read_to_string(crates.join(name).join("src/lib.rs")).unwrap();
        assert!(head.contains("#![warn(clippy::disallowed_methods, clippy::disallowed_types"), "{name}");
        for path in all_files(crates.join(name).join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("allow(clippy::disallowed"), "{}", path.display());
        }
    }
    let listed = fs::read_to_string(crates.parent().unwrap().join("clippy.toml")).unwrap();
    for path in ["std::time::Instant::now", "std::env::var", "std::fs::read", "std::fs::File", "std::net::TcpStream"] {
        assert!(listed.contains(&format!("\"{path}\"")), "clippy.toml does not list {path}");
    }
}

/// Limits of how something is done: nothing is refused beyond them, and what comes of it is the same.
const NO_BOUNDS: [&str; 10] = [
    "COPY_BUFFER",
    "PARALLEL_LAYER_BYTES",
    "SURE_LAYER_BYTES",
    "MEMBER_OVERHEAD",
    "XZ_DICTIONARY_BYTES",
    "XZ_DICTIONARY_BYTES_THOROUGH",
    "PATCH_BATCH_BYTES",
    "BASE_WINDOW",
    "OPENED_GROWTH",
    "WEIGHED_BYTES",
];

/// A test at the bound and one beyond it starts with the name of the limit.
#[test]
fn each_limit_has_a_test_of_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let limits = fs::read_to_string(root.join("src/limits.rs")).unwrap();
    let names = limits.lines().filter_map(|line| line.split_once("const ")?.1.split(':').next());
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 30 && NO_BOUNDS.iter().all(|name| names.contains(name)), "{names:?}");
    let code: Vec<String> = ["src", "tests"]
        .into_iter()
        .flat_map(|folder| all_files(root.join(folder)))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for name in names.iter().filter(|name| !NO_BOUNDS.contains(name)) {
        let test = format!("fn {}_", name.to_lowercase());
        assert!(code.iter().any(|text| text.contains(&test)), "no test of {name}: `{test}...`");
    }
}
