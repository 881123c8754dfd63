//! Images whose layers real programs compressed: the manifest comes back, and the package is that of the plain layers.

use std::fs;
use std::path::Path;
use std::process::Command;

use delta_core::digest::BlobDigest;
use serde_json::{Value, json};

use crate::support::{Folder, docker_delta, image, layer, noise, real, sample, seen};

/// A layer of text and noise, of which a few lines are those of `version`.
fn content(version: u64) -> Vec<u8> {
    let line = |number: u64| format!("{number}: {:?}\n", &noise(number * 31 + 1, 5));
    let lines =
        (0..40_000).map(|number| if number / 4 == 5_000 { line(number + version * 100_000) } else { line(number) });
    layer(&[
        ("etc/version", &noise(version, 100)),
        ("notes", lines.collect::<String>().as_bytes()),
        ("noise", &noise(3, 90_000)),
    ])
}

fn archives(folder: &Folder) -> [String; 2] {
    [1, 2].map(|version| {
        let layers = [layer(&[("usr/same", &noise(9, 5_000))]), content(version)];
        image(folder, &format!("v{version}.tar"), &format!("app:v{version}"), &layers)
    })
}

/// An OCI layout of an image of [`archives`], whose layers a shell command compresses from standard input to standard output.
fn layout(folder: &Folder, name: &str, version: u64, (kind, package, command): (&str, &str, &str)) -> String {
    let blobs = folder.path().join(name).join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let add = |media_type: &str, bytes: &[u8]| {
        let digest = BlobDigest::of(bytes);
        fs::write(blobs.join(digest.hex()), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    };
    let layers = [layer(&[("usr/same", &noise(9, 5_000))]), content(version)];
    let diff_ids: Vec<String> = layers.iter().map(|layer| BlobDigest::of(layer).to_string()).collect();
    let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let stored = layers.map(|layer| {
        let plain = folder.write("plain", &layer);
        let packed = folder.file("packed");
        real(package, "sh", &["-c", &format!("{command} < {plain} > {packed}")]);
        add(&format!("application/vnd.oci.image.layer.v1.tar+{kind}"), &fs::read(packed).unwrap())
    });
    let config = add("application/vnd.oci.image.config.v1+json", &serde_json::to_vec(&config).unwrap());
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": stored});
    let mut root = add(manifest_type, &serde_json::to_vec(&manifest).unwrap());
    root["annotations"] = json!({"io.containerd.image.name": "docker.io/library/app:new"});
    let index = json!({"schemaVersion": 2, "manifests": [root]});
    fs::write(folder.path().join(name).join("index.json"), serde_json::to_vec(&index).unwrap()).unwrap();
    fs::write(folder.path().join(name).join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    format!("oci:{}", folder.file(name))
}

/// Packs `target` against `base`, applies that, and compares; returns the size of the package and its compressed layers.
fn round_trip(folder: &Folder, target: &str, base: &str) -> (u64, Vec<Value>) {
    let (package, again) = (folder.file("p.ddelta"), folder.file("again"));
    docker_delta(&["create", "--force", target, &package, "--base", base]).ok();
    docker_delta(&["verify", &package]).ok();
    docker_delta(&["apply", "--force", &package, "--base", base, "-o", &format!("oci:{again}")]).ok();
    assert_eq!(manifests(&format!("oci:{again}")), manifests(target));
    fs::remove_dir_all(again).unwrap();
    let list: Value = serde_json::from_str(&docker_delta(&["list", "--json", &package]).ok().stdout).unwrap();
    let blobs = list["layers"].as_array().unwrap().iter().flat_map(|layer| layer["blobs"].as_array().unwrap().clone());
    (fs::metadata(&package).unwrap().len(), blobs.collect())
}

/// The digests of an image's manifest and of all its blobs.
fn manifests(image: &str) -> Value {
    seen(image)["images"].as_array().unwrap().iter().map(|image| image["manifests"].clone()).collect()
}

/// All blobs are made again, by encoders whose names start so.
fn assert_recreated(blobs: &[Value], encoder: &str) {
    for blob in blobs {
        let found = blob["encoder"].as_str().unwrap_or_default();
        assert!(blob["transfer"] == "recreated" && found.starts_with(encoder), "{encoder}: {blob}");
    }
}

#[test]
fn layers_of_real_programs_cost_what_plain_layers_cost() {
    let folder = Folder::new();
    let [base, target] = archives(&folder);
    let (plain, _) = round_trip(&folder, &target, &base);
    // Where streams of several encoders are equal, the first that makes them counts.
    for (number, (package, command, encoder)) in [
        ("gzip", "gzip -6", ""),
        ("gzip", "gzip -9n", ""),
        ("busybox", "busybox gzip", ""),
        ("pigz", "pigz -6", ""),
        ("python3", r#"python3 -c "import sys, zlib; c = zlib.compressobj(6, 8, 31); b = sys.stdin.buffer.read(); sys.stdout.buffer.write(c.compress(b) + c.flush())""#, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let target = layout(&folder, &format!("layout{number}"), 2, ("gzip", package, command));
        let (size, blobs) = round_trip(&folder, &target, &base);
        assert_eq!(blobs.len(), 2);
        assert_recreated(&blobs, encoder);
        assert!(size <= plain * 102 / 100 + 2048, "{command}: {size} against {plain}");
    }
}

#[test]
fn what_skopeo_compressed_comes_back() {
    let folder = Folder::new();
    let [base, target] = archives(&folder);
    let (plain, _) = round_trip(&folder, &target, &base);
    for (format, encoder) in [("gzip", "pgzip"), ("zstd", "klauspost zstd")] {
        let layout = folder.file(format);
        let (from, to) = (format!("docker-archive:{target}"), format!("oci:{layout}:app:v2"));
        real("skopeo", "skopeo", &["--insecure-policy", "copy", "-q", "--dest-compress-format", format, &from, &to]);
        let (size, blobs) = round_trip(&folder, &format!("oci:{layout}"), &base);
        assert_recreated(&blobs, encoder);
        assert!(size <= plain * 102 / 100 + 2048, "{format}: {size} against {plain}");
    }
}

#[test]
fn what_no_known_encoder_made_is_listed_with_its_reason() {
    let folder = Folder::new();
    let [base, _] = archives(&folder);
    // Two frames in one block of each kind: no encoder writes a sync flush in the middle of a member.
    let odd = r#"python3 -c "import sys, zlib; c = zlib.compressobj(6, 8, 31); b = sys.stdin.buffer.read(); h = len(b) // 2; sys.stdout.buffer.write(c.compress(b[:h]) + c.flush(zlib.Z_SYNC_FLUSH) + c.compress(b[h:]) + c.flush())""#;
    let target = layout(&folder, "odd", 2, ("gzip", "python3", odd));
    let package = folder.file("odd.ddelta");
    let said = docker_delta(&["create", "-v", &target, &package, "--base", &base]).ok().stderr;
    assert!(said.contains("because an unknown encoder made it (") && said.contains("differs at byte"), "{said}");
    let list = docker_delta(&["list", &package]).ok().stdout;
    assert!(list.contains("whole (unknown encoder: not "), "{list}");
    let info = docker_delta(&["info", &package]).ok().stdout;
    assert!(info.contains("because an unknown encoder made it ("), "{info}");
    let info: Value = serde_json::from_str(&docker_delta(&["info", "--json", &package]).ok().stdout).unwrap();
    let whole = info["whole_blobs"].as_array().unwrap();
    assert!(
        !whole.is_empty()
            && whole.iter().all(|blob| blob["reason"] == "unknown-encoder" && blob["differs_at"].is_u64())
    );
    let (_, blobs) = round_trip(&folder, &target, &base);
    assert_eq!(blobs.iter().filter(|blob| blob["transfer"] == "whole").count(), whole.len());
    docker_delta(&["create", "--force", "--no-recompress", &target, &package, "--base", &base]).ok();
    assert!(docker_delta(&["list", &package]).ok().stdout.contains("whole (not to be compressed again)"));
    assert!(docker_delta(&["info", &package]).ok().stdout.contains("because nothing is to be compressed again"));
}

#[test]
fn the_command_zstd_of_this_machine_is_known_or_said_to_be_unknown() {
    let folder = Folder::new();
    let [base, _] = archives(&folder);
    let target = layout(&folder, "zstd", 2, ("zstd", "zstd", "zstd -3 -q"));
    let (_, blobs) = round_trip(&folder, &target, &base);
    let version = Command::new("zstd").arg("--version").output().unwrap();
    let is_built_in = String::from_utf8_lossy(&version.stdout).contains("1.5.7");
    for blob in blobs.iter().filter(|blob| blob["size"].as_u64() > Some(10_000)) {
        let expected = if is_built_in { Value::Null } else { json!("unknown-encoder") };
        assert_eq!(blob["reason"], expected, "{blob}");
    }
}

#[test]
fn compressed_samples_of_real_engines_are_made_again() {
    let folder = Folder::new();
    let pairs = [
        ("docker28-containerd-pulled/v2.tar", "docker28-containerd-pulled/v1.tar"),
        ("docker28-containerd-pulled/v2.tar", "docker20-classic/v1.tar"),
        ("docker28-containerd-buildkit/v2.tar", "docker28-containerd-buildkit/v1.tar"),
        ("podman4-oci-archive/v2.tar", "podman4-oci-archive/v1.tar"),
        ("podman58-oci-archive/v2.tar", "podman58-oci-archive/v1.tar"),
        ("podman58-built/v1.oci-archive.tar", "podman58-built/v1.docker-archive.tar"),
        ("buildx-output/v1.type-oci.tar", "docker20-classic/v1.tar"),
        ("buildx-output/v1.type-oci-zstd.tar", "docker20-classic/v1.tar"),
    ];
    for (target, base) in pairs {
        let [target, base] = [target, base].map(|name| sample(&format!("tiny/{name}")));
        assert!(Path::new(&target).exists() && Path::new(&base).exists(), "{target}");
        let (_, blobs) = round_trip(&folder, &target, &base);
        assert!(!blobs.is_empty(), "{target}");
        for blob in blobs {
            // Noise that was compressed is smallest as it is.
            assert_ne!(blob["reason"], "unknown-encoder", "{target}: {blob}");
        }
    }
}
