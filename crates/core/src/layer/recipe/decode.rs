//! Reads a recipe; it may be hostile.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Write};
use std::sync::Arc;

use delta_codec::deflate::{self, nested};
use delta_codec::limits::DEFLATE_PLAIN_BYTES;
use delta_codec::mix::Guides;
use delta_codec::{Bounded, ReadAt, Reader, Scratch, Slice, patch};
use rayon::prelude::*;

use super::columns::{Column, ColumnReader, damaged, number_at, unzigzag};
use super::header::HeaderState;
use super::work::Work;
use super::{Content, GROUPS, ODD_PADDING, OPAQUE, OPENED, PREDICTED, Streams, is_large, prediction};
use crate::error::{Error, Result};
use crate::layer::tar_index::{self, BLOCK, Entry};
use crate::layer::window::Window;
use crate::limits::{BASE_WINDOW, COPY_BUFFER, HINT_BYTES, PLAN_BYTES};
use crate::package::features::{Extent, RecipeFeature};

/// Rebuilds a layer of this `extent` from `bases`, which are the layers that the recipe names, in its order. What is
/// written is right only when its digest is. Opened contents go through `scratch`. Returned are the features that it used: those of the
/// encoders that compressed them again, besides zlib's, and that of large predictions.
///
/// # Errors
/// [`Error::Other`] of kind content when the recipe contradicts itself or its bases; what reading and writing report.
pub fn decode(
    bases: &[Arc<dyn ReadAt>],
    streams: &Streams,
    extent: Extent,
    scratch: &dyn Scratch,
    out: &mut dyn Write,
) -> Result<BTreeSet<&'static str>> {
    decode_guided(bases, (streams, &mut Guides::default()), extent, scratch, out)
}

/// Like [`decode`], with values and literals of `guides`, where there are some.
///
/// # Errors
/// As [`decode`].
pub fn decode_guided(
    bases: &[Arc<dyn ReadAt>],
    (streams, guides): (&Streams, &mut Guides),
    extent: Extent,
    scratch: &dyn Scratch,
    out: &mut dyn Write,
) -> Result<BTreeSet<&'static str>> {
    let [recipe, control, gaps, values, literals, contents] = streams;
    let mut offset = 0;
    let mut head = Window::new(recipe, COPY_BUFFER);
    let count = number_at(&mut head, &mut offset, recipe.len())?;
    let starts = group_starts(&mut head, &mut offset)?;
    let mut decoder = Decoder {
        bases: Bases::new(bases)?,
        columns: ColumnReader::new(recipe, offset)?,
        headers: HeaderState::new(),
        patches: patch::Streams {
            control: buffered(control),
            gaps: buffered(gaps),
            values: buffered(values),
            literals: buffered(literals),
        },
        guides,
        window: Window::new(contents, COPY_BUFFER),
        starts,
        added: Vec::new(),
        scratch,
        work: Work::new(bases.iter().map(|base| base.len()).sum(), extent),
        opened_left: extent.length.saturating_add(extent.recompressed),
        out: Bounded::new(out, extent.length, "the recipe is damaged: it makes more bytes than the layer has"),
        features: BTreeSet::new(),
        next_header: 0,
        next_content: 0,
    };
    decoder.run(count)?;
    Ok(decoder.features)
}

/// Where each group of new contents starts.
fn group_starts(head: &mut Window<'_>, offset: &mut u64) -> Result<Vec<u64>> {
    let end = head.len();
    let count = number_at(head, offset, end)?;
    let mut starts = Vec::new();
    let mut start = 0_u64;
    for _ in
        0..usize::try_from(count).ok().filter(|count| *count <= GROUPS).ok_or_else(|| damaged("too many groups"))?
    {
        starts.push(start);
        let length = number_at(head, offset, end)?;
        start = start.checked_add(length).ok_or_else(|| damaged("a group without an end"))?;
    }
    Ok(starts)
}

/// Where an entry's content comes from.
enum ContentSource {
    Nothing,
    Base(u64),
    Patched(u64),
    /// Patched with a prediction that is told this.
    Predicted(u64, Vec<u8>),
    /// Of the entry, if any, opened and patched, closed as the plan says.
    Opened(Option<u64>, Vec<u8>),
    /// A place among the new contents.
    Added(u64),
}

