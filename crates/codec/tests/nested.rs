//! Contents that are opened against others: what changed is opened as deep as it goes, and comes back exactly.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use common::archives::{gzipped, text, zip};
use common::noise;
use delta_codec::deflate::Error;
use delta_codec::deflate::nested::{close, features, open, opened_length, unfold};
use delta_codec::limits::DEFLATE_NESTED;
use delta_codec::{MemoryScratch, ReadAt, Reader};
use proptest::prelude::*;

const NONE: Vec<u8> = Vec::new();

fn all(bytes: impl ReadAt) -> Vec<u8> {
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut Reader::new(bytes), &mut read).unwrap();
    read
}

fn archive(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    zip(members, |size, offset| Some((size, offset)))
}

/// What `target` is when it is opened against `base`, which has been seen to come back; with its plan.
fn opened(base: &[u8], target: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (base, target) = (base.to_vec(), target.to_vec());
    let base = unfold(&base, &MemoryScratch).unwrap();
    let opened = open(&target, &base, &MemoryScratch).unwrap()?;
    let mut closed = Vec::new();
    let length = close(&opened.plan, &opened.bytes, &MemoryScratch, &mut closed, target.len() as u64).unwrap();
    assert!(closed == target && length == target.len() as u64);
    assert_eq!(opened_length(&opened.plan), Some(opened.bytes.len()));
    assert_eq!(features(&opened.plan).unwrap(), opened.features);
    Some((all(&opened.bytes), opened.plan))
}

fn holds(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_base_is_followed_by_all_that_is_in_it() {
    let inner = archive(&[("class", text(1, 5_000)), ("other", text(5, 5_000))]);
    let outer = archive(&[("readme", text(7, 2_000)), ("lib.jar", inner.clone())]);
    let unfolded = all(&unfold(&outer, &MemoryScratch).unwrap().bytes);
    let plain = [text(7, 2_000), inner, text(1, 5_000), text(5, 5_000)];
    assert!(unfolded == [vec![outer], plain.to_vec()].concat().concat());
    assert!(all(&unfold(&text(1, 100), &MemoryScratch).unwrap().bytes) == text(1, 100));
}

#[test]
fn what_is_nested_is_opened() {
    let deepest = gzipped(&text(1, 5_000));
    let inner = archive(&[("class", text(5, 5_000)), ("notes.gz", deepest)]);
    let outer = archive(&[("lib.jar", inner), ("web.xml", text(7, 2_000))]);
    let (bytes, _) = opened(&NONE, &outer).unwrap();
    for plain in [text(1, 5_000), text(5, 5_000), text(7, 2_000)] {
        assert!(holds(&bytes, &plain));
    }
}

#[test]
fn the_features_of_a_plan_are_those_of_all_that_is_nested() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // GNU gzip ends blocks here where zlib does not.
    let sparse: Vec<u8> = (0..3_000).flat_map(|number| [noise(number, 3), vec![0; 200]].concat()).collect();
    std::fs::write(path("sparse"), &sparse).unwrap();
    common::run("gzip", folder.path(), "gzip", &["-9nk", "sparse"]);
    let inner = archive(&[("sparse.gz", std::fs::read(path("sparse.gz")).unwrap()), ("class", text(5, 5_000))]);
    let (_, plan) = opened(&NONE, &archive(&[("lib.jar", inner)])).unwrap();
    assert_eq!(features(&plan).unwrap().into_iter().collect::<Vec<_>>(), ["gzip-gnu-1"]);
    for length in 0..plan.len() {
        assert!(features(&plan[..length]).is_err() || length > 2, "{length}");
        let _ = features(&[&plan[..length], &[0xff; 9]].concat());
    }
}

#[test]
fn what_is_nested_without_compression_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("notes"), text(1, 5_000)).unwrap();
    std::fs::write(path("more"), text(5, 5_000)).unwrap();
    for arguments in [
        ["-qX9", "lib.jar", "notes", "more"],
        ["-qX0", "app.war", "lib.jar", "more"],
        ["-qX0", "all.ear", "app.war", "more"],
    ] {
        common::run("zip", folder.path(), "zip", &arguments);
    }
    let whole = std::fs::read(path("all.ear")).unwrap();
    assert!(!holds(&whole, &text(1, 5_000)));
    let unfolded = all(&unfold(&whole, &MemoryScratch).unwrap().bytes);
    assert!(holds(&unfolded, &text(1, 5_000)));
    opened(&NONE, &whole);
}

#[test]
fn what_lies_deeper_than_the_bound_stays_compressed() {
    let packed = |levels: usize| (0..levels).fold(text(1, 50_000), |plain, _| gzipped(&plain));
    assert!(holds(&opened(&NONE, &packed(3)).unwrap().0, &text(1, 50_000)));
    assert!(!holds(&opened(&NONE, &packed(4)).unwrap().0, &text(1, 50_000)));
}

