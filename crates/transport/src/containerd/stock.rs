//! Images into containerd: what is there is not sent; names of ours hold the parts until all of them were looked at, and
//! then the image gets its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use delta_core::apply::Wanted;
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{Index, IndexEntry, OCI_INDEX, Pointers, read_pointers};
use delta_core::image::{Document, ImageName, Layer, RebuiltImage, RebuiltManifest, Root, VerifiedBlob};
use delta_core::job::progress::Progress;
use delta_core::package::metadata::BaseEntry;

use super::holding::{Holding, is_left};
use super::inventory::{Named, Store, blobs, images};
use crate::archive_writer::{Naming, write_archive};
use crate::reach::media_type_of;
use crate::spool::TempScratch;

/// A label by which a document of a store holds another (containerd, docs/garbage-collection.md).
const HOLDS: &str = "containerd.io/gc.ref.content.docker-delta";

/// A store that images are brought into.
pub struct Stocking<'a> {
    store: &'a Store,
    scratch: &'a Arc<TempScratch>,
    progress: &'a dyn Progress,
}

/// An image that can go into a store, as far as that can be known before anything is written.
pub struct PlannedStock {
    image: RebuiltImage,
    lacking: Wanted,
    /// A name under which all of it is there.
    there: Option<String>,
}

impl PlannedStock {
    /// The image, still without blobs.
    pub const fn image(&self) -> &RebuiltImage {
        &self.image
    }

    /// The blobs that must be made for it.
    pub const fn lacking(&self) -> &Wanted {
        &self.lacking
    }

    /// Whether the store has all of it, which then only gets its names.
    pub const fn is_there(&self) -> bool {
        self.there.is_some()
    }
}

impl<'a> Stocking<'a> {
    /// Into this store.
    pub const fn new(store: &'a Store, scratch: &'a Arc<TempScratch>, progress: &'a dyn Progress) -> Self {
        Self { store, scratch, progress }
    }

    /// Finds out what the store lacks of an image. With `anew`, one that is there is brought once more.
    ///
    /// # Errors
    /// A usage error for an image that would get no name: containerd keeps none.
    pub fn plan(&self, mut image: RebuiltImage, anew: bool) -> Result<PlannedStock> {
        if image.names.is_empty() {
            return Err(Error::usage(format!(
                "the image {} has no name, without which containerd keeps none",
                image.label()
            ))
            .with_hint("give it one: docker_delta apply PACKAGE containerd:[NAMESPACE/]NAME"));
        }
        keep_travelling(&mut image);
        let wanted = image.wanted();
        let has = |digest: &BlobDigest| self.store.blobs.contains(digest);
        let is_whole = wanted.keys().all(has) && image.documents.keys().all(has);
        let named = self.store.images.iter().find(|named| named.target == image.root.digest);
        let there = named.filter(|_| is_whole && !anew).map(|named| named.name.clone());
        let lacking = wanted.into_iter().filter(|(blob, _)| anew || !has(blob)).collect();
        Ok(PlannedStock { image, lacking, there })
    }

    /// Those of the `needed` layers that the store has: in the bases that the package names, else in any of its images.
    pub fn base_layers(&self, bases: &[BaseEntry], needed: &BTreeSet<DiffId>) -> Vec<Layer> {
        let mut found: BTreeMap<DiffId, Layer> = BTreeMap::new();
        let named = |target| Named { name: format!("the base {target}"), media_type: String::new(), target };
        let roots = bases.iter().map(|base| base.root).filter(|root| self.store.blobs.contains(root)).map(named);
        for named in roots.chain(self.store.images.iter().cloned()) {
            let missing = |diff_id: &DiffId| needed.contains(diff_id) && !found.contains_key(diff_id);
            if !needed.iter().any(missing) {
                break;
            }
            // What is there in part only, or is no image, is no base.
            let listed = self.store.diff_ids_of(&named, self.scratch).unwrap_or_default();
            if !listed.iter().any(missing) {
                continue;
            }
            let Ok(image) = self.store.read(&named, self.scratch, self.progress) else { continue };
            let layers = image.manifests.into_iter().flat_map(|manifest| manifest.layers);
            for layer in layers.filter(|layer| needed.contains(&layer.diff_id)) {
                found.entry(layer.diff_id).or_insert(layer);
            }
        }
        found.into_values().collect()
    }

