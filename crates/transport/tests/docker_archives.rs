//! Archives of `docker save` with one thing odd or wrong: what engines take is taken, what is beyond a limit or no image is
//! said to be so.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use delta_codec::compress::{Compression, Encoder};
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::image::{BlobCompression, Image};
use delta_core::job::progress::Silent;
use delta_core::{Kind, Result, limits};
use delta_transport::source::{open_archive, open_path, open_stream};
use delta_transport::spool::TempScratch;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

fn scratch() -> Arc<TempScratch> {
    Arc::new(TempScratch::new(None).unwrap())
}

fn open(archive: &[u8]) -> Result<Vec<Image>> {
    open_archive(Arc::new(archive.to_vec()), "test.tar", None, &scratch(), &Silent)
}

/// The content error that it must be.
#[track_caller]
fn refused(archive: &[u8], text: &str) {
    let error = open(archive).map(|_| ()).expect_err("an error");
    assert!(error.to_string().contains(text), "expected `{text}`: {error}");
    assert_eq!(error.kind(), Kind::Content, "{error}");
}

fn add(builder: &mut Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(bytes.len() as u64);
    builder.append_data(&mut header, name, bytes).unwrap();
}

fn link(builder: &mut Builder<Vec<u8>>, kind: EntryType, name: &str, to: &str) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    builder.append_link(&mut header, name, to).unwrap();
}

/// A config of these layers.
fn config(layers: &[&[u8]]) -> Value {
    let diff_ids: Vec<String> = layers.iter().map(|layer| DiffId::of(layer).to_string()).collect();
    json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}})
}

/// An image of one layer, whose parts are to be changed.
struct Parts {
    config: Value,
    manifest: Value,
    layer: Vec<u8>,
}

const LAYER: &[u8] = b"a layer, which need not be a tar to be carried";

fn parts() -> Parts {
    let manifest = json!([{"Config": "config.json", "RepoTags": ["app:v1"], "Layers": ["0/layer.tar"]}]);
    Parts { config: config(&[LAYER]), manifest, layer: LAYER.to_vec() }
}

impl Parts {
    fn archive(&self) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        add(&mut builder, "config.json", &serde_json::to_vec(&self.config).unwrap());
        add(&mut builder, "0/layer.tar", &self.layer);
        add(&mut builder, "manifest.json", &serde_json::to_vec(&self.manifest).unwrap());
        builder.into_inner().unwrap()
    }

    fn with(edit: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut parts = parts();
        edit(&mut parts);
        parts.archive()
    }
}

/// It is the image of [`LAYER`].
#[track_caller]
fn is_the_image(images: &[Image]) {
    let layer = &images[0].manifests[0].layers[0];
    let mut bytes = vec![0; LAYER.len()];
    layer.content.plain().unwrap().read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!((images.len(), layer.diff_id, layer.blob), (1, DiffId::of(LAYER), BlobDigest::of(LAYER)));
    assert_eq!(
        (bytes.as_slice(), layer.blob_size, layer.compression),
        (LAYER, LAYER.len() as u64, BlobCompression::None)
    );
    assert!(images[0].root.synthesised);
}

#[test]
fn the_archive_of_these_tests_is_an_image() {
    let archive = parts().archive();
    let images = open(&archive).unwrap();
    is_the_image(&images);
    assert_eq!(images[0].names[0].to_string(), "app:v1");
    is_the_image(&open_stream(&mut archive.as_slice(), "-", None, &scratch(), &Silent).unwrap());
    is_the_image(&open_archive(Arc::new(archive.clone()), "a", Some("app:v1"), &scratch(), &Silent).unwrap());
    is_the_image(&open_archive(Arc::new(archive), "a", Some("docker.io/library/app:v1"), &scratch(), &Silent).unwrap());
}

#[test]
fn an_archive_may_be_compressed_as_a_whole_and_so_may_a_layer() {
    let compressed = |bytes: &[u8], compression: Compression| {
        let mut encoder = Encoder::new(Vec::new(), compression, compression.default_level(), None).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Xz, Compression::Bzip2] {
        let whole = compressed(&parts().archive(), compression);
        is_the_image(&open(&whole).unwrap());
        let cut = open(&whole[..whole.len() - 9]).map(|_| ()).expect_err("a cut archive");
        assert!(cut.to_string().contains("test.tar"), "{compression}: {cut}");
    }
    for compression in [Compression::Gzip, Compression::Zstd] {
        is_the_image(&open(&Parts::with(|parts| parts.layer = compressed(LAYER, compression))).unwrap());
    }
}

