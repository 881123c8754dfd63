//! An engine that refuses in the middle, or has no room: its reason is told, no tag is on anything but a whole image, and the
//! next run completes it.

use std::fs::{self, File};
use std::io::Write;

use crate::HOST_DOCKER;
use crate::judge::{REASON, Refused};
use crate::killed::{Desk, NEW, OLD};
use crate::lab::{Conditions, Daemon, Plan, Ran, Root};

const ON_CONTAINERD: Plan = Plan {
    name: "docker 28 on containerd",
    root: Root::Debian("sid"),
    daemon: Daemon::DockerOnContainerd,
    ..HOST_DOCKER
};

/// Calls the program once for each request that it makes when nothing is refused, and refuses that one, or all from it on.
fn at_each_request(desk: &Desk, call: impl Fn() -> Ran, check: impl Fn(&Ran)) {
    let judge = desk.lab.judge();
    judge.decide(Refused::None);
    let ran = call();
    let asked = judge.decide(Refused::None);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    check(&ran);
    assert!(asked.len() > 5, "{asked:?}");
    for (number, request) in asked.iter().enumerate() {
        for refused in [Refused::Only(number), Refused::From(number)] {
            let what = if matches!(refused, Refused::Only(_)) { "only" } else { "from" };
            judge.decide(refused);
            let ran = call();
            judge.decide(Refused::None);
            let refused = format!("{}: refused {what} {request}: {}", desk.lab.plan.name, ran.text);
            match ran.code {
                // What is asked to be quicker, or only to say more, may be refused.
                Some(0) => {}
                Some(3) => assert!(ran.text.contains("ERROR: ") && ran.text.contains(REASON), "{refused}"),
                code => panic!("{code:?}: {refused}"),
            }
            check(&ran);
        }
    }
}

fn refused_while_it_applies(plan: Plan) {
    let desk = Desk::new(plan, Conditions::Judged);
    at_each_request(
        &desk,
        || desk.lab.delta(&["apply", &desk.package]),
        |ran| {
            let tagged = desk.lab.client(&["image", "inspect", NEW]).code == Some(0);
            assert!(tagged || ran.code != Some(0), "{}", ran.text);
            if tagged {
                desk.look_after();
            }
        },
    );
    // After all that was refused.
    desk.look_after();
}

#[test]
fn refused_by_docker_while_it_applies() {
    refused_while_it_applies(HOST_DOCKER);
}

#[test]
fn refused_by_docker_28_on_containerd_while_it_applies() {
    refused_while_it_applies(ON_CONTAINERD);
}

#[test]
fn refused_by_docker_while_it_creates() {
    let desk = Desk::new(HOST_DOCKER, Conditions::Judged);
    desk.lab.must_delta(&["apply", &desk.package]);
    let made = desk.lab.file("made.ddelta");
    at_each_request(
        &desk,
        || desk.lab.delta(&["create", NEW, &made, "--base", OLD]),
        |ran| {
            assert_eq!(fs::exists(&made).unwrap(), ran.code == Some(0), "{}", ran.text);
            if ran.code == Some(0) {
                desk.lab.must_delta_alone(&["verify", &made]);
                fs::remove_file(&made).unwrap();
            }
        },
    );
}

/// The disk is full up to a few kilobytes, more each time, until all of the image finds its place.
#[test]
fn docker_without_room() {
    let desk = Desk::new(HOST_DOCKER, Conditions::Small(64 << 20));
    let filler = desk.lab.small_disk().join("filler");
    let mut refused = 0;
    for left in [0_usize, 16, 64, 256, 1024] {
        fill(&filler, left << 10);
        let ran = desk.lab.delta(&["apply", &desk.package]);
        fs::remove_file(&filler).unwrap();
        if ran.code != Some(0) {
            refused += 1;
            assert_eq!(ran.code, Some(3), "{left} KiB: {}", ran.text);
            assert!(ran.text.contains("no space left on device"), "{left} KiB: {}", ran.text);
        }
        desk.look_after();
    }
    assert!(refused > 0, "there was always room");
}

/// Writes a file until nothing more fits, and then makes it so much shorter.
fn fill(path: &std::path::Path, left: usize) {
    let mut file = File::create(path).unwrap();
    let block = vec![1; 1 << 12];
    while file.write_all(&block).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(left as u64)).unwrap();
}
