use std::collections::BTreeSet;

use delta_core::error::Kind;
use serde_json::{Value, json};

use super::*;

/// Documents that are kept, and the manifests of which all parts are.
#[derive(Default)]
struct Kept {
    documents: BTreeMap<BlobDigest, Document>,
    whole: BTreeSet<BlobDigest>,
    /// Of each manifest that was met: its digest, how many layers, whether it is an attestation, whether no index names it.
    met: Vec<(BlobDigest, usize, bool, bool)>,
}

impl Kept {
    fn keep(&mut self, value: &Value) -> Document {
        let document = Document::new(value.to_string().into_bytes());
        self.documents.insert(document.digest(), document.clone());
        document
    }

    /// A manifest of so many layers, told from others by a number.
    fn manifest(&mut self, number: usize, layers: usize, is_whole: bool) -> Document {
        let part = |kind: &str| {
            let digest = BlobDigest::of(format!("{kind} {number}").as_bytes()).to_string();
            json!({"mediaType": format!("application/vnd.oci.image.{kind}.v1"), "digest": digest, "size": 7})
        };
        let layers = vec![part("layer"); layers];
        let document = self
            .keep(&json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": part("config"), "layers": layers}));
        if is_whole {
            self.whole.insert(document.digest());
        }
        document
    }

    fn index(&mut self, documents: &[&Document]) -> Document {
        let entries: Vec<Value> = documents.iter().map(|document| entry(document.digest(), "")).collect();
        self.keep(&json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}))
    }
}

fn entry(digest: BlobDigest, annotation: &str) -> Value {
    let annotations = match annotation {
        "" => json!({}),
        kind => json!({"vnd.docker.reference.type": kind}),
    };
    json!({"mediaType": OCI_MANIFEST, "digest": digest.to_string(), "size": 7, "annotations": annotations})
}

impl Parts for Kept {
    fn document(&self, digest: BlobDigest) -> Result<Option<Document>> {
        Ok(self.documents.get(&digest).cloned())
    }

    fn manifest(&mut self, named: &NamedParts<'_>, reached: &mut Reached) -> Result<bool> {
        let digest = named.document.digest();
        assert!(named.config.digest != digest);
        self.met.push((digest, named.layers.len(), named.is_attestation, named.is_root));
        let is_whole = self.whole.contains(&digest);
        if is_whole {
            let config = named.config.digest.to_string().parse().unwrap();
            let kind = delta_core::image::ManifestKind::Image;
            reached.manifests.push(Manifest { digest, config, kind, platform: None, layers: Vec::new() });
        }
        Ok(is_whole)
    }
}

fn digests(documents: &[&Document]) -> Vec<BlobDigest> {
    let mut digests: Vec<BlobDigest> = documents.iter().map(|document| document.digest()).collect();
    digests.sort();
    digests
}

#[test]
fn a_manifest_alone_is_the_root() {
    let mut kept = Kept::default();
    let manifest = kept.manifest(1, 3, true);
    let reached = Reached::from(manifest.clone(), &mut kept).unwrap();
    assert_eq!(kept.met, [(manifest.digest(), 3, false, true)]);
    assert_eq!((reached.documents.into_keys().collect::<Vec<_>>(), reached.absent), (digests(&[&manifest]), 0));
    // Of one that is not there nothing is taken.
    let mut kept = Kept::default();
    let manifest = kept.manifest(1, 0, false);
    let reached = Reached::from(manifest, &mut kept).unwrap();
    assert_eq!((reached.documents.len(), reached.manifests.len(), reached.absent), (0, 0, 1));
}

#[test]
fn an_index_may_name_what_is_not_there() {
    let mut kept = Kept::default();
    let (whole, partial, attestation) =
        (kept.manifest(1, 1, true), kept.manifest(2, 2, false), kept.manifest(3, 1, true));
    let inner = kept.index(&[&whole]);
    let entries = [
        entry(whole.digest(), ""),
        entry(partial.digest(), ""),
        entry(BlobDigest::of(b"of another platform"), ""),
        entry(attestation.digest(), "attestation-manifest"),
        entry(inner.digest(), ""),
    ];
    let root = kept.keep(&json!({"schemaVersion": 2, "manifests": entries}));
    let reached = Reached::from(root.clone(), &mut kept).unwrap();
    let met = [
        (whole.digest(), 1, false, false),
        (partial.digest(), 2, false, false),
        (attestation.digest(), 1, true, false),
        (whole.digest(), 1, false, false),
    ];
    assert_eq!((kept.met.as_slice(), reached.absent), (&met[..], 2));
    assert_eq!(
        reached.documents.keys().copied().collect::<Vec<_>>(),
        digests(&[&root, &whole, &attestation, &inner]),
        "the document of what is not there is left out"
    );
    let image = reached.into_image(Root::of(&root, String::new()));
    assert_eq!((image.names.len(), image.documents.len(), image.manifests.len()), (0, 4, 3));
    assert!(image.root.digest == root.digest() && image.docker_manifest.is_none() && image.layout_index.is_none());
}

#[test]
fn indexes_lie_in_one_another_to_a_bound() {
    let nested = |depth: usize| {
        let mut kept = Kept::default();
        let manifest = kept.manifest(1, 1, true);
        let root = (0..depth).fold(manifest, |inner, _| kept.index(&[&inner]));
        Reached::from(root, &mut kept).map(|reached| reached.documents.len())
    };
    assert_eq!(nested(0).unwrap(), 1);
    assert_eq!(nested(limits::INDEX_DEPTH).unwrap(), limits::INDEX_DEPTH + 1);
    let error = nested(limits::INDEX_DEPTH + 1).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Content, "its indexes are nested too deeply"));
}

#[test]
fn what_is_neither_manifest_nor_index_is_refused() {
    let mut kept = Kept::default();
    for text in ["", "{}", "[]", "no JSON", r#"{"config": 1, "layers": []}"#] {
        let document = Document::new(text.as_bytes().to_vec());
        assert_eq!(Reached::from(document, &mut kept).err().unwrap().kind(), Kind::Content, "{text}");
    }
}

#[test]
fn a_media_type_is_what_the_document_says_or_what_is_said_of_it() {
    let mut kept = Kept::default();
    let said = kept.manifest(1, 1, true);
    let (config, inner) = (json!({"digest": BlobDigest::of(b"c").to_string(), "size": 1}), entry(said.digest(), ""));
    let manifest = kept.keep(&json!({"schemaVersion": 2, "config": config, "layers": []}));
    let index = kept.keep(&json!({"schemaVersion": 2, "manifests": [inner]}));
    let of = |document: &Document, root: &Document, media_type: &str| {
        media_type_of(document, &Root::of(root, media_type.to_owned())).unwrap()
    };
    assert_eq!(of(&said, &said, "application/other"), OCI_MANIFEST);
    assert_eq!(of(&manifest, &manifest, "application/other"), "application/other");
    assert_eq!(of(&manifest, &manifest, ""), OCI_MANIFEST);
    assert_eq!(of(&index, &index, ""), OCI_INDEX);
    // What is said of the root is said of nothing else.
    assert_eq!(of(&manifest, &index, "application/other"), OCI_MANIFEST);
    assert_eq!(of(&index, &manifest, "application/other"), OCI_INDEX);
    let odd = Document::new(b"no JSON".to_vec());
    assert!(media_type_of(&odd, &Root::of(&manifest, String::new())).is_err());
}
