//! One layer to members and back, by each codec.

use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::compress::{Compression, Encoder, Level, decoder};
use delta_codec::{Concat, ReadAt, Reader, bsdiff, vcdiff};

use crate::context::Context;
use crate::digest::DiffId;
use crate::error::{Error, Kind, Result};
use crate::image::VerifiedLayer;
use crate::limits;
use crate::method::{LayerCodec, Method};
use crate::package::Member;

/// How members are compressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Squeeze {
    pub(crate) compression: Compression,
    pub(crate) level: Level,
}

/// Codes `target` by every codec of `method` and keeps the smallest result.
pub(crate) fn encode_smallest(
    method: Method,
    bases: &[VerifiedLayer],
    target: &VerifiedLayer,
    squeeze: Squeeze,
    context: Context<'_>,
) -> Result<(LayerCodec, Vec<Member>)> {
    let mut best: Option<(u64, LayerCodec, Vec<Member>)> = None;
    for codec in codecs(method, bases, target.bytes().len()) {
        let members = encode(codec, bases, target, squeeze, context)?;
        let bytes = members.iter().map(|member| member.bytes.len()).sum();
        context.progress.detail(format_args!("layer {}: {} {bytes} bytes", target.diff_id().short(), codec.feature()));
        if best.as_ref().is_none_or(|(least, ..)| bytes < *least) {
            best = Some((bytes, codec, members));
        }
    }
    best.map(|(_, codec, members)| (codec, members)).ok_or_else(|| Error::internal("a method without codecs"))
}

/// The bases that a layer coded by `codec` is listed with.
pub(crate) fn used_bases(codec: LayerCodec, bases: &[VerifiedLayer]) -> Vec<DiffId> {
    match codec {
        LayerCodec::Whole => Vec::new(),
        LayerCodec::Vcdiff | LayerCodec::Bsdiff => bases.iter().map(VerifiedLayer::diff_id).collect(),
    }
}

/// Without a base that looks alike a delta is only the layer in another wrapping, and bzip2 is slow on much of it.
fn codecs(method: Method, bases: &[VerifiedLayer], size: u64) -> Vec<LayerCodec> {
    let is_auto = method == Method::Auto;
    let wanted = |codec: &LayerCodec| match codec {
        LayerCodec::Whole => true,
        LayerCodec::Vcdiff => !is_auto || !bases.is_empty(),
        LayerCodec::Bsdiff => !is_auto || (!bases.is_empty() && size <= limits::AUTO_BSDIFF_BYTES),
    };
    method.codecs().iter().copied().filter(wanted).collect()
}

/// Codes `target` against `bases` and proves the result by rebuilding it.
pub(crate) fn encode(
    codec: LayerCodec,
    bases: &[VerifiedLayer],
    target: &VerifiedLayer,
    squeeze: Squeeze,
    context: Context<'_>,
) -> Result<Vec<Member>> {
    let doing = format!("coding the layer {}", target.diff_id().short());
    let failed = |error: io::Error| Error::io(doing.clone())(error);
    let base = Concat::new(bases.iter().map(VerifiedLayer::bytes));
    let stem = format!("layer_deltas/{}{}", target.diff_id().hex(), codec.suffix());
    let raw = match codec {
        LayerCodec::Whole => target.bytes().clone(),
        LayerCodec::Vcdiff => {
            context.spool(&doing, |out| vcdiff::encode(&base, target.bytes(), b"", out).map_err(failed))?
        }
        LayerCodec::Bsdiff => {
            context.spool(&doing, |out| bsdiff::encode(&base, target.bytes(), context.scratch, out).map_err(failed))?
        }
    };
    let member = compress(stem, raw, compressor(codec, squeeze), context)?;
    let joined: Vec<_> = bases.iter().map(|base| base.bytes().clone()).collect();
    let size = target.bytes().len();
    decode(codec, &joined, std::slice::from_ref(&member), (target.diff_id(), size), context)
        .map_err(|error| not_proved(error, &doing))?;
    Ok(vec![member])
}

