//! The reader in `tools/reader`, which was written from FORMAT.md alone, reads what this crate writes, and refuses what it refuses.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

use common::golden::{accepted, base_files, bases, targets};
use common::{options, packed};
use delta_codec::compress::Compression;

use delta_core::create::CreateOptions;
use delta_core::job::choices::{CompressionOptions, Method};

/// Debian's interpreter, for which `scripts/install-test-tools` installs the module `zstandard`.
const PYTHON: &str = "/usr/bin/python3";

/// What the reader ends with when it refuses a package, and when it lacks what the package needs.
const REFUSED: i32 = 4;
const UNSUPPORTED: i32 = 3;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs Python in the folder of the reader; it must be there, and so must its module.
fn python(arguments: &[&Path]) -> Output {
    static CHECKED: Once = Once::new();
    let run = |arguments: &[&Path]| {
        Command::new(PYTHON).current_dir(repository().join("tools/reader")).arg("-B").args(arguments).output()
    };
    CHECKED.call_once(|| {
        let has_module = run(&["-c", "import zstandard"].map(Path::new)).is_ok_and(|output| output.status.success());
        assert!(has_module, "{PYTHON} or its module zstandard is missing; scripts/install-test-tools installs them");
    });
    run(arguments).unwrap()
}

/// What the reader says of the package in `file`, and the code that it ends with.
fn read(file: &Path, bases: &Path) -> (i32, String) {
    let output = python(&[Path::new("."), file, bases]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or_else(|| panic!("{}: {said}", file.display())), said)
}

fn packages(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("testdata/golden/v1").join(folder)).unwrap();
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.into_iter().filter(|path| !path.ends_with("INDEX.tsv")).collect()
}

fn bases_folder() -> PathBuf {
    repository().join("testdata/golden/v1/bases")
}

/// Accepts the package, or says that it has an encoder, which the reader names and does not run.
fn assert_accepted(what: &str, (code, said): (i32, String)) -> bool {
    let named = ["is not supported by this reader"];
    let unsupported = code == UNSUPPORTED && named.iter().any(|name| said.contains(name));
    assert!(code == 0 || unsupported, "{what}: {said}");
    code == 0
}

#[test]
fn the_reader_passes_its_own_tests() {
    let output = python(&["-m", "unittest", "discover", "-s", "tests"].map(Path::new));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_golden_package_is_accepted() {
    let packages = packages("accept");
    let is_of_an_encoder = |file: &&PathBuf| file.file_name().unwrap().to_string_lossy().starts_with("blobs-");
    let refused =
        packages.iter().filter(|file| !assert_accepted(&file.display().to_string(), read(file, &bases_folder())));
    let refused: Vec<_> = refused.filter(|file| !is_of_an_encoder(file)).collect();
    assert!(refused.len() <= 1, "one package has encoders inside of a layer: {refused:?}");
}

#[test]
fn every_rejected_package_is_refused() {
    for file in packages("reject") {
        let (code, said) = read(&file, &bases_folder());
        assert_eq!(code, REFUSED, "{}: {said}", file.display());
        assert!(!said.contains("Traceback"), "{said}");
    }
}

#[test]
fn packages_of_every_method_and_compression_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, file) = (folder.path().join("bases"), folder.path().join("package"));
    fs::create_dir(&receiver).unwrap();
    base_files().iter().for_each(|(name, bytes)| fs::write(receiver.join(name), bytes).unwrap());
    for method in Method::ALL {
        for compression in Compression::ALL {
            let compression = CompressionOptions { recompress: false, ..CompressionOptions::usual(compression) };
            let chosen = CreateOptions { compression, ..options(method) };
            fs::write(&file, packed(&targets(), &bases(), &chosen)).unwrap();
            let what = format!("{method} with {}", chosen.compression.compressor);
            assert!(assert_accepted(&what, read(&file, &receiver)), "{what}");
        }
    }
}

#[test]
fn packages_made_like_the_golden_ones_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, file) = (folder.path().join("bases"), folder.path().join("package"));
    fs::create_dir(&receiver).unwrap();
    base_files().iter().for_each(|(name, bytes)| fs::write(receiver.join(name), bytes).unwrap());
    for (name, package) in accepted() {
        fs::write(&file, package).unwrap();
        assert_accepted(&name, read(&file, &receiver));
    }
}
