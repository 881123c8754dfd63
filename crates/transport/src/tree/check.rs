//! Whether a stream is one that `unpack` takes.

use std::path::Path;

use delta_codec::ReadAt;
use delta_core::error::{Error, Result};

use super::entries::Entries;

/// Reads all of the stream of the folder `root` as `unpack` will.
///
/// # Errors
/// Content errors for what `unpack` would refuse, which whoever makes a difference has to know before it travels.
pub fn check(stream: &dyn ReadAt, root: &Path) -> Result<()> {
    let mut entries = Entries::new(stream);
    while entries.next().map_err(Error::io(format!("reading {} again", root.display())))?.is_some() {}
    Ok(())
}
