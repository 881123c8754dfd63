//! What each command prints, to the letter: usual calls with their data, and the wrong calls that people make.
//!
//! `SNAPSHOTS=overwrite cargo nextest run -p docker_delta -E 'test(calls::)'` writes what is printed now.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use snapbox::{Data, assert_data_eq, file};

use crate::support::{Folder, Ran, command, finish, folder_of_versions};

/// A folder with two versions of an image, a package of the second, and other files.
struct Desk(Folder);

impl Desk {
    fn new() -> Self {
        let folder = folder_of_versions();
        folder.write("letter.txt", b"Dear reader\n");
        folder.write("empty", b"");
        folder.write("old", b"what the old file says\n");
        folder.write("new", b"what the new file says\n");
        fs::create_dir(folder.path().join("programs")).unwrap();
        let desk = Self(folder);
        desk.run("docker_delta create v2.tar p.ddelta --base v1.tar").ok();
        desk.run("file_delta create old new d.delta").ok();
        desk
    }

    /// Runs a line of words in the folder, where no engine is installed and nobody types.
    fn run(&self, line: &str) -> Ran {
        let mut words = line.split(' ');
        let program = words.next().unwrap();
        let mut command = command(program, &words.collect::<Vec<_>>());
        let programs = self.0.path().join("programs");
        command.current_dir(self.0.path()).env("PATH", programs).env("COLUMNS", "100").stdin(Stdio::null());
        for name in ["DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST"] {
            command.env_remove(name);
        }
        finish(&mut command)
    }

    /// All that the lines print.
    fn transcript(&self, lines: &[&str]) -> String {
        let mut text = String::new();
        for line in lines {
            let ran = self.run(line);
            writeln!(text, "$ {line}").unwrap();
            for (stream, said) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
                if !said.is_empty() {
                    writeln!(text, "--- {stream}").unwrap();
                    text.push_str(said);
                }
            }
            writeln!(text, "--- exit code {}\n", ran.code).unwrap();
        }
        text.replace(env!("CARGO_PKG_VERSION"), "VERSION").replace(self.0.path().to_str().unwrap(), "/DESK")
    }

    #[track_caller]
    fn prints(&self, expected: Data, lines: &[&str]) {
        assert_data_eq!(self.transcript(lines), expected.raw());
    }
}

#[test]
fn packages_are_told_of() {
    let desk = Desk::new();
    desk.prints(
        file!["calls/packages.txt"],
        &[
            "docker_delta list p.ddelta",
            "docker_delta info p.ddelta",
            "docker_delta verify p.ddelta",
            "docker_delta inspect v2.tar",
            "docker_delta create -d v2.tar q.ddelta --base v1.tar",
            "docker_delta create v2.tar whole.ddelta -m layer",
            "docker_delta apply -d p.ddelta --base v1.tar -o out.tar",
            "docker_delta apply p.ddelta --base v1.tar -o out.tar",
            "file_delta create old new other.delta",
            "file_delta apply old d.delta again",
        ],
    );
    assert_eq!(fs::read(desk.0.file("again")).unwrap(), fs::read(desk.0.file("new")).unwrap());
}

#[test]
fn packages_are_told_of_to_programs() {
    let desk = Desk::new();
    desk.prints(
        file!["calls/json.txt"],
        &[
            "docker_delta list --json p.ddelta",
            "docker_delta info --json p.ddelta",
            "docker_delta verify --json p.ddelta",
            "docker_delta inspect --json v2.tar",
            "docker_delta create --json -d v2.tar q.ddelta --base v1.tar",
            "docker_delta apply --json -d p.ddelta --base v1.tar -o out.tar",
        ],
    );
}

#[test]
fn every_command_has_its_help() {
    let desk = Desk::new();
    desk.prints(
        file!["calls/help.txt"],
        &[
            "docker_delta list --help",
            "docker_delta info --help",
            "docker_delta verify --help",
            "docker_delta inspect --help",
            "docker_delta completions --help",
            "docker_delta man --help",
            "file_delta create --help",
            "file_delta apply --help",
        ],
    );
}

