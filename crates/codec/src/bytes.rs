//! Bytes of any number as contiguous pieces: held whole when they are few, through a block cache when they are many.

use std::io;

use crate::ReadAt;
use crate::limits::{ALIGN_HELD_BASE_BYTES, CACHE_BLOCK_BYTES, CACHE_BLOCKS, WALKED_HELD_BYTES};

/// Each block also holds the first bytes of the next one, so that every piece but the last is at least this long.
pub(crate) const OVERLAP: usize = 64;

const BLOCK: u64 = CACHE_BLOCK_BYTES as u64;

pub(crate) struct Bytes<'a> {
    source: &'a dyn ReadAt,
    length: u64,
    store: Store<'a>,
}

enum Store<'a> {
    Lent(&'a [u8]),
    Held(Vec<u8>),
    /// A direct-mapped cache: block `n` lives in slot `n % CACHE_BLOCKS`.
    Cached(Vec<Option<(u64, Vec<u8>)>>),
}

impl<'a> Bytes<'a> {
    /// For bytes that are read from front to back. What is in memory already is not held again.
    pub(crate) fn walked(source: &'a dyn ReadAt) -> io::Result<Self> {
        Self::held_up_to(WALKED_HELD_BYTES, source)
    }

    /// Like [`Bytes::walked`], but what is in memory already is lent however long it is. How long the pieces are then depends on where the bytes are, so
    /// that nothing that goes into a package may depend on that.
    pub(crate) fn lent(source: &'a dyn ReadAt) -> io::Result<Self> {
        match source.in_memory() {
            Some(bytes) => Ok(Self { source, length: source.len(), store: Store::Lent(bytes) }),
            None => Self::walked(source),
        }
    }

    /// For a base, which is read at random. What is in memory already is not held again.
    pub(crate) fn random(source: &'a dyn ReadAt) -> io::Result<Self> {
        Self::held_up_to(ALIGN_HELD_BASE_BYTES, source)
    }

    /// The same bytes for another reader, who does not hold what is held already.
    pub(crate) fn shared(&self) -> Bytes<'_> {
        let store = match &self.store {
            Store::Lent(bytes) => Store::Lent(bytes),
            Store::Held(bytes) => Store::Lent(bytes),
            Store::Cached(_) => Store::Cached((0..CACHE_BLOCKS).map(|_| None).collect()),
        };
        Bytes { source: self.source, length: self.length, store }
    }

    /// In one piece when there are at most `most` of them, wherever they are; else in many.
    fn held_up_to(most: u64, source: &'a dyn ReadAt) -> io::Result<Self> {
        let length = source.len();
        let store = match (usize::try_from(length), source.in_memory()) {
            (Ok(_), Some(bytes)) if length <= most => Store::Lent(bytes),
            (Ok(size), None) if length <= most => {
                let mut held = vec![0; size];
                source.read_exact_at(&mut held, 0)?;
                Store::Held(held)
            }
            _ => Store::Cached((0..CACHE_BLOCKS).map(|_| None).collect()),
        };
        Ok(Self { source, length, store })
    }

    pub(crate) const fn len(&self) -> u64 {
        self.length
    }

    /// The bytes from `offset` up to the end of its block and [`OVERLAP`] more; empty only at the end.
    pub(crate) fn from(&mut self, offset: u64) -> io::Result<&[u8]> {
        match &mut self.store {
            Store::Lent(lent) => Ok(piece(lent, offset)),
            Store::Held(held) => Ok(piece(held, offset)),
            Store::Cached(slots) => {
                let number = offset / BLOCK;
                Ok(piece(cached(slots, self.source, self.length, number)?, offset - number * BLOCK))
            }
        }
    }

    /// The bytes before `offset` down to the start of the block that holds the last of them; empty only at the start.
    pub(crate) fn before(&mut self, offset: u64) -> io::Result<&[u8]> {
        match &mut self.store {
            Store::Lent(lent) => Ok(&lent[..lent.len() - piece(lent, offset).len()]),
            Store::Held(held) => Ok(&held[..held.len() - piece(held, offset).len()]),
            Store::Cached(_) if offset == 0 => Ok(&[]),
            Store::Cached(slots) => {
                let number = (offset - 1) / BLOCK;
                let block = cached(slots, self.source, self.length, number)?;
                Ok(&block[..block.len() - piece(block, offset - number * BLOCK).len()])
            }
        }
    }
}

