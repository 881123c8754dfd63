//! A recipe to members and back: the recipe itself and its long streams; short streams stand in the first member.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::mix::Guides;
use delta_codec::{ReadAt, Reader, Slice};

use super::compressed::{compress_smallest, plain};
use super::mixed::{self, is_mixed};
use crate::digest::DiffId;
use crate::error::{Error, Result};
use crate::image::UncheckedLayer;
use crate::job::choices::CompressionOptions;
use crate::job::context::Context;
use crate::layer::matcher::Library;
use crate::layer::recipe::{self, Streams, Uses};
use crate::limits::{INLINE_STREAM_BYTES, MEMBER_OVERHEAD};
use crate::package::Member;
use crate::package::features::{Extent, RecipeFeature, RecipeStream};

/// Bytes of the table at the start of the first member: for each other stream, its length when it follows there.
pub(super) const TABLE: usize = 4 * OTHERS;

/// Streams besides the recipe itself.
pub(super) const OTHERS: usize = RecipeStream::ALL.len() - 1;

/// Writes the recipe of `target`, which is number `layer` of `library`, and returns which layers and what else it needs.
pub(super) fn encode(
    library: &Library,
    layer: usize,
    target: &UncheckedLayer,
    compression: CompressionOptions,
    context: Context<'_>,
) -> Result<(Vec<usize>, Vec<Member>, Uses)> {
    let doing = format!("coding the layer {}", target.diff_id().short());
    let recipe = recipe::encode(library, layer, compression, context).map_err(Error::io(doing.clone()))?;
    let apart = apart(&recipe.streams, !recipe.bases.is_empty(), target, compression, context)?;
    let bases: Vec<_> = recipe.bases.iter().map(|base| library.bytes(*base).clone()).collect();
    let mixed = if compression.is_thorough() { mixed::encode(&recipe, &bases, &apart, target, context)? } else { None };
    let Some(mixed) = mixed.filter(|mixed| weight(&mixed.members) < weight(&apart)) else {
        return Ok((recipe.bases, apart, recipe.uses));
    };
    Ok((recipe.bases, mixed.members, Uses { guides: mixed.guides, ..recipe.uses }))
}

/// What members cost.
fn weight(members: &[Member]) -> u64 {
    members.iter().map(|member| member.bytes.len() + MEMBER_OVERHEAD).sum()
}

/// The name of the member of a stream, without the compressor's suffix.
pub(super) fn stem(target: &UncheckedLayer, stream: RecipeStream) -> String {
    format!("layer_deltas/{}.{}", target.diff_id().hex(), stream.name())
}

/// Long streams as members of their own, short ones before the recipe in its member.
fn apart(
    streams: &Streams,
    has_bases: bool,
    target: &UncheckedLayer,
    compression: CompressionOptions,
    context: Context<'_>,
) -> Result<Vec<Member>> {
    let doing = format!("coding the layer {}", target.diff_id().short());
    let [first, others @ ..] = streams;
    let (short, long): (Vec<_>, Vec<_>) = RecipeStream::ALL[1..]
        .iter()
        .zip(others)
        .filter(|(_, bytes)| !bytes.is_empty())
        .partition(|(_, bytes)| bytes.len() <= INLINE_STREAM_BYTES);
    let mut table = Vec::with_capacity(TABLE);
    for stream in &RecipeStream::ALL[1..] {
        let length = short.iter().find(|(short, _)| *short == stream).map_or(0, |(_, bytes)| bytes.len());
        table.extend_from_slice(&u32::try_from(length).unwrap_or_default().to_le_bytes());
    }
    let joined = context.spool(&doing, |out| {
        let write = |out: &mut dyn Write| {
            out.write_all(&table)?;
            let parts = short.iter().map(|(_, bytes)| *bytes).chain([first]);
            parts.into_iter().try_for_each(|part| io::copy(&mut Reader::new(part), out).map(|_| ()))
        };
        write(out).map_err(Error::io(doing.clone()))
    })?;
    let layer = (target.bytes().len(), has_bases);
    let member = |stream, bytes| compress_smallest(stem(target, stream), bytes, layer, compression, context);
    let mut members = vec![member(RecipeStream::Recipe, joined)?];
    for (stream, bytes) in long {
        members.push(member(*stream, bytes.clone())?);
    }
    Ok(members)
}

