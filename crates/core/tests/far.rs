//! Layers that must be fetched before they can be read: which of them `create` leaves where they are.
#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::collections::BTreeMap;
use std::slice::from_ref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{CONTEXT, Far, applied, assert_same, image_for, image_of, layers, noise, open, options, packed, zlib};
use delta_codec::ReadAt;
use delta_core::Result;
use delta_core::apply::{Cost, Delivery, images, measured, rebuild};
use delta_core::create::{CreateOptions, check_layers, room};
use delta_core::image::documents::{OCI_INDEX, synthesise_index};
use delta_core::image::{Image, Layer, LayerContent, Manifest, Root};
use delta_core::job::choices::{Identity, Method};
use delta_core::package::metadata::Origin;
use delta_core::report;

/// Counts how often a layer is asked for.
struct Counted(Arc<dyn LayerContent>, Arc<AtomicUsize>);

impl LayerContent for Counted {
    fn plain(&self) -> Result<Arc<dyn ReadAt>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.plain()
    }

    fn stored(&self) -> Result<Arc<dyn ReadAt>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.stored()
    }
}

/// A layer of a registry, and how often it was read.
fn far(bytes: &[u8]) -> (Layer, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let layer = zlib(bytes, 6);
    let content = Arc::new(Far(Arc::new(Counted(layer.content.clone(), reads.clone()))));
    (Layer { content, ..layer }, reads)
}

fn edited(bytes: &[u8]) -> Vec<u8> {
    let mut after = bytes.to_vec();
    after[bytes.len() / 2] ^= 1;
    after
}

fn read(reads: &[&Arc<AtomicUsize>]) -> Vec<bool> {
    reads.iter().map(|reads| reads.load(Ordering::Relaxed) > 0).collect()
}

#[test]
fn a_layer_that_both_sides_have_is_not_read() {
    let (same, before) = (noise(1, 400_000), noise(2, 40_000));
    let [(kept, of_kept), (old, of_old), (kept_too, of_kept_too), (new, of_new)] =
        [far(&same), far(&before), far(&same), far(&edited(&before))];
    let base = image_of("app:v1", vec![kept, old]);
    let target = image_of("app:v2", vec![kept_too, new]);
    for method in Method::ALL {
        let package = open(&packed(from_ref(&target), from_ref(&base), &options(method))).unwrap();
        assert_eq!(read(&[&of_kept, &of_kept_too, &of_new]), [false, false, true], "{method}");
        assert_eq!(read(&[&of_old]), [method != Method::Layer], "{method}");
        of_old.store(0, Ordering::Relaxed);
        let metadata = package.metadata();
        assert_eq!((metadata.layers[0].size, &metadata.layers[0].origin), (None, &Origin::Held));
        assert!(metadata.requires.contains("unmeasured-1") && report::image_bytes(metadata).is_none());
        let made = applied(&package, &Delivery::Original, &layers(from_ref(&base))).unwrap();
        assert_same(&made[0], &target);
        [&of_kept, &of_kept_too, &of_old, &of_new].iter().for_each(|reads| reads.store(0, Ordering::Relaxed));
    }
}

#[test]
fn what_is_added_on_top_is_compared_with_all_below() {
    let below = noise(1, 400_000);
    let [(kept, of_kept), (kept_too, _), (added, _)] = [far(&below), far(&below), far(&edited(&below)[..300_000])];
    let base = image_of("app:v1", vec![kept]);
    let package = packed(&[image_of("app:v2", vec![kept_too, added])], from_ref(&base), &options(Method::Auto));
    assert_eq!(read(&[&of_kept]), [true]);
    assert!(package.len() < 100_000, "{}", package.len());
    assert!(open(&package).unwrap().metadata().layers[0].size.is_some());
}

/// One image of two platforms, each with one layer.
fn of_platforms(name: &str, amd64: Layer, arm64: Layer) -> Image {
    let mut image = image_of(name, vec![amd64]);
    let other = image_for(name, "arm64", vec![arm64]);
    image.manifests.extend(other.manifests);
    image.documents.extend(other.documents);
    let entry = |manifest: &Manifest| (image.documents[&manifest.digest].clone(), manifest.platform.clone());
    let index = synthesise_index(&image.manifests.iter().map(entry).collect::<Vec<_>>()).unwrap();
    image.root = Root::of(&index, OCI_INDEX.to_owned());
    image.documents.insert(index.digest(), index);
    image
}

#[test]
fn other_platforms_are_not_read() {
    let (one, other) = (noise(1, 40_000), noise(2, 40_000));
    let [(amd64, of_amd64), (arm64, of_arm64), (new, _), (same, of_same)] =
        [far(&one), far(&other), far(&edited(&one)), far(&other)];
    let base = of_platforms("app:v1", amd64, arm64);
    let target = of_platforms("app:v2", new, same);
    let mut chosen = options(Method::Auto);
    packed(from_ref(&target), from_ref(&base), &chosen);
    assert_eq!(read(&[&of_amd64, &of_arm64, &of_same]), [true, false, false]);
    chosen.platforms = vec!["linux/amd64".parse().unwrap()];
    packed(&[target], &[base], &chosen);
    assert_eq!(read(&[&of_arm64, &of_same]), [false, false]);
}

