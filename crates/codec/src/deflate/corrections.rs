//! Streams of compressors other than zlib: predicted by `preflate-rs`, with corrections where the prediction fails.
//!
//! The library is young and panics on some streams, so a panic counts as a stream that cannot be made again. What it
//! writes is a format of its own, which is why its exact version is part of every description that uses it.
//!
//! Two of its faults cannot be mended from here. Corrections that were altered can keep it busy without end while its
//! memory grows, so they may be used only after a check that they are the ones that were written. And before it gives up
//! on some streams it prints lines to the standard output.

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use preflate_rs::{ExitCode, PreflateConfig, PreflateStreamProcessor, RecreateStreamProcessor};

use super::located::Located;
use crate::limits::{DEFLATE_CORRECTED_BYTES, DEFLATE_CORRECTED_PIECE};
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
    let mut processor = RecreateStreamProcessor::new();
    for piece in pieces {
        let mut held = Vec::new();
        if plain.take(piece.plain).read_to_end(&mut held)? as u64 != piece.plain {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let recreated = catch_unwind(AssertUnwindSafe(|| {
            processor.recompress(&mut held.as_slice(), &piece.corrections).map(|(bytes, _)| bytes)
        }));
        match recreated {
            Ok(Ok(bytes)) => out.write_all(&bytes)?,
            Ok(Err(error)) => return Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string())),
            Err(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "the corrections make no stream")),
        }
    }
    Ok(())
}
