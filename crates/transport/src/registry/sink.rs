//! Registries as the place where rebuilt images go: what is there is not sent, blobs go before manifests, and tags go last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use delta_codec::ReadAt;
use delta_core::apply::Wanted;
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{Pointer, Pointers, read_about, read_pointers};
use delta_core::image::{Document, Image, Layer, ManifestKind, RebuiltImage, VerifiedBlob};
use delta_core::job::progress::Progress;
use delta_core::package::metadata::BaseEntry;
use serde::Serialize;

use super::access::{Referrers, Registries, Repository};
use super::address::Address;
use super::crew::in_parallel;
use super::remote;
use crate::reach::media_type_of;
use crate::spool::TempScratch;

/// The tag of what has none.
const LATEST: &str = "latest";

/// The repositories of a run that images are written into.
pub struct Shipping<'a> {
    registries: &'a Registries,
    scratch: &'a Arc<TempScratch>,
    progress: &'a dyn Progress,
    /// Other places of the same registries that may have blobs.
    beside: Vec<Repository>,
    /// Where blobs were put, for other repositories of the registry.
    put: Mutex<BTreeMap<(String, BlobDigest), Repository>>,
}

/// An image that can go to a registry, as far as that can be known before anything is written.
pub struct PlannedShipment {
    image: RebuiltImage,
    repository: Repository,
    /// Where it goes, and under which tags.
    to: Address,
    tags: Vec<String>,
    /// Blobs that another repository of the registry has.
    beside: BTreeMap<BlobDigest, (Repository, u64)>,
    lacking: Wanted,
    is_there: bool,
    present: usize,
}

/// What was done for an image.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Shipped {
    /// Blobs that were there.
    pub present: usize,
    /// Blobs that were taken over from another repository.
    pub mounted: usize,
    /// Blobs that were sent.
    pub sent: usize,
    /// Their bytes.
    pub sent_bytes: u64,
}

impl PlannedShipment {
    /// The image, still without blobs.
    pub const fn image(&self) -> &RebuiltImage {
        &self.image
    }

    /// The names that it gets.
    pub fn names(&self) -> Vec<String> {
        let name = |tag: &String| self.to.with_tag(tag).to_string();
        if self.tags.is_empty() {
            vec![self.to.with_digest(self.image.root.digest).to_string()]
        } else {
            self.tags.iter().map(name).collect()
        }
    }

    /// The blobs that must be made for it.
    pub const fn lacking(&self) -> &Wanted {
        &self.lacking
    }

    /// Whether the repository has all of it, which then only gets its tags.
    pub const fn is_there(&self) -> bool {
        self.is_there
    }
}

impl<'a> Shipping<'a> {
    /// Into nothing yet; `beside` are addresses that may have some of the blobs.
    ///
    /// # Errors
    /// Environment errors when a registry cannot be spoken with.
    pub fn new(
        registries: &'a Registries,
        beside: &[Address],
        scratch: &'a Arc<TempScratch>,
        progress: &'a dyn Progress,
    ) -> Result<Self> {
        let beside = beside.iter().map(|address| registries.repository(address)).collect::<Result<_>>()?;
        Ok(Self { registries, scratch, progress, beside, put: Mutex::default() })
    }

    /// Finds out what a repository lacks of an image; with `anew`, manifests that are there are written again.
    ///
    /// # Errors
    /// Environment errors of the registry.
    pub fn plan(&self, image: RebuiltImage, to: &Address, anew: bool) -> Result<PlannedShipment> {
        let repository = self.registries.repository(to)?;
        let tags = tags(&image, to);
        let wanted = image.wanted();
        let mut planned = PlannedShipment {
            present: wanted.len(),
            repository: repository.clone(),
            to: to.clone(),
            tags,
            beside: BTreeMap::new(),
            lacking: Wanted::new(),
            is_there: !anew && repository.has_manifest(image.root.digest)?,
            image,
        };
        if planned.is_there {
            return Ok(planned);
        }
        let digests: Vec<BlobDigest> = wanted.keys().copied().collect();
        let found = in_parallel(&digests, |digest| self.find(&repository, *digest))?;
        for ((digest, diff_id), place) in wanted.into_iter().zip(found) {
            match place {
                Place::Here => continue,
                Place::Beside(other, size) => {
                    planned.beside.insert(digest, (other, size));
                }
                Place::Nowhere => {
                    planned.lacking.insert(digest, diff_id);
                }
            }
            planned.present -= 1;
        }
        Ok(planned)
    }

    fn find(&self, repository: &Repository, digest: BlobDigest) -> Result<Place> {
        if repository.blob_size(digest)?.is_some() {
            return Ok(Place::Here);
        }
        for other in self.beside.iter().filter(|other| repository.is_beside(other)) {
            if let Some(size) = other.blob_size(digest)? {
                return Ok(Place::Beside(other.clone(), size));
            }
        }
        Ok(Place::Nowhere)
    }

