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
}
