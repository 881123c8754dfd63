//! Blobs, read: hashed as they come, gone on with where they broke off.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::{BlobDigest, Hasher};
use delta_core::error::{Error, Result};
use delta_core::job::progress::Task;
use delta_core::limits;
use ureq::http::Method;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};

use super::access::Repository;
use super::connection::{Answer, Call};
use super::patience::{PROGRESS, Patience};
use crate::file::FileBytes;
use crate::file_system;
use crate::spool::TempScratch;

/// A blob on its way.
struct Download<'a> {
    repository: &'a Repository,
    digest: BlobDigest,
    size: u64,
    file: File,
    hasher: Hasher<io::Sink>,
    /// Bytes that are there.
    have: u64,
    /// Whether some of them are from an earlier run.
    is_resumed: bool,
    task: Box<dyn Task>,
}

/// How a transfer ended.
enum End {
    /// All is there.
    Complete,
    /// It broke off, for this reason.
    Broken(io::Error),
}

impl Repository {
    /// The size of a blob that the repository has.
    pub(super) fn blob_size(&self, digest: BlobDigest) -> Result<Option<u64>> {
        let doing = format!("asking for the blob {} of {}", digest.short(), self.label());
        let url = self.url(&format!("blobs/{digest}"))?;
        let call = Call { method: Method::HEAD, ..Call::get(url, &self.name, self.pull(), doing) };
        let answer = self.connection.send(&call)?;
        match answer.status() {
            200 => Ok(answer.header(CONTENT_LENGTH).and_then(|length| length.parse().ok())),
            404 => Ok(None),
            _ => Err(self.connection.refusal(&call, answer)),
        }
    }

    /// The first bytes of a blob.
    pub(super) fn first_bytes(&self, digest: BlobDigest, size: u64, buffer: &mut [u8]) -> Result<usize> {
        let most = size.min(buffer.len() as u64);
        if most == 0 {
            return Ok(0);
        }
        let (call, mut answer) = self.ask_for_blob(digest, Some(format!("bytes=0-{}", most - 1)))?;
        if !matches!(answer.status(), 200 | 206) {
            return Err(self.connection.refusal(&call, answer));
        }
        let mut count = 0;
        let mut body = answer.response.body_mut().as_reader().take(most);
        while count < buffer.len() {
            match body.read(&mut buffer[count..]).map_err(Error::io(call.doing.clone()))? {
                0 => break,
                more => count += more,
            }
        }
        Ok(count)
    }

    /// A blob, of which every byte was hashed.
    ///
    /// # Errors
    /// Environment errors when the registry does not give it, content errors when it gives something else.
    pub(super) fn blob(&self, digest: BlobDigest, size: u64, scratch: &TempScratch) -> Result<Arc<dyn ReadAt>> {
        let doing = || Error::io(format!("keeping the blob {} of {}", digest.short(), self.label()));
        let file = self.downloads.open(digest, scratch.folder()).map_err(doing())?;
        let download = Download::go_on(self, digest, size, file).map_err(doing())?;
        let missing = size - download.have;
        file_system::require(
            self.downloads.folder(scratch.folder()),
            missing,
            &format!("the blob {}", digest.short()),
        )?;
        download.finish()
    }

    /// The bytes of a small blob: a config.
    pub(super) fn small_blob(&self, digest: BlobDigest, size: u64) -> Result<Option<Vec<u8>>> {
        if size > limits::DOCUMENT_BYTES {
            let most = limits::DOCUMENT_BYTES;
            return Err(Error::content(format!(
                "the document {digest} has {size} bytes, where at most {most} are read"
            )));
        }
        let (call, answer) = self.ask_for_blob(digest, None)?;
        match answer.status() {
            200 => answer.bytes(limits::DOCUMENT_BYTES, &call.doing).map(Some),
            404 => Ok(None),
            _ => Err(self.connection.refusal(&call, answer)),
        }
    }

    fn ask_for_blob(&self, digest: BlobDigest, range: Option<String>) -> Result<(Call<'_>, Answer)> {
        let doing = format!("fetching the blob {} of {}", digest.short(), self.label());
        let mut call = Call::get(self.url(&format!("blobs/{digest}"))?, &self.name, self.pull(), doing);
        call.headers.extend(range.map(|range| (RANGE, range)));
        let answer = self.connection.send(&call)?;
        Ok((call, answer))
    }
}

