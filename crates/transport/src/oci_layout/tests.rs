//! Layouts with one thing odd, each made of its documents.

mod companions;
mod parts;

use delta_core::digest::DiffId;
use delta_core::error::Kind;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{Files, Told, is_refused, scratch, tar_of};
use crate::source::open_archive;

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A layout that is being made.
#[derive(Default)]
struct Kit {
    files: Files,
    /// What `index.json` lists.
    index: Vec<Value>,
    /// What `manifest.json` lists, if there is one.
    docker: Vec<Value>,
}

fn text(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// What points to these bytes.
fn pointer(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": BlobDigest::of(bytes), "size": bytes.len()})
}

fn path(digest: BlobDigest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn digest_of(pointer: &Value) -> BlobDigest {
    pointer["digest"].as_str().unwrap().parse().unwrap()
}

/// The same entry with these annotations.
fn with(entry: &Value, annotations: Value) -> Value {
    let mut entry = entry.clone();
    entry["annotations"] = annotations;
    entry
}

fn called(entry: &Value, name: &str) -> Value {
    with(entry, json!({"io.containerd.image.name": name}))
}

fn tagged(entry: &Value, tag: &str) -> Value {
    with(entry, json!({"org.opencontainers.image.ref.name": tag}))
}

fn config(diff_ids: &[DiffId]) -> Value {
    json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}})
}

impl Kit {
    /// Puts a blob there, and gives what points to it.
    fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        self.files.insert(path(BlobDigest::of(bytes)), bytes.to_vec());
        pointer(media_type, bytes)
    }

    fn document(&mut self, media_type: &str, value: &Value) -> Value {
        self.blob(media_type, &text(value))
    }

    fn manifest(&mut self, config: &Value, layers: &[Value]) -> Value {
        let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers});
        self.document(OCI_MANIFEST, &manifest)
    }

    /// An image of one layer.
    fn image(&mut self, layer: &[u8]) -> Value {
        let config = self.document(CONFIG, &config(&[DiffId::of(layer)]));
        let layer = self.blob(LAYER, layer);
        self.manifest(&config, &[layer])
    }

    fn index_of(&mut self, entries: &[Value]) -> Value {
        self.document(OCI_INDEX, &json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}))
    }

    fn remove(&mut self, pointer: &Value) {
        self.files.remove(&path(digest_of(pointer))).unwrap();
    }

    /// The path of the config of a manifest.
    fn config_path(&self, manifest: &Value) -> String {
        let manifest: Value = serde_json::from_slice(&self.files[&path(digest_of(manifest))]).unwrap();
        path(digest_of(&manifest["config"]))
    }

    fn archive(&self) -> Vec<u8> {
        let mut files = self.files.clone();
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self.index});
        files.insert("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec());
        files.insert("index.json".to_owned(), text(&index));
        if !self.docker.is_empty() {
            files.insert("manifest.json".to_owned(), text(&json!(self.docker)));
        }
        tar_of(&files)
    }

    /// What is opened, and what a user is told.
    fn open(&self, pick: Option<&str>) -> (Result<Vec<Image>>, Vec<String>) {
        let told = Told::default();
        let opened = open_archive(std::sync::Arc::new(self.archive()), "test.tar", pick, &scratch(), &told);
        (opened, told.taken())
    }

    /// What must be images, of which a user is told nothing.
    #[track_caller]
    fn images(&self, pick: Option<&str>) -> Vec<Image> {
        let (opened, told) = self.open(pick);
        assert!(told.is_empty(), "{told:?}");
        opened.unwrap()
    }

    #[track_caller]
    fn refused(&self, pick: Option<&str>, kind: Kind, words: &[&str]) {
        is_refused(self.open(pick).0, kind, words);
    }
}

fn roots(images: &[Image]) -> Vec<BlobDigest> {
    images.iter().map(|image| image.root.digest).collect()
}

