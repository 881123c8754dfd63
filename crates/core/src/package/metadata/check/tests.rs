//! Each thing that one part of `metadata.json` says of another, said wrongly.

use serde_json::{Value, json};

use super::super::Stored;
use super::*;
use crate::error::Kind;

/// A digest of these digits again and again.
fn digest(digits: &str) -> String {
    format!("sha256:{}", digits.repeat(64 / digits.len()))
}

/// What a package says that brings one image of four layers: one held, one coded against it, one whole, and one as a blob.
fn images() -> Value {
    let (manifest, config) = (digest("01"), digest("02"));
    let member = |name: &str, digits: &str, size: u64| json!({"name": name, "size": size, "digest": digest(digits)});
    let recipe = format!("layer_deltas/{}.recipe", "b".repeat(64));
    json!({
        "format": 1,
        "requires": ["deflate-1", "gzip-zlib-1", "layout-index-1", "recipe", "whole"],
        "created_by": "a program",
        "method": "auto",
        "identity": "manifest",
        "compression": "zstd",
        "level": 9,
        "images": [{
            "names": ["app:v2"],
            "root": {"media_type": "a/b", "digest": manifest, "size": 7, "synthesised": false},
            "documents": [manifest, config],
            "manifests": [{
                "digest": manifest,
                "config": config,
                "kind": "image",
                "platform": {"os": "linux", "architecture": "arm", "variant": "v7"},
                "layers": [
                    digest("a"),
                    digest("b"),
                    digest("c"),
                    {"diff_id": digest("d"), "blob": digest("d1")},
                    {"diff_id": digest("a"), "blob": digest("a1")},
                    {"diff_id": digest("c"), "blob": digest("c1")},
                ],
            }],
        }],
        "layout_index": digest("03"),
        "bases": [{
            "names": ["app:v1"],
            "root": digest("04"),
            "configs": [],
            "layers": [digest("a"), {"diff_id": digest("a"), "blob": digest("a1")}],
        }],
        "layers": [
            {"diff_id": digest("a"), "size": 1_000},
            {
                "diff_id": digest("b"),
                "size": 2_000,
                "origin": {"coded": {
                    "codec": "recipe", "bases": [digest("a")], "members": [recipe], "recompressed": 10,
                }},
            },
            {
                "diff_id": digest("c"),
                "size": 5,
                "origin": {"coded": {"codec": "whole", "members": ["layer_deltas/c.tar"]}},
            },
            {
                "diff_id": digest("d"),
                "size": 4_000,
                "origin": {"coded": {"codec": "whole", "members": ["layer_blobs/d.tar.gz"]}},
            },
        ],
        "blobs": [
            {"digest": digest("a1"), "size": 900, "compression": "gzip"},
            {"digest": digest("c1"), "size": 5, "compression": "gzip", "recreated": {"encoder": "zlib 6", "plan": "0101068f05"}},
            {
                "digest": digest("d1"), "size": 300, "compression": "gzip", "member": "layer_blobs/d.tar.gz",
                "nearest": {"encoder": "zlib 6", "differs_at": 5},
            },
        ],
        "members": [
            member("manifest.json", "05", 2),
            member(&format!("blobs/sha256/{}", "01".repeat(32)), "01", 7),
            member(&format!("blobs/sha256/{}", "02".repeat(32)), "02", 8),
            member(&format!("blobs/sha256/{}", "03".repeat(32)), "03", 9),
            member(&recipe, "06", 20),
            member("layer_deltas/c.tar", "07", 30),
            member("layer_blobs/d.tar.gz", "d1", 300),
        ],
    })
}

/// What a package says that brings a file.
fn file() -> Value {
    json!({
        "format": 1,
        "requires": ["whole"],
        "created_by": "a program",
        "method": "auto",
        "identity": "config",
        "compression": "zstd",
        "level": 9,
        "stream": {
            "kind": "file",
            "target": digest("b"),
            "base": digest("a"),
            "base_size": 3,
            "file": {"mode": 420, "uid": 0, "gid": 0, "modified": {"seconds": 0, "nanoseconds": 0}},
        },
        "bases": [],
        "layers": [{
            "diff_id": digest("b"),
            "size": 5,
            "origin": {"coded": {"codec": "whole", "members": ["layer_deltas/b.tar"]}},
        }],
        "members": [{"name": "layer_deltas/b.tar", "size": 5, "digest": digest("07")}],
    })
}

fn checked(metadata: &Value) -> Result<Metadata> {
    let no_document = |_| Err(Error::internal("no document is asked for"));
    Stored::parse(&serde_json::to_vec(metadata).unwrap())?.completed(&no_document)
}

