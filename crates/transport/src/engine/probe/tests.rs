use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;

use super::*;

fn layers(all: &[&[u8]]) -> Vec<DiffId> {
    all.iter().map(|bytes| DiffId::of(bytes)).collect()
}

/// The files of a probe's archive.
fn files(probe: &Probe, store: Store) -> BTreeMap<String, Vec<u8>> {
    let archive = probe.archive(store).unwrap();
    let mut archive = tar::Archive::new(&archive[..]);
    let file = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    };
    archive.entries().unwrap().map(file).collect()
}

#[test]
fn a_chain_ends_with_the_highest_layer_that_is_wanted() {
    let all = layers(&[b"a", b"b", b"c", b"b"]);
    let chain = |wanted: &[&[u8]]| {
        let wanted = layers(wanted).into_iter().collect();
        Probe::chain(&all[..3], &wanted).map(|Probe(named)| named.iter().map(|layer| layer.diff_id).collect::<Vec<_>>())
    };
    assert_eq!(chain(&[b"a"]), Some(layers(&[b"a"])));
    assert_eq!(chain(&[b"b"]), Some(layers(&[b"a", b"b"])));
    assert_eq!(chain(&[b"a", b"b", b"x"]), Some(layers(&[b"a", b"b"])));
    for wanted in [&[&b"c"[..]][..], &[b"a", b"c"], &[b"x"], &[]] {
        assert_eq!(chain(wanted), None, "it is the whole image, or nothing of it");
    }
    // Of what comes twice the higher one counts.
    assert!(Probe::chain(&all, &layers(&[b"b"]).into_iter().collect()).is_none());
}

#[test]
fn a_probe_is_an_image_that_names_layers_and_brings_none() {
    let (blob, diff_id) = (BlobDigest::of(b"compressed"), DiffId::of(b"plain"));
    let probe = Probe::blobs(vec![Named { diff_id, blob, size: 77 }]);
    for (store, architecture) in [(Store::Containerd, "probe"), (Store::Classic, "amd64"), (Store::Podman, "amd64")] {
        let files = files(&probe, store);
        let json = |name: &str| serde_json::from_slice::<Value>(&files[name]).unwrap();
        let path = |digest: &str| format!("blobs/sha256/{}", digest.strip_prefix("sha256:").unwrap());
        let (index, docker) = (json("index.json"), json("manifest.json"));
        let manifest_path = path(index["manifests"][0]["digest"].as_str().unwrap());
        let manifest = json(&manifest_path);
        let config_path = path(manifest["config"]["digest"].as_str().unwrap());
        let config = json(&config_path);
        // Each document has the digest and the size that it is named by.
        for (path, named) in [(&manifest_path, &index["manifests"][0]), (&config_path, &manifest["config"])] {
            let found = Document::new(files[path].clone());
            assert_eq!(named["digest"], found.digest().to_string());
            assert_eq!(named["size"], found.bytes().len());
        }
        assert_eq!(config["architecture"], architecture);
        assert_eq!(config["rootfs"]["diff_ids"], json!([diff_id.to_string()]));
        let layer = &manifest["layers"][0];
        assert_eq!((&layer["digest"], &layer["size"]), (&json!(blob.to_string()), &json!(77)));
        let layer_path = path(&blob.to_string());
        assert_eq!(docker, json!([{"Config": config_path, "RepoTags": null, "Layers": [layer_path]}]));
        assert!(!files.contains_key(&layer_path) && files.len() == 5);
        assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
    }
    // By diff IDs a layer is its own blob.
    let Probe(named) = Probe::layers([diff_id].into_iter());
    assert_eq!((named[0].blob, named[0].size), (diff_id.into(), 0));
}
