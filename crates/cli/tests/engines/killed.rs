//! The program and the engine, killed in the middle: a tag is on a whole image or on none, and the next run completes it.
//!
//! `KILLS=200 cargo nextest run --test engines -E 'test(killed)'` does it at more moments than the tests can wait for every time.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::lab::{Conditions, Daemon, Lab, Plan, Root};
use crate::saved::Identity;
use crate::steps::{Versions, text};
use crate::{HOST_DOCKER, odd};

pub(crate) const OLD: &str = "odd/image:old";
pub(crate) const NEW: &str = "odd/image:new";

fn kills() -> u32 {
    std::env::var("KILLS").map_or(20, |kills| kills.parse().unwrap())
}

/// An engine with the old version, and a package of the new one.
pub(crate) struct Desk {
    pub(crate) lab: Lab,
    versions: Versions,
    pub(crate) package: String,
    expected: Identity,
}

impl Desk {
    pub(crate) fn new(plan: Plan, conditions: Conditions) -> Self {
        let lab = Lab::start_in(plan, conditions);
        let versions = odd::versions(&lab);
        let (package, expected) = (lab.file("killed.ddelta"), Identity::of(&versions.new));
        lab.must_delta_alone(&["create", text(&versions.new), &package, "--base", text(&versions.old)]);
        lab.load(&versions.old);
        Self { lab, versions, package, expected }
    }

    /// How long a run takes that nobody disturbs.
    fn span(&self) -> Duration {
        let begun = Instant::now();
        self.lab.must_delta(&["apply", &self.package]);
        let span = begun.elapsed();
        self.start_over();
        span
    }

    pub(crate) fn start_over(&self) {
        self.lab.must(&["rmi", NEW]);
        self.lab.must(&["image", "inspect", OLD]);
    }

    /// What is tagged is whole, and the next run gives all of it.
    pub(crate) fn look_after(&self) {
        if self.lab.client(&["image", "inspect", NEW]).code == Some(0) {
            self.expected.check_in(&self.lab, NEW);
        }
        self.lab.must_delta(&["apply", &self.package]);
        self.expected.check_in(&self.lab, NEW);
        Identity::of(&self.versions.old).check_in(&self.lab, OLD);
        self.start_over();
        let left = self.lab.must(&["images", "-a", "--format", "{{.Repository}}:{{.Tag}}"]);
        let mut left: Vec<&str> = left.lines().map(|name| name.trim_start_matches("docker.io/")).collect();
        // Podman shows what was loaded and not yet tagged.
        left.retain(|name| *name != "<none>:<none>");
        assert_eq!(left, [OLD], "{}: what is left of it", self.lab.plan.name);
    }
}

fn program_killed(plan: Plan) {
    let desk = Desk::new(plan, Conditions::Usual);
    let mut span = desk.span();
    let (mut count, kills) = (0, kills());
    while count < kills {
        let mut command = desk.lab.delta_command(&["apply", &desk.package]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(span.mul_f64((f64::from(count) + 0.5) / f64::from(kills)));
        child.kill().unwrap();
        match child.wait().unwrap().code() {
            None => count += 1,
            Some(_) => span = span.mul_f64(0.95),
        }
        desk.look_after();
    }
}

#[test]
fn killed_with_docker() {
    program_killed(HOST_DOCKER);
}

#[test]
fn killed_with_docker_28_on_containerd() {
    let root = Root::Debian("sid");
    program_killed(Plan { name: "docker 28 on containerd", root, daemon: Daemon::DockerOnContainerd, ..HOST_DOCKER });
}

#[test]
fn killed_with_podman() {
    program_killed(Plan { name: "podman", daemon: Daemon::Podman, runs: false, ..HOST_DOCKER });
}

/// The daemon goes away while the program talks to it.
#[test]
fn docker_killed() {
    let mut desk = Desk::new(HOST_DOCKER, Conditions::Usual);
    let span = desk.span();
    let kills = kills().div_ceil(2);
    for number in 0..kills {
        let mut command = desk.lab.delta_command(&["apply", &desk.package]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        sleep(span.mul_f64((f64::from(number) + 0.5) / f64::from(kills)));
        desk.lab.kill_daemon();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!([Some(0), Some(3)].contains(&output.status.code()), "{:?}: {said}", output.status);
        assert!(output.status.success() || said.contains("ERROR: "), "{said}");
        desk.lab.restart();
        desk.look_after();
    }
}
