//! The blocks of a package as one run of bytes, and how a package becomes blocks.

use std::io;

use delta_envelope::volumes::Header;

use super::super::blocks::Place;
use super::super::place::{joined, read_block};
use super::*;

fn source(bytes: Vec<u8>) -> Arc<dyn ReadAt> {
    Arc::new(bytes)
}

/// Places of blocks, each by its source and offset.
fn places(all: &[(usize, usize)]) -> Vec<Option<Place>> {
    all.iter().map(|(source, offset)| Some(Place { source: *source, offset: *offset as u64 })).collect()
}

#[test]
fn blocks_are_joined_wherever_they_are() {
    let (_, split) = five_blocks();
    let whole = noise(4 * BLOCK + 100, 1);
    let front = [&b"before"[..], &whole].concat();
    // The same bytes in another order.
    let turned: Vec<u8> = [&whole[4 * BLOCK..], &whole[2 * BLOCK..4 * BLOCK], &whole[..2 * BLOCK]].concat();
    let sources = [source(front), source(turned)];
    for all_places in [
        [(0, 6), (0, 6 + BLOCK), (0, 6 + 2 * BLOCK), (0, 6 + 3 * BLOCK), (0, 6 + 4 * BLOCK)],
        [(1, 100 + 2 * BLOCK), (1, 100 + 3 * BLOCK), (1, 100), (1, 100 + BLOCK), (1, 0)],
        [(0, 6), (1, 100 + 3 * BLOCK), (0, 6 + 2 * BLOCK), (1, 100 + BLOCK), (0, 6 + 4 * BLOCK)],
    ] {
        let joined = joined(&split.set, &places(&all_places), &sources).unwrap();
        assert_eq!(joined.len(), whole.len() as u64);
        assert!(all(&joined) == whole, "{all_places:?}");
        for (block, expected) in whole.chunks(BLOCK).enumerate() {
            let mut found = vec![0; BLOCK];
            let all_places = places(&all_places);
            read_block(&split.set, &all_places, &sources, (block as u64, 0), &mut found).unwrap();
            assert!(found.starts_with(expected), "{block}");
            assert!(found[expected.len()..].iter().all(|byte| *byte == 0), "behind the last byte are zeros");
            let mut part = vec![0; 10];
            read_block(&split.set, &all_places, &sources, (block as u64, 7), &mut part).unwrap();
            assert!(part == expected[7..17], "{block}");
        }
    }
}

#[test]
fn a_block_without_a_place_or_behind_the_end_is_an_error() {
    let (_, split) = five_blocks();
    let sources = [source(noise(4 * BLOCK + 100, 1))];
    let sound = [(0, 0), (0, BLOCK), (0, 2 * BLOCK), (0, 3 * BLOCK), (0, 4 * BLOCK)];
    assert!(joined(&split.set, &places(&sound), &sources).is_ok());
    for block in 0..5 {
        let mut lost = places(&sound);
        lost[block] = None;
        let words = format!("block {block} has no place");
        is_refused(joined(&split.set, &lost, &sources), Kind::Internal, &[&words]);
        let mut buffer = [0; 8];
        let error = read_block(&split.set, &lost, &sources, (block as u64, 0), &mut buffer).unwrap_err();
        assert_eq!(error.to_string(), format!("block {block} is nowhere"));
    }
    for (block, place) in [(4, (0, 4 * BLOCK + 1)), (4, (1, 4 * BLOCK)), (0, (0, 4 * BLOCK))] {
        let mut wrong = sound;
        wrong[block] = place;
        is_refused(joined(&split.set, &places(&wrong), &sources), Kind::Internal, &["a source ends before its blocks"]);
        let read = read_block(&split.set, &places(&wrong), &sources, (block as u64, 0), &mut [0; 8]);
        assert_eq!(read.unwrap_err().to_string(), format!("block {block} is nowhere"));
    }
    let read = read_block(&split.set, &places(&sound), &sources, (5, 0), &mut [0; 8]);
    assert_eq!(read.unwrap_err().to_string(), "block 5 is nowhere");
}

#[test]
fn a_volume_is_its_header_and_its_blocks() {
    let (desk, split) = five_blocks();
    let whole = noise(4 * BLOCK + 100, 1);
    assert_eq!(split.set.whole, BlobDigest::of(&whole));
    let digests: Vec<_> = whole.chunks(BLOCK).map(BlobDigest::of).collect();
    assert_eq!(split.set.blocks, digests);
    for (volume, range) in [(1, 0..2 * BLOCK), (2, 2 * BLOCK..4 * BLOCK), (3, 4 * BLOCK..whole.len())] {
        let mut bytes = Vec::new();
        split.write_volume(volume, &mut bytes).unwrap();
        assert!(bytes[BLOCK..] == whole[range]);
        let header = Header::parse(&bytes[..BLOCK]).unwrap();
        assert_eq!((header.volume, &header.set), (volume, &split.set));
        assert!(fs::read(desk.path(&format!("app.00{volume}"))).unwrap() == bytes);
    }
}

