//! From the text of a policy to its keys, with errors that name the line and what may be meant.

use delta_core::error::{Error, Result};
use serde::{Deserialize, Deserializer, de};
use toml::de::DeTable;

use super::Policy;
use crate::engine::ClientKind;

/// All keys, in the order in which they are explained.
const KEYS: [&str; 15] = [
    "trust",
    "allow_unsigned",
    "no_downgrade",
    "identity_files",
    "engine",
    "containerd",
    "to",
    "output",
    "bases",
    "platforms",
    "interval",
    "patience",
    "temp_dir",
    "tls_ca",
    "plain_http",
];

/// Keys that are less alike than this are no advice.
const ALIKE: f64 = 0.8;

pub(super) fn parse(text: &str) -> Result<Policy> {
    let fault = |error: &toml::de::Error| at(text, error.span().map_or(0, |span| span.start), error.message().trim());
    let table = DeTable::parse(text).map_err(|error| fault(&error))?;
    if let Some(unknown) =
        table.get_ref().keys().filter(|key| !KEYS.contains(&key.get_ref().as_ref())).min_by_key(|key| key.span().start)
    {
        let name = unknown.get_ref();
        return Err(at(text, unknown.span().start, &format!("`{name}` is no key of a policy")).with_hint(advice(name)));
    }
    toml::from_str(text).map_err(|error| fault(&error))
}

/// An error at a place of the text.
fn at(text: &str, offset: usize, message: &str) -> Error {
    let before = text.get(..offset).unwrap_or(text);
    Error::usage(format!("line {}: {message}", before.matches('\n').count() + 1))
}

fn advice(name: &str) -> String {
    let scored = KEYS.iter().map(|key| (strsim::jaro_winkler(name, key), key));
    match scored.filter(|(score, _)| *score >= ALIKE).max_by(|(one, _), (other, _)| one.total_cmp(other)) {
        Some((_, key)) => format!("did you mean `{key}`?"),
        None => format!("the keys are {}", KEYS.join(", ")),
    }
}

pub(super) fn engine<'a, D: Deserializer<'a>>(from: D) -> std::result::Result<Option<ClientKind>, D::Error> {
    let name = String::deserialize(from)?;
    name.parse().map(Some).map_err(|error: Error| de::Error::custom(error))
}

#[cfg(test)]
mod tests;
