//! What a long job tells while it runs; the terminal is somebody else's.

use std::fmt;
use std::io::{self, Read, Write};

/// Takes what a job tells about itself. May be called from many threads.
pub trait Progress: Send + Sync {
    /// A piece of work begins, with the number of bytes that it will count, where that is known. It ends when the
    /// returned [`Task`] is dropped.
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task>;

    /// Something that every user should know.
    fn inform(&self, message: fmt::Arguments<'_>);

    /// Something that only a user who asked for details wants to know.
    fn detail(&self, message: fmt::Arguments<'_>);
}

/// A piece of work that is going on.
pub trait Task: Send + Sync {
    /// `bytes` more are done.
    fn advance(&self, bytes: u64);
}

/// Passes bytes on, and tells a task of them.
pub struct Counted<'a, T> {
    inner: T,
    task: &'a dyn Task,
}

impl<'a, T> Counted<'a, T> {
    /// What is read from or written to `inner` counts for `task`.
    pub fn new(inner: T, task: &'a dyn Task) -> Self {
        Self { inner, task }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.task.advance(count as u64);
        Ok(count)
    }
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.task.advance(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total: Option<u64>) -> Box<dyn Task> {
        Box::new(Self)
    }

    fn inform(&self, _message: fmt::Arguments<'_>) {}

    fn detail(&self, _message: fmt::Arguments<'_>) {}
}

impl Task for Silent {
    fn advance(&self, _bytes: u64) {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Sum(AtomicU64);

    impl Task for Sum {
        fn advance(&self, bytes: u64) {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    #[test]
    fn every_byte_that_passes_is_counted() {
        let sum = Sum(AtomicU64::new(0));
        let mut out = Counted::new(Vec::new(), &sum);
        out.write_all(b"abc").unwrap();
        out.flush().unwrap();
        io::copy(&mut Counted::new(&b"defgh"[..], &sum), &mut io::sink()).unwrap();
        assert_eq!(sum.0.into_inner(), 8);
    }
}
