//! What it takes to make blobs, told before anything is read or written.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Wanted, coded_layers};
use crate::digest::{BlobDigest, DiffId};
use crate::package::metadata::{Index, LayerEntry, Metadata};

/// Bytes that are made for some wanted blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Of layers that are rebuilt.
    pub rebuilt_bytes: u64,
    /// Of compressed files in these layers: plain bytes that are compressed again.
    pub recompressed_bytes: u64,
    /// Of blobs that are made by compressing layers again.
    pub recreated_bytes: u64,
    /// Of all blobs that are handed over.
    pub blob_bytes: u64,
    /// Of rebuilt layers that are handed over as they are.
    #[serde(skip)]
    pub(super) plain_bytes: u64,
}

impl Cost {
    /// What making the `wanted` blobs takes.
    pub fn of(metadata: &Metadata, wanted: &Wanted) -> Self {
        let index = Index::of(metadata);
        let layers = coded_layers(metadata, &index, wanted);
        let known = |(blob, diff_id): (&_, &_)| size(&index, *blob, *diff_id).unwrap_or(0);
        let blobs = wanted.keys().filter_map(|digest| index.blob(*digest));
        let is_handed_over = |layer: &&&LayerEntry| wanted.contains_key(&layer.diff_id.into());
        Self {
            rebuilt_bytes: layers.iter().map(|layer| layer.known_size()).sum(),
            recompressed_bytes: layers.iter().map(|layer| layer.origin.recompressed()).sum(),
            recreated_bytes: blobs.filter(|blob| blob.recreated.is_some()).map(|blob| blob.size).sum(),
            blob_bytes: wanted.iter().map(known).sum(),
            plain_bytes: layers.iter().filter(is_handed_over).map(|layer| layer.known_size()).sum(),
        }
    }

    /// The room that it takes in temporary files where the blobs have no places.
    pub const fn room(self) -> u64 {
        self.rebuilt_bytes + self.recreated_bytes
    }

    /// The same where they have.
    pub const fn room_besides_places(self) -> u64 {
        self.rebuilt_bytes - self.plain_bytes
    }
}

/// The sizes of the `wanted` blobs in bytes; nothing when the package does not know all of them.
pub fn sizes(metadata: &Metadata, wanted: &Wanted) -> Option<BTreeMap<BlobDigest, u64>> {
    let index = Index::of(metadata);
    wanted.iter().map(|(blob, diff_id)| Some((*blob, size(&index, *blob, *diff_id)?))).collect()
}

fn size(index: &Index<'_>, blob: BlobDigest, diff_id: DiffId) -> Option<u64> {
    match index.blob(blob) {
        Some(blob) => Some(blob.size),
        None => index.layer(diff_id)?.size,
    }
}
