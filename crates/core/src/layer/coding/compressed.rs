//! The compression of one member, which its name tells.

use std::io::{self, Read};
use std::sync::Arc;

use delta_codec::compress::{Compression, Effort, Encoder, Filter, decoder, xz};
use delta_codec::{ReadAt, Reader};

use super::MORE_THAN_PROMISED;
use crate::error::{Error, Result};
use crate::job::choices::CompressionOptions;
use crate::job::context::Context;
use crate::limits::{
    XZ_DICTIONARY_BYTES, XZ_DICTIONARY_BYTES_THOROUGH, XZ_SHARE_MAX, XZ_SHARE_MIN, XZ_STREAM_BYTES_MIN,
};
use crate::package::Member;

/// Compresses `raw`, a stream of a layer of `layer` bytes that has bases or not, in the way that makes it smallest, but for mixing.
pub(crate) fn compress_smallest(
    stem: String,
    raw: Arc<dyn ReadAt>,
    (layer, has_bases): (u64, bool),
    compression: CompressionOptions,
    context: Context<'_>,
) -> Result<Member> {
    let usual = compress(stem.clone(), raw.clone(), compression, context)?;
    let (effort, dictionary) = if compression.is_thorough() {
        (Effort::Most, XZ_DICTIONARY_BYTES_THOROUGH)
    } else if compression.is_careful() && has_bases && pays_for_xz(raw.len(), layer) {
        (Effort::Usual, XZ_DICTIONARY_BYTES)
    } else {
        return Ok(usual);
    };
    let xz = compress_tuned(&stem, &raw, (effort, dictionary), context)?;
    Ok(if xz.bytes.len() < usual.bytes.len() { xz } else { usual })
}

/// Whether a stream of `length` bytes is worth the ten times longer that xz takes: where it is a large part of its layer, the package is
/// of such streams; where it is most of the layer, nothing was to be gained from bases, and who asks for no level asks for no patience.
const fn pays_for_xz(length: u64, layer: u64) -> bool {
    length >= XZ_STREAM_BYTES_MIN && length >= layer / XZ_SHARE_MIN && length <= layer / XZ_SHARE_MAX
}

/// Compresses `raw` with xz and the filter that fits it.
fn compress_tuned(
    stem: &str,
    raw: &Arc<dyn ReadAt>,
    (effort, dictionary): (Effort, u64),
    context: Context<'_>,
) -> Result<Member> {
    let name = format!("{stem}{}", Compression::Xz.suffix());
    let doing = format!("compressing {name}");
    let bytes = context.spool(&doing, |out| {
        let copy = || {
            let mut encoder = xz(out, (Filter::of(raw)?, effort), raw.len(), dictionary)?;
            io::copy(&mut Reader::new(raw), &mut encoder)?;
            encoder.finish().map(|_| ())
        };
        copy().map_err(Error::io(doing.clone()))
    })?;
    Ok(Member { name, bytes })
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

#[cfg(test)]
mod tests {
    use delta_codec::MemoryScratch;
    use delta_codec::compress::Level;

    use super::*;
    use crate::job::progress::Silent;

    const LAYER: u64 = 320 << 20;

    #[test]
    fn xz_stream_bytes_min_are_worth_the_time_and_one_less_is_not() {
        assert!(!pays_for_xz(XZ_STREAM_BYTES_MIN - 1, 3 << 20) && pays_for_xz(XZ_STREAM_BYTES_MIN, 3 << 20));
    }

    #[test]
    fn xz_share_min_of_a_layer_is_much_of_it() {
        let least = LAYER / XZ_SHARE_MIN;
        assert!(!pays_for_xz(least - 1, LAYER) && pays_for_xz(least, LAYER));
    }

    #[test]
    fn xz_share_max_of_a_layer_is_not_most_of_it() {
        let most = LAYER / XZ_SHARE_MAX;
        assert!(pays_for_xz(most, LAYER) && !pays_for_xz(most + 1, LAYER));
    }

    /// What the name of a stream of `length` bytes ends in, which is smaller by xz, at a level of zstd.
    fn suffix(length: usize, (layer, has_bases): (u64, bool), level: i32) -> String {
        let line = |number: u32| format!("{number}: {} of {}\n", number.wrapping_mul(7_919) % 1_013, number % 97);
        let text: Vec<u8> = (0..).flat_map(|number| line(number).into_bytes()).take(length).collect();
        let level = Level::new(Compression::Zstd, level).unwrap();
        let compression = CompressionOptions { level, ..CompressionOptions::usual(Compression::Zstd) };
        let context = Context { scratch: &MemoryScratch, progress: &Silent, cache: None };
        let raw: Arc<dyn ReadAt> = Arc::new(text);
        let member = compress_smallest("stem".to_owned(), raw, (layer, has_bases), compression, context).unwrap();
        member.name.strip_prefix("stem").unwrap().to_owned()
    }

    #[test]
    fn xz_is_tried_where_it_is_worth_its_time() {
        let (long, layer) = (1 << 20, 4 << 20);
        assert_eq!(suffix(long, (layer, true), 4), ".xz");
        for (what, length, layer, has_bases, level) in [
            ("who asks for a fast level", long, layer, true, 3),
            ("a layer without bases", long, layer, false, 4),
            ("a short stream", long - 1, layer, true, 4),
            ("a stream that is most of its layer", long, layer / 2 - 2, true, 4),
        ] {
            assert_eq!(suffix(length, (layer, has_bases), level), ".zst", "{what}");
        }
        assert_eq!(suffix(100_000, (layer, false), 19), ".xz", "the smallest is looked for");
        assert_eq!(suffix(100_000, (layer, false), 18), ".zst");
    }

    #[test]
    fn a_member_has_no_more_bytes_than_it_may() {
        let read = |length: usize, most: u64| {
            let member = Member { name: "member".to_owned(), bytes: Arc::new(vec![7; length]) };
            let mut bytes = Vec::new();
            let read = plain(&member, most).unwrap().read_to_end(&mut bytes);
            read.map_err(|error| error.to_string())
        };
        for most in [0, 1, 100, 100_000] {
            let length = usize::try_from(most).unwrap();
            assert_eq!(read(length, most), Ok(length));
            assert_eq!(read(length + 1, most), Err(MORE_THAN_PROMISED.to_owned()));
        }
        assert_eq!(read(5, u64::MAX), Ok(5));
    }
}
