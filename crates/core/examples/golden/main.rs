//! Adds to a folder the golden packages of the current format version that are not there yet; one that is there is never
//! written anew: `cargo run -p delta-core --example golden -- testdata/golden/v1`.

#![allow(clippy::unwrap_used, reason = "there is nobody to handle an error")]

mod blobs;
#[path = "../../tests/common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::golden::{accepted, base_files, encoders, features, rejected};
use common::{image, open, options, packed};
use delta_core::digest::BlobDigest;
use delta_core::job::choices::Method;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let folder = Path::new(&folder);
    let accepted = accepted().into_iter().map(|(name, package)| (name, features(&open(&package).unwrap()), package));
    let mut of_kinds: Vec<_> = KINDS
        .iter()
        .filter(|kind| !folder.join("accept").join(format!("{kind}.ddelta")).exists())
        .map(|kind| (*kind, layer(kind, 1), layer(kind, 2)))
        .collect();
    of_kinds.push(("encoders", encoders(1), encoders(2)));
    let packages = of_kinds.iter().map(|(kind, base, target)| {
        let (base, target) = (image("app:v1", &[base]), image("app:v2", &[target]));
        let package = packed(&[target], &[base], &options(Method::Auto));
        (format!("{kind}.ddelta"), features(&open(&package).unwrap()), package)
    });
    let baseless = WITHOUT_BASES.iter().filter(|kind| !folder.join("accept").join(format!("{kind}.ddelta")).exists());
    let baseless = baseless.map(|kind| {
        let package = both(kind);
        (format!("{kind}.ddelta"), features(&open(&package).unwrap()), package)
    });
    let rejected = rejected().into_iter().map(|(name, package, error)| (name.to_owned(), error.to_owned(), package));
    let blobs = blobs::blobs(&folder.join("reject"));
    let of_blobs = ("blobs".to_owned(), blobs.base);
    let bases = of_kinds.iter().map(|(kind, base, _)| ((*kind).to_owned(), base.clone())).chain([of_blobs]);
    let bases = bases.chain(base_files());
    add(&folder.join("bases"), "holds", bases.map(|(name, file)| (name, String::new(), file)));
    add(&folder.join("accept"), "requires", accepted.chain(packages).chain(blobs.accepted).chain(baseless));
    add(&folder.join("reject"), "error", rejected.chain(blobs.rejected));
}

/// What `layers.py` beside this file makes layers of, each with a package of its own.
const KINDS: [&str; 9] = ["headers", "streams", "opened", "nested", "x86-64", "debug", "fixed", "i386", "aarch64"];

/// The same, of which no base is kept, as long as they are.
const WITHOUT_BASES: [&str; 2] = ["large", "go"];

/// An image with both versions.
fn both(kind: &str) -> Vec<u8> {
    let image = image("app:v2", &[&layer(kind, 1), &layer(kind, 2)]);
    packed(&[image], &[], &options(Method::Auto))
}

/// A layer that Python makes, and compilers for what is executable (gcc-aarch64-linux-gnu, libc6-dev-i386, lib32gcc-12-dev, golang).
fn layer(kind: &str, version: usize) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/golden/layers.py");
    let output = Command::new("/usr/bin/python3").arg(script).args([kind, &version.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Adds files, each with the last column of its row, to a folder and its table.
fn add(folder: &Path, column: &str, files: impl Iterator<Item = (String, String, Vec<u8>)>) {
    fs::create_dir_all(folder).unwrap();
    let table = folder.join("INDEX.tsv");
    let mut rows = fs::read_to_string(&table).unwrap_or_else(|_| format!("file\tdigest\t{column}\n"));
    for (name, cell, bytes) in files {
        if !folder.join(&name).exists() {
            rows += &format!("{name}\t{}\t{cell}\n", BlobDigest::of(&bytes));
            fs::write(folder.join(name), bytes).unwrap();
        }
    }
    fs::write(table, rows).unwrap();
}
