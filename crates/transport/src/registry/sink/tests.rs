use std::fmt;

use delta_core::digest::ConfigDigest;
use delta_core::error::Kind;
use delta_core::image::documents::{OCI_INDEX, OCI_MANIFEST};
use delta_core::image::{RebuiltManifest, Root};
use delta_core::job::progress::{Silent, Task};
use serde_json::{Value, json};

use super::*;
use crate::fixtures::document;
use crate::registry::keeping::Registry;
use crate::registry::scripted::{Asked, Reply, access, scratch};

/// Plans an image and writes it, with these of its layers at hand.
fn ship(registry: &Registry, image: &Image, to: &str, anew: bool) -> Result<(Shipped, PlannedShipment)> {
    let registries = Registries::new(access(), Arc::new(Silent));
    let scratch = scratch();
    let beside = [registry.address("beside")];
    let shipping = Shipping::new(&registries, &beside, &scratch, &Silent)?;
    let planned = shipping.plan(image.rebuilt.clone(), &registry.address(to), anew)?;
    let lacking: Vec<BlobDigest> = planned.lacking().keys().copied().collect();
    let blob = |digest: BlobDigest| VerifiedBlob::check(digest, Arc::new(image.blobs[&digest].clone()), "a layer");
    let rebuilt = lacking.into_iter().map(|digest| Ok((digest, blob(digest)?))).collect::<Result<_>>()?;
    Ok((shipping.carry_out(&planned, &rebuilt)?, planned))
}

/// An image as it comes out of a package, and its layers.
struct Image {
    rebuilt: RebuiltImage,
    blobs: BTreeMap<BlobDigest, Vec<u8>>,
}

impl Image {
    /// Of these manifests: one alone, or an index of them. One with a `-` before its only layer is named by the index and does not travel.
    fn of(manifests: &[&[&str]], name: &str) -> Self {
        let (mut documents, mut travelling, mut blobs, mut entries) =
            (BTreeMap::new(), Vec::new(), BTreeMap::new(), Vec::new());
        for layers in manifests {
            let (document, config, manifest) = manifest_of(layers);
            entries.push(json!({"mediaType": OCI_MANIFEST, "digest": document.digest().to_string(), "size": 7}));
            if layers.iter().any(|layer| layer.starts_with('-')) {
                continue;
            }
            blobs.extend(layers.iter().map(|layer| (BlobDigest::of(layer.as_bytes()), layer.as_bytes().to_vec())));
            travelling.push(manifest);
            documents.extend([document, config].map(|document| (document.digest(), document)));
        }
        let root = match manifests.len() {
            1 => documents[&travelling[0].digest].clone(),
            _ => document(&json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})),
        };
        documents.insert(root.digest(), root.clone());
        let names = if name.is_empty() { Vec::new() } else { vec![name.parse().unwrap()] };
        let rebuilt = RebuiltImage {
            names,
            root: Root::of(&root, String::new()),
            documents,
            manifests: travelling,
            blobs: BTreeMap::new(),
            layout_index: None,
        };
        Self { rebuilt, blobs }
    }

    fn root(&self) -> BlobDigest {
        self.rebuilt.root.digest
    }

    fn manifests(&self) -> Vec<String> {
        self.rebuilt.manifests.iter().map(|manifest| manifest.digest.to_string()).collect()
    }
}

fn manifest_of(layers: &[&str]) -> (Document, Document, RebuiltManifest) {
    let digests: Vec<String> = layers.iter().map(|layer| BlobDigest::of(layer.as_bytes()).to_string()).collect();
    let config = document(&json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": digests}}));
    let pointers: Vec<Value> =
        digests.iter().map(|digest| json!({"mediaType": "a/b", "digest": digest, "size": 1})).collect();
    let manifest = document(&json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": pointers,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config.digest().to_string(), "size": 5},
    }));
    let rebuilt = RebuiltManifest {
        digest: manifest.digest(),
        config: ConfigDigest::of(config.bytes()),
        kind: ManifestKind::Image,
        platform: Some("linux/amd64".parse().unwrap()),
        layers: layers.iter().map(|layer| (DiffId::of(layer.as_bytes()), BlobDigest::of(layer.as_bytes()))).collect(),
    };
    (manifest, config, rebuilt)
}

