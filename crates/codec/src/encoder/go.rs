//! Go's compress/gzip up to Go 1.26: docker push, BuildKit, containerd, ko, crane, kaniko.

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::sync::Arc;

use super::origin::Hand;
use super::{Candidate, Encoder, Family, Format, Origin, copy};
use crate::ReadAt;
use crate::flate::go::{self, Checkpoint, Level};
use crate::limits::{GO_APART_BYTES, GO_APART_BYTES_MIN};
use crate::vcdiff::integer;

pub(super) static FAMILY: Family =
    Family { number: 3, feature: "gzip-go-1", format: Format::Deflate, candidates, take };

/// The same with checkpoints, from which all cores make a stream.
pub(super) static WITH_CHECKPOINTS: Family = Family {
    number: 8,
    feature: "gzip-go-2",
    format: Format::Deflate,
    candidates: |_| Vec::new(),
    take: take_with_checkpoints,
};

/// A stream with no fewer pieces than this, if they are not too short.
const PIECES: u64 = 8;

/// Docker's and BuildKit's first, then those of ko and crane.
const LEVELS: [i8; 9] = [6, 1, 9, 5, 4, 3, 2, 7, 8];

/// Without any matches.
const HUFFMAN_ONLY: i8 = -2;

/// What Go's archive/zip uses.
const ZIP_LEVEL: i8 = 5;

/// The levels of both generations of Go's encoders, with what speaks against each.
pub(super) fn levels(origin: &Origin) -> Vec<(i8, u8)> {
    let doubt = |level: i8| match origin {
        Origin::Zip => Some(4 + u8::from(level != ZIP_LEVEL)),
        Origin::Gzip(_) => origin.doubt_of_level(level.unsigned_abs()),
        _ => Some(4 + origin.doubt_of_level(level.unsigned_abs())?),
    };
    let huffman_only = origin.is_gzip().then_some((HUFFMAN_ONLY, 3));
    LEVELS.into_iter().filter_map(|level| Some((level, doubt(level)?))).chain(huffman_only).collect()
}

struct Go(Level);

fn candidates(origin: &Origin) -> Vec<Candidate> {
    let candidate = |(level, doubt): (i8, u8)| {
        let doubt = doubt + origin.doubt_of_hands(&[Hand::Go, Hand::Pgzip]);
        Some(Candidate { doubt, encoder: Arc::new(Go(Level::new(level)?)) })
    };
    levels(origin).into_iter().filter_map(candidate).collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let (level, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(Arc::new(Go(Level::new(level.cast_signed())?)))
}

impl Encoder for Go {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn settings(&self) -> Vec<u8> {
        vec![self.0.number().cast_unsigned()]
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = go::Encoder::new(self.0, out);
        copy(plain, &mut encoder)?;
        encoder.finish().map(drop)
    }

    fn encode_noting(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<Option<Arc<dyn Encoder>>> {
        let apart = (plain.len() / PIECES).clamp(GO_APART_BYTES_MIN, GO_APART_BYTES);
        let Some(apart) = NonZeroU64::new(apart).filter(|_| self.0.has_checkpoints()) else {
            return self.encode(plain, out).map(|()| None);
        };
        let checkpoints = go::encode_noting(self.0, plain, apart, out)?;
        let level = self.0;
        Ok((!checkpoints.is_empty()).then(|| Arc::new(GoInPieces { level, checkpoints }) as Arc<dyn Encoder>))
    }
}

impl fmt::Display for Go {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Go gzip {}", self.0.number())
    }
}

struct GoInPieces {
    level: Level,
    checkpoints: Vec<Checkpoint>,
}

/// The level, the number of checkpoints, and each of them.
fn take_with_checkpoints(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    let (level, rest) = bytes.split_first()?;
    let level = Level::new(level.cast_signed()).filter(|level| level.has_checkpoints())?;
    *bytes = rest;
    let count = usize::try_from(integer::take(bytes)?).ok()?;
    let (checkpoints, rest) = bytes.split_at_checked(count.checked_mul(Checkpoint::BYTES)?)?;
    *bytes = rest;
    let (checkpoints, _) = checkpoints.as_chunks();
    let checkpoints: Vec<_> = checkpoints.iter().map(|bytes| Checkpoint::from_bytes(*bytes)).collect::<Option<_>>()?;
    // An encoder that starts has some 100 KB to do first.
    let are_apart = |pair: &[Checkpoint]| pair[1].position() >= pair[0].position().saturating_add(GO_APART_BYTES_MIN);
    let is_right = !checkpoints.is_empty() && checkpoints.windows(2).all(are_apart);
    is_right.then(|| Arc::new(GoInPieces { level, checkpoints }) as Arc<dyn Encoder>)
}

impl Encoder for GoInPieces {
    fn family(&self) -> &'static Family {
        &WITH_CHECKPOINTS
    }

    fn settings(&self) -> Vec<u8> {
        let mut settings = vec![self.level.number().cast_unsigned()];
        integer::push(&mut settings, self.checkpoints.len() as u64);
        settings.extend(self.checkpoints.iter().flat_map(Checkpoint::to_bytes));
        settings
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        go::encode(self.level, plain, &self.checkpoints, out)
    }
}

