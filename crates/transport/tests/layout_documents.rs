//! Each byte and each field of the documents of an OCI layout changed: the layout is refused, or it is the same image, or none.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_core::digest::{BlobDigest, DiffId};
use delta_core::image::documents::OCI_INDEX;
use delta_core::image::{Document, Image, Layer, ManifestKind, VerifiedBlob, VerifiedLayer};
use delta_core::job::progress::Silent;
use delta_core::{Kind, Result, limits};
use delta_transport::source::open_path;
use delta_transport::spool::TempScratch;
use serde_json::{Value, json};

/// A layout that Docker 28 wrote of an image it had pulled: `index.json`, a manifest, a config, five layers.
const SAMPLE: &str = "tiny/docker28-containerd-pulled/v1.tar";

/// The files of a layout by their paths.
type Files = BTreeMap<String, Vec<u8>>;

fn files() -> Files {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/samples").join(SAMPLE);
    let mut archive = tar::Archive::new(fs::File::open(path).unwrap());
    let mut files = Files::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            files.insert(entry.path().unwrap().to_str().unwrap().to_owned(), bytes);
        }
    }
    // Without it the layout alone says what the image is.
    files.remove("manifest.json").unwrap();
    files
}

/// A layout on the disk, in which one file at a time is another.
struct Layout {
    folder: tempfile::TempDir,
    files: Files,
    scratch: Arc<TempScratch>,
}

impl Layout {
    fn new(files: Files) -> Self {
        let layout =
            Self { folder: tempfile::tempdir().unwrap(), files, scratch: Arc::new(TempScratch::new(None).unwrap()) };
        for (name, bytes) in &layout.files {
            fs::create_dir_all(layout.path(name).parent().unwrap()).unwrap();
            fs::write(layout.path(name), bytes).unwrap();
        }
        layout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it is, with every layer read and compared with its digests.
    fn open(&self) -> Result<Vec<Image>> {
        let images = open_path(self.folder.path(), None, &self.scratch, &Silent)?;
        for layer in images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers) {
            VerifiedLayer::check(layer.diff_id, layer.content.plain()?, "layer")?;
            VerifiedBlob::check(layer.blob, layer.content.stored()?, "blob")?;
        }
        Ok(images)
    }

    /// What it is while a file is another.
    fn with(&self, name: &str, bytes: &[u8]) -> Result<Vec<Image>> {
        fs::write(self.path(name), bytes).unwrap();
        let opened = self.open();
        fs::write(self.path(name), &self.files[name]).unwrap();
        opened
    }

    /// The path of the only file that holds this text and that no layer's is.
    fn document(&self, text: &str) -> String {
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let mut found = self.files.iter().filter(|(name, bytes)| name.starts_with("blobs/") && holds(bytes));
        let name = found.next().unwrap().0.clone();
        assert!(found.next().is_none(), "{text} stands in several files");
        name
    }
}

/// All that an image is but what it is called.
#[derive(PartialEq, Eq)]
struct Identity {
    root: BlobDigest,
    documents: BTreeMap<BlobDigest, Document>,
    kinds: Vec<ManifestKind>,
    layers: Vec<(DiffId, BlobDigest, u64)>,
}

fn identity(images: &[Image]) -> Vec<Identity> {
    let of = |image: &Image| Identity {
        root: image.root.digest,
        documents: image.documents.clone(),
        kinds: image.manifests.iter().map(|manifest| manifest.kind).collect(),
        layers: image.manifests.iter().flat_map(|manifest| &manifest.layers).map(names_of).collect(),
    };
    images.iter().map(of).collect()
}

fn names_of(layer: &Layer) -> (DiffId, BlobDigest, u64) {
    (layer.diff_id, layer.blob, layer.blob_size)
}

/// Refused, or carried as documents and blobs: nothing that an engine would be given as an image.
#[track_caller]
fn is_no_image(opened: Result<Vec<Image>>, what: &str) {
    match opened {
        Ok(images) => {
            let mut kinds = images.iter().flat_map(|image| &image.manifests).map(|manifest| manifest.kind);
            assert!(kinds.all(|kind| kind != ManifestKind::Image), "{what}: an image");
        }
        Err(error) => assert_eq!(error.kind(), Kind::Content, "{what}: {error}"),
    }
}

#[test]
fn the_layout_of_these_tests_is_an_image() {
    let layout = Layout::new(files());
    let images = layout.open().unwrap();
    assert_eq!((images.len(), images[0].manifests.len(), images[0].manifests[0].layers.len()), (1, 1, 5));
    assert_eq!(images[0].documents.len(), 2);
    assert!(layout.document("schemaVersion").starts_with("blobs/sha256/"));
}

