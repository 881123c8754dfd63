//! One registry: requests with what proves who the user is, asked again when that may help, redirected without showing credentials
//! to anybody else.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use delta_codec::{ReadAt, Reader, Slice};
use delta_core::error::{Error, Result};
use ureq::http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use ureq::http::{HeaderName, Method, Request, Response};
use ureq::{Agent, Body, SendBody};

use super::access::Access;
use super::authorization::{Authorization, TokenRequest, token};
use super::challenge::Challenge;
use super::credentials::{self, Credentials};
use super::fault::{REASON_BYTES, is_final, is_refusal, reason, refused, unreachable};
use super::origin::{Origin, is_loopback, resolve};
use super::patience::{Patience, retry_after};
use super::trust;

/// Redirects in a row; blobs of registries take one or two.
const REDIRECTS: usize = 5;

/// What an answer with a token may have.
const TOKEN_BYTES: u64 = 1 << 20;

/// What is sent.
pub(super) enum Payload<'a> {
    /// Nothing.
    Nothing,
    /// These bytes.
    Bytes(&'a [u8]),
    /// A part of a blob.
    Piece(&'a Arc<dyn ReadAt>, u64, u64),
}

/// A request.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) url: String,
    /// The repository, which decides about the credentials.
    pub(super) repository: &'a str,
    /// What a token must allow.
    pub(super) scopes: Vec<String>,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) payload: Payload<'a>,
    /// What is being done, for errors.
    pub(super) doing: String,
    /// Whether it may be asked again: it may have been carried out before.
    pub(super) is_repeatable: bool,
}

/// What came back; the body is still to be read.
pub(super) struct Answer {
    pub(super) response: Response<Body>,
    /// Where it came from in the end.
    url: String,
    is_own: bool,
}

/// Why an exchange failed.
enum Failure {
    /// On the way.
    Transport(ureq::Error),
    /// Whatever is tried.
    Final(Error),
}

/// A registry and what it is known to want.
pub(super) struct Connection {
    registry: String,
    agent: Agent,
    plain_http: bool,
    /// Whether the user named an authority, so that TLS is meant.
    has_authority: bool,
    files: Vec<PathBuf>,
    base: Mutex<Option<String>>,
    has_answered: AtomicBool,
    authorization: Mutex<Authorization>,
    credentials: Mutex<BTreeMap<String, Option<Credentials>>>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("registry", &self.registry).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header that is text.
    pub(super) fn header(&self, name: impl ureq::http::header::AsHeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The URL in `Location`.
    pub(super) fn location(&self) -> Option<String> {
        resolve(&self.url, self.header(LOCATION)?)
    }

    fn is_redirect(&self) -> bool {
        matches!(self.status(), 301 | 302 | 303 | 307 | 308)
    }

    fn is_passing(&self) -> bool {
        matches!(self.status(), 408 | 429 | 500 | 502 | 503 | 504)
    }

    fn pause(&self) -> Option<Duration> {
        self.header(RETRY_AFTER).and_then(retry_after)
    }

    /// The body, of at most `most` bytes.
    pub(super) fn bytes(mut self, most: u64, doing: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.response.body_mut().as_reader().take(most + 1).read_to_end(&mut bytes).map_err(Error::io(doing))?;
        if bytes.len() as u64 > most {
            return Err(Error::content(format!("{doing}: the answer has more than {most} bytes")));
        }
        Ok(bytes)
    }
}

impl Connection {
    /// Speaks with nobody yet.
    pub(super) fn new(registry: &str, access: &Access) -> Result<Self> {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("docker_delta/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(access.patience))
            .timeout_connect(Some(access.patience))
            .timeout_per_read(Some(access.patience))
            .timeout_per_write(Some(access.patience))
            .timeout_recv_response(Some(access.patience))
            .max_idle_connections_per_host(8);
        let agent = trust::trusting(agent, access.tls_ca.as_deref())?;
        // What is on this machine is not asked for through a proxy.
        let agent = if is_loopback(registry) { agent.proxy(None) } else { agent };
        Ok(Self {
            registry: registry.to_owned(),
            agent: agent.build().new_agent(),
            plain_http: access.plain_http,
            has_authority: access.tls_ca.is_some(),
            files: access.credentials.clone(),
            base: Mutex::default(),
            has_answered: AtomicBool::new(false),
            authorization: Mutex::default(),
            credentials: Mutex::default(),
        })
    }

    /// The host as it was named.
    pub(super) fn registry(&self) -> &str {
        &self.registry
    }

    /// Where its URLs begin.
    pub(super) fn base(&self) -> Result<String> {
        let mut base = lock(&self.base);
        let base = base.get_or_insert_with(|| self.find_base());
        trust::require_for(base)?;
        Ok(base.clone())
    }

    /// On this machine registries often have no TLS, which a request tells.
    fn find_base(&self) -> String {
        let host = if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry };
        let (plain, encrypted) = (format!("http://{host}"), format!("https://{host}"));
        if self.plain_http {
            return plain;
        }
        if self.has_authority || !is_loopback(host) {
            return encrypted;
        }
        match self.agent.get(format!("{plain}/v2/")).call() {
            // Servers with TLS answer so, or with what is no HTTP.
            Ok(answer) if answer.status().as_u16() == 400 => encrypted,
            Err(ureq::Error::Protocol(_)) => encrypted,
            _ => plain,
        }
    }

