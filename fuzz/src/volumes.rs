//! Volumes: headers of any bytes under a right digest, and any pattern of lost blocks.

use delta_codec::{MemoryScratch, ReadAt};
use delta_core::digest::BlobDigest;
use delta_core::job::progress::Silent;
use delta_envelope::volumes::{Header, Layout, Parity, START, padded, parity_blocks, restored_blocks};

use crate::parts;

/// Where the digest of a header stands.
const DIGEST: std::ops::Range<usize> = 16..48;

pub fn volumes(data: &[u8]) {
    let [head, whole, lost] = parts(data);
    header(head);
    parity(whole, lost);
}

/// A header with any fields and digests, filled up and under its digest.
fn header(fields: &[u8]) {
    let mut start = [0; START];
    let count = fields.len().min(START);
    start[..count].copy_from_slice(&fields[..count]);
    start[..12].copy_from_slice(b"ddvolume\x01\0\0\0");
    let Ok(length) = Header::bytes(&start) else { return };
    let mut bytes = start.to_vec();
    bytes.extend(&fields[count..]);
    bytes.resize(length, 0);
    let digest = BlobDigest::of(&[&bytes[..DIGEST.start], &bytes[DIGEST.end..]].concat());
    bytes[DIGEST].copy_from_slice(digest.as_bytes());
    let Ok(header) = Header::parse(&bytes) else { return };
    assert!(header.set.header(header.volume) == bytes);
    let layout = &header.set.layout;
    let all: u64 = (1..=layout.volumes()).map(|volume| layout.file_bytes(volume)).sum();
    assert!(all == layout.all_bytes() && layout.blocks() == header.set.blocks.len() as u64);
    let last = layout.blocks() - 1;
    assert_eq!(layout.place_of(last) + layout.bytes_of(last), layout.file_bytes(layout.volumes()));
}

/// What is lost comes back, as long as there is as much parity; each byte of `lost` is a block.
fn parity(whole: &[u8], lost: &[u8]) {
    let Some((percent, lost)) = lost.split_first() else { return };
    let Ok(parity) = percent.to_string().parse::<Parity>() else { return };
    let Ok(layout) = Layout::plan(whole.len() as u64, None, parity) else { return };
    let bytes = whole.to_vec();
    let block = layout.block_bytes();
    let read = |number, offset, buffer: &mut [u8]| padded(&bytes, number * block + offset, buffer);
    let parity = parity_blocks(&layout, &read, &MemoryScratch, &Silent).expect("parity");
    let mut good = vec![true; usize::try_from(layout.blocks()).expect("a number")];
    let most = usize::try_from(layout.parity_blocks()).expect("a number");
    lost.iter().take(most).for_each(|number| {
        let count = good.len();
        good[usize::from(*number) % count] = false;
    });
    let read = |number: u64, offset, buffer: &mut [u8]| match number.checked_sub(layout.data_blocks()) {
        None => padded(&bytes, number * block + offset, buffer),
        Some(number) => padded(&parity, number * block + offset, buffer),
    };
    let restored = restored_blocks(&layout, &good, &read, &MemoryScratch, &Silent).expect("blocks");
    let data = (0..layout.data_blocks()).zip(&good).filter(|(_, good)| !**good);
    for ((number, _), place) in data.zip(0..) {
        let [mut expected, mut found] = [(); 2].map(|()| vec![0; usize::try_from(block).expect("a number")]);
        padded(&bytes, number * block, &mut expected).expect("bytes");
        restored.read_exact_at(&mut found, place * block).expect("a block");
        assert!(expected == found);
    }
}
