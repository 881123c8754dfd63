//! Contents that are opened as deep as they go, each as one row of bytes.
//!
//! What a content is coded against is another one as it stands and, behind it, the plain bytes of all its streams: [`unfold`].
//! So a stream that did not change is copied as it is, and nobody has to make it again. What is coded is the skeleton and,
//! behind it, the plain bytes of the streams that did change: [`open`], of which [`close`] makes the content again.
//!
//! # Format
//!
//! **Unfolded**, a content is followed by the plain bytes of each of its streams in their order. Behind those of one
//! stream stand, in the same way, those of the streams that are found in them, up to [`DEFLATE_DEPTH`] levels deep, in at
//! most [`DEFLATE_NESTED`] of the nested contents that look as if they held any, and as long as all plain bytes together are at
//! most [`DEFLATE_PLAIN_BYTES`].
//!
//! **Opened**, a content is its skeleton followed by the plain bytes of its streams, where those of a stream that was opened
//! itself are replaced by what it is when opened.
//!
//! The plan has numbers as in RFC 3284, section 2: the length of the opened content; the length of the skeleton; the length
//! of the plan of the streams and this plan (see `plan.rs`); then for each opened stream how many plain bytes come before
//! it behind the last opened one, the length of its plan, and this plan, which is one like this one.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, Read, Write};
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3Default;

use super::{Error, Inflated, Located, locate};
use crate::limits::{COPY_BYTES, DEFLATE_DEPTH, DEFLATE_NESTED, DEFLATE_PLAIN_BYTES};
use crate::vcdiff::integer::{push, take};
use crate::{Concat, ReadAt, Reader, Scratch, Slice};

/// Bytes of any origin, one behind the other.
pub type Row<'a> = Concat<Box<dyn ReadAt + 'a>>;

/// What a content is coded against.
pub struct Unfolded<'a> {
    /// Its bytes.
    pub bytes: Row<'a>,
    /// The hashes of its compressed streams, those nested included.
    streams: HashSet<u128>,
}

/// A content that [`close`] makes whole again.
pub struct Opened<'a> {
    /// Its bytes.
    pub bytes: Row<'a>,
    /// How the content comes back.
    pub plan: Vec<u8>,
    /// Bytes of the streams that are opened, as they stand in the content.
    pub compressed: u64,
    /// Plain bytes that are compressed again then.
    pub recompressed: u64,
    /// The features that a reader needs for that, besides that of opened contents.
    pub features: BTreeSet<&'static str>,
}

/// `content` and the plain bytes of all streams in it.
///
/// # Errors
/// What reading the content or writing to `scratch` reports; never because of what the content holds.
pub fn unfold<'a>(content: &'a dyn ReadAt, scratch: &dyn Scratch) -> io::Result<Unfolded<'a>> {
    let mut unfolding = Unfolding {
        parts: vec![Box::new(content)],
        streams: HashSet::new(),
        bounds: Bounds { room: DEFLATE_PLAIN_BYTES, nested: DEFLATE_NESTED, scratch },
    };
    unfolding.add(content, DEFLATE_DEPTH)?;
    Ok(Unfolded { bytes: Concat::new(unfolding.parts), streams: unfolding.streams })
}

/// Opens the streams of `content` that come back exactly and that `base` does not have as they are; `None` when there are
/// none.
///
/// # Errors
/// What reading the content or writing to `scratch` reports; never because of what the content holds.
pub fn open<'a>(content: &'a dyn ReadAt, base: &Unfolded<'_>, scratch: &dyn Scratch) -> io::Result<Option<Opened<'a>>> {
    let bounds = Bounds { room: DEFLATE_PLAIN_BYTES, nested: DEFLATE_NESTED, scratch };
    Opening { known: &base.streams, bounds }.open(content, DEFLATE_DEPTH)
}

/// The length of the opened content that `plan` is for; `None` when it is no plan.
pub fn opened_length(mut plan: &[u8]) -> Option<u64> {
    take(&mut plan)
}

