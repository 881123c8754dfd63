//! What the documents of a package say is not in its metadata once more.
#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::slice::from_ref;

use common::{
    applied, assert_same, edited, edited_as_stored, error, image, image_of, layer, layers, members, noise, open,
    options, packed, zlib,
};
use delta_core::Kind;
use delta_core::apply::Delivery;
use delta_core::image::{BlobCompression, Image};
use delta_core::job::choices::Method;
use serde_json::{Value, json};

/// Sixty compressed layers, of which one differs between versions.
fn many(version: u64) -> Image {
    let layer = |number| zlib(&noise(number, 300), 6);
    image_of("app:v1", (0..59).map(layer).chain([layer(100 + version)]).collect())
}

fn package() -> Vec<u8> {
    packed(&[many(2)], &[many(1)], &options(Method::Auto))
}

fn metadata(package: &[u8]) -> Value {
    serde_json::from_slice(&members(package)[0].1).unwrap()
}

#[test]
fn a_held_blob_costs_a_number() {
    let package = package();
    let stored = metadata(&package);
    assert!(stored["images"][0]["manifests"][0].get("layers").is_none());
    assert_eq!(stored["blobs"].as_array().unwrap().len(), 1);
    assert_eq!(stored["bases"][0]["layers"].as_array().unwrap()[..59], (0..59).map(Value::from).collect::<Vec<_>>());
    let spelled = edited(&package, |_| ());
    assert!(members(&package)[0].1.len() + 59 * 300 < members(&spelled)[0].1.len());
    for package in [package, spelled] {
        let rebuilt = applied(&open(&package).unwrap(), &Delivery::Original, &layers(&[many(1)])).unwrap();
        assert_same(&rebuilt[0], &many(2));
    }
}

#[test]
fn both_forms_are_one_package() {
    let package = package();
    let [mut short, whole] =
        [package.clone(), edited(&package, |_| ())].map(|one| open(&one).unwrap().metadata().clone());
    assert!(short.requires.remove("implied-1") && !whole.requires.contains("implied-1"));
    assert_eq!(short, whole);
    assert_eq!(
        (whole.blobs.len(), whole.images[0].manifests[0].layers.len(), whole.bases[0].layers.len()),
        (60, 60, 60)
    );
}

#[test]
fn compressed_layers_cost_no_more_than_plain_ones_in_the_metadata() {
    let plain = |version: u64| {
        let layers: Vec<Vec<u8>> = (0..59).chain([100 + version]).map(|number| noise(number, 300)).collect();
        image("app", &layers.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    let least = packed(&[plain(2)], &[plain(1)], &options(Method::Auto)).len();
    let size = package().len();
    assert!(size <= least * 102 / 100 + 2048, "{size} against {least}");
}

#[test]
fn what_no_document_says_is_listed() {
    // A base with the layer under another blob, and an image without layers.
    let text: Vec<u8> = noise(1, 3000).into_iter().map(|byte| byte & 15).collect();
    let base = image_of("app:v1", vec![zlib(&text, 9), layer(b"other", BlobCompression::None)]);
    let target = image_of("app:v2", vec![zlib(&text, 1)]);
    let stored = metadata(&packed(from_ref(&target), from_ref(&base), &options(Method::Auto)));
    assert!(stored["bases"][0]["layers"].as_array().unwrap().iter().all(|layer| !layer.is_number()), "{stored}");
    let none = metadata(&packed(&[image_of("app:v2", Vec::new())], &[], &options(Method::Auto)));
    assert_eq!(none["requires"], json!([]));
}

type Edit = fn(&mut Value);

#[test]
fn what_is_left_out_without_need_to_know_is_refused() {
    let package = package();
    let forget: Edit = |metadata| {
        metadata["requires"].as_array_mut().unwrap().retain(|feature| feature != "implied-1");
    };
    let cases: [(Edit, &str); 6] = [
        (forget, "the layer number 0; there are 0 such"),
        (|metadata| metadata["bases"][0]["layers"][0] = json!(60), "the layer number 60; there are 60 such"),
        (|metadata| metadata["bases"][0]["layers"][0] = json!(-1), "a number"),
        (|metadata| metadata["bases"][0]["layers"] = json!([]), "no base has the "),
        (|metadata| metadata["blobs"] = json!([]), "no base has the blob"),
        (
            |metadata| metadata["images"][0]["manifests"][0]["kind"] = json!("attestation"),
            "the layer number 0; there are 0 such",
        ),
    ];
    for (edit, expected) in cases {
        let error = error(open(&edited_as_stored(&package, edit)));
        assert_eq!(error.kind(), Kind::Content, "{error}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

#[test]
fn the_compression_of_a_held_blob_is_taken_from_its_media_type() {
    for compression in [BlobCompression::Gzip, BlobCompression::Zstd] {
        let image = image_of("app:v1", vec![layer(&noise(1, 900), compression)]);
        let package = packed(from_ref(&image), from_ref(&image), &options(Method::Auto));
        assert!(metadata(&package).get("blobs").is_none(), "no blob is listed");
        let blobs = &open(&package).unwrap().metadata().clone().blobs;
        let held = &image.manifests[0].layers[0];
        assert_eq!((blobs.len(), blobs[0].digest, blobs[0].size), (1, held.blob, held.blob_size));
        assert_eq!(blobs[0].compression, compression);
    }
}
