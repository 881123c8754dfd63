//! What was found out about base layers, kept from one job to the next.

use crate::digest::DiffId;

/// Keeps an index for each base layer. Whoever gets one back takes it for a hint: a package is proved whatever it says.
pub trait IndexCache: Sync {
    /// The index that was kept last; nothing where there is none, or it cannot be read.
    fn load(&self, layer: DiffId) -> Option<Vec<u8>>;

    /// Keeps an index in the place of an earlier one. Where that cannot be done, nothing is kept.
    fn store(&self, layer: DiffId, index: &[u8]);
}
