//! Compressed blobs that real programs made are made again from their plain bytes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use std::fs;
use std::io::{self, Read, Write};
use std::num::NonZeroU32;
use std::path::Path;

use common::contents::made_by;
use common::{noise, run};
use delta_codec::compress::{Compression, Encoder, Level, decoder};
use delta_codec::flate::{go, modern};
use delta_codec::recreation::{Error, Found, Plan, features, find};
use delta_codec::zstandard::klauspost;

/// What compresses in different ways: text, noise, zeros, repeats from near and far.
fn mixed(count: usize) -> Vec<u8> {
    let text = include_str!("../src/recreation/search.rs").as_bytes();
    let mut bytes = Vec::new();
    for round in 0.. {
        let from = bytes.len().saturating_sub(32_768 + 77 * round);
        bytes.extend_from_slice(&text[round * 13 % 3000..]);
        bytes.extend(noise(round as u64, 300 + 97 * (round % 50)));
        bytes.resize(bytes.len() + 1500 * (round % 5), 0);
        bytes.extend_from_within(from..from + 2000.min(bytes.len() - from));
        if bytes.len() >= count {
            break;
        }
    }
    bytes.truncate(count);
    bytes
}

/// The gzip stream that Python's zlib makes with these arguments of `compressobj`.
fn python(plain: &[u8], arguments: &str) -> Vec<u8> {
    members(plain, plain.len().max(1), arguments)
}

/// A gzip member for every so many bytes.
fn members(plain: &[u8], size: usize, arguments: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plain"), plain).unwrap();
    let script = format!(
        "import zlib\nplain, out = open('plain', 'rb').read(), open('blob', 'wb')\n\
         for at in range(0, max(len(plain), 1), {size}):\n  \
         c = zlib.compressobj({arguments})\n  \
         out.write(c.compress(plain[at:at + {size}]) + c.flush())"
    );
    run("python3", folder.path(), "python3", &["-c", &script]);
    fs::read(folder.path().join("blob")).unwrap()
}

fn zlib(plain: &[u8], level: u8) -> Vec<u8> {
    python(plain, &format!("{level}, zlib.DEFLATED, 31"))
}

fn plan(blob: &[u8], plain: &[u8]) -> Plan {
    match find(&blob.to_vec(), &plain.to_vec()).unwrap() {
        Found::Exact(plan) => plan,
        Found::Unknown(nearest) => panic!("not made again; nearest {nearest:?}"),
    }
}

fn made(plan: &Plan, plain: &[u8]) -> Vec<u8> {
    let mut made = Vec::new();
    plan.write(&plain.to_vec(), &mut made).unwrap();
    made
}

/// Finds the plan, which must come back as bytes and make the blob; returns its size.
#[track_caller]
fn round_trip(blob: &[u8], plain: &[u8]) -> usize {
    let found = plan(blob, plain);
    let plan = Plan::parse(found.as_bytes().to_vec()).unwrap();
    assert_eq!(plan, found);
    assert_eq!(plan.plain_bytes(), plain.len() as u64);
    assert!(plan.features().iter().all(|feature| features().any(|known| known == *feature)));
    assert!(made(&plan, plain) == blob);
    plan.as_bytes().len()
}

#[test]
fn every_level_of_zlib() {
    let plain = mixed(300_000);
    for level in 1..=9 {
        let blob = zlib(&plain, level);
        assert!(round_trip(&blob, &plain) < 40);
        assert_eq!(plan(&blob, &plain).encoder_names().into_iter().collect::<Vec<_>>(), [format!("zlib {level}")]);
    }
    round_trip(&python(&plain, "6, zlib.DEFLATED, 31, 9"), &plain);
}

#[test]
fn long_and_odd_contents() {
    for plain in [Vec::new(), b"a".to_vec(), vec![0; 1 << 20], noise(3, 300_000), mixed(9_000_000)] {
        round_trip(&zlib(&plain, 6), &plain);
    }
}

#[test]
fn everything_around_the_streams_is_kept() {
    let (one, two) = (mixed(60_000), noise(9, 3_000));
    let blob = zlib(&one, 6);
    // A header with extra bytes, a name, a comment and a checksum (RFC 1952, 2.3).
    let named = [&b"\x1f\x8b\x08\x1e\x11\x22\x33\x44\x00\x03\x05\x00extraname\0comment\0cc"[..], &blob[10..]].concat();
    round_trip(&named, &one);
    let members = [blob.clone(), zlib(&two, 9), zlib(b"", 6), zlib(&one, 1)].concat();
    let joined = [one.clone(), two, Vec::new(), one.clone()].concat();
    assert!(round_trip(&members, &joined) < 100);
    round_trip(&[members, b"something behind it".to_vec()].concat(), &joined);
    let mut odd_trailer = blob.clone();
    let end = odd_trailer.len();
    odd_trailer[end - 6] ^= 1;
    round_trip(&odd_trailer, &one);
    round_trip(&blob[..end - 8], &one);
}

