//! The fields of documents that are looked at.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::OCI_CONFIG;
use super::fields::{Fault, fields, lenient_string, list, size, string, text};
use crate::digest::{BlobDigest, DiffId};
use crate::error::{Error, Result};
use crate::image::{Document, Platform};

/// The media types of configs of images.
const IMAGE_CONFIGS: [&str; 2] = [OCI_CONFIG, "application/vnd.docker.container.image.v1+json"];

/// What a config says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The platform.
    pub platform: Platform,
    /// The layers, lowest first.
    pub diff_ids: Vec<DiffId>,
    /// When the image was made, in the words of whoever made it.
    pub created: Option<String>,
}

/// Reads a config (OCI image-spec, config.md); Docker's has the same fields. Only these are looked at, and as Go reads them;
/// what is of another type counts as absent.
///
/// # Errors
/// A content error when it is no object, or lists what is no digest.
pub fn read_config(document: &Document) -> Result<Config> {
    config(document)
        .map_err(|fault| Error::content(format!("the config {} cannot be read: {fault}", document.digest())))
}

fn config(document: &Document) -> std::result::Result<Config, Fault> {
    let names = ["os", "architecture", "variant", "created", "rootfs"];
    let [os, architecture, variant, created, rootfs] = fields(&text(document)?, names)?;
    let diff_ids = rootfs.and_then(|rootfs| fields(rootfs.get(), ["diff_ids"]).ok()).and_then(|[diff_ids]| diff_ids);
    let listed = list(diff_ids, "diff_ids").unwrap_or_default();
    let diff_id = |value: &RawValue| {
        let text = lenient_string(Some(value)).ok_or("a layer without a digest")?;
        text.parse::<DiffId>().map_err(|error| error.to_string())
    };
    Ok(Config {
        platform: Platform {
            os: lenient_string(os.as_deref()).unwrap_or_default(),
            architecture: lenient_string(architecture.as_deref()).unwrap_or_default(),
            variant: lenient_string(variant.as_deref()).filter(|variant| !variant.is_empty()),
        },
        diff_ids: listed.iter().map(|value| diff_id(value)).collect::<std::result::Result<_, Fault>>()?,
        created: lenient_string(created.as_deref()),
    })
}

/// What a manifest or an index points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointers {
    /// A manifest's config and layers.
    Manifest {
        /// The config.
        config: Pointer,
        /// The layers, lowest first.
        layers: Vec<Pointer>,
    },
    /// An index's manifests and indexes, but for those with digests of other kinds than SHA-256, which nobody here can look for.
    Index(Vec<Pointer>),
}

/// One descriptor (OCI image-spec, descriptor.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The media type, which may lie.
    pub media_type: String,
    /// The digest.
    pub digest: BlobDigest,
    /// The size in bytes, which may lie; 0 where it is not said.
    pub size: u64,
    /// Whether it says of itself that it is an attestation (BuildKit, "attestation-storage").
    pub is_attestation: bool,
    /// Whether it says where its bytes are to be had besides, as layers do that are not to be passed on.
    pub has_urls: bool,
}

impl Pointer {
    /// Whether what it points to says that it is the config of an image, of OCI or of Docker.
    pub fn is_image_config(&self) -> bool {
        IMAGE_CONFIGS.contains(&self.media_type.as_str())
    }
}

/// Reads a manifest or an index, told apart by their fields.
///
/// # Errors
/// A content error when it is neither.
pub fn read_pointers(document: &Document) -> Result<Pointers> {
    pointers(document)
        .map_err(|fault| Error::content(format!("the manifest {} cannot be read: {fault}", document.digest())))
}