#[test]
fn blobs_go_before_manifests_and_tags_go_last() {
    let registry = Registry::sound();
    let image = Image::of(&[&["one", "both"], &["two", "both"]], "");
    let (shipped, planned) = ship(&registry, &image, "app:v2", false).unwrap();
    assert_eq!((shipped.present, shipped.mounted, shipped.sent, shipped.sent_bytes), (0, 0, 3, 10));
    let [first, second] = &image.manifests()[..] else { panic!("two manifests") };
    // Three layers and two configs.
    let expected = ["blob", "blob", "blob", "blob", "blob", first, second, &image.root().to_string(), "v2"];
    assert_eq!(registry.written(), expected);
    assert_eq!(planned.names(), [format!("{}/app:v2", registry.server.host())]);
    assert_eq!(registry.manifest(&"v2").unwrap(), image.rebuilt.documents[&image.root()].bytes());
}

#[test]
fn what_is_there_is_not_sent_again() {
    let registry = Registry::sound();
    let image = Image::of(&[&["one", "two"]], "");
    registry.put_blob("app", b"one");
    let (shipped, _) = ship(&registry, &image, "app:v1", false).unwrap();
    assert_eq!((shipped.present, shipped.sent, shipped.sent_bytes), (1, 1, 3));
    let before = registry.written().len();
    let (shipped, planned) = ship(&registry, &image, "app:v2", false).unwrap();
    assert!(planned.is_there() && planned.lacking().is_empty());
    assert_eq!((shipped.present, shipped.sent), (2, 0));
    assert_eq!(registry.written()[before..], ["v2"]);
    // Written anew, its manifests are, and no blob of it.
    let before = registry.written().len();
    let (shipped, planned) = ship(&registry, &image, "app:v2", true).unwrap();
    assert_eq!((planned.is_there(), shipped.present, shipped.sent), (false, 2, 0));
    assert_eq!(registry.written()[before..], [image.root().to_string(), "v2".to_owned()]);
}

#[test]
fn a_blob_of_another_repository_is_taken_over_or_sent_from_there() {
    let mounts = |asked: &Asked| asked.path.contains("?mount=");
    for refuses in [false, true] {
        let registry = Registry::start(move |asked| (refuses && mounts(asked)).then(|| Reply::new(405, "", "")));
        registry.put_blob("beside", b"one");
        let image = Image::of(&[&["one", "two"]], "");
        let (shipped, planned) = ship(&registry, &image, "app:v1", false).unwrap();
        // It need not be made, whichever way it goes.
        assert_eq!(planned.lacking().keys().copied().collect::<Vec<_>>(), [BlobDigest::of(b"two")]);
        let expected = if refuses { (0, 2, 6) } else { (1, 1, 3) };
        assert_eq!((shipped.mounted, shipped.sent, shipped.sent_bytes), expected, "{refuses}");
        assert!(registry.manifest(&"v1").is_some());
    }
}

#[test]
fn nothing_names_an_image_of_which_something_could_not_be_written() {
    let two = BlobDigest::of(b"two");
    let config = manifest_of(&["one", "two"]).1.digest();
    for digest in [two, config] {
        let registry = Registry::start(move |asked| {
            let is_it = asked.method == "PUT" && asked.path.ends_with(&digest.to_string());
            is_it.then(|| Reply::new(403, "", ""))
        });
        let image = Image::of(&[&["one", "two"]], "");
        let error = ship(&registry, &image, "app:v1", false).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("answers 403"), "{error}");
        assert!(registry.kept.lock().unwrap().manifests.is_empty());
    }
    let registry = Registry::start(|asked| {
        (asked.method == "PUT" && asked.path.contains("/manifests/sha256:")).then(|| Reply::new(400, "", ""))
    });
    assert!(ship(&registry, &Image::of(&[&["one"]], ""), "app:v1", false).is_err());
    assert!(registry.manifest(&"v1").is_none());
}

#[test]
fn an_image_gets_the_tag_that_is_asked_for_else_its_own_else_latest() {
    for (name, to, tags) in [
        ("", "app:v9", &["v9"][..]),
        ("other:v1", "app:v9", &["v9"]),
        ("other:v1", "app", &["v1"]),
        ("", "app", &["latest"]),
    ] {
        let registry = Registry::sound();
        let image = Image::of(&[&["one"]], name);
        let (_, planned) = ship(&registry, &image, to, false).unwrap();
        let names: Vec<String> = tags.iter().map(|tag| format!("{}/app:{tag}", registry.server.host())).collect();
        assert_eq!(planned.names(), names);
        assert_eq!(registry.written().last().unwrap(), tags.last().unwrap());
    }
    // What hangs on an image has none, and is found by its digest.
    let registry = Registry::sound();
    let mut artifact = Image::of(&[&["one"]], "");
    artifact.rebuilt.manifests[0].kind = ManifestKind::Attestation;
    let (_, planned) = ship(&registry, &artifact, "app", false).unwrap();
    assert_eq!(planned.names(), [format!("{}/app@{}", registry.server.host(), artifact.root())]);
    assert_eq!(registry.written().last().unwrap(), &artifact.root().to_string());
}

