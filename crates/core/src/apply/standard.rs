//! Differences in the standard formats, without a package around them.

use std::io::{self, BufReader, Read, Write};
use std::sync::Arc;

use delta_codec::compress::{Compression, decoder};
use delta_codec::{ReadAt, Reader, Slice, bsdiff, vcdiff};

use crate::error::{Error, Result};
use crate::job::context::Context;
use crate::package::standard::{NOTE_BYTES, Sides};

/// A file that is VCDIFF or BSDIFF40, compressed or not.
pub struct StandardDelta {
    format: Format,
    sides: Option<Sides>,
}

enum Format {
    /// Read from front to back, so that it stays compressed.
    Vcdiff(Arc<dyn ReadAt>, Compression),
    Bsdiff(Arc<dyn ReadAt>),
}

impl StandardDelta {
    /// Tells by the first bytes; `None` when it is something else.
    ///
    /// # Errors
    /// What reading it reports.
    pub fn detect(delta: Arc<dyn ReadAt>, context: Context<'_>) -> Result<Option<Self>> {
        let mut first = [0; 6];
        let count = delta.read_at(&mut first, 0).map_err(failed)?;
        let compression = Compression::detect(&first[..count]);
        let plain = || decoder(compression, Reader::new(delta.clone())).map_err(failed);
        let mut magic = Vec::new();
        // What cannot be decompressed is no difference; who takes it for a package will say what is wrong.
        if plain()?.take(bsdiff::MAGIC.len() as u64).read_to_end(&mut magic).is_err() {
            return Ok(None);
        }
        if magic.starts_with(&vcdiff::MAGIC[..3]) {
            let header = vcdiff::application_header(plain()?).map_err(vcdiff_failed)?;
            return Ok(Some(Self { format: Format::Vcdiff(delta, compression), sides: Sides::of_note(&header) }));
        }
        if magic != bsdiff::MAGIC {
            return Ok(None);
        }
        let plain = match compression {
            Compression::None => delta.clone(),
            _ => context.spool("decompressing the difference", |out| {
                io::copy(&mut plain()?, out).map(|_| ()).map_err(failed)
            })?,
        };
        Ok(Some(Self { sides: note_behind(&plain)?, format: Format::Bsdiff(plain) }))
    }

    /// What it fits and what it makes, if its maker said so.
    pub const fn sides(&self) -> Option<Sides> {
        self.sides
    }

    /// Whether a wrong OLD may give a wrong NEW: VCDIFF of xdelta3 has checksums, BSDIFF40 has none.
    pub const fn is_blind(&self) -> bool {
        self.sides.is_none() && matches!(self.format, Format::Bsdiff(_))
    }

    /// Makes NEW, of at most `most` bytes, out of OLD.
    ///
    /// # Errors
    /// Content errors when `old` is another one than it was made against, as far as that can be known, or it is damaged.
    pub fn apply(&self, old: &Arc<dyn ReadAt>, most: u64, context: Context<'_>) -> Result<Arc<dyn ReadAt>> {
        if let Some(Sides { old: expected, .. }) = self.sides {
            let hint = "the difference was made against another OLD: bring the one that its maker had";
            expected.check(old, "OLD").map_err(|error| error.with_hint(hint))?;
        }
        let new = context.spool("rebuilding NEW", |out| self.decode(old, most, out))?;
        if let Some(Sides { new: expected, .. }) = self.sides {
            expected
                .check(&new, "NEW, as it was rebuilt")
                .map_err(|error| error.with_hint("copy the difference again"))?;
        }
        Ok(new)
    }

    fn decode(&self, old: &dyn ReadAt, most: u64, out: &mut dyn Write) -> Result<()> {
        match &self.format {
            Format::Vcdiff(delta, compression) => {
                let delta = decoder(*compression, Reader::new(delta)).map_err(failed)?;
                vcdiff::decode(old, BufReader::new(delta), out, most).map(|_| ()).map_err(vcdiff_failed)
            }
            Format::Bsdiff(delta) => bsdiff::decode(old, delta, out, most).map(|_| ()).map_err(|error| match error {
                bsdiff::Error::Io(error) => failed(error),
                other => Error::content(other.to_string()),
            }),
        }
    }
}

/// `bspatch` reads nothing behind the streams.
fn note_behind(delta: &Arc<dyn ReadAt>) -> Result<Option<Sides>> {
    let Some(at) = delta.len().checked_sub(NOTE_BYTES) else { return Ok(None) };
    let Some(slice) = Slice::new(delta, at, NOTE_BYTES) else { return Ok(None) };
    let mut note = Vec::new();
    Reader::new(slice).read_to_end(&mut note).map_err(failed)?;
    Ok(Sides::of_note(&note))
}

fn vcdiff_failed(error: vcdiff::Error) -> Error {
    match error {
        vcdiff::Error::Io(error) => failed(error),
        other => Error::content(other.to_string()),
    }
}

/// The decompressors report damage as errors of many kinds; only the system's own have a number.
fn failed(error: io::Error) -> Error {
    match error.raw_os_error() {
        Some(_) => Error::io("reading the difference, or making NEW of it")(error),
        None => Error::content(format!("the difference is damaged or cut off: {error}")),
    }
}
