use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use delta_core::error::Kind;

use super::*;
use crate::registry::patience::TRIES;
use crate::registry::scripted::{Asked, Reply, Server, access};

/// Asked again at once, as a sound registry may want it.
const NOW: &str = "Retry-After: 0\n";

fn connection(server: &Server) -> Connection {
    Connection::new(&server.host(), &access()).unwrap()
}

/// Asks for `path`, and gives the status and the body of what comes.
fn get(connection: &Connection, path: &str) -> Result<(u16, String)> {
    send(connection, Method::GET, path, true)
}

fn send(connection: &Connection, method: Method, path: &str, is_repeatable: bool) -> Result<(u16, String)> {
    let url = format!("{}{path}", connection.base()?);
    let scopes = vec!["repository:app:pull".to_owned()];
    let call = Call { method, is_repeatable, ..Call::get(url, "app", scopes, "asking for it".to_owned()) };
    let answer = connection.send(&call)?;
    let status = answer.status();
    Ok((status, String::from_utf8(answer.bytes(1_000, "reading it")?).unwrap()))
}

/// A connection whose user is `user` with the password `secret` there.
fn with_password(server: &Server, folder: &Path) -> Connection {
    let file = folder.join("auth.json");
    let auth = STANDARD.encode("user:secret");
    fs::write(&file, format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, server.host())).unwrap();
    Connection::new(&server.host(), &Access { credentials: vec![file], ..access() }).unwrap()
}

#[test]
fn what_passes_is_asked_again_and_everything_else_is_an_answer() {
    for (status, passes) in [
        (200, false),
        (204, false),
        (304, false),
        (400, false),
        (403, false),
        (404, false),
        (405, false),
        (408, true),
        (416, false),
        (418, false),
        (429, true),
        (500, true),
        (501, false),
        (502, true),
        (503, true),
        (504, true),
        (505, false),
    ] {
        let server = Server::script(vec![Reply::new(status, NOW, ""), Reply::new(200, "", "good")]);
        let (found, _) = get(&connection(&server), "/v2/x").unwrap();
        assert_eq!((found, server.asked().len()), if passes { (200, 2) } else { (status, 1) }, "{status}");
    }
}

#[test]
fn a_registry_that_never_answers_well_is_given_up() {
    let body = r#"{"errors":[{"code":"UNAVAILABLE","message":"later"}]}"#;
    let server = Server::script(vec![Reply::new(503, NOW, body)]);
    let error = get(&connection(&server), "/v2/x").unwrap_err();
    assert_eq!(server.asked().len(), TRIES as usize);
    assert_eq!(
        error.to_string(),
        format!("asking for it: the registry {} answers 503 (not available): UNAVAILABLE, later", server.host())
    );
    assert_eq!((error.kind(), error.hint().is_some()), (Kind::Environment, true));
}

#[test]
fn what_may_have_been_carried_out_is_not_asked_again() {
    let server = Server::script(vec![Reply::new(503, NOW, "")]);
    assert!(send(&connection(&server), Method::PATCH, "/v2/x", false).is_err());
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_pause_that_is_too_long_is_left_to_the_user() {
    let server = Server::script(vec![Reply::new(429, "Retry-After: 121\n", "")]);
    let error = get(&connection(&server), "/v2/x").unwrap_err();
    assert_eq!(server.asked().len(), 1);
    assert_eq!(error.hint(), Some("it asks to be left alone for 121 seconds"));
}

#[test]
fn an_exchange_that_broke_off_is_begun_again() {
    let server = Server::script(vec![Reply::bytes(b""), Reply::new(200, "", "good")]);
    assert_eq!(get(&connection(&server), "/v2/x").unwrap(), (200, "good".to_owned()));
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn where_nobody_listens_nobody_is_asked_again() {
    let server = Server::script(vec![Reply::new(200, "", "")]);
    let connection = connection(&server);
    let host = server.host();
    drop(server);
    let error = get(&connection, "/v2/x").unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("asking for it: the registry {host} cannot be reached: ")),
        "{error}"
    );
    assert_eq!(error.kind(), Kind::Environment);
}

