//! The settings of encoders as plans hold them: each has one form in bytes, and all other bytes are none.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use delta_codec::flate::pigz::Chaining;
use delta_codec::flate::{gnu, pigz, zlib};
use delta_codec::limits::{PIGZ_BLOCK_BYTES, ZSTANDARD_LIBRARY_LEVEL_MAX};
use delta_codec::zstandard::libzstd::{self, Flag};

const ALL: RangeInclusive<u8> = 0..=255;

#[test]
fn zlib_has_four_settings_with_a_range_each() {
    let mut forms = BTreeSet::new();
    for first in ALL {
        for second in ALL {
            let Some(settings) = zlib::Settings::from_bytes([first, second]) else { continue };
            assert_eq!(settings.to_bytes(), [first, second]);
            forms.insert([first, second]);
        }
    }
    // Levels 0 to 9, windows of 2^9 to 2^15, memory levels 1 to 9, strategies 0 to 4.
    assert_eq!(forms.len(), 10 * 7 * 9 * 5);
    for (level, window, memory, strategy, is_known) in [
        (0, 9, 1, 0, true),
        (9, 15, 9, 4, true),
        (10, 15, 8, 0, false),
        (6, 8, 8, 0, false),
        (6, 16, 8, 0, false),
        (6, 15, 0, 0, false),
        (6, 15, 10, 0, false),
        (6, 15, 8, 5, false),
    ] {
        let settings = zlib::Settings::new(level, window, memory, strategy);
        assert_eq!(settings.is_some(), is_known, "{level} {window} {memory} {strategy}");
        assert!(settings.is_none_or(|settings| forms.contains(&settings.to_bytes())));
    }
}

#[test]
fn gzip_and_busybox_have_nine_levels() {
    let known: Vec<u8> = ALL.filter(|byte| gnu::Settings::from_bytes([*byte]).is_some()).collect();
    assert_eq!(known, (1..=9).chain(17..=25).collect::<Vec<u8>>());
    for program in [gnu::Program::Gzip, gnu::Program::Busybox] {
        for level in ALL {
            let settings = gnu::Settings::new(program, level);
            assert_eq!(settings.is_some(), (1..=9).contains(&level));
            assert!(settings.is_none_or(|one| gnu::Settings::from_bytes(one.to_bytes()) == Some(one)));
        }
    }
}

#[test]
fn pigz_has_blocks_from_its_dictionary_to_the_limit() {
    let most = u16::try_from(PIGZ_BLOCK_BYTES >> 10).unwrap();
    for (kib, is_known) in [(0, false), (31, false), (32, true), (128, true), (most, true), (most + 1, false)] {
        assert_eq!(pigz::Settings::new(6, kib, Chaining::Dictionary, false).is_some(), is_known, "{kib}");
        let [high, low] = kib.to_be_bytes();
        let mut forms = 0;
        for first in ALL {
            let Some(settings) = pigz::Settings::from_bytes([first, high, low]) else { continue };
            assert_eq!(settings.to_bytes(), [first, high, low]);
            forms += 1;
        }
        // Nine levels; three kinds of blocks, of which two may be rsyncable.
        assert_eq!(forms, if is_known { 9 * 5 } else { 0 }, "{kib}");
    }
    for level in ALL {
        let settings = pigz::Settings::new(level, 128, Chaining::Independent, true);
        assert_eq!(settings.is_some(), (1..=9).contains(&level));
    }
    assert_eq!(pigz::Settings::new(6, 128, Chaining::Serial, true), None);
}

#[test]
fn libzstd_has_levels_below_and_above_zero_and_three_flags() {
    let mut forms = 0;
    for level in ALL {
        for flags in ALL {
            let Some(settings) = libzstd::Settings::from_bytes([level, flags]) else { continue };
            assert_eq!(settings.to_bytes(), [level, flags]);
            let on = Flag::ALL.into_iter().filter(|flag| settings.has(*flag)).collect::<Vec<_>>();
            assert_eq!(libzstd::Settings::new(level.cast_signed(), &on), Some(settings));
            forms += 1;
        }
    }
    let most = usize::try_from(ZSTANDARD_LIBRARY_LEVEL_MAX).unwrap();
    assert_eq!(forms, (7 + most) * 8);
    for (level, is_known) in [(-8, false), (-7, true), (-1, true), (0, false), (1, true), (19, true), (20, false)] {
        assert_eq!(libzstd::Settings::new(level, &[]).is_some(), is_known, "{level}");
    }
}
