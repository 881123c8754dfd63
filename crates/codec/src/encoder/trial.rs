//! Finds the encoder of a stream by running encoders until their first byte that differs.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Encoder;
use crate::ReadAt;
use crate::limits::COPY_BYTES;

/// What an attempt costs besides the bytes that it reads, as bytes.
const ATTEMPT: u64 = COPY_BYTES as u64;

/// How far an encoder came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) encoder: String,
    /// How many bytes of the stream it made.
    pub(crate) equal: u64,
}

/// What makes a stream.
pub(crate) struct Maker {
    /// The encoder that was tried.
    pub(crate) tried: Arc<dyn Encoder>,
    /// The same as it was told to make this one stream.
    pub(crate) told: Arc<dyn Encoder>,
}

/// The first of `encoders` that makes `expected` of `plain`, every byte of it; else the attempts that failed. What all of them read
/// together is taken from `budget`; when there is nothing left, the others are not tried.
pub(crate) fn find(
    encoders: Vec<Arc<dyn Encoder>>,
    plain: &dyn ReadAt,
    expected: &dyn ReadAt,
    budget: &AtomicU64,
) -> io::Result<Result<Maker, Vec<Attempt>>> {
    let mut attempts = Vec::new();
    for encoder in encoders {
        match equal(&*encoder, plain, expected, budget)? {
            Equality::Whole(told) => {
                return Ok(Ok(Maker { told: told.unwrap_or_else(|| encoder.clone()), tried: encoder }));
            }
            Equality::Until(equal) => attempts.push(Attempt { encoder: encoder.to_string(), equal }),
        }
        if !spend(budget, ATTEMPT) {
            break;
        }
    }
    Ok(Err(attempts))
}

/// Takes so much from `budget`; `false` when it had less.
fn spend(budget: &AtomicU64, cost: u64) -> bool {
    let take = |left: u64| Some(left.saturating_sub(cost));
    budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok_and(|before| before >= cost)
}

enum Equality {
    /// All of it; by this one, if the encoder was told something.
    Whole(Option<Arc<dyn Encoder>>),
    /// So many bytes.
    Until(u64),
}

fn equal(encoder: &dyn Encoder, plain: &dyn ReadAt, expected: &dyn ReadAt, budget: &AtomicU64) -> io::Result<Equality> {
    let equal = Cell::new(0);
    let mut compare = Compare { expected, equal: &equal, held: Vec::new(), used: 0 };
    match encoder.encode_noting(&Counted { inner: plain, left: budget }, &mut compare) {
        Ok(told) if equal.get() == expected.len() => Ok(Equality::Whole(told)),
        Ok(_) => Ok(Equality::Until(equal.get())),
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
struct Counted<'a> {
    inner: &'a dyn ReadAt,
    left: &'a AtomicU64,
}

impl ReadAt for Counted<'_> {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.inner.read_at(buffer, offset)?;
        if spend(self.left, count as u64) { Ok(count) } else { Err(io::ErrorKind::QuotaExceeded.into()) }
    }
}