fn names(image: &Image) -> Vec<String> {
    image.names.iter().map(ToString::to_string).collect()
}

/// What the `index.json` that goes with an image lists.
fn listed(image: &Image) -> Vec<Value> {
    let index: Value = serde_json::from_slice(image.layout_index.as_ref().unwrap().bytes()).unwrap();
    index["manifests"].as_array().unwrap().clone()
}

/// Two images in one layout, with the entries that name them.
fn two() -> (Kit, [Value; 2]) {
    let mut kit = Kit::default();
    let images = [kit.image(b"one"), kit.image(b"two")];
    kit.index = vec![tagged(&images[0], "v1"), called(&images[1], "app:v2")];
    (kit, images)
}

#[test]
fn images_are_picked_by_tag_name_and_place_and_listed_alone() {
    let (kit, [one, two]) = two();
    for (pick, expected) in [
        (None, vec![&one, &two]),
        (Some("v1"), vec![&one]),
        (Some("app:v2"), vec![&two]),
        (Some("docker.io/library/app:v2"), vec![&two]),
        (Some("@0"), vec![&one]),
        (Some("@1"), vec![&two]),
    ] {
        let images = kit.images(pick);
        assert_eq!(roots(&images), expected.into_iter().map(digest_of).collect::<Vec<_>>(), "{pick:?}");
        let listed = listed(&images[0]);
        assert_eq!(listed.len(), images.len(), "{pick:?}");
        assert!(roots(&images).contains(&digest_of(&listed[0])), "{pick:?}");
    }
    for pick in ["v2", "app:v1", "app", "@2", "V1", ""] {
        kit.refused(Some(pick), Kind::Usage, &["test.tar holds no image", "it holds app:v2, v1"]);
    }
}

#[test]
fn the_index_itself_goes_with_all_images_and_a_part_of_it_with_some() {
    let (kit, _) = two();
    let whole = kit.images(None);
    let own = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": kit.index});
    assert!(whole.iter().all(|image| image.layout_index.as_ref().unwrap().bytes() == text(&own)));
    assert_eq!(listed(&kit.images(Some("v1"))[0]), kit.index[..1]);
}

#[test]
fn several_entries_of_one_image_are_its_names() {
    let mut kit = Kit::default();
    let image = kit.image(b"layer");
    kit.index = vec![
        called(&image, "docker.io/library/app:v1"),
        called(&image, "app:v1"),
        called(&image, "app:v2"),
        tagged(&image, "latest"),
    ];
    let images = kit.images(None);
    assert_eq!((images.len(), names(&images[0])), (1, vec!["app:v1".to_owned(), "app:v2".to_owned()]));
    // Whoever asks for one name gets what it is called by that entry alone.
    let picked = kit.images(Some("app:v2"));
    assert_eq!((names(&picked[0]), listed(&picked[0])), (vec!["app:v2".to_owned()], kit.index[..3].to_vec()));
    assert_eq!(listed(&kit.images(Some("latest"))[0]), kit.index);
}

#[test]
fn a_root_is_what_its_entry_says_and_what_its_document_is() {
    let mut kit = Kit::default();
    let mut image = kit.image(b"layer");
    let digest = digest_of(&image);
    let bytes = kit.files[&path(digest)].len() as u64;
    image["mediaType"] = json!("application/of.mine");
    image["size"] = json!(1);
    kit.index = vec![image];
    let expected = Root { media_type: "application/of.mine".to_owned(), digest, size: bytes, synthesised: false };
    assert_eq!(kit.images(None)[0].root, expected);
}

#[test]
fn entries_of_an_index_are_taken_up_to_their_limit() {
    let mut kit = Kit::default();
    let image = kit.image(b"layer");
    kit.index = (0..limits::IMAGES).map(|number| tagged(&image, &number.to_string())).collect();
    assert_eq!(kit.images(None).len(), 1);
    kit.index.push(image);
    kit.refused(None, Kind::Content, &["index.json lists 4097 images"]);
}

