//! What it takes to make blobs, told before anything is read or written.

use serde::Serialize;

use super::{Wanted, coded_layers};
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
}

impl Cost {
    /// What making the `wanted` blobs takes.
    pub fn of(metadata: &Metadata, wanted: &Wanted) -> Self {
        let index = Index::of(metadata);
        let layers = coded_layers(metadata, &index, wanted);
        let blob_bytes = |(blob, diff_id): (&_, &_)| match index.blob(*blob) {
            Some(blob) => blob.size,
            None => index.layer(*diff_id).map_or(0, LayerEntry::known_size),
        };
        let blobs = wanted.keys().filter_map(|digest| index.blob(*digest));
        Self {
            rebuilt_bytes: layers.iter().map(|layer| layer.known_size()).sum(),
            recompressed_bytes: layers.iter().map(|layer| layer.origin.recompressed()).sum(),
            recreated_bytes: blobs.filter(|blob| blob.recreated.is_some()).map(|blob| blob.size).sum(),
            blob_bytes: wanted.iter().map(blob_bytes).sum(),
        }
    }

    /// The room that it takes in temporary files.
    pub const fn room(self) -> u64 {
        self.rebuilt_bytes + self.recreated_bytes
    }
}
