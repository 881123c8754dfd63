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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_lines_as_the_bytes_ask_for() {
        for (length, lines) in [
            (0, 1 << 10),
            (42, 1 << 10),
            (43, 1 << 11),
            (85, 1 << 11),
            (86, 1 << 12),
            (21_845, 1 << 19),
            (21_846, 1 << 19),
            (usize::MAX, 1 << 19),
        ] {
            let slots = Slots::new(length);
            assert_eq!((slots.lines, slots.slots.len()), (lines, lines * LINE), "{length}");
        }
    }

    #[test]
    fn a_line_is_found_by_its_mark_or_takes_the_place_of_the_one_that_counted_less() {
        let mut slots = vec![0; 4 * LINE];
        let both = [0, LINE];
        assert_eq!(find(&mut slots, 5, both), 0);
        assert_eq!(slots[..LINE], [&[5][..], &[EMPTY; LINE - 1]].concat());
        assert_eq!(find(&mut slots, 7, both), LINE, "one is used, the other is not");
        assert_eq!((find(&mut slots, 5, both), find(&mut slots, 7, both)), (0, LINE));
        // Both are used: the one asked less often gives way, the first where they are equal.
        slots[1] |= 9;
        slots[LINE + 1] |= 8;
        assert_eq!(find(&mut slots, 9, both), LINE);
        slots[LINE + 1] |= 9;
        slots[LINE + 2] = 77;
        assert_eq!(find(&mut slots, 11, both), 0);
        assert_eq!(slots[LINE + 2], 77, "the other line stays as it is");
        assert_eq!(slots[2 * LINE..], [0; 2 * LINE]);
    }

    #[test]
    fn a_first_guess_is_the_share_of_ones() {
        for (history, ones, zeros) in
            [(0b1, 0, 0), (0b11, 1, 0), (0b10, 0, 1), (0b1101, 2, 1), (0b1111_1111, 7, 0), (0b1000_0000, 0, 7)]
        {
            let expected = (((8 * ones + 1) << 22) / (8 * (ones + zeros) + 2)).min((1 << 22) - 1);
            assert_eq!(first_guess(history).logit(), Counter::new(expected).logit(), "{history:#b}");
        }
        assert_eq!(first_guess(1).logit(), stretch(2048));
        assert!(first_guess(0b111).logit() > first_guess(0b11).logit());
    }

    #[test]
    fn a_slot_remembers_the_last_seven_bits() {
        let mut slots = Slots::new(10);
        let contexts = std::array::from_fn(|order| u32::try_from(order).unwrap() * 1_000);
        slots.open(&contexts, 0);
        let mut inputs = [0; 2 * CONTEXTS];
        assert_eq!((slots.ask(1, &mut inputs), inputs), (0, [0; 2 * CONTEXTS]), "nothing came yet");
        for (bit, last) in [
            (true, 0b11),
            (false, 0b110),
            (true, 0b1101),
            (true, 0b1_1011),
            (false, 0b11_0110),
            (false, 0b110_1100),
            (true, 0b1101_1001),
            // The oldest bit is forgotten.
            (false, 0b1011_0010),
            (true, 0b1110_0101),
        ] {
            slots.learn(bit);
            assert_eq!(history(slots.slots[slots.places[0]]), last, "{last:#b}");
        }
        assert_eq!(slots.slots[slots.places[0]] & 0xff, 9);
        // Contexts 1 to 6 are those that are counted.
        assert_eq!(slots.ask(1, &mut inputs), 6);
        assert!(inputs.chunks(2).all(|pair| pair[0] == stretch(slots.slots[slots.places[0]] >> 20)));
        assert_eq!(slots.ask(2, &mut inputs), 0, "another slot of the same lines");
    }

    #[test]
    fn a_slot_goes_to_what_came_and_counts_to_255() {
        let mut slots = Slots::new(10);
        slots.open(&[1; CONTEXTS], 0);
        slots.ask(1, &mut [0; 2 * CONTEXTS]);
        for bit in [true, false] {
            (0..300).for_each(|_| slots.learn(bit));
            let slot = slots.slots[slots.places[0]];
            assert_eq!(slot & 0xff, 255);
            assert!(if bit { slot >> 16 > 65_000 } else { slot >> 16 < 30_000 }, "{bit}: {}", slot >> 16);
        }
    }
}
