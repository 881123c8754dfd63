//! What was signed in one registry by a real program holds in another, where a package brought the image as a delta.
//!
//! The programs are Debian's: cosign 2 of trixie; cosign 3, notation and buildx of sid, which `scripts/install-test-engines` brings;
//! and skopeo with gpg.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

use crate::lab::rootfs;
use crate::registry::Registry;

/// The image, as each side calls it.
const NEAR: &str = "team/app";
const FAR: &str = "mirror/team/app";

/// A registry with two versions of an image, and one that has the old one.
struct Sides {
    near: Registry,
    far: Registry,
    folder: TempDir,
    /// The digest of the new version.
    digest: String,
}

impl Sides {
    fn new(sample: &str) -> Self {
        let (near, far) = (Registry::start(), Registry::start());
        let sides = Self { near, far, folder: TempDir::new().unwrap(), digest: String::new() };
        for version in ["v1", "v2"] {
            sides.skopeo_copy(&archive(sample, version), &sides.near_tag(version));
        }
        sides.skopeo_copy(&format!("docker://{}", sides.near_tag("v1")), &sides.far_tag("v1"));
        let digest = sides.near.digest(&sides.near_tag("v2"));
        Self { digest, ..sides }
    }

    fn near_tag(&self, tag: &str) -> String {
        format!("{}/{NEAR}:{tag}", self.near.host)
    }

    fn far_tag(&self, tag: &str) -> String {
        format!("{}/{FAR}:{tag}", self.far.host)
    }

    /// The new version by its digest.
    fn near_image(&self) -> String {
        format!("{}/{NEAR}@{}", self.near.host, self.digest)
    }

    fn far_image(&self) -> String {
        format!("{}/{FAR}@{}", self.far.host, self.digest)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// With the digests of a registry, from one.
    fn skopeo_copy(&self, from: &str, to: &str) {
        let options = ["copy", "-q", "--all", "--src-tls-verify=false", "--dest-tls-verify=false"];
        let preserved: &[&str] = if from.starts_with("docker://") { &["--preserve-digests"] } else { &[] };
        self.must(Path::new("skopeo"), &[&options[..], preserved, &[from, &format!("docker://{to}")]].concat());
    }

    /// Runs a program that finds nothing but what the test made.
    fn run(&self, program: &Path, arguments: &[&str]) -> Output {
        let hint = "run scripts/install-test-tools and scripts/install-test-engines, as root";
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path());
        command.env("HOME", self.folder.path()).env("XDG_CONFIG_HOME", self.folder.path()).env("COSIGN_PASSWORD", "x");
        command.env("GNUPGHOME", self.folder.path()).env_remove("XDG_CACHE_HOME").env_remove("XDG_RUNTIME_DIR");
        command.output().unwrap_or_else(|error| panic!("{}: {error}: {hint}", program.display()))
    }

