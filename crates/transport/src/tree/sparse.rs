//! Files with holes: where their data is, and the map of it that goes into the stream.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::io::Errno;

use super::header::{BLOCK, invalid};

/// What file systems allot. Data begins and ends at a multiple of it, or at the end of the file.
const UNIT: u64 = UNIT_BYTES as u64;
const UNIT_BYTES: usize = 4096;

/// A shorter hole is written out: it saves less than it costs in other places, and linkers leave such holes in programs.
const HOLE_BYTES: u64 = 64 << 10;

/// Spans of one file: 2^16 of them are 1 MiB in memory, and a file that has more gets its last holes written out.
pub(super) const SPANS: usize = 1 << 16;

/// A part of a file that is no hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Span {
    const fn end(self) -> u64 {
        self.offset + self.length
    }
}

/// Where the data of a file is, as its file system says.
pub(super) fn data_of(file: &File, size: u64) -> io::Result<Vec<Span>> {
    let mut found = Spans::new(size);
    each_data(file, size, &mut |start, end| {
        found.take(start, end);
        Ok(())
    })?;
    Ok(found.finish())
}

/// Where the bytes of a file are that are not zero, whatever its file system allots.
pub(super) fn bytes_of(file: &File, size: u64) -> io::Result<Vec<Span>> {
    if size < HOLE_BYTES {
        return Ok(vec![Span { offset: 0, length: size }]);
    }
    let mut found = Spans::new(size);
    let mut buffer = vec![0; 64 * UNIT_BYTES];
    each_data(file, size, &mut |start, end| {
        let (mut at, end) = (start - start % UNIT, end.next_multiple_of(UNIT).min(size));
        while at < end {
            let count = buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
            file.read_exact_at(&mut buffer[..count], at)?;
            for unit in buffer[..count].chunks(UNIT_BYTES) {
                let next = at + unit.len() as u64;
                if unit.iter().any(|byte| *byte != 0) {
                    found.take(at, next);
                }
                at = next;
            }
        }
        Ok(())
    })?;
    Ok(found.finish())
}

fn each_data(file: &File, size: u64, take: &mut dyn FnMut(u64, u64) -> io::Result<()>) -> io::Result<()> {
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)) {
            Ok(start) => start.min(size),
            Err(Errno::NXIO) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let end = rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(start))?.min(size);
        take(start, end)?;
        at = end.max(at + 1);
    }
    Ok(())
}

/// Spans as they are found, in their order.
struct Spans {
    size: u64,
    spans: Vec<Span>,
}

impl Spans {
    const fn new(size: u64) -> Self {
        Self { size, spans: Vec::new() }
    }

    fn take(&mut self, start: u64, end: u64) {
        let (start, end) = (start - start % UNIT, end.next_multiple_of(UNIT).min(self.size));
        if start >= end {
            return;
        }
        let count = self.spans.len();
        match self.spans.last_mut() {
            Some(last) if start < last.end().saturating_add(HOLE_BYTES) || count == SPANS - 1 => {
                last.length = end.max(last.end()) - last.offset;
            }
            None if start < HOLE_BYTES => self.spans.push(Span { offset: 0, length: end }),
            _ => self.spans.push(Span { offset: start, length: end - start }),
        }
    }

    /// A hole at the end is marked by a span of no bytes, as GNU tar does.
    fn finish(mut self) -> Vec<Span> {
        let size = self.size;
        match self.spans.last_mut() {
            Some(last) if size - last.end() < HOLE_BYTES => last.length = size - last.offset,
            None if size < HOLE_BYTES => self.spans.push(Span { offset: 0, length: size }),
            _ => self.spans.push(Span { offset: size, length: 0 }),
        }
        self.spans
    }
}

/// How many bytes of the file the spans hold.
pub(super) fn held(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.length).sum()
}

/// The map of GNU tar's sparse format 1.0: how many spans, and offset and length of each, in lines, filled up with zeros.
pub(super) fn map(spans: &[Span]) -> Vec<u8> {
    let lines: String = spans.iter().map(|span| format!("{}\n{}\n", span.offset, span.length)).collect();
    let mut map = format!("{}\n{lines}", spans.len()).into_bytes();
    map.resize(map.len().next_multiple_of(BLOCK), 0);
    map
}

/// The longest map that there can be.
pub(super) const MAP_BYTES: u64 = 42 * (SPANS as u64 + 1);

/// Reads a map from the first bytes of what is stored of a file; it must be the one that [`map`] makes, with the `stored`
/// bytes and inside of the `size` of the file.
pub(super) fn spans(first: &[u8], size: u64, stored: u64) -> io::Result<Vec<Span>> {
    let damaged = || invalid("a map of holes that is damaged".to_owned());
    let mut lines = first.split(|byte| *byte == b'\n');
    let mut number = || -> io::Result<u64> {
        let digits = lines.next().and_then(|line| str::from_utf8(line).ok());
        digits.and_then(|digits| digits.parse().ok()).ok_or_else(damaged)
    };
    let count = usize::try_from(number()?).ok().filter(|count| (1..=SPANS).contains(count)).ok_or_else(damaged)?;
    let mut spans = Vec::new();
    let mut end = 0;
    for _ in 0..count {
        let span = Span { offset: number()?, length: number()? };
        let next = span.offset.checked_add(span.length).filter(|next| *next <= size).ok_or_else(damaged)?;
        if span.offset < end {
            return Err(damaged());
        }
        end = next;
        spans.push(span);
    }
    let map = map(&spans);
    if end != size || !first.starts_with(&map) || map.len() as u64 + held(&spans) != stored {
        return Err(damaged());
    }
    Ok(spans)
}

#[cfg(test)]
mod tests;
