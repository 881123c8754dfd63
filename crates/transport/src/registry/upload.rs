//! Blobs and manifests, written (OCI distribution-spec, "Pushing").

use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::Document;
use ureq::http::Method;
use ureq::http::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE};

use super::access::Repository;
use super::authorization::encoded;
use super::connection::{Answer, Call, Payload};
use super::counting::Counting;
use super::origin::Origin;
use super::patience::{PROGRESS, Patience};

/// Blobs up to this size go with the request that ends their upload, which saves one.
const AT_ONCE: u64 = 1 << 20;

/// Pieces for what takes no larger bodies: half of what nginx lets pass where nobody said otherwise would be too few.
const SMALL_PIECE: u64 = 512 << 10;

const OCTETS: &str = "application/octet-stream";

/// A blob on its way to a registry.
struct Upload<'a> {
    repository: &'a Repository,
    digest: BlobDigest,
    bytes: &'a Arc<dyn ReadAt>,
    /// Where the rest goes.
    url: String,
    /// Bytes that the registry has.
    sent: u64,
    /// The largest body that is let pass.
    piece: u64,
}

/// What came of a request.
enum Step {
    /// The registry has the blob.
    Done,
    /// It goes on.
    On,
    /// Nobody knows how much of it came.
    Lost(Error),
}

impl Repository {
    /// Takes a blob over from another repository of the registry; false when the registry does not do that.
    pub(super) fn mount(&self, digest: BlobDigest, from: &Self) -> Result<bool> {
        let doing = format!("mounting the blob {} of {} into {}", digest.short(), from.label(), self.label());
        let url = self.url(&format!("blobs/uploads/?mount={digest}&from={}", encoded(&from.name)))?;
        let scopes = [from.pull(), self.push()].concat();
        let call = Call { method: Method::POST, scopes, ..Call::get(url, &self.name, Vec::new(), doing) };
        let answer = self.connection.send(&call)?;
        match answer.status() {
            201 => Ok(true),
            202 => {
                self.give_up(&answer);
                Ok(false)
            }
            // What may not be read there is sent instead.
            401 | 403 | 404 | 405 => Ok(false),
            _ => Err(self.connection.refusal(&call, answer)),
        }
    }

    /// Sends a blob; goes on where it broke off.
    pub(super) fn upload(&self, digest: BlobDigest, bytes: &Arc<dyn ReadAt>) -> Result<()> {
        let task = self.progress.begin(&format!("Sending {}", digest.short()), Some(bytes.len()));
        let bytes: &Arc<dyn ReadAt> = &(Arc::new(Counting::new(bytes.clone(), task)) as Arc<dyn ReadAt>);
        let mut upload =
            Upload { repository: self, digest, bytes, url: String::new(), sent: 0, piece: bytes.len().max(1) };
        let mut patience = Patience::default();
        upload.begin()?;
        loop {
            let before = upload.sent;
            let error = match upload.step()? {
                Step::Done => return Ok(()),
                Step::On => continue,
                Step::Lost(error) => error,
            };
            let is_going_on = upload.find_place()?;
            if is_going_on && upload.sent >= before + PROGRESS {
                patience.renew();
            }
            if !patience.wait(None) {
                return Err(error);
            }
        }
    }

    /// Writes a manifest or an index under its digest or a tag.
    pub(super) fn put_manifest(&self, reference: &str, document: &Document, media_type: &str) -> Result<Answer> {
        let doing = format!("writing the manifest {reference} into {}", self.label());
        let call = Call {
            method: Method::PUT,
            headers: vec![(CONTENT_TYPE, media_type.to_owned())],
            payload: Payload::Bytes(document.bytes()),
            ..Call::get(self.url(&format!("manifests/{reference}"))?, &self.name, self.push(), doing)
        };
        let answer = self.connection.send(&call)?;
        match answer.status() {
            200..=202 => Ok(answer),
            _ => Err(self.connection.refusal(&call, answer)),
        }
    }

    /// Ends an upload that is not wanted.
    fn give_up(&self, begun: &Answer) {
        let Some(url) = begun.location() else { return };
        let doing = "ending an upload".to_owned();
        let call =
            Call { method: Method::DELETE, is_repeatable: false, ..Call::get(url, &self.name, self.push(), doing) };
        // The registry removes it after some days by itself.
        let _ = self.connection.send(&call);
    }
}

