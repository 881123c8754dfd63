//! A base that was read before is not read as a whole again, and nothing else changes.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::slice::from_ref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use common::layer_builder::LayerBuilder;
use common::{
    CONTEXT, applied, assert_same, bytes, error, image_of, layer, layers, lying, noise, open, options, packed, zlib,
};
use delta_codec::{MemoryScratch, ReadAt};
use delta_core::apply::Delivery;
use delta_core::create::create;
use delta_core::digest::DiffId;
use delta_core::image::{BlobCompression, Image, Layer, LayerContent};
use delta_core::job::cache::IndexCache;
use delta_core::job::choices::Method;
use delta_core::job::context::Context;
use delta_core::job::progress::{Progress, Silent, Task};
use delta_core::{Kind, Result};

const METHODS: [Method; 4] = [Method::Auto, Method::Xdelta3, Method::Bsdiff, Method::Layer];

/// A cache in memory.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<DiffId, Vec<u8>>>);

impl Kept {
    fn all(&self) -> BTreeMap<DiffId, Vec<u8>> {
        self.0.lock().unwrap().clone()
    }

    /// The same with all bytes of all indexes changed.
    fn changed(&self, change: impl Fn(&mut Vec<u8>)) -> Self {
        let mut all = self.all();
        all.values_mut().for_each(change);
        Self(Mutex::new(all))
    }
}

impl IndexCache for Kept {
    fn load(&self, layer: DiffId) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(&layer).cloned()
    }

    fn store(&self, layer: DiffId, index: &[u8]) {
        self.0.lock().unwrap().insert(layer, index.to_vec());
    }
}

/// Takes note of details.
#[derive(Default)]
struct Details(Mutex<Vec<String>>);

impl Details {
    fn count(&self, text: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }
}

impl Progress for Details {
    fn begin(&self, _what: &str, _total: Option<u64>) -> Box<dyn Task> {
        Box::new(Silent)
    }

    fn inform(&self, message: fmt::Arguments<'_>) {
        self.detail(message);
    }

    fn detail(&self, message: fmt::Arguments<'_>) {
        self.0.lock().unwrap().push(message.to_string());
    }
}

/// A layer that counts the bytes that are read of it.
struct Counted {
    bytes: Vec<u8>,
    read: Arc<AtomicU64>,
}

impl ReadAt for Counted {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.bytes.read_at(buffer, offset)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

struct Content(Arc<Counted>);

impl LayerContent for Content {
    fn plain(&self) -> Result<Arc<dyn ReadAt>> {
        Ok(self.0.clone())
    }

