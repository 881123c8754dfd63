//! Probabilities and their logits: FORMAT.md, section 19.3.

use std::sync::LazyLock;

/// 65536 / (1 + e^-x) at x from -8 to 8 in halves, rounded.
const CURVE: [i32; 33] = [
    22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793, 47911, 53581,
    57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514,
];

/// The greatest logit; 256 stands for 1.
pub(super) const LOGIT_MAX: i32 = 2047;

/// The probability, of 2^16, that a logit stands for.
pub(super) fn squash(logit: i32) -> i32 {
    let place = logit.clamp(-LOGIT_MAX, LOGIT_MAX) + 2048;
    let (step, part) = (usize::try_from(place >> 7).unwrap_or(0), place & 127);
    (CURVE[step] * (128 - part) + CURVE[step + 1] * part) >> 7
}

/// The least logit whose probability, of 4096, is at least this one.
static LOGITS: LazyLock<Vec<i16>> = LazyLock::new(|| {
    let mut logits = Vec::with_capacity(4096);
    let mut logit = -2047_i16;
    for probability in 0..4096 {
        while i32::from(logit) < LOGIT_MAX && squash(i32::from(logit)) >> 4 < probability {
            logit += 1;
        }
        logits.push(logit);
    }
    logits
});

/// The logit of a probability of 4096.
pub(super) fn stretch(probability: u32) -> i32 {
    i32::from(LOGITS[probability as usize & 4095])
}

/// 65536 / (n + 1.5): how far a counter that was asked n times goes to what came.
pub(super) const fn step(asked: u32) -> i64 {
    (131_072 / (2 * asked + 3)) as i64
}

/// A probability of 2^22 in the upper 22 bits, and how often it was asked in the lower 10.
#[derive(Clone, Copy)]
pub(super) struct Counter(u32);

impl Counter {
    /// That of 2^22, not asked yet.
    pub(super) const fn new(probability: u32) -> Self {
        Self(probability << 10)
    }

    pub(super) fn logit(self) -> i32 {
        stretch(self.0 >> 20)
    }

    pub(super) fn learn(&mut self, bit: bool) {
        let asked = self.0 & 1023;
        let probability = i64::from(self.0 >> 10);
        let goal = if bit { (1 << 22) - 1 } else { 0 };
        let next = probability + (((goal - probability) * step(asked)) >> 16);
        self.0 = u32::try_from(next).unwrap_or(0) << 10 | (asked + 1).min(255);
    }
}
