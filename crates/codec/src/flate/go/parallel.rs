//! One stream made on all cores, from checkpoints.

use std::io::{self, Write};

use rayon::prelude::*;

use super::checkpoint::Checkpoint;
use super::{Encoder, Level};
use crate::ReadAt;
use crate::limits::{COPY_BYTES, GO_HELD_BYTES};

/// Writes to `out` the stream of `plain` at `level`, as [`Encoder`] does; pieces between `checkpoints` side by side.
///
/// `checkpoints` are some of those that an encoder noted for the same bytes and level, in order. Pieces of up to [`GO_HELD_BYTES`] together are held.
///
/// # Errors
/// What reading and writing report; [`io::ErrorKind::InvalidData`] where the encoder does not come to a checkpoint.
pub fn encode(
    level: Level,
    plain: &dyn ReadAt,
    checkpoints: &[Checkpoint],
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let starts = std::iter::once(None).chain(checkpoints.iter().map(Some));
    let ends = checkpoints.iter().map(Some).chain(std::iter::once(None));
    let pieces: Vec<_> = starts.zip(ends).map(|(from, to)| Piece { level, plain, from, to }).collect();
    let mut rest = pieces.as_slice();
    while let Some(first) = rest.first() {
        let mut held = 0;
        let together = rest.iter().take_while(|piece| {
            held += piece.length();
            held <= GO_HELD_BYTES
        });
        let (batch, after) = rest.split_at(together.count().max(1));
        if batch.len() == 1 {
            first.encode(&mut *out)?;
        } else {
            let streams: Vec<_> = batch.par_iter().map(|piece| piece.encode(Vec::new())).collect();
            for stream in streams {
                out.write_all(&stream?)?;
            }
        }
        rest = after;
    }
    Ok(())
}

/// The part of a stream between two checkpoints.
struct Piece<'a> {
    level: Level,
    plain: &'a dyn ReadAt,
    from: Option<&'a Checkpoint>,
    to: Option<&'a Checkpoint>,
}

impl Piece<'_> {
    /// Plain bytes of the piece.
    fn length(&self) -> u64 {
        let end = self.to.map_or(self.plain.len(), Checkpoint::position);
        end.saturating_sub(self.from.map_or(0, Checkpoint::position))
    }

    fn encode<W: Write>(&self, out: W) -> io::Result<W> {
        let mut encoder = match self.from {
            Some(checkpoint) => Encoder::resume(self.level, checkpoint, self.plain, out)?,
            None => Encoder::new(self.level, out),
        };
        let mut at = self.from.map_or(0, Checkpoint::continues_at);
        if let Some(checkpoint) = self.to {
            encoder.stop_at(checkpoint);
        }
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let count = self.plain.read_at(&mut buffer, at)?;
            let mut bytes = &buffer[..count];
            while !bytes.is_empty() {
                let taken = encoder.write(bytes)?;
                if let Some(noted) = encoder.take_checkpoints().pop() {
                    let expected = Some(&noted) == self.to;
                    return if expected { Ok(encoder.out) } else { Err(unmet()) };
                }
                bytes = &bytes[taken..];
                at += taken as u64;
            }
            if count == 0 {
                return if self.to.is_none() { encoder.finish() } else { Err(unmet()) };
            }
        }
    }
}

fn unmet() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the encoder does not come to a checkpoint")
}
