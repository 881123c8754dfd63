use delta_core::error::Kind;

use super::*;
use crate::registry::scripted::{Asked, Reply, Server};

/// A registry with these manifests and referrers under their paths, and nothing else.
fn having(things: impl IntoIterator<Item = (String, String)>) -> Server {
    let things: std::collections::BTreeMap<String, String> = things.into_iter().collect();
    Server::start(move |asked| match things.get(&asked.path) {
        Some(body) => Reply::new(200, "", body),
        None => Reply::new(404, "", ""),
    })
}

fn manifest_path(reference: &dyn std::fmt::Display) -> String {
    format!("/v2/app/manifests/{reference}")
}

fn referrers_path(subject: BlobDigest) -> String {
    format!("/v2/app/referrers/{subject}")
}

/// The manifest of an artifact about nothing else than this word, and its digest.
fn artifact(word: &str) -> (String, BlobDigest) {
    let text =
        json!({"schemaVersion": 2, "artifactType": format!("application/{word}"), "config": empty(), "layers": []});
    let text = text.to_string();
    let digest = BlobDigest::of(text.as_bytes());
    (text, digest)
}

fn empty() -> Value {
    json!({"mediaType": OCI_EMPTY, "digest": BlobDigest::of(b"{}").to_string(), "size": 2})
}

/// A list of manifests, each with what the list says that it is.
fn list(entries: &[(BlobDigest, Option<&str>)]) -> String {
    let entry = |(digest, kind): &(BlobDigest, Option<&str>)| {
        let mut entry = json!({"mediaType": OCI_INDEX, "digest": digest.to_string(), "size": 2});
        if let Some(kind) = kind {
            entry["artifactType"] = (*kind).into();
        }
        entry
    };
    json!({"schemaVersion": 2, "manifests": entries.iter().map(entry).collect::<Vec<_>>()}).to_string()
}

fn found(server: &Server, about: BlobDigest) -> Vec<(BlobDigest, Vec<String>)> {
    let companions = server.repository().companions([about]).unwrap();
    companions.into_iter().map(|companion| (companion.found.document.digest(), companion.tags)).collect()
}

#[test]
fn what_hangs_on_an_image_is_found_by_the_registry_by_its_tag_and_by_those_of_cosign() {
    let image = BlobDigest::of(b"image");
    let (text, digest) = artifact("sbom");
    let (signature, signature_digest) = artifact("signature");
    let listed = list(&[(digest, None)]);
    for path in [referrers_path(image), manifest_path(&tag_of(image))] {
        let server = having([(path, listed.clone()), (manifest_path(&digest), text.clone())]);
        assert_eq!(found(&server, image), [(digest, Vec::new())]);
    }
    for ending in ["sig", "att", "sbom"] {
        let tag = format!("sha256-{}.{ending}", image.hex());
        let server = having([(manifest_path(&tag), signature.clone())]);
        assert_eq!(found(&server, image), [(signature_digest, vec![tag])]);
    }
    assert_eq!(found(&having([]), image), []);
}

#[test]
fn what_hangs_on_what_hangs_on_an_image_is_found_and_a_circle_ends() {
    let image = BlobDigest::of(b"image");
    let ((first, one), (second, two)) = (artifact("one"), artifact("two"));
    let server = having([
        (referrers_path(image), list(&[(one, None), (one, None)])),
        (referrers_path(one), list(&[(two, None), (image, None)])),
        (referrers_path(two), list(&[(one, None)])),
        (manifest_path(&one), first),
        (manifest_path(&two), second),
    ]);
    assert_eq!(found(&server, image), [(one, Vec::new()), (two, Vec::new())]);
}

#[test]
fn one_that_is_found_twice_has_the_tags_of_both_ways() {
    let image = BlobDigest::of(b"image");
    let (text, digest) = artifact("signature");
    let tag = |ending: &str| format!("sha256-{}.{ending}", image.hex());
    let server = having([
        (referrers_path(image), list(&[(digest, None)])),
        (manifest_path(&digest), text.clone()),
        (manifest_path(&tag("sig")), text.clone()),
        (manifest_path(&tag("att")), text),
    ]);
    assert_eq!(found(&server, image), [(digest, vec![tag("sig"), tag("att")])]);
}

