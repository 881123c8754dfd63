use delta_core::error::Kind;
use delta_core::job::progress::Silent;
use delta_core::package::metadata::LayerBlob;

use super::super::scripted::{Script, inspected};
use super::*;
use crate::archive_writer::{Naming, write_archive};
use crate::fixtures::rebuilt;

fn id(bytes: &[u8]) -> BlobDigest {
    BlobDigest::of(bytes)
}

fn layers(all: &[&[u8]]) -> Vec<DiffId> {
    all.iter().map(|bytes| DiffId::of(bytes)).collect()
}

fn stored(name: &str, all: &[&[u8]], size: u64) -> StoredImage {
    StoredImage { id: id(name.as_bytes()), names: vec![name.parse().unwrap()], diff_ids: layers(all), size }
}

fn scratch() -> Arc<TempScratch> {
    Arc::new(TempScratch::new(None).unwrap())
}

/// The archive of an image with all of its layers, under its names or without one.
fn archive(names: &[&str], all: &[&[u8]], naming: Naming) -> Vec<u8> {
    let mut image = rebuilt(names, all);
    let blob = |bytes: &&[u8]| {
        let checked = VerifiedBlob::check(id(bytes), Arc::new(bytes.to_vec()), "a layer").unwrap();
        (checked.digest(), checked)
    };
    image.blobs = all.iter().map(blob).collect();
    let mut archive = Vec::new();
    write_archive(&[image], naming, &Silent, &mut archive).unwrap();
    archive
}

#[test]
fn few_images_have_all_that_is_wanted() {
    let inventory = Inventory {
        images: vec![
            stored("one", &[b"a", b"b"], 10),
            stored("all-but-one", &[b"a", b"b", b"c"], 99),
            stored("large", &[b"d"], 50),
            stored("small", &[b"d"], 5),
            stored("other", &[b"x"], 1),
        ],
    };
    let chosen = |wanted: &[&[u8]]| {
        let wanted = layers(wanted).into_iter().collect();
        covering(&wanted, &inventory).iter().map(|image| image.size).collect::<Vec<_>>()
    };
    assert_eq!(chosen(&[b"a", b"b", b"c", b"d"]), [99, 5]);
    // Of those with as much the smallest.
    assert_eq!(chosen(&[b"a", b"b"]), [10]);
    assert_eq!(chosen(&[b"d"]), [5]);
    assert_eq!(chosen(&[b"c", b"x", b"nowhere"]), [1, 99]);
    assert_eq!(chosen(&[b"nowhere"]), [0; 0]);
    assert_eq!(chosen(&[]), [0; 0]);
}

#[test]
fn layers_that_are_not_listed_count_for_the_base_that_has_them() {
    let inventory = Inventory { images: vec![stored("app:v1", &[b"a"], 1), stored("app:v2", &[b"b"], 1)] };
    let layer = |bytes: &[u8]| LayerBlob { diff_id: DiffId::of(bytes), blob: id(bytes) };
    let base = |root: &str, all: &[&[u8]]| BaseEntry {
        names: Vec::new(),
        root: id(root.as_bytes()),
        configs: Vec::new(),
        layers: all.iter().map(|bytes| layer(bytes)).collect(),
    };
    let all = with_all_layers(&inventory, &[base("app:v1", &[b"x", b"y"]), base("none", &[b"z"])]);
    assert_eq!(all.images[0].diff_ids, layers(&[b"a", b"x", b"y"]));
    assert_eq!(all.images[1].diff_ids, layers(&[b"b"]));
}

#[test]
fn what_was_asked_for_by_a_name_is_saved_by_that_name() {
    let image = StoredImage { names: vec!["docker.io/library/app:latest".parse().unwrap()], ..stored("x", &[], 0) };
    for (name, expected, is_name) in [
        ("app", "app:latest", true),
        ("library/app:latest", "library/app:latest", true),
        ("app:v1", "app:v1", false),
        ("0123456789ab", "0123456789ab", false),
        ("sha256:0123", "sha256:0123", false),
    ] {
        assert_eq!((tagged(name, &image).as_str(), asked(name, &image).is_some()), (expected, is_name), "{name}");
    }
}

