//! Containerd without Docker, as Kubernetes runs it: from one to another, from a registry, and what a kill leaves.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use delta_core::digest::BlobDigest;
use delta_core::image::{RebuiltImage, RebuiltManifest, VerifiedBlob};
use delta_core::job::progress::Silent;
use delta_transport::archive_writer::{Naming, write_archive};
use delta_transport::source::open_path;
use delta_transport::spool::TempScratch;

use crate::lab::{Daemon, Lab, Plan};
use crate::registry::Registry;
use crate::saved::Identity;
use crate::steps::text;
use crate::{HOST_DOCKER, Root, odd};

const DEBIAN_12: Plan = Plan { name: "containerd 1.6", daemon: Daemon::Containerd, ..HOST_DOCKER };
const TRIXIE: Plan = Plan { name: "containerd 1.7", root: Root::Debian("trixie"), ..DEBIAN_12 };
const SID: Plan = Plan { name: "containerd 2.1", root: Root::Debian("sid"), ..DEBIAN_12 };

const OLD: &str = "docker.io/odd/image:old";
const NEW: &str = "docker.io/odd/image:new";

#[test]
fn containerd_1_6_to_2_1() {
    between(&Lab::start(DEBIAN_12), &Lab::start(SID));
}

#[test]
fn containerd_2_1_to_1_7() {
    between(&Lab::start(SID), &Lab::start(TRIXIE));
}

/// The new version comes exactly, runs, and is not sent twice; nothing of it is collected as garbage.
fn between(sender: &Lab, receiver: &Lab) {
    let versions = odd::versions(sender);
    import(sender, "k8s.io", &versions.old);
    import(sender, "k8s.io", &versions.new);
    import(receiver, "k8s.io", &versions.old);
    let (package, expected) = (sender.file("p.ddelta"), Identity::of(&versions.new));
    let (from, base) = (format!("containerd:k8s.io/{NEW}"), "containerd:k8s.io/odd/image:old");
    sender.must_delta(&["create", &from, &package, "--base", base]);
    let before = listed(receiver);
    receiver.must_delta(&["apply", "-d", &package, "containerd:k8s.io/"]);
    assert_eq!(listed(receiver), before, "a dry run changes nothing");
    receiver.must_delta(&["apply", &package, "containerd:k8s.io/"]);
    check(receiver, "k8s.io", NEW, &expected);
    run(receiver);

    let before = listed(receiver);
    let said = receiver.must_delta(&["apply", &package, "containerd:k8s.io/"]);
    assert!(said.contains("nothing is sent"), "{said}");
    assert_eq!(listed(receiver), before);
    let said = receiver.must_delta(&["apply", &package, "containerd:k8s.io/odd/image:old"]);
    assert!(said.contains("nothing is sent") && said.contains("named the image"), "{said}");
    check(receiver, "k8s.io", OLD, &expected);
    let archive = receiver.file("base.tar");
    std::fs::copy(&versions.old, &archive).unwrap();

    // A namespace that has nothing yet.
    let ran = receiver.delta(&["apply", &package, "containerd:default/other:v7"]);
    assert!(
        ran.code == Some(3) && ran.text.contains("namespace default") && ran.text.contains("--base"),
        "{}",
        ran.text
    );
    receiver.must_delta(&["apply", &package, "containerd:default/other:v7", "--base", &archive]);
    check(receiver, "default", "docker.io/library/other:v7", &expected);
    let ran = receiver.delta(&["inspect", "containerd:odd/image:new"]);
    let elsewhere = "it is in another namespace: containerd:k8s.io/odd/image:new";
    assert!(ran.code == Some(3) && ran.text.contains(elsewhere), "{}", ran.text);
}

