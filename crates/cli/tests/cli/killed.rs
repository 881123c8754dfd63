//! `kill -9` at two hundred moments of every job: what has its final name is whole, the next run succeeds and nothing is left.
//!
//! The moments lie all over a run, each time elsewhere; and where names appear it is killed at every system call that makes one.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::registry::server::{Guard, Registry, lonely};
use crate::support::{Folder, command, finish, image, layer, names, noise};

/// How often each job is killed.
const KILLS: u32 = 200;

/// A folder with what every job needs, and one for what is temporary.
struct Desk {
    folder: Folder,
    temporary: Folder,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: Folder::new(), temporary: Folder::new() };
        let (text, other) = (noise(1, 400_000), noise(2, 150_000));
        let changed = [&text[..250_000], b"between", &text[250_000..]].concat();
        let first = layer(&[("kept", &other)]);
        image(&desk.folder, "v1.tar", "app:v1", &[first.clone(), layer(&[("file", &text)])]);
        image(&desk.folder, "v2.tar", "app:v2", &[first, layer(&[("file", &changed), ("new", &noise(3, 90_000))])]);
        for (tree, bytes) in [("old", &text), ("new", &changed)] {
            let tree = desk.folder.path().join(tree);
            fs::create_dir_all(tree.join("inner")).unwrap();
            fs::write(tree.join("inner/file"), bytes).unwrap();
            fs::write(tree.join("other"), &other).unwrap();
        }
        for (program, arguments) in [
            ("docker_delta", &["create", "v2.tar", "package", "--base", "v1.tar"][..]),
            ("docker_delta", &["create", "v1.tar", "earlier"]),
            ("file_delta", &["create", "old", "new", "delta"]),
        ] {
            finish(&mut desk.command(program, arguments)).ok();
        }
        desk
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = command(program, arguments);
        command.current_dir(self.folder.path()).env("TMPDIR", self.temporary.path());
        command
    }

    /// What stands under the final name, compared with what a run that nobody disturbed makes.
    fn is_whole(&self, meant: &Path) -> bool {
        let made = self.folder.path().join("made");
        let done = Command::new("diff").args(["-r", "--no-dereference"]).arg(&made).arg(meant).output().unwrap();
        done.status.success()
    }

    fn clear(&self) {
        let made = self.folder.path().join("made");
        let _ = fs::remove_dir_all(&made);
        let _ = fs::remove_file(&made);
    }
}

/// Fractions of a run, all over it, never the same twice: the sequence of van der Corput.
fn fraction(mut number: u32) -> f64 {
    let (mut fraction, mut part) = (0.0, 0.5);
    while number > 0 {
        fraction += f64::from(number % 2) * part;
        part /= 2.0;
        number /= 2;
    }
    fraction
}

/// Runs `start` and kills what it started, until that found it running so many times; calls `look` after each.
fn killed(kills: u32, mut start: impl FnMut() -> Command, mut look: impl FnMut()) {
    let begun = Instant::now();
    finish(&mut start()).ok();
    let mut span = begun.elapsed();
    look();
    let mut count = 0;
    while count < kills {
        let mut child = start().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(span.mul_f64(fraction(count + 1)));
        child.kill().unwrap();
        match child.wait().unwrap().code() {
            None => count += 1,
            // It was ready before: the run is shorter than was thought.
            Some(_) => span = span.mul_f64(0.98).max(Duration::from_millis(1)),
        }
        look();
    }
}

const JOBS: [(&str, &[&str]); 6] = [
    ("docker_delta", &["create", "v2.tar", "made", "--base", "v1.tar"]),
    ("docker_delta", &["apply", "package", "--base", "v1.tar", "-o", "made"]),
    ("docker_delta", &["apply", "package", "--base", "v1.tar", "-o", "oci:made"]),
    ("file_delta", &["create", "old", "new", "made"]),
    ("file_delta", &["apply", "old", "delta", "made"]),
    ("file_delta", &["apply", "old/other", "other.delta", "made"]),
];

/// What a job makes when nobody disturbs it, moved aside.
fn undisturbed(desk: &Desk, program: &str, arguments: &[&str]) -> (Folder, std::path::PathBuf) {
    let aside = Folder::new();
    finish(&mut desk.command(program, arguments)).ok();
    let meant = aside.path().join("meant");
    let moved = Command::new("mv").arg(desk.folder.path().join("made")).arg(&meant).status().unwrap();
    assert!(moved.success());
    (aside, meant)
}

fn desk() -> (Desk, Vec<String>) {
    let desk = Desk::new();
    finish(&mut desk.command("file_delta", &["create", "old/other", "new/inner/file", "other.delta"])).ok();
    let before = names(desk.folder.path());
    (desk, before)
}

