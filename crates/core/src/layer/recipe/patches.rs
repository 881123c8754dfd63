//! Writes the patches of a layer: every content that is made from another one or that is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use delta_codec::compress::{Compression, Encoder, Level};
use delta_codec::deflate::{self, nested};
use delta_codec::{ReadAt, Reader, Scratch, ScratchFile, Slice, exec, patch};
use rayon::prelude::*;

use super::Uses;
use super::{is_large, prediction};
use crate::job::choices::CompressionOptions;
use crate::job::context::Context;
use crate::layer::matcher::{EntryMatch, IndexedLayer, Library, Source};
use crate::layer::tar_index::Entry;
use crate::limits::{OPENED_GROWTH, PATCH_BATCH_BYTES, PLAN_BYTES, WEIGHED_BYTES};

/// How hard streams are compressed to see what they weigh.
const WEIGHED_LEVEL: i32 = 6;

/// Streams are written byte by byte, four for each content.
const STREAM_BUFFER: usize = 16 << 10;

type Streams = patch::Streams<Arc<dyn ReadAt>>;

/// What is done to a content and its base besides the patch.
#[derive(Clone, Debug, Default)]
pub(super) struct Preparation {
    /// How it is closed again, if it is opened.
    pub(super) plan: Option<Vec<u8>>,
    /// What the prediction of addresses is told, if there is one.
    pub(super) hint: Option<Vec<u8>>,
    /// Whether that is one of [`is_large`].
    is_large: bool,
    /// Plain bytes that are compressed again.
    recompressed: u64,
    /// The features of the encoders that do that.
    encoders: BTreeSet<&'static str>,
}

impl Uses {
    pub(super) fn of<'a>(preparations: impl Iterator<Item = &'a Preparation>) -> Self {
        preparations.fold(Self::default(), |uses, preparation| Self {
            recompressed: uses.recompressed + preparation.recompressed,
            opens: uses.opens || preparation.plan.is_some(),
            predicts: uses.predicts || preparation.hint.is_some(),
            guides: uses.guides,
            predicts_large: uses.predicts_large || preparation.hint.is_some() && preparation.is_large,
            encoders: uses.encoders.union(&preparation.encoders).copied().collect(),
        })
    }
}

/// All patches of a layer, in the order of its entries.
pub(super) struct Patches {
    /// By the numbers of the entries.
    pub(super) preparations: BTreeMap<usize, Preparation>,
    pub(super) streams: Streams,
}

impl Patches {
    /// Small contents are patched side by side, a large one with all memory for itself.
    pub(super) fn write(
        library: &Library,
        layer: &IndexedLayer,
        matches: &[EntryMatch],
        compression: CompressionOptions,
        context: Context<'_>,
    ) -> io::Result<Self> {
        let patcher = Patcher { library, layer, compression, context };
        let tasks = patcher.tasks(matches)?;
        let weight = tasks.iter().map(|task| task.weight).sum();
        let bar = context.progress.begin("Coding what changed", Some(weight));
        let mut outs = Outs::new(context.scratch)?;
        let mut preparations = BTreeMap::new();
        let mut rest = tasks.as_slice();
        while !rest.is_empty() {
            let mut sum = 0;
            let fitting = rest.iter().take_while(|task| {
                sum += task.weight;
                sum <= PATCH_BATCH_BYTES
            });
            let (batch, later) = rest.split_at(fitting.count().max(1));
            rest = later;
            let patch = |task: &Task| {
                let patched = patcher.patch(task)?;
                bar.advance(task.weight);
                Ok((task.number, patched))
            };
            for (number, patched) in batch.par_iter().with_max_len(1).map(patch).collect::<io::Result<Vec<_>>>()? {
                if let Some((preparation, streams)) = patched {
                    outs.append(&streams)?;
                    preparations.insert(number, preparation);
                }
            }
        }
        Ok(Self { preparations, streams: outs.freeze()? })
    }
}

/// A content that is patched, or may be opened.
struct Task {
    number: usize,
    /// The entry that it looks like.
    base: Option<u32>,
    may_open: bool,
    /// About how many bytes take part in it.
    weight: u64,
}

struct Patcher<'a> {
    library: &'a Library,
    layer: &'a IndexedLayer,
    compression: CompressionOptions,
    context: Context<'a>,
}

