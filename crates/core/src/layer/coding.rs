//! One layer to members and back, by each codec.

mod codecs;
pub(crate) mod compressed;
mod decode;
mod mixed;
mod recipe_members;

use std::io;

use delta_codec::compress::Compression;
use delta_codec::{Concat, bsdiff, vcdiff};

use crate::digest::DiffId;
use crate::error::{Error, Result};
use crate::image::UncheckedLayer;
use crate::job::choices::{CompressionOptions, Method};
use crate::job::context::Context;
use crate::layer::matcher::Library;
use crate::layer::recipe::Uses;
use crate::limits;
use crate::package::Member;
use crate::package::features::{LayerCodec, RecipeFeature};
use crate::package::metadata::Origin;

use compressed::compress;
pub(crate) use decode::{Promised, decode, read_through};
use mixed::is_mixed;

/// What a member is refused with that holds more than its layer.
pub(crate) const MORE_THAN_PROMISED: &str = "more bytes come than the metadata says";

/// What a layer may be coded against.
#[derive(Clone, Copy)]
pub(crate) enum Candidates<'a> {
    /// These layers, one behind the other.
    Layers(&'a [UncheckedLayer]),
    /// The layers of the library, which are these, before the one with this number.
    Library(&'a Library, &'a [UncheckedLayer], usize),
}

/// A coded layer.
pub(crate) struct Coding {
    pub(crate) codec: LayerCodec,
    /// What it was coded against.
    pub(crate) bases: Vec<DiffId>,
    pub(crate) members: Vec<Member>,
    /// What a reader must know besides the codec.
    pub(crate) uses: Uses,
}

impl Coding {
    /// What `metadata.json` says of it.
    pub(crate) fn origin(&self) -> Origin {
        Origin::Coded {
            codec: self.codec,
            bases: self.bases.clone(),
            members: self.members.iter().map(|member| member.name.clone()).collect(),
            recompressed: self.uses.recompressed,
        }
    }

    /// What a reader must know.
    pub(crate) fn features(&self) -> impl Iterator<Item = String> {
        let Uses { opens, predicts, predicts_large, guides, ref encoders, recompressed: _ } = self.uses;
        let used = [
            (true, self.codec.name()),
            (opens, RecipeFeature::Opened.name()),
            (predicts, RecipeFeature::Predicted.name()),
            (predicts_large, RecipeFeature::PredictedLarge.name()),
            (self.members.iter().any(|member| is_mixed(&member.name)), RecipeFeature::Mixed.name()),
            (guides, RecipeFeature::Guided.name()),
        ];
        let used = used.into_iter().filter(|(is_used, _)| *is_used).map(|(_, feature)| feature);
        used.chain(encoders.iter().copied()).map(str::to_owned)
    }

    fn size(&self) -> u64 {
        self.members.iter().map(|member| member.bytes.len() + limits::MEMBER_OVERHEAD).sum()
    }
}

/// Codes `target` by every codec of `method` that may win and keeps the smallest result.
pub(crate) fn encode_smallest(
    method: Method,
    candidates: Candidates<'_>,
    target: &UncheckedLayer,
    compression: CompressionOptions,
    context: Context<'_>,
) -> Result<Coding> {
    let mut best = None;
    let mut take = |coding: Coding| {
        let (name, bytes) = (coding.codec.name(), coding.size());
        context.progress.detail(format_args!("layer {}: {name} {bytes} bytes", target.diff_id().short()));
        if best.as_ref().is_none_or(|best: &Coding| bytes < best.size()) {
            best = Some(coding);
        }
    };
    let bases = match candidates {
        Candidates::Layers(bases) => bases.to_vec(),
        Candidates::Library(library, layers, number) => {
            let (bases, members, uses) = recipe_members::encode(library, number, target, compression, context)?;
            let bases: Vec<_> = bases.into_iter().map(|base| layers[base].clone()).collect();
            take(Coding { codec: LayerCodec::Recipe, bases: ids(&bases), members, uses });
            bases
        }
    };
    for codec in codecs::of(method, !bases.is_empty(), target.bytes().len()).iter().copied() {
        let members = encode(codec, &bases, target, compression, context)?;
        let bases = if codec == LayerCodec::Whole { Vec::new() } else { ids(&bases) };
        take(Coding { codec, bases, members, uses: Uses::default() });
    }
    best.ok_or_else(|| Error::internal("a method without codecs"))
}

fn ids(layers: &[UncheckedLayer]) -> Vec<DiffId> {
    layers.iter().map(UncheckedLayer::diff_id).collect()
}

/// Codes `target` against `bases`.
pub(crate) fn encode(
    codec: LayerCodec,
    bases: &[UncheckedLayer],
    target: &UncheckedLayer,
    compression: CompressionOptions,
    context: Context<'_>,
) -> Result<Vec<Member>> {
    let doing = format!("coding the layer {}", target.diff_id().short());
    let failed = |error: io::Error| Error::io(doing.clone())(error);
    let base = Concat::new(bases.iter().map(UncheckedLayer::bytes));
    let stem = format!("layer_deltas/{}{}", target.diff_id().hex(), codec.suffix());
    let raw = match codec {
        LayerCodec::Recipe => return Err(Error::internal("a recipe is made with a library")),
        LayerCodec::Whole => target.bytes().clone(),
        LayerCodec::Vcdiff => {
            context.spool(&doing, |out| vcdiff::encode(&base, target.bytes(), b"", out).map_err(failed))?
        }
        LayerCodec::Bsdiff => {
            context.spool(&doing, |out| bsdiff::encode(&base, target.bytes(), context.scratch, out).map_err(failed))?
        }
    };
    let member = compress(stem, raw, compressor(codec, compression), context)?;
    Ok(vec![member])
}

/// BSDIFF40 is compressed inside; `bspatch` reads it only as it is.
const fn compressor(codec: LayerCodec, compression: CompressionOptions) -> CompressionOptions {
    match codec {
        LayerCodec::Bsdiff => CompressionOptions { compressor: Compression::None, ..compression },
        LayerCodec::Recipe | LayerCodec::Whole | LayerCodec::Vcdiff => compression,
    }
}
