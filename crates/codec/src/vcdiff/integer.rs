//! Variable-length integers: base 128, most significant digit first (RFC 3284, 2).

/// Appends `value`.
pub(crate) fn push(out: &mut Vec<u8>, value: u64) {
    for digit in (1..length(value)).rev() {
        out.push(0x80 | low_byte(value >> (7 * digit)));
    }
    out.push(low_byte(value) & 0x7f);
}

/// The number of bytes that [`push`] appends.
pub(super) const fn length(value: u64) -> usize {
    (64 - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// Takes an integer from the front of `bytes`; `None` when they end too early or it does not fit into 64 bits.
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    loop {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value = value.checked_mul(128)?.checked_add(u64::from(first & 0x7f))?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
}

fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        push(&mut bytes, value);
        bytes
    }

    #[test]
    fn integers_come_back_and_take_as_many_bytes_as_they_have_digits() {
        for digits in 1..=9 {
            let least = if digits == 1 { 0 } else { 1_u64 << (7 * (digits - 1)) };
            let most = (1_u64 << (7 * digits)) - 1;
            for value in [least, least + 1, most - 1, most] {
                assert_eq!((pushed(value).len(), length(value)), (digits, digits), "{value:#x}");
                assert_eq!(take(&mut pushed(value).as_slice()), Some(value));
            }
        }
        for value in [1 << 63, u64::MAX - 1, u64::MAX] {
            assert_eq!((pushed(value).len(), length(value)), (10, 10), "{value:#x}");
            assert_eq!(take(&mut pushed(value).as_slice()), Some(value));
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        assert_eq!(pushed(123_456_789), [0b1011_1010, 0b1110_1111, 0b1001_1010, 0b0001_0101]);
    }

    #[test]
    fn what_stands_behind_an_integer_is_left() {
        for value in [0, 127, 128, u64::MAX] {
            let bytes = [pushed(value), b"rest".to_vec()].concat();
            let mut rest = bytes.as_slice();
            assert_eq!(take(&mut rest), Some(value));
            assert_eq!(rest, b"rest");
        }
    }

    #[test]
    fn a_cut_integer_is_none() {
        for value in [128, 123_456_789, u64::MAX] {
            let bytes = pushed(value);
            for length in 0..bytes.len() {
                assert_eq!(take(&mut &bytes[..length]), None, "{value} cut to {length} bytes");
            }
        }
    }

    #[test]
    fn zeros_before_an_integer_are_digits() {
        for zeros in [1, 9, 20] {
            let padded = [vec![0x80; zeros], pushed(u64::MAX)].concat();
            assert_eq!(take(&mut padded.as_slice()), Some(u64::MAX), "{zeros}");
        }
    }

    #[test]
    fn an_integer_of_more_than_64_bits_is_none() {
        // 2^64, and the largest number whose last digit is what does not fit.
        let first_too_large = [&[0x82][..], &[0x80; 8], &[0]].concat();
        assert_eq!(take(&mut first_too_large.as_slice()), None);
        assert_eq!(take(&mut [&[0xff; 9][..], &[0x7f]].concat().as_slice()), None);
        assert_eq!(take(&mut &[0xff; 11][..]), None);
    }
}
