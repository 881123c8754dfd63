//! OCI layouts (OCI image-spec, image-layout.md), in folders and archives, also the ones that `docker save` writes since
//! version 25, and skopeo's folders.

mod blobs;
mod companions;

use std::collections::BTreeSet;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::documents::{LayoutEntry, LayoutIndex, OCI_INDEX, OCI_MANIFEST, Pointers, read_pointers};
use delta_core::image::{Document, Image, ManifestKind, Root};
use delta_core::job::progress::Progress;
use delta_core::limits;

use crate::docker_manifest::{self, DockerEntry, entry_of};
use crate::pick::Pick;
use crate::sourced_image::SourcedImage;
use crate::walk::{Shelf, Walk};
pub(crate) use blobs::{Blobs, blob_name};

/// A layout and what is known of it.
pub(crate) struct Layout<'a> {
    /// Its `index.json`.
    document: &'a Document,
    index: LayoutIndex,
    blobs: Blobs<'a>,
    /// What a `manifest.json` beside it says.
    docker: &'a [DockerEntry],
    progress: &'a dyn Progress,
}

/// The entries of one document; several are one image with several names.
#[derive(Clone)]
struct Listed<'a> {
    /// The digest as it is written.
    named: &'a str,
    entries: Vec<&'a LayoutEntry>,
}

impl<'a> Layout<'a> {
    /// Reads the `index.json`.
    ///
    /// # Errors
    /// A content error when it is none, or lists too much.
    pub(crate) fn new(
        document: &'a Document,
        blobs: Blobs<'a>,
        docker: &'a [DockerEntry],
        progress: &'a dyn Progress,
    ) -> Result<Self> {
        let index = LayoutIndex::read(document)?;
        if index.entries.len() > limits::IMAGES {
            return Err(Error::content(format!("index.json lists {} images", index.entries.len())));
        }
        Ok(Self { document, index, blobs, docker, progress })
    }

    /// The images that are meant, with what else belongs to them.
    ///
    /// # Errors
    /// Content errors when one of them is not what it should be, or when there is nothing but odd entries.
    pub(crate) fn images(&self, pick: &Pick) -> Result<Vec<SourcedImage>> {
        if pick.is_all() {
            return self.all();
        }
        let meant = self.meant(pick)?;
        let mut found = Vec::new();
        for listed in &meant {
            found.push(self.image(listed, pick)??);
        }
        let companions = if found.is_empty() { Vec::new() } else { self.companions(&found) };
        for listed in &companions {
            found.extend(self.image(listed, &Pick::All)?.ok());
        }
        self.list(&mut found);
        Ok(found)
    }

    /// Every image; what is none is told.
    fn all(&self) -> Result<Vec<SourcedImage>> {
        let mut found = Vec::new();
        let mut odd = Vec::new();
        let mut is_whole = true;
        for listed in self.everything() {
            match self.image(&listed, &Pick::All)? {
                Ok(image) => found.push(image),
                Err(error) => {
                    is_whole &= self.is_stale(&listed)?;
                    odd.push(error);
                }
            }
        }
        if found.is_empty() && self.docker.is_empty() && !odd.is_empty() {
            return Err(odd.swap_remove(0));
        }
        odd.iter().for_each(|odd| self.progress.inform(format_args!("an entry of index.json is left out: {odd}")));
        match is_whole {
            true => found.iter_mut().for_each(|found| found.image.layout_index = Some(self.document.clone())),
            false => self.list(&mut found),
        }
        Ok(found)
    }

