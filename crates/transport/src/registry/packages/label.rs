//! What a registry's manifest says of a package that it keeps: enough to choose one without fetching it (FORMAT.md, section 15).

use std::collections::{BTreeMap, BTreeSet};

use delta_core::apply::{Delivery, images, needed_bases};
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::documents::{OCI_EMPTY, OCI_MANIFEST, read_about};
use delta_core::image::{Document, ImageName, ManifestKind, Platform, RebuiltImage, Root};
use delta_core::package::Package;
use delta_core::package::metadata::{BaseEntry, Metadata};
use serde::{Deserialize, Serialize};

/// What a package in a registry says that it is: the `artifactType` of its manifest.
pub(in crate::registry) const ARTIFACT_TYPE: &str = "application/vnd.docker-delta.package.v1";

/// The media type of the blob that is the package.
const PACKAGE: &str = "application/vnd.docker-delta.package.v1+tar";

/// The media type of the blob that is the signature beside a package.
const SIGNATURE: &str = "application/vnd.docker-delta.signature.v1";

/// What the name of a signature ends in, behind the package's.
const SIGNATURE_ENDING: &str = ".minisig";

/// The name of a file (OCI image-spec, annotations.md), under which other programs write it.
const TITLE: &str = "org.opencontainers.image.title";

/// The bytes of a config that says nothing.
pub(super) const EMPTY: &[u8] = b"{}";

const IMAGES: &str = "vnd.docker-delta.images";
const PLATFORMS: &str = "vnd.docker-delta.platforms";
const BASES: &str = "vnd.docker-delta.bases";
const BASE_MANIFESTS: &str = "vnd.docker-delta.base-manifests";
const NEEDS: &str = "vnd.docker-delta.needs";

/// Hexadecimal digits of a diff ID that tell layers apart: this only chooses, and what is applied is compared in full.
const MARK_DIGITS: usize = 16;

/// A package, as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PackageLabel {
    /// The image that it makes, where it makes one.
    pub(super) subject: Option<Target>,
    /// The digest of the file.
    pub(super) package: BlobDigest,
    /// Its size in bytes.
    pub(super) size: u64,
    /// Its name.
    pub(super) file: String,
    /// The signature that lies beside it.
    pub(super) signature: Option<SignatureBlob>,
    /// The names of what it makes.
    pub(super) images: Vec<String>,
    /// The platforms of these.
    pub(super) platforms: Vec<String>,
    /// The names of the images that it was made against, or their digests where they have none.
    pub(super) bases: Vec<String>,
    /// The digests of their manifests or indexes.
    pub(super) base_manifests: Vec<BlobDigest>,
    /// The first digits of the diff IDs that it needs.
    pub(super) needs: BTreeSet<String>,
}

/// A signature that a registry keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SignatureBlob {
    pub(super) digest: BlobDigest,
    pub(super) size: u64,
}

impl SignatureBlob {
    /// The signature of this text.
    pub(super) fn of(text: &[u8]) -> Self {
        Self { digest: BlobDigest::of(text), size: text.len() as u64 }
    }
}

/// The manifest or index of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    media_type: String,
    pub(super) digest: BlobDigest,
    size: u64,
}

impl PackageLabel {
    /// Describes a package whose file has this name, digest and size.
    pub(super) fn of(package: &Package, file: &str, digest: BlobDigest, size: u64) -> Result<Self> {
        let images = images(package, &Delivery::Original, &[])?;
        let metadata = package.metadata();
        let needed = needed_bases(metadata, &images.iter().flat_map(RebuiltImage::wanted).collect());
        let bases: Vec<&BaseEntry> = metadata.bases.iter().filter(|base| is_needed(base, &needed)).collect();
        Ok(Self {
            subject: subject(&images),
            package: digest,
            size,
            file: file.to_owned(),
            signature: None,
            images: images.iter().filter(|image| !image.is_artifact()).flat_map(named).collect(),
            platforms: platforms(metadata),
            bases: bases.iter().map(|base| name_of(base)).collect(),
            base_manifests: bases.iter().map(|base| base.root).collect(),
            needs: needed.iter().map(mark).collect(),
        })
    }

