use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use delta_core::error::Kind;

use super::*;
use crate::fixtures::{all, compressed, is_refused, noise, scratch};

const LAYER: &[u8] = b"a layer, which need not be a tar";

fn blob(bytes: &[u8]) -> Blob {
    Blob::new("the layer".to_owned(), Arc::new(bytes.to_vec()), scratch()).unwrap()
}

#[test]
fn a_blob_is_what_its_first_bytes_say() {
    for (compression, named) in [
        (Compression::None, Some(BlobCompression::None)),
        (Compression::Gzip, Some(BlobCompression::Gzip)),
        (Compression::Zstd, Some(BlobCompression::Zstd)),
        (Compression::Bzip2, None),
        (Compression::Xz, None),
    ] {
        let stored = if compression == Compression::None { LAYER.to_vec() } else { compressed(LAYER, compression) };
        let blob = blob(&stored);
        assert_eq!(blob.compression(), named, "{compression}");
        assert!(all(&blob.plain().unwrap()) == LAYER && all(&blob.stored().unwrap()) == stored, "{compression}");
    }
}

#[test]
fn few_bytes_are_no_stream_of_any_compressor() {
    for bytes in [&b""[..], b"\x1f", b"\x1f\x8b", b"\x28\xb5\x2f", b"BZh", b"\xfd7zXZ"] {
        let blob = blob(bytes);
        assert_eq!((blob.compression(), all(&blob.plain().unwrap())), (Some(BlobCompression::None), bytes.to_vec()));
    }
}

#[test]
fn an_opaque_blob_is_not_opened_whatever_it_looks_like() {
    let stored = compressed(LAYER, Compression::Gzip);
    let blob = Blob::opaque("the blob".to_owned(), Arc::new(stored.clone()), scratch());
    assert_eq!(blob.compression(), Some(BlobCompression::None));
    assert!(all(&blob.plain().unwrap()) == stored && all(&blob.stored().unwrap()) == stored);
}

#[test]
fn a_blob_is_near_until_it_is_said_to_be_far() {
    let near = blob(LAYER);
    assert!(!near.is_far());
    let far = near.far();
    assert!(far.is_far() && all(&far.plain().unwrap()) == LAYER);
}

/// Bytes that count how often they are read from their start.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl ReadAt for Counted {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.1.fetch_add(usize::from(offset == 0), Ordering::Relaxed);
        self.0.read_at(buffer, offset)
    }
}

#[test]
fn a_blob_is_decompressed_once() {
    let reads = Arc::new(AtomicUsize::new(0));
    let stored = Counted(compressed(&noise(300_000, 1), Compression::Zstd), reads.clone());
    let blob = Blob::new("the layer".to_owned(), Arc::new(stored), scratch()).unwrap();
    assert_eq!(reads.load(Ordering::Relaxed), 1, "its first bytes are looked at, and no more");
    for _ in 0..3 {
        assert!(all(&blob.plain().unwrap()) == noise(300_000, 1));
        assert_eq!(reads.load(Ordering::Relaxed), 2);
    }
}

#[test]
fn a_stream_that_is_cut_or_changed_is_an_error_that_names_it() {
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz] {
        let stored = compressed(&noise(2_000, 2), compression);
        for length in [7, stored.len() / 2, stored.len() - 1] {
            is_refused(blob(&stored[..length]).plain(), Kind::Content, &["decompressing the layer: "]);
        }
        let mut changed = stored.clone();
        changed[stored.len() / 2] ^= 0x10;
        // What has a checksum is refused; what has none is for the digest to tell.
        match blob(&changed).plain() {
            Ok(plain) => assert!(compression == Compression::Zstd && all(&plain) != noise(2_000, 2)),
            Err(error) => assert!(error.to_string().starts_with("decompressing the layer: "), "{error}"),
        }
    }
}

#[test]
fn what_cannot_be_read_is_told_at_once() {
    struct Gone;
    impl ReadAt for Gone {
        fn len(&self) -> u64 {
            10
        }

        fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
            Err(io::Error::other("the stick is gone"))
        }
    }
    let blob = Blob::new("the layer 12ab".to_owned(), Arc::new(Gone), scratch()).map(|_| ());
    is_refused(blob, Kind::Environment, &["reading the layer 12ab: the stick is gone"]);
}
