//! What the programs say of themselves.

use snapbox::{assert_data_eq, file};

use crate::support::{Folder, docker_delta, file_delta, finish, names};

#[test]
fn help_is_what_it_was() {
    assert_data_eq!(docker_delta(&["--help"]).ok().stdout, file!["help/docker_delta.txt"]);
    assert_data_eq!(docker_delta(&["create", "--help"]).ok().stdout, file!["help/create.txt"]);
    assert_data_eq!(docker_delta(&["apply", "--help"]).ok().stdout, file!["help/apply.txt"]);
    assert_data_eq!(docker_delta(&["watch", "--help"]).ok().stdout, file!["help/watch.txt"]);
    assert_data_eq!(docker_delta(&["push", "--help"]).ok().stdout, file!["help/push.txt"]);
    assert_data_eq!(docker_delta(&["pull", "--help"]).ok().stdout, file!["help/pull.txt"]);
    assert_data_eq!(file_delta(&["--help"]).ok().stdout, file!["help/file_delta.txt"]);
}

#[test]
fn every_command_has_help_and_a_version() {
    let commands = [
        "create",
        "apply",
        "watch",
        "push",
        "pull",
        "list",
        "info",
        "verify",
        "split",
        "join",
        "repair",
        "inspect",
        "compare",
        "doctor",
        "completions",
        "man",
    ];
    for command in commands {
        let help = docker_delta(&[command, "-h"]).ok().stdout;
        assert!(help.contains("Usage: docker_delta") && help.contains("\nExamples:\n"), "{command}");
    }
    for command in ["create", "apply"] {
        let help = file_delta(&[command, "-h"]).ok().stdout;
        assert!(help.contains("Usage: file_delta") && help.contains("\nExamples:\n"), "{command}");
    }
    assert!(docker_delta(&["--version"]).ok().stdout.starts_with(concat!("docker_delta ", env!("CARGO_PKG_VERSION"))));
    assert!(file_delta(&["--version"]).ok().stdout.starts_with(concat!("file_delta ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn completions_and_man_pages_come_from_the_same_definitions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = docker_delta(&["completions", shell]).ok().stdout;
        assert!(script.contains("docker_delta") && script.contains("file_delta"), "{shell}");
    }
    let folder = Folder::new();
    docker_delta(&["man", &folder.file("man")]).ok();
    let pages = names(&folder.path().join("man"));
    for page in ["docker_delta.1", "docker_delta-create.1", "file_delta.1", "file_delta-apply.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
    docker_delta(&["man", &folder.file("man")]).ok();
    folder.write("man/file_delta.1", b"precious");
    docker_delta(&["man", &folder.file("man")]).failed(2, &["file_delta.1 exists already", "hint:"]);
    assert_eq!(std::fs::read(folder.file("man/file_delta.1")).unwrap(), b"precious");
}

#[test]
fn the_program_is_a_plugin_of_docker_under_its_name() {
    let folder = Folder::new();
    let plugin = folder.file("docker-delta");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_docker_delta"), &plugin).unwrap();
    let ran = finish(std::process::Command::new(&plugin).arg("docker-cli-plugin-metadata")).ok();
    let metadata: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(metadata["SchemaVersion"], "0.1.0");
    let ran = finish(std::process::Command::new(&plugin).args(["--context", "lab", "delta", "--version"])).ok();
    assert!(ran.stdout.starts_with("docker_delta "), "{}", ran.stdout);
}
