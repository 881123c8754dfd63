//! FSE tables (RFC 8878, 4.1): counts of symbols become shares of a table, which becomes the encoder's.
//!
//! The format leaves the shares to the encoder; these are the ones that klauspost's chooses.

use super::bits::{Bits, high_bit, narrow};

/// Symbols that a table can have: match lengths have most, 53.
const SYMBOLS: usize = 64;

/// The smallest table has 2^5 states.
const LOG_MIN: u32 = 5;

/// What sequences get at most; the format would allow 9.
const LOG_MAX: u32 = 8;

/// What the weights of a Huffman table get at most (RFC 8878, 4.2.1.1).
const WEIGHT_LOG_MAX: u32 = 6;

/// A fraction of 2^20 above which a small share is rounded up, by share.
const ROUND_UP: [u64; 8] = [0, 473_195, 504_333, 520_860, 550_000, 700_000, 750_000, 830_000];

/// How many of the `1 << log` states each symbol has; -1 is one state of a symbol that hardly occurs.
#[derive(Clone)]
pub(super) struct Shares {
    log: u32,
    symbols: usize,
    states: [i16; SYMBOLS],
}

impl Shares {
    pub(super) fn new(log: u32, states: &[i16]) -> Self {
        let mut all = [0; SYMBOLS];
        all[..states.len()].copy_from_slice(states);
        Self { log, symbols: states.len(), states: all }
    }

    /// Shares for sequences, of which there are `total`; `counts` ends with the last symbol that occurs.
    pub(super) fn of_sequences(counts: &[u32], total: u32) -> Option<Self> {
        Self::of_counts(counts, total, optimal_log(counts.len(), total, total, LOG_MAX))
    }

    fn of_weights(counts: &[u32], total: u32) -> Option<Self> {
        Self::of_counts(counts, total, optimal_log(counts.len(), total, total - 1, WEIGHT_LOG_MAX))
    }

    fn of_counts(counts: &[u32], total: u32, log: u32) -> Option<Self> {
        proportional(counts, total, log).or_else(|| by_rank(counts, total, log))
    }

    /// The header's table description (RFC 8878, 4.1.1).
    pub(super) fn describe(&self, out: &mut Vec<u8>) {
        let mut bits = Bits::new(out);
        bits.add(u64::from(self.log - LOG_MIN), 4);
        let (mut remaining, mut threshold, mut width) = ((1i32 << self.log) + 1, 1i32 << self.log, self.log + 1);
        let mut shares = self.states[..self.symbols].iter().peekable();
        while remaining > 1
            && let Some(&share) = shares.next()
        {
            let share = i32::from(share);
            let spare = 2 * threshold - 1 - remaining;
            remaining -= share.abs();
            let plain = share + 1;
            let value = if plain >= threshold { plain + spare } else { plain };
            bits.add(u64::from(value.unsigned_abs()), width - u32::from(value < spare));
            bits.flush();
            while remaining < threshold {
                width -= 1;
                threshold >>= 1;
            }
            if share == 0 {
                let mut zeros = 0;
                while shares.next_if(|&&next| next == 0).is_some() {
                    zeros += 1;
                }
                zero_run(&mut bits, zeros);
            }
        }
        // No mark at the end: the description knows where it ends.
        bits.add(0, 7);
        bits.flush();
    }
}

/// After a share of 0: how many more follow, three at a time.
fn zero_run(bits: &mut Bits<'_>, zeros: u32) {
    for _ in 0..zeros / 3 {
        bits.add(3, 2);
        bits.flush();
    }
    bits.add(u64::from(zeros % 3), 2);
    bits.flush();
}

/// The size of the table: small for few symbols or a short source. Below 5 of them the reference's byte wraps, so that nothing
/// makes it smaller.
fn optimal_log(symbols: usize, total: u32, source: u32, most: u32) -> u32 {
    let symbol_bits = high_bit(narrow(symbols).saturating_sub(1).max(1)) + 2;
    let least = symbol_bits.min(high_bit(source.max(1)) + 1);
    let source_bits = high_bit((total - 1).max(1)).checked_sub(2).unwrap_or(most);
    source_bits.min(most).max(least).clamp(LOG_MIN, most)
}

/// Shares in proportion to the counts; `None` where rounding goes too far off.
fn proportional(counts: &[u32], total: u32, log: u32) -> Option<Shares> {
    let scale = 62 - log;
    let step = (1u64 << 62) / u64::from(total);
    let mut shares = Shares { log, symbols: counts.len(), states: [0; SYMBOLS] };
    let (mut left, mut largest) = (1i16 << log, 0);
    for (symbol, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        if count <= total >> log {
            shares.states[symbol] = -1;
            left -= 1;
            continue;
        }
        let share = rounded(u64::from(count) * step, scale);
        if share > shares.states[largest].max(0) {
            largest = symbol;
        }
        shares.states[symbol] = share;
        left -= share;
    }
    if -left >= shares.states[largest] >> 1 {
        return None;
    }
    shares.states[largest] += left;
    Some(shares)
}