    /// Brings an image under its names, and returns those that another image had before, with its digest.
    ///
    /// # Errors
    /// Environment errors of containerd; no name names a part of an image.
    pub fn carry_out(
        &self,
        planned: PlannedStock,
        rebuilt: &BTreeMap<BlobDigest, VerifiedBlob>,
    ) -> Result<Vec<(ImageName, BlobDigest)>> {
        let PlannedStock { mut image, lacking, there } = planned;
        if let Some(there) = there {
            let moved = self.tag(&image, &there)?;
            self.let_go(&self.left());
            return Ok(moved);
        }
        let holding = Holding::of(image.root.digest);
        let (parts, whole) = (holding.parts.as_str(), holding.whole.as_str());
        let blob = |digest: &BlobDigest| Some((*digest, rebuilt.get(digest)?.clone()));
        image.blobs = lacking.keys().filter_map(blob).collect();
        let bring = || {
            self.hold(&image, parts, whole)?;
            self.check(&image, whole)?;
            self.unpack(&image)?;
            self.tag(&image, whole)
        };
        let brought = bring();
        let mut names = vec![parts, whole];
        // What a run that was killed brought may have been of use until now.
        names.extend(brought.iter().flat_map(|_| self.left()));
        self.let_go(&names);
        brought
    }

    /// Names of ours that nobody will remove.
    fn left(&self) -> Vec<&str> {
        self.store.held.iter().map(|held| held.name.as_str()).filter(|name| is_left(name)).collect()
    }

    /// Removes names of ours. They may not be there yet, and what went wrong before matters more.
    fn let_go(&self, names: &[&str]) {
        if names.is_empty() {
            return;
        }
        if let Err(error) = self.store.program.text(&[&["images", "rm"], names].concat()) {
            self.progress.detail(format_args!("{error}"));
        }
    }

    /// Brings all parts under an index of ours that names just the manifests that travel, so that none is collected; then the
    /// root, which may name others too. Containerd holds what it knows to be there when it imports; the rest is told to it.
    fn hold(&self, image: &RebuiltImage, parts: &str, whole: &str) -> Result<()> {
        let manifests = image.manifests.iter().filter_map(|manifest| image.documents.get(&manifest.digest));
        let entry = |document: &Document| {
            Ok(IndexEntry {
                media_type: media_type_of(document, &image.root)?,
                digest: document.digest(),
                size: document.bytes().len() as u64,
                annotations: BTreeMap::new(),
                platform: None,
            })
        };
        let index = Index::of(manifests.map(entry).collect::<Result<_>>()?);
        let index = serde_json::to_vec(&index).map_err(|error| Error::internal(error.to_string()))?;
        let index = Document::new(index);
        let size = index.bytes().len() as u64;
        let root = Root { media_type: OCI_INDEX.to_owned(), digest: index.digest(), size, synthesised: true };
        let mut held = RebuiltImage { names: vec![parts.parse()?], root, layout_index: None, ..image.clone() };
        held.documents.insert(index.digest(), index);
        self.import(&held)?;
        let indexes = indexes(image)?;
        let documents = image.documents.get(&image.root.digest).into_iter().chain(indexes.iter().map(|index| index.0));
        let alone = RebuiltImage {
            names: vec![whole.parse()?],
            documents: documents.map(|document| (document.digest(), document.clone())).collect(),
            manifests: Vec::new(),
            blobs: BTreeMap::new(),
            root: image.root.clone(),
            layout_index: None,
        };
        self.import(&alone)?;
        indexes.iter().try_for_each(|(index, named)| self.label(index.digest(), named))
    }

