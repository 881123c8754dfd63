//! The blocks of a package, wherever they are, as one run of bytes; nothing is copied.

use std::io;
use std::sync::Arc;

use delta_codec::{Concat, ReadAt, Slice};
use delta_core::error::{Error, Result};
use delta_envelope::volumes::{Set, padded};

use super::blocks::{Place, index};

type Piece = Slice<Arc<dyn ReadAt>>;

/// The package, of which every block has a place in one of the sources.
pub(super) fn joined(set: &Set, places: &[Option<Place>], sources: &[Arc<dyn ReadAt>]) -> Result<Arc<dyn ReadAt>> {
    let mut runs: Vec<(Place, u64)> = Vec::new();
    for block in 0..set.layout.data_blocks() {
        let place = places[index(block)?].ok_or_else(|| Error::internal(format!("block {block} has no place")))?;
        let bytes = set.layout.bytes_of(block);
        match runs.last_mut() {
            Some((first, length)) if first.source == place.source && first.offset + *length == place.offset => {
                *length += bytes;
            }
            _ => runs.push((place, bytes)),
        }
    }
    let pieces = runs.into_iter().map(|(place, length)| {
        let source = sources.get(place.source).cloned();
        let piece = source.and_then(|source| Slice::new(source, place.offset, length));
        piece.ok_or_else(|| Error::internal("a source ends before its blocks"))
    });
    Ok(Arc::new(Concat::new(pieces.collect::<Result<Vec<Piece>>>()?)))
}

/// Reads a block of data or parity for restoring others.
pub(super) fn read_block(
    set: &Set,
    places: &[Option<Place>],
    sources: &[Arc<dyn ReadAt>],
    (block, offset): (u64, u64),
    buffer: &mut [u8],
) -> io::Result<()> {
    let lost = || io::Error::other(format!("block {block} is nowhere"));
    let place = usize::try_from(block).ok().and_then(|block| *places.get(block)?).ok_or_else(lost)?;
    let source = sources.get(place.source).ok_or_else(lost)?;
    let piece = Slice::new(source, place.offset, set.layout.bytes_of(block)).ok_or_else(lost)?;
    padded(&piece, offset, buffer)
}
