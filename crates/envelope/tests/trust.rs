//! Whose signature counts, over a package of testdata/golden that these tests sign with keys of their own.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use delta_codec::{MemoryScratch, ReadAt};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Kind};
use delta_core::package::{Closed, StoredSignature};
use delta_envelope::claim::{Claim, brought};
use delta_envelope::key::{NewKeys, PublicKey, SecretKey, SecretKeyFile};
use delta_envelope::signature::Signature;
use delta_envelope::trust::{Demand, NamedKey, Place, Signer, Standing, Trust};

fn key() -> SecretKey {
    let keys = NewKeys::generate(None).unwrap();
    SecretKeyFile::parse(keys.secret_file.as_bytes()).unwrap().unlock("").unwrap()
}

fn known(key: &SecretKey, name: &str, is_revoked: bool) -> NamedKey {
    NamedKey { key: key.public().clone(), name: name.to_owned(), is_revoked }
}

fn package() -> Closed {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/v1/accept/layer.ddelta");
    closed(Arc::new(std::fs::read(file).unwrap()))
}

fn closed(bytes: Arc<dyn ReadAt>) -> Closed {
    Closed::read(bytes, &MemoryScratch).unwrap()
}

/// The package with one more signature, of these bytes and this comment.
fn signed_as(package: &Closed, key: &SecretKey, bytes: &[u8], comment: &str) -> Closed {
    let signature = Signature::make(key, &mut &bytes[..], comment).unwrap();
    let stored = StoredSignature { key: signature.key(), text: signature.to_file().into_bytes() };
    closed(package.with_signature(stored).unwrap())
}

fn signed(package: &Closed, key: &SecretKey, comment: &str) -> Closed {
    let bytes = package.signed().to_vec();
    signed_as(package, key, &bytes, comment)
}

fn check(trust: &Trust, package: &Closed, beside: Vec<Signer>) -> Result<Vec<Signer>, Error> {
    trust.check(package.clone(), beside)?.open().map(|(_, signers)| signers)
}

fn standings(signers: &[Signer]) -> Vec<Standing> {
    signers.iter().map(Signer::standing).collect()
}

/// Bytes that nobody may read.
struct Unread;

impl Read for Unread {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("this was read"))
    }
}

#[test]
fn what_is_asked_for_decides_which_signatures_are_enough() {
    use Demand::{Nothing, Signed, Unrevoked};
    use Standing::{Revoked, Trusted, Unknown};
    let (trusted, revoked, unknown) = (key(), key(), key());
    let plain = package();
    for (by, standing, enough) in [
        (&[][..], &[][..], &[Nothing, Unrevoked][..]),
        (&[&trusted][..], &[Trusted][..], &[Nothing, Unrevoked, Signed][..]),
        (&[&revoked][..], &[Revoked][..], &[Nothing][..]),
        (&[&unknown][..], &[Unknown][..], &[Nothing, Unrevoked][..]),
        (&[&revoked, &trusted][..], &[Revoked, Trusted][..], &[Nothing, Unrevoked, Signed][..]),
        (&[&unknown, &trusted][..], &[Unknown, Trusted][..], &[Nothing, Unrevoked, Signed][..]),
        (&[&unknown, &revoked][..], &[Unknown, Revoked][..], &[Nothing][..]),
    ] {
        let package = by.iter().fold(plain.clone(), |package, key| signed(&package, key, "a comment"));
        for demand in [Nothing, Unrevoked, Signed] {
            let trust = Trust::new(vec![known(&trusted, "ours", false), known(&revoked, "stolen", true)], demand);
            assert_eq!(trust.is_demanded(), demand == Signed);
            match check(&trust, &package, Vec::new()) {
                Ok(signers) => {
                    assert!(enough.contains(&demand), "{standing:?} {demand:?}");
                    assert_eq!(standings(&signers), standing);
                }
                Err(error) => {
                    assert!(!enough.contains(&demand), "{standing:?} {demand:?}: {error}");
                    assert_eq!(error.kind(), Kind::Content);
                    assert!(error.hint().is_some());
                }
            }
        }
    }
}

