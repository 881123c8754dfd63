//! Packages that a registry keeps as artifacts (FORMAT.md, section 15): found by the image that they make.

mod label;
mod push;

use std::collections::BTreeSet;
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{Pointers, read_about, read_pointers};
use delta_core::image::{Document, Image, ImageName, Platform};
use delta_envelope::limits::KEY_FILE_BYTES;

pub(super) use self::label::ARTIFACT_TYPE;
use self::label::{PackageLabel, SignatureBlob};
pub use self::push::{PackageFile, PlannedPush, PushOutcome};
use super::access::{Referrers, Registries, Repository};
use super::address::Address;
use super::crew::in_parallel;
use crate::spool::TempScratch;

/// Bases of packages that are looked for in a registry by their digests, and as many by their tags: whoever writes a manifest does
/// not decide how often another registry is asked.
const MOST_BASES: usize = 64;

/// Platforms of an image whose manifests are looked at; the official images have about ten.
const MOST_PLATFORMS: usize = 64;

/// A package that a registry keeps, as its manifest describes it.
#[derive(Clone, Debug)]
pub struct StoredPackage {
    manifest: BlobDigest,
    label: PackageLabel,
}

/// What a registry has for somebody who asks for an image or a package.
#[derive(Clone, Debug)]
pub struct Offer {
    repository: Repository,
    /// The image that was asked for: none for a package that makes several.
    pub target: Option<BlobDigest>,
    /// Its manifest or index, where the registry has it.
    document: Option<Document>,
    /// The packages, the smallest first.
    pub packages: Vec<StoredPackage>,
    /// Manifests that say that they are packages and cannot be read, with why.
    pub odd: Vec<String>,
}

/// What is there already.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Layers.
    pub layers: BTreeSet<DiffId>,
    /// Images, by the digests of their manifests and indexes. An engine has layers of these that it does not list.
    pub images: BTreeSet<BlobDigest>,
}

impl StoredPackage {
    /// The digest of its manifest.
    pub const fn digest(&self) -> BlobDigest {
        self.manifest
    }

    /// The size of the package in bytes.
    pub const fn size(&self) -> u64 {
        self.label.size
    }

    /// The name of its file.
    pub fn file(&self) -> &str {
        &self.label.file
    }

    /// Whether a signature lies beside it.
    pub const fn has_signature(&self) -> bool {
        self.label.signature.is_some()
    }

    /// The names of the images that it was made against.
    pub fn bases(&self) -> &[String] {
        &self.label.bases
    }

    /// The names of what it makes, as far as they are names.
    pub fn images(&self) -> Vec<ImageName> {
        self.label.images.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// Whether all that it needs is there, and all these platforms in it.
    pub fn fits(&self, held: &Held, platforms: &[Platform]) -> bool {
        self.label.brings(platforms)
            && (self.label.is_made_against(&held.images)
                || self.label.fits(&held.layers.iter().map(label::mark).collect()))
    }
}

impl Registries {
    /// The packages that make an image of a registry. What is asked for is the image; or a package of it by its tag, beside
    /// which others are found too; or one package alone by its digest.
    ///
    /// # Errors
    /// Environment errors of the registry, content errors when it gives other bytes than it should.
    pub fn packages(&self, address: &Address) -> Result<Offer> {
        let repository = self.repository(address)?;
        let found = repository.required_manifest(&address.reference())?.document;
        let about = read_about(&found);
        if about.artifact_type.as_deref() != Some(ARTIFACT_TYPE) {
            let mut offer = repository.offered(found.digest(), None)?;
            offer.document = Some(found);
            return Ok(offer);
        }
        match about.subject.filter(|_| address.digest().is_none()) {
            Some(subject) => repository.offered(subject, Some(found)),
            None => {
                let stored = StoredPackage { manifest: found.digest(), label: PackageLabel::read(&found)? };
                let target = about.subject;
                Ok(Offer { repository, target, document: None, packages: vec![stored], odd: Vec::new() })
            }
        }
    }