#[test]
fn each_byte_of_each_document_counts() {
    let layout = Layout::new(files());
    let whole = identity(&layout.open().unwrap());
    for name in ["index.json".to_owned(), layout.document("schemaVersion"), layout.document("diff_ids")] {
        let bytes = layout.files[&name].clone();
        let mut refused = 0;
        for at in 0..bytes.len() {
            for value in [bytes[at] ^ 1, b' ', b'"', b'}'] {
                let mut changed = bytes.clone();
                changed[at] = value;
                match layout.with(&name, &changed) {
                    Ok(images) => assert!(identity(&images) == whole, "{name}, byte {at}: another image"),
                    Err(error) => refused += usize::from(!error.to_string().is_empty()),
                }
            }
            if at % 16 == 0
                && let Ok(images) = layout.with(&name, &bytes[..at])
            {
                panic!("{name} cut at {at} is an image of {:?}", images[0].root);
            }
        }
        // All but names, annotations and media types in index.json.
        assert!(refused > bytes.len(), "{name}: {refused} of {} changes", 4 * bytes.len());
    }
}

#[test]
fn each_byte_of_each_layer_counts() {
    let layout = Layout::new(files());
    let whole = identity(&layout.open().unwrap());
    let documents = [layout.document("schemaVersion"), layout.document("diff_ids")];
    let layers = layout.files.keys().filter(|name| name.starts_with("blobs/") && !documents.contains(name));
    for name in layers {
        let bytes = &layout.files[name];
        for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(layout.with(name, &changed).is_err(), "{name}, byte {at}");
        }
        let longer = [&bytes[..], b"\0"].concat();
        for wrong in [&bytes[..bytes.len() - 1], &longer, b""] {
            assert!(layout.with(name, wrong).is_err(), "{name} of {} bytes", wrong.len());
        }
    }
    assert!(identity(&layout.open().unwrap()) == whole);
}

/// Every place in a document that has a value.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            places(value, &format!("{at}/{name}"), into);
        }),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(number, value)| places(value, &format!("{at}/{number}"), into));
        }
        _ => {}
    }
}

/// The document with another value at each of its places, and without it.
fn variants(document: &[u8]) -> Vec<(String, Vec<u8>)> {
    let whole: Value = serde_json::from_slice(document).unwrap();
    let mut all = Vec::new();
    places(&whole, "", &mut all);
    let others =
        [json!(null), json!(0), json!(-1), json!(1u64 << 50), json!(""), json!("sha256:00"), json!([]), json!({})];
    let mut variants = Vec::new();
    for place in all {
        for other in &others {
            let mut changed = whole.clone();
            *changed.pointer_mut(&place).unwrap() = other.clone();
            variants.push((format!("{place} is {other}"), serde_json::to_vec(&changed).unwrap()));
        }
        let Some((parent, name)) = place.rsplit_once('/') else { continue };
        let mut changed = whole.clone();
        match changed.pointer_mut(parent).unwrap() {
            Value::Object(fields) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
            Value::Array(values) => drop(values.remove(name.parse().unwrap())),
            _ => continue,
        }
        variants.push((format!("{place} is absent"), serde_json::to_vec(&changed).unwrap()));
    }
    variants
}

#[test]
fn each_field_of_the_index_counts() {
    let layout = Layout::new(files());
    let whole = identity(&layout.open().unwrap());
    let variants = variants(&layout.files["index.json"]);
    assert!(variants.len() > 80, "{}", variants.len());
    for (what, bytes) in variants {
        if let Ok(images) = layout.with("index.json", &bytes) {
            assert!(identity(&images) == whole, "{what}: another image");
        }
    }
}

/// The layout with another manifest, whose digest and size `index.json` names: all digests of documents are right.
fn with_manifest(layout: &Layout, manifest: &[u8]) -> Layout {
    let old = layout.document("schemaVersion");
    let digest = BlobDigest::of(manifest);
    let mut files = layout.files.clone();
    files.remove(&old);
    files.insert(format!("blobs/sha256/{}", digest.hex()), manifest.to_vec());
    let mut index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
    index["manifests"][0]["digest"] = json!(digest.to_string());
    index["manifests"][0]["size"] = json!(manifest.len());
    files.insert("index.json".to_owned(), serde_json::to_vec(&index).unwrap());
    Layout::new(files)
}