/// Sends from `/v2/0` to `/v2/1` and so on, so many times.
fn redirecting(times: usize, status: u16) -> Server {
    Server::start(move |asked| {
        let at: usize = asked.path.strip_prefix("/v2/").unwrap().parse().unwrap();
        match at {
            at if at < times => Reply::new(status, &format!("Location: /v2/{}\n", at + 1), ""),
            _ => Reply::new(200, "", "good"),
        }
    })
}

#[test]
fn redirects_are_followed_and_not_without_end() {
    for status in [301, 302, 303, 307, 308] {
        let server = redirecting(REDIRECTS, status);
        assert_eq!(get(&connection(&server), "/v2/0").unwrap(), (200, "good".to_owned()), "{status}");
        assert_eq!(server.asked().len(), REDIRECTS + 1);
    }
    let server = redirecting(REDIRECTS + 1, 302);
    let error = get(&connection(&server), "/v2/0").unwrap_err();
    assert_eq!(error.to_string(), format!("asking for it: the registry {} redirects more than 5 times", server.host()));
    assert!(error.hint().unwrap().contains("circle"));
    assert_eq!((error.kind(), server.asked().len()), (Kind::Environment, REDIRECTS + 1));
}

#[test]
fn only_what_is_read_is_redirected() {
    for (method, asked) in
        [(Method::GET, 2), (Method::HEAD, 2), (Method::PUT, 1), (Method::POST, 1), (Method::PATCH, 1)]
    {
        let server = redirecting(1, 307);
        let (status, _) = send(&connection(&server), method.clone(), "/v2/0", true).unwrap();
        assert_eq!((server.asked().len(), status), (asked, if asked == 2 { 200 } else { 307 }), "{method}");
    }
}

#[test]
fn a_redirect_to_nowhere_is_an_answer_that_is_told() {
    for location in ["", "Location: ftp://elsewhere.example/x\n", "Location: https://a:b@elsewhere.example/x\n"] {
        let server = Server::script(vec![Reply::new(302, location, "")]);
        let connection = connection(&server);
        let url = format!("{}/v2/x", connection.base().unwrap());
        let call = Call::get(url, "app", Vec::new(), "asking for it".to_owned());
        let answer = connection.send(&call).unwrap();
        let error = connection.refusal(&call, answer);
        assert_eq!(
            error.to_string(),
            format!("asking for it: the registry {} sends to nowhere", server.host()),
            "{location}"
        );
    }
}

/// Whether a request proves who the user is.
fn is_authorized(asked: &Asked) -> bool {
    asked.header("authorization") == Some(&format!("Basic {}", STANDARD.encode("user:secret")))
}

#[test]
fn a_password_is_told_when_it_is_asked_for_and_then_with_each_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|asked| match is_authorized(asked) {
        true => Reply::new(200, "", "good"),
        false => Reply::new(401, "WWW-Authenticate: Basic realm=\"x\"\n", ""),
    });
    let connection = with_password(&server, folder.path());
    assert_eq!(get(&connection, "/v2/x").unwrap().0, 200);
    assert_eq!(get(&connection, "/v2/y").unwrap().0, 200);
    let told: Vec<bool> = server.asked().iter().map(|asked| asked.header("authorization").is_some()).collect();
    assert_eq!(told, [false, true, true]);
}

#[test]
fn a_password_that_is_not_taken_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"{"errors":[{"code":"DENIED","message":"not for user:secret"}]}"#;
    let server = Server::script(vec![Reply::new(401, "WWW-Authenticate: Basic realm=\"x\"\n", body)]);
    let connection = with_password(&server, folder.path());
    let (status, _) = get(&connection, "/v2/x").unwrap();
    assert_eq!((status, server.asked().len()), (401, 2));
    // Nobody is asked for the same again when the password was told with it.
    assert!(get(&connection, "/v2/x").is_err());
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn who_has_no_password_is_told_to_log_in() {
    for challenge in ["WWW-Authenticate: Basic realm=\"x\"\n", "WWW-Authenticate: Negotiate\n", ""] {
        let server = Server::script(vec![Reply::new(401, challenge, "")]);
        let error = get(&connection(&server), "/v2/x").unwrap_err();
        assert_eq!(server.asked().len(), 1, "{challenge}");
        assert!(error.hint().unwrap().contains(&format!("docker login {}", server.host())), "{error}");
    }
}

