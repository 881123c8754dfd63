//! What `create` makes, `apply` gives back: the package is proved before anybody sees it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fmt;
use std::io;
use std::slice::from_ref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use common::layer_builder::LayerBuilder;
use common::{CONTEXT, packed, zlib};
use common::{applied, assert_same, edited, error, gzipped, image, image_of, layer, layers, noise, open, options};
use delta_codec::{MemoryScratch, ReadAt};
use delta_core::Kind;
use delta_core::apply::Delivery;
use delta_core::create::create;
use delta_core::image::{BlobCompression, Image, Layer, LayerContent, VerifiedLayer};
use delta_core::job::choices::Method;
use delta_core::job::context::Context;
use delta_core::job::progress::{Progress, Silent, Task};
use delta_core::verify::{Proof, room, verify};

/// Rows of a table as databases export them: eight times as long as their compressed form.
fn export(rows: usize) -> Vec<u8> {
    let (random, states) = (noise(1, 4 * rows), ["open", "paid", "shipped", "returned"]);
    let row = |(number, random): (usize, &[u8])| {
        let [one, two, three, four] = [random[0], random[1], random[2], random[3]].map(usize::from);
        format!(
            "INSERT INTO orders VALUES ({number},'customer-{}','2026-0{}-1{}','{}',{},'EUR');\n",
            (one + 256 * two) % 2_000,
            1 + two % 8,
            three % 9,
            states[three / 64],
            four % 100
        )
    };
    random.chunks(4).enumerate().map(row).collect::<String>().into_bytes()
}

/// A base, and an image with one compressed file that is much longer when it is opened than its layer is.
fn pair() -> (Image, Image) {
    let plain = export(60_000);
    let archive = LayerBuilder::new().file("dump.sql.gz", &gzipped(&plain, 6)).finish();
    assert!(plain.len() > 2 * archive.len() + (1 << 20));
    let first = LayerBuilder::new().file("etc/os-release", &export(9)).finish();
    (image("shop:v1", &[&first]), image("shop:v2", &[&first, &archive]))
}

#[test]
fn a_file_that_is_long_when_it_is_opened_comes_back() {
    let (base, target) = pair();
    for bases in [vec![base], Vec::new()] {
        let package = open(&packed(from_ref(&target), &bases, &options(Method::Auto))).unwrap();
        assert!(package.metadata().layers.iter().any(|layer| layer.origin.recompressed() > 0));
        let rebuilt = applied(&package, &Delivery::Original, &layers(&bases)).unwrap();
        assert_same(&rebuilt[0], &target);
    }
}

#[test]
fn no_stream_is_longer_than_its_layer_and_what_is_opened_allow() {
    let (base, target) = pair();
    let bases = [base];
    let package = packed(&[target], &bases, &options(Method::Auto));
    for claimed in [1, 1_000_000] {
        let altered = edited(&package, |metadata| {
            metadata["layers"][1]["origin"]["coded"]["recompressed"] = claimed.into();
        });
        let opened = open(&altered).unwrap();
        for refused in
            [error(verify(&opened, &[], CONTEXT)), error(applied(&opened, &Delivery::Original, &layers(&bases)))]
        {
            assert_eq!(refused.kind(), Kind::Content);
            assert!(refused.to_string().contains("more bytes come than the metadata says"), "{refused}");
        }
    }
    for (claimed, expected) in [(u64::MAX, "at most 1099511627776"), (1 << 41, "at most 1099511627776")] {
        let altered = edited(&package, |metadata| {
            metadata["layers"][1]["origin"]["coded"]["recompressed"] = claimed.into();
        });
        let refused = error(open(&altered));
        assert!(refused.to_string().contains(expected), "{refused}");
    }
}

#[test]
fn verify_says_of_each_layer_how_far_it_is_proved() {
    let changed = |version: u64| [noise(1, 9_000), noise(version, 30)].concat();
    let (base, target) =
        (image("app:v1", &[b"same", &changed(2)]), image("app:v2", &[b"same", &changed(3), &noise(9, 700)]));
    let held = layers(from_ref(&base));
    let verified = |layer: &Layer| VerifiedLayer::check(layer.diff_id, layer.content.plain().unwrap(), "").unwrap();
    for method in [Method::Auto, Method::Xdelta3, Method::Bsdiff] {
        let package = open(&packed(from_ref(&target), from_ref(&base), &options(method))).unwrap();
        let proofs = |bases: &[VerifiedLayer]| {
            verify(&package, bases, CONTEXT).unwrap().layers.iter().map(|layer| layer.proof).collect::<Vec<_>>()
        };
        let bases: Vec<_> = held.iter().map(verified).collect();
        assert_eq!(proofs(&bases), [Proof::Held, Proof::Rebuilt, Proof::Rebuilt], "{method}");
        assert_eq!(proofs(&[])[..2], [Proof::Held, Proof::ReadThrough], "{method}");
    }
}

