//! Where blobs and documents lie.

use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::Document;
use delta_core::image::documents::Pointer;

use crate::container::Container;
use crate::spool::TempScratch;
use crate::walk::Shelf;

/// Blobs by their digest.
pub(crate) struct Blobs<'a> {
    container: &'a Container,
    form: Form,
    scratch: &'a Arc<TempScratch>,
}

/// The name of a blob's file in a layout (OCI image layout 1.1).
pub(crate) fn blob_name(digest: BlobDigest) -> String {
    format!("blobs/sha256/{}", digest.hex())
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
            Form::Layout => blob_name(digest),
            Form::Flat => digest.hex(),
        }
    }
}

impl Shelf for Blobs<'_> {
    fn find(&self, blob: &Pointer) -> Result<Option<Arc<dyn ReadAt>>> {
        self.container.find(&self.path(blob.digest))
    }

    fn document(&self, digest: BlobDigest) -> Result<Option<Document>> {
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

    fn scratch(&self) -> &Arc<TempScratch> {
        self.scratch
    }

    fn incomplete(&self, what: &str) -> Error {
        Error::content(format!("it is incomplete: {what}")).with_hint(
            "engines with the containerd store save such archives when only a part of an image was pulled: pull it again \
             (`docker pull`, for several platforms with --platform), then save it again",
        )
    }
}
