//! Who may read a package: encryption by this program and by age, each opened by the other.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Folder, Ran, command, finish, folder_of_versions, shell};

/// A folder with two versions of an image, identities of age and ssh, and their recipients.
struct Desk(Folder);

impl Desk {
    fn new() -> Self {
        let desk = Self(folder_of_versions());
        desk.shell("age", "age-keygen -o site.age 2>/dev/null && age-keygen -y site.age > site.pub");
        desk.shell("age", "age-keygen -o other.age 2>/dev/null && age-keygen -y other.age > other.pub");
        desk.shell(
            "openssh-client",
            "ssh-keygen -q -t ed25519 -N '' -f ssh && ssh-keygen -q -t rsa -b 2048 -N '' -f rsa",
        );
        desk
    }

    fn shell(&self, package: &str, line: &str) {
        shell(package, &self.0, line);
    }

    fn command(&self, program: &str, line: &str) -> Command {
        let mut command = command(program, &line.split_whitespace().collect::<Vec<_>>());
        let folder = self.0.path();
        command.current_dir(folder).env("XDG_STATE_HOME", folder).env_remove("DOCKER_DELTA_PASSPHRASE");
        command
    }

    fn run(&self, line: &str) -> Ran {
        finish(&mut self.command("docker_delta", line))
    }

    fn with_passphrase(&self, line: &str, passphrase: &str) -> Ran {
        finish(self.command("docker_delta", line).env("DOCKER_DELTA_PASSPHRASE", passphrase))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.file(name)).unwrap()
    }

    /// What makes the image again.
    fn applies(&self, identity: &str) {
        self.run(&format!("apply p.ddelta --base v1.tar -f -o again.tar {identity}")).ok();
        self.run("compare v2.tar again.tar").ok();
    }
}

const CREATE: &str = "create v2.tar p.ddelta --base v1.tar -f";

#[test]
fn age_opens_what_is_encrypted_here() {
    let desk = Desk::new();
    desk.run("create v2.tar plain.ddelta --base v1.tar").ok();
    desk.run(&format!("{CREATE} --encrypt-to site.pub --encrypt-to ssh.pub --encrypt-to rsa.pub")).ok();
    for identity in ["site.age", "ssh", "rsa"] {
        desk.shell("age", &format!("age -d -i {identity} p.ddelta > opened"));
        assert_eq!(desk.bytes("opened"), desk.bytes("plain.ddelta"), "{identity}");
        desk.applies(&format!("--identity-file {identity}"));
    }
    desk.shell("coreutils", "sha256sum --quiet -c p.ddelta.sha256");
    // A recipient itself, and not a file with it.
    let recipient = fs::read_to_string(desk.0.file("site.pub")).unwrap();
    desk.run(&format!("{CREATE} --encrypt-to {recipient}")).ok();
    desk.applies("--identity-file other.age --identity-file site.age");
    // Age asks at a terminal alone, which `script` gives it.
    desk.with_passphrase(&format!("{CREATE} --encrypt-passphrase"), "open sesame").ok();
    desk.shell(
        "bsdutils",
        "(sleep 3; echo 'open sesame'; sleep 1) | script -qec 'age -d -o opened.tar p.ddelta' /dev/null > /dev/null",
    );
    assert_eq!(desk.bytes("opened.tar"), desk.bytes("plain.ddelta"));
}

#[test]
fn what_age_encrypts_is_opened_here() {
    let desk = Desk::new();
    desk.run("create v2.tar plain --base v1.tar").ok();
    for (recipients, identity) in [("site.pub", "site.age"), ("ssh.pub", "ssh"), ("rsa.pub", "rsa")] {
        desk.shell("age", &format!("age -R {recipients} -o p.ddelta plain"));
        desk.applies(&format!("--identity-file {identity}"));
    }
    let typed = "(sleep 3; echo 'open sesame'; sleep 1; echo 'open sesame'; sleep 1)";
    desk.shell(
        "bsdutils",
        &format!("rm p.ddelta; {typed} | script -qec 'age -p -o p.ddelta plain' /dev/null > /dev/null"),
    );
    let info = "info p.ddelta";
    assert!(desk.with_passphrase(info, "open sesame").ok().stdout.contains("Encrypted"));
    desk.with_passphrase(info, "open says me").failed(4, &["the passphrase is another one"]);
}