#[test]
fn an_entry_that_is_no_image_refuses_no_other_and_is_told() {
    let (mut kit, [one, two]) = two();
    let letter = kit.blob("text/plain", b"Dear reader");
    let old = kit.document("", &json!({"schemaVersion": 1, "fsLayers": []}));
    let sha512 = json!({"mediaType": OCI_MANIFEST, "digest": format!("sha512:{}", "0".repeat(128)), "size": 1});
    for (odd, words) in [
        (letter, "cannot be read"),
        (old, "Docker's schema 1"),
        (sha512, "by another digest than SHA-256, which no program here can compare"),
    ] {
        kit.index.insert(1, odd);
        let (opened, told) = kit.open(None);
        let opened = opened.unwrap();
        assert_eq!(roots(&opened), [&one, &two].map(digest_of));
        assert!(told.len() == 1 && told[0].starts_with("an entry of index.json is left out: "), "{told:?}");
        assert!(told[0].contains(words), "{told:?}");
        // It is there and does not travel, so that the image's own index must not list it.
        let odd = kit.index.remove(1);
        assert_eq!(listed(&opened[0]), kit.index);
        let mut alone = Kit { files: kit.files.clone(), index: vec![odd], docker: Vec::new() };
        alone.refused(None, Kind::Content, &[words]);
        alone.index.clear();
        alone.refused(None, Kind::Content, &["test.tar holds no image"]);
    }
}

#[test]
fn a_long_digest_is_shown_by_its_start() {
    let mut kit = Kit::default();
    let named = format!("sha512:{}", "ab".repeat(64));
    kit.index = vec![json!({"mediaType": OCI_MANIFEST, "digest": named, "size": 1})];
    kit.refused(None, Kind::Content, &[&format!("`{}` names it", &named[..100])]);
}

#[test]
fn an_entry_of_which_nothing_is_there_stays_listed_as_it_was() {
    let (mut kit, [one, two]) = two();
    kit.remove(&two);
    let (opened, told) = kit.open(None);
    let opened = opened.unwrap();
    assert_eq!((roots(&opened), listed(&opened[0])), (vec![digest_of(&one)], kit.index.clone()));
    assert!(told.len() == 1 && told[0].contains(&format!("the manifest {} is missing", digest_of(&two))), "{told:?}");
    kit.refused(Some("app:v2"), Kind::Content, &["it is incomplete: the manifest", "is missing"]);
    kit.remove(&one);
    kit.refused(None, Kind::Content, &["it is incomplete", &digest_of(&one).to_string()]);
}

#[test]
fn a_document_is_compared_with_its_digest() {
    let (mut kit, [one, _]) = two();
    for name in [path(digest_of(&one)), kit.config_path(&one)] {
        let bytes = kit.files[&name].clone();
        kit.files.insert(name.clone(), [&bytes[..], b" "].concat());
        let expected = format!("{name}: expected sha256:");
        kit.refused(None, Kind::Content, &[&expected, "found sha256:"]);
        kit.files.insert(name, bytes);
    }
    assert_eq!(kit.images(None).len(), 2);
}

#[test]
fn an_odd_name_is_told_and_kept_by_the_layout_alone() {
    let mut kit = Kit::default();
    let image = kit.image(b"layer");
    kit.index = vec![called(&image, "NO NAME\u{1b}[31m"), called(&image, "app:v1")];
    let (opened, told) = kit.open(None);
    let opened = opened.unwrap();
    assert_eq!((names(&opened[0]), listed(&opened[0])), (vec!["app:v1".to_owned()], kit.index));
    assert_eq!(
        told,
        ["index.json calls an image `NO NAME\\u{1b}[31m`, which is no name that engines take: only a layout keeps it"]
    );
}

fn docker(config: &str, tags: &[&str]) -> Value {
    json!({"Config": config, "RepoTags": tags, "Layers": []})
}

