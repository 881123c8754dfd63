//! Compressed layers travel as their plain bytes and the encoder that makes the blob again.
#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::slice::from_ref;

use common::{
    CONTEXT, applied, assert_same, bytes, edited, encoded, error, image, image_of, layer, layers, members, noise, open,
    options, packed, zlib,
};
use delta_codec::compress::Compression;
use delta_core::Kind;
use delta_core::apply::Delivery;
use delta_core::create::CreateOptions;
use delta_core::image::{BlobCompression, Image, Layer};
use delta_core::job::choices::{CompressionOptions, Method};
use delta_core::report::{self, BlobTransfer, Transfer, WholeReason};
use delta_core::verify::verify;
use serde_json::{Value, json};

/// Bytes that compress a little, and differ in a few places for each version.
fn content(version: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = noise(5, 60_000).into_iter().map(|byte| byte & 31).collect();
    for at in [100, 20_000, 50_000] {
        bytes.splice(at..at + 8, noise(version, 8));
    }
    bytes
}

fn plain(bytes: &[u8]) -> Layer {
    layer(bytes, BlobCompression::None)
}

fn round_trip(target: &Image, bases: &[Image], method: Method) -> Vec<u8> {
    let package = packed(from_ref(target), bases, &options(method));
    let opened = open(&package).unwrap();
    verify(&opened, &[], CONTEXT).unwrap();
    let rebuilt = applied(&opened, &Delivery::Original, &layers(bases)).unwrap();
    assert_same(&rebuilt[0], target);
    package
}

#[test]
fn a_compressed_layer_costs_what_its_difference_costs() {
    for method in Method::ALL {
        let base = image_of("app:v1", vec![zlib(&content(1), 6)]);
        let target = image_of("app:v2", vec![zlib(&content(2), 6)]);
        let small = round_trip(&target, from_ref(&base), method).len();
        let uncompressed = |version| image("app", &[&content(version)]);
        let least = round_trip(&uncompressed(2), &[uncompressed(1)], method).len();
        assert!(small <= least + 1536, "{method}: {small} against {least}");
    }
}

#[test]
fn only_the_plain_bytes_of_a_base_matter() {
    let target = image_of("app:v2", vec![zlib(&content(2), 9), zlib(&content(3), 1)]);
    for base in [zlib(&content(1), 1), plain(&content(1)), layer(&content(1), BlobCompression::Zstd)] {
        let size = round_trip(&target, &[image_of("app:v1", vec![base])], Method::Auto).len();
        assert!(size < 12_000, "{size}");
    }
}

#[test]
fn a_layer_that_a_base_holds_in_another_form_costs_its_plan() {
    let target = image_of("app:v1", vec![zlib(&content(1), 6)]);
    let held = round_trip(&target, from_ref(&target), Method::Auto).len();
    for base in [plain(&content(1)), zlib(&content(1), 1)] {
        let package = round_trip(&target, &[image_of("app:v1", vec![base])], Method::Auto);
        let layers = report::layers(open(&package).unwrap().metadata());
        assert_eq!((layers[0].transfer, layers[0].blobs[0].transfer), (Transfer::Held, BlobTransfer::Recreated));
        assert!(package.len() <= held + 1024, "{} against {held}", package.len());
    }
}

#[test]
fn what_makes_a_blob_is_required_and_reported() {
    let target = image_of("app:v2", vec![zlib(&content(2), 6), layer(&content(3), BlobCompression::Gzip)]);
    let package = open(&round_trip(&target, &[], Method::Xdelta3)).unwrap();
    assert!(package.metadata().requires.contains("gzip-zlib-1"));
    let blobs: Vec<_> = report::layers(package.metadata()).into_iter().map(|mut layer| layer.blobs.remove(0)).collect();
    assert_eq!((blobs[0].transfer, blobs[0].encoder.as_deref()), (BlobTransfer::Recreated, Some("zlib 6")));
    assert_eq!((blobs[1].transfer, blobs[1].differs_at.is_some()), (BlobTransfer::Whole, true));
    assert_eq!((blobs[0].reason, blobs[1].reason), (None, Some(WholeReason::UnknownEncoder)));
    let report = report::package(&package).unwrap();
    assert_eq!((report.recreated_bytes, report.whole_blob_bytes), (60_000, target.manifests[0].layers[1].blob_size));
}

#[test]
fn nothing_is_compressed_again_against_the_users_will() {
    let target = image_of("app:v2", vec![zlib(&content(2), 6)]);
    let compression = CompressionOptions { recompress: false, ..CompressionOptions::usual(Compression::Zstd) };
    let package = packed(from_ref(&target), &[], &CreateOptions { compression, ..options(Method::Auto) });
    let opened = open(&package).unwrap();
    let blob = &report::layers(opened.metadata())[0].blobs[0];
    assert_eq!((blob.transfer, blob.reason), (BlobTransfer::Whole, Some(WholeReason::Asked)));
    assert_same(&applied(&opened, &Delivery::Original, &[]).unwrap()[0], &target);
}

#[test]
fn a_blob_that_is_smaller_than_its_layer_coded_travels_as_it_is() {
    // What cannot be compressed is no smaller when it is compressed by somebody else.
    let target = image_of("app:v2", vec![zlib(&noise(1, 50_000), 9)]);
    let package = open(&round_trip(&target, &[], Method::Xdelta3)).unwrap();
    let layers = report::layers(package.metadata());
    let blob = &layers[0].blobs[0];
    assert_eq!((blob.transfer, blob.reason), (BlobTransfer::Whole, Some(WholeReason::Smallest)));
    assert!(layers[0].package_bytes <= target.manifests[0].layers[0].blob_size);
}

