//! Compressed files that real programs made: opened, closed, and the same again.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use std::fs;
use std::path::Path;

use common::contents::text;
use common::plain::words;
use common::{noise, run};
use delta_codec::deflate::{close, open};
use delta_codec::{MemoryScratch, ReadAt, Reader};

fn all(bytes: impl ReadAt) -> Vec<u8> {
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut Reader::new(bytes), &mut read).unwrap();
    read
}

/// Text that is the same whatever becomes of this crate, `count` bytes from `offset` on, over and over.
fn prose(offset: usize, count: usize) -> Vec<u8> {
    words(11, 100_000).into_iter().cycle().skip(1000 * offset).take(count).collect()
}

/// Opens the file and closes it; returns the plain bytes and how many bytes skeleton and plan have.
fn round_trip(file: &Path) -> (Vec<u8>, u64) {
    let content = fs::read(file).unwrap();
    let opened = open(&content, &MemoryScratch).unwrap().unwrap_or_else(|| panic!("{} stays closed", file.display()));
    let (skeleton, plain) = (&opened.inflated.skeleton, &opened.inflated.plain);
    let mut closed = Vec::new();
    let length = close(&opened.plan, skeleton, plain, &mut closed, content.len() as u64).unwrap();
    assert_eq!(length, content.len() as u64);
    assert!(closed == content, "{} comes back as another file", file.display());
    (all(plain), skeleton.len() + opened.plan.len() as u64)
}

#[test]
fn pigz_in_every_way() {
    let folder = tempfile::tempdir().unwrap();
    let text = prose(1, 400_000);
    let levels = (1..=9).map(|level| vec![format!("-{level}")]);
    let ways = [&["-p1", "-6"][..], &["-i", "-9"], &["-R", "-6"]];
    let ways = ways.into_iter().map(|options| options.iter().map(|option| (*option).to_owned()).collect());
    for options in levels.chain(ways) {
        fs::write(folder.path().join("text"), &text).unwrap();
        let options: Vec<&str> = options.iter().map(String::as_str).chain(["-kf", "text"]).collect();
        run("pigz", folder.path(), "pigz", &options);
        let (plain, rest) = round_trip(&folder.path().join("text.gz"));
        assert!(plain == text);
        assert!(rest < 50, "{options:?} needs {rest} bytes");
    }
}

/// Some bytes say the level.
#[test]
fn gzip_at_every_level_and_busybox() {
    let folder = tempfile::tempdir().unwrap();
    // Few matches, and long ones: gzip ends blocks early, which zlib never does.
    let records = noise(2, 40_000).chunks(3).flat_map(|three| [three, b"/usr/share/package/"].concat()).collect();
    let plain = [text(1, 300_000), records].concat();
    fs::write(folder.path().join("text"), &plain).unwrap();
    let levels = (1..=9).map(|level| ("gzip", format!("gzip -n{level}")));
    for (package, program) in levels.chain([("busybox-static", "busybox gzip".to_owned())]) {
        run(package, folder.path(), "sh", &["-c", &format!("{program} < text > text.gz")]);
        let packed = folder.path().join("text.gz");
        let (unpacked, rest) = round_trip(&packed);
        assert!(unpacked == plain);
        assert!(rest < 32, "{program} needs {rest} bytes");
        let content = fs::read(packed).unwrap();
        let features = open(&content, &MemoryScratch).unwrap().unwrap().features;
        assert_eq!(features.into_iter().collect::<Vec<_>>(), ["gzip-gnu-1"], "{program}");
    }
}

#[test]
fn members_of_gzip_behind_each_other_and_junk() {
    let folder = tempfile::tempdir().unwrap();
    let mut joined = Vec::new();
    for (name, seed) in [("one", 1), ("two", 2)] {
        fs::write(folder.path().join(name), prose(seed, 3000)).unwrap();
        run("gzip", folder.path(), "gzip", &["-9", name]);
        joined.extend(fs::read(folder.path().join(format!("{name}.gz"))).unwrap());
    }
    joined.extend(b"behind the end");
    fs::write(folder.path().join("joined.gz"), joined).unwrap();
    let (plain, _) = round_trip(&folder.path().join("joined.gz"));
    assert!(plain == [prose(1, 3000), prose(2, 3000)].concat());
}

