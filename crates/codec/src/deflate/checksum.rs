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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Concat;
    use crate::noise::noise;

    #[test]
    fn trailers_are_those_of_the_rfcs() {
        // CRC-32 of nothing, of "a" and of the nine digits; Adler-32 of the same (RFC 1950, 8.2).
        for (plain, crc, adler) in
            [(&b""[..], 0, 1), (b"a", 0xe8b7_be43_u32, 0x0062_0062_u32), (b"123456789", 0xcbf4_3926, 0x091e_01de)]
        {
            let mut summing = Summing::new();
            summing.update(plain);
            let sums = summing.sums();
            assert_eq!((sums.length, sums.crc, sums.adler), (plain.len() as u64, crc, adler));
            let length = u32::try_from(plain.len()).unwrap();
            let gzip: Vec<u8> = [crc.to_le_bytes(), length.to_le_bytes()].concat();
            assert_eq!(sums.gzip_trailer().to_vec(), gzip);
            assert_eq!(sums.zlib_trailer(), adler.to_be_bytes());
            assert_eq!(gzip_trailer(&plain.to_vec()).unwrap().to_vec(), gzip);
            assert_eq!(zlib_trailer(&plain.to_vec()).unwrap(), adler.to_be_bytes());
        }
    }

    #[test]
    fn a_gzip_trailer_has_the_length_modulo_32_bits() {
        for (length, told) in [(0, 0), (u64::from(u32::MAX), u32::MAX), (1 << 32, 0), ((1 << 40) + 7, 7)] {
            let trailer = Sums { length, crc: 0x0403_0201, adler: 0 }.gzip_trailer();
            assert_eq!(trailer[..4], [1, 2, 3, 4]);
            assert_eq!(trailer[4..], told.to_le_bytes(), "{length}");
        }
    }

    #[test]
    fn sums_are_the_same_in_whatever_pieces_the_bytes_come() {
        let plain = noise(1, 3 * COPY_BYTES + 5);
        let mut whole = Summing::new();
        whole.update(&plain);
        for size in [1_000, COPY_BYTES, COPY_BYTES + 1] {
            let mut summing = Summing::new();
            plain.chunks(size).for_each(|piece| summing.update(piece));
            assert_eq!(summing.sums(), whole.sums(), "{size}");
            let pieces = Concat::new(plain.chunks(size).map(<[u8]>::to_vec));
            assert_eq!(gzip_trailer(&pieces).unwrap(), whole.sums().gzip_trailer(), "{size}");
            assert_eq!(zlib_trailer(&pieces).unwrap(), whole.sums().zlib_trailer(), "{size}");
        }
    }

    #[test]
    fn what_reading_reports_comes_through() {
        struct Broken;
        impl ReadAt for Broken {
            fn len(&self) -> u64 {
                9
            }
            fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
                Err(io::ErrorKind::TimedOut.into())
            }
        }
        assert_eq!(gzip_trailer(&Broken).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(zlib_trailer(&Broken).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
