//! Numbers as LEB128 (DWARF 5, 7.6): seven bits a byte, the lowest first, the highest bit set on all bytes but the last.

use std::io::{self, Read, Write};

/// Writes `value`.
pub(crate) fn write(out: &mut (impl Write + ?Sized), value: u64) -> io::Result<()> {
    let (bytes, count) = digits(value);
    out.write_all(&bytes[..count])
}

/// Appends `value`.
pub(crate) fn push(out: &mut Vec<u8>, value: u64) {
    let (bytes, count) = digits(value);
    out.extend_from_slice(&bytes[..count]);
}

/// The bytes of `value`, and how many they are.
fn digits(mut value: u64) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    let mut count = 1;
    while value >= 0x80 {
        bytes[count - 1] = value.to_le_bytes()[0] | 0x80;
        value >>= 7;
        count += 1;
    }
    bytes[count - 1] = value.to_le_bytes()[0];
    (bytes, count)
}

/// Reads a number of at most `most` bytes, which are ten or fewer; `None` when it has more, or does not fit into 64 bits.
pub(crate) fn read(source: &mut (impl Read + ?Sized), most: u32) -> io::Result<Option<u64>> {
    let mut value = 0_u64;
    for place in 0..most {
        let shift = 7 * place;
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
pub(crate) const fn from_signed(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The inverse of [`from_signed`].
pub(crate) const fn to_signed(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many bytes as a number of 64 bits may have.
    const ALL: u32 = 10;

    fn written(value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, value).unwrap();
        let mut pushed = vec![9];
        push(&mut pushed, value);
        assert_eq!(pushed, [&[9], &bytes[..]].concat());
        bytes
    }

    #[test]
    fn a_number_has_a_byte_for_each_seven_bits_and_comes_back() {
        for digits in 1..=10_u32 {
            let least = if digits == 1 { 0 } else { 1_u64 << (7 * (digits - 1)) };
            let most = if digits == 10 { u64::MAX } else { (1 << (7 * digits)) - 1 };
            for value in [least, least + 1, most - 1, most] {
                let bytes = [written(value), b"rest".to_vec()].concat();
                let mut rest = bytes.as_slice();
                assert_eq!(read(&mut rest, ALL).unwrap(), Some(value));
                assert_eq!((rest, bytes.len()), (&b"rest"[..], 4 + digits as usize), "{value:#x}");
            }
        }
        assert_eq!(written(624_485), [0xe5, 0x8e, 0x26]);
    }

    #[test]
    fn a_cut_number_is_an_error() {
        for value in [0, 128, 624_485, u64::MAX] {
            let bytes = written(value);
            for length in 0..bytes.len() {
                let error = read(&mut &bytes[..length], ALL).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{value} cut to {length} bytes");
            }
        }
    }

    #[test]
    fn a_number_of_more_bytes_than_it_may_have_is_none() {
        for most in 1..=ALL {
            let zeros = |count: u32| [vec![0x80; count as usize - 1], vec![0]].concat();
            assert_eq!(read(&mut zeros(most).as_slice(), most).unwrap(), Some(0), "{most} bytes, all digits");
            let longer = zeros(most + 1);
            let mut rest = longer.as_slice();
            assert_eq!(read(&mut rest, most).unwrap(), None, "{most} bytes and one more");
            assert_eq!(rest, [0], "what is behind them is left");
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_none() {
        for (last, value) in
            [(0, Some(u64::MAX >> 1)), (1, Some(u64::MAX)), (2, None), (3, None), (0x40, None), (0x7f, None)]
        {
            let bytes = [&[0xff; 9][..], &[last]].concat();
            assert_eq!(read(&mut bytes.as_slice(), ALL).unwrap(), value, "{last}");
        }
        assert_eq!(read(&mut [0xff; 20].as_slice(), ALL).unwrap(), None);
        assert_eq!(read(&mut [&[0xff; 9][..], &[0x81, 0]].concat().as_slice(), ALL).unwrap(), None);
    }

    #[test]
    fn what_reading_and_writing_report_comes_through() {
        assert_eq!(write(&mut crate::full::Full, 300).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(write(&mut &mut [0; 1][..], 300).unwrap_err().kind(), io::ErrorKind::WriteZero);
    }

    #[test]
    fn signed_numbers_come_back() {
        for (value, number) in
            [(0, 0), (-1, 1), (1, 2), (-2, 3), (2, 4), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)]
        {
            assert_eq!(from_signed(value), number);
            assert_eq!(to_signed(number), value);
        }
    }
}
