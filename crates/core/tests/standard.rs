//! Differences in the standard formats: what they fit, what they make, and what is said where they do not.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::sync::Arc;

use common::{CONTEXT, bytes, compressed, error, noise};
use delta_codec::compress::Compression;
use delta_codec::{MemoryScratch, ReadAt, bsdiff, vcdiff};
use delta_core::apply::StandardDelta;
use delta_core::create::create_standard;
use delta_core::digest::BlobDigest;
use delta_core::job::choices::{CompressionOptions, Method};
use delta_core::{Kind, Result};

type Bytes = Arc<dyn ReadAt>;

fn shared(bytes: &[u8]) -> Bytes {
    Arc::new(bytes.to_vec())
}

fn old() -> Vec<u8> {
    noise(1, 9_000)
}

fn new() -> Vec<u8> {
    [&old()[..4_000], b"something else", &old()[4_100..]].concat()
}

/// The bytes of the difference that makes NEW out of OLD.
fn made(method: Method, compression: Compression) -> Vec<u8> {
    let chosen = CompressionOptions::usual(compression);
    let (delta, sides) = create_standard(method, &shared(&old()), &shared(&new()), chosen, CONTEXT).unwrap();
    assert_eq!((sides.old.length, sides.old.digest), (9_000, BlobDigest::of(&old())));
    assert_eq!((sides.new.length, sides.new.digest), (new().len() as u64, BlobDigest::of(&new())));
    assert_eq!(StandardDelta::detect(delta.clone(), CONTEXT).unwrap().unwrap().sides(), Some(sides));
    bytes(&delta)
}

/// The same as other programs make it, which do not say what it fits.
fn foreign(is_bsdiff: bool) -> Vec<u8> {
    let mut out = Vec::new();
    if is_bsdiff {
        bsdiff::encode(&old(), &new(), &MemoryScratch, &mut out).unwrap();
    } else {
        vcdiff::encode(&old(), &new(), b"", &mut out).unwrap();
    }
    out
}

fn detected(delta: &[u8]) -> Result<Option<StandardDelta>> {
    StandardDelta::detect(shared(delta), CONTEXT)
}

fn applied(delta: &[u8], old: &[u8], most: u64) -> Result<Vec<u8>> {
    detected(delta)?.expect("a difference").apply(&shared(old), most, CONTEXT).map(|new| bytes(&new))
}

const MOST: u64 = 1 << 20;

#[test]
fn each_format_with_each_compression_gives_new_back() {
    for method in Method::ALL {
        for compression in Compression::ALL {
            let delta = made(method, compression);
            let is_bsdiff = method == Method::Bsdiff;
            assert_eq!(delta.starts_with(&bsdiff::MAGIC), is_bsdiff, "{method}");
            let is_plain = compression == Compression::None && !is_bsdiff;
            assert_eq!(delta.starts_with(&vcdiff::MAGIC[..3]), is_plain, "{method} {compression}");
            assert!(!detected(&delta).unwrap().unwrap().is_blind());
            assert!(applied(&delta, &old(), MOST).unwrap() == new(), "{method} {compression}");
            assert!(applied(&delta, &old(), new().len() as u64).unwrap() == new());
            let refused = error(applied(&delta, &old(), new().len() as u64 - 1));
            assert_eq!(refused.kind(), Kind::Content, "{method} {compression}: {refused}");
        }
    }
}

#[test]
fn a_difference_that_was_compressed_for_the_journey_is_read() {
    for delta in [made(Method::Bsdiff, Compression::Zstd), foreign(true), foreign(false)] {
        for compression in Compression::ALL {
            assert!(applied(&compressed(&delta, compression), &old(), MOST).unwrap() == new(), "{compression}");
        }
    }
}

#[test]
fn another_old_is_told_from_the_right_one() {
    for method in [Method::Xdelta3, Method::Bsdiff] {
        let delta = made(method, Compression::Zstd);
        let mut altered = old();
        altered[8_999] ^= 1;
        for (other, expected) in [
            (old()[..8_999].to_vec(), "OLD: expected 9000 bytes, found 8999 bytes"),
            (altered, "OLD: expected sha256:"),
            (Vec::new(), "OLD: expected 9000 bytes, found 0 bytes"),
        ] {
            let refused = error(applied(&delta, &other, MOST));
            assert_eq!(refused.kind(), Kind::Content);
            assert!(refused.to_string().starts_with(expected), "{refused}");
            assert!(refused.hint().is_some_and(|hint| hint.contains("bring the one that its maker had")));
        }
    }
}

#[test]
fn a_difference_of_another_program_is_taken_without_knowing_what_it_fits() {
    for is_bsdiff in [false, true] {
        let found = detected(&foreign(is_bsdiff)).unwrap().unwrap();
        assert_eq!((found.sides(), found.is_blind()), (None, is_bsdiff));
        assert!(applied(&foreign(is_bsdiff), &old(), MOST).unwrap() == new());
    }
    let mut altered = old();
    altered[0] ^= 1;
    let wrong = applied(&foreign(true), &altered, MOST).unwrap();
    assert!(wrong != new() && wrong.len() == new().len(), "BSDIFF40 has no checksum");
    let refused = error(applied(&foreign(false), &altered, MOST));
    assert_eq!(refused.kind(), Kind::Content, "VCDIFF of xdelta3 has one: {refused}");
}

#[test]
fn a_note_that_says_of_new_what_does_not_come_is_refused() {
    let delta = made(Method::Bsdiff, Compression::None);
    let text = String::from_utf8_lossy(&delta[delta.len() - 199..]).into_owned();
    let digest = BlobDigest::of(&new()).to_string();
    let lies = text.replace(&digest, &BlobDigest::of(b"other").to_string());
    let refused = error(applied(&[&delta[..delta.len() - 199], lies.as_bytes()].concat(), &old(), MOST));
    assert!(refused.to_string().starts_with("NEW, as it was rebuilt: expected sha256:"), "{refused}");
    assert_eq!(refused.hint(), Some("copy the difference again"));
}

#[test]
fn what_is_something_else_is_no_difference() {
    let zstd = compressed(b"text", Compression::Zstd);
    for other in
        [&b""[..], b"B", b"BSDIFF4", b"BSDIFF41........", b"\xd6\xc3", b"text", &zstd, &zstd[..5], &noise(3, 4_000)]
    {
        assert!(detected(other).unwrap().is_none(), "{}", other.escape_ascii());
    }
    // What starts as one is one, whatever comes then.
    assert!(detected(&bsdiff::MAGIC).unwrap().is_some());
}

#[test]
fn no_cut_and_no_altered_byte_gives_another_new() {
    for delta in [
        made(Method::Xdelta3, Compression::Zstd),
        made(Method::Xdelta3, Compression::None),
        made(Method::Bsdiff, Compression::None),
    ] {
        for at in (0..delta.len()).step_by(delta.len() / 150 + 1) {
            let mut altered = delta.clone();
            altered[at] ^= 1 << (at % 8);
            for wrong in [&altered[..], &delta[..at]] {
                let result = detected(wrong).and_then(|found| {
                    found.map_or_else(
                        || Ok(Vec::new()),
                        |found| found.apply(&shared(&old()), MOST, CONTEXT).map(|new| bytes(&new)),
                    )
                });
                match result {
                    Ok(made) => assert!(
                        made.is_empty() || made == new() || detected(wrong).unwrap().unwrap().sides().is_none(),
                        "{at}"
                    ),
                    Err(error) => assert_eq!(error.kind(), Kind::Content, "{at}: {error}"),
                }
            }
        }
    }
}
