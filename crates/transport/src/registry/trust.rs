//! Whose certificates are believed.

use std::path::Path;
use std::sync::Arc;

use delta_core::error::{Error, Result};
use rustls::crypto::ring;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// What the system trusts, and what is in a file of the user's.
///
/// # Errors
/// Environment errors when the file cannot be read or has no certificate.
pub(super) fn tls(ca: Option<&Path>) -> Result<TlsConfig> {
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
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n***\n-----END CERTIFICATE-----\n"] {
            std::fs::write(file.path(), text).unwrap();
            assert!(tls(Some(file.path())).is_err(), "{text}");
        }
        assert!(tls(Some(Path::new("/no/such/file"))).is_err());
    }
}