    fn import(&self, image: &RebuiltImage) -> Result<()> {
        let mut arguments = vec!["images", "import", "--no-unpack"];
        // Of the root alone not all that it names may be there.
        if !image.manifests.is_empty() {
            arguments.push("--all-platforms");
        }
        arguments.push("-");
        let images = std::slice::from_ref(image);
        let said = self
            .store
            .program
            .write_to(&arguments, |stdin| write_archive(images, Naming::Named, self.progress, stdin))?;
        if said.success { Ok(()) } else { Err(self.store.program.refused(&arguments, &said.stderr)) }
    }

    /// Lets a document of the store hold others.
    fn label(&self, digest: BlobDigest, named: &[BlobDigest]) -> Result<()> {
        let labels = named.iter().enumerate().map(|(number, named)| format!("{HOLDS}.{number}={named}"));
        let labels: Vec<String> = labels.collect();
        let digest = digest.to_string();
        let arguments = ["content", "label", &digest].into_iter().chain(labels.iter().map(String::as_str));
        self.store.program.text(&arguments.collect::<Vec<_>>()).map(|_| ())
    }

    /// Looks at what came of it.
    fn check(&self, image: &RebuiltImage, whole: &str) -> Result<()> {
        let named = images(&self.store.program)?.into_iter().find(|named| named.name == whole);
        if named.is_none_or(|named| named.target != image.root.digest) {
            let (label, id) = (self.store.label(), image.root.digest);
            return Err(Error::environment(format!("{label} made another image of {id}")));
        }
        let there = blobs(&self.store.program)?;
        let wanted = image.wanted();
        let lost = image.documents.keys().chain(wanted.keys()).find(|digest| !there.contains(digest));
        lost.map_or(Ok(()), |lost| {
            Err(Error::environment(format!("{} lost the blob {lost} meanwhile", self.store.label()))
                .with_hint("what it had may have been removed in this moment: try again"))
        })
    }

    /// Unpacks it for the platform of this machine. That it is for another, or that the snapshotter is one that `ctr` does not
    /// ask for, is no error: who runs it unpacks it then.
    fn unpack(&self, image: &RebuiltImage) -> Result<()> {
        let arguments = ["snapshots", "unpack", &image.root.digest.to_string()];
        let said = self.store.program.run(&arguments)?;
        if !said.success {
            let error = self.store.program.refused(&arguments, &said.stderr);
            self.progress.inform(format_args!("{} is brought, but not unpacked: {error}", image.label()));
        }
        Ok(())
    }

    fn tag(&self, image: &RebuiltImage, from: &str) -> Result<Vec<(ImageName, BlobDigest)>> {
        let mut moved = Vec::new();
        for name in &image.names {
            let full = name.full();
            match self.store.images.iter().find(|named| named.name == full) {
                Some(named) if named.target == image.root.digest => continue,
                Some(named) => moved.push((name.clone(), named.target)),
                None => {}
            }
            self.store.program.text(&["images", "tag", "--force", from, &full])?;
        }
        Ok(moved)
    }
}

/// Leaves manifests out of which only the document travels: nothing could use them, and nothing would hold their configs.
fn keep_travelling(image: &mut RebuiltImage) {
    let parts = |manifest: &RebuiltManifest| [manifest.digest, manifest.config.into()];
    let whole: BTreeSet<BlobDigest> = image.manifests.iter().flat_map(parts).collect();
    let is_index = |document: &Document| matches!(read_pointers(document), Ok(Pointers::Index(_)));
    image.documents.retain(|digest, document| whole.contains(digest) || is_index(document));
}

/// The indexes of an image, each with what it names and what travels.
fn indexes(image: &RebuiltImage) -> Result<Vec<(&Document, Vec<BlobDigest>)>> {
    let mut found = Vec::new();
    let configs: BTreeSet<BlobDigest> = image.manifests.iter().map(|manifest| manifest.config.into()).collect();
    for document in image.documents.values().filter(|document| !configs.contains(&document.digest())) {
        if let Pointers::Index(entries) = read_pointers(document)? {
            let named = entries.iter().map(|entry| entry.digest).filter(|digest| image.documents.contains_key(digest));
            found.push((document, named.collect()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
