//! The way from an entry to its parts: what may be absent, what is told, and what is refused.

use delta_codec::compress::Compression;
use delta_core::image::BlobCompression;

use super::*;
use crate::fixtures::{all, compressed};
use crate::limits::IMAGE_PARTS;

const FIRST: &[u8] = b"the first layer";
const SECOND: &[u8] = b"the second layer";

/// An image of two layers and the pointers to its config and them.
fn image() -> (Kit, Value, [Value; 3]) {
    let mut kit = Kit::default();
    let config = kit.document(CONFIG, &config(&[DiffId::of(FIRST), DiffId::of(SECOND)]));
    let layers = [kit.blob(LAYER, FIRST), kit.blob(LAYER, SECOND)];
    let manifest = kit.manifest(&config, &layers);
    kit.index = vec![tagged(&manifest, "v1")];
    let [first, second] = layers;
    (kit, manifest, [config, first, second])
}

#[test]
fn an_image_is_its_config_and_its_layers_in_their_order() {
    let (kit, manifest, [config, ..]) = image();
    let opened = &kit.images(None)[0];
    let found = &opened.manifests[0];
    assert_eq!((found.digest, found.config.to_string()), (digest_of(&manifest), digest_of(&config).to_string()));
    assert_eq!((found.kind, found.platform.as_ref().unwrap().os.as_str()), (ManifestKind::Image, "linux"));
    for (layer, bytes) in found.layers.iter().zip([FIRST, SECOND]) {
        assert_eq!((layer.diff_id, layer.blob), (DiffId::of(bytes), BlobDigest::of(bytes)));
        assert_eq!((layer.blob_size, layer.compression), (bytes.len() as u64, BlobCompression::None));
        assert!(!layer.content.is_far());
        assert_eq!(all(&layer.content.plain().unwrap()), bytes);
    }
    assert_eq!(found.layers.len(), 2);
    assert_eq!(opened.documents.len(), 2);
}

#[test]
fn an_image_that_lacks_a_part_is_incomplete_and_the_part_is_named() {
    let (kit, manifest, [config, first, second]) = image();
    for (what, gone) in [("manifest", &manifest), ("config", &config), ("layer", &first), ("layer", &second)] {
        let mut kit = Kit { files: kit.files.clone(), index: kit.index.clone(), docker: Vec::new() };
        kit.remove(gone);
        let missing = format!("test.tar: it is incomplete: the {what} {} is missing", digest_of(gone));
        kit.refused(None, Kind::Content, &[&missing]);
        let hint = kit.open(None).0.map(|_| ()).unwrap_err();
        assert!(hint.hint().unwrap().contains("pull it again"), "{hint}");
    }
    let mut kit = kit;
    // Nothing but the manifest: it is the root, and so it must be whole.
    [config, first, second].iter().for_each(|gone| kit.remove(gone));
    kit.refused(None, Kind::Content, &["it is incomplete: the config"]);
}

#[test]
fn platforms_that_are_not_there_may_be_absent_but_not_all_and_not_in_part() {
    let mut kit = Kit::default();
    let (here, there) = (kit.image(b"here"), kit.image(b"there"));
    let nowhere = pointer(OCI_MANIFEST, b"nowhere");
    let index = kit.index_of(&[there.clone(), here.clone(), nowhere]);
    kit.index = vec![tagged(&index, "v1")];
    assert_eq!(kit.images(None)[0].manifests.len(), 2);
    // The manifest of one may be there while nothing else of it is.
    let config = kit.config_path(&there);
    kit.files.remove(&config).unwrap();
    kit.refused(None, Kind::Content, &["it is incomplete: the config"]);
    kit.files.remove(&path(BlobDigest::of(b"there"))).unwrap();
    let images = kit.images(None);
    assert_eq!((images[0].manifests.len(), images[0].manifests[0].digest), (1, digest_of(&here)));
    assert!(!images[0].documents.contains_key(&digest_of(&there)), "what is not there wholly does not travel");
    assert!(images[0].documents.contains_key(&digest_of(&index)));
    kit.remove(&here);
    kit.refused(None, Kind::Content, &["it is incomplete: no platform of it is there"]);
}

