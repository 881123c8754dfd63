//! How many bits the bytes of a block would take at least, as the original counts them.

/// The bits of `block` by the shares of its bytes, each byte's rounded up (Shannon).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a block has at most 2^20 bits")]
pub(super) fn least_bits(block: &[u8]) -> u32 {
    let mut counts = [0_u32; 256];
    for byte in block {
        counts[usize::from(*byte)] += 1;
    }
    let one = 1.0 / block.len() as f64;
    let counts = counts.into_iter().filter(|count| *count > 0).map(f64::from);
    counts.map(|count| (-logarithm(count * one) * count).ceil() as u32).sum()
}

/// The logarithm to base 2 of a number above 0, as Go's `math.Log2` has it: the same on every machine.
fn logarithm(value: f64) -> f64 {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1022;
    let fraction = f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52);
    if fraction == 0.5 {
        return f64::from(exponent - 1);
    }
    natural(fraction) * (1.0 / std::f64::consts::LN_2) + f64::from(exponent)
}

/// The natural logarithm of a number from 0.5 to 1, by the method of FreeBSD's `e_log.c`.
fn natural(value: f64) -> f64 {
    // Those of the source, bit for bit: ln 2 in two parts, and L1 to L7.
    const HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
    const LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
    const ODD: [f64; 4] = [
        f64::from_bits(0x3fe5_5555_5555_5593),
        f64::from_bits(0x3fd2_4924_9422_9359),
        f64::from_bits(0x3fc7_4664_96cb_03de),
        f64::from_bits(0x3fc2_f112_df3e_5244),
    ];
    const EVEN: [f64; 3] = [
        f64::from_bits(0x3fd9_9999_9997_fa04),
        f64::from_bits(0x3fcc_71c5_1d8e_78af),
        f64::from_bits(0x3fc3_9a09_d078_c69f),
    ];
    let (value, exponent) = if value < std::f64::consts::FRAC_1_SQRT_2 { (value * 2.0, -1.0) } else { (value, 0.0) };
    let f = value - 1.0;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * (ODD[0] + s4 * (ODD[1] + s4 * (ODD[2] + s4 * ODD[3])));
    let even = s4 * (EVEN[0] + s4 * (EVEN[1] + s4 * EVEN[2]));
    let half = 0.5 * f * f;
    exponent * HIGH - ((half - (s * (half + (odd + even)) + exponent * LOW)) - f)
}

#[cfg(test)]
mod tests;
