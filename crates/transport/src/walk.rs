//! The way from a root to all that can be reached from it.

use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{Config, OCI_EMPTY, Pointer, config_digest, is_of_no_layers, read_config};
use delta_core::image::{BlobCompression, Document, Layer, Manifest, ManifestKind};
use delta_core::job::progress::Progress;

use crate::blob::Blob;
use crate::reach::{NamedParts, Parts, Reached};
use crate::spool::TempScratch;

/// Where blobs are kept by their digests: a layout, or a store.
pub(crate) trait Shelf {
    /// A blob, of which nothing needs to be read yet.
    fn find(&self, blob: &Pointer) -> Result<Option<Arc<dyn ReadAt>>>;

    /// A document, compared with its digest.
    fn document(&self, digest: BlobDigest) -> Result<Option<Document>>;

    /// Room for what is decompressed.
    fn scratch(&self) -> &Arc<TempScratch>;

    /// The error for an image of which something is not there.
    fn incomplete(&self, what: &str) -> Error;
}

/// A walk from the root down.
pub(crate) struct Walk<'a> {
    blobs: &'a dyn Shelf,
    progress: &'a dyn Progress,
    /// A layer that no layout holds, because it is to be had from its URLs alone (OCI image-spec, "Non-Distributable Layers").
    foreign: Option<BlobDigest>,
}

impl<'a> Walk<'a> {
    /// Walks all that `root` leads to; a foreign layer on the way is told.
    ///
    /// # Errors
    /// A content error when nothing of it is there that could be an image, or only parts.
    pub(crate) fn from(
        root: Document,
        blobs: &'a dyn Shelf,
        progress: &'a dyn Progress,
    ) -> Result<(Reached, Option<BlobDigest>)> {
        let mut walk = Self { blobs, progress, foreign: None };
        let reached = Reached::from(root, &mut walk)?;
        if reached.absent > 0
            && walk.foreign.is_none()
            && !reached.manifests.iter().any(|manifest| manifest.kind == ManifestKind::Image)
        {
            return Err(blobs.incomplete("no platform of it is there"));
        }
        Ok((reached, walk.foreign))
    }
}

impl Parts for Walk<'_> {
    fn document(&self, digest: BlobDigest) -> Result<Option<Document>> {
        self.blobs.document(digest)
    }

    fn manifest(&mut self, named: &NamedParts<'_>, reached: &mut Reached) -> Result<bool> {
        let NamedParts { document, config, layers, is_attestation, is_root } = *named;
        let stored = layers.iter().map(|layer| self.blobs.find(layer)).collect::<Result<Vec<_>>>()?;
        let config_document = self.blobs.document(config.digest)?;
        if !is_root && config_document.is_none() && stored.iter().all(Option::is_none) {
            return Ok(false);
        }
        if let Some(foreign) = layers.iter().zip(&stored).find(|(layer, stored)| stored.is_none() && layer.has_urls) {
            self.foreign = Some(foreign.0.digest);
            return Ok(false);
        }
        let config_document = config_document
            .ok_or_else(|| self.blobs.incomplete(&format!("the config {} is missing", config.digest)))?;
        let mut there = Vec::new();
        for (pointer, stored) in layers.iter().zip(stored) {
            let stored =
                stored.ok_or_else(|| self.blobs.incomplete(&format!("the layer {} is missing", pointer.digest)))?;
            there.push((pointer.digest, stored));
        }
        let image = match is_attestation || config.media_type == OCI_EMPTY {
            true => None,
            false => self.image(document, config, &config_document, layers, &there)?,
        };
        let (kind, platform, taken) = match image {
            Some((config, layers)) => (ManifestKind::Image, Some(config.platform), layers),
            None => (ManifestKind::Attestation, None, self.opaque(&there)?),
        };
        let config = config_digest(&config_document);
        reached.manifests.push(Manifest { digest: document.digest(), config, kind, platform, layers: taken });
        reached.documents.insert(config.into(), config_document);
        Ok(true)
    }
}

impl Walk<'_> {
    /// The config and layers of an image that can be opened; anything else travels as documents and blobs, with a word about it where
    /// it says that it is an image.
    fn image(
        &self,
        manifest: &Document,
        pointer: &Pointer,
        config: &Document,
        blobs: &[Pointer],
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
        if is_of_no_layers(&config, blobs) {
            return Ok(None);
        }
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
        let blob = Blob::new(format!("the layer {}", digest.short()), stored, self.blobs.scratch().clone())?;
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
            let blob = Blob::opaque(what, stored.clone(), self.blobs.scratch().clone());
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
