//! What the bases have, and what of it is read.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::{BlobDigest, DiffId};
use crate::error::Result;
use crate::image::{Image, Layer, Manifest, Platform, layers_of};

/// Far layers that stay in their places are read when those that were replaced have fewer bytes than one part in so many of what is missing.
const FORERUNNERS: u64 = 2;

/// The layers of the bases that are read, when the `missing` ones are compared with bases or not.
///
/// Near ones are read where they may be of use, and also where they are only left out: a base that is damaged here may be the one that
/// the other side got. Far ones are never read to be left out. Those that both sides have are not what a missing layer was before, so
/// that they are read only where hardly any such layer is there: what is added on top may change any file below. Nor are those of
/// platforms for which nothing is missing.
pub(super) fn read<'a>(
    held: &'a [Layer],
    (bases, targets): (&[Image], &[Image]),
    missing: &[&Layer],
    uses_bases: bool,
) -> Vec<&'a Layer> {
    let wanted: BTreeSet<DiffId> = manifests(targets).flat_map(diff_ids).collect();
    let missing_ids: BTreeSet<DiffId> = missing.iter().map(|layer| layer.diff_id).collect();
    let related = related(bases, targets, &missing_ids);
    let replaced = held.iter().filter(|layer| related.contains(&layer.diff_id) && !wanted.contains(&layer.diff_id));
    let (replaced, lost) = (bytes(replaced), bytes(missing.iter().copied()));
    let has_forerunners = replaced.saturating_mul(FORERUNNERS) >= lost;
    let is_read = |layer: &&Layer| {
        let stays = wanted.contains(&layer.diff_id);
        if layer.content.is_far() {
            uses_bases && related.contains(&layer.diff_id) && !(stays && has_forerunners)
        } else {
            uses_bases || stays
        }
    };
    held.iter().filter(is_read).collect()
}

/// The bytes of layers that stay, as far as they are known without reading them.
pub(super) struct Sizes<'a> {
    /// Of those that are somewhere uncompressed.
    plain: BTreeMap<DiffId, u64>,
    /// Those of which a target has a blob that no base has, so that it was read.
    read: BTreeMap<DiffId, &'a Layer>,
}

impl<'a> Sizes<'a> {
    /// Of the layers of all images.
    pub(super) fn of((bases, targets): (&'a [Image], &'a [Image])) -> Self {
        let held: BTreeSet<BlobDigest> = layers_of(bases).map(|layer| layer.blob).collect();
        let is_plain = |layer: &&Layer| layer.blob == layer.diff_id.into();
        Self {
            plain: layers_of(bases)
                .chain(layers_of(targets))
                .filter(is_plain)
                .map(|layer| (layer.diff_id, layer.blob_size))
                .collect(),
            read: layers_of(targets)
                .filter(|layer| !held.contains(&layer.blob))
                .map(|layer| (layer.diff_id, layer))
                .collect(),
        }
    }

    /// Of one of them.
    pub(super) fn get(&self, layer: &Layer) -> Result<Option<u64>> {
        match (self.plain.get(&layer.diff_id), self.read.get(&layer.diff_id)) {
            (Some(size), _) => Ok(Some(*size)),
            (None, Some(read)) => Ok(Some(read.content.plain()?.len())),
            (None, None) => Ok(None),
        }
    }
}

/// The layers of the bases for the platforms for which a layer is missing; all where a base lacks such a platform.
fn related(bases: &[Image], targets: &[Image], missing: &BTreeSet<DiffId>) -> BTreeSet<DiffId> {
    let lacks = |manifest: &&Manifest| diff_ids(manifest).any(|diff_id| missing.contains(&diff_id));
    let platforms: BTreeSet<Option<&Platform>> =
        manifests(targets).filter(lacks).map(|manifest| manifest.platform.as_ref()).collect();
    let had: BTreeSet<Option<&Platform>> = manifests(bases).map(|manifest| manifest.platform.as_ref()).collect();
    let is_related =
        |manifest: &&Manifest| !platforms.is_subset(&had) || platforms.contains(&manifest.platform.as_ref());
    manifests(bases).filter(is_related).flat_map(diff_ids).collect()
}

fn manifests(images: &[Image]) -> impl Iterator<Item = &Manifest> {
    images.iter().flat_map(|image| &image.manifests)
}

fn diff_ids(manifest: &Manifest) -> impl Iterator<Item = DiffId> + '_ {
    manifest.layers.iter().map(|layer| layer.diff_id)
}

fn bytes<'a>(layers: impl Iterator<Item = &'a Layer>) -> u64 {
    layers.map(|layer| layer.blob_size).sum()
}
