use std::io::Write;

use super::*;
use crate::layer::blocks::BlockHasher;

/// A layer with a long name, a folder, contents, and no end.
fn layer() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in [("etc/motd", &b"hello"[..]), (&"long/".repeat(40), b""), ("bin/app", &[7; 9_000])] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, content).unwrap();
    }
    let mut bytes = builder.into_inner().unwrap();
    bytes.truncate(bytes.len() - 100);
    bytes
}

fn hashes(bytes: &[u8]) -> Vec<u64> {
    let mut hasher = BlockHasher::default();
    hasher.write_all(bytes).unwrap();
    hasher.finish()
}

fn encoded(bytes: &[u8], entries: Option<&TarIndex>) -> Vec<u8> {
    BaseIndex::encode(DiffId::of(bytes), bytes.len() as u64, &hashes(bytes), entries).unwrap()
}

/// The index with its checksum made right, as whoever wants to mislead us makes it.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - CHECKSUM);
    let checksum = xxh3_128(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

fn described(index: &TarIndex) -> Vec<(Entry, u128, Vec<u8>)> {
    let entries = index.entries().iter().enumerate();
    entries.map(|(number, entry)| (*entry, index.hash(number), index.path(number).to_vec())).collect()
}

#[test]
fn an_index_comes_back_as_it_was_kept() {
    let bytes = layer();
    let index = TarIndex::new(&bytes).unwrap();
    assert!(index.entries().len() >= 5 && index.entries().iter().any(|entry| !entry.has_header));
    for entries in [Some(&index), None] {
        let kept = encoded(&bytes, entries);
        let found = BaseIndex::decode(DiffId::of(&bytes), &kept).unwrap();
        assert_eq!((found.length, found.block_hashes), (bytes.len() as u64, hashes(&bytes)));
        assert_eq!(found.entries.as_ref().map(described), entries.map(described));
    }
}

/// When this fails because something else is found out about a layer, the number in `MAGIC` must become another one.
#[test]
fn an_index_is_the_same_bytes_for_the_same_layer() {
    let bytes = layer();
    let kept = encoded(&bytes, Some(&TarIndex::new(&bytes).unwrap()));
    assert_eq!((kept.len(), format!("{:032x}", xxh3_128(&kept)).as_str()), (668, "8e3eec259e8b90a0d55ee5a6ec140fdb"));
}

#[test]
fn no_other_bytes_are_an_index_of_a_layer() {
    let bytes = layer();
    let layer = DiffId::of(&bytes);
    let kept = encoded(&bytes, Some(&TarIndex::new(&bytes).unwrap()));
    assert!(BaseIndex::decode(DiffId::of(b"another"), &kept).is_none());
    for place in 0..kept.len() {
        let mut damaged = kept.clone();
        damaged[place] ^= 0x41;
        assert!(BaseIndex::decode(layer, &damaged).is_none(), "{place}");
        assert!(BaseIndex::decode(layer, &kept[..place]).is_none(), "{place}");
    }
    assert!(BaseIndex::decode(layer, &[kept, vec![0]].concat()).is_none());
}

#[test]
fn an_index_that_was_made_to_mislead_tiles_its_layer_or_is_none() {
    let bytes = layer();
    let layer = DiffId::of(&bytes);
    let kept = encoded(&bytes, Some(&TarIndex::new(&bytes).unwrap()));
    for place in MAGIC.len() + 32..kept.len() - CHECKSUM {
        for flips in [1, 0x80, 0xff] {
            let mut misleading = kept.clone();
            misleading[place] ^= flips;
            let cut = kept[..place].iter().copied().chain([0; CHECKSUM]).collect();
            for found in [misleading, cut].map(|bytes| BaseIndex::decode(layer, &sealed(bytes))).into_iter().flatten() {
                assert_eq!(found.block_hashes.len() as u64, block_count(found.length));
                let entries = found.entries.map(|index| index.entries().to_vec()).unwrap_or_default();
                let ends = entries.iter().map(Entry::end);
                let starts = entries.iter().map(|entry| entry.start).skip(1).chain([found.length]);
                assert!(entries.is_empty() || ends.eq(starts), "{place}");
            }
        }
    }
}

#[test]
fn numbers_beyond_what_a_layer_has_are_refused() {
    let empty = DiffId::of(b"");
    let of = |length: u64, entries: &[(u64, u16, u16)]| {
        let mut bytes = [&MAGIC[..], empty.as_bytes(), &length.to_le_bytes()].concat();
        bytes.extend(vec![0; usize::try_from(block_count(length.min(1 << 20))).unwrap() * size_of::<u64>()]);
        for (length, padding, path) in entries {
            bytes.extend(length.to_le_bytes());
            bytes.extend([0; 17]);
            bytes.extend(padding.to_le_bytes());
            bytes.extend(path.to_le_bytes());
            bytes.extend(vec![0; usize::from(*path)]);
        }
        bytes.extend([0; CHECKSUM]);
        BaseIndex::decode(empty, &sealed(bytes)).is_some()
    };
    assert!(of(0, &[]) && of(100, &[(100, 0, 0)]) && of(611, &[(50, 0, 3), (50, 511, 4098)]));
    assert!(!of(u64::MAX, &[]) && !of(LAYER_BYTES + 1, &[]), "a layer is shorter");
    assert!(!of(100, &[(u64::MAX, 0, 0)]) && !of(100, &[(99, 0, 0)]) && !of(100, &[(101, 0, 0)]));
    assert!(!of(612, &[(100, 512, 0)]), "padding is less than a block");
    assert!(!of(100, &[(100, 0, 4099)]), "paths are cut");
    assert!(!of(100, &[(0, 0, 0), (100, 0, 0)]), "an entry has bytes");
}

#[test]
fn base_index_bytes_are_kept_and_no_more() {
    let length = BASE_INDEX_BYTES / 8 * 4096;
    let hashes = |less: u64| vec![0; usize::try_from(BASE_INDEX_BYTES / 8 - less).unwrap()];
    let kept = |less| BaseIndex::encode(DiffId::of(b""), length, &hashes(less), None);
    assert!(kept(0).is_none() && kept(9).is_none());
    assert_eq!(kept(10).map(|bytes| bytes.len() as u64), Some(BASE_INDEX_BYTES - 4));
}
