//! Compressed files opened and closed: any bytes, any damage, any plan.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use std::io::Write;
use std::num::NonZeroU32;

use common::archives::{deflated, gzipped, member, text, zip, zlibbed};
use common::noise;
use delta_codec::deflate::{Error, Opened, close, inflate, looks_compressed, open};
use delta_codec::flate::modern::Version;
use delta_codec::flate::{go, modern, pigz};
use delta_codec::{MemoryScratch, ReadAt, Reader};
use proptest::prelude::*;

fn all(bytes: impl ReadAt) -> Vec<u8> {
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut Reader::new(bytes), &mut read).unwrap();
    read
}

fn closed(opened: &Opened<'_>, most: u64) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    close(&opened.plan, &opened.inflated.skeleton, &opened.inflated.plain, &mut out, most).map(|_| out)
}

/// Opening never fails because of the content, and what was opened comes back.
fn check(content: &[u8]) -> Option<Vec<u8>> {
    let content = content.to_vec();
    inflate(&content, &MemoryScratch).unwrap();
    let opened = open(&content, &MemoryScratch).unwrap()?;
    assert!(closed(&opened, content.len() as u64).unwrap() == content);
    Some(all(&opened.inflated.plain))
}

fn two_members() -> [(&'static str, Vec<u8>); 2] {
    [("one", text(1, 4000)), ("dir/two", text(2, 9000))]
}

#[test]
fn a_zip_opens_with_its_names() {
    let members = two_members();
    let content = zip(&members, |size, offset| Some((size, offset)));
    let opened = open(&content, &MemoryScratch).unwrap().unwrap();
    assert!(closed(&opened, content.len() as u64).unwrap() == content);
    let found = &opened.inflated.streams;
    assert_eq!(found.iter().map(|member| member.name.as_slice()).collect::<Vec<_>>(), [&b"one"[..], b"dir/two"]);
    assert_eq!(
        found.iter().map(|member| (member.offset, member.length)).collect::<Vec<_>>(),
        [(0, 4000), (4000, 9000)]
    );
    assert!(all(&opened.inflated.plain) == [members[0].1.clone(), members[1].1.clone()].concat());
    assert!(all(&inflate(&content, &MemoryScratch).unwrap().unwrap().plain) == all(&opened.inflated.plain));
}

#[test]
fn wide_fields_comments_and_junk_are_read_past() {
    let plain = [text(1, 4000), text(2, 9000)].concat();
    let content = zip(&two_members(), |_, _| None);
    assert_eq!(check(&content).unwrap(), plain);
    assert_eq!(check(&[content.clone(), vec![7; 3000]].concat()).unwrap(), plain);
    assert_eq!(check(&[b"\x7fELF program".to_vec(), content].concat()).unwrap(), plain);
}

#[test]
fn entries_that_lie_stay_as_they_are() {
    assert_eq!(check(&zip(&two_members(), |size, offset| Some((size + 1, offset)))), None);
    assert_eq!(check(&zip(&two_members(), |size, offset| Some((size, offset + 1)))), None);
    assert_eq!(check(&zip(&two_members(), |size, _| Some((size, u32::MAX - 1)))), None);
    // Both entries claim the first member's bytes: it is opened once.
    assert_eq!(
        check(&zip(&[two_members()[0].clone(), two_members()[0].clone()], |size, _| Some((size, 0)))).unwrap(),
        text(1, 4000)
    );
}

#[test]
fn a_wrong_checksum_is_carried() {
    let mut content = gzipped(&text(1, 5000));
    let last = content.len() - 5;
    content[last] ^= 1;
    assert_eq!(check(&content).unwrap(), text(1, 5000));
    let mut content = zlibbed(&text(1, 5000));
    *content.last_mut().unwrap() ^= 1;
    assert_eq!(check(&content), None);
}

#[test]
fn a_bare_zlib_stream_opens() {
    assert_eq!(check(&zlibbed(&text(1, 5000))).unwrap(), text(1, 5000));
    assert_eq!(check(&[zlibbed(&text(1, 5000)), vec![0]].concat()), None);
}

#[test]
fn long_streams_come_back() {
    let plain = text(3, 5 << 20);
    assert!(check(&gzipped(&plain)).unwrap() == plain);
    assert!(check(&libz_stream(&plain)).unwrap() == plain);
}

/// Corrections of preflate were a way once: to apply hostile ones took time and memory without end.
#[test]
fn a_stream_of_corrections_is_refused() {
    let plan = [&[0, 0x80 | 39, 8, 0][..], &[1, 1, 0x80 | 39, 8, 3, 7, 7, 7]].concat();
    let error = close(&plan, &Vec::new(), &text(1, 5000), &mut Vec::new(), 1 << 20).unwrap_err();
    assert!(matches!(error, Error::Way { stream: 0, way: 1 }), "{error}");
}

/// What Python's zlib, which is C zlib, makes of `plain`.
fn libz_stream(plain: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plain"), plain).unwrap();
    let script = "import zlib; open('packed','wb').write(zlib.compress(open('plain','rb').read(), 3))";
    common::run("python3", folder.path(), "python3", &["-c", script]);
    std::fs::read(folder.path().join("packed")).unwrap()
}

#[test]
fn what_is_not_compressed_is_told_at_once() {
    for content in [&b""[..], b"x", b"plain text", b"\x1f\x8b\x07 is no deflate"] {
        assert!(!looks_compressed(&content.to_vec()).unwrap());
        assert_eq!(check(content), None);
    }
    assert!(looks_compressed(&gzipped(b"x")).unwrap());
}

#[test]
fn a_content_longer_than_promised_is_refused() {
    let content = gzipped(&text(1, 5000));
    let opened = open(&content, &MemoryScratch).unwrap().unwrap();
    assert!(closed(&opened, content.len() as u64 - 1).is_err());
}

#[test]
fn other_plain_bytes_are_refused() {
    let content = gzipped(&text(1, 5000));
    let opened = open(&content, &MemoryScratch).unwrap().unwrap();
    for size in [4999, 5001] {
        let error = close(&opened.plan, &opened.inflated.skeleton, &text(1, size), &mut Vec::new(), 1 << 20);
        assert!(matches!(error, Err(Error::Plain { .. } | Error::Plan(0))), "{error:?}");
    }
}

/// Streams of every family, each with the features of its plan.
fn streams(plain: &[u8]) -> Vec<(Vec<u8>, &'static [&'static str])> {
    let go = |level| {
        let mut encoder = go::Encoder::new(go::Level::new(level).unwrap(), Vec::new());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    };
    let modern = |level, version, block| {
        let settings = modern::Settings { level: modern::Level::new(level).unwrap(), version, block };
        let mut encoder = modern::Encoder::new(settings, Vec::new());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    };
    let settings = pigz::Settings::new(6, 128, pigz::Chaining::Independent, false).unwrap();
    let mut pigz = pigz::Encoder::new(settings, Vec::new()).unwrap();
    pigz.write_all(plain).unwrap();
    vec![
        (deflated(plain).0, &[]),
        (go(6), &["deflate-2", "gzip-go-1"]),
        (go(1), &["deflate-2", "gzip-go-1"]),
        (modern(6, Version::V1_18_2, None), &["deflate-2", "gzip-modern-1"]),
        (modern(5, Version::V1_15_15, NonZeroU32::new(1 << 20)), &["deflate-2", "gzip-modern-1"]),
        (modern(5, Version::V1_18_2, NonZeroU32::new(1 << 18)), &["deflate-2", "gzip-modern-1"]),
        (modern(9, Version::V1_15_10, None), &["deflate-2", "gzip-modern-2"]),
        (pigz.finish().unwrap(), &["deflate-2", "gzip-pigz-1"]),
    ]
}

