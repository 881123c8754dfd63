//! Media that fail, files that change while they are read, and pipes: told for what they are, and nothing is left.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Folder, Ran, command, file_delta, finish, names, noise, real, sample};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// A folder with files of every kind that is read, and the library that makes their reading go wrong.
struct Desk {
    folder: Folder,
    library: Folder,
}

impl Desk {
    fn new() -> Self {
        let (folder, library) = (Folder::new(), Folder::new());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/faults.c");
        let source = source.to_str().unwrap();
        real("gcc", "cc", &["-shared", "-fPIC", "-O1", "-Wall", "-o", &library.file("faults.so"), source]);
        for version in ["v1", "v2"] {
            fs::copy(sample(&format!("tiny/docker28-classic/{version}.tar")), folder.file(version)).unwrap();
        }
        let old = noise(1, 300_000);
        folder.write("old", &old);
        folder.write("new", &[&old[..200_000], b"between", &old[200_000..]].concat());
        let desk = Self { folder, library };
        desk.ran("docker_delta", &["create", "v2", "package", "--base", "v1"], None).ok();
        desk.ran("file_delta", &["create", "old", "new", "delta"], None).ok();
        desk.ran("file_delta", &["create", "-m", "bsdiff", "old", "new", "plain"], None).ok();
        desk
    }

    /// Runs a program in the folder while `fault` happens to the file of that name.
    fn ran(&self, program: &str, arguments: &[&str], fault: Option<(&str, &str)>) -> Ran {
        let mut command = command(program, arguments);
        command.current_dir(self.folder.path());
        if let Some((fault, file)) = fault {
            let file = self.folder.path().canonicalize().unwrap().join(file);
            command.env("LD_PRELOAD", self.library.file("faults.so")).env("FAULT", fault).env("FAULT_FILE", file);
        }
        finish(&mut command)
    }
}

const READING: [(&str, &[&str], &[&str]); 8] = [
    ("docker_delta", &["create", "v2", "made", "--base", "v1"], &["v1", "v2"]),
    ("docker_delta", &["apply", "package", "--base", "v1", "-o", "made"], &["v1", "package"]),
    ("docker_delta", &["verify", "package"], &["package"]),
    ("docker_delta", &["list", "package"], &["package"]),
    ("docker_delta", &["inspect", "v1"], &["v1"]),
    ("file_delta", &["create", "old", "new", "made"], &["old", "new"]),
    ("file_delta", &["apply", "old", "delta", "made"], &["old", "delta"]),
    ("file_delta", &["apply", "old", "plain", "made"], &["old", "plain"]),
];

#[test]
fn a_medium_that_cannot_be_read_is_no_damage_of_the_file() {
    let desk = Desk::new();
    let before = names(desk.folder.path());
    for (program, arguments, files) in READING {
        for file in files {
            let size = fs::metadata(desk.folder.file(file)).unwrap().len();
            // Nobody needs all of an archive.
            let is_archive = ["v1", "v2"].contains(file);
            for at in [0, 700, size / 2, size - 1].into_iter().filter(|at| *at < size && (*at <= 700 || !is_archive)) {
                let ran = desk.ran(program, arguments, Some((&format!("eio {at}"), file)));
                ran.failed(3, &[file, "cannot be read from byte", "Input/output error", "the medium"]);
                assert_eq!(names(desk.folder.path()), before, "{arguments:?} {file} {at}");
            }
        }
    }
}

/// Sectors of a stick that cannot be read: parity gives what was in them, and where there is none the medium is named.
#[test]
fn sectors_of_a_volume_that_cannot_be_read_are_made_good_or_named() {
    let desk = Desk::new();
    let volume = "stick.ddelta.001";
    desk.ran("docker_delta", &["create", "v2", "stick.ddelta", "--base", "v1", "--parity", "100%"], None).ok();
    let quarter = fs::metadata(desk.folder.file(volume)).unwrap().len() / 4;
    let apply = ["apply", "stick.ddelta", "--base", "v1", "-o", "made"];
    let before = names(desk.folder.path());
    for at in [0, 700, quarter, 3 * quarter] {
        let fault = format!("eio {at}");
        let ran = desk.ran("docker_delta", &apply, Some((&fault, volume))).ok();
        assert!(ran.stderr.contains("parity made up for"), "{at}: {}", ran.stderr);
        fs::remove_file(desk.folder.file("made")).unwrap();
        assert_eq!(names(desk.folder.path()), before, "{at}");
    }
    // The same where nothing can be made good.
    fs::remove_file(desk.folder.file("stick.ddelta.002")).unwrap();
    let fault = format!("eio {}", 3 * quarter);
    let ran = desk.ran("docker_delta", &apply, Some((&fault, volume)));
    ran.failed(3, &[volume, "cannot be read", "missing: stick.ddelta.002"]);
    // And where there was never any parity.
    desk.ran("docker_delta", &["split", "package", "alone", "--volume-size", "1G"], None).ok();
    let apply = ["apply", "alone.001", "--base", "v1", "-o", "made"];
    let fault = format!("eio {}", 3 * quarter);
    desk.ran("docker_delta", &apply, Some((&fault, "alone.001")))
        .failed(3, &["alone.001", "cannot be read", "the medium"]);
    assert!(!names(desk.folder.path()).contains(&"made".to_owned()));
}

