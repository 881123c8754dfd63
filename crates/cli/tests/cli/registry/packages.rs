//! Packages that a registry keeps: pushed beside the image that they make, and pulled by whoever has the base.

use std::fs;
use std::process::Command;
use std::time::Duration;

use delta_core::digest::BlobDigest;
use serde_json::{Value, json};

use super::proxy::{Act, Proxy, Seen, is_blob};
use super::server::{Guard, Registry, alone, lonely};
use crate::support::{Folder, Ran, image, layer, names, noise, seen};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const ARTIFACT: &str = "application/vnd.docker-delta.package.v1";

/// A registry with an image, and packages of it: for those who have its first version, its second, or nothing.
struct Shelf {
    folder: Folder,
    registry: Registry,
    proxy: Proxy,
    /// The image's digest.
    target: String,
}

/// A layer that has most of its content in common with those of other versions.
fn version(number: u64) -> Vec<u8> {
    layer(&[("same", &noise(1, 2 << 20)), ("other", &noise(number + 2, 100_000 * usize::try_from(number).unwrap()))])
}

impl Shelf {
    fn new() -> Self {
        let folder = Folder::new();
        let registry = Registry::start(Guard::Nothing);
        for number in [1, 2, 3] {
            image(&folder, &format!("v{number}.tar"), &format!("app:v{number}"), &[version(number)]);
        }
        alone(&folder, &["create", &folder.file("v3.tar"), &folder.file("whole.ddelta")]).ok();
        for base in ["v1", "v2"] {
            let (archive, package) = (folder.file(&format!("{base}.tar")), folder.file(&format!("from-{base}.ddelta")));
            alone(&folder, &["create", &folder.file("v3.tar"), &package, "--base", &archive]).ok();
        }
        alone(&folder, &["apply", &folder.file("whole.ddelta"), &registry.name("app")]).ok();
        let proxy = Proxy::before(registry.port());
        let target = registry.digest("app:v3");
        Self { folder, registry, proxy, target }
    }

    /// One on which all packages lie.
    fn filled() -> Self {
        let shelf = Self::new();
        for package in ["from-v1", "from-v2", "whole"] {
            shelf.push(&[&shelf.package(package), &shelf.registry.name("app:v3")]).ok();
        }
        shelf
    }

    fn package(&self, name: &str) -> String {
        self.folder.file(&format!("{name}.ddelta"))
    }

    fn size(&self, name: &str) -> u64 {
        fs::metadata(self.package(name)).unwrap().len()
    }

    fn push(&self, arguments: &[&str]) -> Ran {
        alone(&self.folder, &[&["push"], arguments].concat())
    }

    fn pull(&self, arguments: &[&str]) -> Ran {
        let empty = self.folder.file("programs");
        crate::support::finish(lonely(&self.folder, &[&["pull"], arguments].concat()).env("PATH", empty))
    }

    fn pulled_json(&self, arguments: &[&str]) -> Value {
        let ran = self.pull(&[&["--json"], arguments].concat()).ok();
        let report = serde_json::from_str(&ran.stdout).unwrap();
        crate::words::documented(&report);
        report
    }

    /// The manifest or index under a tag or digest.
    fn manifest(&self, reference: &str) -> Value {
        serde_json::from_slice(&self.manifest_bytes(reference)).unwrap()
    }

    /// The digest under a tag; of what is no image, skopeo does not tell it.
    fn under(&self, tag: &str) -> String {
        BlobDigest::of(&self.manifest_bytes(tag)).to_string()
    }

