use delta_codec::compress::Compression as Codec;
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::Kind;
use delta_core::image::ManifestKind;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{Files, Told, all, compressed, is_refused, noise, scratch, tar_of, write_into};

const LAYER: &[u8] = b"a layer";

fn put(files: &mut Files, name: &str, value: &Value) -> BlobDigest {
    let bytes = serde_json::to_vec(value).unwrap();
    let digest = BlobDigest::of(&bytes);
    files.insert(name.replace("DIGEST", &digest.hex()), bytes);
    digest
}

fn config() -> Value {
    json!({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [DiffId::of(LAYER)]}})
}

/// A manifest of one layer, whose parts lie in the folder `blobs` of these files.
fn manifest(files: &mut Files, blobs: &str) -> Value {
    let config_digest = put(files, &format!("{blobs}DIGEST"), &config());
    files.insert(format!("{blobs}{}", BlobDigest::of(LAYER).hex()), LAYER.to_vec());
    json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": 1},
        "layers": [{"mediaType": "", "digest": BlobDigest::of(LAYER), "size": LAYER.len()}],
    })
}

/// A layout of one image that is tagged `v1`.
fn layout() -> Files {
    let mut files = Files::new();
    let manifest = manifest(&mut files, "blobs/sha256/");
    let digest = put(&mut files, "blobs/sha256/DIGEST", &manifest);
    let entry = json!({"digest": digest, "size": 1, "annotations": {"org.opencontainers.image.ref.name": "v1"}});
    put(&mut files, "index.json", &json!({"manifests": [entry]}));
    files
}

/// What `docker save` wrote before version 25.
fn docker() -> Files {
    let mut files = Files::new();
    put(&mut files, "config.json", &config());
    files.insert("layer.tar".to_owned(), LAYER.to_vec());
    let entry = json!({"Config": "config.json", "RepoTags": ["app:v1"], "Layers": ["layer.tar"]});
    put(&mut files, "manifest.json", &json!([entry]));
    files
}

/// A folder of skopeo, in which an image lies flat.
fn flat() -> Files {
    let mut files = Files::new();
    let manifest = manifest(&mut files, "");
    put(&mut files, "manifest.json", &manifest);
    files
}

/// What is opened of these files, in an archive and in a folder.
fn both(files: &Files, pick: Option<&str>) -> [(Result<Vec<Image>>, Vec<String>); 2] {
    let folder = tempfile::tempdir().unwrap();
    write_into(folder.path(), files);
    let (told, scratch) = (Told::default(), scratch());
    let archive = open_archive(Arc::new(tar_of(files)), "image.tar", pick, &scratch, &told);
    let archive = (archive, told.taken());
    // What is read later stands in the folder still.
    let opened = open_path(folder.path(), pick, &scratch, &told).inspect(|images| images.iter().for_each(is_whole));
    [archive, (opened, told.taken())]
}

fn is_whole(image: &Image) {
    let layer = &image.manifests[0].layers[0];
    assert_eq!((image.manifests.len(), image.manifests[0].kind), (1, ManifestKind::Image));
    assert_eq!(all(&layer.content.plain().unwrap()), LAYER);
}

#[test]
fn each_form_is_told_by_what_is_in_it() {
    for (files, is_synthesised) in [(layout(), false), (docker(), true), (flat(), false)] {
        for (opened, told) in both(&files, None) {
            let opened = opened.unwrap();
            is_whole(&opened[0]);
            assert_eq!((opened.len(), opened[0].root.synthesised, told.len()), (1, is_synthesised, 0));
        }
    }
}

#[test]
fn an_index_counts_more_than_a_lone_manifest_beside_it() {
    let mut files = layout();
    for manifest in ["{}", "{", r#"{"schemaVersion": 2}"#] {
        files.insert("manifest.json".to_owned(), manifest.as_bytes().to_vec());
        for (opened, _) in both(&files, Some("v1")) {
            assert!(!opened.unwrap()[0].root.synthesised);
        }
    }
    // A list beside it is read, and must be one.
    files.insert("manifest.json".to_owned(), b"[7]".to_vec());
    for ((opened, _), what) in both(&files, None).into_iter().zip(["image.tar: ", "/"]) {
        is_refused(opened, Kind::Content, &[what, ": manifest.json is not valid"]);
    }
}

#[test]
fn without_either_it_is_no_image() {
    let mut files = docker();
    files.remove("manifest.json");
    for (opened, _) in both(&files, None) {
        let error = opened.map(|_| ()).unwrap_err();
        assert!(error.to_string().ends_with("it is no image: it has neither manifest.json nor index.json"), "{error}");
        assert!(error.kind() == Kind::Content && error.hint().unwrap().contains("`docker save`"));
    }
}