#[test]
fn a_near_copy_is_read_instead() {
    let (one, two) = (noise(1, 40_000), edited(&noise(1, 40_000)));
    let [(away, of_away), (new, _)] = [far(&one), far(&two)];
    let bases = [image_of("app:v1", vec![away]), image_of("app:v1", vec![zlib(&one, 6)])];
    packed(&[image_of("app:v2", vec![new])], &bases, &options(Method::Auto));
    assert_eq!(read(&[&of_away]), [false]);
}

#[test]
fn a_store_that_unpacks_is_told_the_size_of_what_it_gets() {
    let (same, before) = (noise(1, 40_000), noise(2, 40_000));
    let base = image_of("app:v1", vec![far(&same).0, far(&before).0]);
    let target = image_of("app:v2", vec![far(&same).0, far(&edited(&before)).0]);
    let package = open(&packed(&[target], from_ref(&base), &options(Method::Auto))).unwrap();
    let plain = Delivery::Uncompressed("linux/amd64".parse().unwrap());
    let mut image = images(&package, &plain, &[]).unwrap().remove(0);
    let (unknown, wanted) = (image.root.digest, image.wanted());
    assert_eq!(Cost::of(package.metadata(), &wanted).blob_bytes, 40_000);
    measured(&mut image).unwrap();
    assert_eq!(image.root.digest, unknown);
    image.blobs = rebuild(&package, &wanted, &layers(&[base]), CONTEXT).unwrap();
    measured(&mut image).unwrap();
    let root = &image.documents[&image.root.digest];
    let text = std::str::from_utf8(root.bytes()).unwrap();
    assert_eq!(text.matches(r#""size":40000"#).count(), 2, "{text}");
    assert!(!image.documents.contains_key(&unknown) && image.manifests[0].digest == root.digest());
}

#[test]
fn the_room_of_create_is_told_before_anything_is_read() {
    let (same, before) = (noise(1, 400_000), noise(2, 40_000));
    let [(kept, of_kept), (old, of_old), (kept_too, _), (new, of_new)] =
        [far(&same), far(&before), far(&same), far(&edited(&before))];
    let (old_size, new_size) = (old.blob_size, new.blob_size);
    let (old_blob, new_blob) = (old.blob, new.blob);
    let base = image_of("app:v1", vec![kept, old]);
    let target = image_of("app:v2", vec![kept_too, new]);
    let told = |method| room(from_ref(&target), from_ref(&base), &options(method)).unwrap();
    let auto = told(Method::Auto);
    assert_eq!(auto.fetched, BTreeMap::from([(old_blob, old_size), (new_blob, new_size)]));
    assert_eq!((auto.travelling, auto.temporary), (new_size, old_size + new_size + new_size));
    let layer = told(Method::Layer);
    assert_eq!(layer.fetched, BTreeMap::from([(new_blob, new_size)]));
    assert_eq!(layer.temporary, 2 * new_size);
    assert_eq!(read(&[&of_kept, &of_old, &of_new]), [false; 3]);
    // Nothing is missing: nothing is read.
    let nothing = room(from_ref(&base), from_ref(&base), &options(Method::Auto)).unwrap();
    assert_eq!((nothing.fetched.len(), nothing.temporary, nothing.travelling), (0, 0, 0));
    let arm = CreateOptions { platforms: vec!["linux/arm64".parse().unwrap()], ..options(Method::Auto) };
    let refused = room(from_ref(&target), &[], &arm).err().unwrap();
    assert_eq!(refused.kind(), delta_core::Kind::Usage);
}

#[test]
fn what_is_near_is_not_fetched_and_what_is_plain_is_not_unpacked() {
    let (before, after) = (noise(2, 40_000), edited(&noise(2, 40_000)));
    let near = |bytes: &[u8]| common::image("app:v1", &[bytes]);
    let told = room(&[near(&after)], &[near(&before)], &options(Method::Auto)).unwrap();
    assert_eq!((told.fetched.len(), told.temporary, told.travelling), (0, 40_000, 40_000));
    // The same layer in another form is read for its blob, and with the config's identity measured where no base is near.
    let (again, of_again) = far(&before);
    let (blob, size) = (again.blob, again.blob_size);
    let target = image_of("app:v2", vec![again]);
    let config = CreateOptions { identity: Identity::Config, ..options(Method::Auto) };
    let manifest = room(from_ref(&target), &[near(&before)], &options(Method::Auto)).unwrap();
    assert_eq!((manifest.fetched, manifest.temporary), (BTreeMap::from([(blob, size)]), size));
    assert!(room(from_ref(&target), &[near(&before)], &config).unwrap().fetched.is_empty());
    let (held, _) = far(&before);
    let measured = room(from_ref(&target), &[image_of("app:v1", vec![held])], &config).unwrap();
    assert_eq!(measured.fetched, BTreeMap::from([(blob, size)]));
    assert_eq!(read(&[&of_again]), [false]);
}

#[test]
fn all_layers_of_a_base_are_checked_where_that_is_asked() {
    let sound = common::image("app:v1", &[b"one", b"two"]);
    check_layers(from_ref(&sound), CONTEXT).unwrap();
    let mut damaged = sound;
    damaged.manifests[0].layers[1] = common::lying(&damaged.manifests[0].layers[1], b"other");
    let refused = check_layers(&[damaged], CONTEXT).unwrap_err();
    assert_eq!(refused.kind(), delta_core::Kind::Content);
    assert!(refused.to_string().starts_with("the base layer "), "{refused}");
}
