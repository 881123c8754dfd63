use std::collections::BTreeMap;
use std::fs;

use delta_core::digest::BlobDigest;
use delta_core::error::Kind;
use delta_core::image::VerifiedBlob;

use super::*;
use crate::destination::Request;
use crate::fixtures::{Told, is_refused, names, rebuilt};
use crate::inputs::Inputs;

#[test]
fn where_images_go_is_a_file_or_a_folder() {
    for (text, expected) in [
        ("out.tar", Output::Archive("out.tar".into())),
        ("docker-archive:out", Output::Archive("out".into())),
        ("oci-archive:out", Output::Archive("out".into())),
        ("oci:out", Output::Layout("out".into())),
        ("new/", Output::Layout("new".into())),
        ("/", Output::Layout("/".into())),
        ("./dir:x", Output::Archive("./dir:x".into())),
        ("-", Output::Archive("-".into())),
    ] {
        assert_eq!(text.parse::<Output>().unwrap(), expected, "{text}");
    }
}

#[test]
fn other_places_are_refused_with_a_way_out() {
    for (text, said) in [
        ("", "found nothing"),
        ("oci:", "found nothing"),
        ("docker-daemon:app:v2", "goes into the engine"),
        ("podman:app:v2", "--engine podman"),
        ("containers-storage:app", "--engine podman"),
        ("dir:folder", "-o oci:DIR"),
        ("containerd:k8s.io/app", "apply PACKAGE containerd:"),
        ("oci:layout:v2", "apply PACKAGE v2 -o layout"),
        ("docker-archive:out.tar:app:v2", "apply PACKAGE app:v2 -o out.tar"),
    ] {
        let error = text.parse::<Output>().unwrap_err();
        assert!(error.to_string().contains(said), "{text}: {error}");
    }
}

#[test]
fn a_folder_that_is_there_is_a_layout_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().to_str().unwrap();
    fs::write(folder.path().join("file"), b"").unwrap();
    for (text, expected) in [
        (there.to_owned(), Output::Layout(there.into())),
        (format!("{there}/"), Output::Layout(there.into())),
        (format!("{there}/new"), Output::Archive(format!("{there}/new").into())),
        (format!("{there}/new/"), Output::Layout(format!("{there}/new").into())),
        (format!("{there}/file"), Output::Archive(format!("{there}/file").into())),
        (format!("oci:{there}/new"), Output::Layout(format!("{there}/new").into())),
        (format!("oci-archive:{there}"), Output::Archive(there.into())),
    ] {
        assert_eq!(text.parse::<Output>().unwrap(), expected, "{text}");
    }
    assert_eq!("new//".parse::<Output>().unwrap(), Output::Layout("new".into()));
}

#[test]
fn a_colon_in_the_name_of_what_is_there_parts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a:b");
    let text = format!("docker-archive:{}", path.display());
    let error = text.parse::<Output>().unwrap_err();
    let place = folder.path().join("a");
    let words = format!("its name comes behind the package: apply PACKAGE b -o {}", place.display());
    assert!(error.kind() == Kind::Usage && error.to_string().ends_with(&words), "{error}");
    fs::write(&path, b"").unwrap();
    assert_eq!(text.parse::<Output>().unwrap(), Output::Archive(path.clone()));
    // Without a prefix a colon is part of the name.
    assert_eq!("new:v1".parse::<Output>().unwrap(), Output::Archive("new:v1".into()));
}

#[test]
fn every_other_place_has_its_way_out_and_names_that_only_begin_alike_have_none() {
    for (prefix, hint) in OTHERS {
        let error = format!("{prefix}x").parse::<Output>().unwrap_err();
        let words = format!("expected a file or folder to write to, found `{prefix}x`; {hint}");
        assert_eq!((error.kind(), error.to_string()), (Kind::Usage, words));
        let plain = prefix.trim_end_matches(':');
        assert_eq!(plain.parse::<Output>().unwrap(), Output::Archive(plain.into()));
    }
    for text in ["docker-archive:", "oci-archive:", "oci:", ""] {
        is_refused(text.parse::<Output>(), Kind::Usage, &["expected a file or folder to write to, found nothing"]);
    }
}

/// An image of one blob, which is there or not.
fn image(is_whole: bool) -> RebuiltImage {
    let bytes = b"a layer";
    let blob = BlobDigest::of(bytes);
    let held = VerifiedBlob::check(blob, std::sync::Arc::new(bytes.to_vec()), "blob").unwrap();
    let blobs = if is_whole { BTreeMap::from([(blob, held)]) } else { BTreeMap::new() };
    RebuiltImage { blobs, ..rebuilt(&[], &[bytes]) }
}

fn write(output: &Output, mut image: RebuiltImage, sizes: Option<&Sizes>) -> Result<()> {
    let inputs = Inputs::default();
    let (product, path) = (output.product(), output.path());
    let destination = Destination::choose(Request { product, path, name: None, force: false, inputs: &inputs })?;
    let made = std::mem::take(&mut image.blobs);
    let scratch = TempScratch::new(None).unwrap();
    output.write(&mut [image], sizes, &destination, (&scratch, &Told::default()), |_| Ok(made))
}

#[test]
fn an_image_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let blob = BlobDigest::of(b"a layer");
    let sizes = Sizes::from([(blob, 7)]);
    for (output, sizes) in [
        (Output::Archive(path("archive")), None),
        (Output::Archive(path("placed")), Some(&sizes)),
        (Output::Layout(path("layout")), None),
    ] {
        let words = format!("the blob {blob} was not rebuilt");
        is_refused(write(&output, image(false), sizes), Kind::Internal, &[&words]);
        assert!(!output.path().exists());
        write(&output, image(true), sizes).unwrap();
    }
    assert_eq!(names(folder.path()), ["archive", "layout", "placed"]);
    assert_eq!(fs::read(path("archive")).unwrap(), fs::read(path("placed")).unwrap());
    assert_eq!(names(&path("layout")), ["blobs", "index.json", "oci-layout"]);
    let written = fs::read(path("layout/blobs/sha256").join(BlobDigest::of(b"a layer").hex())).unwrap();
    assert_eq!(written, b"a layer");
    let archive = crate::container::Container::archive(std::sync::Arc::new(fs::read(path("archive")).unwrap()), "it");
    let name = format!("blobs/sha256/{}", BlobDigest::of(b"a layer").hex());
    assert_eq!(archive.unwrap().find(&name).unwrap().unwrap().len(), 7);
}
