//! Reads a delta window by window.

use std::io::{self, Read, Write};

use super::address::Cache;
use super::code_table::{Instruction, TABLE};
use super::{
    Error, HEADER_APPLICATION, HEADER_CODE_TABLE, HEADER_DECOMPRESS, MAGIC, WINDOW_CHECKSUM, WINDOW_SOURCE,
    WINDOW_TARGET, integer,
};
use crate::ReadAt;
use crate::adler::Adler;
use crate::bytes::Bytes;
use crate::limits::VCDIFF_WINDOW_BYTES_MAX;

/// Application headers hold file names; xdelta3 stops at 32 KiB.
const APPLICATION_HEADER_BYTES: u64 = 64 << 10;

/// Rebuilds the target, at most `most` bytes of it, and returns its length.
///
/// # Errors
/// [`Error`] when the delta is damaged, of another kind, or does not fit the base.
pub fn decode(base: &dyn ReadAt, delta: impl Read, out: &mut dyn Write, most: u64) -> Result<u64, Error> {
    let mut decoder = Decoder { delta, base: Bytes::walked(base)?, window: 0, total: 0, most };
    decoder.header()?;
    while decoder.window(out)? {
        decoder.window += 1;
    }
    Ok(decoder.total)
}

/// What the maker of a delta wrote at its start for programs that know what it means; empty where nothing is there.
///
/// # Errors
/// [`Error`] when the delta is damaged or of another kind.
pub fn application_header(delta: impl Read) -> Result<Vec<u8>, Error> {
    let nothing = Vec::new();
    Decoder { delta, base: Bytes::walked(&nothing)?, window: 0, total: 0, most: 0 }.header()
}

struct Decoder<'a, R> {
    delta: R,
    base: Bytes<'a>,
    /// The number of the window that is being read, for errors.
    window: u64,
    /// Target bytes written so far, and how many there may be.
    total: u64,
    most: u64,
}

/// Where a window copies from.
struct Segment {
    position: u64,
    length: u64,
}