    fn manifest_bytes(&self, reference: &str) -> Vec<u8> {
        let url = format!("http://localhost:{}/v2/app/manifests/{reference}", self.registry.port());
        let accept = "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
        let done = Command::new("curl").args(["-sSf", "-H", accept, &url]).output().unwrap();
        assert!(done.status.success(), "{url}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    fn put_manifest(&self, reference: &str, media_type: &str, text: &str) {
        let file = self.folder.write("manifest.json", text.as_bytes());
        let url = format!("http://localhost:{}/v2/app/manifests/{reference}", self.registry.port());
        let (data, kind) = (format!("@{file}"), format!("Content-Type: {media_type}"));
        let arguments = ["-sSf", "-X", "PUT", "-H", &kind, "--data-binary", &data, &url];
        let done = Command::new("curl").args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// The tag of the list of what hangs on the image.
    fn list_tag(&self) -> String {
        self.target.replace(':', "-")
    }

    fn listed(&self) -> Vec<Value> {
        self.manifest(&self.list_tag())["manifests"].as_array().unwrap().clone()
    }

    /// Writes a manifest, and lists it alone as what hangs on the image.
    fn list(&self, manifest: &Value) {
        let text = manifest.to_string();
        let digest = BlobDigest::of(text.as_bytes()).to_string();
        self.put_manifest(&digest, MANIFEST, &text);
        let entry = json!({"mediaType": MANIFEST, "digest": digest, "size": text.len(), "artifactType": ARTIFACT});
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]});
        self.put_manifest(&self.list_tag(), INDEX, &index.to_string());
    }

    /// The digest of the manifest of a package of this name.
    fn digest_of(&self, package: &str) -> String {
        let name = self.registry.name("app:v3");
        let (base, out) = (self.folder.file("v1.tar"), self.folder.file("none.tar"));
        let pulled = self.pulled_json(&["-d", &name, "--base", &base, "-o", &out]);
        let packages = pulled["packages"].as_array().unwrap().clone();
        let file = format!("{package}.ddelta");
        let found = packages.iter().find(|one| one["file"] == file.as_str());
        found.unwrap_or_else(|| panic!("{packages:?}"))["digest"].as_str().unwrap().to_owned()
    }
}

fn is_write(seen: &Seen) -> bool {
    matches!(seen.method.as_str(), "PUT" | "POST" | "PATCH" | "DELETE")
}

/// Whether a blob of a package is asked for, and no config.
fn is_package(seen: &Seen) -> bool {
    is_blob(seen) && !seen.path.contains("44136fa355b3678a1146ad16f7e8649e94fb4f21fe77e8310c060f61caaff8a8")
}

#[test]
fn the_smallest_package_that_fits_is_fetched_and_applied() {
    let shelf = Shelf::filled();
    let name = shelf.proxy.name("app:v3");
    for (number, (base, package)) in
        [(Some("v1.tar"), "from-v1"), (Some("v2.tar"), "from-v2"), (None, "whole")].into_iter().enumerate()
    {
        shelf.proxy.reset();
        let again = shelf.folder.file(&format!("again{number}.tar"));
        let base = base.map(|file| shelf.folder.file(file));
        let bases: Vec<&str> = base.iter().flat_map(|base| ["--base", base.as_str()]).collect();
        shelf.pull(&[&[name.as_str(), "-o", &again], &bases[..]].concat()).ok();
        assert_eq!(seen(&again), seen(&shelf.folder.file("v3.tar")));
        // Besides the package, some documents.
        let (down, size) = (shelf.proxy.bytes().0, shelf.size(package));
        assert!(down >= size && down < size + (12 << 10), "{package}: {down} of {size}");
    }
    assert!(!shelf.folder.path().join(".cache/docker_delta/downloads").exists());
}

