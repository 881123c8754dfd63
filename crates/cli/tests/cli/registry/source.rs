//! Images of registries as what packages are made of.

use super::server::{Guard, Registry, alone};
use crate::support::{Folder, names, sample, seen};

/// What `inspect --json` sees of an image in a registry.
fn seen_in(folder: &Folder, image: &str) -> serde_json::Value {
    let ran = alone(folder, &["inspect", "--json", image]).ok();
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn an_image_of_a_registry_is_what_skopeo_sees() {
    let registry = Registry::start(Guard::Nothing);
    let folder = Folder::new();
    registry.fill(&format!("docker-archive:{}", sample("tiny/docker28-classic/v1.tar")), "team/app:v1");
    registry.fill(&format!("oci:{}:v2", sample("tiny/skopeo-oci-dir/layout")), "team/app:v2");
    for tag in ["v1", "v2"] {
        let name = format!("team/app:{tag}");
        let digest = registry.digest(&name);
        let seen = seen_in(&folder, &registry.name(&name));
        assert_eq!(seen["images"][0]["root"]["digest"], digest.as_str());
        assert_eq!(seen["images"][0]["names"][0], format!("localhost:{}/{name}", registry.port()));
        let by_digest = seen_in(&folder, &registry.name(&format!("team/app@{digest}")));
        assert_eq!(by_digest["images"][0]["manifests"], seen["images"][0]["manifests"]);
        assert_eq!(by_digest["images"][0]["names"], serde_json::json!([]));
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_package_is_made_from_registry_to_registry() {
    let registry = Registry::start(Guard::Nothing);
    let folder = Folder::new();
    for (pair, kind) in [
        ("docker28-containerd-pulled", "docker-archive"),
        ("podman58-oci-archive", "oci-archive"),
        ("docker28-containerd-buildkit", "oci-archive"),
    ] {
        let name = |tag: &str| registry.name(&format!("{pair}:{tag}"));
        for tag in ["v1", "v2"] {
            registry.fill(&format!("{kind}:{}", sample(&format!("tiny/{pair}/{tag}.tar"))), &format!("{pair}:{tag}"));
        }
        let (package, again) = (folder.file("p.ddelta"), folder.file("again.tar"));
        alone(&folder, &["create", "-f", &name("v2"), &package, "--base", &name("v1")]).ok();
        alone(&folder, &["verify", &package]).ok();
        alone(&folder, &["apply", "-f", &package, "--base", &name("v1"), "-o", &again]).ok();
        let [made, meant] = [seen(&again), seen_in(&folder, &name("v2"))];
        assert_eq!(made["images"][0]["manifests"], meant["images"][0]["manifests"]);
        assert_eq!(made["images"][0]["root"]["digest"], registry.digest(&format!("{pair}:v2")).as_str());
    }
    assert_eq!(names(&folder.path().join(".cache/docker_delta")), [""; 0]);
}

#[test]
fn what_a_registry_does_not_have_is_named() {
    let registry = Registry::start(Guard::Nothing);
    let folder = Folder::new();
    registry.fill(&format!("docker-archive:{}", sample("tiny/docker28-classic/v1.tar")), "app:v1");
    let label = format!("localhost:{}", registry.port());
    for (name, texts) in [
        ("app:v9", [&*format!("{label}/app"), "manifest v9", "404", "see how the repository and the tag are spelled"]),
        (
            "other:v1",
            [&*format!("{label}/other"), "manifest v1", "404", "see how the repository and the tag are spelled"],
        ),
    ] {
        alone(&folder, &["inspect", &registry.name(name)]).failed(3, &texts);
    }
    drop(registry);
    let ran = alone(&folder, &["inspect", &format!("docker://{label}/app:v1")]);
    ran.failed(3, &[&label, "cannot be reached", "see that it runs"]);
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for odd in ["docker://", "docker://App", "docker://a:b:c", "docker://user:secret@host/app", "docker://app@sha256:0"]
    {
        let ran = alone(&folder, &["inspect", odd]).failed(2, &["names no image in a registry"]);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
    alone(&folder, &["inspect", &format!("docker://no-such-host.invalid/app@{digest}")])
        .failed(3, &["no-such-host.invalid"]);
}