#[test]
fn an_index_of_nothing_is_an_index() {
    let mut kit = Kit::default();
    let index = kit.index_of(&[]);
    kit.index = vec![index];
    let images = kit.images(None);
    assert_eq!((images.len(), images[0].manifests.len(), images[0].documents.len()), (1, 0, 1));
}

#[test]
fn a_foreign_layer_leaves_out_its_platform_and_is_told() {
    let mut kit = Kit::default();
    let config = kit.document(CONFIG, &config(&[DiffId::of(FIRST)]));
    let mut foreign = pointer(LAYER, b"of the vendor's server");
    foreign["urls"] = json!(["https://vendor.example/layer"]);
    let windows = kit.manifest(&config, std::slice::from_ref(&foreign));
    let linux = kit.image(b"layer");
    let index = kit.index_of(&[windows.clone(), linux.clone()]);
    kit.index = vec![index.clone()];
    let (opened, told) = kit.open(None);
    let layer = digest_of(&foreign);
    let why = format!("its layer {layer} is a foreign one, which is to be had from its URLs alone");
    assert_eq!(told, [format!("a platform of {} is left out: {why}", digest_of(&index))]);
    let manifests = &opened.unwrap()[0].manifests;
    assert_eq!((manifests.len(), manifests[0].digest), (1, digest_of(&linux)));
    for alone in [kit.index_of(std::slice::from_ref(&windows)), windows] {
        kit.index = vec![alone.clone()];
        let expected = format!("the image {} cannot travel: {why}", digest_of(&alone));
        kit.refused(None, Kind::Content, &[&expected]);
    }
    // With its bytes it is a layer as any other.
    let mut there = kit.blob(LAYER, FIRST);
    there["urls"] = json!(["https://vendor.example/layer"]);
    let manifest = kit.manifest(&config, &[there]);
    kit.index = vec![manifest];
    assert_eq!(kit.images(None)[0].manifests[0].kind, ManifestKind::Image);
}

/// What becomes of a manifest of this config, of this media type, and these layers.
fn of(config: &Value, media_type: &str, layers: &[(&str, Vec<u8>)]) -> (Image, Vec<String>) {
    let mut kit = Kit::default();
    let config = kit.document(media_type, config);
    let layers: Vec<Value> = layers.iter().map(|(media_type, bytes)| kit.blob(media_type, bytes)).collect();
    let manifest = kit.manifest(&config, &layers);
    kit.index = vec![manifest];
    let (opened, told) = kit.open(None);
    (opened.unwrap().remove(0), told)
}

#[test]
fn what_says_that_it_is_an_image_and_cannot_be_opened_travels_as_it_is_and_is_told() {
    let sound = || config(&[DiffId::of(FIRST)]);
    let layer = |bytes: Vec<u8>| vec![(LAYER, bytes)];
    for (config, layers, words) in [
        (json!([]), layer(FIRST.to_vec()), "the config"),
        (json!({"rootfs": {"diff_ids": ["sha256:7"]}}), layer(FIRST.to_vec()), "cannot be read"),
        (sound(), Vec::new(), "its manifest lists 0 layers, its config 1"),
        (
            sound(),
            [layer(FIRST.to_vec()), layer(SECOND.to_vec())].concat(),
            "its manifest lists 2 layers, its config 1",
        ),
        (sound(), layer(SECOND.to_vec()), "is in no form that can be opened"),
        (sound(), layer(compressed(FIRST, Compression::Xz)), "is in no form that can be opened"),
        (sound(), layer(compressed(FIRST, Compression::Bzip2)), "is in no form that can be opened"),
    ] {
        for (media_type, is_told) in
            [(CONFIG, true), ("application/vnd.docker.container.image.v1+json", true), ("application/x", false)]
        {
            let (image, told) = of(&config, media_type, &layers);
            let manifest = &image.manifests[0];
            assert_eq!((manifest.kind, manifest.platform.as_ref()), (ManifestKind::Attestation, None), "{words}");
            let there: Vec<_> = manifest.layers.iter().map(|layer| all(&layer.content.plain().unwrap())).collect();
            assert_eq!(there, layers.iter().map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>(), "{words}");
            assert!(manifest.layers.iter().all(|layer| layer.diff_id.to_string() == layer.blob.to_string()));
            let start = format!("the image {} travels as documents and blobs: ", manifest.digest);
            assert_eq!(told.len(), usize::from(is_told), "{told:?}");
            assert!(told.iter().all(|told| told.starts_with(&start) && told.contains(words)), "{words}: {told:?}");
        }
    }
}

