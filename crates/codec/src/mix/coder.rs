//! The binary arithmetic coder: FORMAT.md, section 19.2.

use super::predictor::Predictor;

/// What is left of the interval that all bits before have chosen.
struct Interval {
    low: u32,
    high: u32,
}

impl Interval {
    const WHOLE: Self = Self { low: 0, high: u32::MAX };

    /// The last place that stands for a 1, where that has this probability of 2^16.
    fn middle(&self, probability: u32) -> u32 {
        let width = u64::from(self.high - self.low);
        self.low + u32::try_from((width * u64::from(probability)) >> 16).unwrap_or(u32::MAX)
    }

    const fn choose(&mut self, bit: bool, middle: u32) {
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
    }

    /// The first byte of all that is in it, once there is only one.
    const fn settled(&mut self) -> Option<u8> {
        if (self.low ^ self.high) >> 24 != 0 {
            return None;
        }
        let [first, ..] = self.high.to_be_bytes();
        self.low <<= 8;
        self.high = self.high << 8 | 0xff;
        Some(first)
    }
}

pub(super) fn encode(predictor: &mut Predictor, bytes: &[u8], out: &mut Vec<u8>) {
    let mut interval = Interval::WHOLE;
    for byte in bytes {
        for place in (0..8).rev() {
            let bit = byte >> place & 1 == 1;
            let middle = interval.middle(predictor.probability());
            interval.choose(bit, middle);
            predictor.learn(bit);
            while let Some(byte) = interval.settled() {
                out.push(byte);
            }
        }
    }
    let [first, ..] = interval.low.to_be_bytes();
    out.push(first + 1);
}

/// Makes `length` bytes, which the predictor keeps; behind the end of `coded` come zeros.
pub(super) fn decode(predictor: &mut Predictor, length: usize, coded: &[u8]) {
    let mut coming = coded.iter().copied().chain(std::iter::repeat(0));
    let mut next = || u32::from(coming.next().unwrap_or(0));
    let mut place = (0..4).fold(0, |place, _| place << 8 | next());
    let mut interval = Interval::WHOLE;
    for _ in 0..length * 8 {
        let middle = interval.middle(predictor.probability());
        let bit = place <= middle;
        interval.choose(bit, middle);
        predictor.learn(bit);
        while interval.settled().is_some() {
            place = place << 8 | next();
        }
    }
}
