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
fn a_match_grows_over_bytes_that_differ_while_most_agree() {
    let base = noise(1, 4_000);
    for every in [40, 5, 3] {
        let mut target = base.clone();
        // The seed is in the middle; around it one byte in so many is another.
        let (before, rest) = target.split_at_mut(1_900);
        before.iter_mut().chain(&mut rest[100..]).step_by(every).for_each(|byte| *byte ^= 0x55);
        let found = matches(&base, &target, Fineness::Every);
        let covered: u64 = found.iter().map(|one| one.length).sum();
        assert!(covered > 3_990 && found.iter().all(|one| one.base == one.target), "{every}: {found:?}");
    }
}

#[test]
fn a_match_ends_where_nothing_agrees_any_more() {
    let base = noise(1, 4_000);
    let target = [&noise(5, 900), &base[1_000..2_000], &noise(7, 900)].concat();
    for fineness in ALL {
        let found = matches(&base, &target, fineness);
        let most = found.iter().max_by_key(|one| one.length).unwrap();
        assert!(is_found(&found, 1_000, 900, 1_000), "{fineness:?}: {found:?}");
        // By chance a byte or two around it are the same.
        assert!(most.length < 1_020, "{fineness:?}: {most:?}");
    }
}

#[test]
fn two_matches_that_claim_the_same_bytes_share_them_where_most_agree() {
    let base = noise(1, 8_000);
    // The first half goes on in the base as it does for 40 bytes more, of which every second one is another.
    let mut between = base[2_000..2_040].to_vec();
    between.iter_mut().step_by(2).for_each(|byte| *byte ^= 0x55);
    let target = [&base[1_000..2_000], &between, &base[6_000..7_000]].concat();
    let found = matches(&base, &target, Fineness::Every);
    assert!(is_found(&found, 1_000, 0, 1_000) && is_found(&found, 6_000, 1_040, 1_000), "{found:?}");
    let covered: u64 = found.iter().map(|one| one.length).sum();
    assert!(covered <= target.len() as u64 && covered >= 2_000, "{found:?}");
}

#[test]
fn what_repeats_too_often_is_found_near_where_it_is_expected() {
    // A window that stands in a thousand places, between others that stand in one each.
    let common = noise(3, 64);
    let base: Vec<u8> = (0..1_000).flat_map(|number| [&common[..], &noise(number + 10, 40)].concat()).collect();
    let inserted = [&base[..50_000], b"inserted", &base[50_000..]].concat();
    for fineness in ALL {
        let found = matches(&base, &inserted, fineness);
        assert!(is_found(&found, 0, 0, 50_000) && is_found(&found, 50_000, 50_008, 50_000), "{fineness:?}: {found:?}");
    }
}

#[test]
fn runs_of_one_byte_are_matched_like_others() {
    let base = [noise(1, 3_000), vec![0; 5_000], noise(2, 3_000)].concat();
    let target = [noise(1, 3_000), vec![0; 4_000], noise(2, 3_000)].concat();
    for fineness in ALL {
        let found = matches(&base, &target, fineness);
        assert!(is_found(&found, 0, 0, 3_000) && is_found(&found, 8_000, 7_000, 3_000), "{fineness:?}: {found:?}");
    }
}

#[test]
fn a_failure_to_read_or_to_take_a_match_comes_through() {
    use delta_codec::ReadAt;
    use std::io;

    struct Broken;
    impl ReadAt for Broken {
        fn len(&self) -> u64 {
            1_000
        }
        fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
            Err(io::Error::other("no disk"))
        }
    }
    let base = noise(1, 1_000);
    assert_eq!(Index::new(&Broken, Fineness::Every).err().unwrap().to_string(), "no disk");
    let index = Index::new(&base, Fineness::Every).unwrap();
    assert_eq!(index.align(&Broken, &mut |_| Ok(())).unwrap_err().to_string(), "no disk");
    let error = index.align(&base, &mut |_| Err(io::Error::other("no more"))).unwrap_err();
    assert_eq!(error.to_string(), "no more");
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