#[test]
fn images_are_saved_together_and_told_by_their_digests() {
    let image = rebuilt(&["app:v1", "app:v2"], &[b"layer"]);
    let (root, config) = (image.root.digest, BlobDigest::from(image.manifests[0].config));
    let saved = archive(&["app:v1", "app:v2"], &[b"layer"], Naming::Named);
    // A store has it under its manifest or under its config.
    for (store, stored, arguments) in [
        (Store::Containerd, root, "save app:v1"),
        (Store::Classic, config, "save app:v1"),
        (Store::Podman, config, "save app:v1"),
    ] {
        let printed = serde_json::Value::Array(vec![inspected(stored, &["app:v1", "app:v2"], &layers(&[b"layer"]))]);
        let script = Script::new().says("image inspect -- app:v1", printed.to_string()).says(arguments, &saved);
        let images = script.engine(store).open(&["app:v1".to_owned()], &scratch(), &Silent).unwrap();
        let [found] = &images[..] else { panic!("one image") };
        assert_eq!((found.root.digest, found.names.len(), found.label().as_str()), (root, 1, "app:v1"));
        assert!(found.layout_index.is_none());
    }
    // What is asked for by its ID keeps all of its names.
    let printed = serde_json::Value::Array(vec![inspected(config, &["app:v1", "app:v2"], &[])]).to_string();
    let asked = config.hex();
    let script =
        Script::new().says(&format!("image inspect -- {asked}"), &printed).says(&format!("save {asked}"), &saved);
    let images = script.engine(Store::Classic).open(&[asked.to_string()], &scratch(), &Silent).unwrap();
    assert_eq!(images[0].names.len(), 2);
    // Podman puts several into one archive only when it is told to.
    let twice = ["app:v1".to_owned(), "app:v2".to_owned()];
    for (store, arguments) in
        [(Store::Podman, "save --multi-image-archive app:v1 app:v2"), (Store::Classic, "save app:v1 app:v2")]
    {
        let script = Script::new()
            .says("image inspect -- app:v1", &printed)
            .says("image inspect -- app:v2", &printed)
            .says(arguments, &saved);
        let images = script.engine(store).open(&twice, &scratch(), &Silent).unwrap();
        assert_eq!(images.iter().map(Image::label).collect::<Vec<_>>(), twice);
    }
    let other = serde_json::Value::Array(vec![inspected(id(b"another"), &["app:v1"], &[])]).to_string();
    let script = Script::new().says("image inspect -- app:v1", other).says("save app:v1", &saved);
    let error = script.engine(Store::Classic).open(&["app:v1".to_owned()], &scratch(), &Silent).map(drop).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::Content, "Docker 1.0 saved another image than app:v1")
    );
}

#[test]
fn single_layers_come_by_a_probe_which_is_removed() {
    let base = stored("app:v1", &[b"a", b"b", b"c"], 7);
    let inventory = Inventory { images: vec![base.clone()] };
    let probe = id(b"probe");
    let wanted: BTreeSet<DiffId> = layers(&[b"b"]).into_iter().collect();
    let saves = |script: Script, asked: &str, all: &[&[u8]]| script.says(asked, archive(&[], all, Naming::Unnamed));
    let loads = || {
        Script::new()
            .says("images -a -q --no-trunc", format!("{}\n", base.id))
            .does("load", &format!("cat > \"$here/loaded\"; echo 'Loaded image ID: {probe}'"))
            .does("'rmi -f '*", "true")
    };
    let read = |script: &Script, store| {
        let found = script.engine(store).layers(&wanted, &inventory, &[], &scratch(), &Silent)?;
        Ok::<_, Error>(found.iter().map(|layer| layer.diff_id).collect::<Vec<_>>())
    };
    // A chain up to the layer, or the layer alone.
    for (store, gives) in [(Store::Classic, &[&b"a"[..], b"b"][..]), (Store::Podman, &[b"b"])] {
        let script = saves(loads(), &format!("save {probe}"), gives);
        assert_eq!(read(&script, store).unwrap(), layers(&[b"b"]));
        assert_eq!(script.times(&format!("rmi -f {probe}")), 1);
        let named = String::from_utf8_lossy(&script.written("loaded")).into_owned();
        let has = |bytes: &[u8]| named.contains(&DiffId::of(bytes).to_string());
        assert_eq!((has(b"a"), has(b"b"), has(b"c")), (store == Store::Classic, true, false));
    }
    // Where that does not give it the whole image is saved, and the probe is removed all the same.
    for script in [
        saves(loads(), &format!("save {probe}"), &[b"a"]),
        loads().fails(&format!("save {probe}"), "no"),
        loads().says(&format!("save {probe}"), "no archive"),
    ] {
        let script = saves(script, &format!("save {}", base.id), &[b"a", b"b", b"c"]);
        assert_eq!(read(&script, Store::Classic).unwrap(), layers(&[b"b"]));
        assert_eq!((script.times(&format!("rmi -f {probe}")), script.times("save")), (1, 2));
    }
    let script = loads().fails(&format!("save {probe}"), "no").fails(&format!("save {}", base.id), "no right");
    assert!(read(&script, Store::Classic).unwrap_err().to_string().ends_with("failed: no right"));
    // Without one that has it nobody is asked.
    let nowhere = layers(&[b"nowhere"]).into_iter().collect();
    let found = loads().engine(Store::Classic).layers(&nowhere, &inventory, &[], &scratch(), &Silent).unwrap();
    assert!(found.is_empty());
}

#[test]
fn the_highest_layer_comes_with_the_image_itself() {
    let base = stored("app:v1", &[b"a", b"b"], 7);
    let inventory = Inventory { images: vec![base.clone()] };
    let wanted = layers(&[b"b"]).into_iter().collect();
    let script = Script::new().says(&format!("save {}", base.id), archive(&[], &[b"a", b"b"], Naming::Unnamed));
    let found = script.engine(Store::Classic).layers(&wanted, &inventory, &[], &scratch(), &Silent).unwrap();
    assert_eq!(found.iter().map(|layer| layer.diff_id).collect::<Vec<_>>(), layers(&[b"b"]));
    assert_eq!(script.asked(), [format!("save {}", base.id)]);
}

