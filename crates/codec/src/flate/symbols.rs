//! The symbols of lengths and distances (RFC 1951, section 3.2.5).

/// Symbols of literals, of the end of a block and of lengths.
pub(super) const LITERAL_SYMBOLS: usize = 286;

/// Symbols of distances.
pub(super) const OFFSET_SYMBOLS: usize = 30;

/// The symbol that ends a block.
pub(super) const END_OF_BLOCK: usize = 256;

/// The longest match.
pub(super) const LONGEST: usize = 258;

/// The farthest match, and the history that a decoder keeps.
pub(super) const FARTHEST: usize = 1 << 15;

/// Extra bits of each length symbol from 257 on.
const LENGTH_EXTRA_BITS: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// How a length is written.
#[derive(Clone, Copy)]
pub(super) struct Length {
    /// Its symbol, less 257.
    pub(super) code: u8,
    /// How many extra bits follow.
    pub(super) extra_bits: u8,
    /// The extra bits.
    pub(super) extra: u8,
}

/// How a distance symbol is written.
#[derive(Clone, Copy)]
pub(super) struct Offset {
    /// How many extra bits follow.
    pub(super) extra_bits: u8,
    /// The least distance of this symbol, less 1.
    pub(super) base: u32,
}

/// By length, less 3.
pub(super) const LENGTHS: [Length; 256] = lengths();

/// By distance symbol, with room for what a mask of 5 bits lets through.
pub(super) const OFFSETS: [Offset; 32] = offsets();

/// The symbol of the distance `offset` (less 1).
#[inline(always)]
pub(super) fn offset_code(offset_less_1: u32) -> u32 {
    if offset_less_1 < 4 {
        offset_less_1
    } else {
        let top = 31 - offset_less_1.leading_zeros();
        2 * top + (offset_less_1 >> (top - 1) & 1)
    }
}

const fn lengths() -> [Length; 256] {
    let mut table = [Length { code: 28, extra_bits: 0, extra: 0 }; 256];
    let (mut code, mut at) = (0, 0);
    while code < 28 {
        let mut extra = 0;
        while extra < 1 << LENGTH_EXTRA_BITS[code as usize] && at < 255 {
            table[at] = Length { code, extra_bits: LENGTH_EXTRA_BITS[code as usize], extra };
            extra += 1;
            at += 1;
        }
        code += 1;
    }
    table
}

const fn offsets() -> [Offset; 32] {
    let mut table = [Offset { extra_bits: 0, base: 0 }; 32];
    let (mut code, mut base) = (0, 0);
    while code < OFFSET_SYMBOLS {
        let extra_bits = if code < 4 { 0 } else { (code / 2 - 1) as u8 };
        table[code] = Offset { extra_bits, base };
        base += 1 << extra_bits;
        code += 1;
    }
    table
}

/// The extra bits that a block carries, given how often each length (from 257 on) and each distance symbol occurs.
pub(super) fn extra_bits(lengths: &[u16], offsets: &[u16]) -> u64 {
    let lengths = lengths.iter().zip(LENGTH_EXTRA_BITS).map(|(count, bits)| u64::from(*count) * u64::from(bits));
    let offsets = offsets.iter().zip(OFFSETS).map(|(count, offset)| u64::from(*count) * u64::from(offset.extra_bits));
    lengths.sum::<u64>() + offsets.sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_distance_has_the_symbol_of_the_rfc() {
        for (length, code, extra_bits, extra) in [
            (3, 0, 0, 0),
            (10, 7, 0, 0),
            (11, 8, 1, 0),
            (12, 8, 1, 1),
            (114, 22, 4, 15),
            (115, 23, 4, 0),
            (227, 27, 5, 0),
            (257, 27, 5, 30),
            (258, 28, 0, 0),
        ] {
            let found = LENGTHS[length - 3];
            assert_eq!((found.code, found.extra_bits, found.extra), (code, extra_bits, extra), "{length}");
        }
        for (distance, code) in [(1, 0), (4, 3), (5, 4), (6, 4), (7, 5), (256, 15), (257, 16), (24577, 29), (32768, 29)]
        {
            assert_eq!(offset_code(distance - 1), code, "{distance}");
        }
        for less_1 in 0..32768 {
            let offset = OFFSETS[offset_code(less_1) as usize];
            assert!((offset.base..offset.base + (1 << offset.extra_bits)).contains(&less_1), "{less_1}");
        }
    }
}
