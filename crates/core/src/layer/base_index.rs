//! What is kept of a base layer, so that not all of it is read when it is a base again.
//!
//! The bytes of an index are those of a stranger: whatever they are, they make an index for this layer, or none. One that is wrong
//! makes a package that is not proved, or a larger one.

use xxhash_rust::xxh3::xxh3_128;

use super::blocks::block_count;
use super::tar_index::{BLOCK, Entry, TarIndex};
use crate::digest::DiffId;
use crate::limits::{BASE_INDEX_BYTES, ENTRIES_PER_LAYER, INDEXED_PATH_BYTES, LAYER_BYTES};

/// What the bytes start with. The number behind it is another one whenever an index would say something else of the same layer.
const MAGIC: &[u8; 20] = b"docker_delta base 1\n";

/// The hash of all bytes stands behind them.
const CHECKSUM: usize = size_of::<u128>();

/// What stands behind the path of an entry that describes the next one.
const PART_BYTES: usize = 2;

/// What was found out about a layer when it was compared with its digest.
#[derive(Debug)]
pub(crate) struct BaseIndex {
    /// Of its uncompressed stream, in bytes.
    pub(crate) length: u64,
    /// One for each of its blocks.
    pub(crate) block_hashes: Vec<u64>,
    /// Where it was asked for.
    pub(crate) entries: Option<TarIndex>,
}

impl BaseIndex {
    /// The bytes that are kept; none for a layer that has too many.
    pub(crate) fn encode(
        layer: DiffId,
        length: u64,
        block_hashes: &[u64],
        entries: Option<&TarIndex>,
    ) -> Option<Vec<u8>> {
        let mut bytes = [&MAGIC[..], layer.as_bytes(), &length.to_le_bytes()].concat();
        bytes.extend(block_hashes.iter().flat_map(|hash| hash.to_le_bytes()));
        for number in (0..).take(entries.map_or(0, |index| index.entries().len())) {
            entries.iter().for_each(|index| push_entry(&mut bytes, index, number));
        }
        bytes.extend(xxh3_128(&bytes).to_le_bytes());
        (bytes.len() as u64 <= BASE_INDEX_BYTES).then_some(bytes)
    }

    /// The index that these bytes are; nothing when they are none of this layer.
    pub(crate) fn decode(layer: DiffId, bytes: &[u8]) -> Option<Self> {
        let (bytes, checksum) = bytes.split_last_chunk::<CHECKSUM>()?;
        let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(layer.as_bytes())?;
        if xxh3_128(bytes) != u128::from_le_bytes(*checksum) {
            return None;
        }
        let mut fields = Fields(rest);
        let length = fields.number().filter(|length| *length <= LAYER_BYTES)?;
        let hashes = fields.take(usize::try_from(block_count(length)).ok()?.checked_mul(size_of::<u64>())?)?;
        let (hashes, _) = hashes.as_chunks();
        let block_hashes = hashes.iter().copied().map(u64::from_le_bytes).collect();
        let entries = if fields.0.is_empty() { None } else { Some(fields.entries(length)?) };
        Some(Self { length, block_hashes, entries })
    }
}

fn push_entry(bytes: &mut Vec<u8>, index: &TarIndex, number: usize) {
    let Entry { has_header, length, padding, start: _ } = index.entries()[number];
    let path = index.path(number);
    bytes.extend(length.to_le_bytes());
    bytes.extend(index.hash(number).to_le_bytes());
    bytes.push(u8::from(has_header));
    // Both are bounded far below: the one by a block, the other by `INDEXED_PATH_BYTES`.
    bytes.extend(u16::try_from(padding).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(u16::try_from(path.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(path);
}

/// What is still to be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// Entries to the end of the bytes, which tile a layer of this length.
    fn entries(&mut self, layer_length: u64) -> Option<TarIndex> {
        let mut index = TarIndex::default();
        let mut start = 0;
        while !self.0.is_empty() {
            let length = self.number()?;
            let hash = u128::from_le_bytes(self.bytes()?);
            let [has_header] = self.bytes().filter(|[flag]| *flag <= 1)?;
            let padding = u64::from(u16::from_le_bytes(self.bytes()?));
            let path_length = usize::from(u16::from_le_bytes(self.bytes()?));
            let path = self.take(path_length)?;
            let is_possible = length <= layer_length
                && padding < BLOCK as u64
                && path_length <= INDEXED_PATH_BYTES + PART_BYTES
                && index.entries().len() < ENTRIES_PER_LAYER;
            if !is_possible {
                return None;
            }
            let entry = Entry { start, has_header: has_header == 1, length, padding };
            start = Some(entry.end()).filter(|end| (start + 1..=layer_length).contains(end))?;
            index.push(entry, hash, path);
        }
        (start == layer_length).then_some(index)
    }
}

#[cfg(test)]
mod tests;
