//! Compressed files opened and closed again, exactly: gzip, zip and its family, png, bare zlib streams.
//!
//! A small change of what was compressed changes the whole compressed stream, so a delta is made between plain bytes and
//! the stream is compressed again where the delta is applied. [`open`] splits a content into its *skeleton* (what is not
//! in a deflate stream), the *plain* bytes of its streams, and a *plan* that says how [`close`] makes the same content of
//! the two. The base side needs no plan: [`inflate`] is enough there.
//!
//! A stream comes back by running the encoder that made it again, with the same settings; one for which none gives every byte stays
//! in the skeleton. What is plain may hold streams again: [`nested`] opens those too.
//!
//! Which streams [`inflate`] finds in given bytes, and what a plan means, is part of the package format.

mod checksum;
mod close;
mod gzip;
mod inflate;
mod located;
pub mod nested;
mod plan;
mod png;
mod recreate;
mod search;
mod zip;
mod zlib_stream;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

pub(crate) use checksum::gzip_trailer;
pub use close::close;
pub(crate) use gzip::header_end;
pub(crate) use inflate::inflate as inflate_stream;

use crate::limits::DEFLATE_PLAIN_BYTES;
use crate::{Concat, ReadAt, Scratch, Slice};
use located::{Collector, Located, bytes_at};
use plan::Step;

/// Why a content cannot be closed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading the skeleton or the plain bytes, or writing the content, failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The plan contradicts itself, the skeleton or the plain bytes.
    #[error("the description of the compressed stream {0} is damaged")]
    Plan(u64),
    /// The description of what is nested contradicts itself or the bytes.
    #[error("the description of the nested compressed files is damaged")]
    Nesting,
    /// The plan names a way to make the stream that is none, or none any more.
    #[error("the compressed stream {stream} is to be made in the way {way}, which is none")]
    Way {
        /// Its number, from 0.
        stream: u64,
        /// The number of the way.
        way: u8,
    },
    /// The plan is for other plain bytes.
    #[error("the compressed streams take {used} plain bytes, found {found}")]
    Plain {
        /// What the plan uses.
        used: u64,
        /// What is there.
        found: u64,
    },
    /// A stream does not come out.
    #[error("the compressed stream {stream} cannot be made again: {what}")]
    Stream {
        /// Its number, from 0.
        stream: u64,
        /// What is wrong.
        what: String,
    },
}

/// A stream inside a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainStream {
    /// Its name in a zip; empty elsewhere. Any bytes, never a path.
    pub name: Vec<u8>,
    /// Where its bytes start in the plain bytes.
    pub offset: u64,
    /// How many plain bytes it has.
    pub length: u64,
}

/// A content without its deflate streams, and what was in them.
pub struct Inflated<'a> {
    /// The bytes of the content that are in no stream.
    pub skeleton: Concat<Slice<&'a dyn ReadAt>>,
    /// What the streams hold, one behind the other.
    pub plain: Concat<Slice<Arc<dyn ReadAt>>>,
    /// The streams, in the order of the plain bytes.
    pub streams: Vec<PlainStream>,
}

/// An [`Inflated`] content that [`close`] makes whole again.
pub struct Opened<'a> {
    /// Skeleton and plain bytes, without the streams that do not come back exactly.
    pub inflated: Inflated<'a>,
    /// How the streams come back.
    pub plan: Vec<u8>,
    /// The features that a reader needs besides that of opened contents.
    pub features: BTreeSet<&'static str>,
}

/// Whether `content` starts or ends like one that [`open`] can open.
///
/// # Errors
/// What reading the content reports.
pub fn looks_compressed(content: &dyn ReadAt) -> io::Result<bool> {
    Ok(Container::detect(content)?.is_some())
}

/// Takes the plain bytes out of every stream of `content`; `None` when there are no streams.
///
/// # Errors
/// What reading the content or writing to `scratch` reports; never because of what the content holds.
pub fn inflate<'a>(content: &'a dyn ReadAt, scratch: &dyn Scratch) -> io::Result<Option<Inflated<'a>>> {
    Ok(locate(content, scratch, &mut DEFLATE_PLAIN_BYTES.clone())?.map(|found| found.inflated(content)))
}

