//! Takes off the compression that somebody put around a whole package for the journey.

use std::io::{self, Read, Write};
use std::sync::Arc;

use delta_codec::compress::{Compression, decoder};
use delta_codec::{ReadAt, Reader, Scratch};

use super::faults::{cut_off, no_package};
use super::header::{BLOCK, padding, parse};
use super::{METADATA, TRAILER_BYTES};
use crate::error::{Error, Result};
use crate::limits::{COPY_BUFFER, METADATA_BYTES, SIGNATURE_BYTES, SIGNATURES};
use crate::package::metadata::Stored;

/// [`BLOCK`] as the size of a buffer.
const HEADER: usize = 512;

/// The package itself: `bytes`, or what they are decompressed, in `scratch`. The metadata says how long that is, so a small
/// file cannot fill the room.
pub(super) fn unwrapped(bytes: Arc<dyn ReadAt>, scratch: &dyn Scratch) -> Result<Arc<dyn ReadAt>> {
    let compression = compression(&bytes)?;
    if compression == Compression::None {
        return Ok(bytes);
    }
    let doing = format!("decompressing the package, which was compressed with {compression}");
    let mut source = decoder(compression, Reader::new(bytes)).map_err(Error::io(doing.clone()))?;
    let head = head(&mut source, &doing)?;
    let metadata = &head[HEADER..];
    let length = length(&Stored::parse(metadata)?, metadata.len() as u64);
    let mut plain = scratch.create().map_err(Error::io(doing.clone()))?;
    plain.write_all(&head).map_err(Error::io(doing.clone()))?;
    // One byte more shows that something follows.
    let rest = length.saturating_sub(head.len() as u64).saturating_add(1);
    copy(&mut source.take(rest), &mut plain, &doing)?;
    plain.freeze().map_err(Error::io(doing))
}

/// Whether the package was compressed as a whole for the journey.
///
/// # Errors
/// What reading reports.
pub fn is_wrapped(bytes: &dyn ReadAt) -> Result<bool> {
    Ok(compression(bytes)? != Compression::None)
}

fn compression(bytes: &dyn ReadAt) -> Result<Compression> {
    let mut first = [0; 6];
    let count = bytes.read_at(&mut first, 0).map_err(Error::io("reading the package"))?;
    Ok(Compression::detect(&first[..count]))
}

/// The header of the first member and the metadata.
fn head(source: &mut dyn Read, doing: &str) -> Result<Vec<u8>> {
    let mut block = [0; HEADER];
    source.read_exact(&mut block).map_err(|error| damaged(error, doing))?;
    let (_, size) = parse(&block).filter(|(name, _)| name == METADATA).ok_or_else(no_package)?;
    if size > METADATA_BYTES {
        return Err(no_package());
    }
    let mut head = block.to_vec();
    source.take(size).read_to_end(&mut head).map_err(|error| damaged(error, doing))?;
    Ok(head)
}

/// The most bytes of a package that has this metadata; the member that closes it takes two blocks, and signatures may follow.
fn length(metadata: &Stored, size: u64) -> u64 {
    let member = |size: u64| BLOCK.saturating_add(size).saturating_add(padding(size));
    let members = metadata.members.iter().map(|entry| member(entry.size));
    let signatures = SIGNATURES as u64 * member(SIGNATURE_BYTES);
    members.fold(member(size) + 2 * BLOCK + signatures + TRAILER_BYTES, u64::saturating_add)
}

fn copy(source: &mut dyn Read, out: &mut dyn Write, doing: &str) -> Result<()> {
    let mut buffer = vec![0; COPY_BUFFER];
    loop {
        let count = source.read(&mut buffer).map_err(|error| damaged(error, doing))?;
        if count == 0 {
            return Ok(());
        }
        out.write_all(&buffer[..count]).map_err(Error::io(doing.to_owned()))?;
    }
}

/// The decompressors report damage as errors of many kinds; only the system's own have a number.
fn damaged(error: io::Error, doing: &str) -> Error {
    match error.raw_os_error() {
        Some(_) => Error::io(doing.to_owned())(error),
        None => cut_off(&format!("{doing}: {error}")),
    }
}
