//! Packages of every released version are applied for ever, and what was refused stays refused.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::golden::features;
use common::{CONTEXT, applied, open, stored_layer};
use delta_codec::compress::Compression;
use delta_core::Kind;
use delta_core::apply::Delivery;
use delta_core::apply::apply_stream;
use delta_core::digest::BlobDigest;
use delta_core::image::{BlobCompression, Layer};
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

/// What the receiver has of every golden package.
fn bases() -> Vec<Layer> {
    let as_layer = |bytes: &[u8]| {
        let compression = match Compression::detect(bytes) {
            Compression::Gzip => BlobCompression::Gzip,
            Compression::Zstd => BlobCompression::Zstd,
            _ => BlobCompression::None,
        };
        stored_layer(bytes, compression)
    };
    files("bases").iter().map(|(_, bytes, _)| as_layer(bytes)).collect()
}

#[test]
fn every_accepted_package_applies() {
    let (accepted, bases) = (files("accept"), bases());
    assert!(accepted.len() >= 12);
    for (name, bytes, requires) in accepted {
        let package = open(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        verify(&package, &[], CONTEXT).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(features(&package), requires, "{name}");
        if package.metadata().stream.is_some() {
            let (_, base, _) = files("bases").into_iter().find(|(name, _, _)| name == "file").unwrap();
            apply_stream(&package, Arc::new(base), CONTEXT).unwrap_or_else(|error| panic!("{name}: {error}"));
        } else {
            let images =
                applied(&package, &Delivery::Original, &bases).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(images.len(), package.metadata().images.len(), "{name}");
        }
    }
}

#[test]
fn every_rejected_package_is_refused_for_its_reason() {
    let (rejected, bases) = (files("reject"), bases());
    assert!(rejected.len() >= 12);
    for (name, bytes, expected) in rejected {
        let applied = open(&bytes).and_then(|package| {
            verify(&package, &[], CONTEXT)?;
            applied(&package, &Delivery::Original, &bases)
        });
        let error = applied.err().unwrap_or_else(|| panic!("{name} was applied"));
        assert_eq!(error.kind(), Kind::Content, "{name}: {error}");
        assert!(error.to_string().contains(&expected), "{name}: {error}");
    }
}