#[test]
fn interrupted_and_short_reads_and_writes_change_nothing() {
    let desk = Desk::new();
    for (program, arguments, files) in READING {
        let plain = desk.ran(program, arguments, None).ok();
        let made = fs::read(desk.folder.file("made")).ok();
        let _ = fs::remove_file(desk.folder.file("made"));
        for file in files {
            for fault in ["eintr", "short"] {
                let ran = desk.ran(program, arguments, Some((fault, file))).ok();
                assert_eq!(ran.stdout, plain.stdout, "{arguments:?} {file} {fault}");
                assert_eq!(fs::read(desk.folder.file("made")).ok(), made, "{arguments:?} {file} {fault}");
                let _ = fs::remove_file(desk.folder.file("made"));
            }
        }
    }
}

#[test]
fn what_changes_while_it_is_read_is_no_base_and_no_target() {
    let desk = Desk::new();
    let before = names(desk.folder.path());
    for (program, arguments, files) in READING.into_iter().filter(|(_, arguments, _)| arguments[0] != "inspect") {
        for file in files {
            let bytes = fs::read(desk.folder.file(file)).unwrap();
            for (fault, text) in [
                ("truncate", "became shorter while it was read"),
                ("append", "changed while it was read"),
                ("overwrite", "changed while it was read"),
            ] {
                let ran = desk.ran(program, arguments, Some((fault, file)));
                // What was there to its end is whole, whatever comes behind that; its digests say so.
                let is_proved = fault == "append" && program == "docker_delta" && arguments[0] != "create";
                if is_proved && ran.code == 0 {
                    let _ = fs::remove_file(desk.folder.file("made"));
                } else {
                    ran.failed(3, &[file, text, "read a copy"]);
                }
                assert_eq!(names(desk.folder.path()), before, "{arguments:?} {file} {fault}");
                fs::write(desk.folder.file(file), &bytes).unwrap();
            }
        }
    }
}

#[test]
fn every_write_that_is_refused_leaves_nothing() {
    let desk = Desk::new();
    let before = names(desk.folder.path());
    for (program, arguments, _) in READING.into_iter().filter(|(_, arguments, _)| arguments.contains(&"made")) {
        for (error, text) in [(EIO, "Input/output error"), (ENOSPC, "No space left on device")] {
            let mut number = 1;
            loop {
                let ran = desk.ran(program, arguments, Some((&format!("refuse {number} {error}"), "")));
                if ran.code == 0 {
                    break;
                }
                ran.failed(3, &[text]);
                assert_eq!(names(desk.folder.path()), before, "{arguments:?} {number}");
                number += 1;
            }
            assert!(number > 1, "{arguments:?} writes nothing");
            fs::remove_file(desk.folder.file("made")).unwrap();
        }
    }
}

/// What is written, and what may be said of its place.
const WRITING: [(&str, &[&str]); 5] = [
    ("docker_delta", &["create", "v2", "place/made", "--base", "v1"]),
    ("docker_delta", &["apply", "package", "--base", "v1", "-o", "place/made"]),
    ("file_delta", &["create", "old", "new", "place/made"]),
    ("file_delta", &["create", "-m", "bsdiff", "old", "new", "place/made"]),
    ("file_delta", &["apply", "old", "delta", "place/made"]),
];

#[test]
fn a_medium_that_keeps_other_bytes_is_found_out() {
    let desk = Desk::new();
    fs::create_dir(desk.folder.file("place")).unwrap();
    let made = desk.folder.file("place/made");
    for (program, arguments) in WRITING {
        let arguments = &[arguments, &["--verify-write"]].concat();
        desk.ran(program, arguments, None).ok();
        let meant = fs::read(&made).unwrap();
        fs::remove_file(&made).unwrap();
        for byte in [0, meant.len() / 2, meant.len() - 1] {
            let rot = format!("rot {byte}");
            let ran = desk.ran(program, arguments, Some((&rot, "place")));
            let place = format!("place/made, in the 4096 bytes from byte {}", byte / 4096 * 4096);
            ran.failed(3, &["the medium gives back other bytes", &place, "hint:"]);
            assert!(names(&desk.folder.path().join("place")).is_empty(), "{arguments:?}");
            // Nothing that was there before is lost to a bad medium.
            if program == "docker_delta" {
                fs::write(&made, &meant).unwrap();
                let again = [arguments.as_slice(), &["-f"]].concat();
                desk.ran(program, &again, Some((&rot, "place"))).failed(3, &["the medium gives back other bytes"]);
                assert!(fs::read(&made).unwrap() == meant, "{arguments:?}");
                fs::remove_file(&made).unwrap();
            }
        }
    }
}

