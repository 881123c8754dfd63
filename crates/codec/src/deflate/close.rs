//! Skeleton and plain bytes to the content.

use std::io::{self, Read, Write};

use rayon::prelude::*;

use super::Error;
use super::plan::{Step, steps};
use super::recreate::recreate;
use crate::limits::{DEFLATE_BATCH_BYTES, DEFLATE_HELD_BYTES};
use crate::{Bounded, ReadAt, Reader, Slice};

/// Streams in a batch, however short.
const BATCH_STREAMS: usize = 1024;

/// Writes the content that `plan`, `skeleton` and `plain` describe, at most `most` bytes, and returns its length.
///
/// It ends after work in proportion to plan, skeleton and plain bytes.
///
/// # Errors
/// When the three do not belong together, the content is longer, or reading or writing fails.
pub fn close(
    plan: &[u8],
    skeleton: &dyn ReadAt,
    plain: &dyn ReadAt,
    out: &mut dyn Write,
    most: u64,
) -> Result<u64, Error> {
    let mut closer = Closer {
        skeleton: Reader::new(skeleton),
        plain,
        position: 0,
        out: Bounded::new(out, most, "it becomes longer than promised"),
        batch: Vec::new(),
        batch_bytes: 0,
    };
    for (number, step) in (0..).zip(steps(plan)) {
        closer.take(step?, number)?;
    }
    closer.flush()?;
    io::copy(&mut closer.skeleton, &mut closer.out)?;
    if closer.position != plain.len() {
        return Err(Error::Plain { used: closer.position, found: plain.len() });
    }
    Ok(most - closer.out.left())
}

struct Closer<'a> {
    skeleton: Reader<&'a dyn ReadAt>,
    plain: &'a dyn ReadAt,
    position: u64,
    out: Bounded<&'a mut dyn Write>,
    batch: Vec<(u64, Step, Slice<&'a dyn ReadAt>)>,
    batch_bytes: u64,
}

impl Closer<'_> {
    fn take(&mut self, step: Step, number: u64) -> Result<(), Error> {
        let plain = Slice::new(self.plain, self.position, step.plain).ok_or(Error::Plan(number))?;
        self.position += step.plain;
        if step.most_bytes() > DEFLATE_HELD_BYTES {
            self.flush()?;
            self.copy_gap(step.gap, number)?;
            return recreate(&step.wrapping, &*step.encoder, &plain, &mut self.out)
                .map_err(|error| failed(number, error));
        }
        self.batch_bytes += step.most_bytes();
        self.batch.push((number, step, plain));
        if self.batch_bytes >= DEFLATE_BATCH_BYTES || self.batch.len() >= BATCH_STREAMS {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes the streams of the batch side by side and writes them in their order.
    fn flush(&mut self) -> Result<(), Error> {
        self.batch_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        let make = |(number, step, plain): &(u64, Step, Slice<&dyn ReadAt>)| {
            let mut made = Vec::new();
            recreate(&step.wrapping, &*step.encoder, plain, &mut made)
                .map(|()| made)
                .map_err(|error| failed(*number, error))
        };
        let streams: Vec<Vec<u8>> = batch.par_iter().map(make).collect::<Result<_, _>>()?;
        for ((number, step, _), stream) in batch.iter().zip(streams) {
            self.copy_gap(step.gap, *number)?;
            self.out.write_all(&stream)?;
        }
        Ok(())
    }

    fn copy_gap(&mut self, gap: u64, number: u64) -> Result<(), Error> {
        let copied = io::copy(&mut self.skeleton.by_ref().take(gap), &mut self.out)?;
        if copied == gap { Ok(()) } else { Err(Error::Plan(number)) }
    }
}

/// What a stream is made of is at fault when it is not the room or the place.
fn failed(stream: u64, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Error::Stream { stream, what: error.to_string() },
        _ => Error::Io(error),
    }
}
