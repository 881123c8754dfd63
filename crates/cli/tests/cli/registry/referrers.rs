//! What hangs on an image goes with it.

use std::fs;

use delta_core::digest::BlobDigest;
use serde_json::{Value, json};

use super::server::{Guard, Registry, alone};
use crate::support::{Folder, real, sample};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layout with an image and a signature that names it as its subject; the image's digest.
fn signed(folder: &Folder) -> (String, String) {
    let layout = folder.file("layout");
    let archive = format!("docker-archive:{}", sample("tiny/docker28-classic/v1.tar"));
    real("skopeo", "skopeo", &["copy", "-q", &archive, &format!("oci:{layout}:app")]);
    let put = |bytes: &[u8]| {
        let digest = BlobDigest::of(bytes);
        fs::write(format!("{layout}/blobs/sha256/{}", digest.hex()), bytes).unwrap();
        json!({"digest": digest.to_string(), "size": bytes.len()})
    };
    let typed = |mut pointer: Value, media_type: &str| {
        pointer["mediaType"] = media_type.into();
        pointer
    };
    let path = format!("{layout}/index.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let image = index["manifests"][0].clone();
    let signature = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.example.signature",
        "config": typed(put(b"{}"), "application/vnd.oci.empty.v1+json"),
        "layers": [typed(put(b"signed"), "text/plain")],
        "subject": {"mediaType": MANIFEST, "digest": image["digest"], "size": image["size"]},
    });
    let entry = typed(put(signature.to_string().as_bytes()), MANIFEST);
    index["manifests"].as_array_mut().unwrap().push(entry);
    fs::write(path, index.to_string()).unwrap();
    (format!("oci:{layout}:app"), image["digest"].as_str().unwrap().to_owned())
}

/// The digest under a tag, and those of the manifests that it leads to.
fn found(folder: &Folder, image: &str) -> Value {
    let ran = alone(folder, &["inspect", "--json", image]).ok();
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    json!([seen["images"][0]["root"]["digest"], seen["images"][0]["manifests"][0]["digest"]])
}

#[test]
fn a_signature_goes_from_a_layout_to_a_registry_and_on_to_another() {
    let folder = Folder::new();
    let (near, far) = (Registry::start(Guard::Nothing), Registry::start(Guard::Nothing));
    let (image, digest) = signed(&folder);
    let (first, second) = (folder.file("first.ddelta"), folder.file("second.ddelta"));
    alone(&folder, &["create", &image, &first]).ok();
    alone(&folder, &["apply", &first, &near.name("team/app:v1")]).ok();
    let list = format!("team/app:{}", digest.replace(':', "-"));
    let listed = found(&folder, &near.name(&list));
    alone(&folder, &["create", &near.name("team/app:v1"), &second]).ok();
    alone(&folder, &["apply", &second, "--to", &format!("localhost:{}/mirror", far.port())]).ok();
    assert_eq!(found(&folder, &far.name(&format!("mirror/{list}"))), listed);
    assert_eq!(found(&folder, &far.name("mirror/team/app:v1"))[0], digest.as_str());
    alone(&folder, &["create", "-f", "--no-referrers", &near.name("team/app:v1"), &second]).ok();
    let ran = alone(&folder, &["info", "--json", &second]).ok();
    let info: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(info["images"].as_array().unwrap().len(), 1, "{}", ran.stdout);
}
