//! What stood before a byte, by the twelve numbers that each model sees it by: FORMAT.md, section 19.4.

use super::Model;
use super::numbers::{Parser, low, magnitude, other_than_zero};
use super::predictor::CONTEXTS;

/// What is known before a byte comes.
pub(super) struct Past {
    model: Model,
    /// The last eight bytes, the latest in the lowest byte.
    recent: u64,
    /// How many came.
    count: usize,
    word: u32,
    word_before: u32,
    pub(super) numbers: Parser,
    /// For [`Model::Values`], the numbers that the bytes belong to.
    beside: Vec<u32>,
    /// What stands in their place for values that are guided.
    pub(super) guide: Option<Guide>,
}

/// What is known of a value from where it stands: FORMAT.md, section 22.2.
#[derive(Clone, Copy, Default)]
pub(super) struct Guide {
    /// Its gap, the next one, the one before and the second one before.
    pub(super) gaps: [u32; 4],
    /// The byte of the base that it is added to.
    pub(super) base: u8,
    /// The last two bytes of the content, the latest first.
    pub(super) behind: [u8; 2],
}

/// Spreads two numbers over all 32 bits.
pub(super) const fn hash(one: u32, other: u32) -> u32 {
    let sum = one.wrapping_mul(0x2f0b_4c47).wrapping_add(other.wrapping_mul(0x9e37_79b1)).wrapping_add(0x7feb_352d);
    let product = (sum ^ sum >> 15).wrapping_mul(0x846c_a68b);
    product ^ product >> 13
}

impl Past {
    pub(super) fn new(model: Model, before: Option<(Model, &[u8])>) -> Self {
        let beside = match before {
            Some((Model::Numbers, numbers)) if model == Model::Values => other_than_zero(numbers),
            _ => Vec::new(),
        };
        Self { model, recent: 0, count: 0, word: 0, word_before: 0, numbers: Parser::default(), beside, guide: None }
    }

    pub(super) const fn model(&self) -> Model {
        self.model
    }

    pub(super) fn take(&mut self, byte: u8) {
        self.recent = self.recent << 8 | u64::from(byte);
        self.count += 1;
        self.numbers.take(byte);
        if byte.is_ascii_alphanumeric() || byte >= 0x80 {
            self.word = hash(self.word.wrapping_add(u32::from(byte.to_ascii_lowercase())), 0x0123_4567);
        } else if self.word != 0 {
            (self.word_before, self.word) = (self.word, 0);
        }
    }

    /// The byte so many before, 1 being the last one; 0 before the start.
    pub(super) const fn back(&self, distance: u32) -> u32 {
        low(self.recent >> (8 * (distance - 1)) & 0xff)
    }

    /// The last bytes, at most four, the latest in the lowest byte.
    const fn last(&self, count: u32) -> u32 {
        low(self.recent & (u64::MAX >> (64 - 8 * count)))
    }

    /// Numbers of the contexts, all different.
    pub(super) fn contexts(&self) -> [u32; CONTEXTS] {
        let numbers = match self.model {
            Model::Text => self.of_text(),
            Model::Code => self.of_code(),
            Model::Numbers => self.of_numbers(),
            Model::Values => self.of_values(),
        };
        let mut order = 0_u32;
        numbers.map(|number| {
            order += 1;
            hash(number, order.wrapping_mul(0x3c6e_f372))
        })
    }

    /// The contexts that text and programs have in common, before those of either.
    fn of_bytes(&self, own: [u32; 3]) -> [u32; CONTEXTS] {
        let four = self.last(4);
        let five = hash(four, self.back(5));
        let six = hash(five, self.back(6));
        let [first, second, third] = own;
        let (spread, high) = (self.back(2) | self.back(3) << 8, four & 0xf0f0_f0f0);
        [0, self.last(1), self.last(2), self.last(3), four, five, six, spread, high, first, second, third]
    }

    fn of_text(&self) -> [u32; CONTEXTS] {
        let six = hash(hash(self.last(4), self.back(5)), self.back(6));
        let eight = hash(six, self.back(7) | self.back(8) << 8);
        self.of_bytes([hash(self.word, self.last(1)), hash(self.word, self.word_before), eight])
    }

    fn of_code(&self) -> [u32; CONTEXTS] {
        let [one, two, three, four] = [1, 2, 3, 4].map(|distance| self.back(distance));
        self.of_bytes([hash(one, three), two, three | four << 8])
    }

    fn of_numbers(&self) -> [u32; CONTEXTS] {
        let Parser { place, value, last: [one, two, three, _] } = self.numbers;
        let begun = hash(place, low(value));
        let [first, second, third, fourth] = self.numbers.last.map(magnitude);
        let (one, two, three) = (low(one), low(two), low(three));
        let of = |number| hash(begun, number);
        [
            begun,
            of(first),
            of(one),
            of(first | second << 8),
            of(hash(one, two)),
            of(hash(hash(one, two), three)),
            of(second),
            of(third),
            of(first | second << 8 | third << 16),
            of(hash(two, three)),
            of(first | second << 8 | third << 16 | fourth << 24),
            of(hash(second, one.wrapping_add(two))),
        ]
    }

    fn of_values(&self) -> [u32; CONTEXTS] {
        let [own, next, before, second_before] = self.guide.map_or_else(|| self.numbers_beside(), |guide| guide.gaps);
        let [before, second_before] = [before, second_before].map(|number| number.min(6));
        let two = own.min(6) | next.min(6) << 3;
        let three = two | before << 6;
        let (one, four) = (self.last(1), self.last(4));
        let pair = hash(own, next);
        let mut contexts = [
            two,
            hash(one, two),
            hash(self.last(2), two),
            hash(self.last(3), two),
            hash(four, own.min(6)),
            three | second_before << 9,
            hash(three, one),
            hash(self.back(2), two),
            pair,
            hash(pair, one),
            hash(hash(hash(four, self.back(5)), self.back(6)), 1),
            hash(hash(one | self.back(4) << 8, two), 3),
        ];
        if let Some(Guide { base, behind, .. }) = self.guide {
            let [base, latest, other] = [base, behind[0], behind[1]].map(u32::from);
            contexts[3] = base;
            contexts[7] = hash(base, two);
            contexts[10] = base | latest << 8;
            contexts[11] = base | latest << 8 | other << 16;
        }
        contexts
    }

    /// The number that the next byte belongs to, the next number, the one before and the second one before.
    fn numbers_beside(&self) -> [u32; 4] {
        let number = |place: Option<usize>| place.and_then(|place| self.beside.get(place)).copied().unwrap_or(0);
        let back = |distance| number(self.count.checked_sub(distance));
        [number(Some(self.count)), number(Some(self.count + 1)), back(1), back(2)]
    }
}

#[cfg(test)]
mod tests;
