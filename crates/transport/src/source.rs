//! Images in files and folders, whatever made them.
//!
//! What a file is, is told by what is in it: `index.json` (OCI layouts, Docker 25 and later), a list in `manifest.json`
//! (docker-archive), an object in `manifest.json` (skopeo's folders). Names and media types are not believed.

use std::io;
use std::path::Path;
use std::sync::Arc;

use delta_codec::compress::{Compression, decoder};
use delta_codec::{ReadAt, Reader};
use delta_core::error::{Error, Result};
use delta_core::image::{Image, ImageName};

use crate::container::Container;
use crate::docker_archive;
use crate::docker_manifest::{self, DockerEntry, DockerManifest};
use crate::file::FileBytes;
use crate::oci_layout::{self, Blobs};
use crate::sourced_image::SourcedImage;
use crate::spool::TempScratch;

/// Opens the images of a file or folder; with `pick`, the one of that name, tag or ID.
///
/// # Errors
/// Environment errors when it cannot be read; content errors when it is no image, incomplete or not what its digests say.
pub fn open_path(path: &Path, pick: Option<&str>, scratch: &Arc<TempScratch>) -> Result<Vec<Image>> {
    let what = path.display().to_string();
    if path.is_dir() {
        return images(&Container::Folder(path.to_path_buf()), &what, pick, scratch);
    }
    open_archive(FileBytes::open(path)?, &what, pick, scratch)
}

/// Opens the images of an archive; one that was compressed as a whole is decompressed first.
///
/// # Errors
/// As [`open_path`].
pub fn open_archive(
    bytes: Arc<dyn ReadAt>,
    what: &str,
    pick: Option<&str>,
    scratch: &Arc<TempScratch>,
) -> Result<Vec<Image>> {
    let mut first = [0; 6];
    let count = bytes.read_at(&mut first, 0).map_err(Error::io(format!("reading {what}")))?;
    let bytes = match Compression::detect(&first[..count]) {
        Compression::None => bytes,
        compression => {
            let doing = format!("decompressing {what}");
            let mut plain = decoder(compression, Reader::new(bytes)).map_err(Error::io(doing.clone()))?;
            scratch.spool(&mut plain, &doing)?
        }
    };
    images(&Container::archive(bytes, what)?, what, pick, scratch)
}

/// Opens an archive that comes as a stream.
///
/// # Errors
/// As [`open_path`].
pub fn open_stream(
    stream: &mut dyn io::Read,
    what: &str,
    pick: Option<&str>,
    scratch: &Arc<TempScratch>,
) -> Result<Vec<Image>> {
    let bytes = scratch.spool(stream, &format!("reading {what}"))?;
    open_archive(bytes, what, pick, scratch)
}

fn images(container: &Container, what: &str, pick: Option<&str>, scratch: &Arc<TempScratch>) -> Result<Vec<Image>> {
    let in_file = |error: Error| error.within(what);
    let docker = container.document("manifest.json")?;
    let docker_entries = docker.as_ref().map(docker_manifest::entries).transpose().map_err(in_file)?;
    let found = match (container.document("index.json")?, docker_entries) {
        (Some(index), entries) => {
            let entries = match entries {
                Some(DockerManifest::List(entries)) => entries,
                _ => Vec::new(),
            };
            oci_layout::images(&Blobs::layout(container, scratch), &index, &entries).and_then(|mut found| {
                // Some that were saved by digest stand in one of the two lists only.
                let unlisted: Vec<_> = entries.into_iter().filter(|entry| !is_among(&found, entry)).collect();
                found.extend(docker_archive::images(container, &unlisted, scratch)?);
                Ok(found)
            })
        }
        (None, Some(DockerManifest::List(entries))) => docker_archive::images(container, &entries, scratch),
        (None, Some(DockerManifest::Single(manifest))) => {
            oci_layout::single(&Blobs::flat(container, scratch), &manifest)
        }
        (None, None) => Err(Error::content("it is no image: it has neither manifest.json nor index.json")
            .with_hint("expected what `docker save` or `podman save` writes, or an OCI layout")),
    };
    picked(found.map_err(in_file)?, what, pick)
}

fn is_among(found: &[SourcedImage], entry: &DockerEntry) -> bool {
    let manifests = found.iter().flat_map(|found| &found.image.manifests);
    manifests.map(|manifest| manifest.config).any(|config| entry.is_of(config.into()))
}

fn picked(found: Vec<SourcedImage>, what: &str, pick: Option<&str>) -> Result<Vec<Image>> {
    let Some(pick) = pick else {
        if found.is_empty() {
            return Err(Error::content(format!("{what} holds no image")));
        }
        return Ok(found.into_iter().map(|found| found.image).collect());
    };
    let name: Option<ImageName> = pick.parse().ok();
    let is_meant = |found: &&SourcedImage| {
        let named = |other: &ImageName| name.as_ref().is_some_and(|name| name.full() == other.full());
        found.tags.contains(pick) || found.image.names.iter().any(named)
    };
    let chosen: Vec<Image> = found.iter().filter(is_meant).map(|found| found.image.clone()).collect();
    if chosen.is_empty() {
        let there: Vec<String> = found
            .iter()
            .flat_map(|found| found.image.names.iter().map(ToString::to_string).chain(found.tags.iter().cloned()))
            .collect();
        return Err(Error::usage(format!("{what} holds no image `{pick}`; it holds {}", there.join(", "))));
    }
    Ok(chosen)
}
