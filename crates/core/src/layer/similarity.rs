//! Finds contents that share many short stretches of bytes, whatever they are called.
//!
//! Of every content a *sketch* is kept: the smallest of the hashes of some of its 32-byte stretches (A. Broder, "On the
//! resemblance and containment of documents", 1997). Contents that share stretches share hashes.

use std::collections::HashMap;
use std::io;

use delta_codec::ReadAt;

use crate::layer::window::Window;
use crate::limits::SKETCHED_BYTES;

/// Hashes of a sketch.
const FEATURES: usize = 16;

/// Shared hashes that make two contents alike: fewer come by chance, from a licence text or a file header.
const ALIKE: u32 = 3;

/// One stretch in this many is looked at, on average.
const SAMPLED: u64 = 8;

/// Contents that share a hash: more of them than this say nothing.
const CROWD: usize = 64;

/// Shorter contents are not worth the search.
pub(crate) const SKETCHED_LENGTH: u64 = 256;

/// The smallest hashes of a content, ascending.
pub(crate) type Sketch = Vec<u64>;

/// The sketch of the first bytes of the `length` bytes at `offset`.
pub(crate) fn sketch(bytes: &dyn ReadAt, offset: u64, length: u64) -> io::Result<Sketch> {
    let mut window = Window::new(bytes, usize::try_from(length.min(SKETCHED_BYTES)).unwrap_or_default());
    let mut smallest = Sketch::with_capacity(FEATURES + 1);
    let mut rolling = 0_u64;
    window.each(offset, length.min(SKETCHED_BYTES), &mut |piece| {
        for byte in piece {
            rolling = (rolling << 2).wrapping_add(GEAR[usize::from(*byte)]);
            if rolling >> 32 & (SAMPLED - 1) == 0 {
                keep(&mut smallest, rolling.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            }
        }
        Ok(())
    })?;
    Ok(smallest)
}

/// Which contents have a hash in their sketch.
#[derive(Default)]
pub(crate) struct Sketches(HashMap<u64, Vec<u32>>);

impl Sketches {
    /// Remembers the sketch of content `number`; numbers must ascend.
    pub(crate) fn add(&mut self, number: u32, sketch: &Sketch) {
        for feature in sketch {
            let group = self.0.entry(*feature).or_default();
            if group.len() <= CROWD {
                group.push(number);
            }
        }
    }

    /// The content before number `end` that shares most hashes with `sketch`, the first of several; `None` when none is alike.
    pub(crate) fn most_alike(&self, sketch: &Sketch, end: u32) -> Option<u32> {
        let mut shared: Vec<u32> = sketch
            .iter()
            .filter_map(|feature| self.0.get(feature))
            .filter(|group| group.len() <= CROWD)
            .flatten()
            .copied()
            .filter(|number| *number < end)
            .collect();
        shared.sort_unstable();
        let needed = ALIKE.min(u32::try_from(sketch.len()).unwrap_or(ALIKE));
        let mut best = None;
        for group in shared.chunk_by(|one, other| one == other) {
            let count = u32::try_from(group.len()).unwrap_or(u32::MAX);
            if count >= needed && best.is_none_or(|(most, _)| count > most) {
                best = Some((count, group[0]));
            }
        }
        best.map(|(_, number)| number)
    }
}

fn keep(smallest: &mut Sketch, hash: u64) {
    if smallest.len() == FEATURES && smallest[FEATURES - 1] <= hash {
        return;
    }
    if let Err(place) = smallest.binary_search(&hash) {
        smallest.insert(place, hash);
        smallest.truncate(FEATURES);
    }
}

/// A number for each byte value, made by splitmix64 (S. Vigna).
const GEAR: [u64; 256] = {
    let mut table = [0; 256];
    let mut state = 0_u64;
    let mut value = 0;
    while value < 256 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[value] = mixed ^ (mixed >> 31);
        value += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seed: usize) -> Vec<u8> {
        (0..400).flat_map(|line| format!("line {} of {seed}\n", line * seed * 7919).into_bytes()).collect()
    }

    fn sketch_of(bytes: &[u8]) -> Sketch {
        sketch(&bytes, 0, bytes.len() as u64).unwrap()
    }

    #[test]
    fn an_edited_text_is_found_again() {
        let mut sketches = Sketches::default();
        for seed in 1..20 {
            sketches.add(u32::try_from(seed).unwrap(), &sketch_of(&text(seed)));
        }
        let mut edited = text(7);
        edited.splice(100..100, *b"some words more");
        edited.drain(3000..3200);
        assert_eq!(sketches.most_alike(&sketch_of(&edited), u32::MAX), Some(7));
        assert_eq!(sketches.most_alike(&sketch_of(&edited), 7), None);
        assert_eq!(sketches.most_alike(&sketch_of(&text(99)), u32::MAX), None);
    }

    #[test]
    fn sketched_bytes_make_the_sketch_and_none_behind_them() {
        let most = usize::try_from(SKETCHED_BYTES).unwrap();
        let long: Vec<u8> = (1..60).flat_map(text).take(most + 64).collect();
        let sketch_of_start = sketch_of(&long[..most]);
        assert_eq!(sketch_of(&long), sketch_of_start);
        // A stretch that would be the smallest of all counts only where it ends before that.
        let smallest = sketch_of(&text(77))[0];
        let stretch = text(77);
        let ends_at = (32..stretch.len()).find(|end| sketch_of(&stretch[end - 32..*end]).contains(&smallest)).unwrap();
        let stretch = &stretch[ends_at - 32..ends_at];
        let with = |end: usize| [&vec![0; end - 32], stretch, &[0; 64]].concat();
        assert!(sketch_of(&with(most)).contains(&smallest));
        assert!(!sketch_of(&with(most + 1)).contains(&smallest));
    }

    #[test]
    fn a_hash_that_a_crowd_shares_says_nothing() {
        let sketch = sketch_of(&text(3));
        for (count, found) in [(CROWD, Some(0)), (CROWD + 1, None)] {
            let mut sketches = Sketches::default();
            (0..count).for_each(|number| sketches.add(u32::try_from(number).unwrap(), &sketch));
            assert_eq!(sketches.most_alike(&sketch, u32::MAX), found, "{count}");
            sketches.add(u32::MAX, &sketch);
            assert!(sketches.0.values().all(|group| group.len() <= CROWD + 1), "what says nothing is not kept");
        }
    }

    #[test]
    fn contents_are_alike_that_share_enough_hashes() {
        let of = |hashes: &[u64]| hashes.to_vec();
        let mut sketches = Sketches::default();
        for (number, hashes) in [[1, 2, 3, 9], [1, 2, 3, 4], [1, 2, 7, 8]].iter().enumerate() {
            sketches.add(u32::try_from(number).unwrap(), &of(hashes));
        }
        assert_eq!(sketches.most_alike(&of(&[1, 2, 3, 4]), 3), Some(1), "the most");
        assert_eq!(sketches.most_alike(&of(&[1, 2, 3, 5]), 3), Some(0), "the first of several");
        assert_eq!(sketches.most_alike(&of(&[1, 2, 5, 6]), 3), None, "two are too few");
        assert_eq!(sketches.most_alike(&of(&[1, 2]), 3), Some(0), "but where there are no more");
        assert_eq!(sketches.most_alike(&of(&[1, 2, 3, 4]), 1), Some(0), "only what comes before");
    }

    #[test]
    fn the_smallest_hashes_are_kept_once_each() {
        let mut smallest = Sketch::new();
        for hash in (0..40).rev().chain([3, 3, 39]) {
            keep(&mut smallest, hash);
        }
        assert_eq!(smallest, (0..16).collect::<Vec<_>>());
        keep(&mut smallest, 15);
        assert_eq!(smallest.len(), FEATURES);
    }

    #[test]
    fn nothing_is_alike_to_nothing() {
        let mut sketches = Sketches::default();
        sketches.add(0, &sketch_of(&[]));
        assert_eq!(sketches.most_alike(&sketch_of(&[]), u32::MAX), None);
    }
}
