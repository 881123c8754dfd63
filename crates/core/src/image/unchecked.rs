//! A layer on its way to be checked.

use std::sync::Arc;

use delta_codec::ReadAt;

use super::{Layer, VerifiedLayer};
use crate::digest::DiffId;
use crate::error::Result;

/// A layer whose bytes are still to be compared with its diff ID. One that is coded is read for that, and what is rebuilt of the package
/// has the digest or is refused, so that nobody hashes it before; and of a base nothing counts but what comes out.
#[derive(Clone)]
pub(crate) struct UncheckedLayer {
    diff_id: DiffId,
    bytes: Arc<dyn ReadAt>,
}

impl UncheckedLayer {
    /// The layer as its source has it.
    pub(crate) fn of(layer: &Layer) -> Result<Self> {
        Ok(Self { diff_id: layer.diff_id, bytes: layer.content.plain()? })
    }

    /// The layer as it is read through what was found out about it before.
    pub(crate) const fn remembered(diff_id: DiffId, bytes: Arc<dyn ReadAt>) -> Self {
        Self { diff_id, bytes }
    }

    /// The digest that its bytes shall have.
    pub(crate) const fn diff_id(&self) -> DiffId {
        self.diff_id
    }

    /// The uncompressed tar stream, as it is said to be.
    pub(crate) const fn bytes(&self) -> &Arc<dyn ReadAt> {
        &self.bytes
    }

    /// Reads all bytes of `what` it is and compares.
    pub(crate) fn check(&self, what: &str) -> Result<VerifiedLayer> {
        VerifiedLayer::check(self.diff_id, self.bytes.clone(), &format!("{what} {}", self.diff_id.short()))
    }

    /// The layer, when what was made of its bytes and rebuilt from that has this digest and its length; else nothing.
    pub(crate) fn rebuilt(&self, (found, length): (DiffId, u64)) -> Option<VerifiedLayer> {
        let is_same = found == self.diff_id && length == self.bytes.len();
        is_same.then(|| VerifiedLayer { diff_id: self.diff_id, bytes: self.bytes.clone() })
    }
}

impl From<&VerifiedLayer> for UncheckedLayer {
    fn from(layer: &VerifiedLayer) -> Self {
        Self { diff_id: layer.diff_id(), bytes: layer.bytes().clone() }
    }
}