struct Decoder<'a> {
    bases: Bases<'a>,
    columns: ColumnReader<'a>,
    headers: HeaderState,
    patches: patch::Streams<BufReader<Reader<&'a dyn ReadAt>>>,
    guides: &'a mut Guides,
    window: Window<'a>,
    /// Where the next content of each group starts.
    starts: Vec<u64>,
    /// Where each new content stands: its start and length.
    added: Vec<(u64, u64)>,
    scratch: &'a dyn Scratch,
    work: Work,
    /// Bytes that contents which are still to come may have when they are opened.
    opened_left: u64,
    /// The features that contents used which came already.
    features: BTreeSet<&'static str>,
    out: Bounded<&'a mut dyn Write>,
    /// The numbers behind those that were used last.
    next_header: u64,
    next_content: u64,
}

impl Decoder<'_> {
    fn run(&mut self, count: u64) -> Result<()> {
        let mut done = 0;
        while done < count {
            let run = self.columns.number(Column::Runs)?;
            if run > count - done {
                return Err(damaged("a run of more entries than the layer has"));
            }
            self.copy_run(run)?;
            done += run;
            if done < count {
                self.entry()?;
                done += 1;
            }
        }
        if self.out.left() > 0 {
            return Err(damaged(format!("the layer ends {} bytes too early", self.out.left())));
        }
        if self.columns.is_at_end() { Ok(()) } else { Err(damaged("more in its columns than the layer has")) }
    }

    fn copy_run(&mut self, run: u64) -> Result<()> {
        let end = self.next_header.checked_add(run).ok_or_else(|| damaged("a run behind the end of the base"))?;
        for number in self.next_header..end {
            let (base, entry) = self.bases.entry(number)?;
            let window = &mut self.bases.layers[base].window;
            if entry.has_header {
                self.headers.skip(&block_at(window, entry.start)?);
            }
            copy(&mut self.out, window, entry.start, entry.end() - entry.start)?;
        }
        if run > 0 {
            (self.next_header, self.next_content) = (end, end);
        }
        Ok(())
    }

    fn entry(&mut self) -> Result<()> {
        let kind = self.columns.number(Column::Kinds)?;
        let content = usize::try_from(kind % ODD_PADDING).ok().and_then(|number| Content::ALL.get(number));
        let unknown = || damaged(format!("an entry of kind {kind}"));
        let content = *content.filter(|_| kind < 2 * PREDICTED).ok_or_else(unknown)?;
        let has_header = kind & OPAQUE == 0;
        let header = if has_header { self.header_reference()? } else { None };
        let (from, length) = match kind & (OPENED | PREDICTED) {
            0 => self.content(content, header)?,
            OPENED => self.opened(content, header)?.ok_or_else(unknown)?,
            PREDICTED => self.predicted(content, header)?.ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        if has_header {
            let base = header.map(|header| self.bases.block(header)).transpose()?;
            let block = self.headers.decode(base.as_ref(), length, &mut self.columns)?;
            self.out.write_all(&block).map_err(writing)?;
        }
        self.write_content(&from, length)?;
        let mut padding = Entry { start: 0, has_header, length, padding: 0 }.usual_padding();
        if kind & ODD_PADDING != 0 {
            let length = self.columns.number(Column::Lengths)?;
            let length = usize::try_from(length).ok().filter(|length| *length < BLOCK);
            padding.resize(length.ok_or_else(|| damaged("a padding of more than a block"))?, 0);
            self.columns.bytes(Column::Paddings, &mut padding)?;
        }
        self.out.write_all(&padding).map_err(writing)
    }

    /// The number of the entry whose header this one looks like.
    fn header_reference(&mut self) -> Result<Option<u64>> {
        let Some(distance) = self.columns.number(Column::Headers)?.checked_sub(1) else { return Ok(None) };
        let number = self.next_header.wrapping_add_signed(unzigzag(distance));
        self.bases.entry(number)?;
        self.next_header = number + 1;
        Ok(Some(number))
    }

    fn content(&mut self, content: Content, header: Option<u64>) -> Result<(ContentSource, u64)> {
        let base = match content {
            Content::Same | Content::Patch => header.ok_or_else(|| damaged("a content of no entry"))?,
            Content::SameOther | Content::PatchOther => {
                self.next_content.wrapping_add_signed(self.columns.signed(Column::Contents)?)
            }
            Content::Empty => return Ok((ContentSource::Nothing, 0)),
            Content::Repeat => return self.repeated(),
            Content::New => return self.added(),
        };
        let (_, Entry { length, .. }) = self.bases.entry(base)?;
        self.next_content = base + 1;
        if matches!(content, Content::Same | Content::SameOther) {
            return Ok((ContentSource::Base(base), length));
        }
        Ok((ContentSource::Patched(base), length.wrapping_add_signed(self.columns.signed(Column::Lengths)?)))
    }

    /// `None` when such a content cannot be opened.
    fn opened(&mut self, content: Content, header: Option<u64>) -> Result<Option<(ContentSource, u64)>> {
        let (base, length) = match content {
            Content::New => (None, self.columns.number(Column::Lengths)?),
            _ => match self.content(content, header)? {
                (ContentSource::Patched(base), length) => (Some(base), length),
                _ => return Ok(None),
            },
        };
        let plan = self.columns.blob(Column::Plans, PLAN_BYTES)?;
        Ok(Some((ContentSource::Opened(base, plan), length)))
    }

    /// `None` when such a content has no prediction.
    fn predicted(&mut self, content: Content, header: Option<u64>) -> Result<Option<(ContentSource, u64)>> {
        let (ContentSource::Patched(base), length) = self.content(content, header)? else { return Ok(None) };
        let hint = self.columns.blob(Column::Hints, HINT_BYTES)?;
        Ok(Some((ContentSource::Predicted(base, hint), length)))
    }

    fn repeated(&mut self) -> Result<(ContentSource, u64)> {
        let behind = usize::try_from(self.columns.number(Column::Contents)?).ok();
        let place = behind.and_then(|behind| self.added.get(self.added.len().checked_sub(behind)?));
        place
            .map(|(start, length)| (ContentSource::Added(*start), *length))
            .ok_or_else(|| damaged("a repeat of nothing"))
    }

    fn added(&mut self) -> Result<(ContentSource, u64)> {
        let group = usize::try_from(self.columns.number(Column::Groups)?).ok();
        let length = self.columns.number(Column::Lengths)?;
        let start = group.and_then(|group| self.starts.get_mut(group)).ok_or_else(|| damaged("an unknown group"))?;
        let place = (*start, length);
        *start = start.checked_add(length).ok_or_else(|| damaged("a content without an end"))?;
        self.added.push(place);
        Ok((ContentSource::Added(place.0), length))
    }

    fn write_content(&mut self, from: &ContentSource, length: u64) -> Result<()> {
        match *from {
            ContentSource::Nothing => Ok(()),
            ContentSource::Base(number) => {
                let (base, entry) = self.bases.entry(number)?;
                copy(&mut self.out, &mut self.bases.layers[base].window, entry.content(), length)
            }
            ContentSource::Added(start) => copy(&mut self.out, &mut self.window, start, length),
            ContentSource::Patched(number) => self.patch(number, None, length),
            ContentSource::Predicted(number, ref hint) => self.patch(number, Some(hint), length),
            ContentSource::Opened(base, ref plan) => self.write_opened(base, plan, length),
        }
    }

    fn patch(&mut self, base: u64, hint: Option<&[u8]>, length: u64) -> Result<()> {
        let content = self.bases.content(base)?;
        if hint.is_some() {
            self.work.spend(content.len())?;
            if is_large(content.len(), length) {
                self.features.insert(RecipeFeature::PredictedLarge.name());
            }
        }
        let streams = (&mut self.patches, &mut *self.guides);
        patch::decode_guided(&content, length, &prediction(&content, hint), streams, &mut self.out).map_err(patching)
    }

    fn write_opened(&mut self, base: Option<u64>, plan: &[u8], length: u64) -> Result<()> {
        let content: Box<dyn ReadAt + '_> = match base {
            Some(number) => Box::new(self.bases.content(number)?),
            None => Box::new(Vec::new()),
        };
        let failed = Error::io("opening a content of a base layer");
        self.work.spend(content.len())?;
        let base = nested::unfold(&content, self.scratch).map_err(failed)?;
        self.work.spend(base.bytes.len() - content.len())?;
        let opened_length = nested::opened_length(plan).filter(|opened| *opened <= length + DEFLATE_PLAIN_BYTES);
        let opened_length = opened_length.ok_or_else(|| damaged("an opened content without an end"))?;
        let left = self.opened_left.checked_sub(opened_length);
        self.opened_left = left.ok_or_else(|| damaged("more is opened than metadata.json says of the layer"))?;
        let room = |error| Error::io("patching an opened content: temporary file")(error);
        let mut file = self.scratch.create().map_err(room)?;
        let streams = (&mut self.patches, &mut *self.guides);
        patch::decode_guided(&base.bytes, opened_length, &patch::no_prediction, streams, &mut file)
            .map_err(patching)?;
        let opened = file.freeze().map_err(room)?;
        match nested::close(plan, &opened, self.scratch, &mut self.out, length) {
            Ok(closed) if closed == length => {
                self.features.extend(nested::features(plan).map_err(damaged)?);
                Ok(())
            }
            Ok(closed) => Err(damaged(format!("an opened content of {closed} bytes, expected {length}"))),
            Err(deflate::Error::Io(error)) => Err(Error::io("compressing a content again")(error)),
            Err(damage) => Err(damaged(damage)),
        }
    }
}

