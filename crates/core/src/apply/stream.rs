//! The target of a package of one file or tree instead of images.

use std::collections::BTreeMap;
use std::sync::Arc;

use delta_codec::ReadAt;

use super::{AtHand, Wanted, rebuild_on};
use crate::error::{Error, Result};
use crate::image::{VerifiedBlob, VerifiedLayer};
use crate::job::context::Context;
use crate::package::Package;

/// Rebuilds the target of a package of a file or tree out of `base`.
///
/// # Errors
/// Content errors when `base` is another one than the package was made against, or the package is damaged.
pub fn apply_stream(package: &Package, base: Arc<dyn ReadAt>, context: Context<'_>) -> Result<VerifiedBlob> {
    let metadata = package.metadata();
    let stream = metadata.stream.as_ref().ok_or_else(|| {
        Error::usage("the package brings images, no file or folder").with_hint("apply it with `docker_delta apply`")
    })?;
    let base = VerifiedLayer::check(stream.base, base, "OLD").map_err(|error| {
        error.with_hint("the package was made against another OLD: bring the one that its maker had")
    })?;
    let wanted = Wanted::from([(stream.target.into(), stream.target)]);
    let blobs = rebuild_on(package, &wanted, AtHand::of(BTreeMap::from([(stream.base, base)])), context)?;
    blobs.into_values().next().ok_or_else(|| Error::internal("the target was not rebuilt"))
}
