//! Packages of every released version are applied for ever, and what was refused stays refused.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::golden::{base_layers, old};
use common::{CONTEXT, applied, open};
use delta_core::Kind;
use delta_core::apply::Delivery;
use delta_core::apply::apply_stream;
use delta_core::digest::BlobDigest;
use delta_core::verify::verify;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/v1").join(name)
}

/// The files of a folder with the further columns of its table; they are those that the table says.
fn files(name: &str) -> Vec<(String, Vec<u8>, String)> {
    let table = fs::read_to_string(folder(name).join("INDEX.tsv")).unwrap();
    let file = |line: &str| {
        let mut cells = line.split('\t');
        let (file, digest) = (cells.next().unwrap(), cells.next().unwrap());
        let bytes = fs::read(folder(name).join(file)).unwrap();
        assert_eq!(BlobDigest::of(&bytes).to_string(), digest, "{file} is not the one that was pinned");
        (file.to_owned(), bytes, cells.next().unwrap_or_default().to_owned())
    };
    let files: Vec<_> = table.lines().skip(1).map(file).collect();
    assert_eq!(fs::read_dir(folder(name)).unwrap().count(), files.len() + 1, "a file of {name} is in no table");
    files
}

#[test]
fn every_accepted_package_applies() {
    let files = files("accept");
    assert!(files.len() >= 12);
    for (name, bytes, _) in files {
        let package = open(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        verify(&package, CONTEXT).unwrap_or_else(|error| panic!("{name}: {error}"));
        if package.metadata().stream.is_some() {
            apply_stream(&package, Arc::new(old()), CONTEXT).unwrap();
        } else {
            let images = applied(&package, &Delivery::Original, &base_layers()).unwrap();
            assert_eq!(images.len(), 2, "{name}");
        }
    }
}

#[test]
fn every_rejected_package_is_refused_for_its_reason() {
    let files = files("reject");
    assert!(files.len() >= 12);
    for (name, bytes, expected) in files {
        let applied = open(&bytes).and_then(|package| {
            verify(&package, CONTEXT)?;
            applied(&package, &Delivery::Original, &base_layers())
        });
        let error = applied.err().unwrap_or_else(|| panic!("{name} was applied"));
        assert_eq!(error.kind(), Kind::Content, "{name}: {error}");
        assert!(error.to_string().contains(&expected), "{name}: {error}");
    }
}
