//! Makes what the volumes of a package hold.

use std::io::{self, Write};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader, Slice};
use delta_core::digest::{BlobDigest, Hasher};
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_envelope::volumes::{Layout, Set, padded, parity_blocks};

use crate::file_system;
use crate::spool::TempScratch;

/// A package, its parity, and the digests of all blocks.
pub struct Split {
    /// What the volumes say of all of them.
    pub set: Arc<Set>,
    bytes: Arc<dyn ReadAt>,
    parity: Arc<dyn ReadAt>,
}

impl Split {
    /// Cuts a package, and makes parity in `scratch`.
    ///
    /// # Errors
    /// What reading, or the room, reports.
    pub fn new(bytes: Arc<dyn ReadAt>, layout: Layout, scratch: &TempScratch, progress: &dyn Progress) -> Result<Self> {
        let parity = parity_of(&bytes, &layout, scratch, progress)?;
        let task = progress.begin("Hashing blocks", Some(layout.bytes()));
        let mut whole = Hasher::new(io::sink());
        let mut blocks = Vec::new();
        for number in 0..layout.data_blocks() {
            let length = layout.bytes_of(number);
            let mut block = Hasher::new(&mut whole);
            copy(&bytes, number * layout.block_bytes(), length, &mut block)?;
            blocks.push(block.finish().1.into());
            task.advance(length);
        }
        for number in 0..layout.parity_blocks() {
            let mut block = Hasher::new(io::sink());
            copy(&parity, number * layout.block_bytes(), layout.block_bytes(), &mut block)?;
            blocks.push(block.finish().1.into());
        }
        let whole: BlobDigest = whole.finish().1.into();
        Ok(Self { set: Arc::new(Set { layout, whole, blocks }), bytes, parity })
    }

    /// The same for a package whose set is known; parity is made where it is needed.
    pub(super) fn of(
        set: Arc<Set>,
        bytes: Arc<dyn ReadAt>,
        needs_parity: bool,
        scratch: &TempScratch,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let parity: Arc<dyn ReadAt> =
            if needs_parity { parity_of(&bytes, &set.layout, scratch, progress)? } else { Arc::new(Vec::new()) };
        Ok(Self { set, bytes, parity })
    }

    /// Writes the file of a volume.
    ///
    /// # Errors
    /// What reading or writing reports.
    pub fn write_volume(&self, volume: u64, out: &mut dyn Write) -> Result<()> {
        out.write_all(&self.set.header(volume)).map_err(Error::io("writing a volume"))?;
        let layout = &self.set.layout;
        for block in layout.blocks_of(volume) {
            let length = layout.bytes_of(block);
            match block.checked_sub(layout.data_blocks()) {
                None => copy(&self.bytes, block * layout.block_bytes(), length, out)?,
                Some(parity) => copy(&self.parity, parity * layout.block_bytes(), length, out)?,
            }
        }
        Ok(())
    }
}

fn parity_of(
    bytes: &Arc<dyn ReadAt>,
    layout: &Layout,
    scratch: &TempScratch,
    progress: &dyn Progress,
) -> Result<Arc<dyn ReadAt>> {
    if layout.parity_blocks() == 0 {
        return Ok(Arc::new(Vec::new()));
    }
    file_system::require(scratch.folder(), layout.parity_blocks() * layout.block_bytes(), "making parity")?;
    let read = |block, offset, buffer: &mut [u8]| padded(bytes, block * layout.block_bytes() + offset, buffer);
    parity_blocks(layout, &read, scratch, progress)
}

fn copy(from: &Arc<dyn ReadAt>, offset: u64, length: u64, to: &mut dyn Write) -> Result<()> {
    let piece = Slice::new(from, offset, length).ok_or_else(|| Error::internal("a block lies behind the end"))?;
    let copied = io::copy(&mut Reader::new(piece), to).map_err(Error::io("copying a block"))?;
    if copied == length { Ok(()) } else { Err(Error::content("the package became shorter while it was read")) }
}