#[test]
fn packages_do_not_hang_on_an_image_whoever_says_that_they_are_some() {
    let image = BlobDigest::of(b"image");
    let package =
        json!({"schemaVersion": 2, "artifactType": ARTIFACT_TYPE, "config": empty(), "layers": []}).to_string();
    let digest = BlobDigest::of(package.as_bytes());
    for said in [Some(ARTIFACT_TYPE), None, Some("application/other")] {
        let server =
            having([(referrers_path(image), list(&[(digest, said)])), (manifest_path(&digest), package.clone())]);
        assert_eq!(found(&server, image), [], "{said:?}");
    }
}

#[test]
fn what_a_list_names_and_is_not_there_is_passed_over() {
    let image = BlobDigest::of(b"image");
    let server = having([(referrers_path(image), list(&[(BlobDigest::of(b"gone"), None)]))]);
    assert_eq!(found(&server, image), []);
}

#[test]
fn so_many_may_hang_on_an_image_and_one_more_is_refused_before_any_is_asked_for() {
    let image = BlobDigest::of(b"image");
    let of = |count: usize| {
        let others = (0..count).map(|number| (BlobDigest::of(&number.to_le_bytes()), Some("application/other")));
        let packages = (0..9).map(|number: u8| (BlobDigest::of(&[number]), Some(ARTIFACT_TYPE)));
        let entries: Vec<_> = packages.chain(others).collect();
        let server = having([(referrers_path(image), list(&entries))]);
        let found = server.repository().companions([image]).map(|companions| companions.len());
        (found, server.asked().len())
    };
    let (found, asked) = of(MOST + 1);
    let error = found.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (Kind::Content, Some("leave them with --no-referrers")));
    assert!(error.to_string().starts_with("more than 1024 signatures and the like hang on an image of "), "{error}");
    assert_eq!(asked, 1);
    // None of them is there any more, and cosign has none.
    let (found, asked) = of(MOST);
    assert_eq!((found.unwrap(), asked), (0, 1 + MOST + COSIGN.len()));
}

#[test]
fn packages_are_listed_with_what_does_not_say_what_it_is() {
    let image = BlobDigest::of(b"image");
    let [one, two, three, four] = [b"1", b"2", b"3", b"4"].map(|text| BlobDigest::of(text));
    let entries =
        [(one, Some(ARTIFACT_TYPE)), (two, None), (three, Some(OCI_EMPTY)), (four, Some("application/other"))];
    let filter = encoded(ARTIFACT_TYPE);
    let server = having([(format!("{}?artifactType={filter}", referrers_path(image)), list(&entries))]);
    assert_eq!(server.repository().listed_packages(image).unwrap(), [one, two, three]);
    // Without the API the tag says the same.
    let server = having([(manifest_path(&tag_of(image)), list(&entries))]);
    assert_eq!(server.repository().listed_packages(image).unwrap(), [one, two, three]);
    assert_eq!(having([]).repository().listed_packages(image).unwrap(), []);
}

#[test]
fn so_many_packages_are_looked_at_and_one_more_is_refused() {
    let image = BlobDigest::of(b"image");
    let of = |count: usize| {
        let entries: Vec<_> = (0..count).map(|number| (BlobDigest::of(&number.to_le_bytes()), None)).collect();
        having([(manifest_path(&tag_of(image)), list(&entries))]).repository().listed_packages(image)
    };
    assert_eq!(of(MOST).unwrap().len(), MOST);
    let error = of(MOST + 1).unwrap_err();
    assert!(error.to_string().starts_with(&format!("1025 packages hang on {} of ", image.short())), "{error}");
    assert_eq!((error.kind(), error.hint().is_some()), (Kind::Content, true));
}