#[test]
fn many_small_members_cost_few_bytes_each() {
    let plain = mixed(900_000);
    let blob = members(&plain, 3_000, "6, zlib.DEFLATED, 31");
    assert!(round_trip(&blob, &plain) < 300 * 21);
}

#[test]
fn what_no_encoder_makes_is_said_with_the_nearest() {
    let plain = mixed(200_000);
    for compression in [Compression::Gzip, Compression::Zstd] {
        // Another deflate encoder than C zlib, and zstd frames with parts that no encoder gives in one go.
        let mut encoder = Encoder::new(Vec::new(), compression, compression.default_level(), None).unwrap();
        for piece in plain.chunks(1001) {
            encoder.write_all(piece).unwrap();
            encoder.flush().unwrap();
        }
        let blob = encoder.finish().unwrap();
        let Found::Unknown(nearest) = find(&blob, &plain).unwrap() else { panic!("{compression} comes back") };
        assert!(nearest.is_none_or(|nearest| nearest.differs_at < blob.len() as u64));
    }
    for blob in [&b""[..], b"\x1f", b"\x1f\x8b\x08", b"text", &zlib(&plain, 6)[..5_000]] {
        assert!(matches!(find(&blob.to_vec(), &plain).unwrap(), Found::Unknown(_)));
    }
    // Other plain bytes than those of the blob.
    assert!(matches!(find(&zlib(&plain, 6), &plain[1..].to_vec()).unwrap(), Found::Unknown(_)));
}

#[test]
fn a_small_part_that_no_encoder_makes_is_kept() {
    let (known, unknown) = (mixed(200_000), mixed(20_000));
    let mut encoder = Encoder::new(Vec::new(), Compression::Gzip, Compression::Gzip.default_level(), None).unwrap();
    unknown.chunks(501).for_each(|piece| {
        encoder.write_all(piece).unwrap();
        encoder.flush().unwrap();
    });
    let odd = encoder.finish().unwrap();
    let blob = [zlib(&known, 6), odd.clone(), zlib(&known, 9)].concat();
    let plain = [known.clone(), unknown, known].concat();
    let size = round_trip(&blob, &plain);
    assert!((odd.len()..odd.len() + 100).contains(&size), "{size}");
}

#[test]
fn a_damaged_plan_is_an_error_or_makes_a_blob_of_some_kind() {
    let plain = [mixed(5_000), noise(1, 500)].concat();
    let blob = [zlib(&plain[..3_000], 6), zlib(&plain[3_000..], 9), b"behind".to_vec()].concat();
    let bytes = plan(&blob, &plain).as_bytes().to_vec();
    let made = |plan: &[u8]| {
        let mut made = Vec::new();
        Plan::parse(plan.to_vec()).ok()?.write(&plain, &mut made).ok().map(|()| made)
    };
    for at in 0..bytes.len() {
        assert!(made(&bytes[..at]).is_none_or(|made| made != blob), "cut at {at}");
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            let length = made(&altered).unwrap_or_default().len();
            assert!(length < 2 * plain.len(), "byte {at}, bit {bit}: {length}");
        }
    }
}

#[test]
fn plans_that_make_no_sense_are_refused() {
    let cases: [&[u8]; 7] = [
        b"\x03",
        b"\x01\xff\x68\x8f\x05",
        b"\x01\x01\x6a\x8f\x05",
        b"\x00\x05\x00abc",
        b"\x00\x8f\xff\xff\xff\xff\xff\xff\xff\x7f\x00abc",
        b"\x01\x01\x06\x8f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x01\x01\x06\x8f\x81\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00\x00\x01",
    ];
    for case in cases {
        let error = Plan::parse(case.to_vec()).unwrap_err();
        assert!(error.to_string().starts_with("the description of how the blob is made again is damaged at byte "));
    }
    assert!(Plan::parse(vec![0; 17 << 20]).is_err());
    let plan = Plan::parse(b"\x01\x01\x06\x8f\x85\x00".to_vec()).unwrap();
    let error = plan.write(&vec![0_u8; 7], &mut io::sink()).unwrap_err();
    assert!(matches!(error, Error::Plain { expected: 640, found: 7 }), "{error}");
}

