use delta_core::image::Document;
use delta_core::job::places::Nowhere;
use delta_core::job::progress::Silent;
use tempfile::TempDir;

use super::super::write_archive;
use super::*;
use crate::destination::{Product, Request};
use crate::fixtures::rebuilt;
use crate::inputs::Inputs;

/// Layers of every length that a block of a tar makes a difference for.
const LENGTHS: [usize; 6] = [0, 1, 511, 512, 513, 300_000];

fn layer(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 7 + length).to_le_bytes()[0]).collect()
}

fn blob(bytes: &[u8]) -> VerifiedBlob {
    VerifiedBlob::check(BlobDigest::of(bytes), Arc::new(bytes.to_vec()), "a blob").unwrap()
}

fn image() -> RebuiltImage {
    let layers = LENGTHS.map(layer);
    rebuilt(&["app:v2"], &layers.each_ref().map(Vec::as_slice))
}

fn made() -> Made {
    LENGTHS.map(|length| (BlobDigest::of(&layer(length)), blob(&layer(length)))).into()
}

fn sizes() -> Sizes {
    LENGTHS.map(|length| (BlobDigest::of(&layer(length)), length as u64)).into()
}

/// Makes the blobs whose lengths `is_placed` at their places, and the others elsewhere.
fn make(places: &dyn Places, is_placed: &dyn Fn(usize) -> bool) -> Result<Made> {
    let mut made = made();
    for length in LENGTHS.into_iter().filter(|length| is_placed(*length)) {
        let (digest, bytes) = (BlobDigest::of(&layer(length)), layer(length));
        let mut place = places.place(digest).unwrap().expect("a place");
        place.write_all(&bytes).unwrap();
        made.insert(digest, VerifiedBlob::check(digest, place.freeze().unwrap(), "a blob").unwrap());
        assert!(places.place(digest).unwrap().is_none(), "a place is given once");
    }
    assert!(places.place(BlobDigest::of(b"another")).unwrap().is_none());
    Ok(made)
}

fn destination(folder: &TempDir, product: Product) -> Destination {
    let (path, inputs) = (folder.path().join("made"), Inputs::default());
    Destination::choose(Request { product, path: &path, name: None, force: false, inputs: &inputs }).unwrap()
}

fn written(write: impl FnOnce(&Destination) -> Result<()>, product: Product) -> (TempDir, Result<()>) {
    let folder = tempfile::tempdir().unwrap();
    let done = write(&destination(&folder, product));
    (folder, done)
}

fn archive(is_placed: &dyn Fn(usize) -> bool) -> Vec<u8> {
    let write = |to: &Destination| write_archive_in_place(&[image()], &sizes(), to, |places| make(places, is_placed));
    let (folder, done) = written(write, Product::Archive);
    done.unwrap();
    fs::read(folder.path().join("made")).unwrap()
}

#[test]
fn an_archive_is_the_same_wherever_its_blobs_are_made() {
    let mut expected = Vec::new();
    write_archive(&[RebuiltImage { blobs: made(), ..image() }], Naming::Named, &Silent, &mut expected).unwrap();
    assert!(archive(&|_| false) == expected, "none at its place");
    assert!(archive(&|_| true) == expected, "all at their places");
    for placed in LENGTHS {
        assert!(archive(&|length| length == placed) == expected, "{placed}");
        assert!(archive(&|length| length != placed) == expected, "all but {placed}");
    }
}

#[test]
fn a_layout_is_the_same_wherever_its_blobs_are_made() {
    let files = |is_placed: &dyn Fn(usize) -> bool| {
        let folder = tempfile::tempdir().unwrap();
        write_layout_in_place(&[image()], folder.path(), |places| make(places, is_placed)).unwrap();
        let names = ["oci-layout", "index.json"].map(str::to_owned);
        let blobs = fs::read_dir(folder.path().join("blobs/sha256")).unwrap();
        let blobs = blobs.map(|blob| format!("blobs/sha256/{}", blob.unwrap().file_name().to_str().unwrap()));
        let all = names.into_iter().chain(blobs);
        all.map(|name| (name.clone(), fs::read(folder.path().join(name)).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let expected = files(&|_| false);
    assert_eq!(expected.len(), 2 + 2 + LENGTHS.len());
    for length in LENGTHS {
        assert_eq!(expected[&blob_name(BlobDigest::of(&layer(length)))], layer(length));
    }
    assert!(files(&|_| true) == expected && files(&|length| length > 511) == expected);
}

#[test]
fn what_is_document_and_blob_is_written_once() {
    let mut image = image();
    let config = Document::new(layer(1));
    image.documents.insert(config.digest(), config);
    let folder = tempfile::tempdir().unwrap();
    for is_placed in [true, false] {
        let folder = folder.path().join(is_placed.to_string());
        let images = [image.clone()];
        write_layout_in_place(&images, &folder, |places| make(places, &|_| is_placed)).unwrap();
        assert_eq!(fs::read(folder.join(blob_name(BlobDigest::of(&layer(1))))).unwrap(), layer(1));
        let (written, done) = written(
            |to| write_archive_in_place(&images, &sizes(), to, |places| make(places, &|_| is_placed)),
            Product::Archive,
        );
        done.unwrap();
        assert!(fs::read(written.path().join("made")).unwrap() == archive(&|_| true));
    }
}

#[test]
fn nothing_is_left_when_a_blob_cannot_be_made() {
    let fails = |places: &dyn Places| {
        make(places, &|_| true)?;
        Err(Error::content("the layer is damaged"))
    };
    let (archive, failed) = written(|to| write_archive_in_place(&[image()], &sizes(), to, fails), Product::Archive);
    assert_eq!(failed.unwrap_err().to_string(), "the layer is damaged");
    let layout = |to: &Destination| to.write_folder(|folder| write_layout_in_place(&[image()], folder, fails));
    let (layout, failed) = written(layout, Product::Layout);
    assert_eq!(failed.unwrap_err().to_string(), "the layer is damaged");
    for folder in [archive, layout] {
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_lacks_a_blob_is_never_written() {
    let lost = BlobDigest::of(&layer(513));
    let lacking = |_: &dyn Places| {
        let mut made = made();
        made.remove(&lost);
        Ok(made)
    };
    let (folder, failed) = written(|to| write_archive_in_place(&[image()], &sizes(), to, lacking), Product::Archive);
    assert_eq!(failed.unwrap_err().to_string(), format!("the blob {lost} was not rebuilt"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let folder = tempfile::tempdir().unwrap();
    let failed = write_layout_in_place(&[image()], folder.path(), lacking).unwrap_err();
    assert_eq!(failed.to_string(), format!("the blob {lost} was not rebuilt"));
    assert!(made_blob(&made(), lost).is_ok() && Nowhere.place(lost).unwrap().is_none());
}

#[test]
fn a_file_that_is_there_already_is_named_as_what_stood_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join(blob_name(BlobDigest::of(&layer(1))));
    fs::create_dir_all(taken.parent().unwrap()).unwrap();
    fs::write(&taken, b"other").unwrap();
    let make = |places: &dyn Places| {
        let refused = places.place(BlobDigest::of(&layer(1))).map(|_| ()).unwrap_err();
        Err(Error::io("rebuilding the layer")(refused))
    };
    let error = write_layout_in_place(&[image()], folder.path(), make).unwrap_err().to_string();
    assert!(error.starts_with(&format!("writing {}: ", taken.display())), "{error}");
    assert_eq!(fs::read(&taken).unwrap(), b"other");
}
