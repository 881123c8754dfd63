//! VCDIFF and BSDIFF40 written by hand, instruction by instruction: what the standards say they mean, and each thing in them that
//! cannot be.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "it needs a full disk only")]
mod common;

use std::io::{self, Write};

use common::full::Full;
use delta_codec::compress::{Compression, Encoder};
use delta_codec::limits::VCDIFF_WINDOW_BYTES_MAX;
use delta_codec::{ReadAt, bsdiff, vcdiff};

const BASE: &[u8] = b"0123456789";

/// A number of VCDIFF (RFC 3284, section 2).
fn number(value: u64) -> Vec<u8> {
    let digits = (64 - (value | 1).leading_zeros()).div_ceil(7);
    (0..digits).rev().map(|digit| (value >> (7 * digit) & 0x7f) as u8 | if digit > 0 { 0x80 } else { 0 }).collect()
}

/// One window, part by part (RFC 3284, section 4.2).
#[derive(Clone)]
struct Window {
    indicator: u8,
    segment: Option<(u64, u64)>,
    size: u64,
    compression: u8,
    data: Vec<u8>,
    instructions: Vec<u8>,
    addresses: Vec<u8>,
    checksum: Option<u32>,
}

/// A window of all of [`BASE`] that makes `size` bytes.
fn window(size: u64, data: &[u8], instructions: &[u8], addresses: &[u8]) -> Window {
    Window {
        indicator: 1,
        segment: Some((BASE.len() as u64, 0)),
        size,
        compression: 0,
        data: data.to_vec(),
        instructions: instructions.to_vec(),
        addresses: addresses.to_vec(),
        checksum: None,
    }
}

impl Window {
    fn bytes(&self) -> Vec<u8> {
        let sections = [&self.data, &self.instructions, &self.addresses];
        let mut body = [number(self.size), vec![self.compression]].concat();
        sections.iter().for_each(|section| body.extend(number(section.len())));
        body.extend(self.checksum.iter().flat_map(|sum| sum.to_be_bytes()));
        sections.iter().for_each(|section| body.extend(*section));
        let mut bytes = vec![self.indicator | if self.checksum.is_some() { 4 } else { 0 }];
        bytes.extend(self.segment.iter().flat_map(|(length, position)| [number(*length), number(*position)].concat()));
        [bytes, number(body.len() as u64), body].concat()
    }
}

fn delta(windows: &[Window]) -> Vec<u8> {
    let windows: Vec<u8> = windows.iter().flat_map(Window::bytes).collect();
    [&b"\xd6\xc3\xc4\0\0"[..], &windows].concat()
}

fn decoded(delta: &[u8]) -> Result<Vec<u8>, vcdiff::Error> {
    let mut out = Vec::new();
    let length = vcdiff::decode(&BASE.to_vec(), delta, &mut out, 1 << 25)?;
    assert_eq!(length, out.len() as u64);
    Ok(out)
}

#[track_caller]
fn makes(expected: &[u8], window: &Window) {
    assert_eq!(decoded(&delta(std::slice::from_ref(window))).unwrap(), expected);
    for more in [0, 1] {
        let mut out = Vec::new();
        let most = expected.len() as u64 + more;
        vcdiff::decode(&BASE.to_vec(), delta(std::slice::from_ref(window)).as_slice(), &mut out, most).unwrap();
    }
}

#[track_caller]
fn refused(delta: &[u8], text: &str) {
    let error = decoded(delta).expect_err("an error").to_string();
    assert!(error.contains(text), "expected `{text}`: {error}");
}

#[track_caller]
fn refused_window(window: &Window, text: &str) {
    refused(&delta(std::slice::from_ref(window)), text);
}

#[test]
fn adds_and_runs() {
    makes(b"abc", &window(3, b"abc", &[4], b""));
    makes(b"abc", &window(3, b"abc", &[1, 3], b""));
    makes(b"xxxxx", &window(5, b"x", &[0, 5], b""));
    makes(b"abcxxdd", &window(7, b"abcxdd", &[4, 0, 2, 3], b""));
    let long = vec![7; 300];
    makes(&long, &window(300, &long, &[1, 0x82, 0x2c], b""));
    makes(b"", &window(0, b"", &[], b""));
}

