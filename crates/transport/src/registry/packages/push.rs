//! A package on its way into a registry: the blob first, then the manifest, then the list of what hangs on its image, and the tag
//! last.

use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::Document;
use delta_core::image::documents::{OCI_MANIFEST, read_about};
use delta_core::package::Package;
use serde::Serialize;

use super::label::{ARTIFACT_TYPE, EMPTY, PackageLabel, SignatureBlob};
use crate::registry::access::{Registries, Repository};
use crate::registry::address::Address;

/// A package in a file, and what lies beside it.
#[derive(Clone, Copy)]
pub struct PackageFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// All of it.
    pub bytes: &'a Arc<dyn ReadAt>,
    /// The text of the signature beside it.
    pub signature: Option<&'a [u8]>,
}

/// A package that can go to a registry, as far as that can be known before anything is written.
pub struct PlannedPush {
    repository: Repository,
    to: Address,
    label: PackageLabel,
    document: Document,
    bytes: Arc<dyn ReadAt>,
    signature: Option<Arc<dyn ReadAt>>,
    lacks_blob: bool,
    lacks_signature: bool,
    lacks_manifest: bool,
    /// The tag that is to be written.
    tag: Option<String>,
    /// Whether the registry has the image that the package makes.
    has_target: bool,
}

/// What became, or would become, of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushOutcome {
    /// Something was written.
    Pushed,
    /// All of it was there.
    AlreadyThere,
    /// Something would be written.
    WouldBeDone,
}

impl Registries {
    /// Finds out what a repository lacks of a package of images in a file; with `force`, a tag of another package is
    /// moved, and what is there is written again.
    ///
    /// # Errors
    /// Environment errors of the registry; usage errors when the tag names something else, or nobody could find the package.
    pub fn plan_push(
        &self,
        package: &Package,
        file: PackageFile<'_>,
        to: &Address,
        force: bool,
    ) -> Result<PlannedPush> {
        let PackageFile { name, bytes, signature } = file;
        let (digest, size) =
            BlobDigest::of_reader(&mut Reader::new(bytes.clone())).map_err(Error::io(format!("reading {name}")))?;
        let beside = signature.map(SignatureBlob::of);
        let label = PackageLabel { signature: beside, ..PackageLabel::of(package, name, digest, size)? };
        let document = label.document()?;
        let repository = self.repository(to)?;
        let target = label.subject.as_ref().map(|subject| subject.digest);
        let tag = match (to.tag(), target) {
            (Some(tag), _) => repository.tag_to_write(tag, &document, target, force)?,
            (None, Some(_)) => None,
            (None, None) => {
                return Err(Error::usage(format!("{to} has no tag, and a package of several images needs one"))
                    .with_hint(format!("name it: docker://{to}:TAG")));
            }
        };
        let is_listed = match target {
            Some(target) => repository.listed_packages(target)?.contains(&document.digest()),
            None => true,
        };
        let lacks = |digest| -> Result<bool> { Ok(force || repository.blob_size(digest)?.is_none()) };
        Ok(PlannedPush {
            lacks_blob: lacks(digest)?,
            lacks_signature: beside.map_or(Ok(false), |beside| lacks(beside.digest))?,
            lacks_manifest: force || !is_listed || !repository.has_manifest(document.digest())?,
            has_target: target.map_or(Ok(true), |target| repository.has_manifest(target))?,
            repository,
            to: to.clone(),
            label,
            document,
            bytes: bytes.clone(),
            signature: signature.map(|text| Arc::new(text.to_vec()) as Arc<dyn ReadAt>),
            tag,
        })
    }
}

impl Repository {
    /// The tag, if it is to be written: not where it leads to the package already.
    fn tag_to_write(
        &self,
        tag: &str,
        document: &Document,
        target: Option<BlobDigest>,
        force: bool,
    ) -> Result<Option<String>> {
        let Some(found) = self.manifest(tag)?.map(|found| found.document) else { return Ok(Some(tag.to_owned())) };
        let about = read_about(&found);
        let is_package = about.artifact_type.as_deref() == Some(ARTIFACT_TYPE);
        if found.digest() == document.digest() || Some(found.digest()) == target {
            return Ok(None);
        }
        match is_package {
            true if about.subject.is_some() && about.subject == target => Ok(None),
            true if force => Ok(Some(tag.to_owned())),
            true => Err(Error::usage(format!("the tag {tag} of {} names a package of something else", self.label()))
                .with_hint("give the package another tag, or let it have this one with -f")),
            false => {
                let image = target.map_or_else(|| "several".to_owned(), |target| target.short());
                Err(Error::usage(format!(
                    "the tag {tag} of {} names {}, which is not what the package makes ({image})",
                    self.label(),
                    found.digest().short()
                ))
                .with_hint("give the package a tag of its own; nothing but a package is ever replaced"))
            }
        }
    }
}

impl PlannedPush {
    /// The digest of its manifest.
    pub fn digest(&self) -> BlobDigest {
        self.document.digest()
    }

    /// The name by which it alone is found.
    pub fn name(&self) -> String {
        self.to.with_digest(self.digest()).to_string()
    }

    /// The name by which it is found with others for the same image, if the registry has one.
    pub fn found_by(&self) -> Option<String> {
        self.to.tag().map(|_| self.to.to_string())
    }

    /// The image that it makes, if it is one.
    pub fn target(&self) -> Option<BlobDigest> {
        self.label.subject.as_ref().map(|subject| subject.digest)
    }

    /// Whether the registry has that image, so that it leads to the package.
    pub const fn has_target(&self) -> bool {
        self.has_target
    }

    /// The names of the images that it was made against.
    pub fn bases(&self) -> &[String] {
        &self.label.bases
    }

    /// The size of the package in bytes.
    pub const fn size(&self) -> u64 {
        self.label.size
    }

    /// The bytes of it, and of the signature beside it, that are to be sent.
    pub fn lacking_bytes(&self) -> u64 {
        let package = if self.lacks_blob { self.label.size } else { 0 };
        let signature = self.label.signature.filter(|_| self.lacks_signature);
        package + signature.map_or(0, |signature| signature.size)
    }

    /// Whether the registry has all of it.
    pub const fn is_there(&self) -> bool {
        !self.lacks_blob && !self.lacks_signature && !self.lacks_manifest && self.tag.is_none()
    }

    /// Writes what is lacking.
    ///
    /// # Errors
    /// Environment errors of the registry; nothing leads to a part of a package.
    pub fn carry_out(&self) -> Result<()> {
        if self.is_there() {
            return Ok(());
        }
        if self.lacks_blob {
            self.repository.upload(self.label.package, &self.bytes)?;
        }
        if let (Some(found), Some(text), true) = (self.label.signature, &self.signature, self.lacks_signature) {
            self.repository.upload(found.digest, text)?;
        }
        let config: Arc<dyn ReadAt> = Arc::new(EMPTY.to_vec());
        let empty = BlobDigest::of(EMPTY);
        if self.repository.blob_size(empty)?.is_none() {
            self.repository.upload(empty, &config)?;
        }
        if self.lacks_manifest {
            self.repository.put_referrer(&self.document, OCI_MANIFEST)?;
        }
        match &self.tag {
            Some(tag) => self.repository.put_manifest(tag, &self.document, OCI_MANIFEST).map(drop),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