    fn must(&self, program: &Path, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {arguments:?}: {said}", program.display());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Takes the new version to the other side, where the old one is.
    fn carry(&self, options: &[&str]) {
        let delta = Path::new(env!("CARGO_BIN_EXE_docker_delta"));
        let (package, to) = (self.path("p.ddelta"), format!("docker://{}/{FAR}", self.far.host));
        let (new, old) = (format!("docker://{}", self.near_tag("v2")), format!("docker://{}", self.near_tag("v1")));
        self.must(delta, &[&["create", "-f", &new, &package, "--base", &old], options].concat());
        // The old version is needed, so that it is a delta that travels.
        let nowhere = format!("docker://{}/nowhere", self.far.host);
        let alone = self.run(delta, &["apply", &package, &nowhere]);
        assert_eq!(alone.status.code(), Some(3), "{}", String::from_utf8_lossy(&alone.stderr));
        self.must(delta, &["apply", &package, &to]);
        assert_eq!(self.far.digest(&self.far_tag("v2")), self.digest);
    }
}

/// An archive of a sample, as skopeo names it.
fn archive(sample: &str, version: &str) -> String {
    let kind = if sample.ends_with("buildkit") { "oci-archive" } else { "docker-archive" };
    format!("{kind}:{}/../../testdata/samples/tiny/{sample}/{version}.tar", env!("CARGO_MANIFEST_DIR"))
}

fn program(release: &str, name: &str) -> PathBuf {
    rootfs(release).join("usr/bin").join(name)
}

/// Options of both versions for registries without TLS, and without the public log.
const HTTP: &str = "--allow-http-registry";
const NO_LOG: &str = "--tlog-upload=false";
const IGNORE_LOG: &str = "--insecure-ignore-tlog=true";

#[test]
fn cosign_2() {
    let (sides, cosign) = (Sides::new("docker28-containerd-pulled"), program("trixie", "cosign"));
    sides.must(&cosign, &["generate-key-pair"]);
    let predicate = sides.path("predicate.json");
    fs::write(&predicate, r#"{"who": "lab"}"#).unwrap();
    sides.must(&cosign, &["sign", "-y", "--key", "cosign.key", NO_LOG, HTTP, &sides.near_image()]);
    let kind = ["--type", "custom", "--predicate", &predicate];
    let (image, attest) = (sides.near_image(), ["attest", "-y", "--key", "cosign.key", NO_LOG, HTTP]);
    sides.must(&cosign, &[&attest[..], &kind, &[&image]].concat());
    let far = sides.far_image();
    let verify = ["--key", "cosign.pub", IGNORE_LOG, HTTP, &far];
    sides.carry(&["--no-referrers"]);
    assert!(!sides.run(&cosign, &[&["verify"], &verify[..]].concat()).status.success());
    sides.carry(&[]);
    let said = sides.must(&cosign, &[&["verify"], &verify[..]].concat());
    assert!(said.contains(&sides.digest), "{said}");
    sides.must(&cosign, &[&["verify-attestation", "--type", "custom"], &verify[..]].concat());
    // The check finds that the other version was not signed.
    let other = format!("{}/{FAR}:v1", sides.far.host);
    assert!(!sides.run(&cosign, &["verify", "--key", "cosign.pub", IGNORE_LOG, HTTP, &other]).status.success());
}

#[test]
fn cosign_3() {
    let (sides, cosign) = (Sides::new("podman58-docker-archive"), program("sid", "cosign"));
    sides.must(&cosign, &["generate-key-pair"]);
    let sign = ["sign", "-y", "--key", "cosign.key", "--use-signing-config=false", NO_LOG, HTTP, &sides.near_image()];
    sides.must(&cosign, &sign);
    let far = sides.far_image();
    let verify = ["verify", "--key", "cosign.pub", IGNORE_LOG, HTTP, &far];
    sides.carry(&["--no-referrers"]);
    assert!(!sides.run(&cosign, &verify).status.success());
    sides.carry(&[]);
    sides.must(&cosign, &verify);
}

#[test]
fn cosign_3_on_an_index() {
    let (sides, cosign) = (Sides::new("docker28-containerd-buildkit"), program("sid", "cosign"));
    sides.must(&cosign, &["generate-key-pair"]);
    let sign = ["sign", "-y", "-r", "--key", "cosign.key", "--use-signing-config=false", NO_LOG, HTTP];
    sides.must(&cosign, &[&sign[..], &[&sides.near_image()]].concat());
    sides.carry(&[]);
    sides.must(&cosign, &["verify", "--key", "cosign.pub", IGNORE_LOG, HTTP, &sides.far_image()]);
}

#[test]
fn notation() {
    let (sides, notation) = (Sides::new("docker28-containerd-pulled"), program("sid", "notation"));
    sides.must(&notation, &["cert", "generate-test", "--default", "lab.example"]);
    let policy = json!({"version": "1.0", "trustPolicies": [{"name": "lab", "registryScopes": ["*"],
        "signatureVerification": {"level": "strict"}, "trustStores": ["ca:lab.example"], "trustedIdentities": ["*"]}]});
    fs::write(sides.path("policy.json"), policy.to_string()).unwrap();
    sides.must(&notation, &["policy", "import", "--force", "policy.json"]);
    sides.must(&notation, &["sign", "--insecure-registry", "--force-referrers-tag=true", &sides.near_image()]);
    let far = sides.far_image();
    let verify = ["verify", "--insecure-registry", &far];
    sides.carry(&["--no-referrers"]);
    assert!(!sides.run(&notation, &verify).status.success());
    sides.carry(&[]);
    sides.must(&notation, &verify);
}

/// A signature that stands beside the registry, as `skopeo standalone-sign` makes it, is one of the manifest's bytes.
#[test]
fn skopeo_and_gpg() {
    let sides = Sides::new("docker28-containerd-pulled");
    let (gpg, skopeo) = (Path::new("gpg"), Path::new("skopeo"));
    let key = ["--batch", "--passphrase", "", "--quick-gen-key", "lab@example.org", "default", "default", "never"];
    sides.must(gpg, &key);
    let listed = sides.must(gpg, &["--list-keys", "--with-colons"]);
    let fingerprint = listed.split([':', '\n']).find(|field| field.len() == 40).unwrap();
    let manifest = |image: &str, file: &str| {
        let raw = sides.must(skopeo, &["inspect", "--raw", "--tls-verify=false", &format!("docker://{image}")]);
        fs::write(sides.path(file), raw).unwrap();
    };
    manifest(&sides.near_tag("v2"), "near.json");
    let name = sides.near_tag("v2");
    sides.must(skopeo, &["standalone-sign", "near.json", &name, fingerprint, "-o", "signature"]);
    sides.carry(&[]);
    manifest(&sides.far_tag("v2"), "far.json");
    manifest(&sides.far_tag("v1"), "old.json");
    let verify = |file: &str| sides.run(skopeo, &["standalone-verify", file, &name, fingerprint, "signature"]);
    assert!(verify("far.json").status.success());
    assert!(!verify("old.json").status.success());
}

/// What BuildKit says of how it built an image stands in the image's index; buildx reads it.
#[test]
fn buildkit_attestations() {
    let sides = Sides::new("docker28-containerd-buildkit");
    let buildx = rootfs("sid").join("usr/libexec/docker/cli-plugins/docker-buildx");
    let provenance = |image: &str| {
        sides.must(&buildx, &["imagetools", "inspect", image, "--format", "{{json .Provenance.SLSA.buildType}}"])
    };
    sides.carry(&[]);
    let near = provenance(&sides.near_tag("v2"));
    assert!(near.contains("buildkit"), "{near}");
    assert_eq!(provenance(&sides.far_tag("v2")), near);
}
