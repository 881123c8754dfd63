//! Images in files and folders, whatever made them.
//!
//! What a file is, is told by what is in it: `index.json` (OCI layouts, Docker 25 and later), a list in `manifest.json`
//! (docker-archive), an object in `manifest.json` (skopeo's folders). Names and media types are not believed.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use delta_codec::compress::{Compression, decoder};
use delta_codec::{ReadAt, Reader};
use delta_core::error::{Error, Result};
use delta_core::image::Image;
use delta_core::job::progress::{Counted, Progress};

use crate::container::Container;
use crate::docker_archive;
use crate::docker_manifest::{self, DockerEntry, DockerManifest};
use crate::file::FileBytes;
use crate::oci_layout::{self, Blobs, Layout};
use crate::pick::Pick;
use crate::sourced_image::SourcedImage;
use crate::spool::TempScratch;

/// Opens the images of a file or folder; with `pick`, the one of that name, tag or ID.
///
/// # Errors
/// Environment errors when it cannot be read; content errors when it is no image, incomplete or not what its digests say.
pub fn open_path(
    path: &Path,
    pick: Option<&str>,
    scratch: &Arc<TempScratch>,
    progress: &dyn Progress,
) -> Result<Vec<Image>> {
    let what = path.display().to_string();
    if path.is_dir() {
        return images(&Container::Folder(path.to_path_buf()), &what, &Pick::from(pick), (scratch, progress));
    }
    open_archive(FileBytes::open(path)?, &what, pick, scratch, progress)
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
    progress: &dyn Progress,
) -> Result<Vec<Image>> {
    let mut first = [0; 6];
    let count = bytes.read_at(&mut first, 0).map_err(Error::io(format!("reading {what}")))?;
    let bytes = match Compression::detect(&first[..count]) {
        Compression::None => bytes,
        compression => {
            let doing = format!("decompressing {what}");
            let task = progress.begin(&format!("Decompressing {}", file_name(what)), Some(bytes.len()));
            let stored = Counted::new(Reader::new(bytes), task.as_ref());
            let mut plain = decoder(compression, stored).map_err(Error::io(doing.clone()))?;
            scratch.spool(&mut plain, &doing)?
        }
    };
    images(&Container::archive(bytes, what)?, what, &Pick::from(pick), (scratch, progress))
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
    progress: &dyn Progress,
) -> Result<Vec<Image>> {
    let task = progress.begin(&format!("Reading {}", file_name(what)), None);
    let bytes = scratch.spool(&mut Counted::new(stream, task.as_ref()), &format!("reading {what}"))?;
    drop(task);
    open_archive(bytes, what, pick, scratch, progress)
}

/// What the last part of a path is called.
fn file_name(what: &str) -> &str {
    what.rsplit_once('/').map_or(what, |(_, name)| name)
}

fn images(
    container: &Container,
    what: &str,
    pick: &Pick,
    (scratch, progress): (&Arc<TempScratch>, &dyn Progress),
) -> Result<Vec<Image>> {
    let in_file = |error: Error| error.within(what);
    let index = container.document("index.json")?;
    let docker = container.document("manifest.json")?;
    let docker = docker.as_ref().map(docker_manifest::entries).transpose().map_err(in_file)?;
    let docker = match (docker, &index) {
        (Some(DockerManifest::List(entries)), _) => Some(entries),
        (Some(DockerManifest::Single(manifest)), None) => {
            let found = oci_layout::single(&Blobs::flat(container, scratch), &manifest, progress).map_err(in_file)?;
            return taken(found, what, pick, &[]);
        }
        (Some(DockerManifest::Single(_)) | None, Some(_)) => None,
        (None, None) => {
            return Err(in_file(
                Error::content("it is no image: it has neither manifest.json nor index.json")
                    .with_hint("expected what `docker save` or `podman save` writes, or an OCI layout"),
            ));
        }
    };
    let entries = docker.as_deref().unwrap_or_default();
    for odd in entries.iter().flat_map(|entry| &entry.odd_names) {
        let odd = odd.escape_debug();
        progress.inform(format_args!(
            "manifest.json calls an image `{odd}`, which is no name that engines take: it comes without it"
        ));
    }
    let layout = index.as_ref().map(|index| Layout::new(index, Blobs::layout(container, scratch), entries, progress));
    let layout = match layout.transpose() {
        Err(error) if docker.is_some() => {
            progress.inform(format_args!("{error}; what manifest.json lists is read instead"));
            None
        }
        layout => layout.map_err(in_file)?,
    };
    let found = || -> Result<Vec<SourcedImage>> {
        let mut found = layout.as_ref().map(|layout| layout.images(pick)).transpose()?.unwrap_or_default();
        // Some that were saved by digest stand in one of the two lists only.
        let unlisted = docker_manifest::picked(entries, pick).into_iter().filter(|entry| !is_among(&found, entry));
        let unlisted: Vec<_> = unlisted.collect();
        found.extend(docker_archive::images(container, &unlisted, pick, scratch)?);
        Ok(found)
    };
    let names = entries.iter().flat_map(|entry| &entry.names).map(ToString::to_string);
    let names: BTreeSet<String> = names.chain(layout.iter().flat_map(Layout::names)).collect();
    taken(found().map_err(in_file)?, what, pick, &names.into_iter().collect::<Vec<_>>())
}

fn is_among(found: &[SourcedImage], entry: &DockerEntry) -> bool {
    let manifests = found.iter().flat_map(|found| &found.image.manifests);
    manifests.map(|manifest| manifest.config).any(|config| entry.is_of(config.into()))
}

fn taken(found: Vec<SourcedImage>, what: &str, pick: &Pick, there: &[String]) -> Result<Vec<Image>> {
    if found.is_empty() { pick.absent(what, there) } else { Ok(found.into_iter().map(|found| found.image).collect()) }
}

#[cfg(test)]
mod tests;
