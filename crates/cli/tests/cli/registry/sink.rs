//! Registries as the place where images go.

use std::process::Command;

use super::proxy::{Act, Proxy, Seen};
use super::server::{Guard, Registry, alone, lonely};
use crate::support::{Folder, image, layer, names, noise, sample};

/// Two registries, the first with both versions of an image, the second with the old one only; and a package between them.
fn two_sides(folder: &Folder, pair: &str, kind: &str) -> (Registry, Registry, String) {
    let (near, far) = (Registry::start(Guard::Nothing), Registry::start(Guard::Nothing));
    let file = |tag: &str| format!("{kind}:{}", sample(&format!("tiny/{pair}/{tag}.tar")));
    near.fill(&file("v1"), "app:v1");
    near.fill(&file("v2"), "app:v2");
    copy(&near.name("app:v1"), &far.name("site/app:v1"));
    let package = folder.file("p.ddelta");
    alone(folder, &["create", "-f", &near.name("app:v2"), &package, "--base", &near.name("app:v1")]).ok();
    (near, far, package)
}

/// Lets skopeo copy all of an image.
pub(crate) fn copy(from: &str, to: &str) {
    let options = ["copy", "-q", "--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"];
    let done = Command::new("skopeo").args(options).args([from, to]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn is_write(seen: &Seen) -> bool {
    matches!(seen.method.as_str(), "PUT" | "POST" | "PATCH")
}

#[test]
fn an_image_goes_from_registry_to_registry() {
    for (pair, kind) in [
        ("docker28-containerd-pulled", "docker-archive"),
        ("docker28-containerd-buildkit", "oci-archive"),
        ("podman58-oci-archive", "oci-archive"),
    ] {
        let folder = Folder::new();
        let (near, far, package) = two_sides(&folder, pair, kind);
        let ran = alone(&folder, &["apply", "-d", &package, &far.name("site/app")]).ok();
        assert!(ran.stderr.contains("base layers would be read"), "{}", ran.stderr);
        let ran = alone(&folder, &["apply", &package, &far.name("site/app")]).ok();
        assert!(
            ran.stderr.contains(&format!("localhost:{}/site/app:v2 is pushed as sha256:", far.port())),
            "{}",
            ran.stderr
        );
        assert_eq!(far.digest("site/app:v2"), near.digest("app:v2"), "{pair}");
        // All of it can be read by somebody else.
        let again = folder.file("again");
        copy(&far.name("site/app:v2"), &format!("oci:{again}"));
        let ran = alone(&folder, &["apply", &package, &far.name("site/app:next")]).ok();
        assert!(ran.stderr.contains("already there"), "{}", ran.stderr);
        assert_eq!(far.digest("site/app:next"), near.digest("app:v2"));
        assert!(names(&folder.path().join(".cache/docker_delta")).is_empty());
    }
}

#[test]
fn a_repository_takes_blobs_over_from_another() {
    let folder = Folder::new();
    let (near, far, package) = two_sides(&folder, "docker28-containerd-pulled", "docker-archive");
    let base = far.name("site/app:v1");
    let ran = alone(&folder, &["apply", &package, &far.name("other/place:v2")]);
    ran.failed(3, &["base layers are missing", "--base docker://"]);
    let ran = alone(&folder, &["apply", "--json", &package, &far.name("other/place:v2"), "--base", &base]).ok();
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let shipped = &report["images"][0]["shipped"];
    assert!(shipped["mounted"].as_u64().unwrap() > 0 && shipped["sent"].as_u64().unwrap() > 0, "{}", ran.stdout);
    assert_eq!(report["images"][0]["outcome"], "pushed");
    assert_eq!(far.digest("other/place:v2"), near.digest("app:v2"));
    // One that does not take over is given the bytes.
    let proxy = Proxy::before(far.port());
    proxy.rule(|seen| seen.path.contains("mount=").then_some(Act::Answer(405, Vec::new(), String::new())));
    let base = proxy.name("site/app:v1");
    alone(&folder, &["apply", &package, &proxy.name("third:v2"), "--base", &base]).ok();
    assert_eq!(far.digest("third:v2"), near.digest("app:v2"));
}

#[test]
fn a_base_is_found_though_its_blobs_are_compressed_otherwise() {
    let folder = Folder::new();
    let far = Registry::start(Guard::Nothing);
    let [v1, v2] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")));
    let package = folder.file("p.ddelta");
    // Made of archives, whose layers are not compressed, for a registry, which has them compressed.
    alone(&folder, &["create", &v2, &package, "--base", &v1]).ok();
    far.fill(&format!("docker-archive:{v1}"), "t/tiny:v1");
    alone(&folder, &["apply", &package, &far.name("t/tiny")]).ok();
    let ran = alone(&folder, &["inspect", "--json", &far.name("t/tiny:v2")]).ok();
    let seen: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let ran = alone(&folder, &["inspect", "--json", &v2]).ok();
    let meant: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(seen["images"][0]["manifests"], meant["images"][0]["manifests"]);
}

#[test]
fn a_tag_names_nothing_before_all_of_it_is_there() {
    let folder = Folder::new();
    let (near, far, package) = two_sides(&folder, "docker28-containerd-buildkit", "oci-archive");
    let proxy = Proxy::before(far.port());
    alone(&folder, &["apply", &package, &proxy.name("site/app")]).ok();
    let written: Vec<String> =
        proxy.seen().iter().filter(|seen| is_write(seen)).map(|seen| seen.path.clone()).collect();
    let first_manifest = written.iter().position(|path| path.contains("/manifests/")).unwrap();
    assert!(written[first_manifest..].iter().all(|path| path.contains("/manifests/")), "{written:?}");
    assert!(written.last().unwrap().ends_with("/manifests/v2"), "{written:?}");
    let digest = near.digest("app:v2");
    assert!(written[written.len() - 2].ends_with(&digest), "{written:?}");
    // Whatever fails, the tag stays away.
    for failing in 0..written.len() - 1 {
        let other = Registry::start(Guard::Nothing);
        copy(&near.name("app:v1"), &other.name("site/app:v1"));
        let proxy = Proxy::before(other.port());
        let count = std::sync::atomic::AtomicUsize::new(0);
        proxy.rule(move |seen| {
            let is_next = is_write(seen) && count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == failing;
            is_next.then(|| Act::Answer(403, Vec::new(), String::new()))
        });
        let ran = alone(&folder, &["apply", &package, &proxy.name("site/app")]);
        let tags = alone(&folder, &["inspect", &other.name("site/app:v2")]).code;
        assert!((ran.code, tags) == (3, 3) || (ran.code, tags) == (0, 0), "{failing}: {} {}", ran.code, ran.stderr);
    }
}

/// A package of an image with one large layer, which nobody has.
fn large(folder: &Folder) -> String {
    let archive =
        image(folder, "large.tar", "app:v1", &[layer(&[("noise", &noise(7, 6 << 20))]), layer(&[("a", b"b")])]);
    let package = folder.file("p.ddelta");
    alone(folder, &["create", &archive, &package]).ok();
    package
}

/// The length of a request's body.
fn length(seen: &Seen) -> u64 {
    seen.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
}

#[test]
fn an_upload_that_breaks_off_comes_to_an_end() {
    let folder = Folder::new();
    let package = large(&folder);
    let far = Registry::start(Guard::Nothing);
    let proxy = Proxy::before(far.port());
    let count = std::sync::atomic::AtomicUsize::new(0);
    let next = move || count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    proxy.rule(move |seen| (seen.method == "PATCH" && next() < 2).then_some(Act::CutUpload(2 << 20)));
    alone(&folder, &["apply", &package, &proxy.name("app")]).ok();
    // Docker's registry forgets a piece that breaks off in the middle; asked while it still waits for the rest, it names a place at which what
    // follows does not fit, and all of the blob goes once more.
    assert!(proxy.bytes().1 < 24 << 20, "{:?}", proxy.bytes());
    alone(&folder, &["inspect", &far.name("app:v1")]).ok();
    for fault in [500, 502, 429] {
        proxy.reset();
        proxy.rule(move |seen| {
            (is_write(seen) && seen.number % 5 == 4).then(|| Act::Answer(fault, Vec::new(), String::new()))
        });
        alone(&folder, &["apply", &package, &proxy.name(&format!("fault{fault}"))]).ok();
        assert_eq!(far.digest(&format!("fault{fault}:v1")), far.digest("app:v1"));
    }
}

#[test]
fn what_takes_small_bodies_gets_small_ones_and_none_twice() {
    let folder = Folder::new();
    let package = large(&folder);
    let far = Registry::start(Guard::Nothing);
    let proxy = Proxy::before(far.port());
    proxy.rule(|seen| (length(seen) > 1 << 20).then(|| Act::Answer(413, Vec::new(), String::new())));
    alone(&folder, &["apply", &package, &proxy.name("small")]).ok();
    assert!(proxy.bytes().1 < 7 << 20, "{:?}", proxy.bytes());
    alone(&folder, &["inspect", &far.name("small:v1")]).ok();
}

#[test]
fn a_killed_push_sends_only_what_was_missing() {
    let folder = Folder::new();
    let package = large(&folder);
    let far = Registry::start(Guard::Nothing);
    let proxy = Proxy::before(far.port());
    // The large layer came through, and the small one or the config did not.
    proxy.rule(|seen| (seen.method == "PUT" && length(seen) > 0).then_some(Act::StallUpload(10)));
    let mut child = lonely(&folder, &["apply", &package, &proxy.name("app")]).spawn().unwrap();
    proxy.await_stall();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    child.kill().unwrap();
    child.wait().unwrap();
    alone(&folder, &["inspect", &far.name("app:v1")]).failed(3, &["404"]);
    proxy.reset();
    alone(&folder, &["apply", &package, &proxy.name("app")]).ok();
    let up = proxy.bytes().1;
    assert!(up < 100 << 10, "{up}");
    alone(&folder, &["inspect", &far.name("app:v1")]).ok();
}

#[test]
fn a_target_that_cannot_be_meant_is_refused() {
    let folder = Folder::new();
    let package = large(&folder);
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let named = format!("docker://localhost:1/app@{digest}");
    alone(&folder, &["apply", &package, &named]).failed(2, &["cannot be given to an image"]);
    let output = folder.file("x.tar");
    alone(&folder, &["apply", &package, "docker://localhost:1/app", "-o", &output]).failed(2, &["two places"]);
    alone(&folder, &["apply", &package, "docker://localhost:1/app"]).failed(3, &["localhost:1", "cannot be reached"]);
    let guarded = Registry::start(Guard::Password);
    alone(&folder, &["apply", &package, &guarded.name("app")]).failed(3, &["401", "docker login"]);
    let [one, two] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")));
    let both = folder.file("both.ddelta");
    alone(&folder, &["create", &one, &two, &both]).ok();
    alone(&folder, &["apply", &both, "docker://localhost:1/app"]).failed(2, &["cannot name 2 images"]);
}
