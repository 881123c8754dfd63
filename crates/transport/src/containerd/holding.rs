//! Names of ours, which hold the parts of an image until it has its own: who gave one, and whether anybody still needs it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use delta_core::digest::BlobDigest;

use super::HELD;
use crate::system;

/// A run that may be of another container of this machine, where processes have other numbers, is taken to be over after this long.
const LONGEST_RUN: Duration = Duration::from_secs(24 * 60 * 60);

/// The names under which one run holds one image.
pub(super) struct Holding {
    /// Of all parts that travel.
    pub(super) parts: String,
    /// Of the image itself.
    pub(super) whole: String,
}

impl Holding {
    /// Names that no other run gives.
    pub(super) fn of(image: BlobDigest) -> Self {
        let Giver { begun, numbering, process } = Giver::ourselves();
        let name = |kind: &str| format!("{HELD}{kind}-{begun}-{numbering}-{process}:{}", image.hex());
        Self { parts: name("parts"), whole: name("whole") }
    }
}

/// Whether the run that gave a name of ours is over, so that nobody will remove it.
pub(super) fn is_left(name: &str) -> bool {
    Giver::read(name).is_none_or(|giver| giver.is_over(&Giver::ourselves()))
}

/// The run that gave a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Giver {
    /// Seconds since 1970.
    begun: u64,
    /// Which namespace of processes its number is of.
    numbering: u64,
    process: u32,
}

impl Giver {
    fn ourselves() -> Self {
        let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let numbering = system::file_id(Path::new("/proc/self/ns/pid")).map_or(0, |(_, namespace)| namespace);
        Self { begun, numbering, process: std::process::id() }
    }

    fn read(name: &str) -> Option<Self> {
        let (place, _) = name.strip_prefix(HELD)?.split_once(':')?;
        let mut numbers = place.split('-').skip(1).map(str::parse);
        let mut number = || numbers.next()?.ok();
        Some(Self { begun: number()?, numbering: number()?, process: number()?.try_into().ok()? })
    }

    /// A number that another process has meanwhile counts as the same one, until it is too old.
    fn is_over(&self, now: &Self) -> bool {
        let is_old = self.begun.abs_diff(now.begun) > LONGEST_RUN.as_secs();
        let is_seen = self.numbering == now.numbering && self.numbering != 0;
        is_old || is_seen && !Path::new(&format!("/proc/{}", self.process)).exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_runs_that_are_over_are_left() {
        let image = BlobDigest::of(b"image");
        let Holding { parts, whole } = Holding::of(image);
        assert!(parts != whole && parts.ends_with(&image.hex()) && !is_left(&parts) && !is_left(&whole), "{parts}");
        let now = Giver::ourselves();
        assert_eq!(Giver::read(&parts).map(|giver| giver.process), Some(now.process));
        // Nothing has the number 0.
        let gone = Giver { process: 0, ..now };
        let elsewhere = Giver { numbering: 1, ..gone };
        let old = Giver { begun: now.begun - LONGEST_RUN.as_secs() - 1, ..now };
        let ahead = Giver { begun: now.begun + LONGEST_RUN.as_secs() + 1, ..elsewhere };
        assert_eq!(
            [now, gone, elsewhere, old, ahead].map(|giver| giver.is_over(&now)),
            [false, true, false, true, true]
        );
        for odd in ["parts:aa", "parts-1:aa", "parts-1-2-x:aa", "parts-1-2-3"] {
            assert!(is_left(&format!("{HELD}{odd}")), "{odd}");
        }
    }
}
