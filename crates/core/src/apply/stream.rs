//! The target of a package of one file or tree instead of images.

use std::sync::Arc;

use delta_codec::ReadAt;

use crate::error::{Error, Result};
use crate::image::VerifiedLayer;
use crate::job::context::Context;
use crate::layer::coding;
use crate::package::metadata::Origin;
use crate::package::{Member, Package};

/// Rebuilds the target of a package of a file or tree out of `base`.
///
/// # Errors
/// Content errors when `base` is another one than the package was made against, or the package is damaged.
pub fn apply_stream(package: &Package, base: Arc<dyn ReadAt>, context: Context<'_>) -> Result<VerifiedLayer> {
    let metadata = package.metadata();
    let stream = metadata.stream.as_ref().ok_or_else(|| {
        Error::usage("the package brings images, no file or folder").with_hint("apply it with `docker_delta apply`")
    })?;
    let base = VerifiedLayer::check(stream.base, base, "OLD").map_err(|error| {
        error.with_hint("the package was made against another OLD: bring the one that its maker had")
    })?;
    let layer = metadata.layer(stream.target).ok_or_else(|| Error::content("metadata.json lists no target"))?;
    let Origin::Coded { codec, bases, members, .. } = &layer.origin else {
        return VerifiedLayer::check(stream.target, base.bytes().clone(), "NEW");
    };
    let bases = vec![base.bytes().clone(); bases.len().min(1)];
    let member = |name: &String| Ok(Member { name: name.clone(), bytes: package.member(name)? });
    let members = members.iter().map(member).collect::<Result<Vec<_>>>()?;
    coding::decode(*codec, &bases, &members, (stream.target, layer.size), context)
}
