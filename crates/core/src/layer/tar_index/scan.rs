//! Walks from header to header.

use std::io;

use delta_codec::ReadAt;

use super::{BLOCK, Entry, Header, sparse_block_has_more, text};
use crate::layer::window::Window;
use crate::limits::{COPY_BUFFER, DESCRIPTION_BYTES, SPARSE_BYTES};

const BLOCK_BYTES: u64 = BLOCK as u64;

/// An entry and what its header says.
pub(crate) struct Piece {
    pub(crate) entry: Entry,
    /// Empty for opaque entries.
    pub(crate) path: Vec<u8>,
    /// Whether it is a long name or pax record of the entry behind it.
    pub(crate) describes_next: bool,
}

/// Gives the entries of a layer one by one.
pub(crate) struct Scanner<'a> {
    window: Window<'a>,
    position: u64,
    /// How many entries may still come; what is left then is one opaque entry.
    left: usize,
    /// What long names and pax records said about the next entry.
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(layer: &'a dyn ReadAt, most: usize) -> Self {
        Self { window: Window::new(layer, COPY_BUFFER), position: 0, left: most, path: None, size: None }
    }

    /// The next entry; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece>> {
        if self.position == self.window.len() {
            return Ok(None);
        }
        self.left = self.left.saturating_sub(1);
        let piece = match self.header()? {
            Some((header, entry)) if self.left > 0 => self.described(&header, entry)?,
            _ => self.opaque()?,
        };
        self.position = piece.entry.end();
        Ok(Some(piece))
    }

    /// Hands the content of an entry that came from here to `take`, piece by piece.
    pub(crate) fn content(&mut self, entry: &Entry, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.window.each(entry.content(), entry.length, take)
    }

    /// The header at the position, and its entry when all of its content is there.
    fn header(&mut self) -> io::Result<Option<(Header, Entry)>> {
        let Some(header) = Header::new(self.window.from(self.position, BLOCK)?) else { return Ok(None) };
        let said = self.size.filter(|_| !header.describes_next());
        let Some(size) = said.or(header.size()) else { return Ok(None) };
        let content = self.position + BLOCK_BYTES;
        let mut sparse = 0;
        let mut more = header.has_sparse_block();
        while more && sparse < SPARSE_BYTES {
            let at = content + sparse;
            more = sparse_block_has_more(self.window.from(at, BLOCK)?);
            sparse += BLOCK_BYTES;
        }
        let left = self.window.len() - content;
        let Some(length) = size.checked_add(sparse).filter(|length| *length <= left) else { return Ok(None) };
        let padding = (length.wrapping_neg() % BLOCK_BYTES).min(left - length);
        Ok(Some((header, Entry { start: self.position, has_header: true, length, padding })))
    }

    fn described(&mut self, header: &Header, entry: Entry) -> io::Result<Piece> {
        let describes_next = header.describes_next();
        if describes_next {
            self.describe(header.kind(), &entry)?;
            return Ok(Piece { entry, path: Vec::new(), describes_next });
        }
        self.size = None;
        Ok(Piece { entry, path: self.path.take().unwrap_or_else(|| header.path()), describes_next })
    }

    fn describe(&mut self, kind: u8, entry: &Entry) -> io::Result<()> {
        if entry.length > DESCRIPTION_BYTES {
            return Ok(());
        }
        let mut content = Vec::new();
        self.content(&entry.clone(), &mut |piece| {
            content.extend_from_slice(piece);
            Ok(())
        })?;
        match kind {
            b'L' => self.path = Some(text(&content).to_vec()),
            b'x' => {
                for (key, value) in records(&content) {
                    match key {
                        b"path" => self.path = Some(value.to_vec()),
                        b"size" => self.size = decimal(value),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Everything up to the next block that is a header.
    fn opaque(&mut self) -> io::Result<Piece> {
        let start = self.position;
        (self.path, self.size) = (None, None);
        let end = if self.left > 0 { self.next_header()? } else { self.window.len() };
        let entry = Entry { start, has_header: false, length: end - start, padding: 0 };
        Ok(Piece { entry, path: Vec::new(), describes_next: false })
    }

    fn next_header(&mut self) -> io::Result<u64> {
        let start = self.position;
        loop {
            self.position += BLOCK_BYTES;
            if self.position >= self.window.len() {
                self.position = start;
                return Ok(self.window.len());
            }
            if self.header()?.is_some() {
                return Ok(std::mem::replace(&mut self.position, start));
            }
        }
    }
}

/// The records of a pax header: `length key=value\n`; ends at the first that is none.
fn records(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
        let length = usize::try_from(decimal(&bytes[..space])?).ok()?;
        let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
        bytes = &bytes[length..];
        let equals = record.iter().position(|byte| *byte == b'=')?;
        Some((&record[..equals], &record[equals + 1..]))
    })
}

/// A number of decimal digits alone.
fn decimal(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_at_the_first_that_is_none() {
        let all: Vec<_> = records(b"12 path=a/b\n10 size=7\n99 x=y\n").collect();
        assert_eq!(all, [(&b"path"[..], &b"a/b"[..]), (b"size", b"7")]);
        for bytes in [&b""[..], b"0 a=b\n", b"5 ab\n", b"18446744073709551615 a=b\n", b"-1 a=b\n", b"+8 a=bc\n"] {
            assert_eq!(records(bytes).count(), 0, "{bytes:?}");
        }
    }
}