impl Patcher<'_> {
    fn tasks(&self, matches: &[EntryMatch]) -> io::Result<Vec<Task>> {
        let mut tasks = Vec::new();
        for (number, matched) in matches.iter().enumerate() {
            let base = match matched.resolved(matches) {
                Source::Like(base) => Some(base),
                Source::New | Source::Repeat(_) => None,
                Source::Empty | Source::Same(_) => continue,
            };
            let target = content(&self.layer.bytes, &self.layer.index.entries()[number])?;
            let may_open = self.compression.recompress && deflate::looks_compressed(&target)?;
            if base.is_some() || may_open {
                let length = target.len() + base.map_or(0, |base| self.library.entry(base).length);
                let weight = length * if may_open { OPENED_GROWTH } else { 1 };
                tasks.push(Task { number, base, may_open, weight });
            }
        }
        Ok(tasks)
    }

    /// `None` for a content that looks like nothing and is not worth to be opened.
    fn patch(&self, task: &Task) -> io::Result<Option<(Preparation, Streams)>> {
        let target = held(content(&self.layer.bytes, &self.layer.index.entries()[task.number])?)?;
        let base: Box<dyn ReadAt + '_> = match task.base {
            Some(base) => {
                let layer = self.library.bytes(self.library.locate(base).0);
                held(content(layer, self.library.entry(base))?)?
            }
            None => Box::new(Vec::new()),
        };
        if task.may_open
            && let Some(opened) = self.open(task.number, &base, &target)?
        {
            return Ok(Some(opened));
        }
        if task.base.is_none() {
            return Ok(None);
        }
        let mut outs = Outs::new(self.context.scratch)?;
        let hint = exec::describe(&base, &target)?;
        let is_predicted = patch::encode(
            &base,
            &target,
            &prediction(&base, hint.as_deref()),
            self.compression.fineness(),
            &mut outs.0,
        )?;
        let (hint, is_large) = (hint.filter(|_| is_predicted), is_large(base.len(), target.len()));
        Ok(Some((Preparation { hint, is_large, ..Preparation::default() }, outs.freeze()?)))
    }

    /// `None` when there is nothing to open, or it would not be smaller for it.
    fn open(
        &self,
        number: usize,
        base: &dyn ReadAt,
        target: &dyn ReadAt,
    ) -> io::Result<Option<(Preparation, Streams)>> {
        let base = nested::unfold(base, self.context.scratch)?;
        let Some(opened) = nested::open(target, &base, self.context.scratch)? else {
            self.tell(number, "no stream in it changed that can be made again exactly");
            return Ok(None);
        };
        let mut outs = Outs::new(self.context.scratch)?;
        patch::encode(&base.bytes, &opened.bytes, &patch::no_prediction, self.compression.fineness(), &mut outs.0)?;
        let streams = outs.freeze()?;
        let weight = opened.plan.len() as u64 + self.weigh(&streams)?;
        if weight >= opened.compressed || opened.plan.len() > PLAN_BYTES {
            self.tell(number, "it would not become smaller");
            return Ok(None);
        }
        let nested::Opened { plan, recompressed, features: encoders, .. } = opened;
        Ok(Some((Preparation { plan: Some(plan), recompressed, encoders, ..Preparation::default() }, streams)))
    }

    fn tell(&self, number: usize, why: &str) {
        let path = String::from_utf8_lossy(self.layer.index.path(number));
        self.context.progress.detail(format_args!("{} stays compressed: {why}", path.escape_debug()));
    }

    /// About how much the streams will weigh in the package, as their first bytes tell.
    fn weigh(&self, streams: &Streams) -> io::Result<u64> {
        let patch::Streams { control, gaps, values, literals } = streams;
        [control, gaps, values, literals].into_iter().map(|stream| self.weigh_one(stream)).sum()
    }

    fn weigh_one(&self, stream: &dyn ReadAt) -> io::Result<u64> {
        let looked_at = stream.len().min(WEIGHED_BYTES);
        let level = Level::new(Compression::Zstd, WEIGHED_LEVEL).map_err(io::Error::other)?;
        if self.compression.compressor == Compression::None || looked_at == 0 {
            return Ok(stream.len());
        }
        let mut encoder = Encoder::new(Vec::new(), Compression::Zstd, level, Some(looked_at))?;
        io::copy(&mut io::Read::take(Reader::new(stream), looked_at), &mut encoder)?;
        let packed = encoder.finish()?.len() as u128;
        Ok(u64::try_from(packed * u128::from(stream.len()) / u128::from(looked_at)).unwrap_or(u64::MAX))
    }
}

type Out = BufWriter<Box<dyn ScratchFile>>;

/// Streams that are being written.
struct Outs(patch::Streams<Out>);

impl Outs {
    fn new(scratch: &dyn Scratch) -> io::Result<Self> {
        let out = || out(scratch);
        Ok(Self(patch::Streams { control: out()?, gaps: out()?, values: out()?, literals: out()? }))
    }

    fn append(&mut self, streams: &Streams) -> io::Result<()> {
        let patch::Streams { control, gaps, values, literals } = &mut self.0;
        for (out, bytes) in [
            (control, &streams.control),
            (gaps, &streams.gaps),
            (values, &streams.values),
            (literals, &streams.literals),
        ] {
            io::copy(&mut Reader::new(bytes), out)?;
        }
        Ok(())
    }

    fn freeze(self) -> io::Result<Streams> {
        let patch::Streams { control, gaps, values, literals } = self.0;
        Ok(patch::Streams {
            control: freeze(control)?,
            gaps: freeze(gaps)?,
            values: freeze(values)?,
            literals: freeze(literals)?,
        })
    }
}

/// Lets `write` fill new room.
pub(super) fn spool(
    scratch: &dyn Scratch,
    write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Arc<dyn ReadAt>> {
    let mut out = out(scratch)?;
    write(&mut out)?;
    freeze(out)
}

fn out(scratch: &dyn Scratch) -> io::Result<Out> {
    Ok(BufWriter::with_capacity(STREAM_BUFFER, scratch.create()?))
}

fn freeze(out: Out) -> io::Result<Arc<dyn ReadAt>> {
    out.into_inner().map_err(io::IntoInnerError::into_error)?.freeze()
}

/// A content in memory, if it is not longer than what is patched side by side: it is read several times.
fn held(content: Slice<&dyn ReadAt>) -> io::Result<Box<dyn ReadAt + '_>> {
    if content.len() > PATCH_BATCH_BYTES {
        return Ok(Box::new(content));
    }
    let mut bytes = vec![0; usize::try_from(content.len()).map_err(io::Error::other)?];
    content.read_exact_at(&mut bytes, 0)?;
    Ok(Box::new(bytes))
}

fn content<'a>(layer: &'a Arc<dyn ReadAt>, entry: &Entry) -> io::Result<Slice<&'a dyn ReadAt>> {
    Slice::new(&**layer, entry.content(), entry.length).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