#[test]
fn copies_in_every_mode() {
    // Itself, with its size in the table or behind it.
    makes(b"2345", &window(4, b"", &[20], &[2]));
    makes(b"56789", &window(5, b"", &[19, 5], &[5]));
    makes(b"0123456789", &window(10, b"", &[26], &[0]));
    // As a distance back from here, which is behind the segment.
    makes(b"6789", &window(4, b"", &[36], &[4]));
    makes(b"23452345", &window(8, b"", &[20, 36], &[2, 12]));
    // As a distance from one of the last four addresses, of which the next place is used in turn.
    makes(b"23455678", &window(8, b"", &[20, 52], &[2, 3]));
    makes(b"0123123423454567", &window(16, b"", &[20, 20, 20, 84], &[0, 1, 2, 2]));
    makes(b"01231234234534566789", &window(20, b"", &[20, 20, 20, 20, 100], &[0, 1, 2, 3, 3]));
    // The fifth takes the place of the first.
    makes(b"012312342345345645675678", &window(24, b"", &[20, 20, 20, 20, 20, 52], &[0, 1, 2, 3, 4, 1]));
    // As one that was used before, by its lowest byte.
    makes(b"23452345", &window(8, b"", &[20, 116], &[2, 2]));
}

#[test]
fn an_address_used_before_is_found_by_its_place_among_768() {
    let base: Vec<u8> = (0..2_000_u32).map(|at| (at % 251) as u8).collect();
    for address in [5_u64, 255, 256, 700, 767, 768, 1_023, 1_024, 1_900] {
        let slot = address % 768;
        let mode = u8::try_from(slot / 256).unwrap();
        let [low, ..] = slot.to_le_bytes();
        let addresses = [number(address), vec![low]].concat();
        let window = Window { segment: Some((2_000, 0)), ..window(8, b"", &[20, 116 + 16 * mode], &addresses) };
        let at = usize::try_from(address).unwrap();
        let mut out = Vec::new();
        vcdiff::decode(&base, delta(&[window]).as_slice(), &mut out, 8).unwrap();
        assert_eq!(out, [&base[at..at + 4], &base[at..at + 4]].concat(), "{address}");
    }
}

#[test]
fn two_instructions_in_one_byte() {
    makes(b"a2345", &window(5, b"a", &[163], &[2]));
    makes(b"abcd012345", &window(10, b"abcd", &[163 + 11], &[0]));
    makes(b"ab6789", &window(6, b"ab", &[163 + 12 + 3], &[6]));
    makes(b"2345z", &window(5, b"z", &[247], &[2]));
    makes(b"6789z", &window(5, b"z", &[248], &[4]));
}

#[test]
fn a_copy_may_reach_into_what_it_makes() {
    makes(b"abababab", &window(8, b"ab", &[3, 22], &[10]));
    makes(b"aaaaaaa", &window(7, b"a", &[2, 22], &[10]));
    makes(b"XY89XY89", &window(8, b"XY", &[3, 22], &[8]));
    makes(b"8989898989", &window(10, b"", &[26], &[8]));
}

#[test]
fn a_segment_is_a_part_of_the_base() {
    let inside = Window { segment: Some((4, 3)), ..window(4, b"", &[20], &[0]) };
    makes(b"3456", &inside);
    makes(b"aaaa", &Window { segment: None, indicator: 0, ..window(4, b"a", &[0, 4], b"") });
    makes(b"aaaaaaaa", &Window { segment: None, indicator: 0, ..window(8, b"a", &[0, 4, 20], &[0]) });
    refused_window(
        &Window { segment: Some((4, 7)), ..inside.clone() },
        "it needs 4 bytes of the base from 7 on, which has 10",
    );
    refused_window(&Window { segment: Some((11, 0)), ..inside.clone() }, "it needs 11 bytes");
    refused_window(&Window { segment: Some((2, u64::MAX - 1)), ..inside.clone() }, "it needs 2 bytes");
    refused_window(&Window { segment: None, indicator: 0, ..inside }, "instruction 20 at byte 0");
    makes(b"", &Window { segment: Some((0, 10)), ..window(0, b"", &[], b"") });
}

