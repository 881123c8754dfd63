//! A folder that is watched: what becomes of packages, of what is none, and of those that others change, kill or take away.

mod alive;
mod killed;
mod machine;
mod odd;
mod unit;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::registry::server::{Guard, Registry};
use crate::support::{Folder, Ran, command, docker_delta, finish, folder_of_versions, names, shell};

/// A site without an engine: two versions of an image, keys, and the folders `in` and `images`.
pub(crate) struct Site(pub(crate) Folder);

/// Whom the site trusts, and where images go.
const USUAL: &str = "--trust vendor.pub --base v1.tar --output images --interval 1";

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self(folder_of_versions());
        for name in ["in", "images"] {
            fs::create_dir(site.path(name)).unwrap();
        }
        for name in ["vendor", "stranger"] {
            site.run(&format!("keygen --no-password {name}")).ok();
        }
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, line: &str) -> std::process::Command {
        let mut command = command("docker_delta", &line.split_whitespace().collect::<Vec<_>>());
        command.current_dir(self.0.path()).env("XDG_STATE_HOME", self.path("state"));
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        finish(&mut self.command(line))
    }

    /// Deals with what is there.
    pub(crate) fn once(&self, options: &str) -> Ran {
        self.run(&format!("watch in --once {USUAL} {options}"))
    }

    /// Makes a package of the second version, and drops it.
    pub(crate) fn drop_package(&self, name: &str, options: &str) {
        self.run(&format!("create v2.tar in/{name} --base v1.tar -f {options}")).ok();
    }

    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        names(&self.path(folder)).into_iter().filter(|name| name != ".docker_delta-watch").collect()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        json(&fs::read_to_string(self.path(name)).unwrap())
    }
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn is_same_image(one: &Path, other: &Path) {
    docker_delta(&["compare", one.to_str().unwrap(), other.to_str().unwrap()]).ok();
}

const SIGNED: &str = "--sign vendor.key";

#[test]
fn what_is_dropped_is_applied_and_lies_in_done_with_its_receipt() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    let bytes = fs::read(site.path("in/p.ddelta")).unwrap();
    site.once("").ok().failed(0, &["p.ddelta is applied, and is in/done/p.ddelta now", "1 packages were applied"]);
    assert_eq!(site.names("in"), ["done", "failed"]);
    assert_eq!(site.names("in/done"), ["p.ddelta", "p.ddelta.json"]);
    assert_eq!(fs::read(site.path("in/done/p.ddelta")).unwrap(), bytes);
    is_same_image(&site.path("images/p.tar"), &site.path("v2.tar"));
    // The receipt is what `apply` prints.
    let applied = site.run("apply in/done/p.ddelta --base v1.tar -f -o images/p.tar --json --trust vendor.pub").ok();
    let mut expected = json(&applied.stdout);
    expected["output"] = site.path("images/p.tar").to_str().unwrap().into();
    let mut receipt = site.json("in/done/p.ddelta.json");
    receipt["signatures"][0]["known_as"] = "vendor.pub".into();
    assert_eq!(receipt, expected);
}

#[test]
fn what_is_refused_lies_in_failed_with_the_error_of_apply() {
    let site = Site::new();
    site.drop_package("unsigned.ddelta", "");
    site.drop_package("strange.ddelta", "--sign stranger.key");
    site.drop_package("good.ddelta", SIGNED);
    let whole = fs::read(site.path("in/good.ddelta")).unwrap();
    fs::write(site.path("in/cut.ddelta"), &whole[..whole.len() / 2]).unwrap();
    fs::write(site.path("in/empty"), b"").unwrap();
    fs::copy(site.path("v1.tar"), site.path("in/v1.tar")).unwrap();
    site.once("")
        .failed(4, &["1 packages were applied, 5 failed and 0 stay in in", "hint: see in/failed/*.error.json"]);
    let failed = site.names("in/failed");
    assert_eq!(failed.len(), 10, "{failed:?}");
    for (name, said) in [
        ("unsigned.ddelta", "it is not signed"),
        ("strange.ddelta", "not trusted here"),
        ("cut.ddelta", "damaged or incomplete"),
        ("empty", "empty"),
        ("v1.tar", "is no package of docker_delta but an image archive"),
    ] {
        let error = site.json(&format!("in/failed/{name}.error.json"));
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(name) && message.contains(said), "{name}: {message}");
        let mut apply = site.command("apply --json --trust ../../vendor.pub -o ../../never.tar");
        let apply = finish(apply.current_dir(site.path("in/failed")).arg(name));
        let mut expected = json(&apply.stdout);
        let absolute = site.path("vendor.pub").to_str().unwrap().to_owned();
        let named = expected["error"]["message"].as_str().unwrap().replace("../../vendor.pub", &absolute);
        expected["error"]["message"] = named.into();
        assert_eq!(error, expected);
    }
    assert_eq!(site.names("in/done"), ["good.ddelta", "good.ddelta.json"]);
}

