//! Plans of opened contents, written by hand, number by number (FORMAT.md, section 9.3): what they make, and each that cannot be.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use common::archives::{deflated, gzipped, text, zlibbed};
use common::container_parts::Png;
use common::full::Full;
use delta_codec::deflate::{Error, close, nested};
use delta_codec::limits::{DEFLATE_DEPTH, DEFLATE_IDAT_CHUNKS, DEFLATE_NESTED};
use delta_codec::{MemoryScratch, ReadAt};
use proptest::prelude::*;

/// C zlib at level 6 as a plan has it: the way, strategy and level, memory level and window.
const ZLIB: &[u8] = &[0, 0x06, 0x8f];

/// C zlib at level 1, for what is long.
const FAST: &[u8] = &[0, 0x01, 0x8f];

const RAW: &[u8] = &[0];
const GZIP: &[u8] = &[1];
const ZLIB_WRAPPING: &[u8] = &[2, 0x78, 0x9c];

/// A number (RFC 3284, section 2).
fn number(value: u64) -> Vec<u8> {
    let digits = (64 - (value | 1).leading_zeros()).div_ceil(7);
    (0..digits).rev().map(|digit| (value >> (7 * digit) & 0x7f) as u8 | if digit > 0 { 0x80 } else { 0 }).collect()
}

/// The description of one stream.
fn step(gap: u64, plain: u64, wrapping: &[u8], encoder: &[u8]) -> Vec<u8> {
    [&number(gap)[..], &number(plain), wrapping, encoder].concat()
}

/// Image data in runs of chunks: how many, and how long each.
fn idat(runs: &[(u64, u64)]) -> Vec<u8> {
    let runs_written = runs.iter().flat_map(|(count, length)| [number(*count), number(*length)].concat());
    [3, 0x78, 0x9c].into_iter().chain(number(runs.len() as u64)).chain(runs_written).collect()
}

fn closed(plan: &[u8], skeleton: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let length = close(plan, &skeleton.to_vec(), &plain.to_vec(), &mut out, 1 << 30)?;
    assert_eq!(length, out.len() as u64);
    Ok(out)
}

#[track_caller]
fn refused(plan: &[u8], skeleton: &[u8], plain: &[u8], words: &str) {
    let error = closed(plan, skeleton, plain).expect_err("an error").to_string();
    assert_eq!(error, words);
}

/// The chunks of a png without what stands around them.
fn chunks(data: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (png, frame) = (Png::of(data, cuts).bytes(), Png::of(b"", &[]).bytes());
    // The signature and IHDR before them, IEND behind.
    png[8 + 25..png.len() - (frame.len() - 8 - 25)].to_vec()
}

#[test]
fn each_wrapping_is_made_of_the_plain_bytes() {
    let plain = text(1, 640);
    let stream = deflated(&plain).0;
    let whole = zlibbed(&plain);
    let length = whole.len();
    for (wrapping, made) in [
        (RAW.to_vec(), stream.clone()),
        (GZIP.to_vec(), gzipped(&plain)[10..].to_vec()),
        (ZLIB_WRAPPING.to_vec(), whole.clone()),
        (idat(&[(1, length as u64)]), chunks(&whole, &[length])),
        (idat(&[(3, 2), (1, length as u64 - 6)]), chunks(&whole, &[2, 2, 2, length - 6])),
        // Empty chunks before, between and behind, and a run of none.
        (idat(&[(2, 0), (1, 7), (0, 99), (1, 0), (1, length as u64 - 7), (2, 0)]), {
            chunks(&whole, &[0, 0, 7, 0, length - 7, 0, 0])
        }),
    ] {
        let plan = step(4, 640, &wrapping, ZLIB);
        assert_eq!(closed(&plan, b"headtail", &plain).unwrap(), [b"head", &made[..], b"tail"].concat(), "{wrapping:?}");
        for length in 1..plan.len() {
            refused(&plan[..length], b"headtail", &plain, "the description of the compressed stream 0 is damaged");
        }
    }
    assert_eq!(closed(b"", b"only a skeleton", b"").unwrap(), b"only a skeleton");
}

