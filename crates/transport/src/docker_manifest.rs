//! `manifest.json`, which lists the images of a docker-archive.

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::{Document, ImageName};
use delta_core::limits;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What a `manifest.json` is.
pub(crate) enum DockerManifest {
    /// Docker's list of images.
    List(Vec<DockerEntry>),
    /// An image manifest, in skopeo's folders.
    Single(Document),
}

/// One image of the list.
pub(crate) struct DockerEntry {
    /// The entry as it was found.
    pub(crate) raw: Box<RawValue>,
    /// The path of the config.
    pub(crate) config: String,
    /// The tags.
    pub(crate) names: Vec<ImageName>,
    /// The paths of the layers, lowest first.
    pub(crate) layers: Vec<String>,
}

impl DockerEntry {
    /// Whether it is the entry of the image with this config.
    pub(crate) fn is_of(&self, config: BlobDigest) -> bool {
        self.config.rsplit('/').next().is_some_and(|name| name.trim_end_matches(".json") == config.hex())
    }
}

/// Reads `manifest.json`.
pub(crate) fn entries(document: &Document) -> Result<DockerManifest> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Entry {
        config: String,
        #[serde(default)]
        repo_tags: Option<Vec<String>>,
        layers: Option<Vec<String>>,
    }
    let invalid = |error: serde_json::Error| Error::content(format!("manifest.json is not valid: {error}"));
    if document.bytes().iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        return Ok(DockerManifest::Single(document.clone()));
    }
    let raw: Vec<Box<RawValue>> = serde_json::from_slice(document.bytes()).map_err(invalid)?;
    if raw.len() > limits::IMAGES {
        return Err(Error::content(format!("manifest.json lists {} images", raw.len())));
    }
    let entry = |raw: Box<RawValue>| {
        let entry: Entry = serde_json::from_str(raw.get()).map_err(invalid)?;
        // An odd name is left out; the image comes all the same.
        let names = entry.repo_tags.unwrap_or_default().iter().filter_map(|name| name.parse().ok()).collect();
        Ok(DockerEntry { config: entry.config, names, layers: entry.layers.unwrap_or_default(), raw })
    };
    raw.into_iter().map(entry).collect::<Result<_>>().map(DockerManifest::List)
}

/// The entry whose config has this digest.
pub(crate) fn entry_of(entries: &[DockerEntry], config: BlobDigest) -> Option<&DockerEntry> {
    entries.iter().find(|entry| entry.is_of(config))
}
