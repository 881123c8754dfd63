//! One reader of sticks, several sticks: somebody at a terminal is asked for the next one, and what was on the one before is kept.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::support::{Folder, docker_delta, image, layer, names, noise, seen};

/// A person at a terminal: `script` of util-linux gives the program one.
struct Person {
    child: Child,
    hands: ChildStdin,
    screen: ChildStdout,
    seen: String,
}

impl Person {
    fn calls(folder: &Path, line: &str) -> Self {
        let call = format!("stty -echo; exec {} {line}", env!("CARGO_BIN_EXE_docker_delta"));
        let mut child = Command::new("script")
            .args(["-qec", &call, "/dev/null"])
            .current_dir(folder)
            .env("TERM", "xterm")
            .env("TMPDIR", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("`script` of the Debian package `bsdutils` does not run: {error}"));
        let (hands, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, hands, screen, seen: String::new() }
    }

    /// Reads on until all of `text` is on the screen behind what was read before.
    fn waits_for(&mut self, text: &str) {
        let before = self.seen.len();
        let mut piece = [0; 4096];
        while !self.seen[before..].contains(text) {
            let count = self.screen.read(&mut piece).unwrap();
            assert!(count > 0, "it ended without {text:?}: {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    }

    fn types(&mut self, text: &str) {
        self.hands.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for the end: whether it was a good one, and all that was on the screen.
    fn sees_the_end(mut self) -> (bool, String) {
        drop(self.hands);
        let mut rest = Vec::new();
        self.screen.read_to_end(&mut rest).unwrap();
        (self.child.wait().unwrap().success(), self.seen + &String::from_utf8_lossy(&rest))
    }
}

/// Three volumes of a package on the vendor's side, and a reader for one stick: a folder on a file system of its own.
struct Reader {
    folder: Folder,
    slot: TempDir,
    volumes: Vec<String>,
}

impl Reader {
    fn new() -> Self {
        let folder = Folder::new();
        let base = image(&folder, "v1.tar", "app:v1", &[layer(&[("base", &noise(1, 50_000))])]);
        let target = image(&folder, "v2.tar", "app:v2", &[layer(&[("new", &noise(2, 900_000))])]);
        let vendor = folder.path().join("vendor");
        fs::create_dir(&vendor).unwrap();
        let package = folder.file("vendor/app.ddelta");
        docker_delta(&["create", &target, &package, "--base", &base, "--volume-size", "400K"]).ok();
        let volumes = names(&vendor);
        assert_eq!(volumes.len(), 3, "{volumes:?}");
        let slot = TempDir::new_in("/dev/shm").expect("/dev/shm is a file system of its own");
        Self { folder, slot, volumes }
    }

    /// The stick with one volume, and nothing else, is in the reader now.
    fn takes(&self, number: usize) {
        for name in names(self.slot.path()) {
            fs::remove_file(self.slot.path().join(name)).unwrap();
        }
        let name = &self.volumes[number];
        fs::copy(self.folder.path().join("vendor").join(name), self.slot.path().join(name)).unwrap();
    }

    /// Somebody applies what the first stick has.
    fn apply(&self, number: usize) -> Person {
        self.takes(number);
        let volume = self.slot.path().join(&self.volumes[number]);
        Person::calls(self.folder.path(), &format!("apply {} --base v1.tar -o out.tar", volume.display()))
    }

    /// What is in the folder of temporary files, and of the output.
    fn left(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

#[test]
fn the_next_stick_is_asked_for_and_the_one_before_may_go() {
    let reader = Reader::new();
    let mut person = reader.apply(1);
    person.waits_for("of 3 volumes are missing: app.ddelta.001, app.ddelta.003; put in the medium");
    reader.takes(2);
    person.types("\n");
    person.waits_for("of 3 volumes is missing: app.ddelta.001");
    reader.takes(0);
    person.types("\n");
    let (is_good, screen) = person.sees_the_end();
    assert!(is_good, "{screen}");
    assert_eq!(seen(&reader.folder.file("out.tar")), seen(&reader.folder.file("v2.tar")));
    assert_eq!(reader.left(), ["out.tar", "v1.tar", "v2.tar", "vendor"]);
}

#[test]
fn a_stick_that_has_nothing_new_is_asked_about_again_and_a_folder_may_be_typed() {
    let reader = Reader::new();
    let mut person = reader.apply(0);
    person.waits_for("are missing: app.ddelta.002, app.ddelta.003");
    person.types("\n");
    person.waits_for("are missing: app.ddelta.002, app.ddelta.003");
    person.types("nowhere at all\n");
    person.waits_for("are missing: app.ddelta.002, app.ddelta.003");
    person.types(&format!("{}\n", reader.folder.file("vendor")));
    let (is_good, screen) = person.sees_the_end();
    assert!(is_good, "{screen}");
    assert_eq!(seen(&reader.folder.file("out.tar")), seen(&reader.folder.file("v2.tar")));
}

#[test]
fn who_has_no_further_stick_leaves_nothing() {
    let reader = Reader::new();
    let mut person = reader.apply(0);
    person.waits_for("are missing: app.ddelta.002, app.ddelta.003");
    // The end of what is typed, as control and D say it.
    person.types("\u{4}");
    let (is_good, screen) = person.sees_the_end();
    assert!(!is_good && screen.contains("--volumes DIR"), "{screen}");
    assert_eq!(reader.left(), ["v1.tar", "v2.tar", "vendor"]);
}

#[test]
fn passwords_are_asked_for_twice_and_never_shown() {
    let folder = Folder::new();
    let mut person = Person::calls(folder.path(), "keygen vendor");
    person.waits_for("A new password for");
    person.types("correct horse\n");
    person.waits_for("The same again: ");
    person.types("correct house\n");
    let (is_good, screen) = person.sees_the_end();
    assert!(!is_good && screen.contains("differs the second time") && !screen.contains("horse"), "{screen}");
    assert_eq!(names(folder.path()), Vec::<String>::new());

    let mut person = Person::calls(folder.path(), "keygen vendor");
    for prompt in ["A new password for", "The same again: "] {
        person.waits_for(prompt);
        person.types("correct horse\n");
    }
    assert!(person.sees_the_end().0);
    image(&folder, "v1.tar", "app:v1", &[layer(&[("base", b"base")])]);
    docker_delta(&["create", &folder.file("v1.tar"), &folder.file("app.ddelta")]).ok();
    let mut person = Person::calls(folder.path(), "sign app.ddelta --key vendor.key");
    person.waits_for("The password of vendor.key: ");
    person.types("correct horse\n");
    let (is_good, screen) = person.sees_the_end();
    assert!(is_good && !screen.contains("horse"), "{screen}");
    docker_delta(&["verify", &folder.file("app.ddelta"), "--trust", &folder.file("vendor.pub")]).ok();
}

#[test]
fn a_passphrase_that_nobody_can_be_asked_for_may_come_otherwise() {
    let folder = Folder::new();
    image(&folder, "v1.tar", "app:v1", &[layer(&[("base", b"base")])]);
    let create = ["create", &folder.file("v1.tar"), &folder.file("app.ddelta"), "--encrypt-passphrase"];
    // No terminal at all: `setsid` takes away the one that the tests may have.
    let mut command = Command::new("setsid");
    command.arg("-w").arg(env!("CARGO_BIN_EXE_docker_delta")).args(create).stdin(Stdio::null());
    let said = crate::support::finish(&mut command).failed(3, &["no passphrase can be asked for", "--passphrase-fd 3"]);
    assert!(said.stderr.contains("DOCKER_DELTA_PASSPHRASE"), "{}", said.stderr);
    assert_eq!(names(folder.path()), ["v1.tar"]);
}

#[test]
fn who_is_quiet_or_wants_json_is_asked_for_nothing() {
    let reader = Reader::new();
    reader.takes(0);
    let volume = reader.slot.path().join(&reader.volumes[0]);
    for option in ["--quiet", "--json"] {
        let line = format!("apply {option} {} --base v1.tar -o out.tar", volume.display());
        let (is_good, screen) = Person::calls(reader.folder.path(), &line).sees_the_end();
        assert!(!is_good && screen.contains("missing") && !screen.contains("put in"), "{screen}");
    }
}