#[test]
fn image_data_fills_its_chunks_and_does_not_overflow_them() {
    let plain = text(1, 640);
    let length = zlibbed(&plain).len() as u64;
    for (runs, words) in [
        (vec![(1, length - 1)], "the stream overflows its chunks"),
        (vec![], "the stream overflows its chunks"),
        (vec![(9, 0)], "the stream overflows its chunks"),
        (vec![(1, length + 1)], "the stream does not fill its chunks"),
        (vec![(1, length), (1, 1)], "the stream does not fill its chunks"),
        (vec![(1, length), (1, 0), (1, 1)], "the stream does not fill its chunks"),
    ] {
        let words = format!("the compressed stream 0 cannot be made again: {words}");
        refused(&step(0, 640, &idat(&runs), ZLIB), b"", &plain, &words);
    }
}

#[test]
fn chunks_of_image_data_have_a_number_and_a_length_that_there_may_be() {
    let (most, plain) = (DEFLATE_IDAT_CHUNKS as u64, text(1, 640));
    let data = zlibbed(&plain);
    let length = data.len() as u64;
    for (runs, is_known) in [
        (vec![(most - 1, 0), (1, length)], true),
        (vec![(most, 0), (1, length)], false),
        (vec![(most / 2, 0), (most / 2, 0), (1, length)], false),
        (vec![(most / 2, 0), (1, length), (most / 2 - 1, 0)], true),
        (vec![(u64::MAX, 0), (1, length)], false),
        (vec![(most - 1, 0), (u64::MAX, 0)], false),
        (vec![(0, 1 << 32), (1, length)], false),
        (vec![(0, (1 << 32) - 1), (1, length)], true),
    ] {
        let made = closed(&step(0, 640, &idat(&runs), ZLIB), b"", &plain);
        assert_eq!(made.is_ok(), is_known, "{runs:?}");
        assert!(made.is_ok() || matches!(made, Err(Error::Plan(0))), "{runs:?}");
    }
    // A run that is promised and not there.
    let promised = [&[3, 0x78, 0x9c][..], &number(u64::MAX), &number(1), &number(length)].concat();
    refused(&step(0, 640, &promised, ZLIB), b"", &plain, "the description of the compressed stream 0 is damaged");
}

#[test]
fn another_wrapping_or_way_is_none() {
    for wrapping in 4..=255 {
        refused(&step(0, 0, &[wrapping], ZLIB), b"", b"", "the description of the compressed stream 0 is damaged");
    }
    for way in [1].into_iter().chain(4..=255) {
        let words = format!("the compressed stream 1 is to be made in the way {way}, which is none");
        refused(&[step(0, 0, RAW, ZLIB), step(0, 0, RAW, &[way])].concat(), b"", b"", &words);
    }
}

#[test]
fn an_error_names_the_stream_that_it_is_about() {
    let plain = text(1, 300);
    let good = step(2, 100, RAW, ZLIB);
    let skeleton = b"aabb";
    for (third, words) in [
        // More of the skeleton or of the plain bytes than there is.
        (step(1, 100, RAW, ZLIB), "the description of the compressed stream 2 is damaged"),
        (step(0, 101, RAW, ZLIB), "the description of the compressed stream 2 is damaged"),
        (step(0, u64::MAX, RAW, ZLIB), "the description of the compressed stream 2 is damaged"),
        (step(u64::MAX, 100, RAW, ZLIB), "the description of the compressed stream 2 is damaged"),
        (
            step(0, 100, &idat(&[(1, 1)]), ZLIB),
            "the compressed stream 2 cannot be made again: the stream overflows its chunks",
        ),
        // Less of the plain bytes.
        (step(0, 99, RAW, ZLIB), "the compressed streams take 299 plain bytes, found 300"),
        (vec![], "the compressed streams take 200 plain bytes, found 300"),
    ] {
        refused(&[&good[..], &good, &third].concat(), skeleton, &plain, words);
    }
}

