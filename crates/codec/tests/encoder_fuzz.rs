//! Every encoder on anything, written in pieces of any sizes: against itself, and against the real ones of Go.
//!
//! `ENCODER_CASES=5000 cargo test -p delta-codec --test encoder_fuzz` tries more; with `ENCODER_PROGRAM` it takes what was built of
//! `testdata/flate/fuzz.go` with other versions.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use std::io::Write;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use common::contents::{inflated, write_in_pieces};
use common::noise;
use common::plain::{mixed, words};
use delta_codec::flate::{gnu, go, modern, pigz, zlib};
use delta_codec::zstandard::{klauspost, libzstd};
use proptest::prelude::*;
use proptest::sample::select;

const LEVELS: [i8; 11] = [-2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/// How often each family is tried.
fn cases() -> ProptestConfig {
    let asked = std::env::var("ENCODER_CASES").ok().map(|text| text.parse().unwrap());
    ProptestConfig::with_cases(asked.unwrap_or(100))
}

/// Words, layers, noise, runs and mixtures of them; of any length, and of those around which encoders change their ways.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    let edges = select(&[0, 1, 16, 17, 127, 128, 1024, 32_767, 32_768, 65_535, 65_536, 98_304, 131_072, 262_144][..]);
    let length = prop_oneof![0..300_usize, 0..200_000_usize, edges];
    let piece = (0..5_u8, 0..1_000_000_u64, length).prop_map(|(kind, seed, length)| match kind {
        0 => words(seed, length),
        1 => mixed(seed, length),
        2 => noise(seed, length),
        3 => vec![seed.to_le_bytes()[0]; length],
        _ => noise(seed, length).into_iter().map(|byte| byte & byte >> 3 & 29).collect(),
    });
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(prop_oneof![1..600_usize, 1..70_000_usize], 1..6)
}

/// An encoder with settings, which takes pieces of bytes and gives a stream.
type Encode = Box<dyn Fn(&[u8], &[usize]) -> Vec<u8>>;

/// A raw deflate stream that `$new` starts.
macro_rules! encode {
    ($new:expr) => {
        Box::new(move |plain: &[u8], sizes: &[usize]| {
            let mut encoder = $new;
            write_in_pieces(&mut encoder, plain, sizes);
            encoder.finish().unwrap()
        }) as Encode
    };
}

fn go_of(level: i8) -> Encode {
    encode!(go::Encoder::new(go::Level::new(level).unwrap(), Vec::new()))
}

fn modern_of(level: i8, version: modern::Version, block: Option<NonZeroU32>) -> Encode {
    let settings = modern::Settings { level: modern::Level::new(level).unwrap(), version, block };
    encode!(modern::Encoder::new(settings, Vec::new()))
}

fn klauspost_of(version: klauspost::Version, level: klauspost::Level, first_write: u8) -> Encode {
    encode!(klauspost::Encoder::new(klauspost::Settings { version, level, first_write }, Vec::new()))
}

/// The stream does not depend on the sizes of writes; what it holds is for the caller to compare.
#[track_caller]
fn steady(encode: &Encode, plain: &[u8], sizes: &[usize]) -> Vec<u8> {
    let stream = encode(plain, &[]);
    assert!(encode(plain, sizes) == stream, "in pieces of {sizes:?} {} bytes make another stream", plain.len());
    stream
}

