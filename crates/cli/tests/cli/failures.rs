//! Bad input: a clear error, the right exit code, and nothing left behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Folder, command, docker_delta, finish, image, layer, names, noise, sample};

fn pair() -> [String; 2] {
    ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")))
}

fn package(folder: &Folder) -> String {
    let (package, [base, target]) = (folder.file("p.ddelta"), pair());
    docker_delta(&["create", &target, &package, "--base", &base]).ok();
    package
}

#[test]
fn what_cannot_be_meant_is_usage() {
    let [base, target] = pair();
    for (arguments, text) in [
        (&["-m", "rsync"][..], "possible values: auto, xdelta3, bsdiff, layer"),
        (&["-c", "lz4"], "possible values: zstd, gzip, bzip2, xz, none"),
        (&["-l", "23"], "1 to 22"),
        (&["-l", "0"], "found 0"),
        (&["-l", "-101"], "found -101"),
        (&["-c", "gzip", "-l", "10"], "1 to 9 for gzip"),
        (&["--platform", "linux/s390x"], "has no platform linux/s390x"),
        (&["--platform", "linux"], "expected a platform"),
        (&["--base", "docker://Debian:12"], "registry"),
    ] {
        let folder = Folder::new();
        let package = folder.file("p");
        docker_delta(&[&["create", &target, &package, "--base", &base], arguments].concat()).failed(2, &[text]);
        assert!(names(folder.path()).is_empty());
    }
    docker_delta(&["create"]).failed(2, &["usage: docker_delta create"]);
    docker_delta(&["frobnicate"]).failed(2, &["frobnicate"]);
}

#[test]
fn what_exists_is_replaced_only_by_force() {
    let folder = Folder::new();
    let [base, target] = pair();
    let package = package(&folder);
    let before = fs::read(&package).unwrap();
    docker_delta(&["create", &base, &package]).failed(2, &["exists already", "hint: replace it with -f"]);
    assert_eq!(fs::read(&package).unwrap(), before);
    docker_delta(&["create", &base, &package, "-f"]).ok();
    assert_ne!(fs::read(&package).unwrap(), before);
    let out = folder.file("out.tar");
    fs::copy(&target, &out).unwrap();
    docker_delta(&["apply", &package, "-o", &out]).failed(2, &["exists already", "hint: replace it with -f"]);
    docker_delta(&["apply", &package, "-o", &out, "-f"]).ok();
    assert_eq!(crate::support::seen(&out), crate::support::seen(&base));
}

#[test]
fn a_missing_engine_or_file_is_the_surroundings() {
    let folder = Folder::new();
    let ran = finish(command("docker_delta", &["create", "app:v1", &folder.file("p")]).env("PATH", folder.path()));
    ran.failed(3, &["no engine answers", "`docker` is not installed", "`podman` is not installed", "hint:"]);
    docker_delta(&["create", "./missing.tar", &folder.file("p")]).failed(3, &["missing.tar"]);
    docker_delta(&["apply", &folder.file("missing.ddelta")]).failed(3, &["missing.ddelta"]);
    docker_delta(&["create", &pair()[0], &folder.file("no/folder/p")]).failed(3, &["does not exist"]);
    docker_delta(&["create", &pair()[0], &folder.file("p"), "--temp-dir", "/no/folder"])
        .failed(3, &["/no/folder", "--temp-dir"]);
}

#[test]
fn a_missing_base_is_named_with_its_image() {
    let folder = Folder::new();
    let package = package(&folder);
    let out = folder.file("out.tar");
    let arguments = ["apply", &package, "-o", &out];
    // A dry run says what the run would say.
    for arguments in [&arguments[..], &[&arguments[..], &["-d"]].concat()] {
        let ran = finish(command("docker_delta", arguments).env("PATH", folder.path()));
        ran.failed(
            3,
            &[
                "base layers are missing here",
                "t/tiny:v1 (image f8ee4128d65a)",
                "`docker` is not installed",
                "--base FILE",
            ],
        );
    }
    let other = image(&folder, "other.tar", "other:v1", &[layer(&[("a", b"b")])]);
    let ran =
        finish(command("docker_delta", &[&arguments[..], &["--base", &other]].concat()).env("PATH", folder.path()));
    ran.failed(3, &["base layers are missing here"]);
    assert_eq!(names(folder.path()), ["other.tar", "p.ddelta"]);
}

