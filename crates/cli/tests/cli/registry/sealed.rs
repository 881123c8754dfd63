//! Signed packages in registries: a signature beside one goes along, and is asked for as `apply` asks for it.

use std::fs;

use serde_json::Value;

use super::proxy::{Act, Proxy};
use super::server::{Guard, Registry, lonely};
use crate::signed::{Desk, on_a_machine};
use crate::support::{Ran, finish, seen};

/// Keys, two versions of an image, a package between them with a signature beside it, and a registry with both versions.
struct Shelf {
    desk: Desk,
    registry: Registry,
}

impl Shelf {
    fn new() -> Self {
        let shelf = Self { desk: Desk::new(), registry: Registry::start(Guard::Nothing) };
        for version in ["v1", "v2"] {
            let from = format!("docker-archive:{}", shelf.desk.0.file(&format!("{version}.tar")));
            shelf.registry.fill(&from, &format!("app:{version}"));
        }
        let image = shelf.registry.name("app");
        shelf.run(&format!("create {image}:v2 p.ddelta --base {image}:v1")).ok();
        shelf.run("sign p.ddelta --key vendor.key --detached --sequence 7").ok();
        shelf
    }

    fn run(&self, line: &str) -> Ran {
        let mut command = lonely(&self.desk.0, &line.split_whitespace().collect::<Vec<_>>());
        finish(command.current_dir(self.desk.0.path()).env("XDG_STATE_HOME", self.desk.0.path()))
    }

    fn push(&self) -> Ran {
        self.run(&format!("push p.ddelta {}", self.registry.name("app:v2"))).ok()
    }

    fn pull(&self, options: &str) -> Ran {
        let image = self.registry.name("app");
        self.run(&format!("pull {image}:v2 --base {image}:v1 {options}"))
    }

    fn exists(&self, name: &str) -> bool {
        self.desk.0.path().join(name).exists()
    }
}

#[test]
fn a_signature_beside_a_package_is_asked_for_where_it_is_pulled() {
    let shelf = Shelf::new();
    shelf.run(&format!("push p.ddelta {} --trust site.pub", shelf.registry.name("app:v2"))).failed(4, &["not trusted"]);
    let ran = shelf.push();
    assert!(ran.stderr.contains("signed by key") && ran.stderr.contains("beside"), "{}", ran.stderr);
    assert!(shelf.push().stderr.contains("nothing is sent"));
    let ran = shelf.pull("-o trusted.tar --trust vendor.pub --no-downgrade").ok();
    assert!(ran.stderr.contains("trusted here (vendor.pub), number 7, beside"), "{}", ran.stderr);
    let digest = shelf.registry.digest("app:v2");
    assert_eq!(seen(&shelf.desk.0.file("trusted.tar"))["images"][0]["root"]["digest"], digest.as_str());
    shelf.pull("-o other.tar --trust site.pub").failed(4, &["not trusted here", "site.pub"]);
    shelf.pull("--download other.ddelta --trust site.pub").failed(4, &["not trusted here", "site.pub"]);
    assert!(!shelf.exists("other.tar") && !shelf.exists("other.ddelta") && !shelf.exists("other.ddelta.minisig"));
    // An older one of the same key is noticed, wherever it comes from.
    shelf.run("sign p.ddelta --key vendor.key --detached --sequence 3 -f").ok();
    shelf.push();
    let older = shelf.run("apply p.ddelta -o older.tar --trust vendor.pub --no-downgrade --base v1.tar");
    older.failed(4, &["older than what was applied"]);
}

