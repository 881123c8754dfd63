//! Reads a stream that anybody may have written; what it gives can be made without a look at names again.

use std::io;

use delta_codec::ReadAt;

use super::entry::{Entry, Kind, ROOT, shown};
use super::header::{BLOCK, RECORDS_BYTES, decode, encode, invalid};
use super::sparse::{self, MAP_BYTES, Span};

/// The entries of a stream, each in the one form that it has, in the one order that a tree has.
pub(super) struct Entries<'a> {
    stream: &'a dyn ReadAt,
    at: u64,
    order: Order,
}

/// An entry and where its bytes are.
pub(super) struct LocatedEntry {
    pub(super) entry: Entry,
    /// Where its headers start in the stream.
    pub(super) at: u64,
    /// Where the bytes of a file are.
    pub(super) content: Content,
}

/// The bytes of a file in the stream, and where they belong in the file.
pub(super) struct Content {
    /// Where they start in the stream.
    pub(super) at: u64,
    pub(super) spans: Vec<Span>,
}

impl<'a> Entries<'a> {
    pub(super) const fn new(stream: &'a dyn ReadAt) -> Self {
        Self { stream, at: 0, order: Order { path: Vec::new(), is_folder: true, begun: false } }
    }

    /// The next entry, or `None` at the end of the stream.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] for whatever `pack` would not have written.
    pub(super) fn next(&mut self) -> io::Result<Option<LocatedEntry>> {
        if self.at_end()? {
            return Ok(None);
        }
        let at = self.at;
        let found = read(self.stream, at).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                invalid(format!("the entry at byte {at} of the tree: {error}"))
            }
            _ => error,
        })?;
        self.order.take(&found.entry)?;
        self.at = found.content.at + found.entry.kind.stored();
        self.padding()?;
        Ok(Some(found))
    }

    /// Two blocks of zeros are the end, and nothing is behind them.
    fn at_end(&self) -> io::Result<bool> {
        let mut blocks = [0; 2 * BLOCK];
        self.stream.read_exact_at(&mut blocks[..BLOCK], self.at)?;
        if blocks.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        let is_whole = self.stream.len() == self.at + blocks.len() as u64;
        if !is_whole || !self.order.begun {
            return Err(invalid("the tree ends in the middle".to_owned()));
        }
        self.stream.read_exact_at(&mut blocks, self.at)?;
        if blocks.iter().any(|byte| *byte != 0) { Err(invalid("the tree has no end".to_owned())) } else { Ok(true) }
    }

    fn padding(&mut self) -> io::Result<()> {
        let mut padding = [0; BLOCK];
        let end = self.at.checked_next_multiple_of(BLOCK as u64).ok_or_else(beyond)?;
        let padding = &mut padding[..usize::try_from(end - self.at).unwrap_or(0)];
        self.stream.read_exact_at(padding, self.at)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(invalid(format!("bytes without meaning at byte {} of the tree", self.at)));
        }
        self.at = end;
        Ok(())
    }
}

/// The entry whose headers start at `at`.
pub(super) fn read(stream: &dyn ReadAt, at: u64) -> io::Result<LocatedEntry> {
    let mut block = [0; BLOCK];
    stream.read_exact_at(&mut block, at)?;
    let mut head = block.to_vec();
    let mut records = Vec::new();
    if block[156] == b'x' {
        records = read_records(stream, at, &block)?;
        head.extend_from_slice(&records);
        head.resize(head.len().next_multiple_of(BLOCK), 0);
        stream.read_exact_at(&mut block, at + head.len() as u64)?;
        head.extend_from_slice(&block);
    }
    let entry = decode(&records, &block)?;
    let mut there = vec![0; head.len()];
    stream.read_exact_at(&mut there, at)?;
    if encode(&entry) != there {
        return Err(invalid("it has another form than FORMAT.md describes".to_owned()));
    }
    let content = content(stream, at + head.len() as u64, &entry.kind)?;
    Ok(LocatedEntry { entry, at, content })
}

fn read_records(stream: &dyn ReadAt, at: u64, header: &[u8; BLOCK]) -> io::Result<Vec<u8>> {
    let digits = str::from_utf8(&header[124..135]).ok();
    let length = digits.and_then(|digits| u64::from_str_radix(digits, 8).ok()).unwrap_or(u64::MAX);
    if length > RECORDS_BYTES {
        return Err(invalid(format!("records of {length} bytes, at most {RECORDS_BYTES} are read")));
    }
    let start = at + BLOCK as u64;
    if start + length > stream.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut records = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    stream.read_exact_at(&mut records, start)?;
    Ok(records)
}

fn content(stream: &dyn ReadAt, at: u64, kind: &Kind) -> io::Result<Content> {
    if at.checked_add(kind.stored()).ok_or_else(beyond)? > stream.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let Kind::Sparse { size, stored } = *kind else {
        return Ok(Content { at, spans: vec![Span { offset: 0, length: kind.stored() }] });
    };
    let mut first = vec![0; usize::try_from(stored.min(MAP_BYTES)).map_err(io::Error::other)?];
    stream.read_exact_at(&mut first, at)?;
    let spans = sparse::spans(&first, size, stored)?;
    Ok(Content { at, spans })
}

impl Content {
    /// Where the bytes of the spans start, behind the map.
    pub(super) fn data(&self, kind: &Kind) -> u64 {
        self.at + kind.stored() - sparse::held(&self.spans)
    }
}

fn beyond() -> io::Error {
    invalid("a length beyond all bounds".to_owned())
}

/// Each folder stands before what is in it, and names of one folder are sorted by their bytes. So no name comes twice, none
/// leads through a link or out of the tree, and nothing but the last path is held.
struct Order {
    /// The last entry's path.
    path: Vec<Vec<u8>>,
    is_folder: bool,
    begun: bool,
}

impl Order {
    fn take(&mut self, entry: &Entry) -> io::Result<()> {
        let wrong = |what: &str| Err(invalid(format!("the entry `{}` of the tree {what}", shown(&entry.name))));
        if !self.begun {
            self.begun = true;
            let is_root = entry.name == ROOT && entry.kind == Kind::Folder;
            return if is_root { Ok(()) } else { wrong("stands where the folder itself should") };
        }
        let Some(path) = parts(&entry.name) else { return wrong("leads out of the folder") };
        let depth = path.len() - 1;
        let folders = if self.is_folder { self.path.len() } else { self.path.len().saturating_sub(1) };
        if depth > folders || self.path[..depth] != path[..depth] {
            return wrong("is not in a folder before it, or leads through a link out of the folder");
        }
        if self.path.get(depth).is_some_and(|last| *last >= path[depth]) {
            return wrong("comes twice or in another order");
        }
        if let Kind::HardLink(target) = &entry.kind
            && parts(target).is_none_or(|target| target >= path)
        {
            return wrong("is a hard link to no entry before it");
        }
        self.path = path;
        self.is_folder = entry.kind == Kind::Folder;
        Ok(())
    }
}

/// The names on the way to an entry; `None` when one of them is none.
fn parts(name: &[u8]) -> Option<Vec<Vec<u8>>> {
    let parts: Vec<Vec<u8>> = name.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
    let is_name = |part: &Vec<u8>| !part.is_empty() && !part.contains(&0) && part != b"." && part != b"..";
    parts.iter().all(is_name).then_some(parts)
}

#[cfg(test)]
mod tests;
