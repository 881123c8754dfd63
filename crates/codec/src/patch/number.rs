//! The numbers of the format.

use std::io::{self, Read, Write};

/// Writes `value` as LEB128.
pub(super) fn write(out: &mut dyn Write, mut value: u64) -> io::Result<()> {
    let mut bytes = [0; 10];
    let mut count = 0;
    while value >= 0x80 {
        bytes[count] = value.to_le_bytes()[0] | 0x80;
        value >>= 7;
        count += 1;
    }
    bytes[count] = value.to_le_bytes()[0];
    out.write_all(&bytes[..=count])
}

/// Reads LEB128; `None` when it does not fit into 64 bits.
pub(super) fn read(source: &mut dyn Read) -> io::Result<Option<u64>> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        let bits = u64::from(byte[0] & 0x7f);
        if shift == 63 && bits > 1 {
            return Ok(None);
        }
        value |= bits << shift;
        if byte[0] & 0x80 == 0 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Small numbers of either sign as small numbers: 0, -1, 1, -2, 2 ...
pub(super) const fn from_signed(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The inverse of [`from_signed`].
pub(super) const fn to_signed(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, value).unwrap();
        bytes
    }

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 1 << 63, u64::MAX] {
            assert_eq!(read(&mut written(value).as_slice()).unwrap(), Some(value));
        }
        assert_eq!(written(624_485), [0xe5, 0x8e, 0x26]);
    }

    #[test]
    fn signed_numbers_come_back() {
        for (value, number) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)] {
            assert_eq!(from_signed(value), number);
            assert_eq!(to_signed(number), value);
        }
    }

    #[test]
    fn numbers_that_are_too_large_or_do_not_end_are_refused() {
        assert_eq!(read(&mut [&[0xff; 9][..], &[2]].concat().as_slice()).unwrap(), None);
        assert_eq!(read(&mut [0xff; 20].as_slice()).unwrap(), None);
        assert!(read(&mut [0x80; 3].as_slice()).is_err());
        assert!(read(&mut [].as_slice()).is_err());
    }
}