#[test]
fn windows_follow_each_other_each_with_caches_of_its_own() {
    let windows = [window(4, b"", &[20], &[2]), window(3, b"abc", &[4], b""), window(4, b"", &[52], &[3])];
    assert_eq!(decoded(&delta(&windows)).unwrap(), b"2345abc3456");
    assert_eq!(decoded(b"\xd6\xc3\xc4\0\0").unwrap(), b"");
    let mut out = Vec::new();
    let error = vcdiff::decode(&BASE.to_vec(), delta(&windows).as_slice(), &mut out, 10).unwrap_err().to_string();
    assert!(error.contains("in window 2: 4 bytes where at most 3 may come"), "{error}");
    assert_eq!(out, b"2345abc");
}

#[test]
fn instructions_beyond_their_window_cannot_be() {
    for (window, at) in [
        (window(2, b"abc", &[4], b""), "instruction 4 at byte 0"),
        (window(4, b"abcd", &[4, 3], b""), "instruction 3 at byte 3"),
        (window(2, b"x", &[0, 3], b""), "instruction 0 at byte 0"),
        (window(3, b"", &[20], &[2]), "instruction 20 at byte 0"),
        (window(4, b"a", &[163], &[2]), "instruction 163 at byte 1"),
        // Without its data, size or address.
        (window(3, b"ab", &[4], b""), "instruction 4 at byte 0"),
        (window(2, b"", &[0, 2], b""), "instruction 0 at byte 0"),
        (window(2, b"x", &[0], b""), "instruction 0 at byte 0"),
        (window(4, b"", &[19], &[2]), "instruction 19 at byte 0"),
        (window(4, b"", &[20], b""), "instruction 20 at byte 0"),
        (window(8, b"", &[20, 116], &[2]), "instruction 116 at byte 4"),
        // At or behind the place where it would be written, or before the first byte.
        (window(4, b"", &[20], &[10]), "instruction 20 at byte 0"),
        (window(4, b"", &[36], &[0]), "instruction 36 at byte 0"),
        (window(4, b"", &[36], &[11]), "instruction 36 at byte 0"),
        (window(8, b"", &[20, 20], &[2, 14]), "instruction 20 at byte 4"),
        (window(8, b"", &[20, 52], &[2, 12]), "instruction 52 at byte 4"),
    ] {
        refused_window(&window, &format!("{at} of it cannot be"));
    }
    makes(b"01232345", &window(8, b"", &[20, 36], &[0, 12]));
}

#[test]
fn a_window_uses_up_what_it_has() {
    refused_window(&window(4, b"abc", &[4], b""), "expected 4 bytes, found 3");
    refused_window(&window(3, b"abcd", &[4], b""), "expected 3 bytes, found 3");
    refused_window(&window(3, b"abc", &[4], &[1]), "expected 3 bytes, found 3");
    refused_window(&window(1, b"", &[], b""), "expected 1 bytes, found 0");
}

/// Adler-32 (RFC 1950, section 8.2).
fn adler(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    high << 16 | low
}

#[test]
fn a_checksum_is_compared() {
    let right = Window { checksum: Some(adler(b"2345")), ..window(4, b"", &[20], &[2]) };
    makes(b"2345", &right);
    for bit in 0..32 {
        let wrong = Window { checksum: Some(adler(b"2345") ^ 1 << bit), ..right.clone() };
        let error = decoded(&delta(&[window(3, b"abc", &[4], b""), wrong])).unwrap_err();
        assert!(matches!(error, vcdiff::Error::Checksum { window: 1, .. }), "{error}");
    }
}

