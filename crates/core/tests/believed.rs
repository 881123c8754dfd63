//! What `apply` and `verify` must not believe: members, documents, bases and metadata with right digests around them.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use common::{
    CONTEXT, applied, edited, error, image, image_of, layer, layers, lying, members, noise, open, options, packed,
    sealed,
};
use delta_core::Kind;
use delta_core::apply::Delivery;
use delta_core::image::{BlobCompression, Image};
use delta_core::job::choices::Method;
use delta_core::verify::verify;
use serde_json::{Value, json};

fn base() -> Image {
    image("app:v1", &[&noise(1, 600), &noise(2, 4000)])
}

/// A package with a held layer, one coded against another, a whole one and a compressed blob.
fn package() -> Vec<u8> {
    let mut after = noise(2, 4000);
    after[2000] ^= 1;
    let plain = |bytes: &[u8]| layer(bytes, BlobCompression::None);
    let gzip = layer(&noise(3, 700), BlobCompression::Gzip);
    let target = image_of("app:v2", vec![plain(&noise(1, 600)), plain(&after), plain(b"whole"), gzip]);
    packed(&[target], &[base()], &options(Method::Auto))
}

#[test]
fn apply_alone_notices_every_exchanged_member() {
    let whole = members(&package());
    for index in (1..whole.len()).filter(|index| whole[*index].0 != "manifest.json") {
        let mut altered = whole.clone();
        let middle = altered[index].1.len() / 2;
        altered[index].1[middle] ^= 1;
        let result =
            open(&sealed(&altered)).and_then(|package| applied(&package, &Delivery::Original, &layers(&[base()])));
        let name = &whole[index].0;
        assert_eq!(result.err().unwrap_or_else(|| panic!("{name} was believed")).kind(), Kind::Content, "{name}");
    }
}

#[test]
fn each_document_is_compared_with_its_digest() {
    let whole = members(&package());
    for index in (0..whole.len()).filter(|index| whole[*index].0.starts_with("blobs/")) {
        let mut altered = whole.clone();
        // Another letter in a text, so that the document still parses.
        let bytes = &mut altered[index].1;
        let at = bytes.windows(5).position(|bytes| bytes == b"linux" || bytes == b"image").unwrap();
        bytes[at] ^= 2;
        let error = error(open(&sealed(&altered)).and_then(|package| verify(&package, &[], CONTEXT)));
        assert_eq!(error.kind(), Kind::Content, "{error}");
        assert!(error.to_string().contains("expected sha256:"), "{error}");
    }
}

#[test]
fn a_base_whose_stored_blob_has_other_bytes_is_a_content_error() {
    let gzip = layer(&noise(3, 700), BlobCompression::Gzip);
    let base = image_of("app:v1", vec![gzip.clone()]);
    let target = image_of("app:v2", vec![gzip.clone(), layer(b"more", BlobCompression::None)]);
    let package = packed(&[target], &[base], &options(Method::Xdelta3));
    let error = error(applied(&open(&package).unwrap(), &Delivery::Original, &[lying(&gzip, b"other")]));
    assert_eq!(error.kind(), Kind::Content, "{error}");
}

#[test]
fn a_layer_against_itself_is_refused() {
    let turned = edited(&package(), |metadata| {
        let own = metadata["layers"][1]["diff_id"].clone();
        metadata["layers"][1]["origin"]["coded"]["bases"] = json!([own]);
    });
    assert!(error(open(&turned)).to_string().contains("nor listed before it"));
}

#[test]
fn a_manifest_that_says_other_than_the_metadata_is_noticed() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 3] = [
        ("other layers", |metadata| {
            let other = metadata["layers"][2]["diff_id"].clone();
            metadata["images"][0]["manifests"][0]["layers"][3]["diff_id"] = other;
        }),
        ("another config", |metadata| {
            let manifest = &mut metadata["images"][0]["manifests"][0];
            manifest["config"] = manifest["digest"].clone();
        }),
        ("other blobs", |metadata| {
            metadata["images"][0]["manifests"][0]["layers"].as_array_mut().unwrap().swap(0, 1);
        }),
    ];
    for (expected, edit) in edits {
        let error = error(open(&edited(&package(), edit)).and_then(|package| verify(&package, &[], CONTEXT)));
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}
