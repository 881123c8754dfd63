//! The program against real engines. Every test starts an engine of its own, on a socket and in a folder of its own, and
//! leaves nothing of it.
//!
//! Needed are root, Debian's packages `docker.io` (which brings `containerd`), `podman`, `busybox-static`, `docker-registry` and
//! `skopeo`, and other versions of the engines in the root folders `trixie` and `sid` that `scripts/install-test-engines` makes in
//! the folder that `DOCKER_DELTA_ENGINES` names (by default `~/.cache/docker-delta-engines/chroots`).

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod between;
mod containerd;
mod judge;
mod killed;
mod lab;
mod mirrors;
mod odd;
mod refusing;
mod registries;
mod registry;
mod saved;
mod signatures;
mod steps;

use lab::{Daemon, Lab, Plan, Root};

const HOST_DOCKER: Plan =
    Plan { name: "docker", root: Root::Host, daemon: Daemon::Docker, runs: true, samples: &["docker20-classic"] };

fn test(plan: Plan) {
    let lab = Lab::start(plan);
    for kind in plan.samples {
        steps::update(&lab, kind);
    }
    odd::update(&lab);
}

#[test]
fn docker() {
    test(HOST_DOCKER);
}

#[test]
fn podman() {
    test(Plan {
        name: "podman",
        daemon: Daemon::Podman,
        runs: false,
        samples: &["podman4-docker-archive"],
        ..HOST_DOCKER
    });
}

#[test]
fn docker_26_classic() {
    let root = Root::Debian("trixie");
    test(Plan { name: "docker 26", root, samples: &["docker26-classic"], ..HOST_DOCKER });
}

#[test]
fn docker_26_containerd() {
    let (root, daemon) = (Root::Debian("trixie"), Daemon::DockerOnContainerd);
    test(Plan { name: "docker 26 on containerd", root, daemon, samples: &["docker26-containerd"], runs: true });
}

#[test]
fn docker_28_classic() {
    let root = Root::Debian("sid");
    test(Plan { name: "docker 28", root, samples: &["docker28-classic", "docker28-classic-buildkit"], ..HOST_DOCKER });
}

#[test]
fn docker_28_containerd() {
    let (root, daemon) = (Root::Debian("sid"), Daemon::DockerOnContainerd);
    let samples = &["docker28-containerd", "docker28-containerd-pulled", "docker28-containerd-buildkit"];
    test(Plan { name: "docker 28 on containerd", root, daemon, samples, runs: true });
}

#[test]
fn podman_5() {
    let (root, daemon) = (Root::Debian("trixie"), Daemon::Podman);
    test(Plan { name: "podman 5", root, daemon, samples: &["podman58-docker-archive"], runs: true });
}
