//! What is written where: nothing of the user's is lost, whatever is named as output.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Folder, Ran, command, docker_delta, finish, names, real, sample, seen};

fn pair() -> [String; 2] {
    ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")))
}

/// A copy of both images, a package, and a letter that nothing can bring back.
fn desk() -> Folder {
    let folder = Folder::new();
    for (name, from) in ["v1.tar", "v2.tar"].iter().zip(pair()) {
        fs::copy(from, folder.file(name)).unwrap();
    }
    let [v1, v2, package] = ["v1.tar", "v2.tar", "p.ddelta"].map(|name| folder.file(name));
    docker_delta(&["create", &v2, &package, "--base", &v1]).ok();
    folder.write("letter", b"precious");
    fs::create_dir(folder.path().join("stick")).unwrap();
    folder.write("stick/photo", b"precious");
    folder
}

/// Everything in a folder: names, types, contents.
fn state(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut state = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        let metadata = fs::symlink_metadata(&path).unwrap();
        let kind = metadata.file_type();
        if kind.is_dir() {
            state.push((format!("{name}/"), Vec::new()));
            state.extend(self::state(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else if kind.is_symlink() {
            state.push((format!("{name} -> {}", fs::read_link(&path).unwrap().display()), Vec::new()));
        } else {
            let bytes = if kind.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            state.push((format!("{name} {:o}", metadata.mode()), bytes));
        }
    }
    state
}

/// Runs what must fail, also as a dry run, and leaves everything as it was.
#[track_caller]
fn refused(folder: &Folder, arguments: &[&str], code: i32, texts: &[&str]) {
    let before = state(folder.path());
    let run = |arguments: &[&str]| {
        let program = if arguments.contains(&"OLD") { "file_delta" } else { "docker_delta" };
        finish(command(program, arguments).current_dir(folder.path()))
    };
    for arguments in [arguments.to_vec(), [arguments, &["-d"]].concat()] {
        let ran = run(&arguments).failed(code, texts);
        assert!(!ran.stderr.contains("-f\n"), "a hint leads into a loss: {}", ran.stderr);
        assert_eq!(state(folder.path()), before, "{arguments:?}");
    }
}

fn inside(folder: &Folder, program: &str, arguments: &[&str]) -> Ran {
    finish(command(program, arguments).current_dir(folder.path()))
}

#[test]
fn a_folder_gets_the_package_inside_of_it() {
    let desk = desk();
    for force in [&[][..], &["-f"]] {
        let ran =
            inside(&desk, "docker_delta", &[&["create", "v2.tar", "stick", "--base", "v1.tar"], force].concat()).ok();
        assert!(ran.stderr.contains("stick/v2.ddelta weighs"), "{}", ran.stderr);
        assert_eq!(names(&desk.path().join("stick")), ["photo", "v2.ddelta"]);
        assert_eq!(fs::read(desk.file("stick/v2.ddelta")).unwrap(), fs::read(desk.file("p.ddelta")).unwrap());
    }
    inside(&desk, "docker_delta", &["create", "v2.tar", "stick/"]).failed(2, &["stick/v2.ddelta exists already", "-f"]);
    fs::write(desk.file("stick/v1.ddelta"), b"precious").unwrap();
    refused(&desk, &["create", "-f", "v1.tar", "stick"], 2, &["stick/v1.ddelta", "is not a package", "hint:"]);
    refused(&desk, &["create", "-f", "v1.tar", "v2.tar", "stick"], 2, &["stick is a folder", "stick/NAME.ddelta"]);
    refused(&desk, &["create", "-f", "-", "stick"], 2, &["stick is a folder"]);
    inside(&desk, "docker_delta", &["create", "v1.tar", "missing/"]).failed(3, &["the folder missing/ does not exist"]);
}

#[test]
fn a_folder_gets_the_archive_difference_or_file_inside_of_it() {
    let desk = desk();
    let apply = ["apply", "p.ddelta", "--base", "v1.tar", "-o"];
    inside(&desk, "docker_delta", &[&apply[..], &["docker-archive:stick"]].concat()).ok();
    assert_eq!(seen(&desk.file("stick/tiny-v2.tar")), seen(&desk.file("v2.tar")));
    fs::write(desk.file("OLD"), b"old").unwrap();
    fs::write(desk.file("new.bin"), b"new").unwrap();
    inside(&desk, "file_delta", &["create", "OLD", "new.bin", "stick"]).ok();
    fs::create_dir(desk.file("there")).unwrap();
    inside(&desk, "file_delta", &["apply", "OLD", "stick/new.bin.delta", "there"]).ok();
    assert_eq!(fs::read(desk.file("there/new.bin")).unwrap(), b"new");
    fs::rename(desk.file("stick/new.bin.delta"), desk.file("other")).unwrap();
    refused(&desk, &["apply", "-f", "OLD", "other", "there"], 2, &["there is a folder", "there/NAME"]);
}

#[test]
fn force_replaces_only_what_is_ours() {
    let desk = desk();
    fs::write(desk.file("OLD"), b"old").unwrap();
    fs::write(desk.file("new"), b"new").unwrap();
    let base = ["--base", "v1.tar"];
    for (arguments, texts) in [
        (
            &["create", "-f", "v1.tar", "v2.tar"][..],
            &["v2.tar is an image archive", "hint: the package is named last"][..],
        ),
        (&["create", "v1.tar", "v2.tar"], &["v2.tar is an image archive"]),
        (&["create", "-f", "v2.tar", "v2.tar"], &["v2.tar, which this run reads"]),
        (&["create", "-f", "v2.tar", "v1.tar", "--base", "v1.tar"], &["which this run reads"]),
        (
            &["create", "-f", "v2.tar", "letter"],
            &["letter exists already and is not a package", "remove this one yourself"],
        ),
        (&["create", "v2.tar", "letter"], &["letter exists already and is not a package"]),
        (&["create", "-f", "OLD", "new", "letter"], &["letter exists already and is not a difference"]),
        (&["create", "-f", "OLD", "new", "new"], &["which this run reads"]),
        (&["create", "-f", "OLD", "new", "v1.tar"], &["an image archive, not a difference"]),
        (&["apply", "-f", "p.ddelta", "-o", "p.ddelta"], &["which this run reads"]),
        (&["apply", "-f", "p.ddelta", "-o", "letter"], &["is not an image archive"]),
        (&["apply", "-f", "p.ddelta", "-o", "stick"], &["stick holds other things than an OCI layout", "stick/image"]),
        (&["apply", "-f", "p.ddelta", "-o", "stick/"], &["holds other things"]),
        (&["apply", "-f", "p.ddelta", "-o", "oci:letter"], &["letter is a file, where an OCI layout"]),
        (&["apply", "-f", "p.ddelta", "-o", "."], &["holds other things"]),
    ] {
        let arguments = if arguments[0] == "apply" { [arguments, &base].concat() } else { arguments.to_vec() };
        refused(&desk, &arguments, 2, texts);
    }
    refused(&desk, &["apply", "-f", "p.ddelta", "--base", "v1.tar", "-o", "v1.tar"], 2, &["which this run reads"]);
    let apply = ["apply", "-f", "p.ddelta", "--base", "v1.tar", "-o"];
    let archive = desk.file("out.tar");
    fs::copy(desk.file("v1.tar"), &archive).unwrap();
    inside(&desk, "docker_delta", &[&apply[..], &["out.tar"]].concat()).ok();
    assert_eq!(seen(&archive), seen(&desk.file("v2.tar")));
    inside(&desk, "docker_delta", &["create", "-f", "v1.tar", "p.ddelta"]).ok();
    assert_eq!(names(desk.path()), ["OLD", "letter", "new", "out.tar", "p.ddelta", "stick", "v1.tar", "v2.tar"]);
}

#[test]
fn inputs_are_known_through_links() {
    let desk = desk();
    fs::hard_link(desk.file("v1.tar"), desk.file("hard.tar")).unwrap();
    symlink("v1.tar", desk.file("soft.tar")).unwrap();
    for output in ["hard.tar", "soft.tar", "./stick/../v1.tar"] {
        refused(&desk, &["create", "-f", "v1.tar", output], 2, &["which this run reads"]);
        refused(&desk, &["apply", "-f", "p.ddelta", "-b", "v1.tar", "-o", output], 2, &["which this run reads"]);
    }
    let before = state(desk.path());
    let stdin = fs::File::open(desk.file("p.ddelta")).unwrap();
    let mut apply = command("docker_delta", &["apply", "-f", "-", "-b", "v1.tar", "-o", "p.ddelta"]);
    finish(apply.current_dir(desk.path()).stdin(stdin)).failed(2, &["p.ddelta is -, which this run reads"]);
    assert_eq!(state(desk.path()), before);
}

#[test]
fn a_link_stays_and_its_target_is_replaced() {
    let desk = desk();
    fs::rename(desk.file("p.ddelta"), desk.file("stick/real.ddelta")).unwrap();
    symlink("stick/real.ddelta", desk.file("link")).unwrap();
    inside(&desk, "docker_delta", &["create", "v1.tar", "link"]).failed(2, &["link exists already"]);
    fs::set_permissions(desk.file("stick/real.ddelta"), fs::Permissions::from_mode(0o600)).unwrap();
    inside(&desk, "docker_delta", &["create", "-f", "v1.tar", "link"]).ok();
    assert!(fs::symlink_metadata(desk.file("link")).unwrap().is_symlink());
    docker_delta(&["verify", &desk.file("stick/real.ddelta")]).ok();
    assert_eq!(fs::metadata(desk.file("stick/real.ddelta")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(names(&desk.path().join("stick")), ["photo", "real.ddelta"]);
    symlink("nowhere", desk.file("dangling")).unwrap();
    refused(&desk, &["create", "-f", "v1.tar", "dangling"], 2, &["a symbolic link to nowhere, which is not there"]);
    symlink("loop", desk.file("loop")).unwrap();
    refused(&desk, &["create", "-f", "v1.tar", "loop"], 3, &["loop"]);
}

#[test]
fn a_layout_is_replaced_in_one_step_and_no_other_folder_is() {
    let desk = desk();
    let apply = |force: &str, output: &str| {
        inside(&desk, "docker_delta", &["apply", force, "p.ddelta", "-b", "v1.tar", "-o", output])
    };
    apply("-v", "new/").ok();
    apply("-v", "new").failed(2, &["new exists already", "replace it with -f"]);
    let before = fs::metadata(desk.file("new")).unwrap().ino();
    apply("-f", "new").ok();
    assert_ne!(fs::metadata(desk.file("new")).unwrap().ino(), before);
    assert_eq!(seen(&desk.file("new")), seen(&desk.file("v2.tar")));
    fs::write(desk.file("new/notes.txt"), b"precious").unwrap();
    apply("-f", "oci:new").failed(2, &["holds other things"]);
    assert_eq!(fs::read(desk.file("new/notes.txt")).unwrap(), b"precious");
    fs::create_dir(desk.file("empty")).unwrap();
    apply("-v", "empty").ok();
    fs::create_dir(desk.file("here")).unwrap();
    let mut command = command("docker_delta", &["apply", "../p.ddelta", "-b", "../v1.tar", "-o", "."]);
    finish(command.current_dir(desk.file("here"))).failed(2, &["the folder in which you are", "./NAME"]);
}

#[test]
fn folders_of_users_are_never_replaced() {
    let desk = desk();
    for (name, content) in [("OLD", "old"), ("new", "new"), ("made", "precious")] {
        fs::create_dir(desk.file(name)).unwrap();
        fs::write(desk.file(&format!("{name}/file")), content).unwrap();
    }
    inside(&desk, "file_delta", &["create", "OLD", "new", "tree.delta"]).ok();
    refused(
        &desk,
        &["apply", "-f", "OLD", "tree.delta", "made"],
        2,
        &["made exists already and is not empty", "new folder"],
    );
    refused(&desk, &["apply", "-f", "OLD", "tree.delta", "letter"], 2, &["letter is a file, where a folder"]);
    refused(&desk, &["apply", "-f", "OLD", "tree.delta", "OLD"], 2, &["which this run reads"]);
    refused(&desk, &["apply", "-f", "OLD", "tree.delta", "OLD/new"], 2, &["is inside of OLD"]);
    refused(&desk, &["create", "-f", "OLD", "new", "new/x.delta"], 2, &["is inside of new"]);
    refused(&desk, &["create", "-f", "OLD", "new", "OLD"], 2, &["is inside of OLD"]);
    refused(&desk, &["apply", "OLD", "tree.delta", "-"], 2, &["cannot go to standard output"]);
    fs::create_dir(desk.file("empty")).unwrap();
    inside(&desk, "file_delta", &["apply", "OLD", "tree.delta", "empty"]).ok();
    assert_eq!(fs::read(desk.file("empty/file")).unwrap(), b"new");
}

#[test]
fn devices_are_written_through_and_sockets_and_disks_refused() {
    let desk = desk();
    let null = || fs::metadata("/dev/null").unwrap();
    let before = (null().rdev(), null().ino());
    for output in ["/dev/null", "fifo"] {
        if output == "fifo" {
            real("coreutils", "mkfifo", &[&desk.file("fifo")]);
        }
        for arguments in [
            &["create", "-f", "v2.tar", output][..],
            &["create", "v2.tar", output],
            &["apply", "-f", "p.ddelta", "-b", "v1.tar", "-o", output],
        ] {
            let reader = (output == "fifo")
                .then(|| Command::new("cat").arg(desk.file("fifo")).stdout(Stdio::piped()).spawn().unwrap());
            inside(&desk, "docker_delta", arguments).ok();
            if let Some(reader) = reader {
                let through = reader.wait_with_output().unwrap().stdout;
                assert!(through.len() > 10_000, "{arguments:?}");
            }
        }
    }
    assert_eq!((null().rdev(), null().ino()), before);
    assert!(fs::metadata(desk.file("fifo")).unwrap().file_type().is_fifo());
    inside(&desk, "docker_delta", &["create", "v2.tar", "/dev/full"]).failed(3, &["writing /dev/full: No space left"]);
    inside(&desk, "docker_delta", &["apply", "-f", "p.ddelta", "-b", "v1.tar", "-o", "oci:/dev/null"])
        .failed(2, &["/dev/null is a device, where an OCI layout"]);
    let _socket = UnixListener::bind(desk.file("socket")).unwrap();
    refused(&desk, &["create", "-f", "v2.tar", "socket"], 2, &["socket is a socket"]);
    real("coreutils", "mknod", &[&desk.file("disk"), "b", "7", "199"]);
    refused(&desk, &["create", "-f", "v2.tar", "disk"], 2, &["disk is a disk, whose content would be lost"]);
}

#[test]
fn a_dash_is_standard_output() {
    let desk = desk();
    let piped = |program: &str, arguments: &[&str]| {
        let output = command(program, arguments).current_dir(desk.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let package = fs::read(desk.file("p.ddelta")).unwrap();
    for output in ["-", "/dev/stdout"] {
        assert_eq!(piped("docker_delta", &["create", "v2.tar", output, "-b", "v1.tar"]), package);
    }
    let archive = piped("docker_delta", &["apply", "p.ddelta", "-b", "v1.tar", "-o", "-"]);
    assert_eq!(seen(&desk.write("again.tar", &archive)), seen(&desk.file("v2.tar")));
    let delta = piped("file_delta", &["create", "letter", "p.ddelta", "-"]);
    desk.write("d", &delta);
    assert_eq!(piped("file_delta", &["apply", "letter", "d", "-"]), package);
    refused(&desk, &["create", "--json", "v2.tar", "-"], 2, &["--json", "standard output"]);
    assert!(!names(desk.path()).contains(&"-".to_owned()));
    // The shell made this file, and the program writes into it.
    let shell = format!("'{}' create v2.tar /dev/stdout -b v1.tar > shell.ddelta", env!("CARGO_BIN_EXE_docker_delta"));
    finish(Command::new("sh").args(["-c", &shell]).current_dir(desk.path())).ok();
    assert_eq!(fs::read(desk.file("shell.ddelta")).unwrap(), package);
    // A reader that goes away is not told that all is well.
    let mut child = command("docker_delta", &["apply", "p.ddelta", "-b", "v1.tar", "-o", "-"]);
    let mut child = child.current_dir(desk.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut some = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn a_terminal_gets_no_package() {
    let desk = desk();
    let command = format!("'{}' create v2.tar -", env!("CARGO_BIN_EXE_docker_delta"));
    let ran = finish(
        Command::new("script").args(["-qec", &command, "/dev/null"]).current_dir(desk.path()).stdin(Stdio::null()),
    );
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("standard output is a terminal") && ran.stdout.len() < 500, "{}", ran.stdout);
    refused(&desk, &["create", "-f", "v2.tar", "/dev/tty"], 2, &["/dev/tty is a terminal"]);
}