#[test]
fn every_level_of_gzip() {
    let plain = mixed(300_000);
    for level in 1..=9 {
        let blob = made_by("gzip", &format!("gzip -nc -{level} plain"), &plain);
        assert!(round_trip(&blob, &plain) < 40);
    }
    round_trip(&made_by("gzip", "gzip -c plain", &plain), &plain);
}

/// A gzip member of a stream, with a header of Go and a wrong trailer, which is kept.
fn member(stream: Vec<u8>) -> Vec<u8> {
    [&b"\x1f\x8b\x08\0\0\0\0\0\0\xff"[..], &stream, b"12345678"].concat()
}

#[test]
fn every_level_of_go_and_of_klauspost() {
    let plain = mixed(2_500_000);
    for level in [-2, 1, 2, 3, 4, 5, 6, 7, 8, 9] {
        let mut encoder = go::Encoder::new(go::Level::new(level).unwrap(), Vec::new());
        encoder.write_all(&plain).unwrap();
        // Levels with checkpoints have up to eight.
        let most = if level >= 4 { 60 + 8 * go::Checkpoint::BYTES } else { 60 };
        assert!(round_trip(&member(encoder.finish().unwrap()), &plain) < most);
        let ways = [None, NonZeroU32::new(1 << 20), NonZeroU32::new(1 << 18)];
        for (version, block) in modern::Version::ALL.into_iter().zip(ways.into_iter().cycle()) {
            let level = modern::Level::new(level).unwrap();
            let mut encoder = modern::Encoder::new(modern::Settings { level, version, block }, Vec::new());
            encoder.write_all(&plain).unwrap();
            assert!(round_trip(&member(encoder.finish().unwrap()), &plain) < 60);
        }
    }
}

#[test]
fn a_version_that_differs_on_some_levels_has_a_feature_of_its_own() {
    let plain = mixed(600_000);
    for level in [1, 4, 6, 7, 8, 9] {
        for version in modern::Version::ALL {
            let settings = modern::Settings { level: modern::Level::new(level).unwrap(), version, block: None };
            let mut encoder = modern::Encoder::new(settings, Vec::new());
            encoder.write_all(&plain).unwrap();
            let found = plan(&member(encoder.finish().unwrap()), &plain);
            let differs = match version {
                modern::Version::V1_15_10 => level >= 7,
                modern::Version::V1_18 => level == 4,
                _ => false,
            };
            let feature = if differs { "gzip-modern-2" } else { "gzip-modern-1" };
            assert_eq!(found.features().into_iter().collect::<Vec<_>>(), [feature], "{level} {version:?}");
        }
    }
}

#[test]
fn streams_with_and_without_checkpoints_stand_in_one_blob() {
    let (long, short) = (mixed(3_000_000), mixed(10_000));
    let stream = |plain: &[u8]| {
        let mut encoder = go::Encoder::new(go::Level::new(6).unwrap(), Vec::new());
        encoder.write_all(plain).unwrap();
        let mut made = member(encoder.finish().unwrap());
        let end = made.len() - 8;
        made[end..].copy_from_slice(&trailer(plain));
        made
    };
    let blob = [stream(&long), stream(&short), stream(&long[..2_000_000]), stream(&short)].concat();
    let plain = [&long[..], &short, &long[..2_000_000], &short].concat();
    let found = plan(&blob, &plain);
    assert_eq!(found.features().into_iter().collect::<Vec<_>>(), ["gzip-go-1", "gzip-go-2"]);
    round_trip(&blob, &plain);
    // The same plan over other bytes, whose blocks end elsewhere.
    let other = [&mixed(2_500_000)[..], &noise(5, plain.len() - 2_500_000)].concat();
    let error = found.write(&other, &mut io::sink()).unwrap_err();
    assert!(error.to_string().contains("does not come to a checkpoint"), "{error}");
}

fn trailer(plain: &[u8]) -> [u8; 8] {
    let mut crc = flate2::Crc::new();
    crc.update(plain);
    let mut trailer = [0; 8];
    trailer[..4].copy_from_slice(&crc.sum().to_le_bytes());
    trailer[4..].copy_from_slice(&u32::try_from(plain.len()).unwrap().to_le_bytes());
    trailer
}