#[test]
fn others_get_nothing() {
    let desk = Desk::new();
    desk.run(&format!("{CREATE} --encrypt-to site.pub")).ok();
    desk.run("info p.ddelta").failed(2, &["is encrypted", "--identity-file"]);
    desk.run("info p.ddelta --identity-file other.age").failed(4, &["encrypted for others"]);
    desk.run("info p.ddelta --identity-file ssh").failed(4, &["encrypted for others"]);
    desk.run("info p.ddelta --identity-file site.pub").failed(3, &["others can read"]);
    fs::set_permissions(desk.0.file("v1.tar"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.run("info p.ddelta --identity-file v1.tar").failed(4, &["v1.tar"]);
    fs::set_permissions(desk.0.file("site.age"), fs::Permissions::from_mode(0o644)).unwrap();
    desk.run("info p.ddelta --identity-file site.age").failed(3, &["chmod 600"]);
    desk.run("create v2.tar q.ddelta --encrypt-to nobody").failed(3, &["nobody"]);
    desk.run("create v2.tar q.ddelta --encrypt-to age1nobody").failed(2, &["expected a recipient"]);
    assert!(!desk.0.path().join("q.ddelta").exists());
}

#[test]
fn a_bad_copy_is_told_without_a_key() {
    let desk = Desk::new();
    desk.run(&format!("{CREATE} --encrypt-to site.pub")).ok();
    let whole = desk.bytes("p.ddelta");
    desk.run("verify p.ddelta").failed(0, &["is a good copy", "was not looked at"]);
    desk.run("verify p.ddelta --identity-file site.age").failed(0, &["is whole"]);
    for at in [0, 30, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        desk.0.write("p.ddelta", &changed);
        if at > 0 {
            desk.run("verify p.ddelta").failed(4, &["no good copy", "copy it again"]);
        }
        desk.run("apply p.ddelta --base v1.tar -o o.tar --identity-file site.age").failed(4, &["p.ddelta"]);
    }
    desk.0.write("p.ddelta", &whole[..whole.len() - 100]);
    desk.run("verify p.ddelta").failed(4, &["no good copy"]);
    desk.run("info p.ddelta --identity-file site.age").failed(4, &["damaged or incomplete"]);
    fs::remove_file(desk.0.file("p.ddelta.sha256")).unwrap();
    desk.run("verify p.ddelta").failed(2, &["no identity was named"]);
    assert!(!desk.0.path().join("o.tar").exists());
}

#[test]
fn signed_then_encrypted_and_signed_outside() {
    let desk = Desk::new();
    desk.run("keygen --no-password vendor").ok();
    desk.run("keygen --no-password stranger").ok();
    desk.run(&format!("{CREATE} --sign vendor.key --encrypt-to site.pub")).ok();
    desk.run("info p.ddelta --identity-file site.age --trust vendor.pub").ok();
    desk.run("info p.ddelta --identity-file site.age --trust stranger.pub").failed(4, &["not trusted here"]);
    // Nobody without the key knows who signed it, so a good copy is not enough.
    desk.run("verify p.ddelta --trust vendor.pub").failed(4, &["not signed"]);
    desk.run("sign p.ddelta -k vendor.key").failed(2, &["is encrypted", "--detached"]);
    desk.run("sign p.ddelta -k vendor.key --detached --sequence 3").ok();
    let said = fs::read_to_string(desk.0.file("p.ddelta.minisig")).unwrap();
    assert!(said.contains("sequence=3\n") && !said.contains("tiny") && !said.contains("package="), "{said}");
    desk.run("verify p.ddelta --trust vendor.pub").failed(0, &["is a good copy"]);
    desk.run("info p.ddelta --identity-file site.age --trust vendor.pub").ok();
    desk.shell("minisign", "minisign -Vm p.ddelta -p vendor.pub");
}

#[test]
fn keys_with_passphrases_open_too() {
    let desk = Desk::new();
    desk.shell("openssh-client", "ssh-keygen -q -p -N 'open sesame' -f ssh");
    desk.run(&format!("{CREATE} --encrypt-to ssh.pub")).ok();
    desk.with_passphrase("info p.ddelta --identity-file ssh", "open sesame").ok();
    desk.with_passphrase("info p.ddelta --identity-file ssh", "another").failed(4, &["locked"]);
    // Through an open file, which no other user sees.
    desk.0.write("phrase", b"open sesame\n");
    let program = env!("CARGO_BIN_EXE_docker_delta");
    desk.shell("dash", &format!("{program} info p.ddelta --identity-file ssh --passphrase-fd 3 3< phrase"));
}

#[test]
fn what_is_replaced_is_called_like_a_package() {
    let desk = Desk::new();
    desk.run("create v2.tar p.ddelta --encrypt-to site.pub").ok();
    desk.run("create v2.tar p.ddelta --encrypt-to site.pub").failed(2, &["exists already"]);
    desk.run("create v2.tar p.ddelta -f").failed(0, &["p.ddelta.sha256 is of what was there before"]);
    desk.shell("age", "age -R site.pub -o diary v1.tar");
    desk.run("create v2.tar diary -f").failed(2, &["diary"]);
}

#[test]
fn differences_of_files_are_encrypted_too() {
    let desk = Desk::new();
    let file_delta = |line: &str| finish(&mut desk.command("file_delta", line));
    for method in ["auto", "xdelta3"] {
        file_delta(&format!("create -m {method} v1.tar v2.tar d.delta -f --encrypt-to site.pub")).ok();
        file_delta("apply v1.tar d.delta new -f --identity-file site.age").ok();
        assert_eq!(desk.bytes("new"), desk.bytes("v2.tar"));
        file_delta("apply v1.tar d.delta new -f").failed(2, &["is encrypted"]);
    }
}