#[test]
fn a_list_in_pages_is_read_to_its_end_and_one_without_an_end_to_a_bound() {
    let image = BlobDigest::of(b"image");
    let digest = |page: usize| BlobDigest::of(&page.to_le_bytes());
    let paged = |pages: usize| {
        let server = Server::start(move |asked| {
            let page = asked.path.split_once("page=").map_or(0, |(_, page)| page.parse().unwrap());
            let next = format!("Link: <{}?page={}>; rel=\"next\"\n", referrers_path(image), page + 1);
            Reply::new(200, if page + 1 < pages { &next } else { "" }, list(&[(digest(page), None)]))
        });
        let listed = server.repository().referrers(image, None).unwrap();
        (listed.len(), server.asked().len())
    };
    assert_eq!(paged(1), (1, 1));
    assert_eq!(paged(3), (3, 3));
    assert_eq!(paged(PAGES), (PAGES, PAGES));
    assert_eq!(paged(usize::MAX), (PAGES, PAGES));
}

#[test]
fn what_is_no_list_is_as_none() {
    let image = BlobDigest::of(b"image");
    let (text, digest) = artifact("sbom");
    for (what, status, body) in [
        ("a page for people", 200, "<html>".to_owned()),
        ("a manifest", 200, text.clone()),
        ("nothing", 200, String::new()),
        ("a refusal", 403, String::new()),
        ("a list that is not to be given", 400, list(&[(digest, None)])),
    ] {
        let listed = list(&[(digest, None)]);
        let tag = manifest_path(&tag_of(image));
        let server = Server::start(move |asked| match asked.path == tag {
            true => Reply::new(200, "", &listed),
            false => Reply::new(status, "", &body),
        });
        let listed = server.repository().referrers(image, None).unwrap();
        assert_eq!(listed, [Listed { digest, artifact_type: None }], "{what}");
    }
}

#[test]
fn a_tag_that_leads_to_no_list_is_refused() {
    let image = BlobDigest::of(b"image");
    let (text, _) = artifact("sbom");
    for body in [text, "no document".to_owned()] {
        let server = having([(manifest_path(&tag_of(image)), body)]);
        assert_eq!(server.repository().referrers(image, None).unwrap_err().kind(), Kind::Content);
    }
}

/// A registry without the API for what hangs on an image, in which others may write too: `disturbs` has the list after each writing.
fn keeping(mut disturbs: impl FnMut(&mut Option<String>) + Send + 'static) -> Server {
    let mut list: Option<String> = None;
    Server::start(move |asked| match (asked.method.as_str(), asked.path.contains("/manifests/sha256-")) {
        ("PUT", true) => {
            list = Some(String::from_utf8(asked.body.clone()).unwrap());
            disturbs(&mut list);
            Reply::new(201, "", "")
        }
        ("PUT", false) => Reply::new(201, "", ""),
        _ => list.as_ref().map_or_else(|| Reply::new(404, "", ""), |list| Reply::new(200, "", list)),
    })
}

/// A manifest about an image.
fn about(image: BlobDigest) -> Document {
    let subject = json!({"mediaType": OCI_INDEX, "digest": image.to_string(), "size": 5});
    let text = json!({"schemaVersion": 2, "artifactType": "a/b", "config": empty(), "layers": [], "subject": subject});
    Document::new(text.to_string().into_bytes())
}

fn puts(server: &Server) -> Vec<Asked> {
    server.asked().into_iter().filter(|asked| asked.method == "PUT").collect()
}