#[test]
fn streams_come_in_their_order_however_many_are_made_side_by_side() {
    // More than 1024, each of another length.
    let plain = text(1, 2_100 * 3);
    let lengths = (0..2_100).map(|at| 1 + at % 5);
    let (mut plan, mut expected, mut at) = (Vec::new(), Vec::new(), 0);
    for (count, length) in lengths.enumerate() {
        let gap = u64::from(count % 2 == 0);
        plan.extend(step(gap, length as u64, RAW, ZLIB));
        expected.extend(vec![b's'; usize::from(count % 2 == 0)]);
        expected.extend(deflated(&plain[at..at + length]).0);
        at += length;
    }
    expected.extend(b"end");
    let skeleton = [vec![b's'; 1_050], b"end".to_vec()].concat();
    assert!(closed(&plan, &skeleton, &plain[..at]).unwrap() == expected);
}

#[test]
fn long_streams_come_in_their_order_too() {
    // Short ones before and behind one of more than 4 MiB, and more than 16 MiB of short ones.
    let lengths = [10, (4 << 20) + 1, 20, 4 << 20, 4 << 20, 4 << 20, 4 << 20, 30];
    let plain: Vec<u8> = (0_u8..).zip(lengths).flat_map(|(byte, length)| vec![byte; length]).collect();
    let plan: Vec<u8> = lengths.iter().flat_map(|length| step(1, *length as u64, GZIP, FAST)).collect();
    let made = closed(&plan, b"12345678", &plain).unwrap();
    let mut rest = made.as_slice();
    for (number, length) in (0_u8..).zip(lengths) {
        let (mark, behind) = rest.split_first().unwrap();
        assert_eq!(*mark, b'1' + number);
        let mut decoder = flate2::bufread::DeflateDecoder::new(behind);
        let mut again = Vec::new();
        io::Read::read_to_end(&mut decoder, &mut again).unwrap();
        assert!(again == vec![number; length]);
        let mut crc = flate2::Crc::new();
        crc.update(&again);
        let end = usize::try_from(decoder.total_in()).unwrap();
        assert_eq!(behind[end..end + 4], crc.sum().to_le_bytes());
        assert_eq!(behind[end + 4..end + 8], u32::try_from(length).unwrap().to_le_bytes());
        rest = &behind[end + 8..];
    }
    assert!(rest.is_empty());
}

#[test]
fn no_byte_more_than_promised_is_written() {
    let plain = text(1, 640);
    let plan = step(4, 640, GZIP, ZLIB);
    let whole = closed(&plan, b"headtail", &plain).unwrap();
    for most in 0..=whole.len() as u64 + 1 {
        let mut out = Vec::new();
        let made = close(&plan, &b"headtail".to_vec(), &plain, &mut out, most);
        assert!(out.len() as u64 <= most && whole.starts_with(&out));
        match made {
            Ok(length) => assert!(length == whole.len() as u64 && most >= length && out == whole),
            Err(error) => {
                assert!(most < whole.len() as u64);
                assert_eq!(error.to_string(), "it becomes longer than promised");
            }
        }
    }
}

/// So many zeros, and how many of them were read.
struct Counted(u64, AtomicU64);

impl ReadAt for Counted {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.0 - offset).unwrap());
        buffer[..count].fill(0);
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[test]
fn what_is_made_before_it_is_written_is_bounded() {
    // Level 0 writes as it reads.
    const STORED: &[u8] = &[0, 0x00, 0x8f];
    let held = 4 << 20;
    for (what, count, length, encoder, read) in [
        ("as many streams as there are", 1_023, 1, ZLIB, 1_023..=1_023),
        ("1024 streams of those", 3_000, 1, ZLIB, 1_024..=1_024),
        ("16 MiB of those", 8, held, FAST, 16 << 20..=16 << 20),
        ("all of a stream of 4 MiB", 1, held, STORED, held..=held),
        ("a part of a longer one", 1, held + 1, STORED, 1..=held / 2),
    ] {
        let plain = Counted(count * length, AtomicU64::new(0));
        let plan = step(0, length, RAW, encoder).repeat(usize::try_from(count).unwrap());
        close(&plan, &Vec::new(), &plain, &mut Full, u64::MAX).unwrap_err();
        let found = plain.1.load(Ordering::Relaxed);
        assert!(read.contains(&found), "{what}: {found} bytes were read");
    }
}