    /// Fetches a package; a download that broke off goes on.
    ///
    /// # Errors
    /// Environment errors when the registry does not give it, content errors when it gives something else.
    pub fn fetch_package(
        &self,
        offer: &Offer,
        package: &StoredPackage,
        scratch: &TempScratch,
    ) -> Result<Arc<dyn ReadAt>> {
        offer.repository.blob(package.label.package, package.label.size, scratch)
    }

    /// Fetches the signature beside a package, if there is one.
    ///
    /// # Errors
    /// Environment errors when the registry does not give it, content errors when it gives something else.
    pub fn fetch_signature(&self, offer: &Offer, package: &StoredPackage) -> Result<Option<Vec<u8>>> {
        let Some(SignatureBlob { digest, size }) = package.label.signature else { return Ok(None) };
        let label = format!("the signature {} of {}", digest.short(), offer.repository.label());
        if size > KEY_FILE_BYTES {
            return Err(Error::content(format!("{label} has {size} bytes, where at most {KEY_FILE_BYTES} are read")));
        }
        let text = offer.repository.small_blob(digest, size)?;
        let text = text.ok_or_else(|| Error::environment(format!("{label} is not there")))?;
        match BlobDigest::of(&text) {
            found if found == digest => Ok(Some(text)),
            found => Err(Error::Mismatch { what: label, expected: digest.to_string(), found: found.to_string() }),
        }
    }

    /// The images under the digests and tags of the bases of these packages that are in the repository of an address: documents
    /// alone are read.
    pub fn base_images(&self, offer: &Offer, at: &Address, scratch: &Arc<TempScratch>) -> Vec<Image> {
        let labels = offer.packages.iter().map(|package| &package.label);
        let by_digest = labels.clone().flat_map(|label| &label.base_manifests).map(|digest| at.with_digest(*digest));
        let tag = |name: &String| Some(name.parse::<ImageName>().ok()?.tag().to_owned());
        let tags: BTreeSet<String> =
            labels.flat_map(|label| &label.bases).filter(|name| !name.contains("sha256:")).filter_map(tag).collect();
        let by_tag = tags.iter().map(|tag| at.with_tag(tag));
        let addresses = by_digest.take(MOST_BASES).chain(by_tag.take(MOST_BASES));
        let mut images: Vec<Image> = Vec::new();
        for address in addresses {
            if images.iter().any(|image| Some(image.root.digest) == address.digest()) {
                continue;
            }
            // What is not there, or is no image, is no base.
            images.extend(self.open(&address, Referrers::Left, scratch).unwrap_or_default());
        }
        images
    }

    /// The configs of the image of all platforms, where the registry has it: by one of them engines may know it.
    ///
    /// # Errors
    /// Environment errors of the registry, content errors when it gives other bytes than it should.
    pub fn configs(&self, offer: &Offer) -> Result<Vec<BlobDigest>> {
        let Some(document) = &offer.document else { return Ok(Vec::new()) };
        let entries = match read_pointers(document)? {
            Pointers::Manifest { config, .. } => return Ok(vec![config.digest]),
            Pointers::Index(entries) => entries,
        };
        let images: Vec<BlobDigest> = entries
            .iter()
            .filter(|entry| !entry.is_attestation)
            .map(|entry| entry.digest)
            .take(MOST_PLATFORMS)
            .collect();
        let found = in_parallel(&images, |digest| offer.repository.manifest(&digest.to_string()))?;
        let config = |document: Document| match read_pointers(&document) {
            Ok(Pointers::Manifest { config, .. }) => Some(config.digest),
            _ => None,
        };
        Ok(found.into_iter().flatten().filter_map(|found| config(found.document)).collect())
    }