impl fmt::Display for GoInPieces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Go(self.level).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text in which words come again.
    fn plain() -> Vec<u8> {
        let word = |number: u32| format!("word{} ", number.wrapping_mul(2_654_435_761) >> 22);
        (0..500_000).map(word).collect::<String>().into_bytes()
    }

    fn noted(level: i8) -> (Vec<u8>, Option<Arc<dyn Encoder>>) {
        let mut made = Vec::new();
        let with = Go(Level::new(level).unwrap()).encode_noting(&plain(), &mut made).unwrap();
        (made, with)
    }

    #[test]
    fn a_stream_is_the_same_with_checkpoints_and_without() {
        for level in [-2, 0].into_iter().chain(1..=9) {
            let (made, with) = noted(level);
            let mut expected = Vec::new();
            Go(Level::new(level).unwrap()).encode(&plain(), &mut expected).unwrap();
            assert!(made == expected, "{level}");
            assert_eq!(with.is_some(), level >= 4, "{level}");
            let Some(with) = with else { continue };
            let mut again = Vec::new();
            with.encode(&plain(), &mut again).unwrap();
            assert!(again == expected, "{level}");
            let settings = with.settings();
            let mut rest = settings.as_slice();
            assert_eq!((WITH_CHECKPOINTS.take)(&mut rest).unwrap().settings(), settings);
            assert!(rest.is_empty() && settings[1] >= 4, "{settings:?}");
            assert_eq!(with.to_string(), format!("Go gzip {level}"));
        }
    }

    #[test]
    fn settings_that_no_encoder_notes_are_refused() {
        let settings = noted(6).1.unwrap().settings();
        let refuses = |edit: &dyn Fn(&mut Vec<u8>)| {
            let mut wrong = settings.clone();
            edit(&mut wrong);
            (WITH_CHECKPOINTS.take)(&mut wrong.as_slice()).is_none()
        };
        assert!(!refuses(&|_| ()));
        assert!(refuses(&|settings| settings[0] = 3) && refuses(&|settings| settings[0] = 10));
        assert!(refuses(&|settings| settings[1] = 0) && refuses(&|settings| settings[1] += 1));
        // The first two are exchanged; the first comes twice; one that cannot be.
        assert!(refuses(&|settings| settings[2..26].rotate_left(Checkpoint::BYTES)));
        assert!(refuses(&|settings| settings.copy_within(2..14, 14)));
        assert!(refuses(&|settings| settings[12] = 0xff));
        for length in 0..settings.len() {
            assert!((WITH_CHECKPOINTS.take)(&mut &settings[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn levels_are_doubted_by_where_the_stream_stands() {
        let gzip = |extra| {
            let mut bytes = [0; 18];
            bytes[8] = extra;
            Origin::Gzip(super::super::Header(bytes))
        };
        for (origin, expected) in [
            (gzip(0), vec![(6, 0), (1, 9), (9, 9), (5, 2), (4, 2), (3, 2), (2, 2), (7, 2), (8, 2), (-2, 3)]),
            (gzip(2), vec![(6, 8), (1, 9), (9, 1), (5, 10), (4, 10), (3, 10), (2, 10), (7, 10), (8, 10), (-2, 3)]),
            (gzip(4), vec![(6, 8), (1, 1), (9, 9), (5, 10), (4, 10), (3, 10), (2, 10), (7, 10), (8, 10), (-2, 3)]),
            (Origin::Zip, vec![(6, 5), (1, 5), (9, 5), (5, 4), (4, 5), (3, 5), (2, 5), (7, 5), (8, 5)]),
            (Origin::Zlib([0x78, 0x9c]), vec![(6, 4)]),
            (Origin::Png([0x78, 0x5e]), vec![(5, 6), (4, 6), (3, 6), (2, 6)]),
            (Origin::Zstd(super::super::Header([0; 18])), vec![]),
        ] {
            assert_eq!(levels(&origin), expected, "{origin:?}");
        }
    }

    #[test]
    fn a_stream_has_eight_pieces_that_are_neither_too_short_nor_too_long() {
        let count = |length: u64| {
            let plain: Vec<u8> = plain().into_iter().cycle().take(usize::try_from(length).unwrap()).collect();
            let with = Go(Level::new(6).unwrap()).encode_noting(&plain, &mut Vec::new()).unwrap();
            with.map_or(0, |with| with.settings()[1])
        };
        // Below 256 KiB no piece ends; up to 2 MiB pieces have that.
        assert_eq!(count(GO_APART_BYTES_MIN / 2), 0);
        assert!((2..=4).contains(&count(4 * GO_APART_BYTES_MIN)));
        assert!((6..=8).contains(&count(8 * GO_APART_BYTES_MIN)));
        assert!((6..=8).contains(&count(16 * GO_APART_BYTES_MIN)));
    }

    /// A checkpoint this far in the plain bytes, at which nothing waits.
    fn checkpoint(position: u64) -> [u8; Checkpoint::BYTES] {
        let halves = u32::try_from(position >> 15).unwrap();
        let at = u16::try_from(position & 0x7fff).unwrap();
        let bytes = [&halves.to_le_bytes()[..], &at.to_le_bytes(), &[3, 0, 0, 0, 0, 0]].concat();
        let bytes: [u8; Checkpoint::BYTES] = bytes.try_into().unwrap();
        assert_eq!(Checkpoint::from_bytes(bytes).unwrap().position(), position);
        bytes
    }

    #[test]
    fn checkpoints_are_256_kib_apart_at_least() {
        let is_taken = |level: u8, positions: &[u64]| {
            let checkpoints = positions.iter().flat_map(|position| checkpoint(*position));
            let settings: Vec<u8> = [level, positions.len().to_le_bytes()[0]].into_iter().chain(checkpoints).collect();
            let taken = (WITH_CHECKPOINTS.take)(&mut settings.as_slice());
            assert!(taken.as_ref().is_none_or(|encoder| encoder.settings() == settings));
            taken.is_some()
        };
        const APART: u64 = GO_APART_BYTES_MIN;
        for (positions, is_right) in [
            (&[][..], false),
            (&[100], true),
            (&[100, 100 + APART], true),
            (&[100, 99 + APART], false),
            (&[100, 100], false),
            (&[100 + APART, 100], false),
            (&[7, 7 + APART, 7 + 2 * APART, 7 + 9 * APART], true),
            (&[7, 7 + APART, 6 + 2 * APART, 7 + 9 * APART], false),
        ] {
            assert_eq!(is_taken(6, positions), is_right, "{positions:?}");
        }
        for level in 0..=255 {
            assert_eq!(is_taken(level, &[100]), (4..=9).contains(&level), "{level}");
        }
        // As many as no memory holds.
        for count in [2, 1 << 40, u64::MAX / 12 + 1, u64::MAX] {
            let mut settings = vec![6];
            integer::push(&mut settings, count);
            settings.extend(checkpoint(100));
            assert!((WITH_CHECKPOINTS.take)(&mut settings.as_slice()).is_none(), "{count}");
        }
    }
}
