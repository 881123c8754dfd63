//! Writes the golden packages of the current format version into a folder. Those of a released version are never written
//! anew: `cargo run -p delta-core --example golden -- testdata/golden/v1`.

#![allow(clippy::unwrap_used, reason = "there is nobody to handle an error")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;

use delta_core::digest::BlobDigest;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let (accept, reject) = (Path::new(&folder).join("accept"), Path::new(&folder).join("reject"));
    [&accept, &reject].into_iter().for_each(|folder| fs::create_dir_all(folder).unwrap());
    let mut table = String::from("file\tdigest\n");
    for (name, package) in common::golden::accepted() {
        table += &format!("{name}\t{}\n", BlobDigest::of(&package));
        fs::write(accept.join(name), package).unwrap();
    }
    fs::write(accept.join("INDEX.tsv"), table).unwrap();
    let mut table = String::from("file\tdigest\terror\n");
    for (name, package, error) in common::golden::rejected() {
        table += &format!("{name}\t{}\t{error}\n", BlobDigest::of(&package));
        fs::write(reject.join(name), package).unwrap();
    }
    fs::write(reject.join("INDEX.tsv"), table).unwrap();
}
