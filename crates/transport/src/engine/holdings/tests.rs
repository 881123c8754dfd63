use delta_core::package::metadata::LayerBlob;
use serde_json::{Value, json};

use super::*;
use crate::engine::StoredImage;
use crate::engine::scripted::{Script, answer};
use crate::fixtures::rebuilt;

#[test]
fn a_layer_that_occurs_again_above_the_held_chain_is_not_held() {
    let [a, b, empty] = [b"a", b"b", b"e"].map(|bytes| DiffId::of(bytes));
    let image = StoredImage { id: BlobDigest::of(b""), names: Vec::new(), diff_ids: vec![a, empty], size: 0 };
    let inventory = Inventory { images: vec![image] };
    let layers = |diff_ids: &[DiffId]| diff_ids.iter().map(|id| (*id, (*id).into())).collect::<Vec<_>>();
    assert_eq!(held_by_chain(&layers(&[a, empty, b]), &inventory), [a.into(), empty.into()].into());
    assert_eq!(held_by_chain(&layers(&[a, empty, b, empty]), &inventory), [a.into()].into());
}

/// A manifest as a containerd store tells of it.
fn manifest(digest: BlobDigest, kind: &str, available: bool) -> Value {
    json!({"Available": available, "Kind": kind, "Descriptor": {"digest": digest.to_string(), "size": 7}})
}

/// A client whose daemon tells of these manifests of the image `id`.
fn telling(id: BlobDigest, manifests: &Value) -> Script {
    let told = answer("200 OK", json!({"Id": id.to_string(), "Manifests": manifests}));
    Script::new().says("told", told).does("'system dial-stdio'", "head -n 3 > \"$here/request\"; cat \"$here/answer0\"")
}

fn base(root: BlobDigest, layers: &[&[u8]]) -> BaseEntry {
    let layer = |bytes: &&[u8]| LayerBlob {
        diff_id: DiffId::of(bytes),
        blob: BlobDigest::of(&[*bytes, b", compressed"].concat()),
    };
    BaseEntry { names: Vec::new(), root, configs: Vec::new(), layers: layers.iter().map(layer).collect() }
}

fn having(id: BlobDigest, layers: &[&[u8]]) -> Inventory {
    let diff_ids = layers.iter().map(|bytes| DiffId::of(bytes)).collect();
    Inventory { images: vec![StoredImage { id, names: Vec::new(), diff_ids, size: 0 }] }
}

#[test]
fn each_store_needs_other_blobs() {
    let (image, id) = (rebuilt(&[], &[b"a", b"b", b"c"]), BlobDigest::of(b"base"));
    let blobs = |all: &[&[u8]]| all.iter().map(|bytes| BlobDigest::of(bytes)).collect::<BTreeSet<_>>();
    let holds = |store, has: &[&[u8]]| Script::new().engine(store).holds(&image, &having(id, has), &[]).unwrap();
    for (has, chain, any) in [
        (&[&b"a"[..], b"b", b"d"][..], blobs(&[b"a", b"b"]), blobs(&[b"a", b"b"])),
        (&[b"b", b"c"], blobs(&[]), blobs(&[b"b", b"c"])),
        (&[b"a", b"b", b"c"], blobs(&[b"a", b"b", b"c"]), blobs(&[b"a", b"b", b"c"])),
        (&[], blobs(&[]), blobs(&[])),
    ] {
        assert_eq!(holds(Store::Classic, has), chain);
        assert_eq!(holds(Store::Podman, has), any);
        // That layers are unpacked does not mean that their blobs are there.
        assert_eq!(holds(Store::Containerd, has), blobs(&[]));
    }
}

#[test]
fn a_containerd_store_has_the_blobs_of_what_is_whole_there() {
    let (image, id, other) = (rebuilt(&[], &[b"a"]), BlobDigest::of(b"base"), BlobDigest::of(b"other"));
    let bases = [base(other, &[b"x"]), base(id, &[b"a", b"b"])];
    let all: BTreeSet<BlobDigest> = bases[1].layers.iter().map(|layer| layer.blob).collect();
    for (manifests, is_held) in [
        (json!([manifest(id, "image", true)]), true),
        (json!([manifest(other, "image", false), manifest(id, "image", true)]), true),
        (json!([manifest(id, "image", false)]), false),
        (json!([manifest(id, "attestation", true)]), false),
        (json!([manifest(id, "", true)]), false),
        (json!([]), false),
        (Value::Null, false),
    ] {
        let script = telling(id, &manifests);
        let held = script.engine(Store::Containerd).holds(&image, &having(id, &[]), &bases).unwrap();
        assert_eq!(held, if is_held { all.clone() } else { BTreeSet::new() }, "{manifests}");
        let request = format!("GET /images/{id}/json?manifests=1 HTTP/1.0\r\nHost: docker\r\n\r\n");
        // Of the base that is not there nobody is asked.
        assert_eq!((script.written("request"), script.times("system")), (request.into_bytes(), 1));
    }
}

#[test]
fn an_engine_that_cannot_say_is_not_asked() {
    let (image, id) = (rebuilt(&[], &[b"a"]), BlobDigest::of(b"base"));
    for (store, api, is_asked) in [
        (Store::Containerd, (1, 48), true),
        (Store::Containerd, (1, 49), true),
        (Store::Containerd, (2, 0), true),
        (Store::Containerd, (1, 47), false),
        (Store::Containerd, (0, 99), false),
        (Store::Classic, (1, 48), false),
        (Store::Podman, (9, 9), false),
    ] {
        let script = telling(id, &json!([manifest(id, "image", true)]));
        let engine = Engine { api, ..script.engine(store) };
        assert_eq!(
            engine.stored_manifests(id).unwrap().map(|all| all.len()),
            is_asked.then_some(1),
            "{store:?} {api:?}"
        );
        let complete = engine.is_complete(id, &[id].into()).unwrap();
        assert_eq!((complete, script.times("system")), (is_asked.then_some(true), 2 * usize::from(is_asked)));
        if store == Store::Containerd && !is_asked {
            assert!(engine.holds(&image, &having(id, &[]), &[base(id, &[b"a"])]).unwrap().is_empty());
        }
    }
}

#[test]
fn an_image_is_complete_when_all_of_its_manifests_are_whole() {
    let [a, b, c] = [b"a", b"b", b"c"].map(|bytes| BlobDigest::of(bytes));
    let manifests = json!([manifest(a, "image", true), manifest(b, "image", false), manifest(c, "attestation", true)]);
    let engine = |script: &Script| script.engine(Store::Containerd);
    for (wanted, expected) in [(&[][..], true), (&[a], true), (&[b], false), (&[a, b], false), (&[c], false)] {
        let wanted = wanted.iter().copied().collect();
        let script = telling(a, &manifests);
        assert_eq!(engine(&script).is_complete(a, &wanted).unwrap(), Some(expected), "{wanted:?}");
    }
    let script = Script::new().fails("system dial-stdio", "no daemon");
    assert!(engine(&script).is_complete(a, &BTreeSet::new()).is_err());
}