#[test]
fn a_flat_folder_has_one_image_of_no_name() {
    let digest = BlobDigest::of(&flat()["manifest.json"]);
    // Whatever is asked for: it has no place for a name.
    for pick in [None, Some("@0"), Some("app:v1")] {
        for (opened, _) in both(&flat(), pick) {
            let image = &opened.unwrap()[0];
            assert_eq!((image.names.len(), image.root.digest), (0, digest));
            assert_eq!(image.root.media_type, "application/vnd.oci.image.manifest.v1+json");
        }
    }
}

#[test]
fn the_manifests_of_a_flat_index_lie_beside_it_under_names_of_their_own() {
    let mut files = Files::new();
    let manifest = manifest(&mut files, "");
    let digest = put(&mut files, "DIGEST.manifest.json", &manifest);
    put(&mut files, "manifest.json", &json!({"manifests": [{"digest": digest, "size": 1}]}));
    for (opened, _) in both(&files, None) {
        let image = &opened.unwrap()[0];
        is_whole(image);
        assert_eq!(image.root.media_type, "application/vnd.oci.image.index.v1+json");
        assert_eq!((image.manifests[0].digest, image.documents.len()), (digest, 3));
    }
    let name = format!("{}.manifest.json", digest.hex());
    files.insert(name, b"{}".to_vec());
    for (opened, _) in both(&files, None) {
        is_refused(opened, Kind::Content, &[&format!("{}: expected {digest}, found sha256:", digest.hex())]);
    }
    // Layouts have no such names.
    let mut files = layout();
    let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
    let hex = index["manifests"][0]["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let moved = files.remove(&format!("blobs/sha256/{hex}")).unwrap();
    files.insert(format!("blobs/sha256/{hex}.manifest.json"), moved);
    for (opened, _) in both(&files, None) {
        is_refused(opened, Kind::Content, &["it is incomplete"]);
    }
}

#[test]
fn what_is_asked_for_and_not_there_is_told_with_what_is() {
    for (files, there) in [(layout(), "it holds v1"), (docker(), "it holds app:v1")] {
        for (opened, _) in both(&files, Some("other:v9")) {
            is_refused(opened, Kind::Usage, &["holds no image `other:v9`; ", there]);
        }
    }
    let mut unnamed = docker();
    unnamed.insert("manifest.json".to_owned(), br#"[{"Config": "config.json", "Layers": ["layer.tar"]}]"#.to_vec());
    for (opened, _) in both(&unnamed, Some("app:v1")) {
        is_refused(opened, Kind::Usage, &["it holds images without names"]);
    }
    for files in [Files::from([("manifest.json".to_owned(), b"[]".to_vec())])] {
        for (opened, _) in both(&files, None) {
            is_refused(opened, Kind::Content, &["holds no image"]);
        }
    }
}

#[test]
fn a_compressed_archive_is_told_by_its_first_bytes() {
    let archive = tar_of(&docker());
    for compression in [Codec::None, Codec::Gzip, Codec::Zstd, Codec::Bzip2, Codec::Xz] {
        let bytes = if compression == Codec::None { archive.clone() } else { compressed(&archive, compression) };
        let scratch = scratch();
        let opened = open_archive(Arc::new(bytes.clone()), "image", None, &scratch, &Told::default()).unwrap();
        is_whole(&opened[0]);
        let streamed = open_stream(&mut bytes.as_slice(), "-", None, &scratch, &Told::default()).unwrap();
        is_whole(&streamed[0]);
    }
    // Once, and not twice.
    let twice = compressed(&compressed(&archive, Codec::Gzip), Codec::Zstd);
    let opened = open_archive(Arc::new(twice), "image", None, &scratch(), &Told::default());
    is_refused(opened, Kind::Content, &["image is no archive that can be read"]);
    for length in 0..7 {
        let start = compressed(&archive, Codec::Zstd)[..length].to_vec();
        let opened = open_archive(Arc::new(start), "image", None, &scratch(), &Told::default());
        is_refused(opened, Kind::Content, &["image"]);
    }
}

#[test]
fn a_stream_that_ends_in_an_error_is_told_with_its_name() {
    struct Pulled;
    impl io::Read for Pulled {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable was pulled"))
        }
    }
    let opened = open_stream(&mut Pulled, "standard input", None, &scratch(), &Told::default());
    is_refused(opened, Kind::Environment, &["reading standard input: the cable was pulled"]);
    let opened = open_stream(&mut noise(3_000, 1).as_slice(), "-", None, &scratch(), &Told::default());
    is_refused(opened, Kind::Content, &["- is no archive that can be read"]);
}

#[test]
fn the_last_part_of_a_path_is_shown() {
    for (what, expected) in [("/a/b.tar", "b.tar"), ("b.tar", "b.tar"), ("a/", ""), ("", "")] {
        assert_eq!(file_name(what), expected);
    }
}
