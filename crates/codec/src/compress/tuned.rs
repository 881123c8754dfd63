//! xz as it fits what it compresses. Every program that reads xz reads what comes out.

use std::io::{self, Write};

use liblzma::stream::{Check, Filters, LzmaOptions, PRESET_EXTREME, Stream};
use liblzma::write::XzEncoder;

use crate::ReadAt;

/// The preset by which filters are compared.
const COMPARED_PRESET: u32 = 1;

/// Filters are compared by so many pieces ...
const PIECES: u64 = 8;

/// ... of this many bytes: enough to meet what is there, and little beside all of it.
const PIECE_BYTES: u64 = 128 << 10;

/// The smallest dictionary that xz has.
const DICTIONARY_BYTES_MIN: u64 = 4 << 10;

/// What is done to the bytes before: places that instructions name become the same wherever they are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Nothing.
    None,
    /// Calls and jumps of x86.
    X86,
    /// Calls and pages of AArch64.
    Arm64,
}

impl Filter {
    /// All filters, what is usual first.
    pub const ALL: [Self; 3] = [Self::None, Self::X86, Self::Arm64];

    /// The filter that fits `bytes` best, as pieces of them tell.
    ///
    /// # Errors
    /// What reading and the compressor report.
    pub fn of(bytes: &dyn ReadAt) -> io::Result<Self> {
        let pieces = pieces(bytes)?;
        let mut best = (usize::MAX, Self::None);
        for filter in Self::ALL {
            let mut encoder = encoder(Vec::new(), filter, COMPARED_PRESET, pieces.len() as u64)?;
            encoder.write_all(&pieces)?;
            let length = encoder.finish()?.len();
            if length < best.0 {
                best = (length, filter);
            }
        }
        Ok(best.1)
    }
}

/// How long is looked for what is smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Some 0.6 µs a byte.
    Usual,
    /// All that xz can, for a hundredth less.
    Most,
}

impl Effort {
    const fn preset(self) -> u32 {
        match self {
            Self::Usual => 5,
            Self::Most => 9 | PRESET_EXTREME,
        }
    }
}

/// Compresses `length` bytes that will be written, with a dictionary of at most `dictionary` bytes, of which some twelve times are held.
///
/// # Errors
/// When the compressor cannot get its memory.
pub fn xz<W: Write>(
    out: W,
    (filter, effort): (Filter, Effort),
    length: u64,
    dictionary: u64,
) -> io::Result<XzEncoder<W>> {
    encoder(out, filter, effort.preset(), length.min(dictionary))
}

fn encoder<W: Write>(out: W, filter: Filter, preset: u32, length: u64) -> io::Result<XzEncoder<W>> {
    let mut options = LzmaOptions::new_preset(preset)?;
    options.dict_size(u32::try_from(length.max(DICTIONARY_BYTES_MIN)).unwrap_or(u32::MAX));
    let mut filters = Filters::new();
    match filter {
        Filter::None => &mut filters,
        Filter::X86 => filters.x86(),
        Filter::Arm64 => filters.arm64(),
    }
    .lzma2(&options);
    Ok(XzEncoder::new_stream(out, Stream::new_stream_encoder(&filters, Check::Crc32)?))
}

