//! The streams of a recipe, mixed to one member.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Read};
use std::sync::Arc;

use delta_codec::limits::MIX_BYTES;
use delta_codec::mix::{self, Guided, Guides, Model, Segment};
use delta_codec::{ReadAt, Reader};

use super::recipe_members::{OTHERS, TABLE, stem};
use crate::error::{Error, Kind, Result};
use crate::image::UncheckedLayer;
use crate::job::context::Context;
use crate::layer::recipe::{self, Recipe, Streams};
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

/// Members of which the first is mixed.
pub(super) struct Mixed {
    pub(super) members: Vec<Member>,
    /// Whether values or literals are mixed with what stands around them.
    pub(super) guides: bool,
}

/// The streams mixed to the first member, but for those that are smaller in one of their own of `apart`, which follow. `None` where
/// that cannot be.
pub(super) fn encode(
    recipe: &Recipe,
    bases: &[Arc<dyn ReadAt>],
    apart: &[Member],
    target: &UncheckedLayer,
    context: Context<'_>,
) -> Result<Option<Mixed>> {
    let [described, others @ ..] = &recipe.streams;
    let extent = Extent { length: target.bytes().len(), recompressed: 0 };
    let most = RecipeStream::Recipe.most(extent).min(MIX_BYTES as u64) - TABLE as u64;
    let extent = recipe.extent(extent.length);
    let mut guided = guided(&recipe.streams, most, |guides| {
        let streams = (&recipe.streams, guides);
        recipe::decode_guided(bases, streams, extent, context.scratch, &mut io::sink())
    })?;
    let mut mixer = Mixer { left: most, before: None, segments: Vec::new(), guided: Vec::new() };
    let mut kept = Vec::new();
    let mut lengths = [0; OTHERS];
    for ((stream, bytes), length) in RecipeStream::ALL[1..].iter().zip(others).zip(&mut lengths) {
        let own = apart.iter().find(|member| RecipeStream::of_member(&member.name, target.diff_id()) == Some(*stream));
        if let Some(segment) = guided.remove(stream) {
            if !mixer.add_guided(segment, bytes, own) {
                kept.extend(own.cloned());
            }
        } else if mixer.add(*stream, bytes, own)? {
            *length = u32::try_from(bytes.len()).unwrap_or_default();
        } else if let Some(own) = own {
            kept.push(own.clone());
        } else if !bytes.is_empty() {
            return Ok(None);
        }
    }
    if !mixer.add(RecipeStream::Recipe, described, None)? {
        return Ok(None);
    }
    let guides = !mixer.guided.is_empty();
    let table = Segment::new(Model::Code, lengths.map(u32::to_le_bytes).as_flattened(), None);
    let segments: Vec<_> = [table].into_iter().chain(mixer.segments).chain(mixer.guided).collect();
    let first = mix::join(&segments).map(|coded| Member {
        name: format!("{}{SUFFIX}", stem(target, RecipeStream::Recipe)),
        bytes: Arc::new(coded),
    });
    Ok(first.map(|first| Mixed { members: [first].into_iter().chain(kept).collect(), guides }))
}

/// Values and literals as `rebuild` codes them while it makes the layer, as far as they fit into `most` bytes with all streams but new contents.
fn guided<T>(
    streams: &Streams,
    most: u64,
    rebuild: impl FnOnce(&mut Guides) -> Result<T>,
) -> Result<BTreeMap<RecipeStream, Segment>> {
    let [recipe, control, gaps, values, literals, _] = streams;
    let mut left = most.saturating_sub(recipe.len() + control.len() + gaps.len());
    let mut fitting = |stream: &Arc<dyn ReadAt>| {
        left = left.checked_sub(stream.len()).filter(|_| !stream.is_empty())?;
        usize::try_from(stream.len()).ok()
    };
    let mut guides = Guides::encoders(fitting(values), fitting(literals));
    if guides.is_empty() {
        return Ok(BTreeMap::new());
    }
    match rebuild(&mut guides) {
        Ok(_) => {}
        // What cannot be rebuilt is found out by the proof, and then coded in another way.
        Err(error) if error.kind() == Kind::Content => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    }
    let smallest = |coded: Vec<Guided>| coded.into_iter().filter_map(Guided::finish).min_by_key(Segment::coded_bytes);
    let made = [(RecipeStream::Values, smallest(guides.values)), (RecipeStream::Literals, smallest(guides.literals))];
    Ok(made.into_iter().filter_map(|(stream, segment)| Some((stream, segment?))).collect())
}

struct Mixer {
    /// How many bytes may still come, so that the reader takes them.
    left: u64,
    /// The segment that was added last.
    before: Option<(Model, Vec<u8>)>,
    segments: Vec<Segment>,
    /// Those that follow them.
    guided: Vec<Segment>,
}

impl Mixer {
    /// Returns whether the stream was added: not when it does not fit, or is smaller as the member `own`.
    fn add_guided(&mut self, segment: Segment, bytes: &Arc<dyn ReadAt>, own: Option<&Member>) -> bool {
        let left = self.left.checked_sub(bytes.len()).filter(|_| !is_smaller(own, &segment));
        let Some(left) = left else { return false };
        self.left = left;
        self.guided.push(segment);
        true
    }

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
        if is_smaller(own, &segment) {
            return Ok(false);
        }
        self.left = left;
        self.before = Some((model, held));
        self.segments.push(segment);
        Ok(true)
    }
}

/// Whether the member of a stream is smaller than its segment.
fn is_smaller(own: Option<&Member>, segment: &Segment) -> bool {
    own.is_some_and(|own| own.bytes.len() + MEMBER_OVERHEAD < segment.coded_bytes() as u64)
}

/// What is mixed in `member`, at most `most` bytes; all of it is held, which the format bounds.
pub(super) fn decode(member: &Member, most: u64) -> Result<(Vec<u8>, Guides)> {
    let refused = |what: &dyn Display| Error::content(format!("decompressing {}: {what}", member.name));
    if member.bytes.len() > CODED_BYTES {
        return Err(refused(&mix::Error::TooLong));
    }
    let mut coded = Vec::new();
    Reader::new(&member.bytes).read_to_end(&mut coded).map_err(Error::io(format!("reading {}", member.name)))?;
    mix::decode_guided(&coded, most).map_err(|error| refused(&error))
}

/// What cannot be predicted grows by mixing, but not to twice.
const CODED_BYTES: u64 = 2 * MIX_BYTES as u64;
