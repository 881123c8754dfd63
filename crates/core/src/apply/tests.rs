use serde_json::{Value, json};

use super::*;
use crate::error::Kind;
use crate::package::metadata::Stored;

fn id(name: &str) -> DiffId {
    DiffId::of(name.as_bytes())
}

fn blob(name: &str) -> BlobDigest {
    BlobDigest::of(name.as_bytes())
}

fn held(name: &str) -> Value {
    json!({"diff_id": id(name), "size": 1_000})
}

fn coded(name: &str, size: u64, bases: &[&str]) -> Value {
    let bases: Vec<DiffId> = bases.iter().map(|base| id(base)).collect();
    let coded = json!({"codec": "vcdiff", "bases": bases, "members": ["m"]});
    json!({"diff_id": id(name), "size": size, "origin": {"coded": coded}})
}

/// What a package says of these layers and blobs, where every layer that is not coded is of a base.
fn metadata(layers: &[Value], blobs: &[Value]) -> Metadata {
    let listed: Vec<Value> =
        layers.iter().filter(|layer| layer.get("origin").is_none()).map(|layer| layer["diff_id"].clone()).collect();
    let held: Vec<Value> = blobs
        .iter()
        .filter(|blob| blob.get("member").is_none() && blob.get("recreated").is_none())
        .map(|held| json!({"diff_id": id("a"), "blob": held["digest"]}))
        .collect();
    let of_base = [listed, held].concat();
    let value = json!({
        "format": 1, "requires": ["vcdiff", "recipe", "deflate-1", "gzip-zlib-1", "unmeasured-1"], "created_by": "", "method": "auto", "identity": "manifest",
        "compression": "", "level": 0,
        "images": [{
            "names": [], "root": {"media_type": "", "digest": blob("root"), "size": 0, "synthesised": false},
            "documents": [blob("root")], "manifests": [],
        }],
        "bases": [
            {"names": ["app:v1"], "root": blob("base"), "configs": [blob("config")], "layers": of_base},
            {"names": [], "root": blob("other"), "configs": [], "layers": [id("b")]},
        ],
        "layers": layers, "blobs": blobs,
        "members": [
            {"name": "m", "size": 7, "digest": blob("member")},
            {"name": format!("blobs/sha256/{}", blob("root").hex()), "size": 0, "digest": blob("root")},
        ],
    });
    let stored = Stored::parse(&serde_json::to_vec(&value).unwrap()).unwrap();
    stored.completed(&|_| Err(Error::internal("no document is asked for"))).unwrap()
}

fn wanted(names: &[&str]) -> Wanted {
    names.iter().map(|name| (id(name).into(), id(name))).collect()
}

fn ids<const N: usize>(names: [&str; N]) -> BTreeSet<DiffId> {
    names.iter().map(|name| id(name)).collect()
}

#[test]
fn each_round_is_coded_against_the_ones_before_it() {
    let metadata = metadata(
        &[
            held("a"),
            coded("c", 1, &["a"]),
            coded("d", 1, &[]),
            coded("e", 1, &["c", "a"]),
            coded("f", 1, &["d"]),
            coded("g", 1, &["d", "e"]),
        ],
        &[],
    );
    let coded: Vec<&LayerEntry> = metadata.layers.iter().skip(1).collect();
    let rounds: Vec<Vec<DiffId>> =
        rounds(coded).into_iter().map(|round| round.into_iter().map(|layer| layer.diff_id).collect()).collect();
    assert_eq!(rounds, [vec![id("c"), id("d")], vec![id("e"), id("f")], vec![id("g")]]);
    assert!(super::rounds(Vec::new()).is_empty());
}

#[test]
fn what_a_wanted_layer_is_coded_against_is_rebuilt_before_it() {
    let metadata =
        metadata(&[held("a"), held("b"), coded("c", 1, &["a"]), coded("d", 1, &["b"]), coded("e", 1, &["c"])], &[]);
    let index = Index::of(&metadata);
    let rebuilt = |names: &[&str]| {
        coded_layers(&metadata, &index, &wanted(names)).iter().map(|layer| layer.diff_id).collect::<Vec<_>>()
    };
    assert_eq!(rebuilt(&["e"]), [id("c"), id("e")]);
    assert_eq!(rebuilt(&["d", "c"]), [id("c"), id("d")]);
    assert!(rebuilt(&["a"]).is_empty() && rebuilt(&[]).is_empty() && rebuilt(&["absent"]).is_empty());
    let needed = |names: &[&str]| needed_bases(&metadata, &wanted(names));
    assert_eq!(needed(&["e"]), ids(["a"]));
    assert_eq!(needed(&["d"]), ids(["b"]));
    assert_eq!(needed(&["a"]), ids(["a"]));
    assert_eq!(needed(&["a", "d", "e"]), ids(["a", "b"]));
    assert_eq!(needed(&[]), ids([]));
}

