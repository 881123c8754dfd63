//! An image with all that is odd, made from nothing, updated and run.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use delta_core::digest::DiffId;
use delta_core::image::documents::{OCI_MANIFEST, config_digest, synthesise_manifest};
use delta_core::image::{Document, ManifestKind, RebuiltImage, RebuiltManifest, Root, VerifiedBlob, VerifiedLayer};
use delta_core::job::progress::Silent;
use delta_transport::archive_writer::{Naming, write_archive};
use serde_json::json;
use std::sync::Arc;
use tar::{Builder, EntryType, Header};

use crate::lab::{Daemon, Lab};
use crate::steps::{self, Versions};

/// Debian's package `busybox-static` has it; it needs nothing else in the image.
const BUSYBOX: &str = "/bin/busybox";

/// Looks at what an engine made of the layers.
const CHECK: &str = r#"
set -e
[ /bin/sh -ef /bin/busybox ] || { echo "the hard link is none"; exit 1; }
[ -u /odd/setuid ] || { echo "not setuid"; exit 1; }
[ -c /odd/null ] || { echo "no device"; exit 1; }
[ -p /odd/fifo ] || { echo "no fifo"; exit 1; }
[ -e "/odd/$(printf 'n%0199d' 7)" ] || { echo "no long name"; exit 1; }
[ -e "/odd/$(printf 'caf\351')" ] || { echo "no name in Latin-1"; exit 1; }
[ ! -e /gone/file ] || { echo "a whiteout did nothing"; exit 1; }
[ ! -e /opaque/below ] && [ -e /opaque/above ] || { echo "an opaque folder is not"; exit 1; }
[ "$(ls /small | wc -l)" = "$SMALL" ] || { echo "small layers are missing: $(ls /small)"; exit 1; }
[ "$(cat /again)" = again ] || { echo "no layer that comes again"; exit 1; }
echo "run $MARK as $(id -u) in $(pwd)"
"#;

/// Makes two versions, brings the second by a package and runs it.
pub(crate) fn update(lab: &Lab) {
    let versions = versions(lab);
    steps::from_files(lab, &versions);
    steps::from_the_engine(lab, &versions);
    if lab.plan.runs {
        run(lab, "odd/image:new");
    }
    steps::with_layers_that_nobody_measured(lab, &versions);
    lab.clear();
}

/// `odd/image:old` and `odd/image:new`, as archives.
pub(crate) fn versions(lab: &Lab) -> Versions {
    assert!(PathBuf::from(BUSYBOX).exists(), "install the Debian package busybox-static");
    let [old, new] = ["old", "new"].map(|version| {
        let path = PathBuf::from(lab.file(&format!("{version}.tar")));
        let mut file = File::create(&path).unwrap();
        write_archive(&[image(version)], Naming::Named, &Silent, &mut file).unwrap();
        path
    });
    Versions { old, new }
}

/// Runs the new version, which looks at itself.
pub(crate) fn run(lab: &Lab, name: &str) {
    let mut words = vec!["run", "--rm", "--network", "none"];
    if lab.plan.daemon == Daemon::Podman {
        // Its own limit may be more than it is allowed.
        words.extend(["--ulimit", "nofile=1024:1024"]);
    }
    words.push(name);
    let said = lab.must(&words);
    assert!(said.contains("run new as 0 in /small"), "{}: {said}", lab.plan.name);
}