/// After a kill: what is there is whole, and the next run makes it and leaves nothing else.
fn look_after(desk: &Desk, before: &[String], program: &str, arguments: &[&str], meant: &Path) {
    if names(desk.folder.path()).contains(&"made".to_owned()) {
        assert!(desk.is_whole(meant), "{arguments:?}: half a product under its final name");
        desk.clear();
    }
    finish(&mut desk.command(program, arguments)).ok();
    assert!(desk.is_whole(meant), "{arguments:?}: the next run");
    desk.clear();
    assert_eq!(names(desk.folder.path()), before, "{arguments:?}: what is left of it");
    assert!(names(desk.temporary.path()).is_empty(), "{arguments:?}: what is left of it");
}

fn job(number: usize) {
    let (program, arguments) = JOBS[number];
    let (desk, before) = desk();
    let (_aside, meant) = undisturbed(&desk, program, arguments);
    killed(KILLS, || desk.command(program, arguments), || look_after(&desk, &before, program, arguments, &meant));
}

#[test]
fn killed_create() {
    job(0);
}

#[test]
fn killed_apply_to_an_archive() {
    job(1);
}

#[test]
fn killed_apply_to_a_layout() {
    job(2);
}

#[test]
fn killed_create_of_trees() {
    job(3);
}

#[test]
fn killed_apply_of_a_tree() {
    job(4);
}

#[test]
fn killed_apply_of_a_file() {
    job(5);
}

/// What is replaced is the old one or the new one, whole, at every moment.
#[test]
fn killed_while_it_replaces() {
    let (desk, before) = desk();
    let arguments = &["create", "-f", "v2.tar", "made", "--base", "v1.tar"];
    let (made, old) = (desk.folder.path().join("made"), desk.folder.path().join("earlier"));
    let (_aside, meant) = undisturbed(&desk, "docker_delta", arguments);
    fs::copy(&old, &made).unwrap();
    killed(
        KILLS,
        || desk.command("docker_delta", arguments),
        || {
            assert!(desk.is_whole(&old) || desk.is_whole(&meant), "neither the old nor the new one");
            finish(&mut desk.command("docker_delta", arguments)).ok();
            assert!(desk.is_whole(&meant));
            let with_made = [&["made".to_owned()], before.as_slice()].concat();
            let mut left = names(desk.folder.path());
            left.retain(|name| !with_made.contains(name));
            assert!(left.is_empty(), "{left:?}");
            fs::copy(&old, &made).unwrap();
        },
    );
}

/// A run that ends at the system call where a file or folder gets to the disk, or gets its name.
#[test]
fn killed_where_names_appear() {
    let (desk, before) = desk();
    for (program, arguments) in JOBS {
        let (_aside, meant) = undisturbed(&desk, program, arguments);
        for call in ["fsync", "syncfs", "linkat", "renameat2", "fchmod", "unlinkat", "mkdirat,mkdir"] {
            for number in 1.. {
                let plain = desk.command(program, arguments);
                let inject = format!("inject={call}:signal=KILL:when={number}");
                let mut traced = Command::new("strace");
                traced.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]);
                traced.arg(plain.get_program()).args(arguments);
                let output = traced.current_dir(desk.folder.path()).env("TMPDIR", desk.temporary.path()).output();
                let output = output.unwrap_or_else(|error| panic!("install the Debian package strace: {error}"));
                let was_killed = !output.status.success();
                look_after(&desk, &before, program, arguments, &meant);
                if !was_killed {
                    break;
                }
            }
        }
    }
}

/// A tag names a whole image or nothing, and the next push completes it.
#[test]
fn killed_push_to_a_registry() {
    let desk = Desk::new();
    let registry = Registry::start(Guard::Nothing);
    registry.fill(&format!("docker-archive:{}", desk.folder.file("v1.tar")), "app:v1");
    let (package, before) = (desk.folder.file("package"), names(desk.folder.path()));
    let mut number = 0;
    let name = std::cell::Cell::new(String::new());
    killed(
        KILLS,
        || {
            // Each time another repository, which has nothing yet.
            number += 1;
            name.set(registry.name(&format!("site{number}/app:v2")));
            let pushed = name.take();
            let base = registry.name("app:v1");
            let command = lonely(&desk.folder, &["apply", &package, &pushed, "--base", &base]);
            name.set(pushed);
            command
        },
        || {
            let pushed = name.take();
            let compare = |name: &str| {
                finish(&mut lonely(&desk.folder, &["compare", "--json", name, &desk.folder.file("v2.tar")]))
            };
            let there = compare(&pushed);
            assert!([0, 3].contains(&there.code), "{}{}", there.stdout, there.stderr);
            let base = registry.name("app:v1");
            finish(&mut lonely(&desk.folder, &["apply", &package, &pushed, "--base", &base])).ok();
            compare(&pushed).ok();
            // What was downloaded is kept for a run that goes on with it, in the cache alone.
            let mut left = names(desk.folder.path());
            left.retain(|name| name != ".cache");
            assert_eq!(left, before);
            name.set(pushed);
        },
    );
}