impl<'a> Download<'a> {
    /// Hashes what is there of it.
    fn go_on(repository: &'a Repository, digest: BlobDigest, size: u64, mut file: File) -> io::Result<Self> {
        let mut hasher = Hasher::new(io::sink());
        file.seek(SeekFrom::Start(0))?;
        let have = io::copy(&mut (&file).take(size), &mut hasher)?;
        file.set_len(have)?;
        let task = repository.progress.begin(&format!("Fetching {}", digest.short()), Some(size - have));
        Ok(Self { repository, digest, size, file, hasher, have, is_resumed: have > 0, task })
    }

    fn start_again(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        (self.hasher, self.have, self.is_resumed) = (Hasher::new(io::sink()), 0, false);
        Ok(())
    }

    fn finish(mut self) -> Result<Arc<dyn ReadAt>> {
        loop {
            self.transfer()?;
            let hasher = std::mem::replace(&mut self.hasher, Hasher::new(io::sink()));
            let found = BlobDigest::from(hasher.finish().1);
            if found == self.digest {
                let bytes =
                    FileBytes::of(self.file, "a download".to_owned()).map_err(Error::io("opening a download"))?;
                return Ok(Arc::new(bytes));
            }
            let is_old = self.is_resumed;
            self.start_again().map_err(Error::io(self.doing()))?;
            // What an earlier run left may have been damaged since.
            if !is_old {
                let what = format!("the blob that {} gives", self.repository.label());
                return Err(Error::Mismatch { what, expected: self.digest.to_string(), found: found.to_string() });
            }
        }
    }

    fn transfer(&mut self) -> Result<()> {
        let mut patience = Patience::default();
        while self.have < self.size {
            let before = self.have;
            match self.piece()? {
                End::Complete => {}
                End::Broken(error) => {
                    if self.have.saturating_sub(before) >= PROGRESS {
                        patience.renew();
                    }
                    if !patience.wait(None) {
                        let (have, size) = (self.have, self.size);
                        return Err(Error::environment(format!(
                            "{}: it breaks off again and again, last after {have} of {size} bytes: {error}",
                            self.doing()
                        ))
                        .with_hint("what came is kept for some days: try again"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks for what is missing, and takes what comes.
    fn piece(&mut self) -> Result<End> {
        let range = (self.have > 0).then(|| format!("bytes={}-", self.have));
        let (call, answer) = self.repository.ask_for_blob(self.digest, range)?;
        match answer.status() {
            206 if begins_at(&answer) == Some(self.have) => {}
            // One that does not know ranges, or gives others, starts again.
            200 | 206 | 416 if self.have > 0 && answer.status() != 200 => {
                self.start_again().map_err(Error::io(self.doing()))?;
                return Ok(End::Broken(io::Error::other("the registry does not go on where it stopped")));
            }
            200 => self.start_again().map_err(Error::io(self.doing()))?,
            _ => return Err(self.repository.connection.refusal(&call, answer)),
        }
        let promised = answer.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        if let Some(promised) = promised.filter(|promised| *promised != self.size - self.have) {
            return Err(Error::Mismatch {
                what: format!("the blob {} that {} gives", self.digest.short(), self.repository.label()),
                expected: format!("{} bytes, as its manifest says", self.size - self.have),
                found: format!("{promised} bytes"),
            });
        }
        self.take(answer)
    }

    fn take(&mut self, mut answer: Answer) -> Result<End> {
        let mut body = answer.response.body_mut().as_reader();
        let mut buffer = vec![0; limits::COPY_BUFFER];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) if self.have == self.size => return Ok(End::Complete),
                Ok(0) => {
                    return Ok(End::Broken(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer is too short")));
                }
                Ok(count) => count,
                Err(error) => return Ok(End::Broken(error)),
            };
            if count as u64 > self.size - self.have {
                let (expected, found) = (format!("{} bytes", self.size), "more".to_owned());
                let what = format!("the blob {} that {} gives", self.digest.short(), self.repository.label());
                self.start_again().map_err(Error::io(self.doing()))?;
                return Err(Error::Mismatch { what, expected, found });
            }
            let piece = &buffer[..count];
            self.file.write_all(piece).and_then(|()| self.hasher.write_all(piece)).map_err(Error::io(self.doing()))?;
            self.have += count as u64;
            self.repository.downloads.count(count as u64);
            self.task.advance(count as u64);
        }
    }

    fn doing(&self) -> String {
        format!("fetching the blob {} of {}", self.digest.short(), self.repository.label())
    }
}

/// Where a partial answer begins (RFC 9110, section 14.4).
fn begins_at(answer: &Answer) -> Option<u64> {
    let range = answer.header(CONTENT_RANGE)?.trim().strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}

#[cfg(test)]
mod tests;
