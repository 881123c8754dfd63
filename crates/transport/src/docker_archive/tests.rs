use delta_codec::compress::Compression;
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::Kind;
use delta_core::image::Document;
use serde_json::{Value, json};

use super::*;
use crate::docker_manifest::{DockerManifest, entries};
use crate::fixtures::{Files, all, archive_of, compressed, is_refused, scratch};

const FIRST: &[u8] = b"the first layer";
const SECOND: &[u8] = b"the second layer";

fn config(layers: &[&[u8]]) -> Value {
    let diff_ids: Vec<DiffId> = layers.iter().map(|layer| DiffId::of(layer)).collect();
    json!({"architecture": "arm64", "os": "linux", "variant": "v8", "rootfs": {"diff_ids": diff_ids}})
}

/// What is opened of an archive of these files, in which `manifest.json` has one entry.
fn open(config: &Value, files: &[(&str, &[u8])], layers: &[&str], pick: Option<&str>) -> Result<Vec<SourcedImage>> {
    let mut all: Files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
    all.insert("config.json".to_owned(), serde_json::to_vec(config).unwrap());
    let list = json!([{"Config": "config.json", "RepoTags": ["app:v1", "app:old"], "Layers": layers}]);
    let document = Document::new(serde_json::to_vec(&list).unwrap());
    let Ok(DockerManifest::List(entries)) = entries(&document) else { panic!("no list") };
    let entries: Vec<&DockerEntry> = entries.iter().collect();
    images(&archive_of(&all), &entries, &Pick::from(pick), &scratch())
}

const LAYERS: [(&str, &[u8]); 2] = [("0", FIRST), ("1", SECOND)];

#[test]
fn an_image_is_its_config_and_its_layers_and_a_manifest_made_of_them() {
    let config = config(&[FIRST, SECOND]);
    let opened = open(&config, &LAYERS, &["0", "1"], None).unwrap();
    assert!(opened.len() == 1 && opened[0].tags.is_empty());
    let image = &opened[0].image;
    let manifest = &image.manifests[0];
    let config_digest = BlobDigest::of(&serde_json::to_vec(&config).unwrap());
    assert_eq!((image.manifests.len(), BlobDigest::from(manifest.config)), (1, config_digest));
    assert_eq!(manifest.kind, ManifestKind::Image);
    assert_eq!(manifest.platform.as_ref().unwrap().variant.as_deref(), Some("v8"));
    for (layer, bytes) in manifest.layers.iter().zip([FIRST, SECOND]) {
        assert_eq!((layer.diff_id, layer.blob), (DiffId::of(bytes), BlobDigest::of(bytes)));
        assert_eq!((layer.blob_size, layer.compression), (bytes.len() as u64, BlobCompression::None));
        assert_eq!(all(&layer.content.stored().unwrap()), bytes);
    }
    assert_eq!(manifest.layers.len(), 2);
    assert!(image.root.synthesised && image.layout_index.is_none());
    assert_eq!((image.root.media_type.as_str(), image.root.digest), (OCI_MANIFEST, manifest.digest));
    let root = &image.documents[&image.root.digest];
    assert_eq!((image.documents.len(), image.root.size), (2, root.bytes().len() as u64));
    let made: Value = serde_json::from_slice(root.bytes()).unwrap();
    assert_eq!(made["layers"][1]["digest"], json!(BlobDigest::of(SECOND)));
    assert_eq!(made["layers"][1]["size"], json!(SECOND.len()));
}

#[test]
fn a_compressed_layer_counts_as_what_is_in_it() {
    let plain = open(&config(&[FIRST, SECOND]), &LAYERS, &["0", "1"], None).unwrap();
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Xz, Compression::Bzip2] {
        let stored = compressed(FIRST, compression);
        let files = [("0", stored.as_slice()), ("1", SECOND)];
        let opened = open(&config(&[FIRST, SECOND]), &files, &["0", "1"], None).unwrap();
        let layer = &opened[0].image.manifests[0].layers[0];
        assert_eq!((layer.blob, layer.blob_size), (BlobDigest::of(FIRST), FIRST.len() as u64), "{compression}");
        assert_eq!(all(&layer.content.stored().unwrap()), FIRST, "{compression}");
        assert_eq!(opened[0].image.root, plain[0].image.root, "{compression}");
        let cut = [("0", &stored[..stored.len() - 5]), ("1", SECOND)];
        let error = open(&config(&[FIRST, SECOND]), &cut, &["0", "1"], None).map(|_| ());
        is_refused(error, Kind::Content, &["decompressing the layer 0"]);
    }
}

#[test]
fn a_layer_that_looks_compressed_once_it_is_opened_is_not_opened_again() {
    let inner = compressed(FIRST, Compression::Gzip);
    let outer = compressed(&inner, Compression::Zstd);
    let opened = open(&config(&[&inner]), &[("0", &outer)], &["0"], None).unwrap();
    let layer = &opened[0].image.manifests[0].layers[0];
    assert!(all(&layer.content.plain().unwrap()) == inner);
}

#[test]
fn one_file_may_be_several_layers() {
    let opened = open(&config(&[FIRST, SECOND, FIRST]), &LAYERS, &["0", "1", "0"], None).unwrap();
    let layers: Vec<DiffId> = opened[0].image.manifests[0].layers.iter().map(|layer| layer.diff_id).collect();
    assert_eq!(layers, [FIRST, SECOND, FIRST].map(DiffId::of));
}

#[test]
fn the_entry_travels_where_all_its_names_do() {
    for (pick, names, has_entry) in [
        (None, vec!["app:v1", "app:old"], true),
        (Some("@0"), vec!["app:v1", "app:old"], true),
        (Some("app:old"), vec!["app:old"], false),
    ] {
        let opened = open(&config(&[FIRST]), &LAYERS, &["0"], pick).unwrap();
        let found: Vec<String> = opened[0].image.names.iter().map(ToString::to_string).collect();
        assert_eq!(
            (found, opened[0].image.docker_manifest.is_some()),
            (names.iter().map(ToString::to_string).collect(), has_entry)
        );
    }
}

#[test]
fn what_is_missing_or_counted_otherwise_is_named() {
    for (config, layers, words) in [
        (config(&[FIRST, SECOND]), vec!["0"], "the config lists 2 layers, manifest.json 1"),
        (config(&[FIRST]), vec!["0", "1"], "the config lists 1 layers, manifest.json 2"),
        (config(&[]), vec!["0"], "the config lists 0 layers, manifest.json 1"),
        (config(&[FIRST, SECOND]), vec!["0", "2"], "it is incomplete: 2 is missing"),
        (json!(7), vec!["0"], "cannot be read"),
    ] {
        let error = open(&config, &LAYERS, &layers, None).map(|_| ());
        is_refused(error, Kind::Content, &[words]);
    }
    let error = open(&config(&[FIRST]), &LAYERS, &["9"], None).map(|_| ()).unwrap_err();
    assert_eq!(error.hint(), Some("save the image again, with an engine that has all of it"));
}
