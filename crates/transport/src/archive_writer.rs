//! Writes images in the one form that every engine loads: an OCI layout that also has Docker's `manifest.json`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{LayoutIndex, Pointers, read_pointers};
use delta_core::image::{Document, ManifestKind, RebuiltImage, RebuiltManifest};
use delta_core::job::progress::{Counted, Progress};
use delta_core::limits::COPY_BUFFER;
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
    let files = files(images, naming)?;
    let task = progress.begin("Writing the image", Some(files.values().map(|bytes| bytes.len()).sum()));
    let mut builder = tar::Builder::new(out);
    for (name, bytes) in &files {
        let doing = || Error::io(format!("writing {name} into the archive"));
        let mut header = Header::new_ustar();
        header.set_path(name).map_err(doing())?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(bytes.len());
        header.set_cksum();
        let bytes = BufReader::with_capacity(COPY_BUFFER, Counted::new(Reader::new(bytes), task.as_ref()));
        builder.append(&header, bytes).map_err(doing())?;
    }
    builder.into_inner().and_then(|out| out.flush()).map_err(Error::io("writing the archive"))
}

/// Writes an OCI layout into an empty folder.
///
/// # Errors
/// What writing reports, and reading the blobs.
pub(crate) fn write_layout(images: &[RebuiltImage], folder: &Path, progress: &dyn Progress) -> Result<()> {
    let files = files(images, Naming::Named)?;
    let task = progress.begin("Writing the image", Some(files.values().map(|bytes| bytes.len()).sum()));
    fs::create_dir_all(folder.join("blobs/sha256")).map_err(Error::io(format!("making {}/blobs", folder.display())))?;
    for (name, bytes) in files.iter().filter(|(name, _)| *name != "manifest.json") {
        let path = folder.join(name);
        let write = || -> io::Result<()> {
            let mut file = File::create_new(&path)?;
            io::copy(&mut Counted::new(Reader::new(bytes), task.as_ref()), &mut file).map(|_| ())
        };
        write().map_err(Error::io(format!("writing {}", path.display())))?;
    }
    Ok(())
}

/// Fails when a blob that an image names is not there: what is written to a file must be whole.
///
/// # Errors
/// An internal error that names the blob.
pub(crate) fn check_complete(image: &RebuiltImage) -> Result<()> {
    let named = image.manifests.iter().flat_map(|manifest| &manifest.layers).map(|(_, blob)| blob);
    match named.into_iter().find(|blob| !image.blobs.contains_key(blob)) {
        Some(blob) => Err(Error::internal(format!("the blob {blob} was not rebuilt"))),
        None => Ok(()),
    }
}

type Files = BTreeMap<String, Arc<dyn ReadAt>>;

fn files(images: &[RebuiltImage], naming: Naming) -> Result<Files> {
    let mut files = Files::new();
    let mut put = |name: String, bytes: Arc<dyn ReadAt>| files.insert(name, bytes);
    put("oci-layout".to_owned(), Arc::new(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    put("index.json".to_owned(), Arc::new(index(images, naming)?.bytes().to_vec()));
    let docker = docker_manifest(images, naming);
    // Artifacts alone are nothing that Docker's form has a place for.
    if !docker.is_empty() {
        put("manifest.json".to_owned(), Arc::new(json(&docker)?));
    }
    for image in images {
        for document in image.documents.values() {
            put(format!("blobs/sha256/{}", document.digest().hex()), Arc::new(document.bytes().to_vec()));
        }
        for blob in image.blobs.values() {
            put(format!("blobs/sha256/{}", blob.digest().hex()), blob.bytes().clone());
        }
    }
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
            config: format!("blobs/sha256/{}", manifest.config.hex()),
            repo_tags: (naming == Naming::Named && !tags.is_empty()).then_some(tags),
            layers: manifest.layers.iter().map(|(_, blob)| format!("blobs/sha256/{}", blob.hex())).collect(),
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
