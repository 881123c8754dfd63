//! The checksums that stand around deflate streams.

use std::io;

use crate::ReadAt;
use crate::adler::Adler;
use crate::limits::COPY_BYTES;

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

/// The trailer of a gzip member that holds `plain`.
pub(crate) fn gzip_trailer(plain: &dyn ReadAt) -> io::Result<[u8; 8]> {
    let mut crc = flate2::Crc::new();
    each(plain, |bytes| crc.update(bytes))?;
    Ok(Sums { length: plain.len(), crc: crc.sum(), adler: 0 }.gzip_trailer())
}

/// The trailer of a zlib stream that holds `plain`.
pub(super) fn zlib_trailer(plain: &dyn ReadAt) -> io::Result<[u8; 4]> {
    let mut adler = Adler::new();
    each(plain, |bytes| adler.update(bytes))?;
    Ok(adler.sum().to_be_bytes())
}

fn each(plain: &dyn ReadAt, mut update: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut at = 0;
    loop {
        match plain.read_at(&mut buffer, at)? {
            0 => return Ok(()),
            count => {
                update(&buffer[..count]);
                at += count as u64;
            }
        }
    }
}
