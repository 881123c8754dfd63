//! A digest beside a file, as `sha256sum` writes and checks it: NAME.sha256.

use std::path::Path;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};

use crate::key_files;

/// What the name ends in, behind that of the file.
pub const ENDING: &str = ".sha256";

/// What it holds for the file of this name: the digest, two blanks, the name. Names with line ends are escaped as `sha256sum` does it.
pub fn line(digest: BlobDigest, name: &str) -> String {
    let escaped = name.replace('\\', "\\\\").replace('\n', "\\n");
    let mark = if escaped == name { "" } else { "\\" };
    format!("{mark}{}  {escaped}\n", digest.hex())
}

/// The digest in such a file; nothing where there is no file.
///
/// # Errors
/// Environment errors when it cannot be read, content errors when it holds something else.
pub fn read(path: &Path) -> Result<Option<BlobDigest>> {
    if !path.try_exists().map_err(Error::io(format!("looking at {}", path.display())))? {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&key_files::read_public(path)?).into_owned();
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_prefix('\\').unwrap_or(line);
    let digest = line.split_once(' ').filter(|_| !line.contains('\n')).map(|(digits, _)| format!("sha256:{digits}"));
    let digest = digest.and_then(|digest| digest.parse().ok()).ok_or_else(|| {
        Error::content(format!("{}: expected one line of `sha256sum`: a digest and a name", path.display()))
    })?;
    Ok(Some(digest))
}

#[cfg(test)]
mod tests;
