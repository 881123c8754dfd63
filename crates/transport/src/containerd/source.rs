//! Images out of containerd: documents are read at once, layers when they are wanted.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{Pointer, read_config};
use delta_core::image::{Document, Image, Root};
use delta_core::job::progress::{Counted, Progress, Task};
use delta_core::limits;

use super::inventory::{Named, Store};
use super::{Containerd, PREFIX};
use crate::file_system;
use crate::late::{Fetch, LateBlob, require_size};
use crate::program::Program;
use crate::reach::{NamedParts, Parts, Reached};
use crate::spool::TempScratch;
use crate::walk::{Shelf, Walk};

impl Containerd {
    /// Opens the image that a user named, `[NAMESPACE/]NAME`.
    ///
    /// # Errors
    /// Environment errors when there is no such image or not all of it; they say where else it is.
    pub fn open(&self, text: &str, scratch: &Arc<TempScratch>, progress: &dyn Progress) -> Result<Image> {
        let (store, name) = self.store(text)?;
        let name = name.ok_or_else(|| {
            Error::usage(format!("expected the name of an image, found a namespace `{PREFIX}{text}`"))
                .with_hint(format!("for example {PREFIX}k8s.io/docker.io/library/app:v1"))
        })?;
        let found = store.find(name).ok_or_else(|| self.unknown(&store, name))?;
        let mut image = store.read(found, scratch, progress)?;
        // What was asked for is what shall travel, as short as it was typed; a digest is no name.
        image.names = name.parse().or_else(|_| found.name.parse()).into_iter().collect();
        Ok(image)
    }

    fn unknown(&self, store: &Store, name: &str) -> Error {
        let error = Error::environment(format!("{} has no image `{name}`", store.label()));
        let (elsewhere, near) = (self.everywhere(name), store.near(name));
        error.with_hint(match (elsewhere.as_slice(), near.as_slice()) {
            ([], []) => format!("there are the namespaces {}: {PREFIX}NAMESPACE/NAME", self.namespaces().join(", ")),
            ([], near) => format!("did you mean {}?", near.join(" or ")),
            (elsewhere, _) => format!("it is in another namespace: {}", elsewhere.join(" or ")),
        })
    }
}

impl Store {
    /// Reads the documents of an image.
    pub(super) fn read(&self, named: &Named, scratch: &Arc<TempScratch>, progress: &dyn Progress) -> Result<Image> {
        let place = format!("{} of {}", named.name, self.label());
        let shelf = StoreShelf { store: self, scratch, name: &named.name };
        let read = || {
            let document = shelf.document(named.target)?;
            let document = document.ok_or_else(|| shelf.incomplete(&format!("{} is missing", named.target)))?;
            let root = Root::of(&document, named.media_type.clone());
            let (reached, foreign) = Walk::from(document, &shelf, progress)?;
            if let (Some(layer), true) = (foreign, reached.manifests.is_empty()) {
                return Err(shelf.incomplete(&format!("the layer {layer} is to be had from its URLs alone")));
            }
            Ok(reached.into_image(root))
        };
        read().map_err(|error: Error| error.within(&place))
    }
}

impl Store {
    /// The layers of every image of which all is there.
    pub fn diff_ids(&self, scratch: &Arc<TempScratch>) -> BTreeSet<DiffId> {
        // What is there in part only, or is no image, has no layers that could be used.
        self.images.iter().flat_map(|named| self.diff_ids_of(named, scratch).unwrap_or_default()).collect()
    }

    /// The layers of an image, without a look at them.
    pub(super) fn diff_ids_of(&self, named: &Named, scratch: &Arc<TempScratch>) -> Result<BTreeSet<DiffId>> {
        let shelf = StoreShelf { store: self, scratch, name: &named.name };
        let Some(root) = shelf.document(named.target)? else { return Ok(BTreeSet::new()) };
        let mut listed = Listed { shelf, diff_ids: BTreeSet::new() };
        Reached::from(root, &mut listed)?;
        Ok(listed.diff_ids)
    }
}

/// A walk that reads configs only.
struct Listed<'a> {
    shelf: StoreShelf<'a>,
    diff_ids: BTreeSet<DiffId>,
}