#[test]
fn a_package_goes_on_into_another_registry() {
    let shelf = Shelf::filled();
    let far = Registry::start(Guard::Nothing);
    let (first, place) = (shelf.folder.file("first.ddelta"), far.name("site/app"));
    let name = shelf.proxy.name("app:v3");
    shelf.pull(&[&name, &place]).ok();
    assert_eq!(far.digest("site/app:v3"), shelf.target);
    let far = Registry::start(Guard::Nothing);
    alone(&shelf.folder, &["create", &shelf.folder.file("v2.tar"), &first]).ok();
    alone(&shelf.folder, &["apply", &first, &far.name("site/app")]).ok();
    shelf.proxy.reset();
    let pulled = shelf.pulled_json(&[&name, &far.name("site/app:new")]);
    assert_eq!(far.digest("site/app:new"), shelf.target);
    assert_eq!(pulled["chosen"], shelf.digest_of("from-v2").as_str());
    assert_eq!(pulled["applied"]["images"][0]["outcome"], "pushed");
    // What is there under its tag is not fetched; without the tag it needs nothing, and so the smallest package of all does.
    shelf.proxy.reset();
    let pulled = shelf.pulled_json(&[&name, &far.name("site/app:new")]);
    assert_eq!((&pulled["applied"], &pulled["fetched_bytes"]), (&Value::Null, &json!(0)));
    assert!(!shelf.proxy.seen().iter().any(is_package), "{:?}", shelf.proxy.seen());
    let pulled = shelf.pulled_json(&[&name, &far.name("site/app")]);
    assert_eq!(pulled["applied"]["images"][0]["outcome"], "already-there");
    assert_eq!(pulled["chosen"], pulled["packages"][0]["digest"]);
    assert_eq!(shelf.pulled_json(&[&name, &far.name("site/app")])["applied"], Value::Null);
    let again = shelf.pulled_json(&["-f", &name, &far.name("site/app")]);
    assert_eq!(again["applied"]["images"][0]["pushed_as"], pulled["applied"]["images"][0]["pushed_as"]);
}

#[test]
fn only_the_package_is_wanted() {
    let shelf = Shelf::filled();
    let (name, base) = (shelf.registry.name("app:v3"), shelf.folder.file("v1.tar"));
    fs::create_dir(shelf.folder.file("stick")).unwrap();
    let stick = shelf.folder.file("stick");
    shelf.pull(&[&name, "--base", &base, "--download", &stick]).ok();
    assert_eq!(names(&shelf.folder.path().join("stick")), ["app-v3.ddelta"]);
    let kept = shelf.folder.file("stick/app-v3.ddelta");
    assert_eq!(fs::read(&kept).unwrap(), fs::read(shelf.package("from-v1")).unwrap());
    shelf.pull(&[&name, "--base", &base, "--download", &stick]).failed(2, &["exists already", "-f"]);
    shelf.pull(&[&name, "--base", &base, "--download", &base, "-f"]).failed(2, &["v1.tar"]);
    // One that is named by its digest is meant, whatever it needs.
    let digest = shelf.digest_of("from-v2");
    let named = shelf.registry.name(&format!("app@{digest}"));
    let pulled = shelf.pulled_json(&[&named, "-f", "--download", &kept]);
    assert_eq!((&pulled["chosen"], pulled["packages"].as_array().unwrap().len()), (&json!(digest), 1));
    assert_eq!(pulled["package"], kept.as_str());
    assert_eq!(fs::read(&kept).unwrap(), fs::read(shelf.package("from-v2")).unwrap());
    let other = shelf.folder.file("other.ddelta");
    let ran = shelf.pull(&["-d", &name, "--base", &base, "--download", &other]).ok();
    assert!(ran.stdout.contains("from-v2.ddelta") && ran.stderr.contains("would be fetched"), "{}", ran.stdout);
    assert!(!fs::exists(&other).unwrap());
}

#[test]
fn what_does_not_fit_is_told_with_what_it_needs() {
    let shelf = Shelf::new();
    let (name, other) = (shelf.registry.name("app:v3"), shelf.folder.file("other.tar"));
    image(&shelf.folder, "other.tar", "other:v1", &[layer(&[("x", b"y")])]);
    let out = shelf.folder.file("out.tar");
    let ask = || shelf.pull(&[&name, "--base", &other, "-o", &out]);
    ask().failed(3, &["no package of docker_delta hangs on", "docker_delta push PACKAGE docker://localhost"]);
    for package in ["from-v1", "from-v2"] {
        shelf.push(&[&shelf.package(package), &name]).ok();
    }
    ask().failed(3, &["fits what is here", "from-v1.ddelta", "needs app:v1", "needs app:v2", "--base", "no engine"]);
    shelf.pull(&["-d", &name, "--base", &other, "-o", &out]).failed(3, &["fits what is here"]);
    let v1 = shelf.folder.file("v1.tar");
    let strange = ["--platform", "linux/riscv64", "--base", &v1, "-o", &out];
    shelf.pull(&[&[name.as_str()], &strange[..]].concat()).failed(3, &["for linux/amd64 needs app:v1"]);
    shelf.pull(&[&shelf.registry.name("app:v9")]).failed(3, &["404"]);
    assert!(!fs::exists(&out).unwrap());
}

