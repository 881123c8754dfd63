//! Differences in the standard formats, without a package around them.

use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::compress::Encoder;
use delta_codec::{ReadAt, bsdiff, vcdiff};

use super::proof::not_proved;
use crate::apply::StandardDelta;
use crate::error::{Error, Result};
use crate::job::choices::{CompressionOptions, Method};
use crate::job::context::Context;
use crate::package::standard::{Side, Sides};

/// Makes the difference that makes `new` out of `old`: BSDIFF40 by that method, else VCDIFF. It was applied, and gave `new`.
///
/// # Errors
/// What reading and the room report.
pub fn create_standard(
    method: Method,
    old: &Arc<dyn ReadAt>,
    new: &Arc<dyn ReadAt>,
    compression: CompressionOptions,
    context: Context<'_>,
) -> Result<(Arc<dyn ReadAt>, Sides)> {
    let sides = Sides { old: Side::of(old, "OLD")?, new: Side::of(new, "NEW")? };
    let delta = context.spool("writing the difference", |out| {
        encode(method, old, new, &sides.note(), compression, context, out)
            .map_err(Error::io("reading OLD and NEW, or writing the difference"))
    })?;
    prove(&delta, old, sides, context)?;
    Ok((delta, sides))
}

fn encode(
    method: Method,
    old: &dyn ReadAt,
    new: &dyn ReadAt,
    note: &[u8],
    CompressionOptions { compressor, level, .. }: CompressionOptions,
    context: Context<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if method == Method::Bsdiff {
        bsdiff::encode(old, new, context.scratch, out)?;
        return out.write_all(note);
    }
    let mut encoder = Encoder::new(out, compressor, level, None)?;
    vcdiff::encode(old, new, note, &mut encoder)?;
    encoder.finish()?.flush()
}

fn prove(delta: &Arc<dyn ReadAt>, old: &Arc<dyn ReadAt>, sides: Sides, context: Context<'_>) -> Result<()> {
    let lost = || Error::internal("the difference does not say what it fits");
    let opened = StandardDelta::detect(delta.clone(), context)?.filter(|opened| opened.sides() == Some(sides));
    opened.ok_or_else(lost)?.apply(old, sides.new.length, context).map(|_| ()).map_err(not_proved)
}
