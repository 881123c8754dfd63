//! What users do with an image and its next version.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use delta_core::job::progress::Silent;
use delta_transport::source::open_path;
use delta_transport::spool::TempScratch;

use crate::lab::Lab;
use crate::registry::Registry;
use crate::saved::Identity;

/// Two versions of an image, as archives.
pub(crate) struct Versions {
    pub(crate) old: PathBuf,
    pub(crate) new: PathBuf,
}

impl Versions {
    pub(crate) fn sample(kind: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/samples/tiny").join(kind);
        Self { old: folder.join("v1.tar"), new: folder.join("v2.tar") }
    }
}

/// Everything with the samples of one kind.
pub(crate) fn update(lab: &Lab, kind: &str) {
    let versions = Versions::sample(kind);
    from_files(lab, &versions);
    from_the_engine(lab, &versions);
    a_moved_tag(lab, &versions);
    a_missing_base(lab, &versions);
    from_a_registry(lab, &versions);
    lab.clear();
}

/// Packages that were made of files, applied into the engine and without one.
pub(crate) fn from_files(lab: &Lab, versions: &Versions) {
    let (old, new) = (text(&versions.old), text(&versions.new));
    let (name, expected) = (name_of(&versions.new), Identity::of(&versions.new));
    let package = lab.file("files.ddelta");
    lab.must_delta_alone(&["create", new, &package, "--base", old, "-f"]);
    lab.clear();
    lab.load(&versions.old);

    let before = lab.must(&["images", "-a", "--no-trunc"]);
    lab.must_delta(&["apply", &package, "-d"]);
    assert_eq!(lab.must(&["images", "-a", "--no-trunc"]), before, "{}: a dry run changes nothing", lab.plan.name);

    let said = lab.must_delta(&["apply", &package]);
    assert!(!said.contains("it is loaded again"), "{}: left out what was needed: {said}", lab.plan.name);
    assert!(!said.contains("the whole image is saved"), "{}: a probe failed: {said}", lab.plan.name);
    expected.check_in(lab, &name);
    check_count(lab, 2);

    let said = lab.must_delta(&["apply", &package]);
    assert!(said.contains("already"), "{}: {said}", lab.plan.name);
    let said = lab.must_delta(&["apply", &package, "-f"]);
    assert!(said.contains("is loaded"), "{}: {said}", lab.plan.name);
    expected.check_in(lab, &name);
    check_count(lab, 2);

    lab.must_delta(&["apply", &package, "other/name:tag"]);
    expected.check_in(lab, "other/name:tag");

    let output = lab.file("out.tar");
    lab.must_delta_alone(&["apply", &package, "--base", old, "-o", &output, "-f"]);
    assert_eq!(Identity::of(output.as_ref()), expected);

    // The base comes from the engine, the new image goes to a file.
    lab.must_delta(&["apply", &package, "-o", &output, "-f"]);
    assert_eq!(Identity::of(output.as_ref()), expected);
    check_count(lab, 2);
}

/// Packages that were made of what an engine has.
pub(crate) fn from_the_engine(lab: &Lab, versions: &Versions) {
    let (old, new) = (name_of(&versions.old), name_of(&versions.new));
    let expected = Identity::of(&versions.new);
    let package = lab.file("engine.ddelta");
    lab.clear();
    lab.load(&versions.old);
    lab.load(&versions.new);
    lab.must_delta(&["create", &new, &package, "--base", &old, "-f"]);
    check_count(lab, 2);
    lab.must(&["rmi", &new]);
    lab.must_delta(&["apply", &package]);
    expected.check_in(lab, &new);
    check_count(lab, 2);

    // A package without a base needs nothing on the other side.
    lab.must_delta(&["create", &new, &package, "-f"]);
    lab.clear();
    lab.must_delta(&["apply", &package]);
    expected.check_in(lab, &new);
    check_count(lab, 1);
}

/// The new version gets the tag of the old one.
fn a_moved_tag(lab: &Lab, versions: &Versions) {
    let (new, expected) = (name_of(&versions.new), Identity::of(&versions.new));
    let package = lab.file("files.ddelta");
    lab.clear();
    lab.load(&versions.old);
    lab.must(&["tag", &name_of(&versions.old), &new]);
    let said = lab.must_delta(&["apply", &package]);
    let old = Identity::of(&versions.old).id(lab).short();
    assert!(said.contains(&old) && said.contains("before"), "{}: {said}", lab.plan.name);
    expected.check_in(lab, &new);
}

