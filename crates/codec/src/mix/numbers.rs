//! LEB128 numbers in bytes that are held.

use crate::leb128;

/// No number here needs more.
const BYTES: u32 = 9;

/// The next number; `None` at the end, and when it has more than nine bytes.
pub(super) fn take(rest: &mut &[u8]) -> Option<u64> {
    leb128::read(rest, BYTES).ok()?
}

/// Numbers as their bytes come, whatever they are.
#[derive(Default)]
pub(super) struct Parser {
    /// Bytes of the number that has begun, and what they make, modulo 2^64.
    pub(super) place: u32,
    pub(super) value: u64,
    /// The last four, the latest first.
    pub(super) last: [u64; 4],
}

impl Parser {
    /// Returns the number that ends with this byte.
    pub(super) fn take(&mut self, byte: u8) -> Option<u64> {
        self.value |= u64::from(byte & 0x7f) << (7 * self.place.min(8));
        self.place += 1;
        if byte & 0x80 != 0 {
            return None;
        }
        let [one, two, three, _] = self.last;
        self.last = [self.value, one, two, three];
        (self.place, self.value) = (0, 0);
        Some(self.last[0])
    }
}

/// The numbers other than 0 in `bytes`, the low 32 bits of each.
pub(super) fn other_than_zero(bytes: &[u8]) -> Vec<u32> {
    let mut parser = Parser::default();
    let numbers = bytes.iter().filter_map(|byte| parser.take(*byte)).filter(|number| *number != 0);
    numbers.map(low).collect()
}

/// The low 32 bits.
pub(super) const fn low(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// About how large a number is: itself below 16, then two steps for each bit.
pub(super) const fn magnitude(value: u64) -> u32 {
    if value < 16 {
        return low(value);
    }
    let top = 63 - value.leading_zeros();
    16 + (top - 4) * 2 + low(value >> (top - 1) & 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        leb128::push(&mut bytes, value);
        bytes
    }

    #[test]
    fn numbers_of_up_to_nine_bytes_come_back() {
        for value in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::from(u32::MAX), (1 << 62), (1 << 63) - 1] {
            let bytes = [pushed(value), vec![9]].concat();
            let mut rest = bytes.as_slice();
            assert_eq!(take(&mut rest), Some(value));
            assert_eq!(rest, [9]);
            for length in 0..bytes.len() - 1 {
                assert_eq!(take(&mut &bytes[..length]), None, "{value} cut to {length} bytes");
            }
        }
        assert_eq!((pushed(1 << 63).len(), take(&mut pushed(1 << 63).as_slice())), (10, None));
        // Zeros at the end are digits, as long as they are nine with the others.
        assert_eq!(take(&mut [&[0x80; 8][..], &[0]].concat().as_slice()), Some(0));
        assert_eq!(take(&mut [&[0x80; 9][..], &[0]].concat().as_slice()), None);
    }

    #[test]
    fn a_parser_knows_the_last_four_numbers() {
        let mut parser = Parser::default();
        let numbers: Vec<u64> = [pushed(5), pushed(300), pushed(0), pushed(1 << 40), pushed(7)]
            .concat()
            .into_iter()
            .filter_map(|byte| parser.take(byte))
            .collect();
        assert_eq!(numbers, [5, 300, 0, 1 << 40, 7]);
        assert_eq!((parser.last, parser.place, parser.value), ([7, 1 << 40, 0, 300], 0, 0));
        assert_eq!(parser.take(0x85), None);
        assert_eq!((parser.place, parser.value), (1, 5));
        assert_eq!(parser.take(0x83), None);
        assert_eq!((parser.place, parser.value), (2, 5 | 3 << 7));
    }

    #[test]
    fn a_number_without_end_is_some_number_too() {
        let mut parser = Parser::default();
        assert!((0..100).all(|_| parser.take(0x81).is_none()));
        // From the ninth byte on all stand at the same place.
        assert_eq!((parser.place, parser.value), (100, (0..9).fold(0, |value, place| value | 1 << (7 * place))));
        assert_eq!(parser.take(0x02), Some(parser.last[0]));
        assert_eq!(parser.last[0] >> 56, 3);
    }

    #[test]
    fn numbers_other_than_zero_are_listed_by_their_low_bits() {
        let bytes = [pushed(0), pushed(3), pushed(0), pushed(1 << 32 | 9), pushed(1 << 32), vec![0x80]].concat();
        assert_eq!(other_than_zero(&bytes), [3, 9, 0]);
    }

    #[test]
    fn magnitudes_are_exact_below_16_and_then_two_for_each_bit() {
        assert!((0..16).all(|value| magnitude(value) == low(value)));
        for (value, expected) in [
            (16, 16),
            (23, 16),
            (24, 17),
            (31, 17),
            (32, 18),
            (47, 18),
            (48, 19),
            (1 << 31, 16 + 2 * 27),
            ((1 << 32) - 1, 17 + 2 * 27),
            (1 << 63, 16 + 2 * 59),
            (u64::MAX, 17 + 2 * 59),
        ] {
            assert_eq!(magnitude(value), expected, "{value}");
        }
    }

    #[test]
    fn the_low_bits_are_32() {
        assert_eq!(low(0x1234_5678_9abc_def0), 0x9abc_def0);
    }
}
