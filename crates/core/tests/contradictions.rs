//! Metadata that contradicts itself is refused before any of it is used.

mod common;

use common::golden::plain_recipes;
use common::{applied, assert_same, edited, error, image, image_of, layer, layers, noise, open, options, packed};
use delta_core::Kind;
use delta_core::apply::Delivery;
use delta_core::image::BlobCompression;
use delta_core::job::choices::Method;
use serde_json::{Value, json};

const ABSENT: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// A package with a held layer, one coded against it, a whole one and a compressed blob.
fn package() -> Vec<u8> {
    let (same, changed) = (noise(1, 600), noise(2, 4000));
    let mut after = changed.clone();
    after[2000] ^= 1;
    let base = image("app:v1", &[&same, &changed]);
    let plain = |bytes: &[u8]| layer(bytes, BlobCompression::None);
    let gzip = layer(&noise(3, 700), BlobCompression::Gzip);
    let target = image_of("app:v2", vec![plain(&same), plain(&after), plain(b"whole"), gzip]);
    packed(&[target], &[base], &options(Method::Auto))
}

#[test]
fn each_contradiction_is_named() {
    let package = package();
    open(&edited(&package, |_| ())).unwrap();
    let cases: Vec<(&str, Value, &str)> = vec![
        ("/created_by", json!("\u{1b}[2J"), "`\\u{1b}[2J` has a control character"),
        ("/images/0/root/media_type", json!("a\nb"), "has a control character"),
        ("/images/0/manifests/0/platform/os", json!("linux\r"), "has a control character"),
        ("/images", json!([]), "it brings neither images nor a stream"),
        ("/layers/1/size", json!(1_u64 << 41), "at most 1099511627776 are read"),
        ("/layers/0/diff_id", json!(ABSENT), "no base has the layer"),
        ("/layers/1/origin/coded/bases/0", json!(ABSENT), "which is neither of a base nor listed before it"),
        ("/layers/1/origin/coded/members/0", json!("layer_deltas/absent"), "there is no member layer_deltas/absent"),
        ("/layers/1/origin/coded/members", json!([]), "has 0 members, its codec has 1"),
        ("/requires", json!(["whole"]), "it does not require `"),
        ("/images/0/documents/0", json!(ABSENT), "there is no member that is the document"),
        ("/images/0/root/digest", json!(ABSENT), "is not listed"),
        ("/images/0/manifests/0/config", json!(ABSENT), "is not listed"),
        ("/images/0/manifests/0/digest", json!(ABSENT), "is not listed"),
        ("/images/0/manifests/0/layers/1", json!(ABSENT), "is not listed"),
        ("/images/0/manifests/0/layers/3/blob", json!(ABSENT), "is not listed"),
        ("/images/0/manifests/0/layers/1", json!({"diff_id": ABSENT, "blob": ABSENT}), "which then stands alone"),
        ("/blobs/0/digest", json!(ABSENT), "is not the blob"),
        ("/blobs/0/size", json!(1), "is not the blob"),
        ("/blobs/0/member", json!("layer_blobs/absent"), "there is no member layer_blobs/absent"),
        ("/blobs/0/member", Value::Null, "no base has the blob"),
        ("/blobs", json!([]), "is not listed"),
        ("/stream", json!({"kind": "file", "target": ABSENT, "base": ABSENT, "base_size": 0}), "images and a stream"),
    ];
    for (pointer, value, expected) in cases {
        let edit = |metadata: &mut Value| match metadata.pointer_mut(pointer) {
            Some(found) => *found = value.clone(),
            None => metadata[&pointer[1..]] = value.clone(),
        };
        let error = error(open(&edited(&package, edit)));
        assert_eq!(error.kind(), Kind::Content, "{pointer}");
        assert!(error.to_string().contains(expected), "{pointer}: {error}");
    }
}

#[test]
fn what_is_listed_twice_is_refused() {
    let package = package();
    for (list, expected) in ["members", "layers", "blobs", "images"].map(|list| (list, "listed twice")) {
        let twice = edited(&package, |metadata| {
            let list = metadata[list].as_array_mut().unwrap();
            list.push(list[0].clone());
        });
        let error = error(open(&twice));
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn unknown_fields_are_refused_wherever_they_are() {
    let package = package();
    for place in [
        "",
        "/images/0",
        "/images/0/manifests/0",
        "/images/0/manifests/0/layers/3",
        "/bases/0",
        "/layers/0",
        "/layers/1/origin/coded",
        "/blobs/0",
        "/members/0",
    ] {
        let more = edited(&package, |metadata| metadata.pointer_mut(place).unwrap()["colour"] = "red".into());
        let error = error(open(&more));
        assert!(error.to_string().contains("unknown field `colour`"), "{place}: {error}");
    }
}

#[test]
fn a_layer_against_one_that_comes_later_is_refused() {
    let package = package();
    let turned = edited(&package, |metadata| {
        let later = metadata["layers"][2]["diff_id"].clone();
        metadata["layers"][1]["origin"]["coded"]["bases"] = json!([later]);
    });
    assert!(error(open(&turned)).to_string().contains("nor listed before it"));
}

#[test]
fn a_layer_against_one_layer_twice_is_refused() {
    let twice = edited(&package(), |metadata| {
        let bases = metadata["layers"][1]["origin"]["coded"]["bases"].as_array_mut().unwrap();
        bases.push(bases[0].clone());
    });
    assert!(error(open(&twice)).to_string().contains("is coded against another one twice"));
}

#[test]
fn a_recipe_of_other_members_is_refused() {
    let odd = edited(&plain_recipes(), |metadata| {
        let mut layers = metadata["layers"].as_array_mut().unwrap().iter_mut();
        let coded = layers.find_map(|layer| layer.pointer_mut("/origin/coded").filter(|one| one["codec"] == "recipe"));
        coded.unwrap()["members"][0] = json!("manifest.json");
    });
    assert!(error(open(&odd)).to_string().contains("manifest.json is no stream of the recipe"));
}

#[test]
fn a_layer_that_promises_another_size_is_noticed_when_it_is_rebuilt() {
    let package = package();
    for (size, expected) in [(1_u64, "more bytes come than the metadata says"), (1_000_000, "")] {
        let other = edited(&package, |metadata| metadata["layers"][2]["size"] = size.into());
        let opened = open(&other).unwrap();
        let base = image("app:v1", &[&noise(1, 600), &noise(2, 4000)]);
        let error = error(applied(&opened, &Delivery::Original, &layers(&[base])));
        assert_eq!(error.kind(), Kind::Content, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn the_package_of_these_tests_applies() {
    let base = image("app:v1", &[&noise(1, 600), &noise(2, 4000)]);
    let mut after = noise(2, 4000);
    after[2000] ^= 1;
    let plain = |bytes: &[u8]| layer(bytes, BlobCompression::None);
    let gzip = layer(&noise(3, 700), BlobCompression::Gzip);
    let target = image_of("app:v2", vec![plain(&noise(1, 600)), plain(&after), plain(b"whole"), gzip]);
    let rebuilt = applied(&open(&package()).unwrap(), &Delivery::Original, &layers(&[base])).unwrap();
    assert_same(&rebuilt[0], &target);
}
