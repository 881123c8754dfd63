use std::collections::BTreeSet;

use delta_core::digest::DiffId;
use delta_core::error::Kind;
use delta_core::image::Root;
use delta_core::job::choices::{Identity, Method};
use delta_core::package::metadata::{StreamEntry, StreamKind};
use proptest::prelude::*;

use super::*;

fn claim(text: &str) -> Claim {
    Claim::parse(text).unwrap().unwrap()
}

/// What a package says of itself that brings these images, each with its names, and nothing else.
fn metadata(images: &[&[&str]]) -> Metadata {
    let images = images.iter().zip(0_u64..).map(|(names, number)| ImageEntry {
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        root: Root {
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            digest: BlobDigest::of(&number.to_le_bytes()),
            size: 2,
            synthesised: false,
        },
        documents: Vec::new(),
        manifests: Vec::new(),
    });
    Metadata {
        format: 1,
        requires: BTreeSet::new(),
        created_by: "a test".to_owned(),
        method: Method::Auto,
        identity: Identity::Manifest,
        compression: "none".to_owned(),
        level: 0,
        images: images.collect(),
        layout_index: None,
        stream: None,
        bases: Vec::new(),
        layers: Vec::new(),
        blobs: Vec::new(),
        members: Vec::new(),
    }
}

#[test]
fn a_claim_is_written_and_read_in_one_form() {
    let package = BlobDigest::of(b"package");
    let of = |package, sequence, brings: Option<&str>| Claim { package, sequence, brings: brings.map(str::to_owned) };
    for (claim, text) in [
        (Claim::default(), String::new()),
        (of(None, Some(0), None), " sequence=0".to_owned()),
        (of(None, Some(7), None), " sequence=7".to_owned()),
        (of(None, None, Some("")), " brings=".to_owned()),
        (of(None, None, Some("a sequence=1")), " brings=a sequence=1".to_owned()),
        (of(Some(package), None, None), format!(" package={package}")),
        (
            of(Some(package), Some(u64::MAX), Some("app:v2,a name")),
            format!(" package={package} sequence=18446744073709551615 brings=app:v2,a name"),
        ),
    ] {
        let text = format!("docker_delta-signature-1{text}");
        assert_eq!(claim.to_string(), text);
        assert_eq!(Claim::parse(&text).unwrap(), Some(claim), "{text}");
    }
}

#[test]
fn a_comment_of_another_program_claims_nothing() {
    for comment in
        ["", "timestamp:1 file:a hashed", "docker_delta", " docker_delta-signature-1", "Docker_delta-signature-1"]
    {
        assert_eq!(Claim::parse(comment).unwrap(), None, "{comment}");
    }
}

#[test]
fn a_claim_in_any_other_form_is_refused() {
    let digest = BlobDigest::of(b"package").to_string();
    for wrong in [
        "".to_owned(),
        "2".to_owned(),
        "2 sequence=1".to_owned(),
        "10".to_owned(),
        "1 ".to_owned(),
        "1 more".to_owned(),
        "1sequence=1".to_owned(),
        "1  sequence=1".to_owned(),
        "1\tsequence=1".to_owned(),
        "1 sequence=".to_owned(),
        "1 sequence=01".to_owned(),
        "1 sequence=+1".to_owned(),
        "1 sequence=-1".to_owned(),
        "1 sequence=0x1".to_owned(),
        "1 sequence=18446744073709551616".to_owned(),
        "1 sequence=1 ".to_owned(),
        "1 sequence=1 sequence=2".to_owned(),
        "1 sequence=1 more=2".to_owned(),
        "1 package=".to_owned(),
        format!("1 package={digest} "),
        format!("1 package={}", &digest[..70]),
        format!("1 package={}", digest.to_uppercase()),
        format!("1 package={}", digest.replace("sha256:", "sha512:")),
        format!("1 package={digest} package={digest}"),
        format!("1 sequence=1 package={digest}"),
    ] {
        let comment = format!("docker_delta-signature-{wrong}");
        let error = Claim::parse(&comment).unwrap_err();
        assert_eq!(error.to_string(), format!("the signed comment is in no form that is known here: {comment}"));
        assert_eq!((error.kind(), error.hint()), (Kind::Content, Some("a newer version of docker_delta may know it")));
    }
}