/// Nothing but a whole image ever has a name, wherever the program is killed, and the next run completes it.
#[test]
fn containerd_after_a_kill() {
    let lab = Lab::start(TRIXIE);
    let versions = odd::versions(&lab);
    let (package, expected) = (lab.file("p.ddelta"), Identity::of(&versions.new));
    lab.must_delta(&["create", text(&versions.new), &package, "--base", text(&versions.old)]);
    for step in ["--all-platforms -", "--no-unpack -", "snapshots unpack", "images tag", "images rm"] {
        import(&lab, "k8s.io", &versions.old);
        let ran = lab.delta_killed_at(step, &["apply", &package, "containerd:k8s.io/"]);
        assert_eq!(ran.code, None, "it was not killed at {step}: {}", ran.text);
        assert_eq!(lab.must_ctr(&["-n", "k8s.io", "images", "ls"]).contains(NEW), step == "images rm", "{step}");
        lab.must_delta(&["apply", &package, "containerd:k8s.io/"]);
        check(&lab, "k8s.io", NEW, &expected);
        lab.must_ctr(&["-n", "k8s.io", "images", "rm", "--sync", NEW, OLD]);
        assert_eq!(lab.must_ctr(&["-n", "k8s.io", "content", "ls", "-q"]), "", "{step}: what is left of it");
    }
}

/// An index of which one platform was never pulled, with an attestation; and the archive that k3s loads from its folder.
#[test]
fn containerd_with_a_part_of_an_index() {
    let lab = Lab::start(SID);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/samples/tiny/docker28-containerd-buildkit");
    let archives = ["v1", "v2"].map(|version| lab.file(&format!("{version}.tar")));
    let roots = ["v1", "v2"].map(|version| {
        let archive = lab.file(&format!("{version}.tar"));
        with_absent_platform(&folder.join(format!("{version}.tar")), archive.as_ref())
    });
    let package = lab.file("p.ddelta");
    lab.must_delta(&["create", &archives[1], &package, "--base", &archives[0]]);
    lab.must_delta(&["create", &archives[0], &lab.file("first.ddelta")]);
    lab.must_delta(&["apply", &lab.file("first.ddelta"), "containerd:k8s.io/tiny:v1"]);
    lab.must_delta(&["apply", &package, "containerd:k8s.io/tiny:v2"]);
    collect(&lab, "k8s.io", "docker.io/library/tiny:v2");
    let said = lab.must_delta(&["compare", "containerd:k8s.io/tiny:v2", &archives[1]]);
    assert!(said.contains("The same image"), "{said}");
    // What came out of an archive and what comes out of containerd makes the same package.
    let again = lab.file("again.ddelta");
    lab.must_delta(&["create", "containerd:k8s.io/tiny:v2", &again, "--base", "containerd:k8s.io/tiny:v1"]);
    lab.must_delta(&["apply", &again, "containerd:team/x:v2", "--base", "containerd:k8s.io/tiny:v1"]);
    let line = lab.must_ctr(&["-n", "default", "images", "ls"]);
    assert!(
        line.contains("docker.io/team/x:v2") && line.contains(&roots[1].to_string()),
        "no namespace is made: {line}"
    );

    let out = lab.file("images.tar");
    lab.must_delta(&["apply", &package, "tiny:v3", "--base", &archives[0], "-o", &out]);
    lab.must_ctr(&["-n", "k8s.io", "images", "import", &out]);
    let listed = lab.must_ctr(&["-n", "k8s.io", "images", "ls"]);
    let line = listed.lines().find(|line| line.starts_with("docker.io/library/tiny:v3 ")).unwrap_or_default();
    assert!(line.contains(&roots[1].to_string()), "{listed}");
}

/// A registry on the connected side, containerd on the other; the package lies in the registry too.
#[test]
fn containerd_from_a_registry() {
    let (registry, lab) = (Registry::start(), Lab::start(DEBIAN_12));
    let versions = odd::versions(&lab);
    let [old, new] = ["old", "new"].map(|version| format!("{}/odd/image:{version}", registry.host));
    for (archive, name) in [(&versions.old, &old), (&versions.new, &new)] {
        let (from, to) = (format!("docker-archive:{}", archive.display()), format!("docker://{name}"));
        let copied =
            Command::new("skopeo").args(["copy", "-q", "--dest-tls-verify=false", &from, &to]).status().unwrap();
        assert!(copied.success(), "skopeo: run scripts/install-test-tools");
    }
    lab.must_ctr(&["-n", "k8s.io", "images", "pull", "--plain-http", &old]);
    let package = lab.file("p.ddelta");
    let [from, base] = [&new, &old].map(|name| format!("docker://{name}"));
    lab.must_delta(&["create", &from, &package, "--base", &base]);
    lab.must_delta(&["push", &package, &from]);
    lab.must_delta(&["pull", &from, "containerd:k8s.io/"]);
    let listed = lab.must_ctr(&["-n", "k8s.io", "images", "ls"]);
    let line = listed.lines().find(|line| line.starts_with(&new)).unwrap_or_default();
    assert!(line.contains(&registry.digest(&new)), "{listed}");
    let said = lab.must_delta(&["compare", &format!("containerd:k8s.io/{new}"), &from]);
    assert!(said.contains("The same image"), "{said}");
}