#[test]
fn what_is_confused_is_told_apart() {
    let desk = Desk::new();
    desk.prints(
        file!["calls/confused.txt"],
        &[
            // An image where a package is expected, and the other way round.
            "docker_delta apply v2.tar",
            "docker_delta list v2.tar",
            "docker_delta info v2.tar",
            "docker_delta create p.ddelta q.ddelta",
            "docker_delta create v2.tar q.ddelta --base p.ddelta",
            "docker_delta inspect p.ddelta",
            // Swapped, too few, too many.
            "docker_delta create p.ddelta v2.tar",
            "docker_delta create v2.tar --base v1.tar",
            "docker_delta create v2.tar",
            "docker_delta create",
            "docker_delta apply",
            "docker_delta verify p.ddelta v1.tar",
            "docker_delta apply p.ddelta v1.tar",
            "docker_delta apply p.ddelta APP:v2",
            // The one program's files for the other.
            "docker_delta apply d.delta",
            "file_delta apply old p.ddelta again",
            "file_delta apply d.delta old again",
            "file_delta apply new d.delta again",
        ],
    );
}

#[test]
fn names_that_lead_nowhere_are_told_with_what_is_near() {
    let desk = Desk::new();
    desk.prints(
        file!["calls/nowhere.txt"],
        &[
            "docker_delta create ./v3.tar q.ddelta",
            "docker_delta create vv2.tar q.ddelta",
            "docker_delta create v2.tar q.ddelta --base v9.tar",
            "docker_delta apply pp.ddelta",
            "docker_delta info p.delta",
            "docker_delta list nothing-like-it",
            "docker_delta create ~/v2.tar q.ddelta",
            "docker_delta create https://example.org/v2.tar q.ddelta",
            "docker_delta create docker-archive:v2.tar:other:v9 q.ddelta",
            "docker_delta create v2.tar no/folder/q.ddelta",
            "docker_delta create v2.tar v1.tar/q.ddelta",
            "docker_delta create shop q.ddelta",
            "docker_delta create containerd:k8s.io/app:v2 q.ddelta --base containerd:k8s.io/app:v1",
            "docker_delta apply p.ddelta containerd:k8s.io/",
            "docker_delta apply p.ddelta containerd:k8s.io/ -o v3.tar",
            "docker_delta apply p.ddelta -o containerd:k8s.io/app:v3",
            "file_delta create odl new q.delta",
            "file_delta apply old dd.delta again",
        ],
    );
}

#[test]
fn what_is_no_image_or_package_is_told() {
    let desk = Desk::new();
    desk.prints(
        file!["calls/no_image.txt"],
        &[
            "docker_delta create - q.ddelta",
            "docker_delta apply -",
            "docker_delta list -",
            "docker_delta create ./letter.txt q.ddelta",
            "docker_delta create ./empty q.ddelta",
            "docker_delta create ./programs q.ddelta",
            "docker_delta apply letter.txt",
            "docker_delta apply empty",
            "docker_delta apply programs",
            "docker_delta inspect ./letter.txt",
            "file_delta apply old letter.txt again",
            "file_delta apply old empty again",
        ],
    );
}

#[test]
fn options_that_cannot_be_meant_are_told() {
    let desk = Desk::new();
    desk.prints(
        file!["calls/options.txt"],
        &[
            "docker_delta frobnicate",
            "docker_delta crate v2.tar q.ddelta",
            "docker_delta create v2.tar q.ddelta -m rsync",
            "docker_delta create v2.tar q.ddelta -c lz4",
            "docker_delta create v2.tar q.ddelta -c gzip -l 10",
            "docker_delta create v2.tar q.ddelta -l high",
            "docker_delta create v2.tar q.ddelta --bsae v1.tar",
            "docker_delta create v2.tar q.ddelta --base",
            "docker_delta create v2.tar q.ddelta --platform linux",
            "docker_delta create v2.tar q.ddelta --identity tag",
            "docker_delta create v2.tar q.ddelta --engine containerd",
            "docker_delta create --json v2.tar -",
            "docker_delta completions tcsh",
            "file_delta apply old",
            "file_delta create old new",
        ],
    );
}

#[test]
fn what_is_wrong_with_a_place_in_a_registry_is_told() {
    let desk = Desk::new();
    desk.prints(
        file!["calls/registry.txt"],
        &[
            "docker_delta push p.ddelta",
            "docker_delta push p.ddelta localhost:1/app:v2",
            "docker_delta push docker://localhost:1/app:v2 p.ddelta",
            "docker_delta push v2.tar docker://localhost:1/app:v2",
            "docker_delta push d.delta docker://localhost:1/app:v2",
            "docker_delta push pp.ddelta docker://localhost:1/app:v2",
            "docker_delta push p.ddelta docker://localhost:1/",
            "docker_delta push p.ddelta docker://localhost:1/App",
            "docker_delta push p.ddelta docker://user:secret@localhost:1/app",
            "docker_delta pull",
            "docker_delta pull app:v2",
            "docker_delta pull p.ddelta",
            "docker_delta pull docker://localhost:1/app:v2 -o p.ddelta",
            "docker_delta pull docker://localhost:1/app:v2 --download v1.tar",
            "docker_delta pull docker://localhost:1/app:v2 --download p.ddelta",
            "docker_delta pull docker://localhost:1/app:v2 --download q.ddelta -o q.tar",
            "docker_delta pull docker://localhost:1/app:v2 v2.tar",
            "docker_delta pull docker://localhost:1/app:v2 --base",
        ],
    );
}

