//! Writes a delta window by window.

use std::io::{self, Write};

use super::window::{self, Step};
use super::{HEADER_APPLICATION, MAGIC, WINDOW_CHECKSUM, WINDOW_SOURCE, integer};
use crate::ReadAt;
use crate::adler::Adler;
use crate::align::{Fineness, Index, Match};
use crate::bytes::Bytes;
use crate::limits::VCDIFF_WINDOW_BYTES;

/// A window's source segment spans at most this much: the addresses of xdelta3 3.0 have 32 bits.
const SEGMENT_BYTES: u64 = 1 << 30;

/// A COPY of fewer bytes costs more than the literals that it saves.
const SHORTEST_COPY: usize = 8;

/// The same for a COPY that goes on where the one before it ended but for a few bytes: its address costs one byte.
const SHORTEST_RESUMED_COPY: usize = 5;

/// A repeated byte shorter than this stays a literal.
const SHORTEST_RUN: usize = 16;

/// Positions of the window that the search for repeats remembers.
const REPEAT_BITS: u32 = 16;

/// Writes the delta that makes `target` from `base`, with `application_header` where it is not empty.
///
/// # Errors
/// What reading and writing report.
pub fn encode(
    base: &dyn ReadAt,
    target: &dyn ReadAt,
    application_header: &[u8],
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(&header(application_header))?;
    let mut windows = Windows { base: Bytes::walked(base)?, target, start: 0, matches: Vec::new(), out };
    Index::new(base, Fineness::Every)?.align(target, &mut |found| windows.take(found))?;
    windows.finish()
}

fn header(application_header: &[u8]) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    if application_header.is_empty() {
        header.push(0);
    } else {
        header.push(HEADER_APPLICATION);
        integer::push(&mut header, application_header.len() as u64);
        header.extend_from_slice(application_header);
    }
    header
}

struct Windows<'a, 'b> {
    base: Bytes<'a>,
    target: &'b dyn ReadAt,
    /// Where the window that is being filled starts in the target.
    start: u64,
    /// The matches in it.
    matches: Vec<Match>,
    out: &'b mut dyn Write,
}

impl Windows<'_, '_> {
    fn take(&mut self, mut found: Match) -> io::Result<()> {
        while found.target + found.length > self.end() {
            let inside = self.end().saturating_sub(found.target);
            if inside > 0 {
                self.matches.push(Match { length: inside, ..found });
                found =
                    Match { target: found.target + inside, base: found.base + inside, length: found.length - inside };
            }
            self.write()?;
        }
        self.matches.push(found);
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        while self.start < self.target.len() {
            self.write()?;
        }
        Ok(())
    }

    fn end(&self) -> u64 {
        self.start + VCDIFF_WINDOW_BYTES as u64
    }

    /// Writes the window and starts the next one.
    fn write(&mut self) -> io::Result<()> {
        let size = self.end().min(self.target.len()) - self.start;
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.target.read_exact_at(&mut bytes, self.start)?;
        let (position, length) = segment(&mut self.matches);
        let steps = self.steps(&bytes, position, length)?;
        self.out.write_all(&frame(&bytes, &steps, position, length))?;
        self.matches.clear();
        self.start += size;
        Ok(())
    }

    fn steps(&mut self, window: &[u8], position: u64, length: u64) -> io::Result<Vec<Step>> {
        let mut steps =
            Steps { window, segment: length, list: Vec::new(), repeats: vec![0; 1 << REPEAT_BITS], done: 0 };
        for found in std::mem::take(&mut self.matches) {
            let at = usize::try_from(found.target - self.start).map_err(io::Error::other)?;
            let mut walked = 0;
            let size = usize::try_from(found.length).map_err(io::Error::other)?;
            steps.fresh(at);
            while walked < size {
                let piece = self.base.from(found.base + walked as u64)?;
                let count = piece.len().min(size - walked);
                steps.alike(at + walked, &piece[..count], found.base + walked as u64 - position);
                walked += count;
            }
        }
        steps.fresh(window.len());
        Ok(steps.list)
    }
}

/// The source segment that holds the base side of `matches`; those that it cannot hold are dropped.
fn segment(matches: &mut Vec<Match>) -> (u64, u64) {
    let start = |found: &Match| found.base;
    let end = |found: &Match| found.base + found.length;
    let lowest = matches.iter().map(start).min().unwrap_or(0);
    if matches.iter().map(end).max().unwrap_or(0) - lowest > SEGMENT_BYTES {
        let from = densest(matches);
        matches.retain(|found| start(found) >= from && end(found) <= from + SEGMENT_BYTES);
    }
    let lowest = matches.iter().map(start).min().unwrap_or(0);
    (lowest, matches.iter().map(end).max().unwrap_or(0) - lowest)
}