fn image(version: &str) -> RebuiltImage {
    let layers = layers(version);
    let diff_ids: Vec<DiffId> = layers.iter().map(VerifiedLayer::diff_id).collect();
    let small = if version == "new" { 50 } else { 2 };
    let config = json!({
        "architecture": match std::env::consts::ARCH { "x86_64" => "amd64", "aarch64" => "arm64", other => other },
        "os": "linux",
        "created": "2024-01-01T00:00:00Z",
        "config": {
            "Env": ["PATH=/bin", format!("MARK={version}"), format!("SMALL={small}")],
            "Entrypoint": ["/bin/busybox", "sh"],
            "Cmd": ["/check.sh"],
            "WorkingDir": "/small",
            "Labels": {"org.example.version": version, "org.example.quoted": "\"é\" <&>"},
        },
        "history": diff_ids.iter().map(|_| json!({"created_by": "a test"})).collect::<Vec<_>>(),
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let config = Document::new(config.to_string().into_bytes());
    let sizes: Vec<(DiffId, u64)> = layers.iter().map(|layer| (layer.diff_id(), layer.bytes().len())).collect();
    let manifest = synthesise_manifest(&config, &sizes).unwrap();
    let root = Root {
        media_type: OCI_MANIFEST.to_owned(),
        digest: manifest.digest(),
        size: manifest.bytes().len() as u64,
        synthesised: false,
    };
    let rebuilt = RebuiltManifest {
        digest: manifest.digest(),
        config: config_digest(&config),
        kind: ManifestKind::Image,
        platform: None,
        layers: diff_ids.iter().map(|diff_id| (*diff_id, (*diff_id).into())).collect(),
    };
    RebuiltImage {
        names: vec![format!("odd/image:{version}").parse().unwrap()],
        root,
        documents: [config, manifest].map(|document| (document.digest(), document)).into(),
        manifests: vec![rebuilt],
        blobs: layers.into_iter().map(|layer| (layer.diff_id().into(), VerifiedBlob::from(layer))).collect(),
        layout_index: None,
    }
}

/// The layers, lowest first. Two of them come again in the new version, above what both have: stores that look for chains
/// need their bytes a second time.
fn layers(version: &str) -> Vec<VerifiedLayer> {
    let new = version == "new";
    let empty = vec![0; 1024];
    let again = Tar::new().file("again", b"again").bytes();
    let mut layers = vec![base(), empty.clone(), again.clone()];
    if new {
        layers.extend([empty, again]);
    }
    layers.push(changing(version));
    layers.push(odd(version));
    layers
        .push(Tar::new().file("gone/.wh.file", b"").file("opaque/.wh..wh..opq", b"").file("opaque/above", b"").bytes());
    let count = if new { 50 } else { 2 };
    layers
        .extend((0..count).map(|at| Tar::new().file(&format!("small/{at}"), format!("layer {at}").as_bytes()).bytes()));
    layers.into_iter().map(|bytes| VerifiedLayer::hash(Arc::new(bytes), "layer").unwrap()).collect()
}

fn base() -> Vec<u8> {
    let busybox = fs::read(BUSYBOX).unwrap();
    let mut tar = Tar::new();
    for folder in ["bin/", "odd/", "small/", "gone/", "opaque/", "tmp/"] {
        tar = tar.entry(folder.as_bytes(), EntryType::Directory, 0o755, b"");
    }
    let tar = tar.entry(b"bin/busybox", EntryType::Regular, 0o755, &busybox).link("bin/sh", "bin/busybox");
    let tar = ["id", "ls", "wc", "cat", "pwd", "printf"]
        .iter()
        .fold(tar, |tar, name| tar.link(&format!("bin/{name}"), "bin/busybox"));
    tar.file("gone/file", b"old").file("opaque/below", b"old").bytes()
}

/// A large file with small changes.
fn changing(version: &str) -> Vec<u8> {
    let mut text: Vec<u8> =
        (0..40_000_u32).flat_map(|at| format!("{}\n", at.wrapping_mul(2_654_435_761)).into_bytes()).collect();
    text.splice(100_000..100_000, version.bytes());
    Tar::new().file("data", &text).entry(b"check.sh", EntryType::Regular, 0o755, CHECK.as_bytes()).bytes()
}

/// Everything that a tar can hold and that programs like to lose.
fn odd(version: &str) -> Vec<u8> {
    // CAP_NET_BIND_SERVICE, permitted and effective (linux/capability.h, revision 2).
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let long = format!("odd/n{:0199}", 7);
    Tar::new()
        .attribute("SCHILY.xattr.security.capability", &capability)
        .entry(b"odd/capable", EntryType::Regular, 0o755, version.as_bytes())
        .attribute("SCHILY.xattr.user.odd", b"\0\xff=\n")
        .file("odd/attribute", b"attribute")
        .entry(b"odd/setuid", EntryType::Regular, 0o6755, b"setuid")
        .entry(b"odd/null", EntryType::Char, 0o666, b"")
        .entry(b"odd/fifo", EntryType::Fifo, 0o600, b"")
        .entry(b"odd/caf\xe9", EntryType::Regular, 0o600, b"Latin-1")
        .file(&long, b"long")
        .file("odd/empty", b"")
        .bytes()
}

/// Writes a layer.
struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.entry(name.as_bytes(), EntryType::Regular, 0o644, bytes)
    }

    fn entry(mut self, name: &[u8], kind: EntryType, mode: u32, bytes: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(1_700_000_000);
        header.set_size(bytes.len() as u64);
        if kind == EntryType::Char {
            header.set_device_major(1).unwrap();
            header.set_device_minor(3).unwrap();
        }
        self.0.append_data(&mut header, OsStr::from_bytes(name), bytes).unwrap();
        self
    }

    fn link(mut self, name: &str, target: &str) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Link);
        header.set_mode(0o755);
        header.set_mtime(1_700_000_000);
        header.set_size(0);
        self.0.append_link(&mut header, name, target).unwrap();
        self
    }

    /// Gives an extended attribute to the next entry.
    fn attribute(mut self, name: &str, value: &[u8]) -> Self {
        self.0.append_pax_extensions([(name, value)]).unwrap();
        self
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = self.0.into_inner().unwrap();
        bytes.flush().unwrap();
        bytes
    }
}
