//! What came in contexts: FORMAT.md, section 19.5.

use super::contexts::hash;
use super::logistic::{Counter, step, stretch};
use super::predictor::CONTEXTS;

/// A line has what came in one context behind the first or second half of a byte: a mark of the context, and 15 slots.
const LINE: usize = 16;

/// Lines are for so many bytes ...
const LINES_PER_BYTE: usize = 2 * CONTEXTS;

/// ... but not less than the first, and not more than the second, which is 32 MiB; twice as many make 2.6 MB of literals 0.4 % smaller.
const LINES: [usize; 2] = [1 << 10, 1 << 19];

/// A slot that nothing came in: a probability of 2^16 in the upper half, the last bits behind a 1, at most seven, in eight bits, and how often it
/// was asked in the others.
const EMPTY: u32 = 0x8000 << 16 | 1 << 8;

pub(super) struct Slots {
    slots: Vec<u32>,
    lines: usize,
    /// Where the line of each context starts.
    starts: [usize; CONTEXTS],
    /// The slot of each context for the bit to come.
    places: [usize; CONTEXTS],
    /// For each context and last bits, what came.
    histories: Vec<[Counter; 256]>,
}

impl Slots {
    /// For a segment of `length` bytes.
    pub(super) fn new(length: usize) -> Self {
        let lines = length.saturating_mul(LINES_PER_BYTE).min(LINES[1]).next_power_of_two().clamp(LINES[0], LINES[1]);
        let histories = vec![std::array::from_fn(first_guess); CONTEXTS];
        Self { slots: vec![0; lines * LINE], lines, starts: [0; CONTEXTS], places: [0; CONTEXTS], histories }
    }

    /// Finds the lines of these contexts; `half` is 0 for the first half of a byte, else its first half behind a 1.
    pub(super) fn open(&mut self, contexts: &[u32; CONTEXTS], half: u32) {
        for (start, context) in self.starts.iter_mut().zip(contexts) {
            let key = hash(*context, half);
            let line = (key.wrapping_mul(0x9e37_79b1) >> 7) as usize & (self.lines - 1);
            *start = find(&mut self.slots, key >> 8 | 1, [line * LINE, (line ^ 1) * LINE]);
        }
    }

    /// Two logits for each context, and how many of the contexts 1 to 6 are known; `bits` are those of this half behind a 1.
    pub(super) fn ask(&mut self, bits: usize, inputs: &mut [i32]) -> usize {
        let mut known = 0;
        for (order, pair) in inputs.as_chunks_mut::<2>().0.iter_mut().enumerate().take(CONTEXTS) {
            self.places[order] = self.starts[order] + bits;
            let slot = self.slots[self.places[order]];
            if slot & 0xff == 0 {
                *pair = [0, 0];
                continue;
            }
            known += usize::from((1..7).contains(&order));
            *pair = [stretch(slot >> 20), self.histories[order][history(slot)].logit()];
        }
        known
    }

    pub(super) fn learn(&mut self, bit: bool) {
        for (place, histories) in self.places.iter().zip(&mut self.histories) {
            let slot = &mut self.slots[*place];
            let last = history(*slot);
            histories[last].learn(bit);
            let (probability, asked) = (i64::from(*slot >> 16), *slot & 0xff);
            let goal = if bit { 0xffff } else { 0 };
            let next = probability + (((goal - probability) * step(asked)) >> 16);
            let longer = last << 1 | usize::from(bit);
            let last = if longer > 0xff { longer & 0x7f | 0x80 } else { longer };
            *slot = u32::try_from(next << 16 | (last << 8) as i64).unwrap_or(EMPTY) | (asked + 1).min(255);
        }
    }
}

const fn history(slot: u32) -> usize {
    (slot >> 8 & 0xff) as usize
}

/// The line with this mark, or the one of both that gives way to it.
fn find(slots: &mut [u32], mark: u32, [one, other]: [usize; 2]) -> usize {
    if let Some(found) = [one, other].into_iter().find(|start| slots[*start] == mark) {
        return found;
    }
    let weight = |start: usize| if slots[start] == 0 { 0 } else { 1 + (slots[start + 1] & 0xff) };
    let start = if weight(one) <= weight(other) { one } else { other };
    slots[start] = mark;
    slots[start + 1..start + LINE].fill(EMPTY);
    start
}

/// What is thought of last bits before they were seen: the share of ones, four times as sure as they are many.
fn first_guess(history: usize) -> Counter {
    let bits = history.checked_ilog2().unwrap_or(0);
    let ones = history.count_ones().saturating_sub(1);
    Counter::new((((8 * ones + 1) << 22) / (8 * bits + 2)).min((1 << 22) - 1))
}