#[test]
fn what_is_wrong_with_a_watch_is_told() {
    let desk = Desk::new();
    desk.0.write("odd.toml", b"# of our site\ntrust = []\nallow-unsigned = true\n");
    desk.0.write("two.toml", b"to = 'registry.local:5000/mirror/'\ncontainerd = 'k8s.io'\n");
    desk.run("docker_delta keygen --no-password programs/vendor").ok();
    desk.0.write("programs/watch.toml", b"allow_unsigned = true\n");
    desk.prints(
        file!["calls/watch.txt"],
        &[
            "docker_delta watch",
            "docker_delta watch program --allow-unsigned",
            "docker_delta watch p.ddelta --allow-unsigned",
            "docker_delta watch programs --once --trust nowhere.pub",
            "docker_delta watch programs --once --trust letter.txt",
            "docker_delta watch programs --once --trust programs/vendor.pub",
            "docker_delta watch programs --trust letter.txt --allow-unsigned",
            "docker_delta watch programs --once --allow-unsigned --to registry.local:5000/ --output programs",
            "docker_delta watch programs --once --allow-unsigned --output images",
            "docker_delta watch programs --once --allow-unsigned --output letter.txt",
            "docker_delta watch programs --once --allow-unsigned --output programs",
            "docker_delta watch programs --once --allow-unsigned --containerd k8s.io/app",
            "docker_delta watch programs --once --allow-unsigned --base -",
            "docker_delta watch programs --once --allow-unsigned --volumes .",
            "docker_delta watch programs --once --allow-unsigned --interval 0",
            "docker_delta watch programs --once --policy no.toml",
            "docker_delta watch programs --once --policy letter.txt",
            "docker_delta watch programs --once --policy programs",
            "docker_delta watch programs --once --policy odd.toml",
            "docker_delta watch programs --once --policy two.toml",
            "docker_delta watch programs --once --policy programs/watch.toml",
        ],
    );
}

#[test]
fn what_is_there_already_is_told() {
    let desk = Desk::new();
    desk.prints(
        file!["calls/there.txt"],
        &[
            "docker_delta create v2.tar p.ddelta",
            "docker_delta create v2.tar v1.tar",
            "docker_delta create v2.tar letter.txt",
            "docker_delta create -f v2.tar letter.txt",
            "docker_delta create -f v2.tar v2.tar",
            "docker_delta create v2.tar empty",
            "docker_delta apply p.ddelta --base v1.tar -o v2.tar",
            "docker_delta apply p.ddelta --base v1.tar -o letter.txt",
            "docker_delta apply p.ddelta --base v1.tar -o p.ddelta",
            "docker_delta apply p.ddelta --base v2.tar -o out.tar",
            "docker_delta apply p.ddelta -o out.tar",
            "docker_delta apply p.ddelta",
            "file_delta create old new d.delta",
            "file_delta apply old d.delta new",
        ],
    );
    assert_eq!(fs::read(desk.0.file("letter.txt")).unwrap(), b"Dear reader\n");
}

#[test]
fn a_damaged_package_is_told_with_what_to_do() {
    let desk = Desk::new();
    let whole = fs::read(desk.0.file("p.ddelta")).unwrap();
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 1;
    desk.0.write("altered.ddelta", &altered);
    desk.0.write("cut.ddelta", &whole[..whole.len() - 2_000]);
    desk.0.write("longer.ddelta", &[&whole[..], &[0; 512]].concat());
    fs::set_permissions(desk.0.file("cut.ddelta"), fs::Permissions::from_mode(0o400)).unwrap();
    desk.prints(
        file!["calls/damaged.txt"],
        &[
            "docker_delta apply altered.ddelta --base v1.tar -o out.tar",
            "docker_delta verify altered.ddelta",
            "docker_delta list cut.ddelta",
            "docker_delta info cut.ddelta",
            "docker_delta verify longer.ddelta",
            "docker_delta create altered.ddelta q.ddelta",
        ],
    );
}
