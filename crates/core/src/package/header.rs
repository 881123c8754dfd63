//! The one form of a member's header.

use tar::{EntryType, Header};

use crate::error::{Error, Result};

pub(super) const BLOCK: u64 = 512;

/// A ustar header with mode 0444, no owner and no time.
pub(super) fn header(name: &str, size: u64) -> Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name).map_err(Error::io(format!("naming the member {name}")))?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o444);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

/// The bytes with which a member of `size` bytes is filled up.
pub(super) const fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK) - size
}

/// The name and size in a header, if it has the one form.
pub(super) fn parse(bytes: &[u8; 512]) -> Option<(String, u64)> {
    let found = Header::from_byte_slice(bytes);
    let name = std::str::from_utf8(&found.path_bytes()).ok()?.to_owned();
    let size = found.size().ok()?;
    let expected = header(&name, size).ok()?;
    (expected.as_bytes() == bytes).then_some((name, size))
}

#[cfg(test)]
mod tests;