/// Writes the content that `plan` makes of `opened`, at most `most` bytes, and returns its length.
///
/// # Errors
/// When the two do not belong together, the content is longer, or reading or writing fails.
pub fn close(
    plan: &[u8],
    opened: &dyn ReadAt,
    scratch: &dyn Scratch,
    out: &mut dyn Write,
    most: u64,
) -> Result<u64, Error> {
    let bounds = Bounds { room: DEFLATE_PLAIN_BYTES, nested: DEFLATE_NESTED, scratch };
    Closing { bounds }.close(plan, opened, (out, most), DEFLATE_DEPTH)
}

/// The features that a reader needs to [`close`] with `plan`, besides that of opened contents.
///
/// # Errors
/// When it is no plan.
pub fn features(plan: &[u8]) -> Result<BTreeSet<&'static str>, Error> {
    let mut features = BTreeSet::new();
    add_features(plan, DEFLATE_DEPTH, &mut features)?;
    Ok(features)
}

fn add_features(mut plan: &[u8], depth: u32, features: &mut BTreeSet<&'static str>) -> Result<(), Error> {
    let depth = depth.checked_sub(1).ok_or(Error::Nesting)?;
    // The lengths of the opened content and of the skeleton.
    take(&mut plan).and_then(|_| take(&mut plan)).ok_or(Error::Nesting)?;
    for step in super::plan::steps(taken(&mut plan)?) {
        features.extend(step?.features());
    }
    while !plan.is_empty() {
        take(&mut plan).ok_or(Error::Nesting)?;
        add_features(taken(&mut plan)?, depth, features)?;
    }
    Ok(())
}

/// What may still be taken out of one content.
struct Bounds<'a> {
    room: u64,
    nested: usize,
    scratch: &'a dyn Scratch,
}

struct Unfolding<'a, 's> {
    parts: Vec<Box<dyn ReadAt + 'a>>,
    streams: HashSet<u128>,
    bounds: Bounds<'s>,
}

impl Unfolding<'_, '_> {
    fn add(&mut self, content: &dyn ReadAt, depth: u32) -> io::Result<()> {
        let Some(found) = locate(content, self.bounds.scratch, &mut self.bounds.room)? else { return Ok(()) };
        for located in &found.streams {
            self.streams.insert(hash(located, content)?);
            let Some(plain) = found.plain(located) else { continue };
            self.parts.push(Box::new(plain.clone()));
            if depth > 1 && self.bounds.nested > 0 && super::looks_compressed(&plain)? {
                self.bounds.nested -= 1;
                self.add(&plain, depth - 1)?;
            }
        }
        Ok(())
    }
}

struct Opening<'a> {
    known: &'a HashSet<u128>,
    bounds: Bounds<'a>,
}

impl Opening<'_> {
    fn open<'a>(&mut self, content: &'a dyn ReadAt, depth: u32) -> io::Result<Option<Opened<'a>>> {
        let Some(mut found) = locate(content, self.bounds.scratch, &mut self.bounds.room)? else { return Ok(None) };
        let mut changed = Vec::new();
        for located in found.streams {
            if !self.known.contains(&hash(&located, content)?) {
                changed.push(located);
            }
        }
        found.streams = changed;
        let Some(opened) = found.opened(content)? else { return Ok(None) };
        self.deeper(content.len(), opened, depth).map(Some)
    }

    /// Opens what the streams hold of a content of `length` bytes.
    fn deeper<'a>(&mut self, length: u64, opened: super::Opened<'a>, depth: u32) -> io::Result<Opened<'a>> {
        let super::Opened { inflated: Inflated { skeleton, plain, streams }, plan, mut features } = opened;
        let compressed = length - skeleton.len();
        let mut described = Vec::new();
        push(&mut described, skeleton.len());
        push(&mut described, plan.len() as u64);
        described.extend_from_slice(&plan);
        let mut recompressed = plain.len();
        let plain = Arc::new(plain);
        let mut parts: Vec<Box<dyn ReadAt + 'a>> = vec![Box::new(skeleton)];
        let mut end = 0;
        for stream in &streams {
            let Some(content) = Slice::new(Arc::clone(&plain), stream.offset, stream.length) else { continue };
            if depth == 1 || self.bounds.nested == 0 || !super::looks_compressed(&content)? {
                continue;
            }
            self.bounds.nested -= 1;
            let Some(nested) = self.open(&content, depth - 1)? else { continue };
            push(&mut described, stream.offset - end);
            push(&mut described, nested.plan.len() as u64);
            described.extend_from_slice(&nested.plan);
            parts.extend(part(&plain, end, stream.offset - end));
            end = stream.offset + stream.length;
            parts.push(Box::new(self.spooled(&nested.bytes)?));
            recompressed += nested.recompressed;
            features.extend(nested.features);
        }
        parts.extend(part(&plain, end, plain.len() - end));
        let bytes = Concat::new(parts);
        let mut plan = Vec::new();
        push(&mut plan, bytes.len());
        plan.extend_from_slice(&described);
        Ok(Opened { bytes, plan, compressed, recompressed, features })
    }

    fn spooled(&self, bytes: &Row<'_>) -> io::Result<Arc<dyn ReadAt>> {
        let mut file = self.bounds.scratch.create()?;
        io::copy(&mut Reader::new(bytes), &mut file)?;
        file.freeze()
    }
}

