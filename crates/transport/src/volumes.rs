//! Packages that travel in numbered volumes: files `NAME.001`, `NAME.002` and so on, on one medium or on several.
//!
//! What a file is, its header says and not its name; what is good in it, the digests of its blocks say, which every volume of the set has.
//! So a volume that was renamed, cut off or has lost its header still gives what is left of it.

mod ask;
mod blocks;
#[cfg(target_os = "linux")]
mod census;
mod file_name;
mod open;
mod place;
mod repair;
mod search;
mod size;
mod split;
mod write;

pub use ask::{Ask, Lack, NobodyToAsk};
pub use blocks::VolumeState;
#[cfg(target_os = "linux")]
pub(crate) use census::missing;
pub use file_name::VolumeName;
pub use open::{Depth, Opened, Request, open};
pub use repair::{Repaired, repair};
pub use size::VolumeSize;
pub use split::Split;
pub use write::{Request as WriteRequest, WrittenVolume, check, write};

#[cfg(test)]
mod tests;
