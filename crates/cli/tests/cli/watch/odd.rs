//! What people put into a folder by mistake, and how they call the program.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::{SIGNED, Site};
use crate::support::shell;

#[test]
fn what_is_no_package_is_passed_over_and_told_once() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    fs::create_dir_all(site.path("in/folder/done")).unwrap();
    fs::copy(site.path("in/p.ddelta"), site.path("outside")).unwrap();
    symlink("../outside", site.path("in/link.ddelta")).unwrap();
    symlink("nowhere", site.path("in/dangling.ddelta")).unwrap();
    shell(
        "coreutils",
        &site.0,
        "cd in && mkfifo pipe.ddelta && touch README.txt .hidden q.ddelta.partial r.ddelta.minisig",
    );
    let _socket = UnixListener::bind(site.path("in/socket.ddelta")).unwrap();
    let before = site.names("in");
    let ran = site.once("").ok();
    for said in [
        "folder is passed over: it is a folder",
        "link.ddelta is passed over: it is a symbolic link",
        "dangling.ddelta is passed over: it is a symbolic link",
        "pipe.ddelta is passed over: it is no regular file",
        "socket.ddelta is passed over: it is no regular file",
        "README.txt is passed over: it is called like something to read",
        ".hidden is passed over: its name starts with a dot",
        "q.ddelta.partial is passed over: its name says that it is not written wholly",
        "r.ddelta.minisig is passed over: the package that it belongs beside is not there",
    ] {
        assert_eq!(ran.stderr.matches(said).count(), 1, "{said}:\n{}", ran.stderr);
    }
    let mut after = site.names("in");
    after.retain(|name| name != "done" && name != "failed");
    after.push("p.ddelta".to_owned());
    after.sort();
    assert_eq!(after, before);
}

#[test]
fn names_of_every_kind_go_through() {
    let site = Site::new();
    site.drop_package("p", SIGNED);
    let long = "n".repeat(255);
    let names: [&[u8]; 8] = [
        b"-",
        b"--help",
        b"a b'\"$(c)",
        "t\u{e4}st \u{1b}[2J".as_bytes(),
        b"two\nlines",
        long.as_bytes(),
        b"docker:\\x",
        b"p.ddelta.json",
    ];
    for name in names {
        fs::copy(site.path("in/p"), site.path("in").join(OsStr::from_bytes(name))).unwrap();
    }
    let ran = site.once("").ok();
    assert!(ran.stderr.contains("9 packages were applied") && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    let done = site.names("in/done");
    assert_eq!(done.len(), 18, "{done:?}");
    assert!(done.iter().all(|name| name.len() <= 255));
    assert!(
        ["-", "--help", "a b'\"$(c)", "two\nlines", "-.json"].iter().all(|name| done.iter().any(|known| known == name))
    );
    assert_eq!(site.names("in"), ["done", "failed"]);
}

#[test]
fn a_name_of_other_bytes_than_utf8_goes_through() {
    let site = Site::new();
    let name = OsStr::from_bytes(b"\xff.ddelta");
    site.drop_package("p", SIGNED);
    fs::rename(site.path("in/p"), site.path("in").join(name)).unwrap();
    site.once("--json").ok();
    assert!(site.path("in/done").join(name).exists());
    assert_eq!(fs::read_dir(site.path("in/done")).unwrap().count(), 2);
    assert_eq!(site.names("images"), ["\u{fffd}.tar"]);
}

#[test]
fn numbers_make_no_volumes() {
    let site = Site::new();
    for name in ["p.001", "p.002"] {
        site.drop_package(name, SIGNED);
    }
    site.once("").ok();
    assert_eq!(site.names("in/done"), ["p.001", "p.001.json", "p.002", "p.002.json"]);
}

#[test]
fn what_was_compressed_as_a_whole_is_refused_without_a_signature_beside_it() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    shell("zstd", &site.0, "cd in && zstd -q --rm p.ddelta  && mv p.ddelta.zst packed");
    // Compressed as a whole it cannot be checked by the signature inside.
    site.once("").failed(4, &["compressed as a whole"]);
    assert_eq!(site.names("in/failed"), ["packed", "packed.error.json"]);
}

#[test]
fn drawers_that_somebody_took_are_not_followed() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    fs::create_dir(site.path("elsewhere")).unwrap();
    symlink("../elsewhere", site.path("in/done")).unwrap();
    site.once("").failed(3, &["in/done", "no link to one"]);
    fs::remove_file(site.path("in/done")).unwrap();
    fs::write(site.path("in/done"), b"a file").unwrap();
    site.once("").failed(3, &["in/done"]);
    assert!(site.names("elsewhere").is_empty());
    assert_eq!(fs::read(site.path("in/done")).unwrap(), b"a file");
    assert!(site.path("in/p.ddelta").exists());
}

#[test]
fn differences_of_files_are_told_what_applies_them() {
    let site = Site::new();
    let mut command =
        crate::support::command("file_delta", &["create", "v1.tar", "v2.tar", "in/d.delta", "--sign", "vendor.key"]);
    crate::support::finish(command.current_dir(site.0.path())).ok();
    site.once("").failed(2, &["file_delta apply"]);
    assert_eq!(site.json("in/failed/d.delta.error.json")["error"]["exit_code"], 2);
}

#[test]
fn what_docker_hands_to_its_plugin_is_handed_on() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    symlink(env!("CARGO_BIN_EXE_docker_delta"), site.path("docker-delta")).unwrap();
    let mut plugin = std::process::Command::new(site.path("docker-delta"));
    plugin.args(["--context", "nowhere", "delta", "watch", "in", "--once", "--interval", "1", "--trust", "vendor.pub"]);
    crate::support::finish(plugin.current_dir(site.0.path())).failed(3, &["nowhere", "p.ddelta is tried again"]);
}
