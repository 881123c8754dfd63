//! Where blobs and documents lie.

use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::Document;

use crate::container::Container;
use crate::spool::TempScratch;

/// Blobs by their digest.
pub(crate) struct Blobs<'a> {
    container: &'a Container,
    form: Form,
    pub(super) scratch: &'a Arc<TempScratch>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Layout,
    Flat,
}

impl<'a> Blobs<'a> {
    /// As a layout holds them.
    pub(crate) const fn layout(container: &'a Container, scratch: &'a Arc<TempScratch>) -> Self {
        Self { container, form: Form::Layout, scratch }
    }

    /// As skopeo's folders hold them.
    pub(crate) const fn flat(container: &'a Container, scratch: &'a Arc<TempScratch>) -> Self {
        Self { container, form: Form::Flat, scratch }
    }

    fn path(&self, digest: BlobDigest) -> String {
        match self.form {
            Form::Layout => format!("blobs/sha256/{}", digest.hex()),
            Form::Flat => digest.hex(),
        }
    }

    pub(super) fn find(&self, digest: BlobDigest) -> Result<Option<Arc<dyn ReadAt>>> {
        self.container.find(&self.path(digest))
    }

    /// A document, compared with its digest.
    pub(super) fn document(&self, digest: BlobDigest) -> Result<Option<Document>> {
        let path = self.path(digest);
        let document = match self.container.document(&path)? {
            // The manifests of an index lie beside it under names of their own.
            None if self.form == Form::Flat => self.container.document(&format!("{path}.manifest.json"))?,
            found => found,
        };
        match document {
            Some(document) if document.digest() != digest => {
                let (expected, found) = (digest.to_string(), document.digest().to_string());
                Err(Error::Mismatch { what: path, expected, found })
            }
            found => Ok(found),
        }
    }
}