#[test]
fn a_package_that_is_kept_has_its_signature_beside_it() {
    let shelf = Shelf::new();
    shelf.push();
    shelf.pull("--download kept.ddelta --trust vendor.pub").ok();
    for (kept, sent) in [("kept.ddelta", "p.ddelta"), ("kept.ddelta.minisig", "p.ddelta.minisig")] {
        assert_eq!(fs::read(shelf.desk.0.file(kept)).unwrap(), fs::read(shelf.desk.0.file(sent)).unwrap());
    }
    shelf.desk.minisign("-Vm kept.ddelta -p vendor.pub");
    shelf.run("verify kept.ddelta --trust vendor.pub").ok();
    // What is there is not written over, and nothing is written where the signature has no place.
    fs::remove_file(shelf.desk.0.file("kept.ddelta")).unwrap();
    shelf.pull("--download kept.ddelta").failed(2, &["kept.ddelta.minisig exists"]);
    assert!(!shelf.exists("kept.ddelta"));
    shelf.pull("--download kept.ddelta -f").ok();
}

#[test]
fn of_the_same_package_with_a_signature_and_without_the_signed_one_is_taken() {
    let shelf = Shelf::new();
    let signature = fs::read(shelf.desk.0.file("p.ddelta.minisig")).unwrap();
    fs::remove_file(shelf.desk.0.file("p.ddelta.minisig")).unwrap();
    shelf.push();
    shelf.pull("-o out.tar --trust vendor.pub").failed(4, &["it is not signed", "vendor.pub"]);
    shelf.desk.0.write("p.ddelta.minisig", &signature);
    let ran = shelf.run(&format!("push --json p.ddelta {}", shelf.registry.name("app:v2"))).ok();
    let pushed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(pushed["sent_bytes"], signature.len());
    let ran = shelf.pull("-d --json -o out.tar").ok();
    let offered: Value = serde_json::from_str(&ran.stdout).unwrap();
    crate::words::documented(&offered);
    let signed = offered["packages"].as_array().unwrap().iter().map(|package| &package["signed_beside"]);
    assert_eq!(signed.collect::<Vec<_>>(), [true, false], "{offered}");
    shelf.pull("-o out.tar --trust vendor.pub").ok();
}

#[test]
fn keys_of_the_machine_ask_for_signatures_of_what_is_pulled() {
    let shelf = Shelf::new();
    shelf.push();
    let image = format!("docker://127.0.0.1:{}/app", shelf.registry.port());
    let pull = |keys: &str, out: &str| {
        let line = format!("pull {image}:v2 --base {image}:v1 -o {out}");
        on_a_machine(
            &shelf.desk,
            &format!("export HOME=$PWD; install -m 644 {keys} /etc/docker_delta/trusted.d"),
            &line,
        )
    };
    pull("vendor.pub", "out.tar").ok();
    pull("site.pub", "not.tar").failed(4, &["not trusted here", "trusted.d/site.pub"]);
    assert!(!shelf.exists("not.tar"));
    pull("site.pub", "taken.tar --allow-unsigned").ok();
    assert_eq!(seen(&shelf.desk.0.file("taken.tar")), seen(&shelf.desk.0.file("out.tar")));
}

#[test]
fn a_signature_that_was_changed_on_its_way_is_refused() {
    let shelf = Shelf::new();
    shelf.push();
    let proxy = Proxy::before(shelf.registry.port());
    let (image, base) = (proxy.name("app:v2"), shelf.registry.name("app:v1"));
    let digest = delta_core::digest::BlobDigest::of(&fs::read(shelf.desk.0.file("p.ddelta.minisig")).unwrap());
    let pull = || shelf.run(&format!("pull {image} --base {base} -o out.tar --trust vendor.pub"));
    for (act, text) in
        [(Act::Spoil(100), "expected sha256:"), (Act::Answer(404, Vec::new(), String::new()), "is not there")]
    {
        proxy.reset();
        let suffix = digest.to_string();
        proxy.rule(move |seen| seen.path.ends_with(&suffix).then(|| act.clone()));
        let ran = pull();
        assert!(matches!(ran.code, 3 | 4) && ran.stderr.contains(text), "{} {}", ran.code, ran.stderr);
        assert!(!shelf.exists("out.tar"));
    }
    proxy.reset();
    pull().ok();
}
