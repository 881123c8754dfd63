use delta_core::error::Kind;
use proptest::prelude::*;

use super::*;

fn plan(bytes: u64, most: Option<u64>, parity: &str) -> Layout {
    Layout::plan(bytes, most, parity.parse().unwrap()).unwrap()
}

#[test]
fn every_block_has_one_place() {
    let layouts = [
        Layout::plan(1, None, Parity::default()).unwrap(),
        plan(4_096, None, "1%"),
        plan(100_001, Some(40_000), "10%"),
        plan(33 << 20, Some(1_440_000), "7"),
        plan(5_000_000_000, Some(700_000_000), "100%"),
    ];
    for layout in layouts {
        let mut next = 0;
        let mut bytes = 0;
        for volume in 1..=layout.volumes() {
            let blocks = layout.blocks_of(volume);
            assert!(blocks.start == next || volume == layout.data_volumes() + 1, "{layout:?}");
            assert!(!blocks.is_empty(), "{layout:?}");
            next = blocks.end;
            let mut place = layout.header_bytes();
            for block in blocks {
                assert_eq!((layout.volume_of(block), layout.place_of(block)), (volume, place), "{layout:?}");
                place += layout.bytes_of(block);
            }
            assert_eq!(layout.file_bytes(volume), place);
            bytes += place;
        }
        assert_eq!((next, bytes), (layout.blocks(), layout.all_bytes()), "{layout:?}");
    }
}

#[test]
fn volumes_are_as_large_as_they_may_be_and_no_larger() {
    let layout = plan(250_000_000, Some(100_000_000), "40%");
    assert_eq!((layout.data_volumes(), layout.volumes(), layout.spare_volumes()), (3, 5, 1));
    let layout = plan(200_000_000, Some(102_000_000), "50%");
    assert_eq!((layout.data_volumes(), layout.volumes()), (2, 3));
    for volume in 1..=layout.volumes() {
        assert!(layout.file_bytes(volume) <= 102_000_000);
    }
}

#[test]
fn blocks_are_as_small_as_their_number_allows() {
    for (bytes, size, blocks) in [
        (1, 4_096, 1),
        (4_096, 4_096, 1),
        (4_097, 4_096, 2),
        (BLOCKS * 4_096, 4_096, 8_192),
        (BLOCKS * 4_096 + 1, 8_192, 4_097),
        (BLOCKS * 8_192, 8_192, 8_192),
        (BLOCKS * 8_192 + 1, 16_384, 4_097),
        (BLOCKS * MOST_BLOCK, MOST_BLOCK, 8_192),
    ] {
        let layout = Layout::plan(bytes, None, Parity::default()).unwrap();
        assert_eq!((layout.bytes(), layout.block_bytes(), layout.data_blocks()), (bytes, size, blocks));
        assert_eq!(layout.volumes(), 1, "{bytes}");
    }
}

#[test]
fn parity_is_rounded_up() {
    for (blocks, percent, parity) in [(1, 1, 1), (99, 1, 1), (100, 1, 1), (101, 1, 2), (3, 34, 2), (7, 100, 7)] {
        let layout = plan(blocks * 4_096, None, &percent.to_string());
        assert_eq!((layout.data_blocks(), layout.parity_blocks()), (blocks, parity), "{blocks} {percent}");
    }
}

#[test]
fn headers_fill_whole_sectors() {
    for (blocks, bytes) in [(1, 4_096), (125, 4_096), (126, 8_192), (253, 8_192), (254, 12_288), (16_384, 528_384)] {
        assert_eq!(header_bytes(blocks), bytes, "{blocks}");
    }
}

#[test]
fn the_volumes_that_may_be_lost_are_those_that_parity_makes_up_for() {
    for (blocks_per_volume, parity, spare) in
        [(10, 0, 0), (10, 9, 0), (10, 10, 1), (10, 19, 1), (10, 20, 2), (3, 20, 6)]
    {
        let layout = Layout::checked(20 * 4_096, blocks_per_volume, parity).unwrap();
        assert_eq!(layout.spare_volumes(), spare, "{blocks_per_volume} {parity}");
    }
}

