//! Every target takes sound inputs, and those that were found in `regressions/TARGET/`, and whatever these become when they are cut or changed.

#![allow(clippy::disallowed_methods, reason = "it touches the world")]

use std::fs;
use std::path::Path;

use delta_fuzz::{TARGETS, joined, parts, run, seeds};

#[test]
fn sound_inputs_are_taken() {
    for (name, _) in TARGETS {
        let seeds = seeds::of(name);
        assert!(!seeds.is_empty());
        seeds.iter().for_each(|seed| run(name, seed));
    }
}

#[test]
fn cut_and_changed_inputs_are_taken() {
    for (name, target) in TARGETS {
        for seed in seeds::of(name) {
            let step = seed.len() / 40 + 1;
            for at in (0..seed.len()).step_by(step) {
                target(&seed[..at]);
                let mut changed = seed.clone();
                changed[at] ^= 0x55;
                target(&changed);
            }
        }
    }
}

#[test]
fn what_was_found_is_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    for target in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = target.file_name().into_string().expect("a target's name");
        for input in fs::read_dir(target.path()).expect("a folder").flatten() {
            run(&name, &fs::read(input.path()).expect("an input"));
        }
    }
}

#[test]
fn inputs_are_cut_as_they_were_joined() {
    let long = vec![7; 70_000];
    assert_eq!(parts(&joined(&[b"one", b"", b"three"])), [&b"one"[..], b"", b"three"]);
    assert_eq!(parts(&joined(&[&long, &long])), [&long[..65_535], &long]);
    assert_eq!(parts::<3>(b"\x05\0ab"), [&b"ab"[..], b"", b""]);
    assert_eq!(parts::<2>(b"\x01"), [&b""[..], b"\x01"]);
}
