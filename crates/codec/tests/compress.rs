//! The compressors: round trips, the real programs both ways, and what a level promises.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::io::{self, Read, Write};

use common::full::Full;
use common::{base_and_target, noise, run};
use delta_codec::compress::{Compression, Encoder, Level, decoder};
use proptest::prelude::*;

fn compressed(bytes: &[u8], compression: Compression, level: Level) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), compression, level, Some(bytes.len() as u64)).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn plain(bytes: &[u8], compression: Compression) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    decoder(compression, bytes)?.read_to_end(&mut out).map(|_| out)
}

fn text() -> Vec<u8> {
    let lines = noise(1, 40_000);
    lines.iter().flat_map(|byte| format!("line {} of {}\n", byte, byte / 7).into_bytes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn bytes_come_back((base, target) in base_and_target(), index in 0..5_usize) {
        let compression = Compression::ALL[index];
        for bytes in [base, target] {
            let packed = compressed(&bytes, compression, compression.default_level());
            prop_assert_eq!(plain(&packed, compression).unwrap(), bytes);
        }
    }

    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), value in any::<u8>(), index in 0..4_usize) {
        let compression = Compression::ALL[index];
        let mut packed = compressed(&text()[..5_000], compression, compression.default_level());
        *at.get_mut(&mut packed) = value;
        let _ = plain(&packed, compression);
    }
}

#[test]
fn the_first_bytes_tell() {
    for compression in Compression::ALL {
        let packed = compressed(b"text", compression, compression.default_level());
        assert_eq!(Compression::detect(&packed), compression);
        assert_eq!(compression.name().parse::<Compression>().unwrap(), compression);
    }
    assert_eq!(Compression::detect(b""), Compression::None);
    assert_eq!(
        "lz4".parse::<Compression>().unwrap_err().to_string(),
        "expected a compression (zstd, gzip, bzip2, xz or none), found `lz4`"
    );
}

#[test]
fn the_first_bytes_tell_each_magic_from_its_neighbours() {
    let told = |bytes: &[u8]| Compression::detect(bytes);
    for (bytes, compression) in [
        (&b"\x28\xb5\x2f\xfd"[..], Compression::Zstd),
        (b"\x50\x2a\x4d\x18", Compression::Zstd),
        (b"\x5f\x2a\x4d\x18", Compression::Zstd),
        (b"\x1f\x8b\x08", Compression::Gzip),
        (b"BZh1", Compression::Bzip2),
        (b"BZh9", Compression::Bzip2),
        (b"\xfd7zXZ\0", Compression::Xz),
    ] {
        assert_eq!(told(bytes), compression);
        for length in 0..bytes.len() {
            assert_eq!(told(&bytes[..length]), Compression::None, "{bytes:?} cut to {length} bytes");
        }
    }
    for other in [&b"\x4f\x2a\x4d\x18"[..], b"\x60\x2a\x4d\x18", b"\x1f\x8b\x07", b"BZh0", b"BZh:", b"\xfd7zXZ\x01"] {
        assert_eq!(told(other), Compression::None, "{other:?}");
    }
}

#[test]
fn names_and_suffixes_tell_too() {
    for (compression, name, suffix) in [
        (Compression::Zstd, "zstd", ".zst"),
        (Compression::Gzip, "gzip", ".gz"),
        (Compression::Bzip2, "bzip2", ".bz2"),
        (Compression::Xz, "xz", ".xz"),
        (Compression::None, "none", ""),
    ] {
        assert_eq!(
            (compression.name(), compression.suffix(), compression.to_string()),
            (name, suffix, name.to_owned())
        );
        assert_eq!(Compression::of_name(&format!("some.tar{suffix}")), compression);
        assert_eq!(Compression::of_name(suffix), compression);
    }
    for other in ["", "zst", "file.zst.part", "file.ZST", "xz/file"] {
        assert_eq!(Compression::of_name(other), Compression::None, "{other}");
    }
}

/// A zstd frame of `abc` whose window is this (RFC 8878, 3.1.1): the logarithm less 10, and eighths.
fn frame_with_window(log: u8, eighths: u8) -> Vec<u8> {
    [&b"\x28\xb5\x2f\xfd\0"[..], &[(log - 10) << 3 | eighths], b"\x19\0\0abc"].concat()
}

#[test]
fn a_zstd_window_has_at_most_128_mebibytes() {
    for (log, eighths, is_read) in
        [(10, 0, true), (26, 7, true), (27, 0, true), (27, 1, false), (28, 0, false), (41, 7, false)]
    {
        let read = plain(&frame_with_window(log, eighths), Compression::Zstd);
        assert_eq!(read.is_ok(), is_read, "{log} {eighths}: {read:?}");
        assert!(read.is_err() || read.unwrap() == b"abc");
    }
}