impl Parts for Listed<'_> {
    fn document(&self, digest: BlobDigest) -> Result<Option<Document>> {
        self.shelf.document(digest)
    }

    fn manifest(&mut self, named: &NamedParts<'_>, _: &mut Reached) -> Result<bool> {
        let is_whole = named.layers.iter().all(|layer| self.shelf.store.blobs.contains(&layer.digest));
        let config = if is_whole { self.shelf.document(named.config.digest)? } else { None };
        let read = config.and_then(|config| read_config(&config).ok());
        self.diff_ids.extend(read.into_iter().flat_map(|config| config.diff_ids));
        Ok(is_whole)
    }
}

/// A store while one of its images is read.
struct StoreShelf<'a> {
    store: &'a Store,
    scratch: &'a Arc<TempScratch>,
    /// The image's.
    name: &'a str,
}

impl Shelf for StoreShelf<'_> {
    fn find(&self, blob: &Pointer) -> Result<Option<Arc<dyn ReadAt>>> {
        let Pointer { digest, size, .. } = *blob;
        require_size(digest, size)?;
        let stored = || {
            let from = StoreBlob {
                program: self.store.program.clone(),
                progress: self.store.progress.clone(),
                digest,
                size,
                scratch: self.scratch.clone(),
            };
            Arc::new(LateBlob::new(from, size)) as Arc<dyn ReadAt>
        };
        Ok(self.store.blobs.contains(&digest).then(stored))
    }

    fn document(&self, digest: BlobDigest) -> Result<Option<Document>> {
        if !self.store.blobs.contains(&digest) {
            return Ok(None);
        }
        let most = limits::DOCUMENT_BYTES;
        let bytes = self.store.program.read_from(&["content", "get", &digest.to_string()], |stdout| {
            let mut bytes = Vec::new();
            stdout.take(most + 1).read_to_end(&mut bytes).map_err(Error::io(format!("reading {digest}")))?;
            match bytes.len() as u64 > most {
                true => Err(Error::content(format!("the document {digest} has more than {most} bytes"))),
                false => Ok(bytes),
            }
        })?;
        let document = Document::new(bytes);
        if document.digest() != digest {
            let (expected, found) = (digest.to_string(), document.digest().to_string());
            return Err(Error::Mismatch { what: "a document".to_owned(), expected, found });
        }
        Ok(Some(document))
    }

    fn scratch(&self) -> &Arc<TempScratch> {
        self.scratch
    }

    fn incomplete(&self, what: &str) -> Error {
        Error::environment(format!("not all of it is there: {what}")).with_hint(format!(
            "pull it again with `{}`; where containerd discards layers that are unpacked (`discard_unpacked_layers` in its \
             config.toml), turn that off before",
            self.store.program.shown(&["images", "pull", self.name])
        ))
    }
}

/// A blob of a store.
struct StoreBlob {
    program: Program,
    progress: Arc<dyn Progress>,
    digest: BlobDigest,
    size: u64,
    scratch: Arc<TempScratch>,
}

impl Fetch for StoreBlob {
    fn first_bytes(&self, buffer: &mut [u8]) -> Result<usize> {
        self.program.first_bytes(&["content", "get", &self.digest.to_string()], buffer)
    }

    fn all(&self) -> Result<Arc<dyn ReadAt>> {
        file_system::require(self.scratch.folder(), self.size, &format!("the blob {}", self.digest.short()))?;
        let task = self.progress.begin(&format!("Reading {} from containerd", self.digest.short()), Some(self.size));
        let bytes = read_blob(&self.program, self.digest, &self.scratch, task.as_ref())?;
        if bytes.len() != self.size {
            let (expected, found) = (format!("{} bytes, as its manifest says", self.size), bytes.len().to_string());
            return Err(Error::Mismatch { what: format!("the blob {}", self.digest), expected, found });
        }
        Ok(bytes)
    }
}

fn read_blob(program: &Program, digest: BlobDigest, scratch: &TempScratch, task: &dyn Task) -> Result<Arc<dyn ReadAt>> {
    let doing = format!("reading the blob {} from containerd", digest.short());
    program.read_from(&["content", "get", &digest.to_string()], |stdout| {
        scratch.spool(&mut Counted::new(stdout, task), &doing)
    })
}

#[cfg(test)]
mod tests;