proptest! {
    #[test]
    fn every_claim_comes_back(package: Option<[u8; 32]>, sequence: Option<u64>, brings in prop::option::of(".*")) {
        let claim = Claim { package: package.map(BlobDigest::from_bytes), sequence, brings };
        prop_assert_eq!(Claim::parse(&claim.to_string()).unwrap(), Some(claim));
    }

    /// Two texts never claim the same, so that nobody can write a claim in a form that others read otherwise.
    #[test]
    fn no_claim_has_a_second_form(rest in "1( package=[0-9a-f:]{0,3}| sequence=[0-9+]{0,3}| brings=[a-z ]{0,4}| ){0,4}") {
        let comment = format!("docker_delta-signature-{rest}");
        if let Ok(Some(claim)) = Claim::parse(&comment) {
            prop_assert_eq!(claim.to_string(), comment);
        }
    }
}

#[test]
fn the_digest_that_is_claimed_must_be_that_of_the_package() {
    let claim = Claim { package: Some(BlobDigest::of(b"one")), ..Claim::default() };
    claim.require_digest(BlobDigest::of(b"one")).unwrap();
    let error = claim.require_digest(BlobDigest::of(b"another")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the package that the signature names: expected {}, found {}",
            BlobDigest::of(b"one"),
            BlobDigest::of(b"another")
        )
    );
    Claim::default().require_digest(BlobDigest::of(b"another")).unwrap();
}

#[test]
fn what_is_claimed_to_be_brought_must_be_brought() {
    let metadata = metadata(&[&["app:v2"]]);
    claim("docker_delta-signature-1 brings=app:v2").require_brought(&metadata).unwrap();
    Claim::default().require_brought(&metadata).unwrap();
    for other in ["", "app", "app:v3", "app:v2,", "app:v2 ", "other:v2,app:v2"] {
        let error = claim(&format!("docker_delta-signature-1 brings={other}")).require_brought(&metadata).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("what the package brings, as the signature says: expected {other}, found app:v2")
        );
        assert_eq!(error.kind(), Kind::Content);
    }
}

#[test]
fn what_is_brought_is_named_in_its_order_and_by_its_digest_without_a_name() {
    let digest = BlobDigest::of(&1_u64.to_le_bytes());
    assert_eq!(brought(&metadata(&[])), "");
    assert_eq!(
        brought(&metadata(&[&["b:1", "a:2"], &[], &["registry.example:5000/c"]])),
        format!("b:1,a:2,{digest},registry.example:5000/c:latest")
    );
    let target = DiffId::of(b"target");
    let mut file = metadata(&[]);
    file.stream =
        Some(StreamEntry { kind: StreamKind::File, target, base: DiffId::of(b"base"), base_size: 4, file: None });
    assert_eq!(brought(&file), target.to_string());
}

#[test]
fn as_many_names_are_claimed_as_fit_and_the_others_are_counted() {
    // Each has 100 bytes with the comma behind it: 40 of them leave 96 bytes.
    let long = |number: usize| format!("{number:02}{}:v1", "x".repeat(94));
    let names: Vec<String> = (0..40).map(long).collect();
    assert!(names.iter().all(|name| name.len() == 99));
    let of = |last: usize, more: &[&str]| {
        let last = "y".repeat(last - 3) + ":v1";
        let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
        all.push(&last);
        all.extend(more);
        let found = brought(&metadata(&[&all]));
        (found, all.join(","))
    };
    let (found, all) = of(96, &[]);
    assert_eq!((found.len(), &found), (CLAIMED_NAMES_BYTES, &all));
    let (found, _) = of(97, &[]);
    assert_eq!(found, names.join(",") + ",+1");
    // A short name behind one that does not fit is counted and not named, for the order stays.
    let (found, _) = of(97, &["b:1", "c:1"]);
    assert_eq!(found, names.join(",") + ",+3");
    let (found, all) = of(96, &["b:1"]);
    assert_eq!(found, all.strip_suffix(",b:1").unwrap().to_owned() + ",+1");
}
