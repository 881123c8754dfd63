//! What a block would take with codes of its own, without making them.

use super::super::symbols::{END_OF_BLOCK, OFFSET_SYMBOLS, extra_bits};
use super::super::tokens::Tokens;

/// The bits of `tokens` with the best codes, extra bits included, header not. The sums are those of 32-bit floating point numbers in
/// this order.
pub(super) fn estimated_size(tokens: &Tokens) -> u64 {
    let mut bits = 0.0;
    let all = tokens.len();
    if all > 0 {
        add(&mut bits, &tokens.literals[..END_OF_BLOCK], all);
        // The end of the block.
        bits += 15.0;
        add(&mut bits, tokens.lengths(), all);
    }
    let matches = tokens.lengths().iter().map(|count| usize::from(*count)).sum();
    if matches > 0 {
        add(&mut bits, &tokens.offsets[..OFFSET_SYMBOLS], matches);
    }
    bits as u64 + extra_bits(tokens.lengths(), &tokens.offsets[..OFFSET_SYMBOLS])
}

/// Adds what symbols that occur `counts` times among `all` take.
fn add(bits: &mut f32, counts: &[u16], all: usize) {
    let part = 1.0 / all as f32;
    for count in counts.iter().filter(|count| **count > 0) {
        let count = f32::from(*count);
        *bits += (-logarithm(count * part)).clamp(1.0, 15.0) * count;
    }
}

/// About the logarithm to base 2.
fn logarithm(value: f32) -> f32 {
    let bits = value.to_bits();
    let exponent = (bits >> 23 & 255) as i32 - 128;
    let fraction = f32::from_bits((bits & 0x807f_ffff) + (127 << 23));
    exponent as f32 + (((-0.344_848_43 * fraction + 2.024_665_8) * fraction) - 0.674_877_6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_near_what_the_best_codes_take() {
        let mut tokens = Tokens::new();
        assert_eq!(estimated_size(&tokens), 0);
        for round in 0..1000 {
            tokens.literals(b"aaab");
            tokens.copy(3 + round % 100, 1 + round);
        }
        let found = estimated_size(&tokens);
        // Four literals of two symbols and a match of 100 lengths a round: 5 symbols, and what follows the match.
        let symbols = 5.0 * 1000.0 * (0.6 * (1.0 / 0.6_f32).log2() + 0.4 * 5.0_f32.log2());
        assert!(found as f32 > symbols && found < 26_000, "{found}");
    }

    #[test]
    fn the_logarithm_is_that_of_the_original() {
        for (value, expected) in [(1.0, 0.004_940_271_4), (0.5, -0.995_059_7), (0.25, -1.995_059_7), (0.01, -6.648_305)]
        {
            assert!((logarithm(value) - expected).abs() < 2e-3, "{value}: {}", logarithm(value));
        }
    }
}
