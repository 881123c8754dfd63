//! Packages behind the program that applies them: a shell applies them, and they are packages still.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Folder, Ran, command, finish, folder_of_versions};

const PROGRAM: &str = env!("CARGO_BIN_EXE_docker_delta");

/// A folder with two versions of an image, and temporary files of its own.
struct Desk(Folder);

impl Desk {
    fn new() -> Self {
        let desk = Self(folder_of_versions());
        fs::create_dir(desk.0.file("tmp")).unwrap();
        desk
    }

    fn run(&self, line: &str) -> Ran {
        let mut command = command("docker_delta", &line.split_whitespace().collect::<Vec<_>>());
        finish(command.current_dir(self.0.path()).env("TMPDIR", self.0.file("tmp")))
    }

    /// Makes `app.run`.
    fn create(&self, options: &str) -> Ran {
        self.run(&format!("create v2.tar app.run --base v1.tar -f --self-contained={PROGRAM} {options}"))
    }

    /// What a shell without our programs makes of a line.
    fn shell(&self, line: &str) -> Ran {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(self.0.path());
        finish(
            shell
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("TMPDIR", self.0.file("tmp"))
                .env("HOME", self.0.file("tmp")),
        )
    }

    fn is_applied_by(&self, line: &str) {
        let _ = fs::remove_file(self.0.file("again.tar"));
        self.shell(&format!("{line} --base v1.tar -o again.tar")).ok();
        self.run("compare v2.tar again.tar").ok();
        assert_eq!(fs::read_dir(self.0.file("tmp")).unwrap().count(), 0, "{line} leaves nothing");
    }

    fn change(&self, at: usize) {
        let mut bytes = fs::read(self.0.file("app.run")).unwrap();
        bytes[at] ^= 1;
        self.0.write("bad.run", &bytes);
    }
}

#[test]
fn a_shell_applies_a_package_that_has_its_program() {
    let desk = Desk::new();
    desk.create("").ok().failed(0, &["are the program that applies it"]);
    desk.is_applied_by("./app.run");
    desk.is_applied_by("sh app.run");
    desk.is_applied_by("sh ./app.run apply -v");
    desk.shell("mv app.run './-a b.run' && sh './-a b.run' list").ok();
    desk.shell("mv './-a b.run' app.run && cp app.run tmp/x && PATH=$PWD/tmp:$PATH x info && rm tmp/x").ok();
    desk.shell("sh app.run verify").ok();
    // Its errors and exit codes are those of `apply`.
    desk.shell("sh app.run -o again.tar --base absent.tar").failed(3, &["absent.tar"]);
    desk.shell("sh app.run --no-such-option").failed(2, &["--no-such-option"]);
}

#[test]
fn a_package_that_has_its_program_is_a_package_still() {
    let desk = Desk::new();
    let made: serde_json::Value = serde_json::from_str(&desk.create("--json").ok().stdout).unwrap();
    let length = fs::metadata(desk.0.file("app.run")).unwrap().len();
    assert_eq!(made["package_bytes"], length);
    desk.run("create v2.tar p.ddelta --base v1.tar").ok();
    let package = fs::metadata(desk.0.file("p.ddelta")).unwrap().len();
    assert_eq!(made["applier_bytes"], length - package, "what is behind the program is the package");
    desk.run("verify app.run").ok();
    desk.run("list app.run").ok();
    let seen: serde_json::Value = serde_json::from_str(&desk.run("info --json app.run").ok().stdout).unwrap();
    assert_eq!(seen["applier"]["machine"], std::env::consts::ARCH);
    assert_eq!(seen["package_bytes"], package);
    desk.run("apply app.run --base v1.tar -o again.tar").ok();
    desk.run("compare v2.tar again.tar").ok();
}

#[test]
fn whoever_may_read_it_may_run_it_and_it_is_called_like_its_image() {
    let desk = Desk::new();
    fs::create_dir(desk.0.file("stick")).unwrap();
    let line = format!("create docker-archive:v2.tar stick/app.run --base v1.tar --self-contained={PROGRAM}");
    desk.run(&line).ok();
    let mode = || fs::metadata(desk.0.file("stick/app.run")).unwrap().permissions().mode();
    assert_eq!(mode() & 0o111, (mode() & 0o444) >> 2);
    desk.run(&line).failed(2, &["stick/app.run exists already", "replace it with -f"]);
    desk.run(&format!("{line} -f")).ok();
    assert_eq!(mode() & 0o100, 0o100);
    desk.run(&format!("create v2.tar stick --base v1.tar --self-contained={PROGRAM}")).ok();
    assert!(fs::read_dir(desk.0.file("stick")).unwrap().any(|entry| entry.unwrap().file_name() == "v2.run"));
}