    /// Sends a request until it is answered with something that asking again would not change.
    ///
    /// # Errors
    /// Environment errors when no answer comes, or only ones that say that none can be given now.
    pub(super) fn send(&self, call: &Call<'_>) -> Result<Answer> {
        let mut patience = Patience::default();
        let mut is_known = false;
        loop {
            let (error, pause) = match self.exchange(call) {
                Ok(answer) if answer.status() == 401 && answer.is_own && !is_known => {
                    is_known = true;
                    self.authorize(call, answer)?;
                    continue;
                }
                Ok(answer) if answer.is_passing() => {
                    let pause = answer.pause();
                    (self.refusal(call, answer), pause)
                }
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Transport(error)) => {
                    let told = unreachable(&self.registry, &call.doing, &error);
                    // Where nobody ever answered, nobody is there.
                    let is_absent = is_refusal(&error) && !self.has_answered.load(Ordering::Relaxed);
                    if is_final(&error) || is_absent {
                        return Err(told);
                    }
                    (told, None)
                }
            };
            if !call.is_repeatable || !patience.wait(pause) {
                return Err(error);
            }
        }
    }

    /// What an answer that was not expected says.
    pub(super) fn refusal(&self, call: &Call<'_>, mut answer: Answer) -> Error {
        let (status, pause) = (answer.status(), answer.pause());
        if answer.is_redirect() {
            let to = answer.location().and_then(|url| Origin::of(&url)).map(|origin| origin.label().to_owned());
            let to = to.unwrap_or_else(|| "nowhere".to_owned());
            return Error::environment(format!("{}: the registry {} sends to {to}", call.doing, self.registry))
                .with_hint("name the registry by the address where it really is, and without TLS with --plain-http");
        }
        let mut body = Vec::new();
        // A reason that cannot be read is not told.
        let _ = answer.response.body_mut().as_reader().take(REASON_BYTES).read_to_end(&mut body);
        let error = refused(&self.registry, &call.doing, status, &self.without_secrets(&reason(&body)));
        match pause.filter(|pause| *pause > super::patience::LONGEST_PAUSE) {
            Some(pause) => error.with_hint(format!("it asks to be left alone for {} seconds", pause.as_secs())),
            None => error,
        }
    }

    /// One exchange, with the redirects of what is only read.
    fn exchange(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let follows = call.method == Method::GET || call.method == Method::HEAD;
        let mut url = call.url.clone();
        for _ in 0..=REDIRECTS {
            let answer = self.request(call, &url)?;
            if !answer.is_redirect() || !follows {
                return Ok(answer);
            }
            let Some(next) = answer.location() else { return Ok(answer) };
            if let (Some(from), Some(to)) = (Origin::of(&url), Origin::of(&next))
                && from.is_encrypted
                && !to.is_encrypted
                && !self.plain_http
            {
                return Err(Failure::Final(Error::environment(format!(
                    "{}: the registry {} sends to {} without TLS",
                    call.doing,
                    self.registry,
                    to.label()
                ))));
            }
            url = next;
        }
        let what = format!("{}: the registry {} redirects more than {REDIRECTS} times", call.doing, self.registry);
        Err(Failure::Final(Error::environment(what).with_hint("what stands before the registry sends in a circle")))
    }

    fn request(&self, call: &Call<'_>, url: &str) -> Result<Answer, Failure> {
        let base = self.base().map_err(Failure::Final)?;
        let is_own = Origin::of(url).is_some_and(|origin| Origin::of(&base) == Some(origin));
        let mut request = Request::builder().method(call.method.clone()).uri(url).header(ACCEPT_ENCODING, "identity");
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if is_own {
            let credentials = self.credentials(call.repository).map_err(Failure::Final)?;
            if let Some(value) = lock(&self.authorization).header(&call.scopes, credentials.as_ref()) {
                request = request.header(AUTHORIZATION, value);
            }
        }
        let failed = |error: ureq::http::Error| Failure::Transport(error.into());
        let response = match &call.payload {
            Payload::Nothing if call.method == Method::GET || call.method == Method::HEAD => {
                self.agent.run(request.body(()).map_err(failed)?)
            }
            Payload::Nothing => self.agent.run(request.header(CONTENT_LENGTH, 0).body(&[][..]).map_err(failed)?),
            Payload::Bytes(bytes) => {
                self.agent.run(request.header(CONTENT_LENGTH, bytes.len()).body(*bytes).map_err(failed)?)
            }
            Payload::Piece(bytes, offset, length) => {
                let piece = Slice::new((*bytes).clone(), *offset, *length)
                    .ok_or_else(|| Failure::Final(Error::internal("a piece that is not in its blob")))?;
                let mut piece = Reader::new(piece);
                let request = request.header(CONTENT_LENGTH, *length);
                self.agent.run(request.body(SendBody::from_reader(&mut piece)).map_err(failed)?)
            }
        };
        let response = response.map_err(Failure::Transport)?;
        self.has_answered.store(true, Ordering::Relaxed);
        Ok(Answer { response, url: url.to_owned(), is_own })
    }