fn piece(bytes: &[u8], offset: u64) -> &[u8] {
    usize::try_from(offset).ok().and_then(|start| bytes.get(start..)).unwrap_or_default()
}

fn cached<'a>(
    slots: &'a mut [Option<(u64, Vec<u8>)>],
    source: &dyn ReadAt,
    length: u64,
    number: u64,
) -> io::Result<&'a [u8]> {
    let count = slots.len() as u64;
    let slot = &mut slots[usize::try_from(number % count).unwrap_or_default()];
    if slot.as_ref().is_none_or(|(held, _)| *held != number) {
        let start = number * BLOCK;
        let size = length.saturating_sub(start).min(BLOCK + OVERLAP as u64);
        let mut block = slot.take().map(|(_, block)| block).unwrap_or_default();
        block.resize(usize::try_from(size).unwrap_or_default(), 0);
        source.read_exact_at(&mut block, start)?;
        *slot = Some((number, block));
    }
    Ok(slot.as_ref().map(|(_, block)| block.as_slice()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Concat;

    #[test]
    fn held_and_cached_bytes_read_alike() {
        let size = usize::try_from(WALKED_HELD_BYTES).unwrap() + 3 * CACHE_BLOCK_BYTES;
        let source: Vec<u8> = (0..size).map(|index| u8::try_from(index % 251).unwrap()).collect();
        assert!(matches!(Bytes::walked(&source).unwrap().store, Store::Cached(_)));
        assert!(matches!(Bytes::lent(&source).unwrap().store, Store::Lent(_)));
        assert!(matches!(Bytes::lent(&Concat::new([&source])).unwrap().store, Store::Cached(_)));
        read_alike(Bytes::walked(&source).unwrap(), &source);
        read_alike(Bytes::lent(&source).unwrap(), &source);
    }

    fn read_alike(mut bytes: Bytes<'_>, source: &[u8]) {
        for offset in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, WALKED_HELD_BYTES, bytes.len() - 1] {
            let start = usize::try_from(offset).unwrap();
            let after = bytes.from(offset).unwrap();
            assert!(!after.is_empty() && after == &source[start..start + after.len()], "{offset}");
            let before = bytes.before(offset).unwrap();
            assert_eq!(before.is_empty(), offset == 0);
            assert_eq!(before, &source[start - before.len()..start], "{offset}");
        }
        assert!(bytes.from(bytes.len()).unwrap().is_empty());
    }

    /// Bytes that say where they stand, of any number, with how often they were read.
    struct Places {
        length: u64,
        reads: std::sync::atomic::AtomicUsize,
    }

    impl Places {
        fn new(length: u64) -> Self {
            Self { length, reads: 0.into() }
        }

        fn byte(at: u64) -> u8 {
            (at ^ (at / BLOCK)).to_le_bytes()[0]
        }
    }

    impl ReadAt for Places {
        fn len(&self) -> u64 {
            self.length
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            self.reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let count = usize::try_from((self.length - offset).min(buffer.len() as u64)).unwrap();
            buffer[..count].iter_mut().zip(offset..).for_each(|(byte, at)| *byte = Self::byte(at));
            Ok(count)
        }
    }

    #[test]
    fn blocks_that_take_the_place_of_each_other_are_read_again() {
        let source = Places::new(1 << 40);
        let mut bytes = Bytes::walked(&source).unwrap();
        let same_slot = BLOCK * CACHE_BLOCKS as u64;
        for (offset, reads) in
            [(5, 1), (BLOCK - 1, 1), (same_slot + 5, 2), (5, 3), (BLOCK, 4), (6, 4), ((1 << 40) - 1, 5)]
        {
            let piece = bytes.from(offset).unwrap();
            assert!(piece.iter().zip(offset..).all(|(byte, at)| *byte == Places::byte(at)), "{offset}");
            assert_eq!(source.reads.load(std::sync::atomic::Ordering::Relaxed), reads, "{offset}");
        }
    }

    #[test]
    fn every_piece_but_the_last_has_the_first_bytes_of_the_next_block() {
        let length = WALKED_HELD_BYTES + BLOCK + 100;
        let source = Places::new(length);
        let mut bytes = Bytes::walked(&source).unwrap();
        let mut at = 0;
        while at < length {
            for offset in [at, at + 1, (at + BLOCK - 1).min(length - 1)] {
                let end = (at + BLOCK + OVERLAP as u64).min(length);
                assert_eq!(bytes.from(offset).unwrap().len() as u64, end - offset, "{offset}");
                if offset > at {
                    assert_eq!(bytes.before(offset).unwrap().len() as u64, offset - at, "{offset}");
                }
            }
            at += BLOCK;
        }
        // Before the first byte of a block stands all of the block before it.
        assert_eq!(bytes.before(BLOCK).unwrap().len() as u64, BLOCK);
        assert!(bytes.before(0).unwrap().is_empty() && bytes.from(length).unwrap().is_empty());
    }

    #[test]
    fn what_is_small_is_held_and_read_once() {
        for (length, is_held) in [(0, true), (WALKED_HELD_BYTES, true), (WALKED_HELD_BYTES + 1, false)] {
            let source = Places::new(length);
            let mut bytes = Bytes::walked(&source).unwrap();
            assert_eq!(matches!(bytes.store, Store::Held(_)), is_held, "{length}");
            assert_eq!(bytes.len(), length);
            let piece = bytes.from(0).unwrap().len() as u64;
            assert_eq!(piece, if is_held { length } else { BLOCK + OVERLAP as u64 });
        }
    }

    #[test]
    fn a_source_that_became_shorter_is_an_error() {
        struct Shrunk(u64);
        impl ReadAt for Shrunk {
            fn len(&self) -> u64 {
                self.0
            }
            fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
                Ok(0)
            }
        }
        assert_eq!(Bytes::walked(&Shrunk(10)).err().unwrap().kind(), io::ErrorKind::UnexpectedEof);
        let large = Shrunk(WALKED_HELD_BYTES + 1);
        let mut bytes = Bytes::walked(&large).unwrap();
        assert_eq!(bytes.from(0).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(bytes.before(5).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_held_is_shared_and_what_is_not_is_read_anew() {
        let reads = |source: &Places| source.reads.load(std::sync::atomic::Ordering::Relaxed);
        let small = Places::new(1_000);
        let held = Bytes::walked(&small).unwrap();
        let (mut one, mut other) = (held.shared(), held.shared());
        assert!(matches!(one.store, Store::Lent(_)));
        assert_eq!((one.from(990).unwrap().len(), other.before(10).unwrap().len(), one.len()), (10, 10, 1_000));
        assert!(matches!(one.shared().store, Store::Lent(_)));
        assert_eq!(reads(&small), 1);
        let large = Places::new(1 << 40);
        let mut cached = Bytes::walked(&large).unwrap();
        cached.from(5).unwrap();
        let mut shared = cached.shared();
        assert!(matches!(shared.store, Store::Cached(_)));
        assert_eq!(shared.from(5).unwrap()[0], Places::byte(5));
        assert_eq!(reads(&large), 2, "each has a cache of its own");
    }

    #[test]
    fn a_base_is_held_longer_than_what_is_walked() {
        let source = Places::new(WALKED_HELD_BYTES + 1);
        assert!(matches!(Bytes::random(&source).unwrap().store, Store::Held(_)));
        let source = Places::new(ALIGN_HELD_BASE_BYTES + 1);
        assert!(matches!(Bytes::random(&source).unwrap().store, Store::Cached(_)));
        // What is lent is not held again, but for how long its pieces are.
        let lent = vec![0; usize::try_from(WALKED_HELD_BYTES).unwrap() + 1];
        assert!(matches!(Bytes::random(&lent).unwrap().store, Store::Lent(_)));
        assert!(matches!(Bytes::walked(&lent).unwrap().store, Store::Cached(_)));
        assert!(matches!(Bytes::walked(&lent[1..].to_vec()).unwrap().store, Store::Lent(_)));
    }

    #[test]
    fn behind_the_end_there_is_nothing() {
        for length in [10, WALKED_HELD_BYTES + 10] {
            let source = Places::new(length);
            let mut bytes = Bytes::walked(&source).unwrap();
            for offset in [length, length + 1, length + BLOCK, 1 << 60] {
                assert!(bytes.from(offset).unwrap().is_empty(), "{offset} of {length}");
            }
            assert_eq!(bytes.before(length).unwrap().last(), Some(&Places::byte(length - 1)));
        }
    }
}
