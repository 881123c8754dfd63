//! OCI layouts (OCI image-spec, image-layout.md), in folders and archives, also the ones that `docker save` writes since
//! version 25, and skopeo's folders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::{BlobDigest, ConfigDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{
    self, OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, Pointer, Pointers, config_digest, read_config, read_pointers,
};
use delta_core::image::{BlobCompression, Document, Image, ImageName, Layer, Manifest, ManifestKind, Root};
use delta_core::limits;
use serde::Deserialize;

use crate::blob::Blob;
use crate::container::Container;
use crate::docker_manifest::{DockerEntry, entry_of};
use crate::sourced_image::SourcedImage;
use crate::spool::TempScratch;

const NAME: &str = "io.containerd.image.name";
/// The media types of configs of images, of OCI and of Docker.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// Blobs by their digest.
pub(crate) struct Blobs<'a> {
    container: &'a Container,
    folder: &'static str,
    scratch: &'a Arc<TempScratch>,
}

impl<'a> Blobs<'a> {
    /// As a layout holds them.
    pub(crate) const fn layout(container: &'a Container, scratch: &'a Arc<TempScratch>) -> Self {
        Self { container, folder: "blobs/sha256/", scratch }
    }

    /// As skopeo's folders hold them.
    pub(crate) const fn flat(container: &'a Container, scratch: &'a Arc<TempScratch>) -> Self {
        Self { container, folder: "", scratch }
    }

    fn path(&self, digest: BlobDigest) -> String {
        format!("{}{}", self.folder, digest.hex())
    }

    fn find(&self, digest: BlobDigest) -> Result<Option<Arc<dyn ReadAt>>> {
        self.container.find(&self.path(digest))
    }

    /// A document, compared with its digest.
    fn document(&self, digest: BlobDigest) -> Result<Option<Document>> {
        let Some(document) = self.container.document(&self.path(digest))? else { return Ok(None) };
        if document.digest() == digest {
            return Ok(Some(document));
        }
        let (expected, found) = (digest.to_string(), document.digest().to_string());
        Err(Error::Mismatch { what: self.path(digest), expected, found })
    }
}

#[derive(Deserialize)]
struct Index {
    manifests: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: Option<String>,
    digest: BlobDigest,
    size: u64,
    annotations: Option<BTreeMap<String, String>>,
}

/// The images that `index.json` lists; several entries with one digest are one image with several names.
pub(crate) fn images(blobs: &Blobs<'_>, index: &Document, docker: &[DockerEntry]) -> Result<Vec<SourcedImage>> {
    let index: Index = serde_json::from_slice(index.bytes())
        .map_err(|error| Error::content(format!("index.json is not valid: {error}")))?;
    // Docker 25.0 wrote null for an image that was saved by its digest.
    let entries = index.manifests.unwrap_or_default();
    if entries.len() > limits::IMAGES {
        return Err(Error::content(format!("index.json lists {} images", entries.len())));
    }
    let mut found: Vec<SourcedImage> = Vec::new();
    for entry in &entries {
        let known = found.iter().position(|found| found.image.root.digest == entry.digest);
        let at = match known {
            Some(at) => at,
            None => {
                let root = Root {
                    media_type: entry.media_type.clone().unwrap_or_default(),
                    digest: entry.digest,
                    size: entry.size,
                    synthesised: false,
                };
                found.push(SourcedImage { image: image(blobs, root, docker)?, tags: BTreeSet::new() });
                found.len() - 1
            }
        };
        found[at].call(entry);
    }
    Ok(found)
}

/// The one image of a folder of skopeo.
pub(crate) fn single(blobs: &Blobs<'_>, manifest: &Document) -> Result<Vec<SourcedImage>> {
    let mut walk = Walk { blobs, documents: BTreeMap::new(), manifests: Vec::new() };
    let is_index = matches!(read_pointers(manifest)?, Pointers::Index(_));
    walk.take(manifest.clone(), false, 0)?;
    let root = Root {
        media_type: if is_index { OCI_INDEX } else { OCI_MANIFEST }.to_owned(),
        digest: manifest.digest(),
        size: manifest.bytes().len() as u64,
        synthesised: false,
    };
    let image =
        Image { names: Vec::new(), root, documents: walk.documents, manifests: walk.manifests, docker_manifest: None };
    Ok(vec![SourcedImage { image, tags: BTreeSet::new() }])
}

impl SourcedImage {
    /// Takes the names of an entry of `index.json`, unless `manifest.json` gave them.
    fn call(&mut self, entry: &Entry) {
        let annotation = |name| entry.annotations.as_ref().and_then(|all| all.get(name));
        let reference = annotation(REFERENCE);
        self.tags.extend(reference.cloned());
        let full = annotation(NAME).or_else(|| reference.filter(|name| name.contains([':', '/'])));
        let name: Option<ImageName> = full.and_then(|name| familiar(name).parse().ok());
        let is_known = |name: &ImageName| self.image.names.iter().any(|known| known.full() == name.full());
        if let Some(name) = name.filter(|name| !is_known(name)) {
            self.image.names.push(name);
        }
    }
}

/// Docker's short form of a full name.
fn familiar(name: &str) -> &str {
    let short = name.strip_prefix("docker.io/").unwrap_or(name);
    short.strip_prefix("library/").filter(|rest| short.len() < name.len() && !rest.contains('/')).unwrap_or(short)
}

