//! Each limit of FORMAT.md, section 5, and of recipes: what is at it is read, one more is refused, by its name.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::collections::BTreeMap;

use common::golden::{bases, plain_recipes};
use common::recipe_parts::{COLUMNS, RecipeParts, leb, with_recipe};
use common::{
    applied, compressed, edited, edited_as_stored, error, image, layers, members, open, options, packed, sealed,
};
use delta_codec::compress::Compression;
use delta_core::apply::Delivery;
use delta_core::create::create;
use delta_core::image::documents::{OCI_INDEX, OCI_MANIFEST, config_digest, synthesise_manifest};
use delta_core::image::{Document, Image, Manifest, Root};
use delta_core::job::choices::Method;
use delta_core::limits;
use delta_core::{Error, Kind};
use serde_json::{Value, json};

fn digest(number: usize) -> String {
    format!("sha256:{number:064x}")
}

/// A list of `count` layers of a base: what a package lists without bringing anything.
fn held_layers(metadata: &mut Value, count: usize) {
    let digests: Vec<Value> = (0..count).map(|number| json!(digest(number))).collect();
    let bases =
        digests.chunks(4_000).map(|layers| json!({"names": [], "root": digest(0), "configs": [], "layers": layers}));
    metadata["bases"] = bases.collect();
    metadata["layers"] = digests.iter().map(|digest| json!({"diff_id": digest, "size": 1})).collect();
}

/// Metadata of no image but this many layers of a stream's kind; what is found is which list is too long.
fn said_of(edit: impl FnOnce(&mut Value)) -> String {
    let package = packed(&[image("app:v2", &[b"layer"])], &[], &options(Method::Layer));
    open(&edited(&package, edit)).err().map(|error| error.to_string()).unwrap_or_default()
}

/// A list of `most` of something is read, and one of them more is refused with these words.
fn assert_listed(most: usize, refused: impl Fn(usize) -> String, list: impl Fn(&mut Value, usize)) {
    for (count, is_refused) in [(most, false), (most + 1, true)] {
        let said = said_of(|metadata| list(metadata, count));
        assert_eq!(said.contains(&refused(count)), is_refused, "{count}: {said}");
    }
}

fn too_many(what: &str, most: usize) -> impl Fn(usize) -> String {
    move |count| format!("it lists {count} {what}, at most {most} are read")
}

#[test]
fn layers_are_listed_up_to_their_limit() {
    assert_listed(limits::LAYERS, too_many("layers", limits::LAYERS), held_layers);
}

#[test]
fn layers_is_the_limit_of_blobs_too() {
    assert_listed(limits::LAYERS, too_many("blobs", limits::LAYERS), |metadata, count| {
        let blob = |number| json!({"digest": digest(number), "size": 1, "compression": "gzip"});
        metadata["blobs"] = (0..count).map(blob).collect();
    });
}

#[test]
fn base_layers_are_listed_up_to_their_limit() {
    assert_listed(limits::BASE_LAYERS, too_many("base layers", limits::BASE_LAYERS), |metadata, count| {
        // Those that several bases have count for each.
        let bases = [vec![digest(0); count / 2], vec![digest(0); count - count / 2]];
        let base = |layers| json!({"names": [], "root": digest(0), "configs": [], "layers": layers});
        metadata["bases"] = bases.into_iter().map(base).collect();
    });
}

#[test]
fn images_are_listed_up_to_their_limit() {
    assert_listed(limits::IMAGES, too_many("images", limits::IMAGES), |metadata, count| {
        let of_root = |number| {
            let mut image = metadata["images"][0].clone();
            image["root"]["digest"] = json!(digest(number));
            image
        };
        metadata["images"] = (0..count).map(of_root).collect();
    });
}

#[test]
fn layers_per_image_are_listed_up_to_their_limit() {
    assert_listed(
        limits::LAYERS_PER_IMAGE,
        |count| format!("an image has {count} layers, at most"),
        |metadata, count| {
            let list = &mut metadata["images"][0]["manifests"][0]["layers"];
            *list = json!(vec![list[0].clone(); count]);
        },
    );
}

#[test]
fn members_are_listed_up_to_their_limit() {
    assert_listed(limits::MEMBERS, too_many("members", limits::MEMBERS), |metadata, count| {
        let member = |number| json!({"name": format!("{number}"), "size": 0, "digest": digest(number)});
        metadata["members"] = (0..count).map(member).collect();
    });
}

