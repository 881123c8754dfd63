//! What of a package belongs to which layer.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::{BlobDigest, DiffId};
use crate::package::metadata::{BlobEntry, LayerEntry, Metadata, Origin};

/// Members and compressed forms of every layer.
pub(super) struct Shares<'a> {
    /// The bytes of each member.
    members: BTreeMap<&'a str, u64>,
    /// The blobs that images name for a layer, besides the layer itself, in the order of the package.
    blobs: BTreeMap<DiffId, Vec<&'a BlobEntry>>,
}

impl<'a> Shares<'a> {
    pub(super) fn of(metadata: &'a Metadata) -> Self {
        let mut named: BTreeMap<BlobDigest, BTreeSet<DiffId>> = BTreeMap::new();
        for layer in metadata.images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers) {
            named.entry(layer.blob).or_default().insert(layer.diff_id);
        }
        let mut blobs: BTreeMap<DiffId, Vec<&BlobEntry>> = BTreeMap::new();
        for blob in &metadata.blobs {
            for diff_id in named.get(&blob.digest).into_iter().flatten() {
                blobs.entry(*diff_id).or_default().push(blob);
            }
        }
        Self { members: metadata.members.iter().map(|member| (member.name.as_str(), member.size)).collect(), blobs }
    }

    pub(super) fn blobs_of(&self, diff_id: DiffId) -> &[&'a BlobEntry] {
        self.blobs.get(&diff_id).map_or(&[], Vec::as_slice)
    }

    /// The bytes of the package that belong to a layer, its compressed forms included.
    pub(super) fn bytes_of(&self, layer: &LayerEntry) -> u64 {
        let mut names: BTreeSet<&str> = match &layer.origin {
            Origin::Held => BTreeSet::new(),
            Origin::Coded { members, .. } => members.iter().map(String::as_str).collect(),
        };
        names.extend(self.blobs_of(layer.diff_id).iter().filter_map(|blob| blob.member_name()));
        names.into_iter().filter_map(|name| self.members.get(name)).sum()
    }
}