#[test]
fn a_refusal_names_the_keys() {
    let (ours, theirs, revoked, unknown) = (key(), key(), key(), key());
    let keys = vec![known(&ours, "a.pub", false), known(&revoked, "gone", true), known(&theirs, "b.pub", false)];
    let trust = Trust::new(keys, Demand::Signed);
    let expected = format!("{} (a.pub), {} (b.pub)", ours.public().id(), theirs.public().id());
    let plain = package();
    let by_unknown = signed(&plain, &unknown, "");
    for (package, message) in [
        (&plain, format!("it is not signed; expected a signature by {expected}")),
        (
            &by_unknown,
            format!(
                "it is signed by key {}, which is not trusted here; expected a signature by {expected}",
                unknown.public().id()
            ),
        ),
        (
            &signed(&by_unknown, &revoked, ""),
            format!("it is signed by key {}, which is revoked (gone)", revoked.public().id()),
        ),
    ] {
        assert_eq!(check(&trust, package, Vec::new()).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_key_that_is_revoked_anywhere_is_revoked() {
    let key = key();
    let package = signed(&package(), &key, "");
    let (trusted, revoked) = (known(&key, "trusted here", false), known(&key, "revoked there", true));
    for keys in [
        vec![trusted.clone(), revoked.clone()],
        vec![revoked.clone(), trusted.clone()],
        vec![trusted.clone(), revoked.clone(), trusted.clone()],
    ] {
        let signers = check(&Trust::new(keys.clone(), Demand::Nothing), &package, Vec::new()).unwrap();
        assert_eq!((signers[0].standing(), signers[0].known_as()), (Standing::Revoked, Some("revoked there")));
        assert!(check(&Trust::new(keys, Demand::Signed), &package, Vec::new()).is_err());
    }
    let twice = vec![known(&key, "first", false), known(&key, "second", false)];
    let signers = check(&Trust::new(twice, Demand::Signed), &package, Vec::new()).unwrap();
    assert_eq!(signers[0].known_as(), Some("first"));
}

#[test]
fn a_signer_is_told_with_all_that_is_known_and_no_more() {
    let (ours, unknown) = (key(), key());
    let comment = "docker_delta-signature-1 sequence=9";
    let package = signed(&signed(&package(), &ours, comment), &unknown, comment);
    let trust = Trust::new(vec![known(&ours, "ours.pub", false)], Demand::Signed);
    let signers = check(&trust, &package, Vec::new()).unwrap();
    let [first, second] = &signers[..] else { panic!("{signers:?}") };
    assert_eq!((first.key_id(), second.key_id()), (ours.public().id(), unknown.public().id()));
    assert_eq!((first.place(), second.place()), (Place::Inside, Place::Inside));
    assert_eq!((first.known_as(), second.known_as()), (Some("ours.pub"), None));
    assert_eq!((first.trusted_comment(), second.trusted_comment()), (Some(comment), None));
    assert_eq!((first.sequence(), second.sequence()), (Some(9), None));
    assert_eq!(second.comment(), format!("signature by key {}", unknown.public().id()));
}

#[test]
fn a_signature_of_other_bytes_is_refused_whatever_is_asked() {
    let (ours, revoked, unknown) = (key(), key(), key());
    let keys = vec![known(&ours, "ours", false), known(&revoked, "gone", true)];
    let trust = Trust::new(keys, Demand::Nothing);
    let plain = package();
    for key in [&ours, &revoked] {
        let error = check(&trust, &signed_as(&plain, key, b"other bytes", ""), Vec::new()).unwrap_err();
        assert!(error.to_string().contains("is not that of these bytes"), "{error}");
        assert_eq!(error.kind(), Kind::Content);
    }
    // Nobody here can say that of a key that is not known.
    assert!(check(&trust, &signed_as(&plain, &unknown, b"other bytes", ""), Vec::new()).is_ok());
    // One that fits does not make up for one that does not.
    let both = signed_as(&signed(&plain, &ours, ""), &revoked, b"other bytes", "");
    assert!(check(&trust, &both, Vec::new()).is_err());
}

#[test]
fn a_signature_is_called_by_its_key_and_has_one_form() {
    let (ours, other) = (key(), key());
    let trust = Trust::new(vec![known(&ours, "ours", false)], Demand::Nothing);
    let plain = package();
    let text = Signature::make(&ours, &mut plain.signed(), "").unwrap().to_file();
    let stored = |key: &SecretKey, text: &str| {
        let stored = StoredSignature { key: key.public().id(), text: text.as_bytes().to_vec() };
        closed(plain.with_signature(stored).unwrap())
    };
    assert!(check(&trust, &stored(&ours, &text), Vec::new()).is_ok());
    let error = check(&trust, &stored(&other, &text), Vec::new()).unwrap_err();
    let expected = format!("a signature that is called {} is one by key {}", other.public().id(), ours.public().id());
    assert_eq!((error.kind(), error.to_string()), (Kind::Content, expected));
    let error = check(&trust, &stored(&ours, &text.replace('\n', "\r\n")), Vec::new()).unwrap_err();
    assert!(error.to_string().contains("no other blanks"), "{error}");
}

#[test]
fn what_is_claimed_must_be_true_inside_and_beside() {
    let key = key();
    let trust = Trust::new(vec![known(&key, "ours", false)], Demand::Signed);
    let plain = package();
    let names = brought(plain.clone().open().unwrap().metadata());
    let claim = |package: &[u8], brings: &str| {
        let package = if package.is_empty() { plain.digest() } else { BlobDigest::of(package) };
        Claim { package: Some(package), sequence: Some(1), brings: Some(brings.to_owned()) }.to_string()
    };
    for (comment, refusal) in [
        (claim(b"", &names), None),
        (claim(b"another package", &names), Some("the package that the signature names: expected sha256:")),
        (claim(b"", "another:v1"), Some("what the package brings, as the signature says: expected another:v1")),
        ("docker_delta-signature-2 x".to_owned(), Some("in no form that is known here")),
    ] {
        let inside = check(&trust, &signed(&plain, &key, &comment), Vec::new());
        let beside = Signature::make(&key, &mut &b"the file"[..], &comment).unwrap();
        let beside = trust.judge_beside(&beside, &mut &b"the file"[..]).and_then(|signer| {
            assert_eq!(signer.place(), Place::Beside);
            check(&trust, &plain, vec![signer])
        });
        for found in [inside, beside] {
            match (found, refusal) {
                (Ok(signers), None) => assert_eq!(signers[0].sequence(), Some(1)),
                (Err(error), Some(refusal)) => assert!(error.to_string().contains(refusal), "{error}"),
                (found, _) => panic!("{comment}: {found:?}"),
            }
        }
    }
}

#[test]
fn a_signature_beside_a_file_is_compared_with_it_where_its_key_is_known() {
    let (ours, revoked, unknown) = (key(), key(), key());
    let keys = vec![known(&ours, "ours", false), known(&revoked, "gone", true)];
    let trust = Trust::new(keys, Demand::Signed);
    let make = |key: &SecretKey| Signature::make(key, &mut &b"file"[..], "").unwrap();
    for (key, standing) in [(&ours, Standing::Trusted), (&revoked, Standing::Revoked)] {
        assert_eq!(trust.judge_beside(&make(key), &mut &b"file"[..]).unwrap().standing(), standing);
        assert_eq!(trust.judge_beside(&make(key), &mut &b"File"[..]).unwrap_err().kind(), Kind::Content);
        assert_eq!(trust.judge_beside(&make(key), &mut Unread).unwrap_err().kind(), Kind::Environment);
    }
    // It cannot be checked, so the file is not read for it.
    assert_eq!(trust.judge_beside(&make(&unknown), &mut Unread).unwrap().standing(), Standing::Unknown);
}

#[test]
fn one_beside_counts_as_much_as_one_inside() {
    let (ours, unknown) = (key(), key());
    let trust = Trust::new(vec![known(&ours, "ours", false)], Demand::Signed);
    let package = signed(&package(), &unknown, "");
    assert!(check(&trust, &package, Vec::new()).is_err());
    let beside = Signature::make(&ours, &mut &b"file"[..], "").unwrap();
    let beside = trust.judge_beside(&beside, &mut &b"file"[..]).unwrap();
    let signers = check(&trust, &package, vec![beside]).unwrap();
    assert_eq!(standings(&signers), [Standing::Trusted, Standing::Unknown]);
}

/// Another key that has the ID of this one: its bytes say so.
fn namesake(key: &SecretKey) -> PublicKey {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let mut bytes = STANDARD.decode(key.public().line()).unwrap();
    let other = STANDARD.decode(self::key().public().line()).unwrap();
    bytes[10..].copy_from_slice(&other[10..]);
    PublicKey::parse(STANDARD.encode(bytes).as_bytes()).unwrap()
}

#[test]
fn two_keys_with_one_id_leave_nothing_to_choose() {
    let key = key();
    let other = NamedKey { key: namesake(&key), name: "namesake".to_owned(), is_revoked: false };
    assert_eq!(other.key.id(), key.public().id());
    let package = signed(&package(), &key, "");
    let trust = Trust::new(vec![known(&key, "ours", false), other.clone()], Demand::Nothing);
    let beside = Signature::make(&key, &mut &b"file"[..], "").unwrap();
    for error in [
        check(&trust, &package, Vec::new()).map(|_| ()).unwrap_err(),
        trust.judge_beside(&beside, &mut &b"file"[..]).map(|_| ()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Usage);
        let expected =
            format!("two different keys with the ID {} are known here, so none can be chosen", key.public().id());
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().unwrap().contains("--trust"));
    }
    // The ID proves nothing: with the other key alone the signature is a wrong one.
    let trust = Trust::new(vec![other], Demand::Nothing);
    assert!(check(&trust, &package, Vec::new()).is_err());
}