/// A layer that is coded, in three compressed forms: one of a base, one that is a member, and one that is made again.
fn with_blobs() -> Metadata {
    metadata(
        &[held("a"), coded("c", 500, &["a"])],
        &[
            json!({"digest": blob("held"), "size": 10, "compression": "gzip"}),
            json!({"digest": blob("member"), "size": 7, "compression": "gzip", "member": "m"}),
            json!({"digest": blob("again"), "size": 300, "compression": "gzip",
                "recreated": {"encoder": "zlib 6", "plan": "0101068f05"}}),
        ],
    )
}

#[test]
fn a_blob_needs_its_layer_where_it_is_made_of_it() {
    let metadata = with_blobs();
    let of = |name: &str, layer: &str| Wanted::from([(blob(name), id(layer))]);
    assert_eq!(needed_bases(&metadata, &of("held", "c")), ids(["c"]), "whoever has the layer may have the blob");
    assert_eq!(needed_bases(&metadata, &of("member", "c")), ids([]));
    assert_eq!(needed_bases(&metadata, &of("again", "c")), ids(["a"]));
    assert_eq!(needed_bases(&metadata, &of("again", "a")), ids(["a"]));
}

#[test]
fn what_it_takes_is_counted_once_for_each_layer_and_blob() {
    let metadata = with_blobs();
    let all = [("held", "a"), ("member", "c"), ("again", "c")].map(|(name, layer)| (blob(name), id(layer)));
    let cost = |wanted: Wanted| Cost::of(&metadata, &wanted);
    let everything = cost(all.into_iter().chain([(id("c").into(), id("c")), (id("a").into(), id("a"))]).collect());
    assert_eq!(
        everything,
        Cost {
            rebuilt_bytes: 500,
            recompressed_bytes: 0,
            recreated_bytes: 300,
            blob_bytes: 10 + 7 + 300 + 500 + 1_000,
            plain_bytes: 500,
        }
    );
    assert_eq!((everything.room(), everything.room_besides_places()), (800, 0));
    // A layer that is only compressed again is made in temporary room.
    let again = cost(Wanted::from([(blob("again"), id("c"))]));
    assert_eq!((again.room(), again.room_besides_places()), (800, 500));
    assert_eq!(cost(Wanted::new()), Cost::default());
    assert_eq!(cost(Wanted::from([(blob("member"), id("c"))])), Cost { blob_bytes: 7, ..Cost::default() });
    assert_eq!(cost(Wanted::from([(blob("absent"), id("absent"))])), Cost::default());
}

#[test]
fn the_sizes_of_all_wanted_blobs_are_known_or_none() {
    let metadata = metadata(
        &[held("a"), json!({"diff_id": id("unread")}), coded("c", 500, &["a"])],
        &[json!({"digest": blob("member"), "size": 7, "compression": "gzip", "member": "m"})],
    );
    let of = |blobs: &[(BlobDigest, DiffId)]| sizes(&metadata, &blobs.iter().copied().collect());
    let (member, plain) = ((blob("member"), id("c")), (id("c").into(), id("c")));
    assert_eq!(of(&[member, plain]), Some(BTreeMap::from([(member.0, 7), (plain.0, 500)])));
    assert_eq!(of(&[member, (id("unread").into(), id("unread"))]), None);
    assert_eq!(of(&[(blob("absent"), id("absent"))]), None);
    assert_eq!(of(&[]), Some(BTreeMap::new()));
}

#[test]
fn what_is_recompressed_is_told_before() {
    let mut metadata = with_blobs();
    if let Origin::Coded { recompressed, .. } = &mut metadata.layers[1].origin {
        *recompressed = 77;
    }
    assert_eq!(Cost::of(&metadata, &wanted(&["c"])).recompressed_bytes, 77);
    assert_eq!(Cost::of(&metadata, &wanted(&["a"])).recompressed_bytes, 0);
}

#[test]
fn what_is_missing_is_said_with_the_images_that_have_it() {
    let metadata = metadata(&[held("a"), held("b"), coded("c", 1, &["a", "b"])], &[]);
    let said = |there: BTreeSet<DiffId>| {
        let error = check_bases(&metadata, &wanted(&["c"]), &there).unwrap_err();
        assert_eq!(error.kind(), Kind::Environment);
        error.to_string()
    };
    check_bases(&metadata, &wanted(&["c"]), &ids(["a", "b", "more"])).unwrap();
    check_bases(&metadata, &wanted(&[]), &ids([])).unwrap();
    let (named, unnamed) =
        (format!("app:v1 (image {})", blob("config").short()), format!("image {}", blob("other").short()));
    assert_eq!(
        said(ids(["b"])),
        format!("1 of 2 base layers are missing here: {}; the package was made against {named}", id("a").short())
    );
    let both = said(ids(["more"]));
    assert!(both.starts_with("2 of 2 base layers") && both.ends_with(&format!("{named}, {unnamed}")), "{both}");
    let nowhere = check_bases(&metadata, &Wanted::from([(blob("x"), id("x"))]), &ids([])).unwrap_err().to_string();
    assert!(nowhere.ends_with("the package was made against no image that the package names"), "{nowhere}");
}