/// Pieces from all over `bytes`, or all of them.
fn pieces(bytes: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let length = bytes.len();
    let spans = match length.checked_sub(PIECES * PIECE_BYTES) {
        Some(rest) => (0..PIECES).map(|piece| (rest / PIECES * piece + PIECE_BYTES * piece, PIECE_BYTES)).collect(),
        None => vec![(0, length)],
    };
    let mut held = Vec::new();
    for (offset, size) in spans {
        let start = held.len();
        held.resize(start + usize::try_from(size).map_err(io::Error::other)?, 0);
        bytes.read_exact_at(&mut held[start..], offset)?;
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Compression, decoder};

    fn packed(bytes: &[u8], filter: Filter, dictionary: u64) -> Vec<u8> {
        let mut encoder = xz(Vec::new(), (filter, Effort::Usual), bytes.len() as u64, dictionary).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Code that calls eight functions again and again, from everywhere.
    fn calls(length: usize) -> Vec<u8> {
        let mut code = Vec::new();
        let mut seed = 1_u32;
        while code.len() < length {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let to = 0x1_0000 * (seed >> 29);
            let here = u32::try_from(code.len()).unwrap() + 5;
            code.push(0xe8);
            code.extend(to.wrapping_sub(here).to_le_bytes());
            code.extend(&seed.to_be_bytes()[..(seed >> 20) as usize % 3]);
        }
        code
    }

    #[test]
    fn every_filter_comes_back() {
        for bytes in [Vec::new(), b"a".to_vec(), calls(100_000)] {
            for filter in Filter::ALL {
                for dictionary in [0, 4096, 1 << 20] {
                    let mut plain = Vec::new();
                    let packed = packed(&bytes, filter, dictionary);
                    assert_eq!(Compression::detect(&packed), Compression::Xz);
                    io::copy(&mut decoder(Compression::Xz, &packed[..]).unwrap(), &mut plain).unwrap();
                    assert!(plain == bytes, "{filter:?} {dictionary}");
                }
            }
        }
    }

    #[test]
    fn the_filter_is_chosen_that_makes_it_smaller() {
        let code = calls(3 << 20);
        assert_eq!(Filter::of(&code).unwrap(), Filter::X86);
        assert!(packed(&code, Filter::X86, 1 << 20).len() < packed(&code, Filter::None, 1 << 20).len() / 4 * 3);
        assert_eq!(Filter::of(&b"words of a text ".repeat(1000)).unwrap(), Filter::None);
        assert_eq!(Filter::of(&Vec::new()).unwrap(), Filter::None);
    }

    #[test]
    fn pieces_are_of_all_and_no_more() {
        let bytes: Vec<u8> = (0_u8..=255).flat_map(|block| [block; 1 << 14]).collect();
        assert_eq!(pieces(&bytes).unwrap().len() as u64, PIECES * PIECE_BYTES);
        assert!(*pieces(&bytes).unwrap().last().unwrap() >= 220, "the last piece is from the end");
        assert_eq!(pieces(&bytes[..1 << 20].to_vec()).unwrap(), bytes[..1 << 20]);
        assert_eq!(pieces(&vec![7; 5]).unwrap(), [7; 5]);
    }

    /// What the header of the first block says: the filters, and the size of the dictionary (xz file format, 3.1 and 5.3).
    fn header(packed: &[u8]) -> (Vec<u8>, u64) {
        let (flags, mut rest) = (packed[13], &packed[14..]);
        let mut filters = Vec::new();
        for _ in 0..=flags & 3 {
            filters.push(rest[0]);
            if rest[0] == 0x21 {
                let bits = rest[2];
                return (filters, (2 | u64::from(bits & 1)) << (bits / 2 + 11));
            }
            rest = &rest[2 + usize::from(rest[1])..];
        }
        panic!("no LZMA2 in {filters:?}")
    }

    #[test]
    fn a_stream_names_its_filter_and_as_large_a_dictionary_as_is_of_use() {
        for (filter, ids) in [(Filter::None, &[0x21][..]), (Filter::X86, &[4, 0x21]), (Filter::Arm64, &[0x0a, 0x21])] {
            for (length, dictionary, expected) in [
                (0, 1 << 20, 4 << 10),
                (100_000, 0, 4 << 10),
                (100_000, 64 << 10, 64 << 10),
                (64 << 10, 1 << 20, 64 << 10),
                // Between two sizes that a header can say it is the larger one.
                ((64 << 10) + 1, 1 << 20, 96 << 10),
                (3 << 20, 1 << 20, 1 << 20),
            ] {
                let mut encoder = xz(Vec::new(), (filter, Effort::Usual), length, dictionary).unwrap();
                encoder.write_all(b"some bytes").unwrap();
                let packed = encoder.finish().unwrap();
                assert_eq!(header(&packed), (ids.to_vec(), expected), "{filter:?} {length} {dictionary}");
                // Flags of the stream: CRC-32 (2.1.1.2).
                assert_eq!(packed[6..8], [0, 1]);
            }
        }
    }

    #[test]
    fn pieces_are_as_far_apart_as_all_bytes_leave_them() {
        let all = PIECES * PIECE_BYTES;
        let piece = usize::try_from(PIECE_BYTES).unwrap();
        for more in [0, 7, 8, 800] {
            let bytes = crate::noise::noise(1, usize::try_from(all + more).unwrap());
            let found = pieces(&bytes).unwrap();
            assert_eq!(found.len() as u64, all, "{more}");
            for (number, part) in found.chunks(piece).enumerate() {
                let start = number * (piece + usize::try_from(more / PIECES).unwrap());
                assert!(part == &bytes[start..start + piece], "piece {number} of {more} more");
            }
        }
        let bytes = crate::noise::noise(1, usize::try_from(all).unwrap() - 1);
        assert!(pieces(&bytes).unwrap() == bytes);
    }

    #[test]
    fn more_effort_is_another_preset() {
        assert_eq!([Effort::Usual, Effort::Most].map(Effort::preset), [5, 9 | 1 << 31]);
    }
}