#[test]
fn the_names_of_manifest_json_come_first() {
    let (mut kit, [one, two]) = two();
    kit.docker =
        vec![docker(&kit.config_path(&one), &["app:v1", "app:old"]), docker(&kit.config_path(&two), &["app:v2"])];
    let images = kit.images(None);
    assert_eq!(names(&images[0]), ["app:v1", "app:old"]);
    assert_eq!(names(&images[1]), ["app:v2"]);
    assert!(images.iter().all(|image| image.docker_manifest.is_some()));
    for (pick, expected, has_entry) in [
        ("app:v1", vec!["app:v1"], false),
        ("app:old", vec!["app:old"], false),
        ("app:v2", vec!["app:v2"], true),
        ("v1", vec!["app:v1", "app:old"], true),
        // Places are those of manifest.json where there is one.
        ("@0", vec!["app:v1", "app:old"], true),
        ("@1", vec!["app:v2"], true),
    ] {
        let images = kit.images(Some(pick));
        assert_eq!((images.len(), names(&images[0])), (1, expected.into_iter().map(str::to_owned).collect()), "{pick}");
        assert_eq!(images[0].docker_manifest.is_some(), has_entry, "{pick}");
    }
    kit.refused(Some("@2"), Kind::Usage, &["`@2`", "it holds app:old, app:v1, app:v2, v1"]);
    // Which need not be those of index.json.
    kit.docker.reverse();
    assert_eq!(names(&kit.images(Some("@0"))[0]), ["app:v2"]);
    assert_eq!(kit.images(Some("@0")).len(), 1);
}

#[test]
fn what_manifest_json_alone_lists_is_found_too() {
    let (mut kit, [one, two]) = two();
    kit.index.remove(1);
    let of_two = json!({
        "Config": kit.config_path(&two),
        "RepoTags": ["app:v2"],
        "Layers": [path(BlobDigest::of(b"two"))],
    });
    kit.docker = vec![docker(&kit.config_path(&one), &["app:v1"]), of_two];
    let images = kit.images(None);
    assert_eq!((images.len(), images[0].root.synthesised, images[1].root.synthesised), (2, false, true));
    assert_eq!([names(&images[0]), names(&images[1])].concat(), ["app:v1", "app:v2"]);
    assert_eq!(names(&kit.images(Some("app:v2"))[0]), ["app:v2"]);
}

#[test]
fn an_index_that_cannot_be_read_matters_only_where_there_is_nothing_else() {
    let (mut kit, [one, _]) = two();
    kit.index = vec![json!(7)];
    kit.refused(None, Kind::Content, &["test.tar: index.json is not valid"]);
    kit.docker = vec![json!({
        "Config": kit.config_path(&one),
        "RepoTags": ["app:v1"],
        "Layers": [path(BlobDigest::of(b"one"))],
    })];
    let (opened, told) = kit.open(None);
    assert_eq!(names(&opened.unwrap()[0]), ["app:v1"]);
    assert!(told.len() == 1 && told[0].ends_with("; what manifest.json lists is read instead"), "{told:?}");
    // An index of odd entries alone is no reason to refuse what the list has.
    kit.index = vec![json!({"mediaType": OCI_MANIFEST, "digest": "md5:0", "size": 1})];
    let (opened, told) = kit.open(None);
    assert_eq!((opened.unwrap().len(), told.len()), (1, 1));
}

#[test]
fn odd_tags_of_manifest_json_are_told() {
    let (mut kit, [one, _]) = two();
    kit.docker = vec![docker(&kit.config_path(&one), &["NO NAME\n"])];
    let (opened, told) = kit.open(Some("v1"));
    assert!(names(&opened.unwrap()[0]).is_empty());
    assert_eq!(
        told,
        ["manifest.json calls an image `NO NAME\\n`, which is no name that engines take: it comes without it"]
    );
}
