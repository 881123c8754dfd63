//! Who may read: passwords, tokens, authorities.

use std::sync::{Arc, Mutex};

use super::proxy::{Act, Proxy, Seen, is_blob};
use super::server::{Guard, Registry, alone};
use crate::support::{Folder, real, sample};

/// `user:pass:word` in base64.
const AUTH: &str = "dXNlcjpwYXNzOndvcmQ=";

const SECRETS: [&str; 3] = ["pass:word", AUTH, "first-token"];

fn log_in(folder: &Folder, key: &str, auth: &str) {
    std::fs::create_dir_all(folder.path().join(".docker")).unwrap();
    folder.write(".docker/config.json", format!(r#"{{"auths": {{"{key}": {{"auth": "{auth}"}}}}}}"#).as_bytes());
}

#[track_caller]
fn holds_no_secret(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_password_is_sent_where_it_is_asked_for() {
    let registry = Registry::start(Guard::Password);
    let folder = Folder::new();
    let label = format!("localhost:{}", registry.port());
    let image = registry.name("app:v1");
    let source = format!("docker-archive:{}", sample("tiny/docker28-classic/v1.tar"));
    real(
        "skopeo",
        "skopeo",
        &["copy", "-q", "--dest-tls-verify=false", "--dest-creds=user:pass:word", &source, &image],
    );
    let ran = alone(&folder, &["inspect", &image]).failed(3, &["401", &label, &format!("docker login {label}")]);
    holds_no_secret(&ran.stderr);
    log_in(&folder, &label, "dXNlcjp3cm9uZw==");
    let ran = alone(&folder, &["inspect", "-v", &image]).failed(3, &["401", "docker login"]);
    assert!(!ran.stderr.contains("wrong"), "{}", ran.stderr);
    log_in(&folder, &label, AUTH);
    let ran = alone(&folder, &["inspect", "-v", &image]).ok();
    holds_no_secret(&ran.stderr);
    let package = folder.file("p.ddelta");
    alone(&folder, &["create", "-v", &image, &package]).ok();
    let package = std::fs::read(package).unwrap();
    let holds = |secret: &str| package.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!SECRETS.into_iter().any(holds));
}

/// Lets only those in who have the token for what they do.
fn guard(seen: &Seen, asked: &Mutex<Vec<String>>, user: Option<&str>) -> Option<Act> {
    let port = seen.headers["host"].clone();
    let authorization = seen.headers.get("authorization").map(String::as_str);
    if let Some(query) = seen.path.strip_prefix("/token?") {
        asked.lock().unwrap().push(query.to_owned());
        if user.is_some_and(|user| authorization != Some(&format!("Basic {user}"))) {
            let body =
                format!(r#"{{"errors":[{{"code":"DENIED","message":"{}"}}]}}"#, authorization.unwrap_or("nobody"));
            return Some(Act::Answer(401, Vec::new(), body));
        }
        return Some(Act::Answer(200, Vec::new(), r#"{"token":"first-token","expires_in":60}"#.to_owned()));
    }
    if authorization == Some("Bearer first-token") {
        return None;
    }
    let challenge = format!(r#"Bearer realm="http://{port}/token",service="lab service",scope="repository:app:pull""#);
    Some(Act::Answer(401, vec![("WWW-Authenticate", challenge)], String::new()))
}

#[test]
fn a_token_is_fetched_once_for_what_is_done() {
    let registry = Registry::start(Guard::Nothing);
    let folder = Folder::new();
    registry.fill(&format!("docker-archive:{}", sample("tiny/docker28-classic/v1.tar")), "app:v1");
    let proxy = Proxy::before(registry.port());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let shared = asked.clone();
    proxy.rule(move |seen| guard(seen, &shared, Some(AUTH)));
    let ran = alone(&folder, &["inspect", "-v", &proxy.name("app:v1")]);
    holds_no_secret(&ran.failed(3, &["asking for a token", "401", "docker login"]).stderr);
    log_in(&folder, &format!("localhost:{}", proxy.port()), "dXNlcjp3cm9uZw==");
    let ran = alone(&folder, &["inspect", "-v", &proxy.name("app:v1")]).failed(3, &["asking for a token", "401"]);
    assert!(!ran.stderr.contains("dXNlcjp3cm9uZw=="), "{}", ran.stderr);
    asked.lock().unwrap().clear();
    log_in(&folder, &format!("localhost:{}", proxy.port()), AUTH);
    holds_no_secret(&alone(&folder, &["create", "-v", &proxy.name("app:v1"), &folder.file("p.ddelta")]).ok().stderr);
    assert_eq!(*asked.lock().unwrap(), ["service=lab%20service&scope=repository%3Aapp%3Apull"]);
}

#[test]
fn an_identity_token_is_exchanged() {
    let registry = Registry::start(Guard::Nothing);
    let folder = Folder::new();
    registry.fill(&format!("docker-archive:{}", sample("tiny/docker28-classic/v1.tar")), "app:v1");
    let proxy = Proxy::before(registry.port());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let shared = asked.clone();
    proxy.rule(move |seen| {
        if seen.path == "/token" && seen.method == "POST" {
            return Some(Act::Answer(200, Vec::new(), r#"{"access_token":"first-token"}"#.to_owned()));
        }
        guard(seen, &shared, None)
    });
    std::fs::create_dir(folder.path().join(".docker")).unwrap();
    let config = format!(r#"{{"auths": {{"localhost:{}": {{"identitytoken": "pass:word"}}}}}}"#, proxy.port());
    folder.write(".docker/config.json", config.as_bytes());
    holds_no_secret(&alone(&folder, &["inspect", "-v", &proxy.name("app:v1")]).ok().stderr);
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn credentials_are_shown_to_nobody_else() {
    let registry = Registry::start(Guard::Nothing);
    let folder = Folder::new();
    registry.fill(&format!("docker-archive:{}", sample("tiny/docker28-classic/v1.tar")), "app:v1");
    // An object store on another host, and the registry that sends there for blobs.
    let store = Proxy::before(registry.port());
    let proxy = Proxy::before(registry.port());
    let place = format!("http://127.0.0.1:{}", store.port());
    proxy.rule(move |seen| {
        if seen.headers.get("authorization").map(String::as_str) != Some(&format!("Basic {AUTH}")) {
            return Some(Act::Answer(401, vec![("WWW-Authenticate", "Basic realm=lab".to_owned())], String::new()));
        }
        is_blob(seen)
            .then(|| Act::Answer(307, vec![("Location", format!("{place}{}?secret=x", seen.path))], String::new()))
    });
    log_in(&folder, &format!("localhost:{}", proxy.port()), AUTH);
    let package = folder.file("p.ddelta");
    alone(&folder, &["create", &proxy.name("app:v1"), &package]).ok();
    assert!(!store.seen().is_empty());
    assert!(store.seen().iter().all(|seen| !seen.headers.contains_key("authorization")));
    let refused = |_: &Seen| Some(Act::Answer(403, Vec::new(), "<Error>secret=x</Error>".to_owned()));
    store.rule(refused);
    let ran = alone(&folder, &["create", "-f", &proxy.name("app:v1"), &package]).failed(3, &["403", "localhost"]);
    assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
}

#[test]
fn an_authority_of_ones_own_is_named() {
    let registry = Registry::start(Guard::Tls);
    let folder = Folder::new();
    let (image, ca) = (registry.name("app:v1"), registry.folder.file("ca.pem"));
    registry.fill(&format!("docker-archive:{}", sample("tiny/docker28-classic/v1.tar")), "app:v1");
    alone(&folder, &["inspect", &image]).failed(3, &["TLS", "--tls-ca"]);
    alone(&folder, &["inspect", "--tls-ca", &ca, &image]).ok();
    alone(&folder, &["inspect", "--tls-ca", &folder.file("none.pem"), &image]).failed(3, &["none.pem"]);
    alone(&folder, &["inspect", "--tls-ca", &folder.write("empty.pem", b""), &image]).failed(3, &["no certificate"]);
    let plain = Registry::start(Guard::Nothing);
    alone(&folder, &["inspect", "--tls-ca", &ca, &plain.name("app:v1")]).failed(3, &["TLS", "--plain-http"]);
}