#[test]
fn headers_are_read_or_refused_by_name() {
    let rest = &delta(&[window(3, b"abc", &[4], b"")])[5..];
    let with = |head: &[u8]| [head, rest].concat();
    for at in 0..4 {
        let mut head = *b"\xd6\xc3\xc4\0\0";
        head[at] ^= 1;
        refused(&with(&head), "which starts with d6 c3 c4 00");
    }
    for (id, name) in [(1, "`djw`"), (2, "`lzma`"), (16, "`fgk`"), (7, "`unknown secondary compressor`")] {
        refused(&with(&[0xd6, 0xc3, 0xc4, 0, 1, id]), name);
    }
    refused(&with(b"\xd6\xc3\xc4\0\x02\0"), "a code table of its own");
    for (length, is_refused) in [(0, false), (5, false), (1 << 16, false), ((1 << 16) + 1, true)] {
        let header =
            [&b"\xd6\xc3\xc4\0\x04"[..], &number(length), &vec![b'n'; usize::try_from(length).unwrap()]].concat();
        match is_refused {
            true => refused(&with(&header), "an application header of 65537 bytes"),
            false => assert_eq!(decoded(&with(&header)).unwrap(), b"abc"),
        }
    }
    refused(b"\xd6\xc3\xc4\0\x04\x09short", "it ends 4 bytes too early");
}

#[test]
fn window_heads_are_read_or_refused_by_name() {
    let good = window(3, b"abc", &[4], b"");
    refused_window(&Window { indicator: 2, ..good.clone() }, "VCD_TARGET");
    refused_window(&Window { indicator: 3, ..good.clone() }, "VCD_TARGET");
    for bit in 3..8 {
        refused_window(&Window { indicator: 1 | 1 << bit, ..good.clone() }, "unknown window indicator");
    }
    for bit in 0..3 {
        refused_window(&Window { compression: 1 << bit, ..good.clone() }, "secondary compression of sections");
    }
    let size = VCDIFF_WINDOW_BYTES_MAX + 1;
    refused_window(&Window { size, ..good.clone() }, "16777217 bytes where at most");
    // Each section is longer than all of them are said to be.
    let mut bytes = delta(&[good]);
    let encoded = bytes.iter().position(|byte| *byte == 9).unwrap();
    bytes[encoded] = 2;
    refused(&bytes, "sections of [3, 1, 0] bytes in 2");
}

#[test]
fn numbers_have_64_bits() {
    let head = b"\xd6\xc3\xc4\0\x04";
    refused(&[&head[..], &[0xff; 9], &[0x7f]].concat(), "a number too large");
    refused(&[&head[..], &[0x80; 11], &[0]].concat(), "a number without end");
    refused(&[&head[..], &[0x81], &[0x80; 8], &[0]].concat(), "an application header of 9223372036854775808 bytes");
    // Leading zeros are digits.
    let padded = [&head[..], &[0x80, 0x80, 1], b"n", &delta(&[window(3, b"abc", &[4], b"")])[5..]].concat();
    assert_eq!(decoded(&padded).unwrap(), b"abc");
}

#[test]
fn every_cut_but_that_between_windows_is_noticed() {
    let first = window(4, b"", &[20], &[2]);
    let second = Window { checksum: Some(adler(b"abc")), ..window(3, b"abc", &[4], b"") };
    let (between, whole) = (delta(std::slice::from_ref(&first)).len(), delta(&[first, second]));
    for length in 0..whole.len() {
        let result = decoded(&whole[..length]);
        assert_eq!(result.is_ok(), length == between || length == 5, "cut at {length}: {result:?}");
    }
}

#[test]
fn what_reading_and_writing_report_comes_through() {
    let delta = delta(&[window(4, b"", &[20], &[2])]);
    let error = vcdiff::decode(&BASE.to_vec(), delta.as_slice(), &mut Full, 4).unwrap_err();
    assert!(matches!(&error, vcdiff::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull), "{error}");
    let delta = bsdiff(&[[4, 0, 0]], &[0; 4], b"", 4);
    let error = bsdiff::decode(&BASE.to_vec(), &delta, &mut Full, 4).unwrap_err();
    assert!(matches!(&error, bsdiff::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull), "{error}");
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), Compression::Bzip2, Compression::Bzip2.default_level(), None).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A number of BSDIFF40: the sign is the highest bit.
fn signed(value: i64) -> [u8; 8] {
    (value.unsigned_abs() | if value < 0 { 1 << 63 } else { 0 }).to_le_bytes()
}

