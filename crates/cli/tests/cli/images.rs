//! The main job on the archives of real engines and on odd images.

use std::fs;

use crate::support::{Folder, command, docker_delta, finish, image, layer, names, noise, sample, seen};

/// Kinds of archives with a version 1 and 2.
const PAIRS: [&str; 14] = [
    "ctr21-export",
    "docker20-classic",
    "docker26-classic",
    "docker26-containerd",
    "docker28-classic",
    "docker28-classic-buildkit",
    "docker28-containerd",
    "docker28-containerd-buildkit",
    "docker28-containerd-pulled",
    "docker29-classic",
    "podman4-docker-archive",
    "podman4-oci-archive",
    "podman58-docker-archive",
    "podman58-oci-archive",
];

fn round_trip(base: &str, target: &str, options: &[&str]) {
    let folder = Folder::new();
    let (package, again) = (folder.file("p.ddelta"), folder.file("again.tar"));
    docker_delta(&[&["create", target, &package, "--base", base], options].concat()).ok();
    docker_delta(&["verify", &package]).ok();
    docker_delta(&["apply", &package, "--base", base, "-o", &again]).ok();
    assert_eq!(seen(&again), seen(target), "{target} {options:?}");
    assert_eq!(names(folder.path()), ["again.tar", "p.ddelta"]);
}

#[test]
fn every_pair_comes_back_by_every_method() {
    for pair in PAIRS {
        let [base, target] = ["v1", "v2"].map(|version| sample(&format!("tiny/{pair}/{version}.tar")));
        for method in ["auto", "xdelta3", "bsdiff", "layer"] {
            round_trip(&base, &target, &["-m", method]);
        }
    }
}

#[test]
fn every_compression_and_level_comes_back() {
    let [base, target] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")));
    for method in ["xdelta3", "bsdiff", "layer", "auto"] {
        for compression in
            [&["-c", "zstd", "-l", "22"][..], &["-l-7"], &["-c", "gzip"], &["-c", "bzip2"], &["-c", "xz"], &["-cnone"]]
        {
            round_trip(&base, &target, &[&["-m", method], compression].concat());
        }
    }
}

#[test]
fn folders_and_other_layouts_are_sources_too() {
    for (base, target) in [
        ("oci:tiny/skopeo-oci-dir/layout:v1", "oci:tiny/skopeo-oci-dir/layout:v2"),
        ("oci:tiny/skopeo-oci-dir/layout-zstd", "oci:tiny/skopeo-oci-dir/layout:v2"),
        ("dir:tiny/skopeo-dir/v1", "dir:tiny/skopeo-dir/v2"),
    ] {
        let full = |text: &str| {
            let (kind, rest) = text.split_once(':').unwrap();
            format!("{kind}:{}", sample(rest))
        };
        round_trip(&full(base), &full(target), &[]);
    }
    round_trip(&sample("tiny/docker20-classic/v1.tar"), &sample("special/docker20-duplicate-layer-symlink.tar"), &[]);
    round_trip(&sample("special/docker20-duplicate-layer-symlink.tar"), &sample("special/docker20-60layers.tar"), &[]);
}

#[test]
fn a_package_without_a_base_needs_nothing_and_several_images_share_layers() {
    let folder = Folder::new();
    let (package, again) = (folder.file("p.ddelta"), folder.file("again.tar"));
    let [one, two] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")));
    docker_delta(&["create", &one, &two, &package, "-l", "19"]).ok();
    let single = folder.file("single.ddelta");
    docker_delta(&["create", &one, &single, "-l", "19"]).ok();
    let size = |path: &str| fs::metadata(path).unwrap().len();
    assert!(size(&package) < size(&single) + size(&single) / 2 + 20_000);
    docker_delta(&["apply", &package, "-o", &again]).ok();
    let images = seen(&again);
    assert_eq!(images["images"].as_array().unwrap().len(), 2);
    let ran = docker_delta(&["apply", &package, "other:name", "-o", &folder.file("x.tar")]);
    ran.failed(2, &["other:name cannot name 2 images"]);
}

#[test]
fn an_image_gets_the_name_that_was_asked_for() {
    let folder = Folder::new();
    let (package, again) = (folder.file("p.ddelta"), folder.file("again/"));
    docker_delta(&["create", &sample("tiny/docker28-classic/v2.tar"), &package]).ok();
    docker_delta(&["apply", &package, "registry.example/team/app:next", "-o", &again]).ok();
    assert_eq!(seen(&again)["images"][0]["names"][0], "registry.example/team/app:next");
    for (name, text) in [
        ("UPPER:v1", "did you mean upper:v1?"),
        ("App:NEXT", "did you mean app:NEXT?"),
        ("app@sha256:00", "a digest cannot be given"),
        ("app:v1:v2", "a tag is up to 128 letters"),
        ("", "found ``"),
    ] {
        docker_delta(&["apply", &package, name, "-o", &folder.file("other.tar")]).failed(2, &[text]);
    }
    assert_eq!(names(folder.path()), ["again", "p.ddelta"]);
}

