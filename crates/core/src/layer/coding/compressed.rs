//! The compression of one member, which its name tells.

use std::io::{self, Read};
use std::sync::Arc;

use delta_codec::compress::{Compression, Encoder, decoder};
use delta_codec::{ReadAt, Reader};

use crate::error::{Error, Result};
use crate::job::choices::CompressionOptions;
use crate::job::context::Context;
use crate::package::Member;

/// Compresses `raw` as the member `stem` with the compressor's suffix.
pub(crate) fn compress(
    stem: String,
    raw: Arc<dyn ReadAt>,
    compression: CompressionOptions,
    context: Context<'_>,
) -> Result<Member> {
    let name = format!("{stem}{}", compression.compressor.suffix());
    if compression.compressor == Compression::None {
        return Ok(Member { name, bytes: raw });
    }
    let doing = format!("compressing {name}");
    let bytes = context.spool(&doing, |out| {
        let copy = || {
            let mut encoder = Encoder::new(out, compression.compressor, compression.level, Some(raw.len()))?;
            io::copy(&mut Reader::new(&raw), &mut encoder)?;
            encoder.finish().map(|_| ())
        };
        copy().map_err(Error::io(doing.clone()))
    })?;
    Ok(Member { name, bytes })
}

/// The bytes of a member without its compression.
pub(crate) fn plain(member: &Member) -> Result<Box<dyn Read + Send + '_>> {
    decoder(Compression::of_name(&member.name), Reader::new(&member.bytes))
        .map_err(Error::io(format!("decompressing {}", member.name)))
}
