use super::*;
use crate::limits::{BLOCKS, MOST_BLOCK};
use crate::volumes::Parity;

fn set() -> Set {
    let layout = Layout::plan(100_000, Some(50_000), "30%".parse::<Parity>().unwrap()).unwrap();
    let blocks = (0..layout.blocks()).map(|block| BlobDigest::of(&block.to_le_bytes())).collect();
    Set { layout, whole: BlobDigest::of(b"whole"), blocks }
}

/// A header as FORMAT.md, section 18, has it, with these numbers in it, whether they can be meant or not.
struct Written {
    version: u32,
    volume: u32,
    bytes: u64,
    blocks_per_volume: u32,
    parity: u32,
    /// How many digests of blocks stand in it.
    digests: usize,
    filling: u8,
}

impl Default for Written {
    /// Three blocks of data and one of parity, two a volume.
    fn default() -> Self {
        Self { version: 1, volume: 1, bytes: 12_000, blocks_per_volume: 2, parity: 1, digests: 4, filling: 0 }
    }
}

impl Written {
    fn bytes(&self) -> Vec<u8> {
        let mut before = b"ddvolume".to_vec();
        before.extend(self.version.to_le_bytes());
        before.extend(self.volume.to_le_bytes());
        let mut behind = self.bytes.to_le_bytes().to_vec();
        behind.extend(self.blocks_per_volume.to_le_bytes());
        behind.extend(self.parity.to_le_bytes());
        behind.extend(BlobDigest::of(b"whole").as_bytes());
        for block in 0..self.digests {
            behind.extend(BlobDigest::of(&(block as u64).to_le_bytes()).as_bytes());
        }
        behind.resize((48 + behind.len()).next_multiple_of(4_096) - 48, self.filling);
        let digest = BlobDigest::of(&[&before[..], &behind[..]].concat());
        [&before[..], digest.as_bytes(), &behind[..]].concat()
    }
}

#[test]
fn a_header_is_what_the_format_says() {
    let bytes = Written { volume: 2, ..Written::default() }.bytes();
    let header = Header::parse(&bytes).unwrap();
    assert_eq!((header.volume, header.set.layout.bytes()), (2, 12_000));
    assert_eq!((header.set.layout.blocks_per_volume(), header.set.layout.parity_blocks()), (2, 1));
    assert_eq!(header.set.whole, BlobDigest::of(b"whole"));
    let blocks: Vec<BlobDigest> = (0..4_u64).map(|block| BlobDigest::of(&block.to_le_bytes())).collect();
    assert_eq!(header.set.blocks, blocks);
    assert_eq!(header.set.header(2), bytes);
    assert_eq!(header.set.id(), BlobDigest::of(&bytes[48..]));
}

#[test]
fn a_header_comes_back_and_no_bit_of_it_may_change() {
    let set = set();
    let bytes = set.header(2);
    assert_eq!(Header::bytes(bytes.first_chunk().unwrap()).unwrap(), bytes.len());
    let header = Header::parse(&bytes).unwrap();
    assert_eq!((header.volume, &*header.set, header.set.id()), (2, &set, set.id()));
    for bit in 0..bytes.len() * 8 {
        let mut other = bytes.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(Header::parse(&other).is_err(), "bit {bit}");
    }
}

#[test]
fn a_header_has_its_length_and_no_other() {
    let bytes = set().header(1);
    for length in 0..START {
        assert!(matches!(Header::parse(&bytes[..length]), Err(Odd::Foreign)), "{length}");
    }
    for length in START..bytes.len() {
        assert!(matches!(Header::parse(&bytes[..length]), Err(Odd::Damaged)), "{length}");
    }
    assert!(matches!(Header::parse(&[&bytes[..], b"x"].concat()), Err(Odd::Damaged)));
    assert!(matches!(Header::parse(&[&bytes[..], &[0; 4_096]].concat()), Err(Odd::Damaged)));
}

