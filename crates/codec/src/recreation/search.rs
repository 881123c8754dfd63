//! From a blob and its plain bytes to a plan.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::plan::{Piece, Plan};
use super::{EncodedStream, format, gzip, zstd};
use crate::deflate::header_end;
use crate::encoder::trial::{self, Attempt, Maker};
use crate::encoder::{Encoder, Format, Header, Origin, candidates};
use crate::limits::{DEFLATE_HELD_BYTES, RECREATION_LOOK_BYTES, RECREATION_PLAN_BYTES};
use crate::{ReadAt, Slice};

/// Encoders may go over so many times the plain bytes, and over this many bytes more, before they are given up.
const PASSES: u64 = 6;
const FREE_BYTES: u64 = 64 << 20;

/// What is kept of a blob as it stands may be this share of it: half. A plan with more in it is no gain.
const KEPT_SHARE: u64 = 2;

/// What [`find`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchOutcome {
    /// The plan that makes the blob, every byte of it.
    Exact(Plan),
    /// No known encoder makes it; the one that came nearest, if any was tried.
    Unknown(Option<Nearest>),
}

/// The encoder that made more of a blob than any other that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Its name, for people.
    pub encoder: String,
    /// The offset of the first byte of the blob that it did not make.
    pub differs_at: u64,
}

/// Looks for the encoders that make `blob` of `plain`, which is what a decompressor makes of the blob, by making all of it.
///
/// # Errors
/// What reading either reports; never because of what they hold.
pub fn find(blob: &dyn ReadAt, plain: &dyn ReadAt) -> io::Result<SearchOutcome> {
    let Some(format) = format(blob)? else { return Ok(SearchOutcome::Unknown(None)) };
    let budget = AtomicU64::new(plain.len().saturating_mul(PASSES).saturating_add(FREE_BYTES));
    let search = |streams: &[EncodedStream]| Search::new(blob, plain, format, &budget).run(streams);
    let guess = match format {
        Format::Deflate => gzip::guess(blob, plain.len())?,
        Format::Zstd => None,
    };
    let guessed = guess.as_deref().map_or(Ok(SearchOutcome::Unknown(None)), search)?;
    if matches!(guessed, SearchOutcome::Exact(_)) {
        return Ok(guessed);
    }
    let scanned = match format {
        Format::Deflate => gzip::scan(blob, plain.len())?,
        Format::Zstd => zstd::scan(blob, plain.len())?,
    };
    match scanned {
        Some(streams) if guess.as_ref() != Some(&streams) => search(&streams),
        _ => Ok(guessed),
    }
}

/// Whether a known encoder makes the first `RECREATION_LOOK_BYTES` of `blob`, and so probably all of it. Takes a fraction of the time of
/// [`find`] where the blob is long.
///
/// # Errors
/// What reading either reports.
pub fn is_likely(blob: &dyn ReadAt, plain: &dyn ReadAt) -> io::Result<bool> {
    let Some(format) = format(blob)? else { return Ok(false) };
    let header = Header::read(blob, 0)?;
    let (start, end, origin) = match format {
        // No encoder makes the trailer.
        Format::Deflate => {
            let end = blob.len().saturating_sub(gzip::TRAILER_BYTES);
            (header_end(blob, 0)?.unwrap_or(end), end, Origin::Gzip(header))
        }
        Format::Zstd => (0, blob.len(), Origin::Zstd(header)),
    };
    let look = RECREATION_LOOK_BYTES.min(end.saturating_sub(start));
    let Some(expected) = Slice::new(blob, start, look).filter(|_| look > 0) else { return Ok(false) };
    let budget = AtomicU64::new(FREE_BYTES + plain.len());
    trial::makes_start(&candidates(&origin, &[]), plain, &expected, &budget)
}

struct Search<'a> {
    blob: &'a dyn ReadAt,
    plain: &'a dyn ReadAt,
    format: Format,
    budget: &'a AtomicU64,
    plan: Vec<u8>,
    /// Bytes that are kept and not yet in the plan, and the plain bytes that they stand for.
    kept: (Vec<u8>, u64),
    kept_bytes: u64,
    encoder: Option<Arc<dyn Encoder>>,
    nearest: Option<Nearest>,
}

