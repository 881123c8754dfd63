//! What `list` and `info` say about a package.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use common::{image, image_of, layer, noise, open, options, packed};
use delta_core::digest::{BlobDigest, ConfigDigest};
use delta_core::image::{BlobCompression, Image, ManifestKind};
use delta_core::job::choices::Method;
use delta_core::package::features::LayerCodec;
use delta_core::report::{self, BlobReport, BlobTransfer, ImageReport, ManifestReport, Transfer, WholeReason};

fn fates(targets: &[Image], bases: &[Image]) -> Vec<Transfer> {
    let package = open(&packed(targets, bases, &options(Method::Xdelta3))).unwrap();
    report::layers(package.metadata()).iter().map(|layer| layer.transfer).collect()
}

#[test]
fn each_layer_has_its_fate() {
    let before = noise(2, 20_000);
    let mut after = before.clone();
    after[7] ^= 1;
    let base = image("app:v1", &[b"one", &before, b"three"]);
    let target = image("app:v2", &[b"one", &after, b"three", b"none has this"]);
    let package = open(&packed(std::slice::from_ref(&target), &[base], &options(Method::Xdelta3))).unwrap();
    let layers = report::layers(package.metadata());
    let fates: Vec<Transfer> = layers.iter().take(3).map(|layer| layer.transfer).collect();
    assert_eq!(fates, [Transfer::Held, Transfer::Delta, Transfer::Referred]);
    assert_eq!((layers[0].package_bytes, layers[0].codec), (0, None));
    assert_eq!((layers[1].codec, layers[1].size), (Some(LayerCodec::Vcdiff), Some(20_000)));
    assert!(layers[1].package_bytes > 0 && layers[1].package_bytes < 200);
    assert_eq!(layers[1].needs.len(), 1);
}

#[test]
fn the_same_layer_once_more_is_referred_to() {
    let base = image("app:v1", &[b"one", b"empty"]);
    assert_eq!(
        fates(&[image("a", &[b"one", b"empty"])], std::slice::from_ref(&base)),
        [Transfer::Held, Transfer::Held]
    );
    let twice = image("b", &[b"one", b"empty", b"empty"]);
    assert_eq!(fates(&[twice], std::slice::from_ref(&base)), [Transfer::Held, Transfer::Referred]);
    let turned = image("c", &[b"empty", b"one"]);
    assert_eq!(fates(&[turned], std::slice::from_ref(&base)), [Transfer::Referred, Transfer::Referred]);
    // Of several bases the best counts.
    assert_eq!(fates(&[image("a", &[b"one"])], &[image("d", &[b"empty", b"one"]), base]), [Transfer::Held]);
}

#[test]
fn the_whole_is_told_with_its_sizes() {
    let (base, target) = (image("app:v1", &[b"held"]), image("app:v2", &[b"held", &noise(1, 5000)]));
    let bytes = packed(std::slice::from_ref(&target), std::slice::from_ref(&base), &options(Method::Layer));
    let report = report::package(&open(&bytes).unwrap()).unwrap();
    assert_eq!(
        (report.package_bytes, report.image_bytes, report.missing_bytes),
        (bytes.len() as u64, Some(5004), 5000)
    );
    assert_eq!((report.format, report.requires.as_slice()), (1, &["implied-1", "whole"].map(str::to_owned)[..]));
    assert_eq!(report.images[0].digest, target.root.digest);
    let manifest = &report.images[0].manifests[0];
    assert_eq!((manifest.id, manifest.layers), (target.manifests[0].config, 2));
    assert_eq!(manifest.created.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(
        (report.bases[0].ids.as_slice(), report.bases[0].digest),
        (&[base.manifests[0].config][..], base.root.digest)
    );
}

#[test]
fn why_a_blob_travels_whole_is_told_to_people() {
    let blob = |reason, encoder: Option<&str>, differs_at| BlobReport {
        digest: BlobDigest::of(b"blob"),
        size: 1,
        transfer: BlobTransfer::Whole,
        encoder: encoder.map(str::to_owned),
        differs_at,
        reason,
    };
    let unknown = Some(WholeReason::UnknownEncoder);
    for (report, expected) in [
        (blob(None, Some("zlib 6"), None), None),
        (blob(Some(WholeReason::Smallest), None, None), Some("which is smallest")),
        (blob(Some(WholeReason::Asked), None, None), Some("because nothing is to be compressed again")),
        (blob(unknown, None, None), Some("because an unknown encoder made it")),
        (
            blob(unknown, Some("zlib 6"), Some(5)),
            Some("because an unknown encoder made it (zlib 6 comes nearest, and differs at byte 5)"),
        ),
    ] {
        assert_eq!(report.explanation().as_deref(), expected);
    }
}

#[test]
fn an_artifact_is_told_by_what_it_says_that_it_is() {
    let manifest = |kind, artifact_type: Option<&str>| ManifestReport {
        id: ConfigDigest::of(b"config"),
        kind,
        artifact_type: artifact_type.map(str::to_owned),
        platform: None,
        created: None,
        layers: 1,
    };
    let report = |manifests: Vec<ManifestReport>| ImageReport {
        names: Vec::new(),
        digest: BlobDigest::of(b"root"),
        listed: Vec::new(),
        manifests,
    };
    let other = |artifact_type| manifest(ManifestKind::Attestation, artifact_type);
    let mixed = report(vec![other(Some("b/c")), manifest(ManifestKind::Image, None)]);
    assert!(!mixed.is_artifact());
    let artifact = report(vec![other(Some("b/c")), other(None), other(Some("a/b")), other(Some("b/c"))]);
    assert!(artifact.is_artifact());
    assert_eq!(artifact.artifact_types(), ["a/b", "b/c"]);
}

#[test]
fn the_bytes_of_a_blob_belong_to_its_layer() {
    let plain: Vec<u8> = noise(1, 5000).into_iter().map(|byte| byte & 31).collect();
    let gzip = layer(&plain, BlobCompression::Gzip);
    let package = open(&packed(&[image_of("app:v1", vec![gzip.clone()])], &[], &options(Method::Layer))).unwrap();
    let layers = report::layers(package.metadata());
    assert_eq!((layers[0].package_bytes, layers[0].blobs[0].size), (gzip.blob_size, gzip.blob_size));
    // Of a layer that a base has in another form, the blob travels alone.
    let base = image("app:v1", &[&plain]);
    let package = open(&packed(&[image_of("app:v2", vec![gzip.clone()])], &[base], &options(Method::Layer))).unwrap();
    let layers = report::layers(package.metadata());
    assert_eq!((layers[0].transfer, layers[0].package_bytes), (Transfer::Held, gzip.blob_size));
}
