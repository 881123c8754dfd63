//! The checksums that stand around deflate streams.

use std::io::{self, Read};

/// The checksum of zlib (RFC 1950, 8.2), byte after byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adler {
    low: u32,
    high: u32,
}

impl Adler {
    pub(super) const fn new() -> Self {
        Self { low: 1, high: 0 }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        // 5552 bytes are the most after which the sums still fit into 32 bits.
        for part in bytes.chunks(5552) {
            for byte in part {
                self.low += u32::from(*byte);
                self.high += self.low;
            }
            self.low %= 65_521;
            self.high %= 65_521;
        }
    }

    pub(super) const fn sum(self) -> u32 {
        self.high << 16 | self.low
    }
}

/// What a trailer says of the plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) length: u64,
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
