//! What stands around a stream. It says what the encoder may have been; no more than that.

use std::io;

use crate::ReadAt;

/// Where a stream was found, with what its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A gzip member.
    Gzip(Header),
    /// A zlib stream (RFC 1950), with its two bytes of header.
    Zlib([u8; 2]),
    /// The same, in the image data of a png.
    Png([u8; 2]),
    /// A member of a zip, whose header says nothing that helps.
    Zip,
    /// A zstd frame.
    Zstd(Header),
}

/// The first bytes of a gzip member (RFC 1952, 2.3) or of a zstd frame (RFC 8878, 3.1.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header(pub(crate) [u8; 18]);

/// Who writes a gzip header like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    /// Go, which names neither a time nor a system when nobody does; Java does so too since version 16.
    Go,
    /// klauspost/compress and pgzip, which write this time for none.
    Pgzip,
    /// C programs, which name Unix as the system, and all others.
    Other,
}

/// What speaks against an encoder of which the header says that it is not the likely one.
const UNLIKELY: u8 = 40;

/// What speaks against a level of which the header says that it was another, which not all programs say right.
const OTHER_LEVEL: u8 = 8;

impl Origin {
    /// How much speaks against an encoder of this level: what the header says, and how usual the level is. `None` where the header
    /// leaves no doubt that it was another.
    pub(super) fn doubt_of_level(&self, level: u8) -> Option<u8> {
        let unusual = match level {
            6 => 0,
            1 | 9 => 1,
            _ => 2,
        };
        let said = match self {
            Self::Gzip(header) if header.may_be_level(level) => 0,
            Self::Gzip(_) => OTHER_LEVEL,
            Self::Zlib(header) | Self::Png(header) if said_level(level) == header[1] >> 6 => 0,
            Self::Zlib(_) | Self::Png(_) | Self::Zstd(_) => return None,
            Self::Zip => 0,
        };
        Some(said + unusual)
    }

    /// How much speaks against encoders that write headers as these hands do, the likeliest first.
    pub(super) fn doubt_of_hands(&self, hands: &[Hand]) -> u8 {
        let place = |header: &Header| hands.iter().position(|hand| *hand == header.hand());
        match self {
            Self::Gzip(header) => place(header).map_or(UNLIKELY, |place| if place == 0 { 0 } else { OTHER_LEVEL }),
            _ => 0,
        }
    }

    /// It is a gzip member whose header names Unix as the system. GNU gzip wrote most of those.
    pub(super) const fn is_of_unix(&self) -> bool {
        matches!(self, Self::Gzip(Header(bytes)) if bytes[9] == 3)
    }

    /// The stream is in a gzip member.
    pub(super) const fn is_gzip(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }
}

/// The level that a zlib header tells (RFC 1950, 2.2, FLEVEL), of which zlib and Go make the same.
const fn said_level(level: u8) -> u8 {
    match level {
        0 | 1 => 0,
        2..=5 => 1,
        6 => 2,
        _ => 3,
    }
}