/// One layer of the base.
struct Base<'a> {
    bytes: &'a dyn ReadAt,
    window: Window<'a>,
    entries: Vec<Entry>,
    /// The number of its first entry.
    first: u64,
}

struct Bases<'a> {
    layers: Vec<Base<'a>>,
}

impl<'a> Bases<'a> {
    fn new(layers: &'a [Arc<dyn ReadAt>]) -> Result<Self> {
        let entries: Vec<_> = layers
            .par_iter()
            .map(|layer| tar_index::entries(layer))
            .collect::<io::Result<_>>()
            .map_err(reading_base)?;
        let mut first = 0;
        let layers = layers.iter().zip(entries).map(|(bytes, entries)| {
            let base = Base { bytes, window: Window::new(bytes, BASE_WINDOW), entries, first };
            first += base.entries.len() as u64;
            base
        });
        Ok(Self { layers: layers.collect() })
    }

    /// The layer of entry `number`, and the entry.
    fn entry(&self, number: u64) -> Result<(usize, Entry)> {
        let layer = self.layers.partition_point(|layer| layer.first <= number).checked_sub(1);
        let found = layer.and_then(|layer| {
            let base = &self.layers[layer];
            let entry = base.entries.get(usize::try_from(number - base.first).ok()?)?;
            Some((layer, *entry))
        });
        found.ok_or_else(|| damaged(format!("entry {number} of a base that has fewer")))
    }

