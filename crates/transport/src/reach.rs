//! All that a manifest or an index leads to, wherever its parts are kept.

use std::collections::BTreeMap;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::documents::{OCI_INDEX, OCI_MANIFEST, Pointer, Pointers, media_type, read_pointers};
use delta_core::image::{Document, Image, Manifest, Root};
use delta_core::limits;

use crate::limits::IMAGE_PARTS;

/// Where the parts are kept.
pub(crate) trait Parts {
    /// A document that an index names; `None` where only other parts of the index are kept.
    fn document(&self, digest: BlobDigest) -> Result<Option<Document>>;

    /// Takes a manifest with all that it names; false when nothing of it is there and that may be.
    fn manifest(&mut self, named: &NamedParts<'_>, reached: &mut Reached) -> Result<bool>;
}

/// A manifest and what it names.
pub(crate) struct NamedParts<'a> {
    pub(crate) document: &'a Document,
    pub(crate) config: &'a Pointer,
    pub(crate) layers: &'a [Pointer],
    /// Whether the index that names it says that it is one.
    pub(crate) is_attestation: bool,
    /// Whether no index names it.
    pub(crate) is_root: bool,
}

/// What was reached.
#[derive(Default)]
pub(crate) struct Reached {
    /// Every document.
    pub(crate) documents: BTreeMap<BlobDigest, Document>,
    /// Every manifest of which all is there.
    pub(crate) manifests: Vec<Manifest>,
    /// How many manifests of indexes are not there.
    pub(crate) absent: usize,
    /// How many manifests and indexes were named on the way.
    named: usize,
}

impl Reached {
    /// Goes from the root down.
    ///
    /// # Errors
    /// Content errors for what is neither manifest nor index, or leads too deep; and what the `parts` report.
    pub(crate) fn from(root: Document, parts: &mut impl Parts) -> Result<Self> {
        let mut reached = Self::default();
        reached.take(root, false, 0, parts)?;
        Ok(reached)
    }

    /// The image of this root, still without names.
    pub(crate) fn into_image(self, root: Root) -> Image {
        Image {
            names: Vec::new(),
            root,
            documents: self.documents,
            manifests: self.manifests,
            docker_manifest: None,
            layout_index: None,
        }
    }

    fn take(&mut self, document: Document, is_attestation: bool, depth: usize, parts: &mut impl Parts) -> Result<()> {
        if depth > limits::INDEX_DEPTH {
            return Err(Error::content("its indexes are nested too deeply"));
        }
        match read_pointers(&document)? {
            Pointers::Index(entries) => {
                self.named = self.named.saturating_add(entries.len());
                if self.named > IMAGE_PARTS {
                    return Err(Error::content(format!("its indexes name more than {IMAGE_PARTS} manifests")));
                }
                for pointer in entries {
                    // An engine that pulled one platform keeps the index of all, and so may a mirror.
                    match parts.document(pointer.digest)? {
                        Some(next) => self.take(next, pointer.is_attestation, depth + 1, parts)?,
                        None => self.absent += 1,
                    }
                }
            }
            Pointers::Manifest { config, layers } => {
                let is_root = depth == 0;
                let named =
                    NamedParts { document: &document, config: &config, layers: &layers, is_attestation, is_root };
                if !parts.manifest(&named, self)? {
                    self.absent += 1;
                    return Ok(());
                }
            }
        }
        self.documents.insert(document.digest(), document);
        Ok(())
    }
}

/// The media type that a manifest or index says of itself, else the one that is said of it.
pub(crate) fn media_type_of(document: &Document, root: &Root) -> Result<String> {
    if let Some(said) = media_type(document) {
        return Ok(said);
    }
    if document.digest() == root.digest && !root.media_type.is_empty() {
        return Ok(root.media_type.clone());
    }
    let is_index = matches!(read_pointers(document)?, Pointers::Index(_));
    Ok(if is_index { OCI_INDEX } else { OCI_MANIFEST }.to_owned())
}

#[cfg(test)]
mod tests;