#[test]
fn what_is_there_is_not_sent_again() {
    let shelf = Shelf::filled();
    for _ in 0..2 {
        let ran = shelf.push(&[&shelf.package("from-v1"), &shelf.proxy.name("app:v3")]).ok();
        assert!(ran.stderr.contains("nothing is sent"), "{}", ran.stderr);
    }
    assert!(!shelf.proxy.seen().iter().any(is_write), "{:?}", shelf.proxy.seen());
    let listed = shelf.listed();
    // A list that others broke is mended, and nothing but the list is written.
    let text = json!({"schemaVersion": 2, "mediaType": INDEX,
        "manifests": listed[1..].to_vec()});
    shelf.put_manifest(&shelf.list_tag(), INDEX, &text.to_string());
    let ran = shelf.push(&["--json", &shelf.package("from-v1"), &shelf.proxy.name("app:v3")]).ok();
    let pushed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&pushed["outcome"], &pushed["sent_bytes"]), (&json!("pushed"), &json!(0)));
    assert_eq!(shelf.listed().len(), 3);
    shelf.proxy.reset();
    shelf.push(&["-f", &shelf.package("from-v1"), &shelf.proxy.name("app:v3")]).ok();
    assert!(shelf.proxy.bytes().1 > shelf.size("from-v1"));
    assert_eq!(shelf.listed().len(), 3);
}

#[test]
fn a_dry_push_says_what_it_would_send() {
    let shelf = Shelf::new();
    let (package, name) = (shelf.package("from-v1"), shelf.proxy.name("app:v3"));
    let ran = shelf.push(&["-d", "--json", &package, &name]).ok();
    let pushed: Value = serde_json::from_str(&ran.stdout).unwrap();
    crate::words::documented(&pushed);
    assert_eq!(pushed["outcome"], "would-be-done");
    assert_eq!(pushed["sent_bytes"], shelf.size("from-v1"));
    assert_eq!(pushed["target"], shelf.target.as_str());
    assert!(!shelf.proxy.seen().iter().any(is_write), "{:?}", shelf.proxy.seen());
}

#[test]
fn the_list_keeps_what_others_wrote() {
    let shelf = Shelf::new();
    let strange = json!({"mediaType": MANIFEST, "digest": shelf.target, "size": 7, "artifactType": "application/vnd.other",
        "annotations": {"a": "b"}, "other": [1, 2]});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX,
        "manifests": [strange], "annotations": {"kept": "yes"}});
    shelf.put_manifest(&shelf.list_tag(), INDEX, &index.to_string());
    shelf.push(&[&shelf.package("from-v1"), &shelf.registry.name("app:v3")]).ok();
    assert_eq!(shelf.listed()[0], strange);
    assert_eq!(shelf.manifest(&shelf.list_tag())["annotations"]["kept"], "yes");
    let ours = &shelf.listed()[1];
    assert_eq!(ours["artifactType"], ARTIFACT);
    let manifest = shelf.manifest(ours["digest"].as_str().unwrap());
    assert_eq!(ours["annotations"], manifest["annotations"]);
    assert_eq!(manifest["subject"]["digest"], shelf.target.as_str());
    assert_eq!(manifest["annotations"]["vnd.docker-delta.bases"], "app:v1");
    assert_eq!(manifest["layers"][0]["annotations"]["org.opencontainers.image.title"], "from-v1.ddelta");
    // Somebody else writes the list at the same time, and has read it before us.
    let raced = std::sync::atomic::AtomicBool::new(false);
    let tag = shelf.list_tag();
    shelf.proxy.rule(move |seen| {
        let is_list = seen.method == "PUT" && seen.path.ends_with(&tag);
        (is_list && !raced.swap(true, std::sync::atomic::Ordering::Relaxed))
            .then(|| Act::Answer(201, Vec::new(), String::new()))
    });
    shelf.push(&[&shelf.package("from-v2"), &shelf.proxy.name("app:v3")]).ok();
    assert_eq!(shelf.listed().len(), 3);
    // What is no list is not written over.
    shelf.proxy.reset();
    let tag = shelf.list_tag();
    shelf.proxy.rule(move |seen| {
        (seen.method == "GET" && seen.path.ends_with(&tag)).then(|| Act::Answer(200, Vec::new(), "{}".to_owned()))
    });
    let ran = shelf.push(&[&shelf.package("whole"), &shelf.proxy.name("app:v3")]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert_eq!(shelf.listed().len(), 3);
}