#[test]
fn a_layer_of_many_members_has_its_plan_in_a_member() {
    let (stored, plain): (Vec<_>, Vec<_>) = (0..200)
        .map(|number| {
            let plain = &content(number)[..1000 + 7 * usize::try_from(number).unwrap()];
            (bytes(&*zlib(plain, 6).content.stored().unwrap()), plain.to_vec())
        })
        .unzip();
    let target = image_of("app:v2", vec![encoded(&plain.concat(), &stored.concat(), BlobCompression::Gzip)]);
    let base = image("app:v1", &[&plain.concat()]);
    for compressor in Compression::ALL {
        let compression = CompressionOptions::usual(compressor);
        let package =
            packed(from_ref(&target), from_ref(&base), &CreateOptions { compression, ..options(Method::Auto) });
        let plans = members(&package).into_iter().filter(|(name, _)| name.starts_with("blob_plans/"));
        let plans: Vec<_> = plans.map(|(name, _)| name).collect();
        assert!(plans.len() == 1 && plans[0].ends_with(&format!(".plan{}", compressor.suffix())), "{plans:?}");
        let opened = open(&package).unwrap();
        verify(&opened, &[], CONTEXT).unwrap();
        assert_same(&applied(&opened, &Delivery::Original, &layers(from_ref(&base))).unwrap()[0], &target);
    }
}

#[test]
fn one_layer_in_several_forms_travels_once() {
    let forms = [zlib(&content(1), 6), zlib(&content(1), 9), plain(&content(1))];
    let target = image_of("app:v2", forms.to_vec());
    let size = round_trip(&target, &[], Method::Layer).len();
    let once = round_trip(&image("app:v2", &[&content(1)]), &[], Method::Layer).len();
    assert!(size < once + 2_500, "{size} against {once}");
}

#[test]
fn contradictions_are_refused_by_name() {
    let target = image_of("app:v2", vec![zlib(&content(2), 6)]);
    let package = packed(from_ref(&target), &[], &options(Method::Layer));
    let opened = open(&package).unwrap();
    let name = opened.metadata().members[0].name.clone();
    let plan = serde_json::to_value(opened.metadata()).unwrap()["blobs"][0]["recreated"]["plan"].clone();
    let cases: [(&str, Value, &str); 13] = [
        ("/requires", json!(["whole"]), "it does not require `gzip-zlib-1`"),
        ("/blobs/0/member", json!(name), "is a member and made again"),
        ("/blobs/0/size", json!(1_u64 << 41), "at most 1099511627776"),
        ("/blobs/0/nearest", json!({"encoder": "zlib 6", "differs_at": 5}), "is no member, but an encoder came near"),
        ("/blobs/0/whole", json!("smallest"), "for a reason that it cannot have"),
        ("/blobs/0/whole", json!("secret"), "unknown variant `secret`"),
        ("/blobs/0/recreated/encoder", json!("\u{1b}[2J"), "has a control character"),
        ("/blobs/0/recreated/member", json!(name), "expected one of `plan` and `member`"),
        ("/blobs/0/recreated/plan", json!("00"), "is damaged at byte 0"),
        ("/blobs/0/recreated/plan", json!("01ff0605"), "is damaged at byte 0"),
        ("/blobs/0/recreated/plan", json!("0101068f05"), "is made of other bytes than its layer"),
        ("/blobs/0/recreated/plan", json!(plan.as_str().unwrap().to_uppercase()), "hexadecimal digits"),
        ("/layers/0/size", json!(3), "is made of other bytes than its layer"),
    ];
    for (pointer, value, expected) in cases {
        let wrong = edited(&package, |metadata| {
            let (place, field) = pointer.rsplit_once('/').unwrap();
            metadata.pointer_mut(place).unwrap()[field] = value.clone();
        });
        let error = error(open(&wrong));
        assert_eq!(error.kind(), Kind::Content, "{pointer}: {error}");
        assert!(error.to_string().contains(expected), "{pointer}: {error}");
    }
}

type Edit = fn(&str) -> String;

#[test]
fn a_plan_that_makes_something_else_is_found_out() {
    let target = image_of("app:v2", vec![zlib(&content(2), 6)]);
    let package = packed(from_ref(&target), &[], &options(Method::Layer));
    let plan = |metadata: &Value| metadata["blobs"][0]["recreated"]["plan"].as_str().unwrap().to_owned();
    let errors = |edit: Edit| {
        let package = edited(&package, |metadata| {
            metadata["blobs"][0]["recreated"]["plan"] = json!(edit(&plan(metadata)));
        });
        let opened = open(&package).unwrap();
        [error(verify(&opened, &[], CONTEXT)), error(applied(&opened, &Delivery::Original, &[]))]
    };
    let cases: [(Edit, &str); 3] = [
        (|plan| plan.replace("01068f", "01018f"), "the blob "),
        (|plan| plan.replace("030201", "ff0201"), "expected sha256:"),
        (|plan| format!("{plan}0002000000"), "more bytes come than the metadata says"),
    ];
    for (edit, expected) in cases {
        for error in errors(edit) {
            assert_eq!(error.kind(), Kind::Content, "{error}");
            assert!(error.to_string().contains(expected), "{expected}: {error}");
        }
    }
}
