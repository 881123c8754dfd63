//! Odd command lines and places: each says what is meant, and loses nothing.

use std::fs;
use std::process::{Command, Stdio};

use crate::failures::small_file_system;
use crate::support::{Folder, Ran, command, docker_delta, file_delta, finish, names, noise, sample};

/// A folder with two images, a package, two files and what makes one of the other.
fn desk() -> Folder {
    let folder = Folder::new();
    for version in ["v1", "v2"] {
        fs::copy(sample(&format!("tiny/docker28-classic/{version}.tar")), folder.file(&format!("{version}.tar")))
            .unwrap();
    }
    folder.write("old", &noise(1, 2_000_000));
    folder.write("new", &[&noise(1, 2_000_000)[..], b"more"].concat());
    ran(&folder, "docker_delta", &["create", "v2.tar", "p.ddelta", "--base", "v1.tar"]).ok();
    ran(&folder, "file_delta", &["create", "old", "new", "d.delta"]).ok();
    folder
}

fn ran(folder: &Folder, program: &str, arguments: &[&str]) -> Ran {
    finish(command(program, arguments).current_dir(folder.path()).stdin(Stdio::null()))
}

#[test]
fn what_is_typed_in_the_wrong_place_is_told() {
    let folder = desk();
    let before = names(folder.path());
    for (program, arguments, code, texts) in [
        (
            "docker_delta",
            &["create", "v2.tar", "x", "-b", "p.ddelta"][..],
            4,
            &["p.ddelta is no image but a package"][..],
        ),
        ("docker_delta", &["create", "p.ddelta", "x"], 4, &["p.ddelta is no image but a package"]),
        ("docker_delta", &["inspect", "p.ddelta"], 4, &["p.ddelta is no image but a package", "docker_delta info"]),
        (
            "docker_delta",
            &["apply", "p.ddelta", "out.tar", "-b", "v1.tar"],
            2,
            &["found a file `out.tar`", "-o out.tar"],
        ),
        ("docker_delta", &["apply", "p.ddelta", "p.ddelta", "-b", "v1.tar"], 2, &["found a file `p.ddelta`"]),
        (
            "docker_delta",
            &["apply", "p.ddelta", "-b", "v1.tar", "-o", "docker-daemon:a:v1"],
            2,
            &["goes into the engine"],
        ),
        ("docker_delta", &["apply", "p.ddelta", "-b", "v1.tar", "-o", "dir:out"], 2, &["-o oci:DIR"]),
        ("docker_delta", &["apply", "p.ddelta", "-b", "v1.tar", "-o", "oci:out:v9"], 2, &["apply PACKAGE v9 -o out"]),
        (
            "docker_delta",
            &["create", "-f", "v2.tar", "v2.tar"],
            2,
            &["v2.tar, which this run reads, cannot be written"],
        ),
        (
            "docker_delta",
            &["create", "-f", "v2.tar", "./v2.tar"],
            2,
            &["./v2.tar is v2.tar, which this run reads, cannot be written"],
        ),
        ("docker_delta", &["create", "-", "x", "-b", "-"], 2, &["only one file", "standard input"]),
        ("file_delta", &["create", "-", "-", "x"], 2, &["only one file", "standard input"]),
        ("file_delta", &["apply", "d.delta", "old", "x"], 4, &["old", "the order is OLD DELTA NEW"]),
    ] {
        ran(&folder, program, arguments).failed(code, texts);
        assert_eq!(names(folder.path()), before, "{arguments:?}");
    }
}

