//! In the place of `trust`, in a program that is built without TLS to be small: it believes nobody, and says so.

use std::path::Path;

use delta_core::error::{Error, Result};
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use super::fault::Told;

const ABSENT: &str = "this program has no TLS in it";
const HINT: &str = "docker_delta has it; this program reaches registries without TLS, by --plain-http";

/// Leaves an agent as it is.
///
/// # Errors
/// An environment error when the user names an authority.
pub(super) fn trusting(agent: ConfigBuilder<AgentScope>, ca: Option<&Path>) -> Result<ConfigBuilder<AgentScope>> {
    match ca {
        Some(path) => {
            let what = format!("believing the certificates in {}: {ABSENT}", path.display());
            Err(Error::environment(what).with_hint(HINT))
        }
        None => Ok(agent),
    }
}

/// That a URL can be asked for without TLS.
///
/// # Errors
/// An environment error where it cannot.
pub(super) fn require_for(url: &str) -> Result<()> {
    match url.strip_prefix("https://") {
        Some(host) => Err(Error::environment(format!("asking {host}: {ABSENT}")).with_hint(HINT)),
        None => Ok(()),
    }
}

/// That TLS is missing, if it was asked for.
pub(super) fn told(error: &ureq::Error) -> Option<Told> {
    is_final(error).then(|| (ABSENT.to_owned(), Some(HINT)))
}

/// Whether TLS was asked for.
pub(super) fn is_final(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::TlsRequired)
}