#[test]
fn odd_images_come_back() {
    let folder = Folder::new();
    let text =
        layer(&[("a", b"one"), (&"n".repeat(90), &noise(1, 3000)), ("dir/.wh.gone", b""), ("dir/.wh..wh..opq", b"")]);
    let empty = vec![0; 1024];
    let no_tar = b"this is no tar at all".to_vec();
    let base = image(&folder, "base.tar", "odd:v1", &[text.clone(), empty.clone()]);
    let many: Vec<Vec<u8>> = (0..60).map(|number| layer(&[("same", &noise(3, 5000)), ("own", &[number])])).collect();
    let odd = [vec![text.clone(), empty.clone(), text, empty, Vec::new(), no_tar], many].concat();
    let target = image(&folder, "target.tar", "odd:v2", &odd);
    for method in ["auto", "xdelta3", "bsdiff", "layer"] {
        round_trip(&base, &target, &["-m", method]);
        round_trip(&target, &base, &["-m", method]);
    }
}

#[test]
fn the_same_inputs_give_the_same_package_for_any_number_of_threads() {
    let folder = Folder::new();
    let [base, target] =
        ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-containerd-buildkit/{version}.tar")));
    let make = |name: &str, threads: &str| {
        let package = folder.file(name);
        finish(
            command("docker_delta", &["create", &target, &package, "--base", &base]).env("RAYON_NUM_THREADS", threads),
        )
        .ok();
        fs::read(package).unwrap()
    };
    let one = make("one", "1");
    assert_eq!(one, make("two", "2"));
    assert_eq!(one, make("three", "2"));
}

#[test]
fn dry_runs_write_nothing_and_say_what_would_be() {
    let folder = Folder::new();
    let package = folder.file("p.ddelta");
    let [base, target] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker20-classic/{version}.tar")));
    let ran = docker_delta(&["create", "-vd", &target, &package, "--base", &base]).ok();
    assert!(ran.stdout.contains("TRAVELS AS") && ran.stdout.contains("held"), "{}", ran.stdout);
    assert!(ran.stderr.contains("would weigh"), "{}", ran.stderr);
    assert!(names(folder.path()).is_empty());
    docker_delta(&["create", &target, &package, "--base", &base]).ok();
    let ran = docker_delta(&["apply", "-d", &package, "--base", &base, "-o", &folder.file("x.tar")]).ok();
    assert!(ran.stderr.contains("base layers would be read"), "{}", ran.stderr);
    assert_eq!(names(folder.path()), ["p.ddelta"]);
}

#[test]
fn reports_are_data() {
    let folder = Folder::new();
    let package = folder.file("p.ddelta");
    let [base, target] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker20-classic/{version}.tar")));
    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&docker_delta(arguments).ok().stdout).unwrap()
    };
    let created = json(&["create", "--json", &target, &package, "--base", &base]);
    assert_eq!(created["package_bytes"], fs::metadata(&package).unwrap().len());
    let layers = json(&["list", "--json", &package]);
    let fates: Vec<&str> =
        layers["layers"].as_array().unwrap().iter().map(|layer| layer["transfer"].as_str().unwrap()).collect();
    assert_eq!(fates[..2], ["held", "held"]);
    assert!(fates[2..].iter().all(|transfer| *transfer != "held"));
    let info = json(&["info", "--json", &package]);
    assert_eq!(info["images"][0]["names"][0], "t/tiny:v2");
    assert_eq!(info["bases"][0]["names"][0], "t/tiny:v1");
    assert!(json(&["verify", "--json", &package])["members"].as_u64().unwrap() >= 4);
    for text in [docker_delta(&["list", &package]).ok().stdout, docker_delta(&["info", &package]).ok().stdout] {
        assert!(text.contains("t/tiny:v1") && !text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn the_manifest_of_compressed_layers_costs_next_to_nothing_and_config_keeps_the_image_id() {
    let folder = Folder::new();
    let [base, target] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-containerd-pulled/{version}.tar")));
    let (exact, small) = (folder.file("exact"), folder.file("small"));
    let ran = docker_delta(&["create", &target, &exact, "--base", &base]).ok();
    assert!(!ran.stderr.contains("--identity config"), "{}", ran.stderr);
    docker_delta(&["create", &target, &small, "--base", &base, "--identity", "config"]).ok();
    let [exact, plain] = [&exact, &small].map(|package| fs::metadata(package).unwrap().len());
    assert!(exact <= plain + plain / 50 + 2048, "{exact} {plain}");
    let again = folder.file("again.tar");
    docker_delta(&["apply", &small, "--base", &base, "-o", &again]).ok();
    assert_eq!(
        seen(&again)["images"][0]["manifests"][0]["config"],
        seen(&target)["images"][0]["manifests"][0]["config"]
    );
}