impl<'a> Search<'a> {
    fn new(blob: &'a dyn ReadAt, plain: &'a dyn ReadAt, format: Format, budget: &'a AtomicU64) -> Self {
        let (plan, kept, encoder, nearest) = Default::default();
        Self { blob, plain, format, budget, plan, kept, kept_bytes: 0, encoder, nearest }
    }

    fn run(mut self, streams: &[EncodedStream]) -> io::Result<SearchOutcome> {
        let mut position = 0;
        for stream in streams {
            let is_kept = self.keep(position, stream.at.start, 0)?;
            if !is_kept || !self.stream(stream, &mut position)? {
                return Ok(SearchOutcome::Unknown(self.nearest));
            }
        }
        let is_kept = self.keep(position, self.blob.len(), 0)?;
        self.close_kept();
        let plan = Plan::parse(self.plan).ok().filter(|plan| is_kept && plan.makes_something());
        Ok(plan.map_or(SearchOutcome::Unknown(self.nearest), SearchOutcome::Exact))
    }

    /// Adds a stream, and what belongs to it; `false` when that is too much to keep.
    fn stream(&mut self, stream: &EncodedStream, position: &mut u64) -> io::Result<bool> {
        *position = stream.at.end;
        let length = stream.plain.end - stream.plain.start;
        let expected = Slice::new(self.blob, stream.at.start, stream.at.end - stream.at.start);
        let (Some(expected), Some(plain)) = (expected, Slice::new(self.plain, stream.plain.start, length)) else {
            return Ok(false);
        };
        let candidates = candidates(&stream.origin, self.encoder.as_slice());
        match trial::find(candidates, &plain, &expected, self.budget)? {
            Ok(Maker { tried, told }) => {
                let has_trailer = self.has_trailer(stream)?;
                self.close_kept();
                Piece::Made(told, length, has_trailer).push_to(&mut self.plan);
                self.encoder = Some(tried);
                *position += if has_trailer { gzip::TRAILER_BYTES } else { 0 };
                Ok(true)
            }
            Err(attempts) => {
                self.note(attempts, stream.at.start);
                self.keep(stream.at.start, stream.at.end, length)
            }
        }
    }

    /// The trailers of long members are kept: to make one again all its plain bytes would be read once more.
    fn has_trailer(&self, stream: &EncodedStream) -> io::Result<bool> {
        let length = stream.plain.end - stream.plain.start;
        let plain = Slice::new(self.plain, stream.plain.start, length).filter(|_| length <= DEFLATE_HELD_BYTES);
        match plain {
            Some(plain) if self.format == Format::Deflate => gzip::has_trailer(self.blob, &stream.at, &plain),
            _ => Ok(false),
        }
    }

    /// Keeps a part of the blob, which stands for so many plain bytes; `false` when it is too much.
    fn keep(&mut self, start: u64, end: u64, plain: u64) -> io::Result<bool> {
        let length = end - start;
        self.kept_bytes += length;
        let is_small = self.plan.len() as u64 + self.kept_bytes <= RECREATION_PLAN_BYTES as u64;
        // The header and trailer of a tiny blob are most of it.
        if !is_small || (plain > 0 && self.kept_bytes > self.blob.len() / KEPT_SHARE) {
            return Ok(false);
        }
        let filled = self.kept.0.len();
        self.kept.0.resize(filled + usize::try_from(length).unwrap_or_default(), 0);
        self.blob.read_exact_at(&mut self.kept.0[filled..], start)?;
        self.kept.1 += plain;
        Ok(true)
    }

    fn close_kept(&mut self) {
        let (bytes, plain) = std::mem::take(&mut self.kept);
        if !bytes.is_empty() {
            Piece::Kept(&bytes, plain).push_to(&mut self.plan);
        }
    }

    fn note(&mut self, attempts: Vec<Attempt>, start: u64) {
        // Of those that came equally far the first is the likeliest.
        let best = attempts.into_iter().rev().max_by_key(|attempt| attempt.equal);
        let nearest = best.map(|best| Nearest { encoder: best.encoder, differs_at: start + best.equal });
        self.nearest = self.nearest.take().or(nearest);
    }
}

#[cfg(test)]
mod tests;
