//! Adds to a folder the golden packages of the current format version that are not there yet; one that is there is never
//! written anew: `cargo run -p delta-core --example golden -- testdata/golden/v1`.

#![allow(clippy::unwrap_used, reason = "there is nobody to handle an error")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;

use common::golden::{accepted, base_files, features, rejected};
use common::open;
use delta_core::digest::BlobDigest;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let folder = Path::new(&folder);
    let accepted = accepted().into_iter().map(|(name, package)| (name, features(&open(&package).unwrap()), package));
    let rejected = rejected().into_iter().map(|(name, package, error)| (name.to_owned(), error.to_owned(), package));
    add(&folder.join("bases"), "holds", base_files().into_iter().map(|(name, file)| (name, String::new(), file)));
    add(&folder.join("accept"), "requires", accepted);
    add(&folder.join("reject"), "error", rejected);
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
