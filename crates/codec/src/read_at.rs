//! Random access to bytes that may be larger than memory.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Bytes of a known length that can be read at any place, from many threads at once.
pub trait ReadAt: Send + Sync {
    /// The number of bytes.
    fn len(&self) -> u64;

    /// Reads some bytes at `offset` into `buffer` and returns how many: less than asked for only at the end, 0 past it.
    ///
    /// # Errors
    /// Whatever the place that holds the bytes reports.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// All bytes, where they are in memory already.
    fn in_memory(&self) -> Option<&[u8]> {
        None
    }

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes there are at `offset`, of `most` at the most.
    fn available(&self, offset: u64, most: usize) -> usize {
        usize::try_from(self.len().saturating_sub(offset)).unwrap_or(usize::MAX).min(most)
    }

    /// Fills `buffer` with the bytes at `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when fewer bytes are there.
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    buffer = &mut buffer[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl ReadAt for [u8] {
    fn len(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.get(start..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self)
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        ReadAt::len(self.as_slice())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, offset)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self)
    }
}

macro_rules! forward_read_at {
    ($pointer:ty) => {
        impl<T: ReadAt + ?Sized> ReadAt for $pointer {
            fn len(&self) -> u64 {
                (**self).len()
            }

            fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
                (**self).read_at(buffer, offset)
            }

            fn in_memory(&self) -> Option<&[u8]> {
                (**self).in_memory()
            }
        }
    };
}

forward_read_at!(&T);
forward_read_at!(Arc<T>);
forward_read_at!(Box<T>);

/// A part of other bytes.
#[derive(Clone, Debug)]
pub struct Slice<T> {
    whole: T,
    offset: u64,
    length: u64,
}

impl<T: ReadAt> Slice<T> {
    /// The `length` bytes of `whole` that start at `offset`, or `None` when `whole` does not have them.
    pub fn new(whole: T, offset: u64, length: u64) -> Option<Self> {
        (offset.checked_add(length)? <= whole.len()).then_some(Self { whole, offset, length })
    }
}

impl<T: ReadAt> ReadAt for Slice<T> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.available(offset, buffer.len());
        if count == 0 {
            return Ok(0);
        }
        self.whole.read_at(&mut buffer[..count], self.offset + offset)
    }
}

/// Several byte sequences, one behind the other.
pub struct Concat<T> {
    parts: Vec<(u64, T)>,
    length: u64,
}

impl<T: ReadAt> Concat<T> {
    /// Joins `parts` in their order; their lengths must add up to less than 2^64.
    pub fn new(parts: impl IntoIterator<Item = T>) -> Self {
        let mut length = 0;
        let parts = parts
            .into_iter()
            .map(|part| {
                let start = length;
                length += part.len();
                (start, part)
            })
            .collect();
        Self { parts, length }
    }
}

impl<T: ReadAt> ReadAt for Concat<T> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let after = self.parts.partition_point(|(start, _)| *start <= offset);
        match after.checked_sub(1).and_then(|index| self.parts.get(index)) {
            Some((start, part)) => part.read_at(buffer, offset - start),
            None => Ok(0),
        }
    }
}

/// Reads a [`ReadAt`] from its start to its end, or from wherever it is sent.
#[derive(Debug)]
pub struct Reader<T> {
    bytes: T,
    position: u64,
}

impl<T: ReadAt> Reader<T> {
    /// A reader that stands at the first byte.
    pub const fn new(bytes: T) -> Self {
        Self { bytes, position: 0 }
    }
}