#[expect(clippy::cast_possible_truncation, reason = "a share is at most 1 << 8")]
fn rounded(part: u64, scale: u32) -> i16 {
    let share = part >> scale;
    let up = ROUND_UP.get(share as usize).is_some_and(|limit| part - (share << scale) > limit << (scale - 20));
    (share + u64::from(up)) as i16
}

/// The other way: symbols that hardly occur get one state, the rest what is left in proportion.
fn by_rank(counts: &[u32], total: u32, log: u32) -> Option<Shares> {
    const OPEN: i16 = -2;
    let mut shares = Shares { log, symbols: counts.len(), states: [0; SYMBOLS] };
    let (mut given, mut total) = (0u32, total);
    let (rare, one) = (total >> log, (total * 3) >> (log + 1));
    for (share, &count) in shares.states.iter_mut().zip(counts).filter(|(_, count)| **count > 0) {
        *share = if count <= rare {
            -1
        } else if count <= one {
            1
        } else {
            OPEN
        };
        if *share != OPEN {
            given += 1;
            total -= count;
        }
    }
    let mut left = (1u32 << log).checked_sub(given)?;
    if total.checked_div(left)? > one {
        let one = (total * 3) / (left * 2);
        for (share, &count) in
            shares.states.iter_mut().zip(counts).filter(|(share, count)| **share == OPEN && **count <= one)
        {
            *share = 1;
            left = left.checked_sub(1)?;
            total -= count;
        }
    }
    if total == 0 {
        spread_rest(&mut shares, left)?;
    } else {
        divide_rest(&mut shares, counts, left, total)?;
    }
    Some(shares)
}

fn spread_rest(shares: &mut Shares, mut left: u32) -> Option<()> {
    shares.states.iter().find(|share| **share > 0)?;
    let symbols = shares.symbols;
    for symbol in (0..symbols).cycle() {
        if left == 0 {
            break;
        }
        if shares.states[symbol] > 0 {
            shares.states[symbol] += 1;
            left -= 1;
        }
    }
    Some(())
}

fn divide_rest(shares: &mut Shares, counts: &[u32], left: u32, total: u32) -> Option<()> {
    let scale = 62 - shares.log;
    let middle = (1u64 << (scale - 1)) - 1;
    let step = ((u64::from(left) << scale) + middle) / u64::from(total);
    let mut at = middle;
    for (share, &count) in shares.states.iter_mut().zip(counts).filter(|(share, _)| **share == -2) {
        let end = at + u64::from(count) * step;
        *share = i16::try_from((end >> scale) - (at >> scale)).ok().filter(|weight| *weight > 0)?;
        at = end;
    }
    Some(())
}

/// What turns one state into the next for a symbol (RFC 8878, 4.1: the reverse of a decoder's cell).
#[derive(Clone, Copy, Default)]
struct Step {
    bits: u32,
    next: i32,
}

/// An encoder's table.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) shares: Shares,
    states: [u16; 1 << LOG_MAX],
    steps: [Step; SYMBOLS],
}

impl Table {
    /// The table of these shares; `None` where they do not come to the table's size.
    pub(super) fn new(shares: Shares) -> Option<Self> {
        let taken: i32 = shares.states.iter().map(|share| i32::from(share.unsigned_abs())).sum();
        if taken != 1 << shares.log {
            return None;
        }
        let mut table = Self { states: [0; 1 << LOG_MAX], steps: [Step::default(); SYMBOLS], shares };
        let symbols = table.spread();
        table.number(&symbols);
        table.transform();
        Some(table)
    }

    /// One symbol only, which costs no bits.
    pub(super) fn single() -> Self {
        Self { shares: Shares::new(0, &[]), states: [0; 1 << LOG_MAX], steps: [Step::default(); SYMBOLS] }
    }

    pub(super) const fn log(&self) -> u32 {
        self.shares.log
    }

    /// Which symbol each state has: rare ones from the end, the others in steps over the table.
    fn spread(&self) -> [u8; 1 << LOG_MAX] {
        let size = 1usize << self.shares.log;
        let step = (size >> 1) + (size >> 3) + 3;
        let mut symbols = [0; 1 << LOG_MAX];
        let mut end = size;
        for (symbol, _) in (0..).zip(&self.shares.states).filter(|(_, share)| **share == -1) {
            end -= 1;
            symbols[end] = symbol;
        }
        let mut at = 0;
        for (symbol, &share) in (0..).zip(&self.shares.states) {
            for _ in 0..share {
                symbols[at] = symbol;
                at = (at + step) & (size - 1);
                while at >= end {
                    at = (at + step) & (size - 1);
                }
            }
        }
        symbols
    }

    /// The states of each symbol one after the other, by symbol.
    fn number(&mut self, symbols: &[u8; 1 << LOG_MAX]) {
        let size = 1u16 << self.shares.log;
        let mut next = [0; SYMBOLS];
        let mut start = 0;
        for (place, share) in next.iter_mut().zip(&self.shares.states) {
            *place = start;
            start += usize::from(share.unsigned_abs());
        }
        for (state, &symbol) in (size..2 * size).zip(symbols) {
            self.states[next[usize::from(symbol)]] = state;
            next[usize::from(symbol)] += 1;
        }
    }

