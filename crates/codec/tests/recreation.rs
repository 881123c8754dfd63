//! Compressed blobs that real programs made are made again from their plain bytes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use std::fs;
use std::io::{self, Read, Write};
use std::num::NonZeroU32;
use std::path::Path;

use common::contents::made_by;
use common::plain::words;
use common::{noise, run};
use delta_codec::compress::{Compression, Encoder, Level, decoder};
use delta_codec::flate::{go, modern};
use delta_codec::limits::RECREATION_PLAN_BYTES;
use delta_codec::recreation::{Error, Plan, SearchOutcome, features, find, is_likely};
use delta_codec::zstandard::klauspost;

/// What compresses in different ways: text, noise, zeros, repeats from near and far.
fn mixed(count: usize) -> Vec<u8> {
    let text = words(7, 12_000);
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
        SearchOutcome::Exact(plan) => plan,
        SearchOutcome::Unknown(nearest) => panic!("not made again; nearest {nearest:?}"),
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
        let SearchOutcome::Unknown(nearest) = find(&blob, &plain).unwrap() else { panic!("{compression} comes back") };
        assert!(nearest.is_none_or(|nearest| nearest.differs_at < blob.len() as u64));
    }
    for blob in [&b""[..], b"\x1f", b"\x1f\x8b\x08", b"text", &zlib(&plain, 6)[..5_000]] {
        assert!(matches!(find(&blob.to_vec(), &plain).unwrap(), SearchOutcome::Unknown(_)));
    }
    // Other plain bytes than those of the blob.
    assert!(matches!(find(&zlib(&plain, 6), &plain[1..].to_vec()).unwrap(), SearchOutcome::Unknown(_)));
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
fn a_plan_has_its_pieces_one_behind_the_other() {
    let zlib_6 = [1, 1, 0x06, 0x8f];
    let stream = &zlib(b"plain bytes", 6)[10..];
    let (stream, trailer) = stream.split_at(stream.len() - 8);
    for (plan, plain, made) in [
        (vec![], &b""[..], vec![]),
        (vec![0, 3, 0, b'a', b'b', b'c'], b"", b"abc".to_vec()),
        // Kept bytes stand for plain ones, which nobody asks for.
        (vec![0, 1, 5, b'x'], b"plain", b"x".to_vec()),
        ([&zlib_6[..], &[11]].concat(), b"plain bytes", stream.to_vec()),
        ([&[2], &zlib_6[1..], &[11]].concat(), b"plain bytes", [stream, trailer].concat()),
        (
            [&[0, 1, 2, b'<'], &zlib_6[..], &[11, 0, 1, 3, b'>']].concat(),
            b"..plain bytes...",
            [b"<", stream, b">"].concat(),
        ),
    ] {
        let read = Plan::parse(plan.clone()).unwrap();
        assert_eq!((read.as_bytes(), read.plain_bytes()), (&plan[..], plain.len() as u64));
        let mut out = Vec::new();
        read.write(&plain.to_vec(), &mut out).unwrap();
        assert_eq!(out, made, "{plan:?}");
        for other in [plain.len() + 1, plain.len().wrapping_sub(1)] {
            let Some(other) = (other < 100).then(|| vec![0; other]) else { continue };
            assert!(matches!(read.write(&other, &mut io::sink()), Err(Error::Plain { .. })));
        }
    }
}

#[test]
fn damage_is_named_by_the_piece_that_it_is_in() {
    let good = [0, 1, 0, b'x'];
    let most = [&[0, 0][..], &[0x81], &[0xff; 8], &[0x7f]].concat();
    assert_eq!(Plan::parse(most.clone()).unwrap().plain_bytes(), u64::MAX);
    for (second, what) in [
        (vec![3], "a kind that is none"),
        (vec![0, 2, 0, b'x'], "more bytes than there are"),
        (vec![0], "no length"),
        (vec![0, 1], "no plain bytes"),
        (vec![1], "no encoder"),
        (vec![1, 1, 0x06], "half of its settings"),
        (vec![1, 1, 0x06, 0x8f], "no plain bytes of an encoder"),
        ([&most[..], &[0, 0, 1]].concat(), "a plain byte more than there can be"),
    ] {
        let error = Plan::parse([&good[..], &second].concat()).unwrap_err().to_string();
        let at = if second.len() > most.len() { 4 + most.len() } else { 4 };
        assert_eq!(error, format!("the description of how the blob is made again is damaged at byte {at}"), "{what}");
    }
}

#[test]
fn a_plan_is_as_long_as_the_limit_and_no_longer() {
    // One kept piece: its kind, a length of four digits, no plain bytes.
    let plan = |length: usize| {
        let kept = length - 6;
        let digits =
            [3, 2, 1, 0].map(|digit| (kept >> (7 * digit)).to_le_bytes()[0] & 0x7f | if digit > 0 { 0x80 } else { 0 });
        [&[0][..], &digits, &[0], &vec![7; kept]].concat()
    };
    assert!(Plan::parse(plan(RECREATION_PLAN_BYTES)).is_ok());
    let error = Plan::parse(plan(RECREATION_PLAN_BYTES + 1)).unwrap_err().to_string();
    assert!(error.ends_with(&format!("damaged at byte {RECREATION_PLAN_BYTES}")), "{error}");
}

