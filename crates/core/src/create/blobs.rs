//! Blobs that are not simply a layer: compressed, and named by a manifest that must stay valid.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::digest::{BlobDigest, DiffId};
use crate::error::Result;
use crate::image::{BlobCompression, Image, Layer, VerifiedBlob, VerifiedLayer};
use crate::job::context::Context;
use crate::package::Member;
use crate::package::metadata::BlobEntry;

pub(super) struct Carried {
    pub(super) entries: Vec<BlobEntry>,
    pub(super) members: Vec<Member>,
    /// For each layer that a carried blob is, the member and the layer's size in bytes.
    pub(super) layers: BTreeMap<DiffId, (String, u64)>,
}

/// The compressed blobs of `targets`: those of `bases` are only named, the others travel as they are.
pub(super) fn carry(targets: &[Image], bases: &[Image], context: Context<'_>) -> Result<Carried> {
    let held: BTreeSet<BlobDigest> = layers(bases).map(|layer| layer.blob).collect();
    let wanted: BTreeMap<BlobDigest, &Layer> =
        layers(targets).filter(|layer| layer.blob != layer.diff_id.into()).map(|layer| (layer.blob, layer)).collect();
    let carried = wanted.par_iter().filter(|(digest, _)| !held.contains(digest));
    let carried: BTreeMap<BlobDigest, Blob> =
        carried.map(|(digest, layer)| Ok((*digest, blob(layer, context)?))).collect::<Result<_>>()?;
    let entry = |(digest, layer): (&BlobDigest, &&Layer)| BlobEntry {
        digest: *digest,
        size: layer.blob_size,
        compression: layer.compression,
        member: carried.get(digest).map(|blob| blob.member.name.clone()),
    };
    let entries = wanted.iter().map(entry).collect();
    // Of several blobs that are one layer the first counts.
    let layer = |blob: &Blob| (blob.diff_id, (blob.member.name.clone(), blob.size));
    let layers = carried.values().rev().map(layer).collect();
    Ok(Carried { entries, layers, members: carried.into_values().map(|blob| blob.member).collect() })
}

/// A blob that travels as it is.
struct Blob {
    diff_id: DiffId,
    /// The size of the layer in bytes.
    size: u64,
    member: Member,
}

/// The layer is not coded besides: it is the blob without its compression.
fn blob(layer: &Layer, context: Context<'_>) -> Result<Blob> {
    let what = format!("the blob {} of layer {}", layer.blob.short(), layer.diff_id.short());
    let bytes = VerifiedBlob::check(layer.blob, layer.content.stored()?, &what)?.bytes().clone();
    let member = Member { name: format!("layer_blobs/{}{}", layer.blob.hex(), suffix(layer.compression)), bytes };
    let plain = VerifiedLayer::check(layer.diff_id, layer.content.plain()?, &format!("{what}, decompressed"))?;
    let size = plain.bytes().len();
    context.progress.inform(format_args!(
        "layer {} is stored compressed and travels so, in {} bytes, to keep its manifest's digest; with \
         --identity config it would travel as a delta",
        layer.diff_id.short(),
        layer.blob_size
    ));
    Ok(Blob { diff_id: layer.diff_id, size, member })
}

const fn suffix(compression: BlobCompression) -> &'static str {
    match compression {
        BlobCompression::None => ".tar",
        BlobCompression::Gzip => ".tar.gz",
        BlobCompression::Zstd => ".tar.zst",
    }
}

fn layers(images: &[Image]) -> impl Iterator<Item = &Layer> {
    images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers)
}
