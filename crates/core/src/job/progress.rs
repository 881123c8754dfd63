//! What a long job tells while it runs; the terminal is somebody else's.

use std::fmt;

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
