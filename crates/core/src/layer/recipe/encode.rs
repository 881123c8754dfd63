//! Writes a recipe.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use delta_codec::patch;

use super::columns::{Column, Columns, push_number, zigzag};
use super::header::HeaderState;
use super::patches::{Patches, Preparation, spool};
use super::{Content, GROUPS, ODD_PADDING, OPAQUE, OPENED, PREDICTED, Recipe, Uses};
use crate::job::choices::CompressionOptions;
use crate::job::context::Context;
use crate::layer::matcher::{EntryMatch, IndexedLayer, Library, Source};
use crate::layer::tar_index::{BLOCK, Entry};
use crate::layer::window::Window;
use crate::limits::COPY_BUFFER;

/// Writes the recipe of layer number `layer` of `library`, which refers to earlier layers only.
///
/// # Errors
/// What reading the layers and writing to the room report.
pub fn encode(
    library: &Library,
    layer: usize,
    compression: CompressionOptions,
    context: Context<'_>,
) -> io::Result<Recipe> {
    let matches = library.matches(layer)?;
    let bases = Bases::new(library, &matches);
    let layer = library.layer(layer);
    let Patches { preparations, streams } = Patches::write(library, layer, &matches, compression, context)?;
    let mut writer = RecipeWriter::new(library, &bases, layer, &preparations);
    for (number, matched) in matches.iter().enumerate() {
        writer.entry(number, *matched, &matches)?;
    }
    let Parts { columns, added } = writer.finish();
    let recipe = spool(context.scratch, &mut |out| {
        let mut counts = Vec::new();
        push_number(&mut counts, matches.len() as u64);
        push_number(&mut counts, added.len() as u64);
        for group in added.values() {
            push_number(&mut counts, group.iter().map(|entry| entry.length).sum());
        }
        out.write_all(&counts)?;
        columns.write(out)
    })?;
    let contents = spool(context.scratch, &mut |out| {
        let mut window = Window::new(&layer.bytes, COPY_BUFFER);
        let mut entries = added.values().flatten();
        entries.try_for_each(|entry| window.each(entry.content(), entry.length, &mut |piece| out.write_all(piece)))
    })?;
    let patch::Streams { control, gaps, values, literals } = streams;
    Ok(Recipe {
        bases: bases.layers,
        streams: [recipe, control, gaps, values, literals, contents],
        uses: Uses::of(preparations.values()),
    })
}

/// The layers that a recipe uses; their entries are numbered without those of the others between them.
struct Bases {
    layers: Vec<usize>,
    /// For each layer of the library, how much lower its numbers are in the recipe; only right for those that are used.
    shifts: Vec<u32>,
}

impl Bases {
    fn new(library: &Library, matches: &[EntryMatch]) -> Self {
        let numbers = matches.iter().flat_map(|matched| {
            let content = match matched.content {
                Source::Same(number) | Source::Like(number) => Some(number),
                Source::Empty | Source::Repeat(_) | Source::New => None,
            };
            matched.header.into_iter().chain(content)
        });
        let used: BTreeSet<usize> = numbers.map(|number| library.locate(number).0).collect();
        let mut shifts = vec![0; used.last().map_or(0, |last| last + 1)];
        let mut next = 0;
        for layer in &used {
            let IndexedLayer { first, index, .. } = library.layer(*layer);
            shifts[*layer] = first - next;
            next += u32::try_from(index.entries().len()).unwrap_or(u32::MAX);
        }
        Self { layers: used.into_iter().collect(), shifts }
    }

    fn number(&self, library: &Library, number: u32) -> u32 {
        number - self.shifts[library.locate(number).0]
    }
}

/// What is left to write when all entries are seen.
struct Parts {
    columns: Columns,
    /// New contents by group.
    added: BTreeMap<usize, Vec<Entry>>,
}

struct RecipeWriter<'a> {
    library: &'a Library,
    bases: &'a Bases,
    layer: &'a IndexedLayer,
    /// Of the contents that are patched, by the numbers of their entries.
    preparations: &'a BTreeMap<usize, Preparation>,
    window: Window<'a>,
    base_windows: BTreeMap<usize, Window<'a>>,
    headers: HeaderState,
    parts: Parts,
    groups: BTreeMap<Vec<u8>, usize>,
    /// For each entry whose content is new, which of those it is.
    ordinals: BTreeMap<u32, u64>,
    run: u64,
    /// The numbers behind those that were used last.
    next_header: u32,
    next_content: u32,
}

