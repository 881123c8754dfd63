//! The compressors: round trips, the real programs both ways, and what a level promises.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::io::{Read, Write};

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
    assert!("lz4".parse::<Compression>().unwrap_err().to_string().contains("`lz4`"));
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
