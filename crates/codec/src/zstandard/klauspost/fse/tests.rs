use proptest::prelude::*;

use super::*;

/// Bits from the lowest on, as a description is read.
struct Forward<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Forward<'_> {
    fn peek(&self, count: u32) -> u32 {
        (0..count as usize).fold(0, |value, bit| {
            let place = self.at + bit;
            let byte = self.bytes.get(place / 8).copied().unwrap_or(0);
            value | u32::from(byte >> (place % 8) & 1) << bit
        })
    }

    fn take(&mut self, count: u32) -> u32 {
        let value = self.peek(count);
        self.at += count as usize;
        value
    }
}

/// Reads a description as RFC 8878, 4.1.1, says: the logarithm, the shares, and how many bytes that were.
fn described(bytes: &[u8]) -> (u32, Vec<i16>, usize) {
    let mut bits = Forward { bytes, at: 0 };
    let log = bits.take(4) + 5;
    let (mut shares, mut remaining) = (Vec::new(), 1_i32 << log);
    while remaining > 0 {
        let most = u32::try_from(remaining + 1).unwrap();
        let width = 32 - most.leading_zeros();
        let low = (1 << (width - 1)) - 1;
        let spare = (1 << width) - 1 - most;
        let value = match bits.peek(width - 1) & low {
            small if small < spare => bits.take(width - 1),
            _ => match bits.take(width) {
                large if large > low => large - spare,
                large => large,
            },
        };
        let share = i16::try_from(value).unwrap() - 1;
        shares.push(share);
        remaining -= i32::from(share.abs());
        let mut zeros = if share == 0 { 3 } else { 0 };
        while zeros == 3 {
            zeros = bits.take(2);
            shares.extend(std::iter::repeat_n(0, zeros as usize));
        }
    }
    (log, shares, bits.at.div_ceil(8))
}

fn counts() -> impl Strategy<Value = Vec<u32>> {
    let one = prop_oneof![2 => Just(0), 4 => 1..20_u32, 2 => 20..3_000_u32, 1 => 3_000..60_000_u32];
    (proptest::collection::vec(one, 1..53), 1..100_u32).prop_map(|(mut counts, last)| {
        counts.push(last);
        counts
    })
}

proptest! {
    #[test]
    fn shares_fill_the_table_and_are_what_their_description_says(counts in counts()) {
        let total = counts.iter().sum();
        let Some(shares) = Shares::of_sequences(&counts, total) else { return Ok(()) };
        let log = shares.log;
        prop_assert!((LOG_MIN..=LOG_MAX).contains(&log));
        let taken: u32 = shares.states.iter().map(|share| u32::from(share.unsigned_abs())).sum();
        // Where that is not so there is no table, and the block is written in another way.
        prop_assert_eq!(taken == 1 << log, Table::new(shares.clone()).is_some());
        for (symbol, count) in counts.iter().enumerate() {
            prop_assert_eq!(shares.states[symbol] != 0, *count > 0, "symbol {}", symbol);
        }
        if taken == 1 << log {
            let mut bytes = Vec::new();
            shares.describe(&mut bytes);
            let (read, states, length) = described(&bytes);
            prop_assert_eq!((read, length), (log, bytes.len()));
            prop_assert_eq!(&states[..], &shares.states[..counts.len()]);
            prop_assert!(8 * bytes.len() <= Table::new(shares).unwrap().description_bits_max() as usize);
        }
    }

    #[test]
    fn a_table_has_as_many_states_of_a_symbol_as_its_share(counts in counts()) {
        let total = counts.iter().sum();
        let Some(table) = Shares::of_sequences(&counts, total).and_then(Table::new) else { return Ok(()) };
        let size = 1_usize << table.log();
        let mut found = [0_u16; SYMBOLS];
        table.spread()[..size].iter().for_each(|symbol| found[usize::from(*symbol)] += 1);
        prop_assert_eq!(found, table.shares.states.map(i16::unsigned_abs));
        // Every state is one of a symbol.
        let mut states = table.states[..size].to_vec();
        states.sort_unstable();
        let all: Vec<u16> = (0_u16..).skip(size).take(size).collect();
        prop_assert_eq!(states, all);
        let mut start = 0;
        for (symbol, share) in (0_u8..).zip(table.shares.states) {
            // The states of a symbol rise, and take between the logarithm less that of the share and one more.
            let own = &table.states[start..start + usize::from(share.unsigned_abs())];
            prop_assert!(own.is_sorted());
            start += own.len();
            if share != 0 {
                let most = table.log() - high_bit(u32::from(share.unsigned_abs()));
                prop_assert!((most.saturating_sub(1)..=most).contains(&table.least_bits(symbol)));
            }
        }
    }
}

