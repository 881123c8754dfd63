//! Members to a layer, by the codec that made them: within the bounds that the metadata gives.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::{Bounded, Concat, ReadAt, bsdiff, vcdiff};

use super::compressed::plain;
use super::{MORE_THAN_PROMISED, recipe_members};
use crate::digest::{DiffId, Hasher};
use crate::error::{Error, Result};
use crate::image::{UncheckedLayer, VerifiedLayer};
use crate::job::context::Context;
use crate::job::places::Room;
use crate::job::progress::{Counted, Task};
use crate::limits;
use crate::package::Member;
use crate::package::features::{Extent, LayerCodec};

/// The layer that is to be rebuilt.
#[derive(Clone, Copy)]
pub(crate) struct Promised<'a> {
    pub(crate) diff_id: DiffId,
    pub(crate) extent: Extent,
    /// The layer itself, where it is at hand: what is rebuilt is hashed then, and not kept.
    pub(crate) there: Option<&'a UncheckedLayer>,
}

/// Rebuilds the layer that was `promised` from `members` of a package that `requires` these features, coded against `bases`.
pub(crate) fn decode(
    codec: LayerCodec,
    bases: &[Arc<dyn ReadAt>],
    (members, requires): (&[Member], &BTreeSet<String>),
    promised: Promised<'_>,
    room: Room<'_>,
    task: &dyn Task,
) -> Result<VerifiedLayer> {
    let Promised { diff_id, extent, .. } = promised;
    if codec == LayerCodec::Recipe {
        return promised.rebuilt(room, &mut |out| {
            let mut out = Counted::new(out, task);
            recipe_members::decode(bases, (members, requires), (diff_id, extent), room.context, &mut out)
        });
    }
    let doing = promised.doing();
    let member = only(members, &doing)?;
    let base = Concat::new(bases);
    promised.rebuilt(room, &mut |out| {
        let mut out = Bounded::new(Counted::new(out, task), extent.length, MORE_THAN_PROMISED);
        let decoded = standard(codec, &base, member, &mut out, extent.length);
        // What the room reports is no fault of the package.
        match out.into_failure() {
            Some(error) => Err(Error::io(doing.clone())(error)),
            None => {
                decoded.map(|_| ()).map_err(|error| Error::content(format!("{doing} from {}: {error}", member.name)))
            }
        }
    })
}

impl Promised<'_> {
    fn doing(&self) -> String {
        format!("rebuilding the layer {}", self.diff_id.short())
    }

    /// What `fill` writes, if it is the layer. The size is compared too: manifests are made from it.
    fn rebuilt(self, room: Room<'_>, fill: &mut dyn FnMut(&mut dyn Write) -> Result<()>) -> Result<VerifiedLayer> {
        let what = format!("the rebuilt layer {}", self.diff_id.short());
        let size = self.extent.length;
        let Some(there) = self.there else {
            let layer = VerifiedLayer::spool(self.diff_id, (&what, &self.doing()), room, fill)?;
            let length = layer.bytes().len();
            if length == size {
                return Ok(layer);
            }
            let (expected, found) = (format!("{size} bytes"), format!("{length} bytes"));
            return Err(Error::Mismatch { what, expected, found });
        };
        let mut hasher = Hasher::new(io::sink());
        fill(&mut hasher)?;
        let (_, hash, length) = hasher.finish();
        let found = DiffId::from(hash);
        let shown = |diff_id, length| format!("{diff_id} of {length} bytes");
        let mismatch = || Error::Mismatch { what, expected: shown(self.diff_id, size), found: shown(found, length) };
        there.rebuilt((found, length)).filter(|_| length == size).ok_or_else(mismatch)
    }
}

/// Writes what `member` holds in one of the standard codecs, at most `size` bytes.
fn standard(
    codec: LayerCodec,
    base: &dyn ReadAt,
    member: &Member,
    out: &mut dyn Write,
    size: u64,
) -> std::result::Result<u64, Box<dyn std::error::Error>> {
    Ok(match codec {
        LayerCodec::Recipe | LayerCodec::Whole => io::copy(&mut plain(member, size)?, out)?,
        LayerCodec::Vcdiff => vcdiff::decode(base, io::BufReader::new(plain(member, vcdiff_most(size))?), out, size)?,
        LayerCodec::Bsdiff => bsdiff::decode(base, &*member.bytes, out, size)?,
    })
}

/// Reads `members` as [`decode`] does, as far as that goes without bases.
pub(crate) fn read_through(
    codec: LayerCodec,
    members: &[Member],
    (layer, extent): (DiffId, Extent),
    context: Context<'_>,
) -> Result<()> {
    let doing = format!("reading the layer {}", layer.short());
    if codec == LayerCodec::Recipe {
        return recipe_members::streams(members, layer, extent, context).map(|_| ());
    }
    let member = only(members, &doing)?;
    let size = extent.length;
    let read = match codec {
        LayerCodec::Vcdiff => plain(member, vcdiff_most(size))
            .and_then(|mut plain| io::copy(&mut plain, &mut io::sink()).map_err(Error::io(doing.clone()))),
        // Which bytes a base has shows in the digest only, but every place must be inside of it.
        _ => standard(codec, &Zeros, member, &mut io::sink(), size).map_err(|error| Error::content(error.to_string())),
    };
    read.map(|_| ()).map_err(|error| Error::content(format!("{doing} from {}: {error}", member.name)))
}

/// Stands in for a base of any length.
struct Zeros;

impl ReadAt for Zeros {
    fn len(&self) -> u64 {
        i64::MAX.unsigned_abs()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.available(offset, buffer.len());
        buffer[..count].fill(0);
        Ok(count)
    }
}

fn only<'a>(members: &'a [Member], doing: &str) -> Result<&'a Member> {
    match members {
        [member] => Ok(member),
        _ => Err(Error::content(format!("{doing}: expected one member"))),
    }
}

/// The most bytes of a VCDIFF of a layer of `size` bytes: where nothing matches they are the layer and some headers.
const fn vcdiff_most(size: u64) -> u64 {
    size.saturating_mul(2).saturating_add(limits::BEYOND_STREAM)
}
