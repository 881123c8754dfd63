//! One stream made on all cores, from checkpoints.

use std::io::{self, Write};
use std::num::NonZeroU64;

use rayon::prelude::*;

use super::checkpoint::Checkpoint;
use super::{Encoder, Level};
use crate::ReadAt;
use crate::limits::{COPY_BYTES, GO_HELD_BYTES};

/// Writes to `out` the stream of `plain` at `level`, as [`Encoder`] does; pieces between `checkpoints` side by side.
///
/// `checkpoints` are some of those that an encoder noted for the same bytes and level, in order. Pieces of up to `GO_HELD_BYTES` together are held.
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
    let pieces =
        starts.zip(ends).map(|(from, to)| (Piece { level, plain, from, stop: to.map(Checkpoint::position) }, to));
    let pieces: Vec<_> = pieces.collect();
    let mut rest = pieces.as_slice();
    while let Some((first, to)) = rest.first() {
        let mut held = 0;
        let together = rest.iter().take_while(|(piece, _)| {
            held += piece.length();
            held <= GO_HELD_BYTES
        });
        let (batch, after) = rest.split_at(together.count().max(1));
        if batch.len() == 1 {
            first.encode(*to, &mut *out)?;
        } else {
            let streams: Vec<_> = batch.par_iter().map(|(piece, to)| piece.encode(*to, Vec::new())).collect();
            for stream in streams {
                out.write_all(&stream?)?;
            }
        }
        rest = after;
    }
    Ok(())
}

/// Writes to `out` the stream of `plain` at `level`, as [`Encoder`] does, and gives the checkpoints for [`encode`]: the first end of a block
/// that is `apart` or more plain bytes behind the one before. At each of them the encoder is left for one that starts there, as it does
/// in [`encode`], so what was written is what that makes of the checkpoints.
///
/// # Errors
/// What reading and writing report.
pub fn encode_noting(
    level: Level,
    plain: &dyn ReadAt,
    apart: NonZeroU64,
    out: &mut (impl Write + ?Sized),
) -> io::Result<Vec<Checkpoint>> {
    let mut noted: Vec<Checkpoint> = Vec::new();
    loop {
        let from = noted.last();
        let stop = from.map_or(0, Checkpoint::position).saturating_add(apart.get());
        let stop = level.has_checkpoints().then_some(stop);
        match (Piece { level, plain, from, stop }).encode_until(&mut *out)? {
            (_, Some(checkpoint)) => noted.push(checkpoint),
            (_, None) => return Ok(noted),
        }
    }
}

/// The part of a stream between two checkpoints.
struct Piece<'a> {
    level: Level,
    plain: &'a dyn ReadAt,
    from: Option<&'a Checkpoint>,
    /// It ends with the first block that ends here or behind; without it, where the stream does.
    stop: Option<u64>,
}

impl Piece<'_> {
    /// Plain bytes of the piece.
    fn length(&self) -> u64 {
        self.stop.unwrap_or_else(|| self.plain.len()).saturating_sub(self.from.map_or(0, Checkpoint::position))
    }

    /// Writes the piece, which must end at the checkpoint `to`.
    fn encode<W: Write>(&self, to: Option<&Checkpoint>, out: W) -> io::Result<W> {
        let (out, end) = self.encode_until(out)?;
        let unmet = || io::Error::new(io::ErrorKind::InvalidData, "the encoder does not come to a checkpoint");
        if end.as_ref() == to { Ok(out) } else { Err(unmet()) }
    }

    /// Writes the piece, and says where it ends if the stream goes on there.
    fn encode_until<W: Write>(&self, out: W) -> io::Result<(W, Option<Checkpoint>)> {
        let mut encoder = match self.from {
            Some(checkpoint) => Encoder::resume(self.level, checkpoint, self.plain, out)?,
            None => Encoder::new(self.level, out),
        };
        if let Some(stop) = self.stop {
            encoder.stop_behind(stop);
        }
        let mut at = self.from.map_or(0, Checkpoint::continues_at);
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let count = self.plain.read_at(&mut buffer, at)?;
            let mut bytes = &buffer[..count];
            while !bytes.is_empty() {
                let taken = encoder.write(bytes)?;
                if let Some(noted) = encoder.take_checkpoints().pop() {
                    return Ok((encoder.out, Some(noted)));
                }
                bytes = &bytes[taken..];
                at += taken as u64;
            }
            if count == 0 {
                return Ok((encoder.finish()?, None));
            }
        }
    }
}

#[cfg(test)]
mod tests;
