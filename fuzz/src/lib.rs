//! What is fuzzed. Each target takes any bytes and comes back: without a panic, within the limits of memory and work.
//!
//! An input is cut into [`parts`], so that the fuzzer reaches what stands behind digests and compressors; outer digests are made right
//! by the target. `make fuzz MINUTES=10` runs all of them, `tests/replay.rs` feeds them what was found and what is sound.

mod answers;
mod codecs;
mod envelope;
#[allow(dead_code, reason = "the tests of the crate use the rest")]
#[path = "../../crates/core/tests/common/gzip.rs"]
mod gzip;
mod images;
mod package;
mod peers;
#[path = "../../crates/core/tests/common/sealed.rs"]
mod sealed;
pub mod seeds;
mod volumes;

/// A target: its name, and what takes the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target; each has a program of its own in `fuzz_targets`.
pub const TARGETS: [Target; 24] = [
    ("archive", images::archive),
    ("bsdiff", codecs::bsdiff),
    ("bsdiff_peer", peers::bsdiff_peer),
    ("deflate", codecs::deflate),
    ("documents", images::documents),
    ("exec", codecs::exec),
    ("guided", codecs::guided),
    ("lists", answers::lists),
    ("mix", codecs::mix),
    ("names", images::names),
    ("opened", codecs::opened),
    ("package", package::package),
    ("patch", codecs::patch),
    ("recipe", package::recipe),
    ("recipe_round_trip", package::recipe_round_trip),
    ("recreation", codecs::recreation),
    ("registry", answers::registry),
    ("self_contained", envelope::self_contained),
    ("signature", envelope::signature),
    ("tar_index", package::tar_index),
    ("tar_peer", peers::tar_peer),
    ("vcdiff", codecs::vcdiff),
    ("vcdiff_peer", peers::vcdiff_peer),
    ("volumes", volumes::volumes),
];

/// Runs the target of this name.
///
/// # Panics
/// When there is none, and when it finds a fault.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    target.unwrap_or_else(|| panic!("there is no target {name}")).1(data);
}

/// The most bytes that a target lets be made.
const MOST: u64 = 1 << 20;

/// Cuts an input: each part but the last one has its length before it, as two bytes, little-endian.
pub fn parts<const N: usize>(mut data: &[u8]) -> [&[u8]; N] {
    let mut number = 0;
    [(); N].map(|()| {
        number += 1;
        if number == N {
            return data;
        }
        let Some((length, rest)) = data.split_first_chunk() else { return &[] };
        let (part, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
        data = rest;
        part
    })
}

/// The input that [`parts`] cuts into these; of a part that is too long the rest is left out.
pub fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let Some((last, others)) = parts.split_last() else { return Vec::new() };
    let mut data = Vec::new();
    for part in others {
        let part = &part[..part.len().min(usize::from(u16::MAX))];
        data.extend(u16::try_from(part.len()).unwrap_or(u16::MAX).to_le_bytes());
        data.extend(part);
    }
    data.extend(*last);
    data
}
