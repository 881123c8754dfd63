//! A folder as one deterministic tar stream, and back.
//!
//! The stream of the target holds everything that rsync's `-aHAX` would bring; that of the base only names and contents, so
//! that a base with other times or owners still fits.

mod pack;
mod unpack;

pub(crate) use pack::{Detail, pack};
pub(crate) use unpack::unpack;

/// The key of an extended attribute in a pax header, as GNU tar, bsdtar and Docker write it.
const XATTR: &str = "SCHILY.xattr.";
