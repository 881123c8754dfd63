//! `kill -9` of a watch at every system call that moves or makes something: the package is there once, and the next run brings it to its end.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::{SIGNED, Site, USUAL};

/// What is dropped: a package with a signature beside it, and one in volumes.
fn drop_both(site: &Site) {
    site.drop_package("p.ddelta", "--sign vendor.key --detached");
    site.run(&format!("create v2.tar q.ddelta --base v1.tar -f {SIGNED}")).ok();
    site.run("split q.ddelta in --volume-size 8192").ok();
}

/// The files of packages, by their content, wherever they are.
fn packages(site: &Site) -> BTreeMap<Vec<u8>, usize> {
    let mut found = BTreeMap::new();
    for folder in ["in", "in/done", "in/failed"] {
        if !site.path(folder).exists() {
            continue;
        }
        for name in site.names(folder).iter().filter(|name| !name.ends_with(".json")) {
            if let Ok(bytes) = fs::read(site.path(folder).join(name)) {
                *found.entry(bytes).or_default() += 1;
            }
        }
    }
    found
}

#[test]
fn killed_wherever_something_moves() {
    let site = Site::new();
    for call in ["renameat2", "renameat", "unlinkat", "fsync", "openat", "wait4,waitid"] {
        for number in 1.. {
            drop_both(&site);
            let before = packages(&site);
            let plain = site.command(&format!("watch in --once {USUAL} --quiet"));
            let mut traced = Command::new("strace");
            // Only the watch itself; what it starts ends with it or goes on, and harms nothing.
            let step = if call == "openat" { number * 7 } else { number };
            traced.args(["-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
            traced.args(["-e", &format!("inject={call}:signal=KILL:when={step}")]);
            traced.arg(plain.get_program()).args(plain.get_args()).current_dir(site.0.path());
            let status = traced.status().unwrap_or_else(|error| panic!("install the Debian package strace: {error}"));
            assert_eq!(packages(&site), before, "{call} {number}");
            site.once("--quiet").ok();
            assert_eq!(packages(&site), before, "{call} {number}: the next run");
            assert_eq!(site.names("in"), ["done", "failed"], "{call} {number}");
            assert!(site.names("in/failed").is_empty(), "{call} {number}");
            // Everything that was moved together has a receipt beside it.
            let done = site.names("in/done");
            assert!(
                done.contains(&"p.ddelta.minisig".to_owned()) && done.contains(&"q.ddelta.001".to_owned()),
                "{done:?}"
            );
            assert!(
                ["p.ddelta.json", "q.ddelta.json"].iter().all(|name| done.contains(&(*name).to_owned())),
                "{done:?}"
            );
            fs::remove_dir_all(site.path("in/done")).unwrap();
            if status.success() {
                break;
            }
        }
    }
}