#[test]
fn names_that_are_null_absent_or_odd_do_not_matter() {
    for tags in [Value::Null, json!([]), json!(["UPPER CASE", ""])] {
        let images = open(&Parts::with(|parts| parts.manifest[0]["RepoTags"] = tags)).unwrap();
        is_the_image(&images);
        assert!(images[0].names.is_empty());
    }
    let without = Parts::with(|parts| drop(parts.manifest[0].as_object_mut().unwrap().remove("RepoTags")));
    is_the_image(&open(&without).unwrap());
    let some = open(&Parts::with(|parts| parts.manifest[0]["RepoTags"] = json!(["NO NAME", "app:v1"]))).unwrap();
    assert_eq!(some[0].names.len(), 1);
}

#[test]
fn what_is_wrong_in_the_documents_is_named() {
    for (edit, text) in [
        ((|parts| parts.manifest = json!(7)) as fn(&mut Parts), "manifest.json is not valid"),
        (|parts| parts.manifest = json!([7]), "manifest.json is not valid"),
        (|parts| parts.manifest = json!([{}]), "manifest.json is not valid"),
        (|parts| parts.manifest = json!([]), "holds no image"),
        (|parts| parts.manifest[0]["Config"] = json!("other.json"), "other.json is missing"),
        (|parts| parts.manifest[0]["Config"] = json!("../../etc/passwd"), "../../etc/passwd is missing"),
        (|parts| parts.manifest[0]["Config"] = json!(""), "is missing"),
        (|parts| parts.manifest[0]["Layers"] = json!(["1/layer.tar"]), "1/layer.tar is missing"),
        (|parts| parts.manifest[0]["Layers"] = Value::Null, "lists 1 layers, manifest.json 0"),
        (
            |parts| parts.manifest[0]["Layers"] = json!(["0/layer.tar", "0/layer.tar"]),
            "lists 1 layers, manifest.json 2",
        ),
        (|parts| parts.config["rootfs"]["diff_ids"][0] = json!("sha256:7"), "the config"),
        (|parts| parts.config["rootfs"]["diff_ids"] = json!([]), "lists 0 layers, manifest.json 1"),
    ] {
        refused(&Parts::with(edit), text);
    }
}

#[test]
fn a_layer_that_is_not_what_its_config_says_is_found_when_it_is_read() {
    let images = open(&Parts::with(|parts| parts.layer[3] ^= 1)).unwrap();
    let layer = &images[0].manifests[0].layers[0];
    let read = delta_core::image::VerifiedLayer::check(layer.diff_id, layer.content.plain().unwrap(), "layer");
    assert_eq!(read.map(|_| ()).unwrap_err().kind(), Kind::Content);
}

#[test]
fn images_and_layers_are_taken_up_to_their_limits() {
    for (more, is_refused) in [(0, false), (1, true)] {
        let images = limits::IMAGES + more;
        let archive = Parts::with(|parts| parts.manifest = json!(vec![parts.manifest[0].clone(); images]));
        match is_refused {
            true => refused(&archive, &format!("manifest.json lists {images} images")),
            false => assert_eq!(open(&archive).unwrap().len(), images),
        }
        let layers = limits::LAYERS_PER_IMAGE + more;
        let archive = Parts::with(|parts| {
            parts.config = config(&vec![LAYER; layers]);
            parts.manifest[0]["Layers"] = json!(vec!["0/layer.tar"; layers]);
        });
        match is_refused {
            true => refused(&archive, &format!("lists {layers} layers")),
            false => assert_eq!(open(&archive).unwrap()[0].manifests[0].layers.len(), layers),
        }
    }
}

#[test]
fn documents_are_read_up_to_their_limit() {
    for (more, is_refused) in [(0, false), (1, true)] {
        let mut config = serde_json::to_vec(&config(&[LAYER])).unwrap();
        let bytes = usize::try_from(limits::DOCUMENT_BYTES).unwrap() + more;
        config.resize(bytes, b' ');
        let mut builder = Builder::new(Vec::new());
        add(&mut builder, "config.json", &config);
        add(&mut builder, "0/layer.tar", LAYER);
        add(&mut builder, "manifest.json", &serde_json::to_vec(&parts().manifest).unwrap());
        let archive = builder.into_inner().unwrap();
        match is_refused {
            true => refused(&archive, &format!("config.json has {bytes} bytes, where at most")),
            false => is_the_image(&open(&archive).unwrap()),
        }
    }
}

