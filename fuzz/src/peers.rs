//! The same by somebody else: what another program reads of an input is what ours reads, but where it is written here why not.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it touches the world")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use delta_core::layer::tar_index as index;

use crate::{MOST, parts};

/// What a peer made of a delta; `None` where it refused.
fn peer(program: &str, arguments: &[&str], files: [&[u8]; 2]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for (name, bytes) in ["base", "delta"].iter().zip(files) {
        fs::write(path(name), bytes).expect("a file");
    }
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().unwrap_or_else(|error| panic!("install the Debian package of {program}: {error}"));
    status.success().then(|| read(&path("made")))
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}

/// VCDIFF (RFC 3284), by xdelta3.
///
/// Ours refuses what no window of ours has and xdelta3 takes: sections that a second compressor made, code tables of one's own, checksums
/// other than Adler-32 of the window, and windows beyond its bounds. xdelta3 refuses what is none of its own: a window that copies from the
/// target (`VCD_TARGET`), and an empty file.
pub fn vcdiff_peer(data: &[u8]) {
    let [base, delta] = parts(data).map(<[u8]>::to_vec);
    let mut ours = Vec::new();
    if delta_codec::vcdiff::decode(&base, &delta[..], &mut ours, MOST).is_ok()
        && let Some(theirs) = peer("xdelta3", &["-d", "-f", "-s", "base", "delta", "made"], [&base, &delta])
    {
        assert!(ours == theirs, "xdelta3 makes something else");
    }
}

/// BSDIFF40, by bspatch.
///
/// Bspatch takes streams that end behind the last byte that it needs, and control that leads outside of the base, where it takes zeros;
/// ours refuses what is not used and what leads outside of it, and makes the same of the rest.
pub fn bsdiff_peer(data: &[u8]) {
    let [base, delta] = parts(data).map(<[u8]>::to_vec);
    // Bspatch believes the size of what it makes, and asks for so much memory.
    let claims_too_much =
        delta.get(24..32).is_some_and(|size| u64::from_le_bytes(size.try_into().unwrap_or_default()) > MOST);
    let mut ours = Vec::new();
    if !claims_too_much
        && delta_codec::bsdiff::decode(&base, &delta, &mut ours, MOST).is_ok()
        && let Some(theirs) = peer("bspatch", &["base", "made", "delta"], [&base, &delta])
    {
        assert!(ours == theirs, "bspatch makes something else");
    }
}

/// Tar, by the crate `tar`: entries lie where it finds them, as long as it finds some.
///
/// The crate ends at two blocks of zeros, where ours goes on: what is behind them belongs to the layer too. The crate believes the size of
/// links, devices and folders, which have no content here, as in Go and GNU tar; it takes checksums that have no digits for 0, and a size that
/// leads past the end. From the first such entry on they are not compared.
pub fn tar_peer(data: &[u8]) {
    let layer = data.to_vec();
    let ours = index::entries(&layer).expect("memory is read");
    let mut archive = tar::Archive::new(data);
    let Ok(theirs) = archive.entries() else { return };
    for entry in theirs.raw(true) {
        let Ok(entry) = entry else { return };
        let (start, length) = (entry.raw_header_position(), entry.size());
        let kind = entry.header().as_bytes()[156];
        let is_past_end = entry.raw_file_position().checked_add(length).is_none_or(|end| end > data.len() as u64);
        let has_digits = entry.header().as_old().cksum.iter().any(u8::is_ascii_digit);
        if matches!(kind, b'1'..=b'6' | b'S') || is_past_end || !has_digits {
            return;
        }
        let found = ours.iter().find(|entry| entry.start == start && entry.has_header);
        assert_eq!(found.map(|entry| entry.length), Some(length), "the entry at {start}");
    }
}
