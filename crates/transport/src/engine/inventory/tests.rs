use delta_core::error::Kind;
use delta_core::package::metadata::LayerBlob;
use serde_json::Value;

use super::super::Store;
use super::super::scripted::{Script, inspected};
use super::*;

fn image(diff_ids: &[DiffId], name: &str) -> StoredImage {
    StoredImage {
        id: BlobDigest::of(name.as_bytes()),
        names: vec![name.parse().unwrap()],
        diff_ids: diff_ids.to_vec(),
        size: 0,
    }
}

#[test]
fn chains_are_counted_from_the_lowest_layer() {
    let [a, b, c] = [b"a", b"b", b"c"].map(|bytes| DiffId::of(bytes));
    let inventory = Inventory { images: vec![image(&[a, b], "one"), image(&[c], "two")] };
    assert_eq!(inventory.longest_chain(&[a, b, c]), 2);
    assert_eq!(inventory.longest_chain(&[b, a]), 0);
    assert_eq!(inventory.longest_chain(&[c, a]), 1);
}

#[test]
fn names_are_compared_in_full() {
    let inventory = Inventory { images: vec![image(&[], "docker.io/library/app:v1")] };
    assert!(inventory.named(&"app:v1".parse().unwrap()).is_some());
    assert!(inventory.named(&"app:v2".parse().unwrap()).is_none());
}

#[test]
fn an_image_is_called_by_its_names_and_by_what_is_printed_of_its_id() {
    let inventory = Inventory { images: vec![image(&[], "docker.io/library/app:v1")] };
    let id = inventory.images[0].id.to_string();
    for name in ["app:v1", "docker.io/library/app:v1", &id, &id[7..], &id[..7 + 12], &id[7..7 + 12]] {
        assert!(inventory.called(name).is_some(), "{name}");
    }
    for name in ["app", "app:v2", &id[..7 + 11], &id[7..7 + 11], "", "sha256:", "a path/with blanks", &format!("{id}0")]
    {
        assert!(inventory.called(name).is_none(), "{name}");
    }
}

fn read(text: &str) -> Result<Vec<StoredImage>> {
    let inspected: Vec<Inspected> = serde_json::from_str(text).unwrap();
    inspected.into_iter().map(stored).collect()
}

#[test]
fn what_podman_printed_is_read() {
    let images = read(include_str!("../../../../../testdata/engines/podman-4.3-inspect.json")).unwrap();
    let ids: Vec<String> = images.iter().map(|image| image.id.short().to_string()).collect();
    assert_eq!(ids, ["bc7159e1ebfb", "f8ee4128d65a"]);
    let names: Vec<Vec<String>> =
        images.iter().map(|image| image.names.iter().map(ToString::to_string).collect()).collect();
    assert_eq!(names, [vec![], vec!["docker.io/t/tiny:v1".to_owned()]]);
    let [newer, older] = images.as_slice() else { panic!("expected two images") };
    assert_eq!((newer.diff_ids.len(), older.diff_ids.len()), (5, 5));
    let inventory = Inventory { images: images.clone() };
    // The two lowest layers are the same in both.
    assert_eq!(Inventory { images: vec![older.clone()] }.longest_chain(&newer.diff_ids), 2);
    assert_eq!(inventory.diff_ids().len(), 8);
    assert_eq!(inventory.named(&"t/tiny:v1".parse().unwrap()).map(|image| image.id), Some(older.id));
    assert!(inventory.with_id(newer.id).is_some());
}

