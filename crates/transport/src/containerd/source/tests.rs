use std::collections::BTreeMap;

use delta_core::error::Kind;
use delta_core::image::documents::{OCI_INDEX, OCI_MANIFEST};
use delta_core::job::progress::Silent;
use serde_json::{Value, json};

use super::*;
use crate::program::scripted::Script;

fn scratch() -> Arc<TempScratch> {
    Arc::new(TempScratch::new(None).unwrap())
}

/// A store of these names and blobs, which gives for each digest what is said here.
fn store(names: &[(&str, BlobDigest)], blobs: &BTreeMap<BlobDigest, Vec<u8>>) -> (Script, Store) {
    let listed: String = names.iter().map(|(name, target)| format!("{name} {OCI_INDEX} {target} 7 B\n")).collect();
    let there: String = blobs.keys().map(|digest| format!("{digest}\n")).collect();
    let script =
        Script::new().says("images ls", format!("REF TYPE DIGEST\n{listed}")).says("content ls --quiet", there);
    let script =
        blobs.iter().fold(script, |script, (digest, bytes)| script.says(&format!("content get {digest}"), bytes));
    let store = Store::new(script.program("ctr"), "containerd".to_owned(), Arc::new(Silent)).unwrap();
    (script, store)
}

fn pointer(digest: BlobDigest, size: u64) -> Pointer {
    Pointer { media_type: String::new(), digest, size, is_attestation: false, has_urls: false }
}

/// The blobs of an image of two layers, and its manifest.
fn image(layers: [&[u8]; 2]) -> (BTreeMap<BlobDigest, Vec<u8>>, BlobDigest) {
    let mut blobs = BTreeMap::new();
    let mut keep = |bytes: Vec<u8>| {
        let (digest, size) = (BlobDigest::of(&bytes), bytes.len());
        blobs.insert(digest, bytes);
        (
            digest,
            json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest.to_string(), "size": size}),
        )
    };
    let parts = layers.map(|bytes| keep(bytes.to_vec()));
    let digests: Vec<String> = parts.iter().map(|(digest, _)| digest.to_string()).collect();
    let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": digests}});
    let (_, mut config) = keep(config.to_string().into_bytes());
    config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
    let layers: Vec<Value> = parts.into_iter().map(|(_, part)| part).collect();
    let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers});
    let (manifest, _) = keep(manifest.to_string().into_bytes());
    (blobs, manifest)
}

#[test]
fn a_document_is_what_its_digest_says() {
    let [sound, other, absent] = [&b"sound"[..], b"other", b"absent"].map(BlobDigest::of);
    let (script, store) = store(&[], &[(sound, b"sound".to_vec()), (other, b"not so".to_vec())].into());
    let scratch = scratch();
    let shelf = StoreShelf { store: &store, scratch: &scratch, name: "app:v1" };
    assert_eq!(shelf.document(sound).unwrap().unwrap().bytes(), b"sound");
    assert!(shelf.document(absent).unwrap().is_none());
    assert_eq!(script.times("content get"), 1, "what is not there is not asked for");
    let error = shelf.document(other).unwrap_err();
    let expected = format!("a document: expected {other}, found {}", BlobDigest::of(b"not so"));
    assert_eq!((error.kind(), error.to_string()), (Kind::Content, expected));
}

