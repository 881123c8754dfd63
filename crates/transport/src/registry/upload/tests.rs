use std::sync::Mutex;

use delta_core::error::Kind;

use super::*;
use crate::registry::scripted::{Asked, Reply, Server};

/// Where the first part of an upload goes.
const BEGUN: &str = "Location: /v2/app/blobs/uploads/1?state=a\n";

/// What a registry has of one upload, and how it fails.
#[derive(Default)]
struct Store {
    /// Bytes of the upload that goes on.
    there: Vec<u8>,
    /// The blobs that were ended, with their digests.
    blobs: Vec<(String, Vec<u8>)>,
}

/// A registry that takes blobs as the standard says, but for what `fails` does instead.
fn taking(mut fails: impl FnMut(&Asked, &mut Store) -> Option<Reply> + Send + 'static) -> (Server, Arc<Mutex<Store>>) {
    let store: Arc<Mutex<Store>> = Arc::default();
    let kept = store.clone();
    let server = Server::start(move |asked| {
        let mut store = kept.lock().unwrap();
        fails(asked, &mut store).unwrap_or_else(|| take(asked, &mut store))
    });
    (server, store)
}

fn take(asked: &Asked, store: &mut Store) -> Reply {
    match asked.method.as_str() {
        "POST" => {
            store.there.clear();
            Reply::new(202, BEGUN, "")
        }
        "PATCH" => {
            let range = asked.header("content-range").unwrap();
            let (from, to) = range.split_once('-').unwrap();
            assert_eq!(from.parse::<usize>().unwrap(), store.there.len(), "a piece goes where the last one ended");
            assert_eq!(to.parse::<usize>().unwrap() + 1, store.there.len() + asked.body.len());
            store.there.extend(&asked.body);
            place(202, store)
        }
        "PUT" => {
            store.there.extend(&asked.body);
            let digest = asked.path.split_once("digest=").unwrap().1.to_owned();
            store.blobs.push((digest, std::mem::take(&mut store.there)));
            Reply::new(201, "", "")
        }
        "GET" => place(204, store),
        other => panic!("a request of the kind {other}"),
    }
}

/// Says how much is there, as distribution does it, and where the rest goes.
fn place(status: u16, store: &Store) -> Reply {
    let last = store.there.len().saturating_sub(1);
    Reply::new(status, &format!("Range: 0-{last}\nLocation: /v2/app/blobs/uploads/1?state={last}\n"), "")
}

fn bytes(length: u64) -> Arc<dyn ReadAt> {
    Arc::new((0..length).map(|number| (number / 251).to_le_bytes()[0]).collect::<Vec<u8>>())
}

fn held(bytes: &Arc<dyn ReadAt>) -> Vec<u8> {
    let mut held = vec![0; usize::try_from(bytes.len()).unwrap()];
    bytes.read_exact_at(&mut held, 0).unwrap();
    held
}

fn upload(server: &Server, bytes: &Arc<dyn ReadAt>) -> Result<()> {
    server.repository().upload(BlobDigest::of(&held(bytes)), bytes)
}

fn methods(server: &Server) -> Vec<String> {
    server.asked().into_iter().map(|asked| asked.method).collect()
}

#[test]
fn a_short_blob_goes_with_the_request_that_ends_it_and_a_long_one_before() {
    for (length, expected) in [
        (0, &["POST", "PUT"][..]),
        (1, &["POST", "PUT"]),
        (AT_ONCE, &["POST", "PUT"]),
        (AT_ONCE + 1, &["POST", "PATCH", "PUT"]),
    ] {
        let (server, store) = taking(|_, _| None);
        let blob = bytes(length);
        upload(&server, &blob).unwrap();
        assert_eq!(methods(&server), expected, "{length}");
        let digest = BlobDigest::of(&held(&blob));
        assert!(store.lock().unwrap().blobs == [(digest.to_string(), held(&blob))], "{length}");
        let last = server.asked().pop().unwrap();
        assert!(last.path.starts_with("/v2/app/blobs/uploads/1?state="), "{}", last.path);
        assert!(last.path.ends_with(&format!("&digest={digest}")), "{}", last.path);
        assert_eq!(last.header("content-type"), Some(OCTETS));
    }
}

