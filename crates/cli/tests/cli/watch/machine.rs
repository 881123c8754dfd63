//! What only a machine of its own shows: its keys and policy, media that cannot be written, users that are not root.

use std::fs;
use std::process::Command;

use super::{SIGNED, Site};
use crate::support::{Ran, finish};

/// Runs lines of a shell where `/etc` is an empty one, in a mount namespace of its own; `watch` stands for the program.
fn on_a_machine(site: &Site, lines: &str) -> Ran {
    let program = env!("CARGO_BIN_EXE_docker_delta");
    let folder = site.0.path().display();
    let script = format!(
        "set -e; mount -t tmpfs none /etc; mkdir -p /etc/docker_delta/trusted.d; cd {folder}; watch() {{ {program} watch \"$@\"; }}; {lines}"
    );
    let mut command = Command::new("unshare");
    finish(command.args(["-r", "-m", "sh", "-c", &script]).env("XDG_STATE_HOME", site.path("state")))
}

const POLICY: &str = "install -m 644 watch.toml /etc/docker_delta";
const KEY: &str = "install -m 644 vendor.pub /etc/docker_delta/trusted.d";

#[test]
fn the_keys_and_the_policy_of_the_machine_count() {
    let site = Site::new();
    let here = site.0.path().display();
    fs::write(site.path("watch.toml"), format!("bases = ['{here}/v1.tar']\noutput = '{here}/images'\ninterval = 1\n"))
        .unwrap();
    site.drop_package("p.ddelta", SIGNED);
    // Nobody is trusted: nothing is taken, also where `apply` would take what nobody signed.
    on_a_machine(&site, &format!("{POLICY}; watch in --once")).failed(2, &["nobody is trusted here", "trusted.d"]);
    on_a_machine(&site, "rmdir /etc/docker_delta/trusted.d; watch in --once")
        .failed(3, &["nobody is trusted here", "NAME.pub"]);
    assert_eq!(site.names("in"), ["p.ddelta"]);
    on_a_machine(&site, &format!("{POLICY}; {KEY}; watch in --once")).ok();
    assert_eq!(site.names("in/done"), ["p.ddelta", "p.ddelta.json"]);
    // A key that was revoked since.
    site.drop_package("q.ddelta", SIGNED);
    let revoked = format!(
        "{POLICY}; {KEY}; install -m 644 stranger.pub /etc/docker_delta/trusted.d; touch /etc/docker_delta/trusted.d/vendor.revoked"
    );
    on_a_machine(&site, &format!("{revoked}; watch in --once")).failed(4, &["is revoked"]);
    // A policy of the machine that others can write.
    on_a_machine(&site, &format!("{KEY}; install -m 666 watch.toml /etc/docker_delta; watch in --once"))
        .failed(3, &["others can write /etc/docker_delta/watch.toml"]);
}

#[test]
fn a_medium_that_cannot_be_written_is_told() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    let mount = "mount --bind in in; mount -o remount,bind,ro in";
    on_a_machine(&site, &format!("{mount}; watch in --once --trust vendor.pub"))
        .failed(3, &["Read-only file system", "copy them into a folder that can be written to"]);
    assert_eq!(site.names("in"), ["p.ddelta"]);
}

#[test]
fn a_drawer_on_another_file_system_is_told() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    on_a_machine(&site, "mkdir in/done; mount -t tmpfs none in/done; watch in --once --trust vendor.pub")
        .failed(3, &["in/done is on another file system"]);
}

#[test]
fn a_folder_without_room_is_told_and_the_package_stays() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    let script = "cp in/p.ddelta p.ddelta; mount -t tmpfs -o size=32k none in; cp p.ddelta in; \
                  watch in --once --interval 1 --trust vendor.pub || code=$?; ls in; exit $code";
    let ran = on_a_machine(&site, script)
        .failed(3, &["a copy that nobody else can change needs", "hint: free some room there"]);
    assert!(ran.stdout.contains("p.ddelta"), "{}", ran.stdout);
}

/// Runs it as somebody who is not root.
fn as_nobody(site: &Site, line: &str) -> Ran {
    let program = env!("CARGO_BIN_EXE_docker_delta");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
    command.args(line.split_whitespace()).current_dir(site.0.path()).env("XDG_STATE_HOME", site.path("state"));
    finish(&mut command)
}

#[test]
fn a_user_who_may_not_move_says_so_and_the_package_stays() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    let everybody = |path: &str, mode: &str| {
        assert!(Command::new("chmod").args([mode, site.path(path).to_str().unwrap()]).status().unwrap().success());
    };
    for (path, mode) in [("", "755"), ("images", "777"), ("in", "755")] {
        everybody(path, mode);
    }
    let line = "watch in --once --interval 1 --trust vendor.pub --base v1.tar --output images";
    as_nobody(&site, line).failed(3, &["Permission denied", "must be writable for the user who watches"]);
    // Others' files in a folder with the sticky bit cannot be moved.
    everybody("in", "1777");
    as_nobody(&site, line).failed(3, &["Operation not permitted", "sticky bit", "p.ddelta is tried again"]);
    assert!(site.path("in/p.ddelta").exists() && site.names("in/done").is_empty());
    everybody("in/p.ddelta", "600");
    as_nobody(&site, line).failed(3, &["copying in/p.ddelta for ourselves", "Permission denied"]);
    // And the folder of another user's watch is not ours.
    site.once("").failed(3, &["others can write into in/.docker_delta-watch"]);
}

#[test]
fn volumes_of_which_one_cannot_be_moved_stay_together() {
    let site = Site::new();
    site.run(&format!("create v2.tar p.ddelta --base v1.tar {SIGNED}")).ok();
    site.run("split p.ddelta in --volume-size 8192").ok();
    let volumes = site.names("in");
    let script = "chmod 755 . && chmod 777 images && chmod 1777 in && chown 65534 in/p.ddelta.001";
    crate::support::shell("coreutils", &site.0, script);
    let line = "watch in --once --interval 1 --trust vendor.pub --base v1.tar --output images";
    as_nobody(&site, line).failed(3, &["Operation not permitted", "p.ddelta is tried again"]);
    assert_eq!(site.names("in"), [&["done".to_owned(), "failed".to_owned()], volumes.as_slice()].concat());
    assert!(site.names("in/done").is_empty());
    crate::support::shell("coreutils", &site.0, "chown 65534 in/p.ddelta.*");
    as_nobody(&site, line).ok();
    assert_eq!(site.names("in/done").len(), volumes.len() + 1);
}