/// Rebuilds the layer `expected` into `out`, with no other encoders than those that the package `requires`.
pub(super) fn decode(
    bases: &[Arc<dyn ReadAt>],
    (members, requires): (&[Member], &BTreeSet<String>),
    (expected, extent): (DiffId, Extent),
    context: Context<'_>,
    out: &mut dyn Write,
) -> Result<()> {
    let (streams, mut guides) = streams(members, expected, extent, context)?;
    let guided = (!guides.is_empty()).then_some(RecipeFeature::Guided.name());
    let mut used = recipe::decode_guided(bases, (&streams, &mut guides), extent, context.scratch, out)?;
    used.extend(guided);
    if members.iter().any(|member| is_mixed(&member.name)) {
        used.insert(RecipeFeature::Mixed.name());
    }
    match used.into_iter().find(|feature| !requires.contains(*feature)) {
        Some(feature) => Err(Error::content(format!(
            "the recipe of layer {}: metadata.json does not require `{feature}`, which it uses",
            expected.short()
        ))),
        None => Ok(()),
    }
}

/// The streams of the recipe of `layer`, each within its bound, and what stands in the place of those that are guided.
pub(super) fn streams(
    members: &[Member],
    layer: DiffId,
    extent: Extent,
    context: Context<'_>,
) -> Result<(Streams, Guides)> {
    let mut guides = Guides::default();
    let mut streams: Streams = std::array::from_fn(|_| Arc::new(Vec::new()) as Arc<dyn ReadAt>);
    for member in members {
        let stream = RecipeStream::of_member(&member.name, layer);
        let place = RecipeStream::ALL.into_iter().position(|known| Some(known) == stream);
        let place = place.ok_or_else(|| Error::content(format!("{}: expected a stream of a recipe", member.name)))?;
        let most = RecipeStream::ALL[place].most(extent);
        streams[place] = match place {
            0 if is_mixed(&member.name) => {
                let (plain, guided) = mixed::decode(member, most)?;
                guides = guided;
                Arc::new(plain)
            }
            _ if is_mixed(&member.name) => {
                return Err(Error::content(format!("{}: only the first member of a recipe is mixed", member.name)));
            }
            _ => unpacked(member, most, context)?,
        };
    }
    let [joined, others @ ..] = &mut streams;
    let mut table = [0; TABLE];
    let short = |_| Error::content("the recipe is damaged: it is shorter than its own table");
    joined.read_exact_at(&mut table, 0).map_err(short)?;
    let mut offset = TABLE as u64;
    for (stream, length) in others.iter_mut().zip(table.as_chunks::<4>().0) {
        let length = u64::from(u32::from_le_bytes(*length));
        if length > 0 {
            *stream = part(joined, offset, length)?;
        }
        offset += length;
    }
    let rest = joined.len().checked_sub(offset).ok_or_else(outside)?;
    streams[0] = part(&streams[0], offset, rest)?;
    for (stream, bytes) in RecipeStream::ALL.iter().zip(&streams) {
        let guided = match stream {
            RecipeStream::Values => guides.values.as_slice(),
            RecipeStream::Literals => guides.literals.as_slice(),
            _ => &[],
        };
        let damaged = |what| Err(Error::content(format!("the recipe is damaged: `{}` is {what}", stream.name())));
        if !guided.is_empty() && !bytes.is_empty() {
            return damaged("there twice");
        }
        if guided.iter().map(|guided| guided.length() as u64).fold(bytes.len(), u64::max) > stream.most(extent) {
            return damaged("too long");
        }
    }
    Ok((streams, guides))
}

fn part(whole: &Arc<dyn ReadAt>, offset: u64, length: u64) -> Result<Arc<dyn ReadAt>> {
    Ok(Arc::new(Slice::new(whole.clone(), offset, length).ok_or_else(outside)?))
}

fn outside() -> Error {
    Error::content("the recipe is damaged: a stream is longer than what holds it")
}

/// The bytes of a member without its compression, at most `most`.
fn unpacked(member: &Member, most: u64, context: Context<'_>) -> Result<Arc<dyn ReadAt>> {
    let doing = format!("decompressing {}", member.name);
    context.spool(&doing, |out| io::copy(&mut plain(member, most)?, out).map(|_| ()).map_err(Error::io(doing.clone())))
}

#[cfg(test)]
mod tests;