#[test]
fn a_stream_that_did_not_change_stays_compressed() {
    let base = archive(&[("same", text(1, 5_000)), ("changed", text(5, 5_000))]);
    let target = archive(&[("same", text(1, 5_000)), ("changed", text(7, 5_000))]);
    let (bytes, _) = opened(&base, &target).unwrap();
    assert!(holds(&bytes, &text(7, 5_000)) && !holds(&bytes, &text(1, 5_000)));
    assert!(opened(&base, &base).is_none());
    // One that is known from another depth is no different.
    let around = archive(&[("same", text(1, 5_000)), ("lib.jar", target)]);
    let (bytes, _) = opened(&base, &around).unwrap();
    assert!(holds(&bytes, &text(7, 5_000)) && !holds(&bytes, &text(1, 5_000)));
}

#[test]
fn a_plan_that_nests_too_deep_is_refused() {
    let content = gzipped(&text(1, 5_000));
    let (bytes, plan) = opened(&NONE, &content).unwrap();
    let mut nested = (bytes.clone(), plan);
    for _ in 0..3 {
        // An empty skeleton, no streams, no gap, and all that was so far nested in it.
        let length = u8::try_from(nested.1.len()).unwrap();
        assert!(length < 128, "one digit is enough");
        let head = nested.1.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let plan = [&nested.1[..head], &[0, 0, 0, length], &nested.1].concat();
        nested = (bytes.clone(), plan);
    }
    let error = close(&nested.1, &nested.0, &MemoryScratch, &mut Vec::new(), 1 << 20).unwrap_err();
    assert!(matches!(error, Error::Nesting), "{error}");
}

#[test]
fn bytes_of_another_length_are_refused() {
    let (mut bytes, plan) = opened(&NONE, &gzipped(&text(1, 5_000))).unwrap();
    bytes.push(0);
    let error = close(&plan, &bytes, &MemoryScratch, &mut Vec::new(), 1 << 20).unwrap_err();
    assert!(matches!(error, Error::Nesting), "{error}");
}

fn any_archive() -> impl Strategy<Value = Vec<u8>> {
    let leaf = (0..6_u64, 0..3_000_usize).prop_map(|(seed, count)| text(seed, count)).boxed();
    let odd = (any::<u64>(), 0..300_usize).prop_map(|(seed, count)| noise(seed, count));
    prop_oneof![leaf, odd].prop_recursive(4, 24, 4, |inner| {
        let members = proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            inner.prop_map(|plain| gzipped(&plain)),
            members.prop_map(|plain| {
                let members: Vec<_> = plain.into_iter().map(|plain| ("member", plain)).collect();
                archive(&members)
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_archive_comes_back_from_any_base(base in any_archive(), target in any_archive()) {
        opened(&base, &target);
    }

    #[test]
    fn a_damaged_plan_makes_no_more_bytes_than_asked_for(
        target in any_archive(),
        at in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        if let Some((bytes, mut plan)) = opened(&NONE, &target) {
            let at = at.index(plan.len());
            plan[at] ^= change;
            let mut closed = Vec::new();
            let most = target.len() as u64 + 100;
            let _ = close(&plan, &bytes, &MemoryScratch, &mut closed, most);
            prop_assert!(closed.len() as u64 <= most);
        }
    }
}

#[test]
fn as_many_are_opened_as_the_limit_says_on_either_side() {
    let texts: Vec<Vec<u8>> = (0..DEFLATE_NESTED as u64 + 3).map(|seed| text(2 * seed + 1, 300)).collect();
    // What does not look like a compressed file does not count; what does, and is none, counts.
    let look_alike = [&b"\x1f\x8b\x08\xff"[..], &text(9, 300)].concat();
    for imitations in [0, 3] {
        let members: Vec<(&str, Vec<u8>)> = std::iter::repeat_n(("none.gz", look_alike.clone()), imitations)
            .chain([("plain", text(9, 200))])
            .chain(texts.iter().map(|plain| ("packed.gz", gzipped(plain))))
            .collect();
        let whole = archive(&members);
        let (bytes, _) = opened(&NONE, &whole).unwrap();
        let unfolded = all(&unfold(&whole, &MemoryScratch).unwrap().bytes);
        for (number, plain) in texts.iter().enumerate() {
            let is_opened = number + imitations < DEFLATE_NESTED;
            assert_eq!(holds(&bytes, plain), is_opened, "{number} of what is opened");
            assert_eq!(holds(&unfolded, plain), is_opened, "{number} of what is unfolded");
        }
    }
}
