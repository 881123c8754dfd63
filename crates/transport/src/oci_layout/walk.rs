//! The way from a root to all that can be reached from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{Config, OCI_EMPTY, Pointer, Pointers, config_digest, read_config, read_pointers};
use delta_core::image::{BlobCompression, Document, Layer, Manifest, ManifestKind};
use delta_core::job::progress::Progress;
use delta_core::limits;

use super::blobs::Blobs;
use super::incomplete;
use crate::blob::Blob;

/// A walk from the root down.
pub(super) struct Walk<'a> {
    blobs: &'a Blobs<'a>,
    progress: &'a dyn Progress,
    /// Every document that was reached.
    pub(super) documents: BTreeMap<BlobDigest, Document>,
    /// Every manifest of which all is there.
    pub(super) manifests: Vec<Manifest>,
    /// How many manifests of indexes are not there.
    absent: usize,
    /// A layer that no layout holds, because it is to be had from its URLs alone (OCI image-spec, "Non-Distributable Layers").
    pub(super) foreign: Option<BlobDigest>,
}

impl<'a> Walk<'a> {
    /// Walks all that `root` leads to.
    ///
    /// # Errors
    /// A content error when nothing of it is there that could be an image, or only parts.
    pub(super) fn from(root: Document, blobs: &'a Blobs<'a>, progress: &'a dyn Progress) -> Result<Self> {
        let mut walk =
            Self { blobs, progress, documents: BTreeMap::new(), manifests: Vec::new(), absent: 0, foreign: None };
        walk.take(root, false, 0)?;
        if walk.absent > 0
            && walk.foreign.is_none()
            && !walk.manifests.iter().any(|manifest| manifest.kind == ManifestKind::Image)
        {
            return Err(incomplete("no platform of it is there"));
        }
        Ok(walk)
    }

    fn take(&mut self, document: Document, is_attestation: bool, depth: usize) -> Result<()> {
        if depth > limits::INDEX_DEPTH || self.manifests.len() > limits::IMAGES {
            return Err(Error::content("its indexes are nested too deeply"));
        }
        match read_pointers(&document)? {
            Pointers::Index(entries) => {
                for pointer in entries {
                    // An engine that pulled one platform keeps the index of all.
                    match self.blobs.document(pointer.digest)? {
                        Some(next) => self.take(next, pointer.is_attestation, depth + 1)?,
                        None => self.absent += 1,
                    }
                }
            }
            Pointers::Manifest { config, layers } => {
                if !self.manifest(&document, &config, &layers, is_attestation, depth > 0)? {
                    self.absent += 1;
                    return Ok(());
                }
            }
        }
        self.documents.insert(document.digest(), document);
        Ok(())
    }

    /// Takes a manifest with all that it names; false when nothing of it is there and that may be.
    fn manifest(
        &mut self,
        document: &Document,
        config: &Pointer,
        layers: &[Pointer],
        is_attestation: bool,
        may_be_absent: bool,
    ) -> Result<bool> {
        let stored = layers.iter().map(|layer| self.blobs.find(layer.digest)).collect::<Result<Vec<_>>>()?;
        let config_document = self.blobs.document(config.digest)?;
        if may_be_absent && config_document.is_none() && stored.iter().all(Option::is_none) {
            return Ok(false);
        }
        if let Some(foreign) = layers.iter().zip(&stored).find(|(layer, stored)| stored.is_none() && layer.has_urls) {
            self.foreign = Some(foreign.0.digest);
            return Ok(false);
        }
        let config_document =
            config_document.ok_or_else(|| incomplete(&format!("the config {} is missing", config.digest)))?;
        let mut there = Vec::new();
        for (pointer, stored) in layers.iter().zip(stored) {
            let stored = stored.ok_or_else(|| incomplete(&format!("the layer {} is missing", pointer.digest)))?;
            there.push((pointer.digest, stored));
        }
        let image = match is_attestation || config.media_type == OCI_EMPTY {
            true => None,
            false => self.image(document, config, &config_document, &there)?,
        };
        let (kind, platform, taken) = match image {
            Some((config, layers)) => (ManifestKind::Image, Some(config.platform), layers),
            None => (ManifestKind::Attestation, None, self.opaque(&there)?),
        };
        let config = config_digest(&config_document);
        self.manifests.push(Manifest { digest: document.digest(), config, kind, platform, layers: taken });
        self.documents.insert(config.into(), config_document);
        Ok(true)
    }

    /// The config and layers of an image that can be opened; anything else travels as documents and blobs, with a word about it where
    /// it says that it is an image.
    fn image(
        &self,
        manifest: &Document,
        pointer: &Pointer,
        config: &Document,
        stored: &[(BlobDigest, Arc<dyn ReadAt>)],
    ) -> Result<Option<(Config, Vec<Layer>)>> {
        let says_so = pointer.is_image_config();
        let told = |why: std::fmt::Arguments<'_>| {
            if says_so {
                let manifest = manifest.digest();
                self.progress.inform(format_args!("the image {manifest} travels as documents and blobs: {why}"));
            }
            Ok(None)
        };
        let config = match read_config(config) {
            Ok(config) => config,
            Err(error) => return told(format_args!("{error}")),
        };
        let (there, listed) = (stored.len(), config.diff_ids.len());
        if there != listed {
            return told(format_args!("its manifest lists {there} layers, its config {listed}"));
        }
        let mut layers = Vec::new();
        for ((digest, stored), diff_id) in stored.iter().zip(&config.diff_ids) {
            match self.layer(*digest, stored.clone(), *diff_id)? {
                Some(layer) => layers.push(layer),
                None => return told(format_args!("its layer {digest} is in no form that can be opened")),
            }
        }
        Ok(Some((config, layers)))
    }

    /// A layer that can be opened.
    fn layer(&self, digest: BlobDigest, stored: Arc<dyn ReadAt>, diff_id: DiffId) -> Result<Option<Layer>> {
        let blob_size = stored.len();
        let blob = Blob::new(format!("the layer {}", digest.short()), stored, self.blobs.scratch.clone())?;
        let Some(compression) = blob.compression() else { return Ok(None) };
        if compression == BlobCompression::None && digest != diff_id.into() {
            return Ok(None);
        }
        Ok(Some(Layer { diff_id, blob: digest, blob_size, compression, content: Arc::new(blob) }))
    }

    /// Blobs that are taken as they are.
    fn opaque(&self, stored: &[(BlobDigest, Arc<dyn ReadAt>)]) -> Result<Vec<Layer>> {
        let layer = |(digest, stored): &(BlobDigest, Arc<dyn ReadAt>)| {
            let what = format!("the blob {}", digest.short());
            let blob = Blob::opaque(what, stored.clone(), self.blobs.scratch.clone());
            Ok(Layer {
                diff_id: digest.to_string().parse()?,
                blob: *digest,
                blob_size: stored.len(),
                compression: BlobCompression::None,
                content: Arc::new(blob),
            })
        };
        stored.iter().map(layer).collect()
    }
}
