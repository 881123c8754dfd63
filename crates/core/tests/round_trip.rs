//! What is applied is what was packed: any layers, any method, any compressor.
#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use common::{
    CONTEXT, applied, assert_same, bytes, error, image, image_of, layer, layers, noise, open, options, packed,
};
use delta_codec::compress::{Compression, Level};
use delta_core::apply::Delivery;
use delta_core::apply::apply_stream;
use delta_core::create::CreateOptions;
use delta_core::create::create_stream;
use delta_core::image::{BlobCompression, Image};
use delta_core::job::choices::CompressionOptions;
use delta_core::job::choices::Method;
use delta_core::package::metadata::StreamKind;
use delta_core::report::{self, Transfer};
use delta_core::verify::verify;
use proptest::prelude::*;

/// Packs, verifies, applies and compares; returns the size of the package.
fn round_trip(targets: &[Image], bases: &[Image], options: &CreateOptions) -> usize {
    let package = packed(targets, bases, options);
    let opened = open(&package).unwrap();
    verify(&opened, &[], CONTEXT).unwrap();
    let rebuilt = applied(&opened, &Delivery::Original, &layers(bases)).unwrap();
    assert_eq!(rebuilt.len(), targets.len());
    rebuilt.iter().zip(targets).for_each(|(rebuilt, target)| assert_same(rebuilt, target));
    package.len()
}

/// A layer as edits leave it: parts of the base in another order, some bytes changed, something inserted.
fn changed(base: &[u8], seed: u64) -> Vec<u8> {
    let cut = base.len() / 3;
    let mut after = [&base[cut..], &noise(seed, 300), &base[..cut]].concat();
    for at in (0..after.len()).step_by(997) {
        after[at] ^= 0x55;
    }
    after
}

#[test]
fn every_method_with_every_compressor_comes_back() {
    let shared = noise(1, 20_000);
    let before = noise(2, 60_000);
    let bases = [image("app:v1", &[&shared, &before])];
    let targets = [image("app:v2", &[&shared, &changed(&before, 3), &noise(4, 500)])];
    for method in Method::ALL {
        for compression in Compression::ALL {
            let (least, most) = if compression == Compression::Zstd { (-100, 22) } else { (1, 9) };
            for level in [least, compression.default_level().number(), most] {
                let level = Level::new(compression, level).unwrap();
                round_trip(
                    &targets,
                    &bases,
                    &CreateOptions {
                        compression: CompressionOptions { level, ..CompressionOptions::usual(compression) },
                        ..options(method)
                    },
                );
            }
        }
    }
}

#[test]
fn a_delta_is_smaller_than_the_layer() {
    let before = noise(2, 200_000);
    let bases = [image("app:v1", &[&before])];
    let targets = [image("app:v2", &[&changed(&before, 3)])];
    let whole = round_trip(&targets, &bases, &options(Method::Layer));
    for method in [Method::Auto, Method::Xdelta3, Method::Bsdiff] {
        let size = round_trip(&targets, &bases, &options(method));
        assert!(size < whole / 10, "{method}: {size} of {whole}");
    }
}

