//! Hashes bytes while somebody reads them.

use std::io::{self, BufReader, Write};
use std::sync::{Mutex, PoisonError};

use delta_codec::{ReadAt, Reader, Slice};

use crate::digest::{Hashed, Hasher};
use crate::job::progress::{Counted, Task};
use crate::limits::COPY_BUFFER;

/// Passes reads on, and hashes every byte once, in its order: what a reader leaves out is read when he is behind it.
pub(super) struct Tap<'a> {
    bytes: &'a dyn ReadAt,
    task: &'a dyn Task,
    state: Mutex<State<'a>>,
}

/// What gets every byte in its order, too.
pub(super) type Beside<'a> = &'a mut (dyn Write + Send);

struct State<'a> {
    hasher: Hasher<Beside<'a>>,
    /// How many bytes were hashed.
    position: u64,
}

impl<'a> Tap<'a> {
    /// Tells `task` of the bytes that are hashed, and writes them to `beside`.
    pub(super) fn new(bytes: &'a dyn ReadAt, task: &'a dyn Task, beside: Beside<'a>) -> Self {
        let state = State { hasher: Hasher::new(beside), position: 0 };
        Self { bytes, task, state: Mutex::new(state) }
    }

    /// Reads what was not read, and returns the hash of all.
    pub(super) fn finish(self) -> io::Result<Hashed> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.catch_up((self.bytes, self.bytes.len()), self.task)?;
        let (_, hashed, _) = state.hasher.finish();
        Ok(hashed)
    }
}

impl State<'_> {
    /// Hashes up to the offset `end`.
    fn catch_up(&mut self, (bytes, end): (&dyn ReadAt, u64), task: &dyn Task) -> io::Result<()> {
        let left = end.saturating_sub(self.position);
        if left == 0 {
            return Ok(());
        }
        let left_out = Slice::new(bytes, self.position, left).ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(COPY_BUFFER);
        let mut reader = BufReader::with_capacity(size, Counted::new(Reader::new(left_out), task));
        let count = io::copy(&mut reader, &mut self.hasher)?;
        self.position += count;
        if count < left { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn take(&mut self, bytes: &[u8], task: &dyn Task) -> io::Result<()> {
        self.hasher.write_all(bytes)?;
        self.position += bytes.len() as u64;
        task.advance(bytes.len() as u64);
        Ok(())
    }
}

impl ReadAt for Tap<'_> {
    fn len(&self) -> u64 {
        self.bytes.len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.bytes.read_at(buffer, offset)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if count > 0 {
            state.catch_up((self.bytes, offset), self.task)?;
        }
        let known = usize::try_from(state.position - offset.min(state.position)).unwrap_or(usize::MAX);
        if let Some(new) = buffer[..count].get(known..) {
            state.take(new, self.task)?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::BlobDigest;
    use crate::job::progress::Silent;

    #[test]
    fn every_byte_is_hashed_once_however_it_is_read() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3 * COPY_BUFFER).collect();
        let size = COPY_BUFFER as u64;
        for reads in [
            &[][..],
            &[(0, 100), (50, 100), (150, 1), (10, 20)],
            &[(700, 512), (0, 512), (size, COPY_BUFFER), (3 * size - 1, 8)],
            &[(0, COPY_BUFFER), (size, COPY_BUFFER), (2 * size, COPY_BUFFER), (3 * size, 1)],
            &[(5 * size, 1)],
        ] {
            let mut beside = Vec::new();
            let tap = Tap::new(&bytes, &Silent, &mut beside);
            for (offset, length) in reads.iter().copied() {
                let (mut read, mut expected) = (vec![0; length], vec![0; length]);
                let count = tap.read_at(&mut read, offset).unwrap();
                assert_eq!(count, bytes.read_at(&mut expected, offset).unwrap());
                assert!(read == expected, "{offset}");
            }
            assert_eq!(BlobDigest::from(tap.finish().unwrap()), BlobDigest::of(&bytes), "{reads:?}");
            assert!(beside == bytes, "{reads:?}");
        }
    }
}
