//! What hangs on an image: signatures, bills of materials, provenance, and what hangs on these in turn. By the referrers API (OCI
//! distribution-spec, "Listing Referrers"), by its tag scheme where a registry has none, and by cosign's tags.

use std::collections::BTreeSet;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::Document;
use delta_core::image::documents::{LayoutIndex, OCI_EMPTY, OCI_INDEX, Pointers, read_about, read_pointers};
use delta_core::limits;
use serde_json::{Value, json};
use ureq::http::header::{ACCEPT, LINK};

use super::access::Repository;
use super::authorization::encoded;
use super::connection::Call;
use super::manifests::FetchedManifest;
use super::origin::resolve;
use super::packages::ARTIFACT_TYPE;

/// What cosign puts behind the digest in its tags.
const COSIGN: [&str; 3] = ["sig", "att", "sbom"];

/// Referrers of one repository that are looked at.
const MOST: usize = 1_024;

/// Pages of one list.
const PAGES: usize = 64;

/// How often a list is written that others write at the same time.
const LISTINGS: usize = 8;

/// By which a registry says that it lists a manifest itself.
const LISTED: &str = "oci-subject";

/// What a list says of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    digest: BlobDigest,
    /// What it is, where that is said.
    artifact_type: Option<String>,
}

/// Something that hangs on an image.
pub(super) struct Companion {
    /// The manifest or index.
    pub(super) found: FetchedManifest,
    /// The tags by which it is found.
    pub(super) tags: Vec<String>,
}

impl Repository {
    /// Everything that hangs on these manifests and indexes, directly or not, but for packages: these are ways to an image, and
    /// no part of it.
    pub(super) fn companions(&self, about: impl IntoIterator<Item = BlobDigest>) -> Result<Vec<Companion>> {
        let mut open: Vec<BlobDigest> = about.into_iter().collect();
        let mut known: BTreeSet<BlobDigest> = open.iter().copied().collect();
        let mut companions: Vec<Companion> = Vec::new();
        while let Some(subject) = open.pop() {
            for found in self.hanging_on(subject)? {
                let digest = found.found.document.digest();
                if let Some(twin) = companions.iter_mut().find(|known| known.found.document.digest() == digest) {
                    twin.tags.extend(found.tags);
                    continue;
                }
                if known.insert(digest) {
                    open.push(digest);
                    companions.push(found);
                }
            }
            if companions.len() > MOST {
                return Err(self.too_many());
            }
        }
        Ok(companions)
    }

    fn hanging_on(&self, subject: BlobDigest) -> Result<Vec<Companion>> {
        let mut all = Vec::new();
        let is_package = |artifact_type: Option<&str>| artifact_type == Some(ARTIFACT_TYPE);
        let mut listed = self.referrers(subject, None)?;
        listed.retain(|listed| !is_package(listed.artifact_type.as_deref()));
        // Whoever writes a list does not decide how often the registry is asked.
        if listed.len() > MOST {
            return Err(self.too_many());
        }
        for Listed { digest, .. } in listed {
            // A list may name what was removed since, and need not say what it is.
            let found = self.manifest(&digest.to_string())?;
            let found = found.filter(|found| !is_package(read_about(&found.document).artifact_type.as_deref()));
            all.extend(found.map(|found| Companion { found, tags: Vec::new() }));
        }
        for ending in COSIGN {
            let tag = format!("{}.{ending}", tag_of(subject));
            all.extend(self.manifest(&tag)?.map(|found| Companion { found, tags: vec![tag] }));
        }
        Ok(all)
    }

    fn too_many(&self) -> Error {
        Error::content(format!("more than {MOST} signatures and the like hang on an image of {}", self.label()))
            .with_hint("leave them with --no-referrers")
    }

    /// The packages that make an image, and what does not say what it is.
    pub(super) fn listed_packages(&self, image: BlobDigest) -> Result<Vec<BlobDigest>> {
        let listed = self.referrers(image, Some(ARTIFACT_TYPE))?;
        // Some registries say the type of the config, as drafts of the standard had it.
        let may_be = |listed: &&Listed| {
            listed.artifact_type.as_deref().is_none_or(|said| said == ARTIFACT_TYPE || said == OCI_EMPTY)
        };
        let packages: Vec<BlobDigest> = listed.iter().filter(may_be).map(|listed| listed.digest).collect();
        match packages.len() {
            0..=MOST => Ok(packages),
            more => Err(Error::content(format!(
                "{more} packages hang on {} of {}, where at most {MOST} are looked at",
                image.short(),
                self.label()
            ))
            .with_hint("name one by its digest: docker://REGISTRY/NAME@sha256:DIGEST")),
        }
    }