/// The words with which `metadata` is refused.
fn said(metadata: &Value) -> String {
    match checked(metadata) {
        Ok(_) => "it is taken".to_owned(),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Content, "{error}");
            error.to_string()
        }
    }
}

/// Puts `value` where `pointer` points to.
fn put(metadata: &mut Value, pointer: &str, value: Value) {
    let (place, field) = pointer.rsplit_once('/').unwrap();
    match metadata.pointer_mut(place).unwrap_or_else(|| panic!("nothing is at {pointer}")) {
        Value::Array(list) => match field.parse::<usize>().unwrap() {
            at if at < list.len() => list[at] = value,
            _ => list.push(value),
        },
        object => object[field] = value,
    }
}

/// One change after the other; each must be refused with these words.
fn assert_refused(sound: fn() -> Value, cases: Vec<(&str, Value, &str)>) {
    checked(&sound()).unwrap();
    for (pointer, value, expected) in cases {
        let mut metadata = sound();
        put(&mut metadata, pointer, value.clone());
        let said = said(&metadata);
        assert!(said.contains(expected), "{pointer} {value}: {said}");
    }
}

#[test]
fn a_control_character_is_refused_in_every_text() {
    let places = [
        "/created_by",
        "/compression",
        "/images/0/root/media_type",
        "/images/0/manifests/0/platform/os",
        "/images/0/manifests/0/platform/architecture",
        "/images/0/manifests/0/platform/variant",
        "/blobs/1/recreated/encoder",
        "/blobs/2/nearest/encoder",
        "/members/0/name",
    ];
    for character in ['\0', '\n', '\u{1b}', '\u{7f}', '\u{80}', '\u{9f}'] {
        for place in places {
            let mut metadata = images();
            put(&mut metadata, place, json!(format!("a{character}b")));
            let expected = format!("`{}` has a control character", format!("a{character}b").escape_debug());
            assert!(said(&metadata).contains(&expected), "{place}: {}", said(&metadata));
        }
    }
    for (place, text) in [("/created_by", "ä \u{a0}\u{202e}"), ("/compression", ""), ("/members/0/name", " ")] {
        let mut metadata = images();
        put(&mut metadata, place, json!(text));
        checked(&metadata).unwrap();
    }
}

#[test]
fn layers_that_contradict_something_are_refused() {
    let coded = |field: &str| format!("/layers/1/origin/coded/{field}");
    let (bases, members, codec, recompressed) =
        (coded("bases"), coded("members"), coded("codec"), coded("recompressed"));
    let recipe = format!("layer_deltas/{}.recipe", "b".repeat(64));
    let other = format!("layer_deltas/{}.recipe", "c".repeat(64));
    assert_refused(
        images,
        vec![
            ("/layers/0/diff_id", json!(digest("e")), "no base has the layer"),
            ("/layers/0/size", Value::Null, "it does not require `unmeasured-1`, but the layer"),
            ("/layers/1/size", Value::Null, "is coded, but has no size"),
            (&bases, json!([digest("a"), digest("a")]), "is coded against another one twice"),
            (&bases, json!([digest("b")]), "which is neither of a base nor listed before it"),
            (&bases, json!([digest("c")]), "which is neither of a base nor listed before it"),
            (&bases, json!([digest("a1")]), "which is neither of a base nor listed before it"),
            (&members, json!([]), "has 0 members, its codec has 1 to 6"),
            (&members, json!(vec![recipe.clone(); 7]), "has 7 members, its codec has 1 to 6"),
            (&members, json!([recipe, "layer_deltas/none"]), "there is no member layer_deltas/none"),
            (&members, json!(["layer_deltas/c.tar"]), "layer_deltas/c.tar is no stream of the recipe"),
            ("/layers/2/origin/coded/members", json!(["layer_deltas/c.tar", "manifest.json"]), "its codec has 1 to 1"),
            ("/layers/2/origin/coded/bases", json!([digest("a")]), "is whole and coded against another"),
            ("/layers/2/origin/coded/recompressed", json!(1), "it does not require `deflate-1`, but the layer"),
            (&codec, json!("vcdiff"), "it does not require `deflate-1`, but the layer"),
            (&codec, json!("other"), "unknown variant `other`"),
            (&recompressed, json!(limits::LAYER_BYTES + 1), "bytes are opened, at most 1099511627776 are read"),
            (
                "/requires",
                json!(["gzip-zlib-1", "layout-index-1", "recipe", "whole"]),
                "it does not require `deflate-1`",
            ),
            (
                "/requires",
                json!(["deflate-1", "gzip-zlib-1", "layout-index-1", "whole"]),
                "it does not require `recipe`",
            ),
            (
                "/requires",
                json!(["deflate-1", "gzip-zlib-1", "layout-index-1", "recipe"]),
                "it does not require `whole`",
            ),
        ],
    );
    let mut foreign = images();
    put(&mut foreign, "/members/4/name", json!(other));
    put(&mut foreign, &members, json!([other]));
    assert!(said(&foreign).contains("is no stream of the recipe of the layer sha256:bbbb"), "{}", said(&foreign));
}

