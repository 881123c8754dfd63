//! What `create` keeps of bases, and where.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use delta_core::digest::DiffId;

use crate::support::{Folder, Ran, command, finish, image, layer, names, noise};

const KNOWN: &str = "is known from before";

/// A layer that stays, and one that changes.
fn versions() -> (Folder, [DiffId; 2]) {
    let folder = Folder::new();
    let data = noise(1, 2_000_000);
    let stays = layer(&[("data", &noise(2, 1_500_000))]);
    let changes = |version: &[u8]| layer(&[("data", &data), ("etc/version", &[&noise(3, 500)[..], version].concat())]);
    let ids = [&stays, &changes(b"1")].map(|layer| DiffId::of(layer));
    for (file, tag, version) in [("v1.tar", "app:v1", b"1"), ("v2.tar", "app:v2", b"2")] {
        image(&folder, file, tag, &[stays.clone(), changes(version)]);
    }
    (folder, ids)
}

/// Makes the package of the second version, with these variables of the environment set or not.
fn create(folder: &Folder, variables: &[(&str, Option<&str>)], options: &[&str]) -> Ran {
    let [base, target, package] = ["v1.tar", "v2.tar", "p.ddelta"].map(|name| folder.file(name));
    let arguments = [&["create", "-f", "-v", "--base", &base, &target, &package], options].concat();
    let mut command = command("docker_delta", &arguments);
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    finish(&mut command)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_base_is_known_the_second_time_and_the_package_is_the_same() {
    let (folder, ids) = versions();
    let cache = folder.file("cache");
    let kept = folder.path().join("cache/docker_delta/bases");
    let run = |options: &[&str]| {
        let ran = create(&folder, &[("XDG_CACHE_HOME", Some(&cache))], options).ok();
        (ran.stderr.matches(KNOWN).count(), fs::read(folder.file("p.ddelta")).unwrap())
    };
    let (known, package) = run(&["--no-cache"]);
    assert!(known == 0 && !kept.exists());
    assert!(run(&[]) == (0, package.clone()));
    let mut expected = ids.map(|id| id.hex());
    expected.sort();
    assert_eq!(names(&kept), expected);
    assert_eq!((mode(&kept), mode(&kept.join(&expected[0]))), (0o700, 0o600));
    assert!(run(&[]) == (2, package.clone()));
    assert!(run(&["--no-cache"]) == (0, package.clone()));
    fs::write(kept.join(&expected[0]), b"something else").unwrap();
    assert!(run(&[]) == (1, package.clone()));
    assert!(run(&[]) == (2, package), "it was replaced");
}

#[test]
fn where_nothing_can_be_kept_nothing_is_said() {
    let (folder, _) = versions();
    let expected = create(&folder, &[], &["--no-cache"]).ok().stderr;
    let file = folder.write("file", b"");
    for variables in [
        [("XDG_CACHE_HOME", Some("/dev/null")), ("HOME", None)],
        [("XDG_CACHE_HOME", Some("/proc")), ("HOME", None)],
        [("XDG_CACHE_HOME", None), ("HOME", None)],
        [("XDG_CACHE_HOME", None), ("HOME", Some(&file))],
    ] {
        assert_eq!(create(&folder, &variables, &[]).ok().stderr, expected, "{variables:?}");
    }
}

#[test]
fn it_is_kept_where_the_user_keeps_such_things() {
    let (folder, ids) = versions();
    let home = folder.file("home");
    create(&folder, &[("XDG_CACHE_HOME", None), ("HOME", Some(&home))], &[]).ok();
    assert!(folder.path().join("home/.cache/docker_delta/bases").join(ids[0].hex()).exists());
}

#[test]
fn a_base_that_was_damaged_since_is_found_where_it_is_used() {
    let (folder, ids) = versions();
    let cache = folder.file("cache");
    let run = |options: &[&str]| create(&folder, &[("XDG_CACHE_HOME", Some(&cache))], options);
    run(&[]).ok();
    let sound = fs::read(folder.file("v1.tar")).unwrap();
    // What is copied from the layer that changes, and what stays on both sides.
    for (start, layer, is_used) in [(noise(1, 64), ids[1], true), (noise(2, 64), ids[0], false)] {
        let mut damaged = sound.clone();
        let place = sound.windows(64).position(|window| window == start).unwrap();
        damaged[place + 5_000] ^= 1;
        folder.write("v1.tar", &damaged);
        let named = format!("the base layer {}: expected sha256:", layer.short());
        match is_used {
            true => drop(run(&[]).failed(4, &[&named])),
            false => drop(run(&[]).ok()),
        }
        run(&["--check-bases"]).failed(4, &[&named]);
        run(&["--no-cache"]).failed(4, &[&named]);
    }
}