    /// The layers of bases that the repositories of `plans` have, by the blobs that the package names, else in the images that
    /// stand there under the names and digests of its bases.
    ///
    /// # Errors
    /// Environment errors of a registry.
    pub fn base_layers(
        &self,
        plans: &[PlannedShipment],
        bases: &[BaseEntry],
        needed: &BTreeSet<DiffId>,
    ) -> Result<Vec<Layer>> {
        let mut places: Vec<&Repository> = Vec::new();
        for place in plans.iter().map(|plan| &plan.repository).chain(&self.beside) {
            if !places.iter().any(|known| known.label() == place.label()) {
                places.push(place);
            }
        }
        let mut found: Vec<Layer> = Vec::new();
        for diff_id in needed {
            let blobs: BTreeSet<BlobDigest> = bases
                .iter()
                .flat_map(|base| &base.layers)
                .filter(|layer| layer.diff_id == *diff_id)
                .map(|layer| layer.blob)
                .collect();
            for (place, blob) in places.iter().flat_map(|place| blobs.iter().map(move |blob| (*place, *blob))) {
                if let Some(size) = place.blob_size(blob)? {
                    found.push(remote::layer(place, blob, size, Some(*diff_id), self.scratch)?);
                    break;
                }
            }
        }
        let absent =
            |found: &[Layer]| needed.iter().any(|diff_id| !found.iter().any(|layer| layer.diff_id == *diff_id));
        if absent(&found) {
            for address in self.addresses_of_bases(plans, bases) {
                // What is not there, or is no image, is no base.
                let Ok(images) = self.registries.open(&address, Referrers::Left, self.scratch) else { continue };
                found.extend(images.iter().flat_map(layers).filter(|layer| needed.contains(&layer.diff_id)));
                if !absent(&found) {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Where a base may stand that has its layers in another compression than the package's maker saw.
    fn addresses_of_bases(&self, plans: &[PlannedShipment], bases: &[BaseEntry]) -> Vec<Address> {
        let of_base = |plan: &PlannedShipment, base: &BaseEntry| {
            let by_tag = base.names.iter().map(|name| plan.to.with_tag(name.tag()));
            [plan.to.with_digest(base.root)].into_iter().chain(by_tag).collect::<Vec<_>>()
        };
        let of_plan = |plan: &PlannedShipment| {
            let current = plan.tags.iter().map(|tag| plan.to.with_tag(tag)).collect::<Vec<_>>();
            bases.iter().flat_map(|base| of_base(plan, base)).chain(current).collect::<Vec<_>>()
        };
        plans.iter().flat_map(of_plan).collect()
    }

    /// Writes an image: blobs, manifests, and the tags when all of it is there.
    ///
    /// # Errors
    /// Environment errors of the registry; no tag names a part of an image.
    pub fn carry_out(
        &self,
        planned: &PlannedShipment,
        rebuilt: &BTreeMap<BlobDigest, VerifiedBlob>,
    ) -> Result<Shipped> {
        let PlannedShipment { image, repository, tags, .. } = planned;
        let root =
            image.documents.get(&image.root.digest).ok_or_else(|| Error::content("an image without a manifest"))?;
        let mut shipped = Shipped { present: planned.present, ..Shipped::default() };
        let mut named = root;
        if !planned.is_there {
            self.put_blobs(planned, rebuilt, &mut shipped)?;
            self.put_configs(planned)?;
            for document in in_order(image)? {
                let media_type = media_type_of(document, &image.root)?;
                let put = repository.put_manifest(&document.digest().to_string(), document, &media_type);
                match put {
                    Err(error) if document.digest() == root.digest() => named = self.instead_of(image, root, error)?,
                    put => drop(put?),
                }
            }
        }
        let media_type = media_type_of(named, &image.root)?;
        if read_about(root).subject.is_some() {
            repository.put_referrer(root, &media_type)?;
        }
        for tag in tags {
            repository.put_manifest(tag, named, &media_type)?;
        }
        Ok(shipped)
    }

    /// What gets the tags where a registry takes no index of which manifests are missing: the only manifest that is there.
    fn instead_of<'b>(&self, image: &'b RebuiltImage, root: &Document, error: Error) -> Result<&'b Document> {
        let is_whole = |entries: &[Pointer]| entries.iter().all(|entry| image.documents.contains_key(&entry.digest));
        let Pointers::Index(entries) = read_pointers(root)? else { return Err(error) };
        if is_whole(&entries) && entries.len() == image.manifests.len() {
            return Err(error);
        }
        let images = images(image);
        let [only] = images.as_slice() else {
            return Err(error.with_hint(
                "the index names platforms that the package does not bring; choose one that it brings with --platform",
            ));
        };
        self.progress.inform(format_args!(
            "the registry takes no index of which only a part is there, so the tag names the manifest {} alone; signatures of the \
             index do not cover it",
            only.digest()
        ));
        Ok(only)
    }

    fn put_blobs(
        &self,
        planned: &PlannedShipment,
        rebuilt: &BTreeMap<BlobDigest, VerifiedBlob>,
        shipped: &mut Shipped,
    ) -> Result<()> {
        let wanted: Vec<BlobDigest> = planned.lacking.keys().chain(planned.beside.keys()).copied().collect();
        for put in in_parallel(&wanted, |digest| self.put_blob(planned, rebuilt, *digest))? {
            match put {
                Some(bytes) => {
                    shipped.sent += 1;
                    shipped.sent_bytes += bytes;
                }
                None => shipped.mounted += 1,
            }
        }
        Ok(())
    }

    /// Takes a blob over from beside, else sends it and returns its size.
    fn put_blob(
        &self,
        planned: &PlannedShipment,
        rebuilt: &BTreeMap<BlobDigest, VerifiedBlob>,
        digest: BlobDigest,
    ) -> Result<Option<u64>> {
        let repository = &planned.repository;
        let key = (repository.connection.registry().to_owned(), digest);
        let known = self.put.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let beside = planned.beside.get(&digest);
        if let Some(from) = known.as_ref().or(beside.map(|(from, _)| from))
            && (repository.label() == from.label() || repository.mount(digest, from)?)
        {
            return Ok(None);
        }
        let bytes: Arc<dyn ReadAt> = match (rebuilt.get(&digest), beside) {
            (Some(blob), _) => blob.bytes().clone(),
            // Fetched first: no registry waits within a request for what another one gives.
            (None, Some((from, size))) => from.blob(digest, *size, self.scratch)?,
            (None, None) => return Err(Error::internal(format!("the blob {digest} was not rebuilt"))),
        };
        repository.upload(digest, &bytes)?;
        self.put.lock().unwrap_or_else(PoisonError::into_inner).insert(key, repository.clone());
        Ok(Some(bytes.len()))
    }

    fn put_configs(&self, planned: &PlannedShipment) -> Result<()> {
        let configs: BTreeSet<BlobDigest> =
            planned.image.manifests.iter().map(|manifest| manifest.config.into()).collect();
        let documents: Vec<&Document> =
            configs.iter().filter_map(|digest| planned.image.documents.get(digest)).collect();
        in_parallel(&documents, |document| {
            if planned.repository.blob_size(document.digest())?.is_some() {
                return Ok(());
            }
            let bytes: Arc<dyn ReadAt> = Arc::new(document.bytes().to_vec());
            planned.repository.upload(document.digest(), &bytes)
        })?;
        Ok(())
    }
}

enum Place {
    Here,
    Beside(Repository, u64),
    Nowhere,
}

/// The tag that was asked for, else those that the image had.
fn tags(image: &RebuiltImage, to: &Address) -> Vec<String> {
    if let Some(tag) = to.tag() {
        return vec![tag.to_owned()];
    }
    let tags: BTreeSet<String> = image.names.iter().map(|name| name.tag().to_owned()).collect();
    let is_image = image.manifests.iter().any(|manifest| manifest.kind == ManifestKind::Image);
    if tags.is_empty() && is_image { vec![LATEST.to_owned()] } else { tags.into_iter().collect() }
}

fn layers(image: &Image) -> impl Iterator<Item = Layer> + '_ {
    image.manifests.iter().flat_map(|manifest| &manifest.layers).cloned()
}

/// The manifests of images that are there wholly.
fn images(image: &RebuiltImage) -> Vec<&Document> {
    let images = image.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Image);
    images.filter_map(|manifest| image.documents.get(&manifest.digest)).collect()
}

/// Manifests and indexes, each behind what it names, without those of which only the document travels.
fn in_order(image: &RebuiltImage) -> Result<Vec<&Document>> {
    let whole: BTreeSet<BlobDigest> = image.manifests.iter().map(|manifest| manifest.digest).collect();
    let mut ordered = Vec::new();
    visit(image, image.root.digest, &whole, &mut ordered)?;
    Ok(ordered)
}

fn visit<'a>(
    image: &'a RebuiltImage,
    digest: BlobDigest,
    whole: &BTreeSet<BlobDigest>,
    ordered: &mut Vec<&'a Document>,
) -> Result<()> {
    let Some(document) = image.documents.get(&digest) else { return Ok(()) };
    if ordered.iter().any(|known| known.digest() == digest) {
        return Ok(());
    }
    match read_pointers(document)? {
        Pointers::Index(entries) => {
            for entry in entries {
                visit(image, entry.digest, whole, ordered)?;
            }
        }
        Pointers::Manifest { .. } if !whole.contains(&digest) => return Ok(()),
        Pointers::Manifest { .. } => {}
    }
    ordered.push(document);
    Ok(())
}

#[cfg(test)]
mod tests;
