use std::collections::BTreeMap;

use delta_core::error::Kind;
use serde_json::{Value, json};

use super::*;
use crate::registry::scripted::{Reply, Server, scratch};

/// What a registry has, each thing under its digest: manifests, and blobs.
#[derive(Clone, Default)]
struct Parts {
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    blobs: BTreeMap<String, Vec<u8>>,
}

/// A layer as a manifest names it, and its diff ID.
struct Stored {
    pointer: Value,
    diff_id: String,
}

impl Parts {
    fn blob(&mut self, bytes: &[u8]) -> (String, usize) {
        let digest = BlobDigest::of(bytes).to_string();
        self.blobs.insert(digest.clone(), bytes.to_vec());
        (digest, bytes.len())
    }

    /// A layer that is stored uncompressed.
    fn layer(&mut self, bytes: &[u8]) -> Stored {
        let (digest, size) = self.blob(bytes);
        let pointer = json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size});
        Stored { pointer, diff_id: digest }
    }

    /// A layer that is stored in gzip's format: what stands behind its first bytes is not looked at.
    fn compressed(&mut self, word: &str) -> Stored {
        let (digest, size) = self.blob(&[b"\x1f\x8b\x08\0\0\0\0\0\0\0", word.as_bytes()].concat());
        let pointer =
            json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": size});
        Stored { pointer, diff_id: DiffId::of(word.as_bytes()).to_string() }
    }

    /// An image of these layers, under the tag.
    fn image(&mut self, tag: &str, layers: &[Stored]) -> Value {
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let (digest, size) = self.blob(config.to_string().as_bytes());
        let pointers: Vec<&Value> = layers.iter().map(|layer| &layer.pointer).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": size},
            "layers": pointers,
        });
        self.manifest(tag, OCI_MANIFEST, &manifest)
    }

    /// Puts a manifest under a tag and its digest, and returns what an index says of it.
    fn manifest(&mut self, tag: &str, media_type: &str, manifest: &Value) -> Value {
        let bytes = manifest.to_string().into_bytes();
        let digest = BlobDigest::of(&bytes).to_string();
        for name in [tag, &digest] {
            self.manifests.insert(name.to_owned(), (media_type.to_owned(), bytes.clone()));
        }
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    fn index(&mut self, tag: &str, entries: &[Value]) -> Value {
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
        self.manifest(tag, OCI_INDEX, &index)
    }

    fn serve(&self) -> Server {
        let parts = self.clone();
        Server::start(move |asked| {
            let name = asked.path.rsplit('/').next().unwrap();
            match (asked.path.contains("/manifests/"), parts.manifests.get(name), parts.blobs.get(name)) {
                (true, Some((media_type, bytes)), _) => {
                    Reply::new(200, &format!("Content-Type: {media_type}\n"), bytes)
                }
                (false, _, Some(bytes)) => Reply::new(200, "", bytes),
                _ => Reply::new(404, "", ""),
            }
        })
    }

    fn open(&self, tag: &str) -> Result<Image> {
        open_at(&self.serve(), tag)
    }
}

fn open_at(server: &Server, tag: &str) -> Result<Image> {
    let address: Address = format!("docker://{}/app:{tag}", server.host()).parse().unwrap();
    open(&server.repository(), &address, &scratch())
}

/// An image of a plain and a compressed layer.
fn sound() -> Parts {
    let mut parts = Parts::default();
    let layers = [parts.layer(b"a layer"), parts.compressed("another")];
    parts.image("v2", &layers);
    parts
}

/// The sound image, with another text in its config or manifest.
fn with(from: &str, to: &str) -> Parts {
    let mut parts = sound();
    let (_, bytes) = parts.manifests["v2"].clone();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    let manifest = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
    parts.manifest("v2", OCI_MANIFEST, &manifest);
    parts
}

#[test]
fn an_image_is_opened_and_nothing_of_its_layers_is_fetched_but_what_tells_their_compression() {
    let parts = sound();
    let server = parts.serve();
    let image = open_at(&server, "v2").unwrap();
    assert_eq!(image.names[0].to_string(), format!("{}/app:v2", server.host()));
    assert_eq!((image.root.media_type.as_str(), image.root.synthesised), (OCI_MANIFEST, false));
    let [manifest] = &image.manifests[..] else { panic!("{:?}", image.manifests.len()) };
    assert_eq!((manifest.kind, manifest.digest), (ManifestKind::Image, image.root.digest));
    assert_eq!(manifest.platform.as_ref().map(ToString::to_string).as_deref(), Some("linux/amd64"));
    let kinds: Vec<BlobCompression> = manifest.layers.iter().map(|layer| layer.compression).collect();
    assert_eq!(kinds, [BlobCompression::None, BlobCompression::Gzip]);
    assert!(manifest.layers.iter().all(|layer| layer.content.is_far()));
    assert_eq!(image.documents.len(), 2);
    let ranges: Vec<String> =
        server.asked().iter().filter_map(|asked| asked.header("range").map(str::to_owned)).collect();
    assert_eq!((server.asked().len(), ranges), (3, vec!["bytes=0-5".to_owned()]), "{:?}", server.lines());
    let stored = manifest.layers[0].content.stored().unwrap();
    let mut held = vec![0; 7];
    stored.read_exact_at(&mut held, 0).unwrap();
    assert_eq!(held, b"a layer");
}

