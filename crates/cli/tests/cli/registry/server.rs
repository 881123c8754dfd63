//! Debian's docker-registry, one for each test, and skopeo to fill it and look into it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Folder, Ran, command, finish, real};

/// The user `user` with the password `pass:word`, as `htpasswd -B` writes it.
const HTPASSWD: &str = "user:$2b$04$QOTBBSroF1TBUHxzwVxJh.9t5IOFeRcKspHsvsXSdA7C7ana/p/qW\n";

/// A registry that is stopped when it is dropped.
pub(crate) struct Registry {
    child: Child,
    port: u16,
    pub(crate) folder: Folder,
}

/// What a registry asks of its users.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    Nothing,
    Password,
    Tls,
}

impl Registry {
    pub(crate) fn start(guard: Guard) -> Self {
        let folder = Folder::new();
        let port = free_port();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            folder.file("storage")
        );
        match guard {
            Guard::Nothing => {}
            Guard::Password => {
                let file = folder.write("htpasswd", HTPASSWD.as_bytes());
                config += &format!("auth: {{htpasswd: {{realm: lab, path: {file}}}}}\n");
            }
            Guard::Tls => {
                certificates(&folder);
                let file = |name: &str| folder.file(name);
                config += &format!("  tls: {{certificate: {}, key: {}}}\n", file("leaf.pem"), file("leaf.key"));
            }
        }
        let config = folder.write("config.yml", config.as_bytes());
        let child = Command::new("docker-registry")
            .args(["serve", &config])
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.file("log")).unwrap())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("`docker-registry` of the Debian package `docker-registry` does not run: {error}")
            });
        let registry = Self { child, port, folder };
        registry.await_start();
        registry
    }

    fn await_start(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = fs::read_to_string(self.folder.file("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "the registry does not start: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// A name in it, for skopeo and docker_delta.
    pub(crate) fn name(&self, rest: &str) -> String {
        format!("docker://localhost:{}/{rest}", self.port)
    }

    /// Puts an image of a file or layout into it.
    pub(crate) fn fill(&self, from: &str, rest: &str) {
        real("skopeo", "skopeo", &["copy", "-q", "--all", "--dest-tls-verify=false", from, &self.name(rest)]);
    }

    /// The digest that skopeo sees under a tag.
    pub(crate) fn digest(&self, rest: &str) -> String {
        let arguments = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &self.name(rest)];
        let done = Command::new("skopeo").args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody uses.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs docker_delta with nothing of this machine's user: no credentials but those in `folder`, and temporary files there.
pub(crate) fn alone(folder: &Folder, arguments: &[&str]) -> Ran {
    finish(&mut lonely(folder, arguments))
}

pub(crate) fn lonely(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = command("docker_delta", arguments);
    for name in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "DOCKER_HOST"] {
        command.env_remove(name);
    }
    command.env("HOME", folder.path()).env("DOCKER_CONFIG", folder.file(".docker"));
    command
}

/// An authority, and a certificate of it for this machine.
fn certificates(folder: &Folder) {
    let file = |name: &str| folder.file(name);
    let openssl = |arguments: &[&str]| real("openssl", "openssl", arguments);
    let (ca, ca_key, leaf, leaf_key, request) =
        (file("ca.pem"), file("ca.key"), file("leaf.pem"), file("leaf.key"), file("leaf.csr"));
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let extensions =
        folder.write("extensions", b"subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
    openssl(
        &[&["req", "-x509", "-days", "3650", "-subj", "/CN=lab", "-keyout", &ca_key, "-out", &ca], &key[..]].concat(),
    );
    openssl(&[&["req", "-subj", "/CN=localhost", "-keyout", &leaf_key, "-out", &request], &key[..]].concat());
    let sign = ["x509", "-req", "-days", "3650", "-CAcreateserial", "-extfile", &extensions];
    openssl(&[&sign[..], &["-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-out", &leaf]].concat());
}
