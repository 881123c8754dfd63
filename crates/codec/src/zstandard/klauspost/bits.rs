//! Bits that go out lowest first, as Huffman and FSE streams of Zstandard want them (RFC 8878, 4.1 and 4.2.2).

/// Collects bits and appends whole bytes to a buffer.
pub(super) struct Bits<'a> {
    out: &'a mut Vec<u8>,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, held: 0, count: 0 }
    }

    /// Adds `count` bits; `value` has none above them. Between two calls of [`Bits::flush`] there is room for 56 bits.
    #[inline]
    pub(super) const fn add(&mut self, value: u64, count: u32) {
        self.held |= value << self.count;
        self.count += count;
    }

    /// Sends the whole bytes out; at most 7 bits stay.
    #[inline]
    pub(super) fn flush(&mut self) {
        let end = self.out.len() + (self.count / 8) as usize;
        // One store of 8 bytes is cheaper than one of the right number.
        self.out.extend_from_slice(&self.held.to_le_bytes());
        self.out.truncate(end);
        self.held >>= self.count & !7;
        self.count &= 7;
    }

    /// Ends the stream with the bit that tells the decoder where it starts.
    pub(super) fn finish(mut self) {
        self.add(1, 1);
        self.add(0, 7);
        self.flush();
    }
}

/// The place of the highest bit of `value`, which is not 0.
pub(super) const fn high_bit(value: u32) -> u32 {
    31 - value.leading_zeros()
}

/// A number of bytes, symbols or sequences of one block, or a place in the history: far below 2^32.
#[expect(clippy::cast_possible_truncation, reason = "blocks and windows are limited")]
#[inline]
pub(super) const fn narrow(value: usize) -> u32 {
    value as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_bit_goes_first_and_a_mark_last() {
        let mut out = vec![0xAA];
        let mut bits = Bits::new(&mut out);
        bits.add(0b101, 3);
        bits.add(0xFF00, 16);
        bits.flush();
        bits.add(0b11, 2);
        bits.finish();
        assert_eq!(out, [0xAA, 0b0000_0101, 0b1111_1000, 0b0011_1111]);
    }

    #[test]
    fn a_stream_that_ends_on_a_byte_gets_one_more_for_the_mark() {
        let mut out = Vec::new();
        let mut bits = Bits::new(&mut out);
        bits.add(0x7F, 8);
        bits.finish();
        assert_eq!(out, [0x7F, 1]);
    }
}
