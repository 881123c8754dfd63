//! What a registry refuses, in words that say what to do.

use delta_core::error::Error;
use serde::Deserialize;

use super::trust;

/// What went wrong, and what to do about it where that is known.
pub(super) type Told = (String, Option<&'static str>);

/// The part of an answer that is looked at for the reason of a refusal.
pub(super) const REASON_BYTES: u64 = 16 << 10;

/// Characters of a reason that are told.
const TOLD: usize = 300;

/// A registry answered, and not with what was asked for.
pub(super) fn refused(registry: &str, doing: &str, status: u16, reason: &str) -> Error {
    let name = status_name(status);
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let error = Error::environment(format!("{doing}: the registry {registry} answers {status}{name}{reason}"));
    match hint(registry, status, &reason) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn hint(registry: &str, status: u16, reason: &str) -> Option<String> {
    Some(match status {
        401 => format!("log in: `docker login {registry}`, `podman login {registry}` or `skopeo login {registry}`"),
        403 => format!(
            "what you are logged in with may not do this; log in as somebody who may: `docker login {registry}`"
        ),
        404 if reason.contains("MANIFEST") || reason.contains("NAME") => {
            "see how the repository and the tag are spelled; a registry may also hide what you may not read: log in"
                .to_owned()
        }
        404 => "see that this is a registry, and how the repository is spelled".to_owned(),
        405 => "the registry takes no pushes here: it may be a mirror".to_owned(),
        413 => "something before the registry takes no bodies of this size: let its proxy pass larger ones".to_owned(),
        429 => "wait, or log in: registries let known users ask more often".to_owned(),
        500.. => {
            "the registry, or what stands before it, is at fault; what was transferred is kept: try again".to_owned()
        }
        _ => return None,
    })
}

const fn status_name(status: u16) -> &'static str {
    match status {
        400 => " (bad request)",
        401 => " (not logged in)",
        403 => " (forbidden)",
        404 => " (not there)",
        405 => " (not allowed)",
        413 => " (too large)",
        416 => " (no such range)",
        429 => " (too many requests)",
        500 => " (internal error)",
        502 => " (bad gateway)",
        503 => " (not available)",
        504 => " (gateway timeout)",
        _ => "",
    }
}

/// No answer came.
pub(super) fn unreachable(registry: &str, doing: &str, error: &ureq::Error) -> Error {
    let (what, hint) = trust::told(error).unwrap_or_else(|| told(error));
    let error = Error::environment(format!("{doing}: the registry {registry} cannot be reached: {what}"));
    error.with_hint(
        hint.unwrap_or("see that it runs and that its address is right; without TLS it is reached with --plain-http"),
    )
}

fn told(error: &ureq::Error) -> Told {
    match error {
        ureq::Error::HostNotFound => (
            "no such host is known".to_owned(),
            Some("see how the registry is spelled, and whether this machine has a network"),
        ),
        ureq::Error::Timeout(_) => {
            ("nothing was heard for too long".to_owned(), Some("what was transferred is kept: try again"))
        }
        ureq::Error::Io(error) => (error.to_string(), None),
        ureq::Error::Protocol(error) => (format!("what it answers is no HTTP: {error}"), None),
        ureq::Error::LargeResponseHeader(..) => ("the head of its answer is too long".to_owned(), None),
        // Others have URLs in them, which may be secret.
        _ => ("the exchange failed".to_owned(), None),
    }
}

/// Whether asking again is of no use.
pub(super) fn is_final(error: &ureq::Error) -> bool {
    trust::is_final(error)
        || match error {
            ureq::Error::HostNotFound | ureq::Error::BadUri(_) | ureq::Error::Http(_) => true,
            ureq::Error::Io(error) => error.get_ref().is_some_and(|inner| inner.is::<Error>()),
            _ => false,
        }
}

/// Whether nobody listens there.
pub(super) fn is_refusal(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// The reasons in the body of a refusal (OCI distribution-spec, "Error Codes"), fit to be shown.
pub(super) fn reason(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        errors: Vec<Reason>,
    }
    #[derive(Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Reason {
        code: String,
        message: String,
    }
    let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
    let reasons = refusal.map(|refusal| refusal.errors).unwrap_or_default();
    let one = |reason: &Reason| match (reason.code.as_str(), reason.message.as_str()) {
        (code, "") => code.to_owned(),
        ("", message) => message.to_owned(),
        (code, message) => format!("{code}, {message}"),
    };
    let text = reasons.iter().map(one).collect::<Vec<_>>().join("; ");
    let escaped = |character: char| {
        if character.is_control() { character.escape_unicode().to_string() } else { character.to_string() }
    };
    text.chars().take(TOLD).map(escaped).collect()
}

#[cfg(test)]
mod tests;