impl<T: ReadAt> Read for Reader<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl<T: ReadAt> Seek for Reader<T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
            SeekFrom::End(distance) => self.bytes.len().checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: impl ReadAt) -> Vec<u8> {
        let mut read = Vec::new();
        Reader::new(bytes).read_to_end(&mut read).unwrap();
        read
    }

    #[test]
    fn a_slice_is_the_part_asked_for() {
        let whole = b"0123456789".to_vec();
        assert_eq!(all(Slice::new(&whole, 2, 3).unwrap()), b"234");
        assert_eq!(all(Slice::new(&whole, 10, 0).unwrap()), b"");
        assert!(Slice::new(&whole, 8, 3).is_none());
        assert!(Slice::new(&whole, u64::MAX, 2).is_none());
    }

    #[test]
    fn a_reader_goes_where_it_is_sent() {
        let mut reader = Reader::new(b"0123456789".to_vec());
        let mut buffer = [0; 2];
        for (to, at, found) in [
            (SeekFrom::Start(3), 3, b"34"),
            (SeekFrom::Current(-4), 1, b"12"),
            (SeekFrom::Current(2), 5, b"56"),
            (SeekFrom::End(-2), 8, b"89"),
        ] {
            assert_eq!(reader.seek(to).unwrap(), at);
            reader.read_exact(&mut buffer).unwrap();
            assert_eq!(&buffer, found);
        }
        // Behind the end there is nothing, and before the start no place.
        assert_eq!(reader.seek(SeekFrom::End(5)).unwrap(), 15);
        assert_eq!(reader.read(&mut buffer).unwrap(), 0);
        for before in [SeekFrom::Current(-16), SeekFrom::End(-11)] {
            assert_eq!(reader.seek(before).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        assert_eq!(reader.stream_position().unwrap(), 15);
    }

    #[test]
    fn parts_follow_each_other() {
        let parts = [b"ab".to_vec(), Vec::new(), b"cde".to_vec()];
        let joined = Concat::new(&parts);
        assert_eq!(joined.len(), 5);
        let mut buffer = [0; 3];
        joined.read_exact_at(&mut buffer, 1).unwrap();
        assert_eq!(&buffer, b"bcd");
        assert_eq!(all(joined), b"abcde");
    }

    #[test]
    fn reading_past_the_end_is_an_error_not_a_panic() {
        let bytes = b"abc".to_vec();
        assert_eq!(bytes.read_exact_at(&mut [0; 2], 2).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(bytes.read_at(&mut [0; 2], u64::MAX).unwrap(), 0);
    }

    #[test]
    fn a_slice_ends_where_it_was_cut() {
        let whole = b"0123456789".to_vec();
        let slice = Slice::new(&whole, 2, 5).unwrap();
        for (offset, wanted, found) in
            [(0, 9, &b"23456"[..]), (3, 9, b"56"), (4, 1, b"6"), (5, 9, b""), (9, 9, b""), (u64::MAX, 9, b"")]
        {
            let mut buffer = vec![0; wanted];
            let count = slice.read_at(&mut buffer, offset).unwrap();
            assert_eq!(&buffer[..count], found, "{offset}");
        }
        for (offset, length, is_there) in
            [(0, 10, true), (0, 11, false), (10, 0, true), (11, 0, false), (u64::MAX, 1, false)]
        {
            assert_eq!(Slice::new(&whole, offset, length).is_some(), is_there, "{offset} {length}");
        }
        assert_eq!((slice.len(), slice.is_empty(), slice.in_memory()), (5, false, None));
    }

    #[test]
    fn parts_are_read_one_at_a_time() {
        let parts = [b"".to_vec(), b"ab".to_vec(), Vec::new(), Vec::new(), b"cde".to_vec(), Vec::new()];
        let joined = Concat::new(&parts);
        for (offset, found) in [(0, &b"ab"[..]), (1, b"b"), (2, b"cde"), (4, b"e"), (5, b""), (u64::MAX, b"")] {
            let mut buffer = [0; 9];
            let count = joined.read_at(&mut buffer, offset).unwrap();
            assert_eq!(&buffer[..count], found, "{offset}");
        }
        let nothing = Concat::<Vec<u8>>::new([]);
        assert_eq!((nothing.len(), nothing.is_empty(), nothing.read_at(&mut [0; 9], 0).unwrap()), (0, true, 0));
    }

    #[test]
    fn what_is_in_memory_is_lent_through_pointers() {
        let bytes = b"held".to_vec();
        assert_eq!(ReadAt::in_memory(&&bytes), Some(&b"held"[..]));
        assert_eq!(Arc::new(bytes.clone()).in_memory(), Some(&b"held"[..]));
        assert_eq!((Box::new(bytes.clone()) as Box<dyn ReadAt>).in_memory(), Some(&b"held"[..]));
        assert_eq!(Concat::new([bytes]).in_memory(), None);
    }

    #[test]
    fn an_interrupted_read_is_tried_again_and_another_failure_is_not() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        /// Gives one byte at each second call.
        struct Interrupted(AtomicUsize, io::ErrorKind);

        impl ReadAt for Interrupted {
            fn len(&self) -> u64 {
                100
            }
            fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
                if self.0.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
                    return Err(self.1.into());
                }
                buffer[0] = offset.to_le_bytes()[0];
                Ok(1)
            }
        }
        let mut buffer = [0; 5];
        Interrupted(0.into(), io::ErrorKind::Interrupted).read_exact_at(&mut buffer, 7).unwrap();
        assert_eq!(buffer, [7, 8, 9, 10, 11]);
        let error = Interrupted(0.into(), io::ErrorKind::TimedOut).read_exact_at(&mut buffer, 7).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