/// A delta of these triples (bytes to add, new bytes, how far to go on in the base).
fn bsdiff(triples: &[[i64; 3]], differences: &[u8], extra: &[u8], length: i64) -> Vec<u8> {
    let control: Vec<u8> = triples.iter().flatten().flat_map(|number| signed(*number)).collect();
    let [control, differences, extra] = [&control[..], differences, extra].map(bzip2);
    let lengths = [control.len() as i64, differences.len() as i64, length].map(signed).concat();
    [&b"BSDIFF40"[..], &lengths, &control, &differences, &extra].concat()
}

fn patched(delta: &[u8]) -> Result<Vec<u8>, bsdiff::Error> {
    let mut out = Vec::new();
    let length = bsdiff::decode(&BASE.to_vec(), &delta.to_vec(), &mut out, 1 << 20)?;
    assert_eq!(length, out.len() as u64);
    Ok(out)
}

#[track_caller]
fn unpatched(delta: &[u8], text: &str) {
    let error = patched(delta).expect_err("an error").to_string();
    assert!(error.contains(text), "expected `{text}`: {error}");
}

#[test]
fn triples_add_bring_and_go_on() {
    assert_eq!(patched(&bsdiff(&[[4, 0, 0]], &[0; 4], b"", 4)).unwrap(), b"0123");
    assert_eq!(patched(&bsdiff(&[[4, 2, 0]], &[1, 0, 255, 0], b"xy", 6)).unwrap(), b"1113xy");
    assert_eq!(patched(&bsdiff(&[[2, 0, 3], [2, 1, 0]], &[0; 4], b"x", 5)).unwrap(), b"0156x");
    assert_eq!(patched(&bsdiff(&[[2, 0, -2], [2, 0, 0]], &[0; 4], b"", 4)).unwrap(), b"0101");
    assert_eq!(patched(&bsdiff(&[[0, 3, 0]], b"", b"new", 3)).unwrap(), b"new");
    assert_eq!(patched(&bsdiff(&[[10, 0, 0]], &[0; 10], b"", 10)).unwrap(), BASE);
    assert_eq!(patched(&bsdiff(&[], b"", b"", 0)).unwrap(), b"");
    // Outside of the base for a while, where nothing is read.
    assert_eq!(patched(&bsdiff(&[[1, 1, -50], [0, 1, 53], [2, 0, 0]], &[0; 3], b"xy", 5)).unwrap(), b"0xy45");
    assert_eq!(patched(&bsdiff(&[[1, 0, 90], [0, 1, -86], [1, 0, 0]], &[0; 2], b"x", 3)).unwrap(), b"0x5");
}

#[test]
fn what_is_outside_of_the_base_is_never_read() {
    for triples in
        [&[[11, 0, 0]][..], &[[1, 0, 9], [1, 0, 0]], &[[1, 0, -2], [1, 0, 0]], &[[1, 0, i64::MIN + 1], [1, 0, 0]]]
    {
        let length = triples.iter().map(|[add, extra, _]| add + extra).sum();
        unpatched(
            &bsdiff(triples, &[0; 11], b"", length),
            "it needs bytes outside of the base; is the base another one?",
        );
    }
    unpatched(&bsdiff(&[[1, 0, i64::MAX], [1, 0, 0]], &[0; 2], b"", 2), "out of all bounds");
    let twice = [[0, 1, i64::MAX], [0, 1, i64::MAX], [0, 1, 0]];
    unpatched(&bsdiff(&twice, b"", b"xyz", 3), "a seek out of all bounds");
}