#[test]
fn what_a_layer_may_be_is_taken() {
    let mut most = images();
    put(&mut most, "/layers/1/size", json!(limits::LAYER_BYTES));
    put(&mut most, "/layers/1/origin/coded/recompressed", json!(limits::LAYER_BYTES));
    checked(&most).unwrap();
    let mut none = images();
    put(&mut none, "/layers/1/origin/coded/recompressed", json!(0));
    put(&mut none, "/requires", json!(["gzip-zlib-1", "layout-index-1", "recipe", "whole"]));
    checked(&none).unwrap();
    let mut later = images();
    put(&mut later, "/layers/1/origin/coded/bases", json!([]));
    checked(&later).unwrap();
    let mut unmeasured = images();
    unmeasured["layers"][0].as_object_mut().unwrap().remove("size");
    put(&mut unmeasured, "/requires/5", json!("unmeasured-1"));
    checked(&unmeasured).unwrap();
    // A layer may be coded against one that is coded before it.
    let mut earlier = images();
    earlier["layers"].as_array_mut().unwrap().swap(1, 2);
    put(&mut earlier, "/layers/2/origin/coded/bases", json!([digest("c"), digest("a")]));
    checked(&earlier).unwrap();
}

#[test]
fn layer_bytes_are_what_a_layer_and_a_blob_have_at_the_most() {
    for (pointer, what) in [("/layers/1/size", "the layer"), ("/blobs/0/size", "the blob")] {
        let mut metadata = images();
        put(&mut metadata, pointer, json!(limits::LAYER_BYTES));
        checked(&metadata).unwrap();
        for size in [limits::LAYER_BYTES + 1, u64::MAX] {
            put(&mut metadata, pointer, json!(size));
            let said = said(&metadata);
            assert!(said.contains(what) && said.contains(&format!("has {size} bytes, at most")), "{said}");
        }
    }
}

#[test]
fn blobs_that_contradict_something_are_refused() {
    assert_refused(
        images,
        vec![
            ("/blobs/0/digest", json!(digest("e1")), "no base has the blob"),
            (
                "/blobs/0/nearest",
                json!({"encoder": "e", "differs_at": 0}),
                "is no member, but an encoder came near to it",
            ),
            ("/blobs/0/whole", json!("smallest"), "is said to be whole for a reason that it cannot have"),
            ("/blobs/1/whole", json!("asked"), "is said to be whole for a reason that it cannot have"),
            ("/blobs/2/whole", json!("asked"), "is said to be whole for a reason that it cannot have"),
            ("/blobs/1/member", json!("layer_blobs/d.tar.gz"), "is a member and made again"),
            ("/blobs/2/member", json!("manifest.json"), "the member manifest.json is not the blob"),
            ("/blobs/2/member", json!("none"), "there is no member none"),
            ("/blobs/2/size", json!(301), "the member layer_blobs/d.tar.gz is not the blob"),
            ("/members/6/digest", json!(digest("d2")), "the member layer_blobs/d.tar.gz is not the blob"),
            ("/blobs/1/recreated", json!({"encoder": "e", "member": "none"}), "there is no member none"),
            (
                "/requires",
                json!(["deflate-1", "layout-index-1", "recipe", "whole"]),
                "it does not require `gzip-zlib-1`",
            ),
            ("/layers/2/size", json!(6), "is made of other bytes than its layer"),
            ("/blobs/0/compression", json!("bzip2"), "unknown variant `bzip2`"),
        ],
    );
    let mut asked = images();
    asked["blobs"][2].as_object_mut().unwrap().remove("nearest");
    put(&mut asked, "/blobs/2/whole", json!("asked"));
    checked(&asked).unwrap();
    let mut elsewhere = images();
    put(&mut elsewhere, "/blobs/1/recreated", json!({"encoder": "e", "member": "manifest.json"}));
    put(&mut elsewhere, "/layers/2/size", json!(6));
    checked(&elsewhere).unwrap();
}