#[test]
fn a_registry_that_lists_itself_is_asked_for_packages_only() {
    let shelf = Shelf::filled();
    let index = shelf.manifest(&shelf.list_tag()).to_string();
    shelf.proxy.rule(move |seen| {
        let is_asked = seen.path.contains("/referrers/sha256:");
        let kind = vec![("Content-Type", "application/vnd.oci.image.index.v1+json".to_owned())];
        is_asked.then(|| Act::Answer(200, kind, index.clone()))
    });
    let v1 = shelf.folder.file("v1.tar");
    shelf.pull(&[&shelf.proxy.name("app:v3"), "--base", &v1, "-o", &shelf.folder.file("out.tar")]).ok();
    let seen = shelf.proxy.seen();
    let filter = format!("?artifactType={}", ARTIFACT.replace('/', "%2F"));
    assert!(seen.iter().any(|seen| seen.path.ends_with(&filter)), "{seen:?}");
    assert!(!seen.iter().any(|seen| seen.path.ends_with(&shelf.list_tag())), "{seen:?}");
}

#[test]
fn packages_are_no_part_of_the_image() {
    let shelf = Shelf::filled();
    let package = shelf.folder.file("next.ddelta");
    alone(&shelf.folder, &["create", &shelf.registry.name("app:v3"), &package]).ok();
    let ran = alone(&shelf.folder, &["info", "--json", &package]).ok();
    let info: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(info["images"].as_array().unwrap().len(), 1, "{}", ran.stdout);
}

#[test]
fn a_tag_of_something_else_stays() {
    let shelf = Shelf::new();
    let (package, registry) = (shelf.package("from-v1"), &shelf.registry);
    registry.fill(&format!("docker-archive:{}", shelf.folder.file("v1.tar")), "app:v1");
    let v1 = registry.digest("app:v1");
    for force in [&[][..], &["-f"]] {
        let ran = shelf.push(&[&[package.as_str(), &registry.name("app:v1")], force].concat());
        ran.failed(2, &["the tag v1", "which is not what the package makes", "nothing but a package"]);
    }
    assert_eq!(registry.digest("app:v1"), v1);
    // A tag of its own, beside which others for the same image are found.
    shelf.push(&[&package, &registry.name("app:delta")]).ok();
    let first = shelf.under("delta");
    shelf.push(&[&shelf.package("from-v2"), &registry.name("app:delta")]).ok();
    assert_eq!(shelf.under("delta"), first);
    let (v2, out) = (shelf.folder.file("v2.tar"), shelf.folder.file("out.tar"));
    let pulled = shelf.pulled_json(&[&registry.name("app:delta"), "--base", &v2, "-o", &out]);
    assert_eq!(pulled["packages"].as_array().unwrap().len(), 2);
    assert_ne!(pulled["chosen"], first.as_str());
    // A package of another image has the tag only if that is said.
    let other = shelf.package("other");
    alone(&shelf.folder, &["create", &v2, &other]).ok();
    shelf.push(&[&other, &registry.name("app:delta")]).failed(2, &["a package of something else", "-f"]);
    shelf.push(&["-f", &other, &registry.name("app:delta")]).ok();
    assert_ne!(shelf.under("delta"), first);
    shelf.pull(&[&registry.name("app:delta"), "-o", &out, "-f"]).ok();
    assert_eq!(seen(&out), seen(&v2));
}

