//! What is needed from the receiver, and what happens when it is not there or not what it should be.
#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::slice::from_ref;
use std::sync::Arc;

use common::{
    CONTEXT, applied, assert_same, bytes, damaged_inside, encoded, error, image, image_of, layer, layers, lying, noise,
    open, options, packed, zlib,
};
use delta_codec::{MemoryScratch, ReadAt, Scratch, ScratchFile};
use delta_core::Kind;
use delta_core::apply::{Delivery, Wanted, images, needed_bases, rebuild};
use delta_core::create::{CreateOptions, create};
use delta_core::digest::DiffId;
use delta_core::image::{BlobCompression, Image, Layer};
use delta_core::job::choices::{Identity, Method};
use delta_core::job::context::Context;
use delta_core::job::progress::Silent;
use delta_core::package::Package;
use delta_core::package::metadata::{Index, Origin};

fn edited(bytes: &[u8]) -> Vec<u8> {
    let mut after = bytes.to_vec();
    after[bytes.len() / 2] ^= 1;
    after
}

/// Version 1: three layers. Version 2: the first held, the second changed, the third gone, another one in its place.
fn pair() -> (Image, Image) {
    let (same, before) = (noise(1, 4000), noise(2, 40_000));
    let base = image("app:v1", &[&same, &before, &noise(3, 4000)]);
    (base, image("app:v2", &[&same, &edited(&before), &noise(4, 4000)]))
}

fn package(target: &Image, base: &Image, method: Method) -> Package {
    open(&packed(from_ref(target), from_ref(base), &options(method))).unwrap()
}

fn wanted(image: &Image) -> Wanted {
    layers(from_ref(image)).iter().map(|layer| (layer.blob, layer.diff_id)).collect()
}

#[test]
fn only_the_layers_that_deltas_refer_to_are_needed() {
    let (base, target) = pair();
    let package = package(&target, &base, Method::Xdelta3);
    let ids: Vec<DiffId> = layers(&[base]).iter().map(|layer| layer.diff_id).collect();
    let all = wanted(&target);
    assert_eq!(needed_bases(package.metadata(), &all), BTreeSet::from([ids[0], ids[1]]));
    // A sink that holds the first layer lacks the others only.
    let lacking = all.into_iter().filter(|(_, diff_id)| *diff_id != ids[0]).collect();
    assert_eq!(needed_bases(package.metadata(), &lacking), BTreeSet::from([ids[1]]));
    assert_eq!(needed_bases(package.metadata(), &Wanted::new()), BTreeSet::new());
}

#[test]
fn only_what_is_wanted_is_rebuilt() {
    let (base, target) = pair();
    let package = package(&target, &base, Method::Layer);
    let third = &target.manifests[0].layers[2];
    let wanted = Wanted::from([(third.blob, third.diff_id)]);
    let blobs = rebuild(&package, &wanted, &[], CONTEXT).unwrap();
    assert!(blobs.keys().eq(wanted.keys()));
}

#[test]
fn a_missing_base_is_named_with_its_image_and_layers() {
    let (base, target) = pair();
    let package = package(&target, &base, Method::Xdelta3);
    let all = layers(from_ref(&base));
    let (first, second) = (all[0].diff_id.short(), all[1].diff_id.short());
    let id = base.manifests[0].config.short();
    let nothing = error(applied(&package, &Delivery::Original, &[]));
    assert_eq!(nothing.kind(), Kind::Environment);
    for part in ["2 of 2 base layers", &first, &second, "app:v1", &id] {
        assert!(nothing.to_string().contains(part), "{part}: {nothing}");
    }
    assert!(nothing.hint().is_some_and(|hint| hint.contains("--base")));
    let one = error(applied(&package, &Delivery::Original, &all[..1]));
    assert!(one.to_string().contains("1 of 2 base layers"), "{one}");
    assert!(one.to_string().contains(&second) && !one.to_string().contains(&first), "{one}");
}

#[test]
fn a_base_with_other_bytes_is_a_content_error() {
    let (base, target) = pair();
    for method in [Method::Xdelta3, Method::Bsdiff, Method::Auto] {
        let package = package(&target, &base, method);
        let all = layers(from_ref(&base));
        for wrong in 0..2 {
            let mut bases = all.clone();
            let mut wrong_bytes = bytes(&all[wrong].content.plain().unwrap());
            wrong_bytes[1_000] ^= 1;
            bases[wrong] = lying(&all[wrong], &wrong_bytes);
            let error = error(applied(&package, &Delivery::Original, &bases));
            assert_eq!(error.kind(), Kind::Content);
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("the base layer {}: expected sha256:", all[wrong].diff_id.short())),
                "{error}"
            );
        }
    }
}

