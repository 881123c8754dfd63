//! The service that packages bring: systemd understands it, and what it runs is a command of this program.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::Folder;

fn unit() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/docker_delta-watch.service");
    fs::read_to_string(path).unwrap()
}

fn analyze(arguments: &[&str]) -> (bool, String) {
    let done = Command::new("systemd-analyze").args(arguments).output();
    let done = done.unwrap_or_else(|error| panic!("install the Debian package systemd: {error}"));
    (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
}

#[test]
fn systemd_understands_the_service() {
    let folder = Folder::new();
    // Where the program is on this machine; and no manual is installed here.
    let text = unit().replace("/usr/bin/docker_delta", env!("CARGO_BIN_EXE_docker_delta"));
    let text = text.lines().filter(|line| !line.starts_with("Documentation=")).collect::<Vec<_>>().join("\n");
    let path = folder.write("docker_delta-watch.service", text.as_bytes());
    assert_eq!(analyze(&["verify", &path]), (true, String::new()));
    // What is left open is what an engine without a daemon needs; a change that opens more shows here (the most exposed have 10).
    let (is_below, said) = analyze(&["security", "--offline=true", "--threshold=60", &path]);
    assert!(is_below, "{said}");
}

#[test]
fn the_service_runs_a_command_of_this_program() {
    let unit = unit();
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/docker_delta ")).unwrap();
    assert_eq!(line, "watch /var/spool/docker_delta");
    for package in ["package-deb", "package-rpm"] {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(package);
        assert!(fs::read_to_string(script).unwrap().contains("/var/spool/docker_delta"), "{package} makes the folder");
    }
}
