use super::super::scripted::{Script, answer};
use super::*;

const DIAL: &str = "'system dial-stdio'";

/// A client whose daemon answers so.
fn with(answer: &str) -> Script {
    // Three lines are all of a request.
    Script::new().says("answer", answer).does(DIAL, "head -n 3 > \"$here/request\"; cat \"$here/answer0\"")
}

fn get(answer: &str) -> Result<Vec<u64>> {
    with(answer).client(ClientKind::Docker).get("/x")
}

#[test]
fn a_document_of_the_daemon_is_asked_for_in_one_piece() {
    let script = with(&answer("200 OK", "[1, 2]"));
    let found: Vec<u64> = script.client(ClientKind::Docker).get("/images/json?all=1").unwrap();
    assert_eq!(found, [1, 2]);
    assert_eq!(script.written("request"), b"GET /images/json?all=1 HTTP/1.0\r\nHost: docker\r\n\r\n");
    // Longer than a pipe holds.
    let numbers: Vec<u64> = (0..50_000).collect();
    assert_eq!(get(&answer("200 OK", serde_json::to_string(&numbers).unwrap())).unwrap(), numbers);
    // An answer may be of another version, and say more.
    assert_eq!(get("HTTP/1.1 200\r\n\r\n[3]\r\n").unwrap(), [3]);
}

#[test]
fn what_the_daemon_refuses_is_told_in_its_words() {
    for (answer, said) in [
        (answer("404 Not Found", r#"{"message": "no such image"}"#), "failed: no such image"),
        (answer("500 X", r#"{"message": "line one\nline two\n"}"#), "failed: line two"),
        (answer("403 Forbidden", "<html>"), "failed: HTTP/1.0 403 Forbidden"),
        (answer("204 No Content", "[1]"), "failed: HTTP/1.0 204 No Content"),
        (answer("2000", "[1]"), "failed: HTTP/1.0 2000"),
        ("200 200\r\n[1]".to_owned(), "failed: no answer"),
        ("HTTP/1.0 200 OK\n\n[1]".to_owned(), "failed: no answer"),
        ("\r\n\r\n[1]".to_owned(), "failed: no answer"),
    ] {
        let error = get(&answer).unwrap_err();
        assert!(error.to_string().ends_with(said), "{answer}: {error}");
        assert_eq!(error.kind(), delta_core::error::Kind::Environment);
    }
    for body in ["", "[1", "{}", "[1] 2", "[-1]"] {
        let error = get(&answer("200 OK", body)).unwrap_err();
        assert!(error.to_string().contains("system dial-stdio` failed: "), "{body}: {error}");
    }
}

#[test]
fn a_daemon_that_says_nothing_is_one_that_the_client_did_not_reach() {
    let script = Script::new().fails("system dial-stdio", "Cannot connect to the Docker daemon");
    let error = script.client(ClientKind::Docker).get::<Vec<u64>>("/x").unwrap_err();
    assert!(error.to_string().ends_with("failed: Cannot connect to the Docker daemon"), "{error}");
    let error = get("").unwrap_err();
    assert!(error.to_string().ends_with("failed: nothing"), "{error}");
    let missing = Client::new(ClientKind::Docker, &[]).with_program("/no/such/program".as_ref());
    let error = missing.get::<Vec<u64>>("/x").unwrap_err();
    assert_eq!(error.to_string(), "the program `/no/such/program` is not installed");
}
