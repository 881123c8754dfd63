//! Images for several platforms, from registry to registry.

use std::fs;

use delta_core::digest::BlobDigest;
use serde_json::{Value, json};

use super::proxy::{Proxy, is_blob};
use super::server::{Guard, Registry, alone};
use super::sink::copy;
use crate::support::{Folder, image_for, layer, names, noise, seen};

const PLATFORMS: [&str; 2] = ["amd64", "arm64"];
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A layer of which most is the same in all versions of a platform.
fn content(number: u64, version: u64) -> Vec<u8> {
    layer(&[("same", &noise(number + 3, 400_000)), ("version", &noise(number * 100 + version, 2_000))])
}

/// An index of an image for each platform, with a layer that no version changes and one that each does.
fn index(folder: &Folder, version: u64) -> String {
    let place = folder.path().join(format!("all-{version}"));
    for (number, architecture) in (0..).zip(PLATFORMS) {
        let layers = [layer(&[("fixed", &noise(number + 1, 300_000))]), content(number, version)];
        let archive = image_for(folder, "one.tar", ("app:one", architecture), &layers);
        copy(&format!("docker-archive:{archive}"), &format!("oci:{}:{architecture}", place.display()));
    }
    let listed: Value = serde_json::from_slice(&fs::read(place.join("index.json")).unwrap()).unwrap();
    let mut manifests = listed["manifests"].as_array().unwrap().clone();
    for (manifest, architecture) in manifests.iter_mut().zip(PLATFORMS) {
        manifest.as_object_mut().unwrap().remove("annotations");
        manifest["platform"] = json!({"os": "linux", "architecture": architecture});
    }
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string();
    let digest = BlobDigest::of(index.as_bytes());
    fs::write(place.join("blobs/sha256").join(digest.hex()), &index).unwrap();
    let entry = json!({"mediaType": INDEX, "digest": digest.to_string(), "size": index.len(),
        "annotations": {"org.opencontainers.image.ref.name": "all"}});
    fs::write(place.join("index.json"), json!({"schemaVersion": 2, "manifests": [entry]}).to_string()).unwrap();
    format!("oci:{}:all", place.display())
}

/// Both versions in one registry, and the first in another.
fn two_sides(folder: &Folder) -> (Registry, Registry) {
    let (near, far) = (Registry::start(Guard::Nothing), Registry::start(Guard::Nothing));
    for version in [1, 2] {
        copy(&index(folder, version), &near.name(&format!("app:v{version}")));
    }
    copy(&near.name("app:v1"), &far.name("site/app:v1"));
    (near, far)
}

fn size(path: &str) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn all_platforms_go_with_their_index() {
    let folder = Folder::new();
    let (near, far) = two_sides(&folder);
    let package = folder.file("p.ddelta");
    let proxy = Proxy::before(near.port());
    alone(&folder, &["create", &proxy.name("app:v2"), &package, "--base", &proxy.name("app:v1")]).ok();
    assert!(size(&package) < 20_000, "{}", size(&package));
    // The changed layers of both versions and platforms, and none of those that stay.
    let (down, _) = proxy.bytes();
    assert!((1_600_000..1_680_000).contains(&down), "{down}");
    alone(&folder, &["apply", &package, &far.name("site/app")]).ok();
    assert_eq!(far.digest("site/app:v2"), near.digest("app:v2"));
    copy(&far.name("site/app:v2"), &format!("oci:{}:again", folder.file("again")));
    // Into a file, with the index as it is.
    let archive = folder.file("again.tar");
    alone(&folder, &["apply", &package, "--base", &far.name("site/app:v1"), "-o", &archive]).ok();
    let made = &seen(&archive)["images"][0];
    assert_eq!(made["root"]["digest"], near.digest("app:v2").as_str());
    assert_eq!(made["manifests"].as_array().unwrap().len(), PLATFORMS.len());
    assert!(names(&folder.path().join(".cache/docker_delta")).is_empty());
}

#[test]
fn one_platform_reads_and_brings_nothing_of_the_others() {
    let folder = Folder::new();
    let (near, far) = two_sides(&folder);
    let (package, archive) = (folder.file("p.ddelta"), folder.file("again.tar"));
    let proxy = Proxy::before(near.port());
    let [target, base] = ["v2", "v1"].map(|tag| proxy.name(&format!("app:{tag}")));
    let chosen = ["--platform", "linux/arm64"];
    alone(&folder, &[&["create", &target, &package, "--base", &base], &chosen[..]].concat()).ok();
    let (down, _) = proxy.bytes();
    assert!((800_000..860_000).contains(&down), "{down}");
    alone(&folder, &["apply", &package, "--base", &far.name("site/app:v1"), "-o", &archive]).ok();
    let made = &seen(&archive)["images"][0];
    assert_eq!(made["root"]["digest"], near.digest("app:v2").as_str());
    assert_eq!(made["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(made["manifests"][0]["platform"]["architecture"], "arm64");
    // A registry takes an index only with all that it names.
    alone(&folder, &["apply", &package, &far.name("site/app")]).ok();
}

#[test]
fn a_package_of_all_platforms_gives_the_one_that_is_asked_for() {
    let folder = Folder::new();
    let (near, far) = two_sides(&folder);
    let package = folder.file("p.ddelta");
    alone(&folder, &["create", &near.name("app:v2"), &package, "--base", &near.name("app:v1")]).ok();
    let proxy = Proxy::before(far.port());
    let archive = folder.file("again.tar");
    let base = proxy.name("site/app:v1");
    let chosen = ["--platform", "linux/amd64", "--base", &base, "-o", &archive];
    alone(&folder, &[&["apply", &package], &chosen[..]].concat()).ok();
    let made = &seen(&archive)["images"][0];
    assert_eq!((made["manifests"].as_array().unwrap().len()), 1);
    assert_eq!(made["manifests"][0]["platform"]["architecture"], "amd64");
    let whole = |seen: &&super::proxy::Seen| is_blob(seen) && !seen.headers.contains_key("range");
    let fetched: Vec<_> = proxy.seen().iter().filter(whole).map(|seen| seen.path.clone()).collect();
    // The config of each platform, and both layers of the one.
    assert!(fetched.len() <= 4, "{fetched:?}");
    alone(&folder, &["apply", &package, &far.name("site/app:one"), "--platform", "linux/amd64"]).ok();
}