#[test]
fn pieces_of_a_blob_come_in_their_order_however_many_are_made_side_by_side() {
    // More than 2048 short ones, a long one, and short ones again; kept ones between.
    let short = |byte: u8| [vec![0, 1, 0, byte], vec![1, 1, 0x01, 0x8f, 1]].concat();
    let long = [&[1, 1, 0x01, 0x8f][..], &[0x82, 0x80, 0x80, 0x01]].concat();
    let many: Vec<u8> = (0..2_500).flat_map(|number: u32| short(number.to_le_bytes()[0])).collect();
    let plan = Plan::parse([many, long, short(b'!')].concat()).unwrap();
    let plain: Vec<u8> = (0..2_500 + (4 << 20) + 2_u32).map(|number| (number >> 4).to_le_bytes()[0]).collect();
    assert_eq!(plan.plain_bytes(), plain.len() as u64);
    let blob = made(&plan, &plain);
    let (mut rest, mut position) = (blob.as_slice(), 0);
    for (number, length) in (0_u32..).zip([vec![1; 2_500], vec![(4 << 20) + 1, 1]].concat()) {
        if number != 2_500 {
            let mark = if number < 2_500 { number.to_le_bytes()[0] } else { b'!' };
            assert_eq!(rest[0], mark);
            rest = &rest[1..];
        }
        let mut decoder = flate2::bufread::DeflateDecoder::new(rest);
        let mut again = Vec::new();
        decoder.read_to_end(&mut again).unwrap();
        assert!(again == plain[position..position + length], "{number}");
        position += length;
        rest = &rest[usize::try_from(decoder.total_in()).unwrap()..];
    }
    assert!(rest.is_empty() && position == plain.len());
}

#[test]
fn a_blob_is_likely_when_its_start_is_that_of_an_encoder() {
    let likely = |blob: &[u8], plain: &[u8]| is_likely(&blob.to_vec(), &plain.to_vec()).unwrap();
    let plain = mixed(60_000);
    assert!(likely(&zlib(&plain, 6), &plain));
    assert!(likely(&klauspost(&plain, 0), &plain));
    // Behind a name.
    let blob = zlib(&plain, 6);
    let named = [&blob[..3], &[8], &blob[4..10], b"name\0", &blob[10..]].concat();
    assert!(likely(&named, &plain));
    for (other, what) in [
        (&b""[..], "nothing"),
        (&blob[..10], "a header"),
        (b"text that is not compressed", "another format"),
        (&[&blob[..10], &[0xff; 200]].concat(), "no stream"),
    ] {
        assert!(!likely(other, &plain), "{what}");
    }
    assert!(!likely(&blob, &plain[1..]));
}

#[test]
fn what_is_behind_the_start_of_a_blob_is_not_looked_at() {
    let plain = noise(3, (1 << 20) + 200_000);
    let mut blob = zlib(&plain, 1);
    assert!(blob.len() > (1 << 20) + 100_000);
    let is_likely = |blob: &Vec<u8>| is_likely(blob, &plain).unwrap();
    blob[(1 << 20) + 10] ^= 1;
    assert!(is_likely(&blob), "behind the header and the first 1048576 bytes");
    blob[(1 << 20) + 9] ^= 1;
    assert!(!is_likely(&blob), "the last of them");
}

#[test]
fn a_blob_of_which_nothing_is_made_is_unknown() {
    // Two blocks of bytes as they are (RFC 1951, 3.2.4), before much that is no stream.
    let blocks = [&[0, 5, 0, 0xfa, 0xff][..], b"plain", &[1, 5, 0, 0xfa, 0xff], b"bytes"].concat();
    let blob = [&member(blocks)[..], &[b'x'; 500]].concat();
    let found = find(&blob, &b"plainbytes".to_vec()).unwrap();
    assert!(matches!(&found, SearchOutcome::Unknown(Some(_))), "{found:?}");
}

#[test]
fn what_no_encoder_makes_is_kept_up_to_half_of_a_blob() {
    let odd = |plain: &[u8]| {
        let mut encoder = Encoder::new(Vec::new(), Compression::Gzip, Compression::Gzip.default_level(), None).unwrap();
        plain.chunks(501).for_each(|piece| {
            encoder.write_all(piece).unwrap();
            encoder.flush().unwrap();
        });
        encoder.finish().unwrap()
    };
    let (first, second) = (noise(1, 20_000), noise(2, 40_000));
    for (known, unknown, comes_back) in [(&second, &first, true), (&first, &second, false)] {
        for unknown_first in [true, false] {
            let parts = [(odd(unknown), unknown), (zlib(known, 6), known)];
            let ordered = if unknown_first { [&parts[0], &parts[1]] } else { [&parts[1], &parts[0]] };
            let blob: Vec<u8> = ordered.iter().flat_map(|(blob, _)| blob.clone()).collect();
            let plain: Vec<u8> = ordered.iter().flat_map(|(_, plain)| plain.iter().copied()).collect();
            match find(&blob, &plain).unwrap() {
                SearchOutcome::Exact(plan) => assert!(comes_back && made(&plan, &plain) == blob),
                SearchOutcome::Unknown(nearest) => assert!(!comes_back && nearest.is_some()),
            }
        }
    }
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
            assert!(matches!(found, SearchOutcome::Exact(_)) || (level.number() == 19 && size.is_some()));
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
            SearchOutcome::Exact(_) => assert!(round_trip(&blob, &plain) < 40),
            // zopfli makes this one.
            SearchOutcome::Unknown(nearest) => assert!(options == "-11" && nearest.is_some()),
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