#[test]
fn links_between_members_are_followed_up_to_eight() {
    for (links, is_refused) in [(1, false), (7, false), (8, true)] {
        for kind in [EntryType::Symlink, EntryType::Link] {
            let mut builder = Builder::new(Vec::new());
            add(&mut builder, "config.json", &serde_json::to_vec(&config(&[LAYER])).unwrap());
            add(&mut builder, "blob", LAYER);
            let up = if kind == EntryType::Symlink { "../" } else { "" };
            for number in 1..links {
                let to = if number + 1 == links { "blob".to_owned() } else { format!("{}/layer.tar", number + 1) };
                link(&mut builder, kind, &format!("{number}/layer.tar"), &format!("{up}{to}"));
            }
            let first = if links == 1 { "blob".to_owned() } else { "1/layer.tar".to_owned() };
            link(&mut builder, kind, "0/layer.tar", &format!("{up}{first}"));
            add(&mut builder, "manifest.json", &serde_json::to_vec(&parts().manifest).unwrap());
            let archive = builder.into_inner().unwrap();
            match is_refused {
                true => refused(&archive, "0/layer.tar is missing"),
                false => is_the_image(&open(&archive).unwrap()),
            }
        }
    }
}

#[test]
fn a_link_to_itself_or_to_nothing_is_a_missing_member() {
    for to in ["layer.tar", "../1/layer.tar", "/0/layer.tar", "../../../0/layer.tar"] {
        let mut builder = Builder::new(Vec::new());
        add(&mut builder, "config.json", &serde_json::to_vec(&config(&[LAYER])).unwrap());
        link(&mut builder, EntryType::Symlink, "0/layer.tar", to);
        add(&mut builder, "manifest.json", &serde_json::to_vec(&parts().manifest).unwrap());
        refused(&builder.into_inner().unwrap(), "0/layer.tar is missing");
    }
}

#[test]
fn the_last_member_of_a_name_is_meant_as_tar_would_unpack_it() {
    let mut builder = Builder::new(Vec::new());
    add(&mut builder, "manifest.json", b"[]");
    add(&mut builder, "config.json", b"{}");
    add(&mut builder, "0/layer.tar", b"an earlier one");
    let whole = parts().archive();
    // Without the end of the first archive the members of the second follow.
    let first = builder.get_mut().clone();
    is_the_image(&open(&[first, whole].concat()).unwrap());
}

#[test]
fn names_with_dots_and_slashes_are_the_same_names() {
    let mut builder = Builder::new(Vec::new());
    add(&mut builder, "./config.json", &serde_json::to_vec(&config(&[LAYER])).unwrap());
    add(&mut builder, "./0/./layer.tar", LAYER);
    let manifest = json!([{"Config": "/config.json", "RepoTags": null, "Layers": ["0//layer.tar"]}]);
    add(&mut builder, "./manifest.json", &serde_json::to_vec(&manifest).unwrap());
    is_the_image(&open(&builder.into_inner().unwrap()).unwrap());
}

#[test]
fn every_cut_of_an_archive_is_an_error_or_the_image() {
    let whole = parts().archive();
    let end = whole.len() - 1024;
    for length in 0..whole.len() {
        match open(&whole[..length]) {
            Ok(images) => {
                assert!(length >= end - 512, "cut at {length}");
                is_the_image(&images);
            }
            Err(error) => assert_ne!(error.kind(), Kind::Internal, "cut at {length}: {error}"),
        }
    }
}

#[test]
fn a_missing_or_unreadable_path_is_the_surroundings() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("missing.tar"), Path::new("/proc/self/mem/x").to_owned()] {
        let error = open_path(&path, None, &scratch(), &Silent).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Environment, "{error}");
    }
}

#[test]
fn an_image_that_is_not_there_is_named_with_those_that_are() {
    let archive = Arc::new(parts().archive());
    for pick in ["app:v2", "app", "v1", "NO NAME"] {
        let error = open_archive(archive.clone(), "file.tar", Some(pick), &scratch(), &Silent).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{error}");
        assert_eq!(error.to_string(), format!("file.tar holds no image `{pick}`; it holds app:v1"));
    }
}