impl<'a> RecipeWriter<'a> {
    fn new(
        library: &'a Library,
        bases: &'a Bases,
        layer: &'a IndexedLayer,
        preparations: &'a BTreeMap<usize, Preparation>,
    ) -> Self {
        Self {
            library,
            bases,
            layer,
            preparations,
            window: Window::new(&layer.bytes, COPY_BUFFER),
            base_windows: BTreeMap::new(),
            headers: HeaderState::new(),
            parts: Parts { columns: Columns::new(), added: BTreeMap::new() },
            groups: BTreeMap::new(),
            ordinals: BTreeMap::new(),
            run: 0,
            next_header: 0,
            next_content: 0,
        }
    }

    fn finish(mut self) -> Parts {
        if self.run > 0 {
            self.parts.columns.number(Column::Runs, self.run);
        }
        self.parts
    }

    fn entry(&mut self, number: usize, matched: EntryMatch, matches: &[EntryMatch]) -> io::Result<()> {
        let entry = self.layer.index.entries()[number];
        let block = self.block(&entry)?;
        let padding = self.padding(&entry)?;
        if self.continues_run(&entry, matched, block.as_ref(), &padding)? {
            self.run += 1;
            self.next_header += 1;
            self.next_content = self.next_header;
            if let Some(block) = block {
                self.headers.skip(&block);
            }
            return Ok(());
        }
        self.parts.columns.number(Column::Runs, std::mem::take(&mut self.run));
        let odd = padding != entry.usual_padding();
        let (content, source) = self.content(number, matched, matches);
        let preparation = self.preparations.get(&number);
        let flags = [
            (odd, ODD_PADDING),
            (!entry.has_header, OPAQUE),
            (preparation.is_some_and(|preparation| preparation.plan.is_some()), OPENED),
            (preparation.is_some_and(|preparation| preparation.hint.is_some()), PREDICTED),
        ];
        let kind = flags.iter().filter(|(is_set, _)| *is_set).fold(content as u64, |kind, (_, flag)| kind + flag);
        self.parts.columns.number(Column::Kinds, kind);
        if entry.has_header {
            self.header_reference(matched.header);
        }
        self.write_content(number, &entry, content, source);
        if let Some(Preparation { plan, hint, .. }) = preparation {
            plan.iter().for_each(|plan| self.parts.columns.blob(Column::Plans, plan));
            hint.iter().for_each(|hint| self.parts.columns.blob(Column::Hints, hint));
        }
        if let Some(block) = block {
            let base = matched.header.map(|header| self.base_block(header)).transpose()?;
            self.headers.encode(&block, base.as_ref(), entry.length, &mut self.parts.columns);
        }
        if odd {
            self.parts.columns.number(Column::Lengths, padding.len() as u64);
            self.parts.columns.bytes(Column::Paddings, &padding);
        }
        Ok(())
    }

    /// Whether the entry stands in the base as it is, behind the one that was used last.
    fn continues_run(
        &mut self,
        entry: &Entry,
        matched: EntryMatch,
        block: Option<&[u8; BLOCK]>,
        padding: &[u8],
    ) -> io::Result<bool> {
        let number = match (matched.header, matched.content) {
            (Some(header), Source::Same(content)) if header == content => header,
            (Some(header), Source::Empty) => header,
            (None, Source::Same(content)) if !entry.has_header => content,
            _ => return Ok(false),
        };
        let base = *self.library.entry(number);
        if self.bases.number(self.library, number) != self.next_header
            || (base.has_header, base.length, base.padding) != (entry.has_header, entry.length, entry.padding)
        {
            return Ok(false);
        }
        let layer = self.library.locate(number).0;
        let window = self.base_window(layer);
        if let Some(block) = block
            && window.from(base.start, BLOCK)?.get(..BLOCK) != Some(block)
        {
            return Ok(false);
        }
        let start = base.content() + base.length;
        Ok(base.padding == 0 || window.from(start, padding.len())?.get(..padding.len()) == Some(padding))
    }