#[test]
fn what_was_there_before_is_not_removed_and_what_cannot_be_is_no_error() {
    let [old, new] = [id(b"old"), id(b"new")];
    let script = Script::new().does("'rmi -f '*", "echo 'in use' >&2; exit 1");
    let engine = script.engine(Store::Classic);
    engine.remove_new(old, &[old].into(), &Silent);
    assert!(script.asked().is_empty());
    engine.remove_new(new, &[old].into(), &Silent);
    assert_eq!(script.asked(), [format!("rmi -f {new}")]);
}

#[test]
fn nothing_in_the_place_of_a_layer_is_no_layer() {
    let images = |all: &[&[u8]]| {
        let bytes = Arc::new(archive(&[], all, Naming::Unnamed));
        open_archive(bytes, "an archive", None, &scratch(), &Silent).unwrap()
    };
    let found = |wanted: &[&[u8]]| {
        let layers = chosen(&images(&[b"a", b"", b"b"]), &layers(wanted).into_iter().collect());
        layers.iter().map(|layer| layer.diff_id).collect::<Vec<_>>()
    };
    assert_eq!(found(&[b"b", b"a"]), layers(&[b"a", b"b"]));
    assert_eq!(found(&[b"b", b""]), layers(&[b"b"]));
    assert!(found(&[b"c"]).is_empty());
}

/// A containerd store that tells of these manifests of `base` and gives single blobs by probes, the first of them manifests.
fn giving(base: &StoredImage, told: &serde_json::Value, manifests: &[&[u8]], wanted: &[&[u8]]) -> Script {
    let probes = [id(b"probe 1"), id(b"probe 2")];
    let told = serde_json::json!({"Manifests": told});
    let load = "n=$(ls \"$here\" | grep -c '^loaded'); n=$((n + 1)); cat > \"$here/loaded$n\"; sed -n \"${n}p\" \"$here/answer0\"";
    let lines: String = probes.iter().map(|probe| format!("Loaded image: {probe}\n")).collect();
    Script::new()
        .says("lines", lines)
        .does("load", load)
        .says("images -a -q --no-trunc", format!("{}\n", base.id))
        .does(
            "'system dial-stdio'",
            &format!("head -n 3 > /dev/null; printf '%s\\r\\n\\r\\n%s' 'HTTP/1.0 200 OK' '{told}'"),
        )
        .says(&format!("save {}", probes[0]), archive(&[], manifests, Naming::Unnamed))
        .says(&format!("save {}", probes[1]), archive(&[], wanted, Naming::Unnamed))
        .says(&format!("save {}", base.id), archive(&[], &[b"a", b"b"], Naming::Unnamed))
        .does("'rmi -f '*", "true")
}

#[test]
fn blobs_of_a_containerd_store_come_by_the_sizes_that_its_manifests_say() {
    let manifest = serde_json::json!({"layers": [
        {"digest": id(b"a").to_string(), "size": 41}, {"digest": id(b"b").to_string(), "size": 42},
    ]})
    .to_string();
    let base = stored("app:v1", &[b"a"], 7);
    let inventory = Inventory { images: vec![base.clone()] };
    let layer = |bytes: &[u8]| LayerBlob { diff_id: DiffId::of(bytes), blob: id(bytes) };
    let entry =
        BaseEntry { names: Vec::new(), root: base.id, configs: Vec::new(), layers: vec![layer(b"a"), layer(b"b")] };
    let told = |available: bool| {
        let descriptor = serde_json::json!({"digest": id(manifest.as_bytes()).to_string(), "size": manifest.len()});
        serde_json::json!([{"Available": available, "Kind": "image", "Descriptor": descriptor}])
    };
    let wanted: BTreeSet<DiffId> = layers(&[b"b"]).into_iter().collect();
    let read = |script: &Script, bases: &[BaseEntry]| {
        let found = script.engine(Store::Containerd).layers(&wanted, &inventory, bases, &scratch(), &Silent).unwrap();
        found.iter().map(|layer| layer.diff_id).collect::<Vec<_>>()
    };
    // The layer is of another platform, which the engine does not list.
    let script = giving(&base, &told(true), &[manifest.as_bytes()], &[b"b"]);
    assert_eq!(read(&script, std::slice::from_ref(&entry)), layers(&[b"b"]));
    let named = String::from_utf8_lossy(&script.written("loaded2")).into_owned();
    assert!(named.contains("\"size\":42") && !named.contains("\"size\":41"), "{named}");
    assert_eq!((script.times("load"), script.times("save"), script.times("rmi -f")), (2, 2, 2));
    // One whose manifest is not there is saved whole, for its sizes are not known.
    let script = giving(&base, &told(false), &[], &[]);
    assert_eq!(read(&script, &[entry]), layers(&[b"b"]));
    assert_eq!(script.times(&format!("save {}", base.id)), 1);
    // Without a word of the package on it, it is in no image.
    assert!(read(&giving(&base, &told(true), &[manifest.as_bytes()], &[b"b"]), &[]).is_empty());
}
