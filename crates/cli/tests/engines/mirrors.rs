//! What `apply --mapping` prints is what containerd and podman understand: an image is pulled by its old name, from a registry that nobody
//! reaches, and comes from where it was pushed.

use std::fs;
use std::process::Command;

use crate::lab::{Daemon, Lab, Plan, Root};
use crate::registry::Registry;
use crate::{HOST_DOCKER, steps};

const NAME: &str = "quay.example/team/app:v1";

/// A registry with the image under a path of its own, and the mapping in this form.
fn pushed(lab: &Lab, form: &str) -> (Registry, String) {
    let registry = Registry::start();
    let sample = steps::Versions::sample("docker28-containerd-pulled").new;
    let (named, first, package) = (lab.file("named.tar"), lab.file("first.ddelta"), lab.file("mirrored.ddelta"));
    lab.must_delta_alone(&["create", "-f", steps::text(&sample), &first]);
    lab.must_delta_alone(&["apply", "-f", &first, NAME, "-o", &named]);
    lab.must_delta_alone(&["create", "-f", &named, &package]);
    let to = format!("{}/some/mirror/", registry.host);
    let mapping = lab.must_delta_alone(&["-q", "apply", &package, "--to", &to, "--mapping", form]);
    (registry, mapping)
}

/// The file of a registry, in the folder of all.
fn ctr_pulls(lab: &Lab) {
    let (registry, mapping) = pushed(lab, "hosts.toml");
    fs::create_dir_all(lab.file("hosts/quay.example")).unwrap();
    fs::write(lab.file("hosts/quay.example/hosts.toml"), mapping).unwrap();
    let hosts = format!("{}/files/hosts", lab.inside());
    lab.ctr(&["images", "pull", "--hosts-dir", &hosts, NAME]);
    let listed = lab.ctr(&["images", "ls"]);
    let digest = registry.digest(&format!("{}/some/mirror/team/app:v1", registry.host));
    assert!(listed.contains(NAME) && listed.contains(&digest), "{}: {listed}", lab.plan.name);
}

#[test]
fn containerd_1() {
    ctr_pulls(&Lab::start(HOST_DOCKER));
}

#[test]
fn containerd_2() {
    ctr_pulls(&Lab::start(Plan { name: "docker 28", root: Root::Debian("sid"), ..HOST_DOCKER }));
}

#[test]
fn podman_4() {
    let lab = Lab::start(Plan { name: "podman", daemon: Daemon::Podman, runs: false, ..HOST_DOCKER });
    let (registry, mapping) = pushed(&lab, "registries.conf");
    let conf = lab.file("registries.conf");
    fs::write(&conf, mapping).unwrap();
    let mut command = Command::new(lab.path("bin/podman"));
    let output = command.args(["pull", "-q", NAME]).env("CONTAINERS_REGISTRIES_CONF", &conf).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let digest = registry.digest(&format!("{}/some/mirror/team/app:v1", registry.host));
    let seen = lab.must(&["image", "inspect", "--format", "{{.Digest}}", NAME]);
    assert_eq!(seen.trim(), digest);
}
