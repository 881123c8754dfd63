//! Layers and blobs by what names them: a package may list many thousands, and each is asked for.

use std::collections::BTreeMap;

use super::{BlobEntry, LayerEntry, Metadata};
use crate::digest::{BlobDigest, DiffId};

/// The entries of a document by their digests.
pub struct Index<'a> {
    layers: BTreeMap<DiffId, &'a LayerEntry>,
    blobs: BTreeMap<BlobDigest, &'a BlobEntry>,
}

impl<'a> Index<'a> {
    /// Of all that `metadata` lists.
    pub fn of(metadata: &'a Metadata) -> Self {
        Self {
            layers: metadata.layers.iter().map(|layer| (layer.diff_id, layer)).collect(),
            blobs: metadata.blobs.iter().map(|blob| (blob.digest, blob)).collect(),
        }
    }

    /// The entry of a layer.
    pub fn layer(&self, diff_id: DiffId) -> Option<&'a LayerEntry> {
        self.layers.get(&diff_id).copied()
    }

    /// The entry of a blob that is no layer.
    pub(crate) fn blob(&self, digest: BlobDigest) -> Option<&'a BlobEntry> {
        self.blobs.get(&digest).copied()
    }
}