#[test]
fn a_base_is_at_fault_only_for_what_is_made_of_it() {
    let (base, target) = pair();
    let all = layers(from_ref(&base));
    for method in [Method::Xdelta3, Method::Auto] {
        let package = package(&target, &base, method);
        let mut bases = all.clone();
        // The byte that is another one in the target, which nothing copies.
        bases[1] = lying(&all[1], &edited(&bytes(&all[1].content.plain().unwrap())));
        assert_same(&applied(&package, &Delivery::Original, &bases).unwrap()[0], &target);
        for wrong in [Vec::new(), noise(5, 40_000)] {
            bases[1] = lying(&all[1], &wrong);
            let error = error(applied(&package, &Delivery::Original, &bases));
            assert!(error.to_string().starts_with("the base layer ") && error.kind() == Kind::Content, "{error}");
        }
    }
}

#[test]
fn images_that_lie_are_not_packed() {
    let (base, target) = pair();
    let mut lying_target = target.clone();
    lying_target.manifests[0].layers[1] = lying(&target.manifests[0].layers[1], b"other bytes");
    let mut lying_base = base.clone();
    lying_base.manifests[0].layers[1] = lying(&base.manifests[0].layers[1], b"other bytes");
    for (targets, bases) in [([lying_target], [base]), ([target], [lying_base])] {
        let error = create(&targets, &bases, &options(Method::Xdelta3), CONTEXT).err().unwrap();
        assert_eq!(error.kind(), Kind::Content, "{error}");
        assert!(error.to_string().contains(": expected sha256:"), "{error}");
    }
}

#[test]
fn a_base_that_is_only_held_is_compared_too() {
    let (base, target) = pair();
    let held = &base.manifests[0].layers[0];
    for wrong in [edited(&bytes(&held.content.plain().unwrap())), Vec::new()] {
        let mut damaged = base.clone();
        damaged.manifests[0].layers[0] = lying(held, &wrong);
        // One layer of the target is held, or all are.
        for (target, method) in [(&target, Method::Layer), (&target, Method::Auto), (&base, Method::Auto)] {
            let error = create(from_ref(target), from_ref(&damaged), &options(method), CONTEXT).err().unwrap();
            let what = format!("the base layer {}: expected sha256:", held.diff_id.short());
            assert!(error.kind() == Kind::Content && error.to_string().starts_with(&what), "{error}");
        }
        // Of a layer that is left out, the target's own copy is not asked.
        let mut half = target.clone();
        half.manifests[0].layers[0] = lying(held, &wrong);
        let package = package(&half, &base, Method::Layer);
        assert_eq!(Index::of(package.metadata()).layer(held.diff_id).unwrap().size, Some(4000));
    }
    // What neither is in the target nor coded against is nobody's concern.
    let mut elsewhere = base;
    elsewhere.manifests[0].layers[2] = lying(&elsewhere.manifests[0].layers[2], b"other bytes");
    package(&target, &elsewhere, Method::Layer);
}

#[test]
fn a_compressed_blob_that_is_only_held_is_compared_too() {
    let gzip = layer(&noise(1, 3000), BlobCompression::Gzip);
    let target = image_of("app:v1", vec![gzip.clone()]);
    let plain = bytes(&gzip.content.plain().unwrap());
    let other = encoded(&plain, &bytes(&zlib(&plain, 1).content.stored().unwrap()), BlobCompression::Gzip);
    let mut base = target.clone();
    base.manifests[0].layers[0] = Layer { content: other.content, ..gzip };
    let error = create(from_ref(&target), &[base], &options(Method::Auto), CONTEXT).err().unwrap();
    assert!(error.kind() == Kind::Content && error.to_string().contains("the base's blob"), "{error}");
}

#[test]
fn with_identity_config_compressed_layers_travel_as_deltas() {
    let before = noise(2, 60_000);
    let gzip = |bytes: &[u8]| layer(bytes, BlobCompression::Gzip);
    let bases = [image_of("app:v1", vec![gzip(&before)])];
    let target = image_of("app:v2", vec![gzip(&edited(&before))]);
    let config = CreateOptions { identity: Identity::Config, ..options(Method::Xdelta3) };
    let small = packed(from_ref(&target), &bases, &config);
    let exact = packed(from_ref(&target), &bases, &options(Method::Xdelta3));
    assert!(small.len() < 20_000 && exact.len() > 60_000, "{} {}", small.len(), exact.len());
    // Under both, a classic store gets the same image; only with the manifest's identity also its blobs come back.
    let rebuilt = applied(&open(&exact).unwrap(), &Delivery::Original, &layers(&bases)).unwrap();
    assert_same(&rebuilt[0], &target);
    let plain = Delivery::Uncompressed("linux/amd64".parse().unwrap());
    let images: Vec<_> = [(&small, &Delivery::Original), (&small, &plain), (&exact, &plain)]
        .into_iter()
        .map(|(package, form)| applied(&open(package).unwrap(), form, &layers(&bases)).unwrap().remove(0))
        .collect();
    for image in &images {
        assert_eq!(image.manifests[0].config, target.manifests[0].config);
        assert_eq!((image.root.synthesised, image.root.digest), (true, images[0].root.digest));
        let (diff_id, blob) = image.manifests[0].layers[0];
        assert_eq!((diff_id, blob), (DiffId::of(&edited(&before)), diff_id.into()));
        assert!(bytes(image.blobs[&blob].bytes()) == edited(&before));
    }
}

