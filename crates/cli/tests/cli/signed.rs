//! Who made a package: signatures by this program and by minisign, each checked by the other.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Folder, Ran, command, finish, folder_of_versions, real, shell};

/// A folder with two versions of an image, and keys; state that programs keep goes into it too.
pub(crate) struct Desk(pub(crate) Folder);

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self(folder_of_versions());
        for name in ["vendor", "site", "stranger"] {
            desk.run(&format!("keygen --no-password {name}")).ok();
        }
        desk
    }

    fn command(&self, line: &str) -> Command {
        let mut command = command("docker_delta", &line.split_whitespace().collect::<Vec<_>>());
        command.current_dir(self.0.path()).env("XDG_STATE_HOME", self.0.path()).env_remove("DOCKER_DELTA_PASSWORD");
        command
    }

    fn run(&self, line: &str) -> Ran {
        finish(&mut self.command(line))
    }

    fn with_password(&self, line: &str, password: &str) -> Ran {
        finish(self.command(line).env("DOCKER_DELTA_PASSWORD", password))
    }

    /// Makes a package of the second version.
    fn create(&self, options: &str) {
        self.run(&format!("create v2.tar p.ddelta --base v1.tar -f {options}")).ok();
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.file(name)).unwrap()
    }

    pub(crate) fn minisign(&self, line: &str) {
        shell("minisign", &self.0, &format!("minisign {line} < /dev/null"));
    }

    /// What is seen of the signatures, as the lists of key, place and standing.
    fn seen(&self, line: &str) -> Vec<[String; 3]> {
        let ran = self.run(&format!("info --json p.ddelta {line}")).ok();
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let field = |signature: &serde_json::Value, name: &str| signature[name].as_str().unwrap().to_owned();
        let signatures = report["signatures"].as_array().unwrap();
        signatures.iter().map(|one| ["key_id", "place", "standing"].map(|name| field(one, name))).collect()
    }

    fn id(&self, name: &str) -> String {
        let text = fs::read_to_string(self.0.file(&format!("{name}.pub"))).unwrap();
        text.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned()
    }
}

#[test]
fn minisign_checks_what_is_signed_here() {
    let desk = Desk::new();
    desk.create("--sign vendor.key --sequence 7");
    let id = desk.id("vendor");
    // The signature inside is one of the member that closes the package.
    real("tar", "tar", &["-C", &desk.0.file(""), "-xf", &desk.0.file("p.ddelta"), "closing.json", "signatures"]);
    desk.minisign(&format!("-Vm closing.json -p vendor.pub -x signatures/{id}.minisig"));
    desk.run("sign p.ddelta -k vendor.key --detached").ok();
    desk.minisign("-Vm p.ddelta -p vendor.pub");
    desk.minisign("-Sm v1.tar -s vendor.key");
    desk.minisign("-Vm v1.tar -p vendor.pub");
    desk.run("verify p.ddelta --trust vendor.pub")
        .ok()
        .failed(0, &["number 7, inside", "beside", "trusted here (vendor.pub)"]);
}

#[test]
fn what_minisign_signs_is_checked_here_and_its_keys_work() {
    let desk = Desk::new();
    desk.create("");
    desk.minisign("-GWp its.pub -s its.key");
    desk.minisign("-Sm p.ddelta -s its.key -t 'a comment of its own'");
    let ran = desk.run("info p.ddelta --trust its.pub").ok();
    assert!(ran.stdout.contains("a comment of its own"), "{}", ran.stdout);
    desk.run("info p.ddelta --trust vendor.pub").failed(4, &["is not trusted here"]);
    fs::remove_file(desk.0.file("p.ddelta.minisig")).unwrap();
    desk.run("sign p.ddelta -k its.key").ok();
    desk.run("verify p.ddelta --trust its.pub").ok();
    // The old kind would take the whole file into memory.
    desk.minisign("-Slm p.ddelta -s its.key");
    desk.run("info p.ddelta").failed(4, &["old kind"]);
}