    /// The manifests that name `subject`; with a type, registries may leave out others.
    fn referrers(&self, subject: BlobDigest, artifact_type: Option<&str>) -> Result<Vec<Listed>> {
        if let Some(listed) = self.listed_by_registry(subject, artifact_type)? {
            return Ok(listed);
        }
        match self.manifest(&tag_of(subject))? {
            Some(found) => listed(&found.document),
            None => Ok(Vec::new()),
        }
    }

    /// What the registry itself lists; nothing where it does not.
    fn listed_by_registry(&self, subject: BlobDigest, artifact_type: Option<&str>) -> Result<Option<Vec<Listed>>> {
        let filter = artifact_type.map(|kind| format!("?artifactType={}", encoded(kind))).unwrap_or_default();
        let mut url = self.url(&format!("referrers/{subject}{filter}"))?;
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let doing = format!("asking for what hangs on {} of {}", subject.short(), self.label());
            let mut call = Call::get(url.clone(), &self.name, self.pull(), doing.clone());
            call.headers.push((ACCEPT, OCI_INDEX.to_owned()));
            let Ok(answer) = self.connection.send(&call) else { return Ok(None) };
            if answer.status() != 200 {
                return Ok(None);
            }
            let next = answer.header(LINK).and_then(next_page).and_then(|next| resolve(&url, &next));
            let page = Document::new(answer.bytes(limits::DOCUMENT_BYTES, &doing)?);
            // Some answer every path with a page for people.
            let Ok(found) = listed(&page) else { return Ok(None) };
            all.extend(found);
            match next {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(Some(all))
    }

    /// Writes a manifest that names a subject, and lists it under the subject's tag where the registry does not list it itself.
    pub(super) fn put_referrer(&self, document: &Document, media_type: &str) -> Result<()> {
        let answer = self.put_manifest(&document.digest().to_string(), document, media_type)?;
        let about = read_about(document);
        let Some(subject) = about.subject.filter(|_| answer.header(LISTED).is_none()) else { return Ok(()) };
        self.list(subject, document, media_type, about.artifact_type.as_deref())
    }

    /// Lists a manifest under the subject's tag. Nothing tells two writers of a list apart, so it is looked at again: who wrote last
    /// may have read before us.
    fn list(
        &self,
        subject: BlobDigest,
        document: &Document,
        media_type: &str,
        artifact_type: Option<&str>,
    ) -> Result<()> {
        let tag = tag_of(subject);
        for _ in 0..LISTINGS {
            let mut index = match self.manifest(&tag)? {
                Some(found) => serde_json::from_slice(found.document.bytes())
                    .map_err(|error| Error::content(format!("{tag} of {} cannot be read: {error}", self.label())))?,
                None => json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}),
            };
            if !add(&mut index, document, media_type, artifact_type)
                .map_err(|error| error.within(&format!("{tag} of {}", self.label())))?
            {
                return Ok(());
            }
            self.put_manifest(&tag, &Document::new(index.to_string().into_bytes()), OCI_INDEX)?;
        }
        Err(Error::environment(format!("others write {tag} of {} again and again at the same time", self.label()))
            .with_hint("everything else is there: try again"))
    }
}

/// Adds a manifest to a list; false if it is there. What others wrote stays as it is.
fn add(index: &mut Value, document: &Document, media_type: &str, artifact_type: Option<&str>) -> Result<bool> {
    let digest = document.digest().to_string();
    let Some(listed) = index.get_mut("manifests").and_then(Value::as_array_mut) else {
        return Err(Error::content("what stands under the tag for what hangs on an image is no index")
            .with_hint("see what wrote it, and remove it"));
    };
    if listed.iter().any(|entry| entry["digest"] == digest.as_str()) {
        return Ok(false);
    }
    let mut entry = json!({"mediaType": media_type, "digest": digest, "size": document.bytes().len()});
    if let Some(artifact_type) = artifact_type {
        entry["artifactType"] = artifact_type.into();
    }
    let manifest: Value = serde_json::from_slice(document.bytes()).unwrap_or_default();
    if manifest["annotations"].is_object() {
        entry["annotations"] = manifest["annotations"].clone();
    }
    listed.push(entry);
    Ok(true)
}

fn listed(index: &Document) -> Result<Vec<Listed>> {
    if let Pointers::Manifest { .. } = read_pointers(index)? {
        return Err(Error::content("a list of referrers is no index"));
    }
    let entries = LayoutIndex::read(index)?.entries.into_iter();
    let listed = entries.filter_map(|entry| Some(Listed { digest: entry.digest?, artifact_type: entry.artifact_type }));
    Ok(listed.collect())
}

/// The tag under which a registry without the API has a list (OCI distribution-spec, "Referrers Tag Schema").
fn tag_of(subject: BlobDigest) -> String {
    format!("sha256-{}", subject.hex())
}

/// The next page in `Link` (RFC 8288).
fn next_page(link: &str) -> Option<String> {
    let (url, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.replace([' ', '"'], "").contains("rel=next").then(|| url.to_owned())
}

#[cfg(test)]
mod tests;