/// The start of the stretch of [`SEGMENT_BYTES`] that holds most matched bytes.
fn densest(matches: &[Match]) -> u64 {
    let mut sorted: Vec<(u64, u64)> = matches.iter().map(|found| (found.base, found.length)).collect();
    sorted.sort_unstable();
    let (mut first, mut held, mut best, mut from) = (0, 0, 0, 0);
    for (base, length) in &sorted {
        held += length;
        while sorted[first].0 + SEGMENT_BYTES < base + length {
            held -= sorted[first].1;
            first += 1;
        }
        if held > best {
            (best, from) = (held, sorted[first].0);
        }
    }
    from
}

/// The instructions of one window, as they come to be.
struct Steps<'a> {
    window: &'a [u8],
    segment: u64,
    list: Vec<Step>,
    /// For each hash of eight bytes, where they were last seen in the literals, plus one.
    repeats: Vec<u32>,
    done: usize,
}

impl Steps<'_> {
    /// The window from `at` on looks like `base`, which is at `address` of the segment.
    fn alike(&mut self, at: usize, base: &[u8], address: u64) {
        let target = &self.window[at..at + base.len()];
        let mut from = 0;
        while from < base.len() {
            let equal = base[from..].iter().zip(&target[from..]).take_while(|(one, other)| one == other).count();
            let shortest =
                if self.resumes(address + from as u64, at + from) { SHORTEST_RESUMED_COPY } else { SHORTEST_COPY };
            if equal >= shortest {
                self.fresh(at + from);
                self.copy(address + from as u64, equal);
            }
            from += equal;
            from += base[from..].iter().zip(&target[from..]).take_while(|(one, other)| one != other).count();
        }
    }

    /// Whether a copy of `address` at the window's `at` keeps the distance of the last copy.
    fn resumes(&self, address: u64, at: usize) -> bool {
        match self.list.last() {
            Some(Step::Copy { address: before, length }) => {
                before + *length as u64 + (at - self.done) as u64 == address && at - self.done < 64
            }
            _ => false,
        }
    }

    /// The window up to `end` has no counterpart in the base.
    fn fresh(&mut self, end: usize) {
        let mut literal = self.done;
        let mut at = self.done;
        while at + 8 <= end {
            let run = self.window[at..end].iter().take_while(|byte| **byte == self.window[at]).count();
            if run >= SHORTEST_RUN {
                self.add(literal, at);
                self.list.push(Step::Run { byte: self.window[at], length: run });
                self.done = at + run;
                (literal, at) = (self.done, self.done);
                continue;
            }
            match self.repeat(at, end) {
                Some((from, length)) => {
                    self.add(literal, at);
                    self.copy(self.segment + from as u64, length);
                    (literal, at) = (self.done, self.done);
                }
                None => at += 1,
            }
        }
        self.add(literal, end);
    }

    /// Where the bytes at `at` stood before in this window's literals, and for how long they agree.
    fn repeat(&mut self, at: usize, end: usize) -> Option<(usize, usize)> {
        let mut eight = [0; 8];
        eight.copy_from_slice(&self.window[at..at + 8]);
        let hash = u64::from_le_bytes(eight).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - REPEAT_BITS);
        let slot = &mut self.repeats[usize::try_from(hash).unwrap_or_default()];
        let from = std::mem::replace(slot, u32::try_from(at + 1).unwrap_or_default()).checked_sub(1)? as usize;
        let length =
            self.window[from..].iter().zip(&self.window[at..end]).take_while(|(one, other)| one == other).count();
        (length >= SHORTEST_COPY + 4).then_some((from, length))
    }

    fn add(&mut self, from: usize, to: usize) {
        if to > from {
            self.list.push(Step::Add { at: from, length: to - from });
            self.done = to;
        }
    }

    fn copy(&mut self, address: u64, length: usize) {
        self.done += length;
        if let Some(Step::Copy { address: before, length: copied }) = self.list.last_mut()
            && *before + *copied as u64 == address
            && *before + *copied as u64 != self.segment
        {
            *copied += length;
            return;
        }
        self.list.push(Step::Copy { address, length });
    }
}

/// The bytes of a window (RFC 3284, 4.2 and 4.3).
fn frame(window: &[u8], steps: &[Step], position: u64, length: u64) -> Vec<u8> {
    let sections = window::write(steps, window, length);
    let mut body = Vec::new();
    integer::push(&mut body, window.len() as u64);
    body.push(0);
    for section in [&sections.data, &sections.instructions, &sections.addresses] {
        integer::push(&mut body, section.len() as u64);
    }
    body.extend_from_slice(&Adler::of(window).to_be_bytes());
    for section in [&sections.data, &sections.instructions, &sections.addresses] {
        body.extend_from_slice(section);
    }
    let mut frame = Vec::new();
    if length > 0 {
        frame.push(WINDOW_SOURCE | WINDOW_CHECKSUM);
        integer::push(&mut frame, length);
        integer::push(&mut frame, position);
    } else {
        frame.push(WINDOW_CHECKSUM);
    }
    integer::push(&mut frame, body.len() as u64);
    frame.extend_from_slice(&body);
    frame
}

#[cfg(test)]
mod tests;
