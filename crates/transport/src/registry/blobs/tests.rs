use std::path::Path;

use delta_core::error::Kind;

use super::*;
use crate::registry::access::Access;
use crate::registry::scripted::{Asked, Reply, Server, access, scratch};

/// Bytes without a pattern.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u64)
        .flat_map(|number| BlobDigest::of(&number.to_le_bytes()).as_bytes().to_owned())
        .take(length)
        .collect()
}

/// A registry that gives a blob from where it is asked for.
fn giving(blob: Vec<u8>) -> Server {
    Server::start(move |asked| from(&blob, asked))
}

fn from(blob: &[u8], asked: &Asked) -> Reply {
    match asked.from() {
        0 => Reply::new(200, "", blob),
        from => rest_of(blob, from),
    }
}

fn partial(from: usize, size: usize, body: &[u8]) -> Reply {
    Reply::new(206, &format!("Content-Range: bytes {from}-{}/{size}\n", size - 1), body)
}

fn rest_of(blob: &[u8], from: usize) -> Reply {
    partial(from, blob.len(), &blob[from..])
}

fn fetch(server: &Server, digest: BlobDigest, size: usize) -> Result<Vec<u8>> {
    fetch_into(server, access(), digest, size)
}

fn fetch_into(server: &Server, access: Access, digest: BlobDigest, size: usize) -> Result<Vec<u8>> {
    let bytes = server.repository_with(access).blob(digest, size as u64, &scratch())?;
    let mut held = vec![0; usize::try_from(bytes.len()).unwrap()];
    bytes.read_exact_at(&mut held, 0).unwrap();
    Ok(held)
}

/// What a fetch of `blob` is told that an earlier run left `kept` of, and where it asked from.
fn with_kept(server: &Server, folder: &Path, digest: BlobDigest, kept: &[u8], size: usize) -> Result<Vec<u8>> {
    let downloads = folder.join("downloads");
    crate::system::make_private_folder(&downloads).unwrap();
    std::fs::write(downloads.join(digest.hex()), kept).unwrap();
    fetch_into(server, Access { downloads: Some(downloads), ..access() }, digest, size)
}

fn starts(server: &Server) -> Vec<usize> {
    server.asked().iter().map(Asked::from).collect()
}

#[test]
fn a_blob_is_fetched_by_its_digest() {
    for length in [1, 1_000, limits::COPY_BUFFER, limits::COPY_BUFFER + 1] {
        let blob = noise(length);
        let digest = BlobDigest::of(&blob);
        let server = giving(blob.clone());
        assert!(fetch(&server, digest, length).unwrap() == blob, "{length}");
        assert_eq!(server.lines(), [format!("GET /v2/app/blobs/{digest}")]);
    }
    // Nothing need be fetched of nothing.
    let server = giving(Vec::new());
    assert_eq!(fetch(&server, BlobDigest::of(b""), 0).unwrap(), b"");
    assert!(server.asked().is_empty());
}

#[test]
fn other_bytes_are_refused_and_not_asked_for_again() {
    let expected = BlobDigest::of(b"blob");
    let server = giving(b"blub".to_vec());
    let error = fetch(&server, expected, 4).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the blob that {}/app gives: expected {expected}, found {}", server.host(), BlobDigest::of(b"blub"))
    );
    assert_eq!((error.kind(), server.asked().len()), (Kind::Content, 1));
}