#[test]
fn a_run_of_symbols_without_a_share_takes_two_bits_for_three() {
    for zeros in 0..12 {
        let mut states = vec![16];
        states.resize(1 + zeros, 0);
        states.push(16);
        let mut bytes = Vec::new();
        Shares::new(5, &states).describe(&mut bytes);
        assert_eq!(described(&bytes), (5, states, bytes.len()), "{zeros}");
    }
}

#[test]
fn the_tables_of_the_format_are_described_as_they_are() {
    // Match lengths, the default distribution of RFC 8878, 3.1.1.3.2.2.2.
    let mut states = vec![1, 4, 3, 2, 2, 2, 2, 2, 2];
    states.extend([1; 37]);
    states.extend([-1; 7]);
    let shares = Shares::new(6, &states);
    let mut bytes = Vec::new();
    shares.describe(&mut bytes);
    assert_eq!(described(&bytes), (6, states, bytes.len()));
    assert!(Table::new(shares).is_some());
}

#[test]
fn shares_that_do_not_come_to_the_size_of_the_table_make_none() {
    for (states, is_table) in [
        (&[16, 16][..], true),
        (&[16, 15, -1], true),
        (&[16, 15], false),
        (&[16, 17], false),
        (&[], false),
        (&[32], true),
    ] {
        assert_eq!(Table::new(Shares::new(5, states)).is_some(), is_table, "{states:?}");
    }
}

#[test]
fn a_cost_is_about_the_bits_that_shares_stand_for() {
    let table = Table::new(Shares::new(5, &[16, 8, 4, 2, 1, -1])).unwrap();
    // Half, a quarter and so on of the table: 1, 2, 3, 4, 5 and 5 bits.
    for (symbol, bits) in [1, 2, 3, 4, 5, 5].into_iter().enumerate() {
        let mut counts = [0; 6];
        counts[symbol] = 100;
        assert_eq!(table.cost(&counts), Some(100 * bits), "symbol {symbol}");
        assert_eq!(u32::from(table.shares.states[symbol] == 0), 0);
    }
    assert_eq!(table.cost(&[3, 2, 1]), Some(3 + 4 + 3));
    assert_eq!(table.cost(&[0; 7]), None, "more symbols than it has");
    let lacking = Table::new(Shares::new(5, &[16, 0, 16])).unwrap();
    assert_eq!((lacking.cost(&[1, 1, 1]), lacking.cost(&[1, 0, 1])), (None, Some(2)));
}

#[test]
fn the_size_of_a_table_is_that_of_few_symbols_or_a_short_source() {
    for (symbols, total, most, log) in [
        (2, 10, 8, 5),
        (2, 1_000, 8, 7),
        (2, 100_000, 8, 8),
        (53, 60, 8, 6),
        (53, 64, 8, 7),
        (53, 100_000, 8, 8),
        (12, 200, 6, 5),
        (12, 300, 6, 6),
        (5, 6, 6, 5),
    ] {
        assert_eq!(optimal_log(symbols, total, total, most), log, "{symbols} symbols, {total} of them");
    }
    // Fewer than five: nothing makes it smaller than the largest.
    assert_eq!([1, 2, 4, 5].map(|total| optimal_log(2, total, total, 8)), [8, 8, 8, 5]);
}

#[test]
fn weights_that_are_all_alike_or_all_different_or_few_are_not_packed() {
    let mut out = Vec::new();
    for weights in [&[][..], &[1], &[1, 2], &[3; 50], &[0, 1, 2, 3, 4, 5]] {
        assert!(!pack_weights(weights, &mut out), "{weights:?}");
    }
    let usual: Vec<u8> = (0..100).map(|at| if at % 7 == 0 { 3 } else { u8::from(at % 5 == 0) }).collect();
    assert!(pack_weights(&usual, &mut out) && out.len() < usual.len());
}
