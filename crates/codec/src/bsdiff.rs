//! BSDIFF40, the format of Colin Percival's bsdiff 4: three bzip2 streams of control numbers, differences and new bytes.
//!
//! `bspatch` reads what [`encode`] writes, and [`decode`] reads what `bsdiff` writes. Unlike those programs both work in
//! bounded memory.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | `BSDIFF40` |
//! | 8 | 8 | length of the compressed control stream |
//! | 16 | 8 | length of the compressed stream of differences |
//! | 24 | 8 | length of the target |
//!
//! Numbers are 64 bits, little-endian, with the sign in the highest bit. A control triple says how many bytes to add to the
//! base, how many new bytes follow, and how far to move in the base then.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

/// The first bytes of a delta.
pub const MAGIC: [u8; 8] = *b"BSDIFF40";

const HEADER_BYTES: u64 = 32;

const SIGN: u64 = 1 << 63;

/// Why a delta cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading the delta or the base, or writing the target, failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The first bytes are others than those of BSDIFF40.
    #[error("expected a delta that starts with BSDIFF40, found {0:02x?}")]
    NotBsdiff([u8; 8]),
    /// The delta contradicts itself.
    #[error("the delta is damaged at byte {position} of the target: {what}")]
    Damaged {
        /// How far the target was rebuilt.
        position: u64,
        /// What is wrong.
        what: String,
    },
}

fn to_bytes(value: i64) -> [u8; 8] {
    let sign = if value < 0 { SIGN } else { 0 };
    (value.unsigned_abs() | sign).to_le_bytes()
}

fn from_bytes(bytes: [u8; 8]) -> i64 {
    let value = u64::from_le_bytes(bytes);
    let size = (value & !SIGN).cast_signed();
    if value & SIGN == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_their_sign_in_the_highest_bit() {
        for value in [0, 1, -1, i64::MAX, -i64::MAX, 1 << 40] {
            assert_eq!(from_bytes(to_bytes(value)), value);
        }
        assert_eq!(to_bytes(0), [0; 8]);
        assert_eq!(to_bytes(-2), [2, 0, 0, 0, 0, 0, 0, 0x80]);
        assert_eq!(to_bytes(0x0102_0304_0506_0708), [8, 7, 6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn every_number_means_something_and_zero_has_two_forms() {
        assert_eq!(from_bytes([0xff; 8]), -i64::MAX);
        assert_eq!(from_bytes([0, 0, 0, 0, 0, 0, 0, 0x80]), 0);
        // The one number whose size has more than 63 bits.
        assert_eq!(from_bytes(to_bytes(i64::MIN)), 0);
    }
}
