//! Adler-32 (RFC 1950, 8.2), which stands behind zlib streams and which xdelta3 puts before each window.

/// The most bytes after which the sums still fit into 32 bits.
const BYTES_BETWEEN_REMAINDERS: usize = 5552;

/// The largest prime below 2^16.
const MODULUS: u32 = 65_521;

/// The checksum of the bytes so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adler {
    low: u32,
    high: u32,
}

impl Adler {
    pub(crate) const fn new() -> Self {
        Self { low: 1, high: 0 }
    }

    /// The checksum of `bytes` alone.
    pub(crate) fn of(bytes: &[u8]) -> u32 {
        let mut adler = Self::new();
        adler.update(bytes);
        adler.sum()
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(BYTES_BETWEEN_REMAINDERS) {
            for byte in part {
                self.low += u32::from(*byte);
                self.high += self.low;
            }
            self.low %= MODULUS;
            self.high %= MODULUS;
        }
    }

    pub(crate) const fn sum(self) -> u32 {
        self.high << 16 | self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_those_that_zlib_gives() {
        assert_eq!(Adler::of(b""), 1);
        assert_eq!(Adler::of(b"Wikipedia"), 0x11e6_0398);
        // Python: zlib.adler32(bytes([255]) * 1_000_000)
        assert_eq!(Adler::of(&vec![255; 1_000_000]), 0x3843_e1be);
    }

    #[test]
    fn pieces_sum_up_to_the_whole() {
        let bytes: Vec<u8> = (0..20_000_u32).map(|number| number.wrapping_mul(0x9e37_79b1).to_le_bytes()[3]).collect();
        let mut adler = Adler::new();
        bytes.chunks(777).for_each(|piece| adler.update(piece));
        assert_eq!(adler.sum(), Adler::of(&bytes));
    }
}
