use super::*;

#[test]
fn a_refusal_says_where_what_and_what_to_do() {
    let body = br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication\u001b required","detail":7}]}"#;
    let error = refused("r.example", "fetching the manifest v2 of r.example/app", 401, &reason(body));
    assert_eq!(
        error.to_string(),
        "fetching the manifest v2 of r.example/app: the registry r.example answers 401 (not logged in): UNAUTHORIZED, \
         authentication\\u{1b} required"
    );
    assert!(error.hint().unwrap().contains("docker login r.example"));
    for status in [403, 404, 405, 413, 429, 500, 503] {
        assert!(refused("r.example", "x", status, "").hint().is_some(), "{status}");
    }
}

#[test]
fn what_is_no_refusal_gives_no_reason() {
    for body in [&b""[..], b"<html>", b"{}", br#"{"errors":7}"#, br#"{"errors":[7]}"#, br#"{"errors":[{"code":7}]}"#] {
        assert_eq!(reason(body), "");
    }
    let long = format!(r#"{{"errors":[{{"message":"{}"}}]}}"#, "x".repeat(10_000));
    assert_eq!(reason(long.as_bytes()).len(), TOLD);
}

#[test]
fn each_status_that_people_meet_has_a_name_and_what_to_do() {
    for (status, name, hint) in [
        (400, " (bad request)", ""),
        (401, " (not logged in)", "log in: `docker login r.example`"),
        (403, " (forbidden)", "log in as somebody who may"),
        (404, " (not there)", "see that this is a registry"),
        (405, " (not allowed)", "it may be a mirror"),
        (413, " (too large)", "let its proxy pass larger ones"),
        (416, " (no such range)", ""),
        (418, "", ""),
        (429, " (too many requests)", "wait, or log in"),
        (499, "", ""),
        (500, " (internal error)", "try again"),
        (502, " (bad gateway)", "try again"),
        (503, " (not available)", "try again"),
        (504, " (gateway timeout)", "try again"),
        (599, "", "try again"),
    ] {
        let error = refused("r.example", "doing it", status, "");
        assert_eq!(error.to_string(), format!("doing it: the registry r.example answers {status}{name}"));
        match error.hint() {
            Some(found) => assert!(!hint.is_empty() && found.contains(hint), "{status}: {found}"),
            None => assert!(hint.is_empty(), "{status}"),
        }
    }
}

#[test]
fn what_is_not_there_is_an_image_or_all_of_the_registry() {
    for reason in ["MANIFEST_UNKNOWN", "NAME_UNKNOWN, repository name not known"] {
        let error = refused("r.example", "doing it", 404, reason);
        assert!(error.hint().unwrap().contains("how the repository and the tag are spelled"), "{reason}");
    }
    assert!(
        refused("r.example", "doing it", 404, "BLOB_UNKNOWN").hint().unwrap().contains("see that this is a registry")
    );
}

#[test]
fn a_reason_is_all_that_is_said_up_to_a_bound() {
    for (body, expected) in [
        (r#"{"errors":[{"code":"A"},{"message":"b"},{"code":"C","message":"d"}]}"#, "A; b; C, d"),
        (r#"{"errors":[]}"#, ""),
        (r#"{"errors":[{}]}"#, ""),
        (r#"{"errors":[{"message":"a\nb\u0007\u009b"}]}"#, r"a\u{a}b\u{7}\u{9b}"),
    ] {
        assert_eq!(reason(body.as_bytes()), expected, "{body}");
    }
    let of = |count: usize| reason(format!(r#"{{"errors":[{{"message":"{}"}}]}}"#, "ü".repeat(count)).as_bytes());
    assert_eq!((of(TOLD).chars().count(), of(TOLD + 1).chars().count()), (TOLD, TOLD));
}

#[test]
fn what_cannot_be_reached_is_told_and_asked_again_where_that_may_help() {
    use std::io;
    use ureq::Error as Fault;
    let refusal = || Fault::Io(io::ErrorKind::ConnectionRefused.into());
    for (fault, told, is_final, is_refusal) in [
        (Fault::HostNotFound, "no such host is known", true, false),
        (Fault::Timeout(ureq::Timeout::Connect), "nothing was heard for too long", false, false),
        (refusal(), "connection refused", false, true),
        (Fault::Io(io::ErrorKind::ConnectionReset.into()), "connection reset", false, false),
        (Fault::Io(io::Error::other(Error::content("ours"))), "ours", true, false),
        (Fault::BadUri("http://user:secret@r.example".to_owned()), "the exchange failed", true, false),
        (Fault::LargeResponseHeader(2, 1), "the head of its answer is too long", false, false),
    ] {
        let error = unreachable("r.example", "doing it", &fault);
        let expected = format!("doing it: the registry r.example cannot be reached: {told}");
        assert_eq!((error.kind(), error.to_string()), (delta_core::error::Kind::Environment, expected));
        assert!(error.hint().is_some() && !error.to_string().contains("secret"));
        assert_eq!((super::is_final(&fault), super::is_refusal(&fault)), (is_final, is_refusal), "{told}");
    }
}