    fn content(&self, number: usize, matched: EntryMatch, matches: &[EntryMatch]) -> (Content, Source) {
        let same_entry = |other| matched.header == Some(other) && self.layer.index.entries()[number].has_header;
        let source = match matched.resolved(matches) {
            Source::Repeat(_) if self.preparations.contains_key(&number) => Source::New,
            source => source,
        };
        let content = match source {
            Source::Empty => Content::Empty,
            Source::Same(other) if same_entry(other) => Content::Same,
            Source::Same(_) => Content::SameOther,
            Source::Repeat(_) => Content::Repeat,
            Source::Like(other) if same_entry(other) => Content::Patch,
            Source::Like(_) => Content::PatchOther,
            Source::New => Content::New,
        };
        (content, source)
    }

    fn header_reference(&mut self, header: Option<u32>) {
        let value = header.map_or(0, |header| {
            let number = self.bases.number(self.library, header);
            let distance = i64::from(number) - i64::from(self.next_header);
            self.next_header = number + 1;
            1 + zigzag(distance)
        });
        self.parts.columns.number(Column::Headers, value);
    }

    fn write_content(&mut self, number: usize, entry: &Entry, content: Content, source: Source) {
        let Parts { columns, added } = &mut self.parts;
        if let Source::Same(other) | Source::Like(other) = source {
            let other = self.bases.number(self.library, other);
            if matches!(content, Content::SameOther | Content::PatchOther) {
                columns.signed(Column::Contents, i64::from(other) - i64::from(self.next_content));
            }
            self.next_content = other + 1;
        }
        match source {
            Source::Like(other) => {
                let change = entry.length.wrapping_sub(self.library.entry(other).length).cast_signed();
                columns.signed(Column::Lengths, change);
            }
            Source::Repeat(first) => {
                let behind = self.ordinals.len() as u64 - self.ordinals[&first];
                columns.number(Column::Contents, behind);
            }
            Source::New if self.preparations.contains_key(&number) => columns.number(Column::Lengths, entry.length),
            Source::New => {
                let next = self.groups.len().min(GROUPS - 1);
                let extension = extension(self.layer.index.path(number)).to_vec();
                let group = *self.groups.entry(extension).or_insert(next);
                columns.number(Column::Groups, group as u64);
                columns.number(Column::Lengths, entry.length);
                added.entry(group).or_default().push(*entry);
                let ordinal = self.ordinals.len() as u64;
                self.ordinals.insert(u32::try_from(number).unwrap_or(u32::MAX), ordinal);
            }
            Source::Empty | Source::Same(_) => {}
        }
    }

    fn block(&mut self, entry: &Entry) -> io::Result<Option<[u8; BLOCK]>> {
        if !entry.has_header {
            return Ok(None);
        }
        block_at(&mut self.window, entry.start).map(Some)
    }

    fn padding(&mut self, entry: &Entry) -> io::Result<Vec<u8>> {
        let mut padding = Vec::new();
        self.window.each(entry.content() + entry.length, entry.padding, &mut |piece| padding.write_all(piece))?;
        Ok(padding)
    }

    fn base_block(&mut self, number: u32) -> io::Result<[u8; BLOCK]> {
        let start = self.library.entry(number).start;
        let layer = self.library.locate(number).0;
        block_at(self.base_window(layer), start)
    }

    fn base_window(&mut self, layer: usize) -> &mut Window<'a> {
        let library = self.library;
        self.base_windows.entry(layer).or_insert_with(|| Window::new(&library.layer(layer).bytes, COPY_BUFFER / 8))
    }
}

fn block_at(window: &mut Window<'_>, offset: u64) -> io::Result<[u8; BLOCK]> {
    let block = window.from(offset, BLOCK)?.get(..BLOCK).ok_or(io::ErrorKind::UnexpectedEof)?;
    block.try_into().map_err(io::Error::other)
}

/// What alike contents have in common: the end of the file name.
fn extension(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name.iter().rposition(|byte| *byte == b'.').map_or(&[], |dot| &name[dot..])
}
