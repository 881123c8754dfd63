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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_that_of_the_logistic_function() {
        for (place, value) in CURVE.into_iter().enumerate() {
            let x = place as f64 / 2.0 - 8.0;
            assert_eq!(f64::from(value), (65_536.0 / (1.0 + (-x).exp())).round(), "{x}");
        }
        for (place, value) in (0..).zip(CURVE).skip(1).take(31) {
            assert_eq!(squash(128 * (place - 16)), value, "{place}");
        }
    }

    #[test]
    fn between_two_points_of_the_curve_is_a_line() {
        assert_eq!(squash(64), i32::midpoint(32_768, 40_793));
        assert_eq!(squash(1), (32_768 * 127 + 40_793) >> 7);
        assert_eq!(squash(-1), (24_743 + 32_768 * 127) >> 7);
        assert!((-LOGIT_MAX..LOGIT_MAX).all(|logit| squash(logit) <= squash(logit + 1)));
    }

    #[test]
    fn what_is_beyond_the_logits_counts_as_the_outermost() {
        for (beyond, last) in
            [(LOGIT_MAX + 1, LOGIT_MAX), (i32::MAX, LOGIT_MAX), (-LOGIT_MAX - 1, -LOGIT_MAX), (i32::MIN, -LOGIT_MAX)]
        {
            assert_eq!(squash(beyond), squash(last));
        }
    }

    #[test]
    fn stretching_gives_the_least_logit_that_is_enough() {
        for probability in 0..4096 {
            let is_enough = |logit: i32| squash(logit) >> 4 >= i32::try_from(probability).unwrap();
            let least = (-LOGIT_MAX..=LOGIT_MAX).find(|logit| is_enough(*logit)).unwrap_or(LOGIT_MAX);
            assert_eq!(stretch(probability), least, "{probability}");
        }
    }

    #[test]
    fn steps_become_smaller() {
        assert_eq!([0, 1, 2, 100, 255].map(step), [43_690, 26_214, 18_724, 645, 255]);
    }

    #[test]
    fn a_counter_goes_to_what_came_and_less_each_time() {
        let mut counter = Counter::new(1 << 21);
        assert_eq!(counter.logit(), stretch(2048));
        counter.learn(true);
        // 2^21 plus 43690 of 65536 of what is missing up to 2^22 - 1.
        let first = (1_u32 << 21) + u32::try_from((((1_i64 << 22) - 1 - (1 << 21)) * 43_690) >> 16).unwrap();
        assert_eq!((counter.0 >> 10, counter.0 & 1023), (first, 1));
        counter.learn(false);
        let second = i64::from(first) + ((-i64::from(first) * 26_214) >> 16);
        assert_eq!((i64::from(counter.0 >> 10), counter.0 & 1023), (second, 2));
    }

    #[test]
    fn a_counter_stays_in_its_range_and_counts_to_255() {
        for (bit, start, end) in
            [(true, (1 << 22) - 1, 4095), (true, 0, 4000), (false, 0, 0), (false, (1 << 22) - 1, 96)]
        {
            let mut counter = Counter::new(start);
            (0..2_000).for_each(|_| counter.learn(bit));
            assert_eq!(counter.0 & 1023, 255);
            let probability = counter.0 >> 20;
            assert!(if bit { probability >= end } else { probability <= end }, "{bit} from {start}: {probability}");
        }
    }
}
