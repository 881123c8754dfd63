//! Who the user is to a registry: names and passwords, or tokens for what is to be done.

use std::collections::BTreeMap;
use std::fmt;

use delta_core::error::{Error, Result};
use serde::Deserialize;

use super::challenge::Challenge;
use super::credentials::Credentials;
use super::origin::Origin;

/// What a registry was found to want, and what it gave.
#[derive(Default)]
pub(super) struct Authorization {
    /// What it asked for last.
    pub(super) challenge: Option<Challenge>,
    /// Tokens by what they allow.
    tokens: BTreeMap<Vec<String>, String>,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authorization").field("challenge", &self.challenge).finish_non_exhaustive()
    }
}

impl Authorization {
    /// The header for a request that needs these scopes, if what is known is enough.
    pub(super) fn header(&self, scopes: &[String], credentials: Option<&Credentials>) -> Option<String> {
        match self.challenge.as_ref()? {
            Challenge::Basic => credentials?.basic(),
            Challenge::Bearer { .. } => self.tokens.get(scopes).map(|token| format!("Bearer {token}")),
        }
    }

    /// Keeps a token.
    pub(super) fn keep(&mut self, scopes: &[String], token: String) {
        self.tokens.insert(scopes.to_vec(), token);
    }

    /// Forgets a token that is no longer taken.
    pub(super) fn forget(&mut self, scopes: &[String]) {
        self.tokens.remove(scopes);
    }
}

/// How a token is asked for (distribution, "Token Authentication Specification" and "Oauth2 Token Authentication").
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenRequest {
    /// A GET of this URL, with a name and a password if there are some.
    Get(String),
    /// A form that is posted to this URL.
    Post(String, String),
}

impl TokenRequest {
    /// The request for these scopes. A password never goes to who hands out tokens on a way that is less safe than that to the
    /// registry.
    pub(super) fn new(
        challenge: &Challenge,
        scopes: &[String],
        credentials: Option<&Credentials>,
        registry: &Origin,
    ) -> Result<Self> {
        let Challenge::Bearer { realm, service, scope } = challenge else {
            return Err(Error::internal("a token is asked for where none is wanted"));
        };
        let origin = Origin::of(realm)
            .ok_or_else(|| Error::environment("the registry names no URL where it sends for a token"))?;
        if registry.is_encrypted && !origin.is_encrypted {
            return Err(Error::environment(format!(
                "the registry sends for a token to {} without TLS, where passwords are not sent",
                origin.label()
            )));
        }
        let asked: Vec<&str> = if scopes.is_empty() {
            scope.iter().map(String::as_str).collect()
        } else {
            scopes.iter().map(String::as_str).collect()
        };
        let service = service.as_deref().unwrap_or_default();
        if let Some(Credentials::IdentityToken(token)) = credentials {
            let fields = [
                ("grant_type", "refresh_token"),
                ("service", service),
                ("client_id", "docker_delta"),
                ("scope", &asked.join(" ")),
                ("refresh_token", token),
            ];
            return Ok(Self::Post(realm.clone(), query(fields.into_iter())));
        }
        let fields = [("service", service)].into_iter().chain(asked.into_iter().map(|scope| ("scope", scope)));
        let separator = if realm.contains('?') { '&' } else { '?' };
        Ok(Self::Get(format!("{realm}{separator}{}", query(fields))))
    }
}

/// The token in an answer.
pub(super) fn token(answer: &[u8]) -> Result<String> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let answer: Option<Answer> = serde_json::from_slice(answer).ok();
    let token = answer.and_then(|answer| answer.token.or(answer.access_token)).filter(|token| is_header_value(token));
    token.ok_or_else(|| Error::environment("the answer to the request for a token has none"))
}

/// Whether a text can stand in a header.
fn is_header_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

/// A query or a form (URL standard, "application/x-www-form-urlencoded").
fn query<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let field = |(name, value): (&str, &str)| format!("{name}={}", encoded(value));
    fields.filter(|(_, value)| !value.is_empty()).map(field).collect::<Vec<_>>().join("&")
}

/// A text as it stands in a URL.
pub(super) fn encoded(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let byte = |byte: u8| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests;