    /// Finds out how to answer a 401, and gets a token if one is wanted.
    fn authorize(&self, call: &Call<'_>, answer: Answer) -> Result<()> {
        let values = answer.response.headers().get_all(WWW_AUTHENTICATE);
        let values: Vec<&str> = values.iter().filter_map(|value| value.to_str().ok()).collect();
        let credentials = self.credentials(call.repository)?;
        let challenge = Challenge::read(values.into_iter());
        let had_token = lock(&self.authorization).header(&call.scopes, credentials.as_ref()).is_some();
        match challenge {
            Some(challenge @ Challenge::Bearer { .. }) => {
                let token = self.token(&challenge, call, credentials.as_ref())?;
                let mut authorization = lock(&self.authorization);
                authorization.forget(&call.scopes);
                authorization.keep(&call.scopes, token);
                authorization.challenge = Some(challenge);
                Ok(())
            }
            Some(Challenge::Basic)
                if credentials.as_ref().is_some_and(|found| found.basic().is_some()) && !had_token =>
            {
                lock(&self.authorization).challenge = Some(Challenge::Basic);
                Ok(())
            }
            _ => Err(self.refusal(call, answer)),
        }
    }

    fn token(&self, challenge: &Challenge, call: &Call<'_>, credentials: Option<&Credentials>) -> Result<String> {
        let doing = format!("{}: asking for a token", call.doing);
        let base = Origin::of(&self.base()?).ok_or_else(|| Error::internal("a registry without an origin"))?;
        let asked =
            TokenRequest::new(challenge, &call.scopes, credentials, &base).map_err(|error| error.within(&doing))?;
        let mut patience = Patience::default();
        loop {
            let sent = match &asked {
                TokenRequest::Get(url) => {
                    let request = self.agent.get(url);
                    match credentials.and_then(Credentials::basic) {
                        Some(basic) => request.header(AUTHORIZATION, basic).call(),
                        None => request.call(),
                    }
                }
                TokenRequest::Post(url, form) => {
                    self.agent.post(url).content_type("application/x-www-form-urlencoded").send(form.as_bytes())
                }
            };
            let (error, pause) = match sent {
                Ok(response) => {
                    let answer = Answer { response, url: String::new(), is_own: false };
                    if answer.status() == 200 {
                        return token(&answer.bytes(TOKEN_BYTES, &doing)?).map_err(|error| error.within(&doing));
                    }
                    let (is_passing, pause) = (answer.is_passing(), answer.pause());
                    let error = self.refusal(&Call { doing: doing.clone(), ..call.bare() }, answer);
                    if !is_passing {
                        return Err(error);
                    }
                    (error, pause)
                }
                Err(error) if is_final(&error) => return Err(unreachable(&self.registry, &doing, &error)),
                Err(error) => (unreachable(&self.registry, &doing, &error), None),
            };
            if !patience.wait(pause) {
                return Err(error);
            }
        }
    }

    /// What is known of the user for a repository; programs are asked once.
    fn credentials(&self, repository: &str) -> Result<Option<Credentials>> {
        let mut known = lock(&self.credentials);
        if let Some(found) = known.get(repository) {
            return Ok(found.clone());
        }
        let found = credentials::find(&self.files, &self.registry, repository)?;
        known.insert(repository.to_owned(), found.clone());
        Ok(found)
    }

    /// A text without what must not be shown.
    fn without_secrets(&self, text: &str) -> String {
        let known = lock(&self.credentials);
        let mut text = text.to_owned();
        for credentials in known.values().flatten() {
            let secret = match credentials {
                Credentials::Password { password, .. } => password,
                Credentials::IdentityToken(token) => token,
            };
            let basic = credentials.basic().unwrap_or_default();
            for secret in [secret.as_str(), basic.trim_start_matches("Basic ")] {
                if !secret.is_empty() {
                    text = text.replace(secret, "…");
                }
            }
        }
        text
    }
}

impl<'a> Call<'a> {
    /// A GET that may be repeated.
    pub(super) fn get(url: String, repository: &'a str, scopes: Vec<String>, doing: String) -> Self {
        Self {
            method: Method::GET,
            url,
            repository,
            scopes,
            headers: Vec::new(),
            payload: Payload::Nothing,
            doing,
            is_repeatable: true,
        }
    }

    fn bare(&self) -> Self {
        Self::get(self.url.clone(), self.repository, Vec::new(), String::new())
    }
}

#[cfg(test)]
mod tests;
