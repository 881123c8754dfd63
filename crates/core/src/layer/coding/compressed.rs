//! The compression of one member, which its name tells.

use std::io::{self, Read};
use std::sync::Arc;

use delta_codec::compress::{Compression, Encoder, Level, decoder};
use delta_codec::{ReadAt, Reader};

use super::MORE_THAN_PROMISED;
use crate::error::{Error, Result};
use crate::job::choices::CompressionOptions;
use crate::job::context::Context;
use crate::package::Member;

/// The level of xz that is tried there: a dictionary of 64 MiB, half of what zstd's window may have.
const XZ_LEVEL: i32 = 9;

/// Compresses `raw` in the way that makes it smallest, but for mixing.
pub(crate) fn compress_smallest(
    stem: String,
    raw: Arc<dyn ReadAt>,
    compression: CompressionOptions,
    context: Context<'_>,
) -> Result<Member> {
    let usual = compress(stem.clone(), raw.clone(), compression, context)?;
    if !compression.is_thorough() {
        return Ok(usual);
    }
    let level = Level::new(Compression::Xz, XZ_LEVEL).map_err(|error| Error::internal(error.to_string()))?;
    let xz = compress(stem, raw, CompressionOptions { compressor: Compression::Xz, level, ..compression }, context)?;
    Ok(if xz.bytes.len() < usual.bytes.len() { xz } else { usual })
}

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

/// The bytes of a member without its compression; more than `most` are an error.
pub(crate) fn plain(member: &Member, most: u64) -> Result<impl Read + Send + '_> {
    let failed = |error| Error::io(format!("decompressing {}", member.name))(error);
    let inner = decoder(Compression::of_name(&member.name), Reader::new(&member.bytes)).map_err(failed)?;
    Ok(Limited { inner, left: most })
}

/// Ends with an error behind so many bytes, so that a small member can neither fill the disk nor be read for ever.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // One byte more than may come shows that more does.
        let most = usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..most])?;
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, MORE_THAN_PROMISED))?;
        Ok(count)
    }
}
