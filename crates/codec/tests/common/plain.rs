//! What the encoders are tried on: the same bytes on every machine.

use super::noise;

/// A number below `below` from three bytes of noise.
fn number(noise: &mut std::slice::Iter<'_, u8>, below: usize) -> usize {
    noise.by_ref().take(3).fold(0, |number, byte| number << 8 | usize::from(*byte)) % below
}

/// Words of a small language, most of them common.
pub(crate) fn words(seed: u64, count: usize) -> Vec<u8> {
    let letters = noise(seed, 40_000);
    let choices = noise(seed ^ 0x5555, 4 * count + 16);
    let (mut choices, mut text) = (choices.iter(), Vec::new());
    while text.len() < count {
        let known = 1 + number(&mut choices, 4000);
        let word = number(&mut choices, known);
        let length = 2 + usize::from(letters[word]) % 9;
        text.extend(
            letters[9 * word..][..length].iter().map(|letter| b"etaoinshrdlucmfwypvbgkjqxz"[usize::from(*letter) % 26]),
        );
        text.push(if number(&mut choices, 10) == 0 { b'\n' } else { b' ' });
    }
    text.truncate(count);
    text
}

/// Like a layer: headers, words, tables, noise, runs, and repetitions from near and far.
pub(crate) fn mixed(seed: u64, count: usize) -> Vec<u8> {
    let choices = noise(seed, 1 << 16);
    let (mut choices, mut bytes) = (choices.iter(), Vec::new());
    while bytes.len() < count {
        bytes.extend(format!("usr/share/{:06}", number(&mut choices, 1_000_000)).bytes());
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        let seed = number(&mut choices, 1 << 20) as u64;
        let size = [100, 3000, 30_000, 90_000][number(&mut choices, 4)];
        match number(&mut choices, 7) {
            0 | 1 => bytes.extend(words(seed, size)),
            2 => bytes.extend(noise(seed, size)),
            3 => bytes.resize(bytes.len() + size, seed.to_le_bytes()[0]),
            4 => {
                bytes.extend((0..size as u64 / 4).flat_map(|at| [0, 8, 8 + ((at * seed) >> 9).to_le_bytes()[0] % 8, 1]))
            }
            _ => {
                let far = [1, 3, 258, 4096, 4097, 32_506, 32_767, 32_768, 32_769, 65_535][number(&mut choices, 10)];
                let from = bytes.len().saturating_sub(far);
                let piece: Vec<u8> = bytes[from..].iter().copied().cycle().take(size).collect();
                bytes.extend(piece);
            }
        }
    }
    bytes.truncate(count);
    bytes
}

/// Every input by its name.
pub(crate) fn inputs() -> Vec<(String, Vec<u8>)> {
    // The edges: tiny blocks, the 65535 bytes of a block, the 65536 of a window and its shifts, blocks of pgzip.
    let sizes =
        [0, 1, 2, 12, 13, 16, 17, 32, 33, 127, 128, 129, 1025, 32_767, 32_768, 65_273, 65_274, 65_535, 65_536, 65_537];
    let wide = [98_304, 98_305, 131_070, 131_072, 327_675, 327_676, 1 << 20, (1 << 20) + 1];
    let mut inputs: Vec<_> = sizes.iter().chain(&wide).map(|size| (format!("words-{size}"), words(1, *size))).collect();
    for size in [300, 1024, 1025, 65_535, 65_536, 200_000] {
        inputs.push((format!("noise-{size}"), noise(2, size)));
    }
    for size in [300, 65_535, 65_536, 70_000, 1 << 20] {
        inputs.push((format!("zeros-{size}"), vec![0; size]));
    }
    for (seed, size) in [(3, 1_500_231), (4, 1_500_308), (5, 1_500_385)] {
        inputs.push((format!("mixed-{seed}"), mixed(seed, size)));
    }
    // More noise than matches, and the other way round, so that a block is stored although it has matches, and all but.
    let sparse = (0..40).flat_map(|at| [noise(at, 3000), words(9, 40)].concat()).collect();
    inputs.push(("sparse".to_owned(), sparse));
    let dense = (0..2000).flat_map(|at| [words(7, 300), noise(at, 4)].concat()).collect();
    inputs.push(("dense".to_owned(), dense));
    inputs
}