#[test]
fn images_without_tags_or_layers_and_with_odd_names_are_read() {
    let id = "a".repeat(64);
    for (fields, names) in [
        ("", 0),
        (r#", "RepoTags": null, "RootFS": null, "Size": 7"#, 0),
        (r#", "RepoTags": [], "RootFS": {"Type": "layers"}"#, 0),
        (r#", "RepoTags": ["<none>:<none>", "app:v1"], "RootFS": {"Layers": null}, "Later": {"field": [1]}"#, 1),
    ] {
        for id in [id.clone(), format!("sha256:{id}")] {
            let images = read(&format!(r#"[{{"Id": "{id}"{fields}}}]"#)).unwrap();
            assert_eq!((images[0].names.len(), images[0].diff_ids.len()), (names, 0), "{fields}");
            assert!(images[0].id.to_string().ends_with(&"a".repeat(64)));
        }
    }
}

#[test]
fn what_is_no_id_is_an_error() {
    for wrong in ["", "abc", "sha512:aa", &"A".repeat(64), &"g".repeat(64), &"a".repeat(63), &"a".repeat(65)] {
        assert!(id(wrong).is_err(), "{wrong}");
        assert!(read(&format!(r#"[{{"Id": "{wrong}"}}]"#)).is_err(), "{wrong}");
    }
}

#[test]
fn layers_that_an_engine_does_not_list_count_where_their_image_is_there() {
    let [listed, unlisted] = [b"a", b"b"].map(|bytes| DiffId::of(bytes));
    let inventory = Inventory { images: vec![image(&[listed], "app:v1")] };
    let layers = vec![LayerBlob { diff_id: unlisted, blob: unlisted.into() }];
    let base = |root: &[u8]| BaseEntry {
        names: Vec::new(),
        root: BlobDigest::of(root),
        configs: Vec::new(),
        layers: layers.clone(),
    };
    assert_eq!(inventory.diff_ids_with(&[base(b"app:v1")]), [listed, unlisted].into());
    assert_eq!(inventory.diff_ids_with(&[base(b"app:v2")]), [listed].into());
    assert_eq!(inventory.diff_ids_with(&[]), inventory.diff_ids());
}

fn ids(count: u32) -> Vec<BlobDigest> {
    let mut ids: Vec<BlobDigest> = (0..count).map(|number| BlobDigest::of(&number.to_be_bytes())).collect();
    ids.sort();
    ids
}

fn lines(ids: &[BlobDigest]) -> String {
    ids.iter().map(|id| format!("{id}\n")).collect()
}

const LIST: &str = "images -a -q --no-trunc";

#[test]
fn so_many_images_are_asked_for_at_once() {
    // The same answer to all of them: an image for each ID that was asked for.
    let print = r#"shift 2; s='['; for id in "$@"; do printf '%s{"Id": "%s"}' "$s" "$id"; s=','; done; echo ']'"#;
    for (count, asked) in [(0, 0), (1, 1), (200, 1), (201, 2), (400, 2), (401, 3)] {
        // An engine may list one several times, and without the algorithm.
        let listed = format!("{}{}", lines(&ids(count)), lines(&ids(count.min(3))).replace("sha256:", ""));
        let script = Script::new().says(LIST, listed).does("'image inspect '*", print);
        let found: Vec<BlobDigest> =
            script.engine(Store::Classic).inventory().unwrap().images.iter().map(|image| image.id).collect();
        assert_eq!(found, ids(count));
        assert_eq!(script.times("image inspect"), asked, "{count}");
    }
    let script = Script::new().says(LIST, "sha256:abc\n");
    assert!(script.engine(Store::Classic).inventory().is_err());
}

#[test]
fn an_image_that_went_meanwhile_is_none_and_one_that_is_refused_is_told() {
    let [one, other] = ids(2)[..] else { panic!("two") };
    let printed = Value::Array(vec![inspected(one, &["app:v1"], &[])]).to_string();
    let found = |listed_again: &[BlobDigest], printed: &str| {
        let again = lines(listed_again).replace('\n', " ");
        let list = format!(
            "if [ -e \"$here/again\" ]; then echo '{again}'; else touch \"$here/again\"; echo '{one} {other}'; fi"
        );
        let script = Script::new().does(&format!("'{LIST}'"), &list);
        let inspect = format!("printf %s '{printed}'; echo 'Error: not to be had' >&2; exit 1");
        script.does("'image inspect '*", &inspect).engine(Store::Podman).inventory()
    };
    let inventory = found(&[one], &printed).unwrap();
    assert_eq!(inventory.images.iter().map(|image| image.id).collect::<Vec<_>>(), [one]);
    assert!(found(&[], "[]").unwrap().images.is_empty());
    for (listed_again, printed) in
        [(&[one, other][..], printed.as_str()), (&[other], "[]"), (&[], "no JSON"), (&[], "")]
    {
        let error = found(listed_again, printed).unwrap_err();
        assert!(error.to_string().ends_with("failed: Error: not to be had"), "{error}");
    }
}

#[test]
fn an_image_is_there_or_it_is_refused() {
    let [one, _] = ids(2)[..] else { panic!("two") };
    let printed = Value::Array(vec![inspected(one, &["docker.io/library/app:v1"], &[])]).to_string();
    let has = |name: &str, is_shown: bool, printed: &str| {
        let script = Script::new().says(LIST, lines(&[one])).says(&format!("image inspect {one}"), printed);
        let asked = format!("image inspect -- {name}");
        let script = if is_shown { script.says(&asked, "[]") } else { script.fails(&asked, "no right") };
        script.engine(Store::Classic).has(name)
    };
    assert!(has("app:v1", true, "").unwrap(), "nobody asks for more");
    assert!(!has("other:v1", false, &printed).unwrap());
    for name in ["app:v1", &one.hex()[..12]] {
        assert!(has(name, false, &printed).unwrap_err().to_string().ends_with("failed: no right"));
    }
}

#[test]
fn images_that_are_named_come_in_that_order_and_others_are_told_with_advice() {
    let [one, other] = ids(2)[..] else { panic!("two") };
    let of = |id, name: &str| Value::Array(vec![inspected(id, &[name], &[])]).to_string();
    let both =
        Value::Array(vec![inspected(one, &["team/app:v1", "app:v2"], &[]), inspected(other, &[], &[])]).to_string();
    let script = Script::new()
        .says("image inspect -- b", of(other, "b:latest"))
        .says("image inspect -- a", of(one, "a:latest"))
        .says("image inspect -- odd", "no JSON")
        .says("image inspect -- none", "[]")
        .fails("image inspect -- r.example/team/app:v9", "Error: no such image\n")
        .fails("image inspect -- xyz", "no")
        .says(LIST, lines(&[one, other]))
        .says(&format!("image inspect {one} {other}"), both);
    let engine = script.engine(Store::Classic);
    let find = |names: &[&str]| engine.find(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let found: Vec<BlobDigest> = find(&["b", "a", "b"]).unwrap().iter().map(|image| image.id).collect();
    assert_eq!(found, [other, one, other]);
    assert!(find(&[]).unwrap().is_empty());
    assert!(find(&["odd"]).unwrap_err().to_string().contains("image inspect -- odd` failed: "));
    for (name, said, hint) in [
        (
            "r.example/team/app:v9",
            "Docker 1.0 has no image `r.example/team/app:v9`: Error: no such image",
            "did you mean team/app:v1 or app:v2?",
        ),
        (
            "xyz",
            "Docker 1.0 has no image `xyz`: no",
            "`docker images` lists what is there; a file is named with its path",
        ),
        (
            "none",
            "Docker 1.0 has no image `none`: ",
            "`docker images` lists what is there; a file is named with its path",
        ),
    ] {
        let error = find(&["a", name]).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Environment, said));
        assert_eq!(error.hint(), Some(hint));
    }
}
