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

/// Whether one of `encoders` makes all of `expected`, with which the stream of `plain` begins. The others are then not tried.
pub(crate) fn makes_start(
    encoders: &[Arc<dyn Encoder>],
    plain: &dyn ReadAt,
    expected: &dyn ReadAt,
    budget: &AtomicU64,
) -> io::Result<bool> {
    for encoder in encoders {
        match equal(&**encoder, plain, expected, budget)? {
            Equality::Until(equal) if equal < expected.len() => {}
            Equality::Whole(_) | Equality::Until(_) => return Ok(true),
        }
        if !spend(budget, ATTEMPT) {
            break;
        }
    }
    Ok(false)
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

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::atomic::AtomicUsize;

    use super::super::{Candidate, Family, Format, Origin};
    use super::*;

    static NOBODY: Family =
        Family { number: 0, feature: "", format: Format::Deflate, candidates: none, take: |_| None };

    fn none(_: &Origin) -> Vec<Candidate> {
        Vec::new()
    }

    /// Its stream is this, whatever it is given, and it counts how often it is asked for it.
    struct Says(&'static [u8], AtomicUsize);

    impl fmt::Display for Says {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.escape_ascii().fmt(formatter)
        }
    }

    impl Encoder for Says {
        fn family(&self) -> &'static Family {
            &NOBODY
        }

        fn settings(&self) -> Vec<u8> {
            self.0.to_vec()
        }

        fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
            self.1.fetch_add(1, Ordering::Relaxed);
            plain.read_at(&mut [0; 10], 0)?;
            out.write_all(self.0)
        }
    }

    /// Whether the start is made, and how often each encoder was asked.
    fn starts(streams: &[&'static [u8]], expected: &[u8], budget: u64) -> (bool, Vec<usize>) {
        let encoders: Vec<Arc<Says>> = streams.iter().map(|one| Arc::new(Says(one, AtomicUsize::new(0)))).collect();
        let listed: Vec<Arc<dyn Encoder>> = encoders.iter().cloned().map(|one| one as Arc<dyn Encoder>).collect();
        let made = makes_start(&listed, &vec![0; 10], &expected.to_vec(), &AtomicU64::new(budget)).unwrap();
        (made, encoders.iter().map(|one| one.1.load(Ordering::Relaxed)).collect())
    }

    #[test]
    fn the_first_that_makes_the_start_ends_the_trial() {
        let plenty = 10 * (ATTEMPT + 10);
        assert_eq!(starts(&[b"abX", b"abcd", b"abc"], b"abc", plenty), (true, vec![1, 1, 0]));
        assert_eq!(starts(&[b"abX", b"abc", b"abcd"], b"abc", plenty), (true, vec![1, 1, 0]));
        assert_eq!(starts(&[b"abX", b"ab", b""], b"abc", plenty), (false, vec![1, 1, 1]));
        assert_eq!(starts(&[], b"abc", plenty), (false, vec![]));
    }

    #[test]
    fn nobody_is_tried_beyond_the_budget() {
        assert_eq!(starts(&[b"X", b"abc"], b"abc", ATTEMPT + 20), (true, vec![1, 1]));
        assert_eq!(starts(&[b"X", b"abc"], b"abc", ATTEMPT + 9), (false, vec![1, 0]));
        assert_eq!(starts(&[b"abc"], b"abc", 9), (false, vec![1]));
    }

    /// Its plain bytes cannot be read, for this reason.
    struct Unreadable(io::ErrorKind);

    impl ReadAt for Unreadable {
        fn len(&self) -> u64 {
            10
        }

        fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
            Err(self.0.into())
        }
    }

    fn all(streams: &[&'static [u8]]) -> Vec<Arc<dyn Encoder>> {
        streams.iter().map(|one| Arc::new(Says(one, AtomicUsize::new(0))) as Arc<dyn Encoder>).collect()
    }

    /// The maker that is found, or how far each encoder came.
    fn found(streams: &[&'static [u8]], expected: &[u8], budget: u64) -> Result<String, Vec<(String, u64)>> {
        let found = find(all(streams), &vec![0; 10], &expected.to_vec(), &AtomicU64::new(budget)).unwrap();
        found
            .map(|maker| maker.tried.to_string())
            .map_err(|attempts| attempts.into_iter().map(|Attempt { encoder, equal }| (encoder, equal)).collect())
    }

    #[test]
    fn only_who_makes_every_byte_and_no_more_is_the_maker() {
        let plenty = 10 * (ATTEMPT + 10);
        assert_eq!(found(&[b"abx", b"abc"], b"abc", plenty), Ok("abc".to_owned()));
        let attempts =
            |list: &[(&str, u64)]| Err(list.iter().map(|(name, equal)| ((*name).to_owned(), *equal)).collect());
        assert_eq!(found(&[b"abx", b"ab", b"abcd", b"", b"x"], b"abc", plenty), {
            attempts(&[("abx", 2), ("ab", 2), ("abcd", 3), ("", 0), ("x", 0)])
        });
        assert_eq!(found(&[b"", b"a"], b"", plenty), Ok(String::new()));
        assert_eq!(found(&[], b"abc", plenty), attempts(&[]));
    }

    #[test]
    fn what_all_read_together_comes_from_one_budget() {
        let both = 2 * ATTEMPT + 20;
        assert_eq!(found(&[b"x", b"y", b"abc"], b"abc", both + 10), Ok("abc".to_owned()));
        // The third may be tried, but not read all of it; without the price of the second attempt it is not tried.
        assert_eq!(found(&[b"x", b"y", b"abc"], b"abc", both + 9).unwrap_err().len(), 3);
        assert_eq!(found(&[b"x", b"y", b"abc"], b"abc", both - 1).unwrap_err().len(), 2);
    }

    #[test]
    fn a_long_stream_is_compared_in_pieces() {
        const LONG: &[u8] = &[7; 3 * COPY_BYTES + 5];
        let plenty = 10 * (ATTEMPT + 10);
        assert!(found(&[LONG], LONG, plenty).is_ok());
        for differs in [0, COPY_BYTES - 1, COPY_BYTES, 2 * COPY_BYTES + 1, LONG.len() - 1] {
            let mut expected = LONG.to_vec();
            expected[differs] = 8;
            assert_eq!(found(&[LONG], &expected, plenty).unwrap_err()[0].1, differs as u64);
        }
        assert_eq!(found(&[LONG], &LONG[..COPY_BYTES], plenty).unwrap_err()[0].1, COPY_BYTES as u64);
    }

    #[test]
    fn a_failure_to_read_is_no_attempt() {
        for (kind, is_attempt) in [
            (io::ErrorKind::InvalidData, true),
            (io::ErrorKind::QuotaExceeded, true),
            (io::ErrorKind::PermissionDenied, false),
            (io::ErrorKind::UnexpectedEof, false),
        ] {
            let budget = AtomicU64::new(u64::MAX);
            let found = find(all(&[b"abc"]), &Unreadable(kind), &b"abc".to_vec(), &budget);
            assert_eq!(found.is_ok(), is_attempt, "{kind}");
            let starts = makes_start(&all(&[b"abc"]), &Unreadable(kind), &b"abc".to_vec(), &budget);
            assert_eq!(starts.is_ok_and(|made| !made), is_attempt, "{kind}");
        }
    }
}