#[test]
fn a_base_with_other_bytes_is_content() {
    let folder = Folder::new();
    let package = package(&folder);
    let mut bytes = fs::read(&pair()[0]).unwrap();
    // Inside of each layer's content, far from headers and documents.
    let needle = noise_of_layer(&bytes);
    bytes[needle] ^= 1;
    let altered = folder.write("altered.tar", &bytes);
    let ran = docker_delta(&["apply", &package, "--base", &altered, "-o", &folder.file("out.tar")]);
    ran.failed(4, &["expected sha256:", "found sha256:"]);
    docker_delta(&["create", &altered, &folder.file("q")]).failed(4, &["expected sha256:"]);
    assert_eq!(names(folder.path()), ["altered.tar", "p.ddelta"]);
}

/// A place in the 12,000 random bytes of the third layer.
fn noise_of_layer(archive: &[u8]) -> usize {
    let is_random = |window: &[u8]| {
        let mut seen = [false; 256];
        window.iter().for_each(|byte| seen[usize::from(*byte)] = true);
        seen.iter().filter(|seen| **seen).count() > 240
    };
    archive.windows(2048).position(is_random).unwrap() + 1024
}

#[test]
fn a_damaged_package_is_content() {
    let folder = Folder::new();
    let whole = fs::read(package(&folder)).unwrap();
    let [base, _] = pair();
    for (name, bytes) in [
        ("cut", &whole[..whole.len() - 700]),
        ("empty", &[][..]),
        ("text", b"this is no package"),
        ("half", &whole[..whole.len() / 2]),
    ] {
        let path = folder.write(name, bytes);
        docker_delta(&["apply", &path, "--base", &base, "-o", &folder.file("out.tar")]).failed(4, &[name]);
        docker_delta(&["verify", &path]).failed(4, &[]);
        docker_delta(&["info", &path]).failed(4, &[]);
    }
    let mut altered = whole.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    docker_delta(&["list", &folder.write("altered", &altered)]).failed(4, &["damaged or incomplete", "copy it again"]);
    let other = fs::read(&base).unwrap();
    docker_delta(&["list", &folder.write("archive", &other)]).failed(4, &["no package of docker_delta"]);
}