#[test]
fn frames_of_zstandard_libraries() {
    let plain = mixed(700_000);
    for level in [1, 3, 9, 19] {
        for size in [None, Some(plain.len() as u64)] {
            let level = Level::new(Compression::Zstd, level).unwrap();
            let mut encoder = zstd::Encoder::new(Vec::new(), level.number()).unwrap();
            encoder.set_pledged_src_size(size).unwrap();
            encoder.write_all(&plain).unwrap();
            let found = find(&encoder.finish().unwrap(), &plain).unwrap();
            // The slow levels are tried where the window is theirs, which it is not for a small content of a known size.
            assert!(matches!(found, Found::Exact(_)) || (level.number() == 19 && size.is_some()));
        }
    }
    let frames: Vec<u8> = plain.chunks(100_000).flat_map(|part| klauspost(part, 8)).collect();
    let skippable = [&b"\x50\x2a\x4d\x18\x05\0\0\0"[..], b"hello"].concat();
    assert!(round_trip(&[frames, skippable].concat(), &plain) < 150);
    round_trip(&klauspost(&plain, 0), &plain);
}

fn klauspost(plain: &[u8], first_write: u8) -> Vec<u8> {
    let settings =
        klauspost::Settings { version: klauspost::Version::V1_17_8, level: klauspost::Level::Default, first_write };
    let mut encoder = klauspost::Encoder::new(settings, Vec::new());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What is in a file of `testdata/recreation`, and its plain bytes.
fn in_parts(file: &str) -> (Vec<u8>, Vec<u8>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/recreation").join(file);
    let blob = fs::read(path).unwrap();
    let mut plain = Vec::new();
    decoder(Compression::detect(&blob), io::Cursor::new(&blob)).unwrap().read_to_end(&mut plain).unwrap();
    (blob, plain)
}

fn encoders(blob: &[u8], plain: &[u8]) -> Vec<String> {
    plan(blob, plain).encoder_names().into_iter().collect()
}

/// 27 frames, of which the last one is ended by a flush and kept; then the tables of contents.
#[test]
fn zstd_chunked_is_made_frame_by_frame() {
    let layout =
        "zstd-chunked-skopeo-1.22/blobs/sha256/30b1b6dd624889b47d55eed5a9e728e57f9797e77e2876e408f5875654adc5a7";
    for (file, tables) in [("zstd-chunked-skopeo-1.18.zst", 60_342), (layout, 60_339)] {
        let (blob, plain) = in_parts(file);
        let size = round_trip(&blob, &plain);
        let kept = blob.len() - tables;
        assert!((kept..kept + 27 * 10 + 40).contains(&size), "{file}: {size} bytes, of which {kept} are tables");
        assert_eq!(encoders(&blob, &plain), ["klauspost zstd 1.20 default"]);
    }
}

/// What podman and skopeo take when nobody names a level is the encoder's best, which is not known here.
#[test]
fn the_best_level_of_zstd_chunked_is_made_frame_by_frame() {
    let (blob, plain) = in_parts("zstd-chunked-level-10.zst");
    assert!(round_trip(&blob, &plain) < blob.len());
    let found = plan(&blob, &plain);
    assert!(found.features().contains("zstd-klauspost-2"), "{:?}", found.encoder_names());
}

/// A member for each file and each chunk of it, the table of contents, which is a file of the layer, and the empty one at the end.
#[test]
fn estargz_is_made_member_by_member() {
    let (blob, plain) = in_parts("estargz-0.12.gz");
    let size = round_trip(&blob, &plain);
    assert!(size < 400, "{size}");
    assert_eq!(encoders(&blob, &plain), ["Go gzip 9"]);
}

#[test]
fn every_way_of_pigz() {
    let plain = mixed(700_000);
    for options in ["-6", "-p1 -1", "-9 -i", "-p2 -3 -R", "-11"] {
        let blob = made_by("pigz", &format!("pigz -nc {options} plain"), &plain);
        match find(&blob, &plain).unwrap() {
            Found::Exact(_) => assert!(round_trip(&blob, &plain) < 40),
            // zopfli makes this one.
            Found::Unknown(nearest) => assert!(options == "-11" && nearest.is_some()),
        }
    }
}

#[test]
fn what_a_program_reads_from_the_blob_are_the_plain_bytes() {
    let plain = mixed(70_000);
    let mut read = Vec::new();
    decoder(Compression::Gzip, io::Cursor::new(zlib(&plain, 6))).unwrap().read_to_end(&mut read).unwrap();
    assert!(read == plain);
}
