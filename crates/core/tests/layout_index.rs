//! What the layout that an image was found in says of it travels, and comes back byte for byte.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use common::golden::{bases, listed};
use common::{applied, error, image, image_of, layer, layers, open, options, packed};
use delta_core::apply::{self, Delivery};
use delta_core::create::CreateOptions;
use delta_core::image::documents::LayoutIndex;
use delta_core::image::{BlobCompression, Document, Image};
use delta_core::job::choices::{Identity, Method};
use delta_core::report;

/// The index that a package of these images has.
fn index(images: &[Image], options: &CreateOptions) -> Option<Document> {
    let package = open(&packed(images, &[], options)).unwrap();
    let requires = package.metadata().requires.contains("layout-index-1");
    let index = package.layout_index().unwrap();
    assert_eq!(requires, index.is_some());
    index
}

fn text(document: &Document) -> &str {
    std::str::from_utf8(document.bytes()).unwrap()
}

/// An image in a layout where one entry, with `more` in it, lists it.
fn in_layout(image: Image, more: &str) -> Image {
    let (digest, size) = (image.root.digest, image.root.size);
    let text = format!(r#"{{"manifests":[{{"digest":"{digest}","size":{size}{more}}}],"x":"of the layout"}}"#);
    Image { layout_index: Some(Document::new(text.into_bytes())), ..image }
}

#[test]
fn the_index_of_one_layout_comes_back_as_it_was() {
    let image = listed();
    let package = open(&packed(std::slice::from_ref(&image), &bases(), &options(Method::Auto))).unwrap();
    let rebuilt = applied(&package, &Delivery::Original, &layers(&bases())).unwrap();
    assert_eq!(rebuilt[0].layout_index, image.layout_index);
    let report = report::images(&package).unwrap();
    let listed = &report[0].listed[0];
    assert_eq!((listed.tag.as_deref(), listed.annotations["com.example.key"].as_str()), (Some("v2"), "value"));
    assert_eq!(listed.platform.as_ref().unwrap().to_string(), "linux/amd64");
}

#[test]
fn an_index_of_names_alone_does_not_travel() {
    let image = image("app:v2", &[b"layer"]);
    let made = LayoutIndex::made([(image.names.as_slice(), &image.root)]).unwrap();
    assert_eq!(index(&[Image { layout_index: Some(made), ..image.clone() }], &options(Method::Auto)), None);
    assert_eq!(index(&[image], &options(Method::Auto)), None);
}

#[test]
fn images_of_several_layouts_and_of_none_get_one_index() {
    let one = in_layout(image("app:v1", &[b"one"]), r#","annotations":{"a":"b"}"#);
    let two = in_layout(image("app:v2", &[b"two"]), r#","artifactType":"t""#);
    let three = image("app:v3", &[b"three"]);
    let index = index(&[one, two, three], &options(Method::Auto)).unwrap();
    for said in [r#""annotations":{"a":"b"}"#, r#""artifactType":"t""#, "docker.io/library/app:v3"] {
        assert!(text(&index).contains(said), "{}", text(&index));
    }
    assert!(!text(&index).contains("of the layout"));
}

#[test]
fn one_image_of_two_layouts_is_listed_by_both() {
    let image = image("app:v1", &[b"one"]);
    let [one, two] = ["v1", "v2"].map(|tag| {
        in_layout(image.clone(), &format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}"#))
    });
    let index = index(&[one.clone(), two], &options(Method::Auto)).unwrap();
    assert_eq!(text(&index).matches("ref.name\":\"v").count(), 3, "{}", text(&index));
    let more = Image { names: vec!["other:v1".parse().unwrap()], layout_index: None, ..image };
    let index = self::index(&[one, more], &options(Method::Auto)).unwrap();
    assert!(text(&index).contains("docker.io/library/other:v1"), "{}", text(&index));
}

#[test]
fn a_new_name_stands_in_the_index_too() {
    let package = open(&packed(&[listed()], &bases(), &options(Method::Auto))).unwrap();
    let mut images = apply::images(&package, &Delivery::Original, &[]).unwrap();
    let name = "registry.example/app:next".parse().unwrap();
    apply::rename(&mut images, &name).unwrap();
    let index = LayoutIndex::read(images[0].layout_index.as_ref().unwrap()).unwrap();
    assert_eq!((index.entries.len(), index.entries[0].name()), (1, Some(name.clone())));
    assert_eq!(index.entries[0].annotations["com.example.key"], "value");
    let two = [image("app:v1", &[b"one"]), image("app:v2", &[b"two"])];
    let package = open(&packed(&two, &[], &options(Method::Auto))).unwrap();
    let mut images = apply::images(&package, &Delivery::Original, &[]).unwrap();
    assert!(error(apply::rename(&mut images, &name)).to_string().contains("cannot name 2 images"));
}

#[test]
fn another_identity_is_listed_under_its_own_digest() {
    let gzip = image_of("app:v2", vec![layer(b"some bytes", BlobCompression::Gzip)]);
    let image = in_layout(gzip, r#","annotations":{"a":"b"}"#);
    let config = CreateOptions { identity: Identity::Config, ..options(Method::Auto) };
    let package = open(&packed(&[image], &[], &config)).unwrap();
    let index = LayoutIndex::read(&package.layout_index().unwrap().unwrap()).unwrap();
    let root = package.metadata().images[0].root.digest;
    assert_eq!(index.of(root).next().unwrap().annotations["a"], "b");
}