fn import(lab: &Lab, namespace: &str, archive: &Path) {
    let seen = lab.file("import.tar");
    std::fs::copy(archive, &seen).unwrap();
    lab.must_ctr(&["-n", namespace, "images", "import", "--all-platforms", "--no-unpack", &seen]);
}

/// What is named, and every blob.
fn listed(lab: &Lab) -> [String; 2] {
    [&["images", "ls", "-q"][..], &["content", "ls", "-q"]]
        .map(|words| lab.must_ctr(&[&["-n", "k8s.io"], words].concat()))
}

/// Lets containerd collect its garbage while it has another name to remove; nothing of ours is left.
fn collect(lab: &Lab, namespace: &str, name: &str) {
    lab.must_ctr(&["-n", namespace, "images", "tag", "--force", name, "docker.io/library/other:gone"]);
    lab.must_ctr(&["-n", namespace, "images", "rm", "--sync", "docker.io/library/other:gone"]);
    let listed = lab.must_ctr(&["-n", namespace, "images", "ls", "-q"]);
    assert!(!listed.contains("docker-delta") && listed.contains(name), "{}: {listed}", lab.plan.name);
}

/// The whole image is under this name.
fn check(lab: &Lab, namespace: &str, name: &str, expected: &Identity) {
    collect(lab, namespace, name);
    let archive = lab.file("exported.tar");
    // Through its transfer service containerd says that it is done while the end of the archive may be on its way; 1.6 has none.
    let local: &[&str] = if lab.plan.root == Root::Host { &[] } else { &["--local"] };
    lab.must_ctr(&[&["-n", namespace, "images", "export"], local, &[&archive, name]].concat());
    assert_eq!(&Identity::of(archive.as_ref()), expected, "{}: {name}", lab.plan.name);
}

fn run(lab: &Lab) {
    let said = lab.must_ctr(&["-n", "k8s.io", "run", "--rm", NEW, "odd"]);
    assert!(said.contains("run new as 0 in /small"), "{}: {said}", lab.plan.name);
}

/// Writes the image of an archive again, under an index that names one more platform. Returns the index's digest.
fn with_absent_platform(archive: &Path, out: &Path) -> BlobDigest {
    let scratch = Arc::new(TempScratch::new(None).unwrap());
    let mut image = open_path(archive, None, &scratch, &Silent).unwrap().remove(0);
    let index = image.documents.remove(&image.root.digest).unwrap();
    let mut index: serde_json::Value = serde_json::from_slice(index.bytes()).unwrap();
    let absent = serde_json::json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": BlobDigest::of(b"absent").to_string(),
        "size": 6, "platform": {"architecture": "riscv64", "os": "linux"},
    });
    index["manifests"].as_array_mut().unwrap().push(absent);
    let index = delta_core::image::Document::new(serde_json::to_vec(&index).unwrap());
    (image.root.digest, image.root.size) = (index.digest(), index.bytes().len() as u64);
    image.documents.insert(index.digest(), index);
    let manifest = |manifest: &delta_core::image::Manifest| RebuiltManifest {
        digest: manifest.digest,
        config: manifest.config,
        kind: manifest.kind,
        platform: manifest.platform.clone(),
        layers: manifest.layers.iter().map(|layer| (layer.diff_id, layer.blob)).collect(),
    };
    let layers = image.manifests.iter().flat_map(|manifest| &manifest.layers);
    let blob = |layer: &delta_core::image::Layer| {
        (layer.blob, VerifiedBlob::check(layer.blob, layer.content.stored().unwrap(), "blob").unwrap())
    };
    let rebuilt = RebuiltImage {
        names: image.names.clone(),
        root: image.root.clone(),
        documents: image.documents.clone(),
        manifests: image.manifests.iter().map(manifest).collect(),
        blobs: layers.map(blob).collect(),
        layout_index: None,
    };
    write_archive(&[rebuilt], Naming::Named, &Silent, &mut File::create(out).unwrap()).unwrap();
    image.root.digest
}