#[test]
fn an_input_is_never_written_whatever_it_is_called() {
    let folder = desk();
    fs::hard_link(folder.file("old"), folder.file("hard")).unwrap();
    std::os::unix::fs::symlink("old", folder.file("soft")).unwrap();
    let bytes = fs::read(folder.file("old")).unwrap();
    let through = format!("{}/../{}/old", folder.path().display(), folder.path().file_name().unwrap().display());
    for name in ["old", "./old", "hard", "soft", &through, "/proc/self/cwd/old", "/dev/fd/0"] {
        let mut command = command("file_delta", &["apply", "-f", "old", "d.delta", name]);
        let stdin = fs::File::options().read(true).write(true).open(folder.file("old")).unwrap();
        let ran = finish(command.current_dir(folder.path()).stdin(stdin));
        ran.failed(2, &["which this run reads, cannot be written"]);
    }
    // Under another mount.
    let script = format!(
        "mkdir other && mount --bind . other && '{}' apply -f old d.delta other/old",
        env!("CARGO_BIN_EXE_file_delta")
    );
    let ran = finish(Command::new("unshare").args(["-m", "sh", "-c", &script]).current_dir(folder.path()));
    ran.failed(2, &["which this run reads, cannot be written"]);
    assert!(fs::read(folder.file("old")).unwrap() == bytes);
}

#[test]
fn files_that_are_no_archive_cannot_steer_a_terminal() {
    let folder = Folder::new();
    let odd = folder.write("odd", &b"\x1b[31mred\r\n\x07".repeat(200));
    let said = docker_delta(&["inspect", &odd]).failed(4, &["is no archive that can be read"]).stderr;
    assert!(said.lines().count() == 1 && !said.contains(['\x1b', '\x07', '\r']), "{said:?}");
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error() {
    let folder = desk();
    let program = env!("CARGO_BIN_EXE_file_delta");
    let script = format!("ulimit -f 8; '{program}' apply old d.delta made");
    let before = names(folder.path());
    let ran = finish(Command::new("bash").args(["-c", &script]).current_dir(folder.path()));
    ran.failed(3, &["File too large"]);
    assert_eq!(names(folder.path()), before);
}

#[test]
fn a_socket_in_a_new_folder_is_refused_and_devices_come_back() {
    let folder = Folder::new();
    for name in ["old", "new"] {
        fs::create_dir(folder.file(name)).unwrap();
    }
    let socket = std::os::unix::net::UnixListener::bind(folder.file("new/socket")).unwrap();
    let arguments = ["create", "old", "new", "delta"];
    ran(&folder, "file_delta", &arguments).failed(4, &["new/socket is a socket, which cannot be carried", "remove it"]);
    assert_eq!(names(folder.path()), ["new", "old"]);
    drop(socket);
    fs::rename(folder.file("new/socket"), folder.file("old/socket")).unwrap();
    crate::support::real("coreutils", "mknod", &[&folder.file("new/null"), "c", "1", "3"]);
    ran(&folder, "file_delta", &arguments).ok();
    ran(&folder, "file_delta", &["apply", "old", "delta", "made"]).ok();
    assert_eq!(names(&folder.path().join("made")), ["null"]);
}

#[test]
fn room_for_files_is_looked_at_before_the_work() {
    let folder = desk();
    let program = env!("CARGO_BIN_EXE_file_delta");
    let word = |name: &str| folder.file(name);
    let (old, new, delta, made) = (word("old"), word("new"), word("d.delta"), word("made"));
    for method in ["auto", "xdelta3", "bsdiff"] {
        let plain = word(&format!("{method}.delta"));
        file_delta(&["create", "-m", method, &old, &new, &plain]).ok();
        for dry in ["-d", "-v"] {
            let (inside, mount) = (word("mount/made"), word("mount"));
            let ran = small_file_system(&folder, "rw", program, &["apply", dry, &old, &plain, &inside]);
            ran.failed(3, &["a file needs 3 MB", "MB are free"]);
            let arguments = ["apply", dry, &old, &plain, &made, "--temp-dir", &mount];
            small_file_system(&folder, "rw", program, &arguments)
                .failed(3, &["rebuilding NEW needs 3 MB", "--temp-dir"]);
            let arguments = ["create", dry, "-m", method, &old, &new, &word("x"), "--temp-dir", &mount];
            small_file_system(&folder, "rw", program, &arguments).failed(3, &["proving the difference needs 3 MB"]);
        }
    }
    assert!(!names(folder.path()).contains(&"made".to_owned()) && fs::exists(delta).unwrap());
}