#[test]
fn a_package_is_kept_where_its_image_is_not() {
    let shelf = Shelf::new();
    let package = shelf.package("from-v1");
    let ran = shelf.push(&[&package, &shelf.registry.name("packages")]).ok();
    assert!(ran.stderr.contains("nothing leads to it but its digest"), "{}", ran.stderr);
    shelf.push(&[&package, &shelf.registry.name("packages:app")]).ok();
    let (v1, out) = (shelf.folder.file("v1.tar"), shelf.folder.file("out.tar"));
    shelf.pull(&[&shelf.registry.name("packages:app"), "--base", &v1, "-o", &out]).ok();
    assert_eq!(seen(&out), seen(&shelf.folder.file("v3.tar")));
    // Several images have no common name but the one that they are given.
    let both = shelf.package("both");
    alone(&shelf.folder, &["create", &v1, &shelf.folder.file("v2.tar"), &both]).ok();
    shelf.push(&[&both, &shelf.registry.name("site")]).failed(2, &["has no tag", "site:TAG"]);
    shelf.push(&[&both, &shelf.registry.name("site:one")]).ok();
    let kept = shelf.folder.file("kept.ddelta");
    shelf.pull(&[&shelf.registry.name("site:one"), "--download", &kept]).ok();
    assert_eq!(fs::read(kept).unwrap(), fs::read(both).unwrap());
}

#[test]
fn a_killed_pull_fetches_what_is_missing() {
    let shelf = Shelf::filled();
    let (name, out) = (shelf.proxy.name("app:v3"), shelf.folder.file("out.tar"));
    let size = shelf.size("whole");
    shelf.proxy.rule(|seen| is_package(seen).then_some(Act::Stall(2 << 20)));
    let mut command = lonely(&shelf.folder, &["pull", &name, "-o", &out]);
    let mut child = command.env("PATH", shelf.folder.file("programs")).spawn().unwrap();
    shelf.proxy.await_stall();
    std::thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!fs::exists(&out).unwrap());
    shelf.proxy.reset();
    shelf.pull(&[&name, "-o", &out]).ok();
    let down = shelf.proxy.bytes().0;
    assert!(down < size - (2 << 20) + (64 << 10), "{down} of {size}");
    assert_eq!(seen(&out), seen(&shelf.folder.file("v3.tar")));
    assert!(!shelf.folder.path().join(".cache/docker_delta/downloads").exists());
}

#[test]
fn a_package_that_came_waits_until_it_can_be_applied() {
    let shelf = Shelf::filled();
    let (name, base) = (shelf.proxy.name("app:v3"), shelf.folder.file("v1.tar"));
    // Nothing can be written there.
    shelf.pull(&[&name, "--base", &base, "-o", &shelf.folder.file("v2.tar")]).failed(2, &["v2.tar exists"]);
    let first = shelf.proxy.seen().iter().filter(|seen| is_package(seen)).count();
    shelf.proxy.reset();
    shelf.pull(&[&name, "--base", &base, "-o", &shelf.folder.file("out.tar")]).ok();
    let second = shelf.proxy.seen().iter().filter(|seen| is_package(seen)).count();
    assert_eq!((first, second), (1, 0));
}

