//! VCDIFF and BSDIFF40: round trips, the real programs both ways, and damage.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::Path;

use common::{base_and_target, noise, run};
use delta_codec::{MemoryScratch, ReadAt, bsdiff, vcdiff};
use proptest::prelude::*;

fn vcdiff_of(base: &[u8], target: &[u8]) -> Vec<u8> {
    let mut delta = Vec::new();
    vcdiff::encode(&base.to_vec(), &target.to_vec(), b"", &mut delta).unwrap();
    delta
}

fn bsdiff_of(base: &[u8], target: &[u8]) -> Vec<u8> {
    let mut delta = Vec::new();
    bsdiff::encode(&base.to_vec(), &target.to_vec(), &MemoryScratch, &mut delta).unwrap();
    delta
}

fn from_vcdiff(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, vcdiff::Error> {
    let mut out = Vec::new();
    vcdiff::decode(&base.to_vec(), delta, &mut out, 1 << 24).map(|_| out)
}

fn from_bsdiff(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, bsdiff::Error> {
    let mut out = Vec::new();
    bsdiff::decode(&base.to_vec(), &delta.to_vec(), &mut out, 1 << 24).map(|_| out)
}

/// A base with structure and a target in which parts moved, grew and changed here and there.
fn pair() -> (Vec<u8>, Vec<u8>) {
    let base: Vec<u8> = [noise(1, 300_000), vec![0; 20_000], noise(2, 200_000)].concat();
    let mut target: Vec<u8> =
        [&base[250_000..], b"something in between", &base[..200_000], &noise(3, 5_000), &base[..50_000]].concat();
    target.iter_mut().step_by(977).for_each(|byte| *byte = byte.wrapping_add(1));
    (base, target)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_encoded_comes_back((base, target) in base_and_target()) {
        prop_assert_eq!(from_vcdiff(&base, &vcdiff_of(&base, &target)).unwrap(), target.clone());
        prop_assert_eq!(from_bsdiff(&base, &bsdiff_of(&base, &target)).unwrap(), target);
    }

    #[test]
    fn a_damaged_delta_is_an_error_or_other_bytes_but_no_panic(
        (base, target) in base_and_target(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        for (delta, standard) in [(vcdiff_of(&base, &target), true), (bsdiff_of(&base, &target), false)] {
            let mut damaged = delta.clone();
            for (at, value) in &damage {
                *at.get_mut(&mut damaged) = *value;
            }
            for bytes in [&damaged[..], &delta[..cut.index(delta.len())]] {
                if standard {
                    let _ = from_vcdiff(&base, bytes);
                } else {
                    let _ = from_bsdiff(&base, bytes);
                }
            }
        }
    }
}

#[test]
fn a_delta_of_alike_files_is_small() {
    let (base, target) = pair();
    // 5,020 new bytes and 540 changed ones.
    assert!(vcdiff_of(&base, &target).len() < 9_000, "{}", vcdiff_of(&base, &target).len());
    assert!(bsdiff_of(&base, &target).len() < 9_000, "{}", bsdiff_of(&base, &target).len());
    assert!(vcdiff_of(&base, &base).len() < 40);
}

#[test]
fn the_real_xdelta3_reads_ours() {
    let folder = tempfile::tempdir().unwrap();
    for (base, target) in [pair(), (Vec::new(), noise(4, 10_000)), (noise(4, 10_000), b"x".to_vec())] {
        write(folder.path(), "base", &base);
        write(folder.path(), "delta", &vcdiff_of(&base, &target));
        run("xdelta3", folder.path(), "xdelta3", &["-d", "-f", "-s", "base", "delta", "target"]);
        assert_eq!(fs::read(folder.path().join("target")).unwrap(), target);
    }
}

#[test]
fn ours_reads_the_real_xdelta3() {
    let folder = tempfile::tempdir().unwrap();
    let (base, target) = pair();
    write(folder.path(), "base", &base);
    write(folder.path(), "target", &target);
    for options in [
        &["-S", "none"][..],
        &["-9", "-S", "none"],
        &["-S", "none", "-n"],
        &["-S", "none", "-A"],
        &["-1", "-S", "none", "-W", "16384"],
    ] {
        let arguments = [&["-e", "-f"], options, &["-s", "base", "target", "delta"]].concat();
        run("xdelta3", folder.path(), "xdelta3", &arguments);
        assert_eq!(from_vcdiff(&base, &fs::read(folder.path().join("delta")).unwrap()).unwrap(), target, "{options:?}");
    }
}

#[test]
fn the_secondary_compression_of_xdelta3_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (base, target) = pair();
    write(folder.path(), "base", &base);
    write(folder.path(), "target", &target);
    for name in ["djw", "lzma"] {
        run("xdelta3", folder.path(), "xdelta3", &["-e", "-f", "-S", name, "-s", "base", "target", "delta"]);
        let error = from_vcdiff(&base, &fs::read(folder.path().join("delta")).unwrap()).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}`")) && error.contains("-S none"), "{error}");
    }
}

#[test]
fn bsdiff_and_bspatch_agree_with_ours() {
    let folder = tempfile::tempdir().unwrap();
    for (base, target) in [pair(), (noise(4, 10_000), b"x".to_vec()), (b"abc".to_vec(), noise(5, 10_000))] {
        write(folder.path(), "base", &base);
        write(folder.path(), "target", &target);
        write(folder.path(), "delta", &bsdiff_of(&base, &target));
        run("bsdiff", folder.path(), "bspatch", &["base", "rebuilt", "delta"]);
        assert_eq!(fs::read(folder.path().join("rebuilt")).unwrap(), target);
        run("bsdiff", folder.path(), "bsdiff", &["base", "target", "theirs"]);
        assert_eq!(from_bsdiff(&base, &fs::read(folder.path().join("theirs")).unwrap()).unwrap(), target);
    }
}

#[test]
fn a_base_too_large_to_be_held_is_aligned_through_the_cache() {
    let large = noise(7, 70 << 20);
    let target = [&large[40_000_000..41_000_000], b"between", &large[100..500_000], &large[69 << 20..]].concat();
    let delta = vcdiff_of(&large, &target);
    assert!(delta.len() < 2_000, "{}", delta.len());
    assert_eq!(from_vcdiff(&large, &delta).unwrap(), target);
}

#[test]
fn another_base_is_found_out_by_the_checksum() {
    let (base, target) = pair();
    let other: Vec<u8> = base.iter().map(|byte| byte.wrapping_add(1)).collect();
    assert!(matches!(from_vcdiff(&other, &vcdiff_of(&base, &target)), Err(vcdiff::Error::Checksum { window: 0, .. })));
}

#[test]
fn more_than_allowed_is_refused_before_it_is_made() {
    let (base, target) = pair();
    let mut out = Vec::new();
    assert!(vcdiff::decode(&base, vcdiff_of(&base, &target).as_slice(), &mut out, target.len() as u64 - 1).is_err());
    assert!(bsdiff::decode(&base, &bsdiff_of(&base, &target), &mut out, ReadAt::len(&target) - 1).is_err());
    assert!(out.is_empty());
}

/// A VCDIFF of one window that repeats a byte (RFC 3284, section 5.3: RUN with a size behind it).
fn run_of(length: u64) -> Vec<u8> {
    let number = |number: u64| {
        let digits = (0..5).rev().map(|digit| (number >> (7 * digit) & 0x7f) as u8 | if digit > 0 { 0x80 } else { 0 });
        digits.collect::<Vec<u8>>()
    };
    let instructions = [&[0][..], &number(length)].concat();
    let body = [&number(length)[..], &[0, 1, 6, 0], b"x", &instructions].concat();
    [b"\xd6\xc3\xc4\0\0\0", &number(body.len() as u64)[..], &body].concat()
}

#[test]
fn a_window_of_16_mebibytes_is_the_largest() {
    let most = delta_codec::limits::VCDIFF_WINDOW_BYTES_MAX;
    let decoded = |length: u64| vcdiff::decode(&Vec::new(), run_of(length).as_slice(), &mut std::io::sink(), 1 << 30);
    assert!(decoded(most).is_ok());
    assert!(decoded(most + 1).is_err());
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).unwrap();
}
