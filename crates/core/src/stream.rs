//! A package of one file or tree instead of images: the same machinery with one layer.

use std::sync::Arc;

use delta_codec::ReadAt;

use crate::coding::{self, Known, Squeeze};
use crate::context::Context;
use crate::create::Prepared;
use crate::error::{Error, Result};
use crate::image::VerifiedLayer;
use crate::matcher::Library;
use crate::metadata::{FORMAT, LayerEntry, Metadata, Origin, StreamEntry, StreamKind};
use crate::method::{Identity, Method};
use crate::package::{Member, Package};

/// Prepares the package that makes `target` out of `base`.
///
/// # Errors
/// What reading and the room report.
pub fn create_stream(
    kind: StreamKind,
    base: Arc<dyn ReadAt>,
    target: Arc<dyn ReadAt>,
    (method, squeeze): (Method, Squeeze),
    context: Context<'_>,
) -> Result<Prepared> {
    let base = VerifiedLayer::hash(base, "OLD")?;
    let target = VerifiedLayer::hash(target, "NEW")?;
    let mut layers = if base.bytes().is_empty() { Vec::new() } else { vec![base.clone()] };
    let coding = if method == Method::Auto {
        layers.push(target.clone());
        let library = Library::new(layers.iter().map(|layer| layer.bytes().clone()).collect());
        let library = library.map_err(Error::io("reading OLD and NEW"))?;
        coding::encode_smallest(method, Known::Library(&library, &layers, layers.len() - 1), &target, squeeze, context)?
    } else {
        coding::encode_smallest(method, Known::Bases(&layers), &target, squeeze, context)?
    };
    let metadata = Metadata {
        format: FORMAT,
        requires: coding.features().collect(),
        created_by: crate::created_by(),
        method,
        identity: Identity::Config,
        compression: squeeze.compression.name().to_owned(),
        level: squeeze.level.number(),
        images: Vec::new(),
        stream: Some(StreamEntry {
            kind,
            target: target.diff_id(),
            base: base.diff_id(),
            base_size: base.bytes().len(),
        }),
        bases: Vec::new(),
        layers: vec![LayerEntry { diff_id: target.diff_id(), size: target.bytes().len(), origin: coding.origin() }],
        blobs: Vec::new(),
        members: coding.members.iter().map(Member::entry).collect::<Result<_>>()?,
    };
    Prepared::new(metadata, coding.members)
}

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
