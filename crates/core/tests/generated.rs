//! Whatever image `create` accepts, `apply` gives back: images that are generated from numbers, with files of many kinds, by
//! every method, compressor and level. `DOCKER_DELTA_RUNS` says how many; each failure names its number.
#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::io::Write;

use common::layer_builder::LayerBuilder;
use common::{CONTEXT, applied, assert_same, gzip, image_of, layer, layers, noise, open, options, packed, zlib};
use delta_codec::compress::{Compression, Level};
use delta_codec::flate;
use delta_core::apply::Delivery;
use delta_core::create::CreateOptions;
use delta_core::image::{BlobCompression, Image, Layer};
use delta_core::job::choices::{CompressionOptions, Identity, Method};
use delta_core::verify::verify;

/// What one number gives, step by step.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 29)) % sides
    }

    fn length(&mut self) -> usize {
        let most = [1, 600, 9_000, 70_000][usize::try_from(self.roll(4)).unwrap()];
        usize::try_from(self.roll(most)).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.roll(all.len() as u64)).unwrap()]
    }
}

fn raw(plain: &[u8], level: u8) -> Vec<u8> {
    let settings = flate::zlib::Settings::new(level, 15, 8, 0).unwrap();
    let mut encoder = flate::zlib::Encoder::new(settings, Vec::new()).unwrap();
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// The CRC-32 of some bytes, as the trailer of gzip has it.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let member = gzip(b"", bytes);
    member[10..14].try_into().unwrap()
}

/// A zip of one member (APPNOTE.TXT, 4.3).
fn zip(plain: &[u8], level: u8) -> Vec<u8> {
    let stream = raw(plain, level);
    let number = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    let common =
        [&b"\x14\0\0\0\x08\0\0\0\0\0"[..], &crc(plain), &number(stream.len()), &number(plain.len()), b"\x01\0\0\0"]
            .concat();
    let local = [&b"PK\x03\x04"[..], &common, b"f", &stream].concat();
    let directory = [&b"PK\x01\x02\x14\0"[..], &common, &[0; 14], b"f"].concat();
    let end =
        [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &number(directory.len()), &number(local.len()), &[0; 2]].concat();
    [local, directory, end].concat()
}

/// A png whose picture nobody could show (PNG, 5 and 11).
fn png(plain: &[u8], level: u8) -> Vec<u8> {
    let (mut one, mut two) = (1_u32, 0_u32);
    for byte in plain {
        one = (one + u32::from(*byte)) % 65521;
        two = (two + one) % 65521;
    }
    let stream = [&b"\x78\x9c"[..], &raw(plain, level), &(two << 16 | one).to_be_bytes()].concat();
    let chunk = |kind: &[u8], bytes: &[u8]| {
        let body = [kind, bytes].concat();
        let [a, b, c, d] = crc(&body);
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], &body, &[d, c, b, a]].concat()
    };
    let pieces: Vec<u8> = stream.chunks(8192).flat_map(|piece| chunk(b"IDAT", piece)).collect();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &[0; 13]), &pieces, &chunk(b"IEND", b"")].concat()
}

/// A file of some kind; containers hold files of other kinds, up to `depth` deep.
fn content(dice: &mut Dice, depth: u32) -> Vec<u8> {
    let (length, seed) = (dice.length(), dice.roll(1 << 40));
    let level = u8::try_from(1 + dice.roll(9)).unwrap();
    match dice.roll(if depth == 0 { 4 } else { 9 }) {
        0 => noise(seed, length),
        1 => vec![u8::try_from(seed % 256).unwrap(); length * 20],
        2 => b"etaoin shrdlu\n".repeat(length / 7),
        3 => noise(seed, length).into_iter().map(|byte| b"etaoin shrdlu\n"[usize::from(byte) % 14]).collect(),
        4 | 5 => {
            let plain = content(dice, depth - 1);
            gzip(&raw(&plain, level), &plain)
        }
        6 => {
            let (one, two) = (content(dice, depth - 1), content(dice, depth - 1));
            [gzip(&raw(&one, level), &one), gzip(&raw(&two, 1), &two), noise(seed, length % 40)].concat()
        }
        7 => zip(&content(dice, depth - 1), level),
        _ => png(&content(dice, depth - 1), level),
    }
}