#[test]
fn a_killed_push_leaves_nothing_that_leads_to_it() {
    let shelf = Shelf::new();
    let (package, name) = (shelf.package("whole"), shelf.proxy.name("app:delta"));
    shelf.proxy.rule(|seen| (seen.method == "PATCH").then_some(Act::StallUpload(1 << 20)));
    let mut child = lonely(&shelf.folder, &["push", &package, &name]).spawn().unwrap();
    shelf.proxy.await_stall();
    child.kill().unwrap();
    child.wait().unwrap();
    let out = shelf.folder.file("out.tar");
    shelf.pull(&[&shelf.registry.name("app:delta"), "-o", &out]).failed(3, &["404"]);
    shelf.pull(&[&shelf.registry.name("app:v3"), "-o", &out]).failed(3, &["no package of docker_delta"]);
    shelf.proxy.reset();
    // The blob came, and then the registry was no more.
    shelf.proxy.rule(|seen| (seen.method == "PUT" && seen.path.contains("/manifests/")).then_some(Act::HangUp));
    shelf.push(&[&package, &name]).failed(3, &["cannot be reached"]);
    shelf.proxy.reset();
    shelf.push(&[&package, &name]).ok();
    assert!(shelf.proxy.bytes().1 < 16 << 10, "{:?}", shelf.proxy.bytes());
    shelf.pull(&[&shelf.registry.name("app:delta"), "-o", &out]).ok();
}

#[test]
fn lies_are_found_out() {
    let shelf = Shelf::filled();
    let (name, base, out) = (shelf.proxy.name("app:v3"), shelf.folder.file("v1.tar"), shelf.folder.file("out.tar"));
    let pull = || shelf.pull(&[&name, "--base", &base, "-o", &out]);
    for (act, texts) in [
        (Act::Spoil(5000), ["expected sha256:", "found sha256:"]),
        (Act::Append(b"more"), ["bytes, as its manifest says", "found"]),
    ] {
        shelf.proxy.reset();
        shelf.proxy.rule(move |seen| is_package(seen).then(|| act.clone()));
        pull().failed(4, &["localhost", texts[0], texts[1]]);
    }
    // Nothing of a lie is kept; what is merely cut short is.
    shelf.proxy.reset();
    shelf.proxy.rule(|seen| is_package(seen).then_some(Act::Cut(100_000)));
    pull().ok();
    shelf.proxy.reset();
    fs::remove_file(&out).unwrap();
    shelf.proxy.rule(|seen| is_package(seen).then_some(Act::Cut(0)));
    pull().failed(3, &["breaks off again and again", "try again"]);
    let spoilt = shelf.digest_of("from-v1");
    shelf.proxy.rule(move |seen| seen.path.ends_with(&spoilt).then_some(Act::Spoil(30)));
    pull().failed(4, &["expected sha256:"]);
    assert!(!fs::exists(&out).unwrap());
}

#[test]
fn a_package_of_another_image_is_refused() {
    let shelf = Shelf::new();
    let (package, name) = (shelf.package("other"), shelf.registry.name("app:v3"));
    alone(&shelf.folder, &["create", &shelf.folder.file("v1.tar"), &package]).ok();
    shelf.push(&[&package, &shelf.registry.name("app:other")]).ok();
    let honest = shelf.manifest("other");
    let out = shelf.folder.file("out.tar");
    let ask = || shelf.pull(&[&name, "-o", &out]);
    // It hangs on the image that it does not make.
    let mut lie = honest.clone();
    lie["subject"]["digest"] = shelf.target.as_str().into();
    shelf.list(&lie);
    ask().failed(4, &["expected one that makes the image", &shelf.target]);
    // It is listed where it does not say that it belongs.
    shelf.list(&honest);
    ask().failed(3, &["no package of docker_delta", "is about another image"]);
    let mut odd = lie.clone();
    odd["annotations"].as_object_mut().unwrap().remove("vnd.docker-delta.needs");
    shelf.list(&odd);
    ask().failed(3, &["does not say which layers it needs"]);
    // It promises more than there is room for.
    let mut huge = lie.clone();
    huge["layers"][0]["size"] = (1_u64 << 60).into();
    shelf.list(&huge);
    let ran = ask();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(!fs::exists(&out).unwrap());
}