/// Takes the plain bytes out of every stream of `content` that comes back exactly, which is proved by making it again;
/// `None` when there are none.
///
/// # Errors
/// What reading the content or writing to `scratch` reports; never because of what the content holds.
pub fn open<'a>(content: &'a dyn ReadAt, scratch: &dyn Scratch) -> io::Result<Option<Opened<'a>>> {
    let found = locate(content, scratch, &mut DEFLATE_PLAIN_BYTES.clone())?;
    found.map_or(Ok(None), |found| found.opened(content))
}

/// What a content is, told by its first bytes, or by its last ones when a program stands before a zip.
#[derive(Clone, Copy)]
enum Container {
    Gzip,
    Zip,
    Png,
    Zlib,
}

impl Container {
    fn detect(content: &dyn ReadAt) -> io::Result<Option<Self>> {
        let Some(first) = bytes_at::<8>(content, 0)? else { return Ok(None) };
        Ok(match first {
            _ if first.starts_with(&gzip::MAGIC) => Some(Self::Gzip),
            _ if first.starts_with(&zip::LOCAL) => Some(Self::Zip),
            _ if first.starts_with(&png::MAGIC) => Some(Self::Png),
            [one, two, ..] if zlib_stream::is_header([one, two]) => Some(Self::Zlib),
            _ => zip::ends(content)?.then_some(Self::Zip),
        })
    }
}

/// The streams of a content and the scratch that holds their plain bytes.
struct LocatedStreams {
    streams: Vec<Located>,
    plain: Arc<dyn ReadAt>,
}

/// Finds the streams, whose plain bytes take from `room`; what does not fit into it is not found.
fn locate(content: &dyn ReadAt, scratch: &dyn Scratch, room: &mut u64) -> io::Result<Option<LocatedStreams>> {
    let Some(container) = Container::detect(content)? else { return Ok(None) };
    let mut collector = Collector::new(content, scratch.create()?, room);
    match container {
        Container::Gzip => gzip::locate(&mut collector)?,
        Container::Zip => zip::locate(&mut collector)?,
        Container::Png => png::locate(&mut collector)?,
        Container::Zlib => zlib_stream::locate(&mut collector)?,
    }
    let (streams, plain) = collector.finish()?;
    Ok((!streams.is_empty()).then_some(LocatedStreams { streams, plain }))
}

impl LocatedStreams {
    /// Leaves those that do not come back exactly in the skeleton.
    fn opened(self, content: &dyn ReadAt) -> io::Result<Option<Opened<'_>>> {
        let Self { streams, plain } = self;
        let encoders = search::search(content, &plain, &streams)?;
        let mut kept = Vec::new();
        let mut plan = Vec::new();
        let mut features = BTreeSet::new();
        let mut position = 0;
        for (located, encoder) in streams.into_iter().zip(encoders) {
            let Some(encoder) = encoder else { continue };
            let gap = located.offset - position;
            position = located.end();
            let step = Step { gap, plain: located.plain_length, wrapping: located.wrapping.clone(), encoder };
            step.push_to(&mut plan);
            features.extend(step.features());
            kept.push(located);
        }
        let inflated = Self { streams: kept, plain }.inflated(content);
        Ok((!plan.is_empty()).then_some(Opened { inflated, plan, features }))
    }

    fn plain(&self, located: &Located) -> Option<Slice<Arc<dyn ReadAt>>> {
        Slice::new(Arc::clone(&self.plain), located.plain_offset, located.plain_length)
    }

    fn inflated<'a>(&self, content: &'a dyn ReadAt) -> Inflated<'a> {
        let ends = std::iter::once(0).chain(self.streams.iter().map(Located::end));
        let starts = self.streams.iter().map(|located| located.offset).chain(std::iter::once(content.len()));
        let gaps: Vec<(u64, u64)> = ends.zip(starts).map(|(end, start)| (end, start - end)).collect();
        let mut offset = 0;
        let stream = |one: &Located| {
            let start = offset;
            offset += one.plain_length;
            PlainStream { name: one.name.clone(), offset: start, length: one.plain_length }
        };
        Inflated {
            skeleton: located::join(content, &gaps),
            plain: Concat::new(self.streams.iter().filter_map(|one| self.plain(one))),
            streams: self.streams.iter().map(stream).collect(),
        }
    }
}