#[test]
fn triples_make_no_more_than_the_target() {
    for triples in
        [[[5, 0, 0]], [[0, 5, 0]], [[3, 2, 0]], [[i64::MAX, 0, 0]], [[0, i64::MAX, 0]], [[i64::MAX, i64::MAX, 0]]]
    {
        unpatched(&bsdiff(&triples, &[0; 9], b"123456789", 4), "more bytes than the target has");
    }
    // What the first one made counts.
    for second in [[2, 0, 0], [0, 2, 0], [1, 1, 0]] {
        let delta = bsdiff(&[[2, 1, 0], second], &[0; 9], b"123456789", 4);
        unpatched(&delta, "at byte 3 of the target: more bytes than the target has");
    }
    for triples in [[[-1, 5, 0]], [[5, -1, 0]], [[i64::MIN + 1, 0, 0]]] {
        unpatched(&bsdiff(&triples, &[0; 9], b"123456789", 4), "a negative length");
    }
    unpatched(&bsdiff(&[[0, 4, 0]], b"", b"abc", 4), "too few new bytes");
    unpatched(&bsdiff(&[[1, 1, 0], [1, 2, 0]], &[0; 2], b"ab", 5), "at byte 3 of the target: too few new bytes");
}

#[test]
fn triples_that_make_nothing_are_no_more_than_the_bytes_of_the_target() {
    let with = |empty: usize| bsdiff(&[vec![[0, 0, 1]; empty], vec![[3, 0, 0]]].concat(), &[0; 3], b"", 3);
    assert_eq!(patched(&with(3)).unwrap(), b"345");
    unpatched(&with(4), "at byte 0 of the target: more triples that make nothing than the target has bytes");
    // Where the target is whole nothing is read any more.
    let behind = [vec![[3, 0, 0]], vec![[0, 0, 1]; 9]].concat();
    assert_eq!(patched(&bsdiff(&behind, &[0; 3], b"", 3)).unwrap(), b"012");
}

#[test]
fn heads_of_bsdiff_are_read_or_refused() {
    let good = bsdiff(&[[4, 0, 0]], &[0; 4], b"", 4);
    for at in 0..8 {
        let mut other = good.clone();
        other[at] ^= 1;
        unpatched(&other, "expected a delta that starts with BSDIFF40");
    }
    for at in [15, 23, 31] {
        let mut negative = good.clone();
        negative[at] |= 0x80;
        unpatched(&negative, "a negative length in the header");
    }
    let with = |control: i64, differences: i64| {
        let mut other = good.clone();
        other[8..24].copy_from_slice(&[signed(control), signed(differences)].concat());
        other
    };
    let rest = good.len() as i64 - 32;
    for (control, differences) in [(rest + 1, 0), (0, rest + 1), (rest, 1), (i64::MAX, 0), (i64::MAX, i64::MAX)] {
        unpatched(&with(control, differences), "streams longer than the delta");
    }
    assert!(patched(&with(rest, 0)).is_err());
    for (most, is_refused) in [(3, true), (4, false)] {
        let result = bsdiff::decode(&BASE.to_vec(), &good, &mut io::sink(), most);
        assert_eq!(result.is_err(), is_refused, "{result:?}");
    }
    for length in 0..good.len() {
        // What is left of the last, empty stream is never read.
        let ends = patched(&good[..length]);
        assert!(ends.is_err() || length > good.len() - bzip2(b"").len() - 1, "cut at {length}");
    }
}

#[test]
fn a_base_that_shrinks_while_it_is_read_is_an_error() {
    struct Shrunk;
    impl ReadAt for Shrunk {
        fn len(&self) -> u64 {
            10
        }
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            BASE[..6].read_at(buffer, offset)
        }
    }
    assert!(vcdiff::decode(&Shrunk, delta(&[window(4, b"", &[20], &[5])]).as_slice(), &mut io::sink(), 4).is_err());
    assert!(bsdiff::decode(&Shrunk, &bsdiff(&[[10, 0, 0]], &[0; 10], b"", 10), &mut io::sink(), 10).is_err());
}
