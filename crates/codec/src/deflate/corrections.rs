//! Streams of compressors other than zlib: predicted by `preflate-rs`, with corrections where the prediction fails.
//!
//! The library is young and panics on some streams, so a panic counts as a stream that cannot be made again. What it
//! writes is a format of its own, which is why its exact version is part of every description that uses it.
//!
//! Corrections that were altered can keep it busy without end while its memory grows, some megabytes a second, so each piece is
//! made in a thread of its own and given up after [`DEFLATE_CORRECTED_SECONDS`].

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use preflate_rs::{ExitCode, PreflateConfig, PreflateStreamProcessor, RecreateStreamProcessor};

use super::located::Located;
use crate::limits::{DEFLATE_CORRECTED_BYTES, DEFLATE_CORRECTED_PIECE, DEFLATE_CORRECTED_SECONDS};
use crate::{ReadAt, Reader};

/// Compressed bytes that are read at a time until they hold whole blocks.
const STEP: usize = 256 << 10;

/// Tries to find a match in the hash chain, which bounds the time for a byte.
const CHAIN: u32 = 4096;

/// Corrections that weigh more than a share of the stream are not worth the time that applying them takes.
const SHARE: u64 = 8;

/// What a short stream may have in corrections whatever its share.
const FEW: u64 = 64;

/// The corrections for some plain bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) plain: u64,
    pub(super) corrections: Vec<u8>,
}

/// Corrections for the whole stream; `None` when it has too many or the library fails.
pub(super) fn find(located: &Located, content: &dyn ReadAt) -> io::Result<Option<Vec<Piece>>> {
    let deflated = located.deflated(content);
    if located.plain_length > DEFLATE_CORRECTED_BYTES || deflated.len() > DEFLATE_CORRECTED_BYTES {
        return Ok(None);
    }
    let mut source = Reader::new(deflated);
    let mut attempt = Attempt::new(located);
    catch_unwind(AssertUnwindSafe(|| attempt.run(&mut source))).unwrap_or(Ok(None))
}

struct Attempt {
    processor: PreflateStreamProcessor,
    held: Vec<u8>,
    pieces: Vec<Piece>,
    plain_left: u64,
    corrections_left: u64,
}

impl Attempt {
    fn new(located: &Located) -> Self {
        let config = PreflateConfig {
            max_chain_length: CHAIN,
            plain_text_limit: DEFLATE_CORRECTED_PIECE,
            verify_compression: false,
        };
        Self {
            processor: PreflateStreamProcessor::new(&config),
            held: Vec::new(),
            pieces: Vec::new(),
            plain_left: located.plain_length,
            corrections_left: FEW + located.length / SHARE,
        }
    }

    fn run(&mut self, source: &mut impl Read) -> io::Result<Option<Vec<Piece>>> {
        let mut is_whole = false;
        while !self.processor.is_done() {
            if !is_whole {
                is_whole = source.take(STEP as u64).read_to_end(&mut self.held)? < STEP;
            }
            match self.processor.decompress(&self.held) {
                Ok(result) => {
                    if !self.keep(result.corrections, result.compressed_size, is_whole) {
                        return Ok(None);
                    }
                }
                Err(error) if error.exit_code() == ExitCode::ShortRead && !is_whole => {
                    if self.held.len() > DEFLATE_CORRECTED_PIECE {
                        return Ok(None);
                    }
                }
                Err(_) => return Ok(None),
            }
        }
        Ok((self.plain_left == 0 && self.held.is_empty()).then(|| std::mem::take(&mut self.pieces)))
    }

