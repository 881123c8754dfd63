//! Archives and words as strangers give them: what Docker or skopeo takes comes back, anything else is refused by name.

use std::fs;
use std::path::Path;

use delta_core::digest::{BlobDigest, ConfigDigest};
use serde_json::{Value, json};

use crate::support::{Folder, command, docker_delta, finish, image, layer, noise, real, seen};

/// A docker-archive of one layer, stored as `stored`, with this config and this entry of `manifest.json`.
fn archive(folder: &Folder, file: &str, stored: &[u8], config: &[u8], more: &Value) -> String {
    let name = format!("{}.json", ConfigDigest::of(config).hex());
    let mut entry = json!({"Config": name, "Layers": ["l/layer.tar"]});
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let listed = serde_json::to_vec(&json!([entry])).unwrap();
    folder.write(file, &layer(&[("l/layer.tar", stored), (&name, config), ("manifest.json", &listed)]))
}

fn content() -> Vec<u8> {
    layer(&[("file", &noise(1, 3000))])
}

fn config(more: &Value) -> Vec<u8> {
    let mut config = json!({"architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [BlobDigest::of(&content())]}});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::to_vec(&config).unwrap()
}

/// Packs and applies; returns what was told and what came out.
fn round_trip(folder: &Folder, source: &str) -> (String, Value) {
    let (package, out) = (folder.file("p.ddelta"), folder.file("out.tar"));
    let _ = (fs::remove_file(&package), fs::remove_file(&out));
    let told = docker_delta(&["create", source, &package]).ok().stderr;
    docker_delta(&["apply", &package, "-o", &out]).ok();
    (told, seen(&out))
}

#[test]
fn odd_configs_come_back_as_they_are_or_are_refused_by_name() {
    let folder = Folder::new();
    let text = |more: &Value| String::from_utf8(config(more)).unwrap();
    let plain = text(&json!({}));
    for config in [
        text(&json!({"author": "a".repeat(9 << 20)})),
        plain.replace(r#""os":"linux""#, r#""os":"linux","os":"linux""#),
        plain.replace(r#""type":"layers""#, r#""type":null"#),
        text(&json!({"architecture": null, "os": 7})),
        text(&json!({"config": {"Volumes": {"/data": null}, "Env": null}, "history": null, "created": null})),
    ] {
        let source = archive(&folder, "x.tar", &content(), config.as_bytes(), &json!({"RepoTags": ["app:v1"]}));
        let (_, out) = round_trip(&folder, &source);
        let id = ConfigDigest::of(config.as_bytes()).to_string();
        assert_eq!(out["images"][0]["manifests"][0]["config"], id, "{}", config.chars().take(200).collect::<String>());
    }
    for (config, expected) in [
        (format!("\u{feff}{plain}"), "begins with a byte order mark"),
        (plain.replace("sha256:", "SHA256:"), "expected a digest `sha256:`"),
        (plain.replace("diff_ids", "layers"), "the config lists 0 layers, manifest.json 1"),
    ] {
        let source = archive(&folder, "x.tar", &content(), config.as_bytes(), &json!({}));
        docker_delta(&["create", &source, &folder.file("q.ddelta")]).failed(4, &[expected]);
    }
}

#[test]
fn no_name_is_dropped_without_a_word() {
    let folder = Folder::new();
    for (more, names, word) in [
        (json!({}), vec![], None),
        (json!({"RepoTags": null}), vec![], None),
        (json!({"RepoTags": [null, "", "<none>:<none>"]}), vec![], None),
        (json!({"repotags": ["app"]}), vec!["app:latest"], None),
        (json!({"RepoTags": ["app:v2", "app:v2", "docker.io/library/app:v2"]}), vec!["app:v2"], None),
        (json!({"RepoTags": ["app:v1", "localhost/App:v1"]}), vec!["app:v1"], Some("localhost/App:v1")),
        (json!({"RepoTags": [format!("sha256:{}", "1".repeat(64))]}), vec![], Some("sha256:1111")),
        (json!({"RepoTags": [format!("app@sha256:{}", "0".repeat(64))]}), vec![], Some("app@sha256:0000")),
        (json!({"RepoTags": ["a\u{1b}b"]}), vec![], Some("a\\u{1b}b")),
    ] {
        let source = archive(&folder, "x.tar", &content(), &config(&json!({})), &more);
        let (told, out) = round_trip(&folder, &source);
        assert_eq!(out["images"][0]["names"], json!(names), "{more}");
        let is_told = told.contains("which is no name that engines take");
        assert!(is_told == word.is_some() && word.is_none_or(|word| told.contains(word)), "{more}: {told}");
    }
    for (more, expected) in [(json!({"RepoTags": "app:v1"}), "`RepoTags`: "), (json!({"Layers": 7}), "`Layers`: ")] {
        let source = archive(&folder, "x.tar", &content(), &config(&json!({})), &more);
        docker_delta(&["create", &source, &folder.file("q.ddelta")])
            .failed(4, &["manifest.json is not valid", expected]);
    }
}

#[test]
fn layers_of_archives_are_opened_however_they_are_compressed() {
    let folder = Folder::new();
    let plain = folder.write("plain", &content());
    let skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd".to_vec();
    for (package, program) in [("xz-utils", "xz"), ("bzip2", "bzip2"), ("gzip", "gzip"), ("zstd", "zstd")] {
        let stored = folder.file("stored");
        real(package, "sh", &["-c", &format!("{program} -c < {plain} > {stored}")]);
        let stored = fs::read(stored).unwrap();
        let before = if program == "zstd" { skipped.clone() } else { Vec::new() };
        let source = archive(&folder, "x.tar", &[before, stored].concat(), &config(&json!({})), &json!({}));
        let (_, out) = round_trip(&folder, &source);
        assert_eq!(out["images"][0]["manifests"][0]["layers"][0]["diff_id"], BlobDigest::of(&content()).to_string());
    }
}

#[test]
fn an_image_is_meant_by_its_place_and_paths_may_have_colons() {
    let folder = Folder::new();
    let one = image(&folder, "a:b.tar", "app:v1", &[content()]);
    for source in [format!("docker-archive:{one}:@0"), format!("docker-archive:{one}:app:v1"), one.clone()] {
        assert_eq!(round_trip(&folder, &source).1["images"][0]["names"], json!(["app:v1"]), "{source}");
    }
    docker_delta(&["create", &format!("docker-archive:{one}:@1"), &folder.file("q.ddelta")])
        .failed(2, &["holds no image `@1`, which counts from 0; it holds app:v1"]);
}

/// Runs in a folder with podman as the only engine, whose store is in another one.
fn beside(folder: &Folder, store: &Path, program: &str, arguments: &[&str]) -> crate::support::Ran {
    let settings = store.join("storage.conf");
    if !settings.exists() {
        let (graph, run) = (store.join("graph"), store.join("run"));
        let text = format!("[storage]\ndriver = \"vfs\"\ngraphroot = {graph:?}\nrunroot = {run:?}\n");
        fs::write(&settings, text).unwrap();
        std::os::unix::fs::symlink("/usr/bin/podman", store.join("podman")).unwrap();
    }
    let mut command = if program == "podman" {
        let mut command = std::process::Command::new("/usr/bin/podman");
        command.args(arguments);
        command
    } else {
        let mut command = command(program, arguments);
        command.env("PATH", store);
        command
    };
    let command = command.env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT");
    finish(command.env("CONTAINERS_STORAGE_CONF", settings).current_dir(folder.path()))
}

#[test]
fn an_engines_image_goes_before_a_path_of_the_same_name_with_a_word() {
    let (folder, store) = (Folder::new(), Folder::new());
    let archive = image(&folder, "shop", "other:v1", &[content()]);
    let inside = image(&store, "inside.tar", "shop:latest", &[layer(&[("inside", b"podman")])]);
    let create = |name: &str, package: &str| {
        beside(&folder, store.path(), "docker_delta", &["create", name, package, "--engine", "podman"])
    };
    let told = create("shop", "path.ddelta").ok().stderr;
    assert!(!told.contains("the image is taken"), "{told}");
    beside(&folder, store.path(), "podman", &["load", "-q", "-i", &inside]).ok();
    let told = create("shop", "image.ddelta").ok().stderr;
    assert!(told.contains("`shop` is an image of podman") && told.contains("write ./shop for the path"), "{told}");
    create("./shop", "again.ddelta").ok();
    let brings = |package: &str| docker_delta(&["info", "--json", &folder.file(package)]).ok().stdout;
    assert!(brings("path.ddelta").contains("other:v1") && brings("again.ddelta").contains("other:v1"), "{archive}");
    assert!(brings("image.ddelta").contains("shop:latest"));
}