#[test]
fn a_manifest_is_listed_where_the_registry_does_not_list_it() {
    let image = BlobDigest::of(b"image");
    let document = about(image);
    let server = keeping(|_| ());
    server.repository().put_referrer(&document, "x/y").unwrap();
    let [manifest, listing] = &puts(&server)[..] else { panic!("{:?}", server.lines()) };
    assert_eq!((manifest.path.clone(), &manifest.body[..]), (manifest_path(&document.digest()), document.bytes()));
    assert_eq!(listing.path, manifest_path(&tag_of(image)));
    let listed: Value = serde_json::from_slice(&listing.body).unwrap();
    let size = document.bytes().len();
    let expected =
        json!({"mediaType": "x/y", "digest": document.digest().to_string(), "size": size, "artifactType": "a/b"});
    assert_eq!(listed, json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [expected]}));
    // What is listed is not listed again.
    server.repository().put_referrer(&document, "x/y").unwrap();
    assert_eq!(puts(&server).len(), 3);
}

#[test]
fn a_registry_that_lists_what_hangs_on_an_image_is_left_to_it() {
    let server = Server::script(vec![Reply::new(201, "OCI-Subject: sha256:00\n", "")]);
    server.repository().put_referrer(&about(BlobDigest::of(b"image")), "x/y").unwrap();
    assert_eq!(server.asked().len(), 1);
    // And what is about nothing is in no list.
    let server = Server::script(vec![Reply::new(201, "", "")]);
    server.repository().put_referrer(&Document::new(artifact("x").0.into_bytes()), "x/y").unwrap();
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_list_that_others_write_over_is_written_again_and_not_for_ever() {
    let document = about(BlobDigest::of(b"image"));
    for (overwritten, is_written) in [(1, true), (LISTINGS - 2, true), (LISTINGS - 1, false), (usize::MAX, false)] {
        let mut times = 0;
        let server = keeping(move |list| {
            times += 1;
            if times <= overwritten {
                *list = None;
            }
        });
        let done = server.repository().put_referrer(&document, "x/y");
        let listings = puts(&server).len() - 1;
        match done {
            Ok(()) => assert!(is_written && listings == overwritten + 1, "{overwritten}"),
            Err(error) => {
                assert!(!is_written && listings == LISTINGS, "{overwritten}: {error}");
                assert!(error.to_string().contains("again and again at the same time"), "{error}");
                assert_eq!(error.kind(), Kind::Environment);
            }
        }
    }
}

#[test]
fn what_others_put_where_a_list_should_be_is_not_written_over() {
    let image = BlobDigest::of(b"image");
    for (list, expected) in
        [("{}", "is no index"), ("no JSON", "cannot be read"), (r#"{"manifests": 7}"#, "is no index")]
    {
        let server = Server::start(move |asked| match asked.method.as_str() {
            "PUT" => Reply::new(201, "", ""),
            _ => Reply::new(200, "", list),
        });
        let error = server.repository().put_referrer(&about(image), "x/y").unwrap_err();
        assert!(error.to_string().contains(expected) && error.to_string().contains(&tag_of(image)), "{error}");
        assert_eq!((error.kind(), puts(&server).len()), (Kind::Content, 1));
    }
}

#[test]
fn the_next_page_is_found() {
    assert_eq!(next_page(r#"</v2/a/referrers/x?n=2>; rel="next""#).as_deref(), Some("/v2/a/referrers/x?n=2"));
    for link in ["", "</v2/a>", r#"</v2/a>; rel="prev""#, "x; rel=next"] {
        assert_eq!(next_page(link), None);
    }
}

#[test]
fn a_referrer_is_listed_once_with_what_it_says_of_itself() {
    let mut index = json!({"manifests": [], "other": 7});
    let document = Document::new(&br#"{"annotations": {"a": "b"}}"#[..]);
    assert!(add(&mut index, &document, "type", Some("kind")).unwrap());
    assert!(!add(&mut index, &document, "type", None).unwrap());
    let expected = json!([{
        "mediaType": "type", "digest": document.digest().to_string(), "size": 27, "artifactType": "kind",
        "annotations": {"a": "b"},
    }]);
    assert_eq!((&index["manifests"], &index["other"]), (&expected, &json!(7)));
    for odd in [json!({}), json!([]), json!({"manifests": {}}), json!(7)] {
        assert!(add(&mut odd.clone(), &document, "type", None).is_err(), "{odd}");
    }
}
