//! Room for what is too large for memory.

use std::io::{self, Write};
use std::sync::Arc;

use crate::ReadAt;

/// Gives out room for bytes on the way; what it gives is gone when the last handle is dropped.
pub trait Scratch: Send + Sync {
    /// New, empty room.
    ///
    /// # Errors
    /// Whatever the place that holds the bytes reports.
    fn create(&self) -> io::Result<Box<dyn ScratchFile>>;
}

/// Bytes that are written once, front to back, and then read.
pub trait ScratchFile: Write + Send {
    /// Ends the writing.
    ///
    /// # Errors
    /// What a last flush reports.
    fn freeze(self: Box<Self>) -> io::Result<Arc<dyn ReadAt>>;
}

/// Scratch in memory, for tests and for what is known to be small.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryScratch;

impl Scratch for MemoryScratch {
    fn create(&self) -> io::Result<Box<dyn ScratchFile>> {
        Ok(Box::new(Vec::new()))
    }
}

impl ScratchFile for Vec<u8> {
    fn freeze(self: Box<Self>) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::new(*self))
    }
}
