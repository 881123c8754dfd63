//! Bytes for tests and benchmarks.

/// Pseudo-random bytes, the same for the same seed (xorshift64*).
pub(crate) fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()[7]
    };
    (0..count).map(|_| next()).collect()
}