#[test]
fn the_room_of_verify_is_what_can_be_rebuilt_without_a_base() {
    let changed = |version: u64| [noise(1, 9_000), noise(version, 30)].concat();
    let base = image("app:v1", &[b"same", &changed(2)]);
    let target = image("app:v2", &[b"same", &changed(3), &noise(9, 700)]);
    let package = |bases: &[Image], method| open(&packed(from_ref(&target), bases, &options(method))).unwrap();
    assert_eq!(room(package(from_ref(&base), Method::Xdelta3).metadata()), 700, "which looks like nothing");
    assert_eq!(room(package(from_ref(&base), Method::Layer).metadata()), 9_030 + 700);
    assert_eq!(room(package(&[], Method::Layer).metadata()), 4 + 9_030 + 700);
    // A blob that is made again takes its own room beside its layer's.
    let text: Vec<u8> = noise(5, 60_000).into_iter().map(|byte| byte & 31).collect();
    let again = image_of("app:v1", vec![zlib(&text, 6)]);
    let blob = again.manifests[0].layers[0].blob_size;
    let package = open(&packed(&[again], &[], &options(Method::Xdelta3))).unwrap();
    assert_eq!(room(package.metadata()), text.len() as u64 + blob);
}

/// Bytes that are read as others while `lies` is set: a file that is changed while it is read.
struct Changing {
    bytes: Vec<u8>,
    lies: Arc<AtomicBool>,
}

impl ReadAt for Changing {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.bytes.read_at(buffer, offset)?;
        if self.lies.load(Ordering::Relaxed) {
            buffer[..count].iter_mut().for_each(|byte| *byte ^= 1);
        }
        Ok(count)
    }
}

/// A layer whose content changes.
struct Shared(Arc<Changing>);

impl LayerContent for Shared {
    fn plain(&self) -> delta_core::Result<Arc<dyn ReadAt>> {
        Ok(self.0.clone())
    }

    fn stored(&self) -> delta_core::Result<Arc<dyn ReadAt>> {
        Ok(self.0.clone())
    }
}

/// How long a layer is read wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lies {
    /// While it is coded for the first time.
    Once,
    /// Whenever it is coded.
    Coding,
    /// From the start.
    Always,
}

/// Sets `lies` as long as [`Lies`] says, and takes note of what is told.
struct Listener {
    lies: Arc<AtomicBool>,
    when: Lies,
    told: Mutex<Vec<String>>,
}

impl Progress for Listener {
    fn begin(&self, what: &str, _total: Option<u64>) -> Box<dyn Task> {
        if what.starts_with("Coding layer") {
            self.lies.store(true, Ordering::Relaxed);
        } else if what == "Rebuilding layers" {
            self.lies.store(self.when == Lies::Always, Ordering::Relaxed);
        }
        Box::new(Silent)
    }

    fn inform(&self, message: fmt::Arguments<'_>) {
        self.told.lock().unwrap().push(message.to_string());
        self.lies.store(self.when != Lies::Once, Ordering::Relaxed);
    }

    fn detail(&self, _message: fmt::Arguments<'_>) {}
}

/// Makes a package of a layer that is read wrongly.
fn of_a_changing_layer(method: Method, when: Lies) -> (delta_core::Result<Vec<u8>>, Image, Vec<String>) {
    let bytes = LayerBuilder::new().file("data", &noise(5, 1 << 21)).finish();
    let lies = Arc::new(AtomicBool::new(when == Lies::Always));
    let honest = layer(&bytes, BlobCompression::None);
    let content = Shared(Arc::new(Changing { bytes, lies: lies.clone() }));
    let target = image_of("app:v2", vec![Layer { content: Arc::new(content), ..honest.clone() }]);
    let listener = Listener { lies, when, told: Mutex::default() };
    let context = Context { scratch: &MemoryScratch, progress: &listener, cache: None };
    let package = create(&[target], &[], &options(method), context).map(|prepared| {
        let mut package = Vec::new();
        prepared.write(&mut package).unwrap();
        package
    });
    (package, image_of("app:v2", vec![honest]), listener.told.into_inner().unwrap())
}

#[test]
fn a_layer_that_does_not_come_back_is_coded_otherwise_and_that_is_said() {
    let (package, target, told) = of_a_changing_layer(Method::Auto, Lies::Once);
    let rebuilt = applied(&open(&package.unwrap()).unwrap(), &Delivery::Original, &[]).unwrap();
    assert_same(&rebuilt[0], &target);
    assert!(
        told.iter().any(|line| line.contains("does not come back by `recipe`, so it travels by `whole`")),
        "{told:?}"
    );
}

#[test]
fn a_package_that_cannot_be_proved_is_a_fault_of_ours() {
    for (method, when) in [(Method::Auto, Lies::Coding), (Method::Layer, Lies::Once), (Method::Xdelta3, Lies::Once)] {
        let (package, ..) = of_a_changing_layer(method, when);
        let refused = error(package);
        assert_eq!(refused.kind(), Kind::Internal, "{method}: {refused}");
        assert!(refused.to_string().contains("would not give back what went into it"), "{refused}");
    }
}

#[test]
fn a_layer_with_other_bytes_than_its_digest_says_is_a_fault_of_its_source() {
    for method in [Method::Auto, Method::Layer, Method::Xdelta3] {
        let (package, _, told) = of_a_changing_layer(method, Lies::Always);
        let refused = error(package);
        assert_eq!(refused.kind(), Kind::Content, "{method}: {refused}");
        assert!(refused.to_string().contains("the target layer"), "{refused}");
        assert!(told.is_empty(), "{told:?}");
    }
}
