//! Takes one content off the streams.

use std::io::{self, BufRead, Read, Write};

use super::{Error, MATCH_BYTES_MIN, Prediction, Streams, is_predictable, predict};
use crate::ReadAt;
use crate::align::Match;
use crate::bytes::Bytes;
use crate::leb128;
use crate::limits::PREDICTED_MATCHES;
use crate::mix::{Guided, Guides};

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
    decode_guided(base, target_length, prediction, (streams, &mut Guides::default()), out)
}

/// Like [`decode`], with values and literals of `guides`, where there are some.
///
/// # Errors
/// [`Error`], as [`decode`].
pub fn decode_guided<R: BufRead>(
    base: &dyn ReadAt,
    target_length: u64,
    prediction: &Prediction<'_>,
    (streams, guides): (&mut Streams<R>, &mut Guides),
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
        let mut target = Target::new(base, gaps, (values, literals, guides), out)?;
        first.into_iter().map(Ok).chain(matches).try_for_each(|found| target.append(found?))?;
        target.finish(target_length)
    } else {
        let mut target = Target::new(base, gaps, (values, literals, guides), out)?;
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
    guides: &'a mut Guides,
    out: &'a mut dyn Write,
    position: u64,
    /// Where the last match ends in the base.
    base_end: u64,
    /// The gap before the next byte that differs; 0 when there is none.
    gap: u64,
    /// How far ahead in the matches that byte is, 1 being the next byte.
    ahead: u64,
    /// What is made of the content at a time.
    piece: Vec<u8>,
    /// The last bytes before it.
    behind: Vec<u8>,
}