    fn stored(&self) -> Result<Arc<dyn ReadAt>> {
        Ok(self.0.clone())
    }
}

/// Two layers that stay, and one of which one file changes.
fn versions(compress: impl Fn(&[u8]) -> Layer) -> (Image, Image) {
    let files = |seed: u64, change: &[u8]| {
        let mut builder = LayerBuilder::new();
        for number in 0..3 {
            builder = builder.file(&format!("data/{seed}/{number}"), &noise(seed * 100 + number, 400_000));
        }
        builder.file("etc/version", &[&noise(seed, 3_000)[..], change].concat()).finish()
    };
    let image = |name, change: &[u8]| {
        image_of(name, vec![compress(&files(1, b"")), compress(&files(2, change)), compress(&files(3, b""))])
    };
    (image("app:v1", b"one"), image("app:v2", b"two"))
}

fn plain(bytes: &[u8]) -> Layer {
    layer(bytes, BlobCompression::None)
}

fn made((base, target): (&Image, &Image), method: Method, cache: &Kept, progress: &Details) -> Result<Vec<u8>> {
    let context = Context { scratch: &MemoryScratch, progress, cache: Some(cache) };
    let prepared = create(from_ref(target), from_ref(base), &options(method), context)?;
    let mut package = Vec::new();
    prepared.write(&mut package)?;
    Ok(package)
}

const KNOWN: &str = "is known from before";
const DOUBTED: &str = "may be wrong, so they are read as a whole";

/// Makes a layer of plain bytes.
type Compress = dyn Fn(&[u8]) -> Layer;

/// Changes the bytes of an index.
type Damage = dyn Fn(&mut Vec<u8>);

#[test]
fn the_package_is_the_same_the_first_time_and_the_second_time_and_without() {
    let compressions: [&Compress; 3] = [&plain, &|bytes| zlib(bytes, 6), &|bytes| layer(bytes, BlobCompression::Zstd)];
    for (number, compress) in compressions.into_iter().enumerate() {
        let (base, target) = versions(compress);
        for method in METHODS {
            let expected = packed(from_ref(&target), from_ref(&base), &options(method));
            let (cache, details) = (Kept::default(), Details::default());
            for known in [0, 1] {
                let package = made((&base, &target), method, &cache, &details).unwrap();
                assert!(package == expected, "{number} {method} {known}");
                // Of what is held, zstd does not say how long it is.
                assert_eq!(details.count(KNOWN) > 0, known == 1 && number < 2, "{number} {method}");
            }
            assert_eq!(details.count(DOUBTED), 0);
            let rebuilt = applied(&open(&expected).unwrap(), &Delivery::Original, &layers(from_ref(&base))).unwrap();
            assert_same(&rebuilt[0], &target);
        }
    }
}

#[test]
fn an_index_of_another_method_is_used_as_far_as_it_goes() {
    let (base, target) = versions(plain);
    let (cache, details) = (Kept::default(), Details::default());
    made((&base, &target), Method::Xdelta3, &cache, &details).unwrap();
    made((&base, &target), Method::Auto, &cache, &details).unwrap();
    assert_eq!(details.count(KNOWN), 0, "entries are not known yet");
    made((&base, &target), Method::Auto, &cache, &details).unwrap();
    assert_eq!(details.count(KNOWN), 3);
    made((&base, &target), Method::Xdelta3, &cache, &details).unwrap();
    assert_eq!(details.count(KNOWN), 6);
}

#[test]
fn of_a_base_that_is_known_only_what_is_used_is_read() {
    let (base, target) = versions(plain);
    let read: Vec<Arc<AtomicU64>> = (0..3).map(|_| Arc::default()).collect();
    let mut counted = base;
    for (layer, read) in counted.manifests[0].layers.iter_mut().zip(&read) {
        let bytes = bytes(&layer.content.plain().unwrap());
        layer.content = Arc::new(Content(Arc::new(Counted { bytes, read: read.clone() })));
    }
    let cache = Kept::default();
    let run = || {
        read.iter().for_each(|read| read.store(0, Ordering::Relaxed));
        made((&counted, &target), Method::Auto, &cache, &Details::default()).unwrap();
        read.iter().map(|read| read.load(Ordering::Relaxed)).collect::<Vec<_>>()
    };
    let length = 1_200_000;
    let first = run();
    assert!(first.iter().all(|read| *read > length), "{first:?}");
    let second = run();
    assert_eq!((second[0], second[2]), (0, 0), "what both sides have is left alone");
    // The proof copies what did not change.
    assert!(second[1] > length && second[1] + length < first[1] + 200_000, "{first:?} {second:?}");
}

#[test]
fn a_base_that_was_damaged_since_is_named_where_it_is_used() {
    let (base, target) = versions(plain);
    for method in [Method::Auto, Method::Xdelta3, Method::Bsdiff] {
        let (cache, details) = (Kept::default(), Details::default());
        let expected = made((&base, &target), method, &cache, &details).unwrap();
        let used = &base.manifests[0].layers[1];
        let sound = bytes(&used.content.plain().unwrap());
        // A content that is copied, one that is patched, a header, and the end.
        for place in [700, sound.len() - 3_000, 0, sound.len() - 1] {
            let mut damaged = base.clone();
            let mut other = sound.clone();
            other[place] ^= 1;
            damaged.manifests[0].layers[1] = lying(used, &other);
            match made((&damaged, &target), method, &cache, &details) {
                // Nothing was made of it.
                Ok(package) => assert!(package == expected && place + 1_024 >= sound.len(), "{method} {place}"),
                Err(refused) => {
                    let named = format!("the base layer {}: expected sha256:", used.diff_id.short());
                    assert!(refused.kind() == Kind::Content && refused.to_string().starts_with(&named), "{refused}");
                }
            }
        }
        assert!(details.count(DOUBTED) >= 3, "{method}");
    }
}

#[test]
fn a_base_that_became_shorter_is_named() {
    let (base, target) = versions(plain);
    let cache = Kept::default();
    made((&base, &target), Method::Auto, &cache, &Details::default()).unwrap();
    for number in 0..3 {
        let mut damaged = base.clone();
        damaged.manifests[0].layers[number] = lying(&base.manifests[0].layers[number], &noise(8, 5_000));
        let refused = error(made((&damaged, &target), Method::Auto, &cache, &Details::default()));
        let named = format!("the base layer {}: expected sha256:", base.manifests[0].layers[number].diff_id.short());
        assert!(refused.to_string().starts_with(&named), "{refused}");
    }
}

/// Where in the bytes of an index its first number stands.
const LENGTH: usize = 52;

/// Writes the checksum of an index again.
fn sealed(index: &mut Vec<u8>) {
    index.truncate(index.len() - 16);
    let checksum = xxhash_rust::xxh3::xxh3_128(index);
    index.extend(checksum.to_le_bytes());
}

/// What the package makes of the base is the target.
fn assert_applies(package: &[u8], base: &Image, target: &Image) {
    let rebuilt = applied(&open(package).unwrap(), &Delivery::Original, &layers(from_ref(base))).unwrap();
    assert_same(&rebuilt[0], target);
}

#[test]
fn an_index_that_misleads_never_makes_another_package_wrong() {
    let compressions: [&Compress; 2] = [&plain, &|bytes| zlib(bytes, 6)];
    for compress in compressions {
        let (base, target) = versions(compress);
        let cache = Kept::default();
        let expected = made((&base, &target), Method::Auto, &cache, &Details::default()).unwrap();
        let hashes = 8 * 1_200_000_usize.div_ceil(4_096);
        // The length, a hash of a block, the hash of a content (which then is another one), a path.
        for (place, what) in [(LENGTH, "length"), (LENGTH + 8, "first block"), (LENGTH + hashes / 2, "a block")] {
            let misleading = cache.changed(|index| {
                index[place] ^= 1;
                sealed(index);
            });
            let details = Details::default();
            let package = made((&base, &target), Method::Auto, &misleading, &details).unwrap();
            assert!(package == expected, "{what}");
            made((&base, &target), Method::Auto, &misleading, &details).unwrap();
        }
        for from_end in (17..260).step_by(9) {
            let misleading = cache.changed(|index| {
                let place = index.len() - from_end;
                index[place] ^= 1;
                sealed(index);
            });
            let package = made((&base, &target), Method::Auto, &misleading, &Details::default()).unwrap();
            assert_applies(&package, &base, &target);
        }
    }
}

#[test]
fn an_index_that_says_of_a_layer_what_is_in_another_costs_bytes_at_the_most() {
    let (base, target) = versions(plain);
    let cache = Kept::default();
    let expected = made((&base, &target), Method::Auto, &cache, &Details::default()).unwrap();
    let [first, second] = [0, 1].map(|number: usize| base.manifests[0].layers[number].diff_id);
    let mut all = cache.all();
    let mut other = all[&first].clone();
    other[LENGTH - 32..LENGTH].copy_from_slice(second.as_bytes());
    sealed(&mut other);
    all.insert(second, other);
    let package = made((&base, &target), Method::Auto, &Kept(Mutex::new(all)), &Details::default()).unwrap();
    assert!(package.len() > expected.len());
    assert_applies(&package, &base, &target);
}

#[test]
fn what_is_no_index_is_replaced() {
    let (base, target) = versions(plain);
    let cache = Kept::default();
    let expected = made((&base, &target), Method::Auto, &cache, &Details::default()).unwrap();
    let damages: [&Damage; 4] =
        [&Vec::clear, &|index| index[100] ^= 1, &|index| index.truncate(1_000), &|index| index[18] = b'0'];
    for damage in damages {
        let damaged = cache.changed(damage);
        let details = Details::default();
        assert!(made((&base, &target), Method::Auto, &damaged, &details).unwrap() == expected);
        assert_eq!((details.count(KNOWN), damaged.all() == cache.all()), (0, true));
    }
}

#[test]
fn kept_base_bytes_are_the_least_of_which_something_is_kept() {
    let image =
        |name, change: u64| image_of(name, vec![plain(&noise(1, 1 << 20)), plain(&noise(change, (1 << 20) - 1))]);
    let (base, target) = (image("app:v1", 2), image("app:v2", 3));
    let cache = Kept::default();
    made((&base, &target), Method::Auto, &cache, &Details::default()).unwrap();
    assert!(cache.all().keys().eq([&DiffId::of(&noise(1, 1 << 20))]));
}

#[test]
fn nothing_is_kept_of_a_base_that_is_not_what_its_digest_says() {
    let (base, target) = versions(plain);
    let mut damaged = base.clone();
    damaged.manifests[0].layers[1] = lying(&base.manifests[0].layers[1], &noise(3, 2_000_000));
    let cache = Kept::default();
    error(made((&damaged, &target), Method::Auto, &cache, &Details::default()));
    assert!(!cache.all().contains_key(&base.manifests[0].layers[1].diff_id));
    create(from_ref(&target), from_ref(&base), &options(Method::Auto), CONTEXT).unwrap();
}
