//! Contents that the tests of encoders share: small, the same everywhere, named by kind and size.

use super::noise;

/// The content of a name like `text-1000`.
pub(crate) fn content(name: &str) -> Vec<u8> {
    let (kind, size) = name.split_once('-').unwrap();
    let size = size.parse().unwrap();
    match kind {
        "text" => text(size),
        "noise" => noise(1, size),
        "zeros" => vec![0; size],
        "skewed" => noise(2, size).into_iter().map(|byte| byte & byte >> 3).collect(),
        "layer" => layer(size),
        "sparse" => sparse(size),
        "far" => far(size),
        _ => panic!("no content `{kind}`"),
    }
}

fn text(size: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for pair in noise(3, size / 4 + 16).chunks_exact(2) {
        let letters = noise(u64::from(pair[0]), 2 + usize::from(pair[1] % 9));
        text.extend(letters.iter().map(|letter| b"etaoinshrdlu"[usize::from(letter % 12)]));
        text.push(if pair[1] > 230 { b'\n' } else { b' ' });
    }
    text.truncate(size);
    text
}

/// Headers of 512 bytes, texts, noise, zeros, numbers, and repeats from near and far.
fn layer(size: usize) -> Vec<u8> {
    let mut layer = Vec::new();
    for (seed, step) in (0..).zip(noise(4, size / 100 + 16).chunks_exact(4)) {
        let count = [100, 3000, 30_000, 90_000][usize::from(step[1] % 4)];
        layer.extend_from_slice(format!("usr/share/{seed:06}/{}", step[2]).as_bytes());
        layer.resize(layer.len().next_multiple_of(512), 0);
        match step[0] % 6 {
            0 | 1 => layer.extend_from_slice(&text(count + seed)[seed..]),
            2 => layer.extend(noise(seed as u64, count)),
            3 => layer.resize(layer.len() + count, 0),
            4 => layer
                .extend(noise(seed as u64, count / 4).into_iter().flat_map(|byte| (u32::from(byte) * 8).to_le_bytes())),
            _ => {
                let back = [1, 3, 258, 4096, 32_768, 65_537][usize::from(step[3] % 6)].min(layer.len());
                (0..count).for_each(|_| layer.push(layer[layer.len() - back]));
            }
        }
        if layer.len() > size {
            break;
        }
    }
    layer.truncate(size);
    layer
}

/// Runs with few literals between them, of few values.
fn sparse(size: usize) -> Vec<u8> {
    let values = noise(7, size / 64 + 1);
    values.iter().flat_map(|value| [&[9; 64][..], &[value & value >> 2 & 23]].concat()).take(size).collect()
}

/// The same noise twice, that far apart.
fn far(distance: usize) -> Vec<u8> {
    let piece = noise(5, 3000);
    let mut far = piece.clone();
    far.resize(distance, b' ');
    far.extend(piece);
    far
}
