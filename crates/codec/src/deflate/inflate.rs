//! One deflate stream (RFC 1951) to its plain bytes, with the exact place where it ends.

use std::io::{self, BufRead, Write};

use flate2::{Decompress, FlushDecompress, Status};

use super::checksum::{Summing, Sums};

/// A whole stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The bytes of the deflate stream, padding bits of the last one included.
    pub(crate) compressed: u64,
    /// Of the plain bytes.
    pub(crate) sums: Sums,
}

/// Inflates the stream at the start of `source`; `None` when it is no deflate stream, is cut, or holds more than `most`
/// plain bytes. What was written to `out` until then stays there; `written` counts it.
pub(crate) fn inflate(
    mut source: impl BufRead,
    out: &mut dyn Write,
    most: u64,
    written: &mut u64,
) -> io::Result<Option<Ended>> {
    let mut inflater = Decompress::new(false);
    let mut summing = Summing::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let input = source.fill_buf()?;
        let is_end = input.is_empty();
        let (taken, given) = (inflater.total_in(), inflater.total_out());
        let Ok(status) = inflater.decompress(input, &mut buffer, FlushDecompress::None) else { return Ok(None) };
        let taken = usize::try_from(inflater.total_in() - taken).unwrap_or_default();
        let given = usize::try_from(inflater.total_out() - given).unwrap_or_default();
        source.consume(taken);
        if inflater.total_out() > most {
            return Ok(None);
        }
        out.write_all(&buffer[..given])?;
        *written += given as u64;
        summing.update(&buffer[..given]);
        match status {
            Status::StreamEnd => return Ok(Some(Ended { compressed: inflater.total_in(), sums: summing.sums() })),
            _ if is_end && given == 0 => return Ok(None),
            _ if taken == 0 && given == 0 => return Ok(None),
            _ => {}
        }
    }
}
