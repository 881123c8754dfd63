//! One layer to members and back, by each codec.

mod recipe;

use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::compress::{Compression, Encoder, Level, decoder};
use delta_codec::{Concat, ReadAt, Reader, bsdiff, vcdiff};

use crate::context::Context;
use crate::digest::DiffId;
use crate::error::{Error, Kind, Result};
use crate::image::VerifiedLayer;
use crate::limits;
use crate::matcher::Library;
use crate::metadata::Origin;
use crate::method::{LayerCodec, Method, OPENED, PREDICTED};
use crate::package::Member;
use crate::recipe::Uses;

/// How bytes are made fewer.
#[derive(Clone, Copy, Debug)]
pub struct Squeeze {
    /// How members are compressed.
    pub compression: Compression,
    /// How hard.
    pub level: Level,
    /// Whether compressed files inside layers may be opened, and compressed again where the package is applied.
    pub recompress: bool,
}

impl Squeeze {
    /// The compressor with its usual level, and everything allowed.
    pub const fn usual(compression: Compression) -> Self {
        Self { compression, level: compression.default_level(), recompress: true }
    }
}

/// What a layer may be coded against.
#[derive(Clone, Copy)]
pub(crate) enum Known<'a> {
    /// These layers, one behind the other.
    Bases(&'a [VerifiedLayer]),
    /// The layers of the library, which are these, before the one with this number.
    Library(&'a Library, &'a [VerifiedLayer], usize),
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
        let Uses { opens, predicts, recompressed: _ } = self.uses;
        let used = [(true, self.codec.feature()), (opens, OPENED), (predicts, PREDICTED)];
        used.into_iter().filter(|(is_used, _)| *is_used).map(|(_, feature)| feature.to_owned())
    }

    fn size(&self) -> u64 {
        self.members.iter().map(|member| member.bytes.len() + limits::MEMBER_OVERHEAD).sum()
    }
}

/// Codes `target` by every codec of `method` that may win and keeps the smallest result.
pub(crate) fn encode_smallest(
    method: Method,
    known: Known<'_>,
    target: &VerifiedLayer,
    squeeze: Squeeze,
    context: Context<'_>,
) -> Result<Coding> {
    let mut best = None;
    let mut take = |coding: Coding| {
        let (name, bytes) = (coding.codec.feature(), coding.size());
        context.progress.detail(format_args!("layer {}: {name} {bytes} bytes", target.diff_id().short()));
        if best.as_ref().is_none_or(|best: &Coding| bytes < best.size()) {
            best = Some(coding);
        }
    };
    let bases = match known {
        Known::Bases(bases) => bases.to_vec(),
        Known::Library(library, layers, number) => {
            let (bases, members, uses) = recipe::encode(library, number, target, squeeze, context)?;
            let bases: Vec<_> = bases.into_iter().map(|base| layers[base].clone()).collect();
            take(Coding { codec: LayerCodec::Recipe, bases: ids(&bases), members, uses });
            bases
        }
    };
    for codec in codecs(method, &bases, target.bytes().len()) {
        let members = encode(codec, &bases, target, squeeze, context)?;
        let bases = if codec == LayerCodec::Whole { Vec::new() } else { ids(&bases) };
        take(Coding { codec, bases, members, uses: Uses::default() });
    }
    best.ok_or_else(|| Error::internal("a method without codecs"))
}

fn ids(layers: &[VerifiedLayer]) -> Vec<DiffId> {
    layers.iter().map(VerifiedLayer::diff_id).collect()
}

/// The codecs besides the recipe. What is large is not worth a comparison that the recipe wins: it holds the same matches,
/// and what is new in it is compressed like a whole layer.
fn codecs(method: Method, bases: &[VerifiedLayer], size: u64) -> Vec<LayerCodec> {
    let may_win = |codec: &LayerCodec| {
        method != Method::Auto || (size <= limits::COMPARED_BYTES && (*codec == LayerCodec::Whole || !bases.is_empty()))
    };
    method.codecs().iter().copied().filter(may_win).collect()
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
        LayerCodec::Recipe => return Err(Error::internal("a recipe is made with a library")),
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
    if codec == LayerCodec::Recipe {
        let rebuilt = context.spool(&doing, |out| recipe::decode(bases, members, (expected, size), context, out))?;
        return checked(expected, size, rebuilt);
    }
    let [member] = members else { return Err(Error::content(format!("{doing}: expected one member"))) };
    let base = Concat::new(bases);
    let rebuilt = context.spool(&doing, |out| {
        let failed = |error: &dyn std::fmt::Display| Error::content(format!("{doing} from {}: {error}", member.name));
        let mut out = Bounded { inner: out, left: size, failure: None };
        let decoded = match codec {
            LayerCodec::Recipe | LayerCodec::Whole => {
                io::copy(&mut plain(member)?, &mut out).map_err(|error| failed(&error))
            }
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
        LayerCodec::Bsdiff => Squeeze { compression: Compression::None, ..squeeze },
        LayerCodec::Recipe | LayerCodec::Whole | LayerCodec::Vcdiff => squeeze,
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
