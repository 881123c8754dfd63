use std::sync::atomic::{AtomicUsize, Ordering};

use delta_core::error::Kind;

use super::*;
use crate::fixtures::is_refused;

struct Counting<'a>(&'a AtomicUsize);

impl Fetch for Counting<'_> {
    fn first_bytes(&self, buffer: &mut [u8]) -> Result<usize> {
        buffer.fill(b'f');
        Ok(buffer.len())
    }

    fn all(&self) -> Result<Arc<dyn ReadAt>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(b"all of its bytes here".to_vec()))
    }
}

#[test]
fn a_blob_is_fetched_once_and_only_for_more_than_its_first_bytes() {
    let count = AtomicUsize::new(0);
    let blob = LateBlob::new(Counting(&count), 21);
    let mut first = [0; FIRST_BYTES];
    assert_eq!((blob.len(), blob.read_at(&mut first, 0).unwrap()), (21, FIRST_BYTES));
    assert_eq!((first, count.load(Ordering::Relaxed)), ([b'f'; FIRST_BYTES], 0));
    let mut more = [0; FIRST_BYTES + 1];
    blob.read_exact_at(&mut more, 0).unwrap();
    blob.read_exact_at(&mut more[..4], 17).unwrap();
    assert_eq!((&more[..4], count.load(Ordering::Relaxed)), (&b"here"[..], 1));
}

/// What tells which of its parts was asked for, and fails where it should.
struct Asked<'a> {
    all: &'a AtomicUsize,
    failures: AtomicUsize,
}

impl Fetch for Asked<'_> {
    fn first_bytes(&self, buffer: &mut [u8]) -> Result<usize> {
        let count = buffer.len().min(5);
        buffer[..count].copy_from_slice(&b"start"[..count]);
        Ok(count)
    }

    fn all(&self) -> Result<Arc<dyn ReadAt>> {
        self.all.fetch_add(1, Ordering::Relaxed);
        if self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Err(Error::environment("the cable was pulled"));
        }
        Ok(Arc::new(b"start and all that follows it".to_vec()))
    }
}

#[test]
fn only_what_tells_the_compression_is_read_without_the_rest() {
    for (offset, length, fetches) in [(0, 1, 0), (0, 6, 0), (0, 16, 0), (0, 17, 1), (1, 1, 1), (1, 16, 1), (29, 4, 1)] {
        let all = AtomicUsize::new(0);
        let blob = LateBlob::new(Asked { all: &all, failures: AtomicUsize::new(0) }, 29);
        let mut buffer = vec![0; length];
        blob.read_at(&mut buffer, offset).unwrap();
        assert_eq!(all.load(Ordering::Relaxed), fetches, "{offset} {length}");
        // Once it is there nothing is fetched, not even the first bytes.
        let mut whole = vec![0; 29];
        blob.read_exact_at(&mut whole, 0).unwrap();
        let mut first = [0; 16];
        assert_eq!((blob.read_at(&mut first, 0).unwrap(), &first), (16, b"start and all th"));
        assert_eq!((whole.as_slice(), all.load(Ordering::Relaxed)), (&b"start and all that follows it"[..], 1));
    }
}

#[test]
fn what_failed_once_is_fetched_again() {
    let all = AtomicUsize::new(0);
    let blob = LateBlob::new(Asked { all: &all, failures: AtomicUsize::new(2) }, 29);
    let mut buffer = [0; 29];
    for _ in 0..2 {
        let error = Error::io("reading the layer")(blob.read_at(&mut buffer, 0).unwrap_err());
        // What it was stays what it was.
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (Kind::Environment, "reading the layer: the cable was pulled")
        );
    }
    blob.read_exact_at(&mut buffer, 0).unwrap();
    assert_eq!(all.load(Ordering::Relaxed), 3);
}

#[test]
fn a_blob_is_said_to_have_so_many_bytes_and_not_one_more() {
    let digest = BlobDigest::of(b"layer");
    for size in [0, 1, limits::LAYER_BYTES] {
        require_size(digest, size).unwrap();
    }
    let words = format!("the layer {digest} is said to have 1099511627777 bytes, where at most 1099511627776 are read");
    is_refused(require_size(digest, limits::LAYER_BYTES + 1), Kind::Content, &[&words]);
    is_refused(require_size(digest, u64::MAX), Kind::Content, &["is said to have 18446744073709551615 bytes"]);
}
