//! `manifest.json`, which lists the images of a docker-archive.

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::documents::fields;
use delta_core::image::{Document, ImageName};
use delta_core::limits;
use serde_json::value::RawValue;

use crate::pick::Pick;

/// How engines write that an image has no name.
const NO_NAMES: [&str; 2] = ["", "<none>:<none>"];

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
    /// What stands for a tag, but is none that engines take.
    pub(crate) odd_names: Vec<String>,
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
    let invalid = |error: &dyn std::fmt::Display| Error::content(format!("manifest.json is not valid: {error}"));
    if document.bytes().iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        return Ok(DockerManifest::Single(document.clone()));
    }
    let raw: Vec<Box<RawValue>> = serde_json::from_slice(document.bytes()).map_err(|error| invalid(&error))?;
    if raw.len() > limits::IMAGES {
        return Err(Error::content(format!("manifest.json lists {} images", raw.len())));
    }
    raw.into_iter()
        .map(|raw| entry(raw).map_err(|fault| invalid(&fault)))
        .collect::<Result<_>>()
        .map(DockerManifest::List)
}

fn entry(raw: Box<RawValue>) -> std::result::Result<DockerEntry, String> {
    let [config, repo_tags, layers] = fields(raw.get(), ["Config", "RepoTags", "Layers"])?;
    let texts = |value: Option<Box<RawValue>>, name: &str| match value {
        None => Ok(Vec::new()),
        Some(value) => serde_json::from_str::<Vec<Option<String>>>(value.get())
            .map(|texts| texts.into_iter().map(Option::unwrap_or_default).collect())
            .map_err(|error| format!("`{name}`: {error}")),
    };
    let config = config.ok_or("an entry without `Config`")?;
    let config = serde_json::from_str(config.get()).map_err(|error| format!("`Config`: {error}"))?;
    let mut names: Vec<ImageName> = Vec::new();
    let mut odd_names: Vec<String> = Vec::new();
    for text in texts(repo_tags, "RepoTags")?.into_iter().filter(|text| !NO_NAMES.contains(&text.as_str())) {
        match text.parse::<ImageName>() {
            Ok(name) if names.iter().any(|known| known.full() == name.full()) => {}
            Ok(name) => names.push(name),
            Err(_) => odd_names.push(text),
        }
    }
    Ok(DockerEntry { config, names, odd_names, layers: texts(layers, "Layers")?, raw })
}

/// The entries that are meant.
pub(crate) fn picked<'a>(entries: &'a [DockerEntry], pick: &Pick) -> Vec<&'a DockerEntry> {
    let is_meant = |(place, entry): &(usize, &DockerEntry)| {
        pick.is_all() || pick.is_at(*place) || entry.names.iter().any(|name| pick.is_name(name))
    };
    entries.iter().enumerate().filter(is_meant).map(|(_, entry)| entry).collect()
}

/// The entry whose config has this digest.
pub(crate) fn entry_of(entries: &[DockerEntry], config: BlobDigest) -> Option<&DockerEntry> {
    entries.iter().find(|entry| entry.is_of(config))
}

#[cfg(test)]
mod tests;
