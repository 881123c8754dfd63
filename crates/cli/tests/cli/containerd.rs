//! Containerd where it does not answer.

use std::os::unix::net::UnixListener;

use crate::support::{Folder, Ran, command, finish, real, sample};

/// Runs with a `ctr` that is this script, or with none.
fn run(folder: &Folder, script: Option<&str>, address: &str, words: &[&str]) -> Ran {
    let programs = folder.path().join("programs");
    let _ = std::fs::create_dir(&programs);
    if let Some(script) = script {
        let path = programs.join("ctr");
        std::fs::write(&path, script).unwrap();
        real("coreutils", "chmod", &["755", path.to_str().unwrap()]);
    }
    let mut command = command("docker_delta", words);
    command.env("PATH", programs).env("CONTAINERD_ADDRESS", address).env_remove("CONTAINERD_NAMESPACE");
    finish(&mut command)
}

#[test]
fn what_is_missing_is_named() {
    let folder = Folder::new();
    let (package, socket) = (folder.file("p.ddelta"), folder.file("c.sock"));
    let words = ["create", "containerd:k8s.io/app:v1", &package];
    run(&folder, None, &socket, &words).failed(3, &["`ctr` is not installed", "k3s", "hint:"]);
    let script = Some("#!/bin/sh\nexit 0\n");
    run(&folder, script, &socket, &words).failed(3, &["no containerd answers at", "c.sock", "CONTAINERD_ADDRESS="]);
    folder.write("c.sock", b"a file");
    run(&folder, script, &socket, &words).failed(3, &["no containerd answers at", "c.sock"]);
    let refusing = Some("#!/bin/sh\necho 'ctr: rpc error: code = Unavailable' >&2\nexit 1\n");
    std::fs::remove_file(&socket).unwrap();
    let _listener = UnixListener::bind(&socket).unwrap();
    run(&folder, refusing, &socket, &words).failed(3, &["namespaces ls --quiet` failed: ctr: rpc error", "c.sock"]);
}

#[test]
fn a_namespace_is_no_image() {
    let folder = Folder::new();
    let (package, socket) = (folder.file("p.ddelta"), folder.file("c.sock"));
    let _listener = UnixListener::bind(&socket).unwrap();
    let empty = "#!/bin/sh\ncase \"$*\" in *namespaces*) echo team ;; esac\n";
    for (name, said) in [
        ("", "expected the name of an image, found a namespace `containerd:`"),
        ("k8s.io", "expected the name of an image, found a namespace `containerd:k8s.io`"),
        ("team/", "expected the name of an image, found a namespace"),
    ] {
        run(&folder, Some(empty), &socket, &["create", &format!("containerd:{name}"), &package]).failed(2, &[said]);
    }
    let words = ["create", "containerd:other/app:v1", &package];
    run(&folder, Some(empty), &socket, &words)
        .failed(3, &["(namespace default) has no image `other/app:v1`", "there are the namespaces team"]);
    let (v2, v1) = (sample("tiny/docker28-classic/v2.tar"), sample("tiny/docker28-classic/v1.tar"));
    run(&folder, Some(empty), &socket, &["create", &v2, &package, "--base", &v1]).ok();
    let to = ["containerd:team/UPPER", "containerd:team/a@sha256:00", "containerd:-x"];
    for to in to {
        run(&folder, Some(empty), &socket, &["apply", &package, to, "--base", &v1])
            .failed(2, &["expected an image name"]);
    }
    let ran =
        run(&folder, Some(empty), &socket, &["apply", "-d", &package, "containerd:team/", "--base", &v1, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.ok().stdout).unwrap();
    assert!(report["engine"].as_str().unwrap().contains("(namespace team)"), "{report}");
}