#[test]
fn signatures_inside_and_beside_hold() {
    let desk = Desk::new();
    desk.run("keygen --no-password vendor").ok();
    desk.run("keygen --no-password site").ok();
    desk.create("--sign vendor.key").ok();
    desk.run("verify app.run --trust vendor.pub").ok();
    desk.run("verify app.run --trust site.pub").failed(4, &["not trusted here"]);
    desk.run("sign app.run --key site.key").ok();
    desk.run("verify app.run --trust site.pub").ok();
    desk.is_applied_by("./app.run --trust vendor.pub");
    desk.run("sign app.run --key site.key --detached").ok();
    desk.run("verify app.run --trust site.pub").ok().failed(0, &["beside"]);
    // Beside it the whole file is signed, and with it the program.
    desk.change(2_000);
    fs::copy(desk.0.file("app.run.minisig"), desk.0.file("bad.run.minisig")).unwrap();
    desk.run("verify bad.run --trust site.pub").failed(4, &["is not that of these bytes"]);
}

#[test]
fn what_is_encrypted_is_opened_by_whoever_may() {
    let desk = Desk::new();
    desk.shell("age-keygen -o site.age 2>/dev/null && age-keygen -y site.age > site.txt").ok();
    desk.create("--encrypt-to site.txt").ok();
    desk.run("info app.run --identity-file site.age").ok();
    desk.shell("sh app.run info").failed(2, &["it is encrypted"]);
    desk.is_applied_by("sh app.run --identity-file site.age");
}

#[test]
fn what_was_cut_or_changed_is_refused() {
    let desk = Desk::new();
    desk.create("").ok();
    let bytes = fs::read(desk.0.file("app.run")).unwrap();
    for (length, reason) in [
        (30, "cut off"),
        (4_095, "cut off"),
        (9_000, "cut off"),
        (bytes.len() - 600, "it ends too early"),
        (bytes.len() - 1, "damaged or incomplete"),
    ] {
        desk.0.write("bad.run", &bytes[..length]);
        desk.run("verify bad.run").failed(4, &[reason, "bad.run"]);
    }
    for (at, reason) in [
        (40, "script at its start was changed"),
        (1_000, "script at its start was changed"),
        (4_000, "script at its start was changed"),
        (5_000, "the program before the package: expected sha256:"),
        (bytes.len() - 3_000, "bad.run"),
    ] {
        desk.change(at);
        desk.run("verify bad.run").failed(4, &[reason]);
    }
    desk.change(5_000);
    desk.shell("sh bad.run -d").failed(4, &["the program in it is damaged"]);
    desk.change(bytes.len() - 3_000);
    desk.shell("sh bad.run --base v1.tar -o never.tar").failed(4, &["bad.run"]);
    assert!(!fs::exists(desk.0.file("never.tar")).unwrap());
    let mut later = bytes.clone();
    later[27] = b'2';
    desk.0.write("bad.run", &later);
    desk.run("verify bad.run").failed(4, &["in the form self-contained-1, found `self-contained-2`"]);
}

#[test]
fn another_machine_is_told_of() {
    let desk = Desk::new();
    desk.create("").ok();
    let uname = desk.0.write("uname", b"#!/bin/sh\n[ \"$1\" = -s ] && echo Linux || echo sparc64\n");
    fs::set_permissions(uname, fs::Permissions::from_mode(0o755)).unwrap();
    desk.shell("PATH=$PWD:$PATH sh app.run").failed(3, &["and this is Linux on sparc64"]);
}

#[test]
fn what_applies_no_packages_is_not_put_before_one() {
    let desk = Desk::new();
    let file_delta = env!("CARGO_BIN_EXE_file_delta");
    for (program, reason) in [
        ("/bin/sh", "it is another program"),
        (file_delta, "it is another program"),
        ("v1.tar", "it is no program of Linux for 64 bits"),
    ] {
        desk.run(&format!("create v2.tar no.run --base v1.tar --self-contained={program}"))
            .failed(2, &[reason, "hint:"]);
    }
    desk.run("create v2.tar no.run --base v1.tar --self-contained")
        .failed(3, &["neither beside this program", "hint:"]);
    desk.run("create v2.tar no.run --base v1.tar --self-contained=absent").failed(3, &["absent"]);
    desk.run("create v2.tar no.run --base v1.tar --self-contained --volume-size 1M").failed(2, &["--volume-size"]);
    assert!(!fs::exists(desk.0.file("no.run")).unwrap());
}
