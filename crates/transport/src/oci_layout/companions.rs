//! What lies beside an image and belongs to it: signatures, bills of materials, and what describes these in turn.

use std::collections::BTreeSet;

use delta_core::digest::BlobDigest;
use delta_core::image::documents::{LayoutEntry, read_about};

use super::{Layout, Listed};
use crate::sourced_image::SourcedImage;
use crate::walk::Shelf;

/// The annotation by which `cosign save` says what an entry is.
const COSIGN_KIND: &str = "kind";

/// What an entry of `cosign save` is, if it is no image.
const COSIGN_COMPANIONS: [&str; 2] = ["dev.cosignproject.cosign/sigs", "dev.cosignproject.cosign/atts"];

impl Layout<'_> {
    /// The entries that are about these images, or about one another: by their `subject` (OCI image-spec, manifest.md), by a tag of a
    /// digest (OCI distribution-spec, "Referrers Tag Schema"; cosign's `sha256-DIGITS.sig`), or by what cosign writes into its layouts.
    pub(super) fn companions(&self, images: &[SourcedImage]) -> Vec<Listed<'_>> {
        let mut about: BTreeSet<BlobDigest> = images
            .iter()
            .flat_map(|found| {
                found.image.manifests.iter().map(|manifest| manifest.digest).chain([found.image.root.digest])
            })
            .collect();
        let has_cosign = images.iter().any(|found| {
            self.index.of(found.image.root.digest).any(|entry| entry.annotations.contains_key(COSIGN_KIND))
        });
        let is_new = |listed: &Listed<'_>| !about.iter().any(|root| root.to_string() == listed.named);
        let left = self.everything().into_iter().filter(is_new).map(|listed| (self.subjects(&listed), listed));
        let mut left: Vec<(Vec<BlobDigest>, Listed<'_>)> = left.collect();
        let mut chosen = Vec::new();
        loop {
            let is_companion = |(subjects, listed): &(Vec<BlobDigest>, Listed<'_>)| {
                let is_about = subjects.iter().any(|subject| about.contains(subject));
                is_about || has_cosign && listed.entries.iter().any(|entry| is_cosign(entry))
            };
            let Some(at) = left.iter().position(is_companion) else { return chosen };
            let (_, listed) = left.remove(at);
            about.extend(listed.named.parse::<BlobDigest>());
            chosen.push(listed);
        }
    }

    /// What an entry says that it is about.
    fn subjects(&self, listed: &Listed<'_>) -> Vec<BlobDigest> {
        let of_tag = |entry: &&LayoutEntry| {
            let tag = entry.reference()?.rsplit(':').next()?.strip_prefix("sha256-")?;
            format!("sha256:{}", tag.split('.').next()?).parse().ok()
        };
        let document = listed.named.parse().ok().and_then(|digest| self.blobs.document(digest).ok()?);
        let subject = document.and_then(|document| read_about(&document).subject);
        listed.entries.iter().filter_map(of_tag).chain(subject).collect()
    }
}

fn is_cosign(entry: &LayoutEntry) -> bool {
    entry.annotations.get(COSIGN_KIND).is_some_and(|kind| COSIGN_COMPANIONS.contains(&kind.as_str()))
}