#[test]
fn a_manifest_with_its_right_digest_is_refused_or_taken_as_it_is() {
    let layout = Layout::new(files());
    let manifest = layout.files[&layout.document("schemaVersion")].clone();
    let (mut refused, mut taken) = (0, 0);
    for (what, bytes) in variants(&manifest) {
        match with_manifest(&layout, &bytes).open() {
            Ok(images) => {
                taken += 1;
                assert_eq!(images[0].root.digest, BlobDigest::of(&bytes), "{what}");
                assert_eq!(images[0].documents[&BlobDigest::of(&bytes)].bytes(), bytes, "{what}");
                let named: Value = serde_json::from_slice(&bytes).unwrap();
                let named = named["layers"].as_array().into_iter().flatten().map(|layer| layer["digest"].clone());
                let layers: Vec<Value> =
                    images[0].manifests[0].layers.iter().map(|layer| json!(layer.blob.to_string())).collect();
                assert_eq!(layers, named.collect::<Vec<_>>(), "{what}");
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 100 && taken > 10, "{refused} refused, {taken} taken");
}

#[test]
fn layers_in_another_order_twice_or_too_few_are_refused() {
    let layout = Layout::new(files());
    let manifest: Value = serde_json::from_slice(&layout.files[&layout.document("schemaVersion")]).unwrap();
    let with = |edit: fn(&mut Vec<Value>)| {
        let mut changed = manifest.clone();
        edit(changed["layers"].as_array_mut().unwrap());
        with_manifest(&layout, &serde_json::to_vec(&changed).unwrap()).open()
    };
    assert_eq!(with(|_| ()).unwrap()[0].manifests[0].kind, ManifestKind::Image);
    for (what, edit) in [
        ("two are swapped", (|layers| layers.swap(0, 1)) as fn(&mut Vec<Value>)),
        ("the last is absent", |layers| drop(layers.pop())),
        ("the first is absent", |layers| drop(layers.remove(0))),
        ("the last comes twice", |layers| layers.push(layers[4].clone())),
        ("one stands for another", |layers| layers[2] = layers[3].clone()),
        ("there is none", Vec::clear),
    ] {
        is_no_image(with(edit), what);
    }
}

#[test]
fn a_config_with_its_right_digest_must_have_the_layers_of_the_manifest() {
    let layout = Layout::new(files());
    let manifest: Value = serde_json::from_slice(&layout.files[&layout.document("schemaVersion")]).unwrap();
    let config: Value = serde_json::from_slice(&layout.files[&layout.document("diff_ids")]).unwrap();
    let with = |edit: fn(&mut Vec<Value>)| {
        let mut changed = config.clone();
        edit(changed["rootfs"]["diff_ids"].as_array_mut().unwrap());
        let config = serde_json::to_vec(&changed).unwrap();
        let mut manifest = manifest.clone();
        manifest["config"]["digest"] = json!(BlobDigest::of(&config).to_string());
        manifest["config"]["size"] = json!(config.len());
        let mut other = with_manifest(&layout, &serde_json::to_vec(&manifest).unwrap());
        other.files.insert(format!("blobs/sha256/{}", BlobDigest::of(&config).hex()), config);
        Layout::new(other.files).open()
    };
    assert_eq!(with(|_| ()).unwrap()[0].manifests[0].kind, ManifestKind::Image);
    for (what, edit) in [
        ("two are swapped", (|all| all.swap(0, 1)) as fn(&mut Vec<Value>)),
        ("one is absent", |all| drop(all.pop())),
        ("one comes twice", |all| all.push(all[0].clone())),
        ("one is another", |all| all[3] = json!(format!("sha256:{:064}", 7))),
        ("one is none", |all| all[3] = json!("sha256:7")),
    ] {
        is_no_image(with(edit), what);
    }
}

#[test]
fn indexes_in_indexes_are_followed_up_to_their_limit() {
    let layout = Layout::new(files());
    for (depth, is_refused) in [(1, false), (limits::INDEX_DEPTH, false), (limits::INDEX_DEPTH + 1, true)] {
        let mut files = layout.files.clone();
        let (mut kind, mut named) = ("application/vnd.docker.distribution.manifest.v2+json", Vec::new());
        named.clone_from(&layout.files[&layout.document("schemaVersion")]);
        for _ in 0..depth {
            let (digest, size) = (BlobDigest::of(&named), named.len());
            let entry = json!({"mediaType": kind, "digest": digest.to_string(), "size": size});
            named =
                serde_json::to_vec(&json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]})).unwrap();
            kind = OCI_INDEX;
            files.insert(format!("blobs/sha256/{}", BlobDigest::of(&named).hex()), named.clone());
        }
        let entry = json!({"mediaType": kind, "digest": BlobDigest::of(&named).to_string(), "size": named.len()});
        let index = json!({"schemaVersion": 2, "manifests": [entry]});
        files.insert("index.json".to_owned(), serde_json::to_vec(&index).unwrap());
        match Layout::new(files).open() {
            Ok(images) => assert!(!is_refused && images[0].documents.len() == depth + 2, "{depth}"),
            Err(error) => assert!(is_refused && error.to_string().contains("nested too deeply"), "{depth}: {error}"),
        }
    }
}
