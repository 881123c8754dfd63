//! What the tests of this crate share: data, and the real programs.

#[allow(dead_code, reason = "only what opens archives needs them")]
pub(crate) mod archives;
#[allow(dead_code, reason = "only what opens archives of any kind needs them")]
pub(crate) mod container_parts;
#[allow(dead_code, reason = "only what compresses needs them")]
pub(crate) mod contents;
#[allow(dead_code, reason = "only what writes needs it")]
pub(crate) mod full;
mod noise;
#[allow(dead_code, reason = "only what encodes needs them")]
pub(crate) mod plain;
#[allow(dead_code, reason = "only what looks into executables needs them")]
pub(crate) mod programs;

use std::path::Path;
use std::process::Command;

pub(crate) use noise::noise;
use proptest::prelude::*;

/// A base and a target that was made from it by cutting, copying, inserting and changing.
pub(crate) fn base_and_target() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let piece = prop_oneof![
        3 => (any::<u64>(), 0..2000_usize).prop_map(|(seed, count)| Piece::New(noise(seed, count))),
        6 => (any::<usize>(), 0..4000_usize, any::<u8>()).prop_map(|(from, count, every)| Piece::Copied(from, count, every)),
        1 => (any::<u8>(), 0..3000_usize).prop_map(|(byte, count)| Piece::New(vec![byte; count])),
    ];
    (any::<u64>(), 0..20_000_usize, proptest::collection::vec(piece, 0..8)).prop_map(|(seed, size, pieces)| {
        let base = noise(seed, size);
        let mut target = Vec::new();
        for piece in pieces {
            piece.append(&base, &mut target);
        }
        (base, target)
    })
}

#[derive(Clone, Debug)]
enum Piece {
    New(Vec<u8>),
    /// From where in the base, how many bytes, every how many of them is changed.
    Copied(usize, usize, u8),
}

impl Piece {
    fn append(&self, base: &[u8], target: &mut Vec<u8>) {
        match self {
            Self::New(bytes) => target.extend_from_slice(bytes),
            Self::Copied(from, count, every) => {
                let from = from % (base.len() + 1);
                let copied = &base[from..base.len().min(from + count)];
                let every = usize::from(*every) + 2;
                target.extend(copied.iter().enumerate().map(|(at, byte)| byte.wrapping_add(u8::from(at % every == 1))));
            }
        }
    }
}

/// Runs a real program in `folder`; a missing one is a failure that names the Debian package.
pub(crate) fn run(package: &str, folder: &Path, program: &str, arguments: &[&str]) {
    let done = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("`{program}` of the Debian package `{package}` does not run: {error}"));
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}