#[test]
fn parity_follows_the_data_in_volumes_of_its_own() {
    let desk = Desk::new();
    let whole = noise(3 * BLOCK, 1);
    let split = desk.split(&whole, "100%");
    let layout = &split.set.layout;
    assert_eq!((layout.data_volumes(), layout.volumes(), layout.parity_blocks()), (2, 4, 3));
    let mut parity = Vec::new();
    for volume in 3..=4 {
        let mut bytes = Vec::new();
        split.write_volume(volume, &mut bytes).unwrap();
        parity.extend_from_slice(&bytes[BLOCK..]);
    }
    let digests: Vec<_> = parity.chunks(BLOCK).map(BlobDigest::of).collect();
    assert_eq!(split.set.blocks[3..], digests);
    // A set that is known needs no parity to be made for its data.
    let known = Split::of(split.set.clone(), source(whole.clone()), false, &desk.scratch, &Silent).unwrap();
    let mut bytes = Vec::new();
    known.write_volume(1, &mut bytes).unwrap();
    assert!(bytes[BLOCK..] == whole[..2 * BLOCK]);
    is_refused(known.write_volume(3, &mut Vec::new()), Kind::Internal, &["a block lies behind the end"]);
    let again = Split::of(split.set.clone(), source(whole), true, &desk.scratch, &Silent).unwrap();
    let mut bytes = Vec::new();
    again.write_volume(3, &mut bytes).unwrap();
    assert!(bytes[BLOCK..] == parity[..2 * BLOCK]);
}

/// Bytes that end sooner than they say.
struct Short(usize, Vec<u8>);

impl ReadAt for Short {
    fn len(&self) -> u64 {
        self.0 as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.1.read_at(buffer, offset)
    }
}

#[test]
fn a_package_that_becomes_shorter_is_no_package_in_volumes() {
    let desk = Desk::new();
    for there in [3 * BLOCK - 1, BLOCK, 0] {
        let bytes = Arc::new(Short(3 * BLOCK, noise(there, 1)));
        let split = Split::new(bytes, layout(3 * BLOCK, ""), &desk.scratch, &Silent);
        is_refused(split.map(|_| ()), Kind::Content, &["the package became shorter while it was read"]);
    }
    let split = Split::new(source(noise(2 * BLOCK, 1)), layout(3 * BLOCK, ""), &desk.scratch, &Silent);
    is_refused(split.map(|_| ()), Kind::Internal, &["a block lies behind the end"]);
}

#[test]
fn names_of_volumes_are_put_together_and_taken_apart() {
    for (path, stem) in [("a", "a"), ("a.001", "a"), ("a.000", "a.000"), ("a.001/", "a.001/"), ("a.001.002", "a.001")] {
        assert_eq!(VolumeName::stem(Path::new(path)), Path::new(stem), "{path}");
    }
    for (volume, name) in [(1, "a.001"), (99, "a.099"), (999, "a.999")] {
        assert_eq!(VolumeName::path(Path::new("a"), volume), Path::new(name));
        let parsed = VolumeName::parse(Path::new(name)).unwrap();
        assert_eq!((parsed.volume, parsed.stem.as_path()), (volume, Path::new("a")));
    }
    for path in ["a.001/", "a.00", "a.-01", "a.+01", "a. 01", "a.1e2", "a.", "/"] {
        assert_eq!(VolumeName::parse(Path::new(path)), None, "{path}");
    }
}

#[test]
fn sizes_are_taken_up_to_what_64_bits_hold() {
    for (text, bytes) in [
        ("1", 1),
        ("1b", 1),
        ("1B", 1),
        ("0001k", 1_000),
        ("3KB", 3_000),
        ("3KiB", 3_072),
        ("5gb", 5_000_000_000),
        ("5GIB", 5 << 30),
        ("7tb", 7_000_000_000_000),
        ("18446744073709551615", u64::MAX),
        ("18446744073709551k", 18_446_744_073_709_551_000),
        ("18014398509481983KiB", u64::MAX - 1_023),
        ("16777215TiB", u64::MAX - ((1 << 40) - 1)),
        ("FAT32", u64::from(u32::MAX)),
    ] {
        assert_eq!(text.parse::<VolumeSize>().unwrap(), VolumeSize(bytes), "{text}");
    }
    for text in [
        "18446744073709551616",
        "18446744073709552k",
        "18014398509481984KiB",
        "16777216TiB",
        "0b",
        "00",
        "1bb",
        "1kk",
        "1 k",
        "k1",
        "1\u{a0}k",
        "1K ",
        " 1K",
        "+1K",
        "1mb1",
        "fat",
        "fat32k",
        "1PiB",
    ] {
        let error = text.parse::<VolumeSize>().unwrap_err();
        let expected = format!("expected a size such as 700M, 4G, 100MiB or fat32, found `{text}`");
        assert_eq!((error.kind(), error.to_string()), (Kind::Usage, expected));
    }
}
