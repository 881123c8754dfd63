//! Writes a delta from the aligner's matches.

use std::io::{self, BufWriter, Write};

use bzip2::write::BzEncoder;

use super::{HEADER_BYTES, MAGIC, to_bytes};
use crate::align::{Fineness, Index, Match};
use crate::bytes::Bytes;
use crate::{ReadAt, Reader, Scratch, ScratchFile};

/// Writes the delta that makes `target` from `base`; the three streams wait in `scratch` until all are known.
///
/// # Errors
/// What reading, writing and the scratch report.
pub fn encode(base: &dyn ReadAt, target: &dyn ReadAt, scratch: &dyn Scratch, out: &mut dyn Write) -> io::Result<()> {
    let mut streams = Streams {
        base: Bytes::walked(base)?,
        target: Bytes::walked(target)?,
        control: stream(scratch)?,
        differences: stream(scratch)?,
        extra: stream(scratch)?,
        last: Match { target: 0, base: 0, length: 0 },
    };
    Index::new(base, Fineness::Every)?.align(target, &mut |found| streams.take(found))?;
    let (control, differences, extra) = streams.finish()?;
    let number = |value: u64| i64::try_from(value).map(to_bytes).map_err(io::Error::other);
    out.write_all(&MAGIC)?;
    for length in [control.len(), differences.len(), target.len()] {
        out.write_all(&number(length)?)?;
    }
    debug_assert_eq!(HEADER_BYTES, 8 * 4);
    for part in [control, differences, extra] {
        io::copy(&mut Reader::new(part), out)?;
    }
    Ok(())
}

type BzipWriter = BzEncoder<BufWriter<Box<dyn ScratchFile>>>;

type Frozen = std::sync::Arc<dyn ReadAt>;

fn stream(scratch: &dyn Scratch) -> io::Result<BzipWriter> {
    Ok(BzEncoder::new(BufWriter::new(scratch.create()?), bzip2::Compression::best()))
}

fn freeze(stream: BzipWriter) -> io::Result<Frozen> {
    stream.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.freeze()
}

struct Streams<'a> {
    base: Bytes<'a>,
    target: Bytes<'a>,
    control: BzipWriter,
    differences: BzipWriter,
    extra: BzipWriter,
    /// The match whose control triple waits for the place of the next one.
    last: Match,
}

impl Streams<'_> {
    fn take(&mut self, found: Match) -> io::Result<()> {
        self.control(found.target, found.base)?;
        self.subtract(found)?;
        self.last = found;
        Ok(())
    }

    fn finish(mut self) -> io::Result<(Frozen, Frozen, Frozen)> {
        let end = self.target.len();
        if end > 0 {
            self.control(end, self.last.base + self.last.length)?;
        }
        Ok((freeze(self.control)?, freeze(self.differences)?, freeze(self.extra)?))
    }

    /// Writes the triple of the last match: the next one starts at these offsets.
    fn control(&mut self, next_target: u64, next_base: u64) -> io::Result<()> {
        let (target_end, base_end) = (self.last.target + self.last.length, self.last.base + self.last.length);
        if next_target == 0 && next_base == 0 {
            return Ok(());
        }
        let signed = |value: u64| i64::try_from(value).map_err(io::Error::other);
        let seek = signed(next_base)? - signed(base_end)?;
        for number in [signed(self.last.length)?, signed(next_target - target_end)?, seek] {
            self.control.write_all(&to_bytes(number))?;
        }
        let mut at = target_end;
        while at < next_target {
            let piece = self.target.from(at)?;
            let count = piece.len().min(usize::try_from(next_target - at).unwrap_or(usize::MAX));
            self.extra.write_all(&piece[..count])?;
            at += count as u64;
        }
        Ok(())
    }

    fn subtract(&mut self, found: Match) -> io::Result<()> {
        let mut done = 0;
        let mut differences = Vec::new();
        while done < found.length {
            let (base, target) = (self.base.from(found.base + done)?, self.target.from(found.target + done)?);
            let left = usize::try_from(found.length - done).unwrap_or(usize::MAX);
            let count = base.len().min(target.len()).min(left);
            differences.clear();
            differences.extend(target[..count].iter().zip(&base[..count]).map(|(new, old)| new.wrapping_sub(*old)));
            self.differences.write_all(&differences)?;
            done += count as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
