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
