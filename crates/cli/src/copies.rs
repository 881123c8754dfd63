//! Whether the copy of an encrypted package is good, for whoever cannot read what is in it.

use std::path::Path;
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_envelope::encryption::is_encrypted;
use delta_envelope::trust::{Signer, Standing};
use delta_transport::digest_file;
use delta_transport::file::is_pipe;
use delta_transport::key_files::with_ending;
use serde::Serialize;

use crate::arguments::Opening;
use crate::opening::Beside;
use crate::password::PASSPHRASE;
use crate::session::Session;

/// What `--json` prints.
#[derive(Serialize)]
pub(crate) struct Copy {
    schema: u32,
    encrypted: bool,
    /// The digest of the file.
    package_digest: BlobDigest,
    package_bytes: u64,
    /// Whether the digest beside it says the same; nothing where there is none.
    digest_beside: Option<bool>,
    signatures: Vec<Signer>,
}

/// Compares the bytes of an encrypted file with what is beside it, or with the digest that volumes know. `None` where it is not encrypted, somebody can read it, or nothing is beside it.
pub(crate) fn compared(
    session: &Session,
    (path, bytes, known): (&Path, &Arc<dyn ReadAt>, Option<BlobDigest>),
    opening: &Opening,
) -> Result<Option<Copy>> {
    let can_read = !opening.identity_files.is_empty() || PASSPHRASE.is_given(opening.passphrase_fd);
    if can_read || path == Path::new("-") || is_pipe(path) {
        return Ok(None);
    }
    if !is_encrypted(bytes)? {
        return Ok(None);
    }
    let beside = digest_file::read(&with_ending(path, digest_file::ENDING))?;
    let expected = beside.or(known);
    let within = |error: Error| error.within(&path.display().to_string());
    let (trust, signatures) =
        Beside::of(path).and_then(|beside| session.judged_beside(beside.as_ref(), bytes, opening)).map_err(within)?;
    if expected.is_none() && signatures.iter().all(|signer| signer.standing() == Standing::Unknown) {
        return Ok(None);
    }
    let (digest, package_bytes) =
        BlobDigest::of_reader(&mut Reader::new(bytes)).map_err(Error::io("reading the package"))?;
    if let Some(expected) = expected.filter(|expected| *expected != digest) {
        return Err(Error::Mismatch {
            what: format!("{} is no good copy", path.display()),
            expected: expected.to_string(),
            found: digest.to_string(),
        }
        .with_hint("copy it again from where it was made"));
    }
    trust.require(&signatures).map_err(within)?;
    let digest_beside = beside.map(|_| true);
    Ok(Some(Copy { schema: 1, encrypted: true, package_digest: digest, package_bytes, digest_beside, signatures }))
}
