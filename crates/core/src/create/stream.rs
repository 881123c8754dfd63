//! A package of one file or tree instead of images: the same machinery with one layer.

use std::sync::Arc;

use delta_codec::ReadAt;

use super::proof::{Prepared, proved};
use super::{Coded, LayersAtHand};
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::image::{UncheckedLayer, VerifiedLayer};
use crate::job::choices::{CompressionOptions, Identity, Method};
use crate::job::context::Context;
use crate::layer::coding::{self, Candidates};
use crate::layer::matcher::Library;
use crate::package::metadata::{FORMAT, Metadata, StreamEntry, StreamKind};

/// Prepares the package that makes `target` out of `base`; `file` says what a file is besides its bytes.
///
/// # Errors
/// What reading and the room report.
pub fn create_stream(
    (kind, file): (StreamKind, Option<Facts>),
    base: Arc<dyn ReadAt>,
    target: Arc<dyn ReadAt>,
    (method, compression): (Method, CompressionOptions),
    context: Context<'_>,
) -> Result<Prepared> {
    let base = VerifiedLayer::hash(base, "OLD")?;
    let target = UncheckedLayer::from(&VerifiedLayer::hash(target, "NEW")?);
    let mut layers = if base.bytes().is_empty() { Vec::new() } else { vec![UncheckedLayer::from(&base)] };
    let coding = if method == Method::Auto {
        layers.push(target.clone());
        let library = Library::new(layers.iter().map(|layer| layer.bytes().clone()).collect());
        let library = library.map_err(Error::io("reading OLD and NEW"))?;
        coding::encode_smallest(
            method,
            Candidates::Library(&library, &layers, layers.len() - 1),
            &target,
            compression,
            context,
        )?
    } else {
        coding::encode_smallest(method, Candidates::Layers(&layers), &target, compression, context)?
    };
    let stream =
        StreamEntry { kind, target: target.diff_id(), base: base.diff_id(), base_size: base.bytes().len(), file };
    let assemble = |coded: &[Coded]| {
        let metadata = Metadata {
            format: FORMAT,
            requires: coded.iter().flat_map(|layer| &layer.features).cloned().collect(),
            created_by: crate::created_by(),
            method,
            identity: Identity::Config,
            compression: compression.compressor.name().to_owned(),
            level: compression.level.number(),
            images: Vec::new(),
            layout_index: None,
            stream: Some(stream.clone()),
            bases: Vec::new(),
            layers: coded.iter().map(|layer| layer.entry.clone()).collect(),
            blobs: Vec::new(),
            members: Vec::new(),
        };
        (metadata, coded.iter().flat_map(|layer| &layer.members).cloned().collect())
    };
    let coded = vec![Coded::new(&target, coding)];
    let known = LayersAtHand { bases: vec![(&base).into()], targets: vec![target], is_remembered: false };
    proved(coded, assemble, &known, (method, compression), context)
}