#[test]
fn images_that_contradict_something_are_refused() {
    let manifest = |field: &str| format!("/images/0/manifests/0/{field}");
    let (own, config, layers) = (manifest("digest"), manifest("config"), manifest("layers"));
    assert_refused(
        images,
        vec![
            ("/images/0/root/digest", json!(digest("02")), "it is taken"),
            ("/images/0/root/digest", json!(digest("03")), &format!("the document {} is not listed", digest("03"))),
            (&own, json!(digest("03")), "is not listed"),
            (&config, json!(digest("03")), "is not listed"),
            ("/images/0/documents/2", json!(digest("03")), "it is taken"),
            ("/images/0/documents/2", json!(digest("e")), "there is no member that is the document"),
            ("/members/1/digest", json!(digest("02")), "there is no member that is the document"),
            ("/members/2/size", json!(limits::DOCUMENT_BYTES), "it is taken"),
            ("/members/2/size", json!(limits::DOCUMENT_BYTES + 1), "there is no member that is the document"),
            (&layers, json!([]), "it is taken"),
            (&layers, json!([digest("e")]), &format!("the layer {} is not listed", digest("e"))),
            (&layers, json!([{"diff_id": digest("a"), "blob": digest("e1")}]), "is not listed"),
            (&layers, json!([{"diff_id": digest("e"), "blob": digest("a1")}]), "is not listed"),
            (&layers, json!([{"diff_id": digest("a"), "blob": digest("a")}]), "which then stands alone"),
            (&layers, json!([{"diff_id": digest("b"), "blob": digest("c1")}]), "is made of other bytes than its layer"),
            (&layers, json!([0]), "the layer number 0; there are 0 such"),
        ],
    );
}

#[test]
fn an_index_of_a_layout_is_a_document_of_images() {
    assert_refused(
        images,
        vec![
            ("/layout_index", json!(digest("e")), "there is no member that is the document"),
            ("/layout_index", json!(digest("02")), "it is taken"),
            (
                "/requires",
                json!(["deflate-1", "gzip-zlib-1", "recipe", "whole"]),
                "it does not require `layout-index-1`, but has an index of a layout",
            ),
        ],
    );
    let mut of_a_file = file();
    put(&mut of_a_file, "/layout_index", json!(digest("03")));
    put(&mut of_a_file, "/requires/1", json!("layout-index-1"));
    assert!(said(&of_a_file).contains("it has an index of a layout, but no images"), "{}", said(&of_a_file));
}

#[test]
fn a_package_brings_images_or_one_stream() {
    let no_file = |mode: u32, nanoseconds: u32| json!({"mode": mode, "uid": 0, "gid": 0, "modified": {"seconds": 0, "nanoseconds": nanoseconds}});
    assert_refused(
        file,
        vec![
            ("/stream/target", json!(digest("a")), "the layers are other than the stream"),
            ("/stream/kind", json!("tree"), "it says of a tree what only a file has"),
            ("/stream/kind", json!("folder"), "unknown variant `folder`"),
            ("/stream/file", no_file(0o7777, 999_999_999), "it is taken"),
            ("/stream/file", no_file(0o10_000, 0), "no file is like this: the mode 10000"),
            ("/stream/file", no_file(0, 1_000_000_000), "no file is like this: a time with 1000000000 nanoseconds"),
            ("/layers", json!([]), "the layers are other than the stream"),
            ("/layers/1", json!({"diff_id": digest("a"), "size": 3}), "the layers are other than the stream"),
        ],
    );
    let mut neither = file();
    neither.as_object_mut().unwrap().remove("stream");
    assert!(said(&neither).contains("it brings neither images nor a stream"), "{}", said(&neither));
    let mut both = images();
    put(&mut both, "/stream", file()["stream"].clone());
    assert!(said(&both).contains("it brings images and a stream"), "{}", said(&both));
    let mut tree = file();
    tree["stream"].as_object_mut().unwrap().remove("file");
    put(&mut tree, "/stream/kind", json!("tree"));
    checked(&tree).unwrap();
}

#[test]
fn nothing_is_listed_twice() {
    for (list, what) in [("members", "a member"), ("layers", "a layer"), ("blobs", "a blob"), ("images", "an image")] {
        let mut metadata = images();
        let list = metadata[list].as_array_mut().unwrap();
        list.push(list[0].clone());
        let said = said(&metadata);
        let what = what.replace("an ", "a ");
        assert!(said.contains(&format!("{what} is listed twice")), "{said}");
    }
    let mut bases = images();
    let layers = bases["bases"][0]["layers"].as_array_mut().unwrap();
    layers.push(layers[0].clone());
    checked(&bases).unwrap();
}

#[test]
fn documents_in_one_member_are_not_looked_for() {
    let mut packed = images();
    put(&mut packed, "/requires/5", json!("documents-1"));
    packed["members"].as_array_mut().unwrap().retain(|member| !member["name"].as_str().unwrap().starts_with("blobs/"));
    checked(&packed).unwrap();
}
