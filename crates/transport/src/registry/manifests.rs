//! Manifests and indexes by tag or digest (OCI distribution-spec, "Pulling manifests").

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::Document;
use delta_core::image::documents::{OCI_INDEX, OCI_MANIFEST};
use delta_core::limits;
use ureq::http::Method;
use ureq::http::header::{ACCEPT, CONTENT_TYPE};

use super::access::Repository;
use super::connection::Call;

/// The media types of Docker's manifests (distribution, "Image Manifest Version 2, Schema 2").
pub(super) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// And of its indexes.
pub(super) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// The header with the digest of what is behind a tag.
const DIGEST: &str = "docker-content-digest";

/// A manifest or an index, and what the registry calls it.
pub(super) struct FetchedManifest {
    /// The bytes.
    pub(super) document: Document,
    /// The media type.
    pub(super) media_type: String,
}

impl Repository {
    /// A manifest or an index, compared with its digest if it is asked for by one; nothing if the registry has none.
    pub(super) fn manifest(&self, reference: &str) -> Result<Option<FetchedManifest>> {
        let doing = format!("fetching the manifest {reference} of {}", self.label());
        let mut call = Call::get(self.url(&format!("manifests/{reference}"))?, &self.name, self.pull(), doing.clone());
        call.headers.push((ACCEPT, accepted()));
        let answer = self.connection.send(&call)?;
        match answer.status() {
            200 => {}
            404 => return Ok(None),
            _ => return Err(self.connection.refusal(&call, answer)),
        }
        let media_type =
            answer.header(CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
        let said = answer.header(DIGEST).and_then(|digest| digest.parse().ok());
        let document = Document::new(answer.bytes(limits::DOCUMENT_BYTES, &doing)?);
        check(&document, reference.parse().ok().or(said), &doing)?;
        Ok(Some(FetchedManifest { document, media_type }))
    }

    /// Whether the repository has a manifest or an index.
    pub(super) fn has_manifest(&self, digest: BlobDigest) -> Result<bool> {
        let doing = format!("asking for the manifest {} of {}", digest.short(), self.label());
        let url = self.url(&format!("manifests/{digest}"))?;
        let mut call = Call { method: Method::HEAD, ..Call::get(url, &self.name, self.pull(), doing) };
        call.headers.push((ACCEPT, accepted()));
        let answer = self.connection.send(&call)?;
        match answer.status() {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(self.connection.refusal(&call, answer)),
        }
    }

    /// [`Self::manifest`] where there must be one.
    pub(super) fn required_manifest(&self, reference: &str) -> Result<FetchedManifest> {
        self.manifest(reference)?.ok_or_else(|| {
            super::fault::refused(
                self.connection.registry(),
                &format!("fetching the manifest {reference} of {}", self.label()),
                404,
                "MANIFEST_UNKNOWN, it has no such image",
            )
        })
    }
}

/// Every media type that is understood.
fn accepted() -> String {
    [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST].join(", ")
}

/// Compares a document with the digest that names it.
pub(super) fn check(document: &Document, digest: Option<BlobDigest>, what: &str) -> Result<()> {
    match digest {
        Some(expected) if expected != document.digest() => Err(Error::Mismatch {
            what: what.to_owned(),
            expected: expected.to_string(),
            found: document.digest().to_string(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