#[test]
fn keys_with_passwords_are_those_of_minisign() {
    let desk = Desk::new();
    desk.create("");
    desk.with_password("keygen locked", "correct horse").ok();
    desk.with_password("sign p.ddelta -k locked.key", "wrong horse").failed(4, &["Wrong password"]);
    desk.with_password("sign p.ddelta -k locked.key", "correct horse").ok();
    desk.run("verify p.ddelta --trust locked.pub").ok();
    let folder = desk.0.path().to_str().unwrap();
    real(
        "minisign",
        "sh",
        &["-c", &format!("cd {folder} && echo 'correct horse' | minisign -Sm v1.tar -s locked.key")],
    );
    desk.minisign("-Vm v1.tar -p locked.pub");
    // Through an open file, which no other user sees.
    desk.0.write("password", b"correct horse\n");
    let program = env!("CARGO_BIN_EXE_docker_delta");
    let line = format!("cd {folder} && {program} sign p.ddelta -k locked.key --password-fd 3 3< password");
    real("bash", "bash", &["-c", &line]);
}

#[test]
fn a_key_is_never_replaced_and_never_readable_for_others() {
    let desk = Desk::new();
    let before = desk.bytes("vendor.key");
    desk.run("keygen --no-password vendor").failed(2, &["vendor.key exists already", "never replaced"]);
    assert_eq!(desk.bytes("vendor.key"), before);
    fs::set_permissions(desk.0.file("vendor.key"), fs::Permissions::from_mode(0o644)).unwrap();
    desk.run("create v2.tar p.ddelta --sign vendor.key").failed(3, &["others can read", "found 644", "chmod 600"]);
    assert!(!desk.0.path().join("p.ddelta").exists());
}

#[test]
fn signing_again_leaves_all_else_as_it_is() {
    let desk = Desk::new();
    desk.create("");
    let plain = desk.bytes("p.ddelta");
    desk.create("--sign vendor.key");
    let signed = desk.bytes("p.ddelta");
    let before = plain.len() - 1024;
    assert!(signed[..before] == plain[..before] && signed.len() > plain.len());
    desk.run("sign p.ddelta -k site.key").ok();
    let countersigned = desk.bytes("p.ddelta");
    assert!(countersigned[..signed.len() - 1024] == signed[..signed.len() - 1024]);
    let [vendor, site] = ["vendor", "site"].map(|name| desk.id(name));
    let inside = |id: &String, standing: &str| [id.clone(), "inside".to_owned(), standing.to_owned()];
    assert_eq!(desk.seen("--trust site.pub"), [inside(&vendor, "unknown"), inside(&site, "trusted")]);
    assert_eq!(desk.seen("--trust ."), [inside(&vendor, "trusted"), inside(&site, "trusted")]);
    // A second signature by one key takes the place of its first.
    desk.run("sign p.ddelta -k vendor.key --sequence 9").ok();
    assert_eq!(desk.seen("--trust .").len(), 2);
}