#[test]
fn implied_layers_are_taken_from_documents_up_to_their_limit() {
    // Sixty-four layers at a time, and one more.
    let many: Vec<Vec<u8>> = (0..64_u8).map(|number| vec![number; 9]).collect();
    let many = image("app:v1", &many.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let package = packed(&[many, image("app:v2", &[&[0; 9]])], &[], &options(Method::Layer));
    for (more, is_refused) in [(0, false), (1, true)] {
        let often = edited_as_stored(&package, |metadata| {
            let manifests = metadata["images"][0]["manifests"].as_array_mut().unwrap();
            let manifest = manifests[0].clone();
            manifests.resize(limits::IMPLIED_LAYERS / 64, manifest);
            metadata["images"][1]["manifests"].as_array_mut().unwrap().truncate(more);
        });
        let said = open(&often).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(said.contains("its manifests name more than 131072 layers"), is_refused, "{said}");
        assert_eq!(said.is_empty(), !is_refused, "{said}");
    }
}

#[test]
fn layer_bytes_are_promised_up_to_their_limit() {
    for (more, is_refused) in [(0, false), (1, true)] {
        let bytes = limits::LAYER_BYTES + more;
        let said = said_of(|metadata| metadata["layers"][0]["size"] = json!(bytes));
        assert_eq!(said.contains(&format!("has {bytes} bytes, at most")), is_refused, "{said}");
    }
}

/// An image whose config has this many bytes.
fn with_config_of(length: usize) -> Image {
    let image = image("app:v1", &[b"layer"]);
    let manifest = &image.manifests[0];
    let mut config = image.documents[&manifest.config.into()].bytes().to_vec();
    config.resize(length, b' ');
    let config = Document::new(config);
    let sizes: Vec<_> = manifest.layers.iter().map(|layer| (layer.diff_id, layer.blob_size)).collect();
    let document = synthesise_manifest(&config, &sizes).unwrap();
    let manifest = Manifest { digest: document.digest(), config: config_digest(&config), ..manifest.clone() };
    Image {
        root: Root::of(&document, OCI_MANIFEST.to_owned()),
        manifests: vec![manifest],
        documents: BTreeMap::from([config, document].map(|document| (document.digest(), document))),
        ..image
    }
}

#[test]
fn document_bytes_are_read_and_one_more_is_refused() {
    let most = usize::try_from(limits::DOCUMENT_BYTES).unwrap();
    // What is made is opened by its maker, and what nobody could open does not leave.
    create(&[with_config_of(most)], &[], &options(Method::Layer), common::CONTEXT).unwrap();
    let refused = create(&[with_config_of(most + 1)], &[], &options(Method::Layer), common::CONTEXT).err().unwrap();
    assert_eq!(refused.kind(), Kind::Internal);
    let expected = format!("a document of {} bytes, where at most {most} are read", most + 1);
    assert!(refused.to_string().contains(&expected), "{refused}");
}

#[test]
fn metadata_bytes_are_read_and_one_more_is_refused() {
    let mut all = members(&packed(&[image("app:v1", &[b"layer"])], &[], &options(Method::Layer)));
    let most = usize::try_from(limits::METADATA_BYTES).unwrap();
    all[0].1.resize(most, b' ');
    open(&sealed(&all)).unwrap();
    all[0].1.push(b' ');
    let package = sealed(&all);
    let refused = error(open(&package)).to_string();
    assert_eq!(refused, format!("a document of {} bytes, where at most {most} are read", most + 1));
    let wrapped = error(open(&compressed(&package, Compression::Zstd)));
    assert!(wrapped.to_string().contains("this is no package"), "{wrapped}");
}

/// An image whose manifest is reached through so many indexes, one in the other.
fn nested(depth: usize) -> Image {
    let mut image = image("app:v1", &[b"layer"]);
    let mut root = image.documents[&image.root.digest].clone();
    for _ in 0..depth {
        let (digest, size) = (root.digest(), root.bytes().len());
        let text = format!(r#"{{"manifests":[{{"mediaType":"{OCI_INDEX}","digest":"{digest}","size":{size}}}]}}"#);
        root = Document::new(text.into_bytes());
        image.documents.insert(root.digest(), root.clone());
    }
    Image { root: Root::of(&root, OCI_INDEX.to_owned()), ..image }
}

#[test]
fn index_depth_is_followed_and_one_more_is_refused() {
    for depth in [0, 1, limits::INDEX_DEPTH] {
        open(&packed(&[nested(depth)], &[], &options(Method::Layer))).unwrap();
    }
    let deeper = nested(limits::INDEX_DEPTH + 1);
    let refused = create(&[deeper], &[], &options(Method::Layer), common::CONTEXT).err().unwrap();
    assert!(refused.to_string().contains("is not one of those that its image lists"), "{refused}");
}

fn result(package: &[u8]) -> Result<(), Error> {
    applied(&open(package)?, &Delivery::Original, &layers(&bases())).map(|_| ())
}

/// What is said of the package when its recipe was edited, all digests being right.
fn said_of_recipe(edit: impl FnOnce(&mut RecipeParts)) -> String {
    said_of_package(&with_recipe(&plain_recipes(), edit))
}

/// The same, where layers are said to have 16 MiB, so that streams may be long.
fn said_of_large_recipe(edit: impl FnOnce(&mut RecipeParts)) -> String {
    let large = |metadata: &mut Value| {
        let layers = metadata["layers"].as_array_mut().unwrap().iter_mut();
        layers.filter(|layer| layer["origin"]["coded"]["codec"] == "recipe").for_each(|layer| {
            layer["size"] = json!(16 << 20);
        });
    };
    said_of_package(&edited(&with_recipe(&plain_recipes(), edit), large))
}

fn said_of_package(package: &[u8]) -> String {
    let error = error(result(package));
    assert_eq!(error.kind(), Kind::Content, "{error}");
    error.to_string()
}

#[test]
fn the_package_that_is_edited_applies() {
    result(&plain_recipes()).unwrap();
    result(&with_recipe(&plain_recipes(), |_| ())).unwrap();
}

#[test]
fn what_is_left_over_in_any_column_is_refused() {
    for column in COLUMNS {
        let said = said_of_recipe(|parts| parts.column(column).push(0));
        assert!(said.contains("more in its columns than the layer has"), "{column}: {said}");
    }
}

#[test]
fn a_padding_is_shorter_than_a_block() {
    for (length, is_refused) in [(511, false), (512, true)] {
        let said = said_of_recipe(|parts| parts.describe(8 + 16, &[("lengths", length)]));
        assert_eq!(said.contains("a padding of more than a block"), is_refused, "{said}");
    }
}

#[test]
fn at_most_256_groups_are_read() {
    for (count, is_refused) in [(256, false), (257, true)] {
        let edit = |parts: &mut RecipeParts| parts.groups.resize(count, 0);
        let said =
            result(&with_recipe(&plain_recipes(), edit)).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(said.contains("too many groups"), is_refused, "{count}: {said}");
        assert_eq!(said.is_empty(), !is_refused);
    }
}

/// A description of `most` bytes in this column is read, and a longer one refused.
fn assert_described(column: &str, kind: u64, most: usize) {
    for (more, is_refused) in [(0, false), (1, true)] {
        let said = said_of_large_recipe(|parts| {
            parts.describe(16 + kind, &[("contents", 0), ("lengths", 0), (column, (most + more) as u64)]);
            parts.column(column).extend(vec![0; most + more]);
        });
        assert_eq!(said.contains("a description is too long"), is_refused, "{column}: {said}");
    }
}

#[test]
fn plan_bytes_are_read_and_one_more_is_refused() {
    assert_described("plans", 32 + 6, limits::PLAN_BYTES);
}

#[test]
fn hint_bytes_are_read_and_one_more_is_refused() {
    assert_described("hints", 64 + 5, limits::HINT_BYTES);
}

#[test]
fn kinds_runs_and_contents_that_cannot_be_are_refused() {
    let numbers = ["contents", "groups", "lengths", "plans", "hints"].map(|column| (column, 0));
    let numbers = [&[("headers", 1)], &numbers[..]].concat();
    for kind in [7, 16 + 7, 32, 33, 34, 64, 65, 66, 64 + 6, 32 + 64 + 4, 128] {
        let said = said_of_recipe(|parts| {
            parts.describe(kind, &numbers);
            parts.groups = vec![0];
        });
        assert!(said.contains("an entry of kind"), "{kind}: {said}");
    }
    let said = said_of_recipe(|parts| parts.column("runs")[0] = 100);
    assert!(said.contains("a run of more entries than the layer has"), "{said}");
    let said = said_of_recipe(|parts| parts.describe(16 + 3, &[("contents", 1)]));
    assert!(said.contains("a repeat of nothing"), "{said}");
    let said = said_of_recipe(|parts| parts.describe(16 + 6, &[("groups", parts.groups.len() as u64), ("lengths", 0)]));
    assert!(said.contains("an unknown group"), "{said}");
    let said = said_of_recipe(|parts| parts.describe(16 + 1, &[]));
    assert!(said.contains("a content of no entry"), "{said}");
}

#[test]
fn a_recipe_makes_neither_more_nor_fewer_bytes_than_its_layer() {
    let said = said_of_recipe(|parts| {
        parts.columns.iter_mut().for_each(Vec::clear);
        parts.count = 0;
    });
    assert!(said.contains("bytes too early"), "{said}");
    let said = said_of_recipe(|parts| {
        parts.columns.iter_mut().for_each(Vec::clear);
        *parts.column("runs") = vec![0, 0];
        *parts.column("kinds") = vec![16 + 6, 16 + 3];
        *parts.column("contents") = vec![1];
        *parts.column("groups") = vec![0];
        *parts.column("lengths") = leb(16_000);
        parts.groups = vec![16_000];
        *parts.stream("contents") = vec![1; 16_000];
        parts.count = 2;
    });
    assert!(said.contains("it makes more bytes than the layer has"), "{said}");
}
