//! Networks of two layers over logits: FORMAT.md, section 19.6.

use super::logistic::{LOGIT_MAX, squash};
use super::predictor::{INPUTS, NETWORKS};

/// How fast the first and the second layer learn.
const RATES: [i32; 2] = [30, 6];

/// One set of weights of 2^16.
struct Weights<const N: usize> {
    sets: Vec<[i32; N]>,
    chosen: usize,
    logit: i32,
    rate: i32,
}

impl<const N: usize> Weights<N> {
    fn new(sets: usize, start: i32, rate: i32) -> Self {
        Self { sets: vec![[start; N]; sets], chosen: 0, logit: 0, rate }
    }

    fn mix(&mut self, chosen: usize, inputs: &[i32; N]) -> i32 {
        self.chosen = chosen;
        let sum: i64 =
            self.sets[chosen].iter().zip(inputs).map(|(one, other)| i64::from(*one) * i64::from(*other)).sum();
        let most = i64::from(LOGIT_MAX);
        self.logit = i32::try_from((sum >> 16).clamp(-most, most)).unwrap_or(0);
        self.logit
    }

    fn learn(&mut self, bit: bool, inputs: &[i32; N]) {
        let error = (((i32::from(bit) << 16) - squash(self.logit)) * self.rate) >> 4;
        for (weight, input) in self.sets[self.chosen].iter_mut().zip(inputs) {
            *weight = weight.wrapping_add((input * error + 0x8000) >> 16);
        }
    }
}

/// The networks of the first layer, each with weights that another thing chooses, and the one over them.
pub(super) struct Mixer {
    first: [Weights<INPUTS>; NETWORKS],
    second: Weights<NETWORKS>,
    between: [i32; NETWORKS],
}

impl Mixer {
    pub(super) fn new(sets: [usize; NETWORKS]) -> Self {
        Self {
            first: sets.map(|count| Weights::new(count, 4096, RATES[0])),
            second: Weights::new(256, 16384, RATES[1]),
            between: [0; NETWORKS],
        }
    }

    /// The logit that comes of the inputs.
    pub(super) fn mix(&mut self, inputs: &[i32; INPUTS], chosen: [usize; NETWORKS], last: usize) -> i32 {
        for ((between, network), chosen) in self.between.iter_mut().zip(&mut self.first).zip(chosen) {
            *between = network.mix(chosen, inputs);
        }
        self.second.mix(last, &self.between)
    }

    pub(super) fn learn(&mut self, bit: bool, inputs: &[i32; INPUTS]) {
        self.first.iter_mut().for_each(|network| network.learn(bit, inputs));
        self.second.learn(bit, &self.between);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_weighs_its_inputs_and_is_cut_to_a_logit() {
        let mut weights = Weights::<3>::new(4, 16_384, RATES[0]);
        assert_eq!(weights.mix(2, &[400, -100, 0]), 75);
        assert_eq!(weights.mix(2, &[1, 0, 0]), 0);
        assert_eq!(weights.mix(2, &[-1, 0, 0]), -1, "it is rounded down");
        weights.sets[1] = [65_536; 3];
        assert_eq!(weights.mix(1, &[2_047, 1, -1]), 2_047);
        assert_eq!(weights.mix(1, &[2_047, 2_047, 2_047]), LOGIT_MAX);
        assert_eq!(weights.mix(1, &[-2_047, -2_047, -2_047]), -LOGIT_MAX);
    }

    #[test]
    fn only_the_set_that_was_used_learns() {
        let mut weights = Weights::<2>::new(3, 4_096, RATES[0]);
        weights.mix(1, &[256, -256]);
        weights.learn(true, &[256, -256]);
        // The error of a logit of 0 is half of 65536, times the rate, sixteenth.
        let error = (32_768 * RATES[0]) >> 4;
        let change = (256 * error + 0x8000) >> 16;
        assert_eq!(weights.sets, [[4_096; 2], [4_096 + change, 4_096 - change], [4_096; 2]]);
        weights.mix(0, &[256, -256]);
        weights.learn(false, &[256, -256]);
        assert_eq!(weights.sets[0], [4_096 - change, 4_096 + change]);
    }

    #[test]
    fn what_came_again_and_again_becomes_likely() {
        let mut mixer = Mixer::new([2; NETWORKS]);
        let mut inputs = [0; INPUTS];
        (inputs[0], inputs[INPUTS - 1]) = (300, 256);
        let first = mixer.mix(&inputs, [1; NETWORKS], 3);
        for _ in 0..200 {
            mixer.mix(&inputs, [1; NETWORKS], 3);
            mixer.learn(true, &inputs);
        }
        assert!(mixer.mix(&inputs, [1; NETWORKS], 3) > first + 200);
        assert_eq!(mixer.mix(&inputs, [0; NETWORKS], 4), first, "other sets know nothing of it");
    }
}
