//! The list of encoders: their settings as plans hold them, their names, and in which order they are tried.

use std::collections::BTreeSet;

use super::*;

const ORIGINS: [Origin; 7] = [
    Origin::Gzip(Header([0; 18])),
    Origin::Zlib([0x78, 0x01]),
    Origin::Zlib([0x58, 0xda]),
    Origin::Png([0x78, 0x01]),
    Origin::Png([0x58, 0x9c]),
    Origin::Zip,
    Origin::Zstd(Header([0; 18])),
];

#[test]
fn families_differ_and_their_candidates_come_back() {
    let numbers: BTreeSet<u8> = FAMILIES.iter().map(|family| family.number).collect();
    let names: BTreeSet<&str> = features().collect();
    assert_eq!((numbers.len(), names.len()), (FAMILIES.len(), FAMILIES.len()));
    for encoder in ORIGINS.iter().flat_map(|origin| candidates(origin, &[])) {
        let (number, settings) = (encoder.family().number, encoder.settings());
        let mut rest = settings.as_slice();
        let again = take(number, &mut rest).unwrap();
        assert!(is_same(&*again, &*encoder) && rest.is_empty());
        assert_eq!(again.to_string(), encoder.to_string());
        for length in 0..settings.len() {
            assert!(take(number, &mut &settings[..length]).is_none());
        }
    }
    assert!(take(0, &mut &[6, 0x8f][..]).is_none());
}

#[test]
fn candidates_are_tried_once_each() {
    for origin in ORIGINS {
        let all = candidates(&origin, &[]);
        let favourites = [all[all.len() - 1].clone(), all[0].clone()];
        let again = candidates(&origin, &favourites);
        for all in [&all, &again] {
            let distinct: BTreeSet<_> = all.iter().map(|one| (one.family().number, one.settings())).collect();
            assert_eq!(distinct.len(), all.len());
        }
        assert!(again.len() == all.len() && is_same(&*again[0], &*favourites[0]));
        let format = if matches!(origin, Origin::Zstd(_)) { Format::Zstd } else { Format::Deflate };
        assert!(all.iter().all(|encoder| encoder.family().format == format));
    }
}

/// What a plan calls an encoder, as people do; `None` where the bytes are no settings, or more than these.
fn name(family: u8, settings: &[u8]) -> Option<String> {
    let mut rest = settings;
    let encoder = take(family, &mut rest).filter(|_| rest.is_empty())?;
    assert_eq!((encoder.family().number, encoder.settings().as_slice()), (family, settings));
    Some(encoder.to_string())
}

#[test]
fn encoders_have_names_for_people() {
    for (family, settings, expected) in [
        (1, &[0x06, 0x8f][..], "zlib 6"),
        (1, &[0x19, 0x9f], "zlib 9 with memory level 9"),
        (2, &[6, 0, 128], "pigz -6"),
        (2, &[1 | 16, 0, 128], "pigz -1 -p1"),
        (2, &[9 | 32, 1, 0], "pigz -9 -i -b256"),
        (2, &[3 | 64, 0, 128], "pigz -3 -R"),
        (3, &[254], "Go gzip -2"),
        (3, &[9], "Go gzip 9"),
        (4, &[5, 1, 0, 16, 0, 0], "pgzip 5 in blocks of 1024 KiB"),
        (4, &[6, 0, 0, 0, 0, 0], "klauspost gzip before 1.18.2 6"),
        (5, &[9], "gzip -9"),
        (5, &[16 | 1], "busybox gzip -1"),
        (6, &[5, 2, 8], "klauspost zstd 1.20 default, 8 bytes first"),
        (6, &[1, 1, 0], "klauspost zstd 1.15 fastest"),
        (7, &[3, 0], "libzstd 1.5.7 level 3"),
        (7, &[249, 7], "libzstd 1.5.7 level -7, checksum, size, jobs"),
        (9, &[7, 0, 0, 0, 0, 0], "klauspost gzip before 1.15.15 7"),
        (9, &[4, 1, 0, 4, 0, 0], "pgzip 1.18.0 4 in blocks of 256 KiB"),
        (10, &[4, 4, 0], "klauspost zstd 1.17.8 best"),
        (10, &[1, 3, 0], "klauspost zstd 1.15 better"),
    ] {
        assert_eq!(name(family, settings).as_deref(), Some(expected), "{settings:?} of {family}");
    }
}

#[test]
fn a_level_of_go_is_one_byte() {
    let known: Vec<u8> = (0..=255).filter(|level| name(3, &[*level]).is_some()).collect();
    assert_eq!(known, [(0..=9).collect::<Vec<u8>>(), vec![254]].concat());
}

#[test]
fn settings_of_klauspost_belong_to_one_family_each() {
    let levels = [(0..=9).collect::<Vec<u8>>(), vec![254]].concat();
    for level in 0..=255_u8 {
        for version in 0..=3 {
            for block in [0, 1, 1 << 20, u32::MAX] {
                let settings = [&[level, version][..], &block.to_be_bytes()].concat();
                let is_usual = version < 2 && levels.contains(&level);
                let is_other = (version == 0 && (7..=9).contains(&level)) || (version == 1 && level == 4);
                assert_eq!(name(4, &settings).is_some(), is_usual, "{settings:?}");
                assert_eq!(name(9, &settings).is_some(), is_other, "{settings:?}");
            }
        }
    }
}