type Layers<'a> = &'a [&'a [u8]];

#[test]
fn odd_layers_come_back() {
    let twice = noise(5, 3000);
    let cases: [(Layers<'_>, Layers<'_>); 6] = [
        (&[], &[b""]),
        (&[b""], &[b"", b"x"]),
        (&[b"x"], &[]),
        (&[&twice], &[&twice, &twice, b"y", &twice]),
        (&[&[0; 5000]], &[&[0; 70_000], &[0; 1024]]),
        (&[b"a", b"b", b"c"], &[b"c", b"a", b"d", b"b"]),
    ];
    for (base, target) in cases {
        for method in Method::ALL {
            round_trip(&[image("app:v2", target)], &[image("app:v1", base)], &options(method));
            round_trip(&[image("app:v2", target)], &[], &options(method));
        }
    }
}

#[test]
fn sixty_layers_come_back() {
    let all: Vec<Vec<u8>> = (0..60).map(|seed| noise(seed, 2000 + 10 * usize::try_from(seed).unwrap())).collect();
    let mut after = all.clone();
    after[17] = changed(&all[17], 99);
    after[42].truncate(50);
    let slices = |layers: &[Vec<u8>]| image("app", &layers.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let size = round_trip(&[slices(&after)], &[slices(&all)], &options(Method::Auto));
    assert!(size < 80_000, "{size}");
}

#[test]
fn several_images_share_what_they_share() {
    let (one, two) = (noise(1, 50_000), noise(2, 50_000));
    let first = image("first", &[&one, b"a"]);
    let second = image("second", &[&one, &two]);
    let both = round_trip(&[first.clone(), second.clone()], &[], &options(Method::Layer));
    let alone = round_trip(&[second], &[], &options(Method::Layer));
    assert!(both < alone + 10_000, "{both} with {alone}");
    round_trip(&[first], &[image("base", &[b"a"]), image("other", &[&one])], &options(Method::Auto));
}

#[test]
fn an_image_under_two_names_travels_once() {
    let first = image("app:v2", &[b"a layer"]);
    let mut second = first.clone();
    second.names = vec!["app:latest".parse().unwrap(), "app:v2".parse().unwrap()];
    let package = open(&packed(&[first.clone(), second], &[], &options(Method::Layer))).unwrap();
    let rebuilt = applied(&package, &Delivery::Original, &[]).unwrap();
    let names: Vec<String> = rebuilt[0].names.iter().map(ToString::to_string).collect();
    assert_eq!((rebuilt.len(), names), (1, vec!["app:v2".to_owned(), "app:latest".to_owned()]));
}

#[test]
fn a_layer_may_be_coded_against_an_earlier_one_of_its_own_image() {
    let below = noise(7, 100_000);
    let target = [image("app:v1", &[&below, &changed(&below, 8)])];
    let size = round_trip(&target, &[], &options(Method::Xdelta3));
    assert!(size < 120_000, "{size}");
    let package = open(&packed(&target, &[], &options(Method::Xdelta3))).unwrap();
    let fates: Vec<Transfer> = report::layers(package.metadata()).iter().map(|layer| layer.transfer).collect();
    assert_eq!(fates, [Transfer::Whole, Transfer::Delta]);
}

#[test]
fn compressed_layers_come_back_as_they_were_stored() {
    let before = noise(2, 30_000);
    for compression in [BlobCompression::Gzip, BlobCompression::Zstd] {
        let stored = |bytes: &[u8]| layer(bytes, compression);
        let bases = [image_of("app:v1", vec![stored(&before), stored(b"same")])];
        let targets = [image_of("app:v2", vec![stored(&changed(&before, 1)), stored(b"same")])];
        for method in Method::ALL {
            round_trip(&targets, &bases, &options(method));
        }
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes_with_any_number_of_threads() {
    let before = noise(2, 300_000);
    let all: Vec<Vec<u8>> = (0..12).map(|seed| changed(&before[..20_000 + 1000 * seed], 1)).collect();
    let target = [image("app:v2", &all.iter().map(Vec::as_slice).collect::<Vec<_>>())];
    let base = [image("app:v1", &[&before])];
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| packed(&target, &base, &options(Method::Auto)))
    };
    let once = with(1);
    assert!(once == with(3) && once == with(8));
}

#[test]
fn streams_of_every_method_come_back() {
    let before = noise(1, 50_000);
    let cases = [
        (before.clone(), changed(&before, 2)),
        (Vec::new(), b"new".to_vec()),
        (before.clone(), Vec::new()),
        (before.clone(), before.clone()),
    ];
    for (base, target) in &cases {
        for method in Method::ALL {
            for compression in Compression::ALL {
                let chosen = (method, CompressionOptions::usual(compression));
                let shared = |bytes: &Vec<u8>| std::sync::Arc::new(bytes.clone());
                let mut package = Vec::new();
                create_stream((StreamKind::File, None), shared(base), shared(target), chosen, CONTEXT)
                    .unwrap()
                    .write(&mut package)
                    .unwrap();
                let opened = open(&package).unwrap();
                verify(&opened, &[], CONTEXT).unwrap();
                let rebuilt = apply_stream(&opened, shared(base), CONTEXT).unwrap();
                assert!(bytes(rebuilt.bytes()) == *target, "{method} {compression}");
                let error = error(apply_stream(&opened, shared(&b"another".to_vec()), CONTEXT));
                assert_eq!(error.kind(), delta_core::Kind::Content);
                assert!(error.hint().is_some_and(|hint| hint.contains("another OLD")), "{error}");
            }
        }
    }
}

fn any_layers() -> impl Strategy<Value = Vec<(u64, usize)>> {
    prop::collection::vec((0_u64..6, 0_usize..4000), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Layers of few seeds and many lengths: some are equal, some begin alike, some have nothing in common.
    #[test]
    fn any_image_comes_back(
        base in any_layers(),
        target in any_layers(),
        swap in any::<u64>(),
        method in prop::sample::select(&Method::ALL[..]),
        compression in prop::sample::select(&[BlobCompression::None, BlobCompression::Gzip, BlobCompression::Zstd][..]),
    ) {
        let build = |name: &str, seeds: &[(u64, usize)], swap: u64| {
            let bytes = seeds.iter().map(|(seed, length)| if swap.is_multiple_of(3) { noise(*seed, *length) } else { changed(&noise(*seed, *length), swap) });
            image_of(name, bytes.map(|bytes| layer(&bytes, compression)).collect())
        };
        let targets = [build("app:v2", &target, swap), build("app:v3", &base, swap / 3)];
        round_trip(&targets, &[build("app:v1", &base, 0)], &options(method));
    }
}
