//! A piece of other bytes in memory, for readers that mostly go forward.

use std::io;

use delta_codec::ReadAt;

/// What is read where nothing was read before: a header, and mostly the next one.
const FIRST_BYTES: usize = 4 << 10;

/// Who leaves out no more than this still goes forward.
const STEP_BYTES: u64 = 2 << 10;

/// Holds at most `capacity` bytes of what it reads: few where the reader jumps, twice as many each time that it goes on.
pub(crate) struct Window<'a> {
    bytes: &'a dyn ReadAt,
    capacity: usize,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are held.
    held: usize,
    start: u64,
    /// How many bytes were read last.
    piece: usize,
}

impl<'a> Window<'a> {
    pub(crate) fn new(bytes: &'a dyn ReadAt, capacity: usize) -> Self {
        Self { bytes, capacity, buffer: Vec::new(), held: 0, start: 0, piece: 0 }
    }

    /// The number of bytes below.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.len()
    }

    /// The bytes from `offset` on: at least `least` of them, except at the end. `least` must not exceed the capacity.
    pub(crate) fn from(&mut self, offset: u64, least: usize) -> io::Result<&[u8]> {
        self.piece(offset, least, least)
    }

    /// The same, for a reader that will go on to have `wanted` bytes.
    fn piece(&mut self, offset: u64, least: usize, wanted: usize) -> io::Result<&[u8]> {
        let skip = offset.checked_sub(self.start).and_then(|skip| usize::try_from(skip).ok());
        match skip.filter(|skip| self.held.saturating_sub(*skip) >= least.max(1)) {
            Some(skip) => Ok(&self.buffer[skip..self.held]),
            None => {
                self.fill(offset, wanted)?;
                Ok(&self.buffer[..self.held])
            }
        }
    }

    /// Hands the `length` bytes at `offset` to `take`, piece by piece.
    pub(crate) fn each(
        &mut self,
        mut offset: u64,
        length: u64,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let end = offset.checked_add(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        while offset < end {
            let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
            let piece = self.piece(offset, 1, left)?;
            let count = piece.len().min(left);
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            take(&piece[..count])?;
            offset += count as u64;
        }
        Ok(())
    }

    fn fill(&mut self, offset: u64, wanted: usize) -> io::Result<()> {
        let end = self.start + self.held as u64;
        let goes_on = (self.start..=end.saturating_add(STEP_BYTES)).contains(&offset);
        let piece = if goes_on { self.piece.saturating_mul(2) } else { 0 };
        self.piece = piece.max(FIRST_BYTES).max(wanted).min(self.capacity);
        let size = self.bytes.available(offset, self.piece);
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        (self.start, self.held) = (offset, 0);
        self.bytes.read_exact_at(&mut self.buffer[..size], offset)?;
        self.held = size;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_window_gives_what_is_below() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut window = Window::new(&bytes, 16);
        for offset in [0, 3, 15, 16, 90, 2] {
            let piece = window.from(offset as u64, 8).unwrap();
            assert!(piece.len() >= 8 && *piece == bytes[offset..offset + piece.len()], "{offset}");
        }
        assert_eq!(window.from(98, 8).unwrap(), [98, 99]);
        assert!(window.from(100, 8).unwrap().is_empty());
        assert!(window.from(u64::MAX, 8).unwrap().is_empty());
    }

    #[test]
    fn what_could_not_be_read_is_read_again() {
        /// Fails once.
        struct Failing(std::sync::atomic::AtomicBool);
        impl ReadAt for Failing {
            fn len(&self) -> u64 {
                100
            }
            fn read_at(&self, buffer: &mut [u8], _: u64) -> io::Result<usize> {
                if self.0.swap(false, std::sync::atomic::Ordering::Relaxed) {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                buffer.fill(7);
                Ok(buffer.len())
            }
        }
        let bytes = Failing(true.into());
        let mut window = Window::new(&bytes, 16);
        assert_eq!(window.from(0, 8).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(window.from(0, 8).unwrap(), [7; 16]);
    }

    /// Zeros, and how many were asked for each time.
    struct Counting {
        length: u64,
        reads: Mutex<Vec<usize>>,
    }

    impl ReadAt for Counting {
        fn len(&self) -> u64 {
            self.length
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            self.reads.lock().unwrap().push(buffer.len());
            let left = usize::try_from(self.length - offset).unwrap();
            Ok(left.min(buffer.len()))
        }
    }

    #[test]
    fn who_jumps_reads_little_and_who_goes_on_reads_in_large_pieces() {
        let counting = Counting { length: 1 << 20, reads: Mutex::default() };
        let mut window = Window::new(&counting, 64 << 10);
        let reads = || std::mem::take(&mut *counting.reads.lock().unwrap());
        for header in 0..10 {
            window.from(header * 100_000, 512).unwrap();
        }
        assert_eq!(reads(), [FIRST_BYTES; 10]);
        let mut offset = 0;
        while offset < 1 << 20 {
            offset += window.from(offset, 1).unwrap().len() as u64;
        }
        let sizes = reads();
        assert!(sizes.len() < 24 && sizes.contains(&(64 << 10)), "{sizes:?}");
        window.each(0, 50_000, &mut |_| Ok(())).unwrap();
        assert_eq!(reads(), [50_000]);
    }

    #[test]
    fn a_span_comes_whole_or_not_at_all() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut window = Window::new(&bytes, 16);
        let mut read = Vec::new();
        let mut take = |piece: &[u8]| {
            read.extend_from_slice(piece);
            Ok(())
        };
        window.each(5, 90, &mut take).unwrap();
        assert!(window.each(95, 6, &mut take).is_err());
        assert!(window.each(u64::MAX, 2, &mut take).is_err());
        assert_eq!(read[..90], bytes[5..95]);
    }
}