    /// Whether an address names this manifest or index.
    ///
    /// # Errors
    /// Environment errors of the registry, content errors when it gives other bytes than it should.
    pub fn is_named(&self, at: &Address, digest: BlobDigest) -> Result<bool> {
        let found = self.repository(at)?.manifest(&at.reference())?;
        Ok(found.is_some_and(|found| found.document.digest() == digest))
    }

    /// Whether the repository of an address has a manifest.
    ///
    /// # Errors
    /// Environment errors of the registry.
    pub fn has_image(&self, at: &Address, digest: BlobDigest) -> Result<bool> {
        self.repository(at)?.has_manifest(digest)
    }
}

impl Repository {
    /// The packages that make an image, with one more that is known already.
    fn offered(self, target: BlobDigest, known: Option<Document>) -> Result<Offer> {
        let digests = self.listed_packages(target)?;
        let is_other = |digest: &BlobDigest| known.as_ref().is_none_or(|known| known.digest() != *digest);
        let others: Vec<BlobDigest> = digests.into_iter().filter(is_other).collect();
        // A list may name what was removed since.
        let found = in_parallel(&others, |digest| self.manifest(&digest.to_string()))?;
        let documents = known.into_iter().chain(found.into_iter().flatten().map(|found| found.document));
        let (mut packages, mut odd) = (Vec::new(), Vec::new());
        for document in documents {
            match PackageLabel::read(&document) {
                Ok(label) if label.subject.as_ref().is_some_and(|subject| subject.digest == target) => {
                    packages.push(StoredPackage { manifest: document.digest(), label });
                }
                // A list may name what is about something else.
                Ok(_) => odd.push(format!("{} is about another image", document.digest().short())),
                Err(error) if read_about(&document).artifact_type.as_deref() == Some(ARTIFACT_TYPE) => {
                    odd.push(error.to_string());
                }
                Err(_) => {}
            }
        }
        // Of the same package with a signature and without one, the one that says more.
        packages.sort_by_key(|package| (package.label.size, !package.has_signature(), package.manifest));
        Ok(Offer { repository: self, target: Some(target), document: None, packages, odd })
    }
}

impl Offer {
    /// The smallest package that fits.
    pub fn choose(&self, held: &Held, platforms: &[Platform]) -> Option<&StoredPackage> {
        self.packages.iter().find(|package| package.fits(held, platforms))
    }

    /// What an engine of this platform needs of an image for several; an image without it is meant as it is.
    pub fn platforms_for(&self, engine: &Platform) -> Vec<Platform> {
        let wanted = vec![engine.clone()];
        if self.packages.iter().any(|package| package.label.brings(&wanted)) { wanted } else { Vec::new() }
    }

    /// Why none of the packages is of use, and what would be.
    pub fn nothing_fits(&self, address: &Address, platforms: &[Platform]) -> Error {
        if self.packages.is_empty() {
            let odd: String = self.odd.iter().map(|why| format!("; {why}")).collect();
            return Error::environment(format!("no package of docker_delta hangs on {address}{odd}")).with_hint(
                format!("make one, and push it beside the image: docker_delta push PACKAGE docker://{address}"),
            );
        }
        let one = |package: &StoredPackage| {
            let needs = match package.bases() {
                [] if package.label.needs.is_empty() => "no base".to_owned(),
                [] => "layers of an image without a name".to_owned(),
                bases => bases.join(", "),
            };
            let is_of_platform = package.label.brings(platforms);
            let platform =
                if is_of_platform { String::new() } else { format!(" for {}", package.label.platforms.join(", ")) };
            format!("{} ({} bytes){platform} needs {needs}", package.file(), package.size())
        };
        let listed: Vec<String> = self.packages.iter().map(one).collect();
        Error::environment(format!("no package for {address} fits what is here: {}", listed.join("; "))).with_hint(
            "name where one of these bases is with --base, or take a whole image: `docker pull`, `skopeo copy`",
        )
    }
}

#[cfg(test)]
mod tests;