fn pointers(document: &Document) -> std::result::Result<Pointers, Fault> {
    let text = text(document)?;
    let [manifests, config, layers, old] = fields(&text, ["manifests", "config", "layers", "fsLayers"])?;
    let read = |name: &'static str| {
        move |value: Box<RawValue>| Descriptor::read(value.get()).map_err(|fault| format!("`{name}`: {fault}"))
    };
    match (manifests, config) {
        (Some(manifests), _) => {
            let entries = list(Some(manifests), "manifests")?.into_iter().map(read("manifests"));
            let entries = entries.collect::<std::result::Result<Vec<_>, Fault>>()?;
            Ok(Pointers::Index(entries.into_iter().filter_map(|entry| entry.pointer().ok()).collect()))
        }
        (None, Some(config)) => Ok(Pointers::Manifest {
            config: read("config")(config)?.pointer()?,
            layers: list(layers, "layers")?
                .into_iter()
                .map(|layer| read("layers")(layer)?.pointer())
                .collect::<std::result::Result<_, Fault>>()?,
        }),
        (None, None) if old.is_some() => {
            Err("it is of Docker's schema 1, which was given up in 2017; pull or copy the \
             image with a program that makes a newer one of it"
                .to_owned())
        }
        (None, None) => Err("it is neither a manifest nor an index: it names no config".to_owned()),
    }
}

/// Whether blobs under the config of an image are no layers all the same: what cosign 2 writes has a config of no platform, which lists
/// its blobs, and media types of its own (cosign, specs/SIGNATURE_SPEC.md).
pub fn is_of_no_layers(config: &Config, blobs: &[Pointer]) -> bool {
    let is_no_layer = |blob: &Pointer| !blob.media_type.is_empty() && !blob.media_type.contains("tar");
    config.platform.os.is_empty() && !blobs.is_empty() && blobs.iter().all(is_no_layer)
}

/// What a manifest or index says of itself as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What it is about (OCI image-spec, manifest.md, "subject").
    pub subject: Option<BlobDigest>,
    /// What it is, where it is no image: `artifactType`, else the media type of the config.
    pub artifact_type: Option<String>,
}

/// Reads what a manifest or index says of itself; nothing where it says nothing, or cannot be read.
pub fn read_about(document: &Document) -> About {
    let read = || -> std::result::Result<About, Fault> {
        let [subject, artifact_type, config] = fields(&text(document)?, ["subject", "artifactType", "config"])?;
        let media_type = |value: Box<RawValue>| Some(Descriptor::read(value.get()).ok()?.media_type);
        Ok(About {
            subject: subject.and_then(|value| Descriptor::read(value.get()).ok()?.digest.parse().ok()),
            artifact_type: lenient_string(artifact_type.as_deref())
                .or_else(|| config.and_then(media_type))
                .filter(|text| !text.is_empty()),
        })
    };
    read().unwrap_or_default()
}

/// The media type that a manifest or an index says of itself.
pub fn media_type(document: &Document) -> Option<String> {
    let text = String::from_utf8_lossy(document.bytes());
    let [said] = fields(&text, ["mediaType"]).ok()?;
    lenient_string(said.as_deref()).filter(|said| !said.is_empty())
}

/// What is read of a descriptor.
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: String,
    size: u64,
    pub(super) artifact_type: Option<String>,
    pub(super) platform: Option<Platform>,
    pub(super) annotations: BTreeMap<String, Value>,
    has_urls: bool,
}

impl Descriptor {
    pub(super) fn read(text: &str) -> std::result::Result<Self, Fault> {
        let names = ["mediaType", "digest", "size", "annotations", "urls", "artifactType", "platform"];
        let [media_type, digest, bytes, annotations, urls, artifact_type, platform] = fields(text, names)?;
        let annotations = annotations.map(|value| serde_json::from_str(value.get())).transpose();
        Ok(Self {
            media_type: string(media_type.as_deref(), "mediaType")?,
            digest: string(digest.as_deref(), "digest")?,
            size: size(bytes.as_deref())?,
            artifact_type: lenient_string(artifact_type.as_deref()),
            platform: platform.and_then(|platform| serde_json::from_str(platform.get()).ok()),
            annotations: annotations.map_err(|_| "`annotations` is no object")?.unwrap_or_default(),
            has_urls: !list(urls, "urls")?.is_empty(),
        })
    }

    fn pointer(self) -> std::result::Result<Pointer, Fault> {
        let kind = self.annotations.get("vnd.docker.reference.type");
        Ok(Pointer {
            is_attestation: kind.and_then(Value::as_str).is_some_and(|kind| kind == "attestation-manifest"),
            digest: self.digest.parse().map_err(|error: crate::digest::ParseDigestError| error.to_string())?,
            media_type: self.media_type,
            size: self.size,
            has_urls: self.has_urls,
        })
    }
}