#[test]
fn taken_names_get_numbers() {
    let site = Site::new();
    for _ in 0..3 {
        site.drop_package("p.ddelta", SIGNED);
        site.once("").ok();
    }
    fs::write(site.path("in/failed/q"), b"somebody's").unwrap();
    fs::write(site.path("in/q"), b"no package").unwrap();
    site.once("").failed(4, &["in/failed/q-2"]);
    let done = ["p-2.ddelta", "p-2.ddelta.json", "p-3.ddelta", "p-3.ddelta.json", "p.ddelta", "p.ddelta.json"];
    assert_eq!(site.names("in/done"), done);
    assert_eq!(site.names("in/failed"), ["q", "q-2", "q-2.error.json"]);
    assert_eq!(fs::read(site.path("in/failed/q")).unwrap(), b"somebody's");
}

#[test]
fn what_lies_beside_goes_along() {
    let site = Site::new();
    site.drop_package("p.ddelta", "--sign vendor.key --detached");
    shell("coreutils", &site.0, "cd in && sha256sum p.ddelta > p.ddelta.sha256");
    shell(
        "age",
        &site.0,
        "age-keygen -o site.age 2>/dev/null && chmod 600 site.age && age-keygen -y site.age > site.recipient",
    );
    site.drop_package("secret.ddelta", "--sign vendor.key --encrypt-to site.recipient");
    site.once("--identity-file site.age").ok();
    let done = ["p.ddelta", "p.ddelta.json", "p.ddelta.minisig", "p.ddelta.sha256"];
    let secret = ["secret.ddelta", "secret.ddelta.json", "secret.ddelta.sha256"];
    assert_eq!(site.names("in/done"), [&done[..], &secret[..]].concat());
    assert_eq!(site.names("in"), ["done", "failed"]);
    assert_eq!(site.json("in/done/p.ddelta.json")["signatures"][0]["place"], "beside");
}

#[test]
fn a_signature_that_is_not_there_yet_is_waited_for() {
    let site = Site::new();
    site.drop_package("p.ddelta", "--sign vendor.key --detached");
    fs::rename(site.path("in/p.ddelta.minisig"), site.path("p.minisig")).unwrap();
    let waits =
        site.once("--patience 1000").failed(4, &["is waited for until it was unchanged for", "it is not signed"]);
    assert!(!waits.stderr.contains("is refused"), "{}", waits.stderr);
    assert_eq!(site.names("in"), ["done", "failed", "p.ddelta"]);
    fs::rename(site.path("p.minisig"), site.path("in/p.ddelta.minisig")).unwrap();
    site.once("--patience 1000").ok();
    assert_eq!(site.names("in/done"), ["p.ddelta", "p.ddelta.json", "p.ddelta.minisig"]);
}

#[test]
fn all_volumes_of_a_set_are_waited_for_and_go_together() {
    let site = Site::new();
    site.run("create v2.tar p.ddelta --base v1.tar --sign vendor.key").ok();
    // One may be missing, and yet it is waited for.
    site.run("split p.ddelta in --volume-size 8192 --parity 50%").ok();
    let volumes = site.names("in");
    assert!(volumes.len() > 3, "{volumes:?}");
    let last = volumes.last().unwrap().clone();
    fs::rename(site.path("in").join(&last), site.path("last")).unwrap();
    site.once("--patience 1000").ok().failed(0, &[&last, "are not there"]);
    // As long as it is not wholly there either.
    let bytes = fs::read(site.path("last")).unwrap();
    fs::write(site.path("in").join(&last), &bytes[..bytes.len() - 1]).unwrap();
    site.once("--patience 1000").ok().failed(0, &[&last, "not wholly"]);
    fs::write(site.path("in").join(&last), &bytes).unwrap();
    site.once("--patience 1000").ok();
    let mut done = volumes;
    done.push("p.ddelta.json".to_owned());
    done.sort();
    assert_eq!(site.names("in/done"), done);
    // Under names that are taken all of them get the same number, and are a package still.
    site.run("split p.ddelta in --volume-size 8192 --parity 50%").ok();
    site.once("").ok().failed(0, &["in/done/p-2.ddelta"]);
    site.run("verify in/done/p-2.ddelta.001 --trust vendor.pub").ok();
    // Without patience, parity must do.
    site.run("split p.ddelta in --volume-size 8192 --parity 50%").ok();
    fs::remove_file(site.path("in").join(&last)).unwrap();
    site.once("").ok().failed(0, &["in/done/p-3.ddelta"]);
}

