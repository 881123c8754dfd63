//! What is on the disk when a run fails, is killed, or is not alone.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Folder, Ran, command, docker_delta, finish, image, layer, names, noise, real, sample, seen};

fn pair() -> [String; 2] {
    ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")))
}

/// Runs with a system call that fails from its `number`th time on.
fn failing(folder: &Folder, call: &str, number: usize, program: &str, arguments: &[&str]) -> Ran {
    let inject = format!("inject={call}:error=EIO:when={number}+");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject, program]);
    command.args(arguments).current_dir(folder.path());
    let ran = command.output();
    assert!(ran.is_ok(), "install the Debian package strace: {ran:?}");
    finish(&mut command)
}

#[test]
fn what_is_not_on_the_disk_has_no_name() {
    let folder = Folder::new();
    let [v1, v2] = pair();
    let program = env!("CARGO_BIN_EXE_docker_delta");
    let package = folder.file("old.ddelta");
    docker_delta(&["create", &v1, &package]).ok();
    docker_delta(&["apply", &package, "-o", &folder.file("old/")]).ok();
    let before = (fs::read(&package).unwrap(), fs::metadata(folder.file("old")).unwrap().ino());
    for (call, number, arguments) in [
        // The file, then its folder.
        ("fsync", 1, &["create", &v2, "new.ddelta"][..]),
        ("fsync", 2, &["create", &v2, "new.ddelta"]),
        ("fsync", 1, &["create", "-f", &v2, "old.ddelta"]),
        ("fsync", 2, &["create", "-f", &v2, "old.ddelta"]),
        ("syncfs", 1, &["apply", "old.ddelta", "-o", "new/"]),
        ("fsync", 1, &["apply", "old.ddelta", "-o", "new/"]),
        ("syncfs", 1, &["apply", "-f", "old.ddelta", "-o", "old/"]),
        ("fsync", 1, &["apply", "-f", "old.ddelta", "-o", "old/"]),
    ] {
        let ran = failing(&folder, call, number, program, arguments);
        ran.failed(3, &["writing", "Input/output error"]);
        assert_eq!(names(folder.path()), ["old", "old.ddelta"], "{call} {number} {arguments:?}");
        assert_eq!((fs::read(&package).unwrap(), fs::metadata(folder.file("old")).unwrap().ino()), before);
    }
    assert_eq!(seen(&folder.file("old")), seen(&v1));
}

#[test]
fn what_killed_runs_left_is_swept() {
    let folder = Folder::new();
    let [_, v2] = pair();
    let left = folder.path().join(".docker_delta-AbCdEf12.partial");
    fs::create_dir_all(left.join("closed/inner")).unwrap();
    fs::set_permissions(left.join("closed"), fs::Permissions::from_mode(0o500)).unwrap();
    folder.write(".docker_delta-00000000.partial", b"half a package");
    folder.write(".docker_delta-notes.partial", b"another name");
    docker_delta(&["create", &v2, &folder.file("p.ddelta")]).ok();
    assert_eq!(names(folder.path()), [".docker_delta-notes.partial", "p.ddelta"]);
}

