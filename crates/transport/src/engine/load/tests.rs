use delta_core::error::Kind;
use delta_core::job::progress::Silent;
use serde_json::json;

use super::*;
use crate::engine::StoredImage;
use crate::engine::scripted::{Script, answer};
use crate::fixtures::rebuilt;

#[test]
fn the_id_is_found_in_what_engines_say() {
    let id = BlobDigest::of(b"image");
    for said in
        [format!("Loaded image ID: {id}\n"), format!("Loaded image: {id}\n"), format!("Loaded image: {}\n", id.hex())]
    {
        assert_eq!(loaded_id(&said), Some(id), "{said}");
    }
    assert_eq!(loaded_id("Loaded image: app:v1\n"), None);
    assert_eq!(loaded_id(""), None);
}

const LIST: &str = "images -a -q --no-trunc";

/// An engine that lists these images, says this to what is loaded, and takes everything else.
fn loading(before: &[BlobDigest], said: &str) -> Script {
    let listed: String = before.iter().map(|id| format!("{id}\n")).collect();
    Script::new()
        .says(LIST, listed)
        .does("load", &format!("cat > \"$here/loaded\"; {said}"))
        .does("'rmi -f '*", "true")
        .does("'tag '*", "true")
}

fn removed(script: &Script) -> Vec<String> {
    script.asked().iter().filter_map(|asked| asked.strip_prefix("rmi -f ")).map(str::to_owned).collect()
}

#[test]
fn what_is_loaded_has_no_name_and_the_id_that_is_expected() {
    let image = rebuilt(&["app:v1"], &[]);
    let (root, config) = (image.root.digest, BlobDigest::from(image.manifests[0].config));
    for (store, expected) in [(Store::Classic, config), (Store::Podman, config)] {
        let script = loading(&[], &format!("echo 'Loaded image ID: {expected}'"));
        let checked = script.engine(store).load(&image, &Silent).unwrap();
        assert_eq!(checked, CheckedImage { id: expected });
        let archive = String::from_utf8_lossy(&script.written("loaded")).into_owned();
        assert!(archive.contains("manifest.json") && !archive.contains("app:v1"));
        assert!(removed(&script).is_empty());
    }
    assert_eq!(Script::new().engine(Store::Containerd).id_of(&image), Some(root));
    let empty = RebuiltImage { manifests: Vec::new(), ..image };
    assert_eq!(Script::new().engine(Store::Classic).id_of(&empty), None);
    assert_eq!(Script::new().engine(Store::Classic).load(&empty, &Silent).unwrap_err().kind(), Kind::Internal);
}

#[test]
fn nothing_is_left_of_what_went_wrong_but_what_was_there_before() {
    let image = rebuilt(&[], &[]);
    let (expected, other) = (BlobDigest::from(image.manifests[0].config), BlobDigest::of(b"another"));
    let tells = |id: BlobDigest| format!("echo 'Loaded image ID: {id}'");
    let fails = |said: String| format!("{said}; echo 'no space left' >&2; exit 1");
    let unpacks = |id| format!("echo 'Error unpacking image: not found'; {}", tells(id));
    let mismatch = format!("what Docker 1.0 made of the image: expected {expected}, found {other}");
    for (said, error, left) in [
        (tells(other), mismatch.as_str(), vec![other, expected]),
        (fails("true".to_owned()), "failed: no space left", vec![expected]),
        (fails(tells(expected)), "failed: no space left", vec![expected, expected]),
        (fails(tells(other)), "failed: no space left", vec![other, expected]),
        (unpacks(expected), "failed: Error unpacking image: not found", vec![expected, expected]),
        ("true".to_owned(), "failed: nothing", vec![expected]),
        ("echo 'Loaded image: app:v1'".to_owned(), "failed: nothing", vec![expected]),
    ] {
        let script = loading(&[], &said);
        let found = script.engine(Store::Classic).load(&image, &Silent).unwrap_err();
        assert!(found.to_string().ends_with(error), "{said}: {found}");
        let all: Vec<String> = left.iter().map(ToString::to_string).collect();
        assert_eq!(removed(&script), all, "{said}");
        // What the user had is never removed.
        let script = loading(&[expected, other], &said);
        assert!(script.engine(Store::Classic).load(&image, &Silent).is_err());
        assert_eq!(removed(&script), [""; 0], "{said}");
    }
    let script = loading(&[], &tells(other));
    assert_eq!(script.engine(Store::Classic).load(&image, &Silent).unwrap_err().kind(), Kind::Content);
}

