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

pub(super) struct Encoder {
    interval: Interval,
    out: Vec<u8>,
}

impl Encoder {
    pub(super) const fn new() -> Self {
        Self { interval: Interval::WHOLE, out: Vec::new() }
    }

    pub(super) fn push(&mut self, predictor: &mut Predictor, byte: u8) {
        for place in (0..8).rev() {
            let bit = byte >> place & 1 == 1;
            let middle = self.interval.middle(predictor.probability());
            self.interval.choose(bit, middle);
            predictor.learn(bit);
            while let Some(byte) = self.interval.settled() {
                self.out.push(byte);
            }
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let [first, ..] = self.interval.low.to_be_bytes();
        self.out.push(first + 1);
        self.out
    }
}

/// Of bytes that are handed over with each call; behind their end come zeros.
pub(super) struct Decoder {
    interval: Interval,
    /// The last bytes that were read.
    place: u32,
    /// How many were.
    read: usize,
}

impl Decoder {
    pub(super) fn new(coded: &[u8]) -> Self {
        let mut decoder = Self { interval: Interval::WHOLE, place: 0, read: 0 };
        (0..4).for_each(|_| decoder.read(coded));
        decoder
    }

    fn read(&mut self, coded: &[u8]) {
        self.place = self.place << 8 | u32::from(coded.get(self.read).copied().unwrap_or(0));
        self.read += 1;
    }

    /// Decodes the next byte of `coded`, which the predictor keeps.
    pub(super) fn pull(&mut self, predictor: &mut Predictor, coded: &[u8]) {
        for _ in 0..8 {
            let middle = self.interval.middle(predictor.probability());
            let bit = self.place <= middle;
            self.interval.choose(bit, middle);
            predictor.learn(bit);
            while self.interval.settled().is_some() {
                self.read(coded);
            }
        }
    }
}

/// The code of `bytes`.
pub(super) fn encode(predictor: &mut Predictor, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    bytes.iter().for_each(|byte| encoder.push(predictor, *byte));
    encoder.finish()
}

/// Makes `length` bytes, which the predictor keeps.
pub(super) fn decode(predictor: &mut Predictor, length: usize, coded: &[u8]) {
    let mut decoder = Decoder::new(coded);
    (0..length).for_each(|_| decoder.pull(predictor, coded));
}

#[cfg(test)]
mod tests {
    use super::super::Model;
    use super::*;

    #[test]
    fn the_middle_divides_the_interval_as_the_probability_says() {
        for (low, high, probability, middle) in [
            (0, u32::MAX, 32_768, 0x7fff_ffff),
            (0, u32::MAX, 32, 32 * 65_536 - 1),
            (0, u32::MAX, 65_503, 65_503 * 65_536 - 1),
            (1_000, 1_001, 65_503, 1_000),
            (1_000, 1_002, 32_768, 1_001),
            (7, 7, 65_503, 7),
        ] {
            assert_eq!(Interval { low, high }.middle(probability), middle, "{low} to {high}, {probability}");
        }
    }

    #[test]
    fn both_halves_are_the_whole_without_an_overlap() {
        for bit in [false, true] {
            let mut interval = Interval { low: 100, high: 200 };
            interval.choose(bit, 150);
            assert_eq!((interval.low, interval.high), if bit { (100, 150) } else { (151, 200) });
        }
    }

    #[test]
    fn bytes_that_are_certain_leave_the_interval() {
        let mut interval = Interval { low: 0x1234_5678, high: 0x1234_ffff };
        assert_eq!(interval.settled(), Some(0x12));
        assert_eq!((interval.low, interval.high), (0x3456_7800, 0x34ff_ffff));
        assert_eq!(interval.settled(), Some(0x34));
        assert_eq!((interval.low, interval.high), (0x5678_0000, 0xffff_ffff));
        assert_eq!(interval.settled(), None);
    }

    #[test]
    fn what_is_behind_the_coded_bytes_counts_as_zeros() {
        let coded = |bytes: &[u8]| encode(&mut Predictor::new(Model::Code, bytes.len(), None), bytes);
        let decoded = |coded: &[u8], length: usize| {
            let mut predictor = Predictor::new(Model::Code, length, None);
            decode(&mut predictor, length, coded);
            predictor.into_bytes()
        };
        for bytes in [&b""[..], b"\0", b"\xff", b"text and more text", &[0; 500], &[255; 500]] {
            let written = coded(bytes);
            assert_eq!(decoded(&written, bytes.len()), bytes);
            assert_eq!(decoded(&[&written[..], &[0; 9]].concat(), bytes.len()), bytes);
        }
        // The last byte is the shortest one that lies inside of what is left.
        assert_eq!(coded(b""), [1]);
        assert_eq!(decoded(b"", 5).len(), 5);
    }
}