/// As [`steady`], of a raw deflate stream, which holds `plain`.
#[track_caller]
fn holds(encode: &Encode, plain: &[u8], sizes: &[usize]) {
    assert!(inflated(&steady(encode, plain, sizes)) == plain);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn zlib_holds(plain in plain(), sizes in sizes(), level in 1..=9_u8, window in 9..=15_u8, memory in 1..=9_u8, strategy in 0..=4_u8) {
        let settings = zlib::Settings::new(level, window, memory, strategy).unwrap();
        holds(&encode!(zlib::Encoder::new(settings, Vec::new()).unwrap()), &plain, &sizes);
    }

    #[test]
    fn gzip_and_busybox_hold(plain in plain(), sizes in sizes(), level in 1..=9_u8, is_busybox: bool) {
        let program = if is_busybox { gnu::Program::Busybox } else { gnu::Program::Gzip };
        let settings = gnu::Settings::new(program, level).unwrap();
        holds(&encode!(gnu::Encoder::new(settings, Vec::new())), &plain, &sizes);
    }

    #[test]
    fn pigz_holds(plain in plain(), sizes in sizes(), level in 1..=9_u8, block in 32..=256_u16, way in 0..4_u8) {
        let chaining = [pigz::Chaining::Serial, pigz::Chaining::Dictionary, pigz::Chaining::Independent];
        let settings = pigz::Settings::new(level, block, chaining[usize::from(way.min(2))], way == 3).unwrap();
        holds(&encode!(pigz::Encoder::new(settings, Vec::new()).unwrap()), &plain, &sizes);
    }

    #[test]
    fn go_holds(plain in plain(), sizes in sizes(), level in select(&LEVELS[..])) {
        holds(&go_of(level), &plain, &sizes);
    }

    #[test]
    fn modern_holds(plain in plain(), sizes in sizes(), level in select(&LEVELS[..]), version in select(&modern::Version::ALL[..]), block in 0..300_000_u32) {
        let block = NonZeroU32::new(block).filter(|block| block.get() > 50_000);
        holds(&modern_of(level, version, block), &plain, &sizes);
    }

    #[test]
    fn klauspost_zstd_holds(
        plain in plain(),
        sizes in sizes(),
        version in select(&klauspost::Version::ALL[..]),
        level in select(&klauspost::Level::ALL[..]),
        first_write in prop_oneof![Just(0), Just(8), any::<u8>()],
    ) {
        prop_assume!(!plain.is_empty());
        let frame = steady(&klauspost_of(version, level, first_write), &plain, &sizes);
        prop_assert!(zstd::decode_all(&frame[..]).unwrap() == plain);
    }

    #[test]
    fn libzstd_holds(plain in plain(), sizes in sizes(), level in -7..=12_i8, flags in 0..8_u8) {
        prop_assume!(level != 0);
        let settings = libzstd::Settings::from_bytes([level.cast_unsigned(), flags]).unwrap();
        let length = plain.len() as u64;
        let frame = steady(&encode!(libzstd::Encoder::new(settings, length, Vec::new()).unwrap()), &plain, &sizes);
        prop_assert!(zstd::decode_all(&frame[..]).unwrap() == plain);
    }

    #[test]
    fn go_is_what_go_makes(plain in plain(), sizes in sizes(), level in select(&LEVELS[..])) {
        let real = Real::get();
        let stream = real.stream("go", level, 0, &plain, &sizes);
        let ours = if real.is_modern { modern_of(level, modern::Version::V1_18_2, None) } else { go_of(level) };
        prop_assert!(ours(&plain, &[]) == stream);
    }

    #[test]
    fn modern_is_what_klauspost_makes(plain in plain(), sizes in sizes(), level in select(&LEVELS[..])) {
        let stream = Real::get().stream("klauspost", level, 0, &plain, &sizes);
        prop_assert!(modern::Version::ALL.into_iter().any(|version| modern_of(level, version, None)(&plain, &[]) == stream));
    }

    #[test]
    fn modern_is_what_pgzip_makes(plain in plain(), sizes in sizes(), level in select(&LEVELS[..]), block in 40_000..300_000_u32) {
        let stream = Real::get().stream("pgzip", level, block, &plain, &sizes);
        let ours = |version| modern_of(level, version, NonZeroU32::new(block))(&plain, &[]);
        prop_assert!(modern::Version::ALL.into_iter().any(|version| ours(version) == stream));
    }

    #[test]
    fn klauspost_zstd_is_what_klauspost_makes(plain in plain(), sizes in sizes(), level in select(&klauspost::Level::ALL[..])) {
        let stream = Real::get().stream("zstd", level as i8, 0, &plain, &sizes);
        let ours = |version| klauspost_of(version, level, 0)(&plain, &[]);
        prop_assert!(klauspost::Version::ALL.into_iter().any(|version| ours(version) == stream));
    }
}

/// The encoders of Go as they are installed, in one program.
struct Real {
    program: PathBuf,
    /// Whether Go's own is that of Go 1.27 and later.
    is_modern: bool,
}

impl Real {
    fn get() -> &'static Self {
        static BUILT: OnceLock<Real> = OnceLock::new();
        BUILT.get_or_init(Self::build)
    }

    fn build() -> Self {
        if let Some(program) = std::env::var_os("ENCODER_PROGRAM") {
            return Self::of(program.into());
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("encoder-fuzz-{}", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/flate/fuzz.go");
        std::fs::create_dir_all(&target).unwrap();
        let program = target.join("fuzz");
        let built = Command::new("go")
            .envs([
                ("GO111MODULE", "off"),
                ("GOPATH", "/usr/share/gocode"),
                ("CGO_ENABLED", "0"),
                ("GOTOOLCHAIN", "local"),
            ])
            .env("GOCACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"))
            .args(["build", "-o"])
            .args([&program, &source])
            .output();
        let needed =
            "Debian packages `golang-go`, `golang-github-klauspost-compress-dev`, `golang-github-klauspost-pgzip-dev`";
        let built = built.unwrap_or_else(|error| panic!("`go` of the {needed} does not run: {error}"));
        assert!(built.status.success(), "needed are the {needed}: {}", String::from_utf8_lossy(&built.stderr));
        Self::of(program)
    }

    fn of(program: PathBuf) -> Self {
        let version = Command::new(&program).arg("version").output().unwrap().stdout;
        let version = String::from_utf8(version).unwrap();
        let minor: u32 = version.trim().split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap();
        Self { program, is_modern: minor >= 27 }
    }

    fn stream(&self, family: &str, level: i8, block: u32, plain: &[u8], sizes: &[usize]) -> Vec<u8> {
        let mut command = Command::new(&self.program);
        command.args([family, &level.to_string(), &block.to_string()]).args(sizes.iter().map(usize::to_string));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // It reads all before it writes anything.
        input.write_all(plain).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        output.stdout
    }
}