#[test]
fn what_a_registry_says_does_not_show_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let encoded = STANDARD.encode("user:secret");
    let body = format!(r#"{{"errors":[{{"code":"DENIED","message":"secret and {encoded} are wrong"}}]}}"#);
    let server = Server::script(vec![Reply::new(403, "", body)]);
    let connection = with_password(&server, folder.path());
    let url = format!("{}/v2/x", connection.base().unwrap());
    let call = Call::get(url, "app", Vec::new(), "asking for it".to_owned());
    let answer = connection.send(&call).unwrap();
    let error = connection.refusal(&call, answer).to_string();
    assert!(error.ends_with("answers 403 (forbidden): DENIED, … and … are wrong"), "{error}");
}

#[test]
fn nobody_else_hears_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let other = Server::script(vec![Reply::new(200, "", "good")]);
    let there = other.host();
    let server = Server::start(move |asked| match (asked.path.as_str(), is_authorized(asked)) {
        (_, false) => Reply::new(401, "WWW-Authenticate: Basic realm=\"x\"\n", ""),
        ("/v2/x", true) => Reply::new(307, &format!("Location: http://{there}/blob\n"), ""),
        _ => Reply::new(200, "", "here"),
    });
    let connection = with_password(&server, folder.path());
    assert_eq!(get(&connection, "/v2/x").unwrap(), (200, "good".to_owned()));
    let asked = other.asked();
    assert_eq!((asked.len(), asked[0].header("authorization")), (1, None));
}

#[test]
fn what_stands_elsewhere_cannot_ask_for_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let other = Server::script(vec![Reply::new(401, "WWW-Authenticate: Basic realm=\"x\"\n", "")]);
    let there = other.host();
    let server = Server::start(move |_| Reply::new(307, &format!("Location: http://{there}/blob\n"), ""));
    assert_eq!(get(&with_password(&server, folder.path()), "/v2/x").unwrap().0, 401);
    assert_eq!((server.asked().len(), other.asked().len()), (1, 1));
}

/// A registry that wants a token, and hands it out itself as `answer` says.
fn with_tokens(mut answer: impl FnMut(&Asked) -> Reply + Send + 'static) -> Server {
    Server::start(move |asked| {
        let host = asked.header("host").unwrap();
        if asked.path.starts_with("/token") {
            return answer(asked);
        }
        match asked.header("authorization") {
            Some("Bearer good") => Reply::new(200, "", "good"),
            _ => {
                Reply::new(401, &format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"s\"\n"), "")
            }
        }
    })
}

