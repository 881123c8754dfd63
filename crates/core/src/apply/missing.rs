//! Says which base images and layers are missing, so that the user knows what to bring.

use std::collections::BTreeSet;

use crate::digest::DiffId;
use crate::error::{Error, Result};
use crate::package::metadata::{BaseEntry, Metadata};

/// Compares what is `needed` with what is there.
pub(super) fn check(metadata: &Metadata, needed: &BTreeSet<DiffId>, there: &BTreeSet<DiffId>) -> Result<()> {
    let missing: Vec<DiffId> = needed.difference(there).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let has = |base: &&BaseEntry| base.layers.iter().any(|layer| missing.contains(&layer.diff_id));
    let images: Vec<String> = metadata.bases.iter().filter(has).map(label).collect();
    let layers: Vec<String> = missing.iter().map(DiffId::short).collect();
    let from = if images.is_empty() { "no image that the package names".to_owned() } else { images.join(", ") };
    Err(Error::environment(format!(
        "{} of {} base layers are missing here: {}; the package was made against {from}",
        missing.len(),
        needed.len(),
        layers.join(", ")
    ))
    .with_hint("load that image into the engine, or name an archive of it with --base FILE"))
}

fn label(base: &BaseEntry) -> String {
    let id = base.configs.first().map_or_else(|| base.root.short(), |config| config.short());
    base.names.first().map_or_else(|| format!("image {id}"), |name| format!("{name} (image {id})"))
}
