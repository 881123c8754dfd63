//! Bytes on their way to a registry.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use delta_codec::ReadAt;
use delta_core::job::progress::Task;

/// Tells a task how far the bytes were read; what is read again, because it did not arrive, does not count.
pub(super) struct Counting {
    bytes: Arc<dyn ReadAt>,
    task: Box<dyn Task>,
    furthest: AtomicU64,
}

impl Counting {
    /// Nothing of `bytes` was read yet.
    pub(super) fn new(bytes: Arc<dyn ReadAt>, task: Box<dyn Task>) -> Self {
        Self { bytes, task, furthest: AtomicU64::new(0) }
    }
}

impl ReadAt for Counting {
    fn len(&self) -> u64 {
        self.bytes.len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.bytes.read_at(buffer, offset)?;
        let end = offset + count as u64;
        let before = self.furthest.fetch_max(end, Ordering::Relaxed);
        self.task.advance(end.saturating_sub(before));
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
