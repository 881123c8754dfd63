//! A layer's blob, decompressed once when it is first needed.

use std::sync::{Arc, Mutex, PoisonError};

use delta_codec::compress::{Compression, decoder};
use delta_codec::{ReadAt, Reader};
use delta_core::error::{Error, Result};
use delta_core::image::{BlobCompression, LayerContent};

use crate::spool::TempScratch;

/// The bytes of a blob and, once asked for, of the layer in it.
pub(crate) struct Blob {
    what: String,
    stored: Arc<dyn ReadAt>,
    compression: Compression,
    scratch: Arc<TempScratch>,
    plain: Mutex<Option<Arc<dyn ReadAt>>>,
    is_far: bool,
}

impl Blob {
    /// Tells the compression of `stored` by its first bytes.
    pub(crate) fn new(what: String, stored: Arc<dyn ReadAt>, scratch: Arc<TempScratch>) -> Result<Self> {
        let mut first = [0; 6];
        let count = stored.read_at(&mut first, 0).map_err(Error::io(format!("reading {what}")))?;
        let compression = Compression::detect(&first[..count]);
        Ok(Self { what, stored, compression, scratch, plain: Mutex::new(None), is_far: false })
    }

    /// Takes the blob as it is, whatever its first bytes are.
    pub(crate) fn opaque(what: String, stored: Arc<dyn ReadAt>, scratch: Arc<TempScratch>) -> Self {
        Self { what, stored, compression: Compression::None, scratch, plain: Mutex::new(None), is_far: false }
    }

    /// The same, of which the bytes are fetched over a network.
    pub(crate) fn far(self) -> Self {
        Self { is_far: true, ..self }
    }

    /// The compression, if packages have blobs in it.
    pub(crate) const fn compression(&self) -> Option<BlobCompression> {
        match self.compression {
            Compression::None => Some(BlobCompression::None),
            Compression::Gzip => Some(BlobCompression::Gzip),
            Compression::Zstd => Some(BlobCompression::Zstd),
            Compression::Bzip2 | Compression::Xz => None,
        }
    }

    fn decompress(&self) -> Result<Arc<dyn ReadAt>> {
        if self.compression == Compression::None {
            return Ok(self.stored.clone());
        }
        let doing = format!("decompressing {}", self.what);
        let mut plain = decoder(self.compression, Reader::new(&self.stored)).map_err(Error::io(doing.clone()))?;
        self.scratch.spool(&mut plain, &doing)
    }
}

impl LayerContent for Blob {
    fn plain(&self) -> Result<Arc<dyn ReadAt>> {
        let mut plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plain) = plain.as_ref() {
            return Ok(plain.clone());
        }
        let bytes = self.decompress()?;
        *plain = Some(bytes.clone());
        Ok(bytes)
    }

    fn stored(&self) -> Result<Arc<dyn ReadAt>> {
        Ok(self.stored.clone())
    }

    fn is_far(&self) -> bool {
        self.is_far
    }
}

#[cfg(test)]
mod tests;