    /// Keeps what was found; `false` when it is too much, or when nothing was.
    fn keep(&mut self, corrections: Vec<u8>, compressed: usize, is_whole: bool) -> bool {
        let plain = self.processor.plain_text().len() as u64;
        let (Some(plain_left), Some(corrections_left)) =
            (self.plain_left.checked_sub(plain), self.corrections_left.checked_sub(corrections.len() as u64))
        else {
            return false;
        };
        if compressed == 0 && is_whole {
            return false;
        }
        self.held.drain(..compressed.min(self.held.len()));
        self.plain_left = plain_left;
        self.corrections_left = corrections_left;
        self.pieces.push(Piece { plain, corrections });
        self.processor.shrink_to_dictionary();
        true
    }
}

/// Writes the stream of the bytes that `plain` gives.
pub(super) fn recreate(pieces: &[Piece], plain: &mut impl Read, out: &mut dyn Write) -> io::Result<()> {
    recreate_within(Duration::from_secs(DEFLATE_CORRECTED_SECONDS), pieces, plain, out)
}

/// Gives up a piece that takes longer than `most`, which is far more than any needs.
fn recreate_within(most: Duration, pieces: &[Piece], plain: &mut impl Read, out: &mut dyn Write) -> io::Result<()> {
    let (work, jobs) = mpsc::sync_channel(0);
    let (results, made) = mpsc::sync_channel(1);
    // A thread cannot be ended from outside: one that runs on is left to the end of the program, which an error brings.
    thread::Builder::new().spawn(move || recreate_pieces(&jobs, &results))?;
    let given_up = || invalid("the corrections lead nowhere");
    for piece in pieces {
        let mut held = Vec::new();
        if plain.take(piece.plain).read_to_end(&mut held)? as u64 != piece.plain {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        work.send((held, piece.corrections.clone())).map_err(|_| given_up())?;
        match made.recv_timeout(most).map_err(|_| given_up())? {
            Some(bytes) => out.write_all(&bytes)?,
            None => return Err(invalid("the corrections make no stream")),
        }
    }
    Ok(())
}

/// Makes the piece of each job, plain bytes and corrections, as long as there are any; `None` for one that cannot be made.
fn recreate_pieces(jobs: &mpsc::Receiver<(Vec<u8>, Vec<u8>)>, results: &mpsc::SyncSender<Option<Vec<u8>>>) {
    let mut processor = RecreateStreamProcessor::new();
    for (plain, corrections) in jobs {
        let made = catch_unwind(AssertUnwindSafe(|| processor.recompress(&mut plain.as_slice(), &corrections)));
        let made = made.ok().and_then(Result::ok).map(|(bytes, _)| bytes);
        if results.send(made).is_err() {
            return;
        }
    }
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::DeflateEncoder;

    use super::super::located::{LEVELS, Wrapping};
    use super::*;

    fn located(deflated: &[u8], plain: &[u8]) -> Located {
        Located {
            name: Vec::new(),
            offset: 0,
            length: deflated.len() as u64,
            wrapping: Wrapping::Raw,
            levels: LEVELS,
            pieces: vec![(0, deflated.len() as u64)],
            plain_offset: 0,
            plain_length: plain.len() as u64,
        }
    }

    #[test]
    fn altered_corrections_end_in_bounded_time() {
        let plain: Vec<u8> = (0..60_000_u32).map(|number| ((number * number) >> 7).to_le_bytes()[0] & 31).collect();
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(&plain).unwrap();
        let deflated = encoder.finish().unwrap();
        let Some(pieces) = find(&located(&deflated, &plain), &deflated).unwrap() else { panic!("no corrections") };
        let mut out = Vec::new();
        recreate(&pieces, &mut plain.as_slice(), &mut out).unwrap();
        assert!(out == deflated);
        let most = Duration::from_millis(300);
        let start = std::time::Instant::now();
        let tries = pieces[0].corrections.len().min(24);
        for at in 0..tries {
            let mut altered = pieces.clone();
            altered[0].corrections[at] ^= 0x55;
            let _ = recreate_within(most, &altered, &mut plain.as_slice(), &mut Vec::new());
        }
        assert!(start.elapsed() < Duration::from_secs(60) + most * u32::try_from(tries).unwrap());
    }
}
