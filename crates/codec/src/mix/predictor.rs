//! The probability of the next bit: FORMAT.md, sections 19.4 to 19.7.

use super::Model;
use super::contexts::{Guide, Past};
use super::logistic::squash;
use super::mixer::Mixer;
use super::numbers::magnitude;
use super::repeats::Repeat;
use super::slots::Slots;

pub(super) const CONTEXTS: usize = 12;

/// Two of each context, one of each repeat, and one that is always the same.
pub(super) const INPUTS: usize = 2 * CONTEXTS + 3;

/// Networks of the first layer.
pub(super) const NETWORKS: usize = 4;

/// How many sets of weights each of them has.
const SETS: [usize; NETWORKS] = [256, 128, 2048, 256];

/// The input that is always there.
const BIAS: i32 = 256;

pub(super) struct Predictor {
    past: Past,
    contexts: [u32; CONTEXTS],
    slots: Slots,
    repeats: [Repeat; 2],
    mixer: Mixer,
    inputs: [i32; INPUTS],
    refined: [Refinement; 2],
    /// The bits of the byte that has begun, behind a 1.
    bits: usize,
    bytes: Vec<u8>,
}

impl Predictor {
    /// For a segment of `length` bytes behind the segment `before`.
    pub(super) fn new(model: Model, length: usize, before: Option<(Model, &[u8])>) -> Self {
        Self {
            contexts: [0; CONTEXTS],
            past: Past::new(model, before),
            slots: Slots::new(length),
            repeats: [Repeat::new(6, 4), Repeat::new(3, 2)],
            mixer: Mixer::new(SETS),
            inputs: [0; INPUTS],
            refined: [Refinement::new(1 << 8), Refinement::new(1 << 16)],
            bits: 1,
            bytes: Vec::with_capacity(length),
        }
    }

    /// How many bytes it knows.
    pub(super) const fn known(&self) -> usize {
        self.bytes.len()
    }

    /// The last byte that came; 0 before the first.
    pub(super) fn last(&self) -> u8 {
        self.bytes.last().copied().unwrap_or(0)
    }

    /// Says what stands around the byte that comes next.
    pub(super) const fn guide(&mut self, guide: Guide) {
        self.past.guide = Some(guide);
    }

    /// Takes a byte that is not coded, but may come again.
    pub(super) fn see(&mut self, byte: u8) {
        self.bytes.push(byte);
        self.past.take(byte);
        self.repeats.iter_mut().for_each(|repeat| repeat.follow(&self.bytes));
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// That the next bit is a 1, of 2^16.
    pub(super) fn probability(&mut self) -> u32 {
        if self.bits == 1 {
            self.contexts = self.past.contexts();
            self.slots.open(&self.contexts, 0);
        }
        let done = self.bits.ilog2() as usize;
        let half = if done < 4 { self.bits } else { 1 << (done - 4) | self.bits & ((1 << (done - 4)) - 1) };
        let (of_contexts, others) = self.inputs.split_at_mut(2 * CONTEXTS);
        let known = self.slots.ask(half, of_contexts);
        others[0] = self.repeats[0].ask(&self.bytes, self.bits);
        others[1] = self.repeats[1].ask(&self.bytes, self.bits);
        others[2] = BIAS;
        let last = self.past.back(1) as usize;
        let chosen = [
            self.bits,
            known * 8 + done + usize::from(self.repeats[0].expects()) * 64,
            last * 8 + done,
            self.kind(done),
        ];
        let logit = self.mixer.mix(&self.inputs, chosen, self.bits);
        let refined = [self.refined[0].ask(self.bits, logit), self.refined[1].ask(self.bits | last << 8, logit)];
        let sum = 2 * squash(logit) + refined[0] + refined[1];
        u32::try_from((sum >> 2).clamp(32, 65503)).unwrap_or(32)
    }

    /// What chooses the weights of the last network.
    fn kind(&self, done: usize) -> usize {
        if self.past.model() == Model::Numbers {
            let numbers = &self.past.numbers;
            return (numbers.place.min(3) * 64 + magnitude(numbers.last[0]).min(63)) as usize;
        }
        match self.repeats[0].length() {
            0 => done,
            length => (1 + length.min(15) / 4) * 8 + done,
        }
    }

    pub(super) fn learn(&mut self, bit: bool) {
        self.mixer.learn(bit, &self.inputs);
        self.refined.iter_mut().for_each(|refined| refined.learn(bit));
        self.slots.learn(bit);
        self.repeats.iter_mut().for_each(|repeat| repeat.learn(bit));
        self.bits = self.bits << 1 | usize::from(bit);
        match self.bits.ilog2() {
            4 => self.slots.open(&self.contexts, u32::try_from(self.bits).unwrap_or(0)),
            8 => {
                let byte = self.bits.to_le_bytes()[0];
                self.bits = 1;
                self.see(byte);
            }
            _ => {}
        }
    }
}

/// What a logit was worth in a context: probabilities of 2^16 at 33 logits, between which it is interpolated.
struct Refinement {
    points: Vec<[u16; 33]>,
    /// The context and the nearer point.
    asked: (usize, usize),
}

impl Refinement {
    fn new(contexts: usize) -> Self {
        let mut logit = -17 * 128;
        let curve = [0; 33].map(|_: i32| {
            logit += 128;
            u16::try_from(squash(logit)).unwrap_or(u16::MAX)
        });
        Self { points: vec![curve; contexts], asked: (0, 0) }
    }

    fn ask(&mut self, context: usize, logit: i32) -> i32 {
        let place = logit + 2048;
        let (step, part) = (usize::try_from(place >> 7).unwrap_or(0), place & 127);
        self.asked = (context, step + usize::from(part >= 64));
        let points = &self.points[context];
        (i32::from(points[step]) * (128 - part) + i32::from(points[step + 1]) * part) >> 7
    }

    fn learn(&mut self, bit: bool) {
        let point = &mut self.points[self.asked.0][self.asked.1];
        let goal = if bit { 0xffff } else { 0 };
        *point = u16::try_from(i32::from(*point) + ((goal - i32::from(*point)) >> 6)).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests;