/// Three files to pack: two texts, one that does not shrink.
fn files(folder: &Path) -> usize {
    for (name, bytes) in [("a.txt", prose(1, 30_000)), ("b.txt", prose(2, 500)), ("noise.bin", noise(3, 5000))] {
        fs::write(folder.join(name), &bytes).unwrap();
    }
    prose(1, 30_000).len() + prose(2, 500).len()
}

#[test]
fn archives_of_zip_programs() {
    let names = ["a.txt", "b.txt", "noise.bin"];
    for (package, program, first) in [
        ("zip", "zip", &["-1", "-q", "x.zip"][..]),
        ("zip", "zip", &["-6", "-q", "x.zip"]),
        ("zip", "zip", &["-9", "-q", "x.zip"]),
        ("zip", "zip", &["-q", "-fz", "x.zip"]),
        ("python3", "python3", &["-m", "zipfile", "-c", "x.zip"]),
        ("fastjar", "fastjar", &["cf", "x.zip"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let expected = files(folder.path());
        run(package, folder.path(), program, &[first, &names].concat());
        let (plain, rest) = round_trip(&folder.path().join("x.zip"));
        assert!(plain.len() >= expected, "{program} {first:?}: {} of {expected} bytes", plain.len());
        assert!(rest < 6000, "{program} {first:?}: {rest} bytes besides");
    }
}

#[test]
fn a_program_before_a_zip_shifts_it() {
    let folder = tempfile::tempdir().unwrap();
    let expected = files(folder.path());
    run("zip", folder.path(), "zip", &["-q", "x.zip", "a.txt", "b.txt"]);
    let zip = fs::read(folder.path().join("x.zip")).unwrap();
    fs::write(folder.path().join("x.exe"), [b"#!/bin/sh\nexit\n".as_slice(), &zip].concat()).unwrap();
    assert_eq!(round_trip(&folder.path().join("x.exe")).0.len(), expected);
}

#[test]
fn encrypted_and_stored_members_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    run("zip", folder.path(), "zip", &["-q", "-P", "secret", "x.zip", "a.txt"]);
    run("zip", folder.path(), "zip", &["-q", "-0", "x.zip", "noise.bin"]);
    run("zip", folder.path(), "zip", &["-q", "x.zip", "b.txt"]);
    assert!(round_trip(&folder.path().join("x.zip")).0 == prose(2, 500));
}

#[test]
fn seven_zip_comes_back_or_stays_closed() {
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    run("p7zip-full", folder.path(), "7z", &["a", "-tzip", "-bd", "x.zip", "a.txt", "b.txt"]);
    let content = fs::read(folder.path().join("x.zip")).unwrap();
    if let Some(opened) = open(&content, &MemoryScratch).unwrap() {
        let mut closed = Vec::new();
        let inflated = &opened.inflated;
        close(&opened.plan, &inflated.skeleton, &inflated.plain, &mut closed, content.len() as u64).unwrap();
        assert!(closed == content);
    }
}

#[test]
fn pictures_of_two_encoders() {
    let folder = tempfile::tempdir().unwrap();
    let pixels = noise(7, 300)
        .into_iter()
        .cycle()
        .zip(0_u32..)
        .map(|(byte, at)| (byte / 16).wrapping_add((at / 700).to_le_bytes()[0]));
    let picture = [b"P6 320 200 255\n".to_vec(), pixels.take(320 * 200 * 3).collect()].concat();
    fs::write(folder.path().join("x.ppm"), picture).unwrap();
    let make = format!("pnmtopng -compression 9 {0}/x.ppm > {0}/x.png 2> {0}/log", folder.path().display());
    run("netpbm", folder.path(), "sh", &["-c", &make]);
    run("optipng", folder.path(), "optipng", &["-quiet", "-o2", "-out", "y.png", "x.png"]);
    for name in ["x.png", "y.png"] {
        let (plain, rest) = round_trip(&folder.path().join(name));
        assert!(plain.len() >= 320 * 200 && rest < 2000, "{name}: {} plain bytes, {rest} others", plain.len());
    }
}
