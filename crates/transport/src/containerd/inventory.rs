//! What a namespace of containerd has.

use std::collections::BTreeSet;
use std::sync::Arc;

use delta_core::digest::BlobDigest;
use delta_core::error::Result;
use delta_core::image::ImageName;
use delta_core::job::progress::Progress;

use super::HELD;
use crate::program::Program;

/// A namespace: names, and the blobs that may be under them.
pub struct Store {
    pub(super) program: Program,
    pub(super) progress: Arc<dyn Progress>,
    label: String,
    /// The names, in the store's order, without those of ours.
    pub(super) images: Vec<Named>,
    /// Names of ours, of runs that go on or were killed.
    pub(super) held: Vec<Named>,
    /// Every blob, whether something names it or not.
    pub(super) blobs: BTreeSet<BlobDigest>,
}

/// A name and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// As it stands there: `docker.io/library/app:v1`, and whatever else a client of containerd made of it.
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) target: BlobDigest,
}

impl Store {
    /// Asks for both lists.
    pub(super) fn new(program: Program, label: String, progress: Arc<dyn Progress>) -> Result<Self> {
        let (held, images) = images(&program)?.into_iter().partition(|image| image.name.starts_with(HELD));
        let blobs = blobs(&program)?;
        Ok(Self { program, progress, label, images, held, blobs })
    }

    /// How to speak of it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What is named.
    pub fn targets(&self) -> impl Iterator<Item = BlobDigest> + '_ {
        self.images.iter().map(|image| image.target)
    }

    /// Whether something names this manifest or index.
    pub fn has(&self, target: BlobDigest) -> bool {
        self.images.iter().any(|image| image.target == target)
    }

    /// The image of this name, by the letter or as users shorten it, or of this digest.
    pub(super) fn find(&self, text: &str) -> Option<&Named> {
        let by_letter = self.images.iter().find(|image| image.name == text);
        let full = text.parse::<ImageName>().ok().map(|name| name.full());
        let by_name = || self.images.iter().find(|image| Some(&image.name) == full.as_ref());
        let digest = text.rsplit('@').next().and_then(|digest| digest.parse::<BlobDigest>().ok());
        let by_digest = || self.images.iter().find(|image| Some(image.target) == digest);
        by_letter.or_else(by_name).or_else(by_digest)
    }

    /// Names that somebody may have meant.
    pub(super) fn near(&self, text: &str) -> Vec<String> {
        let stem = text.rsplit('/').next().unwrap_or(text).split([':', '@']).next().unwrap_or(text);
        let names = self.images.iter().map(|image| &image.name);
        names.filter(|name| !stem.is_empty() && name.contains(stem)).cloned().collect()
    }
}

/// The names of a namespace.
pub(super) fn images(program: &Program) -> Result<Vec<Named>> {
    Ok(program.text(&["images", "ls"])?.lines().filter_map(named).collect())
}

/// The blobs of a namespace.
pub(super) fn blobs(program: &Program) -> Result<BTreeSet<BlobDigest>> {
    let listed = program.text(&["content", "ls", "--quiet"])?;
    // Digests of other kinds than SHA-256 are those of nothing that is looked for.
    Ok(listed.lines().filter_map(|line| line.trim().parse().ok()).collect())
}

/// A line of `ctr images ls`: name, media type, digest and more; the line above them has no digest.
fn named(line: &str) -> Option<Named> {
    let mut words = line.split_whitespace();
    let (name, media_type, digest) = (words.next()?, words.next()?, words.next()?);
    Some(Named { name: name.to_owned(), media_type: media_type.to_owned(), target: digest.parse().ok()? })
}

#[cfg(test)]
mod tests;