/// An xz stream of `text` whose header says a dictionary of `2 | odd` times 2 to this power (xz file format, 5.3.1).
fn stream_with_dictionary(power: u8, odd: u8) -> Vec<u8> {
    let mut packed = compressed(b"text", Compression::Xz, Compression::Xz.default_level());
    // The header of the first block: its size, its flags, the filter, the size of its properties, the dictionary.
    assert_eq!(packed[13..16], [0, 0x21, 1]);
    let end = 12 + 4 * usize::from(packed[12]);
    packed[16] = (power - 11) << 1 | odd;
    let mut crc = flate2::Crc::new();
    crc.update(&packed[12..end]);
    packed[end..end + 4].copy_from_slice(&crc.sum().to_le_bytes());
    packed
}

#[test]
fn an_xz_dictionary_has_at_most_what_the_memory_for_it_holds() {
    for (power, odd, is_read) in
        [(11, 0, true), (25, 0, true), (26, 0, true), (26, 1, false), (27, 0, false), (30, 1, false)]
    {
        let read = plain(&stream_with_dictionary(power, odd), Compression::Xz);
        assert_eq!(read.is_ok(), is_read, "{power} {odd}: {read:?}");
        assert!(read.is_err() || read.unwrap() == b"text");
    }
}

#[test]
fn streams_behind_each_other_are_read_as_one_and_a_cut_one_is_an_error() {
    for compression in [Compression::Zstd, Compression::Gzip, Compression::Bzip2, Compression::Xz] {
        let one = compressed(b"one and ", compression, compression.default_level());
        let two = compressed(b"two", compression, compression.default_level());
        assert_eq!(plain(&[&one[..], &two].concat(), compression).unwrap(), b"one and two", "{compression}");
        for length in one.len() + 4..one.len() + two.len() {
            let read = plain(&[&one[..], &two].concat()[..length], compression);
            assert!(read.is_err(), "{compression} cut to {length} bytes: {read:?}");
        }
    }
}

/// The descriptor of a zstd frame, and of its window where it has one.
fn zstd_header(level: i32, size: Option<u64>) -> (bool, Option<u8>) {
    let level = Level::new(Compression::Zstd, level).unwrap();
    let mut encoder = Encoder::new(Vec::new(), Compression::Zstd, level, size).unwrap();
    encoder.write_all(&vec![7; usize::try_from(size.unwrap_or(5)).unwrap()]).unwrap();
    let frame = encoder.finish().unwrap();
    let is_single_segment = frame[4] & 0x20 != 0;
    (is_single_segment, (!is_single_segment).then(|| 10 + (frame[5] >> 3)))
}

#[test]
fn a_window_of_zstd_is_the_largest_or_holds_what_comes() {
    for level in [2, 3, 9] {
        assert_eq!(zstd_header(level, None), (false, Some(27)), "{level}");
        for size in [0, 1, 1_023, 1_024, 1_025, (1 << 20) - 1, 1 << 20, (1 << 20) + 1] {
            assert_eq!(zstd_header(level, Some(size)), (true, None), "all of {size} bytes at level {level}");
        }
    }
    // Level 1 and those below are fast, and keep the windows that zstd gives them.
    assert_eq!(zstd_header(1, None), (false, Some(19)));
}

#[test]
fn another_size_than_was_promised_is_an_error() {
    for (promised, written) in [(3, 4), (4, 3), (0, 1)] {
        let level = Compression::Zstd.default_level();
        let mut encoder = Encoder::new(Vec::new(), Compression::Zstd, level, Some(promised)).unwrap();
        let made = encoder.write_all(&vec![7; written]).and_then(|()| encoder.finish());
        assert!(made.is_err(), "{promised} promised, {written} written");
    }
}

#[test]
fn what_is_flushed_can_be_read_before_the_end() {
    for compression in Compression::ALL {
        let mut encoder = Encoder::new(Vec::new(), compression, compression.default_level(), None).unwrap();
        encoder.write_all(b"first").unwrap();
        encoder.flush().unwrap();
        encoder.write_all(b", then more").unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(plain(&packed, compression).unwrap(), b"first, then more", "{compression}");
    }
}

#[test]
fn levels_are_checked() {
    for (compression, good, bad) in [
        (Compression::Zstd, [-100, -1, 22], [-101, 0, 23]),
        (Compression::Gzip, [1, 5, 9], [0, 10, -1]),
        (Compression::Xz, [1, 5, 9], [0, 10, -1]),
    ] {
        assert!(good.iter().all(|level| Level::new(compression, *level).is_ok()));
        for level in bad {
            let error = Level::new(compression, level).unwrap_err().to_string();
            assert!(error.contains(&format!("found {level}")), "{error}");
        }
    }
    let words = |compression, level| Level::new(compression, level).unwrap_err().to_string();
    assert_eq!(
        words(Compression::Zstd, 23),
        "expected a level of 1 to 22, or -1 to -100 for the fast mode of zstd, found 23"
    );
    assert_eq!(words(Compression::Bzip2, 0), "expected a level of 1 to 9 for bzip2, found 0");
    assert_eq!(words(Compression::None, 10), "expected a level of 1 to 9 for none, found 10");
    for compression in Compression::ALL {
        let usual = compression.default_level();
        assert_eq!(Level::new(compression, usual.number()), Ok(usual), "{compression}");
    }
    assert_eq!(Compression::ALL.map(|one| one.default_level().number()), [9, 6, 9, 6, 9]);
}

