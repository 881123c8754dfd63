//! The streams of a recipe, mixed to one member.

use std::fmt::Display;
use std::io::Read;
use std::sync::Arc;

use delta_codec::limits::MIX_BYTES;
use delta_codec::mix::{self, Model, Segment};
use delta_codec::{ReadAt, Reader};

use super::recipe_members::{OTHERS, TABLE, stem};
use crate::error::{Error, Result};
use crate::image::UncheckedLayer;
use crate::layer::recipe::Streams;
use crate::limits::MEMBER_OVERHEAD;
use crate::package::Member;
use crate::package::features::{Extent, RecipeStream};

/// What the name of a member ends in that is mixed.
const SUFFIX: &str = ".mix";

/// Whether the member `name` is mixed, which is a feature.
pub(crate) fn is_mixed(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

/// The models by which a stream may be mixed, the likeliest first.
const fn models(stream: RecipeStream) -> &'static [Model] {
    match stream {
        RecipeStream::Recipe => &[Model::Text],
        RecipeStream::Control | RecipeStream::Gaps => &[Model::Numbers],
        RecipeStream::Values => &[Model::Values],
        RecipeStream::Literals | RecipeStream::Contents => &[Model::Text, Model::Code],
    }
}

/// The streams mixed to the first member, but for those that are smaller in one of their own of `apart`, which follow. `None` where
/// that cannot be.
pub(super) fn encode(streams: &Streams, apart: &[Member], target: &UncheckedLayer) -> Result<Option<Vec<Member>>> {
    let [recipe, others @ ..] = streams;
    let extent = Extent { length: target.bytes().len(), recompressed: 0 };
    let most = RecipeStream::Recipe.most(extent).min(MIX_BYTES as u64) - TABLE as u64;
    let mut mixer = Mixer { left: most, before: None, segments: Vec::new() };
    let mut kept = Vec::new();
    let mut lengths = [0; OTHERS];
    for ((stream, bytes), length) in RecipeStream::ALL[1..].iter().zip(others).zip(&mut lengths) {
        let own = apart.iter().find(|member| RecipeStream::of_member(&member.name, target.diff_id()) == Some(*stream));
        if mixer.add(*stream, bytes, own)? {
            *length = u32::try_from(bytes.len()).unwrap_or_default();
        } else if let Some(own) = own {
            kept.push(own.clone());
        } else if !bytes.is_empty() {
            return Ok(None);
        }
    }
    if !mixer.add(RecipeStream::Recipe, recipe, None)? {
        return Ok(None);
    }
    let table = Segment::new(Model::Code, lengths.map(u32::to_le_bytes).as_flattened(), None);
    let segments: Vec<_> = [table].into_iter().chain(mixer.segments).collect();
    let first = mix::join(&segments).map(|coded| Member {
        name: format!("{}{SUFFIX}", stem(target, RecipeStream::Recipe)),
        bytes: Arc::new(coded),
    });
    Ok(first.map(|first| [first].into_iter().chain(kept).collect()))
}

struct Mixer {
    /// How many bytes may still come, so that the reader takes them.
    left: u64,
    /// The segment that was added last.
    before: Option<(Model, Vec<u8>)>,
    segments: Vec<Segment>,
}

impl Mixer {
    /// Returns whether the stream was added: not when it is empty, does not fit, or is smaller as the member `own`.
    fn add(&mut self, stream: RecipeStream, bytes: &Arc<dyn ReadAt>, own: Option<&Member>) -> Result<bool> {
        let Some(left) = self.left.checked_sub(bytes.len()).filter(|_| !bytes.is_empty()) else {
            return Ok(false);
        };
        let mut held = Vec::new();
        let doing = || format!("mixing the stream `{}`", stream.name());
        Reader::new(bytes).read_to_end(&mut held).map_err(Error::io(doing()))?;
        let before = self.before.as_ref().map(|(model, bytes)| (*model, bytes.as_slice()));
        let coded = models(stream).iter().map(|model| (Segment::new(*model, &held, before), *model));
        let Some((segment, model)) = coded.min_by_key(|(segment, _)| segment.coded_bytes()) else { return Ok(false) };
        if own.is_some_and(|own| own.bytes.len() + MEMBER_OVERHEAD < segment.coded_bytes() as u64) {
            return Ok(false);
        }
        self.left = left;
        self.before = Some((model, held));
        self.segments.push(segment);
        Ok(true)
    }
}

/// What is mixed in `member`, at most `most` bytes; all of it is held, which the format bounds.
pub(super) fn decode(member: &Member, most: u64) -> Result<Vec<u8>> {
    let refused = |what: &dyn Display| Error::content(format!("decompressing {}: {what}", member.name));
    if member.bytes.len() > CODED_BYTES {
        return Err(refused(&mix::Error::TooLong));
    }
    let mut coded = Vec::new();
    Reader::new(&member.bytes).read_to_end(&mut coded).map_err(Error::io(format!("reading {}", member.name)))?;
    mix::decode(&coded, most).map_err(|error| refused(&error))
}

/// What cannot be predicted grows by mixing, but not to twice.
const CODED_BYTES: u64 = 2 * MIX_BYTES as u64;
