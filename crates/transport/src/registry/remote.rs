//! An image of a registry, of which the documents are fetched at once and the layers when they are read.

use std::collections::BTreeSet;
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{
    Config, OCI_INDEX, OCI_MANIFEST, Pointer, Pointers, config_digest, is_of_no_layers, read_config, read_pointers,
};
use delta_core::image::{BlobCompression, Document, Image, ImageName, Layer, Manifest, ManifestKind, Root};
use delta_core::limits;

use super::access::Repository;
use super::address::Address;
use super::manifests::{FetchedManifest, check};
use super::referrers::Companion;
use crate::blob::Blob;
use crate::late::{Fetch, LateBlob, require_size};
use crate::reach::{NamedParts, Parts, Reached};
use crate::spool::TempScratch;

/// Opens an image.
pub(super) fn open(repository: &Repository, address: &Address, scratch: &Arc<TempScratch>) -> Result<Image> {
    let found = repository.required_manifest(&address.reference())?;
    read(repository, found, address.name().into_iter().collect(), scratch)
}

/// Opens what hangs on an image.
pub(super) fn companions(
    repository: &Repository,
    address: &Address,
    image: &Image,
    scratch: &Arc<TempScratch>,
) -> Result<Vec<Image>> {
    let about: BTreeSet<BlobDigest> =
        image.manifests.iter().map(|manifest| manifest.digest).chain([image.root.digest]).collect();
    let open = |companion: Companion| {
        let names = companion.tags.iter().filter_map(|tag| address.named(tag)).collect();
        read(repository, companion.found, names, scratch)
    };
    repository.companions(about)?.into_iter().map(open).collect()
}

/// Reads all that a manifest or an index leads to.
fn read(
    repository: &Repository,
    found: FetchedManifest,
    names: Vec<ImageName>,
    scratch: &Arc<TempScratch>,
) -> Result<Image> {
    let is_index = matches!(read_pointers(&found.document)?, Pointers::Index(_));
    let media_type = match (found.media_type.as_str(), is_index) {
        ("" | "application/json", true) => OCI_INDEX.to_owned(),
        ("" | "application/json", false) => OCI_MANIFEST.to_owned(),
        (said, _) => said.to_owned(),
    };
    let root = Root::of(&found.document, media_type);
    let reached = Reached::from(found.document, &mut Walk { repository, scratch })?;
    if reached.manifests.is_empty() {
        return Err(Error::content(format!("{} has only an index of which no manifest is there", repository.label())));
    }
    Ok(Image { names, ..reached.into_image(root) })
}

/// A walk from the root down.
struct Walk<'a> {
    repository: &'a Repository,
    scratch: &'a Arc<TempScratch>,
}

impl Parts for Walk<'_> {
    fn document(&self, digest: BlobDigest) -> Result<Option<Document>> {
        Ok(self.repository.manifest(&digest.to_string())?.map(|found| found.document))
    }

    fn manifest(&mut self, named: &NamedParts<'_>, reached: &mut Reached) -> Result<bool> {
        let NamedParts { document, config, layers, is_attestation, .. } = *named;
        if layers.len() > limits::LAYERS_PER_IMAGE {
            return Err(Error::content(format!("the manifest {} lists {} layers", document.digest(), layers.len())));
        }
        let config_document = self.config(config)?;
        let is_image = !is_attestation && config.is_image_config();
        let read = is_image.then(|| read_config(&config_document)).transpose()?;
        let is_layered = |config: &Config| !config.diff_ids.is_empty() || layers.is_empty();
        let read = read.filter(|config| is_layered(config) && !is_of_no_layers(config, layers));
        if let Some(read) = read.as_ref().filter(|read| read.diff_ids.len() != layers.len()) {
            let (listed, there) = (read.diff_ids.len(), layers.len());
            return Err(Error::content(format!(
                "the manifest {} lists {there} layers, its config {listed}",
                document.digest()
            )));
        }
        let diff_id = |at: usize| read.as_ref().map(|read| read.diff_ids[at]);
        let taken = layers
            .iter()
            .enumerate()
            .map(|(at, pointer)| layer(self.repository, pointer.digest, pointer.size, diff_id(at), self.scratch));
        reached.manifests.push(Manifest {
            digest: document.digest(),
            config: config_digest(&config_document),
            layers: taken.collect::<Result<_>>()?,
            kind: if read.is_some() { ManifestKind::Image } else { ManifestKind::Attestation },
            platform: read.map(|read| read.platform),
        });
        reached.documents.insert(config_document.digest(), config_document);
        Ok(true)
    }
}

impl Walk<'_> {
    fn config(&self, pointer: &Pointer) -> Result<Document> {
        let place = self.repository.label();
        let absent = || Error::content(format!("{place} is incomplete: the config {} is missing", pointer.digest));
        let bytes = self.repository.small_blob(pointer.digest, pointer.size)?.ok_or_else(absent)?;
        let document = Document::new(bytes);
        check(&document, Some(pointer.digest), &format!("the config that {place} gives"))?;
        Ok(document)
    }
}

/// A layer, or with no `diff_id` a blob that is taken as it is; only its first bytes are fetched.
pub(super) fn layer(
    repository: &Repository,
    digest: BlobDigest,
    size: u64,
    diff_id: Option<DiffId>,
    scratch: &Arc<TempScratch>,
) -> Result<Layer> {
    require_size(digest, size)?;
    let stored = self::blob(repository.clone(), digest, size, scratch.clone());
    let what = format!("the layer {} of {}", digest.short(), repository.label());
    let is_plain = diff_id.is_none_or(|diff_id| digest == diff_id.into());
    let blob = match is_plain {
        true => Blob::opaque(what, stored, scratch.clone()),
        false => Blob::new(what, stored, scratch.clone())?,
    };
    let compression = blob.compression().unwrap_or(BlobCompression::None);
    let diff_id = match diff_id {
        Some(diff_id) if !is_plain && compression == BlobCompression::None => {
            let (expected, found) = (diff_id.to_string(), digest.to_string());
            return Err(Error::Mismatch { what: "an uncompressed layer".to_owned(), expected, found });
        }
        Some(diff_id) => diff_id,
        None => digest.to_string().parse()?,
    };
    Ok(Layer { diff_id, blob: digest, blob_size: size, compression, content: Arc::new(blob.far()) })
}

/// A blob of a repository.
struct RemoteBlob {
    repository: Repository,
    digest: BlobDigest,
    size: u64,
    scratch: Arc<TempScratch>,
}

/// A blob that is fetched when it is read.
fn blob(repository: Repository, digest: BlobDigest, size: u64, scratch: Arc<TempScratch>) -> Arc<dyn ReadAt> {
    Arc::new(LateBlob::new(RemoteBlob { repository, digest, size, scratch }, size))
}

impl Fetch for RemoteBlob {
    fn first_bytes(&self, buffer: &mut [u8]) -> Result<usize> {
        self.repository.first_bytes(self.digest, self.size, buffer)
    }

    fn all(&self) -> Result<Arc<dyn ReadAt>> {
        self.repository.blob(self.digest, self.size, &self.scratch)
    }
}

#[cfg(test)]
mod tests;
