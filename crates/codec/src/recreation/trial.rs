//! Finds the encoder of a stream by running encoders until their first byte that differs.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Stream;
use super::families::{Encoder, Format, candidates, is_same};
use crate::limits::COPY_BYTES;
use crate::{ReadAt, Slice};

/// How far an encoder came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) encoder: String,
    /// How many bytes of the stream it made.
    pub(super) equal: u64,
}

/// The encoder that makes `stream`, every byte of it; else the attempts that failed. Of those that were found before, the last is tried
/// first. What all of them read together is taken from `budget`.
pub(super) fn find(
    (blob, plain): (&dyn ReadAt, &dyn ReadAt),
    (format, stream): (Format, &Stream),
    before: Option<&Arc<dyn Encoder>>,
    budget: &AtomicU64,
) -> io::Result<Result<Arc<dyn Encoder>, Vec<Attempt>>> {
    let others = candidates(format, &stream.header);
    let others = others.into_iter().filter(|other| before.is_none_or(|before| !is_same(&**before, &**other)));
    let mut attempts = Vec::new();
    for encoder in before.cloned().into_iter().chain(others) {
        match equal(&*encoder, (blob, plain), stream, budget)? {
            Equality::Whole => return Ok(Ok(encoder)),
            Equality::Until(equal) => attempts.push(Attempt { encoder: encoder.to_string(), equal }),
        }
        if budget.load(Ordering::Relaxed) == 0 {
            break;
        }
    }
    Ok(Err(attempts))
}

enum Equality {
    Whole,
    /// So many bytes.
    Until(u64),
}

fn equal(
    encoder: &dyn Encoder,
    (blob, plain): (&dyn ReadAt, &dyn ReadAt),
    stream: &Stream,
    budget: &AtomicU64,
) -> io::Result<Equality> {
    let slice = |bytes, range: &std::ops::Range<u64>| Slice::new(bytes, range.start, range.end - range.start);
    let (Some(expected), Some(plain)) = (slice(blob, &stream.at), slice(plain, &stream.plain)) else {
        return Ok(Equality::Until(0));
    };
    let equal = Cell::new(0);
    let mut compare = Compare { expected: &expected, equal: &equal, held: Vec::new(), used: 0 };
    match encoder.encode(&Counted { inner: plain, left: budget }, &mut compare) {
        Ok(()) if equal.get() == expected.len() => Ok(Equality::Whole),
        Ok(()) => Ok(Equality::Until(equal.get())),
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::QuotaExceeded) => {
            Ok(Equality::Until(equal.get()))
        }
        Err(error) => Err(error),
    }
}

/// Fails with [`io::ErrorKind::InvalidData`] at the first byte that is another than expected.
struct Compare<'a> {
    expected: &'a dyn ReadAt,
    equal: &'a Cell<u64>,
    /// Expected bytes, of which so many were used.
    held: Vec<u8>,
    used: usize,
}

impl Compare<'_> {
    fn refill(&mut self) -> io::Result<()> {
        self.held.resize(COPY_BYTES, 0);
        let count = self.expected.read_at(&mut self.held, self.equal.get())?;
        self.held.truncate(count);
        self.used = 0;
        Ok(())
    }
}

impl Write for Compare<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.used == self.held.len() {
            self.refill()?;
        }
        let expected = &self.held[self.used..];
        let count = expected.len().min(buffer.len());
        let equal = if expected[..count] == buffer[..count] {
            count
        } else {
            expected.iter().zip(buffer).take_while(|(one, other)| one == other).count()
        };
        self.used += equal;
        self.equal.set(self.equal.get() + equal as u64);
        // Where more comes than is expected there is nothing to compare with.
        if equal < count || (count == 0 && !buffer.is_empty()) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails with [`io::ErrorKind::QuotaExceeded`] when more is read than there is left.
struct Counted<'a, T> {
    inner: T,
    left: &'a AtomicU64,
}

impl<T: ReadAt> ReadAt for Counted<'_, T> {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.inner.read_at(buffer, offset)?;
        let take = |left: u64| Some(left.saturating_sub(count as u64));
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        if before.is_ok_and(|before| before < count as u64) {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        Ok(count)
    }
}