#[test]
fn a_carried_blob_is_not_carried_again_as_a_layer() {
    let target = image_of("app:v1", vec![layer(&noise(1, 50_000), BlobCompression::Gzip)]);
    let package = packed(&[target], &[], &options(Method::Layer));
    assert!(package.len() < 70_000, "{}", package.len());
    let opened = open(&package).unwrap();
    let Origin::Coded { members, .. } = &opened.metadata().layers[0].origin else { panic!("expected members") };
    assert!(members[0].starts_with("layer_blobs/") && members[0].ends_with(".tar.gz"), "{members:?}");
}

#[test]
fn a_blob_that_the_base_has_only_in_another_compression_is_asked_for() {
    let bytes = noise(1, 3000);
    let same = |compression| image_of("app:v1", vec![layer(&bytes, compression)]);
    let target = same(BlobCompression::Gzip);
    let package = open(&packed(from_ref(&target), from_ref(&target), &options(Method::Auto))).unwrap();
    let error = error(applied(&package, &Delivery::Original, &layers(&[same(BlobCompression::None)])));
    assert_eq!(error.kind(), Kind::Environment);
    assert!(error.to_string().contains("only in another compression"), "{error}");
    let plain = Delivery::Uncompressed("linux/amd64".parse().unwrap());
    applied(&package, &plain, &layers(&[same(BlobCompression::None)])).unwrap();
}

#[test]
fn a_blob_that_the_base_holds_is_taken_as_it_is() {
    let gzip = layer(&noise(1, 3000), BlobCompression::Gzip);
    let target = image_of("app:v1", vec![gzip.clone()]);
    let held = package(&target, &target, Method::Auto);
    // A base whose layer cannot be decompressed: nobody asks for that.
    let stored_only = damaged_inside(&gzip);
    let rebuilt = applied(&held, &Delivery::Original, &[stored_only]).unwrap();
    assert_same(&rebuilt[0], &target);
}

#[test]
fn platforms_are_chosen() {
    let (_, target) = pair();
    let arm = CreateOptions { platforms: vec!["linux/arm64".parse().unwrap()], ..options(Method::Layer) };
    let error = create(from_ref(&target), &[], &arm, CONTEXT).err().unwrap();
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(error.to_string(), "app:v2 has no platform linux/arm64; it has linux/amd64");
    let package = open(&packed(&[target], &[], &options(Method::Layer))).unwrap();
    let error = images(&package, &Delivery::Original, &["linux/arm64".parse().unwrap()]).err().unwrap();
    assert_eq!(error.kind(), Kind::Usage);
    // The only platform is meant, whatever the engine runs on.
    assert_eq!(images(&package, &Delivery::Uncompressed("linux/arm64".parse().unwrap()), &[]).unwrap().len(), 1);
}

#[test]
fn a_full_disk_is_no_fault_of_the_package() {
    let (base, target) = pair();
    let bases = layers(from_ref(&base));
    let full = Context { scratch: &Full, progress: &Silent, cache: None };
    for method in Method::ALL {
        let package = package(&target, &base, method);
        let error = rebuild(&package, &wanted(&target), &bases, full).err().unwrap();
        assert_eq!(error.kind(), Kind::Environment, "{method}: {error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("--temp-dir")), "{method}: {error}");
        let error = create(from_ref(&target), from_ref(&base), &options(method), full).err().unwrap();
        assert_eq!(error.kind(), Kind::Environment, "{method}: {error}");
    }
}

/// Room for a little, and no more.
struct Full;

struct FullFile(Vec<u8>);

impl Scratch for Full {
    fn create(&self) -> io::Result<Box<dyn ScratchFile>> {
        MemoryScratch.create()?;
        Ok(Box::new(FullFile(Vec::new())))
    }
}

impl Write for FullFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.0.len() + buffer.len() > 100 { Err(io::ErrorKind::StorageFull.into()) } else { self.0.write(buffer) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ScratchFile for FullFile {
    fn freeze(self: Box<Self>) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::new(self.0))
    }
}