#[test]
fn each_level_goes_in_the_direction_that_it_promises() {
    let text = text();
    let size = |compression, level| compressed(&text, compression, Level::new(compression, level).unwrap()).len();
    for compression in [Compression::Zstd, Compression::Gzip, Compression::Xz] {
        assert!(size(compression, 9) <= size(compression, 1), "{compression}");
    }
    assert!(size(Compression::Zstd, 22) < size(Compression::Zstd, 3));
    assert!(size(Compression::Zstd, -50) > size(Compression::Zstd, 1));
}

#[test]
fn the_real_programs_read_ours_and_we_read_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let text = text();
    fs::write(folder.path().join("text"), &text).unwrap();
    for (compression, program, package) in [
        (Compression::Zstd, "zstd", "zstd"),
        (Compression::Gzip, "gzip", "gzip"),
        (Compression::Bzip2, "bzip2", "bzip2"),
        (Compression::Xz, "xz", "xz-utils"),
    ] {
        let name = format!("ours{}", compression.suffix());
        fs::write(folder.path().join(&name), compressed(&text, compression, compression.default_level())).unwrap();
        run(package, folder.path(), program, &["-d", "-f", "-k", &name]);
        assert_eq!(fs::read(folder.path().join("ours")).unwrap(), text);
        run(package, folder.path(), program, &["-f", "-k", "text"]);
        let theirs = fs::read(folder.path().join(format!("text{}", compression.suffix()))).unwrap();
        assert_eq!(plain(&theirs, compression).unwrap(), text);
        assert!(plain(&theirs[..theirs.len() - 3], compression).is_err(), "{compression} cut off");
    }
}

#[test]
fn a_place_without_room_is_an_error_of_every_compressor() {
    // So much that something is written long before the end, and so little that most is written at the end.
    for (bytes, compression) in [2 << 20, 10].into_iter().flat_map(|bytes| Compression::ALL.map(|one| (bytes, one))) {
        let mut encoder = Encoder::new(Full, compression, compression.default_level(), None).unwrap();
        let written = encoder.write_all(&noise(1, bytes));
        let error = written.and_then(|()| encoder.finish().map(drop)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{bytes} bytes of {compression}");
    }
}

/// A source whose bytes end in a failure.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            count => Ok(count),
        }
    }
}

#[test]
fn a_failure_to_read_comes_through_every_decompressor() {
    for compression in Compression::ALL {
        let packed = compressed(&noise(1, 300_000), compression, compression.default_level());
        for length in [0, 1, 20, packed.len() / 2, packed.len() - 1] {
            let mut out = Vec::new();
            let read =
                decoder(compression, Failing(&packed[..length])).and_then(|mut plain| plain.read_to_end(&mut out));
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut, "{compression} behind {length} bytes");
            assert!(out.len() <= 300_000);
        }
    }
}

#[test]
fn a_cut_stream_is_an_error_wherever_it_is_cut() {
    for compression in [Compression::Zstd, Compression::Gzip, Compression::Bzip2, Compression::Xz] {
        let packed = compressed(b"a few words", compression, compression.default_level());
        for length in 1..packed.len() {
            let read = plain(&packed[..length], compression);
            assert!(read.is_err(), "{compression} cut to {length} of {} bytes: {read:?}", packed.len());
        }
        assert_eq!(plain(&packed, compression).unwrap(), b"a few words");
    }
    // What is not compressed ends anywhere.
    assert_eq!(plain(b"a few", Compression::None).unwrap(), b"a few");
}

/// gzip, bzip2 and xz have checksums over all that they hold.
#[test]
fn a_changed_bit_is_an_error_or_changes_nothing() {
    let text = b"words of which some are said again, words of which some are not";
    for compression in [Compression::Gzip, Compression::Bzip2, Compression::Xz] {
        let packed = compressed(text, compression, compression.default_level());
        let mut same = 0;
        for (at, bit) in (0..packed.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut other = packed.clone();
            other[at] ^= 1 << bit;
            if let Ok(read) = plain(&other, compression) {
                assert_eq!(read, text, "bit {bit} of byte {at} of {compression}");
                same += 1;
            }
        }
        // The time and the system in the header of gzip, tables that are not used, padding.
        assert!(same < 70, "{same} bits of {compression}");
    }
}

#[test]
fn what_is_behind_a_stream_is_no_part_of_it() {
    for compression in [Compression::Zstd, Compression::Gzip, Compression::Bzip2, Compression::Xz] {
        let packed = compressed(b"a few words", compression, compression.default_level());
        let read = plain(&[&packed[..], b"and what is not compressed"].concat(), compression);
        // Neither is it taken for plain bytes.
        assert!(read.is_err() || read.as_ref().is_ok_and(|read| read == b"a few words"), "{compression}: {read:?}");
    }
}
