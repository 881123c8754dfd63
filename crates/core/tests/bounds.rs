//! Each limit of FORMAT.md, section 5, and of recipes: what is at it is read, one more is refused, by its name.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use common::golden::{bases, plain_recipes};
use common::recipe_parts::{COLUMNS, RecipeParts, leb, with_recipe};
use common::{applied, edited, error, image, layers, open, options, packed};
use delta_core::apply::Delivery;
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

#[test]
fn lists_are_read_up_to_their_limits() {
    let too_many = |count: usize, what: &str, most: usize| format!("it lists {count} {what}, at most {most} are read");
    for (more, is_refused) in [(0, false), (1, true)] {
        let layers = limits::LAYERS + more;
        let said = said_of(|metadata| held_layers(metadata, layers));
        assert_eq!(said.contains(&too_many(layers, "layers", limits::LAYERS)), is_refused, "{said}");
        let said = said_of(|metadata| {
            let blob = |number| json!({"digest": digest(number), "size": 1, "compression": "gzip"});
            metadata["blobs"] = (0..layers).map(blob).collect();
        });
        assert_eq!(said.contains(&too_many(layers, "blobs", limits::LAYERS)), is_refused, "{said}");
        let bases = limits::BASE_LAYERS + more;
        let said = said_of(|metadata| {
            let layers = vec![digest(0); bases];
            metadata["bases"] = json!([{"names": [], "root": digest(0), "configs": [], "layers": layers}]);
        });
        assert_eq!(said.contains(&too_many(bases, "base layers", limits::BASE_LAYERS)), is_refused, "{said}");
        let images = limits::IMAGES + more;
        let said = said_of(|metadata| {
            let of_root = |number| {
                let mut image = metadata["images"][0].clone();
                image["root"]["digest"] = json!(digest(number));
                image
            };
            metadata["images"] = (0..images).map(of_root).collect();
        });
        assert_eq!(said.contains(&too_many(images, "images", limits::IMAGES)), is_refused, "{said}");
        let count = limits::LAYERS_PER_IMAGE + more;
        let said = said_of(|metadata| {
            let list = &mut metadata["images"][0]["manifests"][0]["layers"];
            *list = json!(vec![list[0].clone(); count]);
        });
        assert_eq!(said.contains(&format!("an image has {count} layers")), is_refused, "{said}");
        let members = limits::MEMBERS + more;
        let said = said_of(|metadata| {
            let member = |number| json!({"name": format!("{number}"), "size": 0, "digest": digest(number)});
            metadata["members"] = (0..members).map(member).collect();
        });
        assert_eq!(said.contains(&too_many(members, "members", limits::MEMBERS)), is_refused, "{said}");
    }
}

#[test]
fn sizes_are_read_up_to_their_limits() {
    for (more, is_refused) in [(0, false), (1, true)] {
        let bytes = limits::LAYER_BYTES + more;
        let said = said_of(|metadata| metadata["layers"][0]["size"] = json!(bytes));
        assert_eq!(said.contains(&format!("has {bytes} bytes, at most")), is_refused, "{said}");
        let said = said_of(|metadata| {
            let documents = metadata["images"][0]["documents"].clone();
            let member = metadata["members"].as_array_mut().unwrap().iter_mut();
            let member = member.into_iter().find(|member| documents[0] == member["digest"]).unwrap();
            member["size"] = json!(limits::DOCUMENT_BYTES + more);
        });
        assert_eq!(said.contains("there is no member that is the document"), is_refused, "{said}");
    }
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

#[test]
fn plans_and_hints_are_read_up_to_their_limits() {
    for (column, kind, most) in [("plans", 32 + 6, limits::PLAN_BYTES), ("hints", 64 + 5, limits::HINT_BYTES)] {
        for (more, is_refused) in [(0, false), (1, true)] {
            let said = said_of_large_recipe(|parts| {
                parts.describe(16 + kind, &[("contents", 0), ("lengths", 0), (column, (most + more) as u64)]);
                parts.column(column).extend(vec![0; most + more]);
            });
            assert_eq!(said.contains("a description is too long"), is_refused, "{column}: {said}");
        }
    }
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
