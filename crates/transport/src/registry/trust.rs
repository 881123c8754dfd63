//! Whose certificates are believed.

use std::path::Path;
use std::sync::Arc;

use delta_core::error::{Error, Result};
use rustls::crypto::ring;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::typestate::AgentScope;

use super::fault::Told;

/// Lets an agent believe what the system trusts, and what is in a file of the user's.
///
/// # Errors
/// Environment errors when the file cannot be read or has no certificate.
pub(super) fn trusting(agent: ConfigBuilder<AgentScope>, ca: Option<&Path>) -> Result<ConfigBuilder<AgentScope>> {
    Ok(agent.tls_config(tls(ca)?))
}

/// That a URL can be asked for: with TLS, all can.
pub(super) const fn require_for(_url: &str) -> Result<()> {
    Ok(())
}

/// What went wrong in TLS, if it was that.
pub(super) fn told(error: &ureq::Error) -> Option<Told> {
    match error {
        ureq::Error::Tls(what) => Some(((*what).to_owned(), None)),
        _ => fault(error).map(explained),
    }
}

/// Whether TLS failed in a way that asking again does not change.
pub(super) fn is_final(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Tls(_)) || fault(error).is_some()
}

fn fault(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn explained(error: &rustls::Error) -> Told {
    let hint = match error {
        rustls::Error::InvalidCertificate(_) => Some(
            "if its certificate is of an authority of your own, name that: --tls-ca FILE (PEM); and see that the host is the one in \
             the certificate",
        ),
        rustls::Error::InvalidMessage(_) => Some("if it is a registry without TLS: --plain-http"),
        _ => None,
    };
    (format!("TLS: {error}"), hint)
}

fn tls(ca: Option<&Path>) -> Result<TlsConfig> {
    // What the system has and cannot be read is missed when a registry is not believed.
    let mut roots: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned())
        .collect();
    if let Some(path) = ca {
        roots.extend(certificates(path)?);
    }
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::new_with_certs(&roots))
        .build())
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let place = path.display();
    let text = std::fs::read(path).map_err(Error::io(format!("reading the certificates in {place}")))?;
    let items = parse_pem(&text).collect::<Result<Vec<_>, _>>();
    let items = items.map_err(|_| Error::environment(format!("{place} is no PEM file that can be read")))?;
    let certificates: Vec<_> = items
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(Error::environment(format!("{place} has no certificate in it"))
            .with_hint("expected the certificate of the authority in PEM: -----BEGIN CERTIFICATE-----"));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests;
