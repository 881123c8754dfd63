//! Streams of pigz 2.1 and later: blocks that zlib compresses one by one and brings to a whole byte.
//!
//! A block sees the 32 KiB before it as a dictionary, unless all are independent. With one thread (`-p 1`) pigz keeps one
//! compressor for all of them, which gives another stream on levels 1 to 3.

mod block;
mod jobs;

use std::io::{self, Write};
use std::ops::Range;

use rayon::prelude::*;

use super::libz::Deflater;
use super::zlib;
use crate::limits::{PIGZ_BLOCK_BYTES, PIGZ_HELD_BYTES};
use block::Ending;
use jobs::{Job, Planner};

/// What a block can refer to.
const DICTIONARY: usize = 32 << 10;

/// How blocks come from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chaining {
    /// Each starts with the bytes before it as a dictionary: two threads and more.
    Dictionary,
    /// All come from one compressor: one thread.
    Serial,
    /// Each starts with nothing (`-i`).
    Independent,
}

/// The options of a pigz call that its stream depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    level: u8,
    /// KiB of a block.
    block: u16,
    chaining: Chaining,
    is_rsyncable: bool,
}

impl Settings {
    /// Level 1 to 9; blocks (`-b`) of 32 KiB to [`PIGZ_BLOCK_BYTES`]; cut where the content says (`-R`) or not, which is not
    /// known for serial ones.
    #[must_use]
    pub fn new(level: u8, block_kib: u16, chaining: Chaining, is_rsyncable: bool) -> Option<Self> {
        let blocks = DICTIONARY..=PIGZ_BLOCK_BYTES;
        let is_known = (1..=9).contains(&level)
            && blocks.contains(&(usize::from(block_kib) << 10))
            && !(is_rsyncable && chaining == Chaining::Serial);
        is_known.then_some(Self { level, block: block_kib, chaining, is_rsyncable })
    }

    /// Level, and 16 for serial, 32 for independent, 64 for rsyncable blocks; then the KiB of a block, the high byte first.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 3] {
        let chaining = match self.chaining {
            Chaining::Dictionary => 0,
            Chaining::Serial => 16,
            Chaining::Independent => 32,
        };
        let [high, low] = self.block.to_be_bytes();
        [self.level | chaining | (self.is_rsyncable as u8) << 6, high, low]
    }

    /// The settings that [`Self::to_bytes`] gives these bytes for.
    #[must_use]
    pub fn from_bytes([first, high, low]: [u8; 3]) -> Option<Self> {
        let chaining = match first & 0xb0 {
            0 => Chaining::Dictionary,
            16 => Chaining::Serial,
            32 => Chaining::Independent,
            _ => return None,
        };
        Self::new(first & 15, u16::from_be_bytes([high, low]), chaining, first & 64 != 0)
    }

    const fn block_bytes(self) -> usize {
        (self.block as usize) << 10
    }

    const fn ending(self) -> Ending {
        if matches!(self.chaining, Chaining::Independent) { Ending::Fresh } else { Ending::Continued }
    }

    /// pigz leaves window and memory level at zlib's defaults.
    fn deflater(self) -> io::Result<Deflater> {
        let settings = zlib::Settings::new(self.level, 15, 8, 0);
        Deflater::new(settings.ok_or(io::ErrorKind::InvalidInput)?)
    }
}

/// Writes the stream of the bytes that are written to it.
pub struct Encoder<W> {
    settings: Settings,
    planner: Planner,
    /// Compresses serial blocks.
    serial: Option<Deflater>,
    /// What the next block can refer to, then bytes that are in no block yet.
    held: Vec<u8>,
    history: usize,
    out: W,
}

impl<W: Write> Encoder<W> {
    /// Starts a stream.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(settings: Settings, out: W) -> io::Result<Self> {
        let serial = (settings.chaining == Chaining::Serial).then(|| settings.deflater()).transpose()?;
        let planner = Planner::new(settings.block_bytes(), settings.is_rsyncable);
        Ok(Self { settings, planner, serial, held: Vec::new(), history: 0, out })
    }

    /// Ends the stream and gives back where it was written to.
    ///
    /// # Errors
    /// What writing reports.
    pub fn finish(mut self) -> io::Result<W> {
        self.encode(true)?;
        Ok(self.out)
    }

    /// Bytes that are held until they are compressed side by side: a block for each thread, and one byte of the next, because
    /// the last block ends in another way.
    fn room(&self) -> usize {
        let block = self.settings.block_bytes();
        let blocks = rayon::current_num_threads().clamp(1, PIGZ_HELD_BYTES / block);
        self.history + blocks * block + 1
    }

    /// Compresses every block that is certain.
    fn encode(&mut self, is_end: bool) -> io::Result<()> {
        let mut start = self.history;
        let mut jobs = Vec::new();
        for job in self.planner.plan(&self.held[self.history..], is_end) {
            let end = start + job.length();
            jobs.push((start..end, job));
            start = end;
        }
        if self.serial.is_some() {
            self.encode_serially(&jobs, is_end)?
        } else {
            self.encode_in_parallel(&jobs, is_end)?
        }
        self.history = start.min(DICTIONARY);
        self.held.drain(..start - self.history);
        Ok(())
    }

    fn encode_serially(&mut self, jobs: &[(Range<usize>, Job)], is_end: bool) -> io::Result<()> {
        let Some(deflater) = &mut self.serial else { return Ok(()) };
        for (number, (range, job)) in jobs.iter().enumerate() {
            let is_last = is_end && number + 1 == jobs.len();
            block::encode(deflater, job, &self.held[range.clone()], Ending::Continued, is_last, &mut self.out)?;
        }
        Ok(())
    }

    fn encode_in_parallel(&mut self, jobs: &[(Range<usize>, Job)], is_end: bool) -> io::Result<()> {
        let make = |(number, (range, job)): (usize, &(Range<usize>, Job))| {
            let mut deflater = self.settings.deflater()?;
            let dictionary = &self.held[range.start.saturating_sub(DICTIONARY)..range.start];
            if self.settings.chaining == Chaining::Dictionary && !dictionary.is_empty() {
                deflater.set_dictionary(dictionary)?;
            }
            let is_last = is_end && number + 1 == jobs.len();
            let mut made = Vec::new();
            let bytes = &self.held[range.clone()];
            block::encode(&mut deflater, job, bytes, self.settings.ending(), is_last, &mut made)?;
            Ok(made)
        };
        let made: Vec<Vec<u8>> = jobs.par_iter().enumerate().map(make).collect::<io::Result<_>>()?;
        made.iter().try_for_each(|block| self.out.write_all(block))
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.room().saturating_sub(self.held.len()));
        self.held.extend_from_slice(&buffer[..count]);
        if self.held.len() >= self.room() {
            self.encode(false)?;
        }
        Ok(count)
    }

    /// Flushes what is ready; the stream's blocks stay as they are.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