#[test]
fn each_part_that_is_missing_is_named() {
    for part in sound().blobs.keys() {
        let mut parts = sound();
        let bytes = parts.blobs.remove(part).unwrap();
        let opened = parts.open("v2");
        if bytes == b"a layer" {
            // It is fetched when it is read.
            assert!(opened.is_ok());
            continue;
        }
        let error = opened.map(|_| ()).unwrap_err();
        match bytes.starts_with(b"{") {
            true => {
                assert!(
                    error.to_string().ends_with(&format!("is incomplete: the config {part} is missing")),
                    "{error}"
                );
                assert_eq!(error.kind(), Kind::Content);
            }
            false => assert!(error.to_string().contains("answers 404"), "{error}"),
        }
    }
    let error = sound().open("v3").map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("MANIFEST_UNKNOWN"), "{error}");
}

#[test]
fn a_config_of_other_bytes_is_refused() {
    let mut parts = sound();
    let (digest, config) = parts.blobs.iter().find(|(_, bytes)| bytes.starts_with(b"{")).unwrap();
    let (digest, mut config) = (digest.clone(), config.clone());
    config.push(b' ');
    let found = BlobDigest::of(&config);
    parts.blobs.insert(digest.clone(), config);
    let error = parts.open("v2").map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("the config that "), "{error}");
    assert!(error.to_string().ends_with(&format!("gives: expected {digest}, found {found}")), "{error}");
}

#[test]
fn a_manifest_lists_as_many_layers_as_its_config() {
    let mut parts = sound();
    let layers = [parts.layer(b"a layer"), parts.layer(b"one more")];
    let pointers: Vec<String> = layers.iter().map(|layer| layer.pointer.to_string()).collect();
    for (from, to, there) in [
        (pointers[0].clone() + ",", String::new(), 1),
        (pointers[0].clone(), format!("{},{}", pointers[0], pointers[1]), 3),
    ] {
        let mut changed = with(&from, &to);
        changed.layer(b"one more");
        let error = changed.open("v2").map(|_| ()).unwrap_err();
        assert!(error.to_string().ends_with(&format!("lists {there} layers, its config 2")), "{error}");
        assert_eq!(error.kind(), Kind::Content);
    }
}

#[test]
fn a_layer_that_is_not_compressed_has_the_digest_that_the_config_says() {
    let mut parts = Parts::default();
    let other = DiffId::of(b"another layer").to_string();
    let layer = Stored { diff_id: other.clone(), ..parts.layer(b"a layer") };
    parts.image("v2", &[layer]);
    let error = parts.open("v2").map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("an uncompressed layer: expected {other}, found {}", BlobDigest::of(b"a layer"))
    );
}

#[test]
fn an_index_is_followed_as_far_as_it_is_there() {
    let mut parts = Parts::default();
    let [first, second] = [&b"one"[..], b"two"].map(|bytes| parts.layer(bytes));
    let (first, second) = (parts.image("a", &[first]), parts.image("b", &[second]));
    parts.index("both", &[first.clone(), second.clone()]);
    let absent = json!({"mediaType": OCI_MANIFEST, "digest": BlobDigest::of(b"gone").to_string(), "size": 7});
    parts.index("part", &[absent.clone(), second]);
    parts.index("none", std::slice::from_ref(&absent));
    parts.index("empty", &[]);
    assert_eq!(parts.open("both").unwrap().manifests.len(), 2);
    let part = parts.open("part").unwrap();
    assert_eq!((part.manifests.len(), part.root.media_type.as_str()), (1, OCI_INDEX));
    for tag in ["none", "empty"] {
        let error = parts.open(tag).map(|_| ()).unwrap_err();
        assert!(error.to_string().ends_with("has only an index of which no manifest is there"), "{error}");
        assert_eq!(error.kind(), Kind::Content);
    }
}