#[test]
fn a_killed_run_leaves_no_file() {
    let folder = Folder::new();
    let big = image(&folder, "big.tar", "big:v1", &[layer(&[("noise", &noise(7, 24 << 20))])]);
    let arguments = ["create", &big, &folder.file("p.ddelta"), "-l", "22"];
    let mut child = command("docker_delta", &arguments).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names(folder.path()), ["big.tar"]);
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let folder = Folder::new();
    let [v1, v2] = pair();
    let package = folder.file("p.ddelta");
    let spawn = |arguments: &[&str]| {
        command("docker_delta", arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for _ in 0..5 {
        let runs: Vec<_> = (0..4).map(|_| spawn(&["create", &v2, &package, "-b", &v1])).collect();
        let codes: Vec<i32> =
            runs.into_iter().map(|run| run.wait_with_output().unwrap().status.code().unwrap()).collect();
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
        assert!(codes.iter().all(|code| [0, 2, 3].contains(code)), "{codes:?}");
        docker_delta(&["verify", &package]).ok();
        let runs: Vec<_> = (0..4).map(|_| spawn(&["create", "-f", &v2, &package, "-b", &v1])).collect();
        for run in runs {
            let output = run.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let code = output.status.code().unwrap();
            assert!(code == 0 || (code == 3 && said.contains("meanwhile")), "{said}");
        }
        docker_delta(&["verify", &package]).ok();
        assert_eq!(names(folder.path()), ["p.ddelta"]);
        fs::remove_file(&package).unwrap();
    }
}

#[test]
fn names_may_be_as_long_as_the_file_system_allows() {
    let folder = Folder::new();
    let [v1, v2] = pair();
    let [package, archive, layout, delta, made] =
        ["p", "a", "l", "d", "m"].map(|letter| folder.file(&letter.repeat(255)));
    for force in [&[][..], &["-f"]] {
        docker_delta(&[&["create", &v2, &package, "-b", &v1], force].concat()).ok();
        docker_delta(&[&["apply", &package, "-b", &v1, "-o", &archive], force].concat()).ok();
        docker_delta(&[&["apply", &package, "-b", &v1, "-o", &format!("oci:{layout}")], force].concat()).ok();
        crate::support::file_delta(&[&["create", &v1, &v2, &delta], force].concat()).ok();
        crate::support::file_delta(&[&["apply", &v1, &delta, &made], force].concat()).ok();
    }
    assert_eq!(fs::read(&made).unwrap(), fs::read(&v2).unwrap());
    docker_delta(&["create", &v2, &folder.file(&"p".repeat(256))]).failed(3, &["File name too long"]);
    assert_eq!(names(folder.path()).len(), 5);
}

/// A folder that everybody may reach, with the program in it.
fn public() -> Folder {
    let folder = Folder::new();
    real("coreutils", "chmod", &["755", folder.path().to_str().unwrap()]);
    for (name, from) in ["v1.tar", "v2.tar"].iter().zip(pair()) {
        fs::copy(from, folder.file(name)).unwrap();
    }
    fs::copy(env!("CARGO_BIN_EXE_docker_delta"), folder.file("program")).unwrap();
    folder
}

fn as_nobody(folder: &Folder, arguments: &[&str]) -> Ran {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "./program"]).args(arguments);
    finish(command.current_dir(folder.path()).env("HOME", "/nonexistent"))
}

#[test]
fn a_folder_that_is_closed_to_the_user_is_said_before_the_work() {
    let folder = public();
    fs::create_dir(folder.file("mine")).unwrap();
    real("coreutils", "chown", &["65534:65534", &folder.file("mine")]);
    for arguments in [&["create", "v2.tar", "p.ddelta"][..], &["create", "-d", "v2.tar", "p.ddelta"]] {
        as_nobody(&folder, arguments).failed(3, &["p.ddelta cannot be written", "Permission denied", "hint:"]);
    }
    as_nobody(&folder, &["create", "v2.tar", "mine"]).ok();
    for output in ["out.tar", "out/"] {
        for dry in ["-d", "-v"] {
            as_nobody(&folder, &["apply", dry, "mine/v2.ddelta", "-o", output])
                .failed(3, &["out", "cannot be written"]);
        }
    }
    // What others own may be replaced where the folder is one's own, and what cannot be looked at is not.
    fs::copy(folder.file("mine/v2.ddelta"), folder.file("mine/root.ddelta")).unwrap();
    as_nobody(&folder, &["create", "-f", "v1.tar", "mine/root.ddelta"]).ok();
    fs::copy(folder.file("mine/v2.ddelta"), folder.file("mine/secret.ddelta")).unwrap();
    fs::set_permissions(folder.file("mine/secret.ddelta"), fs::Permissions::from_mode(0o600)).unwrap();
    as_nobody(&folder, &["create", "-f", "v1.tar", "mine/secret.ddelta"])
        .failed(3, &["secret.ddelta", "Permission denied"]);
    assert_eq!(names(Path::new(&folder.file("mine"))), ["root.ddelta", "secret.ddelta", "v2.ddelta"]);
}