    fn transform(&mut self) {
        let log = self.shares.log;
        let mut total = 0;
        for (step, &share) in self.steps.iter_mut().zip(&self.shares.states) {
            let states = u32::from(share.unsigned_abs());
            *step = match states {
                0 => continue,
                1 => Step { bits: (log << 16) - (1 << log), next: total - 1 },
                _ => {
                    let most = log - high_bit(states - 1);
                    Step { bits: (most << 16) - (states << most), next: total - i32::from(share) }
                }
            };
            total += i32::from(share.unsigned_abs());
        }
    }

    /// The bits that symbols of these counts cost with this table, about; `None` where it lacks one of them.
    pub(super) fn cost(&self, counts: &[u32]) -> Option<u32> {
        if self.shares.symbols < counts.len() {
            return None;
        }
        let mut cost = 0u32;
        for (symbol, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if self.shares.states[symbol] == 0 {
                return None;
            }
            cost += count * self.symbol_cost(symbol);
        }
        Some(cost >> 8)
    }

    /// In bits times 256, straight between the whole numbers.
    const fn symbol_cost(&self, symbol: usize) -> u32 {
        let (log, bits) = (self.shares.log, self.steps[symbol].bits);
        let least = bits >> 16;
        let over = ((least + 1) << 16) - (bits + (1 << log));
        ((least + 1) << 8) - ((over << 8) >> log)
    }

    /// The bits of a symbol in the state that takes the fewest.
    #[inline]
    pub(super) fn least_bits(&self, symbol: u8) -> u32 {
        self.steps[usize::from(symbol)].bits >> 16
    }

    /// What describing the table costs at most, in bits.
    pub(super) const fn description_bits_max(&self) -> u32 {
        ((narrow(self.shares.symbols) * self.shares.log) / 8 + 3) * 8
    }
}

/// The state of an encoder, which goes through the symbols from the last to the first.
pub(super) struct State<'a> {
    table: &'a Table,
    state: u16,
}

impl<'a> State<'a> {
    pub(super) fn new(table: &'a Table, symbol: u8) -> Self {
        if table.log() == 0 {
            return Self { table, state: 0 };
        }
        let step = table.steps[usize::from(symbol)];
        let bits = (step.bits + (1 << 15)) >> 16;
        let start = (bits << 16) - step.bits;
        Self { table, state: table.states[place(start >> bits, step.next)] }
    }

    /// Adds the bits that lead from this symbol's state to the one before: at most 8.
    #[inline]
    pub(super) fn encode(&mut self, symbol: u8, bits: &mut Bits<'_>) {
        let step = self.table.steps[usize::from(symbol) % SYMBOLS];
        let state = u32::from(self.state);
        let count = (state + step.bits) >> 16;
        bits.add(u64::from(state & ((1 << count) - 1)), count);
        self.state = self.table.states[place(state >> count, step.next) % (1 << LOG_MAX)];
    }

    /// Adds the state that the decoder starts with.
    pub(super) fn finish(self, bits: &mut Bits<'_>) {
        let log = self.table.log();
        bits.add(u64::from(self.state) & ((1 << log) - 1), log);
        bits.flush();
    }
}

#[inline]
const fn place(state: u32, next: i32) -> usize {
    state.wrapping_add_signed(next) as usize
}

/// Appends the weights of a Huffman table as two interleaved streams with a table of their own (RFC 8878, 4.2.1.2). `false`
/// where that does not pay; what was appended then is of no use.
pub(super) fn pack_weights(weights: &[u8], out: &mut Vec<u8>) -> bool {
    let mut counts = [0u32; 16];
    for &weight in weights {
        counts[usize::from(weight)] += 1;
    }
    let symbols = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    let most = counts.iter().max().copied().unwrap_or(0);
    let total = narrow(weights.len());
    if weights.len() <= 2 || most == total || most == 1 || most < total >> 7 {
        return false;
    }
    let Some(table) = Shares::of_weights(&counts[..symbols], total).and_then(Table::new) else { return false };
    let start = out.len();
    table.shares.describe(out);
    interleave(weights, &table, out);
    out.len() - start < weights.len()
}

/// Every second symbol, counted from the first, has the first state; three or more of them.
fn interleave(symbols: &[u8], table: &Table, out: &mut Vec<u8>) {
    let Some((head, &[a, b])) = symbols.split_last_chunk() else { return };
    let last = if head.len().is_multiple_of(2) { [a, b] } else { [b, a] };
    let [mut even, mut odd] = last.map(|symbol| State::new(table, symbol));
    let mut bits = Bits::new(out);
    for (at, &symbol) in head.iter().enumerate().rev() {
        let state = if at.is_multiple_of(2) { &mut even } else { &mut odd };
        state.encode(symbol, &mut bits);
        bits.flush();
    }
    odd.finish(&mut bits);
    even.finish(&mut bits);
    bits.finish();
}

#[cfg(test)]
mod tests;
