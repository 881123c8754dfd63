//! What leaves here was opened, rebuilt and compared as its receiver will do it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use rayon::prelude::*;

use super::{Coded, LayersAtHand};
use crate::digest::DiffId;
use crate::error::{Error, Kind, Result};
use crate::image::UncheckedLayer;
use crate::job::choices::{CompressionOptions, Method};
use crate::job::context::Context;
use crate::layer::coding::{self, Coding};
use crate::layer::recipe::Uses;
use crate::package::features::LayerCodec;
use crate::package::metadata::{Metadata, Origin};
use crate::package::{self, Member, Package};
use crate::verify::{Unproved, prove};

/// A package that was proved, and is ready to be written.
pub struct Prepared {
    /// What it says about itself.
    pub metadata: Metadata,
    package: Arc<dyn ReadAt>,
}

impl Prepared {
    /// The package.
    pub fn bytes(&self) -> &Arc<dyn ReadAt> {
        &self.package
    }

    /// Writes the package and returns its size in bytes.
    ///
    /// # Errors
    /// What writing reports.
    pub fn write(&self, out: &mut dyn Write) -> Result<u64> {
        let failed = |error| Error::io("writing the package")(error);
        let size = io::copy(&mut Reader::new(&self.package), out).map_err(failed)?;
        out.flush().map_err(failed)?;
        Ok(size)
    }
}

/// Puts the package together and proves it. Where method `auto` has the choice, a layer that does not come back is coded
/// again by a simpler codec; but one whose source has other bytes than its digest says is a fault of the source, and what was remembered
/// of a base is doubted first.
pub(crate) fn proved(
    mut coded: Vec<Coded>,
    assemble: impl Fn(&[Coded]) -> (Metadata, Vec<Member>),
    known: &LayersAtHand,
    (method, compression): (Method, CompressionOptions),
    context: Context<'_>,
) -> Result<Prepared> {
    loop {
        let (metadata, members) = assemble(&coded);
        let Unproved { layer, error } = match attempt(metadata, &members, known, context) {
            Ok(prepared) => return Ok(prepared),
            Err(unproved) => unproved,
        };
        if known.is_remembered {
            return Err(not_proved(error));
        }
        let target = known.targets.iter().find(|target| Some(target.diff_id()) == layer);
        target.map(|target| target.check("the target layer")).transpose()?;
        let failed = coded.iter_mut().find(|coded| Some(coded.entry.diff_id) == layer && method == Method::Auto);
        let Some(failed) = failed else { return Err(not_proved(error)) };
        let Some(again) = Simpler::than(failed, known) else { return Err(not_proved(error)) };
        context.progress.inform(format_args!(
            "layer {} does not come back by `{}`, so it travels by `{}`, which may be larger; please report it: {error}",
            again.target.diff_id().short(),
            again.failed.name(),
            again.codec.name(),
        ));
        *failed = Coded::new(again.target, again.code(compression, context)?);
    }
}

/// What is at hand is no fault of the package.
pub(super) fn not_proved(error: Error) -> Error {
    if error.kind() == Kind::Environment {
        return error;
    }
    Error::internal(format!("what was made would not give back what went into it: {error}"))
        .with_hint("nothing was written; please report it, and try another method with -m")
}

fn attempt(
    mut metadata: Metadata,
    members: &[Member],
    known: &LayersAtHand,
    context: Context<'_>,
) -> std::result::Result<Prepared, Unproved> {
    let unproved = |error| Unproved { layer: None, error };
    metadata.members = members.par_iter().map(Member::entry).collect::<Result<_>>().map_err(unproved)?;
    let write = |out: &mut dyn Write| package::write(&metadata, members, out).map(|_| ());
    let package = context.spool("writing the package", |out| write(out)).map_err(unproved)?;
    let opened = Package::open(package.clone(), context.scratch).map_err(unproved)?;
    // What the package brings must not stand in for what it is proved by.
    let held = metadata.base_layers();
    let bases: Vec<_> = known.bases.iter().filter(|layer| held.contains(&layer.diff_id())).cloned().collect();
    prove(&opened, (&bases, &known.targets), context)?;
    Ok(Prepared { metadata: opened.metadata().clone(), package })
}

/// A layer on its way by a simpler codec.
struct Simpler<'a> {
    target: &'a UncheckedLayer,
    /// The codec by which it does not come back.
    failed: LayerCodec,
    codec: LayerCodec,
    bases: Vec<UncheckedLayer>,
}

impl<'a> Simpler<'a> {
    /// A plain difference against the same bases, else whole; `None` when it is whole.
    fn than(failed: &Coded, known: &'a LayersAtHand) -> Option<Self> {
        let target = known.targets.iter().find(|layer| layer.diff_id() == failed.entry.diff_id)?;
        let layers = known.bases.iter().chain(&known.targets).cloned();
        let layers: BTreeMap<DiffId, UncheckedLayer> = layers.map(|layer| (layer.diff_id(), layer)).collect();
        let Origin::Coded { codec: failed_codec, bases, .. } = &failed.entry.origin else { return None };
        let bases: Vec<UncheckedLayer> = bases.iter().filter_map(|base| layers.get(base)).cloned().collect();
        let (codec, bases) = match failed_codec {
            LayerCodec::Recipe if !bases.is_empty() => (LayerCodec::Vcdiff, bases),
            LayerCodec::Recipe | LayerCodec::Vcdiff | LayerCodec::Bsdiff => (LayerCodec::Whole, Vec::new()),
            LayerCodec::Whole => return None,
        };
        Some(Self { target, failed: *failed_codec, codec, bases })
    }

    fn code(&self, compression: CompressionOptions, context: Context<'_>) -> Result<Coding> {
        let members = coding::encode(self.codec, &self.bases, self.target, compression, context)?;
        let bases = self.bases.iter().map(UncheckedLayer::diff_id).collect();
        Ok(Coding { codec: self.codec, bases, members, uses: Uses::default() })
    }
}