#[test]
fn what_reading_and_writing_report_comes_through() {
    let length = (4 << 20) + 1;
    for (plan, plain) in
        [(step(0, 640, RAW, ZLIB), 640), (step(0, length, RAW, FAST), usize::try_from(length).unwrap()), (vec![], 0)]
    {
        let error = close(&plan, &b"skeleton".to_vec(), &vec![0; plain], &mut Full, 1 << 30).unwrap_err();
        assert!(matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::StorageFull), "{error}");
    }
}

/// A plan of a content that may hold others: the lengths of the opened content and its skeleton, the streams, and what is nested.
fn nesting(opened: u64, skeleton: u64, streams: &[u8], inner: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let inner = inner.iter().flat_map(|(gap, plan)| [number(*gap), number(plan.len() as u64), plan.clone()].concat());
    [number(opened), number(skeleton), number(streams.len() as u64), streams.to_vec()]
        .concat()
        .into_iter()
        .chain(inner)
        .collect()
}

fn unnested(plan: &[u8], opened: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let length = nested::close(plan, &opened.to_vec(), &MemoryScratch, &mut out, 1 << 30)?;
    assert_eq!(length, out.len() as u64);
    Ok(out)
}

#[track_caller]
fn is_no_nesting(plan: &[u8], opened: &[u8]) {
    let made = unnested(plan, opened);
    assert!(matches!(made, Err(Error::Nesting)), "{made:?}");
}

#[test]
fn a_nested_plan_takes_the_place_of_plain_bytes() {
    let inner_plain = text(1, 200);
    let inner = gzipped(&inner_plain);
    let header = inner[..10].to_vec();
    let plan = nesting(210, 10, &step(10, 200, GZIP, ZLIB), &[]);
    assert_eq!(unnested(&plan, &[header.clone(), inner_plain.clone()].concat()).unwrap(), inner);
    // Three plain bytes, what is nested, and two more are the plain bytes of one stream.
    let around = [b"one".to_vec(), inner.clone(), b"to".to_vec()].concat();
    let stream = step(1, around.len() as u64, RAW, ZLIB);
    let outer = nesting(2 + 3 + 210 + 2, 2, &stream, &[(3, plan.clone())]);
    let opened = [&b"<>one"[..], &header, &inner_plain, b"to"].concat();
    let expected = [b"<", &deflated(&around).0[..], b">"].concat();
    assert_eq!(unnested(&outer, &opened).unwrap(), expected);
    assert_eq!(nested::opened_length(&outer), Some(opened.len() as u64));
    for length in 0..outer.len() {
        assert!(unnested(&outer[..length], &opened).is_err(), "cut to {length} bytes");
    }
    // Two that follow each other without a byte between them.
    let twice = [inner.clone(), inner].concat();
    let stream = step(0, twice.len() as u64, RAW, ZLIB);
    let outer = nesting(420, 0, &stream, &[(0, plan.clone()), (0, plan)]);
    assert_eq!(unnested(&outer, &[header, inner_plain].concat().repeat(2)).unwrap(), deflated(&twice).0);
}

#[test]
fn lengths_that_lead_outside_of_the_opened_content_are_refused() {
    let opened = text(1, 200);
    let stream = step(0, 200, RAW, ZLIB);
    let nothing = nesting(0, 0, b"", &[]);
    assert_eq!(unnested(&nesting(200, 0, &stream, &[]), &opened).unwrap(), deflated(&opened).0);
    assert_eq!(unnested(&nesting(200, 200, b"", &[]), &opened).unwrap(), opened);
    for length in [0, 199, 201, u64::MAX] {
        is_no_nesting(&nesting(length, 0, &stream, &[]), &opened);
    }
    for skeleton in [201, u64::MAX] {
        is_no_nesting(&nesting(200, skeleton, b"", &[]), &opened);
    }
    for (skeleton, gap) in [(0, 201), (200, 1), (1, u64::MAX)] {
        is_no_nesting(&nesting(200, skeleton, &stream, &[(gap, nothing.clone())]), &opened);
    }
    // What is nested says that it has more than is left.
    for (gap, length) in [(0, 201), (199, 2), (200, 1), (0, u64::MAX)] {
        is_no_nesting(&nesting(200, 0, &stream, &[(gap, nesting(length, 0, b"", &[]))]), &opened);
    }
    // Plans that are longer than what is there, and one that is empty.
    let whole = nesting(200, 0, &stream, &[(0, nothing)]);
    for (at, what) in [(3, "the streams"), (whole.len() - 4, "what is nested")] {
        let mut longer = whole.clone();
        longer[at] += 100;
        assert!(unnested(&longer, &opened).is_err(), "{what}");
    }
    is_no_nesting(&nesting(200, 0, &stream, &[(0, Vec::new())]), &opened);
    assert_eq!(nested::opened_length(&[]), None);
    assert_eq!(nested::opened_length(&[0x80]), None);
}

