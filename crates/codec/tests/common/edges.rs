//! Small inputs at the edges of what encoders decide, in families: what the program does at each of many lengths, distances and counts is one row of
//! a table of digests.

#[path = "fresh.rs"]
mod fresh;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fresh::fresh;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::noise;
use super::plain::words;

/// What real programs wrote at one level, as a table has it.
pub(crate) struct Cell {
    pub(crate) encoder: &'static str,
    pub(crate) block: &'static str,
    pub(crate) family: &'static str,
    pub(crate) level: i8,
    fingerprint: &'static str,
}

/// The cells of a table: encoder, what wrote the streams, block, family, and how the SHA-256 of the streams starts, for each of `levels`; `-` for none.
pub(crate) fn cells(table: &'static str, encoders: &[&str], levels: &[i8]) -> Vec<Cell> {
    let row = |line: &'static str| {
        let [encoder, _, block, family, fingerprints @ ..] = &line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert_eq!(fingerprints.len(), levels.len(), "{line}");
        let cell =
            |(level, fingerprint): (&i8, &&'static str)| Cell { encoder, block, family, level: *level, fingerprint };
        levels.iter().zip(fingerprints).map(cell).collect::<Vec<_>>()
    };
    let rows = table.lines().filter(|line| encoders.contains(&line.split('\t').next().unwrap()));
    let cells: Vec<_> = rows.flat_map(row).filter(|cell| cell.fingerprint != "-").collect();
    assert!(encoders.iter().all(|encoder| cells.iter().any(|cell| cell.encoder == *encoder)), "{encoders:?}");
    cells
}

/// Asserts that `encode` makes the streams of every cell.
pub(crate) fn assert_streams(cells: &[Cell], encode: impl Fn(&Cell, &[u8]) -> Vec<u8> + Sync) {
    let families: BTreeMap<_, _> = families().into_iter().map(|family| (family.name, family.inputs)).collect();
    let differs = |cell: &&Cell| {
        let mut digest = Sha256::new();
        for input in &families[cell.family] {
            let stream = encode(cell, input);
            digest.update(u32::try_from(stream.len()).unwrap().to_le_bytes());
            digest.update(&stream);
        }
        let found = digest.finalize()[..8].iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        found != cell.fingerprint
    };
    let wrong: Vec<_> =
        cells.par_iter().filter(differs).map(|cell| (cell.encoder, cell.block, cell.family, cell.level)).collect();
    assert_eq!(wrong, []);
}

/// Inputs that one row tells of, and what they are about.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) inputs: Vec<Vec<u8>>,
}

/// Every family by its name.
pub(crate) fn families() -> Vec<Family> {
    let family = |name, inputs| Family { name, inputs };
    vec![
        family("lengths", lengths()),
        family("runs", runs()),
        family("distances", distances()),
        family("lazy", lazy()),
        family("tries", tries()),
        family("nice", nice()),
        family("skipped", skipped()),
        family("tokens", tokens()),
        family("looks", looks()),
        family("alphabets", alphabets()),
        family("high-bytes", high_bytes()),
        family("tangles-of-2", tangles(2)),
        family("tangles-of-4", tangles(4)),
        family("tangles-of-20", tangles(20)),
        family("tangles-of-200", tangles(200)),
        family("far-tangles", far_tangles()),
        family("blocks", blocks()),
        family("long-runs", long_runs()),
    ]
}

/// So many letters of which nothing comes twice and which [`fresh`] has not.
fn other(count: usize) -> Vec<u8> {
    fresh(60_000)[1000..].iter().step_by(3).take(count).map(|letter| letter + 120).collect()
}

/// Where blocks are too short to be searched.
fn lengths() -> Vec<Vec<u8>> {
    let text = words(1, 2000);
    (0..=140).chain((141..1600).step_by(37)).map(|length| text[..length].to_vec()).collect()
}

