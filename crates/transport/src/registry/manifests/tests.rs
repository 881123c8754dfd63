use delta_core::error::Kind;

use super::*;
use crate::registry::scripted::{Reply, Server};

const TYPE: &str = "Content-Type: application/vnd.oci.image.manifest.v1+json\n";

#[test]
fn a_manifest_comes_with_what_the_registry_calls_it() {
    for (headers, expected) in [
        (TYPE, OCI_MANIFEST),
        ("Content-Type: application/vnd.oci.image.index.v1+json ; charset=utf-8\n", OCI_INDEX),
        ("Content-Type: ;\n", ""),
        ("", ""),
    ] {
        let server = Server::script(vec![Reply::new(200, headers, "{}")]);
        let found = server.repository().manifest("v2").unwrap().unwrap();
        assert_eq!((found.media_type.as_str(), found.document.bytes()), (expected, &b"{}"[..]));
        let asked = &server.asked()[0];
        assert_eq!(asked.line(), "GET /v2/app/manifests/v2");
        let accepted = asked.header("accept").unwrap();
        assert!([OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST].iter().all(|kind| accepted.contains(kind)));
    }
}

#[test]
fn a_manifest_is_compared_with_the_digest_that_is_known_of_it() {
    let (digest, other) = (BlobDigest::of(b"{}"), BlobDigest::of(b"{ }"));
    let said = |digest: &dyn std::fmt::Display| format!("Docker-Content-Digest: {digest}\n");
    for (reference, headers, is_taken) in [
        (digest.to_string(), String::new(), true),
        (other.to_string(), String::new(), false),
        // What is asked for counts, and not what the registry says of it.
        (digest.to_string(), said(&other), true),
        (other.to_string(), said(&digest), false),
        ("v2".to_owned(), said(&digest), true),
        ("v2".to_owned(), said(&other), false),
        ("v2".to_owned(), said(&"sha512:00"), true),
        ("v2".to_owned(), String::new(), true),
    ] {
        let server = Server::script(vec![Reply::new(200, &headers, "{}")]);
        match server.repository().manifest(&reference) {
            Ok(found) => assert!(is_taken && found.is_some(), "{reference} {headers}"),
            Err(error) => {
                assert!(!is_taken, "{reference} {headers}: {error}");
                let expected = format!(
                    "fetching the manifest {reference} of {}/app: expected {other}, found {digest}",
                    server.host()
                );
                assert_eq!((error.kind(), error.to_string()), (Kind::Content, expected));
            }
        }
    }
}

#[test]
fn what_is_not_there_is_told_from_what_cannot_be_had() {
    let digest = BlobDigest::of(b"{}");
    let not_there = || Server::script(vec![Reply::new(404, "", "")]);
    assert!(not_there().repository().manifest("v2").unwrap().is_none());
    assert!(!not_there().repository().has_manifest(digest).unwrap());
    let server = not_there();
    let error = server.repository().required_manifest("v2").map(|_| ()).unwrap_err();
    assert!(error.to_string().ends_with("answers 404 (not there): MANIFEST_UNKNOWN, it has no such image"), "{error}");
    assert!(error.hint().unwrap().contains("how the repository and the tag are spelled"));
    for status in [401, 403, 405] {
        let server = Server::script(vec![Reply::new(status, "", "")]);
        assert_eq!(server.repository().manifest("v2").map(|_| ()).unwrap_err().kind(), Kind::Environment);
        assert_eq!(server.repository().has_manifest(digest).unwrap_err().kind(), Kind::Environment);
    }
    let server = Server::script(vec![Reply::raw(200, "", b"")]);
    assert!(server.repository().has_manifest(digest).unwrap());
    assert_eq!(server.lines(), [format!("HEAD /v2/app/manifests/{digest}")]);
}

#[test]
fn a_manifest_that_is_too_long_is_not_held() {
    let body = vec![b' '; usize::try_from(limits::DOCUMENT_BYTES).unwrap() + 1];
    let server = Server::script(vec![Reply::new(200, TYPE, body)]);
    let error = server.repository().manifest("v2").map(|_| ()).unwrap_err();
    assert!(error.to_string().ends_with("the answer has more than 33554432 bytes"), "{error}");
    assert_eq!(error.kind(), Kind::Content);
}
