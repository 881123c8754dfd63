//! A folder as one deterministic tar stream, and back. FORMAT.md, section 12, describes the stream.
//!
//! The stream of a target holds everything that rsync's `-aHAXS` would bring. That of a base holds only the names of its
//! folders, files and symbolic links and the contents of these, so that a copy with other times, owners, hard links, holes
//! or sockets still is the same base.
//!
//! `walk` reads a folder, `entry` and `header` say what an entry is and its one form in bytes, `entries` reads a stream that
//! somebody else may have written, `unpack` makes the folder, and `dress` gives each entry what it is besides its content.

mod check;
mod choices;
mod content;
mod dress;
mod entries;
mod entry;
mod header;
mod losses;
mod pack;
mod place;
#[cfg(test)]
mod samples;
mod sparse;
mod unpack;

pub use check::check;
pub use choices::{Detail, Keep};
pub use dress::{dress_file, facts_of_file};
pub use losses::{Losses, Lost};
pub use pack::pack;
pub use unpack::unpack;