/// Without the base nothing is done, and the user is told what to bring; with it in a file all is well.
fn a_missing_base(lab: &Lab, versions: &Versions) {
    let package = lab.file("files.ddelta");
    lab.clear();
    let ran = lab.delta(&["apply", &package]);
    let (old, new) = (name_of(&versions.old), name_of(&versions.new));
    assert_eq!(ran.code, Some(3), "{}: {}", lab.plan.name, ran.text);
    assert!(ran.text.contains(&old) && ran.text.contains("--base"), "{}: {}", lab.plan.name, ran.text);
    check_count(lab, 0);
    lab.must_delta(&["apply", &package, "--base", text(&versions.old)]);
    Identity::of(&versions.new).check_in(lab, &new);
}

/// A registry keeps packages of the new version: with the old one in the engine the small one is fetched, without it the whole one.
fn from_a_registry(lab: &Lab, versions: &Versions) {
    let (registry, expected) = (Registry::start(), Identity::of(&versions.new));
    let (old, new, name) = (text(&versions.old), text(&versions.new), name_of(&versions.new));
    let place = format!("docker://{}/kept/app:new", registry.host);
    let (small, whole) = (lab.file("small.ddelta"), lab.file("whole.ddelta"));
    lab.must_delta_alone(&["create", "-f", new, &small, "--base", old]);
    lab.must_delta_alone(&["create", "-f", new, &whole]);
    lab.must_delta_alone(&["apply", &whole, &place]);
    for package in [&small, &whole] {
        lab.must_delta_alone(&["push", package, &place]);
    }
    lab.clear();
    lab.load(&versions.old);
    let said = lab.must_delta(&["pull", &place]);
    assert!(said.contains("small.ddelta"), "{}: {said}", lab.plan.name);
    expected.check_in(lab, &name);
    let said = lab.must_delta(&["pull", &place]);
    assert!(said.contains("nothing is fetched"), "{}: {said}", lab.plan.name);
    let said = lab.must_delta(&["pull", &place, "other/name:1"]);
    assert!(said.contains("small.ddelta") && said.contains("already"), "{}: {said}", lab.plan.name);
    lab.clear();
    let said = lab.must_delta(&["pull", &place]);
    assert!(said.contains("whole.ddelta"), "{}: {said}", lab.plan.name);
    expected.check_in(lab, &name);
}

/// A package that was made from one tag of a registry to another: nobody measured the layers that stay.
pub(crate) fn with_layers_that_nobody_measured(lab: &Lab, versions: &Versions) {
    let registry = Registry::start();
    let names = [("old", &versions.old), ("new", &versions.new)].map(|(tag, archive)| {
        let name = format!("{}/odd/image:{tag}", registry.host);
        let (from, to) = (format!("docker-archive:{}", text(archive)), format!("docker://{name}"));
        let copied = Command::new("skopeo").args(["copy", "-q", "--dest-tls-verify=false", &from, &to]).status();
        assert!(copied.unwrap().success(), "skopeo: run scripts/install-test-tools");
        name
    });
    let [old, new] = names.each_ref().map(|name| format!("docker://{name}"));
    let (package, layout) = (lab.file("unmeasured.ddelta"), lab.file("unmeasured"));
    lab.must_delta_alone(&["create", "-f", &new, &package, "--base", &old]);
    let said = lab.must_delta_alone(&["info", "--json", &package]);
    assert!(said.contains("unmeasured-1"), "{said}");
    lab.must_delta_alone(&["apply", &package, "--base", &old, "-o", &format!("oci:{layout}")]);
    let expected = Identity::of(layout.as_ref());
    assert_eq!(expected.root.to_string(), registry.digest(&names[1]));
    lab.clear();
    if lab.keeps_blobs() {
        // It needs the base's blobs as they are in the registry.
        lab.must(&["pull", "-q", &names[0]]);
    } else {
        lab.load(&versions.old);
    }
    let said = lab.must_delta(&["apply", &package]);
    assert!(!said.contains("it is loaded again"), "{}: left out what was needed: {said}", lab.plan.name);
    expected.check_in(lab, &names[1]);
    check_count(lab, 2);
}

/// Nothing but the images that were meant is in the engine.
pub(crate) fn check_count(lab: &Lab, expected: usize) {
    let listed = lab.must(&["images", "-a", "-q", "--no-trunc"]);
    let ids: std::collections::BTreeSet<&str> = listed.split_whitespace().collect();
    assert_eq!(ids.len(), expected, "{}: {}", lab.plan.name, lab.must(&["images", "-a", "--no-trunc"]));
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The name that stands in an archive.
fn name_of(archive: &Path) -> String {
    let scratch = Arc::new(TempScratch::new(None).unwrap());
    open_path(archive, None, &scratch, &Silent).unwrap()[0].names[0].to_string()
}
