//! The checksums that stand around deflate streams.

use std::io::{self, Read};

use crate::adler::Adler;

/// What a trailer says of the plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) length: u64,
    pub(super) crc: u32,
    pub(super) adler: u32,
}

impl Sums {
    /// The trailer of a gzip member (RFC 1952, 2.3.1).
    pub(super) fn gzip_trailer(self) -> [u8; 8] {
        let mut trailer = [0; 8];
        trailer[..4].copy_from_slice(&self.crc.to_le_bytes());
        trailer[4..].copy_from_slice(&self.length.to_le_bytes()[..4]);
        trailer
    }

    /// The trailer of a zlib stream (RFC 1950, 2.2).
    pub(super) const fn zlib_trailer(self) -> [u8; 4] {
        self.adler.to_be_bytes()
    }
}

/// Sums up what goes by.
pub(super) struct Summing {
    crc: flate2::Crc,
    adler: Adler,
    length: u64,
}

impl Summing {
    pub(super) fn new() -> Self {
        Self { crc: flate2::Crc::new(), adler: Adler::new(), length: 0 }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.adler.update(bytes);
        self.length += bytes.len() as u64;
    }

    pub(super) fn sums(&self) -> Sums {
        Sums { length: self.length, crc: self.crc.sum(), adler: self.adler.sum() }
    }
}

/// A reader whose bytes are summed up.
pub(super) struct SummedReader<'a, R> {
    pub(super) inner: R,
    pub(super) summing: &'a mut Summing,
}

impl<R: Read> Read for SummedReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.summing.update(&buffer[..count]);
        Ok(count)
    }
}
