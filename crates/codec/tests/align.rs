//! What is found again of a base, however closely it is sampled.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{base_and_target, noise};
use delta_codec::align::{Fineness, Index, Match};
use proptest::prelude::*;

const ALL: [Fineness; 4] = [Fineness::Every, Fineness::Second, Fineness::Fourth, Fineness::Eighth];

fn matches(base: &[u8], target: &[u8], fineness: Fineness) -> Vec<Match> {
    let (base, target) = (base.to_vec(), target.to_vec());
    let mut found = Vec::new();
    let mut keep = |one: Match| {
        found.push(one);
        Ok(())
    };
    Index::new(&base, fineness).unwrap().align(&target, &mut keep).unwrap();
    found
}

/// Whether a match brings all of `length` bytes from one place to the other.
fn is_found(found: &[Match], base: u64, target: u64, length: u64) -> bool {
    found.iter().any(|one| {
        one.target <= target && target + length <= one.target + one.length && one.base + target == base + one.target
    })
}

#[test]
fn an_alignment_goes_on_behind_a_long_replaced_stretch() {
    let base = noise(1, 200_000);
    let mut target = base.clone();
    target[50_000..52_000].copy_from_slice(&noise(2, 2_000));
    for fineness in ALL {
        let found = matches(&base, &target, fineness);
        assert!(found.iter().all(|one| one.base == one.target), "{fineness:?}: {found:?}");
        let covered: u64 = found.iter().map(|one| one.length).sum();
        assert!((198_000..198_100).contains(&covered), "{fineness:?}: {covered}");
    }
}

#[test]
fn what_stands_behind_much_that_is_new_is_found() {
    let base = noise(1, 50_000);
    for new in [0, 5_000, 40_000, 300_000, 1_000_000] {
        // Every stride meets every sample within so many bytes.
        let moved = &base[20_001..20_101];
        let target = [&noise(5, new), moved, &noise(9, 1_000)].concat();
        for fineness in ALL {
            let found = matches(&base, &target, fineness);
            assert!(is_found(&found, 20_001, new as u64, 100), "{fineness:?} behind {new}: {found:?}");
        }
    }
}

#[test]
fn a_base_without_one_window_gives_nothing() {
    for (base, target) in [(0, 0), (0, 100), (12, 100), (100, 0), (100, 12)] {
        for fineness in ALL {
            assert_eq!(matches(&noise(1, base), &noise(2, target), fineness), [], "{fineness:?} {base} {target}");
        }
    }
}

proptest! {
    /// Of bytes that stand nowhere else, sixteen are a seed, wherever they start; at every eighth byte it takes 20.
    #[test]
    fn a_seed_is_found_wherever_it_stands(base_at in 0_usize..3_000, target_at in 0_usize..3_000, seed in any::<u64>()) {
        let base = noise(seed, 4_096);
        for (fineness, length) in ALL.into_iter().zip([16, 16, 16, 20]) {
            let mut target = noise(seed ^ 0x5eed, 4_096);
            target[target_at..target_at + length].copy_from_slice(&base[base_at..base_at + length]);
            let found = matches(&base, &target, fineness);
            prop_assert!(is_found(&found, base_at as u64, target_at as u64, length as u64), "{:?}: {:?}", fineness, found);
        }
    }

    /// Whatever is found lies inside of both, in the order of the target.
    #[test]
    fn matches_lie_inside_and_follow_each_other((base, target) in base_and_target()) {
        for fineness in ALL {
            let mut end = 0;
            for one in matches(&base, &target, fineness) {
                prop_assert!(one.target >= end && one.length > 0);
                end = one.target + one.length;
                prop_assert!(end <= target.len() as u64 && one.base + one.length <= base.len() as u64);
            }
        }
    }
}
