//! Finds out how a stream was made, by making it again and comparing every byte.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rayon::prelude::*;

use super::located::Located;
use crate::encoder::{Encoder, candidates, is_same, trial};
use crate::{ReadAt, Slice};

/// The first streams are tried with every setting; the others first with what those had.
const SAMPLED: usize = 8;

/// Encoders may go over so many times the plain bytes of a stream, and over this many bytes more, before it is given up.
const PASSES: u64 = 6;
const FREE_BYTES: u64 = 64 << 20;

/// For each stream the encoder that makes it again, or `None`; the same for any number of threads.
pub(super) fn search(
    content: &dyn ReadAt,
    plain: &dyn ReadAt,
    streams: &[Located],
) -> io::Result<Vec<Option<Arc<dyn Encoder>>>> {
    let (first, others) = streams.split_at(streams.len().min(SAMPLED));
    let find = |streams: &[Located], favourites: &[Arc<dyn Encoder>]| -> io::Result<Vec<_>> {
        streams.par_iter().map(|located| find(content, plain, located, favourites)).collect()
    };
    let mut found = find(first, &[])?;
    let favourites = distinct(&found);
    if favourites.is_empty() {
        // Nobody tries every encoder on thousands of members of which none is known.
        found.resize(streams.len(), None);
    } else {
        found.extend(find(others, &favourites)?);
    }
    Ok(found)
}

fn distinct(found: &[Option<Arc<dyn Encoder>>]) -> Vec<Arc<dyn Encoder>> {
    let mut distinct: Vec<Arc<dyn Encoder>> = Vec::new();
    for encoder in found.iter().flatten() {
        if !distinct.iter().any(|other| is_same(&**other, &**encoder)) {
            distinct.push(encoder.clone());
        }
    }
    distinct
}

fn find(
    content: &dyn ReadAt,
    plain: &dyn ReadAt,
    located: &Located,
    favourites: &[Arc<dyn Encoder>],
) -> io::Result<Option<Arc<dyn Encoder>>> {
    let Some(plain) = Slice::new(plain, located.plain_offset, located.plain_length) else { return Ok(None) };
    let budget = AtomicU64::new(FREE_BYTES + PASSES * located.plain_length);
    let found = trial::find(candidates(&located.origin, favourites), &plain, &located.deflated(content), &budget)?;
    Ok(found.ok().map(|maker| maker.tried))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::located::Wrapping;
    use crate::encoder::Origin;

    /// Encoders of these families with these settings.
    fn encoders(all: &[(u8, &[u8])]) -> Vec<Option<Arc<dyn Encoder>>> {
        all.iter().map(|(family, settings)| crate::encoder::take(*family, &mut &settings[..])).collect()
    }

    #[test]
    fn encoders_that_made_others_are_listed_once_in_their_order() {
        let found =
            encoders(&[(1, &[0x06, 0x8f]), (5, &[9]), (0, &[]), (1, &[0x06, 0x8f]), (1, &[0x09, 0x8f]), (5, &[9])]);
        assert_eq!(found.iter().flatten().count(), 5, "one is none");
        let names: Vec<String> = distinct(&found).iter().map(|one| one.to_string()).collect();
        assert_eq!(names, ["zlib 6", "gzip -9", "zlib 9"]);
        assert!(distinct(&[]).is_empty() && distinct(&[None, None]).is_empty());
    }

    /// A stream of these bytes as they are, which no encoder that is known makes (RFC 1951, 3.2.4).
    fn stored(plain: &[u8]) -> Vec<u8> {
        let length = u16::try_from(plain.len()).unwrap();
        [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), plain].concat()
    }

    fn known(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        crate::encoder::take(1, &mut &[0x06, 0x8f][..]).unwrap().encode(&plain.to_vec(), &mut out).unwrap();
        out
    }

    /// For each stream whether its encoder is found, when those at these places are of a known one.
    fn found(count: usize, are_known: &dyn Fn(usize) -> bool) -> Vec<bool> {
        let plain = b"words that are said again, words that are said".repeat(3);
        let (mut content, mut streams) = (Vec::new(), Vec::new());
        for number in 0..count {
            let stream = if are_known(number) { known(&plain) } else { stored(&plain) };
            streams.push(Located {
                name: Vec::new(),
                offset: content.len() as u64,
                length: stream.len() as u64,
                wrapping: Wrapping::Raw,
                origin: Origin::Zip,
                pieces: vec![(content.len() as u64, stream.len() as u64)],
                plain_offset: 0,
                plain_length: plain.len() as u64,
            });
            content.extend(stream);
        }
        search(&content, &plain, &streams).unwrap().iter().map(Option::is_some).collect()
    }

    #[test]
    fn nobody_is_asked_about_the_others_when_none_of_the_first_eight_is_known() {
        assert_eq!(found(0, &|_| true), [false; 0]);
        assert_eq!(found(3, &|number| number == 1), [false, true, false]);
        assert_eq!(found(20, &|_| true), [true; 20]);
        let behind = found(12, &|number| number >= SAMPLED);
        assert_eq!(behind, [false; 12], "the ninth and those behind it");
        let with_eighth = found(12, &|number| number >= SAMPLED - 1);
        assert_eq!(with_eighth.iter().position(|is_found| *is_found), Some(SAMPLED - 1));
        assert_eq!(with_eighth.iter().filter(|is_found| **is_found).count(), 5);
    }

    #[test]
    fn a_stream_whose_plain_bytes_are_not_there_is_not_found() {
        let plain = b"plain".to_vec();
        let content = known(&plain);
        let located = |plain_offset, plain_length| Located {
            name: Vec::new(),
            offset: 0,
            length: content.len() as u64,
            wrapping: Wrapping::Raw,
            origin: Origin::Zip,
            pieces: vec![(0, content.len() as u64)],
            plain_offset,
            plain_length,
        };
        for (offset, length, is_found) in
            [(0, 5, true), (0, 6, false), (1, 5, false), (1, 4, false), (u64::MAX, 5, false)]
        {
            let found = search(&content, &plain, &[located(offset, length)]).unwrap();
            assert_eq!(found[0].is_some(), is_found, "{length} bytes at {offset}");
        }
    }
}
