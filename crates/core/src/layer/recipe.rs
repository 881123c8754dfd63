//! How to rebuild one layer from others: what method `auto` writes.
//!
//! A recipe goes over the layer entry by entry. Runs of entries that stand in a base layer as they are cost one number; any
//! other entry has a header, coded against one that looks like it, and a content, which is one of the base's, one of the
//! layer's own, one of the base's with a patch, or not known yet. FORMAT.md says what stands where.

mod columns;
mod decode;
mod encode;
mod header;
mod patches;
mod work;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use delta_codec::limits::PREDICTED_BYTES;
use delta_codec::{ReadAt, align, exec};

use crate::package::features::{Extent, RecipeStream};
pub use decode::{decode, decode_guided};
pub use encode::encode;

/// The bytes of every stream, in the order of [`RecipeStream::ALL`].
pub type Streams = [Arc<dyn ReadAt>; RecipeStream::ALL.len()];

/// A recipe, not yet compressed.
pub struct Recipe {
    /// The layers that it takes bytes from, as their numbers in the library, ascending.
    pub bases: Vec<usize>,
    /// What it is made of.
    pub streams: Streams,
    /// What a reader must know besides.
    pub uses: Uses,
}

impl Recipe {
    /// What bounds rebuilding its layer, which has `length` bytes.
    pub const fn extent(&self, length: u64) -> Extent {
        Extent { length, recompressed: self.uses.recompressed }
    }
}

/// What the patches of a recipe use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Plain bytes that are compressed again when the recipe is followed.
    pub recompressed: u64,
    /// Whether there are any.
    pub opens: bool,
    /// Whether addresses are predicted.
    pub predicts: bool,
    /// Whether they are in contents beyond [`PREDICTED_BYTES`].
    pub predicts_large: bool,
    /// Whether values or literals are mixed with what stands around them.
    pub guides: bool,
    /// The features of the encoders that compress them, besides zlib's.
    pub encoders: BTreeSet<&'static str>,
}

/// What the kind of an entry says about its content; the numbers are those of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Empty,
    /// That of the entry whose header this one looks like.
    Same,
    /// That of another entry of the base.
    SameOther,
    /// One of the contents that came already.
    Repeat,
    /// That of the entry whose header this one looks like, patched.
    Patch,
    /// That of another entry of the base, patched.
    PatchOther,
    New,
}

impl Content {
    const ALL: [Self; 7] =
        [Self::Empty, Self::Same, Self::SameOther, Self::Repeat, Self::Patch, Self::PatchOther, Self::New];
}

/// A kind is the number of a [`Content`] plus these.
const ODD_PADDING: u64 = 8;
const OPAQUE: u64 = 16;
const OPENED: u64 = 32;
const PREDICTED: u64 = 64;

/// Whether a prediction of a content of `length` bytes from one of `base_length` bytes is a feature of its own.
fn is_large(base_length: u64, length: u64) -> bool {
    base_length.max(length) > PREDICTED_BYTES
}

/// What is predicted for `base` with the hint that the target has, if it has one.
fn prediction<'a>(
    base: &'a dyn ReadAt,
    hint: Option<&'a [u8]>,
) -> impl Fn(&[align::Match]) -> io::Result<Option<Vec<u8>>> + 'a {
    move |matches| {
        let Some(hint) = hint else { return Ok(None) };
        let mut held = vec![0; usize::try_from(base.len()).map_err(io::Error::other)?];
        base.read_exact_at(&mut held, 0)?;
        Ok(Some(exec::predict(held, matches, hint)))
    }
}

/// Contents that are new stand in groups; a group is a number below this.
const GROUPS: usize = 256;
