//! Copies the bytes of a file into a stream and out of it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use delta_codec::ReadAt;
use delta_core::error::Error;

use super::sparse::Span;

/// How much is copied at a time.
pub(super) const CHUNK: usize = 256 << 10;

/// Writes the spans of a file. Fewer bytes than there were are an error, more are left out; what `out` reports is told from what the file does.
pub(super) fn read(file: &File, spans: &[Span], buffer: &mut [u8], out: &mut dyn Write) -> io::Result<()> {
    each(spans, buffer, &mut |at, piece| {
        file.read_exact_at(piece, at)?;
        out.write_all(piece).map_err(Error::io("writing a temporary file")).map_err(io::Error::other)
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn span(offset: u64, length: u64) -> Span {
        Span { offset, length }
    }

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    #[test]
    fn spans_come_and_go_whatever_is_copied_at_a_time() {
        let spans = [span(2, 3), span(7, 0), span(8, 1), span(10, 6)];
        for count in 1..8 {
            let (mut buffer, mut out) = (vec![0; count], Vec::new());
            read(&file(b"0123456789abcdef"), &spans, &mut buffer, &mut out).unwrap();
            assert_eq!(out, b"2348abcdef", "{count}");
            let made = file(b"................");
            write(&[&b"before"[..], &out].concat(), 6, &spans, &mut buffer, &made).unwrap();
            let mut bytes = [0; 16];
            made.read_exact_at(&mut bytes, 0).unwrap();
            assert_eq!(bytes, *b"..234...8.abcdef", "{count}");
            assert_eq!(made.metadata().unwrap().len(), 16);
        }
    }

    #[test]
    fn fewer_bytes_than_there_should_be_are_an_error() {
        let (mut buffer, mut out) = (vec![0; 4], Vec::new());
        let error = read(&file(b"0123456789"), &[span(0, 11)], &mut buffer, &mut out).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let error = write(&vec![7; 10], 5, &[span(0, 6)], &mut buffer, &file(b"")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        write(&vec![7; 10], 4, &[span(0, 6)], &mut buffer, &file(b"")).unwrap();
    }
}
