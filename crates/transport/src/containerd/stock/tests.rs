use delta_core::digest::ConfigDigest;
use delta_core::error::Kind;
use delta_core::image::ManifestKind;
use delta_core::image::documents::OCI_MANIFEST;
use delta_core::job::progress::Silent;
use serde_json::{Value, json};

use super::*;
use crate::containerd::HELD;
use crate::fixtures::{document, rebuilt};
use crate::program::scripted::Script;

/// A manifest of one layer with its config, and what is told of it.
fn manifest(layer: &[u8]) -> (Document, Document, RebuiltManifest) {
    let diff_id = DiffId::of(layer);
    let config =
        document(&json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [diff_id.to_string()]}}));
    let part = |digest: &dyn std::fmt::Display, kind: &str| json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest.to_string(), "size": 7});
    let manifest = document(&json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": part(&config.digest(), "config.v1+json"), "layers": [part(&diff_id, "layer.v1.tar")],
    }));
    let config_digest: ConfigDigest = config.digest().to_string().parse().unwrap();
    let (digest, kind) = (manifest.digest(), ManifestKind::Image);
    let layers = vec![(diff_id, diff_id.into())];
    (manifest, config, RebuiltManifest { digest, config: config_digest, kind, platform: None, layers })
}

fn index(named: &[&Document]) -> Document {
    let entries: Vec<Value> = named
        .iter()
        .map(|named| json!({"mediaType": OCI_MANIFEST, "digest": named.digest().to_string(), "size": named.bytes().len()}))
        .collect();
    document(&json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}))
}

/// An index of two manifests, of which the second is there as a document alone.
struct Sample {
    image: RebuiltImage,
    manifest: Document,
    config: Document,
    other: Document,
    layer: BlobDigest,
}

fn sample(names: &[&str]) -> Sample {
    let (manifest, config, travelling) = manifest(b"layer");
    let (other, ..) = self::manifest(b"of another platform");
    let root = index(&[&manifest, &other]);
    let all = [&root, &manifest, &config, &other];
    let image = RebuiltImage {
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        root: Root::of(&root, OCI_INDEX.to_owned()),
        documents: all.into_iter().map(|document| (document.digest(), document.clone())).collect(),
        manifests: vec![travelling],
        blobs: BTreeMap::new(),
        layout_index: None,
    };
    Sample { image, manifest, config, other, layer: BlobDigest::of(b"layer") }
}

const HEAD: &str = "REF TYPE DIGEST SIZE PLATFORMS LABELS\n";

fn line(name: &str, target: BlobDigest) -> String {
    format!("{name} {OCI_INDEX} {target} 7 B linux/amd64 -\n")
}

/// A store with these names and blobs.
fn store(script: Script, names: &[(&str, BlobDigest)], blobs: &[BlobDigest]) -> (Script, Store) {
    let listed: String = names.iter().map(|(name, target)| line(name, *target)).collect();
    let there: String = blobs.iter().map(|blob| format!("{blob}\n")).collect();
    let script = script.says("images ls", format!("{HEAD}{listed}")).says("content ls --quiet", there);
    let store = Store::new(script.program("ctr"), "containerd".to_owned(), Arc::new(Silent)).unwrap();
    (script, store)
}

fn scratch() -> Arc<TempScratch> {
    Arc::new(TempScratch::new(None).unwrap())
}

#[test]
fn a_manifest_of_which_only_the_document_travels_is_left_out() {
    let Sample { mut image, manifest, config, other, .. } = sample(&["app:v1"]);
    keep_travelling(&mut image);
    let kept: BTreeSet<BlobDigest> = image.documents.keys().copied().collect();
    assert_eq!(kept, [image.root.digest, manifest.digest(), config.digest()].into());
    assert!(!kept.contains(&other.digest()));
    // An index holds those that are left, and is not held by what is no index.
    let found = indexes(&image).unwrap();
    let [(document, named)] = &found[..] else { panic!("one index") };
    assert_eq!((document.digest(), named.as_slice()), (image.root.digest, &[manifest.digest()][..]));
    let odd = Document::new(b"no JSON".to_vec());
    image.documents.insert(odd.digest(), odd);
    assert!(indexes(&image).is_err());
}

