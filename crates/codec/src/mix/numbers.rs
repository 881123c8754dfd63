//! LEB128 numbers in bytes that are held.

pub(super) fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// The next number; `None` at the end, and when it has more than nine bytes, which none here needs.
pub(super) fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (first, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
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