#[test]
fn indexes_lead_to_indexes_and_not_for_ever() {
    let mut parts = Parts::default();
    let layer = parts.layer(b"a layer");
    let mut inner = parts.image("0", &[layer]);
    for depth in 1..=limits::INDEX_DEPTH + 1 {
        inner = parts.index(&depth.to_string(), &[inner]);
    }
    assert_eq!(parts.open(&limits::INDEX_DEPTH.to_string()).unwrap().manifests.len(), 1);
    let error = parts.open(&(limits::INDEX_DEPTH + 1).to_string()).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Content, "its indexes are nested too deeply"));
}

#[test]
fn an_image_has_so_many_layers_and_one_more_is_refused_before_any_is_asked_for() {
    let mut parts = Parts::default();
    let layer = parts.layer(b"a layer");
    let of = |count: usize| {
        (0..count)
            .map(|_| Stored { pointer: layer.pointer.clone(), diff_id: layer.diff_id.clone() })
            .collect::<Vec<_>>()
    };
    let (most, more) = (of(limits::LAYERS_PER_IMAGE), of(limits::LAYERS_PER_IMAGE + 1));
    parts.image("most", &most);
    parts.image("more", &more);
    assert_eq!(parts.open("most").unwrap().manifests[0].layers.len(), 4_096);
    let server = parts.serve();
    let error = open_at(&server, "more").map(|_| ()).unwrap_err();
    assert!(error.to_string().ends_with("lists 4097 layers"), "{error}");
    assert_eq!((error.kind(), server.asked().len()), (Kind::Content, 1));
}

#[test]
fn a_root_is_of_the_type_that_the_registry_says_or_else_of_its_own() {
    for (said, expected) in [
        ("", OCI_MANIFEST),
        ("application/json", OCI_MANIFEST),
        (crate::registry::manifests::DOCKER_MANIFEST, crate::registry::manifests::DOCKER_MANIFEST),
    ] {
        let mut parts = sound();
        parts.manifests.get_mut("v2").unwrap().0 = said.to_owned();
        assert_eq!(parts.open("v2").unwrap().root.media_type, expected, "{said}");
        let entry =
            parts.manifest("v2", OCI_MANIFEST, &serde_json::from_slice(&parts.manifests["v2"].1.clone()).unwrap());
        parts.index("index", &[entry]);
        parts.manifests.get_mut("index").unwrap().0 = said.to_owned();
        let expected = if expected == OCI_MANIFEST { OCI_INDEX } else { expected };
        assert_eq!(parts.open("index").unwrap().root.media_type, expected, "{said}");
    }
}

#[test]
fn what_is_no_image_travels_as_blobs() {
    let mut parts = Parts::default();
    let layer = parts.layer(b"a bill of materials");
    let (config, size) = parts.blob(b"{}");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/spdx+json",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": size},
        "layers": [layer.pointer],
    });
    parts.manifest("v2", OCI_MANIFEST, &manifest);
    let image = parts.open("v2").unwrap();
    let [manifest] = &image.manifests[..] else { panic!("{:?}", image.manifests.len()) };
    assert_eq!((manifest.kind, manifest.platform.is_none()), (ManifestKind::Attestation, true));
    assert_eq!(manifest.layers[0].blob, BlobDigest::of(b"a bill of materials"));
    assert_eq!(manifest.layers[0].compression, BlobCompression::None);
}

#[test]
fn what_is_no_manifest_is_refused() {
    let mut parts = Parts::default();
    for (tag, body) in [("text", "no document"), ("list", "[]"), ("empty", "{}"), ("nothing", "")] {
        parts.manifests.insert(tag.to_owned(), (OCI_MANIFEST.to_owned(), body.as_bytes().to_vec()));
        assert_eq!(parts.open(tag).map(|_| ()).unwrap_err().kind(), Kind::Content, "{tag}");
    }
}

#[test]
fn a_layer_is_said_to_have_as_many_bytes_as_any_has_and_no_more() {
    let of = |size: u64| {
        let mut parts = Parts::default();
        let mut layers = [parts.layer(b"a layer"), parts.compressed("another")];
        for layer in &mut layers {
            layer.pointer["size"] = size.into();
        }
        parts.image("v2", &layers);
        parts.open("v2")
    };
    assert_eq!(of(limits::LAYER_BYTES).unwrap().manifests[0].layers[1].blob_size, 1 << 40);
    for size in [limits::LAYER_BYTES + 1, i64::MAX.cast_unsigned()] {
        let error = of(size).map(|_| ()).unwrap_err();
        assert!(
            error.to_string().ends_with(&format!("is said to have {size} bytes, where at most 1099511627776 are read")),
            "{error}"
        );
        assert_eq!(error.kind(), Kind::Content);
    }
}