#[test]
fn parity_is_a_percentage() {
    for (text, percent) in [("1", 1), ("1%", 1), ("100", 100), ("100%", 100), ("7%", 7), ("007", 7)] {
        assert_eq!(text.parse::<Parity>().unwrap(), Parity(percent), "{text}");
    }
    for odd in ["0", "0%", "101", "101%", "", "%", "5%%", "+5", "-5", " 5", "1.5%", "x", "18446744073709551621"] {
        let error = odd.parse::<Parity>().unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.to_string(), format!("expected parity from 1% to 100%, found `{odd}`"));
    }
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let none = Parity::default();
    for bytes in [0, BLOCKS * MOST_BLOCK + 1, u64::MAX] {
        let error = Layout::plan(bytes, None, none).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.to_string(), format!("{bytes} bytes cannot be split: expected 1 to 2199023255552"));
    }
    assert!(Layout::plan(BLOCKS * MOST_BLOCK, None, none).is_ok());
    let error = Layout::plan(10 << 20, Some(8_192), none).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(
        error.to_string(),
        "volumes of 8192 bytes are too small for 10485760 bytes: there would be more than 999"
    );
    // 999 volumes of one block, and a thousand.
    let header = header_bytes(999);
    assert_eq!(Layout::plan(999 * 4_096, Some(header + 4_096), none).unwrap().volumes(), 999);
    assert!(Layout::plan(1_000 * 4_096, Some(header + 4_096), none).is_err());
    // One that has room for its header alone, or not for that.
    assert!(Layout::plan(4_096, Some(8_192), none).is_ok());
    for most in [8_191, 4_096, 1, 0] {
        assert!(Layout::plan(4_096, Some(most), none).is_err(), "{most}");
    }
}

#[test]
fn what_a_header_says_holds_together_or_is_nothing() {
    let data = 20;
    for (blocks_per_volume, parity, holds) in [
        (0, 0, false),
        (1, 0, true),
        (data, 0, true),
        (data + 1, 0, false),
        (data, data, true),
        (data, data + 1, false),
        (u64::from(u32::MAX), 0, false),
        (1, u64::from(u32::MAX), false),
    ] {
        let found = Layout::checked(data * 4_096, blocks_per_volume, parity);
        assert_eq!(found.is_some(), holds, "{blocks_per_volume} {parity}");
    }
    assert!(Layout::checked(0, 1, 0).is_none() && Layout::checked(u64::MAX, 1, 0).is_none());
    // Data and parity each fill volumes of their own.
    assert!(Layout::checked(999 * 4_096, 1, 0).is_some() && Layout::checked(998 * 4_096, 1, 1).is_some());
    assert!(Layout::checked(999 * 4_096, 1, 1).is_none() && Layout::checked(1_000 * 4_096, 1, 0).is_none());
}

proptest! {
    #[test]
    fn volumes_are_within_their_bound_and_the_bound_that_is_named_will_do(
        bytes in prop_oneof![1..100_000_000_u64, 1..=BLOCKS * MOST_BLOCK],
        part in 1..3_000_u64,
        percent in 0..=100_u64,
    ) {
        let most = bytes.div_ceil(part) + 4_096;
        match Layout::plan(bytes, Some(most), Parity(percent)) {
            Ok(layout) => {
                for volume in 1..=layout.volumes() {
                    prop_assert!(layout.file_bytes(volume) <= most);
                }
                // A block more would be too much, or there is none.
                let more = layout.header_bytes() + (layout.blocks_per_volume() + 1) * layout.block_bytes();
                prop_assert!(more > most || layout.blocks_per_volume() == layout.data_blocks());
                prop_assert!(layout.volumes() <= VOLUMES);
            }
            Err(error) => {
                let least: u64 = error.hint().unwrap().split(' ').nth(2).unwrap().parse().unwrap();
                prop_assert!(least > most);
                prop_assert!(Layout::plan(bytes, Some(least), Parity(percent)).unwrap().volumes() <= VOLUMES);
            }
        }
    }
}