#[test]
fn archives_that_lack_something_are_refused() {
    let folder = Folder::new();
    let to = folder.file("p");
    let create = |image: &str| docker_delta(&["create", image, &to]);
    create(&sample("special/docker28-containerd-INCOMPLETE-save.tar")).failed(4, &["it is incomplete", "hint:"]);
    create(&sample("special/partial/tiny-v2-without-layers-0-1.untagged.tar")).failed(4, &["it is incomplete"]);
    let nothing = folder.write("nothing.tar", &layer(&[("file", b"bytes")]));
    create(&nothing).failed(4, &["neither manifest.json nor index.json"]);
    let no_config =
        folder.write("no-config.tar", &layer(&[("manifest.json", br#"[{"Config":"x.json","Layers":[]}]"#)]));
    create(&no_config).failed(4, &["x.json is missing"]);
    let invalid = folder.write("invalid.tar", &layer(&[("manifest.json", b"[{")]));
    create(&invalid).failed(4, &["manifest.json is not valid"]);
    assert!(!names(folder.path()).contains(&"p".to_owned()));
}

#[test]
fn a_compressed_journey_is_no_obstacle() {
    let folder = Folder::new();
    let package = package(&folder);
    crate::support::real("zstd", "zstd", &["-q", "-19", &package]);
    let [base, _] = pair();
    docker_delta(&["apply", &format!("{package}.zst"), "--base", &base, "-o", &folder.file("out.tar")]).ok();
}

#[test]
fn bases_that_are_only_held_are_checked_on_demand() {
    let folder = Folder::new();
    let layers = [layer(&[("noise", &noise(8, 9000))])];
    let sound = image(&folder, "sound.tar", "app:v1", &layers);
    let mut bytes = fs::read(&sound).unwrap();
    let place = noise_of_layer(&bytes);
    bytes[place] ^= 1;
    let damaged = folder.write("damaged.tar", &bytes);
    let package = folder.file("p.ddelta");
    let arguments = ["create", &sound, &package, "--check-bases", "--base"];
    docker_delta(&[&arguments[..], &[&damaged]].concat()).failed(4, &["the base layer", "expected sha256:", "found"]);
    docker_delta(&[&arguments[..], &[&sound]].concat()).ok();
}

pub(crate) fn in_small_file_system(folder: &Folder, options: &str, arguments: &[&str]) -> crate::support::Ran {
    small_file_system(folder, options, env!("CARGO_BIN_EXE_docker_delta"), arguments)
}

/// Runs a program with a file system of one megabyte in the folder `mount`, in a mount namespace of its own; nothing must be left
/// in it.
pub(crate) fn small_file_system(
    folder: &Folder,
    options: &str,
    program: &str,
    arguments: &[&str],
) -> crate::support::Ran {
    let mount = folder.file("mount");
    fs::create_dir_all(&mount).unwrap();
    let words: Vec<String> = arguments.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "mount -t tmpfs -o size=1m tmpfs '{mount}' && mount -o remount,{options} '{mount}' && '{program}' {}; \
         code=$?; [ -z \"$(ls -A '{mount}')\" ] || {{ ls -A '{mount}'; exit 99; }}; exit $code",
        words.join(" ")
    );
    finish(Command::new("unshare").args(["-m", "sh", "-c", &script]))
}

#[test]
fn a_full_disk_leaves_nothing() {
    let folder = Folder::new();
    let big = image(&folder, "big.tar", "big:v1", &[layer(&[("noise", &noise(5, 3 << 20))])]);
    let inside = folder.file("mount/p.ddelta");
    for arguments in [&["create", &big, &inside][..], &["create", "-d", &big, &inside]] {
        in_small_file_system(&folder, "rw", arguments).failed(3, &["a package needs", "MB are free", "free some room"]);
    }
    let package = folder.file("big.ddelta");
    docker_delta(&["create", "-m", "layer", &big, &package]).ok();
    for (output, dry) in [("out.tar", "-v"), ("out.tar", "-d"), ("out/", "-v"), ("out/", "-d")] {
        let output = folder.file(&format!("mount/{output}"));
        let ran = in_small_file_system(&folder, "rw", &["apply", dry, &package, "-o", &output]);
        ran.failed(3, &["needs", "MB are free"]);
    }
    for dry in ["-v", "-d"] {
        let mount = folder.file("mount");
        let apply = |output: &[&str]| {
            let arguments = [&["apply", dry, &package, "--temp-dir", &mount, "-o"], output].concat();
            in_small_file_system(&folder, "rw", &arguments)
        };
        // A layer goes to temporary room where it is streamed, or compared in its order with what the medium gives back.
        for output in [&["-"][..], &[&folder.file("out.tar"), "--verify-write"]] {
            apply(output).failed(3, &["rebuilding the layers needs", "--temp-dir"]);
        }
        for output in ["out.tar", "out/"].map(|output| folder.file(output)) {
            apply(&[&output]).ok();
            assert_eq!(Path::new(&output).exists(), dry == "-v");
            let _ = (fs::remove_file(&output), fs::remove_dir_all(&output));
        }
    }
    let inside = folder.file("mount");
    let ran = in_small_file_system(&folder, "rw", &["create", &big, &folder.file("p"), "--temp-dir", &inside]);
    ran.failed(3, &["proving the package needs 4 MB", "MB are free", "--temp-dir"]);
    assert_eq!(names(folder.path()), ["big.ddelta", "big.tar", "mount"]);
}

#[test]
fn a_read_only_folder_is_named() {
    let folder = Folder::new();
    let inside = folder.file("mount/p.ddelta");
    for arguments in [&["create", &pair()[0], &inside][..], &["create", "-d", &pair()[0], &inside]] {
        in_small_file_system(&folder, "ro", arguments).failed(3, &["p.ddelta cannot be written", "ead-only", "hint:"]);
    }
}

#[test]
fn a_signal_leaves_nothing() {
    let folder = Folder::new();
    let big = image(&folder, "big.tar", "big:v1", &[layer(&[("noise", &noise(6, 48 << 20))])]);
    let temporary = folder.file("temporary");
    fs::create_dir(&temporary).unwrap();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let arguments = ["create", &big, &folder.file("p.ddelta"), "--temp-dir", &temporary, "-l", "22"];
        let mut child = command("docker_delta", &arguments).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(400));
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(names(folder.path()), ["big.tar", "temporary"]);
        assert!(names(&folder.path().join("temporary")).is_empty());
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    let package = package(&folder);
    let program = env!("CARGO_BIN_EXE_docker_delta");
    let ran =
        finish(Command::new("bash").args(["-c", &format!("set -o pipefail; '{program}' list '{package}' | true")]))
            .ok();
    assert_eq!(ran.stderr, "");
}
