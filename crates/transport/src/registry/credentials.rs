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
mod tests;
