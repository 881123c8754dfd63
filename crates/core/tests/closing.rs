//! The end of a package: `closing.json`, the signatures behind it, and nothing else (FORMAT.md, sections 1 and 16).

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::sync::Arc;

use common::sealed::{append, closed_by, closing};
use common::{bytes, compressed, error, image, members, noise, open, options, packed, sealed};
use delta_codec::compress::Compression;
use delta_codec::{MemoryScratch, ReadAt};
use delta_core::digest::BlobDigest;
use delta_core::job::choices::Method;
use delta_core::limits::{CLOSING_BYTES, SIGNATURE_BYTES, SIGNATURES};
use delta_core::package::{Closed, KeyId, StoredSignature, is_wrapped};
use delta_core::{Kind, Result};

type Members = Vec<(String, Vec<u8>)>;

fn sound() -> Members {
    members(&packed(&[image("app:v1", &[&noise(1, 700)])], &[], &options(Method::Layer)))
}

fn closed(package: &[u8]) -> Result<Closed> {
    Closed::read(Arc::new(package.to_vec()), &MemoryScratch)
}

/// What is wrong with the end of a package that may be opened otherwise.
fn said(package: &[u8]) -> String {
    let error = error(closed(package));
    assert_eq!(error.kind(), Kind::Content, "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("copy it again")) || !error.to_string().contains("damaged"));
    error.to_string()
}

fn key(number: u64) -> KeyId {
    KeyId::of_bytes(number.to_le_bytes())
}

fn signature(number: u64, length: usize) -> (String, Vec<u8>) {
    (format!("signatures/{number:016X}.minisig"), vec![b's'; length])
}

fn with_signatures(signatures: &[(String, Vec<u8>)]) -> Vec<u8> {
    closed_by(&sound(), |bytes, digest| closing(bytes, &digest.to_string()).into_bytes(), signatures)
}

#[test]
fn the_digest_of_all_before_it_is_that_of_the_package() {
    let package = sealed(&sound());
    let end = package.windows(12).rposition(|bytes| bytes == b"closing.json").unwrap();
    let found = closed(&package).unwrap();
    assert_eq!(found.digest(), BlobDigest::of(&package[..end]));
    assert_eq!(found.signed(), closing(end, &found.digest().to_string()).as_bytes());
    assert!(found.signatures().is_empty());
    assert!(found.clone().open().is_ok());
}

#[test]
fn what_closes_a_package_says_what_is_before_it() {
    let end = |close: &dyn Fn(usize, BlobDigest) -> String| {
        closed_by(&sound(), |bytes, digest| close(bytes, digest).into_bytes(), &[])
    };
    for spaced in [
        end(&|bytes, digest| format!("\n {}\t", closing(bytes, &digest.to_string()))),
        end(&|bytes, digest| format!(r#"{{"digest":"{digest}", "bytes": {bytes}}}"#)),
    ] {
        closed(&spaced).unwrap().open().unwrap();
    }
    let not_valid = "closing.json is not valid";
    let other = "the package is damaged or incomplete: expected ";
    type Close = fn(usize, BlobDigest) -> String;
    let cases: [(Close, &str); 13] = [
        (|bytes, digest| closing(bytes + 1, &digest.to_string()), other),
        (|bytes, digest| closing(bytes - 1, &digest.to_string()), other),
        (|bytes, _| closing(bytes, &BlobDigest::of(b"other").to_string()), other),
        (|_, digest| closing(0, &digest.to_string()), other),
        (|bytes, digest| closing(bytes, &digest.to_string().to_uppercase()), not_valid),
        (|bytes, digest| closing(bytes, &digest.hex()), not_valid),
        (|bytes, digest| format!(r#"{{"bytes":{bytes},"digest":"{digest}","more":1}}"#), "unknown field `more`"),
        (|bytes, digest| format!(r#"{{"bytes":{bytes},"bytes":{bytes},"digest":"{digest}"}}"#), "duplicate field"),
        (|bytes, _| format!(r#"{{"bytes":{bytes}}}"#), "missing field `digest`"),
        (|bytes, digest| format!(r#"{{"bytes":"{bytes}","digest":"{digest}"}}"#), not_valid),
        (|bytes, digest| format!(r#"{{"bytes":{bytes}.0,"digest":"{digest}"}}"#), not_valid),
        (|bytes, digest| closing(bytes, &digest.to_string()).repeat(2), not_valid),
        (|_, _| String::new(), not_valid),
    ];
    for (close, expected) in cases {
        let said = said(&end(&close));
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn closing_bytes_are_read_and_one_more_is_refused() {
    let padded = |length: usize| {
        let pad = |bytes, digest: BlobDigest| format!("{:<length$}", closing(bytes, &digest.to_string())).into_bytes();
        closed_by(&sound(), pad, &[])
    };
    let most = usize::try_from(CLOSING_BYTES).unwrap();
    assert_eq!(closed(&padded(most)).unwrap().signed().len(), most);
    assert_eq!(said(&padded(most + 1)), format!("a document of {} bytes, where at most {most} are read", most + 1));
}

#[test]
fn signatures_are_taken_in_their_order_and_one_too_many_is_refused() {
    for count in 0..=SIGNATURES + 1 {
        let all: Vec<_> = (0..count).rev().map(|number| signature(number as u64, 10 * number)).collect();
        let package = with_signatures(&all);
        if count > SIGNATURES {
            assert!(said(&package).contains("it has more than 16 signatures"));
            continue;
        }
        let found = closed(&package).unwrap();
        let expected =
            (0..count).rev().map(|number| StoredSignature { key: key(number as u64), text: vec![b's'; 10 * number] });
        assert!(found.signatures().iter().cloned().eq(expected), "{count}");
        found.open().unwrap();
    }
}

#[test]
fn signature_bytes_are_read_and_one_more_is_refused() {
    let most = usize::try_from(SIGNATURE_BYTES).unwrap();
    // All that may be behind the end, at its longest, with the longest end.
    let all: Vec<_> = (0..SIGNATURES).map(|number| signature(number as u64, most)).collect();
    let longest = usize::try_from(CLOSING_BYTES).unwrap();
    let pad = |bytes, digest: BlobDigest| format!("{:<longest$}", closing(bytes, &digest.to_string())).into_bytes();
    let package = closed_by(&sound(), pad, &all);
    assert_eq!(closed(&package).unwrap().signatures().len(), SIGNATURES);
    let said = said(&with_signatures(&[signature(1, most + 1)]));
    assert_eq!(said, format!("a document of {} bytes, where at most {most} are read", most + 1));
}

#[test]
fn only_signatures_follow_behind_the_end() {
    for name in [
        "signatures/0123456789abcdef.minisig",
        "signatures/0123456789ABCDE.minisig",
        "signatures/00123456789ABCDEF.minisig",
        "signatures/+123456789ABCDEF.minisig",
        "signatures/0123456789ABCDEF.minisi",
        "signatures/0123456789ABCDEF",
        "signature/0123456789ABCDEF.minisig",
        "0123456789ABCDEF.minisig",
        "manifest.json",
    ] {
        let said = said(&with_signatures(&[(name.to_owned(), b"s".to_vec())]));
        assert!(said.contains(&format!("the member {name} follows behind closing.json")), "{said}");
    }
    let twice = said(&with_signatures(&[signature(7, 5), signature(8, 5), signature(7, 6)]));
    assert!(twice.contains("it has two members signatures/0000000000000007.minisig"), "{twice}");
}

#[test]
fn a_package_ends_once() {
    let mut within = sound();
    within.insert(1, ("closing.json".to_owned(), b"{}".to_vec()));
    assert!(error(open(&sealed(&within))).to_string().contains("the member closing.json stands where it cannot"));
    let twice = with_signatures(&[("closing.json".to_owned(), b"{}".to_vec())]);
    let said = error(open(&twice)).to_string();
    assert!(said.contains("the package is damaged or incomplete"), "{said}");
}

#[test]
fn the_blocks_behind_the_last_member_are_two_zeros() {
    let package = with_signatures(&[signature(1, 100)]);
    let end = package.len() - 1024;
    for at in [end, end + 511, end + 512, end + 1023] {
        let mut altered = package.clone();
        altered[at] = 1;
        let said = said(&altered);
        assert!(said.contains("the package is damaged or incomplete"), "{at}: {said}");
    }
    for at in [end - 512 + 100, end - 1] {
        let mut altered = package.clone();
        altered[at] = 1;
        assert!(said(&altered).contains("1024 bytes follow") || said(&altered).contains("bytes of no member"), "{at}");
    }
    for cut in [1, 511, 512, 513, 1023, 1024, 1025] {
        let said = said(&package[..package.len() - cut]);
        assert!(said.contains("it ends") || said.contains("bytes of no member"), "{cut}: {said}");
    }
    let within = said(&package[..package.len() - 1024 - 500]);
    assert!(within.contains("it ends inside of signatures/0000000000000001.minisig"), "{within}");
    for (more, expected) in [(1, "1 bytes follow"), (512, "512 bytes follow"), (1024, "1024 bytes follow")] {
        let said = said(&[&package[..], &vec![0; more]].concat());
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_signature_is_added_behind_all_others_or_replaces_that_of_its_key() {
    let add = |package: &[u8], number: u64, text: &[u8]| {
        let added = closed(package).unwrap().with_signature(StoredSignature { key: key(number), text: text.to_vec() });
        bytes(&added.unwrap())
    };
    let package = sealed(&sound());
    let one = add(&package, 5, b"five");
    let two = add(&one, 3, &[b't'; 512]);
    let replaced = add(&two, 5, &[b'f'; 513]);
    let texts = |package: &[u8]| {
        let found = closed(package).unwrap();
        found.signatures().iter().map(|one| (one.key.to_string(), one.text.len())).collect::<Vec<_>>()
    };
    let (five, three) = ("0000000000000005".to_owned(), "0000000000000003".to_owned());
    assert_eq!(texts(&two), [(five.clone(), 4), (three.clone(), 512)]);
    assert_eq!(texts(&replaced), [(five, 513), (three, 512)]);
    let end = package.len() - 1024;
    for signed in [&one, &two, &replaced] {
        assert!(signed[..end] == package[..end], "what is signed is not touched");
        assert_eq!(closed(signed).unwrap().digest(), closed(&package).unwrap().digest());
        open(signed).unwrap();
    }
    let by_hand = with_signatures(&[signature(5, 0), signature(3, 512)]);
    assert!(add(&add(&package, 5, b""), 3, &[b's'; 512]) == by_hand);
}

#[test]
fn no_more_signatures_are_added_than_are_read() {
    let all: Vec<_> = (0..SIGNATURES).map(|number| signature(number as u64, 9)).collect();
    let full = closed(&with_signatures(&all)).unwrap();
    let add =
        |number: u64, length: usize| full.with_signature(StoredSignature { key: key(number), text: vec![0; length] });
    let most = usize::try_from(SIGNATURE_BYTES).unwrap();
    assert!(add(15, most).is_ok(), "in the place of one");
    let refused = error(add(16, 9));
    assert_eq!(
        (refused.kind(), refused.to_string().as_str()),
        (Kind::Usage, "the package has 16 signatures, and takes no more")
    );
    let refused = error(add(15, most + 1));
    assert_eq!(refused.kind(), Kind::Usage);
    assert_eq!(refused.to_string(), "a signature has at most 12288 bytes; shorten its comment");
}

#[test]
fn a_signed_package_may_be_compressed_for_the_journey() {
    let all: Vec<_> = (0..SIGNATURES)
        .map(|number| (signature(number as u64, 0).0, noise(number as u64, usize::try_from(SIGNATURE_BYTES).unwrap())))
        .collect();
    let package = with_signatures(&all);
    for compression in [Compression::Zstd, Compression::Gzip, Compression::Bzip2, Compression::Xz] {
        let found = closed(&compressed(&package, compression)).unwrap();
        assert!(is_wrapped(&compressed(&package, compression)).unwrap() && !is_wrapped(&package).unwrap());
        assert_eq!(found.signatures().len(), SIGNATURES, "{compression}");
        assert_eq!(found.open().unwrap().size(), package.len() as u64);
    }
}

#[test]
fn what_starts_like_a_package_is_said_to_be_cut_off_and_anything_else_to_be_none() {
    let package = sealed(&sound());
    let none = "this is no package of docker_delta";
    let mut other = Vec::new();
    append(&mut other, "manifest.json", b"[]");
    let closing = closing(other.len(), &BlobDigest::of(&other).to_string());
    append(&mut other, "closing.json", closing.as_bytes());
    other.resize(other.len() + 1024, 0);
    assert!(error(open(&other)).to_string().contains(none), "the first member is metadata.json");
    let only_end =
        closed_by(&[], |bytes, digest| common::sealed::closing(bytes, &digest.to_string()).into_bytes(), &[]);
    assert!(error(open(&only_end)).to_string().contains(none));
    for length in [0, 1, 511] {
        assert!(said(&package[..length]).contains(none), "{length}");
    }
    for length in [512, 1024, package.len() - 2048] {
        assert!(said(&package[..length]).contains("the package is damaged or incomplete"), "{length}");
    }
    let mut altered = package;
    altered[600] ^= 1;
    assert!(said(&altered).contains("expected "), "{}", said(&altered));
}

#[test]
fn a_package_that_cannot_be_read_is_no_fault_of_it() {
    struct Unreadable(Vec<u8>, u64);
    impl ReadAt for Unreadable {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
            if offset + buffer.len() as u64 > self.1 {
                return Err(std::io::ErrorKind::PermissionDenied.into());
            }
            self.0.read_at(buffer, offset)
        }
    }
    let package = sealed(&sound());
    for readable in [0, 6] {
        let error = error(Closed::read(Arc::new(Unreadable(package.clone(), readable)), &MemoryScratch));
        assert_eq!(error.kind(), Kind::Environment, "{error}");
        assert!(error.to_string().starts_with("reading the package: "), "{error}");
    }
}