    /// Every document that one of these entries lists, once, in their order.
    fn listed(&self, is_meant: impl Fn(usize, &LayoutEntry) -> bool) -> Vec<Listed<'_>> {
        let mut all: Vec<Listed<'_>> = Vec::new();
        for (_, entry) in self.index.entries.iter().enumerate().filter(|(place, entry)| is_meant(*place, entry)) {
            match all.iter_mut().find(|listed| listed.named == entry.named) {
                Some(listed) => listed.entries.push(entry),
                None => all.push(Listed { named: &entry.named, entries: vec![entry] }),
            }
        }
        all
    }

    fn everything(&self) -> Vec<Listed<'_>> {
        self.listed(|_, _| true)
    }

    /// What is meant: by what the index says, else by what `manifest.json` says.
    fn meant(&self, pick: &Pick) -> Result<Vec<Listed<'_>>> {
        let by_index = self.listed(|place, entry| {
            let is_at = pick.is_at(place) && self.docker.is_empty();
            is_at
                || entry.reference().is_some_and(|tag| pick.is_tag(tag))
                || entry.name().is_some_and(|name| pick.is_name(&name))
        });
        if !by_index.is_empty() {
            return Ok(by_index);
        }
        let mut meant = Vec::new();
        for listed in self.everything() {
            if self.is_in_docker(&listed, pick)? {
                meant.push(listed);
            }
        }
        Ok(meant)
    }

    /// Whether `manifest.json` says of this image that it is meant.
    fn is_in_docker(&self, listed: &Listed<'_>, pick: &Pick) -> Result<bool> {
        let picked = docker_manifest::picked(self.docker, pick);
        if picked.is_empty() {
            return Ok(false);
        }
        // What cannot be opened is not what was asked for.
        let Ok(Ok(found)) = self.image(listed, &Pick::All) else { return Ok(false) };
        let mut configs = found.image.manifests.iter().map(|manifest| manifest.config.into());
        Ok(configs.any(|config| picked.iter().any(|entry| entry.is_of(config))))
    }

    fn image(&self, listed: &Listed<'_>, pick: &Pick) -> Result<Result<SourcedImage>> {
        let Ok(digest) = listed.named.parse::<BlobDigest>() else {
            return Ok(Err(Error::content(format!(
                "`{}` names it by another digest than SHA-256, which no program here can compare",
                listed.named.chars().take(100).collect::<String>()
            ))));
        };
        let Some(document) = self.blobs.document(digest)? else {
            return Ok(Err(self.blobs.incomplete(&format!("the manifest {digest} is missing"))));
        };
        if let Err(error) = read_pointers(&document) {
            return Ok(Err(error));
        }
        let media_type = listed.entries.first().map(|entry| entry.media_type.clone()).unwrap_or_default();
        let root = Root::of(&document, media_type);
        let (reached, foreign) = Walk::from(document, &self.blobs, self.progress)?;
        if let Some(layer) = foreign {
            let what = format!("its layer {layer} is a foreign one, which is to be had from its URLs alone");
            if !reached.manifests.iter().any(|manifest| manifest.kind == ManifestKind::Image) {
                return Ok(Err(Error::content(format!("the image {digest} cannot travel: {what}"))));
            }
            self.progress.inform(format_args!("a platform of {digest} is left out: {what}"));
        }
        let docker = reached.manifests.iter().find_map(|manifest| entry_of(self.docker, manifest.config.into()));
        let names = docker.map(|entry| pick.names(&entry.names)).unwrap_or_default();
        let mut sourced = SourcedImage {
            image: Image {
                docker_manifest: docker.filter(|entry| entry.names == names).map(|entry| entry.raw.clone()),
                names,
                ..reached.into_image(root)
            },
            tags: BTreeSet::new(),
        };
        listed.entries.iter().for_each(|entry| self.call(&mut sourced, entry));
        Ok(Ok(sourced))
    }

    /// Takes the names of an entry, unless `manifest.json` gave them.
    fn call(&self, sourced: &mut SourcedImage, entry: &LayoutEntry) {
        sourced.tags.extend(entry.reference().map(str::to_owned));
        match (entry.name(), entry.written_name()) {
            (Some(name), _) => {
                if !sourced.image.names.iter().any(|known| known.full() == name.full()) {
                    sourced.image.names.push(name);
                }
            }
            (None, Some(odd)) => self.progress.inform(format_args!(
                "index.json calls an image `{}`, which is no name that engines take: only a layout keeps it",
                odd.escape_debug()
            )),
            (None, None) => {}
        }
    }

    /// Whether nothing of it is there.
    fn is_stale(&self, listed: &Listed<'_>) -> Result<bool> {
        match listed.named.parse() {
            Ok(digest) => Ok(self.blobs.document(digest)?.is_none()),
            Err(_) => Ok(false),
        }
    }

    /// Lets the images be listed by an index of them alone.
    fn list(&self, found: &mut [SourcedImage]) {
        let is_own = |entry: &&LayoutEntry| {
            let mut own = found.iter().filter(|found| Some(found.image.root.digest) == entry.digest);
            own.any(|found| entry.reference().is_none_or(|tag| found.tags.contains(tag)))
        };
        let index = LayoutIndex::of_entries(self.index.entries.iter().filter(is_own));
        found.iter_mut().for_each(|found| found.image.layout_index = Some(index.clone()));
    }

    /// What can be asked for.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |entry: &LayoutEntry| entry.name().map(|name| name.to_string());
        self.index
            .entries
            .iter()
            .filter_map(|entry| name(entry).or_else(|| entry.reference().map(str::to_owned)))
            .collect()
    }
}

/// The one image of a folder of skopeo.
pub(crate) fn single(blobs: &Blobs<'_>, manifest: &Document, progress: &dyn Progress) -> Result<Vec<SourcedImage>> {
    let is_index = matches!(read_pointers(manifest)?, Pointers::Index(_));
    let (reached, _) = Walk::from(manifest.clone(), blobs, progress)?;
    let root = Root::of(manifest, if is_index { OCI_INDEX } else { OCI_MANIFEST }.to_owned());
    Ok(vec![SourcedImage { image: reached.into_image(root), tags: BTreeSet::new() }])
}

#[cfg(test)]
mod tests;
