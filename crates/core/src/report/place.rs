//! Which layers a base has, but not where an image wants them.

use std::collections::BTreeSet;

use crate::digest::DiffId;
use crate::package::metadata::{BaseEntry, LayerBlob, ManifestEntry, Metadata};

/// The layers that stand at some place of an image above other layers than in every base. Docker's classic store, which
/// knows layers by all that is below them, must be given their bytes again.
pub(super) fn displaced(metadata: &Metadata) -> BTreeSet<DiffId> {
    let manifests = metadata.images.iter().flat_map(|image| &image.manifests);
    manifests.flat_map(|manifest| above(&metadata.bases, manifest)).map(|layer| layer.diff_id).collect()
}

/// The layers of a manifest above the longest start that it shares with a base.
fn above<'a>(bases: &[BaseEntry], manifest: &'a ManifestEntry) -> &'a [LayerBlob] {
    let shared = bases.iter().flat_map(chains).map(|chain| shared_start(chain, &manifest.layers)).max();
    &manifest.layers[shared.unwrap_or(0)..]
}

/// Where the layers of a base may start: of several platforms they are listed one behind the other.
fn chains(base: &BaseEntry) -> impl Iterator<Item = &[LayerBlob]> {
    let starts = if base.configs.len() > 1 { base.layers.len() } else { 1 };
    (0..starts.min(base.layers.len())).map(|start| &base.layers[start..])
}

fn shared_start(chain: &[LayerBlob], layers: &[LayerBlob]) -> usize {
    chain.iter().zip(layers).take_while(|(held, layer)| held.diff_id == layer.diff_id).count()
}
