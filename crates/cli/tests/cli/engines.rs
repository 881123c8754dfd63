//! Which engine is asked: the one that was named, or none.

use std::os::unix::fs::symlink;

use crate::support::{Folder, Ran, command, finish, real, sample};

/// Runs with this environment and, for `PATH`, a folder with these programs.
fn create(folder: &Folder, programs: &[&str], environment: &[(&str, &str)]) -> Ran {
    let bin = Folder::new();
    for program in programs {
        let found = ["/usr/local/bin", "/usr/bin"].map(|path| format!("{path}/{program}"));
        let found = found.iter().find(|path| std::path::Path::new(path).exists());
        let found = found.unwrap_or_else(|| panic!("install the Debian packages docker.io and podman: no {program}"));
        symlink(found, bin.file(program)).unwrap();
    }
    let mut command = command("docker_delta", &["create", "app:v1", &folder.file("p.ddelta")]);
    command.env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT").env("HOME", folder.path()).env("PATH", bin.path());
    finish(command.envs(environment.iter().copied()))
}

#[test]
fn an_engine_that_was_named_is_used_or_refused() {
    let folder = Folder::new();
    let both = ["docker", "podman"];
    let gone = format!("unix://{}", folder.file("gone.sock"));
    create(&folder, &both, &[("DOCKER_HOST", &gone)])
        .failed(3, &["the engine that DOCKER_HOST names", "gone.sock", "hint:", "--engine podman"]);
    create(&folder, &both, &[("DOCKER_CONTEXT", "nowhere")])
        .failed(3, &["the engine that DOCKER_CONTEXT names", "nowhere", "hint:", "--engine podman"]);
    create(&folder, &["podman"], &[("DOCKER_HOST", &gone)])
        .failed(3, &["DOCKER_HOST names an engine, but `docker` is not installed"]);
    let ran = create(&folder, &both, &[("DOCKER_HOST", &gone)]);
    assert!(!ran.stderr.contains("podman 4") && !ran.stderr.contains("no image"), "{}", ran.stderr);
}

#[test]
fn podman_is_asked_where_docker_is_not_installed() {
    let folder = Folder::new();
    create(&folder, &["podman"], &[]).failed(3, &["podman", "has no image `app:v1`"]);
    create(&folder, &["podman"], &[("DOCKER_HOST", "")]).failed(3, &["podman", "has no image `app:v1`"]);
}

#[test]
fn a_docker_that_is_podman_is_known_for_it() {
    let folder = Folder::new();
    // As in Debian's package podman-docker, which cannot be installed beside docker.io.
    let script = folder.write("docker", b"#!/bin/sh\nexec /usr/bin/podman \"$@\"\n");
    real("coreutils", "chmod", &["755", &script]);
    let mut command = command("docker_delta", &["create", "app:v1", &folder.file("p.ddelta")]);
    command.env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT").env("PATH", folder.path());
    finish(&mut command).failed(3, &["podman", "has no image `app:v1`"]);
}

#[test]
fn a_socket_that_is_denied_is_no_reason_for_another_engine() {
    let folder = Folder::new();
    let socket = folder.file("docker.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    real("coreutils", "chmod", &["600", &socket]);
    real("coreutils", "chmod", &["777", folder.path().to_str().unwrap()]);
    let program = folder.file("program");
    std::fs::copy(env!("CARGO_BIN_EXE_docker_delta"), &program).unwrap();
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", &program, "create", "app:v1"]);
    command.arg(folder.file("p.ddelta")).env("HOME", folder.path()).env("DOCKER_HOST", format!("unix://{socket}"));
    finish(&mut command).failed(3, &["permission denied", "hint:"]);
}

#[test]
fn a_tag_that_is_refused_after_loading_can_be_given_later() {
    let folder = Folder::new();
    let bin = Folder::new();
    // Podman itself, in a storage of its own, but for tags as long as there is a file `refuse`.
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = tag ] && [ -e '{0}/refuse' ] && {{ echo 'Error: no tag today' >&2; exit 125; }}\n\
         exec /usr/bin/podman --root '{0}/root' --runroot '{0}/run' --storage-driver vfs \"$@\"\n",
        folder.path().display()
    );
    let podman = bin.write("podman", script.as_bytes());
    real("coreutils", "chmod", &["755", &podman]);
    folder.write("refuse", b"");
    let package = folder.file("p.ddelta");
    crate::support::docker_delta(&["create", &sample("tiny/podman4-docker-archive/v1.tar"), &package]).ok();
    let apply = || {
        let mut command = command("docker_delta", &["--engine", "podman", "apply", &package]);
        finish(command.env("PATH", bin.path()))
    };
    let said =
        apply().failed(3, &["no tag today", "has the whole image as sha256:", "not under all of its names"]).stderr;
    // What it says finishes the work.
    std::fs::remove_file(folder.file("refuse")).unwrap();
    let finishing = said.split('`').find(|command| command.starts_with("podman tag")).unwrap();
    let words: Vec<&str> = finishing.split(' ').collect();
    assert_eq!(words.len(), 4, "{said}");
    real("podman", &podman, &["image", "exists", words[2]]);
    assert!(!has(&podman, words[3]));
    apply().ok();
    assert!(has(&podman, words[3]));
    real("podman", &podman, &["untag", words[3]]);
    real("podman", &podman, &words[1..]);
    assert!(has(&podman, words[3]));
    real("podman", &podman, &["rmi", "-f", words[2]]);
}

fn has(podman: &str, name: &str) -> bool {
    std::process::Command::new(podman).args(["image", "exists", name]).status().unwrap().success()
}
