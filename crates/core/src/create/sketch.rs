//! A small sample of a layer's content, by which two layers are compared without comparing their bytes.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::LazyLock;

use delta_codec::{ReadAt, Reader};

use crate::limits::{COPY_BUFFER, SKETCH_SAMPLES};

/// The rolling hash of every place whose hash lies below `bound`: the same content gives the same samples wherever it is.
pub(super) struct Sketch {
    bound: u64,
    samples: BTreeSet<u64>,
}

/// One place in a thousand, until there are too many.
const FIRST_BOUND: u64 = u64::MAX / 1024;

impl Sketch {
    /// Reads all of `bytes`.
    pub(super) fn of(bytes: &dyn ReadAt) -> io::Result<Self> {
        let mut sketch = Self { bound: FIRST_BOUND, samples: BTreeSet::new() };
        let mut reader = Reader::new(bytes);
        let mut buffer = vec![0; COPY_BUFFER];
        let mut hash = 0_u64;
        loop {
            let count = reader.read(&mut buffer)?;
            if count == 0 {
                return Ok(sketch);
            }
            for byte in &buffer[..count] {
                hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
                if hash < sketch.bound {
                    sketch.insert(hash);
                }
            }
        }
    }

    fn insert(&mut self, hash: u64) {
        self.samples.insert(hash);
        if self.samples.len() > SKETCH_SAMPLES {
            self.bound /= 2;
            self.samples = self.samples.split_off(&0).into_iter().filter(|sample| *sample < self.bound).collect();
        }
    }

    pub(super) const fn bound(&self) -> u64 {
        self.bound
    }

    /// The samples below `bound`, so that sketches of different density can be compared.
    pub(super) fn below(&self, bound: u64) -> BTreeSet<u64> {
        self.samples.range(..bound).copied().collect()
    }
}

/// The gear hash (W. Xia and others, "Ddelta", 2014): one random number a byte value, from splitmix64.
static GEAR: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut state = 0_u64;
    let next = |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    (0..256).map(next).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn sketch_samples_are_kept_and_one_more_halves_them() {
        let mut sketch = Sketch { bound: FIRST_BOUND, samples: BTreeSet::new() };
        // Every other one lies in the upper half.
        let hash = |number: usize| number as u64 / 2 + if number.is_multiple_of(2) { 0 } else { FIRST_BOUND / 2 };
        (0..SKETCH_SAMPLES).for_each(|number| sketch.insert(hash(number)));
        assert_eq!((sketch.bound(), sketch.samples.len()), (FIRST_BOUND, SKETCH_SAMPLES));
        sketch.insert(hash(0));
        assert_eq!(sketch.bound(), FIRST_BOUND, "what is there already is no more");
        sketch.insert(hash(SKETCH_SAMPLES));
        assert_eq!((sketch.bound(), sketch.samples.len()), (FIRST_BOUND / 2, SKETCH_SAMPLES / 2 + 1));
        assert!(sketch.samples.iter().all(|sample| *sample < sketch.bound()));
    }

    #[test]
    fn the_same_content_has_the_same_samples_wherever_it_is() {
        let content = noise(200_000);
        let moved = [&noise(777)[..], &content, b"behind"].concat();
        let [one, other] = [content, moved].map(|bytes| Sketch::of(&bytes).unwrap());
        let [one, other] = [one, other].map(|sketch| sketch.below(u64::MAX));
        assert!((100..400).contains(&one.len()), "one place in a thousand, not {}", one.len());
        assert!(one.difference(&other).count() <= 1, "only the first bytes have another past");
        assert!(Sketch::of(&Vec::new()).unwrap().below(u64::MAX).is_empty());
    }

    #[test]
    fn samples_are_compared_below_a_bound() {
        let sketch = Sketch { bound: 100, samples: BTreeSet::from([1, 49, 50, 99]) };
        assert_eq!(sketch.below(50), BTreeSet::from([1, 49]));
        assert_eq!(sketch.below(u64::MAX).len(), 4);
    }
}
