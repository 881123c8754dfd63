//! Many images at once: by lists, and into one registry.

use std::process::Command;

use delta_core::digest::BlobDigest;

use super::server::{Guard, Registry, alone, lonely};
use crate::support::{Folder, finish, image, layer, sample};

/// A registry with four images, two of them old.
fn filled() -> Registry {
    let registry = Registry::start(Guard::Nothing);
    for tag in ["v1", "v2"] {
        let file = sample(&format!("tiny/docker28-containerd-pulled/{tag}.tar"));
        registry.fill(&format!("docker-archive:{file}"), &format!("team/app:{tag}"));
        let file = sample(&format!("tiny/podman58-oci-archive/{tag}.tar"));
        registry.fill(&format!("oci-archive:{file}"), &format!("db:{tag}"));
    }
    registry
}

#[test]
fn a_list_goes_into_a_package_and_a_package_into_a_registry() {
    let (near, far) = (filled(), Registry::start(Guard::Nothing));
    let folder = Folder::new();
    let place = format!("localhost:{}", near.port());
    let have = folder.write("have.txt", format!("{place}/team/app:v1\n{place}/db:v1\n").as_bytes());
    let list = format!("# the site\r\n{place}/team/app:v2  # ours\r\n\r\n  docker://{place}/db:v2\r\n");
    let list = folder.write("images.txt", list.as_bytes());
    let (package, base) = (folder.file("site.ddelta"), folder.file("base.ddelta"));
    alone(&folder, &["create", "--images", &have, "--pull", &base]).ok();
    let mirror = format!("localhost:{}/mirror/", far.port());
    let ran = alone(&folder, &["apply", &base, "--to", &mirror]).ok();
    assert!(ran.stdout.contains(&format!("{place}/team/app:v1  {mirror}team/app:v1")), "{}", ran.stdout);
    alone(&folder, &["create", "--images", &list, "--base-images", &have, "--pull", &package]).ok();
    let ran = alone(&folder, &["apply", "-d", &package, "--to", &mirror]).ok();
    assert!(ran.stdout.contains(&format!("{mirror}db:v2")), "{}", ran.stdout);
    alone(&folder, &["inspect", &far.name("mirror/db:v2")]).failed(3, &["404"]);
    let ran = alone(&folder, &["apply", "--json", &package, "--to", &mirror]).ok();
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["images"][0]["pushed_as"], serde_json::json!([format!("{mirror}team/app:v2")]));
    for name in ["team/app:v2", "db:v2"] {
        assert_eq!(far.digest(&format!("mirror/{name}")), near.digest(name));
    }
}

