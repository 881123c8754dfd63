//! How far two stretches of one buffer agree.

/// The two bytes at `at`, the first one lowest.
#[inline(always)]
pub(super) fn load16(bytes: &[u8], at: usize) -> u16 {
    let mut two = [0; 2];
    two.copy_from_slice(&bytes[at..at + 2]);
    u16::from_le_bytes(two)
}

/// The four bytes at `at`, the first one lowest.
#[inline(always)]
pub(super) fn load32(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

/// The eight bytes at `at`, the first one lowest.
#[inline(always)]
pub(super) fn load64(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// For how many bytes, at most `most`, the bytes from `one` on are those from `other` on.
#[inline(always)]
pub(super) fn length(bytes: &[u8], one: usize, other: usize, most: usize) -> usize {
    let (one, other) = (&bytes[one..one + most], &bytes[other..other + most]);
    let mut length = 0;
    while length + 8 <= most {
        let differing = load64(one, length) ^ load64(other, length);
        if differing != 0 {
            return length + (differing.trailing_zeros() >> 3) as usize;
        }
        length += 8;
    }
    while length < most && one[length] == other[length] {
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_lowest_byte_first() {
        let bytes: Vec<u8> = (1..=10).collect();
        assert_eq!(load16(&bytes, 0), 0x0201);
        assert_eq!(load32(&bytes, 6), 0x0a09_0807);
        assert_eq!(load64(&bytes, 2), 0x0a09_0807_0605_0403);
    }

    #[test]
    fn a_length_ends_at_the_first_byte_that_differs_or_at_the_most() {
        for equal in 0..40 {
            let mut bytes = [[7_u8; 50], [7; 50]].concat();
            bytes[50 + equal] = 8;
            for most in [0, 1, 7, 8, 9, 16, 33, 40, 50] {
                assert_eq!(length(&bytes, 0, 50, most), equal.min(most), "{equal} {most}");
                assert_eq!(length(&bytes, 50, 0, most), equal.min(most), "{equal} {most}");
            }
        }
        // Both may overlap.
        assert_eq!(length(&[5; 60], 0, 1, 59), 59);
    }
}
