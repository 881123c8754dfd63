//! One block: compressed, then brought to the next byte.

use std::io::{self, Write};

use super::super::libz::{Deflater, Flush};
use super::jobs::Job;

/// An empty block with fixed codes: its three bits of header and seven of end.
const EMPTY_BLOCK: (u8, u8) = (2, 10);

/// What stands behind a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// As few empty blocks as lead to a whole byte.
    Continued,
    /// Two empty stored blocks, which say that nothing behind refers to what is before.
    Fresh,
}

/// Compresses the pieces of `job`, which `bytes` are.
pub(super) fn encode(
    deflater: &mut Deflater,
    job: &Job,
    bytes: &[u8],
    ending: Ending,
    is_last: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut start = 0;
    for end in job.ends() {
        let piece = &bytes[start..end];
        start = end;
        if is_last && end == bytes.len() {
            deflater.run(piece, Flush::Finish, out)?;
        } else {
            deflater.run(piece, Flush::Block, out)?;
            align(deflater, ending, out)?;
        }
    }
    Ok(())
}

/// An empty fixed block has 10 bits, so that an even number of bits gets to a whole byte by at most three of them.
fn align(deflater: &mut Deflater, ending: Ending, out: &mut impl Write) -> io::Result<()> {
    let bits = deflater.pending_bits()?;
    if ending == Ending::Fresh {
        deflater.run(&[], Flush::Sync, out)?;
        return deflater.run(&[], Flush::Full, out);
    }
    if bits % 2 == 1 {
        return deflater.run(&[], Flush::Sync, out);
    }
    if bits > 0 {
        while deflater.pending_bits()? % 8 != 0 {
            deflater.push_bits(EMPTY_BLOCK.0, EMPTY_BLOCK.1)?;
        }
        deflater.run(&[], Flush::Block, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