#[test]
fn a_length_that_is_not_that_of_the_manifest_is_refused_before_it_is_read() {
    for (length, told) in [(3, 4), (5, 4), (4_000_000_000, 4), (4, 5), (4, 3)] {
        let server = Server::script(vec![Reply::with_length(200, "", b"blob", length)]);
        let found = fetch(&server, BlobDigest::of(b"blob"), told);
        let error = found.unwrap_err();
        assert_eq!(error.kind(), Kind::Content, "{length}: {error}");
        assert!(
            error
                .to_string()
                .ends_with(&format!("gives: expected {told} bytes, as its manifest says, found {length} bytes")),
            "{error}"
        );
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn more_than_the_manifest_says_is_not_taken_from_a_body_without_a_length() {
    let server = Server::script(vec![Reply::raw(200, "", b"blob and more")]);
    let error = fetch(&server, BlobDigest::of(b"blob"), 4).unwrap_err();
    assert!(error.to_string().ends_with("gives: expected 4 bytes, found more"), "{error}");
    assert_eq!(error.kind(), Kind::Content);
    let server = Server::script(vec![Reply::raw(200, "", b"blob")]);
    assert_eq!(fetch(&server, BlobDigest::of(b"blob"), 4).unwrap(), b"blob");
}

#[test]
fn a_body_that_breaks_off_is_gone_on_with() {
    let blob = noise(10_000);
    let whole = blob.clone();
    let server = Server::start(move |asked| match asked.from() {
        0 => Reply::with_length(200, "", &whole[..4_000], 10_000),
        from => rest_of(&whole, from),
    });
    assert!(fetch(&server, BlobDigest::of(&blob), blob.len()).unwrap() == blob);
    assert_eq!(starts(&server), [0, 4_000]);
}

#[test]
fn a_registry_that_does_not_go_on_is_asked_for_all_of_it() {
    let blob = noise(10_000);
    type Rest = fn(&[u8], usize) -> Reply;
    // What it gives to whoever asks for the rest; and from where it is asked for then.
    let rests: [(&str, Rest, &[usize]); 6] = [
        ("all of it", |blob, _| Reply::new(200, "", blob), &[0, 4_000]),
        ("that there is no such range", |_, _| Reply::new(416, "", ""), &[0, 4_000, 0]),
        ("another range", |blob, _| partial(0, blob.len(), blob), &[0, 4_000, 0]),
        ("a range that begins later", |blob, from| rest_of(blob, from + 1), &[0, 4_000, 0]),
        ("a range of which nothing is said", |blob, from| Reply::new(206, "", &blob[from..]), &[0, 4_000, 0]),
        ("a range that is none", |blob, from| Reply::new(206, "Content-Range: all\n", &blob[from..]), &[0, 4_000, 0]),
    ];
    for (what, rest, expected) in rests {
        let whole = blob.clone();
        let mut is_cut = false;
        let server = Server::start(move |asked| match asked.from() {
            0 if !is_cut => {
                is_cut = true;
                Reply::with_length(200, "", &whole[..4_000], 10_000)
            }
            0 => Reply::new(200, "", &whole),
            from => rest(&whole, from),
        });
        assert!(fetch(&server, BlobDigest::of(&blob), blob.len()).unwrap() == blob, "{what}");
        assert_eq!(starts(&server), expected, "{what}");
    }
}

#[test]
fn what_an_earlier_run_left_is_gone_on_with_or_thrown_away() {
    let blob = noise(10_000);
    let digest = BlobDigest::of(&blob);
    let damaged = [&b"x"[..], &blob[1..5_000]].concat();
    let longer = [&blob[..], b"more"].concat();
    let damaged_whole = [&b"x"[..], &blob[1..]].concat();
    for (what, kept, expected) in [
        ("nothing", &b""[..], &[0][..]),
        ("one byte", &blob[..1], &[1]),
        ("half of it", &blob[..5_000], &[5_000]),
        ("all but one byte", &blob[..9_999], &[9_999]),
        ("all of it", &blob[..], &[]),
        ("more than it", &longer[..], &[]),
        ("half of it, damaged", &damaged[..], &[5_000, 0]),
        ("all of it, damaged", &damaged_whole[..], &[0]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = giving(blob.clone());
        assert!(with_kept(&server, folder.path(), digest, kept, blob.len()).unwrap() == blob, "{what}");
        assert_eq!(starts(&server), expected, "{what}");
    }
}

#[test]
fn a_download_is_thrown_away_once_and_then_the_registry_is_at_fault() {
    let folder = tempfile::tempdir().unwrap();
    let blob = noise(100);
    let server = giving([&blob[..99], b"x"].concat());
    let error = with_kept(&server, folder.path(), BlobDigest::of(&blob), &blob[..50], 100).unwrap_err();
    assert!(error.to_string().starts_with(&format!("the blob that {}/app gives: expected ", server.host())), "{error}");
    assert_eq!((error.kind(), starts(&server)), (Kind::Content, vec![50, 0]));
}

#[test]
fn a_refusal_is_told() {
    for status in [401, 403, 404, 405] {
        let server = Server::script(vec![Reply::new(status, "", "")]);
        let digest = BlobDigest::of(b"blob");
        let error = fetch(&server, digest, 4).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!(
                "fetching the blob {} of {}/app: the registry {} answers {status} (",
                digest.short(),
                server.host(),
                server.host()
            )),
            "{error}"
        );
        assert_eq!(error.kind(), Kind::Environment);
    }
}

#[test]
fn what_is_fetched_is_counted() {
    let blob = noise(5_000);
    let server = giving(blob.clone());
    let repository = server.repository();
    repository.blob(BlobDigest::of(&blob), 5_000, &scratch()).unwrap();
    assert_eq!(repository.downloads.bytes(), 5_000);
}

#[test]
fn the_first_bytes_are_those_that_there_are() {
    for (size, room, range, expected) in [
        (10, 4, Some("bytes=0-3"), 4),
        (10, 10, Some("bytes=0-9"), 10),
        (10, 100, Some("bytes=0-9"), 10),
        (1, 4, Some("bytes=0-0"), 1),
        (0, 4, None, 0),
        (10, 0, None, 0),
    ] {
        let blob = noise(10);
        // One that does not know ranges gives all of it.
        for status in [200, 206] {
            let whole = blob.clone();
            let server = Server::start(move |_| Reply::new(status, "", &whole));
            let mut buffer = vec![0; room];
            let count = server.repository().first_bytes(BlobDigest::of(&blob), size, &mut buffer).unwrap();
            assert_eq!(count, expected, "{size} {room}");
            assert_eq!(buffer[..count], blob[..count]);
            let asked = server.asked();
            assert_eq!(asked.first().and_then(|asked| asked.header("range")), range, "{size} {room}");
        }
    }
    let server = Server::script(vec![Reply::new(404, "", "")]);
    let error = server.repository().first_bytes(BlobDigest::of(b""), 4, &mut [0; 4]).unwrap_err();
    assert!(error.to_string().contains("answers 404"), "{error}");
}

#[test]
fn a_blob_that_is_there_has_a_size() {
    let digest = BlobDigest::of(b"blob");
    for (reply, expected) in [(Reply::raw(200, "Content-Length: 7\n", b""), Some(7)), (Reply::new(404, "", ""), None)] {
        let server = Server::script(vec![reply]);
        assert_eq!(server.repository().blob_size(digest).unwrap(), expected);
        assert_eq!(server.lines(), [format!("HEAD /v2/app/blobs/{digest}")]);
    }
    let server = Server::script(vec![Reply::new(403, "", "")]);
    let error = server.repository().blob_size(digest).unwrap_err();
    assert!(error.to_string().starts_with(&format!("asking for the blob {} of ", digest.short())), "{error}");
}

#[test]
fn a_small_blob_is_held_and_none_that_is_not_small() {
    let digest = BlobDigest::of(b"{}");
    let server = Server::script(vec![Reply::new(200, "", "{}")]);
    assert_eq!(server.repository().small_blob(digest, 2).unwrap(), Some(b"{}".to_vec()));
    assert_eq!(server.repository().small_blob(digest, limits::DOCUMENT_BYTES).unwrap(), Some(b"{}".to_vec()));
    let error = server.repository().small_blob(digest, limits::DOCUMENT_BYTES + 1).unwrap_err();
    assert_eq!(error.to_string(), format!("the document {digest} has 33554433 bytes, where at most 33554432 are read"));
    assert_eq!((error.kind(), server.asked().len()), (Kind::Content, 2));
    let server = Server::script(vec![Reply::new(404, "", ""), Reply::new(403, "", "")]);
    assert_eq!(server.repository().small_blob(digest, 2).unwrap(), None);
    assert_eq!(server.repository().small_blob(digest, 2).unwrap_err().kind(), Kind::Environment);
}