impl Header {
    /// The bytes at `at`, as far as there are any.
    pub(crate) fn read(blob: &dyn ReadAt, at: u64) -> io::Result<Self> {
        let mut bytes = [0; 18];
        let mut filled = 0;
        while filled < bytes.len() {
            match blob.read_at(&mut bytes[filled..], at + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(Self(bytes))
    }

    /// Whether an encoder of this level may have written how hard it worked (RFC 1952, 2.3.1, XFL). All of them write the same.
    const fn may_be_level(&self, level: u8) -> bool {
        match self.0[8] {
            2 => level == 9,
            4 => level == 1,
            _ => level != 1 && level != 9,
        }
    }

    fn hand(&self) -> Hand {
        match (&self.0[4..8], self.0[9]) {
            ([0, 0, 0, 0], u8::MAX) => Hand::Go,
            ([0, 9, 0x6e, 0x88], _) => Hand::Pgzip,
            _ => Hand::Other,
        }
    }

    /// Whether the header of a zstd frame says that a checksum ends it, and how much it holds (RFC 8878, 3.1.1.1.1).
    pub(super) const fn checksum_and_size(&self) -> (bool, bool) {
        (self.0[4] & 4 != 0, self.0[4] & 0xe0 != 0)
    }

    /// The logarithm of a zstd frame's window, where it has one (RFC 8878, 3.1.1.1.2).
    pub(super) const fn window_log(&self) -> Option<u8> {
        let is_single_segment = self.0[4] & 0x20 != 0;
        if is_single_segment { None } else { Some((self.0[5] >> 3) + 10) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(time: [u8; 4], extra: u8, system: u8) -> Origin {
        let mut bytes = [0; 18];
        bytes[..3].copy_from_slice(b"\x1f\x8b\x08");
        bytes[4..8].copy_from_slice(&time);
        (bytes[8], bytes[9]) = (extra, system);
        Origin::Gzip(Header(bytes))
    }

    #[test]
    fn a_header_makes_its_hand_and_level_likely() {
        let [go, pgzip, unix] = [gzip([0; 4], 0, 255), gzip([0, 9, 0x6e, 0x88], 0, 255), gzip([1; 4], 2, 3)];
        for (origin, hand) in [(go, Hand::Go), (pgzip, Hand::Pgzip), (unix, Hand::Other)] {
            for other in [Hand::Go, Hand::Pgzip, Hand::Other] {
                assert_eq!(origin.doubt_of_hands(&[other]) == 0, other == hand);
            }
        }
        assert!(unix.doubt_of_level(9) < unix.doubt_of_level(6) && go.doubt_of_level(6) < go.doubt_of_level(9));
        assert!((1..=9).all(|level| go.doubt_of_level(level).is_some()));
    }

    #[test]
    fn a_zlib_header_leaves_the_levels_that_write_it() {
        for (flags, levels) in [(0x01, 1..=1), (0x5e, 2..=5), (0x9c, 6..=6), (0xda, 7..=9)] {
            let origin = Origin::Zlib([0x78, flags]);
            assert!((1..=9).all(|level| origin.doubt_of_level(level).is_some() == levels.contains(&level)));
        }
    }

    #[test]
    fn a_level_is_doubted_by_what_the_header_says_and_by_how_usual_it_is() {
        // Levels 1 to 9.
        let doubts = |origin: Origin| (1..=9).map(|level| origin.doubt_of_level(level)).collect::<Vec<_>>();
        let all = |numbers: [u8; 9]| numbers.map(Some).to_vec();
        for extra in [0, 1, 3, 5, 255] {
            assert_eq!(doubts(gzip([0; 4], extra, 3)), all([9, 2, 2, 2, 2, 0, 2, 2, 9]), "{extra}");
        }
        assert_eq!(doubts(gzip([0; 4], 2, 3)), all([9, 10, 10, 10, 10, 8, 10, 10, 1]));
        assert_eq!(doubts(gzip([0; 4], 4, 3)), all([1, 10, 10, 10, 10, 8, 10, 10, 9]));
        assert_eq!(doubts(Origin::Zip), all([1, 2, 2, 2, 2, 0, 2, 2, 1]));
        let only = |levels: std::ops::RangeInclusive<u8>| -> Vec<Option<u8>> {
            let doubt = |level| [1, 2, 2, 2, 2, 0, 2, 2, 1][usize::from(level) - 1];
            (1..=9_u8).map(|level| levels.contains(&level).then(|| doubt(level))).collect()
        };
        for (flags, levels) in
            [(0x01, 1..=1), (0x3f, 1..=1), (0x5e, 2..=5), (0x9c, 6..=6), (0xda, 7..=9), (0xff, 7..=9)]
        {
            for origin in [Origin::Zlib([0x78, flags]), Origin::Png([0x08, flags])] {
                assert_eq!(doubts(origin), only(levels.clone()), "{origin:?}");
            }
        }
        assert_eq!(doubts(Origin::Zstd(Header([0; 18]))), [None; 9]);
    }

    #[test]
    fn hands_are_doubted_by_their_place_in_the_list() {
        let go = gzip([0; 4], 0, 255);
        assert_eq!(go.doubt_of_hands(&[Hand::Go, Hand::Pgzip]), 0);
        assert_eq!(go.doubt_of_hands(&[Hand::Pgzip, Hand::Go]), OTHER_LEVEL);
        assert_eq!(go.doubt_of_hands(&[Hand::Other]), UNLIKELY);
        assert_eq!(go.doubt_of_hands(&[]), UNLIKELY);
        for other in [Origin::Zlib([0x78, 1]), Origin::Png([0x78, 1]), Origin::Zip, Origin::Zstd(Header([0; 18]))] {
            assert_eq!(other.doubt_of_hands(&[Hand::Pgzip]), 0, "{other:?}");
        }
    }

    #[test]
    fn a_hand_is_told_by_time_and_system() {
        let hand = |time, system| {
            let Origin::Gzip(header) = gzip(time, 0, system) else { panic!("a gzip member") };
            header.hand()
        };
        for (time, system, expected) in [
            ([0; 4], 255, Hand::Go),
            ([0; 4], 254, Hand::Other),
            ([0; 4], 3, Hand::Other),
            ([0, 0, 0, 1], 255, Hand::Other),
            ([1, 0, 0, 0], 255, Hand::Other),
            // pgzip's time, with any system.
            ([0, 9, 0x6e, 0x88], 255, Hand::Pgzip),
            ([0, 9, 0x6e, 0x88], 3, Hand::Pgzip),
            ([1, 9, 0x6e, 0x88], 255, Hand::Other),
            ([0, 9, 0x6e, 0x89], 255, Hand::Other),
        ] {
            assert_eq!(hand(time, system), expected, "{time:02x?} {system}");
        }
        assert!(gzip([0; 4], 0, 3).is_of_unix() && !gzip([0; 4], 0, 2).is_of_unix() && !Origin::Zip.is_of_unix());
        assert!(gzip([0; 4], 0, 3).is_gzip() && !Origin::Zlib([0x78, 1]).is_gzip());
    }

    #[test]
    fn a_header_is_read_as_far_as_there_is_one() {
        let bytes: Vec<u8> = (1..=30).collect();
        for (at, read) in [(0, 18), (12, 18), (13, 17), (29, 1), (30, 0), (99, 0)] {
            let expected: [u8; 18] = std::array::from_fn(|place| {
                let value = u8::try_from(at + place as u64 + 1).unwrap_or(0);
                if place < read { value } else { 0 }
            });
            assert_eq!(Header::read(&bytes, at).unwrap(), Header(expected), "{at}");
        }
        // However the bytes are held.
        let pieces = crate::Concat::new(bytes.chunks(5).map(<[u8]>::to_vec));
        assert_eq!(Header::read(&pieces, 3).unwrap(), Header::read(&bytes, 3).unwrap());
    }

    #[test]
    fn a_zstd_header_says_its_window_and_what_ends_it() {
        let header = |descriptor, window| {
            let mut bytes = [0; 18];
            (bytes[4], bytes[5]) = (descriptor, window);
            Header(bytes)
        };
        for (descriptor, told) in [
            (0, (false, false)),
            (4, (true, false)),
            (0x20, (false, true)),
            (0x40, (false, true)),
            (0x80, (false, true)),
            (0xe4, (true, true)),
            (0x1b, (false, false)),
        ] {
            assert_eq!(header(descriptor, 0).checksum_and_size(), told, "{descriptor:#04x}");
        }
        for (window, log) in [(0, 10), (7, 10), (8, 11), (0x48, 19), (0xff, 41)] {
            assert_eq!(header(0, window).window_log(), Some(log), "{window:#04x}");
            assert_eq!(header(0x20, window).window_log(), None, "a single segment");
        }
    }
}
