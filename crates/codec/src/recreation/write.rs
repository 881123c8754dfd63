//! Plain bytes and a plan to the blob.

use std::io::{self, Write};

use rayon::prelude::*;

use super::plan::{Piece, Plan};
use crate::deflate::gzip_trailer;
use crate::limits::{DEFLATE_BATCH_BYTES, DEFLATE_HELD_BYTES};
use crate::{ReadAt, Slice};

/// Pieces in a batch, however short.
const BATCH_PIECES: usize = 2048;

/// Why a blob cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading the plain bytes or writing the blob failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The plan is for other plain bytes.
    #[error("the blob is made of {expected} plain bytes, found {found}")]
    Plain {
        /// What the plan uses.
        expected: u64,
        /// What is there.
        found: u64,
    },
}

impl Plan {
    /// Writes the blob of `plain`.
    ///
    /// # Errors
    /// When there are not as many plain bytes as the plan is for, or reading or writing fails.
    pub fn write(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> Result<(), Error> {
        let (expected, found) = (self.plain_bytes(), plain.len());
        if expected != found {
            return Err(Error::Plain { expected, found });
        }
        let mut writer = Writer { plain, position: 0, out, batch: Vec::new(), batch_bytes: 0 };
        self.pieces().try_for_each(|piece| writer.take(piece))?;
        Ok(writer.flush()?)
    }
}

struct Writer<'a> {
    plain: &'a dyn ReadAt,
    position: u64,
    out: &'a mut dyn Write,
    /// What is still to be written, with its plain bytes.
    batch: Vec<(Piece<'a>, Slice<&'a dyn ReadAt>)>,
    batch_bytes: u64,
}

impl<'a> Writer<'a> {
    fn take(&mut self, piece: Piece<'a>) -> io::Result<()> {
        let length = piece.plain();
        let plain = Slice::new(self.plain, self.position, length).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.position += length;
        if length > DEFLATE_HELD_BYTES {
            self.flush()?;
            return write(&piece, &plain, self.out);
        }
        self.batch.push((piece, plain));
        self.batch_bytes += length;
        if self.batch_bytes < DEFLATE_BATCH_BYTES && self.batch.len() < BATCH_PIECES {
            return Ok(());
        }
        self.flush()
    }

    /// Makes the pieces of the batch side by side and writes them in their order.
    fn flush(&mut self) -> io::Result<()> {
        self.batch_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        let make = |(piece, plain): &(Piece<'_>, Slice<&dyn ReadAt>)| {
            let mut made = Vec::new();
            if let Piece::Made(..) = piece {
                write(piece, plain, &mut made)?;
            }
            Ok(made)
        };
        let streams: Vec<Vec<u8>> = batch.par_iter().map(make).collect::<io::Result<_>>()?;
        for ((piece, _), stream) in batch.iter().zip(streams) {
            self.out.write_all(if let Piece::Kept(bytes, _) = piece { bytes } else { &stream })?;
        }
        Ok(())
    }
}

fn write(piece: &Piece<'_>, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
    match piece {
        Piece::Kept(bytes, _) => out.write_all(bytes),
        Piece::Made(encoder, _, has_trailer) => {
            encoder.encode(plain, out)?;
            if *has_trailer { out.write_all(&gzip_trailer(plain)?) } else { Ok(()) }
        }
    }
}
