//! Registries of another make than Debian's docker-registry, which knows no list of what hangs on an image: that of
//! go-containerregistry, as `crane` serves it, and with that list. No other registry was found that runs without an engine and comes
//! from where the other programs come from.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::lab::rootfs;

/// A registry that lists what hangs on an image.
const LISTING: &str = r#"package main

import (
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	blobs := registry.WithBlobHandler(registry.NewDiskBlobHandler(os.Args[2]))
	panic(http.ListenAndServe(os.Args[1], registry.New(registry.WithReferrersSupport(true), blobs)))
}
"#;

/// One that runs, and a folder beside it.
struct Other {
    process: Child,
    host: String,
    folder: TempDir,
}

impl Other {
    fn start(command: impl FnOnce(&str, &Path) -> Command) -> Self {
        let folder = TempDir::new().unwrap();
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let blobs = folder.path().join("blobs");
        std::fs::create_dir(&blobs).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = command(&host, &blobs);
        let hint = "run scripts/install-test-tools and scripts/install-test-engines, as root";
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let other =
            Self { process: process.unwrap_or_else(|error| panic!("{command:?}: {error}: {hint}")), host, folder };
        for _ in 0..600 {
            if TcpStream::connect(&other.host).is_ok() {
                return other;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("{command:?} does not answer: {hint}");
    }

    fn crane() -> Self {
        Self::start(|host, blobs| {
            let mut command = Command::new(rootfs("sid").join("usr/bin/crane"));
            command.args(["registry", "serve", "--address", host, "--disk"]).arg(blobs);
            command
        })
    }

    fn listing() -> Self {
        Self::start(|host, blobs| {
            let mut command = Command::new(built(blobs.parent().unwrap()));
            command.arg(host).arg(blobs);
            command
        })
    }

    fn name(&self, rest: &str) -> String {
        format!("docker://{}/{rest}", self.host)
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Fills it with two versions of an image, the old one in another place too.
    fn fill(&self) {
        for version in ["v1", "v2"] {
            let archive = sample(version);
            skopeo(&["copy", "-q", "--dest-tls-verify=false", &archive, &self.name(&format!("app:{version}"))]);
        }
        let options = ["copy", "-q", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"];
        skopeo(&[&options[..], &[&self.name("app:v1"), &self.name("site/app:v1")]].concat());
    }

    fn digest(&self, rest: &str) -> String {
        skopeo(&["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &self.name(rest)]).trim().to_owned()
    }

    fn delta(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_docker_delta"));
        command.args(arguments).env("HOME", self.folder.path()).env("PATH", self.folder.path());
        for name in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "DOCKER_CONFIG"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        format!("{}{said}", String::from_utf8_lossy(&output.stdout))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Compiles the registry that lists.
fn built(folder: &Path) -> PathBuf {
    let (source, program) = (folder.join("main.go"), folder.join("registry"));
    std::fs::write(&source, LISTING).unwrap();
    let mut command = Command::new("go");
    command.args(["build", "-o"]).arg(&program).arg(&source).env("GO111MODULE", "off");
    command.env("GOPATH", rootfs("sid").join("usr/share/gocode"));
    let hint = "run scripts/install-test-tools and scripts/install-test-engines, as root";
    let output = command.output().unwrap_or_else(|error| panic!("go: {error}: {hint}"));
    assert!(output.status.success(), "{}: {hint}", String::from_utf8_lossy(&output.stderr));
    program
}

fn sample(version: &str) -> String {
    let folder = "../../testdata/samples/tiny/docker28-containerd-pulled";
    format!("docker-archive:{}/{folder}/{version}.tar", env!("CARGO_MANIFEST_DIR"))
}

fn skopeo(arguments: &[&str]) -> String {
    let output = Command::new("skopeo").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// An image goes from one repository to another by a package, and by a package that the registry keeps.
fn journey(registry: &Other) {
    registry.fill();
    let (new, old, package) = (registry.name("app:v2"), registry.name("app:v1"), registry.file("p.ddelta"));
    registry.delta(&["create", &new, &package, "--base", &old]);
    let digest = registry.digest("app:v2");
    registry.delta(&["apply", &package, &registry.name("site/app")]);
    assert_eq!(registry.digest("site/app:v2"), digest);
    let said = registry.delta(&["push", &package, &new]);
    assert!(said.contains("sent"), "{said}");
    let said = registry.delta(&["push", &package, &new]);
    assert!(said.contains("nothing is sent"), "{said}");
    assert_eq!(registry.digest("app:v2"), digest);
    let report: Value = serde_json::from_str(&registry.delta(&[
        "pull",
        "-q",
        "--json",
        &new,
        &registry.name("third/app"),
        "--base",
        &registry.name("site/app:v1"),
    ]))
    .unwrap();
    assert_eq!((&report["packages"][0]["fits"], report["target"].as_str()), (&true.into(), Some(digest.as_str())));
    assert_eq!(registry.digest("third/app:v2"), digest);
    // The packages are no part of the image, wherever they are listed.
    registry.delta(&["create", "-f", &new, &package]);
    let info: Value = serde_json::from_str(&registry.delta(&["info", "-q", "--json", &package])).unwrap();
    assert_eq!(info["images"].as_array().unwrap().len(), 1, "{info}");
}

#[test]
fn crane() {
    journey(&Other::crane());
}

#[test]
fn go_containerregistry_with_lists() {
    let registry = Other::listing();
    journey(&registry);
    let url = format!("http://{}/v2/app/referrers/{}", registry.host, registry.digest("app:v2"));
    let output = Command::new("curl").args(["-sSf", &url]).output().unwrap();
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed["manifests"].as_array().unwrap().len(), 1, "{listed}");
}