impl<R: Read> Decoder<'_, R> {
    /// Reads up to the first window; the application header is what comes back.
    fn header(&mut self) -> Result<Vec<u8>, Error> {
        let mut magic = [0; 4];
        self.delta.read_exact(&mut magic)?;
        if magic != MAGIC {
            return Err(Error::NotVcdiff(magic));
        }
        let indicator = self.byte()?;
        if indicator & HEADER_DECOMPRESS != 0 {
            return Err(Error::Secondary(match self.byte()? {
                1 => "djw",
                2 => "lzma",
                16 => "fgk",
                _ => "unknown secondary compressor",
            }));
        }
        if indicator & HEADER_CODE_TABLE != 0 {
            return Err(Error::Unsupported("a code table of its own"));
        }
        if indicator & HEADER_APPLICATION == 0 {
            return Ok(Vec::new());
        }
        let length = self.integer()?;
        if length > APPLICATION_HEADER_BYTES {
            return Err(self.damaged(format!("an application header of {length} bytes")));
        }
        self.section(length)
    }

    /// Decodes one window; false at the end of the delta.
    fn window(&mut self, out: &mut dyn Write) -> Result<bool, Error> {
        let mut indicator = [0];
        if self.delta.read(&mut indicator)? == 0 {
            return Ok(false);
        }
        let [indicator] = indicator;
        let segment = self.segment(indicator)?;
        let encoded = self.integer()?;
        let size = self.integer()?;
        if size > VCDIFF_WINDOW_BYTES_MAX || self.total + size > self.most {
            return Err(self.damaged(format!("{size} bytes where at most {} may come", self.most - self.total)));
        }
        if self.byte()? != 0 {
            return Err(Error::Secondary("secondary compression of sections"));
        }
        let lengths = [self.integer()?, self.integer()?, self.integer()?];
        if lengths.iter().any(|length| *length > encoded) {
            return Err(self.damaged(format!("sections of {lengths:?} bytes in {encoded}")));
        }
        let checksum = if indicator & WINDOW_CHECKSUM != 0 { Some(self.checksum()?) } else { None };
        let [data, instructions, addresses] = lengths;
        let sections = [self.section(data)?, self.section(instructions)?, self.section(addresses)?];
        let target = self.rebuild(&segment, &sections, size)?;
        if let Some(expected) = checksum {
            let found = Adler::of(&target);
            if found != expected {
                return Err(Error::Checksum { window: self.window, expected, found });
            }
        }
        out.write_all(&target)?;
        self.total += size;
        Ok(true)
    }

    fn segment(&mut self, indicator: u8) -> Result<Segment, Error> {
        if indicator & WINDOW_TARGET != 0 {
            return Err(Error::Unsupported("a source segment in the target (VCD_TARGET)"));
        }
        if indicator & !(WINDOW_SOURCE | WINDOW_CHECKSUM) != 0 {
            return Err(self.damaged(format!("unknown window indicator {indicator:#04x}")));
        }
        if indicator & WINDOW_SOURCE == 0 {
            return Ok(Segment { position: 0, length: 0 });
        }
        let (length, position) = (self.integer()?, self.integer()?);
        match position.checked_add(length) {
            Some(end) if end <= self.base.len() => Ok(Segment { position, length }),
            _ => Err(self.damaged(format!(
                "it needs {length} bytes of the base from {position} on, which has {}",
                self.base.len()
            ))),
        }
    }

    fn rebuild(&mut self, segment: &Segment, sections: &[Vec<u8>; 3], size: u64) -> Result<Vec<u8>, Error> {
        let [mut data, mut instructions, mut addresses] = sections.each_ref().map(Vec::as_slice);
        let size = usize::try_from(size).map_err(|_| self.damaged("a window too large for memory".to_owned()))?;
        let mut target = Vec::new();
        let mut cache = Cache::new();
        while let Some((code, rest)) = instructions.split_first() {
            instructions = rest;
            for instruction in TABLE[usize::from(*code)] {
                let written = match instruction {
                    Instruction::None => Some(()),
                    Instruction::Run => run(&mut target, &mut data, &mut instructions, size),
                    Instruction::Add(fixed) => add(&mut target, &mut data, &mut instructions, fixed, size),
                    Instruction::Copy { size: fixed, mode } => {
                        let here = segment.length + target.len() as u64;
                        let length = length_of(fixed, &mut instructions, size - target.len());
                        let address = cache.take(&mut addresses, mode, here);
                        match (length, address) {
                            (Some(length), Some(address)) => {
                                self.copy(&mut target, segment, address, length)?;
                                Some(())
                            }
                            _ => None,
                        }
                    }
                };
                if written.is_none() {
                    return Err(self.damaged(format!("instruction {code} at byte {} of it cannot be", target.len())));
                }
            }
        }
        if target.len() == size && data.is_empty() && addresses.is_empty() {
            Ok(target)
        } else {
            Err(self.damaged(format!("expected {size} bytes, found {}", target.len())))
        }
    }

    /// Copies from the segment and, where it ends, from the target itself, which may be what is just being written.
    fn copy(&mut self, target: &mut Vec<u8>, segment: &Segment, address: u64, length: usize) -> io::Result<()> {
        let (mut address, mut length) = (address, length);
        while length > 0 && address < segment.length {
            let piece = self.base.from(segment.position + address)?;
            let left = usize::try_from(segment.length - address).unwrap_or(usize::MAX);
            let count = piece.len().min(length).min(left);
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            target.extend_from_slice(&piece[..count]);
            address += count as u64;
            length -= count;
        }
        let mut from = usize::try_from(address.saturating_sub(segment.length)).map_err(io::Error::other)?;
        while length > 0 {
            let count = (target.len() - from).min(length);
            target.extend_from_within(from..from + count);
            from += count;
            length -= count;
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, Error> {
        let mut byte = [0];
        self.delta.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn checksum(&mut self) -> Result<u32, Error> {
        let mut bytes = [0; 4];
        self.delta.read_exact(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn integer(&mut self) -> Result<u64, Error> {
        let mut bytes = Vec::new();
        loop {
            let byte = self.byte()?;
            bytes.push(byte);
            if byte & 0x80 == 0 {
                return integer::take(&mut bytes.as_slice())
                    .ok_or_else(|| self.damaged("a number too large".to_owned()));
            }
            if bytes.len() > 10 {
                return Err(self.damaged("a number without end".to_owned()));
            }
        }
    }

    /// Reads a section; memory grows with what comes, not with what is promised.
    fn section(&mut self, length: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let found = self.delta.by_ref().take(length).read_to_end(&mut bytes)? as u64;
        if found == length {
            Ok(bytes)
        } else {
            Err(self.damaged(format!("it ends {} bytes too early", length - found)))
        }
    }

    const fn damaged(&self, what: String) -> Error {
        Error::Damaged { window: self.window, what }
    }
}

fn run(target: &mut Vec<u8>, data: &mut &[u8], instructions: &mut &[u8], size: usize) -> Option<()> {
    let length = length_of(0, instructions, size - target.len())?;
    let (byte, rest) = data.split_first()?;
    *data = rest;
    target.resize(target.len() + length, *byte);
    Some(())
}

fn add(target: &mut Vec<u8>, data: &mut &[u8], instructions: &mut &[u8], fixed: u8, size: usize) -> Option<()> {
    let length = length_of(fixed, instructions, size - target.len())?;
    let (bytes, rest) = data.split_at_checked(length)?;
    *data = rest;
    target.extend_from_slice(bytes);
    Some(())
}

/// The size of an instruction: in the table, or else the next integer; at most `left`.
fn length_of(fixed: u8, instructions: &mut &[u8], left: usize) -> Option<usize> {
    let length = if fixed == 0 { usize::try_from(integer::take(instructions)?).ok()? } else { usize::from(fixed) };
    (length <= left).then_some(length)
}
