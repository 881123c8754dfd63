//! Zstandard's own library: the command `zstd`, and what links the version that is linked here.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::{Candidate, Encoder, Family, Format, Origin, copy, front};
use crate::ReadAt;
use crate::zstandard::libzstd::{self, Flag, Settings};

pub(super) static FAMILY: Family =
    Family { number: 7, feature: "zstd-libzstd-1", format: Format::Zstd, candidates, take };

/// The command's default first, then those that are known for something, then the others.
const LEVELS: [i8; 19] = [3, 1, 19, 9, 6, 2, 4, 5, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18];

struct LibZstd(Settings);

/// Above this level a trial takes seconds; those levels are tried only where the window is theirs.
const LAST_FAST_LEVEL: i8 = 12;

/// The logarithm of the window that each level has (`ZSTD_defaultCParameters`, the row for large contents).
const fn window_log(level: i8) -> u8 {
    match level {
        ..=1 => 19,
        2 => 20,
        3..=8 => 21,
        9..=16 => 22,
        17.. => 23,
    }
}

/// Whether a frame with this window may be of the level. Where the content is small, so is the window.
const fn may_be_level(level: i8, window: Option<u8>) -> bool {
    match window {
        Some(log) => log == window_log(level) || (log < window_log(level) && level <= LAST_FAST_LEVEL),
        None => level <= LAST_FAST_LEVEL,
    }
}

/// What the header says of the checksum, the size and the window is what the encoder was told.
fn candidates(origin: &Origin) -> Vec<Candidate> {
    let Origin::Zstd(header) = origin else { return Vec::new() };
    let (has_checksum, has_size) = header.checksum_and_size();
    let flags = [(Flag::Checksum, has_checksum), (Flag::Size, has_size)];
    let flags: Vec<Flag> = flags.into_iter().filter(|(_, is_on)| *is_on).map(|(flag, _)| flag).collect();
    let candidate = |level: i8, has_jobs: bool| {
        let jobs = has_jobs.then_some(Flag::Jobs);
        let flags: Vec<Flag> = flags.iter().copied().chain(jobs).collect();
        let doubt = 1 + 2 * u8::from(level != LEVELS[0]) + u8::from(!has_jobs);
        Some(Candidate { doubt, encoder: Arc::new(LibZstd(Settings::new(level, &flags)?)) })
    };
    let levels = LEVELS.into_iter().filter(|level| may_be_level(*level, header.window_log()));
    levels.flat_map(|level| [true, false].map(|has_jobs| candidate(level, has_jobs))).flatten().collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    Some(Arc::new(LibZstd(Settings::from_bytes(front(bytes)?)?)))
}

impl Encoder for LibZstd {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn settings(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = libzstd::Encoder::new(self.0, plain.len(), out)?;
        copy(plain, &mut encoder)?;
        encoder.finish().map(drop)
    }
}

impl fmt::Display for LibZstd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_default_is_the_likeliest_and_levels_belong_to_their_windows() {
        let told = |descriptor: u8, window: u8| -> Vec<(u8, String)> {
            let mut bytes = [0; 18];
            (bytes[4], bytes[5]) = (descriptor, window);
            let all = candidates(&Origin::Zstd(super::super::Header(bytes)));
            all.iter().map(|one| (one.doubt, one.encoder.to_string())).collect()
        };
        // A window of 2 MiB, with a checksum: levels 3 to 8, and those that take less for small contents.
        let of_two = told(4, 11 << 3);
        let named = |doubt: u8, level: u8, more: &str| (doubt, format!("libzstd 1.5.7 level {level}, checksum{more}"));
        assert_eq!(of_two[..4], [named(1, 3, ", jobs"), named(2, 3, ""), named(3, 9, ", jobs"), named(4, 9, "")]);
        let levels: Vec<String> = of_two.iter().step_by(2).map(|one| one.1.clone()).collect();
        let expected = [3, 9, 6, 4, 5, 7, 8, 10, 11, 12].map(|level| named(3, level, ", jobs").1);
        assert_eq!(levels, expected);
        assert!(of_two[2..].iter().all(|(doubt, name)| *doubt == if name.ends_with("jobs") { 3 } else { 4 }));
        // Above level 12 the window must be theirs.
        let count = |log: u8| told(0, (log - 10) << 3).len();
        assert_eq!([18, 19, 20, 21, 22, 23, 24].map(count), [24, 24, 22, 20, 16, 6, 0]);
        assert!(candidates(&Origin::Zip).is_empty());
    }
}