#[test]
fn folders_are_read_back_too() {
    let desk = Desk::new();
    for tree in ["a", "b"] {
        fs::create_dir(desk.folder.file(tree)).unwrap();
        fs::write(desk.folder.file(&format!("{tree}/file")), tree.repeat(9000)).unwrap();
    }
    desk.ran("file_delta", &["create", "a", "b", "trees"], None).ok();
    for (program, arguments) in [
        ("docker_delta", ["apply", "package", "--base", "v1", "--verify-write", "-o", "oci:made"].as_slice()),
        ("file_delta", &["apply", "a", "trees", "made", "--verify-write"]),
    ] {
        desk.ran(program, arguments, None).ok();
        fs::remove_dir_all(desk.folder.file("made")).unwrap();
    }
    let ran = desk.ran("docker_delta", &["create", "v2", "-", "--verify-write"], None);
    ran.failed(2, &["nothing can be read back from standard output"]);
    desk.ran("docker_delta", &["apply", "package", "--verify-write"], None).failed(2, &["--output"]);
}

/// Writes what `cat` reads into a pipe, and gives it as `/dev/fd/0`.
fn piped(desk: &Desk, program: &str, arguments: &[&str], file: &str) -> Ran {
    let mut cat = Command::new("cat").arg(desk.folder.file(file)).stdout(Stdio::piped()).spawn().unwrap();
    let mut command = command(program, arguments);
    command.current_dir(desk.folder.path()).stdin(cat.stdout.take().unwrap());
    let ran = finish(&mut command);
    // A program that needs nothing of it must not let `cat` wait.
    drop(command);
    cat.wait().unwrap();
    ran
}

#[test]
fn pipes_are_read_to_their_end() {
    let desk = Desk::new();
    for name in ["-", "/dev/fd/0", "/dev/stdin"] {
        for (program, arguments, file, expected) in [
            ("docker_delta", &["create", name, "made", "--base", "v1"][..], "v2", "package"),
            ("docker_delta", &["create", "v2", "made", "--base", name], "v1", "package"),
            ("docker_delta", &["verify", name], "package", ""),
            ("file_delta", &["apply", name, "delta", "made"], "old", "new"),
            ("file_delta", &["apply", "old", name, "made"], "delta", "new"),
            ("file_delta", &["apply", "old", name, "made"], "plain", "new"),
        ] {
            let said = piped(&desk, program, arguments, file).ok().stderr;
            assert_eq!(said.contains("is a pipe"), name != "-", "{said}");
            if !expected.is_empty() {
                let made = fs::read(desk.folder.file("made")).unwrap();
                assert!(made == fs::read(desk.folder.file(expected)).unwrap(), "{arguments:?}");
                fs::remove_file(desk.folder.file("made")).unwrap();
            }
        }
        piped(&desk, "file_delta", &["create", "old", name, "made"], "new").ok();
        file_delta(&["apply", "-d", &desk.folder.file("old"), &desk.folder.file("made"), &desk.folder.file("x")]).ok();
        fs::remove_file(desk.folder.file("made")).unwrap();
    }
    piped(&desk, "file_delta", &["create", "-", "-", "made"], "new").failed(2, &["only one file", "standard input"]);
}

#[test]
fn a_fifo_without_a_writer_is_said() {
    let desk = Desk::new();
    real("coreutils", "mkfifo", &[&desk.folder.file("fifo")]);
    for (program, arguments) in [
        ("docker_delta", &["verify", "fifo"][..]),
        ("docker_delta", &["create", "fifo", "made"]),
        ("file_delta", &["create", "fifo", "new", "made"]),
        ("file_delta", &["apply", "old", "fifo", "made"]),
    ] {
        let mut words = vec!["1", env!("CARGO_BIN_EXE_docker_delta")];
        if program == "file_delta" {
            words[1] = env!("CARGO_BIN_EXE_file_delta");
        }
        words.extend(arguments);
        let ran = finish(Command::new("timeout").args(words).current_dir(desk.folder.path()));
        ran.failed(124, &["fifo is a pipe; what comes through it is read to its end"]);
    }
}
