use delta_core::error::Kind;

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

/// What is in a certificate is looked at when a registry shows one.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/// Something else that PEM can hold.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAUCAQAwAA==\n-----END PRIVATE KEY-----\n";

#[test]
fn all_certificates_of_a_file_are_believed_and_nothing_else_in_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let found = |text: &str| {
        std::fs::write(file.path(), text).unwrap();
        certificates(file.path()).map(|all| all.len())
    };
    for (text, count) in [
        (CERTIFICATE.to_owned(), 1),
        (format!("{CERTIFICATE}{CERTIFICATE}"), 2),
        (format!("{KEY}{CERTIFICATE}"), 1),
        (format!("what people write\n{CERTIFICATE}and behind it\n"), 1),
        (CERTIFICATE.replace('\n', "\r\n"), 1),
    ] {
        assert_eq!(found(&text).unwrap(), count, "{text}");
    }
    let place = file.path().display();
    for (text, said, is_hinted) in [
        (KEY.to_owned(), format!("{place} has no certificate in it"), true),
        (String::new(), format!("{place} has no certificate in it"), true),
        (CERTIFICATE.replace("MIIB", "****"), format!("{place} is no PEM file that can be read"), false),
    ] {
        let error = found(&text).unwrap_err();
        assert_eq!((error.kind(), error.to_string(), error.hint().is_some()), (Kind::Environment, said, is_hinted));
    }
    let error = certificates(Path::new("/no/such/file")).unwrap_err();
    assert!(error.to_string().starts_with("reading the certificates in /no/such/file: "), "{error}");
}

#[test]
fn a_file_of_the_users_is_believed_besides_the_system() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), CERTIFICATE).unwrap();
    let count = |ca: Option<&Path>| match tls(ca).unwrap().root_certs() {
        RootCerts::Specific(roots) => roots.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(count(Some(file.path())), count(None) + 1);
}

#[test]
fn what_is_wrong_with_tls_is_told_and_not_tried_again() {
    use rustls::{CertificateError, Error as Fault, InvalidMessage};
    let certificate = || Fault::InvalidCertificate(CertificateError::UnknownIssuer);
    let wrapped = |fault: Fault| ureq::Error::Io(std::io::Error::other(fault));
    for (error, said, hint) in [
        (ureq::Error::Rustls(certificate()), "TLS: invalid peer certificate: UnknownIssuer", "--tls-ca FILE"),
        (wrapped(certificate()), "TLS: invalid peer certificate: UnknownIssuer", "--tls-ca FILE"),
        (
            ureq::Error::Rustls(Fault::InvalidMessage(InvalidMessage::InvalidContentType)),
            "TLS: received corrupt message of type InvalidContentType",
            "--plain-http",
        ),
        (wrapped(Fault::HandshakeNotComplete), "TLS: handshake not complete", ""),
        (ureq::Error::Tls("no roots"), "no roots", ""),
    ] {
        let (found, advice) = told(&error).unwrap();
        assert_eq!(found, said);
        assert!(advice.unwrap_or_default().contains(hint) && advice.is_some() != hint.is_empty(), "{said}: {advice:?}");
        assert!(is_final(&error), "{said}");
    }
    for other in [
        ureq::Error::Io(std::io::ErrorKind::ConnectionReset.into()),
        ureq::Error::Io(std::io::Error::other("no fault of TLS")),
        ureq::Error::HostNotFound,
    ] {
        assert!(told(&other).is_none() && !is_final(&other), "{other:?}");
    }
    require_for("https://r.example").unwrap();
}