/// Where a match is as long as one may be, and what is left is too short for another.
fn runs() -> Vec<Vec<u8>> {
    let counts = (1..=24).chain(62..=70).chain(125..=134).chain(254..=266).chain(512..=524).chain(770..=780);
    let all = counts.flat_map(|count| {
        let run = vec![b'z'; count];
        [run.clone(), [b"0123456789abcdef", &run[..], b"what stands behind a run"].concat()]
    });
    all.collect()
}

/// A short piece twice, so far apart that it may just be copied.
fn distances() -> Vec<Vec<u8>> {
    let near = (1..=9).chain(4093..=4099).flat_map(|distance| (3..=8).map(move |length| (distance, length)));
    let far = (32_505..=32_507).chain(32_763..=32_769).flat_map(|distance| [3, 4, 8].map(|length| (distance, length)));
    let twice = |(distance, length): (usize, usize)| {
        let (piece, letters) = (other(length), fresh(40_000));
        let between = &letters[..distance.saturating_sub(length)];
        [&piece[..], between, &piece, &letters[39_000..39_300]].concat()
    };
    near.chain(far).map(twice).collect()
}

/// A match, and one of about its length at the next byte.
fn lazy() -> Vec<Vec<u8>> {
    let lengths = (3..=13).chain(15..=18).chain(29..=34).chain(126..=130).chain(256..=258);
    let all = lengths.flat_map(|first| (first - 1..=first + 2).map(move |second| (first, second)));
    let pair = |(first, second): (usize, usize)| {
        let piece = other(600);
        [&piece[..first], b"!", &piece[1..=second], b"?", &fresh(60), &piece[..], b"behind it"].concat()
    };
    all.map(pair).collect()
}

/// The best place of a chain is the last one that is looked at, or just behind that.
fn tries() -> Vec<Vec<u8>> {
    let counts = [1..=5, 7..=9, 15..=18, 23..=27, 31..=34, 63..=67, 127..=130, 254..=258, 1022..=1027, 4093..=4098];
    let chain = |places: usize| {
        let mut bytes = b"ABCDEFGHIJKLMNOP".to_vec();
        for letters in fresh(3 * places).chunks(3) {
            bytes.extend_from_slice(b"ABCD");
            bytes.extend(letters.iter().map(|letter| letter + 120));
        }
        bytes.extend_from_slice(b"ABCDEFGHIJKLMNOP, and what is behind");
        bytes
    };
    counts.into_iter().flatten().map(chain).collect()
}

/// A near match that is long enough not to look for the longer one behind it.
fn nice() -> Vec<Vec<u8>> {
    let lengths = [8, 16, 30, 32, 40, 64, 100, 128, 250, 258].into_iter().flat_map(|length| length - 1..=length + 1);
    let pair = |length: usize| {
        let piece = other(700);
        [&piece[..], b"!", &piece[..length], b"?", &fresh(40), &piece[..400], b"behind it"].concat()
    };
    lengths.map(pair).collect()
}

/// A match from within a match, which some levels do not remember.
fn skipped() -> Vec<Vec<u8>> {
    let all = (3..=24).flat_map(|length| (1..=4).map(move |from| (length, from)));
    let triple = |(length, from): (usize, usize)| {
        let (piece, behind) = (other(length), fresh(100));
        let from = from.min(length - 1);
        let second = [&piece[..], &behind[..20]].concat();
        [&piece[..], b"first", &second, b"second", &second[from..], &behind[60..]].concat()
    };
    all.map(triple).collect()
}

/// As many tokens as a block has, or as are made between two looks at it.
fn tokens() -> Vec<Vec<u8>> {
    let counts = [4094..=4098, 8191..=8193, 16_381..=16_386, 32_765..=32_770];
    let text = words(3, 400);
    counts.into_iter().flatten().map(|count| [&fresh(count)[..], &text].concat()).collect()
}

/// Three literals for each match, of so many bytes that a block shrinks to half and less.
fn looks() -> Vec<Vec<u8>> {
    let letters = fresh(3 * 2200);
    let block = |length: usize| letters.chunks(3).flat_map(|three| [three, &vec![b'z'; length]].concat()).collect();
    [5, 8, 13, 20, 60].map(block).to_vec()
}