#[test]
fn the_digest_is_the_first_word_of_a_place_that_has_none() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "POST" => Reply::new(202, "Location: uploads/2\n", ""),
        _ => Reply::new(201, "", ""),
    });
    upload(&server, &bytes(3)).unwrap();
    let digest = BlobDigest::of(&held(&bytes(3)));
    assert_eq!(server.lines()[1], format!("PUT /v2/app/blobs/uploads/uploads/2?digest={digest}"));
}

#[test]
fn a_registry_that_does_not_say_where_a_blob_goes_is_not_sent_one() {
    for location in ["", "Location: ftp://elsewhere.example/x\n", "Location: http://user@elsewhere.example/\n"] {
        let server = Server::script(vec![Reply::new(202, location, "")]);
        let error = upload(&server, &bytes(3)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the registry of {}/app does not say where a blob goes", server.host()),
            "{location}"
        );
        assert_eq!((error.kind(), server.asked().len()), (Kind::Environment, 1));
    }
}

#[test]
fn a_registry_that_takes_no_blob_says_why() {
    for status in [200, 201, 401, 403, 404, 405] {
        let body = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
        let server = Server::script(vec![Reply::new(status, BEGUN, body)]);
        let error = upload(&server, &bytes(3)).unwrap_err();
        assert!(error.to_string().contains(&format!("answers {status}")), "{error}");
        assert!(error.to_string().ends_with("DENIED, no"), "{error}");
        assert_eq!(server.asked().len(), 1, "{status}");
    }
    // Refused when it is ended.
    for status in [403, 405, 409, 413] {
        let (server, _) = taking(move |asked, _| (asked.method == "PUT").then(|| Reply::new(status, "", "")));
        assert!(upload(&server, &bytes(3)).unwrap_err().to_string().contains(&format!("answers {status}")));
        assert_eq!(methods(&server), ["POST", "PUT"], "{status}");
    }
}

#[test]
fn what_takes_no_large_bodies_gets_small_ones() {
    let (server, store) = taking(|asked, _| (asked.body.len() as u64 > SMALL_PIECE).then(|| Reply::new(413, "", "")));
    let blob = bytes(2 * SMALL_PIECE + 1);
    upload(&server, &blob).unwrap();
    assert_eq!(methods(&server), ["POST", "PATCH", "POST", "PATCH", "PATCH", "PATCH", "PUT"]);
    assert!(store.lock().unwrap().blobs[0].1 == held(&blob));
    // One that takes none of these either is told so.
    let (server, _) = taking(|asked, _| (!asked.body.is_empty()).then(|| Reply::new(413, "", "")));
    assert!(upload(&server, &blob).unwrap_err().hint().unwrap().contains("let its proxy pass larger ones"));
    assert_eq!(methods(&server), ["POST", "PATCH", "POST", "PATCH"]);
}

#[test]
fn an_upload_that_broke_off_goes_on_where_the_registry_has_it() {
    let mut is_broken = false;
    let (server, store) = taking(move |asked, store| {
        if asked.method != "PATCH" || std::mem::replace(&mut is_broken, true) {
            return None;
        }
        // A part arrived, and no answer came.
        store.there = asked.body[..700_000].to_vec();
        Some(Reply::bytes(b""))
    });
    let blob = bytes(AT_ONCE + 500);
    upload(&server, &blob).unwrap();
    assert_eq!(methods(&server), ["POST", "PATCH", "GET", "PATCH", "PUT"]);
    assert_eq!(server.asked()[3].header("content-range"), Some("700000-1049075"));
    assert!(store.lock().unwrap().blobs[0].1 == held(&blob));
}

#[test]
fn an_upload_that_the_registry_forgot_begins_anew() {
    for (what, place) in [
        ("it is not there", Reply::new(404, "", "")),
        ("nothing is said", Reply::new(204, "", "")),
        ("more than there is", Reply::new(204, "Range: 0-99999999\n", "")),
        ("no range", Reply::new(204, "Range: all\n", "")),
        ("another status", Reply::new(200, "Range: 0-699999\n", "")),
    ] {
        let (mut is_broken, mut place) = (false, Some(place));
        let (server, store) = taking(move |asked, _| match asked.method.as_str() {
            "PATCH" if !std::mem::replace(&mut is_broken, true) => Some(Reply::new(416, "", "")),
            "GET" => place.take(),
            _ => None,
        });
        let blob = bytes(AT_ONCE + 500);
        upload(&server, &blob).unwrap();
        assert_eq!(methods(&server), ["POST", "PATCH", "GET", "POST", "PATCH", "PUT"], "{what}");
        assert!(store.lock().unwrap().blobs[0].1 == held(&blob), "{what}");
    }
}