#[test]
fn every_family_makes_its_streams_again() {
    let plain = [text(1, 300_000), noise(2, 50_000), text(1, 40_000)].concat();
    for (stream, features) in streams(&plain) {
        let content = member(&stream, &plain);
        let opened = open(&content, &MemoryScratch).unwrap();
        let opened = opened.unwrap_or_else(|| panic!("a stream of {features:?} stays closed"));
        assert_eq!(opened.features.iter().copied().collect::<Vec<_>>(), features);
        assert!(opened.plan.len() < 20 && closed(&opened, content.len() as u64).unwrap() == content);
    }
    let joined: Vec<u8> = streams(&plain).iter().flat_map(|(stream, _)| member(stream, &plain)).collect();
    assert_eq!(check(&joined).unwrap().len(), 8 * plain.len());
}

#[test]
fn the_encoder_of_a_plan_is_one_of_deflate() {
    let plain = text(1, 640);
    let plan = |encoder: &[u8]| [&[0, 0x85, 0, 0][..], encoder].concat();
    let made = |encoder: &[u8]| close(&plan(encoder), &Vec::new(), &plain, &mut Vec::new(), 1 << 20);
    assert!(made(&[0, 6, 0x8f]).is_ok() && made(&[3, 1, 6, 0x8f]).is_ok() && made(&[3, 3, 6]).is_ok());
    // A family that is none, that of a zstd encoder with its settings, settings that are none, and those that are cut.
    for damaged in [&[3, 0][..], &[3, 6, 4, 2, 8], &[3, 7, 3, 1], &[3, 3, 10], &[3], &[3, 4, 5, 0], &[0, 6]] {
        assert!(matches!(made(damaged), Err(Error::Plan(0))), "{damaged:?}");
    }
    assert!(matches!(made(&[4]), Err(Error::Way { stream: 0, way: 4 })));
}

fn any_content() -> impl Strategy<Value = Vec<u8>> {
    let plain = (any::<u64>(), 0..20_000_usize).prop_map(|(seed, count)| text(seed, count));
    let piece = plain.prop_map(|plain| gzipped(&plain));
    prop_oneof![
        proptest::collection::vec(piece, 1..4).prop_map(|members| members.concat()),
        (any::<u64>(), 0..20_000_usize).prop_map(|(seed, count)| zlibbed(&text(seed, count))),
        (any::<u64>(), 0..5000_usize).prop_map(|(seed, count)| {
            zip(&[("a", text(seed, count)), ("b", text(seed / 2, 3 * count))], |size, offset| Some((size, offset)))
        }),
        (any::<u64>(), 0..2000_usize).prop_map(|(seed, count)| noise(seed, count)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn contents_come_back(content in any_content()) {
        check(&content);
    }

    #[test]
    fn damaged_and_cut_contents_come_back(
        mut content in any_content(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 0..4),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        for (at, change) in damage {
            if !content.is_empty() {
                let at = at.index(content.len());
                content[at] ^= change;
            }
        }
        if cuts && !content.is_empty() {
            content.truncate(cut.index(content.len()));
        }
        check(&content);
    }

    #[test]
    fn a_damaged_plan_is_an_error_or_other_bytes(
        seed in any::<u64>(),
        at in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let content = zip(&[("a", text(seed, 5000)), ("b", text(seed / 3, 2000))], |size, offset| Some((size, offset)));
        let mut opened = open(&content, &MemoryScratch).unwrap().unwrap();
        let at = at.index(opened.plan.len());
        opened.plan[at] ^= change;
        let most = content.len() as u64 + 100;
        if let Ok(bytes) = closed(&opened, most) {
            prop_assert!(bytes.len() as u64 <= most);
        }
    }
}
