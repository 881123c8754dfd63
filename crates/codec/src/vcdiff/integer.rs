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

    #[test]
    fn integers_come_back() {
        for value in [0, 1, 127, 128, 123_456_789, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            push(&mut bytes, value);
            assert_eq!(bytes.len(), length(value));
            assert_eq!(take(&mut bytes.as_slice()), Some(value));
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        let mut bytes = Vec::new();
        push(&mut bytes, 123_456_789);
        assert_eq!(bytes, [0b1011_1010, 0b1110_1111, 0b1001_1010, 0b0001_0101]);
    }

    #[test]
    fn too_long_integers_are_refused() {
        assert_eq!(take(&mut &[0xff; 11][..]), None);
        assert_eq!(take(&mut &[0x80][..]), None);
    }
}