#[test]
fn a_token_is_fetched_once_for_what_it_allows() {
    let server = with_tokens(|_| Reply::new(200, "", r#"{"token": "good"}"#));
    let connection = connection(&server);
    assert_eq!(get(&connection, "/v2/x").unwrap().0, 200);
    assert_eq!(get(&connection, "/v2/y").unwrap().0, 200);
    let token = "GET /token?service=s&scope=repository%3Aapp%3Apull";
    assert_eq!(server.lines(), ["GET /v2/x", token, "GET /v2/x", "GET /v2/y"]);
}

#[test]
fn a_token_that_is_no_longer_taken_is_fetched_again_and_not_for_ever() {
    let server = with_tokens(|_| Reply::new(200, "", r#"{"token": "stale"}"#));
    let connection = connection(&server);
    assert_eq!(get(&connection, "/v2/x").unwrap().0, 401);
    assert_eq!(get(&connection, "/v2/x").unwrap().0, 401);
    let tokens = server.lines().iter().filter(|line| line.starts_with("GET /token")).count();
    assert_eq!((tokens, server.asked().len()), (2, 6));
}

#[test]
fn a_token_is_asked_for_with_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_tokens(|asked| match is_authorized(asked) {
        true => Reply::new(200, "", r#"{"access_token": "good"}"#),
        false => Reply::new(403, "", ""),
    });
    assert_eq!(get(&with_password(&server, folder.path()), "/v2/x").unwrap().0, 200);
    let error = get(&connection(&server), "/v2/x").unwrap_err();
    assert!(error.to_string().starts_with("asking for it: asking for a token: the registry "), "{error}");
    assert!(error.to_string().contains("answers 403 (forbidden)"), "{error}");
}

#[test]
fn who_hands_out_tokens_is_asked_again_where_that_may_help() {
    let mut failures = vec![503, 500, 429];
    let server = with_tokens(move |_| match failures.pop() {
        Some(status) => Reply::new(status, NOW, ""),
        None => Reply::new(200, "", r#"{"token": "good"}"#),
    });
    assert_eq!(get(&connection(&server), "/v2/x").unwrap().0, 200);
    assert_eq!(server.asked().len(), 6);
    let server = with_tokens(|_| Reply::new(502, NOW, ""));
    assert!(get(&connection(&server), "/v2/x").unwrap_err().to_string().contains("answers 502"));
    assert_eq!(server.asked().len(), 1 + TRIES as usize);
}

#[test]
fn an_answer_without_a_token_or_with_too_much_is_refused() {
    let most = usize::try_from(TOKEN_BYTES).unwrap();
    let with = |length: usize| {
        let start = br#"{"token": "good"}"#.to_vec();
        let body = [&start[..], &vec![b' '; length - start.len()]].concat();
        with_tokens(move |_| Reply::new(200, "", &body))
    };
    assert_eq!(get(&connection(&with(most)), "/v2/x").unwrap().0, 200);
    let error = get(&connection(&with(most + 1)), "/v2/x").unwrap_err();
    assert_eq!(error.to_string(), "asking for it: asking for a token: the answer has more than 1048576 bytes");
    let server = with_tokens(|_| Reply::new(200, "", "{}"));
    let error = get(&connection(&server), "/v2/x").unwrap_err();
    assert!(error.to_string().contains("the answer to the request for a token has none"), "{error}");
}

#[test]
fn a_body_is_read_up_to_its_bound() {
    for (length, is_read) in [(0, true), (999, true), (1_000, true), (1_001, false), (5_000, false)] {
        let server = Server::script(vec![Reply::new(200, "", vec![b'x'; length])]);
        match get(&connection(&server), "/v2/x") {
            Ok((_, body)) => assert!(is_read && body.len() == length, "{length}"),
            Err(error) => {
                assert!(!is_read, "{length}: {error}");
                assert_eq!(error.kind(), Kind::Content);
                assert_eq!(error.to_string(), "reading it: the answer has more than 1000 bytes");
            }
        }
    }
}

#[test]
fn a_body_that_was_cut_off_is_no_body() {
    let server = Server::script(vec![Reply::with_length(200, "", b"half", 8)]);
    let error = get(&connection(&server), "/v2/x").unwrap_err();
    assert!(error.to_string().starts_with("reading it: "), "{error}");
}

#[test]
fn what_is_no_http_is_told_as_that() {
    let server = Server::script(vec![Reply::bytes(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")]);
    let error = send(&connection(&server), Method::GET, "/v2/x", false).unwrap_err();
    assert!(error.to_string().contains("cannot be reached: what it answers is no HTTP: "), "{error}");
}

#[test]
fn a_registry_on_this_machine_is_asked_whether_it_has_tls() {
    for (reply, scheme) in [
        (Reply::new(200, "", ""), "http"),
        (Reply::new(401, "", ""), "http"),
        (Reply::new(404, "", ""), "http"),
        (Reply::new(400, "", ""), "https"),
        (Reply::bytes(b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n"), "https"),
    ] {
        let server = Server::script(vec![reply]);
        let connection = Connection::new(&server.host(), &Access { plain_http: false, ..access() }).unwrap();
        assert_eq!(connection.base().unwrap(), format!("{scheme}://{}", server.host()));
        connection.base().unwrap();
        assert_eq!(server.lines(), ["GET /v2/"], "it is asked once");
    }
}

#[test]
fn registries_elsewhere_have_tls_and_docker_has_another_host() {
    let base = |registry: &str, plain_http| {
        Connection::new(registry, &Access { plain_http, ..access() }).unwrap().base().unwrap()
    };
    assert_eq!(base("registry.example:5000", false), "https://registry.example:5000");
    assert_eq!(base("registry.example:5000", true), "http://registry.example:5000");
    assert_eq!(base("docker.io", false), "https://registry-1.docker.io");
}

#[test]
fn every_request_says_who_asks_and_wants_the_bytes_as_they_are() {
    let server = Server::script(vec![Reply::new(200, "", "")]);
    get(&connection(&server), "/v2/x").unwrap();
    let asked = &server.asked()[0];
    assert_eq!(asked.header("accept-encoding"), Some("identity"));
    assert_eq!(asked.header("user-agent"), Some(concat!("docker_delta/", env!("CARGO_PKG_VERSION"))));
    assert!(!format!("{:?}", connection(&server)).contains("agent"));
}

#[test]
fn a_token_of_an_identity_is_exchanged_and_never_sent_to_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_tokens(|asked| match (asked.method.as_str(), asked.header("authorization")) {
        ("POST", None) => Reply::new(200, "", r#"{"access_token": "good"}"#),
        _ => Reply::new(403, "", ""),
    });
    let file = folder.path().join("auth.json");
    fs::write(&file, format!(r#"{{"auths": {{"{}": {{"identitytoken": "refresh/me"}}}}}}"#, server.host())).unwrap();
    let connection = Connection::new(&server.host(), &Access { credentials: vec![file], ..access() }).unwrap();
    assert_eq!(get(&connection, "/v2/x").unwrap().0, 200);
    let asked = server.asked();
    let form = String::from_utf8(asked[1].body.clone()).unwrap();
    assert_eq!(asked[1].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert!(form.contains("grant_type=refresh_token") && form.contains("refresh_token=refresh%2Fme"), "{form}");
    assert_eq!(connection.without_secrets("is refresh/me wrong?"), "is … wrong?");
    assert!(asked.iter().all(|asked| asked.header("authorization").is_none_or(|found| found == "Bearer good")));
}

#[test]
fn what_is_sent_has_its_length_and_is_sent_whole_again() {
    let blob: Arc<dyn ReadAt> = Arc::new(b"0123456789".to_vec());
    let sent = |payload: &dyn Fn() -> Payload<'static>| {
        let server = Server::script(vec![Reply::new(503, NOW, ""), Reply::new(201, "", "")]);
        let connection = connection(&server);
        let url = format!("{}/v2/x", connection.base().unwrap());
        let call = Call { method: Method::PUT, payload: payload(), ..Call::get(url, "app", Vec::new(), String::new()) };
        assert_eq!(connection.send(&call).unwrap().status(), 201);
        let asked = server.asked();
        assert_eq!((asked.len(), &asked[0].body), (2, &asked[1].body));
        let [asked, _] = &asked[..] else { panic!("twice") };
        (asked.header("content-length").map(str::to_owned), asked.body.clone())
    };
    let length = |length: usize| Some(length.to_string());
    assert_eq!(sent(&|| Payload::Nothing), (length(0), Vec::new()));
    assert_eq!(sent(&|| Payload::Bytes(b"abc")), (length(3), b"abc".to_vec()));
    let blob: &'static Arc<dyn ReadAt> = Box::leak(Box::new(blob));
    assert_eq!(sent(&|| Payload::Piece(blob, 2, 5)), (length(5), b"23456".to_vec()));
    assert_eq!(sent(&|| Payload::Piece(blob, 0, 10)), (length(10), b"0123456789".to_vec()));
    // A piece that is not in its blob is a fault of ours.
    let server = Server::script(vec![Reply::new(201, "", "")]);
    let connection = connection(&server);
    let url = format!("{}/v2/x", connection.base().unwrap());
    let payload = Payload::Piece(blob, 6, 5);
    let call = Call { method: Method::PUT, payload, ..Call::get(url, "app", Vec::new(), String::new()) };
    assert_eq!(connection.send(&call).map(|_| ()).unwrap_err().kind(), Kind::Internal);
    assert!(server.asked().is_empty());
}

#[test]
fn the_longest_pause_that_is_no_news_is_not_told() {
    let hint = |seconds: u32| {
        let server = Server::script(vec![Reply::new(403, &format!("Retry-After: {seconds}\n"), "")]);
        let connection = connection(&server);
        let url = format!("{}/v2/x", connection.base().unwrap());
        let call = Call::get(url, "app", Vec::new(), "asking for it".to_owned());
        let answer = connection.send(&call).unwrap();
        connection.refusal(&call, answer).hint().unwrap().to_owned()
    };
    assert!(hint(120).contains("docker login"));
    assert_eq!(hint(121), "it asks to be left alone for 121 seconds");
}