    fn content(&self, number: u64) -> Result<Slice<&'a dyn ReadAt>> {
        let (base, entry) = self.entry(number)?;
        let content = Slice::new(self.layers[base].bytes, entry.content(), entry.length);
        content.ok_or_else(|| damaged("a content outside of its base"))
    }

    fn block(&mut self, number: u64) -> Result<[u8; BLOCK]> {
        let (base, entry) = self.entry(number)?;
        if !entry.has_header {
            return Err(damaged("a header of an entry that has none"));
        }
        block_at(&mut self.layers[base].window, entry.start)
    }
}

fn copy(out: &mut dyn Write, window: &mut Window<'_>, start: u64, length: u64) -> Result<()> {
    if start.checked_add(length).is_none_or(|end| end > window.len()) {
        return Err(damaged("bytes that are not there"));
    }
    window.each(start, length, &mut |piece| out.write_all(piece)).map_err(copying)
}

fn block_at(window: &mut Window<'_>, offset: u64) -> Result<[u8; BLOCK]> {
    let block = window.from(offset, BLOCK).map_err(reading_base)?.get(..BLOCK).and_then(|block| block.try_into().ok());
    block.ok_or_else(|| damaged("a header that is not there"))
}

fn buffered(stream: &Arc<dyn ReadAt>) -> BufReader<Reader<&dyn ReadAt>> {
    BufReader::with_capacity(COPY_BUFFER, Reader::new(&**stream))
}

fn patching(error: patch::Error) -> Error {
    match error {
        patch::Error::Io { position, source } => {
            Error::io(format!("patching a content at its byte {position}"))(source)
        }
        damage @ patch::Error::Damaged { .. } => damaged(damage),
    }
}

fn reading_base(error: io::Error) -> Error {
    Error::io("reading a base layer")(error)
}

fn copying(error: io::Error) -> Error {
    Error::io("copying from a base layer")(error)
}

fn writing(error: io::Error) -> Error {
    Error::io("writing a rebuilt layer")(error)
}

#[cfg(test)]
mod tests;