#[test]
fn what_a_store_lacks_is_found_out_before_anything_is_written() {
    let Sample { image, manifest, config, layer, .. } = sample(&["app:v1"]);
    let root = image.root.digest;
    let all = [root, manifest.digest(), config.digest(), layer];
    let name = "docker.io/library/app:v1";
    for (names, blobs, anew, lacks, is_there) in [
        (&[(name, root)][..], &all[..], false, false, true),
        (&[("other:v7", root)], &all, false, false, true),
        // What nothing names is not held, and may go.
        (&[], &all, false, false, false),
        (&[(name, layer)], &all, false, false, false),
        // Its name does not mean that all of it is there.
        (&[(name, root)], &all[..3], false, true, false),
        (&[(name, root)], &all[1..], false, false, false),
        (&[(name, root)], &[root, config.digest(), layer], false, false, false),
        (&[(name, root)], &[root, manifest.digest(), layer], false, false, false),
        (&[(name, root)], &all, true, true, false),
    ] {
        let (script, store) = store(Script::new(), names, blobs);
        let scratch = scratch();
        let planned = Stocking::new(&store, &scratch, &Silent).plan(image.clone(), anew).unwrap();
        assert_eq!(
            (planned.lacking().contains_key(&layer), planned.is_there()),
            (lacks, is_there),
            "{names:?} {blobs:?}"
        );
        assert_eq!(planned.image().documents.len(), 3);
        assert_eq!(script.asked().len(), 2, "both lists");
    }
    let (_script, store) = store(Script::new(), &[], &[]);
    let nameless = sample(&[]).image;
    let error = Stocking::new(&store, &scratch(), &Silent).plan(nameless, false).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.to_string().ends_with("has no name, without which containerd keeps none"), "{error}");
}

#[test]
fn what_is_there_only_gets_its_names() {
    let Sample { image, manifest, config, layer, .. } = sample(&["app:v1", "app:v2", "app:v3"]);
    let (root, other) = (image.root.digest, BlobDigest::of(b"another"));
    let full = ["v1", "v2", "v3"].map(|tag| format!("docker.io/library/app:{tag}"));
    // Of a run that was killed long ago, and of one that goes on.
    let left = format!("{HELD}parts-1-1-1:{}", root.hex());
    let Holding { parts: held, .. } = Holding::of(root);
    let names = [(full[0].as_str(), root), (full[1].as_str(), other), (&left, other), (&held, other)];
    let tags = Script::new().does("'images tag '*", "true").does("'images rm '*", "true");
    let (script, store) = store(tags, &names, &[root, manifest.digest(), config.digest(), layer]);
    let scratch = scratch();
    let stocking = Stocking::new(&store, &scratch, &Silent);
    let planned = stocking.plan(image.clone(), false).unwrap();
    let moved = stocking.carry_out(planned, &BTreeMap::new()).unwrap();
    assert_eq!(moved, [("app:v2".parse().unwrap(), other)]);
    let from = &full[0];
    let expected = [
        "images ls".to_owned(),
        "content ls --quiet".to_owned(),
        format!("images tag --force {from} {}", full[1]),
        format!("images tag --force {from} {}", full[2]),
        format!("images rm {left}"),
    ];
    assert_eq!(script.asked(), expected);
}

#[test]
fn names_of_ours_go_however_it_ends() {
    let Sample { image, layer, .. } = sample(&["app:v1"]);
    let root = image.root.digest;
    let blob = VerifiedBlob::check(layer, Arc::new(b"layer".to_vec()), "a layer").unwrap();
    let rebuilt: BTreeMap<BlobDigest, VerifiedBlob> = [(layer, blob)].into();
    let left = format!("{HELD}whole-1-1-1:{}", root.hex());
    for (import, said, imports) in [
        // Nothing was imported, or what was imported is not there.
        ("cat > /dev/null; echo 'no room' >&2; exit 1", "failed: no room", 1),
        ("cat > /dev/null", "containerd made another image of sha256:", 2),
    ] {
        let script = Script::new()
            .does("'images import '*", import)
            .does("'content label '*", "true")
            .does("'images rm '*", "true");
        let (script, store) = store(script, &[(&left, root)], &[]);
        let scratch = scratch();
        let stocking = Stocking::new(&store, &scratch, &Silent);
        let planned = stocking.plan(image.clone(), false).unwrap();
        let error = stocking.carry_out(planned, &rebuilt).unwrap_err();
        assert!(error.kind() == Kind::Environment && error.to_string().contains(said), "{error}");
        assert_eq!((script.times("images import --no-unpack"), script.times("images tag")), (imports, 0));
        // What was left before may still be of use: only what this run gave is taken back.
        let asked = script.asked();
        let removed = asked.last().unwrap().strip_prefix("images rm ").unwrap();
        let names: Vec<&str> = removed.split(' ').collect();
        let starts = ["parts-", "whole-"].map(|kind| format!("{HELD}{kind}"));
        assert!(
            names.len() == 2 && names.iter().zip(&starts).all(|(name, start)| name.starts_with(start)),
            "{removed}"
        );
        assert!(!removed.contains(&left));
    }
}