impl Upload<'_> {
    /// A request of the upload, which the registry may have carried out even if no answer comes.
    fn call(&self, method: Method, url: String) -> Call<'_> {
        let doing = format!("sending the blob {} to {}", self.digest.short(), self.repository.label());
        let is_repeatable = method == Method::GET || method == Method::POST;
        Call { method, is_repeatable, ..Call::get(url, &self.repository.name, self.repository.push(), doing) }
    }

    fn begin(&mut self) -> Result<()> {
        let call = self.call(Method::POST, self.repository.url("blobs/uploads/")?);
        let answer = self.repository.connection.send(&call)?;
        if answer.status() != 202 {
            return Err(self.repository.connection.refusal(&call, answer));
        }
        drop(call);
        self.sent = 0;
        self.go_to(&answer)
    }

    /// Sends a piece, or ends the upload.
    fn step(&mut self) -> Result<Step> {
        let size = self.bytes.len();
        let is_at_once = self.sent == 0 && size <= AT_ONCE.min(self.piece);
        if self.sent == size || is_at_once {
            return self.finish(is_at_once);
        }
        let length = self.piece.min(size - self.sent);
        let end = self.sent + length;
        let mut call = self.call(Method::PATCH, self.url.clone());
        call.headers = vec![(CONTENT_TYPE, OCTETS.to_owned()), (CONTENT_RANGE, format!("{}-{}", self.sent, end - 1))];
        call.payload = Payload::Piece(self.bytes, self.sent, length);
        let answer = match self.repository.connection.send(&call) {
            Ok(answer) => answer,
            Err(error) => return Ok(Step::Lost(error)),
        };
        match answer.status() {
            201 | 202 | 204 => {}
            413 if self.piece > SMALL_PIECE => {
                drop(call);
                self.piece = SMALL_PIECE;
                self.begin()?;
                return Ok(Step::On);
            }
            _ => return self.lost(&call, answer),
        }
        drop(call);
        self.sent = received(&answer).filter(|there| *there <= end).unwrap_or(end);
        self.go_to(&answer)?;
        Ok(Step::On)
    }

    /// An upload that the registry forgot, or has another part of, may still come to an end.
    fn lost(&self, call: &Call<'_>, answer: Answer) -> Result<Step> {
        let is_lost = matches!(answer.status(), 400 | 404 | 416);
        let error = self.repository.connection.refusal(call, answer);
        if is_lost { Ok(Step::Lost(error)) } else { Err(error) }
    }

    fn finish(&self, is_at_once: bool) -> Result<Step> {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        let mut call = self.call(Method::PUT, format!("{}{separator}digest={}", self.url, self.digest));
        call.headers = vec![(CONTENT_TYPE, OCTETS.to_owned())];
        if is_at_once {
            call.payload = Payload::Piece(self.bytes, 0, self.bytes.len());
        }
        match self.repository.connection.send(&call) {
            Ok(answer) if matches!(answer.status(), 201 | 202 | 204) => Ok(Step::Done),
            Ok(answer) => self.lost(&call, answer),
            Err(error) => Ok(Step::Lost(error)),
        }
    }

    /// Asks how much came, after something went wrong; begins anew where the registry has forgotten, and says whether it has not.
    fn find_place(&mut self) -> Result<bool> {
        let call = self.call(Method::GET, self.url.clone());
        let answer = self.repository.connection.send(&call)?;
        drop(call);
        let there = received(&answer).filter(|there| answer.status() == 204 && *there <= self.bytes.len());
        match there {
            // A short blob goes at once, so that nothing of it may be there.
            Some(there) if there == 0 || self.bytes.len() > AT_ONCE => {
                self.sent = there;
                self.go_to(&answer)?;
                Ok(true)
            }
            _ => {
                self.begin()?;
                Ok(false)
            }
        }
    }

    /// Takes the URL for what comes next.
    fn go_to(&mut self, answer: &Answer) -> Result<()> {
        let url = answer.location().or_else(|| Some(self.url.clone()).filter(|url| !url.is_empty()));
        let url = url.ok_or_else(|| {
            Error::environment(format!("the registry of {} does not say where a blob goes", self.repository.label()))
        })?;
        let base = self.repository.connection.base()?;
        // Registries behind something that does TLS for them may not know of it.
        self.url = match url.strip_prefix("http://") {
            Some(rest) if base.starts_with("https://") => format!("https://{rest}"),
            _ => url,
        };
        match Origin::of(&self.url) {
            Some(_) => Ok(()),
            None => Err(Error::environment("the registry sends a blob to what is no URL")),
        }
    }
}

/// How many bytes of an upload a registry has (`Range: 0-LAST`).
fn received(answer: &Answer) -> Option<u64> {
    let range = answer.header(RANGE)?;
    let last: u64 = range.trim().trim_start_matches("bytes=").split_once('-')?.1.parse().ok()?;
    // Distribution says so of nothing too.
    if last == 0 { Some(0) } else { last.checked_add(1) }
}

#[cfg(test)]
mod tests;