#[test]
fn contents_are_nested_up_to_the_limits() {
    let nothing = || (0, nesting(0, 0, b"", &[]));
    let wide = |count: usize| nesting(0, 0, b"", &vec![nothing(); count]);
    assert_eq!(unnested(&wide(DEFLATE_NESTED), b"").unwrap(), b"");
    is_no_nesting(&wide(DEFLATE_NESTED + 1), b"");
    // Those in different contents count together.
    let half = DEFLATE_NESTED / 2;
    let both = |more: usize| nesting(0, 0, b"", &[(0, wide(half - 1)), (0, wide(half - 1 + more))]);
    assert_eq!(unnested(&both(0), b"").unwrap(), b"");
    is_no_nesting(&both(1), b"");
    let deep = |levels: u32| (1..levels).fold(nothing().1, |inner, _| nesting(0, 0, b"", &[(0, inner)]));
    assert_eq!(unnested(&deep(DEFLATE_DEPTH), b"").unwrap(), b"");
    assert!(nested::features(&deep(DEFLATE_DEPTH)).is_ok());
    is_no_nesting(&deep(DEFLATE_DEPTH + 1), b"");
    assert!(matches!(nested::features(&deep(DEFLATE_DEPTH + 1)), Err(Error::Nesting)));
}

#[test]
fn the_features_of_a_plan_are_those_of_its_encoders() {
    let pgzip = [&[3, 4, 5, 1][..], &(1_u32 << 20).to_be_bytes()].concat();
    for (encoder, features) in [
        (ZLIB, &[][..]),
        (&[3, 1, 0x06, 0x8f], &[]),
        (&[2, 9], &["gzip-gnu-1"]),
        (&[3, 5, 9], &["gzip-gnu-1"]),
        (&[3, 2, 6, 0, 128], &["deflate-2", "gzip-pigz-1"]),
        (&[3, 3, 6], &["deflate-2", "gzip-go-1"]),
        (&pgzip, &["deflate-2", "gzip-modern-1"]),
        (&[3, 9, 9, 0, 0, 0, 0, 0], &["deflate-2", "gzip-modern-2"]),
    ] {
        let inner = nesting(0, 0, &step(0, 0, RAW, encoder), &[]);
        let outer = nesting(0, 0, b"", &[(0, inner.clone())]);
        for plan in [inner, outer] {
            assert_eq!(nested::features(&plan).unwrap().into_iter().collect::<Vec<_>>(), features, "{encoder:?}");
        }
    }
    // An encoder of Zstandard makes no deflate stream.
    for encoder in [&[3, 6, 4, 2, 8][..], &[3, 7, 3, 1]] {
        assert!(matches!(nested::features(&nesting(0, 0, &step(0, 0, RAW, encoder), &[])), Err(Error::Plan(0))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_a_plan_or_none_but_no_panic(
        plan in proptest::collection::vec(prop_oneof![4 => 0..8_u8, 1 => any::<u8>()], 0..60),
        opened in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let _ = closed(&plan, &opened, b"plain bytes");
        let _ = nested::features(&plan);
        let length = u8::try_from(opened.len()).unwrap();
        let _ = unnested(&[&[length][..], &plan].concat(), &opened);
    }
}