/// A registry that takes no index of which it lacks manifests.
fn strict() -> Registry {
    Registry::start(|asked| {
        let is_index = asked.method == "PUT" && String::from_utf8_lossy(&asked.body).contains(OCI_INDEX);
        is_index.then(|| Reply::new(400, "", r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#))
    })
}

#[test]
fn where_no_index_of_a_part_is_taken_the_tag_names_the_manifest_that_is_there() {
    let registry = strict();
    let image = Image::of(&[&["one"], &["-two"]], "");
    ship(&registry, &image, "app:v2", false).unwrap();
    assert_eq!(registry.manifest(&"v2"), registry.manifest(&image.manifests()[0]));
    assert!(registry.manifest(&image.root()).is_none());
    // Of several nobody can say which one is meant.
    let registry = strict();
    let error =
        ship(&registry, &Image::of(&[&["one"], &["two"], &["-three"]], ""), "app:v2", false).map(|_| ()).unwrap_err();
    assert!(error.hint().unwrap().contains("--platform"), "{error}");
    assert!(registry.manifest(&"v2").is_none());
    // And one of which all is there is refused for another reason.
    let registry = strict();
    let error = ship(&registry, &Image::of(&[&["one"], &["two"]], ""), "app:v2", false).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("MANIFEST_BLOB_UNKNOWN") && !error.hint().unwrap_or("").contains("--platform"));
    assert_eq!(error.kind(), Kind::Environment);
}

#[test]
fn an_index_is_written_without_the_manifests_that_do_not_travel() {
    let registry = Registry::sound();
    let image = Image::of(&[&["one"], &["-two"]], "");
    ship(&registry, &image, "app:v2", false).unwrap();
    let expected = ["blob", "blob", &image.manifests()[0], &image.root().to_string(), "v2"];
    assert_eq!(registry.written(), expected);
}

/// Somebody who counts what is told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Progress for Told {
    fn begin(&self, _: &str, _: Option<u64>) -> Box<dyn Task> {
        Silent.begin("", None)
    }

    fn inform(&self, message: fmt::Arguments<'_>) {
        self.0.lock().unwrap().push(message.to_string());
    }

    fn detail(&self, _: fmt::Arguments<'_>) {}
}

#[test]
fn that_a_tag_names_less_than_the_index_is_told() {
    let (registry, told) = (strict(), Told::default());
    let image = Image::of(&[&["one"], &["-two"]], "");
    let (registries, scratch) = (Registries::new(access(), Arc::new(Silent)), scratch());
    let shipping = Shipping::new(&registries, &[], &scratch, &told).unwrap();
    let planned = shipping.plan(image.rebuilt.clone(), &registry.address("app:v2"), false).unwrap();
    let one = VerifiedBlob::check(BlobDigest::of(b"one"), Arc::new(b"one".to_vec()), "a layer").unwrap();
    shipping.carry_out(&planned, &[(one.digest(), one.clone())].into()).unwrap();
    let told = told.0.into_inner().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&format!("so the tag names the manifest {} alone", image.manifests()[0])), "{told:?}");
}

#[test]
fn a_blob_that_was_put_into_one_repository_is_taken_over_into_the_next() {
    let registry = Registry::sound();
    let image = Image::of(&[&["one"]], "");
    let (registries, scratch) = (Registries::new(access(), Arc::new(Silent)), scratch());
    let shipping = Shipping::new(&registries, &[], &scratch, &Silent).unwrap();
    let one = VerifiedBlob::check(BlobDigest::of(b"one"), Arc::new(b"one".to_vec()), "a layer").unwrap();
    let blobs = BTreeMap::from([(one.digest(), one)]);
    let shipped = ["app:v1", "other:v1"].map(|to| {
        let planned = shipping.plan(image.rebuilt.clone(), &registry.address(to), false).unwrap();
        let shipped = shipping.carry_out(&planned, &blobs).unwrap();
        (shipped.sent, shipped.mounted)
    });
    assert_eq!(shipped, [(1, 0), (0, 1)]);
    // A blob that nobody made is a fault of ours.
    let planned = shipping.plan(Image::of(&[&["none"]], "").rebuilt, &registry.address("app:v3"), false).unwrap();
    let error = shipping.carry_out(&planned, &BTreeMap::new()).unwrap_err();
    assert_eq!(error.kind(), Kind::Internal, "{error}");
}