#[test]
fn what_the_surroundings_lack_stays_until_it_is_there() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    fs::rename(site.path("v1.tar"), site.path("away.tar")).unwrap();
    site.once("").failed(3, &["v1.tar", "p.ddelta is tried again", "0 packages were applied, 0 failed and 1 stay"]);
    assert_eq!(site.names("in"), ["done", "failed", "p.ddelta"]);
    fs::rename(site.path("away.tar"), site.path("v1.tar")).unwrap();
    site.once("").ok();
    assert_eq!(site.names("in/done"), ["p.ddelta", "p.ddelta.json"]);
}

#[test]
fn keys_that_cannot_be_read_are_no_fault_of_a_package() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    fs::rename(site.path("vendor.pub"), site.path("away.pub")).unwrap();
    site.once("").failed(3, &["nobody is trusted here", "vendor.pub"]);
    fs::write(site.path("vendor.pub"), "no key").unwrap();
    site.once("").failed(4, &["nobody is trusted here", "no public key of minisign"]);
    assert_eq!(site.names("in"), ["p.ddelta"]);
}

#[test]
fn an_older_package_is_refused_where_the_site_says_so() {
    let site = Site::new();
    for number in [5, 4] {
        site.drop_package(&format!("p{number}.ddelta"), &format!("--sign vendor.key --sequence {number}"));
        let ran = site.once("--no-downgrade");
        if number == 5 {
            ran.ok()
        } else {
            ran.failed(4, &["number 5 before, and now 4"])
        };
    }
    assert_eq!((site.names("in/done").len(), site.names("in/failed").len()), (2, 2));
}

#[test]
fn a_base_that_comes_in_the_same_folder_is_found() {
    let site = Site::new();
    let registry = Registry::start(Guard::Nothing);
    // The first needs what the second brings.
    site.run("create v2.tar in/a-v2.ddelta --base v1.tar --sign vendor.key").ok();
    site.run("create v1.tar in/b-v1.ddelta --sign vendor.key").ok();
    let to = registry.name("mirror/").replace("docker://", "");
    let ran = site.run(&format!("watch in --once --trust vendor.pub --interval 1 --to {to} --plain-http")).ok();
    ran.failed(0, &["a-v2.ddelta is tried again", "2 packages were applied"]);
    assert_eq!(site.json("in/done/a-v2.ddelta.json")["images"][0]["outcome"], "pushed");
}

#[test]
fn the_policy_says_what_is_not_typed() {
    let site = Site::new();
    let here = site.0.path().display().to_string();
    let policy = format!(
        "trust = ['{here}/stranger.pub']\nbases = ['{here}/v1.tar']\noutput = '{here}/images'\ninterval = 1\npatience = 0\n"
    );
    fs::write(site.path("watch.toml"), policy).unwrap();
    site.drop_package("p.ddelta", "--sign stranger.key");
    site.run("watch in --once --policy watch.toml").ok();
    // What is typed counts more.
    site.drop_package("q.ddelta", "--sign stranger.key");
    site.run("watch in --once --policy watch.toml --trust vendor.pub").failed(4, &["not trusted here"]);
    site.drop_package("r.ddelta", "");
    site.run("watch in --once --policy watch.toml").failed(4, &["it is not signed"]);
    site.drop_package("s.ddelta", "");
    site.run("watch in --once --policy watch.toml --allow-unsigned").ok();
    assert_eq!(site.names("images"), ["p.tar", "s.tar"]);
}
