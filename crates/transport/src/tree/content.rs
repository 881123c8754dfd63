//! Copies the bytes of a file into a stream and out of it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use delta_codec::ReadAt;

use super::sparse::Span;

/// How much is copied at a time.
pub(super) const CHUNK: usize = 256 << 10;

/// Writes the spans of a file. Fewer bytes than there were are an error, more are left out.
pub(super) fn read(file: &File, spans: &[Span], buffer: &mut [u8], out: &mut dyn Write) -> io::Result<()> {
    each(spans, buffer, &mut |at, piece| {
        file.read_exact_at(piece, at)?;
        out.write_all(piece)
    })
}

/// Puts the bytes that start at `from` in a stream into the spans of a file.
pub(super) fn write(
    stream: &dyn ReadAt,
    mut from: u64,
    spans: &[Span],
    buffer: &mut [u8],
    file: &File,
) -> io::Result<()> {
    each(spans, buffer, &mut |at, piece| {
        stream.read_exact_at(piece, from)?;
        from += piece.len() as u64;
        file.write_all_at(piece, at)
    })
}

fn each(spans: &[Span], buffer: &mut [u8], copy: &mut dyn FnMut(u64, &mut [u8]) -> io::Result<()>) -> io::Result<()> {
    for span in spans {
        let mut done = 0;
        while done < span.length {
            let count = buffer.len().min(usize::try_from(span.length - done).unwrap_or(usize::MAX));
            copy(span.offset + done, &mut buffer[..count])?;
            done += count as u64;
        }
    }
    Ok(())
}
