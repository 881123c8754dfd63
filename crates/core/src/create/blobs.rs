//! Blobs that are not simply a layer: compressed, and named by a manifest that must stay valid.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::digest::BlobDigest;
use crate::error::Result;
use crate::image::{Image, Layer, VerifiedBlob};
use crate::metadata::BlobEntry;
use crate::package::Member;

pub(super) struct Carried {
    pub(super) entries: Vec<BlobEntry>,
    pub(super) members: Vec<Member>,
}

/// The compressed blobs of `targets`: those of `bases` are only named, the others travel as they are.
pub(super) fn carry(targets: &[Image], bases: &[Image], context: Context<'_>) -> Result<Carried> {
    let held: BTreeSet<BlobDigest> = layers(bases).map(|layer| layer.blob).collect();
    let wanted: BTreeMap<BlobDigest, &Layer> =
        layers(targets).filter(|layer| layer.blob != layer.diff_id.into()).map(|layer| (layer.blob, layer)).collect();
    let mut carried = Carried { entries: Vec::new(), members: Vec::new() };
    for (digest, layer) in wanted {
        let mut entry = BlobEntry { digest, size: layer.blob_size, compression: layer.compression, member: None };
        if !held.contains(&digest) {
            let member = member(layer)?;
            context.progress.inform(format_args!(
                "layer {} is stored compressed and travels so, in {} bytes, to keep its manifest's digest; with \
                 --identity config it would travel as a delta",
                layer.diff_id.short(),
                layer.blob_size
            ));
            entry.member = Some(member.name.clone());
            carried.members.push(member);
        }
        carried.entries.push(entry);
    }
    Ok(carried)
}

fn member(layer: &Layer) -> Result<Member> {
    let what = format!("the blob {} of layer {}", layer.blob.short(), layer.diff_id.short());
    let blob = VerifiedBlob::check(layer.blob, layer.content.stored()?, &what)?;
    Ok(Member { name: format!("layer_blobs/{}", layer.blob.hex()), bytes: blob.bytes().clone() })
}

fn layers(images: &[Image]) -> impl Iterator<Item = &Layer> {
    images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers)
}