struct Closing<'a> {
    bounds: Bounds<'a>,
}

impl Closing<'_> {
    fn close(
        &mut self,
        mut plan: &[u8],
        opened: &dyn ReadAt,
        (out, most): (&mut dyn Write, u64),
        depth: u32,
    ) -> Result<u64, Error> {
        take(&mut plan).filter(|length| *length == opened.len()).ok_or(Error::Nesting)?;
        let mut position = take(&mut plan).ok_or(Error::Nesting)?;
        let skeleton = Slice::new(opened, 0, position).ok_or(Error::Nesting)?;
        let streams = taken(&mut plan)?;
        let mut parts: Vec<Box<dyn ReadAt + '_>> = Vec::new();
        while !plan.is_empty() {
            let gap = take(&mut plan).ok_or(Error::Nesting)?;
            parts.push(Box::new(Slice::new(opened, position, gap).ok_or(Error::Nesting)?));
            position += gap;
            let nested = taken(&mut plan)?;
            let length = opened_length(nested).ok_or(Error::Nesting)?;
            let bytes = Slice::new(opened, position, length).ok_or(Error::Nesting)?;
            position += length;
            parts.push(Box::new(self.nested(nested, &bytes, depth)?));
        }
        let rest = opened.len() - position;
        parts.push(Box::new(Slice::new(opened, position, rest).ok_or(Error::Nesting)?));
        super::close(streams, &skeleton, &Concat::new(parts), out, most)
    }

    fn nested(&mut self, plan: &[u8], opened: &dyn ReadAt, depth: u32) -> Result<Arc<dyn ReadAt>, Error> {
        self.bounds.nested = self.bounds.nested.checked_sub(1).filter(|_| depth > 1).ok_or(Error::Nesting)?;
        let mut file = self.bounds.scratch.create()?;
        let room = self.bounds.room;
        let length = self.close(plan, opened, (&mut file, room), depth - 1)?;
        self.bounds.room = room.saturating_sub(length);
        Ok(file.freeze()?)
    }
}

/// Takes a length and so many bytes from the front of `plan`.
fn taken<'a>(plan: &mut &'a [u8]) -> Result<&'a [u8], Error> {
    let length = take(plan).and_then(|length| usize::try_from(length).ok());
    let (bytes, rest) = length.and_then(|length| plan.split_at_checked(length)).ok_or(Error::Nesting)?;
    *plan = rest;
    Ok(bytes)
}

fn part<'a, T: ReadAt + 'a>(whole: &Arc<T>, offset: u64, length: u64) -> Option<Box<dyn ReadAt + 'a>> {
    Slice::new(Arc::clone(whole), offset, length).map(|slice| Box::new(slice) as Box<dyn ReadAt + 'a>)
}

/// The hash of the compressed bytes. Streams with the same hash are taken for the same; were they not, the bytes of one
/// would be carried as they are.
fn hash(located: &Located, content: &dyn ReadAt) -> io::Result<u128> {
    let mut state = Xxh3Default::new();
    let mut source = Reader::new(located.deflated(content));
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(state.digest128()),
            count => state.update(&buffer[..count]),
        }
    }
}