#[test]
fn what_is_unsigned_or_otherwise_signed_is_refused() {
    let desk = Desk::new();
    desk.create("");
    for command in ["verify p.ddelta", "info p.ddelta", "list p.ddelta", "apply p.ddelta --base v1.tar -o o.tar"] {
        desk.run(&format!("{command} --trust vendor.pub")).failed(4, &["it is not signed", "vendor.pub"]);
    }
    assert!(!desk.0.path().join("o.tar").exists());
    desk.create("--sign stranger.key");
    desk.run("apply p.ddelta --base v1.tar -o o.tar --trust vendor.pub").failed(4, &["not trusted here"]);
    desk.run("apply p.ddelta --base v1.tar -o o.tar --trust stranger.pub").ok();
    // A literal key, and one that is none.
    let literal = fs::read_to_string(desk.0.file("stranger.pub")).unwrap();
    desk.run(&format!("info p.ddelta --trust {}", literal.lines().nth(1).unwrap())).ok();
    desk.run("info p.ddelta --trust v1.tar").failed(4, &["not a public key", "v1.tar"]);
    desk.run("info p.ddelta --trust nowhere.pub").failed(3, &["nowhere.pub"]);
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let desk = Desk::new();
    desk.create("--sign vendor.key");
    let signed = desk.bytes("p.ddelta");
    let closing = signed.windows(12).rposition(|window| window == b"closing.json").unwrap();
    // Before, in and behind what is signed, the signature, and the end.
    for at in
        [10, 600, closing + 3, closing + 520, closing + 1030, closing + 1600, signed.len() - 700, signed.len() - 1]
    {
        let mut changed = signed.clone();
        changed[at] ^= 1;
        desk.0.write("p.ddelta", &changed);
        desk.run("info p.ddelta --trust vendor.pub").failed(4, &["p.ddelta"]);
    }
    for length in [signed.len() - 1, signed.len() - 512, signed.len() - 1024, closing + 1024, closing, 1000] {
        desk.0.write("p.ddelta", &signed[..length]);
        desk.run("info p.ddelta --trust vendor.pub").failed(4, &["p.ddelta"]);
    }
}

#[test]
fn the_signature_of_another_package_is_refused() {
    let desk = Desk::new();
    desk.create("--sign vendor.key");
    let signed = desk.bytes("p.ddelta");
    desk.run("create v1.tar other.ddelta").ok();
    let other = desk.bytes("other.ddelta");
    let closing = signed.windows(12).rposition(|window| window == b"closing.json").unwrap();
    desk.0.write("p.ddelta", &[&other[..other.len() - 1024], &signed[closing + 1024..]].concat());
    desk.run("info p.ddelta --trust vendor.pub").failed(4, &["is not that of these bytes"]);
    // And so is one beside it.
    desk.0.write("p.ddelta", &signed);
    desk.run("sign other.ddelta -k vendor.key --detached").ok();
    fs::rename(desk.0.file("other.ddelta.minisig"), desk.0.file("p.ddelta.minisig")).unwrap();
    desk.run("info p.ddelta --trust vendor.pub").failed(4, &["p.ddelta.minisig", "is not that of these bytes"]);
    desk.0.write("p.ddelta.minisig", b"no signature\n");
    desk.run("info p.ddelta").failed(4, &["p.ddelta.minisig", "no signature of minisign"]);
}

#[test]
fn a_package_that_was_compressed_is_checked_by_the_signature_beside_it() {
    let desk = Desk::new();
    desk.create("--sign vendor.key");
    real("zstd", "zstd", &["-q", &desk.0.file("p.ddelta"), "-o", &desk.0.file("q")]);
    fs::rename(desk.0.file("q"), desk.0.file("p.ddelta")).unwrap();
    desk.run("info p.ddelta").ok();
    desk.run("info p.ddelta --trust vendor.pub").failed(4, &["compressed as a whole"]);
    desk.run("sign p.ddelta -k vendor.key").failed(2, &["--detached"]);
    desk.run("sign p.ddelta -k vendor.key --detached").ok();
    desk.run("info p.ddelta --trust vendor.pub").ok();
}

#[test]
fn an_older_package_is_noticed() {
    let desk = Desk::new();
    let apply = "apply p.ddelta --base v1.tar -f -o o.tar --no-downgrade --trust";
    desk.create("--sign vendor.key --sequence 5");
    desk.run(&format!("{apply} vendor.pub")).ok();
    desk.run(&format!("{apply} vendor.pub")).ok();
    desk.create("--sign vendor.key --sequence 4");
    desk.run(&format!("{apply} vendor.pub")).failed(4, &["older than what was applied", "number 5 before, and now 4"]);
    // Another key counts for itself.
    desk.run("sign p.ddelta -k site.key --sequence 1").ok();
    desk.run(&format!("{apply} site.pub")).ok();
    // Who wants to go back can.
    desk.run("apply p.ddelta --base v1.tar -f -o o.tar --trust vendor.pub").ok();
    desk.run(&format!("{apply} vendor.pub")).ok();
    desk.create("");
    desk.minisign("-GWp its.pub -s its.key");
    desk.minisign("-Sm p.ddelta -s its.key");
    desk.run(&format!("{apply} its.pub")).failed(4, &["a number by which"]);
}