#[test]
fn compose_files_and_manifests_are_lists() {
    let near = filled();
    let folder = Folder::new();
    let place = format!("localhost:{}", near.port());
    let compose = "services:\n  app: {image: \"${PLACE}/team/app:${TAG:-v2}\"}\n  db:\n    image: $PLACE/db:v1\n  x: {build: .}\n";
    let compose = folder.write("compose.yaml", compose.as_bytes());
    let package = folder.file("p.ddelta");
    let info = |package: &str| {
        let ran = alone(&folder, &["info", "--json", package]).ok();
        let info: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let names =
            info["images"].as_array().unwrap().iter().map(|image| image["names"][0].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    alone(&folder, &["create", "--compose", &compose, "--pull", &package]).failed(2, &["compose.yaml:2", "PLACE"]);
    let mut command = lonely(&folder, &["create", "-v", "--compose", &compose, "--pull", &package]);
    let ran = finish(command.env("PLACE", &place)).ok();
    assert!(ran.stderr.contains(&format!("compose.yaml:2: {place}/team/app:v2")), "{}", ran.stderr);
    assert_eq!(info(&package), [format!("{place}/team/app:v2"), format!("{place}/db:v1")]);
    let pod = format!(
        "kind: Pod\nspec:\n  containers:\n  - image: {place}/db:v2\n  initContainers:\n  - image: {place}/team/app:v1\n"
    );
    let pod = folder.write("pod.yaml", pod.as_bytes());
    let mut command = lonely(&folder, &["create", "-f", "--kubernetes", "-", "--pull", &package]);
    finish(command.stdin(std::fs::File::open(pod).unwrap())).ok();
    assert_eq!(info(&package), [format!("{place}/db:v2"), format!("{place}/team/app:v1")]);
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let near = filled();
    let folder = Folder::new();
    let place = format!("localhost:{}", near.port());
    let list = format!(
        "docker://{place}/team/app:v2\ndocker://{place}/db:v8\n\ndocker://{place}/none:v9\nno/such/file.tar\nUPPER\n"
    );
    let list = folder.write("images.txt", list.as_bytes());
    let package = folder.file("p.ddelta");
    let ran = alone(&folder, &["create", "--images", &list, "--pull", &package]);
    let (two, four) = (format!("{list}:2: docker://{place}/db:v8"), format!("{list}:4: docker://{place}/none:v9"));
    ran.failed(3, &["4 of the 5 images", &two, &four, "images.txt:5", "images.txt:6", "404"]);
    let odd = folder.write("odd.txt", b"app:v1\na b\n");
    alone(&folder, &["create", "--images", &odd, &package]).failed(4, &["odd.txt:2", "one image a line"]);
    let empty = folder.write("empty.txt", b"# nothing\n");
    alone(&folder, &["create", "--images", &empty, &package]).failed(2, &["empty.txt names no image"]);
    alone(&folder, &["create", &package]).failed(2, &["only one was given"]);
    // The list is never written over.
    alone(&folder, &["create", "-f", "--images", &list, &list]).failed(2, &["images.txt"]);
    assert!(!std::path::Path::new(&package).exists());
}

#[test]
fn a_mapping_that_cannot_be_meant_is_refused() {
    let folder = Folder::new();
    let [one, two] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")));
    let package = folder.file("p.ddelta");
    alone(&folder, &["create", &one, &two, &package]).ok();
    for (to, text) in
        [("mirror", "expected a registry"), ("", "expected a registry"), ("localhost:1/UP", "small letters")]
    {
        alone(&folder, &["apply", &package, "--to", to]).failed(2, &[text]);
    }
    alone(&folder, &["apply", &package, "--to", "localhost:1/"]).failed(3, &["cannot be reached"]);
    alone(&folder, &["apply", &package, "app:v1", "--to", "localhost:1/"]).failed(2, &["--to"]);
}

/// A package of images of two registries that nobody reaches.
fn site(folder: &Folder) -> String {
    let images =
        [("one.tar", "debian:12"), ("two.tar", "quay.example/team/app:v1"), ("three.tar", "quay.example/team/app:v2")];
    let archives = images.map(|(file, tag)| image(folder, file, tag, &[layer(&[(tag, b"x")])]));
    let package = folder.file("site.ddelta");
    alone(folder, &[&["create"], &archives.each_ref().map(String::as_str)[..], &[&package]].concat()).ok();
    package
}

/// What a form of the mapping reads as, once the images are pushed.
fn mapping(folder: &Folder, far: &Registry, form: &str) -> String {
    let (package, to) = (site(folder), format!("localhost:{}/mirror/", far.port()));
    let dry = alone(folder, &["apply", "-d", &package, "--to", &to, "--mapping", form]).ok();
    let ran = alone(folder, &["apply", &package, "--to", &to, "--mapping", form]).ok();
    assert_eq!(dry.stdout, ran.stdout);
    ran.stdout
}

#[test]
fn skopeo_pulls_by_the_old_names_through_the_mapping() {
    let (folder, far) = (Folder::new(), Registry::start(Guard::Nothing));
    let conf = folder.write("registries.conf", mapping(&folder, &far, "registries.conf").as_bytes());
    let ask = |image: &str| {
        let arguments = ["--registries-conf", &conf, "inspect", "--raw", &format!("docker://{image}")];
        let done = Command::new("skopeo").args(arguments).output().unwrap();
        (done.status.success(), BlobDigest::of(&done.stdout).to_string())
    };
    for (image, mirrored) in [
        ("docker.io/library/debian:12", "mirror/library/debian:12"),
        ("quay.example/team/app:v1", "mirror/team/app:v1"),
        ("quay.example/team/app:v2", "mirror/team/app:v2"),
    ] {
        let digest = far.digest(mirrored);
        assert_eq!(ask(image), (true, digest.clone()), "{image}");
        let (repository, _) = image.rsplit_once(':').unwrap();
        assert_eq!(ask(&format!("{repository}@{digest}")), (true, digest));
    }
    assert!(!ask("quay.example/team/other:v1").0);
}

#[test]
fn openshift_is_told_in_yaml() {
    for (form, kind, list) in [
        ("image-digest-mirror-set", "ImageDigestMirrorSet", "imageDigestMirrors"),
        ("image-tag-mirror-set", "ImageTagMirrorSet", "imageTagMirrors"),
        ("image-content-source-policy", "ImageContentSourcePolicy", "repositoryDigestMirrors"),
    ] {
        let (folder, far) = (Folder::new(), Registry::start(Guard::Nothing));
        let file = folder.write("mirrors.yaml", mapping(&folder, &far, form).as_bytes());
        let script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
        let done = Command::new("python3").args(["-c", script, &file]).output().unwrap();
        let hint = "`python3` with the Debian package `python3-yaml`";
        assert!(done.status.success(), "{hint}: {}", String::from_utf8_lossy(&done.stderr));
        let read: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(read["kind"], kind);
        assert!(read["metadata"]["name"].as_str().unwrap().starts_with("docker-delta-"));
        let mirror = |path: &str| serde_json::json!([format!("localhost:{}/mirror/{path}", far.port())]);
        let expected = serde_json::json!([
            {"source": "docker.io/library/debian", "mirrors": mirror("library/debian")},
            {"source": "quay.example/team/app", "mirrors": mirror("team/app")},
        ]);
        assert_eq!(read["spec"][list], expected);
    }
}

#[test]
fn scripts_are_told_in_json() {
    let (folder, far) = (Folder::new(), Registry::start(Guard::Nothing));
    let read: serde_json::Value = serde_json::from_str(&mapping(&folder, &far, "json")).unwrap();
    crate::words::documented(&read);
    let images = read["images"].as_array().unwrap();
    assert_eq!(images.len(), 3);
    assert_eq!(images[0]["image"], "docker.io/library/debian:12");
    assert_eq!(images[0]["pushed_as"][0], format!("localhost:{}/mirror/library/debian:12", far.port()));
    assert_eq!(images[0]["digest"], far.digest("mirror/library/debian:12").as_str());
}

#[test]
fn a_form_of_the_mapping_is_one_that_there_is_and_needs_one() {
    let folder = Folder::new();
    let package = site(&folder);
    let to = "localhost:1/mirror/";
    for (arguments, text) in [
        (&["--to", to, "--mapping", "yaml"][..], "registries.conf"),
        (&["--to", to, "--mapping"], "a value is required"),
        (&["--mapping", "table"], "--to"),
        (&["docker://localhost:1/app", "--mapping", "table"], "--to"),
        (&["--to", to, "--mapping", "table", "--json"], "--json"),
    ] {
        alone(&folder, &[&["apply", &package], arguments].concat()).failed(2, &[text]);
    }
}