#[test]
fn settings_of_klaupost_zstandard_belong_to_one_family_each() {
    for (version, level) in (0..=7_u8).flat_map(|version| (0..=6_u8).map(move |level| (version, level))) {
        for first_write in [0, 8, 255] {
            let settings = [version, level, first_write];
            let is_low = (1..=5).contains(&version) && matches!(level, 1 | 2);
            let is_high = matches!(version, 1 | 4 | 5) && matches!(level, 3 | 4);
            assert_eq!(
                (name(6, &settings).is_some(), name(10, &settings).is_some()),
                (is_low, is_high),
                "{settings:?}"
            );
        }
    }
}

#[test]
fn there_are_no_other_families() {
    let known: Vec<u8> = FAMILIES.iter().map(|family| family.number).collect();
    for number in (0..=255).filter(|number| !known.contains(number)) {
        assert!(take(number, &mut &[1; 64][..]).is_none(), "{number}");
    }
}

/// A gzip header with this time, extra flags and system.
fn gzip(time: [u8; 4], extra: u8, system: u8) -> Origin {
    let mut header = [0; 18];
    header[..3].copy_from_slice(b"\x1f\x8b\x08");
    header[4..8].copy_from_slice(&time);
    (header[8], header[9]) = (extra, system);
    Origin::Gzip(Header(header))
}

/// A zstd header with this descriptor and window.
fn zstd(descriptor: u8, window: u8) -> Origin {
    let mut header = [0; 18];
    header[..4].copy_from_slice(b"\x28\xb5\x2f\xfd");
    (header[4], header[5]) = (descriptor, window);
    Origin::Zstd(Header(header))
}

#[test]
fn the_likeliest_encoder_is_tried_first() {
    const PGZIP: [u8; 4] = [0, 9, 0x6e, 0x88];
    for (origin, first) in [
        (gzip([0; 4], 0, 255), "Go gzip 6"),
        (gzip([0; 4], 2, 255), "Go gzip 9"),
        (gzip([0; 4], 4, 255), "Go gzip 1"),
        (gzip(PGZIP, 0, 255), "pgzip before 1.18.2 5 in blocks of 1024 KiB"),
        (gzip([1; 4], 0, 3), "gzip -6"),
        (gzip([0; 4], 2, 3), "gzip -9"),
        (gzip([0; 4], 4, 3), "gzip -1"),
        (gzip([1; 4], 0, 0), "zlib 6"),
        (gzip([1; 4], 2, 11), "zlib 9"),
        (Origin::Zlib([0x78, 0x9c]), "zlib 6"),
        (Origin::Zlib([0x78, 0xda]), "zlib 9"),
        (Origin::Zlib([0x78, 0x01]), "zlib 1"),
        (Origin::Zlib([0x78, 0x5e]), "zlib 2"),
        (Origin::Zip, "zlib 6"),
        (zstd(0, 0), "klauspost zstd 1.20 default"),
    ] {
        assert_eq!(candidates(&origin, &[])[0].to_string(), first, "{origin:?}");
    }
    // Images are filtered first (strategy 1), and with the window that the header says.
    assert_eq!(candidates(&Origin::Png([0x78, 0x9c]), &[])[0].settings(), [0x16, 0x8f]);
    assert_eq!(candidates(&Origin::Png([0x58, 0x85]), &[])[0].settings(), [0x16, 0x8d]);
    // Lengths that are all of one byte (strategy 3) are among the candidates where the level is said to be the lowest.
    let has_runs = |flags: u8| candidates(&Origin::Png([0x78, flags]), &[]).iter().any(|one| one.settings()[0] == 0x36);
    assert!(has_runs(0x01) && !has_runs(0x5e) && !has_runs(0x9c) && !has_runs(0xda));
}

#[test]
fn levels_of_libzstd_are_tried_where_the_window_is_theirs() {
    let levels = |origin: &Origin| -> BTreeSet<u8> {
        let all = candidates(origin, &[]);
        all.iter().filter(|one| one.family().number == 7).map(|one| one.settings()[0]).collect()
    };
    let window = |log: u8| levels(&zstd(0, (log - 10) << 3));
    assert_eq!(window(19), (1..=12).collect());
    assert_eq!(window(20), (2..=12).collect());
    assert_eq!(window(21), (3..=12).collect());
    assert_eq!(window(22), (9..=16).collect());
    assert_eq!(window(23), (17..=19).collect());
    assert_eq!(window(24), BTreeSet::new());
    // A single segment has no window.
    assert_eq!(levels(&zstd(0x20, 0)), (1..=12).collect());
}

#[test]
fn what_a_zstd_header_says_is_what_libzstd_was_told() {
    for (descriptor, flags) in [(0, 0), (4, 1), (0x20, 2), (0x40, 2), (0xc0, 2), (0x24, 3), (0x13, 0)] {
        let all = candidates(&zstd(descriptor, 0x48), &[]);
        let found: BTreeSet<u8> =
            all.iter().filter(|one| one.family().number == 7).map(|one| one.settings()[1]).collect();
        assert_eq!(found, BTreeSet::from([flags, flags | 4]), "{descriptor:#04x}");
    }
}
