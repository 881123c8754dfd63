//! Six kinds of contents that compressors see, and what real programs make of them.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};

use flate2::read::DeflateDecoder;
use sha2::{Digest, Sha256};

use super::{noise, run};

/// Contents of some 400 KB; the code is that of this very test, all others are the same everywhere.
pub(crate) fn contents() -> Vec<(&'static str, Vec<u8>)> {
    let code: Vec<u8> =
        fs::read(std::env::current_exe().unwrap()).unwrap().into_iter().skip(100_000).take(400_000).collect();
    let mixed = [&text(5, 90_000)[..], &noise(6, 70_000), &vec![0; 60_000], &code[..100_000], &archive(7, 90_000)];
    vec![
        ("text", text(1, 400_000)),
        ("archive", archive(2, 500_000)),
        ("code", code.clone()),
        ("noise", noise(3, 300_000)),
        ("zeros", vec![0; 400_000]),
        ("mixed", mixed.concat()),
    ]
}

/// Sizes around those at which windows, blocks and buffers end.
pub(crate) fn sizes() -> impl Iterator<Item = usize> {
    let around =
        [32_506, 32 << 10, 65_274, 64 << 10, 128 << 10, 256 << 10].into_iter().flat_map(|size| size - 1..=size + 1);
    (0..6).chain(255..264).chain(around)
}

/// Sentences of words, of which some are frequent.
pub(crate) fn text(seed: u64, count: usize) -> Vec<u8> {
    let mut words = noise(seed, count).into_iter().zip(noise(!seed, count));
    let mut made = Vec::new();
    while made.len() < count {
        let (one, two) = words.next().unwrap();
        let number = u32::from(one) * u32::from(two) % 1500;
        let length = usize::from(two % 7) + 2;
        made.extend(noise(u64::from(number) + 77, length).into_iter().map(|byte| b'a' + byte % 26));
        made.push(if one % 11 == 0 { b'\n' } else { b' ' });
    }
    made.truncate(count);
    made
}

/// A tar of small files.
pub(crate) fn archive(seed: u64, count: usize) -> Vec<u8> {
    let mut made = Vec::new();
    for (number, size) in noise(seed, count / 512).into_iter().enumerate() {
        let size = usize::from(size) * 20;
        let mut header = format!("usr/share/doc/package-{:03}/file.{number:05}", number / 9).into_bytes();
        header.resize(100, 0);
        header.extend(format!("0000644\00000000\00000000\0{size:011o}\0{:011o}\0000000\0 0", 0o1460 + number).bytes());
        header.resize(257, 0);
        header.extend(b"ustar  \0root");
        header.resize(512, 0);
        let body =
            if number % 8 == 0 { noise(seed + number as u64, size) } else { text(seed + number as u64 % 40, size) };
        made.extend(header);
        made.extend(body);
        made.resize(made.len().next_multiple_of(512), 0);
    }
    made.truncate(count);
    made
}

/// What `command`, which reads the file `plain`, writes to standard output.
pub(crate) fn made_by(package: &str, command: &str, plain: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plain"), plain).unwrap();
    run(package, folder.path(), "sh", &["-c", &format!("{command} > made")]);
    fs::read(folder.path().join("made")).unwrap()
}

/// The raw stream of a gzip file whose header has no name.
pub(crate) fn body(file: &[u8]) -> &[u8] {
    assert_eq!(file[..3], [0x1f, 0x8b, 8]);
    assert_eq!(file[3], 0);
    &file[10..file.len() - 8]
}

/// Writes pieces of these sizes over and over; all at once without any.
pub(crate) fn write_in_pieces(out: &mut impl Write, mut plain: &[u8], pieces: &[usize]) {
    for piece in pieces.iter().cycle() {
        let (first, rest) = plain.split_at(plain.len().min(*piece));
        out.write_all(first).unwrap();
        plain = rest;
        if plain.is_empty() {
            return;
        }
    }
    out.write_all(plain).unwrap();
}

pub(crate) fn inflated(stream: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decoder = DeflateDecoder::new(stream);
    decoder.read_to_end(&mut plain).unwrap();
    assert_eq!(decoder.total_in(), stream.len() as u64, "bytes behind the end");
    plain
}

/// What the golden streams are made of.
pub(crate) fn golden_plain() -> Vec<u8> {
    let few = noise(8, 60_000).into_iter().map(|byte| byte & 3).collect();
    [text(1, 200_000), noise(2, 40_000), vec![0; 30_000], text(1, 100_000), few].concat()
}

/// How the SHA-256 of `stream` starts.
pub(crate) fn fingerprint(stream: &[u8]) -> String {
    Sha256::digest(stream)[..8].iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