#[test]
fn a_compressed_layer_is_opened_whatever_its_media_type_says() {
    for (compression, expected) in [
        (Compression::None, BlobCompression::None),
        (Compression::Gzip, BlobCompression::Gzip),
        (Compression::Zstd, BlobCompression::Zstd),
    ] {
        let bytes = if compression == Compression::None { FIRST.to_vec() } else { compressed(FIRST, compression) };
        for media_type in [LAYER, "application/vnd.docker.image.rootfs.diff.tar.gzip", ""] {
            let (image, told) = of(&config(&[DiffId::of(FIRST)]), CONFIG, &[(media_type, bytes.clone())]);
            let layer = &image.manifests[0].layers[0];
            assert_eq!((layer.compression, layer.diff_id), (expected, DiffId::of(FIRST)));
            assert_eq!((layer.blob, layer.blob_size), (BlobDigest::of(&bytes), bytes.len() as u64));
            assert_eq!(all(&layer.content.plain().unwrap()), FIRST);
            assert!(all(&layer.content.stored().unwrap()) == bytes && told.is_empty());
        }
    }
}

#[test]
fn an_image_of_no_layers_is_an_image() {
    let (image, told) = of(&config(&[]), CONFIG, &[]);
    assert_eq!((image.manifests[0].kind, image.manifests[0].layers.len()), (ManifestKind::Image, 0));
    assert!(told.is_empty());
}

#[test]
fn what_is_no_image_by_its_word_is_none_and_nobody_is_told() {
    let sound = config(&[DiffId::of(FIRST)]);
    let (empty, told) = of(&sound, "application/vnd.oci.empty.v1+json", &[(LAYER, FIRST.to_vec())]);
    assert_eq!((empty.manifests[0].kind, told.len()), (ManifestKind::Attestation, 0));
    // What cosign 2 writes: the config of an image of no platform, and blobs that are no layers.
    let of_cosign = json!({"architecture": "", "os": "", "rootfs": {"diff_ids": [DiffId::of(FIRST)]}});
    let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
    let (signature, told) = of(&of_cosign, CONFIG, &[(kind, FIRST.to_vec())]);
    assert_eq!((signature.manifests[0].kind, told.len()), (ManifestKind::Attestation, 0));
    // In an index, the word of the index counts.
    let mut kit = Kit::default();
    let image = kit.image(FIRST);
    let index = kit.index_of(&[with(&image, json!({"vnd.docker.reference.type": "attestation-manifest"}))]);
    kit.index = vec![index];
    assert_eq!(kit.images(None)[0].manifests[0].kind, ManifestKind::Attestation);
}

#[test]
fn an_index_that_leads_to_the_same_parts_again_and_again_is_refused_soon() {
    let mut kit = Kit::default();
    let mut next = kit.index_of(&[]);
    for _ in 0..limits::INDEX_DEPTH {
        next = kit.index_of(&vec![next; 100]);
    }
    kit.index = vec![next];
    kit.refused(None, Kind::Content, &["its indexes name more than 4096 manifests"]);
}

#[test]
fn image_parts_are_followed_up_to_their_limit() {
    for (kind, there) in [("the same", true), ("absent", false)] {
        let mut kit = Kit::default();
        let image = kit.image(FIRST);
        let many = if there { image.clone() } else { pointer(OCI_MANIFEST, b"nowhere") };
        let list = |count: usize| [vec![image.clone()], vec![many.clone(); count - 1]].concat();
        let index = kit.index_of(&list(IMAGE_PARTS));
        kit.index = vec![index];
        assert_eq!(kit.images(None)[0].manifests.len(), if there { IMAGE_PARTS } else { 1 }, "{kind}");
        let index = kit.index_of(&list(IMAGE_PARTS + 1));
        kit.index = vec![index];
        kit.refused(None, Kind::Content, &["its indexes name more than 4096 manifests"]);
    }
}