#[test]
fn a_short_blob_of_which_a_part_arrived_begins_anew() {
    let mut is_broken = false;
    let (server, store) = taking(move |asked, store| {
        if asked.method != "PUT" || std::mem::replace(&mut is_broken, true) {
            return None;
        }
        store.there = asked.body[..10].to_vec();
        Some(Reply::bytes(b""))
    });
    let blob = bytes(1_000);
    upload(&server, &blob).unwrap();
    assert_eq!(methods(&server), ["POST", "PUT", "GET", "POST", "PUT"]);
    assert!(store.lock().unwrap().blobs[0].1 == held(&blob));
}

#[test]
fn a_registry_that_has_less_than_was_sent_gets_the_rest_again() {
    let mut is_short = true;
    let (server, store) = taking(move |asked, store| {
        if asked.method != "PATCH" || !std::mem::replace(&mut is_short, false) {
            return None;
        }
        store.there = asked.body[..600_000].to_vec();
        Some(place(202, store))
    });
    let blob = bytes(AT_ONCE + 500);
    upload(&server, &blob).unwrap();
    assert_eq!(server.asked()[2].header("content-range"), Some("600000-1049075"));
    assert!(store.lock().unwrap().blobs[0].1 == held(&blob));
}

#[test]
fn how_much_a_registry_says_that_it_has_is_believed_within_what_was_sent() {
    for (range, there) in [
        ("Range: 0-1049075\n", "PUT"),
        ("Range: bytes=0-1049075\n", "PUT"),
        ("Range: 0-1049076\n", "PUT"),
        ("", "PUT"),
        ("Range: none\n", "PUT"),
        ("Range: 0-18446744073709551615\n", "PUT"),
        ("Range: 0-0\n", "PATCH"),
    ] {
        let mut is_first = true;
        let (server, _) = taking(move |asked, store| {
            (asked.method == "PATCH" && std::mem::replace(&mut is_first, false)).then(|| {
                store.there.clear();
                Reply::new(202, range, "")
            })
        });
        upload(&server, &bytes(AT_ONCE + 500)).unwrap();
        assert_eq!(methods(&server)[2], there, "{range}");
    }
}

#[test]
fn a_blob_is_taken_over_where_the_registry_does_that() {
    let digest = BlobDigest::of(b"blob");
    let mount = |server: &Server| {
        let repository = server.repository();
        let from = Repository { name: "team/other".to_owned(), ..repository.clone() };
        repository.mount(digest, &from)
    };
    let server = Server::script(vec![Reply::new(201, "", "")]);
    assert!(mount(&server).unwrap());
    assert_eq!(server.lines(), [format!("POST /v2/app/blobs/uploads/?mount={digest}&from=team%2Fother")]);
    // One that begins an upload instead is told that it is not wanted.
    let server = Server::script(vec![Reply::new(202, BEGUN, ""), Reply::new(204, "", "")]);
    assert!(!mount(&server).unwrap());
    assert_eq!(server.lines()[1], "DELETE /v2/app/blobs/uploads/1?state=a");
    let server = Server::script(vec![Reply::new(202, "", "")]);
    assert!(!mount(&server).unwrap());
    assert_eq!(server.asked().len(), 1);
    for status in [403, 404, 405] {
        assert!(!mount(&Server::script(vec![Reply::new(status, "", "")])).unwrap(), "{status}");
    }
    for status in [200, 400, 409] {
        let error = mount(&Server::script(vec![Reply::new(status, "", "")])).unwrap_err();
        assert!(error.to_string().contains(&format!("mounting the blob {} of ", digest.short())), "{error}");
    }
}

#[test]
fn a_manifest_is_written_as_it_is_under_its_type() {
    for (status, is_taken) in
        [(200, true), (201, true), (202, true), (204, false), (400, false), (403, false), (404, false)]
    {
        let server = Server::script(vec![Reply::new(status, "", "")]);
        let document = Document::new(&br#"{ "a": 1 }"#[..]);
        let put = server.repository().put_manifest("v2", &document, "a/type");
        assert_eq!(put.is_ok(), is_taken, "{status}");
        let asked = &server.asked()[0];
        assert_eq!((asked.line().as_str(), &asked.body[..]), ("PUT /v2/app/manifests/v2", document.bytes()));
        assert_eq!(asked.header("content-type"), Some("a/type"));
    }
}