/// Runs lines of a shell where the folder of the machine's keys is another one: in a mount namespace of its own.
pub(crate) fn on_a_machine(desk: &Desk, keys: &str, line: &str) -> Ran {
    let program = env!("CARGO_BIN_EXE_docker_delta");
    let folder = desk.0.path().to_str().unwrap();
    let script = format!(
        "set -e; mount -t tmpfs none /etc; mkdir -p /etc/docker_delta/trusted.d; cd {folder}; {keys}; exec {program} {line}"
    );
    let mut command = Command::new("unshare");
    finish(command.args(["-r", "-m", "sh", "-c", &script]).env("XDG_STATE_HOME", desk.0.path()))
}

#[test]
fn keys_of_the_machine_ask_for_signatures() {
    let desk = Desk::new();
    desk.create("");
    let install = "install -m 644 vendor.pub /etc/docker_delta/trusted.d";
    on_a_machine(&desk, "true", "info p.ddelta").ok();
    on_a_machine(&desk, install, "info p.ddelta").failed(4, &["it is not signed", "trusted.d/vendor.pub"]);
    on_a_machine(&desk, install, "info p.ddelta --allow-unsigned").ok();
    desk.create("--sign vendor.key");
    on_a_machine(&desk, install, "info p.ddelta").ok();
    let revoke = format!("{install}; touch /etc/docker_delta/trusted.d/vendor.revoked");
    on_a_machine(&desk, &revoke, "info p.ddelta").failed(4, &["is revoked", "vendor.revoked"]);
    on_a_machine(&desk, &revoke, "info p.ddelta --trust vendor.pub").failed(4, &["is revoked"]);
    let revoke = "install -m 644 vendor.pub /etc/docker_delta/trusted.d/old.revoked";
    on_a_machine(&desk, revoke, "info p.ddelta").failed(4, &["is revoked", "old.revoked"]);
    on_a_machine(&desk, revoke, "info p.ddelta --allow-unsigned").ok();
    let open = "install -m 666 vendor.pub /etc/docker_delta/trusted.d";
    on_a_machine(&desk, open, "info p.ddelta").failed(3, &["others can write"]);
}

#[test]
fn differences_of_files_are_signed_too() {
    let desk = Desk::new();
    let file_delta = |line: &str| {
        let mut command = command("file_delta", &line.split_whitespace().collect::<Vec<_>>());
        finish(command.current_dir(desk.0.path()))
    };
    file_delta("create v1.tar v2.tar d.delta --sign vendor.key").ok();
    file_delta("apply v1.tar d.delta new --trust vendor.pub").ok();
    assert_eq!(desk.bytes("new"), desk.bytes("v2.tar"));
    file_delta("apply v1.tar d.delta new2 --trust site.pub").failed(4, &["not trusted here"]);
    file_delta("create -m xdelta3 v1.tar v2.tar x.delta --sign vendor.key").failed(2, &["--detached"]);
    file_delta("create -m xdelta3 v1.tar v2.tar x.delta --sign vendor.key --detached").ok();
    desk.minisign("-Vm x.delta -p vendor.pub");
    file_delta("apply v1.tar x.delta new2 --trust vendor.pub").ok();
    fs::remove_file(desk.0.file("x.delta.minisig")).unwrap();
    file_delta("apply v1.tar x.delta new3 --trust vendor.pub").failed(4, &["x.delta"]);
}
