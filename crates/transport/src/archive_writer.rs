//! Writes images in the one form that every engine loads: an OCI layout that also has Docker's `manifest.json`.
//!
//! What goes to an engine is written from front to back, when its blobs were made. In a file or folder the blobs are made where they
//! lie (`in_place`).

mod in_place;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};

use crate::oci_layout::blob_name;
use delta_codec::{ReadAt, Reader};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::documents::{LayoutIndex, Pointers, read_pointers};
use delta_core::image::{Document, ManifestKind, RebuiltImage, RebuiltManifest, VerifiedBlob};
use delta_core::job::progress::{Counted, Progress};
use delta_core::limits::COPY_BUFFER;
pub use in_place::Made;
pub(crate) use in_place::{made_blob, write_archive_in_place, write_layout_in_place};
use serde::Serialize;
use tar::{EntryType, Header};

/// Whether names stand in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Every tag has its entry, as `docker save` writes them.
    Named,
    /// None: an engine gets the tags only when the image is known to be whole. Podman refuses a partial archive with
    /// several entries.
    Unnamed,
}

/// The sizes of all blobs that are written, in bytes.
pub type Sizes = BTreeMap<BlobDigest, u64>;

/// Writes a tar of the images and the blobs that they bring.
///
/// # Errors
/// What writing reports, and reading the blobs.
pub fn write_archive(
    images: &[RebuiltImage],
    naming: Naming,
    progress: &dyn Progress,
    out: &mut dyn Write,
) -> Result<()> {
    let blobs = images.iter().flat_map(|image| image.blobs.values());
    let blobs: BTreeMap<BlobDigest, &VerifiedBlob> = blobs.map(|blob| (blob.digest(), blob)).collect();
    let sizes = blobs.iter().map(|(digest, blob)| (*digest, blob.bytes().len())).collect();
    let files = files(images, naming, &sizes)?;
    let task = progress.begin("Writing the image", Some(files.values().map(Bytes::len).sum()));
    let mut builder = tar::Builder::new(out);
    for (name, bytes) in &files {
        let doing = || Error::io(format!("writing {name} into the archive"));
        let bytes: &dyn ReadAt = match bytes {
            Bytes::Document(bytes) => bytes,
            Bytes::Blob(digest, _) => blobs[digest].bytes(),
        };
        let header = header(name, bytes.len()).map_err(doing())?;
        let bytes = BufReader::with_capacity(COPY_BUFFER, Counted::new(Reader::new(bytes), task.as_ref()));
        builder.append(&header, bytes).map_err(doing())?;
    }
    builder.into_inner().and_then(|out| out.flush()).map_err(Error::io("writing the archive"))
}

fn header(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

/// What a file of an archive holds.
enum Bytes {
    Document(Vec<u8>),
    /// A blob of so many bytes.
    Blob(BlobDigest, u64),
}

impl Bytes {
    const fn len(&self) -> u64 {
        match self {
            Self::Document(bytes) => bytes.len() as u64,
            Self::Blob(_, size) => *size,
        }
    }
}

/// The files of an archive of `images` with blobs of these sizes by their names, which is the order in which it has them.
fn files(images: &[RebuiltImage], naming: Naming, sizes: &Sizes) -> Result<BTreeMap<String, Bytes>> {
    let documents = documents(images, naming)?.into_iter().map(|(name, bytes)| (name, Bytes::Document(bytes)));
    let mut files: BTreeMap<String, Bytes> = documents.collect();
    let docker = docker_manifest(images, naming);
    // Artifacts alone are nothing that Docker's form has a place for.
    if !docker.is_empty() {
        files.insert("manifest.json".to_owned(), Bytes::Document(json(&docker)?));
    }
    files.extend(sizes.iter().map(|(digest, size)| (blob_name(*digest), Bytes::Blob(*digest, *size))));
    Ok(files)
}

/// The documents of a layout of `images` by their names.
fn documents(images: &[RebuiltImage], naming: Naming) -> Result<BTreeMap<String, Vec<u8>>> {
    let documents = images.iter().flat_map(|image| image.documents.values());
    let mut files: BTreeMap<String, Vec<u8>> =
        documents.map(|document| (blob_name(document.digest()), document.bytes().to_vec())).collect();
    files.insert("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec());
    files.insert("index.json".to_owned(), index(images, naming)?.bytes().to_vec());
    Ok(files)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::internal(error.to_string()))
}

/// What the package says that a layout of all its images has, else what their names make.
fn index(images: &[RebuiltImage], naming: Naming) -> Result<Document> {
    let own = images.first().and_then(|image| image.layout_index.as_ref());
    let is_of_all = |own: &&Document| images.iter().all(|image| image.layout_index.as_ref() == Some(*own));
    match own.filter(is_of_all) {
        Some(own) if naming == Naming::Named => Ok(own.clone()),
        _ => LayoutIndex::made(images.iter().map(|image| match naming {
            Naming::Named => (image.names.as_slice(), &image.root),
            Naming::Unnamed => (&[][..], &image.root),
        })),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DockerEntry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Docker's list has no place for platforms, so that an image for several is there with its first.
fn docker_manifest(images: &[RebuiltImage], naming: Naming) -> Vec<DockerEntry> {
    let entry = |(image, manifest): (&RebuiltImage, &RebuiltManifest)| {
        let tags: Vec<String> = image.names.iter().map(ToString::to_string).collect();
        DockerEntry {
            config: blob_name(manifest.config.into()),
            repo_tags: (naming == Naming::Named && !tags.is_empty()).then_some(tags),
            layers: manifest.layers.iter().map(|(_, blob)| blob_name(*blob)).collect(),
        }
    };
    images.iter().filter_map(|image| Some((image, first_image(image)?))).map(entry).collect()
}

/// The first manifest of an image that can be opened, else the first that says that it is one.
fn first_image(image: &RebuiltImage) -> Option<&RebuiltManifest> {
    let says_so = |manifest: &&RebuiltManifest| {
        image.documents.get(&manifest.digest).is_some_and(|document| {
            matches!(read_pointers(document), Ok(Pointers::Manifest { config, .. }) if config.is_image_config())
        })
    };
    let opened = image.manifests.iter().find(|manifest| manifest.kind == ManifestKind::Image);
    opened.or_else(|| image.manifests.iter().find(says_so))
}