#[test]
fn a_store_that_did_not_keep_all_blobs_is_not_believed() {
    let image = rebuilt(&[], &[b"layer"]);
    let id = image.root.digest;
    for (available, is_loaded) in [(true, true), (false, false)] {
        let manifest =
            json!({"Available": available, "Kind": "image", "Descriptor": {"digest": id.to_string(), "size": 7}});
        let script = loading(&[], &format!("echo 'Loaded image: {id}'"))
            .does("'system dial-stdio'", "head -n 3 > \"$here/request\"; cat \"$here/told\"");
        let told = script.path("told");
        std::fs::write(told, answer("200 OK", json!({"Manifests": [manifest]}))).unwrap();
        match script.engine(Store::Containerd).load(&image, &Silent) {
            Ok(checked) => assert!(is_loaded && checked == CheckedImage { id } && removed(&script).is_empty()),
            Err(error) => {
                assert!(!is_loaded, "{error}");
                let expected = "Docker with the containerd store 1.0 loaded the image without all of its blobs";
                assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Environment, expected));
                assert_eq!(removed(&script), [id.to_string()]);
            }
        }
    }
}

#[test]
fn names_are_given_when_they_are_another_images_or_nobodys() {
    let [id, other] = [b"id", b"no"].map(|bytes| BlobDigest::of(bytes));
    let stored = |id, names: &[&str]| StoredImage {
        id,
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        diff_ids: Vec::new(),
        size: 0,
    };
    let inventory = Inventory { images: vec![stored(id, &["mine:v1"]), stored(other, &["theirs:v1"])] };
    let names: Vec<ImageName> =
        ["new:v1", "docker.io/library/mine:v1", "theirs:v1"].iter().map(|name| name.parse().unwrap()).collect();
    for (store, tags) in [
        (Store::Classic, ["new:v1", "theirs:v1"]),
        (Store::Containerd, ["new:v1", "theirs:v1"]),
        (Store::Podman, ["docker.io/library/new:v1", "docker.io/library/theirs:v1"]),
    ] {
        let script = loading(&[], "true");
        let moved = script.engine(store).tag(CheckedImage { id }, &names, &inventory).unwrap();
        assert_eq!(moved, [(names[2].clone(), other)]);
        assert_eq!(script.asked(), tags.map(|name| format!("tag {id} {name}")));
    }
    assert_eq!(CheckedImage::held(&inventory, other), Some(CheckedImage { id: other }));
    assert_eq!(CheckedImage::held(&inventory, BlobDigest::of(b"none")), None);
}

#[test]
fn who_could_not_give_a_name_says_what_is_left_to_do() {
    let id = BlobDigest::of(b"id");
    let names: Vec<ImageName> = ["a:v1", "b:v1", "c:v1"].iter().map(|name| name.parse().unwrap()).collect();
    let script = Script::new().does("'tag '*b:v1", "echo 'no tag today' >&2; exit 1").does("'tag '*", "true");
    let error = script.engine(Store::Classic).tag(CheckedImage { id }, &names, &Inventory::default()).unwrap_err();
    let expected =
        format!("failed: no tag today; Docker 1.0 has the whole image as {id}, but not under all of its names");
    assert!(error.kind() == Kind::Environment && error.to_string().ends_with(&expected), "{error}");
    let hint =
        format!("finish with `docker tag {id} b:v1` and `docker tag {id} c:v1`, or remove it with `docker rmi {id}`");
    assert_eq!(error.hint(), Some(hint.as_str()));
    assert_eq!(script.asked().len(), 2, "after it no other is tried");
}

#[test]
fn the_last_image_that_is_told_of_is_the_one() {
    let [one, other] = [b"1", b"2"].map(|bytes| BlobDigest::of(bytes));
    let said =
        format!("Loading layer\nLoaded image ID: {one}\nLoaded image ID: {other}\r\nnot Loaded image ID: {one}\n");
    assert_eq!(loaded_id(&said), Some(other));
    for said in ["Loaded image", "Loaded image ID: sha256:", "Loaded image ID: sha256:ABC", " Loaded image ID: x"] {
        assert_eq!(loaded_id(said), None, "{said}");
    }
}
