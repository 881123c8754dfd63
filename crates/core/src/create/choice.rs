//! Which base layers a layer is coded against.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::sketch::Sketch;
use crate::error::{Error, Result};
use crate::image::UncheckedLayer;

/// More base layers than this help no layer that was seen.
const MOST: usize = 16;

/// A base layer must hold this share of the target's samples that no chosen one holds.
const LEAST_SHARE: usize = 500;

/// For each target layer, the numbers of the layers to code it against: base layers first, then earlier targets.
#[derive(Default)]
pub(super) struct Choice(Vec<Vec<usize>>);

impl Choice {
    pub(super) fn new(bases: &[UncheckedLayer], targets: &[UncheckedLayer]) -> Result<Self> {
        let layers: Vec<&UncheckedLayer> = bases.iter().chain(targets).collect();
        let sketch = |layer: &&UncheckedLayer| {
            Sketch::of(layer.bytes()).map_err(Error::io(format!("reading the layer {}", layer.diff_id().short())))
        };
        let sketches = layers.par_iter().map(sketch).collect::<Result<Vec<_>>>()?;
        let bound = sketches.iter().map(Sketch::bound).min().unwrap_or(0);
        let samples: Vec<BTreeSet<u64>> = sketches.iter().map(|sketch| sketch.below(bound)).collect();
        let before = |index: usize| bases.len() + index;
        let choose = |index: usize| {
            let (target, earlier) = (before(index), ..before(index));
            if samples[target].is_empty() {
                let sizes: Vec<u64> = layers[..=target].iter().map(|layer| layer.bytes().len()).collect();
                return nearest(sizes[target], &sizes[earlier]);
            }
            greedy(&samples[target], &samples[earlier])
        };
        Ok(Self((0..targets.len()).into_par_iter().map(choose).collect()))
    }

    /// The layers to code the target with this number against.
    pub(super) fn bases_of(
        &self,
        index: usize,
        bases: &[UncheckedLayer],
        targets: &[UncheckedLayer],
    ) -> Vec<UncheckedLayer> {
        let numbers = self.0.get(index).into_iter().flatten();
        numbers.filter_map(|number| bases.iter().chain(targets).nth(*number)).cloned().collect()
    }
}

/// Takes the candidate that explains most of what is left, again and again; in the order of the candidates.
fn greedy(target: &BTreeSet<u64>, candidates: &[BTreeSet<u64>]) -> Vec<usize> {
    let mut left = target.clone();
    let mut chosen = BTreeSet::new();
    while chosen.len() < MOST {
        let gain = |candidate: &BTreeSet<u64>| left.iter().filter(|sample| candidate.contains(sample)).count();
        let gains = candidates.par_iter().map(gain).collect::<Vec<_>>();
        // Of equal ones the last: a later layer is nearer to the target.
        let Some((best, gain)) = gains.into_iter().enumerate().max_by_key(|(_, gain)| *gain) else { break };
        if gain == 0 || gain < target.len() / LEAST_SHARE {
            break;
        }
        left.retain(|sample| !candidates[best].contains(sample));
        chosen.insert(best);
    }
    chosen.into_iter().collect()
}

/// A layer too small for samples may still look like another small one: the one that is nearest in size.
fn nearest(size: u64, candidates: &[u64]) -> Vec<usize> {
    let distance = |(_, candidate): &(usize, &u64)| candidate.abs_diff(size);
    candidates.iter().enumerate().min_by_key(distance).map(|(index, _)| index).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(range: std::ops::Range<u64>) -> BTreeSet<u64> {
        range.collect()
    }

    #[test]
    fn a_layer_without_samples_is_coded_against_one_of_its_size() {
        assert_eq!(nearest(44_000, &[220_000_000, 44_500, 10, 44_500]), [1]);
        assert_eq!(nearest(1, &[]), Vec::<usize>::new());
    }

    #[test]
    fn layers_that_add_nothing_are_left_out() {
        let candidates = [set(0..10), set(0..50), set(40..90), set(200..300), set(60..80)];
        assert_eq!(greedy(&set(0..100), &candidates), [1, 2]);
        assert_eq!(greedy(&set(500..600), &candidates), Vec::<usize>::new());
    }
}
