//! A recipe to members and back: the recipe itself and its long streams; short streams stand in the first member.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader, Slice};

use super::compressed::{compress, plain};
use crate::digest::DiffId;
use crate::error::{Error, Result};
use crate::image::VerifiedLayer;
use crate::job::choices::CompressionOptions;
use crate::job::context::Context;
use crate::layer::matcher::Library;
use crate::layer::recipe::{self, Streams, Uses};
use crate::limits::INLINE_STREAM_BYTES;
use crate::package::Member;
use crate::package::features::{Extent, RecipeStream};

/// Bytes of the table at the start of the first member: for each other stream, its length when it follows there.
const TABLE: usize = 4 * OTHERS;

const OTHERS: usize = RecipeStream::ALL.len() - 1;

/// Writes the recipe of `target`, which is number `layer` of `library`, and returns which layers and what else it needs.
pub(super) fn encode(
    library: &Library,
    layer: usize,
    target: &VerifiedLayer,
    compression: CompressionOptions,
    context: Context<'_>,
) -> Result<(Vec<usize>, Vec<Member>, Uses)> {
    let doing = format!("coding the layer {}", target.diff_id().short());
    let recipe = recipe::encode(library, layer, compression, context).map_err(Error::io(doing.clone()))?;
    let [first, others @ ..] = &recipe.streams;
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
    let stem = |stream: RecipeStream| format!("layer_deltas/{}.{}", target.diff_id().hex(), stream.name());
    let mut members = vec![compress(stem(RecipeStream::Recipe), joined, compression, context)?];
    for (stream, bytes) in long {
        members.push(compress(stem(*stream), bytes.clone(), compression, context)?);
    }
    Ok((recipe.bases, members, recipe.uses))
}

/// Rebuilds the layer `expected` into `out`, with no other encoders than those that the package `requires`.
pub(super) fn decode(
    bases: &[Arc<dyn ReadAt>],
    (members, requires): (&[Member], &BTreeSet<String>),
    (expected, extent): (DiffId, Extent),
    context: Context<'_>,
    out: &mut dyn Write,
) -> Result<()> {
    let streams = streams(members, expected, extent, context)?;
    let used = recipe::decode(bases, &streams, extent, context.scratch, out)?;
    match used.into_iter().find(|feature| !requires.contains(*feature)) {
        Some(feature) => Err(Error::content(format!(
            "the recipe of layer {}: metadata.json does not require `{feature}`, which it uses",
            expected.short()
        ))),
        None => Ok(()),
    }
}

/// The streams of the recipe of `layer`, each within its bound.
pub(super) fn streams(members: &[Member], layer: DiffId, extent: Extent, context: Context<'_>) -> Result<Streams> {
    let mut streams: Streams = std::array::from_fn(|_| Arc::new(Vec::new()) as Arc<dyn ReadAt>);
    for member in members {
        let stream = RecipeStream::of_member(&member.name, layer);
        let place = RecipeStream::ALL.into_iter().position(|known| Some(known) == stream);
        let place = place.ok_or_else(|| Error::content(format!("{}: expected a stream of a recipe", member.name)))?;
        streams[place] = unpacked(member, RecipeStream::ALL[place].most(extent), context)?;
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
    match RecipeStream::ALL.iter().zip(&streams).find(|(stream, bytes)| bytes.len() > stream.most(extent)) {
        Some((stream, _)) => Err(Error::content(format!("the recipe is damaged: `{}` is too long", stream.name()))),
        None => Ok(streams),
    }
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
