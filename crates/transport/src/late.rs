//! Blobs that are fetched when they are read.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use delta_codec::ReadAt;
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::limits;

/// What is read of a blob to tell its compression, before all of it is fetched.
const FIRST_BYTES: usize = 16;

/// Fails for more bytes than any layer has. Who says how many a blob has that is still to be fetched may lie, and such numbers are added up.
pub(crate) fn require_size(digest: BlobDigest, size: u64) -> Result<()> {
    if size <= limits::LAYER_BYTES {
        return Ok(());
    }
    let most = limits::LAYER_BYTES;
    Err(Error::content(format!("the layer {digest} is said to have {size} bytes, where at most {most} are read")))
}

/// Where the bytes of one blob come from.
pub(crate) trait Fetch: Send + Sync {
    /// Its first bytes alone.
    fn first_bytes(&self, buffer: &mut [u8]) -> Result<usize>;

    /// All of it.
    fn all(&self) -> Result<Arc<dyn ReadAt>>;
}

/// A blob that is fetched when more than its first bytes are read.
pub(crate) struct LateBlob<F> {
    from: F,
    size: u64,
    fetched: Mutex<Option<Arc<dyn ReadAt>>>,
}

impl<F: Fetch> LateBlob<F> {
    /// A blob of `size` bytes.
    pub(crate) const fn new(from: F, size: u64) -> Self {
        Self { from, size, fetched: Mutex::new(None) }
    }
}

impl<F: Fetch> ReadAt for LateBlob<F> {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = fetched.as_ref() {
            let bytes = bytes.clone();
            drop(fetched);
            return bytes.read_at(buffer, offset);
        }
        if offset == 0 && buffer.len() <= FIRST_BYTES {
            return self.from.first_bytes(buffer).map_err(io::Error::other);
        }
        let bytes = self.from.all().map_err(io::Error::other)?;
        *fetched = Some(bytes.clone());
        drop(fetched);
        bytes.read_at(buffer, offset)
    }
}

#[cfg(test)]
mod tests;
