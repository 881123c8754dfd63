//! What `create` leaves in the registry: layers that both sides have.

use super::proxy::{Proxy, is_blob};
use super::server::{Guard, Registry, alone};
use crate::support::{Folder, image, layer, noise};

/// The path of a request for a layer of `proxy` and the bytes that it asks for, where it is for more than the first few.
fn fetched(proxy: &Proxy) -> Vec<String> {
    let is_whole = |range: Option<&String>| range.is_none_or(|range| range != "bytes=0-5" && range != "bytes=0-15");
    let seen = proxy.seen().into_iter().filter(|seen| is_blob(seen) && is_whole(seen.headers.get("range")));
    seen.map(|seen| seen.path).collect()
}

/// A registry with two versions of an image, of which one layer stays; and the archive of the first.
fn two_versions(folder: &Folder) -> (Registry, String) {
    let registry = Registry::start(Guard::Nothing);
    let same = layer(&[("same", &noise(1, 3_000_000))]);
    let archives = [1, 2].map(|version| {
        let changed = layer(&[("data", &noise(2, 200_000)), ("version", &noise(2 * version + 7, 1_000))]);
        let archive = image(folder, &format!("v{version}.tar"), &format!("app:v{version}"), &[same.clone(), changed]);
        registry.fill(&format!("docker-archive:{archive}"), &format!("app:v{version}"));
        archive
    });
    let [old, _] = archives;
    (registry, old)
}

#[test]
fn layers_that_both_sides_have_stay_where_they_are() {
    let folder = Folder::new();
    let (registry, _) = two_versions(&folder);
    let proxy = Proxy::before(registry.port());
    let (package, again) = (folder.file("p.ddelta"), folder.file("again.tar"));
    let [target, base] = ["v2", "v1"].map(|tag| proxy.name(&format!("app:{tag}")));
    let ran = alone(&folder, &["create", "--json", &target, &package, "--base", &base]).ok();
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["image_bytes"], serde_json::Value::Null);
    assert!(report["layers"][0]["size"].is_null() && report["layers"][1]["size"].is_u64(), "{}", ran.stdout);
    assert!(report["fetched_bytes"].as_u64().unwrap() < 420_000, "{}", ran.stdout);
    // Two configs, and the layer that changed in each version.
    assert_eq!(fetched(&proxy).len(), 4, "{:?}", fetched(&proxy));
    assert!(proxy.bytes().0 < 430_000, "{:?}", proxy.bytes());
    let ran = alone(&folder, &["list", &package]).ok();
    assert!(ran.stdout.contains("not read"), "{}", ran.stdout);
    alone(&folder, &["info", &package]).ok();
    alone(&folder, &["apply", &package, "--base", &registry.name("app:v1"), "-o", &again]).ok();
    let digest = registry.digest("app:v2");
    assert_eq!(crate::support::seen(&again)["images"][0]["root"]["digest"], digest.as_str());
    // Nothing is fetched for an image of which the base has every layer.
    proxy.reset();
    alone(&folder, &["create", "-f", &proxy.name("app:v2"), &package, "--base", &proxy.name("app:v2")]).ok();
    assert_eq!(fetched(&proxy).len(), 2, "{:?}", fetched(&proxy));
    assert!(proxy.bytes().0 < 10_000, "{:?}", proxy.bytes());
}

/// The manifest that `--identity config` makes says how long each layer is without its compression.
#[test]
fn a_layer_that_a_base_has_here_is_not_fetched_to_be_measured() {
    let folder = Folder::new();
    let (registry, old) = two_versions(&folder);
    let proxy = Proxy::before(registry.port());
    let (package, again) = (folder.file("p.ddelta"), folder.file("again.tar"));
    let create = ["create", "-f", "--identity", "config", &proxy.name("app:v2"), &package, "--base"];
    alone(&folder, &[&create[..], &[&old]].concat()).ok();
    // The config, and the layer that changed.
    assert_eq!(fetched(&proxy).len(), 2, "{:?}", fetched(&proxy));
    assert!(proxy.bytes().0 < 230_000, "{:?}", proxy.bytes());
    alone(&folder, &["apply", &package, "--base", &old, "-o", &again]).ok();
    let seen = |image: &str| crate::support::seen(image)["images"][0]["manifests"][0]["config"].clone();
    assert_eq!(seen(&again), seen(&folder.file("v2.tar")));
    // One that is nowhere near has to be fetched.
    proxy.reset();
    alone(&folder, &[&create[..], &[&proxy.name("app:v1")]].concat()).ok();
    assert!(proxy.bytes().0 > 3_000_000, "{:?}", proxy.bytes());
}
