//! Reads a delta; the three streams are read side by side.

use std::io::{self, BufReader, Read, Write};

use bzip2::bufread::MultiBzDecoder;

use super::{Error, HEADER_BYTES, MAGIC, from_bytes};
use crate::bytes::Bytes;
use crate::{ReadAt, Reader, Slice};

/// How much is rebuilt at a time.
const CHUNK: usize = 64 << 10;

const OUTSIDE: &str = "it needs bytes outside of the base; is the base another one?";

type BzipReader<'a> = MultiBzDecoder<BufReader<Reader<Slice<&'a dyn ReadAt>>>>;

/// Rebuilds the target, at most `most` bytes of it, and returns its length. `bspatch` takes 0 for what is
/// outside of the base, which `bsdiff` never asks for: that the base is another one is an error here.
///
/// # Errors
/// [`Error`] when the delta is damaged or of another kind.
pub fn decode(base: &dyn ReadAt, delta: &dyn ReadAt, out: &mut dyn Write, most: u64) -> Result<u64, Error> {
    let mut decoder = open(base, delta, most)?;
    while decoder.position < decoder.length {
        decoder.triple(out)?;
    }
    Ok(decoder.length)
}

fn open<'a>(base: &'a dyn ReadAt, delta: &'a dyn ReadAt, most: u64) -> Result<Decoder<'a>, Error> {
    let mut header = [[0; 8]; 4];
    for (part, offset) in header.iter_mut().zip((0..HEADER_BYTES).step_by(8)) {
        delta.read_exact_at(part, offset)?;
    }
    if header[0] != MAGIC {
        return Err(Error::NotBsdiff(header[0]));
    }
    let damaged = |what: &str| Error::Damaged { position: 0, what: what.to_owned() };
    let [control, differences, length] =
        [header[1], header[2], header[3]].map(|bytes| u64::try_from(from_bytes(bytes)));
    let (Ok(control), Ok(differences), Ok(length)) = (control, differences, length) else {
        return Err(damaged("a negative length in the header"));
    };
    if length > most {
        return Err(damaged(&format!("a target of {length} bytes where at most {most} may come")));
    }
    let rest = delta.len() - HEADER_BYTES;
    let extra = rest.checked_sub(control).and_then(|rest| rest.checked_sub(differences));
    let extra = extra.ok_or_else(|| damaged("streams longer than the delta"))?;
    let stream = |offset, length| {
        let part = Slice::new(delta, offset, length).ok_or_else(|| damaged("streams longer than the delta"))?;
        Ok::<_, Error>(MultiBzDecoder::new(BufReader::new(Reader::new(part))))
    };
    Ok(Decoder {
        control: stream(HEADER_BYTES, control)?,
        differences: stream(HEADER_BYTES + control, differences)?,
        extra: stream(HEADER_BYTES + control + differences, extra)?,
        base: Bytes::walked(base)?,
        base_at: 0,
        position: 0,
        idle: 0,
        length,
    })
}

struct Decoder<'a> {
    control: BzipReader<'a>,
    differences: BzipReader<'a>,
    extra: BzipReader<'a>,
    base: Bytes<'a>,
    /// May lie outside of the base on either side, as long as nothing is read there.
    base_at: i64,
    position: u64,
    /// Triples that made nothing. Some bytes of bzip2 hold millions of them, so that they are counted against the target.
    idle: u64,
    length: u64,
}

impl Decoder<'_> {
    fn triple(&mut self, out: &mut dyn Write) -> Result<(), Error> {
        let [add, extra, seek] = [self.number()?, self.number()?, self.number()?];
        let [add, extra] = [add, extra].map(u64::try_from);
        let (Ok(add), Ok(extra)) = (add, extra) else { return Err(self.damaged("a negative length")) };
        let left = self.length - self.position;
        if add > left || extra > left - add {
            return Err(self.damaged("more bytes than the target has"));
        }
        self.idle += u64::from(add == 0 && extra == 0);
        if self.idle > self.length {
            return Err(self.damaged("more triples that make nothing than the target has bytes"));
        }
        self.add(add, out)?;
        let copied = io::copy(&mut self.extra.by_ref().take(extra), out)?;
        if copied < extra {
            return Err(self.damaged("too few new bytes"));
        }
        self.position += extra;
        self.base_at = self.base_at.checked_add(seek).ok_or_else(|| self.damaged("a seek out of all bounds"))?;
        Ok(())
    }

    fn add(&mut self, length: u64, out: &mut dyn Write) -> Result<(), Error> {
        let mut chunk = vec![0; CHUNK.min(usize::try_from(length).unwrap_or(CHUNK))];
        let mut left = length;
        while left > 0 {
            let count = chunk.len().min(usize::try_from(left).unwrap_or(CHUNK));
            self.differences.read_exact(&mut chunk[..count])?;
            self.add_base(&mut chunk[..count])?;
            out.write_all(&chunk[..count])?;
            left -= count as u64;
            self.position += count as u64;
        }
        Ok(())
    }

    fn add_base(&mut self, chunk: &mut [u8]) -> Result<(), Error> {
        let start = self.base_at;
        let next = i64::try_from(chunk.len()).ok().and_then(|count| start.checked_add(count));
        self.base_at = next.ok_or_else(|| self.damaged("a place out of all bounds"))?;
        let mut at = u64::try_from(start).map_err(|_| self.damaged(OUTSIDE))?;
        let mut rest = chunk;
        while !rest.is_empty() {
            let piece = self.base.from(at)?;
            let count = piece.len().min(rest.len());
            if count == 0 {
                return Err(self.damaged(OUTSIDE));
            }
            rest.iter_mut().zip(&piece[..count]).for_each(|(byte, base)| *byte = byte.wrapping_add(*base));
            rest = &mut rest[count..];
            at += count as u64;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<i64, Error> {
        let mut bytes = [0; 8];
        self.control.read_exact(&mut bytes)?;
        Ok(from_bytes(bytes))
    }

    fn damaged(&self, what: &str) -> Error {
        Error::Damaged { position: self.position, what: what.to_owned() }
    }
}