#[test]
fn a_document_is_read_up_to_a_bound() {
    let digest = BlobDigest::of(b"long");
    for (bytes, said) in [
        (limits::DOCUMENT_BYTES, "a document: expected "),
        (limits::DOCUMENT_BYTES + 1, "has more than 33554432 bytes"),
    ] {
        let script = Script::new()
            .says("images ls", "")
            .says("content ls --quiet", format!("{digest}\n"))
            .does("'content get '*", &format!("head -c {bytes} /dev/zero"));
        let store = Store::new(script.program("ctr"), "containerd".to_owned(), Arc::new(Silent)).unwrap();
        let scratch = scratch();
        let error = StoreShelf { store: &store, scratch: &scratch, name: "app:v1" }.document(digest).unwrap_err();
        assert!(error.kind() == Kind::Content && error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_blob_is_fetched_when_it_is_read_and_is_as_long_as_its_manifest_says() {
    let digest = BlobDigest::of(b"0123456789");
    let (script, store) = store(&[], &[(digest, b"0123456789".to_vec())].into());
    let scratch = scratch();
    let shelf = StoreShelf { store: &store, scratch: &scratch, name: "app:v1" };
    let read = |size: u64| {
        let blob = shelf.find(&pointer(digest, size)).unwrap().unwrap();
        let mut bytes = [0; 4];
        blob.read_exact_at(&mut bytes, 6).map(|()| bytes)
    };
    assert!(shelf.find(&pointer(digest, 10)).unwrap().is_some());
    assert_eq!(script.times("content get"), 0);
    assert_eq!(read(10).unwrap(), *b"6789");
    for size in [9, 11, 1 << 20] {
        let error = Error::io("reading")(read(size).unwrap_err());
        let expected = format!("reading: the blob {digest}: expected {size} bytes, as its manifest says, found 10");
        assert_eq!((error.kind(), error.to_string()), (Kind::Content, expected), "{size}");
    }
    assert!(shelf.find(&pointer(BlobDigest::of(b"absent"), 10)).unwrap().is_none());
}

#[test]
fn layers_are_those_of_images_of_which_all_is_there() {
    let (blobs, manifest) = image([b"one", b"two"]);
    let scratch = scratch();
    let expected: BTreeSet<DiffId> = [DiffId::of(b"one"), DiffId::of(b"two")].into();
    let (script, found) = store(&[("app:v1", manifest), ("again:v1", manifest)], &blobs);
    assert_eq!(found.diff_ids(&scratch), expected);
    assert_eq!(script.times(&format!("content get {}", BlobDigest::of(b"one"))), 0, "no layer is looked at");
    // Without a layer, the config or the manifest it is no image that could be used.
    for lost in blobs.keys() {
        let mut some = blobs.clone();
        some.remove(lost);
        let (_script, found) = store(&[("app:v1", manifest)], &some);
        assert!(found.diff_ids(&scratch).is_empty(), "{lost}");
    }
}

#[test]
fn what_is_missing_of_an_image_is_told_with_the_way_to_get_it() {
    let (blobs, manifest) = image([b"one", b"two"]);
    let scratch = scratch();
    let named = Named { name: "app:v1".to_owned(), media_type: OCI_MANIFEST.to_owned(), target: manifest };
    let (_script, whole) = store(&[], &blobs);
    let read = whole.read(&named, &scratch, &Silent).unwrap();
    assert_eq!((read.root.digest, read.manifests.len(), read.manifests[0].layers.len()), (manifest, 1, 2));
    for lost in blobs.keys() {
        let mut some = blobs.clone();
        some.remove(lost);
        let (_script, partial) = store(&[], &some);
        let error = partial.read(&named, &scratch, &Silent).map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("app:v1 of containerd: not all of it is there: "), "{error}");
        let hint = error.hint().unwrap();
        assert!(error.kind() == Kind::Environment && hint.contains("images pull app:v1`"), "{hint}");
    }
}

#[test]
fn an_image_is_called_as_it_was_asked_for_and_a_digest_is_no_name() {
    let (blobs, manifest) = image([b"one", b"two"]);
    let listed =
        format!("docker.io/library/app:v1 {OCI_MANIFEST} {manifest} 7 B\nsha256:odd {OCI_MANIFEST} {manifest} 7 B\n");
    let there: String = blobs.keys().map(|digest| format!("{digest}\n")).collect();
    let script = Script::new()
        .says("--namespace default images ls", listed)
        .says("--namespace default content ls --quiet", there);
    let script = blobs.iter().fold(script, |script, (digest, bytes)| {
        script.says(&format!("--namespace default content get {digest}"), bytes)
    });
    let containerd = Containerd {
        program: script.program("ctr"),
        progress: Arc::new(Silent),
        address: "/run/x.sock".to_owned(),
        version: "2.0".to_owned(),
        namespace: "default".to_owned(),
        namespaces: Vec::new(),
    };
    for (text, expected) in [
        ("app:v1".to_owned(), Some("app:v1")),
        ("library/app:v1".to_owned(), Some("library/app:v1")),
        ("default/docker.io/library/app:v1".to_owned(), Some("docker.io/library/app:v1")),
        (manifest.to_string(), Some("docker.io/library/app:v1")),
        ("sha256:odd".to_owned(), None),
    ] {
        let found = containerd.open(&text, &scratch(), &Silent).unwrap();
        let names: Vec<String> = found.names.iter().map(ToString::to_string).collect();
        assert_eq!((found.root.digest, names.first().map(String::as_str)), (manifest, expected), "{text}");
    }
}