/// What a manifest calls a base is looked for in the registry where the image goes.
#[test]
fn names_of_bases_lead_nowhere_else() {
    let shelf = Shelf::new();
    shelf.push(&[&shelf.package("from-v1"), &shelf.registry.name("app:v3")]).ok();
    let mut odd = shelf.manifest(shelf.listed()[0]["digest"].as_str().unwrap());
    let digests: Vec<String> = (0..200).map(|number| BlobDigest::of(&[number]).to_string()).collect();
    let tags: Vec<String> = (0..200).map(|number| format!("app:w{number}")).collect();
    odd["annotations"]["vnd.docker-delta.base-manifests"] = digests.join(" ").into();
    odd["annotations"]["vnd.docker-delta.bases"] =
        format!("x:../../secret/manifests/v1 x:v1?a=b x:%2e%2e {}", tags.join(" ")).into();
    shelf.list(&odd);
    let far = Registry::start(Guard::Nothing);
    let proxy = Proxy::before(far.port());
    shelf.pull(&[&shelf.registry.name("app:v3"), &proxy.name("site/app")]).failed(3, &["fits what is here"]);
    let seen = proxy.seen();
    assert!(seen.iter().all(|seen| !seen.path.contains([' ', '?', '%']) && !seen.path.contains("..")), "{seen:?}");
    let asked = seen.iter().filter(|seen| seen.path.contains("/manifests/")).count();
    assert!(asked <= 2 * 64 + 1, "{asked}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let shelf = Shelf::new();
    let package = shelf.package("whole");
    let digest = format!("docker://localhost:1/app@{}", shelf.target);
    for (arguments, text) in [
        (&["push", &package, "localhost:1/app"][..], "expected docker://REGISTRY/NAME[:TAG]"),
        (&["push", "docker://localhost:1/app:v1", &package], "expected docker://REGISTRY/NAME[:TAG]"),
        (&["push", &package, &digest], "has a digest"),
        (&["pull", "app:v2"], "expected docker://REGISTRY/NAME[:TAG]"),
        (&["pull", "docker://localhost:1/app", "-o", "app.ddelta"], "--download app.ddelta"),
        (&["pull", "docker://localhost:1/app", "app:v1", "--download", "x"], "--download"),
        (&["pull", "docker://localhost:1/app", "-o", "x", "--download", "x"], "--download"),
        (&["pull", "docker://user:secret@localhost:1/app"], "log in with"),
        (&["apply", &package, "docker://user:secret@localhost:1/app"], "log in with"),
    ] {
        let ran = alone(&shelf.folder, arguments).failed(2, &[text]);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
    alone(&shelf.folder, &["push", &package, "docker://localhost:1/app:v3"]).failed(3, &["cannot be reached"]);
    let archive = shelf.folder.file("v1.tar");
    alone(&shelf.folder, &["push", &archive, &shelf.registry.name("app:x")]).failed(4, &["an image archive"]);
    let (one, two) = (shelf.folder.write("one", b"one"), shelf.folder.write("two", b"two"));
    crate::support::file_delta(&["create", &one, &two, &shelf.folder.file("d.delta")]).ok();
    let ran = alone(&shelf.folder, &["push", &shelf.folder.file("d.delta"), &shelf.registry.name("app:x")]);
    ran.failed(2, &["brings a file or folder"]);
    let guarded = Registry::start(Guard::Password);
    alone(&shelf.folder, &["push", &package, &guarded.name("app:v3")]).failed(3, &["401", "docker login"]);
    alone(&shelf.folder, &["pull", &guarded.name("app:v3")]).failed(3, &["401", "docker login"]);
}

/// What anybody reads a package's manifest for, with a program that knows nothing of it.
#[test]
fn skopeo_copies_a_package_like_any_artifact() {
    let shelf = Shelf::new();
    shelf.push(&[&shelf.package("whole"), &shelf.registry.name("app:delta")]).ok();
    let options = ["copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"];
    let (from, to) = (shelf.registry.name("app:delta"), shelf.registry.name("copies:delta"));
    crate::support::real("skopeo", "skopeo", &[&options[..], &[&from, &to]].concat());
    let kept = shelf.folder.file("kept.ddelta");
    shelf.pull(&[&to, "--download", &kept]).ok();
    assert_eq!(fs::read(kept).unwrap(), fs::read(shelf.package("whole")).unwrap());
}
