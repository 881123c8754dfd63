//! A package that is not what its maker wrote is refused, and said to be so.

mod common;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{
    CONTEXT, applied, assert_same, compressed, edited, error, image, layers, members, noise, open, options, packed,
    sealed,
};
use delta_codec::compress::Compression;
use delta_codec::{ReadAt, Scratch, ScratchFile};
use delta_core::apply::Delivery;
use delta_core::image::Image;
use delta_core::job::choices::Method;
use delta_core::limits::{SIGNATURE_BYTES, SIGNATURES};
use delta_core::package::Package;
use delta_core::verify::verify;
use delta_core::{Kind, Result};

/// Two small versions of an image: one layer held, one changed, one added.
fn pair() -> (Image, Image) {
    let changed = noise(2, 3000);
    let mut after = changed.clone();
    after.splice(1000..1010, *b"something else");
    let base = image("app:v1", &[&noise(1, 600), &changed]);
    let target = image("app:v2", &[&noise(1, 600), &after, b"a little layer"]);
    (base, target)
}

fn package() -> Vec<u8> {
    let (base, target) = pair();
    packed(&[target], &[base], &options(Method::Xdelta3))
}

/// Opens and verifies: what a careful receiver does.
fn accept(bytes: &[u8]) -> Result<()> {
    verify(&open(bytes)?, &[], CONTEXT).map(|_| ())
}

#[test]
fn a_package_is_what_this_test_takes_it_for() {
    let package = package();
    accept(&package).unwrap();
    assert!(sealed(&members(&package)) == package);
}

#[test]
fn every_cut_is_noticed() {
    let package = package();
    for length in 0..package.len() {
        let error = error(accept(&package[..length]));
        assert_eq!(error.kind(), Kind::Content, "cut at {length}: {error}");
    }
}

#[test]
fn every_altered_byte_is_noticed() {
    let package = package();
    for at in 0..package.len() {
        for value in [package[at] ^ 1, package[at] ^ 0x20, 0] {
            if value == package[at] {
                continue;
            }
            let mut altered = package.clone();
            altered[at] = value;
            let error = error(accept(&altered));
            assert_eq!(error.kind(), Kind::Content, "byte {at}: {error}");
        }
    }
}

#[test]
fn what_follows_the_end_is_noticed() {
    for more in [1, 511, 512, 10_240] {
        let mut package = package();
        package.resize(package.len() + more, 0);
        let error = error(accept(&package));
        assert!(error.to_string().contains("follow behind its end"), "{error}");
    }
}

#[test]
fn what_is_no_package_is_said_to_be_so() {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut tar::Header::new_gnu(), "file", &b""[..]).unwrap();
    for bytes in [b"".to_vec(), b"text".to_vec(), vec![0; 4096], noise(1, 4096), tar.into_inner().unwrap()] {
        let error = error(open(&bytes));
        assert_eq!(error.kind(), Kind::Content);
        assert!(error.to_string().contains("this is no package of docker_delta"), "{error}");
    }
}

#[test]
fn a_package_that_was_compressed_for_the_journey_is_accepted() {
    let (base, target) = pair();
    let (targets, bases) = ([target], [base]);
    let package = packed(&targets, &bases, &options(Method::Bsdiff));
    for compression in [Compression::Zstd, Compression::Gzip, Compression::Bzip2, Compression::Xz] {
        let wrapped = compressed(&package, compression);
        let opened = open(&wrapped).unwrap();
        let rebuilt = applied(&opened, &Delivery::Original, &layers(&bases)).unwrap();
        assert_same(&rebuilt[0], &targets[0]);
        for length in [wrapped.len() - 1, wrapped.len() / 2, 10] {
            let error = error(open(&wrapped[..length]));
            assert_eq!(error.kind(), Kind::Content, "{compression} cut at {length}: {error}");
        }
        for at in (0..wrapped.len()).step_by(7) {
            let mut altered = wrapped.clone();
            altered[at] ^= 0x10;
            match open(&altered) {
                // A compressor's own header has bytes without meaning: then the package is whole.
                Ok(opened) => assert_eq!(opened.size(), package.len() as u64),
                Err(error) => assert_eq!(error.kind(), Kind::Content, "{compression} byte {at}: {error}"),
            }
        }
    }
}

#[test]
fn a_small_file_cannot_fill_the_disk() {
    let package = package();
    let mut swollen = package.clone();
    swollen.resize(package.len() + (8 << 20), 0);
    let room = Counting::default();
    let wrapped: Arc<dyn ReadAt> = Arc::new(compressed(&swollen, Compression::Zstd));
    let error = error(Package::open(wrapped, &room));
    assert_eq!(error.kind(), Kind::Content, "{error}");
    let used = room.0.load(Ordering::Relaxed);
    // Signatures may follow a package, and how many is not said.
    let signatures = SIGNATURES * (512 + usize::try_from(SIGNATURE_BYTES).unwrap());
    assert!(used <= package.len() + signatures + 1, "{used} bytes of room for a package of {}", package.len());
}

/// Room that counts what is put into it.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Scratch for Counting {
    fn create(&self) -> io::Result<Box<dyn ScratchFile>> {
        Ok(Box::new(CountingFile(Vec::new(), self.clone())))
    }
}

struct CountingFile(Vec<u8>, Counting);

impl Write for CountingFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.1.0.fetch_add(buffer.len(), Ordering::Relaxed);
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ScratchFile for CountingFile {
    fn freeze(self: Box<Self>) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::new(self.0))
    }
}

#[test]
fn members_that_are_not_listed_or_listed_but_absent_are_noticed() {
    let whole = members(&package());
    let mut more = whole.clone();
    more.push(("layer_deltas/more".to_owned(), b"more".to_vec()));
    let mut fewer = whole.clone();
    fewer.pop();
    let mut swapped = whole.clone();
    swapped.swap(1, 2);
    let mut twice = whole.clone();
    twice.push(whole[1].clone());
    for wrong in [more, fewer, swapped, twice] {
        let error = error(accept(&sealed(&wrong)));
        assert!(error.to_string().contains("other members than its metadata.json lists"), "{error}");
    }
}

#[test]
fn a_member_that_was_exchanged_is_noticed() {
    let whole = members(&package());
    for index in 1..whole.len() {
        let mut altered = whole.clone();
        altered[index].1[0] ^= 1;
        let error = error(accept(&sealed(&altered)));
        assert_eq!(error.kind(), Kind::Content);
        assert!(error.to_string().contains(&whole[index].0), "{error}");
    }
}

#[test]
fn other_versions_and_unknown_features_are_refused_by_name() {
    let package = package();
    let error_of = |edit: fn(&mut serde_json::Value)| error(open(&edited(&package, edit))).to_string();
    assert_eq!(
        error_of(|metadata| metadata["format"] = 2.into()),
        "the package has format version 2; this program reads version 1"
    );
    assert_eq!(
        error_of(|metadata| metadata["requires"] = serde_json::json!(["vcdiff", "teleport"])),
        "the package requires the feature `teleport`, which this program lacks"
    );
    // The version is looked at first, so that fields of a later one are no fault.
    let later = error_of(|metadata| *metadata = serde_json::json!({"format": 7, "planets": 9}));
    assert_eq!(later, "the package has format version 7; this program reads version 1");
    assert!(error_of(|metadata| metadata["colour"] = "red".into()).contains("unknown field `colour`"));
}
