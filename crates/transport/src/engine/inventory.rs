//! What images an engine has.

use std::collections::BTreeSet;

use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::Result;
use delta_core::image::ImageName;
use delta_core::package::metadata::BaseEntry;
use serde::Deserialize;

use super::Engine;

/// Images that are inspected with one command; more would make its line too long for some systems.
const BATCH: usize = 200;

/// The digits of an ID that engines print.
const PRINTED_DIGITS: usize = 12;

/// The images of an engine.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The images, in the engine's order.
    pub images: Vec<StoredImage>,
}

/// One image.
#[derive(Clone, Debug)]
pub struct StoredImage {
    /// The engine's ID: the config's digest, or in a containerd store the manifest's or index's.
    pub id: BlobDigest,
    /// Its tags.
    pub names: Vec<ImageName>,
    /// Its layers, lowest first.
    pub diff_ids: Vec<DiffId>,
    /// Its size in bytes, as the engine counts.
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(rename = "RootFS")]
    root_fs: Option<RootFs>,
    #[serde(default)]
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RootFs {
    #[serde(default)]
    layers: Option<Vec<DiffId>>,
}

impl Inventory {
    /// The image that has this name.
    pub(crate) fn named(&self, name: &ImageName) -> Option<&StoredImage> {
        self.images.iter().find(|image| image.names.iter().any(|other| other.full() == name.full()))
    }

    /// The image with this ID.
    pub fn with_id(&self, id: BlobDigest) -> Option<&StoredImage> {
        self.images.iter().find(|image| image.id == id)
    }

    /// The image that a user means by this name or ID; by less of an ID than engines print, he may mean several or none.
    fn called(&self, text: &str) -> Option<&StoredImage> {
        let named = text.parse().ok().and_then(|name| self.named(&name));
        let digits = text.trim_start_matches("sha256:");
        let with_id =
            || self.images.iter().find(|image| digits.len() >= PRINTED_DIGITS && image.id.hex().starts_with(digits));
        named.or_else(with_id)
    }

    /// Every layer of every image.
    pub fn diff_ids(&self) -> BTreeSet<DiffId> {
        self.images.iter().flat_map(|image| &image.diff_ids).copied().collect()
    }

    /// The same with those that an engine does not list of the `bases` that it has: layers of other platforms, and
    /// attestations.
    pub fn diff_ids_with(&self, bases: &[BaseEntry]) -> BTreeSet<DiffId> {
        let here = bases.iter().filter(|base| self.with_id(base.root).is_some());
        let unlisted = here.flat_map(|base| &base.layers).map(|layer| layer.diff_id);
        self.diff_ids().into_iter().chain(unlisted).collect()
    }

    /// How many layers from the lowest on some image has in the same order.
    pub(crate) fn longest_chain(&self, diff_ids: &[DiffId]) -> usize {
        let common =
            |image: &StoredImage| image.diff_ids.iter().zip(diff_ids).take_while(|(one, other)| one == other).count();
        self.images.iter().map(common).max().unwrap_or(0)
    }
}

impl Engine {
    /// Asks the engine for all its images.
    ///
    /// # Errors
    /// What its client reports.
    pub fn inventory(&self) -> Result<Inventory> {
        let ids: Vec<BlobDigest> = self.ids()?.into_iter().collect();
        let mut images = Vec::new();
        for batch in ids.chunks(BATCH) {
            images.extend(self.inspect(batch)?);
        }
        Ok(Inventory { images })
    }

    /// The IDs of all images.
    pub(super) fn ids(&self) -> Result<BTreeSet<BlobDigest>> {
        let listed = self.client.text(&["images", "-a", "-q", "--no-trunc"])?;
        listed.split_whitespace().map(id).collect()
    }

    fn inspect(&self, asked: &[BlobDigest]) -> Result<Vec<StoredImage>> {
        let ids: Vec<String> = asked.iter().map(ToString::to_string).collect();
        let arguments: Vec<&str> = ["image", "inspect"].into_iter().chain(ids.iter().map(String::as_str)).collect();
        let said = self.client.run(&arguments)?;
        let refused = || self.client.refused(&arguments, &said.stderr);
        let inspected: Vec<Inspected> = serde_json::from_str(&said.stdout).map_err(|_| refused())?;
        let images = inspected.into_iter().map(stored).collect::<Result<Vec<_>>>()?;
        // An image that went away between the two commands is no error: the others are printed all the same. One that is still there
        // was refused.
        if !said.success {
            let told: BTreeSet<BlobDigest> = images.iter().map(|image| image.id).collect();
            let listed = self.ids()?;
            if asked.iter().any(|id| !told.contains(id) && listed.contains(id)) {
                return Err(refused());
            }
        }
        Ok(images)
    }

    /// The images that the user named, in that order.
    pub(super) fn find(&self, names: &[String]) -> Result<Vec<StoredImage>> {
        names.iter().map(|name| self.find_one(name)).collect()
    }

    /// Whether the engine has an image of this name or ID.
    ///
    /// # Errors
    /// What its client reports, also where it lists the image and does not show it.
    pub fn has(&self, name: &str) -> Result<bool> {
        let arguments = ["image", "inspect", "--", name];
        let said = self.client.run(&arguments)?;
        let is_listed = || self.inventory().map(|inventory| inventory.called(name).is_some());
        match said.success || !is_listed()? {
            true => Ok(said.success),
            false => Err(self.client.refused(&arguments, &said.stderr)),
        }
    }

    fn find_one(&self, name: &str) -> Result<StoredImage> {
        let arguments = ["image", "inspect", "--", name];
        let said = self.client.run(&arguments)?;
        if said.success {
            let inspected: Vec<Inspected> = serde_json::from_str(&said.stdout)
                .map_err(|error| self.client.refused(&arguments, &error.to_string()))?;
            if let Some(found) = inspected.into_iter().next() {
                return stored(found);
            }
        }
        Err(self.unknown(name, &said.stderr))
    }

    fn unknown(&self, name: &str, said: &str) -> delta_core::Error {
        let label = self.label();
        let error = delta_core::Error::environment(format!("{label} has no image `{name}`: {}", said.trim()));
        let stem = name.rsplit('/').next().unwrap_or(name).split(':').next().unwrap_or(name);
        let images = self.inventory().unwrap_or_default().images;
        let near: Vec<String> = images
            .iter()
            .flat_map(|image| &image.names)
            .map(ToString::to_string)
            .filter(|other| other.contains(stem))
            .collect();
        if near.is_empty() {
            error.with_hint(format!(
                "`{} images` lists what is there; a file is named with its path",
                self.client.kind().program()
            ))
        } else {
            error.with_hint(format!("did you mean {}?", near.join(" or ")))
        }
    }
}

/// An ID with or without the algorithm, which podman leaves out.
fn id(text: &str) -> Result<BlobDigest> {
    let id = if text.starts_with("sha256:") { text.parse() } else { format!("sha256:{text}").parse() };
    id.map_err(delta_core::Error::from)
}

fn stored(inspected: Inspected) -> Result<StoredImage> {
    let names = inspected.repo_tags.unwrap_or_default();
    Ok(StoredImage {
        id: id(&inspected.id)?,
        names: names.iter().filter_map(|name| name.parse().ok()).collect(),
        diff_ids: inspected.root_fs.and_then(|root_fs| root_fs.layers).unwrap_or_default(),
        size: inspected.size,
    })
}

#[cfg(test)]
mod tests;