fn image(blobs: &Blobs<'_>, root: Root, docker: &[DockerEntry]) -> Result<Image> {
    let document = blobs.document(root.digest)?;
    let document = document.ok_or_else(|| incomplete(&format!("the manifest {} is missing", root.digest)))?;
    let mut walk = Walk { blobs, documents: BTreeMap::new(), manifests: Vec::new() };
    walk.take(document, false, 0)?;
    if !walk.manifests.iter().any(|manifest| manifest.kind == ManifestKind::Image) {
        return Err(incomplete("no platform of it is there"));
    }
    let configs = walk.manifests.iter().map(|manifest| manifest.config);
    let entry = configs.clone().find_map(|config| entry_of(docker, config.into()));
    Ok(Image {
        names: entry.map(|entry| entry.names.clone()).unwrap_or_default(),
        root,
        documents: walk.documents,
        manifests: walk.manifests,
        docker_manifest: entry.map(|entry| entry.raw.clone()),
    })
}

/// What the config says of an image; `None` where it lists no layers at all, as those of artifacts that are no images do.
fn image_config(
    manifest: &Document,
    pointer: &Pointer,
    document: &Document,
    layers: usize,
) -> Result<Option<documents::Config>> {
    let is_image = IMAGE_CONFIGS.contains(&pointer.media_type.as_str());
    let config = match read_config(document) {
        Err(error) if is_image => return Err(error),
        read => read.ok(),
    };
    match config {
        Some(config) if config.diff_ids.len() == layers => Ok(Some(config)),
        Some(config) if is_image && !config.diff_ids.is_empty() => Err(Error::content(format!(
            "the manifest {} lists {layers} layers, its config {}",
            manifest.digest(),
            config.diff_ids.len()
        ))),
        _ => Ok(None),
    }
}

fn incomplete(what: &str) -> Error {
    Error::content(format!("it is incomplete: {what}")).with_hint(
        "engines with the containerd store save such archives when only a part of an image was pulled: pull it again \
         (`docker pull`, for several platforms with --platform), then save it again",
    )
}

/// A walk from the root down.
struct Walk<'a, 'b> {
    blobs: &'a Blobs<'b>,
    documents: BTreeMap<BlobDigest, Document>,
    manifests: Vec<Manifest>,
}

impl Walk<'_, '_> {
    fn take(&mut self, document: Document, is_attestation: bool, depth: usize) -> Result<()> {
        if depth > limits::INDEX_DEPTH || self.manifests.len() > limits::IMAGES {
            return Err(Error::content("its indexes are nested too deeply"));
        }
        match read_pointers(&document)? {
            Pointers::Index(entries) => {
                for pointer in entries {
                    // An engine that pulled one platform keeps the index of all.
                    if let Some(next) = self.blobs.document(pointer.digest)? {
                        self.take(next, pointer.is_attestation, depth + 1)?;
                    }
                }
            }
            Pointers::Manifest { config, layers } => {
                if !self.manifest(&document, &config, &layers, is_attestation, depth > 0)? {
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
        let config_document =
            config_document.ok_or_else(|| incomplete(&format!("the config {} is missing", config.digest)))?;
        let image = match is_attestation || config.media_type == OCI_EMPTY {
            true => None,
            false => image_config(document, config, &config_document, layers.len())?,
        };
        let diff_ids = image.as_ref().map(|image| image.diff_ids.as_slice());
        let mut taken = Vec::new();
        for (at, (pointer, stored)) in layers.iter().zip(stored).enumerate() {
            let stored = stored.ok_or_else(|| incomplete(&format!("the layer {} is missing", pointer.digest)))?;
            taken.push(self.layer(pointer, stored, diff_ids.map(|all| all[at]))?);
        }
        let config: ConfigDigest = config_digest(&config_document);
        self.manifests.push(Manifest {
            digest: document.digest(),
            config,
            kind: if image.is_some() { ManifestKind::Image } else { ManifestKind::Attestation },
            platform: image.map(|image| image.platform),
            layers: taken,
        });
        self.documents.insert(config.into(), config_document);
        Ok(true)
    }

    fn layer(&self, pointer: &Pointer, stored: Arc<dyn ReadAt>, diff_id: Option<DiffId>) -> Result<Layer> {
        if stored.len() != pointer.size {
            let what = format!("the layer {}", pointer.digest);
            let (expected, found) = (format!("{} bytes", pointer.size), stored.len().to_string());
            return Err(Error::Mismatch { what, expected, found });
        }
        let what = format!("the layer {}", pointer.digest.short());
        let scratch = self.blobs.scratch.clone();
        let blob = match diff_id {
            Some(_) => Blob::new(what, stored, scratch)?,
            None => Blob::opaque(what, stored, scratch),
        };
        let (compression, digest) = (blob.compression(), pointer.digest);
        let diff_id = match diff_id {
            Some(diff_id) => diff_id,
            None => digest.to_string().parse()?,
        };
        if compression == BlobCompression::None && digest != diff_id.into() {
            let (expected, found) = (diff_id.to_string(), digest.to_string());
            return Err(Error::Mismatch { what: "an uncompressed layer".to_owned(), expected, found });
        }
        Ok(Layer { diff_id, blob: digest, blob_size: pointer.size, compression, content: Arc::new(blob) })
    }
}