#[test]
fn numbers_that_cannot_be_meant_are_refused_under_a_good_digest() {
    let of = |change: fn(&mut Written)| {
        let mut written = Written::default();
        change(&mut written);
        Header::parse(&written.bytes())
    };
    assert!(of(|_| ()).is_ok());
    for (what, found) in [
        ("volume 0", of(|written| written.volume = 0)),
        ("a volume behind the last", of(|written| written.volume = 4)),
        ("the largest volume", of(|written| written.volume = u32::MAX)),
        ("no bytes", of(|written| written.bytes = 0)),
        ("more bytes than a set has", of(|written| written.bytes = BLOCKS * MOST_BLOCK + 1)),
        ("the largest number of bytes", of(|written| written.bytes = u64::MAX)),
        ("no blocks in a volume", of(|written| written.blocks_per_volume = 0)),
        ("a volume larger than all data", of(|written| written.blocks_per_volume = 4)),
        ("the largest volumes", of(|written| written.blocks_per_volume = u32::MAX)),
        ("more parity than data", of(|written| (written.parity, written.digests) = (4, 7))),
        ("the most parity", of(|written| written.parity = u32::MAX)),
        ("bytes behind the digests", of(|written| written.filling = 1)),
        ("a digest too many", of(|written| written.digests = 5)),
    ] {
        assert!(matches!(found, Err(Odd::Damaged)), "{what}: {found:?}");
    }
    for (what, found) in [
        ("the last volume", of(|written| written.volume = 3)),
        ("all data in one volume", of(|written| written.blocks_per_volume = 3)),
        ("one block a volume", of(|written| written.blocks_per_volume = 1)),
        ("as much parity as data", of(|written| (written.parity, written.digests) = (3, 6))),
        ("no parity", of(|written| (written.parity, written.digests) = (0, 3))),
        (
            "one byte",
            of(|written| *written = Written { bytes: 1, blocks_per_volume: 1, digests: 2, ..Written::default() }),
        ),
    ] {
        assert!(found.is_ok(), "{what}: {found:?}");
    }
}

#[test]
fn the_largest_set_has_a_header() {
    let written = Written {
        volume: 999,
        bytes: BLOCKS * MOST_BLOCK,
        blocks_per_volume: 17,
        parity: 8_192,
        digests: 16_384,
        ..Written::default()
    };
    let bytes = written.bytes();
    assert_eq!(Header::bytes(bytes.first_chunk().unwrap()).unwrap(), bytes.len());
    let refused = Header::parse(&bytes);
    assert!(matches!(refused, Err(Odd::Damaged)), "there are 964 volumes: {refused:?}");
    let header = Header::parse(&Written { volume: 964, ..written }.bytes()).unwrap();
    assert_eq!((header.set.layout.volumes(), header.set.blocks.len()), (964, 16_384));
}

#[test]
fn a_set_has_999_volumes_and_not_a_thousand() {
    let of = |blocks: u32| {
        let digests = usize::try_from(blocks).unwrap();
        let written = Written {
            volume: blocks,
            bytes: u64::from(blocks) * 4_096,
            blocks_per_volume: 1,
            parity: 0,
            digests,
            ..Written::default()
        };
        Header::parse(&written.bytes())
    };
    assert_eq!(of(999).unwrap().volume, 999);
    assert!(matches!(of(1_000), Err(Odd::Damaged)));
}

#[test]
fn versions_that_are_not_known_are_told_before_anything_else_is_looked_at() {
    for version in [0, 2, 256, u32::MAX] {
        let later = Written { version, blocks_per_volume: 0, ..Written::default() }.bytes();
        let found = Header::parse(&later).unwrap_err();
        assert!(matches!(found, Odd::Version(found) if found == version), "{version}: {found:?}");
        assert!(matches!(Header::bytes(later.first_chunk().unwrap()), Err(Odd::Version(_))));
    }
    assert!(matches!(Header::parse(&[b'x'; 4_096]), Err(Odd::Foreign)));
    assert!(matches!(Header::parse(&[0; 4_096]), Err(Odd::Foreign)));
}

#[test]
fn what_is_no_header_is_told_with_its_name() {
    for (odd, message, has_hint) in [
        (Odd::Foreign, "app.001 is no volume of a package", false),
        (Odd::Damaged, "the header of app.001 is damaged", false),
        (Odd::Version(7), "app.001 is a volume of format version 7, and this program knows version 1", true),
    ] {
        let error = odd.within("app.001");
        assert_eq!((error.to_string().as_str(), error.hint().is_some()), (message, has_hint));
        assert_eq!(error.kind(), delta_core::error::Kind::Content);
    }
}

#[test]
fn volumes_of_one_set_have_one_id_and_others_have_another() {
    let set = set();
    let id = |bytes: &[u8]| Header::parse(bytes).unwrap().set.id();
    assert_eq!(id(&set.header(1)), id(&set.header(2)));
    let other = Set { whole: BlobDigest::of(b"other"), layout: set.layout, blocks: set.blocks.clone() };
    assert_ne!(id(&set.header(1)), id(&other.header(1)));
}
