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