#[test]
fn an_image_is_looked_at_before_it_has_its_name() {
    let Sample { mut image, manifest, config, layer, .. } = sample(&["app:v1"]);
    keep_travelling(&mut image);
    let root = image.root.digest;
    let all = [root, manifest.digest(), config.digest(), layer];
    let check = |names: &[(&str, BlobDigest)], blobs: &[BlobDigest]| {
        let (_script, store) = store(Script::new(), names, blobs);
        Stocking::new(&store, &scratch(), &Silent).check(&image, "whole:v1")
    };
    check(&[("other:v1", layer), ("whole:v1", root)], &all).unwrap();
    for names in [&[][..], &[("whole:v1", layer)], &[("other:v1", root)]] {
        assert_eq!(check(names, &all).unwrap_err().to_string(), format!("containerd made another image of {root}"));
    }
    for lost in all {
        let there: Vec<BlobDigest> = all.into_iter().filter(|blob| *blob != lost).collect();
        let error = check(&[("whole:v1", root)], &there).unwrap_err();
        assert_eq!(error.to_string(), format!("containerd lost the blob {lost} meanwhile"));
        assert!(error.hint().unwrap().contains("try again"));
    }
}

#[test]
fn that_an_image_is_for_another_machine_is_no_error() {
    let image = sample(&["app:v1"]).image;
    let unpack = format!("snapshots unpack {}", image.root.digest);
    for script in [Script::new().says(&unpack, ""), Script::new().fails(&unpack, "no match for platform")] {
        let (script, store) = store(script, &[], &[]);
        Stocking::new(&store, &scratch(), &Silent).unpack(&image).unwrap();
        assert_eq!(script.times("snapshots unpack"), 1);
    }
}

/// The parts of an image of these layers, and its manifest.
fn parts(layers: &[&[u8]]) -> (BTreeMap<BlobDigest, Vec<u8>>, BlobDigest) {
    let image = rebuilt(&[], layers);
    let mut parts: BTreeMap<BlobDigest, Vec<u8>> =
        layers.iter().map(|layer| (BlobDigest::of(layer), layer.to_vec())).collect();
    parts.extend(image.documents.iter().map(|(digest, document)| (*digest, document.bytes().to_vec())));
    (parts, image.root.digest)
}

#[test]
fn base_layers_are_found_in_the_base_or_in_any_image() {
    let (base, base_root) = parts(&[b"a", b"b"]);
    let (other, other_root) = parts(&[b"b", b"c"]);
    let (third, third_root) = parts(&[b"d"]);
    let found = |needed: &[&[u8]], lost: &[BlobDigest], named: &[(&str, BlobDigest)]| {
        let mut blobs: BTreeMap<BlobDigest, Vec<u8>> =
            [&base, &other, &third].into_iter().flatten().map(|(digest, bytes)| (*digest, bytes.clone())).collect();
        lost.iter().for_each(|digest| drop(blobs.remove(digest)));
        let script = blobs
            .iter()
            .fold(Script::new(), |script, (digest, bytes)| script.says(&format!("content get {digest}"), bytes));
        let there: Vec<BlobDigest> = blobs.keys().copied().collect();
        let (script, store) = store(script, named, &there);
        let entry = BaseEntry { names: Vec::new(), root: base_root, configs: Vec::new(), layers: Vec::new() };
        let needed = needed.iter().map(|bytes| DiffId::of(bytes)).collect();
        let layers = Stocking::new(&store, &scratch(), &Silent).base_layers(&[entry], &needed);
        let mut found: Vec<DiffId> = layers.iter().map(|layer| layer.diff_id).collect();
        found.sort();
        (found, script)
    };
    let ids = |all: &[&[u8]]| {
        let mut ids: Vec<DiffId> = all.iter().map(|bytes| DiffId::of(bytes)).collect();
        ids.sort();
        ids
    };
    let named = [("other:v1", other_root), ("third:v1", third_root)];
    // The base needs no name.
    let (layers, script) = found(&[b"a", b"b"], &[], &named);
    assert_eq!(layers, ids(&[b"a", b"b"]));
    assert_eq!(script.times(&format!("content get {other_root}")), 0, "nobody looks further than is needed");
    assert_eq!(found(&[b"a", b"c", b"d", b"x"], &[], &named).0, ids(&[b"a", b"c", b"d"]));
    assert_eq!(found(&[b"c", b"d"], &[], &[]).0, ids(&[]));
    // What is there in part is no base, and another one may have it.
    assert_eq!(found(&[b"a", b"b"], &[BlobDigest::of(b"a")], &named).0, ids(&[b"b"]));
    assert_eq!(found(&[b"a", b"b"], &[base_root], &named).0, ids(&[b"b"]));
    assert!(found(&[], &[], &named).0.is_empty());
}