fn not_proved(error: Error, doing: &str) -> Error {
    match error.kind() {
        Kind::Content => Error::internal(format!("{doing}: it does not come back: {error}")),
        _ => error,
    }
}

/// Rebuilds the layer `expected` of so many bytes from `members`, coded against `bases`.
pub(crate) fn decode(
    codec: LayerCodec,
    bases: &[Arc<dyn ReadAt>],
    members: &[Member],
    (expected, size): (DiffId, u64),
    context: Context<'_>,
) -> Result<VerifiedLayer> {
    let doing = format!("rebuilding the layer {}", expected.short());
    let [member] = members else { return Err(Error::content(format!("{doing}: expected one member"))) };
    let base = Concat::new(bases);
    let rebuilt = context.spool(&doing, |out| {
        let failed = |error: &dyn std::fmt::Display| Error::content(format!("{doing} from {}: {error}", member.name));
        let mut out = Bounded { inner: out, left: size, failure: None };
        let decoded = match codec {
            LayerCodec::Whole => io::copy(&mut plain(member)?, &mut out).map_err(|error| failed(&error)),
            LayerCodec::Vcdiff => vcdiff::decode(&base, io::BufReader::new(plain(member)?), &mut out, size)
                .map_err(|error| failed(&error)),
            LayerCodec::Bsdiff => bsdiff::decode(&base, &*member.bytes, &mut out, size).map_err(|error| failed(&error)),
        };
        // What the room reports is no fault of the package.
        out.failure.map_or(decoded, |error| Err(Error::io(doing.clone())(error))).map(|_| ())
    })?;
    checked(expected, size, rebuilt)
}

/// The size is compared too: manifests are made from it.
fn checked(expected: DiffId, size: u64, rebuilt: Arc<dyn ReadAt>) -> Result<VerifiedLayer> {
    let what = format!("the rebuilt layer {}", expected.short());
    if rebuilt.len() == size {
        return VerifiedLayer::check(expected, rebuilt, &what);
    }
    Err(Error::Mismatch { what, expected: format!("{size} bytes"), found: format!("{} bytes", rebuilt.len()) })
}

/// BSDIFF40 is compressed inside; `bspatch` reads it only as it is.
const fn compressor(codec: LayerCodec, squeeze: Squeeze) -> Squeeze {
    match codec {
        LayerCodec::Bsdiff => Squeeze { compression: Compression::None, level: squeeze.level },
        LayerCodec::Whole | LayerCodec::Vcdiff => squeeze,
    }
}

/// Compresses `raw` as the member `stem` with the compressor's suffix.
pub(crate) fn compress(stem: String, raw: Arc<dyn ReadAt>, squeeze: Squeeze, context: Context<'_>) -> Result<Member> {
    let name = format!("{stem}{}", squeeze.compression.suffix());
    if squeeze.compression == Compression::None {
        return Ok(Member { name, bytes: raw });
    }
    let doing = format!("compressing {name}");
    let bytes = context.spool(&doing, |out| {
        let copy = || {
            let mut encoder = Encoder::new(out, squeeze.compression, squeeze.level, Some(raw.len()))?;
            io::copy(&mut Reader::new(&raw), &mut encoder)?;
            encoder.finish().map(|_| ())
        };
        copy().map_err(Error::io(doing.clone()))
    })?;
    Ok(Member { name, bytes })
}

/// The bytes of a member without its compression, which its name tells.
pub(crate) fn plain(member: &Member) -> Result<Box<dyn io::Read + Send + '_>> {
    decoder(Compression::of_name(&member.name), Reader::new(&member.bytes))
        .map_err(Error::io(format!("decompressing {}", member.name)))
}

/// Refuses more bytes than were promised, so that a small member cannot fill the disk.
struct Bounded<W> {
    inner: W,
    left: u64,
    /// What `inner` reported.
    failure: Option<io::Error>,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(buffer.len() as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "more bytes come than the metadata says"))?;
        self.inner.write_all(buffer).map_err(|error| {
            let kind = error.kind();
            self.failure = Some(error);
            io::Error::from(kind)
        })?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
