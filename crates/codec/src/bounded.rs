//! A writer that takes no more than was promised, so that a small input cannot fill memory or disk.

use std::io::{self, Write};

/// Passes at most so many bytes on.
pub struct Bounded<W> {
    inner: W,
    left: u64,
    fault: &'static str,
    failure: Option<io::Error>,
}

impl<W: Write> Bounded<W> {
    /// Lets `most` bytes through to `inner`; with one more, [`io::ErrorKind::InvalidData`] says `fault`.
    pub const fn new(inner: W, most: u64, fault: &'static str) -> Self {
        Self { inner, left: most, fault, failure: None }
    }

    /// How many bytes may still come.
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// What the writer below reported, which is no fault of what is written; `None` when it took everything.
    pub fn into_failure(self) -> Option<io::Error> {
        self.failure
    }
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(buffer.len() as u64);
        self.left = left.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, self.fault))?;
        self.inner.write_all(buffer).map_err(|error| {
            let same = match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(error.kind(), error.to_string()),
            };
            self.failure = Some(error);
            same
        })?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::full::Full;

    #[test]
    fn one_byte_too_many_is_refused() {
        let mut held = Vec::new();
        let mut bounded = Bounded::new(&mut held, 5, "too long");
        bounded.write_all(b"abc").unwrap();
        assert_eq!(bounded.left(), 2);
        let error = bounded.write_all(b"def").unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::InvalidData, "too long"));
        assert!(bounded.into_failure().is_none());
        assert_eq!(held, b"abc");
    }

    #[test]
    fn what_is_below_is_told_apart() {
        let mut bounded = Bounded::new(Full, 5, "too long");
        assert_eq!(bounded.write_all(b"a").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(bounded.into_failure().unwrap().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn as_many_bytes_as_promised_go_through() {
        for most in [0, 1, 5, 1_000] {
            let mut held = Vec::new();
            let mut bounded = Bounded::new(&mut held, most, "too long");
            (0..most).for_each(|_| bounded.write_all(b"x").unwrap());
            bounded.write_all(b"").unwrap();
            bounded.flush().unwrap();
            assert_eq!(bounded.left(), 0);
            assert!(bounded.write_all(b"x").is_err());
            assert_eq!(held.len() as u64, most);
        }
    }

    #[test]
    fn what_the_system_reported_keeps_its_number() {
        const NO_SPACE: i32 = 28;
        struct NoSpace;
        impl Write for NoSpace {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(NO_SPACE))
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::Error::from_raw_os_error(NO_SPACE))
            }
        }
        let mut bounded = Bounded::new(NoSpace, 5, "too long");
        assert_eq!(bounded.flush().unwrap_err().raw_os_error(), Some(NO_SPACE));
        assert_eq!(bounded.write_all(b"a").unwrap_err().raw_os_error(), Some(NO_SPACE));
        assert_eq!(bounded.into_failure().unwrap().raw_os_error(), Some(NO_SPACE));
    }
}
