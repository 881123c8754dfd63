//! Takes one content off the streams.

use std::io::{self, BufRead, Read, Write};

use super::{Error, MATCH_BYTES_MIN, Prediction, Streams, is_predictable, predict};
use crate::ReadAt;
use crate::align::Match;
use crate::bytes::Bytes;
use crate::leb128;
use crate::limits::PREDICTED_MATCHES;

/// Rebuilds the next content of `streams`, which has `target_length` bytes and was coded against `base` with the same
/// prediction, and writes it to `out`.
///
/// # Errors
/// [`Error`]; then the streams stand somewhere in this content, and `out` may have a part of it.
pub fn decode<R: BufRead>(
    base: &dyn ReadAt,
    target_length: u64,
    prediction: &Prediction<'_>,
    streams: &mut Streams<R>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let Streams { control, gaps, values, literals } = streams;
    let mut matches = Matches { source: control, base_length: base.len(), target_length, target_end: 0, base_end: 0 };
    let at_start = |source| Error::Io { position: 0, source };
    if is_predictable(base.len(), target_length) {
        // One more shows that there are too many.
        let first = matches.by_ref().take(PREDICTED_MATCHES + 1).collect::<Result<Vec<_>, _>>()?;
        let predicted = predict(prediction, &first, base.len()).map_err(at_start)?;
        let base = predicted.as_ref().map_or(base, |predicted| predicted as &dyn ReadAt);
        let mut target = Target::new(base, gaps, values, literals, out)?;
        first.into_iter().map(Ok).chain(matches).try_for_each(|found| target.append(found?))?;
        target.finish(target_length)
    } else {
        let mut target = Target::new(base, gaps, values, literals, out)?;
        matches.try_for_each(|found| target.append(found?))?;
        target.finish(target_length)
    }
}

/// The matches of one content, each checked: inside the base and the target, behind the one before.
struct Matches<'a, R> {
    source: &'a mut R,
    base_length: u64,
    target_length: u64,
    target_end: u64,
    base_end: u64,
}

impl<R: Read> Iterator for Matches<'_, R> {
    type Item = Result<Match, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.target_end == self.target_length {
            return None;
        }
        let next = self.read();
        if next.is_err() {
            self.target_end = self.target_length;
        }
        next.transpose()
    }
}

impl<R: Read> Matches<'_, R> {
    fn read(&mut self) -> Result<Option<Match>, Error> {
        let left = self.target_length - self.target_end;
        let literals = self.number()?;
        if literals >= left {
            let excess = || damaged(self.target_end, format!("{literals} literals where {left} bytes are left"));
            let end = if literals == left { Ok(None) } else { Err(excess()) };
            self.target_end = self.target_length;
            return end;
        }
        let length = self.number()?.checked_add(MATCH_BYTES_MIN).filter(|length| *length <= left - literals);
        let jump = leb128::to_signed(self.number()?);
        let base = self.base_end.wrapping_add(literals).wrapping_add_signed(jump);
        let target = self.target_end + literals;
        let Some(length) = length else {
            return Err(damaged(target, format!("a match longer than the {} bytes that are left", left - literals)));
        };
        let base_end = base.checked_add(length).filter(|end| *end <= self.base_length).ok_or_else(|| {
            damaged(target, format!("a match of {length} bytes at byte {base} of a base of {}", self.base_length))
        })?;
        (self.target_end, self.base_end) = (target + length, base_end);
        Ok(Some(Match { target, base, length }))
    }

    fn number(&mut self) -> Result<u64, Error> {
        read_number(self.source, self.target_end)
    }
}

/// The target while it is rebuilt.
struct Target<'a, R> {
    base: Bytes<'a>,
    gaps: &'a mut R,
    values: &'a mut R,
    literals: &'a mut R,
    out: &'a mut dyn Write,
    position: u64,
    /// How far ahead in the matches the next byte that differs is, 1 being the next byte; 0 when there is none.
    gap: u64,
    piece: Vec<u8>,
}

impl<'a, R: BufRead> Target<'a, R> {
    fn new(
        base: &'a dyn ReadAt,
        gaps: &'a mut R,
        values: &'a mut R,
        literals: &'a mut R,
        out: &'a mut dyn Write,
    ) -> Result<Self, Error> {
        let base = Bytes::lent(base).map_err(|source| Error::Io { position: 0, source })?;
        let gap = read_number(gaps, 0)?;
        Ok(Self { base, gaps, values, literals, out, position: 0, gap, piece: Vec::new() })
    }

    fn append(&mut self, found: Match) -> Result<(), Error> {
        self.literals_up_to(found.target)?;
        let mut done = 0;
        while done < found.length {
            let count = self.take_piece(found.base + done, found.length - done).map_err(|error| self.failed(error))?;
            self.add_values()?;
            self.out.write_all(&self.piece).map_err(|error| self.failed(error))?;
            done += count;
            self.position += count;
        }
        Ok(())
    }

    fn finish(mut self, target_length: u64) -> Result<(), Error> {
        self.literals_up_to(target_length)?;
        match self.gap {
            0 => Ok(()),
            gap => Err(damaged(self.position, format!("a byte differs {gap} bytes behind the end of the last match"))),
        }
    }

    fn literals_up_to(&mut self, end: u64) -> Result<(), Error> {
        let count = end - self.position;
        let copied = io::copy(&mut self.literals.by_ref().take(count), self.out).map_err(|error| self.failed(error))?;
        if copied < count {
            return Err(self.failed(io::ErrorKind::UnexpectedEof.into()));
        }
        self.position = end;
        Ok(())
    }

    /// Makes `piece` the base's bytes at `offset`, at most `most` of them, and returns how many they are.
    fn take_piece(&mut self, offset: u64, most: u64) -> io::Result<u64> {
        let bytes = self.base.from(offset)?;
        let count = bytes.len().min(usize::try_from(most).unwrap_or(usize::MAX)).min(PIECE);
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.piece.clear();
        self.piece.extend_from_slice(&bytes[..count]);
        Ok(count as u64)
    }

    fn add_values(&mut self) -> Result<(), Error> {
        let mut at = 0;
        while let Some(ahead) = self.gap.checked_sub(1) {
            let left = self.piece.get_mut(at..).unwrap_or_default();
            let place = usize::try_from(ahead).ok().filter(|place| *place < left.len());
            let Some(place) = place else {
                self.gap -= left.len() as u64;
                return Ok(());
            };
            let mut value = [0];
            let position = self.position;
            self.values.read_exact(&mut value).map_err(|source| Error::Io { position, source })?;
            left[place] = left[place].wrapping_add(value[0]);
            at += place + 1;
            self.gap = read_number(self.gaps, position)?;
        }
        Ok(())
    }

    const fn failed(&self, source: io::Error) -> Error {
        Error::Io { position: self.position, source }
    }
}

/// How much is rebuilt at a time.
const PIECE: usize = 64 << 10;

/// As many as 64 bits have.
const NUMBER_BYTES: u32 = 10;

fn read_number(source: &mut dyn Read, position: u64) -> Result<u64, Error> {
    let number = leb128::read(source, NUMBER_BYTES).map_err(|source| Error::Io { position, source })?;
    number.ok_or_else(|| damaged(position, "a number that does not fit into 64 bits".to_owned()))
}

const fn damaged(position: u64, what: String) -> Error {
    Error::Damaged { position, what }
}
