//! What `docker login` and `podman login` left: `config.json`, `auth.json`, and programs that keep secrets
//! (docker/cli, "Credential stores"; containers/image, containers-auth.json.5).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use delta_core::error::{Error, Result};
use serde::Deserialize;

/// What a file or a program with credentials may have.
const BYTES: u64 = 8 << 20;

/// The name under which Docker's client keeps what is for its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The user's name that stands for a token (docker/docker-credential-helpers).
const TOKEN_USER: &str = "<token>";

/// What proves who the user is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that others are got with (RFC 6749, section 6).
    IdentityToken(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// The value of `Authorization` (RFC 7617).
    pub(super) fn basic(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            Self::IdentityToken(_) => None,
        }
    }

    fn of(user: String, password: String) -> Self {
        if user == TOKEN_USER { Self::IdentityToken(password) } else { Self::Password { user, password } }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Auth>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

/// The credentials for a repository in the first of these files that has some.
///
/// # Errors
/// Environment errors when a file is there and cannot be read, or a program that it names fails.
pub(super) fn find(files: &[PathBuf], registry: &str, repository: &str) -> Result<Option<Credentials>> {
    for file in files {
        let found = in_file(file, registry, repository);
        if let Some(found) = found.map_err(|error| error.within(&file.display().to_string()))? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn in_file(path: &Path, registry: &str, repository: &str) -> Result<Option<Credentials>> {
    let Ok(file) = fs::File::open(path) else { return Ok(None) };
    let mut text = Vec::new();
    file.take(BYTES).read_to_end(&mut text).map_err(Error::io("reading the credentials"))?;
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    // What serde found could be a secret, so only the place is told.
    let config: Config = serde_json::from_slice(&text).map_err(|error| {
        Error::environment(format!("not the JSON that `docker login` writes, in line {}", error.line()))
    })?;
    let keys = keys(registry, repository);
    for key in &keys {
        if let Some((server, helper)) = config.cred_helpers.iter().find(|(known, _)| normal(known) == *key) {
            return ask(helper, server);
        }
    }
    for key in &keys {
        let auth = config.auths.iter().find(|(known, _)| normal(known) == *key);
        if let Some(found) = auth.map(|(_, auth)| credentials(auth)).transpose()?.flatten() {
            return Ok(Some(found));
        }
    }
    match config.creds_store.filter(|store| !store.is_empty()) {
        Some(store) => ask(&store, if registry == "docker.io" { DOCKER_HUB } else { registry }),
        None => Ok(None),
    }
}

/// What the credentials may stand under, the most exact first: podman keeps some for a part of a registry.
fn keys(registry: &str, repository: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut path = format!("{registry}/{repository}");
    while let Some((above, _)) = path.clone().rsplit_once('/') {
        keys.push(path);
        path = above.to_owned();
    }
    keys.push(path);
    keys
}

/// A key without its scheme and what old clients put behind the host.
fn normal(key: &str) -> String {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    match key {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        key => key.to_owned(),
    }
}

fn credentials(auth: &Auth) -> Result<Option<Credentials>> {
    if let Some(token) = auth.identitytoken.as_ref().filter(|token| !token.is_empty()) {
        return Ok(Some(Credentials::IdentityToken(token.clone())));
    }
    if let Some(auth) = auth.auth.as_ref().filter(|auth| !auth.is_empty()) {
        let damaged = || Error::environment("an `auth` in it is not base64 of NAME:PASSWORD");
        let plain = STANDARD.decode(auth.trim()).map_err(|_| damaged())?;
        let plain = String::from_utf8(plain).map_err(|_| damaged())?;
        let (user, password) = plain.split_once(':').ok_or_else(damaged)?;
        return Ok(Some(Credentials::of(user.to_owned(), password.trim_end_matches('\0').to_owned())));
    }
    Ok(match (&auth.username, &auth.password) {
        (Some(user), Some(password)) => Some(Credentials::of(user.clone(), password.clone())),
        _ => None,
    })
}

/// Asks the program that a file names.
fn ask(helper: &str, server: &str) -> Result<Option<Credentials>> {
    if helper.contains(std::path::is_separator) {
        return Err(Error::environment(format!("`{}` is no name of a credential helper", helper.escape_debug())));
    }
    ask_program(format!("docker-credential-{helper}").as_ref(), server)
}

/// Asks a program for what it keeps for `server` (docker/docker-credential-helpers, "get").
fn ask_program(path: &OsStr, server: &str) -> Result<Option<Credentials>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: String,
    }
    let program = path.display();
    let doing = || Error::io(format!("asking `{program}` for the credentials of {server}"));
    let mut child = Command::new(path)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(doing())?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read what it is asked fails below.
        let _ = stdin.write_all(server.as_bytes());
    }
    let mut said = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(BYTES).read_to_end(&mut said).map_err(doing())?;
    }
    let status = child.wait().map_err(doing())?;
    if !status.success() {
        // That it keeps nothing is told in words only.
        let nothing = String::from_utf8_lossy(&said).contains("credentials not found");
        return if nothing {
            Ok(None)
        } else {
            Err(Error::environment(format!("`{program} get` failed for {server}: {status}"))
                .with_hint(format!("see what it says: echo {server} | {program} get >/dev/null")))
        };
    }
    let Answer { username, secret } = serde_json::from_slice(&said).map_err(|_| {
        Error::environment(format!("`{program} get` gave no JSON with a name and a secret for {server}"))
    })?;
    Ok((!secret.is_empty()).then(|| Credentials::of(username, secret)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn password(user: &str, password: &str) -> Credentials {
        Credentials::Password { user: user.to_owned(), password: password.to_owned() }
    }

    fn look(text: &str, registry: &str, repository: &str) -> Result<Option<Credentials>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        fs::write(&file, text).unwrap();
        find(&[folder.path().join("missing.json"), file], registry, repository)
    }

    #[test]
    fn the_most_exact_entry_counts() {
        let encoded = |text: &str| STANDARD.encode(text);
        let text = format!(
            r#"{{"auths": {{
                "r.example": {{"auth": "{}"}},
                "r.example/team": {{"auth": "{}"}},
                "https://index.docker.io/v1/": {{"username": "hub", "password": "p"}},
                "https://old.example/v2/": {{"auth": "", "identitytoken": "t"}},
                "empty.example": {{}}
            }}}}"#,
            encoded("all:one:two"),
            encoded("team:three"),
        );
        for (registry, repository, expected) in [
            ("r.example", "app", Some(password("all", "one:two"))),
            ("r.example", "team/app", Some(password("team", "three"))),
            ("r.example", "teams/app", Some(password("all", "one:two"))),
            ("r.example:5000", "app", None),
            ("docker.io", "library/debian", Some(password("hub", "p"))),
            ("old.example", "app", Some(Credentials::IdentityToken("t".to_owned()))),
            ("empty.example", "app", None),
        ] {
            assert_eq!(look(&text, registry, repository).unwrap(), expected, "{registry}/{repository}");
        }
    }

    #[test]
    fn nothing_secret_is_told() {
        for text in [
            r#"{"auths": {"r.example": {"auth": "c2VjcmV0"}}}"#,
            r#"{"auths": {"r.example": {"auth": "secret!"}}}"#,
            r#"{"auths": {"r.example": {"auth": ["secret"]}}}"#,
            "secret",
        ] {
            let error = look(text, "r.example", "app").unwrap_err();
            assert!(!format!("{error:?} {error}").contains("secret"), "{error}");
        }
        assert!(!format!("{:?}", password("name", "secret")).contains("secret"));
        assert_eq!(look("", "r.example", "app").unwrap(), None);
    }

    #[test]
    fn programs_that_keep_secrets_are_asked() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helper");
        let script = "#!/bin/sh\nread -r server\ncase $server in\nr.example) echo '{\"Username\":\"u\",\"Secret\":\"s\"}';;\n\
                      t.example) echo '{\"Username\":\"<token>\",\"Secret\":\"s\"}';;\n\
                      bad.example) echo hidden;;\nbroken.example) exit 1;;\n\
                      *) echo 'credentials not found in native keychain'; exit 1;;\nesac\n";
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let ask = |server| ask_program(program.as_os_str(), server);
        assert_eq!(ask("r.example").unwrap(), Some(password("u", "s")));
        assert_eq!(ask("t.example").unwrap(), Some(Credentials::IdentityToken("s".to_owned())));
        assert_eq!(ask("other.example").unwrap(), None);
        assert!(!ask("bad.example").unwrap_err().to_string().contains("hidden"));
        assert!(ask("broken.example").unwrap_err().to_string().contains("exit status: 1"));
        let error = look(r#"{"credsStore": "no-such-helper"}"#, "r.example", "app").unwrap_err();
        assert!(error.to_string().contains("docker-credential-no-such-helper"), "{error}");
        assert!(look(r#"{"credHelpers": {"r.example": "../helper"}}"#, "r.example", "app").is_err());
    }
}