    /// Reads the manifest of a package.
    ///
    /// # Errors
    /// A content error when it is none.
    pub(super) fn read(document: &Document) -> Result<Self> {
        let fault = |what: &str| Error::content(format!("{} is no package's manifest: {what}", document.digest()));
        if read_about(document).artifact_type.as_deref() != Some(ARTIFACT_TYPE) {
            return Err(fault(&format!("its artifactType is not {ARTIFACT_TYPE}")));
        }
        let manifest: Manifest = serde_json::from_slice(document.bytes()).map_err(|error| fault(&error.to_string()))?;
        let (blob, signature) = match manifest.layers.as_slice() {
            [blob] => (blob, None),
            [blob, signature] if signature.media_type == SIGNATURE => (blob, Some(signature)),
            blobs => {
                let found: Vec<&str> = blobs.iter().map(|blob| blob.media_type.as_str()).collect();
                let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
                return Err(fault(&format!("expected a package, and a signature or none, found blobs: {found}")));
            }
        };
        if blob.media_type != PACKAGE {
            return Err(fault(&format!("expected a blob of the type {PACKAGE}, found {}", blob.media_type)));
        }
        let words = |name: &str| {
            let text = manifest.annotations.get(name).map(String::as_str).unwrap_or_default();
            text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let is_mark = |mark: &String| {
            mark.len() == MARK_DIGITS && mark.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let needs = words(NEEDS);
        if !manifest.annotations.contains_key(NEEDS) || !needs.iter().all(is_mark) {
            return Err(fault(&format!("the annotation {NEEDS} does not say which layers it needs")));
        }
        let base_manifests = words(BASE_MANIFESTS).iter().map(|digest| digest.parse()).collect::<Result<_, _>>()?;
        Ok(Self {
            subject: manifest.subject,
            package: blob.digest,
            size: blob.size,
            file: blob.annotations.get(TITLE).cloned().unwrap_or_default(),
            signature: signature.map(|blob| SignatureBlob { digest: blob.digest, size: blob.size }),
            images: words(IMAGES),
            platforms: words(PLATFORMS),
            bases: words(BASES),
            base_manifests,
            needs: needs.into_iter().collect(),
        })
    }

    /// The manifest, the same for the same package, name and signature.
    pub(super) fn document(&self) -> Result<Document> {
        let annotations = [
            (IMAGES, self.images.join(" ")),
            (PLATFORMS, self.platforms.join(" ")),
            (BASES, self.bases.join(" ")),
            (BASE_MANIFESTS, joined(&self.base_manifests)),
        ];
        let said = annotations.into_iter().filter(|(_, value)| !value.is_empty());
        let needs = self.needs.iter().cloned().collect::<Vec<_>>().join(" ");
        let titled = |kind: &str, digest: BlobDigest, size: u64, title: String| Blob {
            annotations: BTreeMap::from([(TITLE.to_owned(), title)]),
            ..Blob::new(kind, digest, size)
        };
        let package = titled(PACKAGE, self.package, self.size, self.file.clone());
        let beside = format!("{}{SIGNATURE_ENDING}", self.file);
        let signature = self.signature.map(|found| titled(SIGNATURE, found.digest, found.size, beside));
        let manifest = Manifest {
            schema_version: 2,
            media_type: OCI_MANIFEST.to_owned(),
            artifact_type: ARTIFACT_TYPE.to_owned(),
            config: Blob::new(OCI_EMPTY, BlobDigest::of(EMPTY), EMPTY.len() as u64),
            layers: [package].into_iter().chain(signature).collect(),
            subject: self.subject.clone(),
            annotations: said.chain([(NEEDS, needs)]).map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        let bytes = serde_json::to_vec(&manifest).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Document::new(bytes))
    }

    /// Whether all that it needs is among these layers.
    pub(super) fn fits(&self, held: &BTreeSet<String>) -> bool {
        self.needs.is_subset(held)
    }

    /// Whether all images that it was made against are among these.
    pub(super) fn is_made_against(&self, images: &BTreeSet<BlobDigest>) -> bool {
        !self.base_manifests.is_empty() && self.base_manifests.iter().all(|base| images.contains(base))
    }

    /// Whether it brings all of these platforms, as far as it says.
    pub(super) fn brings(&self, wanted: &[Platform]) -> bool {
        self.platforms.is_empty() || wanted.iter().all(|platform| self.platforms.contains(&platform.to_string()))
    }
}

/// The first digits of a diff ID.
pub(super) fn mark(diff_id: &DiffId) -> String {
    diff_id.hex()[..MARK_DIGITS].to_owned()
}

/// The only image; what hangs on it does not count.
fn subject(images: &[RebuiltImage]) -> Option<Target> {
    let mut whole = images.iter().filter(|image| !image.is_artifact());
    let Root { media_type, digest, size, .. } = &whole.next()?.root;
    let media_type = if media_type.is_empty() { OCI_MANIFEST } else { media_type };
    whole.next().is_none().then(|| Target { media_type: media_type.to_owned(), digest: *digest, size: *size })
}

fn named(image: &RebuiltImage) -> Vec<String> {
    image.names.iter().map(ImageName::to_string).collect()
}

fn platforms(metadata: &Metadata) -> Vec<String> {
    let manifests = metadata.images.iter().flat_map(|image| &image.manifests);
    let images = manifests.filter(|manifest| manifest.kind == ManifestKind::Image);
    let platforms: BTreeSet<String> =
        images.filter_map(|manifest| manifest.platform.as_ref()).map(ToString::to_string).collect();
    platforms.into_iter().filter(|platform| !platform.contains(char::is_whitespace)).collect()
}

fn is_needed(base: &BaseEntry, needed: &BTreeSet<DiffId>) -> bool {
    base.layers.iter().any(|layer| needed.contains(&layer.diff_id))
}

fn name_of(base: &BaseEntry) -> String {
    base.names.first().map_or_else(|| base.root.to_string(), ImageName::to_string)
}

fn joined(digests: &[BlobDigest]) -> String {
    digests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// A manifest of an artifact (OCI image-spec, manifest.md, "Guidelines for Artifact Usage").
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    artifact_type: String,
    config: Blob,
    layers: Vec<Blob>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Target>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    media_type: String,
    digest: BlobDigest,
    size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

impl Blob {
    fn new(media_type: &str, digest: BlobDigest, size: u64) -> Self {
        Self { media_type: media_type.to_owned(), digest, size, annotations: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests;
