//! The index tiles any bytes and finds what `tar` wrote.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod layers;

use delta_core::layer::tar_index::{Entry, TarIndex, entries};
use layers::{LayerBuilder, noise};
use proptest::prelude::*;

fn index(layer: &[u8]) -> TarIndex {
    let index = TarIndex::new(&layer).unwrap();
    assert_eq!(index.entries(), entries(&layer).unwrap());
    let end = index.entries().iter().fold(0, |end, entry| {
        assert_eq!(entry.start, end);
        assert!(entry.end() > entry.start);
        entry.end()
    });
    assert_eq!(end, layer.len() as u64);
    index
}

fn paths(index: &TarIndex) -> Vec<String> {
    (0..index.entries().len()).map(|number| String::from_utf8_lossy(index.path(number)).into_owned()).collect()
}

fn content<'a>(layer: &'a [u8], entry: &Entry) -> &'a [u8] {
    let start = usize::try_from(entry.content()).unwrap();
    &layer[start..start + usize::try_from(entry.length).unwrap()]
}

#[test]
fn entries_are_found_by_path_and_hash() {
    let layer = LayerBuilder::new()
        .folder("./etc/")
        .file("etc/a", b"one")
        .link("etc/b", "a")
        .file("etc/c", b"one")
        .file("etc/d", b"two")
        .finish();
    let index = index(&layer);
    assert_eq!(paths(&index), ["etc", "etc/a", "etc/b", "etc/c", "etc/d", ""]);
    assert_eq!(index.hash(1), index.hash(3));
    assert_ne!(index.hash(1), index.hash(4));
    assert_eq!(content(&layer, &index.entries()[4]), b"two");
    assert!(!index.entries()[5].has_header && index.entries()[5].length == 1024);
}

#[test]
fn long_names_and_records_describe_the_entry_behind_them() {
    let long = "d/".repeat(80) + "file";
    let layer = LayerBuilder::new()
        .file(&long, b"x")
        .records(&[("mtime", b"1700000000.5"), ("path", b"other/name")])
        .file("short", b"y")
        .finish();
    let index = index(&layer);
    assert_eq!(
        paths(&index),
        [format!("{long}\0\u{1}"), long, "other/name\0\u{1}".into(), "other/name".into(), "".into()]
    );
}

#[test]
fn the_size_in_a_record_is_the_size() {
    let mut layer = LayerBuilder::new().records(&[("size", b"700")]).finish();
    layer.truncate(1024);
    let mut file = LayerBuilder::new().file("big", &noise(1, 700)).finish();
    file[124..136].fill(b'0');
    file[135] = 0;
    file[148..156].fill(b' ');
    let sum: u32 = file[..512].iter().copied().map(u32::from).sum();
    file[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    layer.extend(file);
    let index = index(&layer);
    assert_eq!(index.entries()[1].length, 700);
    assert_eq!(index.entries().len(), 3);
}

#[test]
fn what_is_no_tar_is_one_entry() {
    for length in [1, 511, 512, 5000] {
        let index = index(&noise(7, length));
        assert_eq!(index.entries(), [Entry { start: 0, has_header: false, length: length as u64, padding: 0 }]);
    }
    assert!(index(&[]).entries().is_empty());
}

#[test]
fn archives_behind_each_other_are_all_seen() {
    let mut layer = LayerBuilder::new().file("a", b"1").finish();
    layer.extend(LayerBuilder::new().file("b", b"2").finish());
    assert_eq!(paths(&index(&layer)), ["a", "", "b", ""]);
}

#[test]
fn a_hundred_thousand_files_are_no_trouble() {
    let layer = (0..100_000).fold(LayerBuilder::new(), |layer, number| layer.file(&format!("f{number}"), b"")).finish();
    assert_eq!(index(&layer).entries().len(), 100_001);
}

proptest! {
    #[test]
    fn any_damage_still_tiles(
        sizes in prop::collection::vec(0_usize..2000, 0..8),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        shift in 0_usize..700,
    ) {
        let mut layer = noise(3, shift);
        let files = sizes.iter().enumerate().fold(LayerBuilder::new(), |layer, (number, size)| {
            layer.file(&format!("f{number}"), &noise(number as u64, *size))
        });
        layer.extend(files.finish());
        for (place, value) in damage {
            let place = place.index(layer.len());
            layer[place] = value;
        }
        layer.truncate(cut.index(layer.len()) + 1);
        index(&layer);
    }

    #[test]
    fn headers_at_random_still_tile(
        blocks in prop::collection::vec((prop::sample::select(b"0L1xS5K\0".to_vec()), 0_u64..3000, any::<bool>()), 1..20),
    ) {
        let mut layer = Vec::new();
        for (kind, size, sparse) in blocks {
            let mut header = tar::Header::new_gnu();
            header.set_path("p").unwrap();
            header.set_size(size);
            header.set_entry_type(tar::EntryType::new(kind));
            header.as_mut_bytes()[482] = u8::from(sparse);
            header.set_cksum();
            layer.extend_from_slice(header.as_bytes());
        }
        index(&layer);
    }
}