impl<'a, R: BufRead> Target<'a, R> {
    fn new(
        base: &'a dyn ReadAt,
        gaps: &'a mut R,
        (values, literals, guides): (&'a mut R, &'a mut R, &'a mut Guides),
        out: &'a mut dyn Write,
    ) -> Result<Self, Error> {
        let base = Bytes::lent(base).map_err(|source| Error::Io { position: 0, source })?;
        let gap = read_number(gaps, 0)?;
        let (piece, behind) = (Vec::new(), Vec::new());
        let (position, base_end) = (0, 0);
        Ok(Self { base, gaps, values, literals, guides, out, position, base_end, gap, ahead: gap, piece, behind })
    }

    fn append(&mut self, found: Match) -> Result<(), Error> {
        self.literals_up_to(found.target, found.base)?;
        let mut done = 0;
        while done < found.length {
            done += self.take_piece(found.base + done, found.length - done).map_err(|error| self.failed(error))?;
            self.add_values()?;
            self.write_piece()?;
        }
        self.base_end = found.base + found.length;
        Ok(())
    }

    fn write_piece(&mut self) -> Result<(), Error> {
        self.out.write_all(&self.piece).map_err(|error| self.failed(error))?;
        self.position += self.piece.len() as u64;
        let kept = BEHIND.saturating_sub(self.piece.len()).min(self.behind.len());
        self.behind.drain(..self.behind.len() - kept);
        self.behind.extend_from_slice(&self.piece[self.piece.len().saturating_sub(BEHIND)..]);
        Ok(())
    }

    fn finish(mut self, target_length: u64) -> Result<(), Error> {
        self.literals_up_to(target_length, self.base.len())?;
        match self.ahead {
            0 => Ok(()),
            gap => Err(damaged(self.position, format!("a byte differs {gap} bytes behind the end of the last match"))),
        }
    }

    /// Behind them comes the base's byte at `next`.
    fn literals_up_to(&mut self, end: u64, next: u64) -> Result<(), Error> {
        if end > self.position && self.guides.literals.iter().any(Guided::may_see) {
            self.see_around(next).map_err(|error| self.failed(error))?;
        }
        while self.position < end {
            let count = usize::try_from(end - self.position).unwrap_or(PIECE).min(PIECE);
            self.piece.clear();
            self.take_literals(count).map_err(|error| self.failed(error))?;
            self.write_piece()?;
        }
        Ok(())
    }

    /// Makes `piece` the next literals.
    fn take_literals(&mut self, count: usize) -> io::Result<()> {
        if self.guides.literals.is_empty() {
            self.piece.resize(count, 0);
            return self.literals.read_exact(&mut self.piece);
        }
        for _ in 0..count {
            self.piece.push(guided_byte(&mut self.guides.literals, self.literals)?);
        }
        Ok(())
    }

    /// Shows what the base has in the place of the literals, and then what they stand behind.
    fn see_around(&mut self, next: u64) -> io::Result<()> {
        let Self { base, guides, behind, .. } = self;
        for (start, end) in around(self.base_end, next) {
            let (mut start, end) = (start, end.min(base.len()));
            while start < end {
                let bytes = base.from(start)?;
                let count = bytes.len().min(usize::try_from(end - start).unwrap_or(PIECE));
                guides.literals.iter_mut().for_each(|literals| literals.see(&bytes[..count]));
                start += count as u64;
            }
        }
        guides.literals.iter_mut().for_each(|literals| literals.see(behind));
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
        while let Some(ahead) = self.ahead.checked_sub(1) {
            let left = self.piece.len() - at;
            let Some(place) = usize::try_from(ahead).ok().filter(|place| *place < left) else {
                self.ahead -= left as u64;
                return Ok(());
            };
            at += place;
            let next = read_number(self.gaps, self.position)?;
            let value = self.value(at, next).map_err(|error| self.failed(error))?;
            self.piece[at] = self.piece[at].wrapping_add(value);
            at += 1;
            (self.gap, self.ahead) = (next, next);
        }
        Ok(())
    }

    /// The value of the byte at a place of the piece, behind which comes another gap.
    fn value(&mut self, at: usize, next: u64) -> io::Result<u8> {
        if self.guides.values.is_empty() {
            return guided_byte(&mut [], self.values);
        }
        let made = self.behind.iter().chain(&self.piece[..at]).rev();
        let mut made = made.copied().chain([0; 2]);
        let behind = [(); 2].map(|()| made.next().unwrap_or(0));
        let base = self.piece[at];
        self.guides.values.iter_mut().for_each(|values| values.guide([self.gap, next], base, behind));
        guided_byte(&mut self.guides.values, self.values)
    }

    const fn failed(&self, source: io::Error) -> Error {
        Error::Io { position: self.position, source }
    }
}

/// How much is rebuilt at a time.
const PIECE: usize = 64 << 10;

/// So many bytes of the content, before literals, are shown to what codes them.
const BEHIND: usize = 16;

/// So many bytes of the base are, before the end of the last match and behind the start of the next one ...
const OUTSIDE: u64 = 16;

/// ... and so many behind that end and before that start.
const INSIDE: u64 = 512;

/// Where the base has what stands around literals between a match that ends at `end` and one that starts at `next`.
fn around(end: u64, next: u64) -> Vec<(u64, u64)> {
    let (start, last) = (end.saturating_sub(OUTSIDE), next.saturating_add(OUTSIDE));
    match next.checked_sub(end) {
        Some(between) if between <= 2 * INSIDE => vec![(start, last)],
        _ => vec![(start, end.saturating_add(INSIDE)), (next.saturating_sub(INSIDE), last)],
    }
}

/// The next byte of a stream, or of what stands in its place.
fn guided_byte(guided: &mut [Guided], stream: &mut impl Read) -> io::Result<u8> {
    let mut told = [0];
    if guided.iter().all(Guided::is_encoder) {
        stream.read_exact(&mut told)?;
    }
    let byte = guided.iter_mut().try_fold(told[0], |byte, guided| guided.code(byte));
    byte.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// As many as 64 bits have.
const NUMBER_BYTES: u32 = 10;

fn read_number(source: &mut dyn Read, position: u64) -> Result<u64, Error> {
    let number = leb128::read(source, NUMBER_BYTES).map_err(|source| Error::Io { position, source })?;
    number.ok_or_else(|| damaged(position, "a number that does not fit into 64 bits".to_owned()))
}

const fn damaged(position: u64, what: String) -> Error {
    Error::Damaged { position, what }
}

#[cfg(test)]
mod tests;