/// Noise of so many values that it is stored, or packed, or written with the fixed codes.
fn alphabets() -> Vec<Vec<u8>> {
    let values = [2, 3, 5, 16, 40, 64, 100, 128, 180, 200, 220, 230, 240, 250, 256_u16];
    let counts = [17, 33, 60, 130, 250, 500, 1023, 1024, 1025, 3000];
    let all = values.into_iter().flat_map(|values| counts.map(|count| (values, count)));
    let scaled = |(values, count): (u16, usize)| {
        noise(u64::from(values), count)
            .into_iter()
            .map(|byte| ((u16::from(byte) * values) >> 8).to_le_bytes()[0])
            .collect()
    };
    all.map(scaled).collect()
}

/// Bytes whose fixed codes are long.
fn high_bytes() -> Vec<Vec<u8>> {
    let text: Vec<u8> = words(5, 2000).into_iter().map(|byte| byte | 128).collect();
    (40..1000).step_by(23).map(|length| text[..length].to_vec()).collect()
}

/// Steps of a few new bytes and a copy from anywhere before, which may be a byte off in the middle; `values` of bytes.
fn tangle(seed: u64, steps: usize, values: u16, far: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for step in noise(seed, 6 * steps).chunks_exact(6) {
        let new = noise(seed ^ u64::from(step[0]) << 8, usize::from(step[0] % 24) + 1);
        bytes.extend(new.into_iter().map(|byte| ((u16::from(byte) * values) >> 8).to_le_bytes()[0]));
        let distance = 1 + (usize::from(step[1]) << 8 | usize::from(step[2])) * far / 65_536;
        let length = usize::from(step[3]) >> (step[4] % 6);
        let start = bytes.len() - distance.min(bytes.len());
        let copied: Vec<u8> = bytes[start..].iter().copied().cycle().take(length).collect();
        bytes.extend(copied);
        if step[5] % 4 == 0 && length > 6 {
            let middle = bytes.len() - length / 2;
            bytes[middle] ^= 1;
        }
    }
    bytes
}

fn tangles(values: u16) -> Vec<Vec<u8>> {
    (0..60)
        .map(|seed| tangle(seed * 1000 + u64::from(values), 3 + usize::try_from(seed).unwrap() % 50, values, 900))
        .collect()
}

/// Copies from as far as anything is remembered, through several blocks.
fn far_tangles() -> Vec<Vec<u8>> {
    [(4, 4000), (30, 4000), (64, 3000), (256, 3000)]
        .map(|(values, steps)| tangle(u64::from(values), steps, values, 70_000))
        .to_vec()
}

/// Blocks that can go on with the codes of the one before, and some that cannot.
fn blocks() -> Vec<Vec<u8>> {
    let text = words(7, 140_000);
    let few = |values: u8, count| noise(9, count).into_iter().map(|byte| byte % values).collect::<Vec<u8>>();
    let shifted = |by: u8, count: usize| text[..count].iter().map(|byte| byte.wrapping_add(by)).collect::<Vec<u8>>();
    let skewed: Vec<u8> = noise(4, 140_000).into_iter().map(|byte| byte & byte >> 3 & 29).collect();
    vec![
        text.clone(),
        [&text[..65_535], &shifted(1, 65_535), &few(30, 40_000)].concat(),
        [few(40, 70_000), few(44, 70_000), few(40, 9000)].concat(),
        [&skewed[..], &few(16, 33_000), &skewed[..20_000]].concat(),
        [&noise(3, 40_000)[..], &text[..30_000], &noise(4, 66_000), &text[..70_000]].concat(),
        [fresh(50_000), few(250, 65_535), fresh(20_000)].concat(),
    ]
}

/// One byte, for as long as a block and a little less or more.
fn long_runs() -> Vec<Vec<u8>> {
    [65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 262_144].map(|length| vec![b'r'; length]).to_vec()
}