/// The file in its next version: the same, or changed at some places.
fn changed(dice: &mut Dice, before: &[u8]) -> Vec<u8> {
    let mut after = before.to_vec();
    for _ in 0..dice.roll(4) {
        let at = usize::try_from(dice.roll(after.len() as u64 + 1)).unwrap();
        match dice.roll(3) {
            0 => drop(after.splice(at..at, noise(at as u64, at % 50))),
            1 => after.truncate(at.max(after.len() / 2)),
            _ => after.iter_mut().skip(at).take(9).for_each(|byte| *byte ^= 0x11),
        }
    }
    after
}

type Files = Vec<(String, Vec<u8>)>;

fn files(dice: &mut Dice) -> Files {
    let names = ["a", "usr/lib/libx.so.1.2", "doc/ä ö.gz", "x/../y", "very/long/".repeat(30).leak() as &str, "app.jar"];
    (0..dice.roll(7)).map(|number| (format!("{}{number}", dice.of(&names)), content(dice, 3))).collect()
}

fn tar(dice: &mut Dice, files: &Files) -> Vec<u8> {
    let named = files.iter().filter(|(name, _)| !name.contains(".."));
    let built = named.fold(LayerBuilder::new().at(dice.roll(1 << 30)), |tar, (name, bytes)| tar.file(name, bytes));
    let mut bytes = built.finish();
    if dice.roll(9) == 0 {
        bytes.extend(noise(7, dice.length() % 3000));
    }
    bytes
}

fn stored(dice: &mut Dice, bytes: &[u8]) -> Layer {
    match dice.roll(4) {
        0 => zlib(bytes, u8::try_from(1 + dice.roll(9)).unwrap()),
        1 => layer(bytes, dice.of(&[BlobCompression::Gzip, BlobCompression::Zstd])),
        _ => layer(bytes, BlobCompression::None),
    }
}

fn pair(dice: &mut Dice) -> [Image; 2] {
    let before: Vec<Files> = (0..dice.roll(3)).map(|_| files(dice)).collect();
    let mut after = before.clone();
    for (_, bytes) in after.iter_mut().flatten() {
        *bytes = changed(dice, bytes);
    }
    after.push(files(dice));
    let mut image = |name, all: &[Files]| {
        let mut seen = Vec::new();
        let layers = all.iter().map(|files| tar(dice, files)).collect::<Vec<_>>();
        let layers = layers.into_iter().filter(|bytes| {
            !seen.contains(bytes) && {
                seen.push(bytes.clone());
                true
            }
        });
        let layers = layers.collect::<Vec<_>>();
        image_of(name, layers.iter().map(|bytes| stored(dice, bytes)).collect())
    };
    [image("app:v1", &before), image("app:v2", &after)]
}

fn chosen(dice: &mut Dice) -> CreateOptions {
    let compressor = dice.of(&Compression::ALL);
    let level = match compressor {
        Compression::Zstd => dice.of(&[-7, 1, 3, 9, 15, 19]),
        _ => dice.of(&[1, 6, 9]),
    };
    let level = Level::new(compressor, level).unwrap_or(compressor.default_level());
    let compression = CompressionOptions { compressor, level, recompress: dice.roll(5) > 0 };
    let method = dice.of(&[Method::Auto, Method::Auto, Method::Auto, Method::Xdelta3, Method::Bsdiff, Method::Layer]);
    CreateOptions { compression, identity: dice.of(&[Identity::Manifest, Identity::Config]), ..options(method) }
}

#[test]
fn whatever_is_packed_comes_back() {
    let runs = std::env::var("DOCKER_DELTA_RUNS").map_or(100, |runs| runs.parse().unwrap());
    let first = std::env::var("DOCKER_DELTA_FIRST_RUN").map_or(0, |first| first.parse().unwrap());
    for number in first..first + runs {
        let dice = &mut Dice(number);
        let [base, target] = pair(dice);
        let options = chosen(dice);
        let package = packed(std::slice::from_ref(&target), std::slice::from_ref(&base), &options);
        let opened = open(&package).unwrap();
        verify(&opened, &[], CONTEXT).unwrap_or_else(|error| panic!("run {number}: {error}"));
        let rebuilt = applied(&opened, &Delivery::Original, &layers(std::slice::from_ref(&base)));
        let rebuilt = rebuilt.unwrap_or_else(|error| panic!("run {number}: {error}"));
        if options.identity == Identity::Manifest {
            rebuilt.iter().for_each(|image| assert_same(image, &target));
        }
        assert_eq!(rebuilt.len(), 1, "run {number}");
    }
}
